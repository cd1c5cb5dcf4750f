"""`check_grads`: derivatives held to central differences, and the two modes to one another."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tangent_like import facts
from tangent_like.dispatch import Derivative, parameters, underlying
from tangent_like.errors import ArgumentError
from tangent_like.parts import items_of, map_leaves

_SEED = 20260101
_NAMES = {"fwd": "forward", "rev": "reverse"}


class Tolerance(NamedTuple):
    """How large a step is taken (relative to the operand), and how far results may differ: from
    the difference, and (`modes`, relative to the terms of the dot product) the modes among
    themselves."""

    eps: float
    atol: float
    rtol: float
    modes: float


_DOUBLE = Tolerance(eps=6e-6, atol=1e-6, rtol=1e-6, modes=1e-9)
"""Central differences are wrong by eps**2 and by rounding / eps: best near the cube root."""

_SINGLE = Tolerance(eps=5e-3, atol=2e-2, rtol=2e-2, modes=1e-3)


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Check the derivatives of `f` at `args`, to `order`, in each of `modes` ("fwd", "rev").

    Every operand that can have a derivative is moved on its own along a fixed random direction.
    The tangent is compared with a central difference of step `eps` (relative to the operand's
    size, at least `eps` itself), the cotangents with the same difference by the dot-product
    identity <v, J u> = <J^T v, u>, and the two modes with one another.  Higher orders check the
    generated tangent and adjoint code in the same way, so that every mix of modes is covered.
    Numbers count as equal within `atol + rtol * |expected|`; the modes must agree to 1e-9 of the
    terms of the dot product (1e-3 in single precision), whatever `atol` and `rtol`.

    Structured arguments and results (tuples and lists) are taken leaf by leaf.

    Raises AssertionError with the operand, mode and order that fail and by how much.
    """
    for mode in modes:
        if mode not in _NAMES:
            raise ArgumentError(f'a mode is "fwd" or "rev", not {mode!r}')
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"order is a number of derivatives from 1 on, not {order!r}")
    wrt = tuple(i for i, a in enumerate(args) if _has_derivative(a))
    if not wrt:
        raise ArgumentError("no argument can have a derivative", hint="pass floats")
    usual = _SINGLE if _is_single(args) else _DOUBLE
    tolerance = Tolerance(
        usual.eps if eps is None else eps,
        usual.atol if atol is None else atol,
        usual.rtol if rtol is None else rtol,
        usual.modes,
    )
    check = _Check(tuple(modes), wrt, tolerance, np.random.default_rng(_SEED))
    check.level(underlying(f), tuple(args), order, ())


def _has_derivative(value: Any) -> bool:
    return facts.may_be_differentiated(facts.of_constant(value))


