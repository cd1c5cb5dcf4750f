"""Identities of arithmetic, for derivative code.

Each rule sees one operation, and through `scope` how its operands were made, and answers with a
shorter or more readable term of the same value, or None.  Rounding may differ in the last place
where factors are regrouped; signs, ones and zeros are exact but for the sign of a zero.  No rule
drops an operand that could be NaN or infinite.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tangent_like import facts, runtime
from tangent_like.facts import Array, Scalar
from tangent_like.ir import Atom, Const, Op


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A term: an operation on atoms and other terms."""

    fn: Any
    args: tuple[Atom | Call, ...]


Term = Atom | Call


class Scope(Protocol):
    def made(self, atom: Atom, fn: Any) -> Op | None:
        """The derivative operation that made an atom, if it is one of `fn`."""

    def once(self, atom: Atom) -> bool:
        """Whether an atom is read only once."""

    def is_continued(self, atom: Atom) -> bool:
        """Whether an atom has the name of the result: the result continues it."""


Rule = Callable[[Scope, tuple[Atom, ...]], Term | None]


def call(fn: Any, *args: Term) -> Call:
    return Call(fn, args)


def is_float(atom: Atom) -> bool:
    """Whether an atom is a float or complex number, or an array of these."""
    if isinstance(atom, Const):
        return type(atom.value) in (float, complex)
    name = facts.dtype(atom.fact)
    return name is not None and name.startswith(("float", "complex"))


def number(atom: Atom) -> Any:
    """The number that an atom is known to be."""
    if isinstance(atom, Const) and type(atom.value) in (int, float):
        return atom.value
    return None


def _order(atom: Atom) -> int:
    """Numbers stand before scalars, and these before arrays."""
    return 0 if isinstance(atom, Const) else 1 if isinstance(atom.fact, Scalar) else 2


def alike(a: facts.Fact, b: facts.Fact) -> bool:
    """Whether a value of one fact can stand for one of the other."""
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        return a.type == b.type
    return a == b and not isinstance(a, facts.Unknown)


# --- signs ------------------------------------------------------------------------------------


def _unsigned(scope: Scope, atom: Atom) -> Atom | None:
    """The atom that is the negative of this one, if it has a sign."""
    value = number(atom)
    if value is not None:
        return Const(-value) if value < 0 else None
    made = scope.made(atom, operator.neg)
    return made.args[0] if made else None


