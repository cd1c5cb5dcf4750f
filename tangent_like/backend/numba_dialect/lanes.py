"""What an operation on whole arrays does for a single element.

    y = np.exp(x) * w          y_i = np.exp(x[i]) * w[i]
    part += y          ──▶     part[i] += y_i
    s = np.sum(y)              s += y_i

Scalars of Numba divide as Python does, which raises: `np.divide` divides as arrays do.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangent_like import effects, facts, infer, ir, runtime
from tangent_like.backend import changes
from tangent_like.backend.numba_dialect import parts, places
from tangent_like.backend.numba_dialect.places import Places
from tangent_like.backend.numba_dialect.rebuild import is_in_tables
from tangent_like.facts import Dim
from tangent_like.ir import Atom, Const, Op, Statement, Value
from tangent_like.numba_runtime import lengths
from tangent_like.stores import Store, is_basic


def set_element(array: Any, index: Any, value: Any) -> None:
    """`array[index] = value`."""


def add_to_element(array: Any, index: Any, value: Any) -> None:
    """`array[index] += value`."""


def subtract_from_element(array: Any, index: Any, value: Any) -> None:
    """`array[index] -= value`."""


def multiply_element(array: Any, index: Any, value: Any) -> None:
    """`array[index] *= value`."""


Change = Callable[..., None]
_SIGNS: dict[Change, Any] = {
    set_element: None, add_to_element: operator.add, subtract_from_element: operator.sub,
    multiply_element: operator.mul,
}  # fmt: skip
effects.EFFECTS.update(_SIGNS)
places.CHANGES.update(_SIGNS, (parts.add_to, parts.subtract_from, parts.multiply))
for _change, _sign in _SIGNS.items():
    changes.spell_change(_change, _sign)

_WHOLE: dict[Any, Change] = {
    parts.add_to: add_to_element, parts.subtract_from: subtract_from_element,
    parts.multiply: multiply_element, runtime.add_into: add_to_element,
    runtime.subtract_into: subtract_from_element,
}  # fmt: skip
_COMBINED: dict[Any, Change] = {
    None: set_element, operator.add: add_to_element, operator.sub: subtract_from_element,
    operator.mul: multiply_element,
}  # fmt: skip
ACCUMULATING = (add_to_element, subtract_from_element)
"""The order of these changes does not matter, but for rounding."""

_COPIES = (np.copy, runtime.copy)
_SAME = (
    operator.add, operator.sub, operator.mul, operator.neg, operator.pos, operator.lt, operator.le,
    operator.gt, operator.ge, operator.eq, operator.ne, abs,
)  # fmt: skip
_OTHER: dict[Any, Any] = {
    operator.truediv: np.divide, np.true_divide: np.divide, operator.pow: np.power,
    operator.invert: operator.not_, np.where: np.where,
}  # fmt: skip
_SUMS = (operator.matmul, np.dot)
_MOST_AXES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One element of an operation: `fn` of the elements of the operands.

    `target` is the array that `change` changes there; without one the result is a value of its
    own.  A `total` is summed over all elements.  `like` is an operand that may have been spread
    over the lane: the target has its lengths.
    """

    op: Op
    dims: tuple[Dim, ...]
    operands: tuple[Atom, ...]
    fn: Any = None
    change: Change | None = None
    target: Value | None = None
    made: Op | None = None
    """The operation that makes the target, a part of an array, if there is none yet."""

    total: bool = False
    like: Value | None = None

    @property
    def makes_array(self) -> bool:
        return self.change is None and not self.total


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """The lanes of operations, which are made once."""

    places: Places
    known: dict[Op, Lane | None] = field(default_factory=dict)

    def of(self, statement: Statement) -> Lane | None:
        """The operation for one element; None where it is no such operation."""
        if not isinstance(statement, Op):
            return None
        if statement not in self.known:
            found = self.known[statement] = lane_of(statement, self.places.definitions)
            if found is not None and found.made is not None:
                self.places.learn(found.made)
        return self.known[statement]


def lane_of(op: Op, definitions: Mapping[Value, Op]) -> Lane | None:
    if op.keywords or not is_in_tables(op):
        return None
    changed = changing(op, definitions)
    if changed is not None:
        return changed
    if op.fn is np.sum or op.fn in _SUMS:
        return summed(op)
    fn = element_function(op)
    dims = shape_of(op.result, ("float64", "bool"))
    if fn is None or dims is None or not all(is_operand(a, len(dims)) for a in op.args):
        return None
    return Lane(op, dims, op.args, fn)


