"""Functions that call functions: `partial`, `map`, `filter`, `reduce`, and getters."""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tangent_like import facts
from tangent_like.frontend.application import Application, Handler
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.names import external_atom, known
from tangent_like.frontend.objects import (
    Moment,
    Partial,
    make_table,
    refuse_changed,
    refuse_changes,
)
from tangent_like.frontend.scope import Bound, LocalFunction, Managing
from tangent_like.frontend.structures import as_dict, made_of, replaced, type_of
from tangent_like.ir import Atom, Block, Const, Value
from tangent_like.records import display_of
from tangent_like.trees import item


def partial(own: Application) -> Atom:
    callee, *args = own.args
    if not isinstance(callee, Const):
        raise own.refusal("`partial` of a function known only at run time", "name the function")
    return Const(Partial(callee, tuple(args), dict(own.keywords)))


def call_partial(own: Application) -> Atom:
    """A call of what `partial` has given."""
    made = own.function
    args = [_known(own, atom) for atom in made.args]
    keywords = {key: _known(own, atom) for key, atom in made.keywords.items()}
    return own.invoke(made.callee, [*args, *own.args], {**keywords, **own.keywords})


def _known(own: Application, atom: Atom) -> Atom:
    """An argument given already, as it is now: in a branch, which was taken if the function is
    called."""
    now = fresh(own.state, atom, own.node)
    return known(own.state, now, own.node) if isinstance(now, Value) else now


def call_partial_object(own: Application) -> Atom:
    """A call of a `functools.partial` outside the function: what it holds is read there."""
    made: functools.partial[Any] = own.function
    origins = own.state.module.origins
    home = next((origins[atom] for atom in origins if atom.value is made), None)
    if home is None:
        raise own.refusal("this partial function", "call the function itself")

    def read(value: Any, *path: Any) -> Atom:
        return external_atom(own.state, replace(home, path=(*home.path, *path)), value, own.node)

    args = [read(value, "args", (k,)) for k, value in enumerate(made.args)]
    named = {key: read(value, "keywords", (key,)) for key, value in made.keywords.items()}
    return own.invoke(read(made.func, "func"), [*args, *own.args], {**named, **own.keywords})


def mapped(own: Application) -> Atom:
    function, *sequences = own.args

    def make() -> Atom:
        used = [own.sequence(sequence) for sequence in sequences]
        rows = own.rows(used)
        if rows is None:
            return own.looped(used, lambda row: own.invoke(function, row))
        return own.listed([own.invoke(function, row) for row in own.in_turn(*used)])

    return own.deferred(make, function)


def starmapped(own: Application) -> Atom:
    function, sequence = own.args

    def make() -> Atom:
        rows = own.sequence(sequence)
        known = own.items(rows)
        if known is None:
            return own.looped([rows], lambda row: own.invoke(function, own.known(row[0])))
        return own.listed([own.invoke(function, own.known(row)) for (row,) in own.in_turn(rows)])

    return own.deferred(make, function)


def filtered(own: Application) -> Atom:
    function, sequence = own.args
    truth_itself = isinstance(function, Const) and function.value is None

    def test(row: Sequence[Atom]) -> Atom:
        return row[0] if truth_itself else own.invoke(function, [row[0]])

    def make() -> Atom:
        used = own.sequence(sequence)
        items = own.items(used)
        before = own.state.scope()
        if items is not None:
            block, kept = _known_ones(own, used, test)
            if kept is not None:
                own.state.builder.extend(block)
                return own.listed(kept)
            own.state.enter(before)
        return own.looped([used], lambda row: row[0], [test])

    return own.deferred(make, function)


def _known_ones(
    own: Application, sequence: Atom, test: Callable[[Sequence[Atom]], Atom]
) -> tuple[Block, list[Atom] | None]:
    """The items for which a test is known to hold; None where it is not known of all."""
    items: list[Atom] = []
    tests: list[Atom] = []

    def ask() -> list[Atom]:
        for row in own.in_turn(sequence):
            items.extend(row)
            tests.append(test(row))
        return []

    block = own.state.builder.collect(ask)
    known = [answer.value for answer in tests if isinstance(answer, Const)]
    if len(known) < len(items):
        return block, None
    return block, [item for item, answer in zip(items, known, strict=True) if answer]


def reduced(own: Application) -> Atom:
    step, given, *start = own.args
    sequence, before = own.sequence(given), Moment(own.state)
    items = own.items(sequence)
    if items is None:
        rest = sequence
        if not start:
            start = [own.item(sequence, 0)]
            rest = own.op(operator.getitem, sequence, Const(slice(1, None)))
        total = _folded(own, step, rest, start[0])
        refuse_changed(own.state, own.node, [sequence] if rest is not sequence else (), before)
        refuse_changes(own.state, own.node, given, before)
        return total
    if not start and not items:
        raise own.refusal("`reduce` of nothing", "give it a start value")
    rows = itertools.chain(start, (row[0] for row in own.in_turn(sequence)))
    total = functools.reduce(lambda total, item: own.invoke(step, [total, item]), rows)
    refuse_changes(own.state, own.node, given, before)
    return total


