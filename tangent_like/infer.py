"""The fact of an operation's result from the facts of its operands.

Most results are found by *abstract execution*: the operation itself runs on small dummy arrays
whose axis lengths stand for the symbolic sizes, twice with different lengths; a result axis
that follows a symbol in both runs has that symbol.  So a rule needs no shape function of its own.
Element-wise operations are computed directly, since they are the most frequent.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
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
)
from tangent_like.parts import is_own_object
from tangent_like.records import MakeRecord, attribute, place_of
from tangent_like.stores import Store

FactFunction = Callable[..., Fact]
special: dict[Any, FactFunction] = {}
"""Fact functions of operations that abstract execution cannot serve; they take operand facts."""

elementwise_functions: set[Any] = set()
"""Callables whose result has the broadcast shape of their operands (filled by the rules)."""


def infer(fn: Any, atoms: tuple[ir.Atom, ...], keywords: dict[str, ir.Atom]) -> Fact:
    """The fact of `fn(*atoms, **keywords)`; never fails, at worst Unknown."""
    if isinstance(fn, ir.Procedure):
        return facts.with_fresh_sizes(fn.result)
    if isinstance(fn, type) and issubclass(fn, BaseException):
        return Opaque(fn.__name__)
    if isinstance(fn, Store):
        return _fact_of_store(fn, atoms)
    if isinstance(fn, MakeRecord):
        return facts.Record(fn.type, fn.keys, tuple(atom.fact for atom in atoms))
    if fn in special:
        try:
            return special[fn](*atoms, **keywords)
        except (TypeError, ValueError, IndexError):  # so will the operation, if ever it is reached
            return UNKNOWN
    if fn in elementwise_functions and not keywords:
        found = _elementwise(fn, tuple([atom.fact for atom in atoms]), atoms)
        if found is not None:
            return found
    module = (getattr(fn, "__module__", None) or "").split(".")[0]
    if module in _CLOCKS_AND_LOGS and not isinstance(fn, type):
        return _CLOCKS.get(fn.__name__, Opaque("NoneType"))
    if any(isinstance(atom.fact, facts.Maybe) for atom in atoms):
        return UNKNOWN
    return execute(fn, atoms, keywords)


_CLOCKS_AND_LOGS = ("logging", "time", "warnings", "_warnings")
_CLOCKS: dict[str, Fact] = {
    **dict.fromkeys(("time", "perf_counter", "monotonic", "process_time"), facts.FLOAT),
    **dict.fromkeys(("time_ns", "perf_counter_ns", "monotonic_ns", "process_time_ns"), facts.INT),
    **dict.fromkeys(("ctime", "strftime", "asctime"), Opaque("str")),
}


# --- element-wise operations ---------------------------------------------------------------


_INEXACT = ("float16", "float32", "float64", "complex64", "complex128")


def _elementwise(fn: Any, operands: tuple[Fact, ...], atoms: tuple[ir.Atom, ...]) -> Fact | None:
    types = tuple([f.type for f in operands if isinstance(f, Scalar)])
    if len(types) == len(operands):
        own = tuple([f.numpy for f in operands if isinstance(f, Scalar)])
        return _shifted(fn, operands, atoms) or _result_scalar(fn, types, own)
    if not all(isinstance(f, (Scalar, Array)) for f in operands):
        return NUMERIC if all(facts.is_numeric(f) for f in operands) else None
    dims = broadcast([facts.dims(f) for f in operands])
    dtype = None
    if any(isinstance(f, Array) and facts.dtype(f) in _INEXACT for f in operands):
        # Beside an inexact array it does not matter which kind of real number a scalar is.
        operands = tuple(facts.FLOAT if f == Scalar("real") else f for f in operands)
    if all(facts.dtype(f) for f in operands):
        dtype = _result_dtype(fn, tuple(_pattern(f) for f in operands))
        if dtype in SHORT and any(isinstance(f, Scalar) and f.numpy for f in operands):
            dtype = None
    return array_of(dtype, dims)


SHORT = ("float16", "float32", "complex64")
"""Types that depend on whether a number beside them is Python's or NumPy's."""


def _shifted(fn: Any, operands: tuple[Fact, ...], atoms: tuple[ir.Atom, ...]) -> Fact | None:
    """`len(x) - 1` is a length too."""
    if fn is not operator.add and fn is not operator.sub:
        return None
    left = operands[0]
    step = atoms[1].value if isinstance(atoms[1], ir.Const) else None
    if isinstance(left, Scalar) and isinstance(left.size, Size) and type(step) is int:
        return Scalar("int", left.size.shifted(step if fn is operator.add else -step))
    return None


@lru_cache(maxsize=4096)
def _result_scalar(fn: Any, types: tuple[str, ...], numpy: tuple[bool, ...]) -> Scalar | None:
    if fn is operator.pow and set(types) <= {"bool", "int", "real"}:
        return Scalar("real")
    if "number" in types:
        return Scalar("number")
    mixed = "real" in types
    for real in (0.6, 1.6):  # the second for acosh and the like
        dummies = {"bool": True, "int": 1, "float": real, "complex": 0.6 + 0.1j, "real": real}
        args = [np.array(dummies[t])[()] if own else dummies[t] for t, own in zip(types, numpy)]
        result = _try(fn, tuple(args), {})
        if result is not _FAILED:
            break
    fact = facts.of_constant(result)
    if not isinstance(fact, Scalar):
        return None
    return Scalar("real" if mixed and fact.type == "float" else fact.type, numpy=fact.numpy)


def _pattern(fact: Fact) -> tuple[str, bool]:
    return (facts.dtype(fact) or "", isinstance(fact, Scalar))


@lru_cache(maxsize=4096)
def _result_dtype(fn: Any, patterns: tuple[tuple[str, bool], ...]) -> str | None:
    python = {"bool": True, "int64": 1, "float64": 0.6, "complex128": 0.6 + 0.1j}
    dummies = tuple(
        python[name] if scalar else np.full((1,), 0.6).astype(name) for name, scalar in patterns
    )
    result = _try(fn, dummies, {})
    return result.dtype.name if isinstance(result, np.ndarray) else None


def broadcast(shapes: list[tuple[Dim, ...] | None]) -> tuple[Dim, ...] | None:
    """The broadcast shape; None where not even the number of axes is known."""
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    count = max(map(len, known))
    return tuple(
        _broadcast_axis([s[i - count + len(s)] for s in known if i >= count - len(s)])
        for i in range(count)
    )


def _broadcast_axis(lengths: list[Dim]) -> Dim:
    different = list(dict.fromkeys(length for length in lengths if length != 1))
    if not different:
        return 1
    if len(different) == 1:
        return different[0]
    certain = [d for d in different if isinstance(d, int) or d.plural]
    return certain[0] if certain else facts.fresh_size()


# --- abstract execution --------------------------------------------------------------------

# One rising and one falling, so that what depends on which axis is longer is noticed; small, since
# a function may take long on large arrays.
_LENGTHS = ((5, 9, 14, 20, 27, 35, 44, 54), (25, 19, 11, 7, 6, 5, 4, 3))


class _NoDummy(Exception):
    """An operand has no representative value."""


class _Dummies:
    """Representative values for facts, with one length for each symbolic size."""

    def __init__(self, lengths: tuple[int, ...], integer: int = 1):
        self.lengths = iter(lengths)
        self.integer = integer
        self.sizes: dict[int, int] = {}
        self.plural: set[Size] = set()
        self.approximate = False
        self.any_list = False
        """Whether an operand is a list of any length, of which no length is to be believed."""
        self.numpy = self.short = False
        """Whether there are numbers that may be NumPy's, and arrays of a shorter type."""

    def length(self, dim: Dim) -> int:
        if isinstance(dim, int):
            return dim
        if dim.base not in self.sizes:
            length = next(self.lengths, None)
            if length is None:
                raise _NoDummy
            self.sizes[dim.base] = length
        if dim.plural:
            self.plural.add(Size(dim.base, dim.offset))
        return self.sizes[dim.base] + dim.offset

    def any_length(self) -> int:
        """A length that no symbol stands for."""
        self.approximate = self.any_list = True
        length = next(self.lengths, None)
        if length is None:
            raise _NoDummy
        return length

    def of(self, atom: ir.Atom) -> object:
        if not isinstance(atom, ir.Const):
            return self.of_fact(atom.fact)
        if is_own_object(atom.value):  # the user's code would run
            raise _NoDummy
        return atom.value

    def of_fact(self, fact: Fact) -> Any:
        match fact:
            case Scalar("int", size) if size is not None:
                return self.length(size)
            case Scalar("int" | "bool" as kind):
                self.approximate = True
                return self.integer if kind == "int" else True
            case Scalar(kind):
                self.numpy |= fact.numpy
                return {"complex": 0.6 + 0.1j}.get(kind, 0.6)
            case Array(dtype, sizes) if dtype and sizes is not None:
                return self.array(dtype, tuple(map(self.length, sizes)))
            case Tuple(items):
                return tuple(map(self.of_fact, items))
            case List(items):
                return [self.of_fact(item) for item in items]
            case ListOf(item):
                return [self.of_fact(item) for _ in range(self.any_length())]
            case facts.Record(kind, keys, items) if kind is dict:
                return dict(zip(keys, map(self.of_fact, items)))
            case Opaque("slice", None):
                self.approximate = True
                return slice(0, 2)
            case Opaque("slice", bounds) if bounds is not None:
                return slice(*bounds)
            case Opaque("NoneType" | "ellipsis" as kind):
                return None if kind == "NoneType" else ...
        raise _NoDummy

    def array(self, dtype: str, shape: tuple[int, ...]) -> Any:
        if math.prod(shape) > 200_000 or min(shape, default=0) < 0:
            raise _NoDummy
        if not dtype.startswith(("bool", "int", "uint", "float", "complex")):
            raise _NoDummy
        self.short |= dtype in SHORT
        if dtype.startswith(("int", "uint")):
            self.approximate = True
            return np.zeros(shape, dtype)
        made = _small_numbers if math.prod(shape) <= _SMALL else _numbers
        return made(dtype, shape).copy()


