"""Calls of built-in and library functions that are worked out while lowering.

    reduce(f, (a, b, c))        ──▶    f(f(a, b), c)

What the handlers say of sequences holds for those whose length is known; where it is known at run
time only, a call becomes a loop, or stays the call that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tangent_like.frontend import consumers, functional, iterators
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
    if handler is None and getattr(type(function), "__hash__", None) is not None:
        handler = _HANDLERS.get(function)
    own = Application(state, node, function, args, keywords, call)
    if handler is not None:
        return handler(own)
    _refuse_iterators(own)
    return None


def _refuse_iterators(own: Application) -> None:
    """A function of the user's may take an iterator; others would see what is none."""
    if isinstance(own.function, LocalFunction) or hasattr(own.function, "__code__"):
        return
    for atom in (*own.args, *own.keywords.values()):
        if isinstance(atom, Const) and isinstance(atom.value, Deferred):
            raise own.refusal("passing an iterator to this function", "pass a list")
