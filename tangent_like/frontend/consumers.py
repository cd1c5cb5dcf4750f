"""Functions that use a sequence up: `list`, `sum`, `max`, `sorted` and their like.

    max(a, b, key=abs)          ──▶    b if abs(b) > abs(a) else a
    sorted((a, b), key=f)       ──▶    order = ordering((f(a), f(b))); [items[order[0]], ...]
"""

from __future__ import annotations

import collections
import functools
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import gast

from tangent_like import facts, runtime
from tangent_like.errors import NeverSupported
from tangent_like.frontend.application import Application, Handler
from tangent_like.frontend.branches import truth
from tangent_like.frontend.choices import choose
from tangent_like.frontend.containers import behind
from tangent_like.frontend.gathering import gathered
from tangent_like.frontend.instances import known_instance
from tangent_like.frontend.live import is_live
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import (
    Deferred,
    ItemsAct,
    Moment,
    Search,
    Taken,
    make_table,
    refuse_changes,
    table_of,
)
from tangent_like.frontend.own_code import run
from tangent_like.frontend.protocols import call_special, class_of, is_protocol_object
from tangent_like.frontend.state import FALSE, TRUE
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.records import MakeRecord


def listed(own: Application) -> Atom:
    if not own.args:
        return own.listed(())
    sequence = own.sequence(own.args[0], Taken.ALL)
    items = own.items(sequence)
    return own.looped([sequence], lambda row: row[0]) if items is None else own.listed(items)


def tupled(own: Application) -> Atom:
    if not own.args:
        return own.display(())
    sequence = own.sequence(own.args[0], Taken.ALL)
    items = own.items(sequence)
    if items is not None:
        return own.display(items)
    if isinstance(sequence.fact, facts.TupleOf):
        return sequence
    if not isinstance(sequence.fact, facts.ListOf):
        sequence = own.looped([sequence], lambda row: row[0])
    return own.op(tuple, sequence)


def tabled(own: Application) -> Atom:
    """`dict` of another dict, of pairs, and of keywords."""
    items: dict[Any, Atom] = {}
    given = [_table_given(own, atom) for atom in own.args]
    if any(isinstance(part, (Value, Const)) for part in given):
        named = [(Const(key), atom) for key, atom in own.keywords.items()]
        return gathered(own.state, own.node, [*given, *named])  # type: ignore[list-item]
    for part in given:
        items.update(part)  # type: ignore[arg-type]
    return make_table(own.state, {**items, **own.keywords})


def _table_given(own: Application, given: Atom) -> Mapping[Any, Atom] | Atom:
    """The items of a dict or of pairs whose keys are known; else what is to be gone through."""
    table = table_of(own.state, given)
    if table is not None or isinstance(given.fact, facts.DictOf):
        return given if table is None else table
    sequence = own.sequence(given)
    rows = own.items(sequence)
    pairs = None if rows is None else [own.items(row) for row in rows]
    found: dict[Any, Atom] = {}
    for pair in pairs or ():
        if pair is None or len(pair) != 2 or not isinstance(pair[0], Const):
            return sequence
        found[pair[0].value] = pair[1]
    return sequence if pairs is None else found


def with_default(own: Application) -> Atom:
    """`defaultdict`: an empty dict that knows what makes its items."""
    if len(own.args) != 1 or own.keywords:
        raise own.refusal("a `defaultdict` with items", "assign each key")
    (default,) = own.args
    if not isinstance(default, Const) or not callable(default.value):
        raise own.refusal("a `defaultdict` of this", "give it a function")
    made = Value("", facts.DictOf(facts.NOTHING, facts.NOTHING, default.value))
    own.state.builder.append(Op(made, MakeRecord(dict, ()), (), (), own.state.place(own.node)))
    return made


def from_keys(own: Application) -> Atom:
    """`dict.fromkeys`."""
    value = own.argument(1, "value", Const(None))
    assert value is not None
    keys = own.sequence(own.args[0])
    known = own.items(keys)
    if known is not None and all(isinstance(key, Const) for key in known):
        return make_table(own.state, {key.value: value for key in known})  # type: ignore[union-attr]
    made = make_table(own.state, {})
    names = {"items": made, "keys": keys, "value": value}
    run(own.state, own.node, names, "for key in keys:\n    items[key] = value")
    return fresh(own.state, made, own.node)


