"""Functions of NumPy that Numba lacks, or takes in few forms, become those of `numba_runtime`.

    t = np.sum(A, axis=1, keepdims=True)       ──▶     t = sum_over(A, 1, True)
    np.add.at(bx, indices, g)                  ──▶     add_at(bx, indices, g)
    y = np.concatenate([a, b])                 ──▶     y = np.concatenate((a, b))
    y = x[...]                                 ──▶     y = x[:]
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import facts, ir, list_runtime, runtime
from tangent_like.backend import changes, naming
from tangent_like.backend.numba_dialect.rebuild import (
    definitions_of,
    is_in_tables,
    operations,
    rebuilt,
)
from tangent_like.einsum_runtime import of_tensordot
from tangent_like.ir import Atom, Const, Function, Op, Statement, Value
from tangent_like.numba_runtime import elements, lists, products, reductions, stacks
from tangent_like.stores import Store

Definitions = Mapping[Value, Op]
Replacement = Callable[[Op, Definitions], Op | None]

naming.IN_PLACE.add(products.add_at)


def replace_missing(function: Function) -> Function:
    definitions = definitions_of(function)
    displays = _joined_displays(function)

    def visit(statement: Statement) -> Iterator[Statement]:
        if not isinstance(statement, Op) or not is_in_tables(statement):
            yield statement
        elif statement.result in displays:
            yield replace(statement, fn=ir.make_tuple)
        else:
            statement = without_ellipsis(statement)
            rule = _RULES.get(statement.fn)
            yield (rule(statement, definitions) if rule is not None else None) or statement

    return rebuilt(function, visit)


def _joined_displays(function: Function) -> set[Value]:
    """Lists that are only joined, or read at constant places: tuples do as well."""
    lists = {op.result for op in operations(function) if op.fn is ir.make_list}
    for statement in ir.walk(function.body):
        read = ir.read_by(statement)
        if isinstance(statement, Op) and _takes_tuple(statement):
            read = statement.atoms[1:]
        lists.difference_update(a for a in read if isinstance(a, Value))
        for block in ir.blocks_of(statement):
            lists.difference_update(a for a in block.results if isinstance(a, Value))
    return lists.difference(a for a in function.body.results if isinstance(a, Value))


def _takes_tuple(op: Op) -> bool:
    if op.fn is operator.getitem:
        return isinstance(op.args[1], Const) and isinstance(op.args[1].value, int)
    return any(op.fn is fn for fn in _JOINING)


_JOINING = (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.array)


def swapped(op: Op, fn: Any, *args: Atom) -> Op:
    """The operation with another function and operands, and no keywords."""
    return replace(op, fn=fn, args=args, keywords=())


def operands(op: Op, names: str) -> list[Atom | None] | None:
    """The operands by the names of their parameters; None where there are others."""
    known = names.split()
    found: dict[str, Atom] = dict(zip(known, op.args))
    found.update(op.keywords)
    if len(op.args) > len(known) or not set(found) <= set(known):
        return None
    return [found.get(name) for name in known]


def _reduction(fn: Any) -> Replacement:
    def rule(op: Op, definitions: Definitions) -> Op | None:
        given = operands(op, "a axis keepdims")
        if given is None or given[0] is None or given[1:] == [None, None]:
            return None
        if facts.rank(given[0].fact) == 0:
            return None
        axis, keepdims = given[1] or Const(None), given[2] or Const(False)
        return swapped(op, fn, given[0], axis, keepdims)

    return rule


def _spread(fn: Any) -> Replacement:
    """Variance and standard deviation."""

    def rule(op: Op, definitions: Definitions) -> Op | None:
        given = operands(op, "a axis keepdims ddof")
        if given is None or given[0] is None or given[1:] == [None, None, None]:
            return None
        defaults = (Const(None), Const(None), Const(False), Const(0))
        return swapped(op, fn, *(g or d for g, d in zip(given, defaults, strict=True)))

    return rule


def _product(op: Op, definitions: Definitions) -> Op | None:
    ranks = [facts.rank(a.fact) for a in op.args]
    exact = any((facts.dtype(a.fact) or "float").startswith(("int", "bool")) for a in op.args)
    if op.keywords or None in ranks or not (exact or max(r or 0 for r in ranks) > 2):
        return None
    return swapped(op, products.matmul, *op.args)


def _outer_product(op: Op, definitions: Definitions) -> Op | None:
    """A column times a row can stand in a loop over elements."""
    dims = [facts.dims(a.fact) for a in op.args]
    if not op.derivative or len(dims) != 2 or dims[0] is None or dims[1] is None:
        return None
    is_outer = len(dims[0]) == len(dims[1]) == 2 and dims[0][1] == dims[1][0] == 1
    return replace(op, fn=operator.mul) if is_outer else None


def _clip(op: Op, definitions: Definitions) -> Op | None:
    given = operands(op, "a a_min a_max")
    if given is None or not facts.is_scalar(op.args[0].fact):
        return None
    return swapped(op, products.clipped, *(g or Const(None) for g in given))


def _renamed(fn: Any) -> Replacement:
    """The same operands, as long as they are positional."""
    return lambda op, definitions: None if op.keywords else swapped(op, fn, *op.args)


def _of_rank(fn: Any, applies: Callable[[int], bool]) -> Replacement:
    """The same operands, where the first one has so many axes."""

    def rule(op: Op, definitions: Definitions) -> Op | None:
        count = facts.rank(op.args[0].fact) if op.args else None
        if op.keywords or count is None or not applies(count):
            return None
        return swapped(op, fn, *op.args)

    return rule


def _full(op: Op, definitions: Definitions) -> Op | None:
    """A number spread out is an array of its own: Numba's products want contiguous ones."""
    if facts.rank(op.args[0].fact) != 0 or op.keywords:
        return None
    return swapped(op, np.full, op.args[1], op.args[0])


