"""What the compiler knows about a value: a lattice of facts.

    Unknown                      nothing
    Undefined                    the name has no value on this path
    Maybe(fact)                  may have no value; `fact` where it has one; `certain` where no
                                 path on which it has none goes on to read it
    Scalar(type, size)           a Python number (np.float64 and np.int64 count as float and int);
                                 `numpy` where it may be one of these: beside float32 they count
    Array(dtype, dims)           an ndarray or NumPy scalar; dims None: rank unknown, maybe a scalar
    Tuple(items), List(items)    of known length
    Record(type, keys, items)    a dict, named tuple or object whose keys or attributes are known
    ListOf(item)                 a list of any length whose items are alike
    TupleOf(item)                a tuple of any length: a list that never changes
    DictOf(key, item)            a dict with keys known only at run time, whose items are alike
    Zip(sources, item)           several of these, iterated side by side
    Tape(item)                   what a forward sweep saves for the reverse sweep
    Opaque(kind)                 strings, None, ranges, slices, functions: never differentiated

Axis lengths are `Size`s: symbols that are equal exactly where the lengths are known to be equal.
Facts only ever remove work: everything must also be right from Unknown.
"""

from __future__ import annotations

import builtins
import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from functools import reduce

import numpy as np

from tangent_like.nodes import node
from tangent_like.parts import parts_of

_numbers = itertools.count(1)


@node(frozen=True, slots=True)
class Size:
    """An axis length `base + offset`; `plural` promises that it is not 1.

    One that `varies` is that of the items of a list, each of which may have another length; who
    reads an item gives its length a symbol (`of_one`).
    """

    base: int
    offset: int = 0
    plural: bool = field(default=False, compare=False)
    varies: bool = False

    def shifted(self, by: int) -> Size:
        return Size(self.base, self.offset + by) if by else self


Dim = int | Size


def fresh_size(plural: bool = False) -> Size:
    return Size(next(_numbers), 0, plural)


@node(frozen=True, slots=True)
class Unknown:
    """Nothing is known."""

    objects: bool = False
    """Whether it may be an object of a class of the user's, with operators of its own."""


@node(frozen=True, slots=True)
class Undefined:
    """The name has no value on this path."""


@node(frozen=True, slots=True)
class Maybe:
    """The value may be missing; `fact` where it is there."""

    fact: Fact
    certain: bool = False


@node(frozen=True, slots=True)
class Scalar:
    """`type` is bool, int, float, complex, "real" (int or float) or "number".

    Python's numbers take on the type of an array beside them, NumPy's do not: an array of a
    shorter type is computed with in double precision.  Only that depends on `numpy`.
    """

    type: str
    size: Dim | None = None
    numpy: bool = field(default=False, compare=False)


@node(frozen=True, slots=True)
class Array:
    """`dtype` is None where the element type is not known, `dims` where the rank is not."""

    dtype: str | None = None
    dims: tuple[Dim, ...] | None = None


@node(frozen=True, slots=True)
class Tuple:
    """A tuple of known length."""

    items: tuple[Fact, ...]


@node(frozen=True, slots=True)
class List:
    """A list of known length."""

    items: tuple[Fact, ...]


@node(frozen=True, slots=True)
class Record:
    """A dict, named tuple or object: `keys` are the keys, or the names of the attributes."""

    type: type
    keys: tuple[object, ...]
    items: tuple[Fact, ...]

    def with_items(self, items: tuple[Fact, ...]) -> Record:
        return Record(self.type, self.keys, items)


@node(frozen=True, slots=True)
class ListOf:
    """A list of any length whose items are alike."""

    item: Fact


@node(frozen=True, slots=True)
class TupleOf(ListOf):
    """A tuple of any length whose items are alike: a list into which nothing is written.

    Its tangent is a tuple, its cotangent a list, to which can be added.
    """


@node(frozen=True, slots=True)
class DictOf:
    """A dict with any keys of one kind; `default` makes the items that a `defaultdict` adds."""

    key: Fact
    item: Fact
    default: object = None


@node(frozen=True, slots=True)
class Tape:
    """A list that the forward sweep fills and the reverse sweep empties."""

    item: Fact


