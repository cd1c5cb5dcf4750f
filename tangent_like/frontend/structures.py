"""Objects of the user's classes, and dicts, while a function is lowered.

    p = Point(x, 2.0)        p1 = MakeRecord(Point, ("x", "y"))(x, 2.0)
    p.x = p.y * x            p holds p2 = MakeRecord(Point, ("x", "y"))(2.0 * x, 2.0)
    return p.norm()          the body of `Point.norm` with p2 as `self`

The class of an object is known, so methods, properties and operators are the functions that the
class defines.  An object that is written into is a buffer, like an array: every name of it sees
the change.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.failures import impossible
from tangent_like.frontend.homes import forget_slots, home_of, may_alias, note_items
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


# --- writing --------------------------------------------------------------------------------


def type_of(atom: Atom) -> Any:
    """The class of a value, where it is known; else None."""
    if isinstance(atom, Const):
        return type(atom.value) if isinstance(atom.value, (bool, int, float, str)) else None
    match atom.fact:
        case facts.Record(type=kind):
            return kind
        case facts.Tuple() | facts.TupleOf():
            return tuple
        case facts.List() | facts.ListOf():
            return list
        case facts.Array(dims=(_, *_)):
            return np.ndarray
        case facts.Scalar(type=name, numpy=False):
            return _SCALARS.get(name)
    return None


_SCALARS: dict[str, type] = {"bool": bool, "int": int, "float": float, "complex": complex}


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


def _length(atom: Atom) -> int | None:
    fact = atom.fact
    return len(fact.items) if isinstance(fact, facts.STRUCTURES) else None


def hold(state: Lowering, node: Any, owner: Value, new: Atom) -> None:
    """Let a container be `new` from here on, under every name of it."""
    home = home_of(state, owner)
    if home.buffer.outside:
        raise NeverSupported(
            "writing into a container that lives outside the function", state.place(node),
            "write into a copy of it, or pass it as an argument",
        )  # fmt: skip
    if not home.path or _length(owner) is None or _length(owner) != _length(new):
        state.resized.append(home.buffer)
    if home.path:
        write_whole(state, node, owner, new)
        return
    forget_slots(state, home, state.place(node))
    note_items(state, home.buffer, new)
    set_held(state, home.buffer, new, state.place(node))
