"""Forward mode: each operation is followed by its tangent.

    y = x * w                      y = x * w
    return y             ──▶       dy = dx * w + x * dw
                                   return y, dy

Branches hand out the tangents of their results, loops carry the tangents of what they carry.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tangent_like import facts, infer, ir, list_rules, records, runtime, store_rules, trees
from tangent_like.analysis.activity import check_rules, varied
from tangent_like.build import Builder, visit
from tangent_like.gradient_block import GradientBlock
from tangent_like.ir import Atom, Block, If, Loop, Op, Value
from tangent_like.rules import apply, registry
from tangent_like.stores import Store
from tangent_like.trees import Tree
from tangent_like.undefined import Unsettled, settle, unsettled

CallTangent = Callable[["Push", Op], None]


def tangent(
    block: Block, inputs: dict[Value, Tree], call_tangent: CallTangent
) -> tuple[Block, list[Tree]]:
    """The block with tangents woven in, and the tangents of its results.

    `inputs` are the values that have tangents, each with its own.
    """
    while True:
        try:
            return _tangent(block, inputs, call_tangent)
        except Unsettled as found:
            block = settle(block, found.value)


def _tangent(
    block: Block, inputs: dict[Value, Tree], call_tangent: CallTangent
) -> tuple[Block, list[Tree]]:
    active = varied(block, inputs)
    check_rules(block, active, _SPECIAL)
    builder = Builder(derivative=True)
    push = Push(builder, active, dict(inputs), call_tangent, unsettled=unsettled(block))
    push.run(block)
    found = [push.tree(atom) for atom in block.results]
    names = {v.name for s in ir.walk(block) for v in ir.defined_by(s)} | {v.name for v in inputs}
    for tree in found:
        if isinstance(tree, Value) and not tree.name:
            tree.name = "dresult" if "y" in names else "dy"
    filled = [
        trees.materialised(push.builder, tree, atom) for tree, atom in zip(found, block.results)
    ]
    return push.builder.finish((*block.results, *filled)), found


@dataclass(eq=False, slots=True)
class Push:
    """The tangent code under construction."""

    builder: Builder
    active: set[Value]
    tangents: dict[Value, Tree]
    call_tangent: CallTangent
    definitions: dict[Value, Op] = field(default_factory=dict)
    unsettled: set[Value] = field(default_factory=set)
    """Values that are undefined on some path."""

    def tree(self, atom: Atom) -> Tree:
        return self.tangents.get(atom) if isinstance(atom, Value) else None

    def keep(self, value: Value, tree: Tree) -> None:
        if tree is None or value not in self.active:
            return
        if isinstance(tree, Value) and not tree.name:
            tree.name = trees.derivative_name("d", value)
        self.tangents[value] = tree

    def run(self, block: Block) -> None:
        visit(self, block.statements)

    def op(self, op: Op) -> None:
        self.definitions[op.result] = op
        if isinstance(op.fn, ir.Procedure):
            self.call_tangent(self, op)
            return
        if isinstance(op.fn, Store):
            self.store(op)
            return
        self.builder.append(op)
        kind = type(op.fn) if isinstance(op.fn, records.MakeRecord) else op.fn
        special = _identity if isinstance(op.fn, GradientBlock) else _SPECIAL.get(kind)
        if special is not None:
            special(self, op)
            return
        if op.fn in registry.solvers:
            registry.solvers[op.fn].tangent(self, op)
            return
        trees_of_args = [self.as_one(atom) for atom in op.args]
        if op.result not in self.active:
            return
        named = {key: self.tree(atom) for key, atom in op.keywords}
        varying = {key: tree for key, tree in named.items() if tree is not None}
        self.keep(op.result, apply.tangent(self.builder, op, trees_of_args, varying))

    def as_one(self, atom: Atom) -> Tree:
        """The tangent of an operand: of a dict or object one value, as rules see these."""
        tree = self.tree(atom)
        if isinstance(tree, tuple) and isinstance(atom.fact, facts.Record):
            return trees.materialised(self.builder, tree, atom)
        return tree

    def store(self, op: Op) -> None:
        """The tangent reads the array as it was, so it comes first."""
        array, value = op.args[:2]
        found = None
        if op.result in self.active:
            found = store_rules.tangent(self.builder, op, self.tree(array), self.tree(value))
        self.builder.append(op)
        self.keep(op.result, found)

    # --- branches -----------------------------------------------------------------------

    def branch(self, statement: If) -> None:
        moving = [k for k, r in enumerate(statement.results) if r in self.active]
        sides = []
        for block in (statement.then, statement.orelse):
            yielded = [(block.results[k], statement.results[k].fact) for k in moving]
            sides.append(self.side(block, yielded))
        keys = [
            (n, path, fact)
            for n, k in enumerate(moving)
            for path, fact in trees.paths(statement.results[k].fact)
        ]
        then_leaves, else_leaves = (
            [leaf for found in leaves for leaf in found] for _, leaves in sides
        )
        wanted = [i for i in range(len(keys)) if then_leaves[i] is not else_leaves[i]]
        blocks = []
        for (built, _), leaves, block in zip(
            sides, (then_leaves, else_leaves), (statement.then, statement.orelse)
        ):
            entries = [
                (leaves[i], block.results[moving[keys[i][0]]], keys[i][1]) for i in wanted
            ]
            extra = self.builder.collect(partial(self.all_filled, entries))
            statements = built.statements + extra.statements
            blocks.append(Block(statements, block.results + extra.results))
        results = [
            Value(self.leaf_name(statement.results[moving[keys[i][0]]], keys[i][1]),
                  trees.derivative_fact(keys[i][2]))
            for i in wanted
        ]  # fmt: skip
        self.builder.append(
            replace(
                statement,
                results=statement.results + tuple(results),
                then=blocks[0],
                orelse=blocks[1],
            )
        )
        table = dict(zip(wanted, results))
        merged = iter([table.get(i, then_leaves[i]) for i in range(len(keys))])
        for k in moving:
            result = statement.results[k]
            self.keep(result, trees.from_leaves(merged, result.fact))

    def side(
        self, block: Block, moving: list[tuple[Atom, facts.Fact]]
    ) -> tuple[Block, list[list[Atom | None]]]:
        """A branch with its tangents, and the tangents of what it yields."""
        found: list[list[Atom | None]] = []

        def build() -> tuple[Atom, ...]:
            self.run(block)
            found.extend(self.leaves(atom, fact) for atom, fact in moving)
            return ()

        return self.builder.collect(build), found

    def leaves(self, atom: Atom, fact: facts.Fact) -> list[Atom | None]:
        tree = trees.dissolve(self.builder, self.tree(atom), fact)
        if isinstance(tree, tuple) and not isinstance(fact, facts.STRUCTURES):
            return [trees.materialised(self.builder, tree, atom)]
        return list(trees.leaves(tree, fact))

    def all_filled(
        self, entries: Sequence[tuple[Atom | None, Atom, tuple[int, ...]]]
    ) -> list[Atom]:
        return [self.filled(*entry) for entry in entries]

    def filled(self, leaf: Atom | None, atom: Atom, path: tuple[int, ...]) -> Atom:
        if leaf is not None:
            return leaf
        if isinstance(atom, ir.Const) and (atom is ir.UNDEFINED or atom.value is None):
            return atom
        if atom in self.unsettled and not isinstance(facts.defined(atom.fact), facts.Scalar):
            assert isinstance(atom, Value)
            raise Unsettled(atom)
        return trees.zero(self.builder, trees.at(self.builder, atom, path))

    def leaf_name(self, value: Value, path: tuple[int, ...]) -> str:
        return trees.derivative_name("d", value) + "".join(f"_{i}" for i in path)

    # --- loops --------------------------------------------------------------------------

    def loop(self, loop: Loop) -> None:
        moving = [k for k, p in enumerate(loop.params) if p in self.active]
        iterable, item, head = self.iteration(loop)
        inits: list[Atom] = []
        params: list[Value] = []
        for k in moving:
            param = loop.params[k]
            leaves = self.leaves(loop.inits[k], param.fact)
            for (path, fact), leaf in zip(trees.paths(param.fact), leaves):
                inits.append(self.filled(leaf, loop.inits[k], path))
                params.append(Value(self.leaf_name(param, path), trees.derivative_fact(fact)))
            own = iter(params[-sum(1 for _ in trees.paths(param.fact)) :])
            self.keep(param, trees.from_leaves(own, param.fact))

        def build() -> tuple[Atom, ...]:
            head()
            self.run(loop.body)
            nexts: list[Atom] = []
            for k in moving:
                after = loop.nexts[k]
                param = loop.params[k]
                for (path, _), leaf in zip(trees.paths(param.fact), self.leaves(after, param.fact)):
                    nexts.append(self.filled(leaf, after, path))
            return (*loop.body.results, *nexts)

        body = self.builder.collect(build)
        results = [Value(p.name, p.fact) for p in params]
        self.builder.append(
            replace(
                loop, iterable=iterable, item=item, results=loop.results + tuple(results),
                inits=loop.inits + tuple(inits), params=loop.params + tuple(params), body=body,
            )
        )  # fmt: skip
        remaining = iter(results)
        for k in moving:
            self.keep(loop.results[k], trees.from_leaves(remaining, loop.results[k].fact))

    def iteration(self, loop: Loop) -> tuple[Atom | None, Value | None, Callable[[], None]]:
        """What the loop runs over with tangents: `zip(x, dx)` where items have tangents."""
        item = loop.item
        if loop.iterable is None or item is None or item not in self.active:
            return loop.iterable, item, lambda: None
        parts = ir.components(loop.iterable, self.definitions)
        zipped = isinstance(loop.iterable.fact, facts.Zip)
        moving = [k for k, part in enumerate(parts) if self.tree(part) is not None]
        tangents = [trees.materialised(self.builder, self.tree(parts[k]), parts[k]) for k in moving]
        if not moving:
            return loop.iterable, item, lambda: None
        iterable = self.builder.op(zip, (*parts, *tangents))
        pair = Value("", infer.item_of_iterable(iterable))

        def head() -> None:
            items = [trees.at(self.builder, pair, (i,)) for i in range(len(parts) + len(moving))]
            whole = items[: len(parts)]
            own: list[Tree] = [None] * len(parts)
            for place, k in enumerate(moving):
                own[k] = items[len(parts) + place]
            if zipped:
                self.builder.append(Op(item, ir.make_tuple, tuple(whole), (), loop.place))
                tree = tuple(
                    trees.dissolve(self.builder, t, w.fact) for t, w in zip(own, whole)
                )
            else:
                self.builder.append(Op(item, ir.defined, (whole[0],), (), loop.place))
                tree = trees.dissolve(self.builder, own[0], item.fact)
            self.keep(item, tree)

        return iterable, pair, head


# --- operations with tangents of their own ------------------------------------------------------


def _make_sequence(push: Push, op: Op) -> None:
    if op.result not in push.active:
        return
    parts = tuple(push.tree(atom) for atom in op.args)
    if isinstance(op.result.fact, facts.STRUCTURES):
        push.keep(op.result, parts)
        return
    filled = [trees.materialised(push.builder, *pair) for pair in zip(parts, op.args)]
    made = push.builder.op(op.fn, filled)
    if isinstance(made, Value):
        made.fact = trees.derivative_fact(op.result.fact)
    push.keep(op.result, made)


def _identity(push: Push, op: Op) -> None:
    push.keep(op.result, push.tree(op.args[0]))


def _read(push: Push, op: Op) -> None:
    """The tangent of a name that may be unbound is bound where the name is."""
    tree = push.tree(op.args[0])
    if op.args[0] in push.unsettled and isinstance(tree, Value):
        tree = push.builder.op(ir.live, (tree,), name=trees.derivative_name("d", op.result))
    push.keep(op.result, tree)


def _getitem(push: Push, op: Op) -> None:
    container, index = op.args
    tree = push.tree(container)
    if tree is None or op.result not in push.active:
        return
    fact = container.fact
    apply.refuse_objects(op)
    if isinstance(fact, facts.STRUCTURES):
        place = index.value if isinstance(index, ir.Const) else None
        if isinstance(fact, facts.Record):
            place = records.place_of(fact, op.fn, place)
        if isinstance(place, (int, slice)):
            push.keep(op.result, trees.split(push.builder, tree, fact)[place])
            return
        tree = trees.materialised(push.builder, tree, container)
    push.keep(op.result, push.builder.op(op.fn, (tree, index)))


def _same_of_tangent(push: Push, op: Op) -> None:
    """`reversed(dx)` for `reversed(x)`, and so on."""
    tree = push.tree(op.args[0])
    if tree is not None and op.result in push.active:
        filled = trees.materialised(push.builder, tree, op.args[0])
        push.keep(
            op.result,
            trees.dissolve(
                push.builder, push.builder.op(op.fn, (filled, *op.args[1:])), op.result.fact
            ),
        )


def _new_tape(push: Push, op: Op) -> None:
    if op.result in push.active:
        assert isinstance(op.result.fact, facts.Tape)
        item = trees.derivative_fact(op.result.fact.item)
        own = Value(trees.derivative_name("d", op.result), facts.Tape(item))
        push.builder.append(Op(own, ir.new_tape, (), (), op.place))
        push.tangents[op.result] = own


def _push(push: Push, op: Op) -> None:
    tape, value = op.args
    own = push.tree(tape)
    if own is not None:
        filled = trees.materialised(push.builder, push.tree(value), value)
        push.builder.op(ir.push, (own, filled))


def _pop(push: Push, op: Op) -> None:
    own = push.tree(op.args[0])
    if own is not None:
        found = push.builder.op(ir.pop, (own,), name=trees.derivative_name("d", op.result))
        push.keep(op.result, trees.dissolve(push.builder, found, op.result.fact))


def _freeze_or_thaw(push: Push, op: Op) -> None:
    tree = push.tree(op.args[0])
    if tree is not None and op.result in push.active:
        own = trees.materialised(push.builder, tree, op.args[0])
        push.keep(op.result, push.builder.op(op.fn, (own,)))


def _flip(push: Push, op: Op) -> None:
    own = push.tree(op.args[0])
    if own is not None:
        push.builder.op(ir.flip, (own,))


def _appended(push: Push, op: Op) -> None:
    if op.result in push.active:
        filled = [trees.materialised(push.builder, push.tree(atom), atom) for atom in op.args]
        push.keep(op.result, push.builder.op(op.fn, filled))


def _dict_of(push: Push, op: Op) -> None:
    if op.result in push.active:
        like, items = op.args
        filled = trees.materialised(push.builder, push.tree(items), items)
        push.keep(op.result, push.builder.op(runtime.dict_of, (like, filled)))


def _of_lists(push: Push, op: Op) -> None:
    if op.result in push.active:
        operands = [push.tree(atom) for atom in op.args]
        push.keep(op.result, list_rules.tangent(push.builder, op, operands))


def _nothing(push: Push, op: Op) -> None:
    """`zip` has its tangent where it is looped over."""


_SPECIAL: dict[Any, Callable[[Push, Op], None]] = {
    ir.make_tuple: _make_sequence,
    ir.make_list: _make_sequence,
    ir.defined: _read,
    ir.live: _read,
    runtime.bound: _identity,
    ir.unpack: _same_of_tangent,
    runtime.appended: _appended,
    runtime.without_last: _same_of_tangent,
    runtime.without_first: _same_of_tangent,
    runtime.before: _appended,
    runtime.values_of: _same_of_tangent,
    runtime.dict_of: _dict_of,
    runtime.without_key: _same_of_tangent,
    **dict.fromkeys(list_rules.FUNCTIONS, _of_lists),
    ir.new_tape: _new_tape,
    ir.push: _push,
    ir.pop: _pop,
    ir.flip: _flip,
    ir.freeze: _freeze_or_thaw,
    runtime.drain: _freeze_or_thaw,
    ir.thaw: _freeze_or_thaw,
    reversed: _same_of_tangent,
    zip: _nothing,
    operator.getitem: _getitem,
    records.attribute: _getitem,
    records.MakeRecord: _make_sequence,
}


