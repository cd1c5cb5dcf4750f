"""Lowering `a if c else b`, `a and b`, `a or b` and comparison chains.

One side is evaluated.  What it does besides giving a value (`:=` binds a name, a call may raise)
happens on that side only, as in a branch of statements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.build import Unreachable
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.branches import truth
from tangent_like.frontend.brought import brought_along
from tangent_like.frontend.chosen import After, inner_tests, note_choices
from tangent_like.frontend.failures import has_raised, keep_the_side_that_goes_on, mark_raised
from tangent_like.frontend.function_choices import has_tests
from tangent_like.frontend.homes import may_alias
from tangent_like.frontend.joins import choosable, join_environments, joinable
from tangent_like.frontend.live import is_live
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.scope import Carried, Choice, Environment
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Block, Const

_RESULT = "%expression"


def lower_if_expression(state: Lowering, node: Any) -> Atom:
    test = truth(state, state.expression(node.test), node)
    if isinstance(test, Const):
        return state.expression(node.body if test.value else node.orelse)
    return choose(
        state,
        node,
        test,
        lambda: state.expression(node.body),
        lambda: state.expression(node.orelse),
        "ifexp",
    )


def lower_bool_operation(state: Lowering, node: Any) -> Atom:
    spelling = "and" if isinstance(node.op, gast.And) else "or"
    first = state.expression(node.values[0])
    return _rest(state, node, first, 1, spelling)


def _rest(state: Lowering, node: Any, first: Atom, k: int, spelling: str) -> Atom:
    def rest() -> Atom:
        value = state.expression(node.values[k])
        if k + 1 == len(node.values):
            return value
        return _rest(state, node, value, k + 1, spelling)

    return logical(state, node, first, rest, spelling)


def logical(
    state: Lowering, node: Any, first: Atom, rest: Callable[[], Atom], spelling: str
) -> Atom:
    """`first and rest` or `first or rest`: an operand is returned, the second run if needed."""
    test = truth(state, first, node)
    if isinstance(test, Const):
        return rest() if bool(test.value) == (spelling == "and") else first
    keep: Callable[[], Atom] = lambda: first
    then, orelse = (rest, keep) if spelling == "and" else (keep, rest)
    return choose(state, node, test, then, orelse, spelling)


def choose(
    state: Lowering,
    node: Any,
    test: Atom,
    then: Callable[[], Atom],
    orelse: Callable[[], Atom],
    spelling: str,
) -> Atom:
    """The value of the side that `test` picks at run time."""
    before, mark = state.scope(), ir.next_serial()
    sides = [_side(state, node, build, before) for build in (then, orelse)]
    (then_block, then_env), (else_block, else_env) = sides
    state.builder.place = state.place(node)
    if keep_the_side_that_goes_on(state, test, sides, before, "if"):
        if has_raised(state.frame.env):
            raise Unreachable
        return state.frame.env.pop(_RESULT)  # type: ignore[return-value]
    left, right = then_env[_RESULT], else_env[_RESULT]
    if is_live(state, left) or is_live(state, right):
        raise NotYetSupported(
            "choosing between views of dicts", state.place(node), "choose between the dicts"
        )
    if not choosable(left, right) and not joinable(left, right):  # type: ignore[arg-type]
        raise NotYetSupported(
            "choosing between functions at run time", state.place(node), "use `if` and call each"
        )
    nested = has_tests(left) or has_tests(right)  # type: ignore[arg-type]
    nested |= any(_chooses_inside(state, side, mark) for side in (left, right))  # type: ignore[arg-type]
    unbound = spelling != "if" and all(_binds_nothing(before, env) for _, env in sides)
    brought = any(brought_along(state, side, mark) for side in (left, right))  # type: ignore[arg-type]
    if unbound and not nested and not brought:
        state.enter(before)
        if choosable(left, right):  # type: ignore[arg-type]
            return Const(Choice(test, left, right))  # type: ignore[arg-type]
        then_block = Block(then_block.statements, (left,))  # type: ignore[arg-type]
        else_block = Block(else_block.statements, (right,))  # type: ignore[arg-type]
        (result,) = state.builder.join(test, then_block, else_block, spelling=spelling)
        after = After(mark, before, (then_env, else_env))
        rows = [(result, left, right)]
        state.memory.update(note_choices(state, test, rows, after))  # type: ignore[arg-type]
        return result
    state.enter(join_environments(
        state, test, then_block, then_env, else_block, else_env, before, mark, node
    ))  # fmt: skip
    return state.frame.env.pop(_RESULT)  # type: ignore[return-value]


def _chooses_inside(state: Lowering, value: Atom, mark: int) -> bool:
    """Whether a side is a tuple that holds arrays, or one of several by a test of its own."""
    held = isinstance(value.fact, facts.STRUCTURES) and may_alias(value.fact)
    return held or any(inner_tests(state, value, mark))


def _side(
    state: Lowering, node: Any, build: Callable[[], Atom], before: Environment
) -> tuple[Block, Environment]:
    """The block of a side, and the names after it, among them its value."""

    def run() -> tuple[Atom, ...]:
        try:
            state.frame.env[_RESULT] = fresh(state, build(), node)
        except Unreachable:
            mark_raised(state)
        return ()

    state.enter(before)
    return state.builder.collect(run), state.scope()


def _binds_nothing(before: Environment, after: Environment) -> bool:
    """Whether the names are as before, but for those that the loop around has handed in."""
    for name, binding in after.items():
        old = before.get(name)
        handed_in = isinstance(old, Carried) and old.atom is binding
        if name != _RESULT and binding is not old and not handed_in:
            return False
    return True
