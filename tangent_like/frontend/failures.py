"""Lowering `raise` and `assert`, and branches of which a side raises.

    if x < 0.0:                          if x < 0.0:
        raise ValueError(x)                  raise ValueError(x)
    else:                    ──▶         y = sqrt(x)
        y = sqrt(x)

A path that raises ends there: what follows belongs to the other side alone, and is lowered as if
there were no branch.  `Unreachable` unwinds lowering to the statement around, where the name
`%raised` tells the branch.
"""

from __future__ import annotations

from typing import Any

import gast

from tangent_like import ir
from tangent_like.build import Unreachable
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.state import TRUE, Lowering
from tangent_like.ir import Atom, Block, Const, If


def lower_raise(state: Lowering, node: Any) -> None:
    handled = state.frame.env.get("%error")
    if node.exc is not None:
        operands = [state.expression(node.exc)]
    elif isinstance(handled, (ir.Value, Const)):
        operands = [handled]
    else:
        raise NotYetSupported("`raise` without an exception", state.place(node), "name it")
    if node.cause is not None:
        operands.append(state.expression(node.cause))
    fail(state, node, *operands)


def fail(state: Lowering, node: Any, *operands: Atom) -> None:
    """The end of a path: the operation that raises."""
    state.builder.op(ir.fail, operands, place=state.place(node))
    raise Unreachable


def impossible(
    state: Lowering, node: Any, kind: type[BaseException], what: object, message: str,
    hint: str = "",
) -> NeverSupported:  # fmt: skip
    """The error for what can only raise an exception of this kind.

    It is raised at run time in what may never run, a branch or loop, and inside a `try` whose
    handlers take it.
    """
    if state.builder.is_nested or any(issubclass(kind, taken) for taken in state.handled):
        fail(state, node, state.builder.op(kind, (Const(what),), place=state.place(node)))
    return NeverSupported(message, state.place(node), hint)


class Failure:
    """A pseudo statement: what an `assert` does where its test is false."""

    def __init__(self, node: Any):
        self.node = node


def lower_failure(state: Lowering, failure: Failure) -> None:
    node = failure.node
    message = [state.expression(node.msg)] if node.msg is not None else []
    error = state.builder.op(AssertionError, message, place=state.place(node))
    fail(state, node, error)


def mark_raised(state: Lowering) -> None:
    state.frame.env.update({"%raised": TRUE, "%left": TRUE})


def has_raised(env: Any) -> bool:
    """Whether no path through the statements that left this environment goes on."""
    return "%raised" in env


def keep_the_side_that_goes_on(
    state: Lowering, test: Atom, sides: Any, before: Any, spelling: str
) -> bool:
    """Where a side of a branch raises: the `If` with that side alone, then the other side.

    Sets the environment to that of the side that goes on; False if no side raises.
    """
    (then, then_env), (orelse, else_env) = sides
    raised = has_raised(then_env), has_raised(else_env)
    if not any(raised):
        return False
    kept = [Block(b.statements if r else (), ()) for b, r in zip((then, orelse), raised)]
    state.builder.append(If((), test, kept[0], kept[1], state.builder.place, spelling))
    if all(raised):
        state.enter(before)
        mark_raised(state)
        return True
    scope, rest = (else_env, orelse) if raised[0] else (then_env, then)
    state.enter(scope)
    state.builder.extend(rest)
    return True


def lower_exception(state: Lowering, node: Any, kind: Any, args: Any, keywords: Any) -> Atom:
    """A call of an exception class."""
    for atom in (*args, *keywords.values()):
        if isinstance(atom, Const) and not isinstance(atom.value, _PRINTABLE):
            if not isinstance(atom.value, type):
                raise NotYetSupported(
                    "this argument of an exception", state.place(node), "pass text and numbers"
                )
    return state.builder.op(kind, args, keywords, place=state.place(node))


_PRINTABLE = (bool, int, float, complex, str, bytes, type(None), tuple, type(...))

HANDLERS: dict[type, Any] = {gast.Raise: lower_raise, Failure: lower_failure}
