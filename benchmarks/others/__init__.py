"""Twenty functions of other kinds than the workloads, measured in the same way.

What makes a workload fast must make these fast as well.
"""

from benchmarks.others import arrays, losses, scalars, sequences

MODULES = (scalars, sequences, losses, arrays)


def problems(tiny, data):
    """All twenty: at full size, or `tiny` for tests."""
    return [problem for module in MODULES for problem in module.problems(tiny, data)]
