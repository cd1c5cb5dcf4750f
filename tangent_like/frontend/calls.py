"""Lowering calls: what is called decides.

User functions are inlined; a function that calls itself becomes a procedure of the generated
module; NumPy, `math` and everything with a derivative rule stays a single operation; `grad` and
its like are differentiated on the spot.
"""

from __future__ import annotations

import inspect
import logging
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import gast
import numpy as np

from tangent_like import dynamic, facts, ir
from tangent_like.build import Unreachable
from tangent_like.errors import (
    NotYetSupported,
    SourceError,
)
from tangent_like.frontend import (
    applications,
    indexed_writes,
    operators,
    syntax,
)
from tangent_like.frontend.arithmetic import KINDS, of_function
from tangent_like.frontend.binding import bind_arguments, default_value, default_values
from tangent_like.frontend.choices import choose
from tangent_like.frontend.failures import lower_exception
from tangent_like.frontend.functions import lower_body, new_frame
from tangent_like.frontend.generators import is_generator, lower_generator_body
from tangent_like.frontend.making import construct
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.method_calls import called, method_call, unbound_method
from tangent_like.frontend.numba_functions import python_function
from tangent_like.frontend.objects import deferred, reached
from tangent_like.frontend.operations import PLAIN_BUILTINS, of_library, operation
from tangent_like.frontend.operator_calls import lower_operator
from tangent_like.frontend.protocols import (
    call_special,
    is_object,
)
from tangent_like.frontend.scope import Bound, Choice, Derived, Frame, LocalFunction, Method
from tangent_like.frontend.shrinking import shrinks, size
from tangent_like.frontend.source import Source, find_source
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import lower_super
from tangent_like.frontend.written_out import STANDS_FOR
from tangent_like.ir import Atom, Const
from tangent_like.rules import registry

_SHALLOW = 60
_DEEP_LIMIT = 10_000


def lower_call(state: Lowering, node: Any) -> Atom:
    if isinstance(node.func, gast.Attribute):
        return method_call(state, node)
    found = lower_super(state, node)
    if found is not None:
        return found
    return called(state, node, state.expression(node.func))


