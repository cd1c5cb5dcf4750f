"""Resolving names: locals, enclosing functions, closure cells, globals, builtins."""

from __future__ import annotations

import builtins
import dataclasses
import enum
import functools
import types
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.around import bound_now
from tangent_like.frontend.collected import Members
from tangent_like.frontend.externals import External, Guard, Layout
from tangent_like.frontend.homes import home_of
from tangent_like.frontend.memory import adopt, fresh
from tangent_like.frontend.objects import Deferred, Partial, make_table
from tangent_like.frontend.scope import (
    Bound,
    Buffer,
    Cell,
    Choice,
    Conflict,
    Derived,
    Frame,
    Home,
    LocalFunction,
    Method,
    Outcome,
)
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import Super, of_class
from tangent_like.ir import Atom, Const
from tangent_like.parts import is_named_tuple
from tangent_like.records import MakeRecord, display_of, is_mutable_display
from tangent_like.trees import item


def read_name(state: Lowering, name: str, node: Any) -> Atom:
    """The atom that a name stands for where it is read."""
    frame: Frame | None = state.frame
    while frame is not None:
        if name in frame.locals:
            return read_binding(state, frame, name, node)
        if frame.parent is None:
            return _outside(state, frame, name, node)
        frame = frame.parent
    raise AssertionError("a frame chain always ends in a function")


def _shown(name: str) -> str:
    return "what is returned" if name == "%value" else f"`{name}`"


def read_binding(state: Lowering, frame: Frame, name: str, node: Any) -> Atom:
    key = frame.cells.get(name, name)
    table: dict[Any, Any] = state.cells if isinstance(key, Cell) else frame.env
    if isinstance(key, Cell) and key not in table:
        if state.around is not None:
            state.around.cells[key] = None
        raise NotYetSupported(
            f"`{name}`, which a nested function writes, in a function that calls itself or is "
            "handed to a library",
            state.place(node), "pass it as an argument, and return it",
        )  # fmt: skip
    binding = bound_now(state, frame, name)
    if isinstance(binding, Conflict):
        raise NotYetSupported(
            f"{_shown(name)} may hold different kinds of things here: {binding.reason}",
            state.place(node),
            "copy an array before it is written into: `.copy()`"
            if "memory" in binding.reason
            else "bind the name to one kind of thing on every path",
        )
    if binding is ir.UNDEFINED:
        return state.builder.op(ir.unbound, (Const(name),), place=state.place(node))
    if isinstance(binding, (ir.Value, ir.Const)):
        binding = fresh(state, binding, node)
    if isinstance(binding, ir.Value) and _may_be_undefined(binding.fact):
        if name == "%value":  # wherever it is read the function has returned
            return state.builder.op(ir.live, (binding,), name=binding.name, place=state.place(node))
        binding = known(state, binding, node)
        if frame is state.frame or key is not name:  # a caller's goes on where this block ends
            table[key] = binding
    assert isinstance(binding, (ir.Value, ir.Const))
    return binding


def _may_be_undefined(fact: facts.Fact) -> bool:
    return any(isinstance(leaf, facts.Maybe) for leaf in facts.leaves(fact))


def known(state: Lowering, value: ir.Value, node: Any) -> Atom:
    """The value, which from here on is known to have one."""
    fact = value.fact
    if isinstance(fact, facts.Maybe):
        fn = ir.live if fact.certain else ir.defined
        return state.builder.op(fn, (value,), name=value.name, place=state.place(node))
    unbound = any(isinstance(leaf, facts.Maybe) for leaf in facts.leaves(fact))
    if not unbound or not isinstance(fact, facts.STRUCTURES):
        return value
    items = [item(state.builder, value, i) for i in range(len(fact.items))]
    read = [known(state, a, node) if isinstance(a, ir.Value) else a for a in items]
    made = state.builder.op(display_of(fact), read)
    if is_mutable_display(display_of(fact)):  # it is the same list all the same
        adopt(state, home_of(state, value).buffer, made)
    return made


def _outside(state: Lowering, frame: Frame, name: str, node: Any) -> Atom:
    function = frame.source.function
    if name in function.__code__.co_freevars:
        return _external(state, External(function, name, True), node)
    if name in function.__globals__:
        return _external(state, External(function, name, False), node)
    state.note_missing(External(function, name, False))
    if hasattr(builtins, name):
        return Const(getattr(builtins, name))
    return state.builder.op(ir.missing, (Const(name),), place=state.place(node))


def _external(state: Lowering, external: External, node: Any) -> Atom:
    try:
        value = external.read()
    except ValueError:  # an empty closure cell
        state.note_missing(external)
        return state.builder.op(ir.unbound, (Const(external.name),), place=state.place(node))
    return external_atom(state, external, value, node)