def _pull_sign(fn: Any) -> Rule:
    """(-a) * b and a * (-b) are -(a * b)."""

    def rule(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
        a, b = args
        for rest, other in ((_unsigned(scope, a), b), (_unsigned(scope, b), a)):
            if rest is not None:
                pair = (rest, other) if other is b else (other, rest)
                return call(operator.neg, call(fn, *pair))
        return None

    return rule


def _signed_sum(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    a, b = args
    left, right = _unsigned(scope, a), _unsigned(scope, b)
    if left is not None and right is not None:
        return call(operator.neg, call(operator.add, left, right))
    if right is not None:
        return call(operator.sub, a, right)
    return call(operator.sub, b, left) if left is not None else None


def _signed_difference(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    a, b = args
    left, right = _unsigned(scope, a), _unsigned(scope, b)
    if right is not None:
        return call(operator.add, a, right)
    return call(operator.neg, call(operator.add, left, b)) if left is not None else None


def _signed_negative(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    rest = _unsigned(scope, args[0])
    if rest is not None:
        return rest
    difference = scope.made(args[0], operator.sub)
    if difference and scope.once(args[0]):
        return call(operator.sub, difference.args[1], difference.args[0])
    return None


# --- ones, zeros and constants ----------------------------------------------------------------


def _fold(fn: Any) -> Rule:
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


def _times_one(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    for one, x in (args, args[::-1]):
        if number(one) == 1 and is_float(x):
            return x
    return None


def _over_one(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    return args[0] if number(args[1]) == 1 and is_float(args[0]) else None


def _plus_zero(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    for zero, x in (args, args[::-1]):
        if number(zero) == 0 and is_float(x):
            return x
    return None


def _minus_zero(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    if number(args[1]) == 0 and is_float(args[0]):
        return args[0]
    return call(operator.neg, args[1]) if number(args[0]) == 0 and is_float(args[1]) else None


def _twice(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """x + x is 2 x, and a + x + x is a + 2 x."""
    a, b = args
    if a is b and is_float(a):
        return call(operator.mul, Const(2.0), a)
    made = scope.made(a, operator.add)
    if made and scope.once(a) and made.args[1] is b and is_float(b):
        return call(operator.add, made.args[0], call(operator.mul, Const(2.0), b))
    return None


def _same(a: Atom, b: Atom) -> bool:
    """Whether two indices are known to be the same."""
    if isinstance(a, Const) and isinstance(b, Const):
        kinds = (int, slice, tuple)
        return type(a.value) is type(b.value) and isinstance(a.value, kinds) and a.value == b.value
    return a is b


def _add_at_once(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """Two additions to one place are one."""
    array, index, g = args
    made = scope.made(array, runtime.scatter_add)
    if made is None or not scope.once(array) or not alike(made.args[2].fact, g.fact):
        return None
    if not _same(index, made.args[1]):
        return None
    return call(runtime.scatter_add, made.args[0], index, call(operator.add, made.args[2], g))


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


def _reciprocal(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """a * (1 / x) is a / x, but an array times a number is faster than divided by it."""
    for a, b in (args, args[::-1]):
        made = scope.made(b, operator.truediv)
        if made is None or _order(a) > _order(b):
            continue
        if number(made.args[0]) == 1:
            return call(operator.truediv, a, made.args[1])
        inner = scope.made(made.args[0], operator.truediv)
        if inner and number(inner.args[0]) == 1 and scope.once(b):
            return call(operator.truediv, call(operator.truediv, a, inner.args[1]), made.args[1])
    return None


def _share(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """(1 / n) a is a / n for an array a, where 1 / n is infinite without elements."""
    made = scope.made(args[0], np.divide)
    if made and number(made.args[0]) == 1 and scope.once(args[0]) and _order(args[1]) == 2:
        return call(operator.truediv, args[1], made.args[1])
    return None


def _numbers_first(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    a, b = args
    known = all(isinstance(x.fact, (Scalar, Array)) for x in args)
    return call(operator.mul, b, a) if known and _order(b) < _order(a) else None


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
    first = (a, y) if _order(a) <= _order(y) else (y, a)
    return call(operator.mul, call(operator.mul, *first), z)


def _is_factor(number: float) -> bool:
    return number != 0 and math.isfinite(number)


def _factor(fn: Any) -> Rule:
    """s a + s b is s (a + b)."""

    def rule(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
        left, right = (scope.made(a, operator.mul) for a in args)
        if not (left and right and scope.once(args[0]) and scope.once(args[1])):
            return None
        for i, common in enumerate(left.args):
            for j, other in enumerate(right.args):
                if common is other:
                    rest = call(fn, left.args[1 - i], right.args[1 - j])
                    return call(operator.mul, common, rest)
        return None

    return rule


def _grouped(*factors: Atom) -> bool:
    """Whether the factors can be grouped otherwise: numbers, or arrays of one shape."""
    sizes = {facts.dims(x.fact) for x in factors if _order(x) == 2}
    return None not in sizes and len(sizes) <= 1


# --- numbers in the shape of arrays -----------------------------------------------------------


def _spread(scope: Scope, atom: Atom) -> tuple[Atom, Atom] | None:
    made = scope.made(atom, np.broadcast_to)
    return (made.args[0], made.args[1]) if made and len(made.args) == 2 else None


def _keep_small(fn: Any) -> Rule:
    """A number that was given the shape of an array need not have it for an array of that shape,
    and takes its shape after what is done with it and other numbers."""

    def rule(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
        for k, atom in enumerate(args):
            spread = _spread(scope, atom)
            if spread is None:
                continue
            small = (*args[:k], spread[0], *args[k + 1 :])
            others = [a for i, a in enumerate(args) if i != k]
            if any(facts.same_shape(a.fact, atom.fact) for a in others):
                return call(fn, *small)
            if all(isinstance(a.fact, Scalar) for a in others):
                return call(np.broadcast_to, call(fn, *small), spread[1])
        return None

    return rule


def _sum_of_product(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """A sum of products of two vectors is their dot product; number factors stand outside."""
    made = scope.made(args[0], operator.mul) if len(args) == 1 else None
    if made is None or not scope.once(args[0]):
        return None
    a, b = made.args
    if isinstance(a.fact, Scalar) and isinstance(b.fact, Array):
        return call(operator.mul, a, call(np.sum, b))
    scaled = scope.made(a, operator.mul)
    if scaled and scope.once(a) and isinstance(scaled.args[0].fact, Scalar):
        rest = call(np.sum, call(operator.mul, scaled.args[1], b))
        return call(operator.mul, scaled.args[0], rest)
    vectors = all(is_float(x) and facts.rank(x.fact) == 1 for x in (a, b))
    return call(operator.matmul, a, b) if vectors and a.fact == b.fact else None


def _sum_of_negative(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    made = scope.made(args[0], operator.neg) if len(args) == 1 else None
    return call(operator.neg, call(np.sum, made.args[0])) if made else None


def _copy_of_spread(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    spread = _spread(scope, args[0])
    if spread is None or not isinstance(spread[0].fact, Scalar):
        return None
    return call(np.full, spread[1], spread[0])


def _zeros_of_zeros(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    made = scope.made(args[0], runtime.zeros_like)
    return call(runtime.zeros_like, made.args[0]) if made else None


def _same_shape(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    g, like = args
    return g if alike(g.fact, like.fact) and facts.dims(g.fact) is not None else None


RULES: Mapping[Any, tuple[Rule, ...]] = {
    operator.neg: (_fold(operator.neg), _signed_negative, _keep_small(operator.neg)),
    operator.add: (
        _fold(operator.add), _plus_zero, _signed_sum, _twice, _keep_small(operator.add),
        _factor(operator.add), _regroup_sum(operator.add),
    ),
    operator.sub: (
        _fold(operator.sub), _minus_zero, _signed_difference, _keep_small(operator.sub),
        _factor(operator.sub), _regroup_sum(operator.sub),
    ),
    operator.mul: (
        _fold(operator.mul), _times_one, _pull_sign(operator.mul), _keep_small(operator.mul),
        _reciprocal, _numbers_first, _share, _regroup,
    ),
    operator.truediv: (
        _fold(operator.truediv), _over_one, _pull_sign(operator.truediv),
        _keep_small(operator.truediv),
    ),
    operator.pow: (_small_power,),
    np.sum: (_sum_of_negative, _sum_of_product),
    runtime.copy: (_copy_of_spread,),
    runtime.zeros_like: (_zeros_of_zeros,),
    runtime.scatter_add: (_add_at_once,),
    runtime.unbroadcast: (_same_shape,),
}  # fmt: skip


def rewrite(scope: Scope, fn: Any, args: tuple[Atom, ...]) -> Term | None:
    """The first rule's answer for `fn(*args)`; None where it stays as it is."""
    for rule in RULES[fn]:
        found = rule(scope, args)
        if found is not None:
            return found
    return None


def has_rules(fn: Any) -> bool:
    return getattr(type(fn), "__hash__", None) is not None and fn in RULES