_SMALL = 10_000
"""Arrays of so many elements are kept for the next time."""


def _numbers(dtype: str, shape: tuple[int, ...]) -> Any:
    """Numbers from 0.3 to 0.8; square matrices are symmetric and well-conditioned."""
    values = 0.3 + 0.5 * np.sin(np.arange(1.0, 1.0 + math.prod(shape))).reshape(shape) ** 2
    if len(shape) >= 2 and shape[-1] == shape[-2] and dtype.startswith(("float", "complex")):
        values = values + np.swapaxes(values, -1, -2) + 2.0 * shape[-1] * np.eye(shape[-1])
    return values.astype(dtype) if shape else values.astype(dtype)[()]


_small_numbers = lru_cache(maxsize=512)(_numbers)


def execute(fn: Any, atoms: tuple[ir.Atom, ...], keywords: dict[str, ir.Atom]) -> Fact:
    results = []
    for integer, lengths in enumerate(_LENGTHS, start=1):
        dummies = _Dummies(lengths, integer)
        try:
            args = tuple(dummies.of(atom) for atom in atoms)
            named = {key: dummies.of(atom) for key, atom in keywords.items()}
        except _NoDummy:
            return UNKNOWN
        results.append((_try(fn, args, named), dummies))
    (first, one), (second, two) = results
    if first is _FAILED or second is _FAILED:
        return _execute_alike(fn, atoms, keywords)
    found = _merge(first, second, one, two)
    return _of_longer_type_perhaps(found) if one.numpy and one.short else found


