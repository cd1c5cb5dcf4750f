"""Lists and dicts that change, while a function is lowered.

    parts = []               p1 = []
    parts.append(x)          parts holds [x]
    for v in xs:             p = loop, p = [x]:
        parts.append(v)          p' = appended(p, v)

A list whose length is known is a display of its items; one that grows in a loop is a value of
its own, to which `appended` gives the list with one item more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tangent_like import facts, ir, runtime
from tangent_like.frontend import dicts, edits
from tangent_like.frontend.dicts import NONE, Method, items_of
from tangent_like.frontend.failures import impossible
from tangent_like.frontend.homes import forget_slots, home_of, put_in
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.run_time_functions import item_at_run_time
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import write
from tangent_like.frontend.structures import hold
from tangent_like.ir import Atom, Const, Value


def method_of(owner: Atom, name: str) -> Method | None:
    """The method of a list or dict under a name, as a function that lowers its call."""
    fact = owner.fact
    if isinstance(fact, facts.List):
        return _OF_KNOWN.get(name)
    if isinstance(fact, facts.TupleOf):
        return _OF_ANY.get(name) if name in ("index", "count") else None
    if isinstance(fact, facts.ListOf):
        return _OF_ANY.get(name)
    if isinstance(fact, facts.Record) and fact.type is dict:
        return dicts.OF_KNOWN.get(name)
    if isinstance(fact, facts.DictOf):
        return dicts.OF_ANY.get(name)
    return None


def is_container(atom: Atom) -> bool:
    fact = atom.fact
    if isinstance(fact, facts.TupleOf):
        return False
    return isinstance(fact, (facts.List, facts.ListOf, facts.DictOf)) or (
        isinstance(fact, facts.Record) and fact.type is dict
    )


def write_item(state: Lowering, node: Any, owner: Value, key: Atom, value: Atom) -> None:
    """`owner[key] = value` for a list or a dict."""
    fact = owner.fact
    if isinstance(fact, (facts.Record, facts.DictOf)):
        dicts.write_key_of(state, node, owner, key, value)
    elif isinstance(fact, facts.List) and isinstance(key, Const) and isinstance(key.value, int):
        items = items_of(state, owner)
        if not -len(items) <= key.value < len(items):
            message, raised = f"the list has no item {key.value}", "assignment index out of range"
            raise impossible(state, node, IndexError, f"list {raised}", message, "append it")
        items[key.value] = value
        edits.become(state, node, owner, items)
    else:
        _write_at(state, node, owner, key, value)


def _write_at(state: Lowering, node: Any, owner: Value, key: Atom, value: Atom) -> None:
    """An item at a place that is known only at run time, or a slice."""
    if isinstance(key.fact, facts.Opaque) and key.fact.kind == "slice":
        edits.write_slice(state, node, owner, key, value)
        return
    put_in(state, owner, value)
    write(state, node, owner, key, value)


# --- lists of known length ----------------------------------------------------------------------


def _append(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    edits.become(state, node, owner, [*items_of(state, owner), *args])
    return NONE


def _insert(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    place, value = args
    items = items_of(state, owner)
    if not _is_known(place):
        if not items:  # at whatever place
            return _append(state, node, owner, [value])
        return edits.insert(state, node, owner, args)
    items.insert(place.value, value)  # type: ignore[union-attr]
    edits.become(state, node, owner, items)
    return NONE


def _pop(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    if args and not _is_known(args[0]):
        return edits.pop(state, node, owner, args)
    items = items_of(state, owner)
    place = args[0].value if args else -1  # type: ignore[union-attr]
    if not -len(items) <= place < len(items):
        raised = "pop index out of range" if items else "pop from empty list"
        raise impossible(state, node, IndexError, raised, "pop from a list without this item")
    found = items.pop(place)
    edits.become(state, node, owner, items)
    return fresh(state, found, node)


def _reverse(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    edits.become(state, node, owner, items_of(state, owner)[::-1])
    return NONE


def _copy(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    return state.builder.op(ir.make_list, items_of(state, owner), place=state.place(node))


def _rotate(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    if args and not _is_known(args[0]):
        return edits.rotate(state, node, owner, args)
    items = items_of(state, owner)
    turn = -(args[0].value if args else 1) % len(items) if items else 0  # type: ignore[union-attr]
    edits.become(state, node, owner, items[turn:] + items[:turn])
    return NONE


def _remove(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    """The first item that equals the argument is taken out."""
    edits.remove(state, node, owner, edits.index(state, node, owner, args))
    return NONE


def _is_known(place: Atom) -> bool:
    return isinstance(place, Const) and isinstance(place.value, int)


_OF_KNOWN: dict[str, Method] = {
    "append": _append, "extend": edits.extend, "insert": _insert, "pop": _pop,
    "reverse": _reverse, "clear": edits.clear, "copy": _copy, "rotate": _rotate,
    "index": edits.index, "count": edits.count, "extendleft": edits.extend_left,
    "remove": _remove,
}  # fmt: skip


# --- lists of any length ------------------------------------------------------------------------


def _append_to_any(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    value = item_at_run_time(state, node, args[0])
    put_in(state, owner, value)
    place = state.place(node)
    forget_slots(state, home_of(state, owner), place)
    new = state.builder.op(runtime.appended, (owner, value), name=owner.name, place=place)
    hold(state, node, owner, new)
    return NONE


def _pop_of_any(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    if args and not (isinstance(args[0], Const) and args[0].value == -1):
        return edits.pop(state, node, owner, args)
    return edits.taken_off(state, node, owner, Const(-1), runtime.without_last)


def _popleft(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    """The first item of a queue."""
    if isinstance(owner.fact, facts.List):
        return _pop(state, node, owner, [Const(0)])
    return edits.taken_off(state, node, owner, Const(0), runtime.without_first)


def _appendleft(state: Lowering, node: Any, owner: Value, args: Sequence[Atom]) -> Atom:
    (value,) = args
    if isinstance(owner.fact, facts.List):
        return _insert(state, node, owner, [Const(0), value])
    put_in(state, owner, value)
    place = state.place(node)
    forget_slots(state, home_of(state, owner), place)
    new = state.builder.op(runtime.before, (value, owner), name=owner.name, place=place)
    hold(state, node, owner, new)
    return NONE


_QUEUES: dict[str, Method] = {"popleft": _popleft, "appendleft": _appendleft}
_OF_KNOWN.update(_QUEUES)
_OF_ANY: dict[str, Method] = {
    "append": _append_to_any, "pop": _pop_of_any, "insert": edits.insert,
    "extend": edits.extend, "extendleft": edits.extend_left, "reverse": edits.reverse,
    "rotate": edits.rotate, "clear": edits.clear, "copy": edits.copied, "index": edits.index,
    "count": edits.count, "remove": _remove, **_QUEUES,
}  # fmt: skip
