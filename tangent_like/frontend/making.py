"""Calls of classes: objects of the user's, named tuples, enumerations, namespaces.

    Point(x, y=2.0)      MakeRecord(Point, ()), then the body of `Point.__init__`
"""

from __future__ import annotations

import abc
import dataclasses
import enum
import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any, Generic

from tangent_like.errors import ArgumentError, NeverSupported, NotYetSupported
from tangent_like.frontend.failures import impossible
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import write_key
from tangent_like.ir import Atom, Const, Value
from tangent_like.parts import is_named_tuple
from tangent_like.records import MakeRecord


def construct(
    state: Lowering, node: Any, kind: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """A call of a class of the user's."""
    place, call = state.place(node), state.module.call
    if is_named_tuple(kind):
        named = _bound(state, node, kind.__new__, (Const(None), *args), keywords)
        items = [named[field] for field in kind._fields]
        return state.builder.op(MakeRecord(kind, kind._fields), items, place=place)
    if isinstance(kind, enum.EnumMeta):
        return _member(state, node, kind, args)
    if kind is types.SimpleNamespace:
        return _namespace(state, node, args, keywords)
    abstract: frozenset[str] = getattr(kind, "__abstractmethods__", frozenset())
    if abstract:
        raise NeverSupported(
            f"making a `{kind.__name__}`, which does not define `{min(abstract)}`", place
        )
    if kind.__new__ not in _PLAINLY_MADE or type(kind) not in (type, abc.ABCMeta):
        raise NotYetSupported(
            f"making a `{kind.__name__}`, which is made in a way of its own", place,
            "pass it as an argument",
        )  # fmt: skip
    made = state.builder.op(MakeRecord(kind, ()), (), place=place)
    assert isinstance(made, Value)
    if dataclasses.is_dataclass(kind) and _is_generated(_init_of(kind)):
        _fill(state, node, kind, made, args, keywords)
    elif _init_of(kind) is not object.__init__:
        call(state, node, Const(_init_of(kind)), (made, *args), keywords)
    elif args or keywords:
        raise ArgumentError(f"`{kind.__name__}` takes no arguments", place)
    return fresh(state, made, node)


_PLAINLY_MADE = (object.__new__, Generic.__new__)


def _member(state: Lowering, node: Any, kind: Any, args: Sequence[Atom]) -> Atom:
    """`Colour("red")` of an enumeration."""
    if len(args) != 1 or not isinstance(args[0], Const):
        raise NotYetSupported(
            f"a member of `{kind.__name__}` by a value known only at run time", state.place(node),
            "compare the value with those of the members",
        )  # fmt: skip
    try:
        return Const(kind(args[0].value))
    except ValueError as error:
        raise impossible(state, node, ValueError, str(error), str(error)) from None


def _namespace(
    state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """`SimpleNamespace(w=w)`."""
    if args:
        raise NotYetSupported("a `SimpleNamespace` of a dict", state.place(node), "name each item")
    made = MakeRecord(types.SimpleNamespace, tuple(keywords))
    return state.builder.op(made, list(keywords.values()), place=state.place(node))


def _init_of(kind: Any) -> Any:
    return inspect.getattr_static(kind, "__init__")


def _is_generated(function: Any) -> bool:
    return str(function.__code__.co_filename) == "<string>"


def _fill(
    state: Lowering, node: Any, kind: Any, made: Value, args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> None:  # fmt: skip
    """What the `__init__` of a dataclass does."""
    call = state.module.call
    named = _bound(state, node, _init_of(kind), (made, *args), keywords)
    for field in dataclasses.fields(kind):
        value = named.get(field.name)
        made_anew = field.default_factory
        if value is None or (isinstance(value, Const) and not _is_plain(value.value)):
            if made_anew is dataclasses.MISSING:
                raise NotYetSupported(
                    f"the default of the field `{field.name}`", state.place(node), "pass it"
                )
            value = call(state, node, Const(made_anew), (), {})
        write_key(state, node, made, field.name, value)
    if hasattr(kind, "__post_init__"):
        now = fresh(state, made, node)
        call(state, node, Const(kind.__post_init__), (now,), {})


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex, str, tuple, type(None))) or callable(value)


def _bound(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> dict[str, Atom]:
    """The arguments by name, with defaults."""
    try:
        bound = inspect.signature(function).bind(*args, **keywords)
    except TypeError as error:
        raise ArgumentError(f"the call: {error}", state.place(node)) from None
    bound.apply_defaults()
    return {
        name: value if isinstance(value, (Value, Const)) else Const(value)
        for name, value in bound.arguments.items()
    }
