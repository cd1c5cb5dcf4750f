"""What a derivative of one call is held to, in both modes and to second order.

Finite differences of the call itself are the judge of forward mode, the dot product holds reverse
mode to forward mode, and differences of the first derivative judge the four mixes of the second.
"""

from typing import Any

import numpy as np

from tests.rules.catalogue import name_of
from tests.rules.evaluate import Program, forward, one_operation, reverse

EPS = np.finfo(float).eps

# --- vectors ----------------------------------------------------------------------------------


def like(value: Any, seed: int) -> Any:
    """A direction of the type and shape of a value."""
    random = np.random.default_rng(seed)
    shape, dtype = np.shape(value), np.asarray(value).dtype
    found = random.uniform(-1, 1, shape)
    if dtype.kind == "c":
        found = found + 1j * random.uniform(-1, 1, shape)
    if isinstance(value, np.ndarray):
        return np.asarray(found).astype(dtype)
    return type(value)(found)


def likes(values: Any, seed: int) -> list[Any]:
    return [like(value, seed + i) for i, value in enumerate(values)]


def pairing(a: Any, b: Any) -> float:
    """The real part of the sum of products: cotangents are not conjugated."""
    assert len(a) == len(b)
    total = 0.0
    for x, y in zip(a, b, strict=False):
        assert np.shape(x) == np.shape(y), (np.shape(x), np.shape(y))
        total += np.sum(np.real(np.asarray(x) * np.asarray(y)))
    return float(total)


def magnitude(a: Any, b: Any) -> float:
    return 1e-300 + float(
        sum(np.sum(np.abs(np.asarray(x) * np.asarray(y))) for x, y in zip(a, b, strict=False))
    )


def moved(values: Any, directions: Any, t: float) -> list[Any]:
    return [x + t * d for x, d in zip(values, directions, strict=False)]


def difference(
    program: Program, values: Any, others: Any, directions: Any, h: float = 2e-3
) -> list[Any]:
    """The directional derivative by central differences of order 6."""
    total: list[Any] = []
    for k, weight in ((1, 45 / 60), (2, -9 / 60), (3, 1 / 60)):
        up = program.run(moved(values, directions, k * h), others)
        down = program.run(moved(values, directions, -k * h), others)
        parts = [
            weight * (np.asarray(a) - np.asarray(b)) / h for a, b in zip(up, down, strict=False)
        ]
        total = [a + b for a, b in zip(total, parts, strict=False)] if total else parts
    return total


def assert_close(got: Any, want: Any, what: str) -> None:
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=False):
        assert np.shape(np.broadcast_to(a, np.shape(b))) == np.shape(b), what
        scale = 1.0 + np.max(np.abs(b), initial=0.0)
        np.testing.assert_allclose(
            np.broadcast_to(a, np.shape(b)), b, rtol=2e-6, atol=2e-7 * scale, err_msg=what
        )


# --- the checks -------------------------------------------------------------------------------


def check_first_order(program: Program, values: Any) -> None:
    directions = likes(values, 7)
    results = program.run(values)
    seeds = likes(results, 70)
    tangents = forward(program).run(values, directions)
    check_tangents(program, values, directions, tangents)
    cotangents = reverse(program).run(values, seeds)
    cotangents = [
        np.broadcast_to(c, np.shape(x)) if type(c) is float else c
        for c, x in zip(cotangents, values, strict=False)
    ]
    tangents = [np.broadcast_to(t, np.shape(y)) for t, y in zip(tangents, results, strict=False)]
    gap = pairing(seeds, tangents) - pairing(cotangents, directions)
    scale = magnitude(seeds, tangents) + magnitude(cotangents, directions)
    assert abs(gap) <= 100 * EPS * (scale * conditioning(tangents) + 0.1), "dot-product test"


def check_tangents(program: Program, values: Any, directions: Any, tangents: Any) -> None:
    """Against differences; where a kink may be near, also against those of smaller steps."""
    for h in (2e-3, 1e-4, 1e-5):
        try:
            want = difference(program, values, (), directions, h)
            return assert_close(tangents, want, "forward mode")
        except (AssertionError, ValueError):  # the shape may change from one side to the other
            if h == 1e-5:
                raise


def check_shapes(program: Program, values: Any) -> None:
    """Where nothing is finite, derivatives have the right shapes and raise nothing."""
    results = program.run(values)
    tangents = forward(program).run(values, likes(values, 7))
    cotangents = reverse(program).run(values, likes(results, 70))
    for found, like in (*zip(tangents, results), *zip(cotangents, values)):
        assert np.shape(np.broadcast_to(found, np.shape(like))) == np.shape(like)


def check_precision(fn: Any, args: Any, keywords: Any, known: bool) -> None:
    """What is of single precision has derivatives of single precision, or Python's numbers."""
    with np.errstate(all="ignore"):
        program, values = one_operation(fn, args, keywords, known)
        straight, results = program.trace(values)
        tangents = forward(straight).run(values, likes(values, 7))
        cotangents = reverse(straight).run(values, likes(results, 70))
    for got, wanted in (*zip(tangents, results), *zip(cotangents, values)):
        fits = type(got) is float or is_single(got) or not is_single(wanted)
        assert fits, f"{getattr(got, 'dtype', type(got))} beside {wanted.dtype}"


def is_single(x: Any) -> bool:
    return getattr(x, "dtype", None) in (np.float32, np.complex64)


def has_longer_results(fn: Any) -> bool:
    """Whether SciPy gives a float64 for a float32."""
    return name_of(fn) == "scipy.linalg._basic.det" or name_of(fn).startswith("scipy.stats")


def conditioning(tangents: Any) -> float:
    """Room for the rounding of long sums."""
    return max(1.0, float(sum(np.size(t) for t in tangents)) ** 0.5)


def check_second_order(program: Program, values: Any) -> None:
    """Against differences of the first derivative; where a kink may be near, of a smaller step."""
    try:
        check_second_differences(program, values, 2e-3)
    except AssertionError:
        check_second_differences(program, values, 1e-4)


def check_second_differences(program: Program, values: Any, h: float) -> None:
    dx, dz = likes(values, 7), likes(values, 77)
    results = program.run(values)
    g = likes(results, 70)
    straight = program.trace(values)[0]
    first = forward(straight).trace(values, dx)[0]
    want = difference(first, values, dx, dz, h)
    twice = forward(first).run(values, [*dx, *dz])
    assert_close(twice, want, "forward over forward")

    scalar = pairing(
        [np.broadcast_to(t, np.shape(y)) for t, y in zip(want, results, strict=False)], g
    )
    adjoint = reverse(straight).trace(values, g)[0]
    for what, second in (
        ("forward over reverse", forward(adjoint).run(values, [*g, *dx])),
        ("reverse over reverse", reverse(adjoint).run(values, [*g, *dx])),
        ("reverse over forward", reverse(first).run(values, [*dx, *g])),
    ):
        spread = [np.broadcast_to(s, np.shape(x)) for s, x in zip(second, values, strict=False)]
        found = pairing(spread, dz)
        scale = 1.0 + abs(scalar) + magnitude(spread, dz)
        assert abs(found - scalar) <= 2e-6 * scale, f"{what}: {found} but {scalar}"


def run_checks(fn: Any, args: Any, keywords: Any, known: bool, second: bool = True) -> None:
    with np.errstate(all="ignore"):
        program, values = one_operation(fn, args, keywords, known)
        straight = program.trace(values)[0]
        check_first_order(straight, values)
        if second:
            check_second_order(straight, values)
