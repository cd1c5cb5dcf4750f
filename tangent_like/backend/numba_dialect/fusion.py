"""Operations on arrays of one shape become one loop over their elements.

    t = u[2:] - u[:-2]                            s = 0.0
    d = k * t * w                                 d = np.empty(len(item))
    s = np.sum(t * d)            ──▶              for i in range(len(item)):
                                                      t = item[i] - item1[i]
                                                      d_i = k * t * w[i]
                                                      d[i] = d_i
                                                      s += t * d_i

No array is made for what only the loop reads.  What cannot stand in the loop comes before or after
it (`groups.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tangent_like import ir
from tangent_like.backend.numba_dialect.fused_loops import loop_over
from tangent_like.backend.numba_dialect.groups import Group, grown
from tangent_like.backend.numba_dialect.lanes import Lanes
from tangent_like.backend.numba_dialect.misfits import Misfits, may_wait
from tangent_like.backend.numba_dialect.places import is_into, places_of
from tangent_like.backend.numba_dialect.rebuild import followed
from tangent_like.ir import Atom, Block, Function, Statement, Value


def fuse_arrays(function: Function) -> Function:
    misfits = Misfits(may_wait(function))
    fusing = Fusing(Lanes(places_of(function)), ir.count_uses(function.body), {}, misfits)
    body = fusing.block(function.body)
    fused = replace(function, body=ir.substitute(body, followed(fusing.table)))
    return misfits.around(fused)


@dataclass(frozen=True, slots=True, eq=False)
class Fusing:
    lanes: Lanes
    uses: Mapping[Atom, int]
    table: dict[Value, Atom]
    """The array for each name of it as it is after a change that stands in a loop."""

    misfits: Misfits

    def block(self, block: Block) -> Block:
        inside = (ir.with_blocks(statement, self.block) for statement in block.statements)
        return Block(tuple(self.fused(inside)), block.results)

    def fused(self, statements: Iterable[Statement]) -> list[Statement]:
        found: list[Statement] = []
        pending = deque(statements)
        while pending:
            first = pending.popleft()
            group = self.begun(first, pending)
            if group is None:
                found.append(first)
                continue
            found += self.fused(group.before)
            found += loop_over(group.lanes, group.elements, group.needed, group.apart, self.misfits)
            self.note_changes(group)
            pending = deque(group.after)
        return found

    def begun(self, first: Statement, rest: Iterable[Statement]) -> Group | None:
        """The loop that begins with a statement, if one is worth while."""
        lane = self.lanes.of(first)
        if lane is None:
            return None
        group = grown(Group(self.lanes, self.uses, lane.dims), lane, rest)
        return group if group is not None and group.is_worthwhile() else None

    def note_changes(self, group: Group) -> None:
        for lane in group.lanes:
            op = lane.op
            if lane.change is not None and is_into(op):
                array = op.args[0]
                assert isinstance(array, Value)
                array.name = array.name or op.result.name
                self.table[op.result] = array
