"""Dicts that change, while a function is lowered.

    memo = {}                         memo = {}
    for n in range(2, k):             memo = loop, memo = memo:
        memo[n] = memo[n - 1] * x         memo' = store(memo, memo[n - 1] * x, n)

A dict whose keys are known is a record of its items; one with keys that are known only at run
time is a value of its own, written into by stores as a list is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from tangent_like import facts, ir, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.choices import choose
from tangent_like.frontend.failures import impossible
from tangent_like.frontend.gathering import copied, fill, is_dict
from tangent_like.frontend.homes import (
    forget_slots,
    home_of,
    note_taken_out,
    put_in,
    tangle,
    tangle_with_items,
)
from tangent_like.frontend.live import show_as
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import consumed, make_table
from tangent_like.frontend.own_code import run
from tangent_like.frontend.selection import display_behind, is_picked, picked
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import any_of, write
from tangent_like.frontend.structures import hold, write_key
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.records import MakeRecord, display_of
from tangent_like.trees import item

Method = Callable[[Lowering, Any, Value, Sequence[Atom]], Atom]
NONE = Const(None)


def items_of(state: Lowering, sequence: Atom) -> list[Atom]:
    """The items of a structure of known length."""
    assert isinstance(sequence.fact, facts.STRUCTURES)
    return [item(state.builder, sequence, k) for k in range(len(sequence.fact.items))]


def write_key_of(state: Lowering, node: Any, owner: Value, key: Atom, value: Atom) -> None:
    """`owner[key] = value`."""
    if isinstance(owner.fact, facts.Record) and isinstance(key, Const):
        write_key(state, node, owner, key.value, value)
        return
    _check_key(state, node, key)
    put_in(state, owner, value)
    write(state, node, owner, key, value)


def _check_key(state: Lowering, node: Any, key: Atom) -> None:
    if facts.may_be_differentiated(key.fact) or key.fact == facts.Opaque("function"):
        raise NotYetSupported(
            f"{facts.describe(key.fact)} as a key of a dict", state.place(node),
            "use integers, strings or tuples of them",
        )  # fmt: skip


def read_key(state: Lowering, node: Any, owner: Atom, key: Atom) -> Atom:
    """`owner[key]` of a dict with keys known only at run time; a default is put in first."""
    _check_key(state, node, key)
    fact = owner.fact
    if isinstance(fact, facts.DictOf) and fact.default is not None and isinstance(owner, Value):
        _ensure(state, node, owner, key, lambda: _made(state, node, fact.default))
        owner = fresh(state, owner, node)
    return state.builder.op(operator.getitem, (owner, key), place=state.place(node))


def picked_item(state: Lowering, node: Any, owner: Atom, key: Atom) -> Atom | None:
    """`owner[key]` where the items are functions or objects and the key is not known; None for
    other items, which are read at run time."""
    made = display_behind(state, owner)
    if made is None or isinstance(key, Const) or not isinstance(owner.fact, facts.Record):
        return None
    if owner.fact.type is not dict or not any(is_picked(state, item) for item in made.args):
        return None
    place = read_key(state, node, _numbered(state, node, owner), key)
    return picked(state, node, made.args, place)


def _numbered(state: Lowering, node: Any, owner: Atom) -> Value:
    """A dict of the places of the keys of another one."""
    assert isinstance(owner.fact, facts.Record)
    numbers = {key: Const(k) for k, key in enumerate(owner.fact.keys)}
    return as_any(state, node, make_table(state, numbers))


def _made(state: Lowering, node: Any, default: Any) -> Atom:
    return state.module.call(state, node, Const(default), (), {})


def _ensure(
    state: Lowering, node: Any, owner: Value, key: Atom, make: Callable[[], Atom]
) -> None:
    """Put an item into a dict unless it is there."""

    def add() -> Atom:
        now = fresh(state, owner, node)
        assert isinstance(now, Value)
        write_key_of(state, node, now, key, make())
        return NONE

    test = contains(state, node, owner, key)
    if isinstance(test, Const):
        if not test.value:
            add()
        return
    choose(state, node, test, lambda: NONE, add, "if")


def contains(state: Lowering, node: Any, owner: Atom, key: Atom) -> Atom:
    """`key in owner`."""
    keys = owner.fact.keys if isinstance(owner.fact, facts.Record) else None
    if keys is not None and (isinstance(key, Const) or not keys):
        return Const(isinstance(key, Const) and key.value in keys)
    table = _numbered(state, node, owner) if keys is not None else owner
    return state.builder.op(operator.contains, (table, key), place=state.place(node))


def as_any(state: Lowering, node: Any, owner: Atom) -> Value:
    """A dict with known keys as one that is read under any key."""
    made_by = state.builder.definitions.get(owner) if isinstance(owner, Value) else None
    fact = any_of(owner.fact)
    apart = made_by is not None and isinstance(made_by.fn, MakeRecord)
    if isinstance(owner, Value) and not apart and isinstance(fact, facts.DictOf):
        taken_apart = state.builder.op(display_of(owner.fact), items_of(state, owner))
        made_by = state.builder.definitions[taken_apart]  # type: ignore[index]
    if fact is None or made_by is None or not isinstance(made_by.fn, MakeRecord):
        raise NotYetSupported(
            "a key that is known only at run time", state.place(node), "choose with `if`"
        )
    made = Value("", fact)
    state.builder.append(Op(made, made_by.fn, made_by.args, (), state.place(node)))
    tangle_with_items(state, home_of(state, made).buffer, owner)
    if not apart:
        tangle(home_of(state, made).buffer, home_of(state, owner).buffer)  # type: ignore[arg-type]
    return made


# --- methods ------------------------------------------------------------------------------------


def update(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    for other in args:
        more = other if is_dict(other) else consumed(state, other, node)
        pairs = _pairs(state, more)
        if pairs is None:
            fill(state, node, owner, [more])
        for key, value in pairs or ():
            now = fresh(state, owner, node)
            assert isinstance(now, Value)
            write_key_of(state, node, now, key, value)
    return NONE


def _pairs(state: Lowering, other: Atom) -> list[tuple[Atom, Atom]] | None:
    """The keys and values of a dict whose keys are known, or of pairs; None for others."""
    if isinstance(other.fact, facts.Record):
        return list(zip(map(Const, other.fact.keys), items_of(state, other)))
    if not isinstance(other.fact, facts.Tuple | facts.List):
        return None
    rows = items_of(state, other)
    if any(len(getattr(row.fact, "items", ())) != 2 for row in rows):
        return None
    return [(items_of(state, row)[0], items_of(state, row)[1]) for row in rows]


def _setdefault(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    key, *default = args
    _ensure(state, node, owner, key, lambda: default[0] if default else NONE)
    return _item_now(state, node, owner, key)


def _item_now(state: Lowering, node: Any, owner: Value, key: Atom) -> Atom:
    now = fresh(state, owner, node)
    if isinstance(now.fact, facts.Record) and isinstance(key, Const):
        return item(state.builder, now, now.fact.keys.index(key.value))
    return state.builder.op(operator.getitem, (now, key), place=state.place(node))


def _get(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    key, *rest = args
    default = rest[0] if rest else NONE
    test = contains(state, node, owner, key)
    if isinstance(test, Const):
        return _item_now(state, node, owner, key) if test.value else default
    _check_key(state, node, key)
    known = isinstance(owner.fact, facts.Record)

    def read() -> Atom:
        picked = picked_item(state, node, owner, key)
        table = as_any(state, node, owner) if known and picked is None else owner
        return picked or state.builder.op(operator.getitem, (table, key), place=state.place(node))

    return choose(state, node, test, read, lambda: default, "ifexp")


def _pop(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    key, *default = args
    known = isinstance(owner.fact, facts.Record) and isinstance(key, Const)
    if known and default and key.value not in owner.fact.keys:  # type: ignore[union-attr]
        return default[0]
    if known or not default:
        return remove(state, node, owner, key)

    def take() -> Atom:
        now = fresh(state, owner, node)
        assert isinstance(now, Value)
        return remove(state, node, now, key)

    test = contains(state, node, owner, key)
    return choose(state, node, test, take, lambda: default[0], "if")


def _pop_item(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    """`popitem`: the last item, or the first one of an ordered dict."""
    first = bool(args) and isinstance(args[0], Const) and not args[0].value
    if isinstance(owner.fact, facts.Record):
        if not owner.fact.keys:
            what = "popitem(): dictionary is empty"
            raise impossible(state, node, KeyError, what, "`popitem` of an empty dict", "test it")
        key: Atom = Const(owner.fact.keys[0 if first else -1])
    else:
        empty = "if len(items) == 0:\n    raise KeyError('popitem(): dictionary is empty')"
        run(state, node, {"items": owner}, empty)
        keys = _keys_now(state, node, owner)
        key = state.builder.op(operator.getitem, (keys, Const(0 if first else -1)))
    value = remove(state, node, owner, key)
    return state.builder.op(ir.make_tuple, (key, value), place=state.place(node))


def _clear(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    empty = make_table(state, {})
    if isinstance(owner.fact, facts.DictOf):
        empty = Value(owner.name, owner.fact)
        state.builder.append(Op(empty, MakeRecord(dict, ()), (), (), state.place(node)))
    hold(state, node, owner, empty)
    return NONE


def _move_to_end(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    """`move_to_end` of an ordered dict."""
    key, last = (*args, Const(True))[:2]
    if not (isinstance(last, Const) and last.value):
        raise NotYetSupported(
            "`move_to_end` to the other end", state.place(node), "make a new dict"
        )
    value = remove(state, node, owner, key)
    now = fresh(state, owner, node)
    assert isinstance(now, Value)
    write_key_of(state, node, now, key, value)
    return NONE


def remove(state: Lowering, node: Any, owner: Value, key: Atom) -> Atom:
    """`del owner[key]`; what was there."""
    place, fact = state.place(node), owner.fact
    if isinstance(fact, facts.Record) and isinstance(key, Const):
        return _remove_known(state, node, owner, key.value)
    _check_key(state, node, key)
    if isinstance(fact, facts.Record):
        hold(state, node, owner, as_any(state, node, owner))
        owner = fresh(state, owner, node)  # type: ignore[assignment]
    found = state.builder.op(operator.getitem, (owner, key), place=place)
    note_taken_out(state, found, owner)
    forget_slots(state, home_of(state, owner), place)
    rest = state.builder.op(runtime.without_key, (owner, key), name=owner.name, place=place)
    hold(state, node, owner, rest)
    return found


def _remove_known(state: Lowering, node: Any, owner: Value, key: Any) -> Atom:
    assert isinstance(owner.fact, facts.Record)
    keys = list(owner.fact.keys)
    if key not in keys:
        message = f"the key {key!r} is not in the dict"
        raise impossible(state, node, KeyError, key, message, "test for it first")
    items = items_of(state, owner)
    found = items.pop(keys.index(key))
    keys.remove(key)
    hold(state, node, owner, state.builder.op(MakeRecord(dict, tuple(keys)), items))
    return fresh(state, found, node)


def _keys(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    return _shown(state, node, owner, lambda now: _keys_now(state, node, now))


def _keys_now(state: Lowering, node: Any, owner: Atom) -> Atom:
    return state.builder.op(runtime.keys_of, (owner,), place=state.place(node))


def _shown(
    state: Lowering, node: Any, owner: Value, view: Callable[[Atom], Atom]
) -> Atom:
    """What a view shows of a dict, now and later."""
    return show_as(state, lambda: view(fresh(state, owner, node)), [owner], fixed=True)


def _values(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    place = state.place(node)
    return _shown(
        state, node, owner, lambda now: state.builder.op(runtime.values_of, (now, now), place=place)
    )


def _items(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    def view(now: Atom) -> Atom:
        columns = (_keys_now(state, node, now), _values(state, node, owner, args))
        return state.builder.op(zip, columns, place=state.place(node))

    return _shown(state, node, owner, view)


def _copy(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    return copied(state, node, owner)


OF_KNOWN: dict[str, Method] = {
    "update": update, "setdefault": _setdefault, "pop": _pop, "get": _get, "clear": _clear,
    "popitem": _pop_item, "move_to_end": _move_to_end,
}  # fmt: skip
OF_ANY: dict[str, Method] = {
    **OF_KNOWN, "copy": _copy, "keys": _keys, "values": _values, "items": _items,
}  # fmt: skip
WITH_LAST = (_pop_item, _move_to_end)
"""Methods of ordered dicts that may be told `last=`."""
