"""Operations with fact functions of their own; rules add theirs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from tangent_like import facts, ir, list_runtime, runtime
from tangent_like.facts import (
    UNKNOWN,
    Fact,
    List,
    ListOf,
    Opaque,
    Tuple,
    TupleOf,
)
from tangent_like.infer.items import (
    fact_of_attribute,
    fact_of_item,
    fact_of_length,
    item_of_iterable,
    item_of_record,
)
from tangent_like.records import attribute, place_of
from tangent_like.stores import Store

FactFunction = Callable[..., Fact]
special: dict[Any, FactFunction] = {}
"""Fact functions of operations that abstract execution cannot serve; they take operand facts."""


def fact_of_store(store: Store, atoms: tuple[ir.Atom, ...]) -> Fact:
    """An array keeps its type; the items of a list or dict may be of another one then."""
    container, value = facts.defined(atoms[0].fact), facts.without_values(atoms[1].fact)
    steps = store.steps(atoms[2:])
    return _stored(container, steps, value, store.combine is not None) if steps else container


def _stored(container: Fact, steps: Sequence[Any], value: Fact, changed: bool) -> Fact:
    """What a list of any length, or what is in one, may be once something was stored there."""
    if not isinstance(container, (ListOf, facts.DictOf, *facts.STRUCTURES)):
        return container
    (fn, own), *inner = steps
    if isinstance(container, facts.STRUCTURES):
        at = _place_in(container, fn, own[0]) if own else None
        items = (
            _replaced(item, inner, value, changed) if at in (None, k) else item
            for k, item in enumerate(container.items)
        )
        return facts.with_items(container, tuple(items))
    new = _replaced(container.item, inner, value, changed)
    if isinstance(container, ListOf):
        return ListOf(new)
    key = facts.join_known(container.key, facts.without_values(own[0].fact if own else UNKNOWN))
    return facts.DictOf(key, new, container.default)


def _replaced(item: Fact, inner: Sequence[Any], value: Fact, changed: bool) -> Fact:
    if inner:
        return _stored(item, inner, value, changed)
    if changed and isinstance(item, facts.Array) and item.dims:
        return item  # `+=` changes an array rather than replace it
    return facts.join_known(item, value)


def _place_in(container: Fact, fn: Any, key: ir.Atom) -> int | None:
    """Which item is stored; None where that is known only at run time."""
    if not isinstance(key, ir.Const):
        return None
    if isinstance(container, facts.Record):
        return place_of(container, fn, key.value)
    known = isinstance(key.value, int) and isinstance(container, (List, Tuple))
    return key.value % len(container.items) if known and container.items else None  # type: ignore[union-attr]


def _fact_of_appended(items: ir.Atom, item: ir.Atom) -> Fact:
    joined = facts.join(items.fact, List((facts.without_values(item.fact),)))
    return joined if isinstance(joined, ListOf) else UNKNOWN


special[runtime.appended] = _fact_of_appended
special[runtime.without_last] = special[runtime.without_first] = lambda items: items.fact
special[runtime.without_key] = lambda table, key: table.fact
special[runtime.before] = lambda item, items: _fact_of_appended(items, item)
special[runtime.keys_of] = lambda table: ListOf(_part_of_dict(table, "key"))
special[runtime.values_of] = lambda table, like: ListOf(_part_of_dict(table, "item"))


def _part_of_dict(table: ir.Atom, name: str) -> Fact:
    found: Fact = getattr(table.fact, name, UNKNOWN)
    return UNKNOWN if found == facts.NOTHING else found


special[tuple] = lambda items: TupleOf(_item_of_any(items.fact))
special[list_runtime.zero_lists] = lambda items: ListOf(UNKNOWN)
special[list] = special[list_runtime.lists_of] = lambda items: ListOf(_item_of_any(items.fact))


def _item_of_any(fact: Fact) -> Fact:
    return fact.item if isinstance(fact, ListOf) else UNKNOWN


def _fact_of_repeated(items: ir.Atom, count: ir.Atom) -> Fact:
    return items.fact if isinstance(items.fact, ListOf) else facts.join(items.fact, List(()))


special[runtime.repeated] = _fact_of_repeated
special[operator.getitem] = fact_of_item
special[getattr] = fact_of_attribute
special[attribute] = lambda owner, name: item_of_record(owner.fact, attribute, name)
special[len] = fact_of_length
special[ir.make_tuple] = lambda *items: Tuple(tuple(i.fact for i in items))
special[ir.make_list] = lambda *items: List(tuple(i.fact for i in items))
special[range] = lambda *bounds: Opaque("range")
special[slice] = lambda *bounds: Opaque("slice")
special[isinstance] = lambda *operands: facts.BOOL
special[bool] = special[operator.not_] = lambda operand: facts.BOOL
for _identity in (operator.is_, operator.is_not, operator.contains):
    special[_identity] = lambda left, right: facts.BOOL
def _fact_of_extreme(*operands: ir.Atom, **keywords: ir.Atom) -> Fact:
    """Any of the operands, or of the items of the only one, may be the largest."""
    if len(operands) == 1:
        return facts.without_values(item_of_iterable(operands[0]))
    joined = operands[0].fact
    for operand in operands[1:]:
        joined = facts.join(joined, operand.fact)
    return facts.without_values(joined)


special[max] = special[min] = _fact_of_extreme
special[float] = lambda *operands: facts.FLOAT
special[int] = lambda operand=None, *base: facts.INT
special[reversed] = lambda operand: operand.fact
special[ir.defined] = special[ir.live] = lambda value: facts.defined(value.fact)
special[ir.unbound] = special[ir.missing] = lambda name: UNKNOWN


def _fact_of_unpacked(items: ir.Atom, count: ir.Atom) -> Fact:
    assert isinstance(count, ir.Const) and isinstance(count.value, int)
    return Tuple((item_of_iterable(items),) * count.value)


special[ir.unpack] = _fact_of_unpacked


def _fact_of_pop(tape: ir.Atom) -> Fact:
    return tape.fact.item if isinstance(tape.fact, facts.Tape) else UNKNOWN


special[ir.pop] = _fact_of_pop
special[ir.fetch] = lambda tape, index: _fact_of_pop(tape)
special[ir.push] = lambda tape, value: Opaque("NoneType")
special[ir.put] = lambda tape, index, value: Opaque("NoneType")
for _silent in (print, ir.fail, ir.keep, ir.enter, ir.leave, ir.enter_try, ir.leave_try):
    special[_silent] = lambda *operands, **keywords: Opaque("NoneType")
special[runtime.raised_by] = lambda body, operands, *kinds: Opaque("Exception")
special[str.format] = lambda *operands, **keywords: Opaque("str")
special[ir.freeze] = lambda tape: facts.ListOf(_fact_of_pop(tape))
special[ir.thaw] = lambda items: facts.Tape(item_of_iterable(items))
special[ir.flip] = lambda tape: Opaque("NoneType")
special[zip] = lambda *sources: facts.Zip(
    tuple(s.fact for s in sources), Tuple(tuple(map(item_of_iterable, sources)))
)