class _Check(NamedTuple):
    """What stays the same through all orders."""

    modes: tuple[str, ...]
    wrt: tuple[int, ...]
    tolerance: Tolerance
    random: np.random.Generator

    def level(
        self, target: Any, args: tuple[Any, ...], order: int, above: tuple[str, ...]
    ) -> None:
        """Check the first derivative of `target`, then those of its generated derivatives.

        `above` holds the modes that `target` came from, outermost first.
        """
        directions = tuple(self.direction(args[i]) for i in self.wrt)
        weights = self.direction(target(*copy.deepcopy(args)))
        tangent = Derivative(target, "jvp", self.wrt)
        pullback = Derivative(target, "vjp", self.wrt)
        cotangents = pullback(*args, weights) if "rev" in self.modes else ()
        for place, i in enumerate(self.wrt):
            where = f"argument `{parameters(target)[i].name}`, "
            difference = self.difference(target, args, i, directions[place])
            expected, scale = _dot(weights, difference)
            if "fwd" in self.modes:
                alone = [u if k == place else _zero(u) for k, u in enumerate(directions)]
                forward = tangent(*args, *alone)[1]
                self.compare(forward, difference, where + _mode("fwd", above))
            if "rev" in self.modes:
                backward = _dot(cotangents[place], directions[place])[0]
                self.close(backward, expected, where + _mode("rev", above), scale)
            if len(set(self.modes)) == 2:
                both = f"{where}reverse against forward mode (order {len(above) + 1})"
                tight = self.tolerance.modes
                self.close(backward, _dot(weights, forward)[0], both, scale, (tight, tight))
        if order > 1 and "fwd" in self.modes:
            self.level(tangent, (*args, *directions), order - 1, ("fwd", *above))
        if order > 1 and "rev" in self.modes:
            self.level(pullback, (*args, weights), order - 1, ("rev", *above))

    def direction(self, like: Any) -> Any:
        """Random numbers between 0.5 and 1.5 in size, of either sign; 0.0 for constants."""
        if items_of(like) is not None:
            return map_leaves(self.direction, like)
        if np.asarray(like).dtype.kind not in "fc":
            return 0.0
        drawn = self.random.uniform(0.5, 1.5, np.shape(like))
        drawn = drawn * self.random.choice([-1.0, 1.0], np.shape(like))
        if np.iscomplexobj(like):
            drawn = drawn * np.exp(2j * np.pi * self.random.uniform(size=np.shape(like)))
        if isinstance(like, np.ndarray):
            return np.asarray(drawn).astype(like.dtype)
        if isinstance(like, np.generic):
            return like.dtype.type(drawn)
        return drawn if isinstance(drawn, (float, complex)) else drawn.item()

    def difference(self, target: Any, args: tuple[Any, ...], i: int, u: Any) -> Any:
        """The central difference of `target` along `u` in operand `i`."""
        size = max((float(np.max(np.abs(x), initial=1.0)) for x in _numbers(args[i])), default=1.0)
        h = self.tolerance.eps * size
        ends = []
        for step in (h, -h):
            moved = list(copy.deepcopy(args))
            moved[i] = _moved(moved[i], u, step)
            ends.append(target(*moved))
        return _combined(ends[0], ends[1], lambda a, b: (a - b) / (2 * h))

    def compare(self, found: Any, expected: Any, where: str) -> None:
        for path, a, b in _paired(found, expected):
            if not _is_number(b) or np.asarray(a).dtype.kind not in "fciub":
                continue
            self.close(a, b, where + (f", result{path}" if path else ""))

    def close(
        self,
        found: Any,
        expected: Any,
        where: str,
        scale: float = 0.0,
        tolerance: tuple[float, float] | None = None,
    ) -> None:
        """Raise AssertionError unless the numbers agree to `tolerance` (absolute, and relative to
        them or to `scale`)."""
        atol, rtol = tolerance or (self.tolerance.atol, self.tolerance.rtol)
        if np.shape(found) != np.shape(expected):
            raise AssertionError(
                f"check_grads: {where}: the derivative has shape {np.shape(found)}, "
                f"expected {np.shape(expected)}"
            )
        a, b = np.asarray(found), np.asarray(expected)
        error = np.abs(a - b)
        allowed = atol + rtol * np.maximum(np.abs(b), scale)
        wrong = ~(error <= allowed)
        if not np.any(wrong):
            return
        worst = np.unravel_index(int(np.argmax(np.where(wrong, error / allowed, -1))), a.shape)
        place = f" at {tuple(map(int, worst))}" if a.ndim else ""
        raise AssertionError(
            f"check_grads: {where}: the derivative{place} is {a[worst]:.10g}, expected "
            f"{b[worst]:.10g}; they differ by {error[worst]:.3g}, allowed are "
            f"{np.broadcast_to(allowed, a.shape)[worst]:.3g}"
        )


def _mode(mode: str, above: tuple[str, ...]) -> str:
    """`reverse over forward mode (order 2)`."""
    names = " over ".join(_NAMES[m] for m in (mode, *above))
    return f"{names} mode (order {len(above) + 1})"


# --- structures ---------------------------------------------------------------------------------


def _numbers(value: Any) -> Iterator[Any]:
    """The leaves that can have a derivative."""
    items = items_of(value)
    if items is not None:
        for item in items:
            yield from _numbers(item)
    elif _is_number(value):
        yield value


def _is_number(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "fc"


def _is_single(args: Sequence[Any]) -> bool:
    """Whether an operand is of less than double precision."""
    return any(np.finfo(np.asarray(x).dtype).eps > 1e-10 for x in _numbers(tuple(args)))


def _moved(value: Any, u: Any, step: float) -> Any:
    def move(x: Any, d: Any) -> Any:
        if not _is_number(x):
            return x
        moved = x + step * d
        return moved.astype(x.dtype) if isinstance(x, (np.ndarray, np.generic)) else moved

    return map_leaves(move, value, u)


def _combined(a: Any, b: Any, function: Callable[[Any, Any], Any]) -> Any:
    """Two results leaf by leaf; 0.0 for leaves without a derivative."""

    def combine(x: Any, y: Any) -> Any:
        return function(x, y) if _is_number(x) else np.zeros(np.shape(x))[()]

    return map_leaves(combine, a, b)


def _paired(found: Any, expected: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The leaves of two results of one structure, with their paths."""
    items = items_of(expected)
    if items is None:
        yield path, found, expected
        return
    for k, (a, b) in enumerate(zip(items_of(found) or (), items, strict=True)):
        yield from _paired(a, b, f"{path}[{k}]")


def _dot(a: Any, b: Any) -> tuple[float, float]:
    """The real part of the sum of products (complex numbers are not conjugated), and the sum of
    their sizes, on which its rounding error depends."""
    pairs = [(x, y) for _, x, y in _paired(a, b) if _is_number(x) and _is_number(y)]
    terms = [x * y for x, y in pairs]
    return (
        float(sum(np.sum(np.real(term)) for term in terms)),
        float(sum(np.sum(np.abs(term)) for term in terms)),
    )


def _zero(value: Any) -> Any:
    return map_leaves(lambda leaf: leaf * 0 if _is_number(leaf) else 0.0, value)