def external_atom(state: Lowering, external: External, value: Any, node: Any) -> Atom:
    """The atom of something outside: numbers and arrays are read when the derivative runs, and
    of everything else it is checked then that it is still the same object."""
    if isinstance(value, (bool, int, float, complex, np.ndarray, np.generic)) or (
        type(value) in (tuple, list) and _is_numeric(value)
    ):
        return state.read_external(external, value)
    if isinstance(value, effects.sources_of_draws()):
        return state.read_external(external, value)
    if type(value) in (tuple, list, dict) and len(value) <= _MOST_ITEMS:
        return _container(state, external, value, node)
    if isinstance(value, (set, frozenset)) and all(map(_is_member, value)):
        return _members(state, external, value)
    if isinstance(value, (dict, set)):
        raise NotYetSupported(
            f"reading `{external.name}`, a {type(value).__name__}",
            state.place(node),
            "pass its numbers and arrays as arguments",
        )
    atom = Const(value)
    if isinstance(value, types.MethodType) and not _is_stable(value):  # made anew each time
        function = replace(external, path=(*external.path, "__func__"))
        state.guards[function] = Guard(function, None, value.__func__)
        state.module.origins[atom] = external
        return atom
    state.guards[external] = Guard(external, None, value)
    if isinstance(value, (functools.partial, np.vectorize)) or not _is_stable(value):
        state.module.origins[atom] = external
    return atom


_MOST_ITEMS = 500


def _container(state: Lowering, external: External, value: Any, node: Any) -> Atom:
    """A tuple, list or dict outside the function, item by item."""
    if not isinstance(value, tuple):
        layout = Layout(external)
        state.guards[layout] = Guard(layout, None, layout.read())
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    items = {
        key: external_atom(state, replace(external, path=(*external.path, (key,))), item, node)
        for key, item in pairs
    }
    display: Any = ir.make_tuple if isinstance(value, tuple) else ir.make_list
    if isinstance(value, dict):
        display = MakeRecord(dict, tuple(items))
    made = state.builder.op(display, list(items.values()))
    if isinstance(made, ir.Value):
        state.homes[made] = Home(Buffer(made, outside=True), (), made)
    return made


def _is_member(value: object) -> bool:
    """Whether an item of a set is what a dict may have as a key."""
    if isinstance(value, tuple):
        return all(map(_is_member, value))
    return isinstance(value, (bool, int, str, type(None), enum.Enum))


def _members(state: Lowering, external: External, value: Any) -> Atom:
    """A set outside the function."""
    layout = Layout(external)
    state.guards[layout] = Guard(layout, None, layout.read())
    items = sorted(value, key=repr)
    table = make_table(state, {key: Const(True) for key in items})
    made = state.builder.op(MakeRecord(Members, ("items",)), [table])
    for part in (table, made):
        if isinstance(part, ir.Value):
            state.homes[part] = Home(Buffer(part, outside=True), (), part)
    return made


def attribute_of_constant(state: Lowering, owner: Const, name: str, node: Any) -> Atom:
    """An attribute of something known at compile time; outside libraries it may change."""
    if isinstance(owner.value, Outcome):
        known = owner.value.known.get(name)
        if known is not None:
            return known
        return state.builder.op(getattr, (owner.value.owner, Const(name)), place=state.place(node))
    if isinstance(owner.value, Super):
        return owner.value.attribute(state, node, name)
    if isinstance(owner.value, Partial) and name in ("func", "args", "keywords"):
        return _of_partial(state, owner.value, name)
    if isinstance(owner.value, LocalFunction) and name == "__name__":
        return Const(owner.value.name)
    if isinstance(owner.value, (Partial, LocalFunction, Choice, Method, Bound, Derived, Deferred)):
        raise NotYetSupported(
            f"the attribute `{name}` of a function made inside the function", state.place(node),
            "keep what it holds in a variable",
        )  # fmt: skip
    own = isinstance(owner.value, type) and not _is_stable(owner.value)
    if own and owner not in state.module.origins:
        return of_class(state, node, owner.value, name, None)
    if name == "_make" and is_named_tuple(owner.value):
        return of_class(state, node, owner.value, name, None)
    try:
        value = getattr(owner.value, name)
    except AttributeError as error:
        raise NeverSupported(str(error), state.place(node)) from error
    origin = state.module.origins.get(owner)
    if origin is not None:
        external = replace(origin, path=(*origin.path, name))
        return external_atom(state, external, value, node)
    if _is_stable(owner.value) or _is_stable(value) or isinstance(owner.value, _FIXED):
        return Const(value)
    raise NotYetSupported(
        f"the attribute `{name}` of {type(owner.value).__name__}",
        state.place(node),
        "pass what it holds as an argument",
    )


_FIXED = (slice, enum.Enum, dataclasses.Field)
"""What never changes."""


def _of_partial(state: Lowering, owner: Partial, name: str) -> Atom:
    if name == "func":
        return owner.callee
    if name == "args":
        return state.builder.op(ir.make_tuple, owner.args)
    return make_table(state, owner.keywords)


def _is_stable(value: Any) -> bool:
    """Whether something belongs to a library, where nobody changes it."""
    if isinstance(value, types.ModuleType):
        return value.__name__.split(".")[0] in _STABLE
    module = getattr(value, "__module__", None)
    if isinstance(value, np.ufunc):
        return True
    return isinstance(module, str) and module.split(".")[0] in _STABLE


_STABLE = (
    "math", "numpy", "builtins", "operator", "scipy", "tangent_like", "cmath", "time", "logging",
    "warnings", "contextlib", "functools", "itertools", "_operator", "_functools", "_warnings",
)  # fmt: skip


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_numeric, value))
    return isinstance(value, (bool, int, float, complex, np.ndarray, np.generic))
