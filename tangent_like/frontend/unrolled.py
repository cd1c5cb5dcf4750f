"""Loops that are written out: over a tuple or list of few items that differ, so that
`for W, b in layers` costs nothing.

    for W, b in layers:              z = W1 @ y + b1;  y = np.tanh(z)
        z = W @ y + b        ──▶     z = W2 @ y + b2;  y = np.tanh(z)
        y = np.tanh(z)

An exit skips what is left through flags, which loops of generated code use too.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gast

from tangent_like import facts
from tangent_like.facts import Fact
from tangent_like.frontend import syntax
from tangent_like.frontend.branches import lower_branches, lower_statements
from tangent_like.frontend.joins import settled
from tangent_like.frontend.kinds import without_values
from tangent_like.frontend.live import in_turn, length_changes
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.names import read_binding
from tangent_like.frontend.scope import Binding, Conflict
from tangent_like.frontend.selection import holds_functions
from tangent_like.frontend.state import FALSE, Lowering
from tangent_like.frontend.targets import bind
from tangent_like.ir import Atom, Const, Value

UNROLL_LIMIT = 32
FLAGS = ("%go", "%left", "%broke")


def is_few(iterable: Atom) -> bool:
    """Whether a loop goes through so few items that it can be written out."""
    fact = iterable.fact
    return isinstance(fact, facts.Tuple | facts.List) and len(fact.items) <= UNROLL_LIMIT


def may_be_kept(state: Lowering, iterable: Atom, node: Any) -> bool:
    """Whether a loop over few items can be one of generated code, and is shorter so."""
    rolled = syntax.may_exit(node.body) and not state.turns_names
    if not rolled or not _alike(iterable.fact.items):  # type: ignore[union-attr]
        return False
    return not any(holds_functions(state, item) for item in _items(state, iterable))


def _alike(items: Sequence[Fact]) -> bool:
    return all(without_values(item) == without_values(items[0]) for item in items)


def _items(state: Lowering, iterable: Atom) -> list[Atom]:
    positions = map(Const, range(len(iterable.fact.items)))  # type: ignore[union-attr]
    return [state.builder.op(operator.getitem, (iterable, position)) for position in positions]


def unroll(state: Lowering, node: Any, iterable: Atom) -> None:
    """Each iteration as straight-line code."""
    env, place = state.frame.env, state.place(node.iter)
    saved = {flag: env.get(flag, FALSE) for flag in FLAGS}
    env.update({"%left": FALSE, "%broke": FALSE})
    shown = state.live.get(iterable) if isinstance(iterable, Value) else None

    def read() -> list[Atom]:
        now = fresh(state, iterable, node)
        if not isinstance(now.fact, facts.Tuple | facts.List):
            raise length_changes(place)
        return _items(state, now)

    for item in in_turn(state, read, place, shown is not None and shown.fixed):
        broke = read_flag(state, "%broke", node)
        if isinstance(broke, Const) and broke.value:
            break
        lower_branches(state, broke, (), [Iteration(node, item)], node)
        state.frame.env["%left"] = FALSE
    after_loop(state, node, saved)


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """A pseudo statement: one iteration of an unrolled loop."""

    loop: Any
    item: Atom


def lower_iteration(state: Lowering, step: Iteration) -> None:
    bind(state, step.loop.target, step.item)
    outer, state.frame.in_loop = state.frame.in_loop, True  # what leaves it may not return
    try:
        lower_statements(state, step.loop.body)
    finally:
        state.frame.in_loop = outer
    state.frame.env["%left"] = FALSE


def read_flag(state: Lowering, name: str, node: Any) -> Atom:
    return read_binding(state, state.frame, name, node)


def after_loop(state: Lowering, node: Any, saved: dict[str, Binding]) -> None:
    """Restore the flags of the surrounding loop, run `else`, and pass a return on."""
    env = state.frame.env
    broke = settled(state, env.get("%broke", FALSE))
    returns = syntax.contains(node.body, gast.Return)
    env.update(saved)
    if returns:
        returned = read_flag(state, "%returned", node)
        env["%left"] = returned
        env["%broke"] = returned
        if state.frame.in_loop:
            env["%go"] = state.builder.op(operator.not_, (returned,))
    if node.orelse:
        assert not isinstance(broke, Conflict)
        lower_branches(state, broke, (), node.orelse, node)
