"""Which additions to places of arrays in a loop find zeros there.

    bx = zeros_like(x)
    loop i in range(n), bx = bx:
        bx = scatter_add(bx, i, g)       each iteration has a place of its own
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping

from tangent_like.ir import Atom, Const, Loop, Op, Value

Definitions = Mapping[Value, Op]


def finds_zeros(op: Op, loop: Loop, definitions: Definitions, zeros: Collection[object]) -> bool:
    """Whether an addition in a loop's body is the first at its place of an array that one of the
    functions `zeros` made."""
    array, index = op.args[:2]
    for init, param, after in zip(loop.inits, loop.params, loop.nexts, strict=True):
        if param is array:
            made = definitions.get(init) if isinstance(init, Value) else None
            from_zeros = made is not None and made.fn in zeros
            return from_zeros and after is op.result and _is_own(index, loop, definitions)
    return False


def _is_own(index: Atom, loop: Loop, definitions: Definitions) -> bool:
    """Whether an index is another place in each iteration."""
    if loop.iterable is None or loop.item is None:
        return False
    if index is loop.item:
        return _counts(loop.iterable, definitions)
    item = definitions.get(index) if isinstance(index, Value) else None
    several = definitions.get(loop.iterable) if isinstance(loop.iterable, Value) else None
    if item is None or several is None or item.fn is not operator.getitem:
        return False
    container, place = item.args
    if container is not loop.item or not isinstance(place, Const):
        return False
    if several.fn is enumerate and len(several.args) == 1:
        return bool(place.value == 0)
    return several.fn is zip and _counts(several.args[place.value], definitions)


def _counts(iterable: Atom, definitions: Definitions) -> bool:
    """Whether an iterable gives different numbers that are not negative, which as indices would
    name a place twice."""
    made = definitions.get(iterable) if isinstance(iterable, Value) else None
    if made is None:
        return False
    if made.fn is reversed:
        return _counts(made.args[0], definitions)
    if made.fn is not range:
        return False
    if len(made.args) == 1:
        return True
    start, stop, step = (*made.args, Const(1))[:3]
    if not isinstance(step, Const) or type(step.value) is not int:
        return False
    lowest = start if step.value > 0 else stop
    return isinstance(lowest, Const) and lowest.value >= (0 if step.value > 0 else -1)
