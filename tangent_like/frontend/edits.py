"""Lists that are changed in the middle, extended, reversed, while a function is lowered.

    a.insert(k, v)         a' = spliced(a, k, k, [v])
    a[i:j] = b             a' = spliced(a, i, j, b)
    v = a.pop(k)           v = a[k];  a' = spliced(a, k, k + 1, [])
    a += b                 for v in b: a.append(v)

What holds of every list is here; `lists.py` has what is known only of lists of known length.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import gast

from tangent_like import facts, ir, list_runtime, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.dicts import NONE, items_of
from tangent_like.frontend.homes import forget_slots, home_of, may_alias, note_taken_out, put_in
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import consumed
from tangent_like.frontend.own_code import run
from tangent_like.frontend.scope import Buffer
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import any_of, as_value
from tangent_like.frontend.structures import hold
from tangent_like.ir import Atom, Const, Op, Value

Args = Sequence[Atom]


def become(state: Lowering, node: Any, owner: Value, items: Sequence[Atom]) -> None:
    """A list of known length is one of these items from here on."""
    new = state.builder.op(ir.make_list, items, name=owner.name, place=state.place(node))
    hold(state, node, owner, new)


def _of_any_length(state: Lowering, node: Any, owner: Value) -> Value:
    """A list of known length as one whose items are read at any place."""
    if not isinstance(owner.fact, facts.List):
        return owner
    fact, made_by = any_of(owner.fact), state.builder.definitions.get(owner)
    if fact is None or made_by is None or may_alias(fact.item):  # type: ignore[union-attr]
        raise NotYetSupported(
            "a place known only at run time in a list of these things", state.place(node),
            "use a list of numbers",
        )  # fmt: skip
    made = Value("", fact)
    state.builder.append(Op(made, made_by.fn, made_by.args, (), state.place(node)))
    return made


def _check_flat(state: Lowering, node: Any, owner: Value, what: str) -> None:
    if may_alias(owner.fact.item):  # type: ignore[union-attr]
        raise NotYetSupported(
            f"`{what}` of a list of lists, arrays or objects whose length is known only at run "
            "time", state.place(node), "build a new list",
        )  # fmt: skip


def _spliced(
    state: Lowering, node: Any, owner: Value, start: Atom, stop: Atom, more: Sequence[Atom]
) -> None:
    """Let a list hold other items between two places."""
    place, listed = state.place(node), _of_any_length(state, node, owner)
    for item in more:
        put_in(state, owner, item)
    inside = state.builder.op(ir.make_list, more, place=place)
    forget_slots(state, home_of(state, owner), place)
    operands = (listed, start, stop, inside)
    new = state.builder.op(list_runtime.spliced, operands, name=owner.name, place=place)
    hold(state, node, owner, new)


def insert(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    place, value = args
    if not (isinstance(place, Const) and place.value == 0):
        place = state.builder.op(list_runtime.place_within, (owner, place))
    _spliced(state, node, owner, place, place, [value])
    return NONE


def pop(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    """An item inside is taken out."""
    listed = _of_any_length(state, node, owner)
    found = state.builder.op(operator.getitem, (listed, args[0]), place=state.place(node))
    note_taken_out(state, found, owner)
    remove(state, node, owner, args[0])
    return found


def taken_off(state: Lowering, node: Any, owner: Value, place: Const, rest: Any) -> Atom:
    """The first or last item of a list of any length."""
    where = state.place(node)
    found = state.builder.op(operator.getitem, (owner, place), place=where)
    note_taken_out(state, found, owner)
    forget_slots(state, home_of(state, owner), where)
    new = state.builder.op(rest, (owner,), name=owner.name, place=where)
    hold(state, node, owner, new)
    return found


def remove(state: Lowering, node: Any, owner: Value, key: Atom) -> None:
    """`del a[k]` and `del a[i:j]`."""
    if isinstance(owner.fact, facts.List) and isinstance(key, Const):
        items = items_of(state, owner)
        del items[key.value]
        become(state, node, owner, items)
        return
    if not isinstance(key.fact, facts.Scalar):
        write_slice(state, node, owner, key, state.builder.op(ir.make_list, ()))
        return
    start = state.builder.op(list_runtime.place_of_item, (owner, key), place=state.place(node))
    stop = state.builder.op(operator.add, (start, Const(1)))
    _spliced(state, node, owner, start, stop, ())


def write_slice(state: Lowering, node: Any, owner: Value, key: Atom, value: Atom) -> None:
    """`a[i:j] = b`."""
    more = consumed(state, value, node)
    place = state.place(node)
    known = isinstance(more.fact, (facts.Tuple, facts.List))
    if isinstance(owner.fact, facts.List) and isinstance(key, Const) and known:
        items = items_of(state, owner)
        items[key.value] = items_of(state, more)
        become(state, node, owner, items)
        return
    if not isinstance(more.fact, (facts.Tuple, facts.List, facts.ListOf)):
        raise NotYetSupported(
            f"writing {facts.describe(more.fact)} into a slice of a list", place, "make it a list"
        )
    listed = _of_any_length(state, node, owner)
    _check_flat(state, node, listed, "a[i:j] =")
    ends = state.builder.op(list_runtime.ends_of_slice, (listed, key), place=place)
    start, stop = (state.builder.op(operator.getitem, (ends, Const(k))) for k in range(2))
    operands = (listed, start, stop, more)
    new = state.builder.op(list_runtime.spliced, operands, name=owner.name, place=place)
    _check_alike(state, node, new)
    hold(state, node, owner, new)


def _check_alike(state: Lowering, node: Any, new: Atom) -> None:
    if isinstance(new.fact, facts.ListOf) and isinstance(new.fact.item, facts.Unknown):
        raise NotYetSupported(
            "putting things of different kinds into a list of unknown length", state.place(node),
            "use a list for each kind",
        )  # fmt: skip


def extend(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    """Items one after the other, so that each is added in place."""
    more = consumed(state, args[0], node)
    if isinstance(more.fact, facts.STRUCTURES):
        items = items_of(state, more)
        if isinstance(owner.fact, facts.List):
            become(state, node, owner, [*items_of(state, owner), *items])
            return NONE
        for item in items:
            run(state, node, {"items": owner, "item": item}, "items.append(item)")
        return NONE
    if more is owner or home_of_or_none(state, more) is home_of(state, owner).buffer:
        more = state.builder.op(operator.getitem, (more, Const(slice(None))))
    run(state, node, {"items": owner, "more": more}, "for item in more:\n    items.append(item)")
    return NONE


def home_of_or_none(state: Lowering, atom: Atom) -> Buffer | None:
    return home_of(state, atom).buffer if isinstance(atom, Value) else None


def extend_left(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    names = {"items": owner, "more": consumed(state, args[0], node)}
    run(state, node, names, "for item in more:\n    items.appendleft(item)")
    return NONE


def reverse(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    _check_flat(state, node, owner, "reverse")
    back = Const(slice(None, None, -1))
    _hold_part(state, node, owner, back)
    return NONE


def _hold_part(state: Lowering, node: Any, owner: Value, index: Atom) -> None:
    place = state.place(node)
    new = state.builder.op(operator.getitem, (owner, index), name=owner.name, place=place)
    hold(state, node, owner, new)


def rotate(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    """The last items first, `deque.rotate`."""
    op, listed = state.builder.op, _of_any_length(state, node, owner)
    _check_flat(state, node, listed, "rotate")
    turn = op(operator.neg, (args[0],)) if args else Const(-1)
    count = op(max, (op(len, (listed,)), Const(1)))
    start = op(operator.mod, (turn, count))
    parts = [
        op(operator.getitem, (listed, op(slice, bounds)))
        for bounds in ((start, Const(None)), (Const(None), start))
    ]
    new = op(list_runtime.joined, parts, name=owner.name, place=state.place(node))
    hold(state, node, owner, new)
    return NONE


def clear(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    if isinstance(owner.fact, facts.List):
        become(state, node, owner, ())
        return NONE
    forget_slots(state, home_of(state, owner), state.place(node))
    _hold_part(state, node, owner, Const(slice(0, 0)))
    return NONE


def copied(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    whole = Const(slice(None))
    return state.builder.op(operator.getitem, (owner, whole), place=state.place(node))


def index(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    return _asked(state, node, owner, args, operator.indexOf)


def count(state: Lowering, node: Any, owner: Value, args: Args) -> Atom:
    return _asked(state, node, owner, args, operator.countOf)


def _asked(state: Lowering, node: Any, owner: Value, args: Args, function: Any) -> Atom:
    if len(args) != 1:
        raise NotYetSupported("a range of places to look in", state.place(node), "slice the list")
    items = items_of(state, owner) if isinstance(owner.fact, facts.List) else []
    if items and all(isinstance(atom, Const) for atom in (*items, *args)):
        values = [atom.value for atom in items]  # type: ignore[union-attr]
        if function is operator.countOf or args[0].value in values:  # type: ignore[union-attr]
            return Const(function(values, args[0].value))  # type: ignore[union-attr]
    return state.builder.op(function, (owner, args[0]), place=state.place(node))


def in_order(state: Lowering, node: Any, owner: Value, keywords: dict[str, Atom]) -> Atom:
    """`a.sort()`: what `sorted` gives."""
    if isinstance(owner.fact, facts.ListOf):
        _check_flat(state, node, owner, "sort")
    elif any(map(may_alias, owner.fact.items)):  # type: ignore[union-attr]
        raise NotYetSupported(
            "`sort` of a list of lists, arrays or objects", state.place(node), "use `sorted`"
        )
    new = state.module.call(state, node, Const(sorted), (owner,), keywords)
    hold(state, node, owner, fresh(state, new, node))
    return NONE


def joined(state: Lowering, node: Any, left: Atom, right: Atom) -> Atom:
    """`a + b` of lists of which one has a length known only at run time."""
    for atom in (left, right):
        known = isinstance(atom.fact, facts.STRUCTURES)
        items = facts.leaves(atom.fact) if known else [atom.fact.item]  # type: ignore[union-attr]
        if any(map(may_alias, items)):
            raise NotYetSupported(
                "`+` of lists of lists, arrays or objects whose length is known only at run time",
                state.place(node), "copy one, and `extend` it",
            )  # fmt: skip
    new = state.builder.op(list_runtime.joined, (left, right), place=state.place(node))
    _check_alike(state, node, new)
    return new


def augment(state: Lowering, node: Any, old: Value, sign: Any, value: Atom) -> None:
    """`a += b` and `a *= 2`, which change the list itself."""
    if sign is gast.Add:
        extend(state, node, old, [value])
        return
    if sign is gast.Mult and isinstance(old.fact, facts.List) and isinstance(value, Const):
        become(state, node, old, items_of(state, old) * value.value)
        return
    if sign is gast.Mult and not may_alias(_of_any_length(state, node, old).fact.item):  # type: ignore[union-attr]
        new = state.builder.op(runtime.repeated, (old, value), name=old.name)
        hold(state, node, old, new)
        return
    raise NotYetSupported(
        "this augmented assignment to a list", state.place(node), "build a new list"
    )


def swap(state: Lowering, node: Any) -> bool:
    """`m[i], m[j] = m[j], m[i]` of a list that holds lists, arrays or objects, each of which it
    holds once; False where that is not what is written."""
    places = _swapped_places(node)
    if places is None:
        return False
    target, i, j = places
    owner = fresh(state, state.expression(target), node)
    if not isinstance(owner, Value) or not isinstance(owner.fact, (facts.List, facts.ListOf)):
        return False
    if isinstance(owner.fact, facts.TupleOf):
        return False
    indices = [state.expression(place) for place in (i, j)]
    known = isinstance(owner.fact, facts.List) and all(isinstance(p, Const) for p in indices)
    if known or not all(facts.is_scalar(place.fact) for place in indices):
        return False
    if not any(map(may_alias, facts_inside(owner.fact))):
        return False
    listed = as_value(state, home_of(state, owner), owner, node)
    forget_slots(state, home_of(state, owner), state.place(node))
    new = state.builder.op(
        list_runtime.swapped, (listed, *indices), name=owner.name, place=state.place(node)
    )
    hold(state, node, owner, new)
    return True


def facts_inside(fact: facts.Fact) -> Sequence[facts.Fact]:
    return fact.items if isinstance(fact, facts.List) else (fact.item,)  # type: ignore[union-attr]


def _swapped_places(node: Any) -> tuple[Any, Any, Any] | None:
    """The list and the two places of an assignment that swaps two items."""
    if len(node.targets) != 1:
        return None
    target, value = node.targets[0], node.value
    if not (isinstance(target, gast.Tuple) and isinstance(value, gast.Tuple)):
        return None
    items = [*target.elts, *value.elts]
    if len(items) != 4 or not all(isinstance(item, gast.Subscript) for item in items):
        return None
    if any(isinstance(part, (gast.Call, gast.NamedExpr)) for part in gast.walk(value)):
        return None
    lists = {gast.dump(item.value) for item in items}
    first, second, third, fourth = (gast.dump(item.slice) for item in items)
    if len(lists) > 1 or (first, second) != (fourth, third):
        return None
    return items[0].value, items[0].slice, items[1].slice