def _tensordot(op: Op, definitions: Definitions) -> Op | None:
    """An einsum, whose specification Numba sees as a constant."""
    given = operands(op, "a b axes")
    if given is None or given[0] is None or given[1] is None:
        return None
    x, w, axes = given[0], given[1], displayed(given[2] or Const(2), definitions)
    n, m = (facts.rank(a.fact) for a in (x, w))
    if n is None or m is None or axes is None:
        return None
    return swapped(op, products.einsum, Const(of_tensordot(n, m, axes)), x, w)


def _diagonal(op: Op, definitions: Definitions) -> Op | None:
    if len(op.args) > 1 or op.keywords or facts.rank(op.args[0].fact) != 2:
        return None
    return swapped(op, np.diag, *op.args)


def _flip(op: Op, definitions: Definitions) -> Op | None:
    """Numba turns all axes around, and takes no axis."""
    given = operands(op, "m axis")
    if given is None or given[0] is None or given[1] is None or facts.rank(given[0].fact) != 1:
        return None
    return swapped(op, np.flip, given[0]) if displayed(given[1], definitions) in (0, -1) else None


def _trace(op: Op, definitions: Definitions) -> Op | None:
    given = operands(op, "a offset axis1 axis2")
    if given is None or given[0] is None or facts.rank(given[0].fact) != 3:
        return None
    offset, first, second = (displayed(a or Const(0), definitions) for a in given[1:])
    if offset != 0 or {first, second} not in ({1, 2}, {-2, -1}):
        return None
    return swapped(op, stacks.trace, given[0])


def displayed(atom: Atom, definitions: Definitions) -> Any:
    """The constant, or the display of constants, that an atom is; None for anything else."""
    if isinstance(atom, Const):
        return atom.value
    made = definitions.get(atom)
    if made is None or made.fn not in (ir.make_tuple, ir.make_list):
        return None
    items = [displayed(item, definitions) for item in made.args]
    return None if None in items else tuple(items)


def _stable(op: Op, definitions: Definitions) -> Op | None:
    """Numba knows stable sorting by another name."""
    kind = dict(op.keywords).get("kind")
    if len(op.args) > 1 or len(op.keywords) != 1 or kind is None or displayed(kind, {}) != "stable":
        return None
    return replace(op, keywords=(("kind", Const("mergesort")),))


def _item(op: Op, definitions: Definitions) -> Op | None:
    if op.args[0].fact == facts.RANGE and facts.is_scalar(op.args[1].fact):
        return swapped(op, elements.item_of_range, *op.args)
    return None


def _spliced(op: Op, definitions: Definitions) -> Op | None:
    """A list display without items has no type."""
    *rest, more = op.args
    made = definitions.get(more) if isinstance(more, Value) else None
    empty = made is not None and made.fn is ir.make_list and not made.args
    return swapped(op, lists.without_part, *rest) if empty else None


def without_ellipsis(op: Op) -> Op:
    """Numba does not know the view of a whole array by an ellipsis alone."""
    if not isinstance(op.fn, Store) and op.fn not in _INDEXING:
        return op
    ellipsis = [isinstance(a, Const) and a.value is ... for a in op.args]
    if not any(ellipsis) or not facts.rank(op.args[0].fact):
        return op
    whole = Const(slice(None))
    return replace(op, args=tuple(whole if e else a for a, e in zip(op.args, ellipsis)))


_INDEXING = (operator.getitem, runtime.scatter_add_into, ir.fetch, ir.put)


def _add_at(op: Op, definitions: Definitions) -> Op | None:
    return replace(op, fn=products.add_at) if changes.scatter_form(op) == "at" else None


_RULES: dict[Any, Replacement] = {
    np.sum: _reduction(reductions.sum_over), np.prod: _reduction(reductions.prod_over),
    np.max: _reduction(reductions.max_over), np.min: _reduction(reductions.min_over),
    np.amax: _reduction(reductions.max_over), np.amin: _reduction(reductions.min_over),
    np.any: _reduction(reductions.any_over), np.all: _reduction(reductions.all_over),
    np.mean: _reduction(reductions.mean_over), np.var: _spread(reductions.var_over),
    np.std: _spread(reductions.std_over),
    operator.getitem: _item, list_runtime.spliced: _spliced,
    operator.matmul: _product, np.matmul: _product, np.dot: _outer_product, np.clip: _clip,
    np.einsum: _renamed(products.einsum), np.tensordot: _tensordot,
    np.diagonal: _diagonal, np.trace: _trace, np.flip: _flip, np.argsort: _stable,
    np.reshape: _renamed(products.reshaped), np.broadcast_to: _full,
    runtime.scatter_add_into: _add_at,
    np.vdot: _of_rank(products.vdot, lambda count: count != 1),
    np.linalg.det: _of_rank(stacks.det, lambda count: count > 2),
    np.linalg.slogdet: _of_rank(stacks.slogdet, lambda count: count > 2),
    np.linalg.inv: _of_rank(stacks.inv, lambda count: count > 2),
    np.linalg.cholesky: _of_rank(stacks.cholesky, lambda count: count > 2),
    np.linalg.solve: _of_rank(stacks.solve, lambda count: count > 2),
}  # fmt: skip