@node(frozen=True, slots=True)
class Zip:
    """Iterables side by side."""

    sources: tuple[Fact, ...]
    item: Fact


@node(frozen=True, slots=True)
class Opaque:
    """`detail` holds the bounds of a constant slice."""

    kind: str
    detail: tuple[object, ...] | None = None


Structure = Tuple | List | Record
STRUCTURES = (Tuple, List, Record)
"""Facts of what is taken apart into its items: they have `items`."""

Containers = Structure | ListOf | DictOf
Fact = Unknown | Undefined | Maybe | Scalar | Array | Containers | Tape | Zip | Opaque

UNKNOWN = Unknown()
OBJECT = Unknown(objects=True)
UNDEFINED = Undefined()
FLOAT = Scalar("float")
INT = Scalar("int")
BOOL = Scalar("bool")
NUMERIC = Array(None, None)
NONE = Opaque("NoneType")
RANGE = Opaque("range")
NOTHING = Opaque("nothing")
"""The fact of the keys and items of a dict that has none."""

_SCALAR_ORDER = ("bool", "int", "real", "float", "complex", "number")


def of_constant(value: object) -> Fact:
    """The fact of a compile-time constant or an example value, without sizes."""
    if type(value) is float:
        return FLOAT
    if isinstance(value, (bool, np.bool_)):
        return BOOL
    if isinstance(value, (int, np.int64)):
        return Scalar("int", value) if isinstance(value, int) else Scalar("int", numpy=True)
    if isinstance(value, float):
        return Scalar("float", numpy=True)
    if isinstance(value, complex):
        return Scalar("complex", numpy=type(value) is not complex)
    if isinstance(value, (np.ndarray, np.generic)):
        return Array(value.dtype.name, tuple(value.shape))
    if type(value) is tuple:
        return Tuple(tuple(of_constant(v) for v in value))
    if type(value) is list:
        return List(tuple(of_constant(v) for v in value))
    parts = parts_of(value)
    if parts is not None:
        items = tuple(of_constant(v) for v in parts.values())
        return Record(type(value), tuple(parts), items)
    if isinstance(value, slice):
        return Opaque("slice", (value.start, value.stop, value.step))
    return Opaque("function" if callable(value) else type(value).__name__)


def join(a: Fact, b: Fact) -> Fact:
    """The least fact that covers both."""
    if a == b:
        return b if isinstance(b, Scalar) and b.numpy else a
    match a, b:
        case (Undefined(), other) | (other, Undefined()):
            return Maybe(defined(other))
        case (Maybe(inner, sure), other) | (other, Maybe(inner, sure)):
            whole = other if isinstance(other, Maybe) else Maybe(other, True)
            return Maybe(join(inner, whole.fact), sure and whole.certain)
        case Scalar(), Scalar():
            size = a.size if a.size == b.size else None
            return Scalar(_join_scalar_types(a.type, b.type), size, a.numpy or b.numpy)
        case Array(), Array():
            return Array(a.dtype if a.dtype == b.dtype else None, _join_dims(a.dims, b.dims))
        case (Array(), Scalar()) | (Scalar(), Array()):
            return NUMERIC
        case (Tuple(), Tuple()) if len(a.items) == len(b.items):
            return Tuple(tuple(map(join, a.items, b.items)))
        case (List(), List()) if len(a.items) == len(b.items):
            return List(tuple(map(join, a.items, b.items)))
        case (Record(), Record()) if a.type is b.type and a.keys == b.keys:
            return a.with_items(tuple(map(join, a.items, b.items)))
        case (List() | ListOf(), List() | ListOf()) | (Tuple() | TupleOf(), Tuple() | TupleOf()):
            return _join_sequences(a, b)  # type: ignore[arg-type]
        case (DictOf() | Record(type=builtins.dict), DictOf() | Record(type=builtins.dict)):
            joined = _join_dicts(a, b)
            if isinstance(a, DictOf) or isinstance(b, DictOf) or _is_known(joined.item):
                return joined
    return OBJECT if may_be_object(a) or may_be_object(b) else UNKNOWN


def _join_scalar_types(a: str, b: str) -> str:
    if a == b:
        return a
    if {a, b} <= {"bool", "int", "real", "float"}:
        return "real"
    return "number"


