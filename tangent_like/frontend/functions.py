"""Lowering the body of a function in a frame of its own, and functions defined inside others."""

from __future__ import annotations

from typing import Any

import gast

from tangent_like import ir
from tangent_like.build import Unreachable
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend import syntax
from tangent_like.frontend.branches import lower_statements, read_flag
from tangent_like.frontend.failures import has_raised
from tangent_like.frontend.scope import Cell, Frame, LocalFunction
from tangent_like.frontend.source import Source
from tangent_like.frontend.state import FALSE, Lowering
from tangent_like.ir import Atom


def new_frame(
    source: Source, node: Any, env: dict[str, Any], parent: Frame | None, caller: Frame | None
) -> Frame:
    calls = caller.calls if caller is not None else ()
    captured = syntax.captured_names(node)
    cells = {name: Cell(name) for name in syntax.names_written_inside(node)}
    return Frame(
        source, node, env, syntax.local_names(node), parent, caller, calls, cells=cells,
        captured=captured,
    )  # fmt: skip


def lower_body(state: Lowering) -> Atom:
    """Lower the body of the current frame's function; its return value."""
    node = state.frame.node
    if isinstance(node, gast.Lambda):
        return state.expression(node.body)
    refuse_generators(state, node)
    env = state.frame.env
    state.cells.update((key, env.pop(n, ir.UNDEFINED)) for n, key in state.frame.cells.items())
    env.update({"%left": FALSE, "%returned": FALSE, "%value": ir.UNDEFINED})
    body = list(node.body)
    if syntax.may_fall_through(body):
        body.append(gast.copy_location(gast.Return(value=None), body[-1]))
    lower_statements(state, body)
    if has_raised(state.frame.env):
        raise Unreachable
    return read_flag(state, "%value", node)


def refuse_generators(state: Lowering, node: Any) -> None:
    if isinstance(node, gast.AsyncFunctionDef):
        raise NeverSupported("`async` functions", state.place(node), "a plain function")
    generating = syntax.first_yield(node)
    if generating is not None:
        raise NotYetSupported("generators", state.place(generating), "build and return a list")


def local_function(state: Lowering, node: Any, name: str) -> LocalFunction:
    """A nested function as a compile-time constant; its defaults are evaluated here."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = list(zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults))
    pairs += [p for p in zip(arguments.kwonlyargs, arguments.kw_defaults) if p[1] is not None]
    defaults = {param.id: state.expression(default) for param, default in pairs}
    return LocalFunction(node, state.frame, defaults, name)
