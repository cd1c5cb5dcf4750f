"""Which operations may write into their first operand.

An array may be overwritten if the function made it and nothing that may share its memory is read
afterwards.  Where what was saved on a tape does not allow that, a copy may be saved; where the
array that a loop starts from does not, the loop may start from a copy of it.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field

from tangent_like import facts, ir, runtime
from tangent_like.analysis.lanes import Lanes
from tangent_like.analysis.lifetimes import Lifetimes
from tangent_like.analysis.memory import Webs, has_memory, is_list, join_statement, webs_of
from tangent_like.ir import Function, Loop, Op, Value
from tangent_like.stores import Store

Cut = tuple[Loop, int]
"""A loop that starts from a copy, with the number of what it carries."""

_PATIENCE = 20
"""After so many rounds all candidates that fail are dropped at once: that ends soon."""


@dataclass(eq=False, slots=True)
class Plan:
    """Which operations may write into their first operand, and which loops start from a copy."""

    function: Function
    lives: Lifetimes
    around: dict[Op, tuple[Loop, ...]]
    candidates: dict[Op, None]
    cuts: set[Cut] = field(default_factory=set)
    snapshots: set[Op] = field(default_factory=set)
    """The pushes that save a copy, and the readings of a part that copy it."""

    rounds: int = 0
    lanes: Lanes | None = None
    definitions: dict[Value, Op] = field(init=False)

    def __post_init__(self) -> None:
        self.definitions = {op.result: op for op in self.around}

    def apart(self, a: Value, b: Value) -> bool:
        """Whether two values are certain to lie in different arrays."""
        if self.lanes is None:
            self.lanes = Lanes(self.function, self.candidates, self.snapshots, self.cuts)
        return self.lanes.apart(a, b)

    def settled(self) -> bool:
        """Check all candidates.  Of each family that fails take the first: let a loop around it
        start from a copy, or where that does not help, drop the candidate."""
        webs = self.webs()
        self.lanes = None
        failing: dict[Value, list[Op]] = {}
        for op in self.candidates:
            if not self.allowed(op, webs):
                failing.setdefault(webs.families.find(op.result), []).append(op)
        self.rounds += 1
        for family, ops in failing.items():
            if self.save_copies(ops[0], webs) or self.copy_parts(ops[0], webs):
                continue
            if _writes_parts(ops[0]) and self.cut(ops[0], family, webs):
                continue
            for op in ops[: None if self.rounds > _PATIENCE else 1]:
                del self.candidates[op]
        return not failing

    def webs(self) -> Webs:
        webs = webs_of(self.function, self.lives)
        webs.snapshots = self.snapshots
        for statement in ir.walk(self.function.body):
            join_statement(webs, statement, self.candidates)
            if isinstance(statement, Loop):
                for k, (param, init) in enumerate(
                    zip(statement.params, statement.inits, strict=True)
                ):
                    if (statement, k) not in self.cuts:
                        webs.flow(param, (init,))
        webs.complete()
        return webs

    def allowed(self, op: Op, webs: Webs) -> bool:
        read = op.args[2:] if isinstance(op.fn, Store) else op.atoms[1:]  # NumPy minds overlap
        others = (a for a in read if isinstance(a, Value) and has_memory(a))
        return (
            webs.is_owned(op.result)
            and not webs.alive_across(op.result, self.lives.positions[op], self.apart)
            and (op.fn is runtime.copy or not any(self.may_meet(a, op, webs) for a in others))
            and all(self.is_free(item, op, webs) for item in _items_written(op, webs))
        )

    def may_meet(self, read: Value, op: Op, webs: Webs) -> bool:
        """Whether what an operation reads may share memory with what it writes into."""
        return webs.same(read, op.result) and not self.apart(read, op.result)

    def is_free(self, item: Value, op: Op, webs: Webs) -> bool:
        """Whether an item of a list may be written into: nobody else has it or needs it."""
        return webs.is_owned(item) and not webs.alive_across(
            item, self.lives.positions[op], self.apart
        )

    def save_copies(self, op: Op, webs: Webs) -> bool:
        """Let what is saved of the array be copies, where that is not done more often than
        copying the array where it is written, or where only views of it are saved: what reads a
        view costs as much as a copy of it."""
        if not isinstance(op.fn, Store):
            return False
        found = [
            push
            for push, around in self.around.items()
            if push.fn is ir.push
            and push not in self.snapshots
            and (len(around) <= len(self.around[op]) or self.is_view(push.args[1]))
            and has_memory(push.args[1])
            and webs.same(push.args[1], op.result)  # type: ignore[arg-type]
        ]
        self.snapshots.update(found)
        return bool(found)

    def is_view(self, value: ir.Atom) -> bool:
        made = self.definitions.get(value) if isinstance(value, Value) else None
        return made is not None and made.fn is operator.getitem

    def copy_parts(self, op: Op, webs: Webs) -> bool:
        """Let parts of the array that were read before and are needed afterwards be copies:
        that is less than copying the array."""
        if not _writes_parts(op):
            return False
        position = self.lives.positions[op]
        found = [
            read
            for read, around in self.around.items()
            if read.fn is operator.getitem
            and read.derivative
            and read not in self.snapshots
            and len(around) <= len(self.around[op])
            and isinstance(read.result.fact, facts.Array)
            and webs.same(read.result, op.result)
            and any(a < position < b for a, b in self.lives.stretches.get(read.result, ()))
        ]
        self.snapshots.update(found)
        return bool(found)

    def cut(self, op: Op, family: Value, webs: Webs) -> bool:
        """Let the outermost loop around that carries the array start from a copy of it."""
        for loop in self.around[op]:
            found = [
                (loop, k)
                for k, (param, init) in enumerate(zip(loop.params, loop.inits, strict=True))
                if isinstance(init, Value)
                and has_memory(param)
                and webs.families.find(param) is family
            ]
            if found and not self.cuts.issuperset(found):
                self.cuts.update(found)
                return True
        return False


def _items_written(op: Op, webs: Webs) -> list[Value]:
    """What a list holds, if the operation writes into an item of it."""
    if not isinstance(op.fn, Store) or not is_list(op.result):
        return []
    if len(op.fn.path) < 2 and op.fn.combine is None:  # `+=` writes into an array in the list
        return []
    found, containers = [], [op.result]
    for container in containers:
        items = [item for item, holder in webs.holders if webs.same(holder, container)]
        found += items
        containers += [item for item in items if item not in containers]
    return found


def _writes_parts(op: Op) -> bool:
    return isinstance(op.fn, Store) or op.fn in (
        runtime.scatter_add, runtime.appended, runtime.without_last,
    )  # fmt: skip


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
