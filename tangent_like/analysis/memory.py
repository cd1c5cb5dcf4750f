"""Which values may share memory, and where that memory is still in use.

Values are joined into a *web* if one may be the other or a view of it: the parameter, next value
and result of a loop, the results of a branch, an array and its transpose.  Operations known to
allocate their result start a web of their own.  A tuple or a tape *holds* its items: while it is
alive, so are they.  What belongs to somebody else (arguments, globals, items taken out of a
container) is external.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir, runtime
from tangent_like.analysis.lifetimes import Lifetimes
from tangent_like.ir import Atom, Const, Function, If, Loop, Op, Statement, Value

_ALLOCATING: frozenset[Any] = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pow,
    operator.floordiv, operator.mod, operator.matmul, operator.eq, operator.ne, operator.lt,
    operator.le, operator.gt, operator.ge, operator.and_, operator.or_, operator.invert, abs,
    np.sum, np.mean, np.prod, np.dot, np.inner, np.outer, np.vdot, np.tensordot, np.where, np.clip,
    np.zeros, np.zeros_like, np.ones, np.ones_like, np.full, np.full_like, np.copy, np.array,
    np.concatenate, np.stack, np.cumsum, np.cumprod, np.tile, np.repeat, np.sign,
    runtime.zeros_like, runtime.zero_list, runtime.copy, runtime.scatter_add,
    ir.new_tape,
})  # fmt: skip
_HOLDING: frozenset[Any] = frozenset({ir.make_tuple, ir.make_list, zip, reversed, ir.unpack})


def has_memory(atom: Atom) -> bool:
    """Whether a value may be, or hold, memory that can be written to."""
    fact = facts.defined(atom.fact)
    if isinstance(atom, Const):
        return isinstance(atom.value, (np.ndarray, list))
    return not isinstance(fact, (facts.Scalar, facts.Opaque, facts.Undefined))


def allocates(op: Op) -> bool:
    """Whether the result is certain to share no memory with anything that was there before."""
    if isinstance(op.fn, ir.Procedure):
        return False
    if op.fn is operator.getitem:
        index = op.args[1].fact
        return isinstance(op.args[0].fact, facts.Array) and isinstance(index, facts.Array)
    arrays = isinstance(op.result.fact, (facts.Array, facts.Tape)) or op.fn in (
        runtime.zeros_like, runtime.zero_list, runtime.copy, runtime.scatter_add,
    )  # fmt: skip
    known = isinstance(op.fn, np.ufunc) or _in(op.fn, _ALLOCATING)
    return known and arrays and not any(key == "out" for key, _ in op.keywords)


def holds(op: Op) -> bool:
    """Whether the result is a container whose items are the operands."""
    return _in(op.fn, _HOLDING)


def _in(fn: Any, table: Collection[Any]) -> bool:
    return getattr(type(fn), "__hash__", None) is not None and fn in table


@dataclass(eq=False, slots=True)
class Webs:
    """The webs of a function (union-find)."""

    parent: dict[Value, Value] = field(default_factory=dict)
    external: set[Value] = field(default_factory=set)
    holders: list[tuple[Value, Value]] = field(default_factory=list)
    stretches: dict[Value, tuple[list[int], list[int]]] = field(default_factory=dict)
    """For each web where stretches of life start, in order, and the latest end up to each."""

    containers: dict[Value, set[Value]] = field(default_factory=dict)

    def find(self, value: Value) -> Value:
        root = self.parent.setdefault(value, value)
        while root is not self.parent[root]:
            self.parent[root] = self.parent[self.parent[root]]
            root = self.parent[root]
        self.parent[value] = root
        return root

    def join(self, value: Value, others: Iterable[Atom]) -> None:
        for other in others:
            if not (has_memory(value) and has_memory(other)):
                continue
            if isinstance(other, Const):
                self.external.add(value)
            else:
                self.parent[self.find(other)] = self.find(value)

    def complete(self, lives: Lifetimes) -> None:
        """Note where each web is alive, once everything is joined."""
        self.external = {self.find(v) for v in self.external}
        found: dict[Value, list[tuple[int, int]]] = {}
        for value in list(self.parent):
            found.setdefault(self.find(value), []).extend(lives.stretches.get(value, ()))
        for root, stretches in found.items():
            starts, ends, latest = [], [], 0
            for start, end in sorted(stretches):
                latest = max(latest, end)
                starts.append(start)
                ends.append(latest)
            self.stretches[root] = (starts, ends)
        for item, container in self.holders:
            self.containers.setdefault(self.find(item), set()).add(self.find(container))

    def alive_across(self, value: Value, position: int) -> bool:
        """Whether memory of the value's web is in use both before and after a position."""
        pending, seen = [self.find(value)], set()
        while pending:
            root = pending.pop()
            if root in seen:
                continue
            seen.add(root)
            starts, ends = self.stretches.get(root, ([], []))
            before = bisect_left(starts, position)
            if before and ends[before - 1] > position:
                return True
            pending.extend(self.containers.get(root, ()))
        return False


def join_statement(webs: Webs, statement: Statement, passing: Collection[Op]) -> None:
    """Join what a statement lets share memory; `passing` operations hand on their first operand.

    The inits of loops are left to the caller.
    """
    if isinstance(statement, Op):
        _join_op(webs, statement, passing)
    elif isinstance(statement, If):
        for result, *sources in zip(
            statement.results, statement.then.results, statement.orelse.results
        ):
            webs.join(result, sources)
    else:
        for param, after, result in zip(statement.params, statement.nexts, statement.results):
            webs.join(param, (after, result))
        if statement.item is not None and statement.iterable is not None:
            webs.join(statement.item, (statement.iterable,))
            webs.external.add(statement.item)


def _join_op(webs: Webs, op: Op, passing: Collection[Op]) -> None:
    if op in passing:
        webs.join(op.result, op.args[:1])
    elif op.fn is ir.push:
        _hold(webs, op.args[1:], op.args[0])
    elif holds(op):
        _hold(webs, op.atoms, op.result)
    elif not allocates(op):
        webs.join(op.result, op.atoms)
        if _takes_from_outside(op):
            webs.external.update(v for v in (op.result, *op.atoms) if isinstance(v, Value))


def _hold(webs: Webs, items: Iterable[Atom], container: Atom) -> None:
    for item in items:
        if isinstance(item, Value) and isinstance(container, Value) and has_memory(item):
            webs.holders.append((item, container))


def _takes_from_outside(op: Op) -> bool:
    """Whether the result may be memory that others hold, or the call may keep its operands."""
    if op.fn is np.broadcast_to or not effects.is_pure(op.fn):
        return True
    return not all(
        isinstance(facts.defined(a.fact), (facts.Array, facts.Scalar, facts.Opaque))
        for a in (op.result, *op.args)
    )


def webs_of(function: Function) -> Webs:
    """Webs with the parameters of the function as external memory."""
    webs = Webs()
    webs.external.update(function.params)
    for param in function.params:
        webs.find(param)
    return webs


def loops_around(function: Function) -> dict[Op, tuple[Loop, ...]]:
    """For each operation the loops around it, outermost first."""
    found: dict[Op, tuple[Loop, ...]] = {}

    def visit(block: ir.Block, around: tuple[Loop, ...]) -> None:
        for statement in block.statements:
            if isinstance(statement, Op):
                found[statement] = around
            inner = (*around, statement) if isinstance(statement, Loop) else around
            for nested in ir.blocks_of(statement):
                visit(nested, inner)

    visit(function.body, ())
    return found