def _join_dims(a: tuple[Dim, ...] | None, b: tuple[Dim, ...] | None) -> tuple[Dim, ...] | None:
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(x if x == y else fresh_size() for x, y in zip(a, b))


def _join_sequences(a: List | Tuple | ListOf, b: List | Tuple | ListOf) -> Fact:
    """Of lists or tuples of which the length is not known, or not the same."""
    tuples = [isinstance(x, (Tuple, TupleOf)) for x in (a, b)]
    if tuples[0] != tuples[1] or (isinstance(a, Tuple) and isinstance(b, Tuple)):
        return UNKNOWN
    items = [f for x in (a, b) for f in ((x.item,) if isinstance(x, ListOf) else x.items)]
    joined = join_items(items) if items else UNKNOWN
    return TupleOf(joined) if tuples[0] else ListOf(joined)


def join_items(items: Sequence[Fact]) -> Fact:
    """The fact of each of several items: where their lengths differ, one that varies."""
    joined = reduce(join, items)
    known = {*sizes_in(items[0])}

    def of(dim: Dim) -> Dim:
        return dim if dim in known or isinstance(dim, int) else replace(dim, varies=True)

    return map_sizes(joined, of)


def sizes_in(fact: Fact) -> list[Dim]:
    """The lengths in a fact."""
    found: list[Dim] = []

    def note(dim: Dim) -> Dim:
        found.append(dim)
        return dim

    map_sizes(fact, note)
    return found


def of_one(fact: Fact) -> Fact:
    """The fact of one item of a list: a length that varies between the items is a new symbol."""
    match fact:
        case Array(dtype, dims) if dims is not None:
            if not any(isinstance(dim, Size) and dim.varies for dim in dims):
                return fact
            return Array(dtype, tuple(map(_one_length, dims)))
        case Tuple(items) | List(items) | Record(_, _, items):
            own = tuple(map(of_one, items))
            same = all(map(operator.is_, own, items))
            return fact if same else with_items(fact, own)
        case Maybe(inner, certain):
            return Maybe(of_one(inner), certain)
    return fact


def _one_length(dim: Dim) -> Dim:
    return fresh_size(dim.plural) if isinstance(dim, Size) and dim.varies else dim


def _is_known(item: Fact) -> bool:
    return item != NOTHING and not isinstance(item, Unknown)


def _join_dicts(a: DictOf | Record, b: DictOf | Record) -> DictOf:
    tables = [x if isinstance(x, DictOf) else _as_table(x) for x in (a, b)]
    default = next((t.default for t in tables if t.default is not None), None)
    key, item = (join_known(*(getattr(t, name) for t in tables)) for name in ("key", "item"))
    return DictOf(key, item, default)


def _as_table(fact: Record) -> DictOf:
    key: Fact = NOTHING
    item: Fact = NOTHING
    for name, own in zip(fact.keys, fact.items):
        key = join_known(key, without_values(of_constant(name)))
        item = join_known(item, without_values(own))
    return DictOf(key, item)


def join_known(a: Fact, b: Fact) -> Fact:
    """Of the items of two dicts; an empty one says nothing."""
    if a == NOTHING:
        return b
    return a if b == NOTHING else join_items((a, b))


def inward(fact: Fact) -> Fact:
    """A tuple or list that may have no value, as one whose items may have none."""
    if isinstance(fact, Maybe) and isinstance(fact.fact, STRUCTURES):
        items = tuple(inward(join_undefined(item, fact.certain)) for item in fact.fact.items)
        return with_items(fact.fact, items)
    return fact


def with_items(fact: Structure, items: tuple[Fact, ...]) -> Structure:
    """A structure of the same kind with other items."""
    return fact.with_items(items) if isinstance(fact, Record) else type(fact)(items)


def join_undefined(fact: Fact, certain: bool) -> Fact:
    """The fact of what may also have no value."""
    return Maybe(defined(fact), certain and getattr(fact, "certain", True))


def defined(fact: Fact) -> Fact:
    """The fact of a value once it is known to have one."""
    return fact.fact if isinstance(fact, Maybe) else fact


