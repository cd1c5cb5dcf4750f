"""Which exceptions the body of a `try` cannot raise, so that their handlers never run.

    try:
        y = math.sin(x) / x        may raise ArithmeticError and ValueError
    except KeyError:               never runs: the body is lowered like any other
        y = 0.0
"""

from __future__ import annotations

import types
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Block, Const, If, Loop, Op, Value
from tangent_like.records import attribute, is_display
from tangent_like.stores import Store

_BY_NUMBERS = (
    ArithmeticError, ValueError, TypeError, IndexError, AttributeError, NameError, RuntimeError,
    MemoryError, AssertionError, Warning,
)  # fmt: skip
"""What operations on numbers, arrays and sequences of them may raise."""

_MODULES = ("math", "numpy", "operator", "_operator")
_BUILTINS = frozenset({
    abs, all, any, bool, complex, divmod, enumerate, float, getattr, int, isinstance, len, max, min,
    pow, range, reversed, round, slice, sum, zip,
})  # fmt: skip
_KINDS = frozenset({"NoneType", "ellipsis", "range", "slice", "str", "type"})
"""What of Python's own beside numbers operations may be given."""


def never_raises(state: Lowering, block: Block, kinds: Collection[Atom]) -> bool:
    """Whether no statement of a block can raise an exception of these kinds."""
    taken = [kind.value for kind in kinds if isinstance(kind, Const)]
    if len(taken) < len(kinds) or any(_related(kind, _BY_NUMBERS) for kind in taken):
        return False
    return _Search(state, taken).clears(block)


def _related(kind: Any, others: Collection[Any]) -> bool:
    return any(issubclass(kind, other) or issubclass(other, kind) for other in others)


@dataclass(slots=True)
class _Search:
    """What is asked of each statement: whether it raises nothing but what numbers raise, or an
    exception that is not `taken`."""

    state: Lowering
    taken: Collection[Any]
    procedures: set[ir.Procedure] = field(default_factory=set)

    def clears(self, block: Block) -> bool:
        return all(map(self.clears_statement, ir.walk(block)))

    def clears_statement(self, statement: ir.Statement) -> bool:
        if isinstance(statement, Op):
            if isinstance(statement.fn, ir.Procedure):
                return self.clears_procedure(statement.fn)
            if statement.fn is ir.fail:
                return all(map(self.is_other, statement.args))
            made = is_display(statement.fn) or _is_exception(statement.fn)
            if made or statement.fn is ir.keep:
                return True
            if not _computes(statement):
                return False
        return all(_is_plain(atom.fact) for atom in _used(statement) if isinstance(atom, Value))

    def clears_procedure(self, procedure: ir.Procedure) -> bool:
        """The same of the body; one that is still being lowered may yet raise anything."""
        if procedure.function is None:
            return False
        if procedure in self.procedures:
            return True
        self.procedures.add(procedure)
        return self.clears(procedure.function.body)

    def is_other(self, error: Atom) -> bool:
        """Whether an exception that is raised is known to be of none of these kinds."""
        made = self.state.builder.definitions.get(error) if isinstance(error, Value) else None
        kind = made.fn if made is not None else getattr(error, "value", None)
        return _is_exception(kind) and not _related(kind, self.taken)


def _is_exception(fn: Any) -> bool:
    return isinstance(fn, type) and issubclass(fn, BaseException)


def _used(statement: ir.Statement) -> Sequence[Atom | None]:
    """What a statement does something with; a branch or a loop only hands on the rest."""
    match statement:
        case Op():
            return statement.atoms
        case If(test=test):
            return [test]
        case Loop(iterable=iterable):
            return [iterable]


def _computes(op: Op) -> bool:
    """Whether an operation is one of those that call nothing of the user's."""
    if any(isinstance(a, Const) and _is_callable(a.value) for a in op.atoms):
        return False
    if isinstance(op.fn, (np.ufunc, Store)) or op.fn is attribute:
        return True
    package = (getattr(op.fn, "__module__", None) or "").split(".")[0]
    if package == "builtins":
        return op.fn in _BUILTINS
    if package == "tangent_like":
        return isinstance(op.fn, types.FunctionType)
    return not isinstance(op.fn, type) and package in _MODULES


def _is_callable(value: Any) -> bool:
    return isinstance(value, ir.Procedure) or (callable(value) and not isinstance(value, type))


def _is_plain(fact: facts.Fact) -> bool:
    """Whether something is made of numbers, so that what is done with it is NumPy's or Python's;
    items of dicts with unknown keys are left out, since these may be missing."""
    match fact:
        case facts.Scalar() | facts.Array() | facts.Undefined():
            return True
        case facts.Opaque(kind=kind):
            return kind in _KINDS
        case facts.Maybe(fact=inner) | facts.ListOf(item=inner) | facts.Tape(item=inner):
            return _is_plain(inner)
        case facts.Tuple(items=items) | facts.List(items=items) | facts.Record(items=items):
            return all(map(_is_plain, items))
        case facts.Zip(sources=sources):
            return all(map(_is_plain, sources))
    return False
