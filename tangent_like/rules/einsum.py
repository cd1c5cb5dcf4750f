"""The rules of einsum, which is linear in each operand."""

from __future__ import annotations

import string
from typing import Any, NamedTuple

import numpy as np

from tangent_like import infer, runtime
from tangent_like.einsum_runtime import einsum_transpose, explicit
from tangent_like.errors import NotYetSupported
from tangent_like.rules.contraction import Factor, cotangent_of, tangent_of
from tangent_like.rules.helpers import shaped
from tangent_like.rules.registry import rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, is_symbolic, rank


class _Call(NamedTuple):
    """A call of np.einsum: its specification, its operands, at which places these stand among
    the arguments, and how many arguments are given."""

    spec: Any
    operands: list[Any]
    places: list[int]
    given: int

    def factors(self) -> tuple[list[Factor], str] | None:
        """None where the axes of the operands are not known."""
        if is_symbolic(self.spec):
            return None
        found = explicit(self.spec, [rank(x) for x in self.operands])
        if found is None:
            return None
        inputs, output = found
        return [Factor(c, x) for c, x in zip(inputs, self.operands, strict=True)], output


def _read(args: tuple[Any, ...]) -> _Call:
    """Both forms of a call: with subscripts, and with lists of axis numbers."""
    if isinstance(args[0], str) or not isinstance(args[1], (tuple, list)):
        operands = [_array(x) for x in args[1:]]
        return _Call(args[0], operands, list(range(1, len(args))), len(args))
    pairs = len(args) // 2
    spec = ",".join(_letters(args[2 * k + 1]) for k in range(pairs))
    if len(args) % 2:
        spec += "->" + _letters(args[-1])
    places = [2 * k for k in range(pairs)]
    return _Call(spec, [_array(args[k]) for k in places], places, len(args))


def _array(x: Any) -> Any:
    """An operand that may be written as a list of numbers."""
    return apply(np.asarray, x) if isinstance(x, (tuple, list)) else x


def _whole(dx: Any, x: Any) -> Any:
    """The tangent of a list, with 0 for each number whose tangent is zero."""
    if isinstance(x, (tuple, list)):
        tangents = [None] * len(x) if dx is None else dx
        return [_whole(d, item) for d, item in zip(tangents, x, strict=True)]
    return 0.0 if dx is None else dx


_IN_ORDER = string.ascii_uppercase + string.ascii_lowercase
"""The letters for axis numbers: sorted like the numbers."""


def _letters(numbers: Any) -> str:
    if any(is_symbolic(n) for n in numbers):
        raise NotYetSupported("`einsum` with axis numbers that are known at run time only")
    return "".join("..." if n is Ellipsis else _IN_ORDER[n] for n in numbers)


def _options(keywords: dict[str, Any]) -> dict[str, Any]:
    """The options of the contractions in derivative code, whose operands are other ones: a path
    that was chosen for the operands of the call cannot serve them."""
    unknown = keywords.keys() - {"optimize", "dtype", "order", "casting"}
    if unknown:
        raise NotYetSupported(f"`einsum` with the keyword `{min(unknown)}`")
    if "optimize" not in keywords:
        return {}
    chosen = keywords["optimize"]
    return {"optimize": chosen if isinstance(chosen, (bool, str)) else True}


def _einsum_tangent(tangents: Any, y: Any, *args: Any, **keywords: Any) -> Any:
    call, options = _read(args), _options(keywords)
    known = call.factors()
    moved = [
        tangents[place] if tangents[place] is None else _array(_whole(tangents[place], args[place]))
        for place in call.places
    ]
    if known is not None:
        total = tangent_of(*known, moved, **options)
    else:
        total = None
        for i, dx in enumerate(moved):
            if dx is not None:
                varied = [*call.operands[:i], dx, *call.operands[i + 1 :]]
                term = apply(np.einsum, call.spec, *varied, **options)
                total = term if total is None else total + term
    return apply(runtime.as_type, total, y) if "dtype" in keywords else total


def _einsum_cotangent(g: Any, y: Any, *args: Any, **keywords: Any) -> Any:
    call, options = _read(args), _options(keywords)
    known = call.factors()
    found: list[Any] = [None] * call.given
    for i, place in enumerate(call.places):
        if known is not None:
            found[place] = cotangent_of(*known, g, i, **options)
        else:
            found[place] = apply(einsum_transpose, g, i, call.spec, *call.operands)
    return tuple(found)


rule(
    np.einsum,
    jvp=_einsum_tangent,
    vjp=_einsum_cotangent,
    sequences=True,
    samples=lambda: [
        ("ij,jk->ik", reals(2, 3), reals(3, 4)),
        ("ij,jk", reals(2, 3), reals(3, 4)),
        ("ij->ji", reals(2, 3)),
        ("ij->", reals(2, 3)),
        ("ij->i", reals(2, 3)),
        ("ii->i", reals(3, 3)),
        ("ii", reals(3, 3)),
        ("i,i->", reals(3), reals(3, seed=1)),
        ("i,j->ij", reals(3), reals(2)),
        ("bij,bjk->bik", reals(2, 2, 3), reals(2, 3, 2)),
        ("...ij,...jk->...ik", reals(2, 2, 3), reals(3, 2)),
        ("...ij,jk", reals(2, 2, 3), reals(3, 2)),
        ("ij,jk,kl->il", reals(2, 3), reals(3, 2), reals(2, 2)),
        ("ij,kj->", reals(2, 3), reals(4, 3)),
        ("ij,jk->ik", reals(2, 1), reals(3, 4)),
        ("i,i", reals(1), reals(3)),
        ("iij->j", reals(2, 2, 3)),
        (("ij,jk,kl->il", reals(2, 3), reals(3, 2), reals(2, 2)), {"optimize": True}),
        (reals(2, 3), [0, 1], reals(3, 4), [1, 2], [0, 2]),
        (reals(2, 3), [0, 1], reals(3), [1]),
        ("i...,i...->...", reals(2, 3), reals(2, 3, seed=1)),
        ("i...,i...->...", reals(2, 3, 2), reals(2, 2, seed=1)),
    ],
)


def _transpose_tangent(tangents: Any, y: Any, g: Any, place: Any, spec: Any, *operands: Any) -> Any:
    """einsum_transpose is linear in g and in each other operand."""
    total = None
    for i, dx in enumerate(tangents):
        if dx is None or i == place + 3:
            continue
        varied = [g, place, spec, *operands]
        varied[i] = dx
        term = apply(einsum_transpose, *varied)
        total = term if total is None else total + term
    return total


def _transpose_cotangent(h: Any, y: Any, g: Any, place: Any, spec: Any, *operands: Any) -> Any:
    varied = [*operands[:place], h, *operands[place + 1 :]]
    found = [
        None if i == place else apply(einsum_transpose, g, i, spec, *varied)
        for i in range(len(operands))
    ]
    return apply(np.einsum, spec, *varied), None, None, *found


rule(
    einsum_transpose,
    jvp=_transpose_tangent,
    vjp=_transpose_cotangent,
    samples=lambda: [
        (reals(2, 4), 0, "ij,jk", reals(2, 3), reals(3, 4)),
        (reals(2, 4), 1, "ij,jk", reals(2, 1), reals(3, 4)),
        (reals(5, 2), 1, "...i,i...j->...j", reals(3), reals(3, 5, 2)),
        (reals(3), 0, "iij->j", reals(2, 2, 3)),
    ],
)
infer.special[einsum_transpose] = lambda g, place, spec, *operands: shaped(
    operands[place.value], operands[place.value]
)