def is_scalar(fact: Fact) -> bool:
    return isinstance(fact, Scalar)


def may_be_object(fact: Fact) -> bool:
    """Whether a value may have operators of its own, whose derivatives no rule tells."""
    if isinstance(fact, Record):
        kind = fact.type
        own = {name for each in kind.__mro__[:-1] for name in vars(each)}
        return not issubclass(kind, (builtins.dict, tuple)) and not own.isdisjoint(_OPERATORS)
    return fact == OBJECT


_ARITHMETIC = "add and divmod floordiv matmul mod mul or pow sub truediv xor"
_OTHERS = (
    "abs array array_function array_ufunc bool complex float ge getitem gt index int invert iter le"
    " len lt neg next pos reversed round trunc"
)
_OPERATORS = frozenset(
    f"__{prefix}{name}__"
    for names, prefixes in ((_ARITHMETIC, ("", "r", "i")), (_OTHERS, ("",)))
    for name in names.split()
    for prefix in prefixes
)


def is_float_scalar(fact: Fact) -> bool:
    return isinstance(fact, Scalar) and fact.type == "float"


def is_numeric(fact: Fact) -> bool:
    return isinstance(fact, (Scalar, Array, Unknown))


def rank(fact: Fact) -> int | None:
    """Number of axes, None where unknown."""
    if isinstance(fact, Scalar):
        return 0
    if isinstance(fact, Array) and fact.dims is not None:
        return len(fact.dims)
    return None


def dims(fact: Fact) -> tuple[Dim, ...] | None:
    if isinstance(fact, Scalar):
        return ()
    return fact.dims if isinstance(fact, Array) else None


def dtype(fact: Fact) -> str | None:
    """NumPy's name of the element type, None where unknown."""
    if isinstance(fact, Scalar):
        return _DTYPES.get(fact.type)
    return fact.dtype if isinstance(fact, Array) else None


_DTYPES = {"bool": "bool", "int": "int64", "float": "float64", "complex": "complex128"}


def is_point(fact: Fact) -> bool:
    """Whether a value is certain to be an array without axes, which can be written into: NumPy's
    numbers of these types have facts of their own."""
    return isinstance(fact, Array) and fact.dims == () and fact.dtype in _DTYPES.values()


def is_complex(fact: Fact) -> bool | None:
    """Whether the value is complex; None where unknown."""
    name = dtype(fact)
    if name is None:
        return False if isinstance(fact, Scalar) and fact.type == "real" else None
    return name.startswith("complex")


def may_be_differentiated(fact: Fact) -> bool:
    """False for values that cannot carry a derivative: ints, bools, strings, None, ..."""
    match fact:
        case Maybe(inner):
            return may_be_differentiated(inner)
        case Scalar(type=kind):
            return kind not in ("bool", "int")
        case Array(dtype=None):
            return True
        case Array(dtype=str(name)):
            return name.startswith(("float", "complex"))
        case Tuple(items) | List(items) | Record(_, _, items):
            return any(may_be_differentiated(item) for item in items)
        case ListOf(item) | DictOf(_, item):
            return may_be_differentiated(item)
        case Tape(item) | Zip(_, item):
            return may_be_differentiated(item)
        case Unknown():
            return True
    return False


def same_shape(a: Fact, b: Fact) -> bool:
    """Whether both are known to have one and the same shape."""
    return dims(a) is not None and dims(a) == dims(b)


def leaves(fact: Fact) -> Iterator[Fact]:
    """The facts inside tuples and lists, in order."""
    match fact:
        case Tuple(items) | List(items) | Record(_, _, items):
            for item in items:
                yield from leaves(item)
        case ListOf(item) | DictOf(_, item):
            yield from leaves(item)
        case _:
            yield fact


