"""Add to one place of an array once.

    bx = scatter_add(bx, i, a)                  bx = scatter_add(bx, j, b)
    bx = scatter_add(bx, j, b)         ──▶      bx = scatter_add(bx, i, a + c)
    bx = scatter_add(bx, i, c)

Additions may change their order, whether or not i and j are the same place, as long as nothing
reads the array between them.  Where the place was emptied right before, the addition fills it:

    bx = store(bx, 0.0, i)
    bx = scatter_add(bx, i, a)         ──▶      bx = store(bx, a, i)
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tangent_like import facts, infer, ir, runtime
from tangent_like.analysis.numbering import atom_key
from tangent_like.identities.terms import alike
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Statement, Value
from tangent_like.stores import Store, names_elements_once

_FAR = 16
"""So many additions back the same place is looked for."""


def gather_additions(function: Function) -> Function:
    if not any(map(_adds, ir.walk(function.body))):
        return function
    gathering = _Gathering(ir.count_uses(function.body))
    body = gathering.block(function.body)
    table = {value: gathering.unchanged(value) for value in gathering.table}
    body = ir.without(body, lambda op: op.result in table)
    return replace(function, body=ir.substitute(body, table))


def _adds(statement: Statement) -> bool:
    """Whether a statement adds a number or an array to a place of an adjoint: `+` would join
    lists."""
    if not isinstance(statement, Op) or not statement.derivative:
        return False
    if statement.fn is not runtime.scatter_add:
        return False
    return isinstance(statement.args[2].fact, (facts.Scalar, facts.Array))


def _empties(op: Op) -> bool:
    """Whether a place of an adjoint loses what was there."""
    if not isinstance(op.fn, Store) or not op.derivative or op.fn.combine is not None:
        return False
    if op.fn.path != (operator.getitem,) or not isinstance(op.args[0].fact, facts.Array):
        return False
    zero = isinstance(op.args[1], Const) and op.args[1].value == 0
    return zero and names_elements_once(op.args[2])


@dataclass(eq=False, slots=True)
class _Gathering:
    uses: dict[Atom, int]
    table: dict[Value, Atom] = field(default_factory=dict)
    """What the array was before an addition that is left out."""

    def block(self, block: Block) -> Block:
        additions: dict[Atom, Op] = {}
        emptied: dict[Atom, Op] = {}
        statements: list[Statement] = []
        for statement in block.statements:
            if isinstance(statement, If):
                then, orelse = self.block(statement.then), self.block(statement.orelse)
                statements.append(replace(statement, then=then, orelse=orelse))
            elif isinstance(statement, Loop):
                statements.append(replace(statement, body=self.block(statement.body)))
            elif _adds(statement):
                statements += self.addition(statement, additions, emptied)
            else:
                if _empties(statement):
                    emptied[statement.result] = statement
                statements.append(statement)
        return Block(tuple(statements), block.results)

    def addition(
        self, op: Op, additions: dict[Atom, Op], emptied: dict[Atom, Op]
    ) -> Iterator[Op]:
        """The addition, with what was added to its place before."""
        array, index, g = op.args
        empty = emptied.get(array)
        if empty is not None and self.uses[array] == 1:
            if atom_key(empty.args[2]) == atom_key(index):
                self.leave_out(empty)
                yield replace(empty, result=op.result, args=(empty.args[0], g, index))
                return
        before = self.same_place(op, additions)
        if before is not None:
            self.leave_out(before)
            both = before.args[2], op.args[2]
            total = Value("", infer.infer(operator.add, both, {}))
            yield Op(total, operator.add, both, (), op.place, True)
            op = replace(op, args=(*op.args[:2], total))
        additions[op.result] = op
        yield op

    def same_place(self, op: Op, additions: dict[Atom, Op]) -> Op | None:
        """The addition to the same place that nothing but additions lies behind."""
        array, index, g = op.args
        for _ in range(_FAR):
            before = additions.get(array)
            if before is None or self.uses[array] != 1:
                return None
            same = atom_key(before.args[1]) == atom_key(index)
            if same and alike(before.args[2].fact, g.fact):
                return before
            array = self.unchanged(before.args[0])
        return None

    def leave_out(self, addition: Op) -> None:
        self.table[addition.result] = self.unchanged(addition.args[0])

    def unchanged(self, array: Atom) -> Atom:
        """What stands for an array: the one before additions that are left out."""
        while isinstance(array, Value) and array in self.table:
            array = self.table[array]
        return array
