"""Which operations on arrays go into one loop, and what stands before and after it.

A change of an array stands in the loop if all else that the loop reads or changes of its memory are
the same elements, or elements that are apart; contributions may be added in another order.  Parts
of one array at constant offsets, as in `u[1:]` and `u[:-1]`, are changed in loops of their own,
which processors run several elements at a time.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect.fused_loops import leaves, measured
from tangent_like.backend.numba_dialect.lanes import (
    ACCUMULATING,
    Lane,
    Lanes,
    add_to_element,
    shape_of,
)
from tangent_like.backend.numba_dialect.places import Access, Places
from tangent_like.facts import Dim, Size
from tangent_like.ir import Atom, Op, Statement, Value
from tangent_like.numba_runtime.lengths import gathered

_FARTHEST = 300
"""So many statements are looked at for one loop."""

_CHEAP = (operator.add, operator.sub, operator.mul, operator.neg)


@dataclass(eq=False)
class Group:
    """What one loop does, and what stands before and after it."""

    known: Lanes
    uses: Mapping[Atom, int]
    dims: tuple[Dim, ...]
    lanes: list[Lane] = field(default_factory=list)
    before: list[Statement] = field(default_factory=list)
    after: list[Statement] = field(default_factory=list)
    elements: dict[Value, Lane] = field(default_factory=dict)
    """The arrays that the loop computes."""

    late: set[Value] = field(default_factory=set)
    """What is known only after the loop."""

    later: list[tuple[Access, bool]] = field(default_factory=list)
    """What the statements after the loop read and write, and whether they only contribute."""

    read: Counter[Atom] = field(default_factory=Counter)
    """How often the loop reads each value."""

    @property
    def places(self) -> Places:
        return self.known.places

    # --- one lane more --------------------------------------------------------------------------

    def takes(self, lane: Lane) -> bool:
        """Whether an operation may stand in the loop."""
        lane = self.of_elements(lane)
        if lane.dims != self.dims or not all(self.fits(a, lane) for a in lane.operands):
            return False
        others = [lane.target, lane.like, *(lane.made.args if lane.made is not None else ())]
        if any(a in self.late for a in (*lane.operands, *others)) or lane.like in self.elements:
            return False
        if lane.made is not None and self.is_new(lane.made.args[0]):
            return False
        if lane.target is not None and self.is_held(lane.target):
            return False
        if not self.reads_in_step(lane, lane):
            return False
        return self.passes_later(lane) and all(self.beside(lane, other) for other in self.lanes)

    def fits(self, atom: Atom, lane: Lane) -> bool:
        """Whether each axis of an operand is one of the loop, has length 1, or may be spread."""
        dims = shape_of(atom, ("float64", "bool", "int64"))
        if dims is None or dims == self.dims:
            return True
        if atom in self.elements or lane.total or lane.change is not None:
            return dims == self.dims or all(d == 1 for d in dims)
        own = self.dims[len(self.dims) - len(dims) :]
        if len(self.dims) == 1:
            return isinstance(dims[0], Size) or dims[0] == 1
        return all(a in (b, 1) for a, b in zip(dims, own, strict=True))

    def beside(self, lane: Lane, other: Lane) -> bool:
        """Whether two operations may do their elements by turns."""
        if not (self.reads_in_step(lane, other) and self.reads_in_step(other, lane)):
            return False
        if lane.target is None or other.target is None:
            return True
        if self.apart(lane.target, other.target) or (
            other.like is None and self.at_once(lane.target, other) and lane.like is None
        ):
            return True
        return contribute(lane, other) and not (self.is_shifted(lane) and self.is_shifted(other))

    def reads_in_step(self, writer: Lane, reader: Lane) -> bool:
        """Whether all that one lane reads of what another changes are the same elements."""
        if writer.target is None:
            return True
        return all(
            self.apart(array, writer.target) or self.at_once(array, writer)
            for array in leaves(reader, self.elements)
        )

    def is_held(self, target: Value) -> bool:
        """Whether an array is read by a cotangent that may be gathered after the loop only."""
        return any(
            not self.apart(array, target)
            for lane in self.lanes
            if lane.fn is None and lane.makes_array
            for array in leaves(lane, self.elements)
        )

    def is_new(self, array: Atom) -> bool:
        """Whether an array is, or is a part of, one that the loop makes."""
        return isinstance(array, Value) and self.places.part(array)[0] in self.elements

    def apart(self, a: Value, b: Value) -> bool:
        """Whether two arrays share no element; what the loop makes is new."""
        roots = [self.places.part(v)[0] for v in (a, b)]
        if roots[0] is not roots[1] and any(r in self.elements for r in roots):
            return True
        return self.places.apart(a, b)

    def at_once(self, array: Value, lane: Lane) -> bool:
        """Whether an array has the element that a lane changes at the same place."""
        assert lane.target is not None
        same = self.places.same(array, lane.target) and lane.like is None
        return same and shape_of(array) == self.dims

    def is_shifted(self, lane: Lane) -> bool:
        """Whether a target is a slice with constant bounds."""
        assert lane.target is not None
        _, steps = self.places.part(lane.target)
        return bool(steps) and steps[-1][0] == "const"

    def passes_later(self, lane: Lane) -> bool:
        """Whether an operation may come before what was put after the loop."""
        for access, contributes in self.later:
            if not self.all_apart(leaves(lane, ()), access.writes):
                return False
            if lane.target is None or (contributes and lane.change in ACCUMULATING):
                continue
            if not self.all_apart([lane.target], (*access.reads, *access.writes)):
                return False
        return True

    def all_apart(self, ours: Iterable[Value], theirs: Iterable[Value]) -> bool:
        theirs = tuple(theirs)
        return all(self.apart(a, b) for a in ours for b in theirs)

    def add(self, lane: Lane) -> None:
        lane = self.of_elements(lane)
        if lane.made is not None:
            lane = self.of_known_part(lane)
        self.lanes.append(lane)
        self.read.update(lane.op.atoms)
        if lane.total:
            self.late.add(lane.op.result)
        elif lane.change is None:
            self.elements[lane.op.result] = lane

    def of_elements(self, lane: Lane) -> Lane:
        """A change of an array that only this loop reads gives another element."""
        x = lane.target
        if x not in self.elements or lane.made is not None or lane.op.args[0] is not x:
            return lane
        if lane.change not in ACCUMULATING or lane.like is not None or len(lane.op.args) != 2:
            return lane
        if self.uses[x] != self.read[x] + 1 or lane.op.result not in self.uses:
            return lane
        fn = operator.add if lane.change is add_to_element else operator.sub
        return replace(lane, fn=fn, operands=(x, *lane.operands), change=None, target=None)

    def of_known_part(self, lane: Lane) -> Lane:
        """A part of an array that the loop reads or changes already is not taken again."""
        for other in self.lanes:
            for array in (*leaves(other, self.elements), other.target):
                made = self.places.definitions.get(array) if array is not None else None
                if made is not None and lane.made is not None and made is not lane.made:
                    own = made.args[0] is lane.made.args[0]
                    if own and self.places.same(made.result, lane.made.result):
                        return replace(lane, target=made.result, made=None)
        return lane

    # --- statements before and after ------------------------------------------------------------

    def precedes(self, statement: Statement, access: Access) -> bool:
        """Whether a statement may come before the loop, and before what stands after it."""
        read = free_atoms(statement)
        if isinstance(statement, Op) and statement.fn is ir.make_tuple:
            if isinstance(statement.result.fact, facts.Tuple) and any(
                isinstance(item, facts.Array) for item in statement.result.fact.items
            ):
                return False  # what is handed out stays at the end
        if any(self.is_new(a) or a in self.late for a in read):
            return False
        ours = [lane.target for lane in self.lanes if lane.target is not None]
        theirs = [a for lane in self.lanes for a in leaves(lane, self.elements)]
        written = [*ours, *(w for own, _ in self.later for w in own.writes)]
        touched = [*written, *theirs, *(r for own, _ in self.later for r in own.reads)]
        return self.all_apart(access.reads, written) and self.all_apart(access.writes, touched)

    def put_after(self, statement: Statement, access: Access, contributes: bool) -> None:
        self.after.append(statement)
        self.later.append((access, contributes))
        self.late.update(ir.defined_by(statement))

    # --- the whole ------------------------------------------------------------------------------

    @property
    def needed(self) -> set[Value]:
        """The arrays that are read elsewhere too."""
        targets = {lane.target for lane in self.lanes}
        made = {lane.made.args[0] for lane in self.lanes if lane.made is not None}
        return {
            v for v, lane in self.elements.items()
            if lane.fn is not None and (self.uses[v] > self.read[v] or v in targets or v in made)
        }  # fmt: skip

    def is_worthwhile(self) -> bool:
        """Whether the loop saves an array, or a walk through one; or minutes of compiling, which
        Numba takes for operations on arrays of four axes of which any may be spread."""
        real = [lane for lane in self.lanes if lane.fn is not None or not lane.makes_array]
        if any(lane.like is not None for lane in real) or (real and len(self.dims) > 2):
            return True
        made = [lane for lane in real if lane.makes_array]
        needed = len(self.needed)
        shared = any(self.read[v] > 1 for v in self.elements)
        return len(real) > 1 and (len(real) > len(made) or needed > 1 or (shared and needed > 0))


def grown(group: Group, first: Lane, rest: Iterable[Statement]) -> Group | None:
    """The group with all that follows, in the loop or around it; None where there can be none."""
    if not group.takes(first) or is_shortcut(first, group):
        return None
    group.add(first)
    statements = iter(rest)
    for count, statement in enumerate(statements):
        access = group.places.access((statement,))
        if access.acts or count > _FARTHEST:
            statements = chain((statement,), statements)
            break
        lane = group.known.of(statement)
        if lane is None and isinstance(statement, Op) and statement.fn is gathered:
            lane = held(statement)
        if lane is not None and group.takes(lane) and not is_shortcut(lane, group):
            group.add(lane)
        elif group.precedes(statement, access):
            group.before.append(statement)
        else:
            contributes = lane is not None and lane.change in ACCUMULATING
            group.put_after(statement, access, contributes)
    group.after.extend(statements)
    postpone(group)
    return group if group.lanes and measured(group.lanes, group.elements) is not None else None


def held(op: Op) -> Lane | None:
    """A cotangent that is gathered where it is added."""
    dims = shape_of(op.args[0])
    return None if dims is None else Lane(op, dims, op.args[:1])


def is_shortcut(lane: Lane, group: Group) -> bool:
    """A product of vectors that are there anyway is faster by BLAS."""
    if not lane.total or lane.op.fn is np.sum:
        return False
    return not any(
        a in group.elements and group.uses[a] == group.read[a] + lane.operands.count(a)
        for a in lane.operands
    )


def postpone(group: Group) -> None:
    """What only later loops read, and can compute from what is there then, is left to them."""
    late: list[Statement] = []
    for lane in reversed(list(group.lanes)):
        if not lane.makes_array or group.read[lane.op.result]:
            continue
        if (lane.fn is None or is_cheap(lane, group)) and len(group.lanes) > 1:
            group.lanes.remove(lane)
            group.read.subtract(lane.op.atoms)
            del group.elements[lane.op.result]
            late.insert(0, lane.op)
    group.after[:0] = late


def is_cheap(lane: Lane, group: Group) -> bool:
    """Whether a result is as quick to compute again, from what does not change, as to read."""
    if lane.op.fn not in _CHEAP or not read_by_lanes(lane.op.result, group):
        return False
    own = Counter(lane.op.atoms)
    for atom in lane.operands:
        if shape_of(atom) is None:
            continue
        if atom in group.elements:
            if group.uses[atom] == group.read[atom] or own[atom] == group.uses[atom]:
                return False
        elif any(not group.all_apart([atom], access.writes) for access in changes_of(group)):  # type: ignore[list-item]
            return False
    return True


def read_by_lanes(value: Value, group: Group) -> bool:
    """Whether all that reads a value are operations by elements, after the loop."""
    readers = [s for s in group.after if isinstance(s, Op) and value in s.atoms]
    count = sum(op.atoms.count(value) for op in readers)
    return count == group.uses[value] and all(group.known.of(op) is not None for op in readers)


def changes_of(group: Group) -> Iterator[Access]:
    for lane in group.lanes:
        if lane.target is not None:
            yield Access((), (lane.target,))
    yield from (access for access, _ in group.later)


def contribute(lane: Lane, other: Lane) -> bool:
    return lane.change in ACCUMULATING and other.change in ACCUMULATING


def free_atoms(statement: Statement) -> list[Atom]:
    read = list(ir.read_by(statement))
    for block in ir.blocks_of(statement):
        read += ir.atoms_in(block)
    return read
