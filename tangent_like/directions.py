"""Many directions at once (vector mode): a list for one direction becomes one for a stack of them.

    dy = dx[1:] * c            dy = dx[:, 1:] * c                dx of shape (k, n)
    s = np.sum(dy)             s = np.sum(dy, axis=(1,))         s of shape (k,)
    z = A @ s                  z = s @ A.T

A stack has one axis more, the first.  What does not depend on the directions stays as it is and is
computed once for all of them.  A Jacobian or Hessian is one call instead of one for each column.
Where an operation has no form for stacks, or ranks are not known, `NotStackable` is raised, and
the directions are taken one after another.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.build import Builder
from tangent_like.errors import NotStackable
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Value
from tangent_like.stack_runtime import unbroadcast_each
from tangent_like.stores import Store, index_parts

ALL = slice(None)


def is_float64(fact: facts.Fact) -> bool:
    """Whether the fact is of real numbers of 64 bits, with a known rank."""
    if isinstance(fact, facts.Scalar):
        return fact.type in ("float", "real")
    return isinstance(fact, facts.Array) and fact.dtype == "float64" and fact.dims is not None


def stacked(function: Function, directions: Sequence[Value]) -> Function:
    """The function with stacks for some parameters, and for all of its result."""
    stacks = [Value(d.name, _stack_fact(d.fact)) for d in directions]
    builder = Builder(derivative=True)
    count = builder.op(len, (stacks[0],))
    change = _Stacking(builder, count, dict(zip(directions, stacks, strict=True)))
    change.run(function.body)
    results = tuple(map(change.lifted_whole, function.body.results))
    table: dict[Value, Value] = dict(zip(directions, stacks, strict=True))
    params = tuple(table.get(p, p) for p in function.params)
    return replace(function, params=params, body=builder.finish(results))


def _stack_fact(fact: facts.Fact) -> facts.Fact:
    if not is_float64(fact):
        raise NotStackable(f"{facts.show(fact)} is not known to be of floats, with its rank")
    return facts.Array("float64", (facts.fresh_size(), *(facts.dims(fact) or ())))


@dataclass(eq=False, slots=True)
class _Stacking:
    """The list for stacks under construction."""

    builder: Builder
    count: Atom
    stacks: dict[Value, Atom]
    """The stack for each value that depends on the directions."""

    single: set[Value] = field(default_factory=set)
    """Tapes that took a value which does not depend on them."""

    parts: dict[Value, tuple[bool, ...]] = field(default_factory=dict)
    """For tuples, and for what yields tuples, which of their items are stacks."""

    def run(self, block: Block) -> None:
        for statement in block.statements:
            self.builder.place = statement.place
            if isinstance(statement, Op):
                self.op(statement)
            elif isinstance(statement, If):
                self.branch(statement)
            else:
                self.loop(statement)

    def is_stacked(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and atom in self.stacks

    def now(self, atom: Atom) -> Atom:
        return self.stacks.get(atom, atom) if isinstance(atom, Value) else atom

    def op(self, op: Op) -> None:
        if op.fn is ir.push:
            self.push(op)
            return
        if not any(map(self.is_stacked, op.atoms)):
            self.builder.append(op)
            return
        kind = Store if isinstance(op.fn, Store) else op.fn
        form = _FORMS.get(kind)
        if form is None and isinstance(op.fn, np.ufunc) and not op.keywords:
            form = _elementwise
        if form is None:
            raise NotStackable(f"no form of {getattr(op.fn, '__name__', op.fn)} for stacks")
        found = form(self, op)
        if found is None:
            return
        if not isinstance(found.fact, (facts.Array, facts.Tuple, facts.Zip, facts.Tape)):
            raise NotStackable("a result of unknown rank")
        if isinstance(found, Value) and not found.name:
            found.name = op.result.name
        self.stacks[op.result] = found

    # --- stacks ---------------------------------------------------------------------------

    def lifted(self, atom: Atom, rank: int) -> Atom:
        """The stack for an operand of a result of `rank`: the first axis, then new ones of
        length 1 where the operand has fewer axes. What is no stack is broadcast as it is."""
        if not self.is_stacked(atom):
            return atom
        missing = rank - rank_of(atom)
        if not missing:
            return self.now(atom)
        index = (ALL, *[None] * missing, ...) if rank_of(atom) else (ALL, *[None] * missing)
        return self.builder.op(operator.getitem, (self.now(atom), Const(index)))

    def lifted_whole(self, atom: Atom) -> Atom:
        """The stack of a value that may be the same for all directions."""
        if self.is_stacked(atom):
            return self.now(atom)
        if atom is ir.UNDEFINED:
            return atom
        if not is_float64(atom.fact) and not isinstance(atom, Const):
            raise NotStackable("a result that is not of floats")
        if not rank_of(atom):
            return self.builder.op(np.full, (self.count, atom))
        made = self.builder.definitions.get(_value(atom))
        if made is not None and made.fn in (runtime.zeros_like, np.zeros_like):
            lengths = [self.length(made.args[0], i) for i in range(rank_of(atom))]
            whole = self.builder.op(ir.make_tuple, (self.count, *lengths))
            return self.builder.op(np.zeros, (whole,))
        once = self.builder.op(operator.getitem, (atom, Const((None, ...))))
        return self.builder.op(np.repeat, (once, self.count), {"axis": Const(0)})

    def length(self, array: Atom, axis: int) -> Atom:
        """The length of an axis."""
        if not axis:
            return self.builder.op(len, (array,))
        shape = self.builder.op(np.shape, (array,))
        return self.builder.op(operator.getitem, (shape, Const(axis)))

    def extended(self, index: Atom) -> Atom:
        """The index of the same elements in each member of a stack."""
        if isinstance(index, Const):
            own = index.value if isinstance(index.value, tuple) else (index.value,)
            return Const((ALL, *own))
        if isinstance(index.fact, facts.Tuple):
            items = [
                self.builder.op(operator.getitem, (index, Const(i)))
                for i in range(len(index.fact.items))
            ]
        else:
            items = [index]
        return self.builder.op(ir.make_tuple, [Const(ALL), *items])

    # --- tapes, branches, loops -------------------------------------------------------------

    def push(self, op: Op) -> None:
        tape, value = op.args
        if self.is_stacked(value):
            if tape in self.single:
                raise NotStackable("a tape of stacks and others")
            self.stacks.setdefault(_value(tape), tape)
        elif self.is_stacked(tape):
            value = self.lifted_whole(value)
        else:
            self.single.add(_value(tape))
        self.builder.append(replace(op, args=(tape, self.now(value))))

    def branch(self, statement: If) -> None:
        if self.is_stacked(statement.test):
            raise NotStackable("a branch on what depends on the direction")
        built = [self.builder.collect(self.built(b)) for b in (statement.then, statement.orelse)]
        both = [
            self.is_stacked(a) or self.is_stacked(b)
            for a, b in zip(statement.then.results, statement.orelse.results, strict=True)
        ]
        sides = []
        for block, old in zip(built, (statement.then, statement.orelse), strict=True):
            sides.append(self.with_results(block, old.results, both))
        results = []
        for result, moves in zip(statement.results, both, strict=True):
            new = Value(result.name, _stack_fact(result.fact)) if moves else result
            results.append(new)
            if moves:
                self.stacks[result] = new
        then, orelse = sides
        self.builder.append(
            replace(statement, results=tuple(results), then=then, orelse=orelse)
        )

    def built(self, block: Block) -> Callable[[], Sequence[Atom]]:
        def build() -> Sequence[Atom]:
            self.run(block)
            return ()

        return build

    def with_results(self, block: Block, old: Sequence[Atom], moves: Sequence[bool]) -> Block:
        def finish() -> Sequence[Atom]:
            return [self.lifted_whole(a) if m else a for a, m in zip(old, moves, strict=True)]

        tail = self.builder.collect(finish)
        return Block((*block.statements, *tail.statements), tail.results)

    def item(self, loop: Loop) -> Value | None:
        """The item of a loop, which may be a stack taken from a tape, or a tuple with stacks."""
        iterable, item = loop.iterable, loop.item
        if iterable is None or item is None or not self.is_stacked(iterable):
            return item
        if isinstance(iterable.fact, facts.Array):
            raise NotStackable("a loop over what depends on the direction")
        marks = self.parts.get(_value(iterable))
        if marks is None:
            new = Value(item.name, _stack_fact(item.fact))
        elif isinstance(item.fact, facts.Tuple):
            own = zip(item.fact.items, marks, strict=True)
            new = Value(item.name, facts.Tuple(tuple(_stack_fact(f) if m else f for f, m in own)))
            self.parts[item] = marks
        else:
            raise NotStackable("a loop over what depends on the direction")
        self.stacks[item] = new
        return new

    def loop(self, loop: Loop) -> None:
        iterable = None if loop.iterable is None else self.now(loop.iterable)
        item = self.item(loop)
        moves = [self.is_stacked(init) for init in loop.inits]
        while True:
            before = dict(self.stacks)
            single = set(self.single)
            params = [
                Value(p.name, _stack_fact(p.fact)) if m else p
                for p, m in zip(loop.params, moves, strict=True)
            ]
            self.stacks.update(
                (old, new) for old, new, m in zip(loop.params, params, moves, strict=True) if m
            )
            body = self.builder.collect(self.built(loop.body))
            if loop.exits and self.is_stacked(loop.body.results[0]):
                raise NotStackable("a loop that ends as the direction says")
            again = [m or self.is_stacked(n) for m, n in zip(moves, loop.nexts, strict=True)]
            if again == moves:
                break
            moves = again
            self.stacks, self.single = before, single
        kept = [False] * (len(loop.body.results) - len(moves)) + moves
        whole = self.with_results(body, loop.body.results, kept)
        inits = [self.lifted_whole(i) if m else i for i, m in zip(loop.inits, moves, strict=True)]
        results = []
        for result, m in zip(loop.results, moves, strict=True):
            new = Value(result.name, _stack_fact(result.fact)) if m else result
            results.append(new)
            if m:
                self.stacks[result] = new
        self.builder.append(
            replace(
                loop, iterable=iterable, item=item, inits=tuple(inits), params=tuple(params),
                results=tuple(results), body=whole,
            )
        )  # fmt: skip


def rank_of(atom: Atom) -> int:
    rank = facts.rank(facts.defined(atom.fact))
    if rank is None:
        raise NotStackable("an array of unknown rank")
    return rank


def _value(atom: Atom) -> Value:
    assert isinstance(atom, Value)
    return atom


# --- forms of operations ------------------------------------------------------------------------


def _elementwise(change: _Stacking, op: Op) -> Atom:
    rank = rank_of(op.result)
    return change.builder.op(op.fn, [change.lifted(atom, rank) for atom in op.args])


def _same(change: _Stacking, op: Op) -> Atom:
    return change.builder.op(op.fn, [change.now(op.args[0]), *op.args[1:]])


def _getitem(change: _Stacking, op: Op) -> Atom | None:
    array, index = op.args
    if array in change.parts:
        return _item(change, op)
    if change.is_stacked(index) or not isinstance(array.fact, facts.Array):
        raise NotStackable("an item of what is no array")
    _check_index(index)
    return change.builder.op(operator.getitem, (change.now(array), change.extended(index)))


def _item(change: _Stacking, op: Op) -> Atom | None:
    """An item of a tuple, which may be a stack."""
    container, index = op.args
    if not isinstance(index, Const) or not isinstance(index.value, int):
        raise NotStackable("an item of a tuple at a place that is not known")
    if change.parts[_value(container)][index.value]:
        return change.builder.op(operator.getitem, (change.now(container), index))
    change.builder.append(replace(op, args=(change.now(container), index)))
    return None


def _tuple(change: _Stacking, op: Op) -> Atom:
    change.parts[op.result] = tuple(map(change.is_stacked, op.args))
    return change.builder.op(op.fn, [change.now(atom) for atom in op.args])


def _tape(change: _Stacking, op: Op) -> Atom:
    if op.args[0] in change.parts or isinstance(op.args[0].fact, facts.Array):
        raise NotStackable("what depends on the direction, back to front")
    change.builder.append(op)
    return op.result


def _check_index(index: Atom) -> None:
    """Arrays among the indices keep their axes in place only where they are side by side."""
    parts = index_parts(index)
    arrays = [isinstance(part, facts.Array) for part in parts]
    known = all(
        is_array or isinstance(part, facts.Scalar)
        or (isinstance(part, facts.Opaque) and part.kind in ("slice", "ellipsis", "NoneType"))
        for part, is_array in zip(parts, arrays, strict=True)
    )  # fmt: skip
    if not known or (any(arrays) and len(parts) > 1):
        raise NotStackable("an index of several parts with arrays")


def _scatter_add(change: _Stacking, op: Op) -> Atom:
    array, index, value = op.args
    return _written(change, op, (array, index, value), index, value)


def _store(change: _Stacking, op: Op) -> Atom:
    assert isinstance(op.fn, Store)
    if op.fn.path != (operator.getitem,):
        raise NotStackable("a store through a view")
    array, value, index = op.args
    return _written(change, op, (array, value, index), index, value)


def _written(
    change: _Stacking, op: Op, operands: Sequence[Atom], index: Atom, value: Atom
) -> Atom:
    array = operands[0]
    if change.is_stacked(index) or not isinstance(array.fact, facts.Array):
        raise NotStackable("writing into what is no array")
    _check_index(index)
    place = Builder().op(operator.getitem, (array, index))
    table = {
        id(array): change.lifted_whole(array),
        id(index): change.extended(index),
        id(value): change.lifted(value, rank_of(place)),
    }
    return change.builder.op(op.fn, [table[id(operand)] for operand in operands])


def _sum(change: _Stacking, op: Op) -> Atom:
    named = dict(op.keywords)
    given = op.args[1:]
    if len(given) > 1 or not named.keys() <= {"axis", "keepdims"}:
        raise NotStackable("a sum with other keywords")
    axis = given[0] if given else named.get("axis", Const(None))
    rank = rank_of(op.args[0])
    if not isinstance(axis, Const):
        raise NotStackable("a sum over axes that are not known")
    own = range(rank) if axis.value is None else axis.value
    axes = own if isinstance(own, (tuple, range)) else (own,)
    named["axis"] = Const(tuple(a % rank + 1 for a in axes))
    return change.builder.op(op.fn, (change.now(op.args[0]),), named)


def _matmul(change: _Stacking, op: Op) -> Atom:
    a, b = op.args
    ranks = rank_of(a), rank_of(b)
    if change.is_stacked(a) and change.is_stacked(b):
        raise NotStackable("a product of two stacks")
    if max(ranks) > 2 or min(ranks) < 1:
        raise NotStackable("a product of batches")
    first, second = change.now(a), change.now(b)
    if change.is_stacked(a) or ranks[1] == 2:
        return change.builder.op(operator.matmul, (first, second))
    if ranks[0] == 2:  # A @ v for each v: the stack of them is V @ A.T
        first = change.builder.op(np.transpose, (first,))
    return change.builder.op(operator.matmul, (second, first))


def _outer(change: _Stacking, op: Op) -> Atom:
    if [rank_of(atom) for atom in op.args] != [1, 1]:
        raise NotStackable("an outer product of matrices")
    column, row = Const((..., ALL, None)), Const((..., None, ALL))
    factors = [
        change.builder.op(operator.getitem, (change.now(atom), index))
        for atom, index in zip(op.args, (column, row), strict=True)
    ]
    return change.builder.op(operator.mul, factors)


def _transpose(change: _Stacking, op: Op) -> Atom:
    (array, *rest), rank = op.args, rank_of(op.args[0])
    axes = rest[0] if rest else dict(op.keywords).get("axes", Const(None))
    if not isinstance(axes, Const):
        raise NotStackable("a transpose by axes that are not known")
    own = tuple(range(rank))[::-1] if axes.value is None else tuple(axes.value)
    moved = Const((0, *(a % rank + 1 for a in own)))
    return change.builder.op(np.transpose, (change.now(array), moved))


def _reshape(change: _Stacking, op: Op) -> Atom:
    if len(op.args) != 2 or op.keywords:
        raise NotStackable("a reshape with an order")
    array, shape = op.args
    builder = change.builder
    if isinstance(shape.fact, facts.Tuple):
        items = [
            builder.op(operator.getitem, (shape, Const(i))) for i in range(len(shape.fact.items))
        ]
    elif isinstance(shape.fact, facts.Scalar):
        items = [shape]
    else:
        raise NotStackable("a reshape to a shape of unknown length")
    whole = builder.op(ir.make_tuple, [change.count, *items])
    if op.fn is np.broadcast_to:
        return builder.op(op.fn, (change.lifted(array, len(items)), whole))
    return builder.op(np.reshape, (change.now(array), whole))


def _moved_axes(change: _Stacking, op: Op) -> Atom:
    """Operations whose operands after the first, by position or name, are axes."""
    rank = rank_of(op.args[0]) + (op.fn is np.expand_dims)

    def moved(axis: Atom) -> Atom:
        if not isinstance(axis, Const) or not isinstance(axis.value, int):
            raise NotStackable("an axis that is not known")
        return Const(axis.value % rank + 1)

    named = {key: moved(axis) for key, axis in op.keywords}
    return change.builder.op(op.fn, (change.now(op.args[0]), *map(moved, op.args[1:])), named)


def _of_matrices(change: _Stacking, op: Op) -> Atom:
    """Operations on the last two axes."""
    if rank_of(op.args[0]) < 2:
        raise NotStackable("a vector taken as a matrix")
    return change.builder.op(op.fn, (change.now(op.args[0]), *op.args[1:]), dict(op.keywords))


def _broadcast_like(change: _Stacking, op: Op) -> Atom:
    g, like = op.args
    rank = rank_of(like)
    if not is_float64(like.fact):
        raise NotStackable("a type that is no float64")
    if facts.same_shape(g.fact, op.args[1].fact) or not rank:
        return change.now(g)
    beyond = int(change.is_stacked(like))
    sizes = [change.length(change.now(like), i + beyond) for i in range(rank)]
    whole = change.builder.op(ir.make_tuple, [change.count, *sizes])
    return change.builder.op(np.broadcast_to, (change.lifted(g, rank), whole))


def _unbroadcast(change: _Stacking, op: Op) -> Atom:
    g, like = op.args
    if not is_float64(like.fact):
        raise NotStackable("a type that is no float64")
    own, wanted = facts.dims(g.fact), facts.dims(like.fact)
    assert own is not None
    assert wanted is not None
    extra = len(own) - len(wanted)
    if any(n != m for n, m in zip(own[extra:], wanted, strict=True)):
        return change.builder.op(unbroadcast_each, (change.now(g), like))
    if not extra:
        return change.now(g)
    axes = Const(tuple(range(1, extra + 1)))
    return change.builder.op(np.sum, (change.now(g),), {"axis": axes})


def _zeros_like(change: _Stacking, op: Op) -> Atom:
    return change.builder.op(np.zeros_like, (change.now(op.args[0]),))


def _where(change: _Stacking, op: Op) -> Atom:
    if len(op.args) != 3 or op.keywords:
        raise NotStackable("where without values")
    return _elementwise(change, op)


def _pop(change: _Stacking, op: Op) -> Atom:
    result = Value(op.result.name, _stack_fact(op.result.fact))
    change.builder.append(replace(op, result=result))
    return result


_FORMS: dict[Any, Callable[[_Stacking, Op], Atom | None]] = {
    **dict.fromkeys(
        (operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pos),
        _elementwise,
    ),
    np.where: _where,
    operator.getitem: _getitem,
    runtime.scatter_add: _scatter_add,
    Store: _store,
    np.sum: _sum,
    np.mean: _sum,
    np.expand_dims: _moved_axes,
    np.swapaxes: _moved_axes,
    np.tril: _of_matrices,
    np.triu: _of_matrices,
    np.broadcast_to: _reshape,
    operator.matmul: _matmul,
    np.dot: _matmul,
    np.outer: _outer,
    np.transpose: _transpose,
    np.reshape: _reshape,
    runtime.broadcast_like: _broadcast_like,
    runtime.unbroadcast: _unbroadcast,
    runtime.zeros_like: _zeros_like,
    np.zeros_like: _zeros_like,
    runtime.copy: _same,
    np.copy: _same,
    ir.defined: _same,
    ir.pop: _pop,
    ir.make_tuple: _tuple,
    zip: _tuple,
    **dict.fromkeys((reversed, ir.freeze, ir.thaw, runtime.drain, ir.flip), _tape),
}


def _of_each(g: Atom, like: Atom) -> facts.Fact:
    """The first length of a stack, the others of an operand."""
    whole, own = facts.dims(g.fact), facts.dims(like.fact)
    if whole is None or own is None:
        return facts.UNKNOWN
    return facts.Array("float64", (whole[0], *own))


infer.special[unbroadcast_each] = _of_each
