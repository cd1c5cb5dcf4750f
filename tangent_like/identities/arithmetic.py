"""Identities of arithmetic that shorten derivative code.

Rounding may differ in the last place where factors are regrouped; signs, ones and zeros are exact
but for the sign of a zero.  No rule drops an operand that could be NaN or infinite.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.facts import Array, Scalar
from tangent_like.identities import arrays, places, signs
from tangent_like.identities.terms import (
    Rule,
    Scope,
    Term,
    call,
    is_float,
    number,
    order,
    seeks,
)
from tangent_like.ir import Atom, Const, Value

# --- signs ------------------------------------------------------------------------------------


def _unsigned(scope: Scope, atom: Atom) -> Atom | None:
    """The atom that is the negative of this one, if it has a sign."""
    value = number(atom)
    if value is not None:
        return Const(-value) if value < 0 and not scope.late else None
    made = scope.made(atom, operator.neg)
    return made.args[0] if made else None


def _pull_sign(fn: Any) -> Rule:
    """(-a) * b and a * (-b) are -(a * b); in the end a sign stays with the smaller factor."""

    @seeks(Const, operator.neg)
    def rule(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
        a, b = args
        if scope.late and (_is_smaller(a, b) or _is_smaller(b, a)):
            return _minus_one(args) if fn is operator.mul else None
        for rest, other in ((_unsigned(scope, a), b), (_unsigned(scope, b), a)):
            if rest is not None:
                pair = (rest, other) if other is b else (other, rest)
                return call(operator.neg, call(fn, *pair))
        return None

    return rule


def _minus_one(args: tuple[Atom, ...]) -> Term | None:
    """-1 x is -x."""
    return call(operator.neg, args[1]) if number(args[0]) == -1 and is_float(args[1]) else None


def _is_smaller(a: Atom, b: Atom) -> bool:
    """Whether one factor is known to be broadcast to the other."""
    if isinstance(b.fact, Array) and isinstance(a.fact, Scalar):
        return True
    few, many = facts.dims(a.fact), facts.dims(b.fact)
    if few is None or many is None or few == many:
        return False
    tail = many[len(many) - len(few) :]
    return len(few) <= len(many) and all(x in (1, y) for x, y in zip(few, tail, strict=True))


@seeks(operator.mul)
def _sign_inside(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """-(a b) is (-a) b where a is smaller: a sign costs as much as the array is large."""
    made = scope.made(args[0], operator.mul) if scope.late else None
    if made is None or not scope.once(args[0]):
        return None
    a, b = made.args
    if _is_smaller(a, b):
        return call(operator.mul, call(operator.neg, a), b)
    return call(operator.mul, a, call(operator.neg, b)) if _is_smaller(b, a) else None


@seeks(Const, operator.neg)
def _signed_sum(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    a, b = args
    left, right = _unsigned(scope, a), _unsigned(scope, b)
    if left is not None and right is not None:
        return call(operator.neg, call(operator.add, left, right))
    if right is not None:
        return call(operator.sub, a, right)
    return call(operator.sub, b, left) if left is not None else None


@seeks(Const, operator.neg)
def _signed_difference(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    a, b = args
    left, right = _unsigned(scope, a), _unsigned(scope, b)
    if right is not None:
        return call(operator.add, a, right)
    return call(operator.neg, call(operator.add, left, b)) if left is not None else None


@seeks(Const, operator.neg, operator.sub)
def _signed_negative(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    rest = _unsigned(scope, args[0])
    if rest is not None:
        return rest
    negative = scope.definition(args[0], operator.neg)
    if negative is not None and negative.derivative and isinstance(args[0].fact, Array):
        return negative.args[0]  # also of one with a name
    difference = scope.made(args[0], operator.sub)
    if difference and scope.once(args[0]):
        return call(operator.sub, difference.args[1], difference.args[0])
    return None


# --- ones, zeros and constants ----------------------------------------------------------------


def _fold(fn: Any) -> Rule:
    @seeks(Const)
    def rule(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
        values = [number(a) for a in args]
        if any(value is None for value in values):
            return None
        try:
            found = fn(*values)
        except ArithmeticError:
            return None
        return Const(found) if math.isfinite(found) else None

    return rule


@seeks(Const)
def _times_one(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    for one, x in (args, args[::-1]):
        if number(one) == 1 and is_float(x):
            return x
    return None


def _float_number(fn: Any) -> Rule:
    """2 x is 2.0 x, and 1 - x is 1.0 - x, so that both are seen to be the same; Python computes
    faster with two floats."""

    @seeks(Const)
    def rule(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
        if fn is not operator.mul and not scope.late:
            return None
        for k, other in ((0, args[1]), (1, args[0])):
            value = number(args[k])
            if type(value) is int and abs(value) < _EXACT and is_float(other):
                pair = (Const(float(value)), other)
                return call(fn, *(pair if k == 0 else pair[::-1]))
        return None

    return rule


_EXACT = 2**53
"""Smaller integers are floats without rounding."""


@seeks(Const)
def _over_one(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    return args[0] if number(args[1]) == 1 and is_float(args[0]) else None


@seeks(Const)
def _plus_zero(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    for zero, x in (args, args[::-1]):
        if number(zero) == 0 and is_float(x):
            return x
    return None


@seeks(Const)
def _minus_zero(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    if number(args[1]) == 0 and is_float(args[0]):
        return args[0]
    return call(operator.neg, args[1]) if number(args[0]) == 0 and is_float(args[1]) else None


def _twice(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """x + x is 2 x, a + x + x is a + 2 x, and x + a + x is 2 x + a."""
    a, b = args
    if a is b and is_float(a):
        return call(operator.mul, Const(2.0), a)
    made = scope.made(a, operator.add)
    if made is None or not scope.once(a) or not is_float(b):
        return None
    if made.args[1] is b:
        return call(operator.add, made.args[0], call(operator.mul, Const(2.0), b))
    if made.args[0] is b and _grouped(*made.args):
        return call(operator.add, call(operator.mul, Const(2.0), b), made.args[1])
    return None


@seeks(operator.sub)
def _less_twice(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """a - x - x is a - 2 x."""
    a, b = args
    made = scope.made(a, operator.sub)
    if made and scope.once(a) and made.args[1] is b and is_float(b):
        return call(operator.sub, made.args[0], call(operator.mul, Const(2.0), b))
    return None


@seeks(Const)
def _small_power(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    x, exponent = args
    if not is_float(x) or number(exponent) not in (1, 2, 3):
        return None
    if number(exponent) == 1:
        return x
    square = call(operator.mul, x, x)
    return square if number(exponent) == 2 else call(operator.mul, square, x)


def _regroup_sum(fn: Any) -> Rule:
    """a + (b - c) is a + b - c, and so on: read from left to right.  What is added to an adjoint
    or a running sum stays together."""

    @seeks(operator.add, operator.sub)
    def rule(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
        a, b = args
        if scope.is_continued(a):
            return None
        for inner in (operator.add, operator.sub):
            made = scope.made(b, inner)
            if made and scope.once(b) and _grouped(a, *made.args):
                other = inner if fn is operator.add else _OPPOSITE[inner]
                return call(other, call(fn, a, made.args[0]), made.args[1])
        return None

    return rule


_OPPOSITE: Mapping[Any, Any] = {operator.add: operator.sub, operator.sub: operator.add}

# --- products ---------------------------------------------------------------------------------


@seeks(operator.truediv)
def _reciprocal(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """a * (1 / x) is a / x, but an array times a number is faster than divided by it."""
    for a, b in (args, args[::-1]):
        made = scope.made(b, operator.truediv)
        if made is None or order(a) > order(b):
            continue
        if number(made.args[0]) == 1:
            return call(operator.truediv, a, made.args[1])
        inner = scope.made(made.args[0], operator.truediv)
        if inner and number(inner.args[0]) == 1 and scope.once(b):
            return call(operator.truediv, call(operator.truediv, a, inner.args[1]), made.args[1])
    return None


@seeks(np.divide)
def _share(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """(1 / n) a is a / n for an array a, and (c / n) x for a = c x; (1 / n) c is c / n for a
    number c.  1 / n is infinite without elements."""
    for k, atom in enumerate(args):
        made = scope.made(atom, np.divide)
        if made is None or number(made.args[0]) != 1 or not scope.once(atom):
            continue
        other = args[1 - k]
        if isinstance(other.fact, Scalar) and is_float(other):
            divide = operator.truediv if other.fact.numpy else np.divide
            return call(divide, other, made.args[1])
        value = _number_in(scope, other)
        rest = _scaled(scope, other, 1.0 / value) if value else None
        if rest is not None and value is not None:
            return call(operator.mul, call(np.divide, Const(value), made.args[1]), rest)
        return call(operator.truediv, other, made.args[1]) if k == 0 else None
    return None


def _numbers_first(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    a, b = args
    known = all(isinstance(x.fact, (Scalar, Array)) for x in args)
    return call(operator.mul, b, a) if known and order(b) < order(a) else None


@seeks(operator.mul)
def _regroup(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """c (d x) is (c d) x; a (c x) is (c a) x; a (b x) is (a b) x, printed a b x."""
    a, b = args
    inner = scope.made(b, operator.mul)
    if inner is None:
        return None
    y, z = inner.args
    if number(a) is not None and number(y) is not None:
        product = number(a) * number(y)
        return call(operator.mul, Const(product), z) if _is_factor(product) else None
    if not (scope.once(b) and _grouped(a, y, z)):
        return None
    first = (a, y) if order(a) <= order(y) else (y, a)
    return call(operator.mul, call(operator.mul, *first), z)


def _scaled(scope: Scope, atom: Atom, factor: float) -> Term | None:
    """The atom times a number that a number in it takes up; None where there is none."""
    for fn in (operator.mul, operator.truediv, np.expand_dims):
        made = scope.made(atom, fn)
        if made is None or not scope.once(atom):
            continue
        first, second = made.args
        value = number(first)
        if value is not None and is_float(second) and fn is not np.expand_dims:
            product = value * factor
            if not _is_factor(product):
                return None
            return second if product == 1 and fn is operator.mul else (
                call(fn, Const(product), second)
            )  # fmt: skip
        inner = _scaled(scope, first, factor)
        if inner is not None:
            return call(fn, inner, second)
    choice = _or_zero(scope, atom)
    if choice is None:
        return None
    test, *sides = choice
    scaled = [side if number(side) == 0 else _scaled(scope, side, factor) for side in sides]
    known = [side for side in scaled if side is not None]
    return call(np.where, test, *known) if len(known) == 2 else None


def _or_zero(scope: Scope, atom: Atom) -> tuple[Atom, ...] | None:
    """The operands of a choice between zero and something else, which is read once."""
    made = scope.made(atom, np.where)
    if made is None or not scope.once(atom) or len(made.args) != 3:
        return None
    return made.args if 0 in map(number, made.args[1:]) else None


def _number_in(scope: Scope, atom: Atom) -> float | None:
    """The number that a product or quotient starts with."""
    for fn in (operator.mul, operator.truediv, np.expand_dims):
        made = scope.made(atom, fn)
        if made is not None and scope.once(atom):
            value = number(made.args[0])
            return value if value is not None else _number_in(scope, made.args[0])
    found = (_number_in(scope, side) for side in (_or_zero(scope, atom) or ())[1:])
    return next((value for value in found if value is not None), None)


@seeks(operator.mul, operator.truediv, np.expand_dims, np.where)
def _negated_number(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """-(2 x) is (-2) x."""
    return _scaled(scope, args[0], -1.0) if scope.late else None


@seeks(operator.mul, operator.truediv, np.expand_dims, np.where)
def _numbers_together(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """2 (x (3 y)) is 6 (x y), and (2 x) (3 / y) is (6 x) / y: one number leads a product."""
    a, b = args
    value = number(a)
    if value is not None:
        return _scaled(scope, b, value)
    inner = _number_in(scope, b)
    if inner is None or inner in (0, 1):
        return None
    rest = _scaled(scope, b, 1.0 / inner)
    whole = _scaled(scope, a, inner)
    if rest is None or (whole is None and not _grouped(a, b)):
        return None
    return call(operator.mul, whole or call(operator.mul, Const(inner), a), rest)


@seeks(operator.add)
def _negated_sum(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """-(2 x + y) is (-2) x - y."""
    made = scope.made(args[0], operator.add) if scope.late else None
    if made is None or not scope.once(args[0]):
        return None
    for a, b in (made.args, made.args[::-1]):
        negative = _scaled(scope, a, -1.0)
        if negative is not None:
            return call(operator.sub, negative, b)
    return None


@seeks(operator.truediv)
def _quotient_of_smaller(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """a (b / c) is (a / c) b for a mask b, where a and c are smaller: of other b, a / c might
    overflow where b / c does not."""
    a, quotient = args
    made = scope.made(quotient, operator.truediv) if scope.late else None
    if made is None or not scope.once(quotient):
        return None
    b, c = made.args
    if facts.dtype(b.fact) != "bool" or number(c) is not None:
        return None
    if not (_is_smaller(a, b) and _is_smaller(c, b)):
        return None
    return call(operator.mul, call(operator.truediv, a, c), b)


def _is_factor(number: float) -> bool:
    return number != 0 and math.isfinite(number)


def _factor(fn: Any) -> Rule:
    """s a + s b is s (a + b); s / a + s b is s (1 / a + b)."""

    @seeks(operator.mul, operator.truediv)
    def rule(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
        if not (scope.once(args[0]) and scope.once(args[1])):
            return None
        left, right = (_factors(scope, a) for a in args)
        for common, rest in left:
            for other, remainder in right:
                if common is other and isinstance(common, Value):
                    return call(operator.mul, common, call(fn, rest, remainder))
        return None

    return rule


def _factors(scope: Scope, atom: Atom) -> list[tuple[Atom, Term]]:
    """The factors of a product, each with the rest of it; a number that is divided."""
    made = scope.made(atom, operator.mul)
    if made:
        a, b = made.args
        return [(a, b), (b, a)]
    made = scope.made(atom, operator.truediv)
    if made and isinstance(made.args[0].fact, Scalar) and isinstance(made.args[1].fact, Array):
        return [(made.args[0], call(operator.truediv, Const(1.0), made.args[1]))]
    return []


def _grouped(*factors: Atom) -> bool:
    """Whether the factors can be grouped otherwise: numbers, or arrays of one shape."""
    sizes = {facts.dims(x.fact) for x in factors if order(x) == 2}
    return None not in sizes and len(sizes) <= 1


RULES: Mapping[Any, tuple[Rule, ...]] = {
    operator.neg: (
        _fold(operator.neg), _signed_negative, arrays.keep_small(operator.neg), _negated_number,
        _sign_inside, _negated_sum,
    ),
    operator.add: (
        _fold(operator.add), _plus_zero, _signed_sum, _twice, arrays.keep_small(operator.add),
        arrays.keep_flat(operator.add), places.into_places, _factor(operator.add),
        _regroup_sum(operator.add), _float_number(operator.add),
    ),
    operator.sub: (
        _fold(operator.sub), _minus_zero, _signed_difference, _less_twice,
        arrays.keep_small(operator.sub), arrays.keep_flat(operator.sub), _factor(operator.sub),
        _regroup_sum(operator.sub), _float_number(operator.sub),
    ),
    operator.mul: (
        _fold(operator.mul), _times_one, _pull_sign(operator.mul), arrays.keep_small(operator.mul),
        arrays.keep_flat(operator.mul), _reciprocal, _numbers_first, _share, _numbers_together,
        _regroup, _float_number(operator.mul), _quotient_of_smaller,
    ),
    operator.truediv: (
        _fold(operator.truediv), _over_one, _pull_sign(operator.truediv),
        arrays.keep_small(operator.truediv), arrays.keep_flat(operator.truediv),
        _float_number(operator.truediv),
    ),
    operator.pow: (_small_power,),
    **arrays.RULES,
    **places.RULES,
    **signs.RULES,
}  # fmt: skip
