"""Lowering statements in order, and branches.

    if x > 0:                       y = if x > 0:
        return x                        yield x
    y = x * x             ──▶       else:
    return y                            y = x * x
                                        yield y

What follows an exit moves into the branch that can reach it.  Where both can, it is guarded by
the flags that the exit sets (`lower.py` lists them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.build import Unreachable
from tangent_like.frontend import syntax
from tangent_like.frontend.failures import (
    Failure,
    has_raised,
    keep_the_side_that_goes_on,
    mark_raised,
)
from tangent_like.frontend.joins import join_environments
from tangent_like.frontend.memory import fresh_or_conflict
from tangent_like.frontend.names import read_binding
from tangent_like.frontend.protocols import is_protocol_object, truth_of_object
from tangent_like.frontend.scope import Environment
from tangent_like.frontend.state import FALSE, TRUE, Lowering
from tangent_like.ir import Atom, Block, Const


def lower_statements(state: Lowering, statements: Sequence[Any]) -> None:
    """Lower statements in order; what follows a possible exit runs only if it was not taken."""
    for k, node in enumerate(statements):
        if has_raised(state.frame.env):
            return
        left = read_flag(state, "%left", node)
        if isinstance(left, Const):
            if left.value:
                return
        else:
            gone = {} if state.frame.in_loop else _RETURNED
            lower_branches(state, left, (), statements[k:], node, _NOT_LEFT, in_then=gone)
            return
        if isinstance(node, gast.If) and _takes_rest(node):
            try:
                lower_if(state, node, statements[k + 1 :])
            except Unreachable:
                mark_raised(state)
            return
        try:
            state.statement(node)
        except Unreachable:
            mark_raised(state)


def _takes_rest(node: Any) -> bool:
    return not (syntax.may_fall_through(node.body) and syntax.may_fall_through(node.orelse))


def lower_if(state: Lowering, node: Any, rest: Sequence[Any] = ()) -> None:
    """`if`; the statements after it move into the branch that can reach them."""
    test = state.expression(node.test)
    then, orelse = list(node.body), list(node.orelse)
    if rest and syntax.may_fall_through(then):
        then += rest
    if rest and syntax.may_fall_through(orelse):
        orelse += rest
    lower_branches(state, test, then, orelse, node)


_NOT_LEFT: dict[str, Any] = {
    "%left": FALSE, "%go": TRUE, "%returned": FALSE, "%broke": FALSE, "%value": ir.UNDEFINED,
}  # fmt: skip
"""What holds where control has not left the block."""
_RETURNED: dict[str, Any] = {"%left": TRUE, "%returned": TRUE}
"""What holds where it has, outside of loops."""


def lower_branches(
    state: Lowering,
    test: Atom,
    then: Sequence[Any],
    orelse: Sequence[Any],
    node: Any,
    in_else: Mapping[str, Any] = MappingProxyType({}),
    spelling: str = "if",
    in_then: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """An `If` of two statement lists; the flags are known where the test is true or false."""
    test = truth(state, test, node)
    if isinstance(test, Const):
        lower_statements(state, then if test.value else orelse)
        return
    state.builder.place = state.place(node)
    before, mark = state.scope(), ir.next_serial()
    sides = []
    for statements, flags in ((then, in_then), (orelse, in_else)):
        state.enter({**before, **flags})
        block = state.builder.collect(_lowered(state, statements))
        sides.append((block, state.scope()))
    bound = [name for name in sides[0][1] | sides[1][1] if _is_bound(name, before, sides)]
    sides = [_as_it_is_now(state, block, env, bound, node) for block, env in sides]
    state.builder.place = state.place(node)
    if keep_the_side_that_goes_on(state, test, sides, before, spelling):
        return
    state.enter(join_environments(state, test, *sides[0], *sides[1], before, mark, node))


def _lowered(state: Lowering, statements: Sequence[Any]) -> Callable[[], tuple[Atom, ...]]:
    def lower() -> tuple[Atom, ...]:
        lower_statements(state, statements)
        return ()

    return lower


_Side = tuple[Block, Environment]


def _is_bound(name: Any, before: Environment, sides: Sequence[_Side]) -> bool:
    """Whether a branch binds a name: then what it holds at the end of either one counts."""
    return isinstance(name, str) and any(
        env.get(name) is not before.get(name) for _, env in sides
    )


def _as_it_is_now(
    state: Lowering, block: Block, env: Environment, bound: Sequence[Any], node: Any
) -> _Side:
    """A branch at whose end names hold what their memory holds then."""
    state.enter(env)

    def refresh() -> tuple[Atom, ...]:
        for name in bound:
            table = state.table_of(name)
            if name in table:
                table[name] = fresh_or_conflict(state, table[name], node)
        return ()

    extra = state.builder.collect(refresh)
    return Block(block.statements + extra.statements, block.results), state.scope()


def truth(state: Lowering, test: Atom, node: Any) -> Atom:
    """Compile-time truth where facts give it: None is false, a function is true; of an object it
    is what its class says."""
    if is_protocol_object(test):
        told = truth_of_object(state, node, test)
        return told if told.fact == facts.BOOL else truth(state, told, node)
    if isinstance(test, Const):
        return Const(bool(test.value))
    if test.fact == facts.Opaque("NoneType"):
        return FALSE
    if isinstance(test.fact, (facts.Tuple, facts.List)):
        return Const(bool(test.fact.items))
    return test


def lower_assert(state: Lowering, node: Any) -> None:
    if __debug__:
        test = state.expression(node.test)
        lower_branches(state, test, (), [Failure(node)], node, spelling="assert")


def read_flag(state: Lowering, name: str, node: Any) -> Atom:
    """The atom of one of the flags, made definite where it is only maybe bound."""
    return read_binding(state, state.frame, name, node)
