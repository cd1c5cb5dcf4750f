"""Sequences made of others: comprehensions, generator expressions, and what built-in functions
make of sequences.

    [v * v for v in x if v > 0.0]          squares = []
                                 ──▶       for v in x:
                                               if v > 0.0:
                                                   squares.append(v * v)

Where every length and every condition is known, the items are written out instead.  A list that
is built at run time is a tape that is filled, and then only read (`ir.freeze`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import BuiltinFunctionType, FunctionType
from typing import Any, ClassVar

import gast
import numpy as np

from tangent_like import facts, ir
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import syntax
from tangent_like.frontend.branches import truth
from tangent_like.frontend.dicts import write_key_of
from tangent_like.frontend.homes import (
    buffers_of,
    enlist,
    holds_items,
    home_of,
    is_new,
    may_alias,
    tangle,
)
from tangent_like.frontend.live import in_turn
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import (
    Moment,
    Search,
    consumed,
    deferred,
    make_table,
    reached,
    refuse_changes,
)
from tangent_like.frontend.run_time_functions import item_at_run_time
from tangent_like.frontend.scope import Buffer, Frame
from tangent_like.frontend.stars import known_items
from tangent_like.frontend.state import FALSE, Lowering
from tangent_like.frontend.targets import bind
from tangent_like.ir import Atom, Const, Value
from tangent_like.trees import free_name

_LONGEST = 32
"""How many items are written out; longer sequences are built in a loop."""


class _NotKnown(Exception):
    """A length or a condition is known at run time only."""


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """A pseudo statement: an item is added to the list under construction."""

    tape: Value
    item: Any
    new: list[bool]
    """Whether the item was made anew, each time that it was lowered."""

    shared: set[Buffer]
    """What the items share memory with, where they were not."""

    _fields: ClassVar[tuple[str, ...]] = ()


def lower_list(state: Lowering, node: Any) -> Atom:
    given = state.expression(node.generators[0].iter)
    first, before = consumed(state, given, node), Moment(state)
    made = _built(state, node, node.elt, first)
    refuse_changes(state, node, given, before)
    return made


def lower_generator(state: Lowering, node: Any) -> Atom:
    """Python takes the first iterable at once, and makes the items when they are asked for."""
    frame = state.frame
    first = state.expression(node.generators[0].iter)

    def make() -> Atom:
        outer, state.frame = state.frame, frame
        try:
            iterable, before = consumed(state, first, node), Moment(state)
            made = _built(state, node, node.elt, iterable)
            refuse_changes(state, node, first, before)
            return made
        finally:
            state.frame = outer

    def search(test: Any, found: Any, otherwise: Atom) -> Atom:
        made.value.used = True  # what is left of it cannot be taken
        outer, state.frame = state.frame, frame
        try:
            return _searched(state, node, consumed(state, first, node), test, found, otherwise)
        finally:
            state.frame = outer

    own = syntax.assigned_names([g.target for g in node.generators])
    names, sources = reached(frame, syntax.mentioned_names([node]) - set(own))
    made = deferred(state, make, names, [first, *sources], [first])
    made.value.search = Search(node.elt, search)
    return made


def _searched(
    state: Lowering, node: Any, first: Atom, test: Any, found: Any, otherwise: Atom
) -> Atom:
    """What `found` is for the first item for which `test` holds (two expressions of the item), as
    loops that are left there; `otherwise` if there is none."""
    frame, taken = _enter(state, node), syntax.mentioned_names([node])
    result, done = (free_name(wish, {*taken}) for wish in ("found", "is_found"))
    frame.locals |= {result, done}
    frame.env.update({"%first": first, result: otherwise, done: FALSE})

    def name(id_: str, context: Any) -> Any:
        return gast.Name(id_, context, None, None)

    def placed(*made: Any) -> list[Any]:
        for part in made:
            for inner in gast.walk(part):
                if not hasattr(inner, "lineno"):
                    gast.copy_location(inner, node)
        return list(made)

    body = placed(
        gast.Assign([name(result, gast.Store())], found, None),
        gast.Assign([name(done, gast.Store())], gast.Constant(True, None), None),
        gast.Break(),
    )
    if test is not None:
        body = placed(gast.If(test, body, []))
    leave = placed(gast.If(name(done, gast.Load()), [gast.Break()], []))
    for k, generator in reversed(list(enumerate(node.generators))):
        (iterable,) = placed(name("%first", gast.Load())) if k == 0 else (generator.iter,)
        body = [_nested(node, body, [generator], iterable), *(leave if k else ())]
    try:
        state.statement(body[0])
        return fresh(state, state.expression(*placed(name(result, gast.Load()))), node)
    finally:
        state.frame = frame.caller  # type: ignore[assignment]


def lower_dict(state: Lowering, node: Any) -> Atom:
    given = state.expression(node.generators[0].iter)
    first, before = consumed(state, given, node), Moment(state)
    made = _made_dict(state, node, first)
    refuse_changes(state, node, given, before)
    return made


def _made_dict(state: Lowering, node: Any, first: Atom) -> Atom:
    rows: list[tuple[Atom, Atom]] = []

    def add() -> None:
        rows.append((state.expression(node.key), state.expression(node.value)))

    if _written_out(state, node, first, add):
        if all(isinstance(key, Const) for key, _ in rows):
            return make_table(state, {key.value: value for key, value in rows})  # type: ignore[union-attr]
    frame = _enter(state, node)
    frame.env["%first"] = first
    made = frame.env["%made"] = make_table(state, {})
    loop = gast.copy_location(gast.Name("%first", gast.Load(), None, None), node)
    try:
        state.statement(_nested(node, [Put(made, node.key, node.value)], node.generators, loop))
        return fresh(state, made, node)
    finally:
        state.frame = frame.caller  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, eq=False)
class Put:
    """A pseudo statement: an item is added to the dict under construction."""

    table: Atom
    key: Any
    value: Any
    _fields: ClassVar[tuple[str, ...]] = ()


def lower_put(state: Lowering, step: Put) -> None:
    key, value = state.expression(step.key), state.expression(step.value)
    now = fresh(state, step.table, step.key)
    assert isinstance(now, Value)
    write_key_of(state, step.key, now, key, fresh(state, value, step.value))


def _built(state: Lowering, node: Any, item: Any, first: Atom) -> Atom:
    items: list[Atom] = []
    if _written_out(state, node, first, lambda: items.append(state.expression(item))):
        return state.builder.op(ir.make_list, items, place=state.place(node))
    frame = _enter(state, node)
    frame.env["%first"] = first
    loop = gast.copy_location(gast.Name("%first", gast.Load(), None, None), node)
    try:
        return in_loop(state, node, item, node.generators, loop)
    finally:
        state.frame = frame.caller  # type: ignore[assignment]


# --- written out ----------------------------------------------------------------------------


def _written_out(state: Lowering, node: Any, first: Atom, add: Callable[[], None]) -> bool:
    """Run `add` for each item, if what there is to go through is known; False if it is not."""
    before, frame = state.scope(), _enter(state, node)
    known = False
    try:
        block = state.builder.collect(lambda: _expand(state, node, 0, first, add))
        known = True
    except _NotKnown:
        return False
    finally:
        state.frame = frame.caller  # type: ignore[assignment]
        if not known:
            state.enter(before)
    state.builder.extend(block)
    return True


def _expand(
    state: Lowering, node: Any, depth: int, iterable: Atom | None, add: Callable[[], None]
) -> tuple[Atom, ...]:
    if depth == len(node.generators):
        add()
        return ()
    generator = node.generators[depth]
    given = iterable
    if iterable is None:
        given = state.expression(generator.iter)
        iterable = consumed(state, given, node)
    assert given is not None
    before = Moment(state)

    def read() -> list[Atom]:
        return _few_items(state, fresh(state, iterable, node))

    for item in in_turn(state, read, state.place(node)):
        bind(state, generator.target, item)
        if all(_is_true(state, condition) for condition in generator.ifs):
            _expand(state, node, depth + 1, None, add)
    refuse_changes(state, node, given, before)
    return ()


def _is_true(state: Lowering, condition: Any) -> bool:
    test = truth(state, state.expression(condition), condition)
    if not isinstance(test, Const):
        raise _NotKnown
    return bool(test.value)


def _few_items(state: Lowering, iterable: Atom) -> list[Atom]:
    items = known_range(state, iterable)
    if items is None:
        items = known_items(state, iterable)
    if items is None or len(items) > _LONGEST:
        raise _NotKnown
    return items


def known_range(state: Lowering, atom: Atom) -> list[Atom] | None:
    """The numbers of a short range between constants."""
    made = state.builder.definitions.get(atom) if isinstance(atom, Value) else None
    if made is None or made.fn is not range:
        return None
    bounds = [a.value for a in made.args if isinstance(a, Const) and type(a.value) is int]
    if len(bounds) < len(made.args) or (len(bounds) == 3 and bounds[2] == 0):
        return None
    numbers = range(*bounds)
    return [Const(i) for i in numbers] if len(numbers) <= _LONGEST else None


# --- in a loop ------------------------------------------------------------------------------


def in_loop(
    state: Lowering, node: Any, item: Any, generators: Sequence[Any], first: Any
) -> Atom:
    """A list of the items that nested loops go through; `first` is the outermost iterable."""
    place, mark = state.place(node), facts.fresh_size().base
    tape = Value("", facts.Tape(facts.UNKNOWN))
    state.builder.append(ir.Op(tape, ir.new_tape, (), (), place))
    new: list[bool] = []
    shared: set[Buffer] = set()
    loops = _nested(node, [Push(tape, item, new, shared)], generators, first)

    def build() -> tuple[Atom, ...]:
        state.statement(loops)
        return ()

    block = state.builder.collect(build)
    state.builder.extend(block)
    found = [facts.without_values(item.fact) for item in _pushed(block, tape)]
    tape.fact = facts.Tape(_alike(facts.join_items(found), mark) if found else facts.UNKNOWN)
    if all(new):
        state.apart.add(tape)
    made = state.builder.op(ir.freeze, (tape,), place=place)
    enlist(state, (), buffers_of(state, made))
    if isinstance(made, Value) and may_alias(made.fact):
        for other in shared:
            tangle(home_of(state, made).buffer, other)
    return made


def _pushed(block: ir.Block, tape: Value) -> Iterator[Atom]:
    """What is put on a tape at each of the places where something is."""
    for s in ir.walk(block):
        if isinstance(s, ir.Op) and s.fn is ir.push and s.args[0] is tape:
            yield s.args[1]


def _nested(node: Any, body: list[Any], generators: Sequence[Any], first: Any) -> Any:
    """The loops of a comprehension around a body."""
    for k, generator in reversed(list(enumerate(generators))):
        for condition in reversed(generator.ifs):
            body = [gast.copy_location(gast.If(condition, body, []), condition)]
        iterable = first if k == 0 else generator.iter
        target = copy.copy(generator.target)
        loop = gast.For(target, iterable, body, [], None)
        body = [gast.copy_location(loop, node)]
    return body[0]


def _alike(item: facts.Fact, mark: int) -> facts.Fact:
    """What is known of every item: lengths made inside the loop may differ."""
    def of(dim: facts.Dim) -> facts.Dim:
        inside = isinstance(dim, facts.Size) and dim.base >= mark
        return replace(dim, varies=True) if inside else dim  # type: ignore[type-var]

    return facts.map_sizes(item, of)


def lower_push(state: Lowering, step: Push) -> None:
    mark = ir.next_serial()
    value = state.expression(step.item)
    step.new.append(is_new(state, value, mark))
    if not step.new[-1]:
        step.shared.update(_shared_by(state, value))
    value = item_at_run_time(state, step.item, value)
    if isinstance(value, Const) and not isinstance(value.value, _ITEMS):
        raise NotYetSupported(
            "a list of such things built at run time", state.place(step.item), "write the items out"
        )
    enlist(state, buffers_of(state, value), ())
    state.builder.op(ir.push, (step.tape, value))


def _shared_by(state: Lowering, value: Atom) -> Iterator[Buffer]:
    """The lists that a value is an item of; where it is a view of an array, `enlist` tells."""
    for buffer in buffers_of(state, value):
        around = state.builder.sources.get(buffer.root, ())
        for found in (buffer, *(b for source in around for b in buffers_of(state, source))):
            if holds_items(found.root.fact):
                yield found


_ITEMS = (bool, int, float, complex, str, FunctionType, BuiltinFunctionType, np.ufunc)


def _enter(state: Lowering, node: Any) -> Frame:
    """A comprehension has names of its own, and reads those around it."""
    caller = state.frame
    own = frozenset(syntax.assigned_names([g.target for g in node.generators]))
    frame = Frame(
        caller.source, node, {"%left": FALSE}, own | {"%first"}, caller, caller, caller.calls
    )
    state.frame = frame
    return frame


HANDLERS: dict[type, Any] = {
    gast.ListComp: lower_list,
    gast.GeneratorExp: lower_generator,
    gast.DictComp: lower_dict,
}
