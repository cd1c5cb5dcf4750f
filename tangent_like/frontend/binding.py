"""Which argument of a call a parameter gets."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tangent_like.errors import ArgumentError, NotYetSupported
from tangent_like.frontend.externals import External
from tangent_like.frontend.names import external_atom
from tangent_like.frontend.stars import collect
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const
from tangent_like.parts import is_own_object


def default_values(function: Any) -> dict[str, object]:
    """The default values of a function's parameters."""
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function, follow_wrapped=False).parameters.items()
        if parameter.default is not parameter.empty
    }


def default_value(
    state: Lowering, node: Any, function: types.FunctionType, name: str, value: object
) -> Atom:
    """The default value of a parameter; arrays are read where Python keeps them."""
    if not isinstance(value, np.ndarray) and not is_own_object(value):
        return Const(value)
    for atom, origin in state.module.origins.items():
        if atom.value is function:
            path = (*origin.path, *_place_of_default(function, name))
            outside = External(origin.function, origin.name, origin.is_cell, path)
            return external_atom(state, outside, value, node)
    raise NotYetSupported("this default value here", state.place(node), "pass it")


def _place_of_default(function: types.FunctionType, name: str) -> tuple[Any, ...]:
    if name in (function.__kwdefaults__ or {}):
        return "__kwdefaults__", (name,)
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    count = len(function.__defaults__ or ())
    return "__defaults__", (positional.index(name) - len(positional) + count,)


def bind_arguments(
    state: Lowering,
    node: Any,
    tree: Any,
    defaults: Mapping[str, Atom],
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> dict[str, Any]:
    """The environment in which the callee's body starts."""
    arguments = tree.args
    only_positional = [param.id for param in arguments.posonlyargs]
    positional = only_positional + [param.id for param in arguments.args]
    names = positional + [param.id for param in arguments.kwonlyargs]
    by_name = set(names) - set(only_positional)
    collected, args, keywords = collect(state, node, arguments, positional, by_name, args, keywords)
    env: dict[str, Any] = dict(zip(positional, args))
    problem = _misuse(positional, only_positional, names, args, keywords)
    if problem:
        raise ArgumentError(f"the call {problem}", state.place(node))
    env.update({**keywords, **collected})
    for name in names:
        if name not in env:
            if name not in defaults:
                raise ArgumentError(f"the call misses the argument `{name}`", state.place(node))
            env[name] = defaults[name]
    return env


def _misuse(
    positional: Sequence[str],
    only_positional: Sequence[str],
    names: Sequence[str],
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> str:
    if len(args) > len(positional):
        return f"passes {len(args)} positional arguments where {len(positional)} are taken"
    for name in keywords:
        if name not in names or name in only_positional:
            return f"passes an unknown keyword `{name}`"
        if name in positional[: len(args)]:
            return f"passes `{name}` twice"
    return ""
