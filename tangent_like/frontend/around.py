"""What recursive functions read of what is around them.

    z = x                         r is lowered where it is called first: what it reads of the
    a = r(2)                      function around it is noted
    z = x * x
    b = r(2)                      z holds something else: lowered again
    c = r(1)                      all that was noted for `b` is the same: its procedure is called
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tangent_like import effects, ir
from tangent_like.errors import TangentLikeError
from tangent_like.frontend.kinds import identity
from tangent_like.frontend.memory import at_call, carried_atom, fresh
from tangent_like.frontend.recursive_writes import fits, written_around
from tangent_like.frontend.scope import Binding, Carried, Cell, Frame
from tangent_like.frontend.state import Around, Lowering
from tangent_like.ir import Block, Const, Op, Procedure, Value


def bound_now(state: Lowering, frame: Frame, name: str) -> Binding:
    """What a name of a frame holds; noted where the frame is around the body that is lowered."""
    passed = []
    key = frame.cells.get(name, name)
    while state.around is not None and frame.serial <= state.around.since:
        if key in state.cells:  # the procedure takes it as a parameter
            break
        passed.append(state.around)
        state = state.around.state
    table: dict[Any, Binding] = state.cells if isinstance(key, Cell) else frame.env
    binding = table.get(key, ir.UNDEFINED)
    if isinstance(binding, Carried):
        binding = table[key] = carried_atom(state, binding)
    for around in reversed(passed):
        around.names[frame, name] = binding
        if isinstance(binding, Value):
            binding.serial = min(binding.serial, around.since)  # a loop may carry it in from now on
            at_call(around, binding, frame.node)
    return binding


def reads_the_same(state: Lowering, procedure: Procedure, node: Any) -> bool:
    """Whether a procedure would read here what it has read where it was lowered."""
    exactly = "captured" not in procedure.derived  # what it reads is not handed to it yet
    read = _read_by(state, procedure)
    return all(_holds(state, known, around, node, exactly) for known, around in read)


def _read_by(state: Lowering, procedure: Procedure) -> Iterator[tuple[Procedure, Around]]:
    """What the body of a procedure has read, and those of the procedures around it that it calls:
    they may have read more after they were called."""
    known = state.module.read_around
    yield procedure, known[procedure]
    pending, seen = [procedure], {procedure}
    while pending:
        function = pending.pop().function
        called = {*called_in(function.body)} - seen if function is not None else set()
        seen |= called
        pending += called
        read = ((one, known[one]) for one in called if one in known)
        yield from (pair for pair in read if pair[1].since < known[procedure].since)


def called_in(block: Block) -> dict[Procedure, None]:
    """The procedures that a body calls."""
    ops = (s for s in ir.walk(block) if isinstance(s, Op))
    return {op.fn: None for op in ops if isinstance(op.fn, Procedure)}


def _holds(
    state: Lowering, procedure: Procedure, around: Around, node: Any, exactly: bool
) -> bool:
    handed_over = written_around(procedure)
    for (frame, name), binding in around.names.items():
        if not _is_same(state, binding, bound_now(state, frame, name), exactly=True):
            return False
    for value, then in around.values.items():
        try:
            now = fresh(state, value, node)
        except TangentLikeError:  # lowering the body again says where that is read
            return False
        known = handed_over.get(value)
        if known is not None and isinstance(now, Value) and fits(now.fact, known):
            continue
        if not _is_same(state, then, now, exactly):
            return False
    return True


def _is_same(state: Lowering, old: Binding, new: Binding, exactly: bool) -> bool:
    """Whether two bindings are the same one; or, unless `exactly`, made alike of the same ones: as
    views are that are read again."""
    if old is new:
        return True
    if isinstance(old, Const) and isinstance(new, Const):
        return identity(old.value) == identity(new.value)
    if exactly or not (isinstance(old, Value) and isinstance(new, Value)):
        return False
    before, after = _made(state, old), _made(state, new)
    if before is None or after is None or before.keywords or after.keywords:
        return False
    if before.fn != after.fn or not effects.is_pure(before.fn):
        return False
    same = len(before.args) == len(after.args)
    pairs = zip(before.args, after.args)
    return same and all(_is_same(state, *pair, exactly) for pair in pairs)


def _made(state: Lowering, value: Value) -> Op | None:
    found = state.builder.definitions.get(value)
    while found is None and state.around is not None:
        state = state.around.state
        found = state.builder.definitions.get(value)
    return found
