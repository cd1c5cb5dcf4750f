"""Which operations are printed inside the expression that uses them.

    product = r * x
    rest = 1.0 - x            ──▶     x = r * x * (1.0 - x)
    x = product * rest

An operation is inlined if it has one use, in its own block, and nothing lies between that has an
effect on what it reads: what changes an array of this function's own does not reach other arrays.
What has a name of the user's keeps a line of its own, except the part of an adjoint that
comes from the same line as the next part; so do long expressions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from tangent_like import effects, facts, ir
from tangent_like.analysis.memory import allocates
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Statement, Value

MAX_LENGTH = 84
_INDENT = 4
_PARTS = (operator.getitem, getattr)
_DISPLAYS = (ir.make_tuple, ir.make_list)
_SUMS = (operator.add, operator.sub)
Inlined = dict[Value, Op | If]


def choose_inlined(function: Function, in_place: Callable[[object], bool]) -> Inlined:
    """The operations to print inside expressions, by their results."""
    chooser = _Chooser(_count_uses(function), in_place, set(function.params))
    chooser.block(function.body)
    return chooser.inlined


def _count_uses(function: Function) -> Mapping[Atom, int]:
    """How often each value is read; the test of an `and` and its kept operand are one reading."""
    counts = ir.count_uses(function.body)
    for statement in ir.walk(function.body):
        if isinstance(statement, If) and statement.spelling in ("and", "or"):
            kept = statement.orelse if statement.spelling == "and" else statement.then
            if kept.results == (statement.test,):
                counts[statement.test] -= 1
    return counts


class _Chooser:
    def __init__(
        self,
        uses: Mapping[Atom, int],
        in_place: Callable[[object], bool],
        params: set[Value],
    ):
        self.uses = uses
        self.params = params
        self.in_place = in_place
        self.inlined: Inlined = {}
        self.unpacked: set[Value] = set()
        """Items of a `zip`, which the head of their loop takes apart."""

        self.lengths: dict[Value, int] = {}
        self.depth = 0
        self.owners: dict[Value, Value] = {value: value for value in params}
        """For arrays and views of them the value that their memory was allocated for, or the
        parameter that they are a part of, as far as that is known."""

    def block(self, block: Block) -> None:
        """Decide for each statement, innermost blocks first."""
        self.depth += 1
        self.statements(block)
        self.depth -= 1

    def statements(self, block: Block) -> None:
        pending: dict[Value, Op | If] = {}
        for statement in block.statements:
            if isinstance(statement, Loop) and statement.item is not None:
                self.note_zip(statement.iterable, statement.item)
            for inner in ir.blocks_of(statement):
                self.block(inner)
            if isinstance(statement, Loop):  # what it starts from stands in lines of its own
                self.consume(statement, statement.inits, pending)
                header = () if statement.iterable is None else (statement.iterable,)
                self.consume(statement, header, pending)
            else:
                self.consume(statement, ir.read_by(statement), pending)
            if isinstance(statement, Op):
                self.note_owner(statement)
            if self.disturbs(statement):
                changed = self.changed_by(statement)
                pending = {v: s for v, s in pending.items() if not self.reads_memory(s, changed)}
            if self.may_move(statement):
                pending[ir.defined_by(statement)[0]] = statement  # type: ignore[assignment]
        self.consume(None, block.results, pending)

    def note_zip(self, iterable: Atom | None, item: Value) -> None:
        if iterable is not None and isinstance(iterable.fact, facts.Zip):
            self.unpacked.add(item)

    def consume(
        self, statement: Statement | None, atoms: tuple[Atom, ...], pending: dict[Value, Op | If]
    ) -> None:
        """Inline what the statement reads for the only time, as long as the line stays short."""
        total = sum(map(self.length, atoms)) + self.around(statement, len(atoms), pending)
        longest = MAX_LENGTH - _INDENT * self.depth - self.target(statement)
        changed = self.is_in_place(statement)
        if isinstance(statement, Op) and statement.fn is ir.keep:
            return
        for k, atom in enumerate(atoms):
            if not isinstance(atom, Value) or atom not in pending or (changed and k == 0):
                continue
            if isinstance(statement, Loop) and self.reads_any(pending[atom], statement.inits):
                continue  # the name of what the loop starts from may be that of what it carries
            total += self.lengths[atom] - self.length(atom)
            if not self.joins(pending[atom], statement):
                total -= self.lengths[atom] - self.length(atom)
            elif total <= longest or _must_inline(pending[atom]):
                self.inlined[atom] = pending.pop(atom)
            else:
                total -= self.lengths[atom] - self.length(atom)
        if statement is not None:
            for value in ir.defined_by(statement):
                self.lengths[value] = total

    def around(
        self, statement: Statement | None, count: int, pending: Mapping[Value, Op | If]
    ) -> int:
        """The signs, brackets and the function name around operands."""
        if isinstance(statement, If):
            return len("( if  else )")
        if not isinstance(statement, Op) or statement.fn in _DISPLAYS:
            return 2 * count
        if statement.fn in _PARTS:
            return 2
        if self.is_in_place(statement):  # its first operand is the target
            return 2 * count - 4
        if getattr(statement.fn, "__module__", "") != "_operator":
            named = sum(len(key) + 1 for key, _ in statement.keywords)
            return len(_called(statement.fn)) + named + 2 * count
        sums = sum(self.is_sum(atom, pending) for atom in statement.args)
        return 3 * (count - 1) + 2 * sums * (statement.fn not in _SUMS)

    def is_sum(self, atom: Atom, pending: Mapping[Value, Op | If]) -> bool:
        """Whether an operand may have to stand in parentheses."""
        made = pending.get(atom) or self.inlined.get(atom) if isinstance(atom, Value) else None
        return isinstance(made, Op) and made.fn in _SUMS

    def target(self, statement: Statement | None) -> int:
        """The room that `name = ` takes."""
        if not isinstance(statement, Op):
            return 8
        return len(statement.result.name) + 3 if statement.result.name else 0

    def joins(self, inner: Op | If, statement: Statement | None) -> bool:
        """Whether an operation with a name may still go into the line of another one: both are
        parts of one adjoint, from one line of the user's."""
        name = ir.defined_by(inner)[0].name
        if not name or _must_inline(inner):
            return True
        first = inner.args[0] if isinstance(inner, Op) and inner.args else None
        return (
            isinstance(statement, Op)
            and not (isinstance(first, Value) and first.name == name)
            and statement.result.name == name
            and statement.derivative
            and inner.place.line in (statement.place.line, 0)
        )

    def length(self, atom: Atom) -> int:
        if isinstance(atom, Value):
            return self.lengths[atom] if atom in self.inlined else len(atom.name) or 5
        return _length_of_constant(atom.value)

    def may_move(self, statement: Statement) -> bool:
        if isinstance(statement, Loop) or len(ir.defined_by(statement)) != 1:
            return False
        (value,) = ir.defined_by(statement)
        if self.uses.get(value, 0) != 1:
            return False
        if isinstance(statement, If):
            return not value.name and self.is_expression(statement)
        if self.in_place(statement.fn) or effects.has_effect(statement.fn):
            return False
        if isinstance(statement.fn, ir.Procedure) or statement.fn is ir.new_tape:
            return False
        if statement.fn is operator.getitem and statement.args[0] in self.unpacked:
            return False
        return not value.name or statement.derivative or _must_inline(statement)

    def is_expression(self, statement: If) -> bool:
        """Whether an `If` can be printed as `a if c else b`, `a and b` or `a or b`."""
        if statement.spelling == "if" or len(statement.results) != 1:
            return False
        inner = (*statement.then.statements, *statement.orelse.statements)
        return all(v in self.inlined for s in inner for v in ir.defined_by(s)) and all(
            not isinstance(s, Loop) and ir.defined_by(s) for s in inner
        )

    def is_in_place(self, statement: Statement | None) -> bool:
        return isinstance(statement, Op) and self.in_place(statement.fn)

    def note_owner(self, op: Op) -> None:
        if allocates(op) and not self.in_place(op.fn) and isinstance(op.result.fact, facts.Array):
            self.owners[op.result] = op.result
            return
        first = op.args[0] if op.args else None
        owner = self.owners.get(first) if isinstance(first, Value) else None
        if owner is None or not (self.in_place(op.fn) or op.fn is operator.getitem):
            return
        if owner in self.params or isinstance(op.args[0].fact, facts.Array):
            self.owners[op.result] = owner  # what an argument holds was there before

    def changed_by(self, statement: Statement) -> Value | None:
        """The one array that a statement changes, if it is of this function's making."""
        if not isinstance(statement, Op) or not self.in_place(statement.fn):
            return None
        first = statement.args[0]
        if effects.has_effect(statement.fn) or not isinstance(first, Value):
            return None
        owner = self.owners.get(first)
        return None if owner in self.params else owner

    def reads_memory(self, statement: Op | If, changed: Value | None) -> bool:
        """Whether the result depends on memory that may be written to where `changed` is, or
        anything if that is not known; arguments never are."""
        if isinstance(statement, If):
            return True
        return any(isinstance(a, Value) and self.is_read(a, changed) for a in statement.atoms)

    def reads_any(self, statement: Op | If, values: tuple[Atom, ...]) -> bool:
        """Whether printing a statement reads one of these values."""
        for atom in ir.read_by(statement):
            inner = self.inlined.get(atom) if isinstance(atom, Value) else None
            if atom in values and isinstance(atom, Value):
                return True
            if inner is not None and self.reads_any(inner, values):
                return True
        return False

    def is_read(self, value: Value, changed: Value | None) -> bool:
        """Whether printing a value reads memory, itself or in an expression inside."""
        inner = self.inlined.get(value)
        if inner is not None:
            return self.reads_memory(inner, changed)
        if value in self.params or facts.is_scalar(value.fact):
            return False
        return changed is None or self.owners.get(value, changed) is changed

    def disturbs(self, statement: Statement) -> bool:
        """Whether reading memory before or after the statement makes a difference."""
        if isinstance(statement, Op):
            return self.in_place(statement.fn) or effects.has_effect(statement.fn)
        return any(
            self.disturbs(inner) for block in ir.blocks_of(statement) for inner in block.statements
        )


def _called(fn: Any) -> str:
    """How a function is called in generated code, as far as its length goes."""
    name, module = getattr(fn, "__name__", ""), getattr(fn, "__module__", None) or ""
    if module.startswith(("numpy", "math", "scipy")):
        return f"{module.replace('numpy', 'np', 1)}.{name}"
    return name


def _length_of_constant(value: object) -> int:
    if isinstance(value, slice):
        parts = (value.start, value.stop, value.step)
        return 1 + sum(len(str(part)) for part in parts if part is not None)
    if isinstance(value, tuple):
        return 2 + sum(2 + _length_of_constant(item) for item in value)
    return len(_called(value) if callable(value) else str(value))


def _must_inline(statement: Op | If) -> bool:
    """Slices and tuples have no readable form of their own."""
    return isinstance(statement, Op) and statement.fn in (slice, ir.make_tuple)
