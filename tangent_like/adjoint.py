"""Reverse mode: from a Wengert list to its forward and reverse sweep.

    y = x * w                      y = x * w                   forward sweep: the primal itself
    return y             ──▶       bx = by * w                 reverse sweep
                                   bw = by * x
                                   return bx, bw

The reverse sweep visits the statements backwards.  Each block of the primal has a mirror in it:
an `If` is mirrored by an `If` on the same test, a `Loop` by a loop over its iterations backwards.
The sweep refers freely to values of the forward sweep, also to those inside loops; `recording`
decides afterwards how they get there (in scope, recomputed, or on a tape).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangent_like import facts, ir, list_rules, records, runtime, store_rules, trees
from tangent_like.adjoint_loops import mirror_loop
from tangent_like.analysis.activity import check_rules, varied
from tangent_like.build import Builder
from tangent_like.gradient_block import GradientBlock
from tangent_like.ir import Atom, Block, Const, Op, Value
from tangent_like.rules import apply
from tangent_like.stores import Store, index_parts
from tangent_like.sweep import PullbackOfCall, Sweep, named_tree
from tangent_like.trees import Tree
from tangent_like.undefined import Unsettled, settle, unsettled


@dataclass(frozen=True, slots=True, eq=False)
class Sweeps:
    """The two sweeps of a function: `forward` yields the primal's results, `reverse` the
    cotangents."""

    forward: Block
    reverse: Block


def settled_sweeps(
    block: Block,
    wrt: Sequence[Value],
    seeds: Sequence[Tree],
    pullback_of_call: PullbackOfCall,
) -> Sweeps:
    """`sweeps`, after what may be undefined is made explicit where that is needed."""
    while True:
        try:
            return sweeps(block, wrt, seeds, pullback_of_call)
        except Unsettled as found:
            block = settle(block, found.value)


def sweeps(
    block: Block,
    wrt: Sequence[Value],
    seeds: Sequence[Tree],
    pullback_of_call: PullbackOfCall,
) -> Sweeps:
    """Forward and reverse sweep of a block whose results have the cotangents `seeds`."""
    active = varied(block, wrt)
    sweep = Sweep(
        Builder(derivative=True), active, _SPECIAL, mirror_loop, pullback_of_call,
        unsettled=unsettled(block),
    )  # fmt: skip
    check_rules(block, active, _SPECIAL)
    for statement in ir.walk(block):
        if isinstance(statement, Op):
            sweep.builder.definitions[statement.result] = statement
    _note_openings(sweep, block)
    sweep.open_tapes(block)
    for atom, seed in zip(block.results, seeds, strict=True):
        tree = trees.dissolve(sweep.builder, seed, atom.fact)
        sweep.contribute(atom, trees.with_lists(sweep.builder, tree, atom.fact))
    sweep.begin((block,))
    sweep.run(block)
    results = [sweep.output(value) for value in wrt]
    return Sweeps(block, sweep.builder.finish(results))


def _note_openings(sweep: Sweep, block: Block) -> None:
    """For each end of a `with` its beginning, in the same block."""
    open_: list[Op] = []
    for statement in block.statements:
        if isinstance(statement, Op) and statement.fn is ir.enter:
            open_.append(statement)
        elif isinstance(statement, Op) and statement.fn is ir.leave:
            sweep.openings[statement] = open_.pop()
        for inner in ir.blocks_of(statement):
            _note_openings(sweep, inner)


# --- operations with adjoints of their own -----------------------------------------------------


def _make_sequence(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        fact: facts.Fact = op.result.fact
        if isinstance(fact, facts.DictOf) and isinstance(op.fn, records.MakeRecord):
            fact = facts.Record(dict, op.fn.keys, tuple(atom.fact for atom in op.args))
        elif not isinstance(fact, facts.STRUCTURES):
            fact = facts.List(tuple(atom.fact for atom in op.args))
        for atom, part in zip(op.args, trees.split(sweep.builder, g, fact)):
            sweep.contribute(atom, trees.dissolve(sweep.builder, part, atom.fact))


def _identity(sweep: Sweep, op: Op) -> None:
    tree = sweep.adjoints.pop(op.result, None)
    if isinstance(tree, tuple) and not isinstance(op.args[0].fact, facts.STRUCTURES):
        tree = trees.materialised(sweep.builder, tree, op.result)  # which is known better
    sweep.contribute(op.args[0], tree)


def _getitem(sweep: Sweep, op: Op) -> None:
    """A read adds to one place of the adjoint: O(1), whatever the size of the container."""
    g = sweep.adjoints.pop(op.result, None)
    container, index = op.args
    if isinstance(facts.defined(op.result.fact), facts.Tape):
        g = sweep.tape_adjoint(op.result)
    if g is None or not sweep.is_active(container):
        return
    assert isinstance(container, Value)
    fact = facts.defined(container.fact)
    apply.refuse_objects(op)
    g = trees.materialised(sweep.builder, g, op.result)
    if isinstance(fact, facts.STRUCTURES):
        sweep.contribute(container, _item_tree(sweep, op, container, index, g))
        return
    if facts.rank(fact) == 0 and not _axes_made(index):
        sweep.contribute(container, g)
        return
    back = _inverse_of_view(fact, index)
    if back is not None:
        # A number is reshaped: Python's own floats have no items.
        number = facts.rank(g.fact) == 0 or not facts.rank(op.result.fact)
        fn, how = (np.reshape, (1,) * len(back)) if number else (operator.getitem, back)
        sweep.contribute(container, sweep.builder.op(fn, (g, Const(how))))
        return
    if isinstance(op.result.fact, facts.Scalar):
        container, *indices = _path_to(sweep, op)
    else:
        indices = [index]
    old = sweep.adjoints.get(container)
    if old is None:
        old = trees.zeros_to_add_to(sweep.builder, container)
    count = len(indices)
    add: Any = runtime.scatter_add
    if count > 1:
        add = Store((operator.getitem,) * count, (1,) * count, operator.add)
        indices = [g, *indices]
    else:
        indices = [*indices, g]
    sweep.adjoints[container] = named_tree(sweep.builder.op(add, (old, *indices)), container)


def _path_to(sweep: Sweep, op: Op) -> list[Any]:
    """For an element read as `m[i][j]` of lists in lists: the outermost list and the indices."""
    container, index = op.args
    found: list[Any] = [index]
    while isinstance(container, Value) and isinstance(container.fact, facts.ListOf):
        made = sweep.builder.definitions.get(container)
        if made is None or made.fn is not operator.getitem:
            break
        outer, place = made.args
        if not (isinstance(outer.fact, facts.ListOf) and isinstance(place.fact, facts.Scalar)):
            break
        if container in sweep.adjoints:
            break
        container, found = outer, [place, *found]
    return [container, *found]


def _axes_made(index: Atom) -> bool:
    """Whether an index of an array without axes is more than `()` or `...`."""
    parts = index_parts(index)
    return any(not isinstance(p, facts.Opaque) or p.kind != "ellipsis" for p in parts)


def _inverse_of_view(fact: facts.Fact, index: Atom) -> Any:
    """The index that undoes one which adds and removes axes of length one alone: `[:, 0]` for
    `[:, None]`; None where elements may be left out."""
    sizes = facts.dims(fact) if isinstance(fact, facts.Array) else None
    if sizes is None or not isinstance(index, Const):
        return None
    entries = index.value if isinstance(index.value, tuple) else (index.value,)
    if all(entry is not None for entry in entries) and len(entries) < 2:
        return None
    back: list[Any] = []
    axis = 0
    for entry in entries:
        if entry is None:
            back.append(0)
            continue
        if axis == len(sizes):
            return None
        if type(entry) is slice and entry == slice(None):
            back.append(entry)
        elif type(entry) is int and sizes[axis] == 1:
            back.append(None)
        else:
            return None
        axis += 1
    return tuple(back)


def _item_tree(sweep: Sweep, op: Op, container: Value, index: Atom, g: Atom) -> Tree:
    """The tree of a structure of which one item, or a slice, has a cotangent."""
    fact = facts.defined(container.fact)
    assert isinstance(fact, facts.STRUCTURES)
    count = len(fact.items)
    if isinstance(fact, facts.Record):
        assert isinstance(index, Const)
        place = records.place_of(fact, op.fn, index.value)
        return tuple(g if i == place else None for i in range(count))
    if isinstance(index, Const) and isinstance(index.value, int):
        return tuple(g if i == index.value % count else None for i in range(count))
    if isinstance(index, Const) and isinstance(index.value, slice):
        tree: list[Tree] = [None] * count
        for k, i in enumerate(range(*index.value.indices(count))):
            tree[i] = sweep.builder.op(operator.getitem, (g, Const(k)))
        return tuple(tree)
    zeros = sweep.builder.op(runtime.zero_list, (container,))
    spread = sweep.builder.op(runtime.scatter_add, (zeros, index, g))
    return tuple(
        sweep.builder.op(operator.getitem, (spread, Const(i))) for i in range(count)
    )


def _unpack(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    source = op.args[0]
    if g is None or not sweep.is_active(source):
        return
    fact = op.result.fact
    assert isinstance(fact, facts.Tuple)
    for i, part in enumerate(trees.split(sweep.builder, g, fact)):
        if part is not None:
            old = sweep.adjoints.get(source)  # type: ignore[arg-type]
            if old is None:
                old = trees.zeros_to_add_to(sweep.builder, source)
            sweep.adjoints[source] = sweep.builder.op(  # type: ignore[index]
                runtime.scatter_add, (old, Const(i), part)
            )


def _push(sweep: Sweep, op: Op) -> None:
    """What was saved gets the adjoints that the mirrors of its readers have left."""
    tape, value = op.args
    assert isinstance(tape, Value)
    for adjoint_tape in sweep.tapes.get(tape, ()):
        name = trees.derivative_name("b", value)
        popped = sweep.builder.op(ir.pop, (adjoint_tape,), name=name)
        if sweep.is_active(value):
            sweep.contribute(value, trees.dissolve(sweep.builder, popped, value.fact))


def _pop(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if isinstance(op.result.fact, facts.Tape):
        g = sweep.tape_adjoint(op.result)
    adjoint_tape = sweep.readers.get((op.args[0], "pop"))
    if adjoint_tape is not None:
        filled = trees.materialised(sweep.builder, g, op.result)
        sweep.builder.op(ir.push, (adjoint_tape, filled))


def _flip(sweep: Sweep, op: Op) -> None:
    """A tape that was turned round has its adjoint tapes turned back."""
    (tape,) = op.args
    assert isinstance(tape, Value)
    for adjoint_tape in sweep.tapes.get(tape, ()):
        sweep.builder.op(ir.flip, (adjoint_tape,))


def _freeze(sweep: Sweep, op: Op) -> None:
    """The adjoint of a list that was built is the adjoint tape, from which its pushes pop."""
    g = sweep.adjoints.pop(op.result, None)
    tape = op.args[0]
    if sweep.is_active(tape):
        assert isinstance(tape, Value)
        filled = trees.materialised(sweep.builder, g, op.result)
        adjoint_tape = sweep.builder.op(ir.thaw, (filled,))
        assert isinstance(adjoint_tape, Value)
        sweep.tapes.setdefault(tape, []).append(adjoint_tape)


def _thaw(sweep: Sweep, op: Op) -> None:
    """The adjoint tape is emptied: in a loop it is filled anew each time."""
    adjoint_tape = sweep.tape_adjoint(op.result)
    if adjoint_tape is not None:
        assert isinstance(adjoint_tape, Value)
        sweep.contribute(op.args[0], sweep.builder.op(runtime.drain, (adjoint_tape,)))


def _gradient_block(sweep: Sweep, op: Op) -> None:
    """The user's code for the reverse sweep: its result replaces the adjoint."""
    hook = op.fn
    assert isinstance(hook, GradientBlock)
    g = trees.materialised(sweep.builder, sweep.adjoints.pop(op.result, None), op.args[0])
    inner = ir.refreshed(hook.block, {hook.seed: g, **dict(zip(hook.params, op.args[1:]))})
    for statement in inner.statements:
        sweep.builder.append(statement)
    (found,) = inner.results
    sweep.contribute(op.args[0], trees.dissolve(sweep.builder, found, op.args[0].fact))


