"""Statements, methods and functions that write into arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gast
import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.errors import NeverSupported, NotYetSupported, Place
from tangent_like.frontend import dicts, edits, lists
from tangent_like.frontend.arithmetic import BINARY, DUNDERS, binary
from tangent_like.frontend.homes import home_of
from tangent_like.frontend.memory import fresh, set_lost
from tangent_like.frontend.points import element_index
from tangent_like.frontend.protocols import call_special, is_protocol_object, special_method
from tangent_like.frontend.scope import Buffer, Conflict
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import write
from tangent_like.frontend.structures import write_attribute
from tangent_like.ir import Atom, Const, Value
from tangent_like.stores import names_elements_once

WHOLE = Const(...)


def write_item(state: Lowering, node: Any, container: Atom, index: Atom, value: Atom) -> None:
    """`container[index] = value`."""
    container = fresh(state, container, node)
    if special_method(container, "__setitem__") is not None:
        call_special(state, node, "__setitem__", container, (index, fresh(state, value, node)))
        return
    if lists.is_container(container) and isinstance(container, Value):
        lists.write_item(state, node, container, index, fresh(state, value, node))
        return
    container = array_of(state, node, container)
    index = _element(state, container, index)
    write(state, node, container, index, as_array(state, fresh(state, value, node)))


def augment_item(state: Lowering, node: Any) -> None:
    """`container[index] += value`, and with every other operator."""
    target = node.target
    container, index = state.expression(target.value), state.expression(target.slice)
    if special_method(container, "__getitem__") is not None:
        old = call_special(state, node, "__getitem__", container, (index,))
        _augment_part(state, node, old,
                      lambda new: write_item(state, node, container, index, new))  # fmt: skip
        return
    if lists.is_container(container):
        if isinstance(container.fact, facts.Record) and not isinstance(index, Const):
            old = dicts.read_key(state, node, dicts.as_any(state, node, container), index)
        elif isinstance(container.fact, facts.DictOf):
            old = dicts.read_key(state, node, fresh(state, container, node), index)
        else:
            old = state.builder.op(operator.getitem, (container, index))
        _augment_part(state, node, old,
                      lambda new: write_item(state, node, container, index, new))  # fmt: skip
        return
    container = array_of(state, node, container)
    index = _element(state, container, index)
    written = state.written
    value = as_array(state, state.expression(node.value))
    if state.written > written:
        raise NotYetSupported(
            "an augmented assignment whose right side writes into an array",
            state.place(node), "compute the right side before",
        )  # fmt: skip
    combine = BINARY[type(node.op)]
    if names_elements_once(index) and not _needs_what_was_there(container, combine):
        write(state, node, container, index, value, combine)
        return
    old = state.builder.op(operator.getitem, (container, index), place=state.place(node))
    new = state.builder.op(combine, (old, value), place=state.place(node))
    write(state, node, container, index, new)


def _element(state: Lowering, array: Value, index: Atom) -> Atom:
    """The index of an element without `...`, which would make it a view without axes."""
    found = element_index(state, array, index)
    return index if found is None else found


def note_element_view(state: Lowering, container: Atom, index: Atom, found: Atom) -> None:
    """Remember that `x[i, ...]` gave an element of x as a view, where that may be a number for all
    that is known."""
    if facts.is_point(found.fact):
        return
    if isinstance(container, Value) and isinstance(container.fact, facts.Array):
        if _element(state, container, index) is not index:
            state.element_views.add(home_of(state, container).buffer)


def _needs_what_was_there(array: Value, combine: Any) -> bool:
    """Whether the derivative reads the elements as they were: then they are read before, so that
    they can be saved rather than the array.  Integers are left to NumPy's rules of casting."""
    if combine in (operator.add, operator.sub):
        return False
    return isinstance(array.fact, facts.Array) and array.fact.dtype in _FLOATS


_FLOATS = ("float64", "float32", "complex128", "complex64")


def augment_attribute(state: Lowering, node: Any) -> None:
    """`owner.name += value`."""
    target = node.target
    owner = state.expression(target.value)
    old = state.expression(target)
    _augment_part(
        state, node, old, lambda new: write_attribute(state, node, owner, target.attr, new)
    )


def _augment_part(
    state: Lowering, node: Any, old: Atom, write_back: Callable[[Atom], None]
) -> None:
    """An augmented assignment to an item of a list or dict, or to an attribute."""
    old = fresh(state, old, node)
    if isinstance(old.fact, (facts.Scalar, facts.Tuple, facts.TupleOf, facts.Opaque)):
        value = state.expression(node.value)
        write_back(binary(state, node, old, value))
        return
    new = augment(state, node, old)
    if new is not None:
        write_back(new)


