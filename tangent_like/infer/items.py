"""The facts of items, attributes and lengths.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.facts import (
    NUMERIC,
    UNKNOWN,
    Array,
    Dim,
    Fact,
    List,
    ListOf,
    Opaque,
    Scalar,
    Size,
    Tuple,
    Unknown,
)
from tangent_like.infer.elementwise import array_of
from tangent_like.infer.representatives import execute
from tangent_like.records import place_of


def fact_of_item(container: ir.Atom, index: ir.Atom) -> Fact:
    fact = container.fact
    if isinstance(fact, facts.Record):
        return item_of_record(fact, operator.getitem, index)
    if isinstance(fact, (Tuple, List)):
        return _item_of_sequence(fact, index)
    if isinstance(fact, ListOf):
        return fact.item if isinstance(index.fact, Scalar) else fact
    if isinstance(fact, facts.DictOf):
        return UNKNOWN if fact.item == facts.NOTHING else fact.item
    if isinstance(fact, Array) and fact.dims is not None:
        return _item_of_array(fact, index)
    if fact == Opaque("range"):
        return fact if isinstance(index.fact, Opaque) else facts.INT
    if fact == Opaque("str"):
        return fact
    return NUMERIC if isinstance(fact, Array) else UNKNOWN


def item_of_record(fact: facts.Record, fn: Any, key: ir.Atom) -> Fact:
    place = place_of(fact, fn, key.value) if isinstance(key, ir.Const) else None
    return UNKNOWN if place is None else fact.items[place]


def _item_of_sequence(fact: Tuple | List, index: ir.Atom) -> Fact:
    if isinstance(index, ir.Const) and isinstance(index.value, int):
        if -len(fact.items) <= index.value < len(fact.items):
            return fact.items[index.value]
        return UNKNOWN
    if isinstance(index, ir.Const) and isinstance(index.value, slice):
        return type(fact)(fact.items[index.value])
    if isinstance(index.fact, Scalar) and fact.items:
        joined = fact.items[0]
        for item in fact.items[1:]:
            joined = facts.join(joined, item)
        return joined
    if isinstance(index.fact, Opaque) and index.fact.kind == "slice" and fact.items:
        return _slice_of_unknown_length(fact)
    return UNKNOWN


def _slice_of_unknown_length(fact: Tuple | List) -> Fact:
    """Of items that are numbers or texts: others may be shared."""
    item = facts.without_values(facts.join_items(fact.items))
    if not isinstance(item, Scalar) and item != Opaque("str"):
        return UNKNOWN
    return facts.TupleOf(item) if isinstance(fact, Tuple) else ListOf(item)


def _item_of_array(fact: Array, index: ir.Atom) -> Fact:
    assert fact.dims is not None
    if isinstance(index.fact, Scalar) and index.fact.type == "int":
        return array_of(fact.dtype, fact.dims[1:])
    if isinstance(index, ir.Const) and isinstance(index.value, slice):
        length = _sliced(fact.dims[0], index.value) if fact.dims else None
        return Array(fact.dtype, (length, *fact.dims[1:])) if length is not None else UNKNOWN
    if isinstance(index.fact, Opaque) and index.fact.kind == "slice" and fact.dims:
        return Array(fact.dtype, (facts.fresh_size(), *fact.dims[1:]))
    if isinstance(index.fact, Array) and index.fact.dtype and index.fact.dims is not None:
        if index.fact.dtype == "bool":
            rest = fact.dims[len(index.fact.dims) :]
            return Array(fact.dtype, (facts.fresh_size(), *rest))
        return Array(fact.dtype, (*index.fact.dims, *fact.dims[1:]))
    parts = index.fact.items if isinstance(index.fact, Tuple) else ()
    if parts and all(isinstance(p, Scalar) and p.type == "int" for p in parts):
        return array_of(fact.dtype, fact.dims[len(parts) :])
    return _item_by_execution(fact, index)


def _item_by_execution(fact: Array, index: ir.Atom) -> Fact:
    """Tuples of indices: NumPy's own rules decide, with every index inside bounds."""
    fact, index = _slices_first(fact, _masks_as_places(index))
    array = ir.Value("", fact)
    found = execute(_indexed, (array, index), {})
    return Array(fact.dtype, None) if isinstance(found, Unknown) else found


def _masks_as_places(index: ir.Atom) -> ir.Atom:
    """An index with integers in the place of each mask, as `nonzero` gives them: how many places
    a mask chooses is not known, and it is not the length of the mask."""
    parts = index.fact.items if isinstance(index.fact, Tuple) else ()
    masks = [p for p in parts if isinstance(p, Array) and p.dtype == "bool" and p.dims]
    if not masks:
        return index
    places = Array("int64", (facts.fresh_size(),))
    found: list[Fact] = []
    for part in parts:
        dims = part.dims if isinstance(part, Array) and part.dtype == "bool" else None
        found += [places] * len(dims) if dims else [part]
    return ir.Value("", Tuple(tuple(found)))


