"""Whether a map is linear: its transpose then reads nothing of the point it is taken at.

    g ↦ c * g        transpose:  bg = by * c            does not read g: linear
    g ↦ g * g        transpose:  bg = by * g + by * g   reads g: not linear
    g ↦ sign(g)      transpose:  bg = 0                 does not read g, but the map drops g's
                                                        value: not linear
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable

import numpy as np

from tangent_like import facts, ir, list_runtime, runtime
from tangent_like.ir import Atom, Block, If, Loop, Op, Statement, Value
from tangent_like.rules import registry

_OF_SHAPE = {
    np.shape, np.ndim, np.size, len, np.zeros_like, np.ones_like, runtime.zeros_like,
    runtime.zero_list, list_runtime.zero_lists,
}  # fmt: skip
_STEPS = {
    np.sign, np.copysign, math.copysign, np.heaviside, np.floor_divide, operator.floordiv,
    np.remainder, operator.mod, np.fmod, math.fmod, divmod,
}  # fmt: skip
_LIKE_SECOND = {runtime.unbroadcast, runtime.broadcast_like, runtime.as_type}


def reads(block: Block, values: Iterable[Value]) -> bool:
    """Whether a result of the block depends on the numbers in `values` (not just on shapes)."""
    found = _spread(block, values)
    return any(isinstance(atom, Value) and atom in found for atom in block.results)


def drops(block: Block, values: Iterable[Value]) -> bool:
    """Whether the block takes a step function, as `sign`, of what depends on `values`."""
    found = _spread(block, values)
    return any(
        isinstance(s, Op) and _is_step(s) and any(a in found for a in _operands_read(s))
        for s in ir.walk(block)
    )


def _is_step(op: Op) -> bool:
    """Whether the derivative leaves out how the result depends on its operands."""
    if isinstance(op.fn, ir.Procedure) or not facts.may_be_differentiated(op.result.fact):
        return False
    rule = registry.find(op.fn)
    return op.fn in _STEPS or (rule is not None and rule.kind == "constant")


def _operands_read(op: Op) -> tuple[Atom, ...]:
    """The operands whose numbers the result depends on."""
    if op.fn in _OF_SHAPE or (op.fn is getattr and _is_shape(op)):
        return ()
    return op.args[:1] if op.fn in _LIKE_SECOND else op.atoms


def _is_shape(op: Op) -> bool:
    name = op.args[1]
    return isinstance(name, ir.Const) and name.value in ("shape", "ndim", "size", "dtype")


def _spread(block: Block, values: Iterable[Value]) -> set[Value]:
    """The values in and below the block that depend on `values`, by data or by control."""
    found = set(values)
    size = -1
    while size != len(found):
        size = len(found)
        for statement in ir.walk(block):
            _statement(statement, found)
    return found


def _statement(statement: Statement, found: set[Value]) -> None:
    def depends(atoms: Iterable[Atom | None]) -> bool:
        return any(isinstance(a, Value) and a in found for a in atoms)

    if isinstance(statement, Op):
        if depends(_operands_read(statement)):
            found.add(statement.result)
            if statement.fn is ir.push and isinstance(statement.args[0], Value):
                found.add(statement.args[0])
    elif isinstance(statement, If):
        for result, a, b in zip(
            statement.results, statement.then.results, statement.orelse.results, strict=True
        ):
            if depends((statement.test, a, b)):
                found.add(result)
    else:
        _loop(statement, found, depends)


def _loop(
    loop: Loop, found: set[Value], depends: Callable[[Iterable[Atom | None]], bool]
) -> None:
    if loop.item is not None and depends((loop.iterable,)):
        found.add(loop.item)
    ends = (loop.iterable, *(loop.body.results[:1] if loop.exits else ()))
    for init, after, param, result in zip(
        loop.inits, loop.nexts, loop.params, loop.results, strict=True
    ):
        if depends((init, after)):
            found.update((param, result))
        if depends(ends):
            found.add(result)
