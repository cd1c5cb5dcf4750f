"""Objects of the user's classes, and dicts, while a function is lowered.

    p = Point(x, 2.0)        p1 = MakeRecord(Point, ("x", "y"))(x, 2.0)
    p.x = p.y * x            p holds p2 = MakeRecord(Point, ("x", "y"))(2.0 * x, 2.0)
    return p.norm()          the body of `Point.norm` with p2 as `self`

The class of an object is known, so methods, properties and operators are the functions that the
class defines.  An object that is written into is a buffer, like an array: every name of it sees
the change.
"""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any, Generic

import numpy as np

from tangent_like import facts, ir
from tangent_like.errors import ArgumentError, NeverSupported, NotYetSupported
from tangent_like.frontend.failures import impossible
from tangent_like.frontend.homes import home_of, may_alias, note_items
from tangent_like.frontend.memory import fresh, set_held
from tangent_like.frontend.protocols import is_object
from tangent_like.frontend.scope import Buffer, Home, Method
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import write_whole
from tangent_like.ir import Atom, Const, Value
from tangent_like.parts import is_named_tuple
from tangent_like.records import MakeRecord
from tangent_like.trees import item


def opened(state: Lowering, value: Atom) -> Atom:
    """A structure that was handed in as a display of its items, so that each item is one value."""
    fact = value.fact
    if not isinstance(fact, facts.STRUCTURES) or not _holds_memory(fact):
        return value
    items = [_opened_item(state, value, k) for k in range(len(fact.items))]
    for name, part in zip(_names(fact), items, strict=True):
        if isinstance(part, Value) and not part.name and name.isidentifier():
            part.name = name
    name = value.name if isinstance(value, Value) else ""
    return state.builder.op(_display(fact), items, name=name)


def _opened_item(state: Lowering, value: Atom, place: int) -> Atom:
    """An item of an argument: memory of its own, which is checked where it is written into."""
    found = item(state.builder, value, place)
    if isinstance(found, Value):
        state.homes[found] = Home(Buffer(found), (), found)
    return opened(state, found)


def _holds_memory(fact: facts.Fact) -> bool:
    """Whether reading an item twice must give one and the same array or object."""
    if isinstance(fact, facts.Record):
        return True
    items = fact.items if isinstance(fact, facts.STRUCTURES) else ()
    return any(map(may_alias, items))


def _names(fact: facts.Structure) -> list[str]:
    keys = fact.keys if isinstance(fact, facts.Record) else [""] * len(fact.items)
    return [key if isinstance(key, str) else "" for key in keys]


def _display(fact: facts.Structure) -> Any:
    if isinstance(fact, facts.Record):
        return MakeRecord(fact.type, fact.keys)
    return ir.make_list if isinstance(fact, facts.List) else ir.make_tuple


# --- reading ------------------------------------------------------------------------------------


def read_attribute(state: Lowering, node: Any, owner: Atom, name: str) -> Atom:
    """`owner.name`: an attribute of the object, or what its class defines."""
    fact = owner.fact
    assert isinstance(fact, facts.Record)
    defined = inspect.getattr_static(fact.type, name, None)
    if isinstance(defined, property) and defined.fget is not None:
        return state.module.call(state, node, Const(defined.fget), (owner,), {})
    if isinstance(defined, functools.cached_property) and name not in fact.keys:
        return _computed_once(state, node, owner, name, defined.func)
    if name in ("__class__", "__dict__"):
        asked = type if name == "__class__" else vars
        return state.module.call(state, node, Const(asked), (owner,), {})
    if is_named_tuple(fact.type) and name in ("_replace", "_asdict"):
        return Const(Method(_NAMED_TUPLES[name], owner))
    if name in fact.keys:
        found = item(state.builder, owner, fact.keys.index(name))
        return fresh(state, found, node)
    return of_class(state, node, fact.type, name, owner)