def _slices_first(fact: Array, index: ir.Atom) -> tuple[Array, ir.Atom]:
    """The fact of an array whose slices are taken, and the index with whole axes in their place:
    how long `x[i, :3]` is, no array that stands for x can tell."""
    assert fact.dims is not None
    parts = _parts_of_index(index)
    if not any(isinstance(part, slice) for part in parts):
        return fact, index
    axes = _axes_of(parts, len(fact.dims))
    dims = list(fact.dims)
    for k, (part, axis) in enumerate(zip(parts, axes, strict=True)):
        if isinstance(part, slice) and axis < len(dims):
            dims[axis] = _sliced(dims[axis], part)
            parts[k] = slice(None)
    whole = facts.Opaque("slice", (None, None, None))
    if isinstance(index, ir.Const):
        return Array(fact.dtype, tuple(dims)), ir.Const(tuple(parts))
    taken = tuple(whole if isinstance(part, slice) else part for part in parts)
    return Array(fact.dtype, tuple(dims)), ir.Value("", Tuple(taken))


def _parts_of_index(index: ir.Atom) -> list[Any]:
    """The indices of a tuple: those of a constant, else their facts; slices with known bounds."""
    if isinstance(index, ir.Const):
        return list(index.value) if isinstance(index.value, tuple) else []
    items = index.fact.items if isinstance(index.fact, Tuple) else ()
    return [
        slice(*f.detail) if isinstance(f, Opaque) and f.kind == "slice" and f.detail else f
        for f in items
    ]


def _axes_of(parts: list[Any], rank: int) -> list[int]:
    """The axis that each part of an index begins with."""
    counts = [_axes_taken(part) for part in parts]
    rest = rank - sum(count for count in counts if count is not None)
    found, axis = [], 0
    for count in counts:
        found.append(axis)
        axis += rest if count is None else count
    return found


def _axes_taken(part: Any) -> int | None:
    """How many axes a part of an index stands for; None for an ellipsis."""
    if part is None or part == Opaque("NoneType"):
        return 0
    if part is ... or part == Opaque("ellipsis"):
        return None
    fact = part if isinstance(part, Fact) else facts.of_constant(part)
    sizes = facts.dims(fact) if facts.dtype(fact) == "bool" else None
    return 1 if sizes is None else len(sizes)


def _indexed(array: Any, index: Any) -> Any:
    result = array[index]
    return result.copy() if isinstance(result, np.ndarray) else result


def _sliced(dim: Dim, index: slice) -> Dim:
    start, stop, step = index.start, index.stop, index.step
    plain = all(v is None or isinstance(v, int) for v in (start, stop, step))
    if isinstance(dim, int) and plain:
        return len(range(*index.indices(dim)))
    if step in (None, 1) and plain and (start or 0) >= 0 and (stop is None or stop < 0):
        assert isinstance(dim, Size)
        return dim.shifted((stop or 0) - (start or 0))
    if step == -1 and start is None and stop is None:
        return dim
    return facts.fresh_size()


def fact_of_attribute(owner: ir.Atom, name: ir.Atom) -> Fact:
    attribute = name.value if isinstance(name, ir.Const) else None
    fact = owner.fact
    sizes = facts.dims(fact)
    if attribute == "shape" and sizes is not None:
        return Tuple(tuple(Scalar("int", d) for d in sizes))
    if attribute in ("ndim", "size"):
        if attribute == "size" and sizes is not None and len(sizes) == 1:
            return Scalar("int", sizes[0])
        return Scalar("int")
    if attribute == "dtype":
        return Opaque("dtype")
    if attribute in ("T", "mT", "real", "imag") and isinstance(fact, (Array, Scalar)):
        return execute(getattr, (owner, name), {}) if facts.dtype(fact) else NUMERIC
    return UNKNOWN


def fact_of_length(container: ir.Atom) -> Fact:
    sizes = facts.dims(container.fact)
    if isinstance(container.fact, (Tuple, List)):
        return Scalar("int", len(container.fact.items))
    return Scalar("int", sizes[0] if sizes else None)


def item_of_iterable(atom: ir.Atom) -> Fact:
    """The fact of the loop variable of `for item in atom`."""
    return facts.of_one(_item_of_iterable(atom))


def _item_of_iterable(atom: ir.Atom) -> Fact:
    fact = atom.fact
    match fact:
        case Array(dtype, sizes) if sizes:
            return array_of(dtype, sizes[1:])
        case Array():
            return NUMERIC
        case ListOf(item) | facts.Tape(item) | facts.Zip(_, item):
            return item
        case Tuple(items) | List(items) if items:
            joined = items[0]
            for item in items[1:]:
                joined = facts.join(joined, item)
            return joined
        case Opaque("range"):
            return facts.INT
        case Opaque("str"):
            return fact
    return UNKNOWN