def augment(state: Lowering, node: Any, old: Atom) -> Atom | None:
    """`y += value` where y may be an array: the new value of the name, None if it stays bound to
    the same array."""
    if isinstance(old.fact, facts.TupleOf):
        return binary(state, node, old, state.expression(node.value))
    if isinstance(old.fact, (facts.List, facts.ListOf)) and isinstance(old, Value):
        more = state.expression(node.value)
        edits.augment(state, node, fresh(state, old, node), type(node.op), more)  # type: ignore[arg-type]
        return None
    if lists.is_container(old) and isinstance(old, Value) and isinstance(node.op, gast.BitOr):
        more = state.expression(node.value)
        dicts.update(state, node, fresh(state, old, node), [more])  # type: ignore[arg-type]
        return None
    if is_protocol_object(old):
        return _augment_object(state, node, old)
    if _is_shape(state, old):
        return state.builder.op(
            BINARY[type(node.op)], (old, state.expression(node.value)), place=state.place(node)
        )
    value = state.expression(node.value)
    if isinstance(old.fact, facts.Unknown) and isinstance(value.fact, facts.STRUCTURES):
        raise NotYetSupported(
            f"adding {facts.describe(value.fact)} to what may be a sequence or an array",
            state.place(node), "a tuple that grows has no known length: use a list, and `append`",
        )  # fmt: skip
    value = as_array(state, value)
    old, combine = fresh(state, old, node), BINARY[type(node.op)]
    if isinstance(old.fact, facts.Array) and (old.fact.dims or facts.is_point(old.fact)):
        write(state, node, old, None, value, combine)
        return None
    # A number is bound anew, an array without axes changed: only other names could tell.
    place = state.place(node)
    if isinstance(old, Value) and facts.rank(old.fact) == 0:
        note_changed(state, old, place)
    new = state.builder.op(combine, (old, value), place=place)
    if isinstance(old, Value) and facts.rank(old.fact) != 0:
        set_lost(state, home_of(state, old), old.name, place)
    return new


def _augment_object(state: Lowering, node: Any, old: Atom) -> Atom:
    """`a += b` is what `__iadd__` gives, or `a + b` in a class without it."""
    value = state.expression(node.value)
    old = fresh(state, old, node)
    name = DUNDERS[type(node.op)].replace("__", "__i", 1)
    if special_method(old, name) is not None:
        return call_special(state, node, name, old, (value,))
    return binary(state, node, old, value)


def _is_shape(state: Lowering, value: Atom) -> bool:
    """Whether a value of unknown type is the shape of an array, or begins with one: a tuple."""
    made = state.builder.definitions.get(value) if isinstance(value, Value) else None
    if made is None or not isinstance(value.fact, facts.Unknown):
        return False
    if made.fn is getattr:
        return isinstance(made.args[1], Const) and made.args[1].value == "shape"
    sliced = made.fn is operator.getitem and isinstance(made.args[1].fact, facts.Opaque)
    return (sliced or made.fn is operator.add) and _is_shape(state, made.args[0])


def note_changed(state: Lowering, old: Value, place: Place) -> None:
    """Let no other name be read of what `+=` may have changed: an argument without axes, or what a
    function made that gives arrays even then.  Other results are certain to be numbers."""
    pending: list[Atom] = [old]
    seen: set[Value] = set()
    while pending:
        value = pending.pop()
        if not isinstance(value, Value) or value in seen or facts.is_scalar(value.fact):
            continue
        seen.add(value)
        op = state.builder.definitions.get(value)
        if op is not None:
            pending += op.args[:1] if op.fn in _PASS_ON else ()
        if value in state.builder.sources:
            pending += state.builder.sources[value]
        elif op is None or op.fn in _PASS_ON or op.fn in _MAKE:
            state.written += 1
            buffer = state.changed.setdefault(value, Buffer(value))
            state.memory[buffer] = Conflict(old.name, place, "it may have been changed")


_PASS_ON: frozenset[Any] = frozenset({
    np.asarray, np.asanyarray, np.reshape, np.squeeze, np.transpose, np.broadcast_to, ir.defined,
    runtime.bound,
})  # fmt: skip
_MAKE: frozenset[Any] = frozenset({
    np.array, np.copy, np.zeros, np.ones, np.full, np.empty, np.zeros_like, np.ones_like,
    np.full_like, np.empty_like, np.where,
})  # fmt: skip


def array_of(state: Lowering, node: Any, container: Atom) -> Value:
    fact = facts.defined(container.fact)
    if not isinstance(container, Value) or not isinstance(fact, (facts.Array, facts.Unknown)):
        raise NotYetSupported(
            f"writing into {facts.describe(fact)}", state.place(node), "use an array"
        )
    return container


