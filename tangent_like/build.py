"""Appending operations to a Wengert list.

    builder = Builder()
    product = builder.op(operator.mul, (x, w), place=place)
    joined, = builder.branch(test, then, orelse)        # then, orelse: functions that build
    block = builder.finish((product, joined))

What is known at once is not emitted: constants fold, an item of a tuple display is that item.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from tangent_like import facts, infer, ir
from tangent_like.errors import NOWHERE, Place
from tangent_like.ir import Atom, Block, Const, If, Loop, Op, Statement, Value
from tangent_like.records import MakeRecord, attribute, is_display, place_of

_FOLDABLE: frozenset[Any] = frozenset({
    operator.add, operator.sub, operator.mul, operator.neg, operator.floordiv, operator.mod,
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
    operator.not_, operator.is_, operator.is_not, operator.pos, operator.invert,
    slice, len, isinstance, ir.make_tuple, operator.getitem,
})  # fmt: skip
_FOLDED_TYPES = frozenset({bool, int, str, tuple, slice, type(None), type(...), type, float})


class Unreachable(Exception):
    """What is being built is never reached: an operation before it raises for certain."""


class Builder:
    """A block under construction; `derivative` marks what it appends as derivative code."""

    def __init__(self, place: Place = NOWHERE, derivative: bool = False):
        self.place = place
        self.derivative = derivative
        self.keeping = False
        """Whether what may raise is kept, since the user's code handles exceptions here."""

        self.definitions: dict[Value, Op] = {}
        self.sources: dict[Value, tuple[Atom, ...]] = {}
        """What the values that branches and loops hand on may be."""

        self._stack: list[list[Statement]] = [[]]

    @property
    def is_nested(self) -> bool:
        """Whether what is appended stands in a branch or loop, and so may never run."""
        return len(self._stack) > 1

    def op(
        self,
        fn: Any,
        args: Sequence[Atom],
        keywords: dict[str, Atom] | None = None,
        *,
        name: str = "",
        place: Place | None = None,
    ) -> Atom:
        """The result of `fn(*args, **keywords)`, as a new value or something already known."""
        operands, named = tuple(args), keywords or {}
        known = self._known(fn, operands, named)
        if known is not None:
            return known
        fact = infer.infer(fn, operands, named)
        if fact == facts.NONE and fn in (operator.getitem, attribute):
            return Const(None)
        result = Value(name, fact)
        statement = Op(
            result, fn, operands, tuple(named.items()), place or self.place, self.derivative
        )
        self.append(statement)
        if self.keeping and may_raise(statement):
            self.append(Op(Value("", facts.Opaque("NoneType")), ir.keep, (result,), (), self.place))
        return result

    def append(self, statement: Statement) -> None:
        if isinstance(statement, Op):
            self.definitions[statement.result] = statement
        elif isinstance(statement, If):
            rows = zip(statement.then.results, statement.orelse.results)
            self.sources.update(zip(statement.results, rows))
        else:
            self.sources.update(zip(statement.results, zip(statement.inits, statement.nexts)))
        self._stack[-1].append(statement)

    def extend(self, block: Block) -> None:
        """Append what was collected; what is known of its values stays as it is."""
        self._stack[-1].extend(block.statements)

    def collect(self, build: Callable[[], Sequence[Atom]]) -> Block:
        """The block that `build` appends, with what it returns as results."""
        self._stack.append([])
        try:
            results = tuple(build())
        except Unreachable:
            self._stack[-2].extend(self._stack[-1])  # what comes before still happens
            raise
        finally:
            statements = self._stack.pop()
        return Block(tuple(statements), results)

    def branch(
        self,
        test: Atom,
        then: Callable[[], Sequence[Atom]],
        orelse: Callable[[], Sequence[Atom]],
        names: Sequence[str] = (),
        spelling: str = "if",
    ) -> tuple[Atom, ...]:
        """`If`: both functions return equally many atoms, which are joined."""
        if isinstance(test, Const):
            return tuple(then() if test.value else orelse())
        return self.join(test, self.collect(then), self.collect(orelse), names, spelling)

    def join(
        self,
        test: Atom,
        then: Block,
        orelse: Block,
        names: Sequence[str] = (),
        spelling: str = "if",
    ) -> tuple[Atom, ...]:
        """An `If` of two finished blocks."""
        names = names or [""] * len(then.results)
        results = tuple(
            Value(name, facts.join(fact_of(a), fact_of(b)))
            for name, a, b in zip(names, then.results, orelse.results, strict=True)
        )
        self.append(If(results, test, then, orelse, self.place, spelling))
        return results

    def loop(
        self,
        iterable: Atom | None,
        item: Value | None,
        inits: Sequence[Atom],
        params: Sequence[Value],
        build: Callable[[], Sequence[Atom]],
        exits: bool = False,
    ) -> tuple[Value, ...]:
        """`Loop`: `build` returns the next values (after the go-on flag where it exits)."""
        body = self.collect(build)
        results = tuple(Value(param.name, param.fact) for param in params)
        self.append(
            Loop(results, iterable, item, tuple(inits), tuple(params), body, exits, self.place)
        )
        return results

    def finish(self, results: Sequence[Atom]) -> Block:
        return Block(tuple(self._stack[-1]), tuple(results))

    def _known(self, fn: Any, args: tuple[Atom, ...], keywords: dict[str, Atom]) -> Atom | None:
        if fn in (operator.getitem, attribute) and isinstance(args[0], Value):
            return self._known_item(fn, args[0], args[1])
        if fn is getattr and isinstance(args[1], Const) and args[1].value == "ndim":
            count = facts.rank(args[0].fact)
            return Const(count) if count is not None else None
        if self.derivative and fn is getattr and facts.dims(args[0].fact) == ():
            if isinstance(args[1], Const) and args[1].value == "shape":
                return Const(())
        if self.derivative and fn is np.broadcast_to and facts.rank(args[0].fact) == 0:
            if isinstance(args[1], Const) and args[1].value == ():
                return args[0]  # NumPy would give an array without axes that cannot be written
        if fn is len and isinstance(args[0].fact, facts.STRUCTURES):
            return Const(len(args[0].fact.items))
        return _folded(fn, args) if not keywords else None

    def _known_item(self, fn: Any, container: Value, index: Atom) -> Atom | None:
        """An item of a tuple display, also through `x.shape[0]` of an array made here."""
        definition = self.definitions.get(container)
        if definition is None or not isinstance(index, Const):
            return None
        items = definition.args
        if isinstance(definition.fn, MakeRecord):
            place = place_of(container.fact, fn, index.value)
            return items[place] if place is not None else None
        if definition.fn not in (ir.make_tuple, ir.make_list):
            return None
        if isinstance(index.value, int) and -len(items) <= index.value < len(items):
            return items[index.value]
        return None