def summed(own: Application) -> Atom | None:
    """`sum`, `any`, `all` and their like of an iterator are those of a list; of objects and lists
    a sum is a chain of additions."""
    inside = behind(own.state, own.node, own.args[0])
    if own.function in (any, all):
        try:
            used = [own.sequence(own.args[0] if inside is None else inside, Taken.SOME)]
        except ItemsAct:
            search = own.args[0].value.search  # type: ignore[union-attr]
            if search is None:
                raise
            return _any_in_turn(own, search)
    else:
        used = [own.sequence(own.args[0] if inside is None else inside, Taken.ALL), *own.args[1:]]
    if own.function is math.prod and len(own.args) > 1:
        raise NeverSupported("`prod` takes one sequence, and `start=`", own.state.place(own.node))
    if own.function is math.prod and own.keywords:
        return _product_from(own, used[0], own.keywords["start"])
    if own.function is sum and _are_structures(own, used):
        start = own.keywords.get("start", used[1] if len(used) > 1 else Const(0))
        return own.invoke(Const(functools.reduce), [Const(operator.add), used[0], start])
    if all(map(operator.is_, used, own.args)):
        return None
    return own.invoke(Const(own.function), used, own.keywords)


def _any_in_turn(own: Application, search: Search) -> Atom:
    """`any` and `all` of a generator expression whose items do something: a loop that is left."""
    test, is_any = search.item, own.function is any
    if not is_any:
        test = gast.copy_location(gast.UnaryOp(gast.Not(), test), test)
    found = gast.copy_location(gast.Constant(is_any, None), test)
    return search.lower(test, found, Const(not is_any))


def _product_from(own: Application, sequence: Atom, start: Atom) -> Atom:
    """`prod(items, start=e)`: multiplied in Python's order."""
    items = own.items(sequence)
    if items is None:
        raise own.refusal("`prod` of a sequence of unknown length from a start", "multiply by it")
    return own.invoke(Const(math.prod), [own.listed([start, *items])])


def _are_structures(own: Application, operands: Sequence[Atom]) -> bool:
    """Whether what is summed is added as a class of the user's says, or as lists are."""
    items = own.items(operands[0]) or []
    inner = getattr(operands[0].fact, "item", None)
    return _is_structure(inner) or any(map(_is_compound, (*items, *operands[1:])))


def _is_compound(atom: Atom) -> bool:
    return class_of(atom) is not None or _is_structure(atom.fact)


def _is_structure(fact: facts.Fact | None) -> bool:
    if isinstance(fact, facts.Record):
        return fact.type is not dict
    return isinstance(fact, (facts.Tuple, facts.List, facts.ListOf))


def extreme(own: Application) -> Atom | None:
    """`max` and `min`, of a sequence or of several operands."""
    inside = [behind(own.state, own.node, atom) for atom in own.args]
    used = [one or atom for one, atom in zip(inside, own.args)]
    if len(used) == 1:
        taken = Taken.ALL if _is_none(own.keywords.get("key")) else Taken.IN_TURN
        used = [own.sequence(used[0], taken)]
    key, default = own.keywords.get("key"), own.keywords.get("default")
    items = used if len(used) > 1 else own.items(used[0])
    if items is not None and len(items) == 1:
        return items[0]
    if items and any(map(_is_compound, items)):
        return _best(own, _in_turn(own, used), key)

    def find() -> Atom:
        if _is_none(key):
            return own.invoke(Const(own.function), used)
        if items is None:
            return _first_in_order(own, used[0], key)
        return _best(own, _in_turn(own, used), key)

    if default is not None and items is None:
        count = own.op(len, used[0])
        return choose(own.state, own.node, count, find, partial(_itself, default), "ifexp")
    if default is not None and not items:
        return default
    return None if all(map(operator.is_, used, own.args)) and not own.keywords else find()


def _itself(atom: Atom) -> Atom:
    return atom


def _is_none(atom: Atom | None) -> bool:
    return atom is None or (isinstance(atom, Const) and atom.value is None)


def _in_turn(own: Application, used: Sequence[Atom]) -> Iterator[Atom]:
    """Several operands, or the items of the only one."""
    if len(used) > 1:
        yield from used
        return
    before = Moment(own.state)
    yield from (row[0] for row in own.in_turn(used[0]))
    refuse_changes(own.state, own.node, own.args[0], before)


