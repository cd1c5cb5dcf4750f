"""Functions as values of generated code: what loops carry, and lists of any length hold.

Functions that generated code can name are such values; a choice between them is a branch. Nested
functions, bound methods and what `partial` makes inside a function exist while lowering only.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from tangent_like.errors import NotYetSupported
from tangent_like.frontend.objects import INTERNAL
from tangent_like.frontend.scope import Choice
from tangent_like.frontend.state import Lowering
from tangent_like.ir import UNDEFINED, Atom, Const, Value
from tangent_like.records import is_display

_NAMED = (types.FunctionType, types.BuiltinFunctionType, np.ufunc)


def exists_at_compile_time(value: object) -> bool:
    """Whether it is a function, module or iterator, which is more than a value."""
    return callable(value) or isinstance(value, INTERNAL) or type(value).__name__ == "module"


def exists_at_run_time(atom: Any) -> bool:
    """Whether an atom may be a value of generated code."""
    if not isinstance(atom, Const) or atom is UNDEFINED:
        return True
    if isinstance(atom.value, Choice):
        return exists_at_run_time(atom.value.then) and exists_at_run_time(atom.value.orelse)
    return isinstance(atom.value, _NAMED) or not exists_at_compile_time(atom.value)


def holds_function(state: Lowering, atom: Atom) -> bool:
    """Whether a structure has an item that is no value of generated code."""
    made = state.builder.definitions.get(atom) if isinstance(atom, Value) else None
    if made is None or not is_display(made.fn):
        return False
    return any(not exists_at_run_time(a) or holds_function(state, a) for a in made.args)


def at_run_time(state: Lowering, atom: Atom) -> Atom:
    """The atom as a value of generated code, where it may be one."""
    choice = atom.value if isinstance(atom, Const) else None
    if not isinstance(choice, Choice) or not exists_at_run_time(atom):
        return atom
    (found,) = state.builder.branch(
        choice.test,
        lambda: [at_run_time(state, choice.then)],
        lambda: [at_run_time(state, choice.orelse)],
        spelling="ifexp",
    )
    return found


def item_at_run_time(state: Lowering, node: Any, atom: Atom) -> Atom:
    """An item of a list of any length."""
    if not exists_at_run_time(atom):
        raise NotYetSupported(
            "a nested function or method in a list of unknown length", state.place(node),
            "use functions of the module, or a list whose length is known",
        )  # fmt: skip
    return at_run_time(state, atom)
