"""What a derivative of one call is held to, in both modes and to second order.

Finite differences of the call itself are the judge of forward mode, the dot product holds reverse
mode to forward mode, and differences of the first derivative judge the four mixes of the second.
"""

from dataclasses import dataclass
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


# --- derivatives of one call ------------------------------------------------------------------


@dataclass
class Derivatives:
    """A program without branches at one point, with its derivatives there as programs likewise."""

    program: Program
    values: Any
    results: Any
    directions: Any
    seeds: Any
    tangent: Program
    tangents: Any
    adjoint: Program
    cotangents: Any


def derived(program: Program, values: Any) -> Derivatives:
    """Both modes of a program, along directions that all checks of it share."""
    straight, results = program.trace(values)
    directions, seeds = likes(values, 7), likes(results, 70)
    tangent, tangents = forward(straight).trace(values, directions)
    adjoint, cotangents = reverse(straight).trace(values, seeds)
    return Derivatives(
        straight, values, results, directions, seeds, tangent, tangents, adjoint, cotangents
    )


def spread(found: Any, like: Any) -> list[Any]:
    """Derivatives in the shapes that they stand for: 0.0 is a zero of any shape."""
    assert len(found) == len(like)
    return [np.broadcast_to(a, np.shape(b)) for a, b in zip(found, like, strict=True)]


# --- the checks -------------------------------------------------------------------------------


def check_first_order(of: Derivatives) -> None:
    check_tangents(of)
    cotangents = [
        np.broadcast_to(c, np.shape(x)) if type(c) is float else c
        for c, x in zip(of.cotangents, of.values, strict=True)
    ]
    tangents = spread(of.tangents, of.results)
    gap = pairing(of.seeds, tangents) - pairing(cotangents, of.directions)
    scale = magnitude(of.seeds, tangents) + magnitude(cotangents, of.directions)
    assert abs(gap) <= 100 * EPS * (scale * conditioning(tangents) + 0.1), "dot-product test"


def check_tangents(of: Derivatives) -> None:
    want = difference(of.program, of.values, (), of.directions)
    assert_close(of.tangents, want, "forward mode")


def check_layout(of: Derivatives) -> None:
    """How arrays lie in memory makes no difference."""
    odd = [strided(x) if isinstance(x, np.ndarray) else x for x in of.values]
    for program, others, found in (
        (of.tangent, of.directions, of.tangents), (of.adjoint, of.seeds, of.cotangents)
    ):  # fmt: skip
        for a, b in zip(program.run(odd, others), found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


def strided(x: Any) -> Any:
    """The same numbers, not contiguous, in Fortran order, with a negative stride."""
    if x.ndim == 0:
        return x
    wide = np.zeros((*reversed(x.shape), 2), x.dtype).T
    view = wide[0][::-1]
    view[...] = x
    return view


def check_shapes(of: Derivatives) -> None:
    """Where nothing is finite, derivatives have the right shapes and raise nothing."""
    spread(of.tangents, of.results)
    spread(of.cotangents, of.values)


def check_precision(fn: Any, args: Any, keywords: Any, known: bool) -> None:
    """What is of single precision has derivatives of single precision, or Python's numbers."""
    with np.errstate(all="ignore"):
        of = derived(*one_operation(fn, args, keywords, known))
    for got, wanted in (*zip(of.tangents, of.results), *zip(of.cotangents, of.values)):
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


def check_second_order(of: Derivatives) -> None:
    """All four mixes, against differences of forward mode."""
    values, dx, g = of.values, of.directions, of.seeds
    dz = likes(values, 77)
    want = difference(of.tangent, values, dx, dz)
    twice = forward(of.tangent).run(values, [*dx, *dz])
    assert_close(twice, want, "forward over forward")

    scalar = pairing(spread(want, of.results), g)
    for what, second in (
        ("forward over reverse", forward(of.adjoint).run(values, [*g, *dx])),
        ("reverse over reverse", reverse(of.adjoint).run(values, [*g, *dx])),
        ("reverse over forward", reverse(of.tangent).run(values, [*dx, *g])),
    ):
        cotangents = spread(second, values)
        found = pairing(cotangents, dz)
        scale = 1.0 + abs(scalar) + magnitude(cotangents, dz)
        assert abs(found - scalar) <= 2e-6 * scale, f"{what}: {found} but {scalar}"


def run_checks(fn: Any, args: Any, keywords: Any, known: bool, second: bool = True) -> None:
    with np.errstate(all="ignore"):
        of = derived(*one_operation(fn, args, keywords, known))
        check_first_order(of)
        check_layout(of)
        if second:
            check_second_order(of)
