"""Add products of the same factors once, with a number.

    t = x * x                              t = x * x
    bx = g * t              ──▶            bx = 3.0 * (g * t)
    bx = bx + 2.0 * g * x * x

That two products have the same factors is seen through the user's own operations as well; these
stay.  Terms are added up where their numbers have one sign: so nothing that could be infinite
cancels.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tangent_like import facts, ir
from tangent_like.analysis.factors import product
from tangent_like.facts import Scalar
from tangent_like.identities.terms import alike, is_float
from tangent_like.ir import Atom, Block, Const, Function, Op, Statement, Value

_SUMS = (operator.add, operator.sub)
_MOST_TERMS = 64
"""A longer sum is looked at in pieces."""


class Term(NamedTuple):
    """What a sum adds: operand `side` of its operation `sum`, a number times some factors."""

    sum: Op
    side: int
    coefficient: float
    factors: frozenset[tuple[Value, int]]


def collect_like_terms(function: Function) -> Function:
    if not any(map(_adds, ir.walk(function.body))):
        return function
    collecting = _Collecting(ir.count_uses(function.body))
    body = collecting.block(function.body)
    body = ir.substitute(body, {value: collecting.rest(value) for value in collecting.table})
    return replace(function, body=ir.rename(body, collecting.renamed()))


def _adds(statement: Statement) -> bool:
    """Whether derivative code adds or subtracts floats of one shape and type."""
    if not isinstance(statement, Op) or not statement.derivative or statement.fn not in _SUMS:
        return False
    fact = statement.result.fact
    known = isinstance(fact, Scalar) or facts.dims(fact) is not None
    return known and is_float(statement.result)


@dataclass(eq=False, slots=True)
class _Collecting:
    uses: Counter[Atom]
    definitions: dict[Value, Op] = field(default_factory=dict)
    table: dict[Value, Atom] = field(default_factory=dict)
    """What stands for sums with one term less."""

    def block(self, block: Block) -> Block:
        statements = tuple(map(self.inside, block.statements))
        own = {s.result: s for s in statements if isinstance(s, Op) and _adds(s)}
        order = {op: k for k, op in enumerate(own.values())}
        changed: dict[Op, list[Op]] = {}
        inner: set[Op] = set()
        for op in reversed(own.values()):
            if op not in inner:
                terms = sorted(self.terms(op, own, inner), key=lambda t: (order[t.sum], t.side))
                changed.update(self.collected(terms))
        rest = (changed.get(s, [s]) if isinstance(s, Op) else [s] for s in statements)
        return replace(block, statements=tuple(new for group in rest for new in group))

    def inside(self, statement: Statement) -> Statement:
        if isinstance(statement, Op):
            self.definitions[statement.result] = statement
        return ir.with_blocks(statement, self.block)

    def terms(self, whole: Op, own: dict[Value, Op], inner: set[Op]) -> Iterator[Term]:
        """The terms of a sum and of the sums in it that nothing else reads, which are `inner`."""
        pending, sign_of = [whole], {whole: 1.0}
        while pending:
            op = pending.pop()
            for side, atom in enumerate(op.args):
                if not isinstance(atom, Value) or not alike(atom.fact, op.result.fact):
                    continue
                sign = -sign_of[op] if side and op.fn is operator.sub else sign_of[op]
                made = own.get(atom)
                if made and self.uses[atom] == 1 and len(sign_of) < _MOST_TERMS:
                    inner.add(made)
                    sign_of[made] = sign
                    pending.append(made)
                else:
                    coefficient, factors = product(atom, self.definitions)
                    yield Term(op, side, sign * coefficient, factors)

    def collected(self, terms: Sequence[Term]) -> Iterator[tuple[Op, list[Op]]]:
        """What stands for the sums that change."""
        groups: dict[object, list[Term]] = {}
        for term in terms:
            groups.setdefault((term.factors, term.coefficient > 0), []).append(term)
        scaled: dict[tuple[Op, int], float] = {}
        dropped: dict[Op, int] = {}
        for group in groups.values():
            if len(group) > 1:
                self.gather(group, scaled, dropped)
        for op in {**dict.fromkeys(op for op, _ in scaled), **dropped}:
            yield op, list(self.changed(op, scaled, dropped.get(op)))

    def gather(
        self, group: list[Term], scaled: dict[tuple[Op, int], float], dropped: dict[Op, int]
    ) -> None:
        """Let one of the terms stand for others, of which each sum can lose one."""
        kept = next((t for t in group if self.has_number(t)), group[0])
        others = {t.sum: t for t in group if t is not kept and t.sum not in dropped}
        total = kept.coefficient + sum(t.coefficient for t in others.values())
        ratio = total / kept.coefficient
        if others and kept.coefficient * ratio == total:
            scaled[kept.sum, kept.side] = ratio
            dropped.update((op, t.side) for op, t in others.items())

    def has_number(self, term: Term) -> bool:
        """Whether a product of derivative code begins with a number, which takes up another."""
        atom = term.sum.args[term.side]
        while isinstance(atom, Value) and (made := self.definitions.get(atom)):
            if made.fn not in (operator.mul, operator.truediv) or not made.derivative:
                return False
            atom = made.args[0]
        return isinstance(atom, Const)

    def changed(
        self, op: Op, scaled: dict[tuple[Op, int], float], dropped: int | None
    ) -> Iterator[Op]:
        """The sum with numbers before the terms that are kept, and without the one dropped."""
        args = list(op.args)
        for side, atom in enumerate(op.args):
            if (op, side) in scaled:
                result = Value("", op.result.fact)
                factors = (Const(scaled[op, side]), atom)
                made = Op(result, operator.mul, factors, (), op.place, True)
                self.definitions[result] = made
                args[side] = result
                yield made
        if dropped is None:
            yield replace(op, args=tuple(args))
        elif op.fn is operator.sub and dropped == 0:
            yield Op(op.result, operator.neg, (args[1],), (), op.place, True)
        else:
            self.table[op.result] = args[1 - dropped]

    def rest(self, atom: Atom) -> Atom:
        """What stands for a sum, whose terms may all be left out but one."""
        while isinstance(atom, Value) and atom in self.table:
            atom = self.table[atom]
        return atom

    def renamed(self) -> dict[Value, Value]:
        """What stands for a sum takes its name, if it has none."""
        found: dict[Value, Value] = {}
        for value in reversed(self.table):
            rest = self.rest(value)
            made = self.definitions.get(rest) if isinstance(rest, Value) else None
            if value.name and made is not None and made.derivative and not made.result.name:
                found.setdefault(made.result, Value(value.name, made.result.fact))
        return found