def show(fact: Fact) -> str:
    """Short text for listings: `float`, `float64[n0,3]`, `(float, float)`."""
    match fact:
        case Unknown():
            return "?"
        case Undefined():
            return "undefined"
        case Maybe(inner):
            return f"maybe {show(inner)}"
        case Scalar(kind):
            return kind
        case Array(name, sizes):
            shape = "..." if sizes is None else ",".join(map(_show_dim, sizes))
            return f"{name or 'number'}[{shape}]"
        case Tuple(items):
            return f"({', '.join(map(show, items))})"
        case List(items):
            return f"[{', '.join(map(show, items))}]"
        case Record(kind, keys, items):
            pairs = ", ".join(f"{key}: {show(item)}" for key, item in zip(keys, items))
            return f"{kind.__name__}({pairs})"
        case TupleOf(item):
            return f"({show(item)}, ...)"
        case ListOf(item):
            return f"[{show(item)}, ...]"
        case DictOf(key, item):
            return f"{{{show(key)}: {show(item)}, ...}}"
        case Zip(sources):
            return f"zip({', '.join(map(show, sources))})"
        case Tape(item):
            return f"tape of {show(item)}"
    return fact.kind


def _show_dim(dim: Dim) -> str:
    return str(dim) if isinstance(dim, int) else "n" + (f"{dim.offset:+d}" if dim.offset else "")


def describe(fact: Fact) -> str:
    """A phrase for messages: `an array of 2 axes`, `a tuple of 3`."""
    match fact:
        case Scalar(kind):
            return f"an {kind}" if kind == "int" else f"a {kind}"
        case Array(name, sizes) if sizes is not None:
            axes = "1 axis" if len(sizes) == 1 else f"{len(sizes)} axes"
            return f"a {name or 'numeric'} array of {axes}"
        case Array():
            return "an array"
        case Tuple(items):
            return f"a tuple of {len(items)}"
        case TupleOf():
            return "a tuple of unknown length"
        case List() | ListOf():
            return "a list"
        case Record(kind):
            return f"a {kind.__name__}"
        case DictOf():
            return "a dict"
        case Opaque("NoneType"):
            return "None"
        case Opaque(kind):
            return f"a {kind}"
    return "a value of unknown type"


def map_sizes(fact: Fact, of: Callable[[Dim], Dim]) -> Fact:
    """The fact with each axis length replaced."""
    match fact:
        case Array(dtype, dims) if dims is not None:
            return Array(dtype, tuple(map(of, dims)))
        case Scalar("int", size) if size is not None:
            return Scalar("int", of(size))
        case Tuple(items):
            return Tuple(tuple(map_sizes(item, of) for item in items))
        case List(items):
            return List(tuple(map_sizes(item, of) for item in items))
        case Record(_, _, items):
            return fact.with_items(tuple(map_sizes(item, of) for item in items))
        case ListOf(item):
            return type(fact)(map_sizes(item, of))
        case DictOf(key, item, default):
            return DictOf(map_sizes(key, of), map_sizes(item, of), default)
        case Maybe(inner, certain):
            return Maybe(map_sizes(inner, of), certain)
        case Tape(item):
            return Tape(map_sizes(item, of))
    return fact


def with_fresh_sizes(fact: Fact) -> Fact:
    """The fact with new symbols for all lengths but 1, and no values of integers."""
    numbers: dict[Dim, Size] = {}

    def of(dim: Dim) -> Dim:
        if dim == 1:
            return dim
        plural = dim != 1 if isinstance(dim, int) else dim.plural
        varies = isinstance(dim, Size) and dim.varies
        return numbers.setdefault(dim, replace(fresh_size(plural), varies=varies))

    return map_sizes(without_values(fact), of)


def perhaps_numpy(fact: Fact) -> Fact:
    """The fact of a number that may also be NumPy's."""
    return Scalar(fact.type, fact.size, True) if isinstance(fact, Scalar) else fact


def without_values(fact: Fact) -> Fact:
    """The fact without the values of integer scalars."""
    match fact:
        case Scalar(kind, size) if size is not None:
            return Scalar(kind)
        case Tuple(items):
            return Tuple(tuple(map(without_values, items)))
        case List(items):
            return List(tuple(map(without_values, items)))
        case Record(_, _, items):
            return fact.with_items(tuple(map(without_values, items)))
        case ListOf(item):
            return type(fact)(without_values(item))
        case DictOf(key, item, default):
            return DictOf(without_values(key), without_values(item), default)
        case Maybe(inner, certain):
            return Maybe(without_values(inner), certain)
    return fact