def as_array(state: Lowering, value: Atom) -> Atom:
    """What is stored: a list of numbers is an array of them."""
    if isinstance(value.fact, (facts.Tuple, facts.List, facts.ListOf)):
        return state.builder.op(np.array, (value,))
    return value


# --- methods and functions ----------------------------------------------------------------------

Arguments = Sequence[Atom]
Writer = Callable[[Lowering, Any, Sequence[Atom], Mapping[str, Atom]], Atom]
NONE = Const(None)


def _fill(state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]) -> Atom:
    array, value = taken(state, node, args, keywords, ("self", "value"), 2)
    write(state, node, array, WHOLE, value)
    return NONE


def _ordered(function: Any) -> Writer:
    """`y.sort()` is `y[...] = np.sort(y)`."""

    def write_ordered(
        state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]
    ) -> Atom:
        array, *rest = args
        done = state.builder.op(function, (array, *rest), dict(keywords), place=state.place(node))
        write(state, node, array, WHOLE, done)
        return NONE

    return write_ordered


def _copyto(state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]) -> Atom:
    named = dict(keywords)
    mask = named.pop("where", None)
    target, source = taken(state, node, args, named, ("dst", "src"), 2)
    source = as_array(state, source)
    if mask is not None:
        source = state.builder.op(np.where, (mask, source, target), place=state.place(node))
    write(state, node, target, WHOLE, source)
    return NONE


def _putmask(state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]) -> Atom:
    names = ("a", "mask", "values")
    array, mask, values = taken(state, node, args, keywords, names, 3)
    if facts.rank(values.fact) != 0 and not facts.same_shape(values.fact, array.fact):
        raise NotYetSupported(
            "`putmask` with values of another shape", state.place(node), "write `a[mask] = values`"
        )
    new = state.builder.op(np.where, (mask, values, array), place=state.place(node))
    write(state, node, array, WHOLE, new)
    return NONE


def _place(state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]) -> Atom:
    array, mask, values = taken(state, node, args, keywords, ("arr", "mask", "vals"), 3)
    if facts.rank(values.fact) != 0:
        raise NotYetSupported(
            "`place` with several values", state.place(node), "write `a[mask] = values`"
        )
    write(state, node, array, mask, values)
    return NONE


def _fill_diagonal(
    state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]
) -> Atom:
    array, value = taken(state, node, args, keywords, ("a", "val"), 2)
    if facts.rank(array.fact) != 2:
        raise NotYetSupported(
            "`fill_diagonal` of an array that is not known to have two axes", state.place(node),
            "write `a[i, i] = value` in a loop",
        )  # fmt: skip
    op = state.builder.op
    shape = op(getattr, (array, Const("shape")))
    lengths = [op(operator.getitem, (shape, Const(k))) for k in range(2)]
    along = op(np.arange, (op(min, lengths),))
    index = op(ir.make_tuple, (along, along))
    write(state, node, array, index, as_array(state, value))
    return NONE


def _nan_to_num(
    state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]
) -> Atom:
    """`np.nan_to_num(y, copy=False)` writes into y."""
    named, place = dict(keywords), state.place(node)
    copies = named.pop("copy", args[1] if len(args) > 1 else Const(True))
    if not isinstance(copies, Const):
        raise NotYetSupported("`copy` that is known only at run time", place)
    given = [*args[:1], Const(True), *args[2:]]
    value = state.builder.op(np.nan_to_num, given if len(args) > 1 else args, named, place=place)
    if copies.value or not args or not isinstance(facts.defined(args[0].fact), facts.Array):
        return value
    write(state, node, args[0], WHOLE, value)
    return fresh(state, args[0], node)


def taken(
    state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom],
    names: Sequence[str], count: int,
) -> list[Atom]:  # fmt: skip
    """The arguments by position; others are refused."""
    found = dict(zip(names, args)) | dict(keywords)
    if len(args) > count or set(found) != set(names[:count]):
        raise NotYetSupported("these arguments of this function", state.place(node))
    return [fresh(state, found[name], node) for name in names[:count]]


METHODS: dict[str, Writer] = {
    "fill": _fill, "sort": _ordered(np.sort), "partition": _ordered(np.partition),
}  # fmt: skip
FUNCTIONS: dict[Any, Writer] = {
    np.copyto: _copyto, np.putmask: _putmask, np.place: _place, np.fill_diagonal: _fill_diagonal,
    np.nan_to_num: _nan_to_num,
}  # fmt: skip


def refuse_outside(state: Lowering, node: Any, before: Any, mark: int, what: str) -> None:
    """Refuse if memory from before a block was written in it."""
    for buffer, now in state.memory.items():
        if buffer.root.serial < mark and now is not before.get(buffer, buffer.root):
            raise NeverSupported(
                f"writing into `{buffer.name}` in {what}", state.place(node), "write into a copy"
            )


