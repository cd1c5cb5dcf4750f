"""Lowering `with` and `try`: stretches of statements between two operations.

    with np.errstate(all="ignore"):        enter(errstate(all="ignore"))
        y = 1.0 / x                  ──▶   y = 1.0 / x
                                           leave()

The statements between are differentiated like any other.  A mirrored stretch stands inside the
same kind of manager.  Of `try` the handlers are not differentiated: if one would run in a
derivative call, the call raises an error.  Everything in the body of a `try` that may raise is
kept, also where the derivative does not need its result.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from typing import Any

import gast
import numpy as np

from tangent_like import ir
from tangent_like.build import Unreachable
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import handlers, managers, syntax
from tangent_like.frontend.branches import lower_statements
from tangent_like.frontend.gradient_blocks import is_gradient_block, lower_gradient_block
from tangent_like.frontend.handlers import Handler, lower_handled
from tangent_like.frontend.state import FALSE, Lowering
from tangent_like.frontend.targets import bind
from tangent_like.ir import Atom, Const

_HARMLESS = (np.errstate, np.printoptions, warnings.catch_warnings)
"""Managers that change how NumPy and Python warn and print, and no value."""


def lower_with(state: Lowering, node: Any) -> None:
    if is_gradient_block(state, node):
        lower_gradient_block(state, node)
    else:
        _managed(state, node, node.items)


def _managed(state: Lowering, node: Any, items: Sequence[Any]) -> None:
    if not items:
        lower_statements(state, node.body)
        return
    call = items[0].context_expr
    callee = state.expression(call.func) if isinstance(call, gast.Call) else None
    function = callee.value if isinstance(callee, Const) else None
    if function is contextlib.nullcontext:
        arguments = [state.expression(a) for a in call.args]
        if items[0].optional_vars is not None:
            bind(state, items[0].optional_vars, arguments[0] if arguments else Const(None))
        _managed(state, node, items[1:])
    elif function is contextlib.suppress:
        kinds = _classes(state, call.args)
        rest = gast.copy_location(gast.With(items[1:], node.body, None), node)
        body = [rest] if items[1:] else node.body
        if not lower_handled(state, node, body, [Handler(kinds, None, ())], ()):
            _tried(state, node, kinds, lambda: _managed(state, node, items[1:]))
    elif function in _HARMLESS and items[0].optional_vars is None:
        manager = state.expression(call)
        _enclosed(state, (ir.enter, (manager,)), ir.leave, lambda: _managed(state, node, items[1:]))
    else:
        _entered(state, node, items)


def _entered(state: Lowering, node: Any, items: Sequence[Any]) -> None:
    """A context manager of the user's."""
    written, target = items[0].context_expr, items[0].optional_vars
    manager = state.expression(written)

    def rest() -> None:
        _managed(state, node, items[1:])

    if not managers.is_manager(manager):
        raise NotYetSupported(
            "this context manager",
            state.place(written),
            "enter it around the call of the derivative; known are np.errstate, np.printoptions, "
            "warnings.catch_warnings, contextlib.nullcontext, contextlib.suppress, and your own",
        )
    if isinstance(manager, Const):
        managers.lower_generated(state, node, manager.value, target, rest)
    else:
        leaving = managers.enter(state, written, manager, target)
        _finally(state, node, rest, [leaving])


def _enclosed(state: Lowering, opening: Any, closing: Any, lower: Any) -> None:
    fn, args = opening
    state.builder.op(fn, args)
    raised = False
    try:
        lower()
    except Unreachable:
        raised = True
    state.builder.op(closing, ())
    if raised:
        raise Unreachable


def lower_try(state: Lowering, node: Any) -> None:
    def body() -> None:
        if node.handlers:
            taking = [Handler(_kinds(state, h), h.name, h.body) for h in node.handlers]
            if lower_handled(state, node, node.body, taking, node.orelse):
                return
            kinds = [kind for handler in taking for kind in handler.kinds]
            _tried(state, node, kinds, lambda: lower_statements(state, node.body))
        else:
            lower_statements(state, node.body)
        lower_statements(state, node.orelse)

    if node.finalbody:
        _finally(state, node, body, node.finalbody)
    else:
        body()


def _kinds(state: Lowering, handler: Any) -> list[Atom]:
    """The classes of exceptions that a handler catches."""
    if handler.type is None:
        return [Const(BaseException)]
    nodes = handler.type.elts if isinstance(handler.type, gast.Tuple) else [handler.type]
    return _classes(state, nodes)


def _classes(state: Lowering, nodes: Sequence[Any]) -> list[Atom]:
    kinds = [state.expression(kind) for kind in nodes]
    for kind, written in zip(kinds, nodes):
        if not (isinstance(kind, Const) and isinstance(kind.value, type)):
            raise NotYetSupported(
                "an exception class known only at run time", state.place(written), "name it"
            )
    return kinds


def _tried(state: Lowering, node: Any, kinds: Sequence[Atom], lower: Any) -> None:
    place = state.place(node)
    where = (Const(place.file), Const(place.line), Const(place.function))
    outer, state.builder.keeping = state.builder.keeping, True
    try:
        _enclosed(state, (ir.enter_try, (*where, *kinds)), ir.leave_try, lower)
    finally:
        state.builder.keeping = outer


_EXITS = ("%left", "%go", "%broke", "%returned")


def _finally(state: Lowering, node: Any, body: Any, finalbody: Sequence[Any]) -> None:
    """The statements of `finally` run whichever way the body is left, and then it is left."""
    if syntax.may_exit(finalbody):
        raise NotYetSupported(
            "leaving a `finally` block early", state.place(node), "leave after the `try`"
        )
    raised = False
    before = state.frame.read_late
    state.frame.read_late = before | syntax.mentioned_names(finalbody)
    try:
        body()
    except Unreachable:
        raised = True
    finally:
        state.frame.read_late = before
    left = {flag: state.frame.env[flag] for flag in _EXITS if flag in state.frame.env}
    was_raised = state.frame.env.pop("%raised", None)
    state.frame.env["%left"] = FALSE
    if raised or was_raised is not None:
        raise NotYetSupported(
            "a `try` that always raises", state.place(node), "raise without `try`"
        )
    lower_statements(state, finalbody)
    state.frame.env.update(left)


HANDLERS: dict[type, Any] = {
    gast.With: lower_with,
    gast.Try: lower_try,
    **handlers.HANDLERS,
    **managers.HANDLERS,
}
