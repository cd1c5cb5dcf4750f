"""One call that is worked out while lowering, and what the handlers of such calls share."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import live, syntax
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import (
    Endless,
    Moment,
    Taken,
    consumed,
    deferred,
    reached,
    refuse_changes,
)
from tangent_like.frontend.scope import Frame, LocalFunction
from tangent_like.frontend.sequences import in_loop, known_range
from tangent_like.frontend.stars import known_items
from tangent_like.frontend.state import FALSE, Lowering
from tangent_like.ir import Atom, Const


@dataclass(frozen=True, slots=True, eq=False)
class Application:
    """A call of `function`; `call` lowers a call of any function."""

    state: Lowering
    node: Any
    function: Any
    args: Sequence[Atom]
    keywords: Mapping[str, Atom]
    call: Callable[..., Atom]
    read: list[Atom] = field(default_factory=list)
    """What an iterator that the call makes has read of, and does not read again."""

    def invoke(
        self, function: Atom, args: Sequence[Atom], keywords: Mapping[str, Atom] | None = None
    ) -> Atom:
        now = [fresh(self.state, atom, self.node) for atom in args]
        named = {k: fresh(self.state, atom, self.node) for k, atom in (keywords or {}).items()}
        return self.call(self.state, self.node, function, now, named)

    def op(self, fn: Any, *args: Atom) -> Atom:
        return self.state.builder.op(fn, args, place=self.state.place(self.node))

    def display(self, items: Sequence[Atom]) -> Atom:
        return self.op(ir.make_tuple, *items)

    def listed(self, items: Sequence[Atom]) -> Atom:
        return self.op(ir.make_list, *items)

    def item(self, sequence: Atom, place: int) -> Atom:
        return self.op(operator.getitem, sequence, Const(place))

    def refusal(self, what: str, instead: str) -> NotYetSupported:
        return NotYetSupported(what, self.state.place(self.node), instead)

    def argument(self, place: int, name: str, default: Atom | None = None) -> Atom | None:
        """A positional argument that may also be passed by name."""
        return self.args[place] if len(self.args) > place else self.keywords.get(name, default)

    # --- sequences ------------------------------------------------------------------------

    def deferred(self, make: Callable[[], Atom], function: Atom | None = None) -> Atom:
        """An iterator; `function` is what makes its items, of which none is made again."""
        names, sources = read_by(function)
        self.read.extend(sources if function is None else [*sources, *self.args])
        for atom in self.args:
            if isinstance(atom, Const) and isinstance(atom.value, Endless):
                self.read.extend(atom.value.sources)

        def all_at_once() -> Atom:
            before = Moment(self.state)
            made = make()
            for atom in self.args:
                refuse_changes(self.state, self.node, atom, before)
            return made

        return deferred(self.state, all_at_once, names, self.read, self.args)

    def shown(self, read: Callable[[], Sequence[Atom]], of: Sequence[Atom]) -> Atom:
        """The items that `read` gives of sequences, also where they change meanwhile."""
        return live.show(self.state, read, of, self.state.place(self.node))

    def sequence(self, atom: Atom, taken: Taken = Taken.IN_TURN) -> Atom:
        return consumed(self.state, atom, self.node, taken=taken)

    def items(self, sequence: Atom) -> list[Atom] | None:
        return known_items(self.state, sequence)

    def items_now(self, sequence: Atom) -> list[Atom]:
        """The items of a sequence of known length, as they are now."""
        items = self.items(fresh(self.state, sequence, self.node))
        if items is None:
            raise live.length_changes(self.state.place(self.node))
        return items

    def in_turn(self, *sequences: Atom) -> Iterator[list[Atom]]:
        """The rows of sequences of known length, each read when its turn comes."""
        place = self.state.place(self.node)
        return live.in_turn(self.state, lambda: self.rows_now(sequences), place)

    def rows_now(self, sequences: Sequence[Atom]) -> list[list[Atom]]:
        return [list(row) for row in zip(*map(self.items_now, sequences))]

    def known(self, sequence: Atom) -> list[Atom]:
        """The items of a sequence whose length must be known."""
        used = self.sequence(sequence)
        items = known_range(self.state, used) or self.items(used)
        if items is None:
            what = f"`{self.function.__name__}` of {facts.describe(used.fact)}"
            raise self.refusal(f"{what} whose length is known only at run time", "write a loop")
        return items

    def rows(self, sequences: Sequence[Atom]) -> list[list[Atom]] | None:
        """The items of sequences side by side, if the lengths are known."""
        columns = [self.items(sequence) for sequence in sequences]
        if any(column is None for column in columns):
            return None
        return [list(row) for row in zip(*columns)]

    def looped(
        self, sequences: Sequence[Atom], of: Callable[[Sequence[Atom]], Atom],
        tests: Sequence[Callable[[Sequence[Atom]], Atom]] = (),
    ) -> Atom:  # fmt: skip
        """A list of what `of` makes of the items of sequences, built in a loop; of those only for
        which the tests hold."""
        self.read.extend(sequences)
        sequence = sequences[0] if len(sequences) == 1 else self.op(zip, *sequences)
        made = Made(self.node, of, len(sequences))
        outer = self.enter({"sequence": sequence})
        try:
            iterable = self.written("sequence").value
            target = gast.copy_location(gast.Name("item", gast.Store(), None, None), self.node)
            conditions = [Made(self.node, test, len(sequences)) for test in tests]
            generators = [gast.comprehension(target, iterable, conditions, 0)]
            return in_loop(self.state, self.node, made, generators, iterable)
        finally:
            self.state.frame = outer

    def enter(self, names: Mapping[str, Atom]) -> Frame:
        """Open a frame with these names, and `item`, for code of our own; the one around it."""
        outer = self.state.frame
        env: dict[str, Any] = {"%left": FALSE, **names}
        local = frozenset({"item", *names})
        self.state.frame = Frame(outer.source, self.node, env, local, outer, outer, outer.calls)
        return outer

    def written(self, source: str) -> Any:
        """A statement of our own, at the place of the user's call."""
        (statement,) = gast.parse(source).body
        for part in gast.walk(statement):
            gast.copy_location(part, self.node)
        return statement


class Made:
    """A pseudo expression: what is made of the item of a loop."""

    _fields = _attributes = ()

    def __init__(self, node: Any, of: Callable[[Sequence[Atom]], Atom], count: int):
        self.of, self.count = of, count
        self.lineno, self.col_offset = node.lineno, node.col_offset
        self.end_lineno, self.end_col_offset = node.end_lineno, node.end_col_offset


def lower_made(state: Lowering, made: Made) -> Atom:
    frame = state.frame
    item = frame.env["item"]
    assert frame.caller is not None and isinstance(item, (ir.Value, Const))
    row: list[Atom] = [item]
    if made.count > 1:
        row = [state.builder.op(operator.getitem, (item, Const(k))) for k in range(made.count)]
    state.frame = frame.caller
    try:
        return made.of(row)
    finally:
        state.frame = frame


def read_by(function: Atom | None) -> tuple[frozenset[str], list[Atom]]:
    """The names and values around a local function that it reads."""
    local = _value(function)
    if not isinstance(local, LocalFunction):
        return frozenset(), []
    return reached(local.frame, syntax.names_from_outside(local.node))


def _value(function: Atom | None) -> Any:
    return function.value if isinstance(function, Const) else None


Handler = Callable[[Application], Atom | None]
