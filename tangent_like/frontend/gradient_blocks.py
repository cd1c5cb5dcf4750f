"""`with grad_of(x) as g:`, code that runs in the reverse sweep.

    with grad_of(x) as g:                x = gradient_block(x, limit)
        g = np.clip(g, -1.0, limit)  ──▶   (reverse: bx = np.clip(bx, -1.0, limit))

The body is lowered on its own, with `g` as its parameter, and put where the adjoint of `x` is
complete up to this line.  What `g` is bound to at its end replaces the adjoint.  The primal and
forward mode ignore the block.
"""

from __future__ import annotations

from typing import Any

import gast

from tangent_like import facts, ir, trees
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import syntax
from tangent_like.frontend.branches import lower_statements
from tangent_like.frontend.names import read_binding
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.writes import refuse_outside
from tangent_like.gradient_block import GradientBlock, grad_of
from tangent_like.ir import Const, Value


def is_gradient_block(state: Lowering, node: Any) -> bool:
    call = node.items[0].context_expr
    if len(node.items) != 1 or not isinstance(call, gast.Call):
        return False
    callee = state.expression(call.func)
    return isinstance(callee, Const) and callee.value is grad_of


def lower_gradient_block(state: Lowering, node: Any) -> None:
    """Lower `with grad_of(x) as g:`."""
    item = node.items[0]
    target, source = item.optional_vars, item.context_expr.args
    named = len(source) == 1 and isinstance(source[0], gast.Name)
    if not named or not isinstance(target, gast.Name) or syntax.may_exit(node.body):
        raise NotYetSupported(
            "this form of `grad_of`",
            state.place(node),
            "write `with grad_of(name) as other_name:` without leaving the block early",
        )
    _lower(state, node, source[0], target.id)


def _lower(state: Lowering, node: Any, source: Any, name: str) -> None:
    x = state.expression(source)
    state.frame.locals |= {name}
    if not isinstance(x, Value) or not facts.may_be_differentiated(x.fact):
        return
    seed = Value(name, trees.derivative_fact(x.fact))
    before, mark = state.scope(), ir.next_serial()
    state.frame.env = {**state.frame.env, name: seed}

    def build() -> list[Any]:
        lower_statements(state, node.body)
        return [read_binding(state, state.frame, name, node)]

    block = state.builder.collect(build)
    refuse_outside(state, node, before, mark, "a block for the reverse sweep")
    state.enter(before)
    captured = tuple(ir.free_values(block, (seed,)))
    params = tuple(Value(v.name, v.fact) for v in captured)
    block = ir.substitute(block, dict(zip(captured, params)))
    hook = GradientBlock(seed, params, block)
    result = Value(x.name, x.fact)
    place = state.place(node)
    state.builder.append(ir.Op(result, hook, (x, *captured), (), place))
    state.frame.env[source.id] = result
