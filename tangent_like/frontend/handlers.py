"""Lowering `try` with handlers: whether an exception is raised is a test, found out beforehand.

    try:                              def f_try(x):  1 / x
        y = 1.0 / x             ──▶   error = raised_by(f_try, (x,), ZeroDivisionError)
    except ZeroDivisionError:         y = if error is None: 1.0 / x
        y = 0.0                           else: 0.0

The body is lowered twice, as a procedure that is only run to see whether it raises, and in the
branch where it does not.  So a body that does something besides computing (it prints), or reads
what may be unbound, is none of these: then the body runs once, and an exception that a handler
would take is an error (`regions.tried`).  Where nothing in the body can raise what the handlers
take (`raising.py`), it is lowered as if there were no `try`.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import gast

from tangent_like import effects, facts, ir, runtime
from tangent_like.frontend.branches import lower_branches, lower_statements
from tangent_like.frontend.failures import has_raised
from tangent_like.frontend.kinds import without_values
from tangent_like.frontend.raising import never_raises
from tangent_like.frontend.scope import Cell, Conflict, Environment
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.targets import bind
from tangent_like.ir import Atom, Block, Const, Function, Op, Procedure, Value
from tangent_like.trees import parameter_names

ERROR = "%error"
"""Under this name the environment has the exception that is handled."""

Kinds = Sequence[Atom]


@dataclass(frozen=True, slots=True, eq=False)
class Handler:
    """The statements for exceptions of some kinds, and what the exception is bound to."""

    kinds: Kinds
    target: Any
    body: Sequence[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Guarded:
    """A pseudo statement: the body of a `try`, where it is known that no handler runs."""

    body: Sequence[Any]
    kinds: Kinds
    _fields: ClassVar[tuple[str, ...]] = ()
    _attributes: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Handled:
    """A pseudo statement: that of the handlers which takes the exception."""

    handlers: Sequence[Handler]
    error: Atom
    node: Any
    before: Environment
    """What the names and buffers hold that the body may have changed before it raised."""

    _fields: ClassVar[tuple[str, ...]] = ()
    _attributes: ClassVar[tuple[str, ...]] = ()


def lower_handled(
    state: Lowering, node: Any, body: Sequence[Any], handlers: Sequence[Handler],
    orelse: Sequence[Any],
) -> bool:  # fmt: skip
    """`try` with handlers; False where its body does more than compute."""
    kinds = [kind for handler in handlers for kind in handler.kinds]
    before, guarded = state.scope(), Guarded(body, kinds)
    trial = _Trial(state, guarded)
    block = state.builder.collect(trial.run)
    lost = trial.lost(block, before, node)
    state.enter(before)
    if never_raises(state, block, kinds):
        lower_statements(state, [*body, *orelse])
        return True
    if not _only_computes(block):
        return False
    if trial.always is not None:
        error: Atom = state.builder.op(trial.always, (), place=state.place(node))
        lower_statements(state, [Handled(handlers, error, node, lost)])
        return True
    error = _raised_by(state, node, block, kinds)
    test = state.builder.op(operator.is_, (error, Const(None)), place=state.place(node))
    handled = Handled(handlers, error, node, lost)
    lower_branches(state, test, [guarded, *orelse], [handled], node)
    return True


class _Trial:
    """The body, lowered to see what it does."""

    def __init__(self, state: Lowering, guarded: Guarded):
        self.state, self.guarded = state, guarded
        self.before_last: Environment = {}
        self.always: Any = None
        """What it raises for certain, before anything else can be raised."""

    def run(self) -> tuple[Atom, ...]:
        state, (*first, last) = self.state, self.guarded.body
        outer, state.builder.keeping = state.builder.keeping, True
        try:
            lower_guarded(state, replace(self.guarded, body=first))
            self.before_last = state.scope()
            lower_guarded(state, replace(self.guarded, body=[last]))
        finally:
            state.builder.keeping = outer
        return (Const(None),)

    def lost(self, block: Block, before: Environment, node: Any) -> Environment:
        """Names and buffers that have been changed where the exception comes, or have not."""
        state, after = self.state, self.state.scope()
        self.always = _raised_at_once(state, block) if has_raised(state.frame.env) else None
        conflict = Conflict("", state.place(node), "the body of a `try` may have changed it or not")
        found: Environment = {}
        for key in after:
            if isinstance(key, str) and key.startswith("%") and not isinstance(key, Cell):
                continue
            early = self.before_last.get(key) is not before.get(key)
            if early or (after[key] is not before.get(key) and self.is_early(block, key, after)):
                found[key] = replace(conflict, name=str(getattr(key, "name", key)))
        return found

    def is_early(self, block: Block, key: Any, after: Environment) -> bool:
        """Whether the last statement may raise after it has changed what a name or buffer holds."""
        last = self.guarded.body[-1]
        if isinstance(key, str):
            simple = isinstance(last, (gast.Assign, gast.AugAssign, gast.AnnAssign))
            targets = getattr(last, "targets", None) or [getattr(last, "target", None)]
            return not (simple and all(isinstance(target, gast.Name) for target in targets))
        new = after[key]
        places = [k for k, s in enumerate(block.statements) if new in ir.defined_by(s)]
        after_it = block.statements[places[0] + 1 :] if places else ()
        return not places or any(_may_raise(s) and new not in ir.read_by(s) for s in after_it)


def _may_raise(statement: ir.Statement) -> bool:
    return not isinstance(statement, Op) or statement.fn is ir.keep


def _raised_at_once(state: Lowering, block: Block) -> Any:
    """The class of the exception that a block raises for certain, before any other."""
    last = block.statements[-1] if block.statements else None
    if not isinstance(last, Op) or last.fn is not ir.fail or any(map(_may_raise, block.statements)):
        return None
    error = last.args[0]
    made = state.builder.definitions.get(error) if isinstance(error, Value) else None
    return made.fn if made is not None and isinstance(made.fn, type) else None


_HARMLESS = frozenset({
    ir.fail, ir.keep, ir.enter, ir.leave, ir.unbound, ir.missing, ir.defined, ir.live, ir.push,
    ir.pop, ir.unpack, runtime.check_separate, runtime.check_apart, runtime.check_in_order,
})  # fmt: skip
"""Effects that running a block once more does not show."""


def _only_computes(block: Block) -> bool:
    return not any(
        isinstance(s, Op) and effects.has_effect(s.fn) and s.fn not in _HARMLESS
        for s in ir.walk(block)
    ) and not any(map(_is_no_operand, ir.free_values(block)))


def _is_no_operand(value: Value) -> bool:
    """Whether a value cannot be handed to a procedure: what runs out, and what may be unbound."""
    may_be_unbound = isinstance(value.fact, (facts.Maybe, facts.Undefined))
    return may_be_unbound or isinstance(value.fact, (facts.Tape, facts.Zip))


def _raised_by(state: Lowering, node: Any, block: Block, kinds: Kinds) -> Atom:
    """The operation that runs the body as a procedure: the exception that it raises, or None."""
    captured = list(ir.free_values(block))
    own = {v: Value(name, without_values(facts.defined(v.fact)))
           for v, name in zip(captured, parameter_names(captured))}  # fmt: skip
    name = f"{state.frame.source.function.__name__}_try"
    name = name if name.isidentifier() else "body_of_try"
    body = ir.substitute(block, own)
    procedure = Procedure(name, Function(name, tuple(own.values()), body, state.place(node)))
    procedure.result = facts.Opaque("NoneType")
    operands = state.builder.op(ir.make_tuple, captured)
    args = (Const(procedure), operands, *kinds)
    return state.builder.op(runtime.raised_by, args, name="error", place=state.place(node))


def lower_guarded(state: Lowering, step: Guarded) -> None:
    outer = state.handled
    state.handled = (*outer, *(kind.value for kind in step.kinds if isinstance(kind, Const)))
    try:
        lower_statements(state, step.body)
    finally:
        state.handled = outer


def lower_one_handled(state: Lowering, step: Handled) -> None:
    for key, conflict in step.before.items():
        state.table_of(key)[key] = conflict
    handler, *others = step.handlers
    if others:
        kinds = state.builder.op(ir.make_tuple, handler.kinds)
        test = state.builder.op(isinstance, (step.error, kinds), place=state.place(step.node))
        first = replace(step, handlers=[handler], before={})
        rest = replace(step, handlers=others, before={})
        lower_branches(state, test, [first], [rest], step.node)
        return
    outer = state.frame.env.get(ERROR)
    state.frame.env[ERROR] = step.error
    if handler.target is not None:
        bind(state, handler.target, step.error)
    lower_statements(state, handler.body)
    if outer is None:
        state.frame.env.pop(ERROR, None)
    else:
        state.frame.env[ERROR] = outer


HANDLERS: dict[type, Any] = {Guarded: lower_guarded, Handled: lower_one_handled}
