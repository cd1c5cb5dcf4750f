"""What a function is: a digest of everything that compiling it may look at.

The walk starts at the function and goes where its code can: to the globals and closure cells it
names, the functions, classes and objects found there, and on from these.  It looks at live
objects and knows nothing of the compiler, so that it takes in too much rather than too little.
Of a number or array that a function reads where it runs only the kind counts; of every other
number the value.

Objects are numbered as the walk meets them.  Equal digests mean equal walks: the object that has
number 3 in one process is the counterpart of number 3 in the other, which is how an entry of the
cache refers to objects that no text can hold.
"""

from __future__ import annotations

import dataclasses
import functools
import linecache
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from tangent_like.backend.references import home_of
from tangent_like.frontend.code_names import lines_of, names_in, read_by
from tangent_like.frontend.fingerprint import fingerprint
from tangent_like.frontend.numba_functions import python_function
from tangent_like.rules import registry

MOST_OBJECTS = 5000
"""A walk that meets more has wandered into somebody's framework."""

_LIBRARIES = frozenset({*sys.stdlib_module_names, "numpy", "scipy", "tangent_like"})
_PLAIN = (str, bytes, bool, int, type(None), type(...), type(NotImplemented))
_NAMED = (FunctionType, BuiltinFunctionType)
_KNOWN_BASES = (object, list, tuple, dict, int, float, str)
_NOT_STATE = frozenset(
    {"__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__match_args__",
     "__dataclass_fields__", "__dataclass_params__", "__firstlineno__",
     "__static_attributes__", "__abstractmethods__", "_abc_impl", "__parameters__",
     "__orig_bases__"}
)  # fmt: skip


class UnknownError(Exception):
    """Of some object nothing certain can be said: what depends on it is not cached."""


