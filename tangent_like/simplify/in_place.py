"""Update arrays in place where nobody else can see it, and leave out copies nobody needs.

    bx = zeros_like(x)                       bx = zeros_like(x)
    loop i, bx = bx:                         loop i, bx = bx:
        bx = scatter_add(bx, i, g)   ──▶         bx = scatter_add_into(bx, i, g)
    bx = copy(bx)                            return bx
    return bx

An array may be overwritten if this function made it and nothing that may share its memory is read
afterwards.  Where the array that a loop starts from does not allow that, the loop starts from a
copy, so that an update of one element in a loop never copies the array.

This pass comes last: from here on an operation may change a value that is already there.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.analysis.lifetimes import Lifetimes, lifetimes
from tangent_like.analysis.memory import (
    Webs,
    has_memory,
    join_statement,
    loops_around,
    webs_of,
)
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Statement, Value

_IN_PLACE: dict[Any, Any] = {
    runtime.scatter_add: runtime.scatter_add_into,
    operator.add: runtime.add_into,
    operator.sub: runtime.subtract_into,
}
_PATIENCE = 20
"""After so many rounds all candidates that fail are dropped at once: that ends soon."""

Cut = tuple[Loop, int]


def update_in_place(function: Function) -> Function:
    around = loops_around(function)
    params = {p for loops in around.values() for loop in loops for p in loop.params}
    candidates = {op: None for op in around if _is_candidate(op, params)}
    if not candidates:
        return function
    plan = _Plan(function, lifetimes(function, {}), around, candidates)
    while not plan.settled():
        pass
    body = _rebuilt(function.body, plan)
    return replace(function, body=ir.substitute(body, _kept(plan)))


def _is_candidate(op: Op, params: set[Value]) -> bool:
    if isinstance(op.fn, ir.Procedure) or not op.derivative:
        return False
    if op.fn is runtime.scatter_add or op.fn is runtime.copy:
        return isinstance(op.args[0], Value)
    return op.fn in (operator.add, operator.sub) and _accumulates(op, params)


def _accumulates(op: Op, params: set[Value]) -> bool:
    """Whether a sum is the next contribution to an array of the same shape and type."""
    first, result = op.args[0], op.result.fact
    if not isinstance(first, Value) or not isinstance(result, facts.Array) or not result.dims:
        return False
    same = result == first.fact and result.dtype is not None
    return same and ((bool(first.name) and first.name == op.result.name) or first in params)


@dataclass(eq=False, slots=True)
class _Plan:
    """Which operations may write into their first operand, and which loops start from a copy."""

    function: Function
    lives: Lifetimes
    around: dict[Op, tuple[Loop, ...]]
    candidates: dict[Op, None]
    cuts: set[Cut] = field(default_factory=set)
    rounds: int = 0

    @property
    def definitions(self) -> dict[Value, Op]:
        return {op.result: op for op in self.around}

    def settled(self) -> bool:
        """Check all candidates.  Of each family that fails take the first: let a loop around it start
        from a copy, or where that does not help, drop the candidate."""
        webs = self.webs()
        failing: dict[Value, list[Op]] = {}
        for op in self.candidates:
            if not self.allowed(op, webs):
                failing.setdefault(webs.families.find(op.result), []).append(op)
        self.rounds += 1
        for family, ops in failing.items():
            if ops[0].fn is runtime.scatter_add and self.cut(ops[0], family, webs):
                continue
            for op in ops[: None if self.rounds > _PATIENCE else 1]:
                del self.candidates[op]
        return not failing

    def webs(self) -> Webs:
        webs = webs_of(self.function)
        for statement in ir.walk(self.function.body):
            join_statement(webs, statement, self.candidates)
            if isinstance(statement, Loop):
                for k, (param, init) in enumerate(zip(statement.params, statement.inits)):
                    if (statement, k) not in self.cuts:
                        webs.flow(param, (init,))
        webs.complete(self.lives)
        return webs

    def allowed(self, op: Op, webs: Webs) -> bool:
        others = (a for a in op.atoms[1:] if isinstance(a, Value) and has_memory(a))
        return (
            webs.is_owned(op.result)
            and not webs.alive_across(op.result, self.lives.positions[op])
            and (op.fn is runtime.copy or not any(webs.same(a, op.result) for a in others))
        )

    def cut(self, op: Op, family: Value, webs: Webs) -> bool:
        """Let the outermost loop around that carries the array start from a copy of it."""
        for loop in self.around[op]:
            found = [
                (loop, k)
                for k, (param, init) in enumerate(zip(loop.params, loop.inits))
                if isinstance(init, Value) and has_memory(param)
                and webs.families.find(param) is family
            ]
            if found and not self.cuts.issuperset(found):
                self.cuts.update(found)
                return True
        return False


def _kept(plan: _Plan) -> dict[Value, Atom]:
    """What stands for the results of the copies that are left out."""
    table: dict[Value, Atom] = {}
    for op in plan.candidates:
        if op.fn is runtime.copy:
            source = op.args[0]
            table[op.result] = table.get(source, source)  # type: ignore[arg-type]
    return table


def _rebuilt(block: Block, plan: _Plan) -> Block:
    return Block(
        tuple(s for old in block.statements for s in _statements(old, plan)), block.results
    )


def _copied(init: Atom, param: Value, plan: _Plan, loop: Loop) -> Op:
    """What a loop starts from: a copy, made at once where the original is a number spread out."""
    made = plan.definitions.get(init) if isinstance(init, Value) else None
    fn: Any = runtime.copy
    args: tuple[Atom, ...] = (init,)
    if made and made.fn is np.broadcast_to and facts.is_scalar(made.args[0].fact):
        fn, args = np.full, (made.args[1], made.args[0])
    return Op(Value(param.name, init.fact), fn, args, (), loop.place, True)


def _statements(statement: Statement, plan: _Plan) -> Iterator[Statement]:
    if isinstance(statement, If):
        then, orelse = _rebuilt(statement.then, plan), _rebuilt(statement.orelse, plan)
        yield replace(statement, then=then, orelse=orelse)
    elif isinstance(statement, Loop):
        inits = list(statement.inits)
        for k, param in enumerate(statement.params):
            if (statement, k) in plan.cuts:
                copied = _copied(inits[k], param, plan, statement)
                inits[k] = copied.result
                yield copied
        yield replace(statement, inits=tuple(inits), body=_rebuilt(statement.body, plan))
    elif statement not in plan.candidates:
        yield statement
    elif statement.fn is not runtime.copy:
        yield replace(statement, fn=_IN_PLACE[statement.fn])