def _computed_once(
    state: Lowering, node: Any, owner: Atom, name: str, function: Any
) -> Atom:
    """The value of a `cached_property`, which becomes an attribute."""
    value: Atom = state.module.call(state, node, Const(function), (owner,), {})
    assert isinstance(owner, Value)
    write_key(state, node, owner, name, value)
    return value


def of_class(
    state: Lowering, node: Any, kind: Any, name: str, owner: Atom | None, after: Any = None
) -> Atom:
    """What a class defines under a name, as an object of it sees it; as the class itself does,
    where there is no `owner`.  `after` leaves out the classes up to that one, as `super` does."""
    bases = kind.__mro__[kind.__mro__.index(after) + 1 :] if after is not None else kind.__mro__
    found = [vars(base)[name] for base in bases if name in vars(base)]
    if not found and name in ("__name__", "__qualname__"):
        return Const(getattr(kind, name))
    if not found:
        raise impossible(
            state, node, AttributeError, f"{kind.__name__!r} object has no attribute {name!r}",
            f"`{kind.__name__}` has no attribute `{name}` here", "set it in `__init__`",
        )  # fmt: skip
    defined = found[0]
    if is_named_tuple(kind) and name in ("_fields", "_make"):
        return Const(defined) if name == "_fields" else Const(Method(made_of, Const(kind)))
    if isinstance(defined, staticmethod):
        return Const(defined.__func__)
    if isinstance(defined, classmethod):
        return Const(Method(defined.__func__, Const(kind)))
    if isinstance(defined, types.FunctionType):
        return Const(defined if owner is None else Method(defined, owner))
    if isinstance(defined, (bool, int, float, complex, str, type(None))):
        return Const(defined)
    if name == "__init__":  # that of `object`
        return Const(Method(_nothing, Const(None)))
    raise NotYetSupported(
        f"the attribute `{name}` of the class `{kind.__name__}`", state.place(node),
        "set it on the object, in `__init__`",
    )  # fmt: skip


def replaced(owner: Any, **values: Any) -> Any:
    """What `_replace` of a named tuple does."""
    raise TypeError("it is worked out at compile time")


def made_of(kind: Any, items: Any) -> Any:
    """What `_make` of a named tuple does."""
    raise TypeError("it is worked out at compile time")


def as_dict(owner: Any) -> Any:
    """What `_asdict` of a named tuple does."""
    raise TypeError("it is worked out at compile time")


_NAMED_TUPLES = {"_replace": replaced, "_asdict": as_dict}


