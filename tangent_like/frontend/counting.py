"""Loops that count their items: over an iterator without end, and over a list that they make longer
or shorter.

    for v in items:                  turn = 0
        items.append(...)    ──▶     while turn < len(items):
                                         v = items[turn];  turn = turn + 1
                                         items.append(...)
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from tangent_like.frontend.memory import fresh
from tangent_like.frontend.names import read_binding
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.targets import bind
from tangent_like.ir import Atom, Const


class Within:
    """A pseudo expression: whether a list has an item at the place that a loop has counted to."""

    _fields = _attributes = ()

    def __init__(self, sequence: Atom):
        self.sequence = sequence
        self.count: Any = None
        """The name that counts, once it is known."""


def lower_within(state: Lowering, test: Within) -> Atom:
    place = read_binding(state, state.frame, test.count.id, test.count)
    now = fresh(state, test.sequence, test.count)
    return state.builder.op(operator.lt, (place, state.builder.op(len, (now,))))


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A pseudo statement: the next item of a loop that counts is bound."""

    target: Any
    count: Any
    item: Callable[[Atom], Atom]
    _fields: ClassVar[tuple[str, ...]] = ("target", "count")


def lower_turn(state: Lowering, step: Turn) -> None:
    place = read_binding(state, state.frame, step.count.id, step.count)
    bind(state, step.target, step.item(place))
    bind(state, step.count, state.builder.op(operator.add, (place, Const(1))))
