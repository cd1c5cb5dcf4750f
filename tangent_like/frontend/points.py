"""Writing into arrays without axes.

    s = np.array(e)         s1 = np.array(e)          the buffer of s holds s1
    s += x[0]               s2 = np.array(s1 + x[0])  the buffer of s holds s2, for all its names
    p = y[i, ...]           p is a view of y
    p[()] = e               y2 = store(y1, e, i)

No element of theirs can be left as it was, so the buffer holds another array after each write.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.scope import Home
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Value
from tangent_like.stores import Store, index_parts


def refused(state: Lowering, node: Any) -> NotYetSupported:
    return NotYetSupported(
        "writing into an array without axes in this way", state.place(node),
        "use a number, or an array of one element",
    )  # fmt: skip


def is_written_whole(target: Value, index: Atom | None) -> bool:
    """Whether all of an array without axes is written: `s += e`, `s[()] = e`, `s[...] = e`."""
    if not facts.is_point(target.fact):
        return False
    parts = () if index is None else index_parts(index)
    return all(isinstance(part, facts.Opaque) and part.kind == "ellipsis" for part in parts)


def element_index(state: Lowering, array: Atom, index: Atom) -> Atom | None:
    """The index of an element without `...`, which makes it a view without axes; None where an
    index names something else."""
    op = state.builder.definitions.get(index) if isinstance(index, Value) else None
    parts: Sequence[Atom] = op.args if op is not None and op.fn is ir.make_tuple else ()
    if isinstance(index, Const) and isinstance(index.value, tuple):
        parts = tuple(map(Const, index.value))
    named = [p for p in parts if not (isinstance(p, Const) and p.value is ...)]
    if len(named) == len(parts) or len(named) != facts.rank(array.fact):
        return None
    if not all(facts.is_scalar(p.fact) for p in named):
        return None
    return named[0] if len(named) == 1 else state.builder.op(ir.make_tuple, named)


def leads_to_point(home: Home, root: Atom) -> bool:
    leaf = home.path[-1].result if home.path else root
    return facts.is_point(leaf.fact) or facts.is_point(root.fact)


def stored(
    state: Lowering, node: Any, home: Home, root: Atom, value: Atom,
    combine: Callable[..., Any] | None,
) -> Atom:  # fmt: skip
    """What a buffer holds after a write through a view without axes."""
    if facts.rank(value.fact) != 0:
        raise refused(state, node)
    if facts.is_point(root.fact):
        return _made_anew(state, node, home, root, value, combine)
    first = next(k for k, step in enumerate(home.path) if facts.is_point(step.result.fact))
    *before, last = home.path[: first + 1]
    index = None
    if last.fn is operator.getitem:
        index = element_index(state, last.args[0], last.args[1])
    if index is None or not _same_throughout(home, first):
        raise refused(state, node)
    path: tuple[Any, ...] = (*(step.fn for step in before), operator.getitem)
    own = [*(step.args[1:] for step in before), (index,)]
    operands = [atom for atoms in own for atom in atoms]
    store = Store(path, tuple(map(len, own)), combine)
    name = root.name if isinstance(root, Value) else home.buffer.name
    return state.builder.op(store, (root, value, *operands), name=name, place=state.place(node))


def _made_anew(
    state: Lowering, node: Any, home: Home, root: Atom, value: Atom,
    combine: Callable[..., Any] | None,
) -> Atom:  # fmt: skip
    if not _same_throughout(home, 0):
        raise refused(state, node)
    op, place = state.builder.op, state.place(node)
    new = value if combine is None else op(combine, (root, value), place=place)
    kind, given = facts.dtype(root.fact), facts.dtype(new.fact)
    if kind == "int64" and facts.may_be_differentiated(new.fact):
        raise NeverSupported(
            "storing a number that may not be whole into an array of integers", place,
            "make it an array of floats",
        )  # fmt: skip
    if kind == "float64" and given in {"int64", "bool"}:
        new, given = op(float, (new,), place=place), kind
    if kind != given:
        raise refused(state, node)
    name = root.name if isinstance(root, Value) else home.buffer.name
    return op(np.array, (new,), name=name, place=place)


def _same_throughout(home: Home, first: int) -> bool:
    """Whether the views from a place on are without axes."""
    return all(facts.is_point(step.result.fact) for step in home.path[first:])