class Identity:
    """The digest of what has been visited, and the objects met on the way."""

    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.libraries: set[str] = set()
        self._attributes: set[tuple[int, str]] = set()
        self._exactly: set[int] = set()
        self._hash = blake2b(digest_size=20)

    def digest(self) -> str:
        return self._hash.hexdigest()

    def number_of(self, value: Any) -> int | None:
        """The number of an object; None where the walk has not met it."""
        return self.numbers.get(id(value))

    def write(self, *parts: str | bytes) -> None:
        for part in parts:
            data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
            self._hash.update(b"%d:" % len(data))
            self._hash.update(data)

    def met(self, value: Any) -> bool:
        """Number an object, or refer to its number where it has one."""
        number = self.numbers.setdefault(id(value), len(self.objects))
        if number < len(self.objects):
            self.write("again", str(number))
            return True
        if number >= MOST_OBJECTS:
            raise UnknownError(f"it reaches more than {MOST_OBJECTS} objects")
        self.objects.append(value)
        return False

    # --- values ---------------------------------------------------------------------------------

    def visit(self, value: Any, live: bool = False) -> None:
        """Take in a value; `live` says that the generated code reads it where it runs."""
        kind = type(value)
        if kind in _PLAIN:
            self.write(kind.__name__, value if kind in (str, bytes) else str(value))
        elif kind in (float, complex):
            self.write(kind.__name__, "" if live else _exact(value))
        elif isinstance(value, np.generic):
            self.write("number", value.dtype.str, b"" if live else value.tobytes())
        elif kind in (slice, range):
            self.write(kind.__name__)
            self.each((value.start, value.stop, value.step))
        elif isinstance(value, np.dtype):
            self.write("dtype", value.str, str(value))
        elif kind in (set, frozenset):
            self.write(kind.__name__, *sorted(map(_alone, value)))
        elif kind is CodeType:
            self.code(value)
        elif _is_frozen(value):
            self.fields(value)
        elif python_function(value) is not value:
            self.write("compiled by Numba", str(getattr(value, "targetoptions", "")))
            self.visit(python_function(value))
        elif not self.library(value):
            self.numbered(value, live)

    def numbered(self, value: Any, live: bool) -> None:
        """Take in an object, once: a second time only if more of it counts than the first time."""
        again = self.met(value)
        if again and (live or type(value) not in (tuple, list) or id(value) in self._exactly):
            return
        if not live:
            self._exactly.add(id(value))
        self.object(value, live)

    def each(self, values: Iterable[Any], live: bool = False) -> None:
        items = list(values)
        self.write(str(len(items)))
        for item in items:
            self.visit(item, live)

    def library(self, value: Any) -> bool:
        """Take in something of a library as its name; the library's version says the rest."""
        kind = type(value)
        if not (kind in _NAMED or isinstance(value, type) or _root(kind) in _LIBRARIES):
            return False
        home = home_of(value)
        root = home[0].split(".")[0] if home is not None else ""
        if home is None or root not in _LIBRARIES:
            return False
        self.libraries.add(root)
        self.write("library", *home)
        return True

    def object(self, value: Any, live: bool) -> None:
        """Take in an object that has a number."""
        kind = type(value)
        if kind is np.ndarray and not value.dtype.hasobject:
            self.write("array", value.dtype.str, str(value.shape))
        elif kind in (tuple, list):
            self.write(kind.__name__)
            self.each(value, live)
        elif kind is dict:
            self.write("dict")
            self.each(x for item in value.items() for x in item)
        elif kind is FunctionType:
            self.function(value)
        elif kind is MethodType:
            self.write("method")
            self.each((value.__func__, value.__self__))
        elif kind is functools.partial:
            self.write("partial")
            self.each((value.func, value.args, value.keywords))
        elif kind is ModuleType:
            self.write("module", value.__name__)
        elif kind is CellType:
            self.write("cell")
        elif kind in (staticmethod, classmethod):
            self.write(kind.__name__)
            self.visit(value.__func__)
        elif kind is property:
            self.write("property")
            self.each((value.fget, value.fset, value.fdel))
        elif isinstance(value, type):
            self.klass(value)
        elif _root(kind) == "tangent_like":
            self.ours(value)
        else:
            self.instance(value)

    def variable(self, value: Any, names: frozenset[str]) -> None:
        """Take in what a variable holds, and those of its attributes that code may name."""
        self.visit(value, live=True)
        if not isinstance(value, (ModuleType, FunctionType)):
            return
        library = _root(value) in _LIBRARIES
        for name in sorted(names & _attributes_of(value, library)):
            if (id(value), name) not in self._attributes:
                self._attributes.add((id(value), name))
                self.write("attribute", name)
                self.attribute(getattr(value, name), names, library)

    def attribute(self, value: Any, names: frozenset[str], library: bool) -> None:
        if library and not isinstance(value, (*_PLAIN, float, ModuleType, FunctionType)):
            # Whatever a library keeps here, its version says what it is.
            if not self.library(value):
                self.write("kept by a library")
            return
        self.variable(value, names)

    # --- functions ------------------------------------------------------------------------------

    def function(self, function: FunctionType) -> None:
        if "__signature__" in function.__dict__:
            raise UnknownError(f"{function.__qualname__} has a signature of its own")
        module = sys.modules.get(function.__module__ or "")
        importable = module is not None and vars(module) is function.__globals__
        self.write("function", str(function.__module__), function.__qualname__, str(importable))
        self.visit(function.__code__)
        self.write(*self.text(function))
        self.visit(function.__defaults__)
        self.visit(function.__kwdefaults__)
        names = frozenset(names_in(function.__code__))
        for cell in function.__closure__ or ():
            self.visit(cell)
            self.contents(cell, names)
        if not self.met(function.__globals__):
            self.write("globals")
        for name, value in self.outside(function):
            self.write("global", name)
            self.variable(value, names)
        self.custom(function)

    def contents(self, cell: CellType, names: frozenset[str]) -> None:
        try:
            value = cell.cell_contents
        except ValueError:  # a variable that is not bound yet
            self.write("empty")
        else:
            self.variable(value, names)

    def outside(self, function: FunctionType) -> Iterator[tuple[str, Any]]:
        """The globals and builtins, and the imported modules, that a function's code names."""
        builtins = function.__globals__.get("__builtins__", {})
        known = vars(builtins) if isinstance(builtins, ModuleType) else builtins
        for name in sorted(read_by(function.__code__)):
            if name in function.__globals__:
                yield name, function.__globals__[name]
            elif name in known:
                yield name, known[name]
            for module in _modules(name, function):
                yield module, sys.modules[module]

    def code(self, code: CodeType) -> None:
        self.write("code", str(code.co_firstlineno))
        self.structure(fingerprint(code, lines=False))

    def structure(self, part: Any) -> None:
        """A fingerprint: nested tuples of plain values and types."""
        if isinstance(part, tuple):
            self.write("(", str(len(part)))
            for item in part:
                self.structure(item)
        elif isinstance(part, type):
            self.write(part.__name__)
        elif isinstance(part, frozenset):
            self.write("{", *sorted(_alone(item) for item in part))
        else:
            self.visit(part)

    def text(self, function: FunctionType) -> Sequence[str]:
        """The lines of a function as they stand in its file now."""
        code = function.__code__
        linecache.checkcache(code.co_filename)
        lines = linecache.getlines(code.co_filename, function.__globals__)
        return lines[code.co_firstlineno - 1 : max(lines_of(code), default=0)]

    def custom(self, function: FunctionType) -> None:
        """Take in the derivative that was given for a function."""
        given = registry.custom_of(function)
        if given is not None:
            self.write("custom")
            self.each((given.constants, given.forward, given.backward))
            self.each((given.tangent, given.tangents))

    # --- classes and instances ------------------------------------------------------------------

    def klass(self, value: type) -> None:
        self.write("class", value.__module__, value.__qualname__)
        self.each(value.__bases__)
        self.visit(type(value))
        for name, item in vars(value).items():
            if name not in _NOT_STATE and not _is_descriptor(item):
                self.write("member", name)
                self.visit(item)

    def instance(self, value: Any) -> None:
        """An object by its class and its attributes."""
        kind = type(value)
        if not all(base in _KNOWN_BASES or _is_open(base) for base in kind.__mro__):
            raise UnknownError(f"nothing certain can be said of {kind.__qualname__} objects")
        self.write("instance")
        self.visit(kind)
        if isinstance(value, (list, tuple)):
            self.each(value)
        elif isinstance(value, dict):
            self.each(x for item in value.items() for x in item)
        for base in (int, float, str):
            if isinstance(value, base):
                self.write(base.__repr__(value))
        for name, item in _state(value):
            self.write("attribute", name)
            self.visit(item)

    def ours(self, value: Any) -> None:
        """A derivative, or another object of this package that says how it is made again."""
        kind = type(value)
        if "__reduce__" not in vars(kind):
            raise UnknownError(f"nothing certain can be said of {kind.__qualname__} objects")
        self.write("ours", kind.__module__, kind.__qualname__)
        self.visit(value.__reduce__())

    def fields(self, value: Any) -> None:
        """A fact, a request or a rule, which is its fields."""
        self.write("fields", type(value).__qualname__)
        self.each(getattr(value, field.name) for field in dataclasses.fields(value))


