"""Calls of built-in and library functions that are worked out while lowering.

    reduce(f, (a, b, c))        ──▶    f(f(a, b), c)

What the handlers say of sequences holds for those whose length is known; where it is known at run
time only, a call becomes a loop, or stays the call that it is.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any

from tangent_like.errors import NeverSupported
from tangent_like.frontend import (
    consumers,
    containers,
    copies,
    functional,
    iterators,
    managers,
    reflection,
)
from tangent_like.frontend.application import Application, Handler
from tangent_like.frontend.objects import Deferred
from tangent_like.frontend.scope import LocalFunction
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const
from tangent_like.rules import registry

_HANDLERS: dict[Any, Handler] = {
    **functional.HANDLERS,
    **iterators.HANDLERS,
    **consumers.HANDLERS,
    **copies.HANDLERS,
    **containers.HANDLERS,
    **reflection.HANDLERS,
}


def apply(
    state: Lowering,
    node: Any,
    function: Any,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
    call: Callable[..., Atom],
) -> Atom | None:
    """The value of a call that is known how to work out; None where it is an ordinary call."""
    ruled = registry.find(function) is not None  # which goes before what the object is
    handler = None if ruled else functional.BY_TYPE.get(type(function))
    own = Application(state, node, function, args, keywords, call)
    if handler is None and getattr(type(function), "__hash__", None) is not None:
        handler = _HANDLERS.get(function)
        if handler is not None:
            _check_arguments(own)
    if handler is not None:
        return handler(own)
    if hasattr(function, "registry"):
        return functional.dispatched(own)
    managing = managers.managing(function, args, keywords)
    if managing is not None:
        return managing
    _refuse_iterators(own)
    return None


def _check_arguments(own: Application) -> None:
    """The handlers find the arguments that Python asks for."""
    signature = _signature(own.function)
    try:
        if signature is not None:
            signature.bind(*own.args, **own.keywords)
    except TypeError as error:
        raise NeverSupported(
            f"`{own.function.__name__}`: {error}", own.state.place(own.node)
        ) from None


@functools.lru_cache(maxsize=256)
def _signature(function: Any) -> inspect.Signature | None:
    """The parameters of a function; of some built-in ones only how many there are at least."""
    if function in _FEWEST:
        first = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in _FEWEST[function]]
        rest = Parameter("others", Parameter.VAR_POSITIONAL)
        return inspect.Signature([*first, rest, Parameter("options", Parameter.VAR_KEYWORD)])
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


_FEWEST: dict[Any, tuple[str, ...]] = {
    **dict.fromkeys((map, filter, functools.reduce), ("function", "iterable")),
    **dict.fromkeys((min, max), ("iterable",)),
    functools.partial: ("function",),
}


def _refuse_iterators(own: Application) -> None:
    """A function of the user's may take an iterator; others would see what is none."""
    if isinstance(own.function, LocalFunction) or hasattr(own.function, "__code__"):
        return
    for atom in (*own.args, *own.keywords.values()):
        if isinstance(atom, Const) and isinstance(atom.value, Deferred):
            raise own.refusal("passing an iterator to this function", "pass a list")