def _best(own: Application, items: Iterator[Atom], key: Atom | None) -> Atom:
    """The first of the items whose key is the largest, or the smallest."""
    best = next(items, None)
    if best is None:
        raise own.refusal(f"`{own.function.__name__}` of nothing", "test for it first")
    better = Const(operator.gt if own.function is max else operator.lt)
    best_key = _key_of(own, best, key)
    for item in items:
        its_key = _key_of(own, item, key)
        test = truth(own.state, own.invoke(better, [its_key, best_key]), own.node)
        best, best_key = (
            _either(own, test, new, old) for new, old in ((item, best), (its_key, best_key))
        )
    return best


def _key_of(own: Application, item: Atom, key: Atom | None) -> Atom:
    return item if key is None or _is_none(key) else own.invoke(key, [item])


def _either(own: Application, test: Atom, new: Atom, old: Atom) -> Atom:
    if isinstance(test, Const):
        return new if test.value else old
    return choose(own.state, own.node, test, lambda: new, lambda: old, "ifexp")


def _first_in_order(own: Application, sequence: Atom, key: Atom | None) -> Atom:
    """Of a sequence whose length is known only at run time: `sorted` keeps the first first."""
    assert key is not None
    if isinstance(sequence.fact, facts.Zip):
        sequence = own.looped([sequence], lambda row: row[0])
    keys = own.looped([sequence], lambda row: own.invoke(key, row))
    order = own.op(runtime.ordering, keys, Const(own.function is max))
    return own.op(operator.getitem, sequence, own.item(order, 0))


def in_order(own: Application) -> Atom:
    """`sorted`: in which order the items come is a constant of the derivative."""
    inside = behind(own.state, own.node, own.args[0])
    sequence = own.sequence(own.args[0] if inside is None else inside, Taken.ALL)
    if isinstance(sequence.fact, facts.Zip):
        sequence = own.looped([sequence], lambda row: row[0])
    items = own.items(sequence)
    reverse = own.keywords.get("reverse", FALSE)
    order = own.op(runtime.ordering, _keys(own, sequence, items), reverse)
    if items is None:
        return own.looped([order], lambda row: own.op(operator.getitem, sequence, row[0]))
    if len(items) < 2:
        return own.listed(items)
    every = own.listed(items)
    places = [own.item(order, k) for k in range(len(items))]
    return own.listed([own.op(operator.getitem, every, place) for place in places])


def _keys(own: Application, sequence: Atom, items: Sequence[Atom] | None) -> Atom:
    key = own.keywords.get("key")
    if _is_none(key):
        return sequence if items is None else own.listed(items)
    assert key is not None
    if items is None:
        return own.looped([sequence], lambda row: own.invoke(key, row))
    return own.listed([own.invoke(key, [item]) for item in items])


# --- questions ----------------------------------------------------------------------------------


def is_instance(own: Application) -> Atom | None:
    value, kind = own.args
    kinds = own.items(kind) or [kind]
    answers = [
        known_instance(value, one.value)
        if isinstance(one, Const) and isinstance(one.value, type)
        else None
        for one in kinds
    ]
    if True in answers:
        return TRUE
    return None if None in answers else FALSE


def is_callable(own: Application) -> Atom:
    atom = own.args[0]
    return Const(callable(atom.value)) if isinstance(atom, Const) else FALSE


def iterator(own: Application) -> Atom:
    """`iter`: it is used once, like every iterator."""
    if len(own.args) > 1:
        raise own.refusal("`iter` with a sentinel", "write a `while` loop")
    (sequence,) = own.args
    if isinstance(sequence, Const) and isinstance(sequence.value, Deferred):
        return sequence
    if is_protocol_object(sequence):
        return call_special(own.state, own.node, "__iter__", sequence)
    return own.deferred(lambda: own.sequence(sequence))


def length(own: Application) -> Atom | None:
    table = table_of(own.state, own.args[0])
    items = own.items(own.args[0]) if is_live(own.state, own.args[0]) else None
    if items is not None:
        return Const(len(items))
    return Const(len(table)) if table is not None else None


HANDLERS: dict[Any, Handler] = {
    list: listed,
    tuple: tupled,
    dict: tabled,
    dict.fromkeys: from_keys,
    collections.OrderedDict: tabled,
    collections.defaultdict: with_default,
    sum: summed,
    any: summed,
    all: summed,
    math.fsum: summed,
    math.prod: summed,
    max: extreme,
    min: extreme,
    sorted: in_order,
    isinstance: is_instance,
    callable: is_callable,
    len: length,
    iter: iterator,
}
