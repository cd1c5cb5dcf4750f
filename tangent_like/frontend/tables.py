"""Dicts whose keys are known: displays, reading, and the methods that only read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.failures import impossible
from tangent_like.frontend.gathering import gathered, is_dict
from tangent_like.frontend.live import show
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import make_table, table_now, table_of
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const


def lower_display(state: Lowering, node: Any) -> Atom:
    parts = [
        (None if key is None else state.expression(key), state.expression(value))
        for key, value in zip(node.keys, node.values)
    ]
    items: dict[Any, Atom] = {}
    for key, found in parts:
        table = table_of(state, found) if key is None else None
        if table is not None:
            items.update(table)
        elif isinstance(key, Const):
            items[_hashable(state, key, node)] = found
        else:
            return _display_of_any(state, node, parts)
    return make_table(state, {key: fresh(state, atom, node) for key, atom in items.items()})


def _display_of_any(
    state: Lowering, node: Any, parts: Sequence[tuple[Atom | None, Atom]]
) -> Atom:
    """A display of which some keys are known only at run time."""
    for key, found in parts:
        if key is None and not is_dict(found):
            raise NotYetSupported(
                f"`**` of {facts.describe(found.fact)}", state.place(node), "name its items"
            )
    given = [found if key is None else (key, found) for key, found in parts]
    return gathered(state, node, given)


def _hashable(state: Lowering, key: Const, node: Any) -> Any:
    try:
        hash(key.value)
    except TypeError as error:
        raise NeverSupported(str(error), state.place(node)) from error
    return key.value


def read(state: Lowering, table: Mapping[Any, Atom], key: Atom, node: Any) -> Atom:
    assert isinstance(key, Const)
    found = table.get(_hashable(state, key, node))
    if found is None:
        message = f"the key {key.value!r} is not in the dict"
        raise impossible(state, node, KeyError, key.value, message, "read it with `get`")
    return found


def method(
    state: Lowering, owner: Atom, name: str, args: Sequence[Atom], node: Any
) -> Atom:
    place = state.place(node)
    if name == "copy":
        return make_table(state, table_now(state, owner, node))
    if name not in ("keys", "values", "items") or args:
        raise NotYetSupported(
            f"the method `{name}` of a dict", place, "make a new dict instead of changing it"
        )

    def read() -> list[Atom]:
        return _rows(state, table_now(state, owner, node), name)

    return show(state, read, [owner], place, fixed=True)


def _rows(state: Lowering, table: Mapping[Any, Atom], name: str) -> list[Atom]:
    """What a view of a dict shows."""
    keys: list[Atom] = [Const(key) for key in table]
    if name == "keys":
        return keys
    if name == "values":
        return list(table.values())
    return [state.builder.op(ir.make_tuple, pair) for pair in zip(keys, table.values())]


HANDLERS: dict[type, Any] = {gast.Dict: lower_display}