def call(
    state: Lowering, node: Any, callee: Atom, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """Call what is known at compile time."""
    if is_object(callee):
        return call_special(state, node, "__call__", callee, args, keywords)
    if not isinstance(callee, Const):
        return _call_unknown(state, node, callee, args, keywords)
    function = python_function(callee.value)
    applied = applications.apply(state, node, function, args, keywords, call)
    if applied is not None:
        return applied
    called = _call_of_object(function)
    if called is not None:
        return call(state, node, Const(called), (callee, *args), keywords)
    for kind, lower in _MADE_WHILE_LOWERING.items():
        if isinstance(function, kind):
            return lower(state, node, function, args, keywords)
    if isinstance(function, types.MethodType) and _is_of_the_user(function):
        return _call_bound(state, node, callee, function, args, keywords)
    for known in (unbound_method, _call_registered, _call_plain):
        found = known(state, node, function, args, keywords)
        if found is not None:
            return found
    name = getattr(function, "__qualname__", None) or repr(function)
    raise NotYetSupported(
        f"calling `{name}`",
        state.place(node),
        "give it a rule with tl.elementwise, tl.linear or tl.custom_vjp",
    )


def _call_registered(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom | None:
    """A function of which it was said how it is lowered or differentiated."""
    operator_name = operators.name_of(function)
    if operator_name is not None:
        return lower_operator(state, node, operator_name, args, keywords)
    custom = registry.custom_of(function)
    if custom is not None:
        return state.module.call_custom(state, node, custom, args, keywords)
    if isinstance(function, np.vectorize):
        return _call_vectorized(state, node, function, args, keywords)
    lower = registry.call_of(function) or indexed_writes.writer_of(function)
    if lower is not None:
        return lower(state, node, args, keywords)
    if function is logging.getLogger and all(isinstance(a, Const) for a in args):
        return Const(function(*(a.value for a in args)))  # type: ignore[union-attr]
    if _is_hashable(function) and function in KINDS and len(args) == 2:
        return of_function(state, node, function, *args)
    if registry.find(function) is not None or function in PLAIN_BUILTINS:
        return operation(state, node, function, args, keywords)
    if isinstance(function, operators.DERIVATIVES):
        return _derive(state, node, Derived(*function.derived()), args, keywords)
    return None


def _call_plain(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom | None:
    """A function written in Python, a class, or a function of a library."""
    if _is_hashable(function) and function in STANDS_FOR:
        return _call_function(state, node, STANDS_FOR[function], args, keywords)
    if isinstance(function, types.FunctionType) and not of_library(function):
        return _call_function(state, node, function, args, keywords)
    if indexed_writes.is_refused(function):
        raise NotYetSupported(
            f"`{function.__name__}`, which writes into an array in place",
            state.place(node),
            "build a new array",
        )
    if isinstance(function, type) and issubclass(function, BaseException):
        return lower_exception(state, node, function, args, keywords)
    if isinstance(function, type) and not of_library(function):
        return construct(state, node, function, args, keywords)
    if of_library(function) and getattr(function, "__module__", "") != "builtins":
        return operation(state, node, function, args, keywords)
    return None


def _derive(
    state: Lowering, node: Any, derived: Derived, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    found: Atom = state.module.derive(state, node, derived, args, keywords)
    return found


def _call_method(
    state: Lowering, node: Any, method: Method, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    owner = fresh(state, method.owner, node)
    return call(state, node, Const(method.function), (owner, *args), keywords)


def _call_with_last(
    state: Lowering, node: Any, bound: Bound, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    last = [fresh(state, atom, node) for atom in bound.last]
    return call(state, node, Const(bound.function), (*args, *last), keywords)


def _call_unknown(
    state: Lowering, node: Any, callee: Atom, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """A call of what is known only at run time: it is differentiated then, if it is a function;
    if it cannot be called Python's error is raised."""
    made = state.builder.definitions.get(callee) if isinstance(callee, ir.Value) else None
    if made is not None and made.fn in (ir.unbound, ir.missing):
        raise Unreachable
    if keywords or not all(map(_may_be_passed, args)):
        raise NotYetSupported(
            "calling a function that is known only at run time with these arguments",
            state.place(node),
            "pass numbers and arrays by position",
        )
    return state.builder.op(dynamic.call, (callee, *args), place=state.place(node))


def _may_be_passed(atom: Atom) -> bool:
    """Whether an argument is a number, an array, or a constant that exists at run time."""
    if isinstance(atom, Const):
        return isinstance(atom.value, (bool, int, float, complex, str, type(None), np.dtype))
    return isinstance(atom.fact, (facts.Scalar, facts.Array, facts.Unknown))


def _call_vectorized(
    state: Lowering,
    node: Any,
    function: np.vectorize,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """A vectorised function that was made outside, such as a decorated one."""
    plain = np.vectorize(function.pyfunc)
    if any(vars(function).get(name) != vars(plain).get(name) for name in _OPTIONS):
        raise NotYetSupported(
            "`vectorize` with options", state.place(node), "give it the function only"
        )
    made = registry.calls[np.vectorize](state, node, (Const(function.pyfunc),), {})
    return call(state, node, made, args, keywords)


def _is_hashable(function: Any) -> bool:
    return getattr(type(function), "__hash__", None) is not None


_OPTIONS = ("otypes", "excluded", "signature", "cache")


def _is_of_the_user(function: types.MethodType) -> bool:
    owner = function.__self__  # of a class method the class
    kind = owner if isinstance(owner, type) else type(owner)
    return not of_library(function) and not of_library(kind)


def _call_of_object(value: Any) -> types.FunctionType | None:
    """What calling an object of the user's runs; None for functions and what is no object."""
    kind = type(value)
    if isinstance(value, type) or kind.__module__.startswith("tangent_like.") or of_library(kind):
        return None
    if getattr(kind, "__hash__", None) is not None and registry.find(value) is not None:
        return None
    defined = inspect.getattr_static(kind, "__call__", None)
    return defined if isinstance(defined, types.FunctionType) else None


def _call_bound(
    state: Lowering,
    node: Any,
    callee: Const,
    function: types.MethodType,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """A method of an object outside: its attributes are read there."""
    owner = Const(function.__self__)
    origin = state.module.origins.get(callee)
    if origin is not None:
        read_there = origin.path[-1:] == (function.__name__,)
        path = origin.path[:-1] if read_there else (*origin.path, "__self__")
        state.module.origins[owner] = replace(origin, path=path)
    return call(state, node, Const(function.__func__), (owner, *args), keywords)


def _call_choice(
    state: Lowering,
    node: Any,
    choice: Choice,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """A branch with a call of either function."""
    return choose(
        state, node, choice.test,
        lambda: call(state, node, choice.then, args, keywords),
        lambda: call(state, node, choice.orelse, args, keywords), "if",
    )  # fmt: skip


# --- functions written in Python -------------------------------------------------------------


def _call_function(
    state: Lowering,
    node: Any,
    function: types.FunctionType,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    if function in state.frame.calls and not shrinks(state, function, args, keywords):
        return state.module.recurse(state, node, function, args, keywords)
    if len(state.frame.calls) > _SHALLOW and sys.getrecursionlimit() < _DEEP_LIMIT:
        raise RecursionError("inlining this deep needs a larger stack")
    try:
        source = find_source(function)
    except SourceError as error:
        raise NotYetSupported(
            f"calling `{function.__qualname__}`: {error.message}", state.place(node), error.hint
        ) from error
    state.module.rely_on(function)
    defaults = {
        name: default_value(state, node, function, name, value)
        for name, value in default_values(function).items()
    }
    env = bind_arguments(state, node, source.tree, defaults, args, keywords)
    return _inline(state, source, source.tree, env, None, function)


def _call_local(
    state: Lowering,
    node: Any,
    function: LocalFunction,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    if function in state.frame.calls and not shrinks(state, function, args, keywords):
        return state.module.recurse(state, node, function, args, keywords)
    env = bind_arguments(state, node, function.node, function.defaults, args, keywords)
    return _inline(state, function.frame.source, function.node, env, function.frame, function)


def _inline(
    state: Lowering, source: Source, tree: Any, env: dict[str, Any], parent: Frame | None, key: Any
) -> Atom:

    if is_generator(tree):
        names, sources = reached(parent, syntax.names_from_outside(tree))
        sources += [atom for atom in env.values() if isinstance(atom, ir.Value)]
        make = partial(_in_frame, state, source, tree, env, parent, key)
        return deferred(state, make, names, sources, env.values())
    return _in_frame(state, source, tree, env, parent, key)


def _in_frame(
    state: Lowering, source: Source, tree: Any, env: dict[str, Any], parent: Frame | None, key: Any
) -> Atom:
    caller = state.frame
    place = state.builder.place
    frame = new_frame(source, tree, env, parent, caller)
    frame.calls, frame.size = (*caller.calls, key), size(env.values())
    if getattr(source.function, "__module__", "") in _WRITTEN_FOR_PYTHONS:
        frame.called_at = place
    state.frame = frame
    try:
        return lower_generator_body(state, tree) if is_generator(tree) else lower_body(state)
    finally:
        state.frame = caller
        state.builder.place = place


_WRITTEN_FOR_PYTHONS = frozenset(
    f"tangent_like.frontend.{name}" for name in ("repeated", "iterated", "collected", "written_out")
)
"""Modules with functions that stand for functions of Python and NumPy."""

_MADE_WHILE_LOWERING: dict[type, Callable[..., Atom]] = {
    Choice: _call_choice, LocalFunction: _call_local, Derived: _derive, Method: _call_method,
    Bound: _call_with_last,
}  # fmt: skip