def _enter(sweep: Sweep, op: Op) -> None:
    sweep.builder.op(ir.leave, ())


def _leave(sweep: Sweep, op: Op) -> None:
    """The mirror of a `with` is a `with` on a manager made anew."""
    opening = sweep.openings[op]
    (manager,) = opening.args
    made = sweep.builder.definitions[manager]  # type: ignore[index]
    again = sweep.builder.op(made.fn, made.args, dict(made.keywords))
    sweep.builder.op(ir.enter, (again,))


def _store(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is None:
        return
    array, value = op.args[:2]
    wanted = (sweep.is_active(array), sweep.is_active(value))
    found = store_rules.cotangents(sweep.builder, op, g, wanted)
    for atom, part in zip((array, value), found, strict=True):
        sweep.contribute(atom, part)


def _appended(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        items, value = op.args
        sweep.contribute(value, _last(sweep, g, value))
        sweep.contribute(items, sweep.builder.op(runtime.without_last, (g,)))


def _last(sweep: Sweep, g: Atom, like: Atom) -> Tree:
    last = sweep.builder.op(operator.getitem, (g, Const(-1)))
    return trees.dissolve(sweep.builder, last, like.fact)


def _without_last(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        (items,) = op.args
        last = sweep.builder.op(operator.getitem, (items, Const(-1)))
        zero = trees.materialised(sweep.builder, None, last)
        sweep.contribute(items, sweep.builder.op(runtime.appended, (g, zero)))


def _without_first(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        (items,) = op.args
        first = sweep.builder.op(operator.getitem, (items, Const(0)))
        zero = trees.materialised(sweep.builder, None, first)
        sweep.contribute(items, sweep.builder.op(runtime.before, (zero, g)))


def _without_key(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        table, key = op.args
        gone = sweep.builder.op(operator.getitem, (table, key))
        zero = trees.materialised(sweep.builder, None, gone)
        store = Store((operator.getitem,), (1,))
        sweep.contribute(table, sweep.builder.op(store, (g, zero, key)))


def _before(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        item, items = op.args
        first = sweep.builder.op(operator.getitem, (g, Const(0)))
        sweep.contribute(item, trees.dissolve(sweep.builder, first, item.fact))
        sweep.contribute(items, sweep.builder.op(runtime.without_first, (g,)))


def _values_of(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        table, like = op.args
        sweep.contribute(table, sweep.builder.op(runtime.dict_of, (like, g)))


def _dict_of(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        like, items = op.args
        sweep.contribute(items, sweep.builder.op(runtime.values_of, (g, like)))


def _of_lists(sweep: Sweep, op: Op) -> None:
    g = sweep.adjoints.pop(op.result, None)
    if g is not None:
        for atom, part in list_rules.cotangents(sweep.builder, op, g):
            sweep.contribute(atom, part)


def _nothing(sweep: Sweep, op: Op) -> None:
    sweep.adjoints.pop(op.result, None)


_SPECIAL: dict[Any, Callable[[Sweep, Op], None]] = {
    ir.make_tuple: _make_sequence,
    ir.make_list: _make_sequence,
    ir.defined: _identity,
    ir.live: _identity,
    runtime.bound: _identity,
    ir.unpack: _unpack,
    ir.push: _push,
    ir.pop: _pop,
    ir.flip: _flip,
    ir.freeze: _freeze,
    runtime.drain: _freeze,
    ir.thaw: _thaw,
    GradientBlock: _gradient_block,
    Store: _store,
    runtime.appended: _appended,
    runtime.without_last: _without_last,
    runtime.without_first: _without_first,
    runtime.before: _before,
    runtime.values_of: _values_of,
    runtime.dict_of: _dict_of,
    runtime.without_key: _without_key,
    **dict.fromkeys(list_rules.FUNCTIONS, _of_lists),
    ir.new_tape: _nothing,
    ir.enter: _enter,
    ir.leave: _leave,
    ir.enter_try: _nothing,
    ir.leave_try: _nothing,
    ir.keep: _nothing,
    operator.getitem: _getitem,
    records.attribute: _getitem,
    records.MakeRecord: _make_sequence,
    reversed: _nothing,
    zip: _nothing,
}

