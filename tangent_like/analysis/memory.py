"""Which values may share memory, and where that memory is still in use.

Values are joined into a *web* if one may be the other or a view of it: the parameter, next value
and result of a loop, the results of a branch, an array and its transpose.  Operations known to
allocate their result start a web of their own.  A tuple or a tape *holds* its items: while it is
alive, so are they.  What may belong to somebody else (arguments, globals, items taken out of a
container, and what these flow into) is foreign.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir, list_runtime, runtime, stack_runtime
from tangent_like.analysis.lifetimes import Lifetimes
from tangent_like.ir import Atom, Const, Function, If, Op, Statement, Value
from tangent_like.records import is_display
from tangent_like.stores import Store

_ALLOCATING: frozenset[Any] = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pow,
    operator.floordiv, operator.mod, operator.matmul, operator.eq, operator.ne, operator.lt,
    operator.le, operator.gt, operator.ge, operator.and_, operator.or_, operator.invert, abs,
    np.sum, np.mean, np.prod, np.dot, np.inner, np.outer, np.vdot, np.tensordot, np.where, np.clip,
    np.zeros, np.zeros_like, np.ones, np.ones_like, np.full, np.full_like, np.copy, np.array,
    np.concatenate, np.stack, np.cumsum, np.cumprod, np.tile, np.repeat, np.sign,
    np.convolve, np.correlate, np.cross, np.kron, np.tril, np.triu, np.einsum,
    np.linalg.inv, np.linalg.pinv, np.linalg.solve, np.linalg.cholesky,
    runtime.zeros_like, runtime.zero_list, runtime.copy, runtime.scatter_add,
    list_runtime.zero_lists,
    stack_runtime.from_diagonals, ir.new_tape,
})  # fmt: skip
_READ_ONLY: frozenset[Any] = frozenset({
    np.broadcast_to, np.broadcast_arrays, np.diagonal, np.imag, runtime.broadcast_like,
    runtime.spread_over, runtime.half_unit,
})  # fmt: skip
"""What may give an array that NumPy does not let anybody write into."""

_HOLDING: frozenset[Any] = frozenset({
    ir.make_tuple, ir.make_list, ir.thaw, zip, reversed, ir.unpack,
})  # fmt: skip


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
    if isinstance(op.fn, Store):
        return True
    if op.fn is list:
        item = getattr(op.result.fact, "item", None)
        return isinstance(item, facts.Scalar)
    if op.fn is operator.getitem:
        index = op.args[1].fact
        # One number of NumPy's, as an int32, gives a view: with no axes, or none that are known,
        # it may be that.
        named = isinstance(index, facts.Array) and (index.dims or index.dtype == "bool")
        return isinstance(op.args[0].fact, facts.Array) and bool(named)
    if op.fn is np.einsum and len(op.args) < 4:  # of one array it may be a view
        return len(op.args) == 3 and isinstance(op.args[0].fact, facts.Opaque)
    arrays = isinstance(op.result.fact, (facts.Array, facts.Tape)) or op.fn in (
        runtime.zeros_like, runtime.zero_list, runtime.copy, runtime.scatter_add,
        list_runtime.zero_lists,
    )  # fmt: skip
    known = isinstance(op.fn, np.ufunc) or _in(op.fn, _ALLOCATING)
    return known and arrays and copies(op) and not any(key == "out" for key, _ in op.keywords)


def copies(op: Op) -> bool:
    """Whether an operation does not say that it may give the array that it is given."""
    return all(key != "copy" or a in (Const(True), Const(1)) for key, a in op.keywords)


def holds(op: Op) -> bool:
    """Whether the result is a container whose items are the operands."""
    return is_display(op.fn) or _in(op.fn, _HOLDING)


def _in(fn: Any, table: Collection[Any]) -> bool:
    return getattr(type(fn), "__hash__", None) is not None and fn in table


class Sets:
    """Disjoint sets of values (union-find)."""

    def __init__(self) -> None:
        self.parent: dict[Value, Value] = {}

    def find(self, value: Value) -> Value:
        """The value that stands for the set."""
        root = self.parent.setdefault(value, value)
        while root is not self.parent[root]:
            self.parent[root] = self.parent[self.parent[root]]
            root = self.parent[root]
        self.parent[value] = root
        return root

    def join(self, a: Value, b: Value) -> None:
        self.parent[self.find(a)] = self.find(b)


Apart = Callable[[Value, Value], bool]


@dataclass(eq=False, slots=True)
class Webs:
    """The webs of a function, where each is alive, and which containers hold it."""

    lives: Lifetimes
    sets: Sets = field(default_factory=Sets)
    families: Sets = field(default_factory=Sets)
    """Webs with the foreign values that flow into them or come from them."""

    flows: dict[Value, list[Value]] = field(default_factory=dict)
    foreign: set[Value] = field(default_factory=set)
    kept: set[Value] = field(default_factory=set)
    """Values that somebody else may have kept, then their webs."""

    holders: list[tuple[Value, Value]] = field(default_factory=list)
    snapshots: Collection[Op] = ()
    """The pushes that save a copy."""

    containers: dict[Value, set[Value]] = field(default_factory=dict)
    stretches: dict[Value, tuple[list[int], list[int]]] = field(default_factory=dict)
    """For each web where stretches of life start, in order, and the latest end up to each."""

    def flow(self, value: Value, sources: Iterable[Atom]) -> None:
        """`value` may be one of the sources, or share memory with it."""
        for source in sources:
            if not (has_memory(value) and has_memory(source)):
                continue
            if isinstance(source, Const):
                self.foreign.add(value)
            else:
                self.flows.setdefault(source, []).append(value)

    def complete(self) -> None:
        """Note what is foreign, join the webs, and note where each is alive."""
        self._spread_foreign()
        for source, values in self.flows.items():
            for value in values:
                self.families.join(source, value)
                if value in self.foreign:
                    self.holders.append((source, value))  # never written to, but may be read
                else:
                    self.sets.join(source, value)
        for item, container in self.holders:
            self.containers.setdefault(self.sets.find(item), set()).add(self.sets.find(container))
        self.kept = {self.sets.find(v) for v in self.kept}
        self._note_lives()

    def _spread_foreign(self) -> None:
        pending = list(self.foreign)
        while pending:
            for reached in self.flows.get(pending.pop(), ()):
                if reached not in self.foreign:
                    self.foreign.add(reached)
                    pending.append(reached)

    def _note_lives(self) -> None:
        found: dict[Value, list[tuple[int, int]]] = {}
        for value in list(self.sets.parent):
            found.setdefault(self.sets.find(value), []).extend(self.lives.stretches.get(value, ()))
        for root, stretches in found.items():
            starts, ends, latest = [], [], 0
            for start, end in sorted(stretches):
                latest = max(latest, end)
                starts.append(start)
                ends.append(latest)
            self.stretches[root] = (starts, ends)

    def same(self, a: Value, b: Value) -> bool:
        """Whether two values may share memory."""
        return self.sets.find(a) is self.sets.find(b)

    def is_owned(self, value: Value) -> bool:
        """Whether nobody outside can hold the value's memory."""
        return value not in self.foreign and self.sets.find(value) not in self.kept

    def alive_across(self, value: Value, position: int, apart: Apart) -> bool:
        """Whether memory of the value's web is in use both before and after a position, other
        than that of values which are `apart`."""
        own = self.sets.find(value)
        pending, seen = [own], set()
        while pending:
            root = pending.pop()
            if root in seen:
                continue
            seen.add(root)
            if self._is_alive(root, position):
                if root is not own or not self._all_apart(value, position, apart):
                    return True
            pending.extend(self.containers.get(root, ()))
        return False

    def _is_alive(self, root: Value, position: int) -> bool:
        starts, ends = self.stretches.get(root, ([], []))
        before = bisect_left(starts, position)
        return bool(before) and ends[before - 1] > position

    def _all_apart(self, value: Value, position: int, apart: Apart) -> bool:
        return all(
            apart(value, other)
            for other in list(self.sets.parent)
            if self.same(other, value)
            and any(a < position < b for a, b in self.lives.stretches.get(other, ()))
        )


