"""Context managers of the user's in `with`.

    with Timer() as t:            t = Timer().__enter__()
        y = f(x)           ──▶    y = f(x)
                                  t.__exit__(None, None, None)

    @contextmanager
    def squared(x):
        yield x * x               s = x * x
        print("left")      ──▶    y = s * s
    with squared(x) as s:         print("left")
        y = s * s

What a manager does when its body is left happens however it is left, but for exceptions: these
arrive as they are.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import gast

from tangent_like import facts
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.binding import bind_arguments, default_value, default_values
from tangent_like.frontend.functions import lower_body, new_frame
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.protocols import call_special, is_object, special_method
from tangent_like.frontend.scope import Frame, LocalFunction, Managing
from tangent_like.frontend.source import find_source
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.targets import bind
from tangent_like.ir import Atom, Const

Rest = Callable[[], None]


@dataclass(frozen=True, slots=True, eq=False)
class Leave:
    """A pseudo statement: what a manager does when its body is left."""

    manager: Atom
    node: Any
    _fields: ClassVar[tuple[str, ...]] = ()
    _attributes: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """A pseudo statement: the body of a `with`, where the generator behind its manager yields."""

    value: Any
    caller: Frame
    target: Any
    rest: Rest
    _fields: ClassVar[tuple[str, ...]] = ()
    _attributes: ClassVar[tuple[str, ...]] = ()


def is_manager(atom: Atom) -> bool:
    """Whether an object is a context manager of the user's."""
    if isinstance(atom, Const):
        return isinstance(atom.value, Managing)
    return is_object(atom) and special_method(atom, "__exit__") is not None


def enter(state: Lowering, node: Any, manager: Atom, target: Any) -> Leave:
    """Enter an object with `__enter__`, and what is to be done after the body."""
    value = call_special(state, node, "__enter__", manager)
    if target is not None:
        bind(state, target, value)
    return Leave(manager, node)


def lower_leave(state: Lowering, step: Leave) -> None:
    nothing = (Const(None),) * 3
    manager = fresh(state, step.manager, step.node)
    answer = call_special(state, step.node, "__exit__", manager, nothing)
    known = isinstance(answer, Const) and not answer.value
    if not known and answer.fact != facts.Opaque("NoneType"):
        raise NotYetSupported(
            "a context manager that swallows exceptions", state.place(step.node),
            "write `try` with a handler",
        )  # fmt: skip


def lower_generated(state: Lowering, node: Any, made: Managing, target: Any, rest: Rest) -> None:
    """The body of the generator, with that of the `with` where it yields."""
    caller = state.frame
    inside = Inside(None, caller, target, rest)
    frame = _frame(state, node, made, inside)
    state.frame = frame
    place = state.builder.place
    try:
        lower_body(state)
    finally:
        state.frame, state.builder.place = caller, place


def _frame(state: Lowering, node: Any, made: Managing, inside: Inside) -> Frame:
    function, args, named = made.function, made.args, made.keywords
    caller = state.frame
    if isinstance(function, LocalFunction):
        source, parent, defaults = function.frame.source, function.frame, function.defaults
        tree = function.node
    else:
        source, parent = find_source(function), None
        tree = source.tree
        state.module.rely_on(function)
        defaults = {
            name: default_value(state, node, function, name, value)
            for name, value in default_values(function).items()
        }
    env = bind_arguments(state, node, tree, defaults, args, named)
    frame = new_frame(source, tree, env, parent, caller)
    frame.calls = (*caller.calls, function)
    state.frame = frame
    try:
        frame.node = _opened(state, tree, inside)
    finally:
        state.frame = caller
    return frame


def _opened(state: Lowering, tree: Any, inside: Inside) -> Any:
    """The generator with the body of the `with` in the place of its `yield`."""
    found = [part for part in gast.walk(tree) if isinstance(part, (gast.Yield, gast.YieldFrom))]
    opened = copy.deepcopy(tree)
    if len(found) != 1 or not _replaced(opened.body, inside):
        raise NotYetSupported(
            "a context manager that does not yield once, at its top or in `try`",
            state.place(tree), "write a class with `__enter__` and `__exit__`",
        )  # fmt: skip
    return opened


def _replaced(statements: list[Any], inside: Inside) -> bool:
    for k, statement in enumerate(statements):
        if isinstance(statement, gast.Expr) and isinstance(statement.value, gast.Yield):
            step = replace(inside, value=statement.value.value)
            statements[k] = step
            return True
        plain = isinstance(statement, gast.Try) and not statement.handlers
        if plain or isinstance(statement, gast.With):
            if _replaced(statement.body, inside):
                return True
    return False


def lower_inside(state: Lowering, step: Inside) -> None:
    value = Const(None) if step.value is None else state.expression(step.value)
    frame, state.frame = state.frame, step.caller
    try:
        if step.target is not None:
            bind(state, step.target, value)
        step.rest()
    finally:
        state.frame = frame


def managing(function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]) -> Atom | None:
    """A call of what `contextlib.contextmanager` has made; None where it is another one."""
    if getattr(function, "__code__", None) is not _MADE:
        return None
    return Const(Managing(function.__wrapped__, tuple(args), dict(keywords)))


_MADE = contextlib.contextmanager(lambda: iter(())).__code__
HANDLERS: dict[type, Any] = {Leave: lower_leave, Inside: lower_inside}
