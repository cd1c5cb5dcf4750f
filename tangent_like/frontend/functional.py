"""Functions that call functions: `partial`, `map`, `filter`, `reduce`, and getters."""

from __future__ import annotations

import functools
import itertools
import operator
from dataclasses import replace
from typing import Any

from tangent_like.frontend.application import Application, Handler
from tangent_like.frontend.names import external_atom
from tangent_like.frontend.objects import Partial
from tangent_like.ir import Atom, Const


def partial(own: Application) -> Atom:
    callee, *args = own.args
    if not isinstance(callee, Const):
        raise own.refusal("`partial` of a function known only at run time", "name the function")
    return Const(Partial(callee, tuple(args), dict(own.keywords)))


def call_partial(own: Application) -> Atom:
    """A call of what `partial` has given."""
    made = own.function
    return own.invoke(made.callee, [*made.args, *own.args], {**made.keywords, **own.keywords})


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
        return own.listed([own.invoke(function, row) for row in rows])

    return own.deferred(make, function)


def starmapped(own: Application) -> Atom:
    function, sequence = own.args

    def make() -> Atom:
        rows = [own.known(row) for row in own.known(sequence)]
        return own.listed([own.invoke(function, row) for row in rows])

    return own.deferred(make, function)


def filtered(own: Application) -> Atom:
    function, sequence = own.args
    truth_itself = isinstance(function, Const) and function.value is None

    def keeps(item: Atom) -> bool:
        test = item if truth_itself else own.invoke(function, [item])
        if not isinstance(test, Const):
            raise own.refusal("`filter` on values", "use a comprehension with `if`")
        return bool(test.value)

    return own.deferred(lambda: own.listed(list(filter(keeps, own.known(sequence)))), function)


def reduced(own: Application) -> Atom:
    step, given, *start = own.args
    sequence = own.sequence(given)
    items = own.items(sequence)
    if items is None:
        if not start:
            start = [own.item(sequence, 0)]
            sequence = own.op(operator.getitem, sequence, Const(slice(1, None)))
        return _folded(own, step, sequence, start[0])
    if not start and not items:
        raise own.refusal("`reduce` of nothing", "give it a start value")
    return functools.reduce(lambda total, item: own.invoke(step, [total, item]), [*start, *items])


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


HANDLERS: dict[Any, Handler] = {
    functools.partial: partial,
    functools.reduce: reduced,
    map: mapped,
    filter: filtered,
    itertools.starmap: starmapped,
    operator.itemgetter: itemgetter,
}
BY_TYPE: dict[type, Handler] = {
    Partial: call_partial,
    functools.partial: call_partial_object,
    operator.itemgetter: get_items,
    functools._lru_cache_wrapper: through_cache,
}
