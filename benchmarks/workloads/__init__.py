"""The workloads, one a file, in the order of the table."""

from benchmarks.workloads import (
    adbench_gmm,
    adbench_lstm,
    autoencoder,
    bundle_adjustment,
    burgers_indices,
    burgers_slices,
    gaussian_mixture,
    logistic_regression,
    lotka_volterra,
    rosenbrock,
    scalar_function,
    small_arrays,
)

MODULES = (
    scalar_function, lotka_volterra, burgers_indices, burgers_slices, logistic_regression,
    autoencoder, gaussian_mixture, bundle_adjustment, rosenbrock, small_arrays, adbench_gmm,
    adbench_lstm,
)  # fmt: skip


def problems(tiny, data):
    """All workloads: at full size, or `tiny` for tests; `data` is a folder of ADBench's files."""
    return [problem for module in MODULES for problem in module.problems(tiny, data)]