def _folded(own: Application, step: Atom, sequence: Atom, start: Atom) -> Atom:
    outer = own.enter({"sequence": sequence, "total": start, "step": step})
    try:
        own.state.statement(own.written("for item in sequence:\n    total = step(total, item)"))
        return own.state.expression(own.written("total").value)
    finally:
        own.state.frame = outer


def itemgetter(own: Application) -> Atom:
    keys = [atom.value for atom in own.args if isinstance(atom, Const)]
    if len(keys) < len(own.args):
        raise own.refusal("`itemgetter` of an index known only at run time", "use a lambda")
    return Const(operator.itemgetter(*keys))


def get_items(own: Application) -> Atom:
    """A call of what `itemgetter` has given."""
    keys = own.function.__reduce__()[1]
    found = [own.item(own.args[0], key) for key in keys]
    return found[0] if len(found) == 1 else own.display(found)


def through_cache(own: Application) -> Atom:
    """A call of a function with `lru_cache`: it gives what the function itself would."""
    return own.invoke(Const(own.function.__wrapped__), own.args, own.keywords)


def replace_fields(own: Application) -> Atom:
    """`p._replace(x=v)` of a named tuple."""
    (owner,) = own.args
    fact = owner.fact
    assert isinstance(fact, facts.Record)
    unknown = own.keywords.keys() - fact.keys
    if unknown:
        raise own.refusal(f"a field `{min(unknown)}`, which the tuple has not", "name a field")
    items = dict(zip(fact.keys, _items_of(own, owner, fact), strict=True))
    items.update(own.keywords)
    return own.op(display_of(fact), *items.values())


def _items_of(own: Application, owner: Atom, fact: facts.Record) -> list[Atom]:
    return [item(own.state.builder, owner, k) for k in range(len(fact.keys))]


def make_named(own: Application) -> Atom:
    """`Point._make(items)` of a named tuple."""
    kind, items = own.args
    return own.invoke(kind, own.known(items))


def get_attributes(own: Application) -> Atom:
    """A call of what `attrgetter` has given."""
    (owner,) = own.args
    names = own.function.__reduce__()[1]
    found = [_followed(own, owner, name.split(".")) for name in names]
    return found[0] if len(found) == 1 else own.display(found)


def _followed(own: Application, owner: Atom, names: Sequence[str]) -> Atom:
    for name in names:
        read = own.invoke(Const(getattr), [owner, Const(name)])
        owner = read
    return owner


def dispatched(own: Application) -> Atom | None:
    """A call of a function with `singledispatch`: the class of the first operand decides."""
    dispatch = getattr(own.function, "dispatch", None)
    if dispatch is None or not hasattr(own.function, "registry") or not own.args:
        return None
    kind = type_of(own.args[0])
    if kind is None:
        raise own.refusal(
            f"`{own.function.__name__}` of {facts.describe(own.args[0].fact)}, whose class is not "
            "known", "call the function for it",
        )  # fmt: skip
    return own.invoke(Const(dispatch(kind)), own.args, own.keywords)


def remembered(own: Application) -> Atom:
    """`lru_cache` and `cache` of a function: it gives what the function itself would."""
    given = own.args[0] if own.args else None
    if isinstance(given, Const) and callable(given.value):
        return given
    return Const(Partial(Const(functools.cache), (), {}))


def wrapped(own: Application) -> Atom:
    """`wraps(f)`: what it makes of a function is that function."""
    return Const(Partial(Const(functools.cache), (), {}))


def manager_of(own: Application) -> Atom:
    """`contextmanager(generator)` of a generator inside the function."""
    given = own.args[0]
    if not isinstance(given, Const) or not isinstance(given.value, LocalFunction):
        raise own.refusal("`contextmanager` of this", "use it as a decorator")
    return Const(Bound(made_inside, (given,)))


def made_inside(*operands: object, **named: object) -> object:
    raise TypeError("it is worked out at compile time")


def managed(own: Application) -> Atom:
    *args, function = own.args
    assert isinstance(function, Const)
    return Const(Managing(function.value, tuple(args), dict(own.keywords)))


def getter_of_attributes(own: Application) -> Atom:
    names = [atom.value for atom in own.args if isinstance(atom, Const)]
    return Const(operator.attrgetter(*names))


def fields(own: Application) -> Atom:
    """`p._asdict()` of a named tuple."""
    (owner,) = own.args
    assert isinstance(owner.fact, facts.Record)
    items = zip(owner.fact.keys, _items_of(own, owner, owner.fact), strict=True)
    return make_table(own.state, dict(items))


HANDLERS: dict[Any, Handler] = {
    replaced: replace_fields,
    as_dict: fields,
    functools.partial: partial,
    functools.reduce: reduced,
    map: mapped,
    filter: filtered,
    itertools.starmap: starmapped,
    operator.itemgetter: itemgetter,
    operator.attrgetter: getter_of_attributes,
    made_of: make_named,
    contextlib.contextmanager: manager_of,
    made_inside: managed,
    functools.lru_cache: remembered,
    functools.cache: remembered,
    functools.wraps: wrapped,
}
BY_TYPE: dict[type, Handler] = {
    Partial: call_partial,
    functools.partial: call_partial_object,
    operator.itemgetter: get_items,
    operator.attrgetter: get_attributes,
    functools._lru_cache_wrapper: through_cache,
}