def _of_longer_type_perhaps(fact: Fact) -> Fact:
    """The fact of a result that may also be of a longer type."""
    match fact:
        case Array(dtype, dims) if dtype in SHORT:
            return Array(None, dims)
        case Tuple(items) | List(items):
            return type(fact)(tuple(map(_of_longer_type_perhaps, items)))
    return fact


def _execute_alike(fn: Any, atoms: tuple[ir.Atom, ...], keywords: dict[str, ir.Atom]) -> Fact:
    """With all lengths equal: symbols that differ may still stand for equal lengths, among them
    those that are known."""
    for length in (7, *_known_lengths((*atoms, *keywords.values()))):
        dummies = _Dummies((length,) * 64)
        dummies.approximate = True
        args = tuple(dummies.of(atom) for atom in atoms)
        named = {key: dummies.of(atom) for key, atom in keywords.items()}
        result = _try(fn, args, named)
        if result is not _FAILED:
            dummies.sizes.clear()
            return _merge(result, result, dummies, dummies)
    return UNKNOWN


def _known_lengths(atoms: tuple[ir.Atom, ...]) -> list[int]:
    found: dict[int, None] = {}

    def note(dim: Dim) -> Dim:
        if isinstance(dim, int) and dim > 1:
            found[dim] = None
        return dim

    for atom in atoms:
        if not isinstance(atom, ir.Const):
            facts.map_sizes(atom.fact, note)
    return list(found)


class _Failed:
    pass


_FAILED = _Failed()