def _nothing(owner: object) -> None:
    """What `object.__init__` does."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Super:
    """`super()` in a method of `kind`."""

    kind: Any
    owner: Atom

    def attribute(self, state: Lowering, node: Any, name: str) -> Atom:
        fact = self.owner.fact
        own = fact.type if isinstance(fact, facts.Record) else type(self.owner.value)  # type: ignore[union-attr]
        if isinstance(self.owner, Const) and isinstance(self.owner.value, type):
            own = self.owner.value
        return of_class(state, node, own, name, self.owner, after=self.kind)


def lower_super(state: Lowering, node: Any) -> Atom | None:
    """`super()`; None where the call is another one."""
    plain = type(node.func).__name__ == "Name" and node.func.id == "super"
    frame = state.frame
    function = frame.source.function
    if plain and len(node.args) == 2:
        return _super_of(state, node, *(state.expression(argument) for argument in node.args))
    if not plain or node.args or "__class__" not in function.__code__.co_freevars:
        return None
    assert function.__closure__ is not None
    cell = function.__closure__[function.__code__.co_freevars.index("__class__")]
    first = frame.node.args.args[0].id
    owner = frame.env[first]
    assert isinstance(owner, (Value, Const))
    return Const(Super(cell.cell_contents, fresh(state, owner, node)))


def _super_of(state: Lowering, node: Any, kind: Atom, owner: Atom) -> Atom:
    """`super(Class, self)`."""
    if not (isinstance(kind, Const) and isinstance(kind.value, type)):
        raise NotYetSupported("`super` of this", state.place(node), "write `super()`")
    return Const(Super(kind.value, owner))


# --- making and writing ---------------------------------------------------------------------


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


def type_of(atom: Atom) -> Any:
    """The class of a value, where it is known; else None."""
    if isinstance(atom, Const):
        return type(atom.value) if isinstance(atom.value, (bool, int, float, str)) else None
    match atom.fact:
        case facts.Record(type=kind):
            return kind
        case facts.Tuple():
            return tuple
        case facts.List() | facts.ListOf():
            return list
        case facts.Array(dims=(_, *_)):
            return np.ndarray
        case facts.Scalar(type=name, numpy=False):
            return _SCALARS.get(name)
    return None


_SCALARS: dict[str, type] = {"bool": bool, "int": int, "float": float, "complex": complex}


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


def write_attribute(state: Lowering, node: Any, owner: Atom, name: str, value: Atom) -> None:
    """`owner.name = value`."""
    place = state.place(node)
    if not isinstance(owner, Value) or not is_object(owner):
        raise NotYetSupported(
            f"writing the attribute `{name}` of {facts.describe(owner.fact)}", place,
            "write attributes of objects that the function makes or is given",
        )  # fmt: skip
    assert isinstance(owner.fact, facts.Record)
    kind = owner.fact.type
    setter = inspect.getattr_static(kind, name, None)
    if isinstance(setter, property) and setter.fset is not None:
        state.module.call(state, node, Const(setter.fset), (owner, value), {})
        return
    own_way = kind is not types.SimpleNamespace and any(
        "__setattr__" in vars(base) for base in kind.__mro__[:-1]
    )
    if is_named_tuple(kind) or isinstance(setter, property) or own_way:
        raise NotYetSupported(
            f"writing the attribute `{name}` of a `{kind.__name__}`", place, "make a new object"
        )
    write_key(state, node, owner, name, value)


def remove_attribute(state: Lowering, node: Any, owner: Atom, name: str) -> None:
    """`del owner.name`."""
    owner = fresh(state, owner, node)
    fact, place = owner.fact, state.place(node)
    if not isinstance(owner, Value) or not is_object(owner) or is_named_tuple(fact.type):  # type: ignore[union-attr]
        raise NotYetSupported(f"deleting the attribute `{name}` here", place, "make a new object")
    assert isinstance(fact, facts.Record)
    if name not in fact.keys:
        raise NeverSupported(f"`{fact.type.__name__}` has no attribute `{name}` here", place)
    items = {key: item(state.builder, owner, k) for k, key in enumerate(fact.keys) if key != name}
    display = MakeRecord(fact.type, tuple(items))
    hold(state, node, owner, state.builder.op(display, list(items.values()), name=owner.name))


def write_key(state: Lowering, node: Any, owner: Value, key: Any, value: Atom) -> None:
    """An item of a dict or object is given another value, or added."""
    now = fresh(state, owner, node)
    assert isinstance(now, Value) and isinstance(now.fact, facts.Record)
    made = state.builder.definitions.get(now)
    known = made is not None and isinstance(made.fn, MakeRecord)
    count = len(now.fact.items)
    items = list(made.args) if known else [item(state.builder, now, k) for k in range(count)]  # type: ignore[union-attr]
    keys = list(now.fact.keys)
    if key in keys:
        items[keys.index(key)] = value
    else:
        keys.append(key)
        items.append(value)
    display = MakeRecord(now.fact.type, tuple(keys))
    hold(state, node, now, state.builder.op(display, items, name=owner.name))


def hold(state: Lowering, node: Any, owner: Value, new: Atom) -> None:
    """Let a container be `new` from here on, under every name of it."""
    home = home_of(state, owner)
    if home.buffer.outside:
        raise NeverSupported(
            "writing into a container that lives outside the function", state.place(node),
            "write into a copy of it, or pass it as an argument",
        )  # fmt: skip
    if home.path:
        write_whole(state, node, owner, new)
        return
    note_items(state, home.buffer, new)
    set_held(state, home.buffer, new, state.place(node))
