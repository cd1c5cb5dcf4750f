"""The factors of a product, seen through the operations that made it.

    t = x * x
    3.0 * g * t       is       3.0  and  {g: 1, x: 2}
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Mapping, Sequence

from tangent_like.identities.terms import is_float, number
from tangent_like.ir import Atom, Op, Value

_MOST_FACTORS = 16
_LARGE = 2**53


def product(
    atom: Value, definitions: Mapping[Value, Op]
) -> tuple[float, frozenset[tuple[Value, int]]]:
    """The number in a product of floats, and its factors with their powers, negative ones where it
    is divided."""
    coefficient, powers = 1.0, Counter[Value]()
    pending: list[tuple[Atom, int]] = [(atom, 1)]
    while pending:
        factor, power = pending.pop()
        value = number(factor)
        if value and abs(value) < _LARGE:
            for _ in range(abs(power)):
                coefficient = coefficient * value if power > 0 else coefficient / value
            continue
        found = None
        if isinstance(factor, Value) and len(pending) + len(powers) < _MOST_FACTORS:
            found = _factors(definitions.get(factor))
        if found is not None:
            sign, parts = found
            coefficient *= sign**power
            pending += [(part, power * exponent) for part, exponent in parts]
        elif isinstance(factor, Value):
            powers[factor] += power
        else:
            return 1.0, frozenset({(atom, 1)})
    if not math.isfinite(coefficient) or coefficient == 0:
        return 1.0, frozenset({(atom, 1)})
    return coefficient, frozenset(powers.items())


def _factors(op: Op | None) -> tuple[int, Sequence[tuple[Atom, int]]] | None:
    """A sign and the factors, with their powers, that an operation multiplies."""
    if op is None or op.keywords or not is_float(op.result) or not all(map(_is_real, op.args)):
        return None
    if op.fn is operator.neg:
        return -1, [(op.args[0], 1)]
    if op.fn is operator.mul:
        return 1, [(a, 1) for a in op.args]
    if op.fn is operator.truediv:
        return 1, [(op.args[0], 1), (op.args[1], -1)]
    exponent = number(op.args[1]) if op.fn is operator.pow else None
    return (1, [(op.args[0], exponent)]) if exponent in (2, 3, 4) else None


def _is_real(atom: Atom) -> bool:
    """Whether an atom is a float, an array of these, or a number."""
    return is_float(atom) or number(atom) is not None
