"""Recursive functions that write into their arguments, or into what is around them.

    def f(v, k):             def f(v, k):                  result, v2 = f(v1, k)
        if k > 0:                ...                       the buffer of v holds v2
            v[k] *= v[k - 1]     return (result, v)
            f(v, k - 1)

The procedure also returns the arrays, lists and dicts that it was given and has written into, as
they are then.  Those of the functions around it become further parameters (`memo` in a closure).
Which ones it writes into is guessed first (none), confirmed or tried again.  Inside it they share
no memory with its other arguments, so calls for which that is not known are refused.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported, Place, TangentLikeError
from tangent_like.frontend.homes import (
    buffers_of,
    choice_of,
    home_of,
    is_flat,
    may_alias,
    may_share,
)
from tangent_like.frontend.joins import settled
from tangent_like.frontend.live import is_live
from tangent_like.frontend.memory import adopt, fresh, is_listed
from tangent_like.frontend.recursive_objects import (
    Path,
    Refused,
    are_apart,
    at,
    buffers_in,
    can_be_given,
    changes,
    give,
    grown_as_any,
    is_plain,
    made_of,
    replace,
)
from tangent_like.frontend.scope import Buffer, Cell, Conflict
from tangent_like.frontend.state import Around, Lowering
from tangent_like.frontend.storing import as_value, of_any_length, write
from tangent_like.frontend.structures import opened
from tangent_like.ir import Atom, Const, Procedure, Value
from tangent_like.trees import parameter_names

_SHARED = (
    "writes into an array, list or dict that may share memory with another argument, or with what "
    "it reads around it"
)


def written_by(procedure: Procedure) -> tuple[tuple[int, Path], ...]:
    """What a procedure writes into, as far as is known: the numbers of parameters, each with the
    path to a part of it."""
    found: tuple[tuple[int, Path], ...] = procedure.derived.get("written", ())
    return found


def _replaced_by(procedure: Procedure) -> dict[tuple[int, Path], None]:
    """The parts of parameters that may be other ones at the end."""
    found: dict[tuple[int, Path], None] = procedure.derived.setdefault("replaced", {})
    return found


def opened_by(procedure: Procedure) -> dict[int | Value, None]:
    """The parameters, and structures around a procedure, of which it writes parts."""
    found: dict[int | Value, None] = procedure.derived.setdefault("opened", {})
    return found


def written_around(procedure: Procedure) -> dict[Value, facts.Fact]:
    """What a procedure writes into of what is around it, and what that is inside of it."""
    found: dict[Value, facts.Fact] = procedure.derived.setdefault("written around", {})
    return found


def cells_of(procedure: Procedure) -> dict[Cell, facts.Fact]:
    """The `nonlocal` variables that a procedure reads or writes, and what they hold in it."""
    found: dict[Cell, facts.Fact] = procedure.derived.setdefault("cells", {})
    return found


def guess(procedure: Procedure) -> tuple[Any, ...]:
    """What is known so far of what a procedure writes into."""
    around, cells = written_around(procedure), cells_of(procedure)
    opened, replaced = tuple(opened_by(procedure)), len(_replaced_by(procedure))
    return written_by(procedure), opened, replaced, tuple(around.items()), tuple(cells.items())


@dataclass(eq=False, slots=True)
class Taken:
    """What the parameters of a procedure were before its body, and those for variables."""

    roots: list[Value]
    """What the arguments are, and what is written into around, where it is called."""

    own: int
    """How many of these are arguments."""

    params: list[Value]
    cells: dict[Cell, Value]
    opened: dict[Value, Atom]
    """The structures, and what their parts were at first."""

    mark: int
    """Values from before the body have smaller serial numbers."""

    replaced: list[Atom] = field(default_factory=list)
    """What parts of parameters may be at the end that was something else at first."""


def take_over(inner: Lowering, procedure: Procedure, params: Sequence[Value]) -> Taken:
    """The parameters, with those for what the body writes into of what is around it: in the body
    they are what names, and views, of it show."""
    around, cells = written_around(procedure), cells_of(procedure)
    roots = [fresh(inner, value, inner.frame.node) for value in around]
    buffers = [home_of(inner, root).buffer for root in roots]  # type: ignore[arg-type]
    wishes = [*(buffer.name for buffer in buffers), *(cell.name for cell in cells)]
    kinds = [*around.values(), *cells.values()]
    names = parameter_names(map(Value, wishes, kinds), [param.name for param in params])
    more = list(map(Value, names, kinds))
    for buffer, param in zip(buffers, more):
        adopt(inner, buffer, param)
    inner.written += len(buffers)
    for_cells = dict(zip(cells, more[len(buffers) :]))
    inner.cells.update(for_cells)
    found = [*params, *(buffer.root for buffer in buffers)]
    parts = dict(_open(inner, procedure, params))
    return Taken(found, len(params), [*params, *more], for_cells, parts, ir.next_serial())


def _open(
    inner: Lowering, procedure: Procedure, params: Sequence[Value]
) -> Iterator[tuple[Value, Atom]]:
    """What a procedure writes parts of, each as a display of these."""
    for one in opened_by(procedure):
        root = params[one] if isinstance(one, int) else fresh(inner, one, inner.frame.node)
        assert isinstance(root, Value)
        made = made_of(inner, root)
        if isinstance(one, int):
            display = opened(inner, root)
            env = inner.frame.env
            env.update({name: display for name, atom in env.items() if atom is root})
            yield root, display
        elif made is not None:
            items = [fresh(inner, item, inner.frame.node) for item in made.args]
            display = inner.builder.op(made.fn, items, name=root.name)
            adopt(inner, home_of(inner, root).buffer, display)
            inner.written += 1
            yield root, display


def learn(inner: Lowering, procedure: Procedure, taken: Taken) -> bool:
    """Note what the body that `inner` has lowered writes into; whether that is news."""
    before, params = guess(procedure), taken.params
    own = taken.roots[: taken.own]
    for root, display in taken.opened.items():
        number = own.index(root) if root in own else None
        _learn_of_parts(inner, procedure, taken, number, root, display)
    seen = {
        buffer
        for root, display in taken.opened.items()
        for buffer in (buffers_in(inner, display) if root in own else [home_of(inner, root).buffer])
    }
    for buffer, held in list(inner.memory.items()):
        if buffer in seen or buffer.root.serial >= taken.mark or held is buffer.root:
            continue
        _learn_of(inner, procedure, taken, buffer, settled(inner, held))
    _learn_of_cells(inner, procedure, taken)
    around = inner.around
    assert around is not None
    for root in around.asked:
        _learn_to_open(inner, procedure, taken, root)
    if writes_items(procedure, [param.fact for param in params]):
        shown = next((v for v in around.values if shows_others(around.state, v)), None)
        if shown is not None:
            raise _showing(shown.name, inner.place(inner.frame.node))
    return guess(procedure) != before


def writes_items(procedure: Procedure, params: Sequence[facts.Fact]) -> bool:
    """Whether a procedure writes into more than arrays: `values()` and the like show that."""
    written = [_fact_at(params[k], path) for k, path in written_by(procedure)]
    kinds = [*written, *written_around(procedure).values()]
    return any(not isinstance(fact, facts.Array) for fact in kinds)


def shows_others(state: Lowering, atom: object) -> bool:
    """Whether something shows what lists or dicts hold at the time, or holds what does."""
    around: Lowering | None = state
    while around is not None:
        if is_live(around, atom):
            return True
        around = around.around.state if around.around is not None else None
    made = made_of(state, atom)
    return made is not None and any(shows_others(state, part) for part in made.args)


def _showing(name: str, place: Place) -> NotYetSupported:
    return NotYetSupported(
        f"{f'`{name}`' if name else 'an argument'}, which shows what a list or dict holds at the "
        "time, in a function that calls itself and writes into lists, dicts or objects",
        place, "ask for `keys()`, `values()` or `items()` where they are read",
    )  # fmt: skip


def _learn_to_open(inner: Lowering, procedure: Procedure, taken: Taken, root: Value) -> bool:
    """Note that parts of a structure are written into; whether that is news."""
    around, own = inner.around, taken.roots[: taken.own]
    assert around is not None
    if root in taken.opened or not isinstance(root.fact, facts.STRUCTURES) or is_plain(root.fact):
        return False
    if root in own:
        opened_by(procedure)[own.index(root)] = None
    elif root in around.values.values() and made_of(inner, root) is not None:
        opened_by(procedure)[around.made.get(root, root)] = None
    else:
        return False
    return True


def _learn_of_parts(
    inner: Lowering, procedure: Procedure, taken: Taken, number: int | None, root: Value,
    display: Atom,
) -> None:  # fmt: skip
    """Note which parts of an opened structure were written into.  Of one around the function, what
    its parts hold is learnt of each by itself; none of them may be another one."""
    try:
        found = [*changes(inner, display, taken.mark)]
        others = [new for _, new in found if new is not None]
        if number is None:
            if others or any(not may_alias(_fact_at(display.fact, path)) for path, _ in found):
                raise _refused(root.name, inner.place(inner.frame.node), *_AROUND)
        elif not are_apart(inner, [*others, *taken.replaced]):
            raise Refused
    except Refused:
        raise _refused(root.name, inner.place(inner.frame.node), *_HOLDING) from None
    if number is not None:
        taken.replaced += others
        _note_written(procedure, [(number, path) for path, _ in found])
        places = {(number, path): None for path, new in found if new is not None}
        _replaced_by(procedure).update(places)


def _note_written(procedure: Procedure, places: Sequence[tuple[int, Path]]) -> None:
    procedure.derived["written"] = tuple(sorted({*written_by(procedure), *places}))


def _fact_at(fact: facts.Fact, path: Path) -> facts.Fact:
    for k in path:
        assert isinstance(fact, facts.STRUCTURES)
        fact = fact.items[k]
    return fact


def _learn_of(
    inner: Lowering, procedure: Procedure, taken: Taken, buffer: Buffer, now: Atom | Conflict
) -> None:
    around, root, place = inner.around, buffer.root, inner.place(inner.frame.node)
    assert around is not None
    own = taken.roots[: taken.own]
    if _learn_to_open(inner, procedure, taken, root):
        return
    if isinstance(now, Conflict) or not (is_plain(root.fact) and is_plain(now.fact)):
        raise _refused(buffer.name, place, *_HOLDING)
    if root in own:
        _note_written(procedure, [(own.index(root), ())])
        return
    if root not in around.values.values() or _is_part(around, root):
        raise _refused(buffer.name, place, "a view or part", "write into what it is a part of")
    known = (v for v in written_around(procedure) if around.values.get(v, v) is root)
    note_around(procedure, next(known, around.made.get(root, root)), now.fact, place)


_HOLDING = (
    "what holds or shares lists, arrays or objects",
    "return what is new, and put it in where the function is called",
)
_AROUND = "an object around it whose attributes are set", "pass it as an argument"


def _learn_of_cells(inner: Lowering, procedure: Procedure, taken: Taken) -> None:
    """Note what `nonlocal` variables the body reads or writes, and what they hold at its end."""
    around, place = inner.around, inner.place(inner.frame.node)
    assert around is not None
    for cell in around.cells:
        note_cell(procedure, cell, cell_now(around.state, cell, place), place)
    for cell in taken.cells:
        note_cell(procedure, cell, cell_now(inner, cell, place), place)


def cell_now(state: Lowering, cell: Cell, place: Place) -> Atom:
    """What a `nonlocal` variable holds."""
    if cell not in state.cells and state.around is not None:
        state.around.cells[cell] = None  # it becomes a parameter of the function around, too
    found = settled(state, state.cells.get(cell, ir.UNDEFINED))
    if isinstance(found, Conflict) or found is ir.UNDEFINED:
        raise NotYetSupported(
            f"`{cell.name}`, which a nested function writes, in a function that calls itself or is "
            "handed to a library", place, "pass it as an argument, and return it",
        )  # fmt: skip
    return found


def note_cell(procedure: Procedure, cell: Cell, now: Atom, place: Place) -> None:
    """Note what a `nonlocal` variable may hold in a procedure."""
    known = cells_of(procedure)
    joined = facts.without_values(facts.join(known.get(cell, now.fact), now.fact))
    if not isinstance(joined, facts.Scalar):
        raise NotYetSupported(
            f"`{cell.name}`, which a nested function that calls itself writes and which is no "
            "number", place, "pass it as an argument, and return it",
        )  # fmt: skip
    known[cell] = joined


def learnt_before_it_failed(inner: Lowering, *what: Any) -> bool:
    """Whether what a body has written into before it could not be lowered further is news."""
    try:
        return learn(inner, *what)
    except TangentLikeError:
        return False


def _is_part(around: Around, value: Value) -> bool:
    """Whether a value is a view, a part of something, or one of several arrays."""
    state = around.state
    return bool(home_of(state, value).path) or choice_of(state, value) is not None


def note_around(
    procedure: Procedure, outer: Value, fact: facts.Fact, place: Place
) -> None:
    """Note what something around a procedure, which it writes into, may be inside of it."""
    known = written_around(procedure)
    if isinstance(outer.fact, facts.Array):
        known[outer] = facts.without_values(outer.fact)
        return
    joined = _joined(known.get(outer, of_any_length(outer.fact)), of_any_length(fact))
    if not is_flat(joined):
        raise NotYetSupported(
            "a function that calls itself and writes things of different kinds into a list or dict "
            "around it", place, "write things of one kind",
        )  # fmt: skip
    known[outer] = joined


def _joined(a: facts.Fact, b: facts.Fact) -> facts.Fact:
    if isinstance(a, facts.ListOf) and isinstance(b, facts.ListOf):
        return facts.ListOf(facts.join_known(a.item, b.item))
    return facts.join(a, b)


def fits(fact: facts.Fact, known: facts.Fact) -> bool:
    """Whether something may be handed over as what a procedure writes into around it."""
    if isinstance(known, facts.Array):
        return True  # it is the same array
    return _joined(known, of_any_length(fact)) == known


def _refused(name: str, place: Place, what: str, hint: str) -> NeverSupported:
    return NeverSupported(
        f"writing into `{name}`, {what}, in a function that calls itself", place, hint
    )


def with_written(inner: Lowering, procedure: Procedure, taken: Taken, result: Atom) -> Atom:
    """The result, with the parameters that were written into, as they are then; `inner` has lowered
    the body."""
    node, place = inner.frame.node, inner.place(inner.frame.node)
    owners = [taken.opened.get(param, param) for param in taken.params]
    now = [at(inner, node, owners[k], path) for k, path in _places(procedure, taken.own)]
    now += [cell_now(inner, cell, place) for cell in taken.cells]
    return inner.builder.op(ir.make_tuple, (result, *now)) if now else result


def guessed_result(
    inner: Lowering, procedure: Procedure, taken: Taken, result: facts.Fact, whole: bool
) -> facts.Fact:
    """What a procedure returns by what is known so far, besides what it is to return; `whole` says
    whether its body was lowered to the end."""
    node, more = inner.frame.node, []
    for k, path in written_by(procedure):
        param = taken.params[k]
        now = at(inner, node, taken.opened.get(param, param), path) if whole else None
        more.append(_fact_at(param.fact, path) if now is None else facts.without_values(now.fact))
    more += [*written_around(procedure).values(), *cells_of(procedure).values()]
    return facts.Tuple((result, *more)) if more else result


def _places(procedure: Procedure, own: int) -> list[tuple[int, Path]]:
    """Which parameters, and parts of them, of a procedure with `own` arguments are results too."""
    around = range(own, own + len(written_around(procedure)))
    return [*written_by(procedure), *((k, ()) for k in around)]


def refuse_unconfirmed(procedure: Procedure, place: Place) -> None:
    """Raise where it was not found out what a procedure returns that writes into its arguments."""
    if any(guess(procedure)):
        raise NotYetSupported(
            "a function that calls itself, writes into its arguments and returns various things",
            place, "return nothing, or one kind of thing",
        )  # fmt: skip


def operands_around(state: Lowering, procedure: Procedure, node: Any) -> list[Atom]:
    """What a procedure is called with for what it writes into of what is around it."""
    found: list[Atom] = []
    for value in written_around(procedure):
        now = fresh(state, value, node)
        if procedure.function is None:
            note_around(procedure, value, now.fact, state.place(node))
        if isinstance(now, Value) and isinstance(now.fact, facts.STRUCTURES):
            fact = written_around(procedure)[value]
            now = as_value(state, home_of(state, now), now, node, fact)
        found.append(now)
    for cell in cells_of(procedure):
        held = cell_now(state, cell, state.place(node))
        if procedure.function is None:
            note_cell(procedure, cell, held, state.place(node))
        found.append(held)
    return found


def growing_as_any(
    state: Lowering, node: Any, args: Sequence[Atom], known: Sequence[Sequence[facts.Fact]]
) -> list[Atom]:
    """The arguments of a call, with the lists and dicts of numbers that are longer than in a call
    around it, whose kinds are `known`, as ones of any length: they may grow with each call."""
    kinds = [own for own in known if len(own) == len(args)]
    return [
        grown_as_any(state, node, atom, [own[k] for own in kinds]) if kinds else atom
        for k, atom in enumerate(args)
    ]


def taken_over(
    state: Lowering, node: Any, procedure: Procedure, args: Sequence[Atom], given: Sequence[Atom],
    result: Atom,
) -> Atom:  # fmt: skip
    """What a call gives, where the arguments that it has written into, and what is around it, hold
    what it left in them.  `args` are the arguments, which the user has `given`, and then more."""
    own = len(given)
    places, cells = _places(procedure, own), cells_of(procedure)
    if not places and not cells:
        return result
    shown = [atom for atom in given if shows_others(state, atom)]
    if shown and writes_items(procedure, [atom.fact for atom in args]):
        raise _showing(getattr(shown[0], "name", ""), state.place(node))
    for k, path in places:
        _refuse_shared(state, node, args, k)
        if not can_be_given(state, args[k], path):
            if state.around is not None and isinstance(args[k], Value):
                state.around.asked[args[k]] = None  # type: ignore[index]
            raise _shared(state, node)
    op = state.builder.op
    names = ["", *("" if path else getattr(args[k], "name", "") for k, path in places)]
    names += [cell.name for cell in cells]
    items = [(result, Const(k)) for k in range(len(names))]
    first, *parts = (op(operator.getitem, item, name=name) for item, name in zip(items, names))
    state.cells.update(zip(cells, parts[len(places) :]))
    for (k, path), part in zip(places, parts):
        owner = args[k]
        assert isinstance(owner, Value)
        home = home_of(state, owner)
        view = home.path or home.buffer.outside or choice_of(state, owner) is not None
        if isinstance(owner.fact, facts.Array) and view:
            write(state, node, owner, Const(...), part)
        elif (k, path) in _replaced_by(procedure):
            replace(state, node, owner, path, part, first)
        else:
            give(state, node, owner, path, part)
    return first


def _refuse_shared(state: Lowering, node: object, args: Sequence[Atom], k: int) -> None:
    """Refuse a call with an array that it writes into and others may share memory with."""
    own = set(buffers_of(state, args[k]))
    others = {b for i, arg in enumerate(args) if i != k for b in buffers_of(state, arg)}
    if may_share(own, others) or any(is_listed(state, b) or b.holders for b in own):
        raise _shared(state, node)


def _shared(state: Lowering, node: object) -> NotYetSupported:
    return NotYetSupported(
        f"a function that calls itself and {_SHARED}", state.place(node),
        "read and write it under one name, or make a copy: `.copy()`",
    )  # fmt: skip
