"""Statements for one direction become statements for a stack; `forms.py` knows the operations."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.build import Builder, visit
from tangent_like.errors import NotStackable
from tangent_like.ir import Atom, Block, Const, If, Loop, Op, Value
from tangent_like.stores import Store

ALL = slice(None)


def is_float64(fact: facts.Fact) -> bool:
    """Whether the fact is of real numbers of 64 bits, with a known rank."""
    if isinstance(fact, facts.Scalar):
        return fact.type in ("float", "real")
    return isinstance(fact, facts.Array) and fact.dtype == "float64" and fact.dims is not None


def stack_fact(fact: facts.Fact) -> facts.Fact:
    if not is_float64(fact):
        raise NotStackable(f"{facts.show(fact)} is not known to be of floats, with its rank")
    return facts.Array("float64", (facts.fresh_size(), *(facts.dims(fact) or ())))


def rank_of(atom: Atom) -> int:
    rank = facts.rank(facts.defined(atom.fact))
    if rank is None:
        raise NotStackable("an array of unknown rank")
    return rank


def value_of(atom: Atom) -> Value:
    assert isinstance(atom, Value)
    return atom


Form = Callable[["Stacking", Op], Atom | None]
"""The operation for stacks; None where the result is none, and has been appended."""


@dataclass(eq=False, slots=True)
class Stacking:
    """The list for stacks under construction."""

    builder: Builder
    count: Atom
    stacks: dict[Value, Atom]
    """The stack for each value that depends on the directions."""

    forms: Mapping[Any, Form]
    of_ufuncs: Form

    single: set[Value] = field(default_factory=set)
    """Tapes that took a value which does not depend on them."""

    tapes: dict[Value, Value] = field(default_factory=dict)
    """For tapes of stacks, the same with the fact of what they hold."""

    parts: dict[Value, tuple[bool, ...]] = field(default_factory=dict)
    """For tuples, and for what yields tuples, which of their items are stacks."""

    def run(self, block: Block) -> None:
        visit(self, block.statements)

    def is_stacked(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and atom in self.stacks

    def now(self, atom: Atom) -> Atom:
        return self.stacks.get(atom, atom) if isinstance(atom, Value) else atom

    def op(self, op: Op) -> None:
        if op.fn is ir.push:
            self.push(op)
            return
        if not any(map(self.is_stacked, op.atoms)):
            self.builder.append(op)
            return
        kind = Store if isinstance(op.fn, Store) else op.fn
        form = self.forms.get(kind)
        if form is None and isinstance(op.fn, np.ufunc) and not op.keywords:
            form = self.of_ufuncs
        if form is None:
            raise NotStackable(f"no form of {getattr(op.fn, '__name__', op.fn)} for stacks")
        found = form(self, op)
        if found is None:
            return
        if not isinstance(found.fact, (facts.Array, facts.Tuple, facts.Zip, facts.Tape)):
            raise NotStackable("a result of unknown rank")
        if isinstance(found, Value) and not found.name:
            found.name = op.result.name
        self.stacks[op.result] = found

    # --- stacks ---------------------------------------------------------------------------

    def lifted(self, atom: Atom, rank: int) -> Atom:
        """The stack for an operand of a result of `rank`: the first axis, then new ones of
        length 1 where the operand has fewer axes. What is no stack is broadcast as it is."""
        if not self.is_stacked(atom):
            return atom
        missing = rank - rank_of(atom)
        if not missing:
            return self.now(atom)
        index = (ALL, *[None] * missing, ...) if rank_of(atom) else (ALL, *[None] * missing)
        return self.builder.op(operator.getitem, (self.now(atom), Const(index)))

    def lifted_whole(self, atom: Atom) -> Atom:
        """The stack of a value that may be the same for all directions."""
        if self.is_stacked(atom):
            return self.now(atom)
        if atom is ir.UNDEFINED:
            return atom
        if not is_float64(atom.fact) and not isinstance(atom, Const):
            raise NotStackable("a result that is not of floats")
        if not rank_of(atom):
            return self.builder.op(np.full, (self.count, atom))
        made = self.builder.definitions.get(value_of(atom))
        if made is not None and made.fn in (runtime.zeros_like, np.zeros_like):
            lengths = [self.length(made.args[0], i) for i in range(rank_of(atom))]
            whole = self.builder.op(ir.make_tuple, (self.count, *lengths))
            return self.builder.op(np.zeros, (whole,))
        once = self.builder.op(operator.getitem, (atom, Const((None, ...))))
        return self.builder.op(np.repeat, (once, self.count), {"axis": Const(0)})

    def length(self, array: Atom, axis: int) -> Atom:
        """The length of an axis."""
        if not axis:
            return self.builder.op(len, (array,))
        shape = self.builder.op(np.shape, (array,))
        return self.builder.op(operator.getitem, (shape, Const(axis)))

    def extended(self, index: Atom) -> Atom:
        """The index of the same elements in each member of a stack."""
        if isinstance(index, Const):
            own = index.value if isinstance(index.value, tuple) else (index.value,)
            return Const((ALL, *own))
        if isinstance(index.fact, facts.Tuple):
            items = [
                self.builder.op(operator.getitem, (index, Const(i)))
                for i in range(len(index.fact.items))
            ]
        else:
            items = [index]
        return self.builder.op(ir.make_tuple, [Const(ALL), *items])

    # --- tapes, branches, loops -------------------------------------------------------------

    def push(self, op: Op) -> None:
        tape, value = op.args
        if self.is_stacked(value):
            if tape in self.single:
                raise NotStackable("a tape of stacks and others")
            self.stacks.setdefault(value_of(tape), self.of_stacks(value_of(tape)))
        elif self.is_stacked(tape):
            value = self.lifted_whole(value)
        else:
            self.single.add(value_of(tape))
        self.builder.append(replace(op, args=(self.now(tape), self.now(value))))

    def of_stacks(self, tape: Value) -> Value:
        item = tape.fact.item if isinstance(tape.fact, facts.Tape) else facts.UNKNOWN
        fact = facts.Tape(stack_fact(item) if is_float64(item) else facts.UNKNOWN)
        return self.tapes.setdefault(tape, Value(tape.name, fact))

    def branch(self, statement: If) -> None:
        if self.is_stacked(statement.test):
            raise NotStackable("a branch on what depends on the direction")
        built = [self.builder.collect(self.built(b)) for b in (statement.then, statement.orelse)]
        both = [
            self.is_stacked(a) or self.is_stacked(b)
            for a, b in zip(statement.then.results, statement.orelse.results, strict=True)
        ]
        sides = []
        for block, old in zip(built, (statement.then, statement.orelse), strict=True):
            sides.append(self.with_results(block, old.results, both))
        results = []
        for result, moves in zip(statement.results, both, strict=True):
            new = Value(result.name, stack_fact(result.fact)) if moves else result
            results.append(new)
            if moves:
                self.stacks[result] = new
        then, orelse = sides
        self.builder.append(
            replace(statement, results=tuple(results), then=then, orelse=orelse)
        )

    def built(self, block: Block) -> Callable[[], Sequence[Atom]]:
        def build() -> Sequence[Atom]:
            self.run(block)
            return ()

        return build

    def with_results(self, block: Block, old: Sequence[Atom], moves: Sequence[bool]) -> Block:
        def finish() -> Sequence[Atom]:
            return [self.lifted_whole(a) if m else a for a, m in zip(old, moves, strict=True)]

        tail = self.builder.collect(finish)
        return Block((*block.statements, *tail.statements), tail.results)

    def item(self, loop: Loop) -> Value | None:
        """The item of a loop, which may be a stack taken from a tape, or a tuple with stacks."""
        iterable, item = loop.iterable, loop.item
        if iterable is None or item is None or not self.is_stacked(iterable):
            return item
        if isinstance(iterable.fact, facts.Array):
            raise NotStackable("a loop over what depends on the direction")
        marks = self.parts.get(value_of(iterable))
        if marks is None:
            new = Value(item.name, stack_fact(item.fact))
        elif isinstance(item.fact, facts.Tuple):
            own = zip(item.fact.items, marks, strict=True)
            new = Value(item.name, facts.Tuple(tuple(stack_fact(f) if m else f for f, m in own)))
            self.parts[item] = marks
        else:
            raise NotStackable("a loop over what depends on the direction")
        self.stacks[item] = new
        return new

    def loop(self, loop: Loop) -> None:
        iterable = None if loop.iterable is None else self.now(loop.iterable)
        item = self.item(loop)
        moves = [self.is_stacked(init) for init in loop.inits]
        while True:
            before = dict(self.stacks)
            single = set(self.single)
            params = [
                Value(p.name, stack_fact(p.fact)) if m else p
                for p, m in zip(loop.params, moves, strict=True)
            ]
            self.stacks.update(
                (old, new) for old, new, m in zip(loop.params, params, moves, strict=True) if m
            )
            body = self.builder.collect(self.built(loop.body))
            if loop.exits and self.is_stacked(loop.body.results[0]):
                raise NotStackable("a loop that ends as the direction says")
            again = [m or self.is_stacked(n) for m, n in zip(moves, loop.nexts, strict=True)]
            if again == moves:
                break
            moves = again
            self.stacks, self.single = before, single
        kept = [False] * (len(loop.body.results) - len(moves)) + moves
        whole = self.with_results(body, loop.body.results, kept)
        inits = [self.lifted_whole(i) if m else i for i, m in zip(loop.inits, moves, strict=True)]
        results = []
        for result, m in zip(loop.results, moves, strict=True):
            new = Value(result.name, stack_fact(result.fact)) if m else result
            results.append(new)
            if m:
                self.stacks[result] = new
        self.builder.append(
            replace(
                loop, iterable=iterable, item=item, inits=tuple(inits), params=tuple(params),
                results=tuple(results), body=whole,
            )
        )  # fmt: skip