def join_statement(webs: Webs, statement: Statement, passing: Collection[Op]) -> None:
    """Note what a statement lets share memory; `passing` operations hand on their first operand.

    The inits of loops are left to the caller.
    """
    if isinstance(statement, Op):
        _join_op(webs, statement, passing)
    elif isinstance(statement, If):
        for result, *sources in zip(
            statement.results, statement.then.results, statement.orelse.results, strict=True
        ):
            webs.flow(result, sources)
    else:
        for param, after, result in zip(
            statement.params, statement.nexts, statement.results, strict=True
        ):
            webs.flow(param, (after,))
            webs.flow(result, (param,))
        if statement.item is not None and statement.iterable is not None:
            webs.flow(statement.item, (statement.iterable,))
            webs.foreign.add(statement.item)


def _join_op(webs: Webs, op: Op, passing: Collection[Op]) -> None:
    if op in passing:
        webs.flow(op.result, op.args[:1])
        if op.fn is runtime.appended or isinstance(op.fn, Store):
            _hold(webs, [a for a in op.args[1:2] if is_list(op.result)], op.result)
    elif op.fn in (runtime.appended, runtime.append_into):
        _hold(webs, op.args[1:], op.result)
        webs.flow(op.result, op.args[:1])
    elif op.fn is ir.push:
        if op not in webs.snapshots:
            _hold(webs, op.args[1:], op.args[0])
    elif op in webs.snapshots:
        return
    elif holds(op):
        _hold(webs, op.atoms, op.result)
    elif not allocates(op):
        webs.flow(op.result, op.atoms)
        if takes_from_outside(op):
            webs.foreign.add(op.result)
        if not effects.is_pure(op.fn):
            webs.kept.update(v for v in op.atoms if isinstance(v, Value))


def is_list(value: Value) -> bool:
    """Whether a value is no array: a list, or something of which nothing is known."""
    return not isinstance(facts.defined(value.fact), facts.Array)


def _hold(webs: Webs, items: Iterable[Atom], container: Atom) -> None:
    for item in items:
        if isinstance(item, Value) and isinstance(container, Value) and has_memory(item):
            webs.holders.append((item, container))


def takes_from_outside(op: Op) -> bool:
    """Whether the result may be memory that others hold."""
    if _in(op.fn, _READ_ONLY) or not effects.is_pure(op.fn):
        return True
    if op.fn is np.diag and facts.rank(op.args[0].fact) != 1:
        return True
    return not all(_is_open(a.fact) for a in (op.result, *op.args))


def _is_open(fact: facts.Fact) -> bool:
    """Whether it is known what a value is: it has no items that are others' memory."""
    fact = facts.defined(fact)
    if isinstance(fact, facts.Tuple):  # such as an index
        return all(isinstance(item, (facts.Scalar, facts.Opaque)) for item in fact.items)
    return isinstance(fact, (facts.Array, facts.Scalar, facts.Opaque))


def webs_of(function: Function, lives: Lifetimes) -> Webs:
    """Webs with the parameters of the function as foreign memory."""
    webs = Webs(lives)
    webs.foreign.update(function.params)
    return webs
