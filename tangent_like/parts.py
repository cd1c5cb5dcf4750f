"""What the values of a program are made of: tuples, lists, dicts, named tuples, objects.

`items_of` takes a value apart, `with_items` puts one of the same type together again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

_LIBRARIES = frozenset({
    "builtins", "numpy", "scipy", "types", "functools", "tangent_like", "collections", "numba",
    "logging", "threading", "_thread", "io", "_io", "random", "decimal", "fractions", "itertools",
    "operator", "pathlib", "datetime", "re", "enum", "typing", "abc", "weakref", "contextlib",
    "concurrent", "multiprocessing", "matplotlib",
})  # fmt: skip
"""Where objects come from that are no structures of the user's."""

_NOT_OWN = (type, BaseException, int, float, complex, str, bytes, tuple, list, dict, set, frozenset)
"""Types whose own operators a class of the user's may extend, but is not known to."""

_DEEPEST = 40


def items_of(value: Any) -> list[Any] | None:
    """The items of a structure in order; None for what is a value by itself."""
    if type(value) in (tuple, list):
        return list(value)
    parts = parts_of(value)
    return None if parts is None else list(parts.values())


def items_beside(value: Any, other: Any) -> list[Any] | None:
    """The items of `other` in the order of those of `value`; None where it has not the same."""
    own, others = parts_of(value), parts_of(other)
    if own is not None and others is not None and own.keys() == others.keys():
        return [others[key] for key in own]
    if type(value) is dict or type(other) is dict:
        return None
    count, found = items_of(value), items_of(other)
    return found if count is not None and found is not None and len(count) == len(found) else None


def with_items(value: Any, items: Sequence[Any]) -> Any:
    """A structure like `value` with other items."""
    kind = type(value)
    if kind in (tuple, list):
        return kind(items)
    if is_named_tuple(kind):
        return kind(*items)
    named = dict(zip(parts_of(value) or (), items, strict=True))
    if kind is dict:
        return named
    made = object.__new__(kind)
    for name, item in named.items():
        object.__setattr__(made, name, item)
    return made


def map_leaves(function: Callable[..., Any], value: Any, *others: Any) -> Any:
    """The structure of `value` with `function` of each leaf, and of those of structures like it."""
    items = items_of(value)
    if items is None:
        return function(value, *others)
    rows = zip(items, *(items_beside(value, other) or () for other in others), strict=True)
    return with_items(value, [map_leaves(function, *row) for row in rows])


def parts_of(value: Any) -> dict[Any, Any] | None:
    """The items of a dict, or the attributes of an object of the user's; None for other things."""
    kind = type(value)
    if kind is dict:
        return dict(value)
    if is_named_tuple(kind):
        return dict(zip(kind._fields, value))
    home = kind.__module__.split(".")[0]
    if home in _LIBRARIES or home.startswith("_cython"):
        return None
    if isinstance(value, (type, BaseException)):
        return None
    return dict(_attributes(value)) if _is_plain(kind) else None


def is_own_object(value: Any) -> bool:
    """Whether a value is an object whose operators are what a class of the user's says."""
    home = type(value).__module__.split(".")[0]
    if home in _LIBRARIES or home.startswith("_cython"):
        return False
    return not isinstance(value, _NOT_OWN)


def is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def is_too_deep(value: Any, depth: int = 0) -> bool:
    """Whether a structure is nested very deep: it may contain itself."""
    if depth > _DEEPEST:
        return True
    return any(is_too_deep(item, depth + 1) for item in items_of(value) or ())


def _is_plain(kind: type) -> bool:
    """Whether the state of an object is its attributes: it extends nothing written in C."""
    bases = kind.__mro__[:-1]
    return all(base.__module__.split(".")[0] not in _LIBRARIES or _adds_nothing(base)
               for base in bases)  # fmt: skip


def _adds_nothing(base: type) -> bool:
    return base.__module__ in ("typing", "abc")


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    for base in type(value).__mro__:
        for name in _slots(base):
            if hasattr(value, name):
                yield name, getattr(value, name)
    yield from getattr(value, "__dict__", {}).items()


def _slots(base: type) -> Sequence[str]:
    given = base.__dict__.get("__slots__", ())
    names = (given,) if isinstance(given, str) else given
    return [name for name in names if name not in ("__dict__", "__weakref__")]
