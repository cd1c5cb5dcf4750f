"""Where a number or an array cannot be zero, whatever its operands are.

    w = sqrt(u * u + v * v + 1.0)
    w == 0                             False

A square is never negative, and a sum of such a number and a positive constant is positive, or a
NaN, which is not zero either.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.identities.terms import Rule, Scope, Term, is_float, number
from tangent_like.ir import Atom, Const, Op

_DEEPEST = 6

_SQUARES = (operator.mul, np.multiply, np.square)
_NEVER_NEGATIVE = (
    abs, np.absolute, math.fabs, math.exp, np.exp, math.cosh, np.cosh, math.sqrt, np.sqrt,
)  # fmt: skip
_ROOTS = (math.sqrt, np.sqrt)
_SUMS = (operator.add, np.add)


def _never_zero(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """`x == 0` is false where x is positive or a NaN."""
    return Const(False) if number(args[1]) == 0 and _is_positive(scope, args[0]) else None


def _is_positive(scope: Scope, atom: Atom, depth: int = 0) -> bool:
    """Whether a value is a scalar that is positive, or a NaN."""
    value = number(atom)
    if value is not None:
        return bool(value > 0)
    if depth > _DEEPEST:
        return False
    if not _is_real(atom):
        return False
    made = _made(scope, atom, _ROOTS)
    if made:
        return _is_positive(scope, made.args[0], depth + 1)
    made = _made(scope, atom, _SUMS)
    if made is None:
        return False
    return any(
        _is_positive(scope, a, depth + 1) and _is_never_negative(scope, b, depth + 1)
        for a, b in (made.args, made.args[::-1])
    )


def _is_never_negative(scope: Scope, atom: Atom, depth: int) -> bool:
    value = number(atom)
    if value is not None:
        return bool(value >= 0)
    if depth > _DEEPEST or not _is_real(atom):
        return False
    if _made(scope, atom, _NEVER_NEGATIVE):
        return True
    square = _made(scope, atom, _SQUARES)
    if square:
        return square.args[0] is square.args[-1]
    power = _made(scope, atom, (operator.pow, np.power))
    if power:
        return bool(number(power.args[1]) == 2)
    total = _made(scope, atom, _SUMS)
    return total is not None and all(_is_never_negative(scope, a, depth + 1) for a in total.args)


def _is_real(atom: Atom) -> bool:
    """Whether a value is known to be real: the square of a complex number may be negative."""
    return is_float(atom) and facts.is_complex(atom.fact) is False


def _made(scope: Scope, atom: Atom, functions: tuple[Any, ...]) -> Op | None:
    """The operation that made an atom, if it is one of these functions of real numbers."""
    maker = scope.maker(atom)
    if isinstance(atom, Const) or not any(maker is fn for fn in functions):
        return None
    return scope.definition(atom, maker)


RULES: Mapping[Any, tuple[Rule, ...]] = {operator.eq: (_never_zero,)}