def _try(fn: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """The result of one abstract run.  A run may fail for reasons that say nothing about the
    user's values (a singular dummy matrix): then nothing is known of the result."""
    try:
        with np.errstate(all="ignore"):
            return fn(*args, **keywords)
    except Exception:
        return _FAILED


def _merge(first: Any, second: Any, one: _Dummies, two: _Dummies) -> Fact:
    if type(first) is not type(second) or first is _FAILED:
        return UNKNOWN
    if isinstance(first, np.ndarray):
        if first.ndim != second.ndim:
            return Array(first.dtype.name if first.dtype == second.dtype else None, None)
        axes = zip(first.shape, second.shape)
        found = tuple(_merge_axis(a, b, one, two) for a, b in axes)
        return Array(first.dtype.name, found)
    if one.any_list and isinstance(first, (tuple, list)):
        return _any_length(first, second, one, two)
    if isinstance(first, tuple):
        if len(first) != len(second):
            return UNKNOWN
        return Tuple(tuple(_merge(a, b, one, two) for a, b in zip(first, second)))
    if type(first) is list:
        if len(first) != len(second):
            return UNKNOWN
        return List(tuple(_merge(a, b, one, two) for a, b in zip(first, second)))
    if isinstance(first, int) and not isinstance(first, bool):
        dim = _merge_axis(first, second, one, two)
        return Scalar("int", dim if isinstance(dim, Size) and dim.base in one.sizes else None)
    return facts.of_constant(first)


def _any_length(first: Any, second: Any, one: _Dummies, two: _Dummies) -> Fact:
    """The fact of a list that is as long as one of the operands, perhaps."""
    if isinstance(first, tuple) or not first or not second:
        return UNKNOWN
    item = _merge(first[0], second[0], one, two)
    for a, b in zip(first, second):
        item = facts.join(item, _merge(a, b, one, two))
    return ListOf(item)


def _merge_axis(a: int, b: int, one: _Dummies, two: _Dummies) -> Dim:
    for base, length in one.sizes.items():
        if abs(a - length) <= 3 and a - length == b - two.sizes[base]:
            found = Size(base, a - length)
            return replace(found, plural=found in one.plural)
    if a == b and not one.approximate:
        return a
    return facts.fresh_size()


# --- operations with facts of their own -----------------------------------------------------


def _fact_of_item(container: ir.Atom, index: ir.Atom) -> Fact:
    fact = container.fact
    if isinstance(fact, facts.Record):
        return _item_of_record(fact, operator.getitem, index)
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
    return NUMERIC if isinstance(fact, Array) else UNKNOWN


def _item_of_record(fact: facts.Record, fn: Any, key: ir.Atom) -> Fact:
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
    return UNKNOWN


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
    return _item_by_execution(fact, index)


def _item_by_execution(fact: Array, index: ir.Atom) -> Fact:
    """Tuples of indices: NumPy's own rules decide, with every index inside bounds."""
    fact, index = _slices_first(fact, index)
    array = ir.Value("", fact)
    found = execute(_indexed, (array, index), {})
    return Array(fact.dtype, None) if found == UNKNOWN else found


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


def array_of(dtype: str | None, sizes: tuple[Dim, ...] | None) -> Fact:
    """The fact of what NumPy returns: a scalar rather than an array without axes."""
    if sizes == () and dtype in ("float64", "int64", "bool", "complex128"):
        return Scalar(dtype.rstrip("0123456789"), numpy=True)
    return Array(dtype, sizes)


def _fact_of_attribute(owner: ir.Atom, name: ir.Atom) -> Fact:
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


def _fact_of_length(container: ir.Atom) -> Fact:
    sizes = facts.dims(container.fact)
    if isinstance(container.fact, (Tuple, List)):
        return Scalar("int", len(container.fact.items))
    return Scalar("int", sizes[0] if sizes else None)


def item_of_iterable(atom: ir.Atom) -> Fact:
    """The fact of the loop variable of `for item in atom`."""
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
    return UNKNOWN


def _fact_of_store(store: Store, atoms: tuple[ir.Atom, ...]) -> Fact:
    """An array keeps its type; the items of a list or dict may be of another one then."""
    container, value = facts.defined(atoms[0].fact), facts.without_values(atoms[1].fact)
    keys = [own[0].fact if own else UNKNOWN for _, own in store.steps(atoms[2:])]
    return _stored(container, keys, value) if keys else container


def _stored(container: Fact, keys: list[Fact], value: Fact) -> Fact:
    if not isinstance(container, (ListOf, facts.DictOf)):
        return container
    key, *inner = keys
    item = _stored(container.item, inner, value) if inner else value
    if isinstance(container, ListOf):
        return ListOf(item if inner else facts.join(container.item, item))
    key = facts.join_known(container.key, facts.without_values(key))
    return facts.DictOf(
        key, item if inner else facts.join_known(container.item, item), container.default
    )


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


special[runtime.repeated] = lambda items, count: facts.join(items.fact, List(()))
special[operator.getitem] = _fact_of_item
special[getattr] = _fact_of_attribute
special[attribute] = lambda owner, name: _item_of_record(owner.fact, attribute, name)
special[len] = _fact_of_length
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
special[ir.unbound] = lambda name: UNKNOWN


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
special[str.format] = lambda *operands, **keywords: Opaque("str")
special[ir.freeze] = lambda tape: facts.ListOf(_fact_of_pop(tape))
special[ir.thaw] = lambda items: facts.Tape(item_of_iterable(items))
special[ir.flip] = lambda tape: Opaque("NoneType")
special[zip] = lambda *sources: facts.Zip(
    tuple(s.fact for s in sources), Tuple(tuple(map(item_of_iterable, sources)))
)
