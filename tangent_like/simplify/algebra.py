"""Algebra in derivative code.

    a = 1.0 * w                      b = cos(x)
    b = cos(x)                       bx = w - b
    c = -b               ──▶         return bx
    bx = a + c
    return bx

The user's own operations stay as they are, so the primal keeps its values to the last bit; one
that only derivative code reads may be merged into that.  The identities are in `identities.py`; a
rewritten operation keeps its name, shape and element type.  What is no longer used is left to the
pass that removes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangent_like import identities, infer, ir
from tangent_like.analysis.uses import Uses
from tangent_like.identities.terms import Call, alike
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Statement, Value

_MOST_STEPS = 12
_DEEPEST = 6
"""So many operands deep a term is regrouped: enough for a line, and linear for long sums."""


def simplify_algebra(function: Function, late: bool = False) -> Function:
    rewriter = _Rewriter(Uses(ir.count_uses(function.body)), late)
    body = rewriter.block(function.body)
    return replace(function, body=ir.rename(body, rewriter.renamed))


def finish_algebra(function: Function) -> Function:
    """The same once common operations are shared: signs go into numbers as well."""
    return simplify_algebra(function, late=True)


@dataclass(eq=False, slots=True)
class _Rewriter:
    uses: Uses
    late: bool
    table: dict[Value, Atom] = field(default_factory=dict)
    """What stands for values that are no longer computed."""

    definitions: dict[Value, Op] = field(default_factory=dict)
    name: str = ""
    """The name of what is being rewritten."""

    depth: int = 0
    renamed: dict[Value, Value] = field(default_factory=dict)

    # --- what the identities ask for ------------------------------------------------------

    def maker(self, atom: Atom) -> Any:
        if isinstance(atom, Const):
            return Const
        op = self.definitions.get(atom)
        return None if op is None else op.fn

    def made(self, atom: Atom, fn: Any) -> Op | None:
        op = self.definitions.get(atom) if isinstance(atom, Value) else None
        if op is None or op.fn is not fn or op.keywords:
            return None
        if not op.derivative and (op.result.name or not self.once(atom)):
            return None
        named = bool(op.result.name) and op.result.name != self.name
        return None if named and fn is not np.broadcast_to else op

    def definition(self, atom: Atom, fn: Any) -> Op | None:
        op = self.definitions.get(atom) if isinstance(atom, Value) else None
        return op if op is not None and op.fn is fn else None

    def once(self, atom: Atom) -> bool:
        return self.uses.once(atom)

    def is_continued(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and bool(self.name) and atom.name == self.name

    # --- the walk -------------------------------------------------------------------------

    def block(self, block: Block) -> Block:
        statements: list[Statement] = []
        for statement in block.statements:
            if isinstance(statement, Op):
                statements.extend(self.op(ir.with_operands(statement, self.table)))
            else:
                statements.extend(self.nested(statement))
        return Block(tuple(statements), self.atoms(block.results))

    def nested(self, statement: If | Loop) -> Iterator[Statement]:
        if isinstance(statement, Loop):
            yield self.loop(statement)
            return
        test = self.atom(statement.test)
        if isinstance(test, Const) and test is not statement.test:
            chosen = self.block(statement.then if test.value else statement.orelse)
            self.table.update(zip(statement.results, chosen.results, strict=True))
            yield from chosen.statements
            return
        then, orelse = self.block(statement.then), self.block(statement.orelse)
        yield replace(statement, test=test, then=then, orelse=orelse)

    def loop(self, loop: Loop) -> Loop:
        iterable = None if loop.iterable is None else self.atom(loop.iterable)
        inits = self.atoms(loop.inits)
        return replace(loop, iterable=iterable, inits=inits, body=self.block(loop.body))

    def atom(self, atom: Atom) -> Atom:
        return self.table.get(atom, atom) if isinstance(atom, Value) else atom

    def atoms(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return ir.replaced(atoms, self.table)

    # --- rewriting ------------------------------------------------------------------------

    def op(self, op: Op) -> list[Statement]:
        """The operation in its simplest form, after operations that it needs; or nothing, where
        something already there stands for its result."""
        self.name = op.result.name
        needed: list[Statement] = []
        for _ in range(_MOST_STEPS):
            if not _is_open(op):
                break
            term = identities.rewrite(self, op.fn, op.args, dict(op.keywords))
            if term is None:
                break
            if not isinstance(term, Call):
                if not alike(term.fact, op.result.fact):
                    break
                self.table[op.result] = term
                self.hand_on_name(op.result.name, term)
                return needed
            before, new = self.built(term, op)
            if new is None:
                break
            needed += before
            op = new
        self.definitions[op.result] = op
        return [*needed, op]

    def hand_on_name(self, name: str, atom: Atom) -> None:
        """A temporary takes the name of the adjoint that it turned out to be."""
        made = self.definitions.get(atom) if isinstance(atom, Value) else None
        if name and made is not None and made.derivative and not made.result.name:
            self.renamed.setdefault(made.result, Value(name, made.result.fact))

    def built(self, term: Call, op: Op) -> tuple[list[Statement], Op | None]:
        """A term as operations, the last one with the result of `op`; None where its fact would
        not be the same."""
        leaves = tuple(_leaves(term))
        self.uses.gain(leaves)
        self.uses.lose(op.atoms, self.definitions)
        before: list[Statement] = []
        args = tuple(self.argument(arg, op, before) for arg in term.args)
        if alike(infer.infer(term.fn, args, dict(term.keywords)), op.result.fact):
            return before, Op(op.result, term.fn, args, term.keywords, op.place, True)
        self.uses.gain(op.atoms)
        self.uses.lose(leaves, self.definitions)
        return [], None

    def argument(self, arg: Atom | Call, op: Op, before: list[Statement]) -> Atom:
        if not isinstance(arg, Call):
            return arg
        args = tuple(self.argument(inner, op, before) for inner in arg.args)
        result = Value("", infer.infer(arg.fn, args, dict(arg.keywords)))
        self.uses.gain((result,))
        made = Op(result, arg.fn, args, arg.keywords, op.place, True)
        self.depth += 1
        if self.depth <= _DEEPEST:
            before += self.op(made)
        else:
            self.definitions[result] = made
            before.append(made)
        self.depth -= 1
        self.name = op.result.name
        return self.table.get(result, result)


def _leaves(term: Call) -> Iterator[Atom]:
    """The atoms that a term reads."""
    for arg in term.args:
        if isinstance(arg, Call):
            yield from _leaves(arg)
        else:
            yield arg
    yield from (atom for _, atom in term.keywords)


def _is_open(op: Op) -> bool:
    """Whether the identities may look at an operation."""
    return op.derivative and identities.has_rules(op.fn)
