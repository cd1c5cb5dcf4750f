"""Arrays that a branch chose.

    if c:                    v is y[1:] where c holds, and z where it does not:
        v = y[1:]            writing into v writes into y or z by the same test
    else:
        v = z

That is known where what each side binds was there before the branch, or was made in it for this
name alone.  Otherwise the buffers are tangled (`memory.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tangent_like import facts, ir
from tangent_like.frontend.function_choices import Test
from tangent_like.frontend.homes import buffers_of, choice_of, home_of, link, may_share
from tangent_like.frontend.memory import carried_atom
from tangent_like.frontend.scope import Buffer, Carried, Chosen, Environment, Home
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Value
from tangent_like.records import is_display

Row = tuple[Atom, Atom, Atom]
"""A result of the `If`, with what it is on each side."""


@dataclass(frozen=True, slots=True, eq=False)
class After:
    """What is known where a branch ends: values made before it have serial numbers below `mark`."""

    mark: int
    joined: Environment
    sides: tuple[Environment, Environment]

    def held(self, state: Lowering, buffer: Buffer) -> object:
        """What a buffer holds after the branch."""
        return _in(state, self.joined, buffer)

    def at_end(self, state: Lowering, side: int, buffer: Buffer) -> object:
        """What it holds where a side ends."""
        return _in(state, self.sides[side], buffer)


def _in(state: Lowering, environment: Environment, buffer: Buffer) -> object:
    found = environment.get(buffer, buffer.root)
    return carried_atom(state, found) if isinstance(found, Carried) else found


def note_choices(
    state: Lowering, test: Atom, rows: Sequence[Row], after: After
) -> dict[Buffer, Value]:
    """Note of each result that is one of two arrays which of them it is.  Returns the buffers of
    arrays that a side has made, with what they hold."""
    made: dict[Buffer, Value] = {}
    for row in rows:
        result = row[0]
        if not isinstance(result, Value):
            continue
        if isinstance(facts.defined(result.fact), facts.Array):
            if home_of(state, result).buffer.root is result:  # and not what a buffer holds now
                made.update(_note(state, test, row, rows, after))
    return made


def _note(
    state: Lowering, test: Atom, row: Row, rows: Sequence[Row], after: After
) -> dict[Buffer, Value]:
    result, *sources = row
    assert isinstance(result, Value)
    own = Buffer(result)
    sides = [
        _side(state, source, own, _others(rows, row, k), _handed_out(rows, k), after, k)
        for k, source in enumerate(sources)
    ]
    if None in sides or all(_is_own(side, own) for side in sides):
        return {}
    found = sides[0] if sides[1] is ir.UNDEFINED else sides[1] if sides[0] is ir.UNDEFINED else None
    if isinstance(found, Home):
        state.homes[result] = found
        return {}
    if found is None:
        found = Chosen(test, *sides)  # type: ignore[arg-type]
    assert isinstance(found, Chosen)
    buffers = {home.buffer for home in found.leaves()}
    if any(may_share({a}, {b}) for a, b in combinations(buffers, 2)):
        return {}
    state.choices[result] = found
    if own not in buffers:
        return {}
    link(own, home_of(state, result).buffer)
    return {own: result}


def _is_own(side: object, own: Buffer) -> bool:
    return isinstance(side, Home) and side.buffer is own


def _others(rows: Sequence[Row], row: Row, side: int) -> Iterator[Atom]:
    """What the other results are on a side."""
    return (other[1 + side] for other in rows if other is not row)


def _handed_out(rows: Sequence[Row], side: int) -> dict[Atom, Atom]:
    """What is known after the branch of what a side has made."""
    return {row[1 + side]: row[0] for row in rows if isinstance(row[1 + side], Value)}


def tests_made_inside(
    state: Lowering, pairs: Sequence[tuple[Any, Atom, Atom]], mark: int
) -> list[tuple[Any, Atom, Atom]]:
    """The tests made in a branch that choose an array there, to be handed out (`elif`)."""
    none = ir.Const(False)
    found: dict[Atom, tuple[Any, Atom, Atom]] = {}
    for _, left, right in pairs:
        found.update((t, (Test(t), t, none)) for t in inner_tests(state, left, mark))
        found.update((t, (Test(t), none, t)) for t in inner_tests(state, right, mark))
    return list(found.values())


def inner_tests(state: Lowering, atom: Atom, mark: int) -> Iterator[Value]:
    """The tests made since `mark` that choose the arrays in an atom."""
    if not isinstance(atom, Value) or not state.choices:
        return
    op = state.builder.definitions.get(atom)
    for part in op.args if op is not None and is_display(op.fn) else ():
        yield from inner_tests(state, part, mark)
    choice = choice_of(state, atom)
    for test in _tests(choice) if choice is not None else ():
        if isinstance(test, Value) and test.serial >= mark and facts.is_scalar(test.fact):
            yield test


def _side(
    state: Lowering, source: Atom, own: Buffer, others: Iterator[Atom],
    handed_out: Mapping[Atom, Atom], after: After, side: int,
) -> Home | Chosen | ir.Const | None:  # fmt: skip
    """Where the result lives if a side was taken; None where that is not known."""
    if source is ir.UNDEFINED:
        return ir.UNDEFINED
    if not isinstance(source, Value):
        return None
    choice = choice_of(state, source)
    if choice is not None:
        known = all(_lasts(state, home, after, side) for home in choice.leaves())
        tests = {t: t if _before(t, after.mark) else handed_out.get(t) for t in _tests(choice)}
        if not known or None in tests.values():
            return None
        return choice.mapped(lambda home: _at_end(state, home, after), tests)
    home = home_of(state, source)
    if home.slot is not None:
        return None
    if home.buffer.root.serial < after.mark:
        return _at_end(state, home, after) if _lasts(state, home, after, side) else None
    shared = home.buffer.tangled - {home_of(state, own.root).buffer}
    if shared or home.buffer.holders or home.buffer in state.listed:
        return None
    if any(home.buffer in buffers_of(state, other) for other in others):
        return None
    return Home(own, (), own.root)


def _tests(choice: Chosen) -> Iterator[Atom]:
    yield choice.test
    for side in (choice.then, choice.orelse):
        if isinstance(side, Chosen):
            yield from _tests(side)


def _before(atom: Atom, mark: int) -> bool:
    return not isinstance(atom, Value) or atom.serial < mark


def _lasts(state: Lowering, home: Home, after: After, side: int) -> bool:
    """Whether a home is there after the branch, and the value is what it holds at its end."""
    operands = (atom for step in home.path for atom in step.args[1:])
    there = home.buffer.root.serial < after.mark and all(_before(a, after.mark) for a in operands)
    if not there or after.at_end(state, side, home.buffer) is not home.root:
        return False
    return isinstance(after.held(state, home.buffer), Value)


def _at_end(state: Lowering, home: Home, after: After) -> Home:
    held = after.held(state, home.buffer)
    assert isinstance(held, Value)
    return Home(home.buffer, home.path, held)
