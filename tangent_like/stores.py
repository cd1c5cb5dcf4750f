"""Writing into arrays, as operations on values.

    y[1:].T[i] = e        y' = Store((getitem, transpose, getitem))(y, e, 1:, i)
    y[i] += e             y' = Store((getitem,), add)(y, e, i)
    y *= e                y' = Store((), mul)(y, e)

A store gives the array as it is afterwards and leaves the one before as it was: so it has a
derivative like every other operation, and nothing in the list ever changes.  Where nobody needs
the array as it was, `simplify/in_place.py` lets the store write into it: `into` says so.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.ir import Atom, Const, Op, Value

AUGMENTED: dict[Any, Callable[..., Any]] = {
    operator.add: operator.iadd, operator.sub: operator.isub, operator.mul: operator.imul,
    operator.truediv: operator.itruediv, operator.pow: operator.ipow, operator.mod: operator.imod,
    operator.floordiv: operator.ifloordiv, operator.matmul: operator.imatmul,
    operator.and_: operator.iand, operator.or_: operator.ior, operator.xor: operator.ixor,
    operator.lshift: operator.ilshift, operator.rshift: operator.irshift,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Store:
    """The array with a value written, or combined with what is there, at a place.

    `path` holds the operations that lead to the place, each but the last making a view; the last
    is `getitem`, unless the path is empty and the whole array is meant.  Operands are the array,
    the value, and for each step its own, of which there are `counts`.
    """

    path: tuple[Callable[..., Any], ...]
    counts: tuple[int, ...]
    combine: Callable[..., Any] | None = None
    into: bool = False

    @property
    def __name__(self) -> str:
        return "store" if self.combine is None else f"store_{self.combine.__name__}"

    def __call__(self, array: Any, value: Any, *operands: Any) -> Any:
        result = array if self.into else runtime.copy(array)
        steps = list(self.steps(operands))
        if not steps:
            assert self.combine is not None
            return AUGMENTED[self.combine](result, value)
        view = result
        for step, own in steps[:-1]:
            view = step(view, *own)
        (index,) = steps[-1][1]
        if self.combine is None:
            view[index] = value
        else:
            view[index] = AUGMENTED[self.combine](view[index], value)
        return result

    def steps(self, operands: Sequence[Any]) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
        """Each step of the path with its operands."""
        found, at = [], 0
        for step, count in zip(self.path, self.counts, strict=True):
            found.append((step, tuple(operands[at : at + count])))
            at += count
        return found

    def written_into(self) -> Store:
        return replace(self, into=True)

    def assigning(self) -> Store:
        """The store at the same place that does not look at what is there."""
        return replace(self, combine=None)


def on_a_copy(op: Op) -> tuple[Op, Op]:
    """The store as a copy of the array, and a store into that."""
    assert isinstance(op.fn, Store)
    array, *rest = op.args
    copied = Value(op.result.name, array.fact)
    function = runtime.copy if op.derivative else copy_of(array)
    copy = Op(copied, function, (array,), (), op.place, op.derivative)
    return copy, replace(op, fn=op.fn.written_into(), args=(copied, *rest))


def copy_of(array: Atom) -> Callable[..., Any]:
    """What copies an array of the user's: its elements stay in their order in memory, in which
    sums add them up."""
    fact = facts.defined(array.fact)
    return np.copy if isinstance(fact, facts.Array) and facts.rank(fact) != 1 else runtime.copy


def is_basic(index: Atom) -> bool:
    """Whether an index is certain to make a view, naming each element at most once."""
    return all(_is_basic(fact) for fact in index_parts(index))


def names_elements_once(index: Atom) -> bool:
    """Whether an index is certain to name each element at most once."""
    return all(
        _is_basic(fact) or (isinstance(fact, facts.Array) and fact.dtype == "bool")
        for fact in index_parts(index)
    )


def index_parts(index: Atom) -> tuple[facts.Fact, ...]:
    """The facts of an index, one for each axis that it names."""
    fact = index.fact
    return fact.items if isinstance(fact, facts.Tuple) else (fact,)


def _is_basic(fact: facts.Fact) -> bool:
    if isinstance(fact, facts.Scalar):
        return fact.type == "int"
    return isinstance(fact, facts.Opaque) and fact.kind in ("slice", "ellipsis", "NoneType")


def is_whole(index: Atom) -> bool:
    """Whether an index names the whole of an array."""
    if not isinstance(index, Const):
        return False
    value = index.value
    return value is ... or (isinstance(value, slice) and value == slice(None))


def last_index(op: Op) -> Atom | None:
    """The index of the last step of a store; None for one into the whole array."""
    assert isinstance(op.fn, Store)
    return op.args[-1] if op.fn.path else None