def shape_of(atom: Atom, dtypes: tuple[str, ...] = ("float64",)) -> tuple[Dim, ...] | None:
    """The lengths of the axes of an array of one to four axes and one of these types."""
    fact = atom.fact
    if not isinstance(fact, facts.Array) or fact.dtype not in dtypes or not fact.dims:
        return None
    return fact.dims if len(fact.dims) <= _MOST_AXES and isinstance(atom, Value) else None


def is_operand(atom: Atom, axes: int) -> bool:
    if isinstance(atom.fact, facts.Scalar):
        return atom.fact.type in ("bool", "int", "float", "real")
    dims = shape_of(atom, ("float64", "bool", "int64"))
    return dims is not None and len(dims) <= axes


def element_function(op: Op) -> Any:
    """The function of the elements; None where there is none.  A copy gives its operand."""
    if op.fn in _COPIES:
        return operator.pos
    if op.fn is operator.pow and isinstance(op.args[1], Const):
        power = op.args[1].value
        return op.fn if type(power) is int and power >= 0 else np.power
    if op.fn in _OTHER:
        return _OTHER[op.fn] if op.fn is not np.where or len(op.args) == 3 else None
    if op.fn in _SAME:
        return op.fn
    fn: Any = op.fn
    known = isinstance(fn, np.ufunc) and fn in infer.elementwise_functions
    return fn if known and len(op.args) == fn.nin and fn.nout == 1 else None


def summed(op: Op) -> Lane | None:
    dims = shape_of(op.args[0])
    if dims is None or any(shape_of(a) != dims for a in op.args[1:]):
        return None
    if op.fn is np.sum:
        return Lane(op, dims, op.args, total=True) if len(op.args) == 1 else None
    return Lane(op, dims, op.args, operator.mul, total=True) if len(dims) == 1 else None


def changing(op: Op, definitions: Mapping[Value, Op]) -> Lane | None:
    """An operation that changes an array, or a part of one, element by element."""
    if op.fn in _WHOLE:
        return changed(op, op.args[0], op.args[1], _WHOLE[op.fn], definitions)
    if op.fn is ir.put and isinstance(op.args[2].fact, facts.Array):
        made = part_of(op, ir.fetch, op.args[0], op.args[1])
        return changed(op, made.result, op.args[2], set_element, definitions, made)
    if not isinstance(op.fn, Store) or not op.fn.into or op.fn.combine not in _COMBINED:
        return None
    change = _COMBINED[op.fn.combine]
    if not op.fn.path:
        return changed(op, op.args[0], op.args[1], change, definitions)
    if op.fn.path != (operator.getitem,) or not is_basic(op.args[2]):
        return None
    made = part_of(op, operator.getitem, op.args[0], op.args[2])
    return changed(op, made.result, op.args[1], change, definitions, made)


def part_of(op: Op, fn: Any, array: Atom, index: Atom) -> Op:
    part = Value("part", infer.infer(fn, (array, index), {}))
    return Op(part, fn, (array, index), (), op.place, op.derivative)


def changed(
    op: Op,
    target: Atom,
    value: Atom,
    change: Change,
    definitions: Mapping[Value, Op],
    made: Op | None = None,
) -> Lane | None:
    dims = shape_of(target)
    if dims is None or not isinstance(target, Value):
        return None
    spread = definitions.get(value) if isinstance(value, Value) else None
    if spread is not None and spread.fn is lengths.gathered:
        return gathering(op, spread, target, change, made)
    if not is_operand(value, len(dims)) or facts.dtype(value.fact) == "bool":
        return None
    return Lane(op, dims, (value,), None, change, target, made)


def gathering(
    op: Op, spread: Op, target: Value, change: Change, made: Op | None
) -> Lane | None:
    """`part += unbroadcast(g, like)`: the part has the lengths of `like`."""
    g, like = spread.args
    dims, own = shape_of(g), shape_of(target)
    if dims is None or own is None or len(dims) != 1 or len(own) != 1:
        return None
    if change not in ACCUMULATING or not isinstance(like, Value):
        return None
    return Lane(op, dims, (g,), None, change, target, made, like=like)