def may_raise(op: Op) -> bool:
    """Whether the operation can fail, as far as its operands tell."""
    if is_display(op.fn) or op.fn is slice or op.result.fact == facts.Opaque("NoneType"):
        return False
    plain = op.fn in (operator.add, operator.sub, operator.mul, operator.neg, *_COMPARISONS)
    return not (plain and all(facts.is_scalar(atom.fact) for atom in op.atoms))


_COMPARISONS = (
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge, operator.not_,
    operator.is_, operator.is_not,
)  # fmt: skip


def fact_of(atom: Atom) -> facts.Fact:
    return facts.UNDEFINED if atom is ir.UNDEFINED else atom.fact


def _folded(fn: Any, args: tuple[Atom, ...]) -> Atom | None:
    """Integer and structural constants fold; what raises is left to run."""
    values = []
    for arg in args:
        if not isinstance(arg, Const) or type(arg.value) not in _FOLDED_TYPES:
            return None
        values.append(arg.value)
    if fn not in _FOLDABLE:
        return None
    try:
        return Const(fn(*values))
    except (ArithmeticError, TypeError, ValueError, LookupError):
        return None


class Visitor(Protocol):
    """What goes over a list statement by statement and builds another one."""

    builder: Builder

    def op(self, op: Op) -> None: ...
    def branch(self, statement: If) -> None: ...
    def loop(self, loop: Loop) -> None: ...


def visit(visitor: Visitor, statements: Iterable[Statement]) -> None:
    """Hand each statement to its method; what that builds has the statement's place."""
    for statement in statements:
        visitor.builder.place = statement.place
        if isinstance(statement, Op):
            visitor.op(statement)
        elif isinstance(statement, If):
            visitor.branch(statement)
        else:
            visitor.loop(statement)