def _exact(value: complex) -> str:
    return f"{value.real.hex()} {value.imag.hex()}"


def _alone(value: Any) -> str:
    """The digest of a value that stands in no order, as the items of a set."""
    if not isinstance(value, (*_PLAIN, float, complex)) and type(value) is not tuple:
        raise UnknownError("a set of objects has no order")
    identity = Identity()
    identity.visit(value)
    return identity.digest()


def _is_frozen(value: Any) -> bool:
    """Whether a value is of a dataclass of ours that never changes: identity means nothing."""
    kind = type(value)
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is None or _root(kind) != "tangent_like":
        return False
    return bool(parameters.frozen or parameters.unsafe_hash)


def _is_open(base: type) -> bool:
    """Whether the objects of a class have no room for more than their attributes."""
    members = vars(base).values()
    room = sum(map(_is_descriptor, members)) * struct.calcsize("P")
    assert base.__base__ is not None  # only `object` has none
    return base.__basicsize__ <= base.__base__.__basicsize__ + room


def _attributes_of(value: Any, library: bool) -> set[str]:
    """What a function or module has; of a library also what it imports only when it is asked."""
    return set(dir(value)) if library and "__getattr__" in vars(value) else set(vars(value))


def _modules(name: str, function: FunctionType) -> Iterator[str]:
    """The modules that an import in a function may mean by a name, also a relative one."""
    package = str(function.__globals__.get("__package__") or "")
    parts = package.split(".") if package else []
    above = [".".join(parts[:i]) for i in range(len(parts), 0, -1)]
    for candidate in (name, *(f"{p}.{name}".rstrip(".") for p in above)):
        if candidate in sys.modules:
            yield candidate


def _root(value: Any) -> str:
    name = value.__name__ if isinstance(value, ModuleType) else value.__module__
    # Classes written in C may have a descriptor there, for the module of their objects.
    return name.split(".")[0] if isinstance(name, str) else ""


def _is_descriptor(item: Any) -> bool:
    """Whether a member of a class is what Python made for a slot."""
    return type(item).__name__ in ("member_descriptor", "getset_descriptor")


def _state(value: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(value, "__dict__", {}).items()
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)
