"""Lowering loops.

The facts of what a loop carries are found by iteration: the body is lowered with a first guess
(what enters the loop) and again with the join until nothing changes.  A tuple or list of known
length is unrolled where its items differ, so that `for W, b in layers` costs nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gast

from tangent_like import facts, infer, ir
from tangent_like.build import fact_of
from tangent_like.errors import NotYetSupported
from tangent_like.facts import Fact
from tangent_like.frontend import syntax
from tangent_like.frontend.branches import lower_branches, lower_statements
from tangent_like.frontend.joins import count_leaves, leaves_of, rebuild, settled, shown
from tangent_like.frontend.kinds import map_sizes, without_values
from tangent_like.frontend.names import carried_atom, read_binding
from tangent_like.frontend.scope import Binding, Carried, Conflict
from tangent_like.frontend.state import FALSE, TRUE, Lowering
from tangent_like.frontend.targets import bind
from tangent_like.ir import Atom, Block, Const, Value

UNROLL_LIMIT = 32
_ATTEMPTS = 6
_FLAGS = ("%go", "%left", "%broke")
_AT_START: dict[str, Binding] = {
    "%go": Const(True), "%left": Const(False), "%broke": Const(False),
    "%returned": Const(False), "%value": ir.UNDEFINED,
}  # fmt: skip
"""The flags where an iteration begins: nothing has left the loop yet."""



def lower_for(state: Lowering, node: Any) -> None:
    iterable = state.expression(node.iter)
    items = _static_items(state, iterable, node)
    if items is not None:
        _unroll(state, node, items)
        return
    _check_iterable(state, iterable, node)
    _lower_loop(state, node, iterable)


def lower_while(state: Lowering, node: Any) -> None:
    _lower_loop(state, node, None)


def _check_iterable(state: Lowering, iterable: Atom, node: Any) -> None:
    fact = iterable.fact
    if isinstance(fact, facts.Scalar):
        raise NotYetSupported("iterating over a number", state.place(node.iter))
    if isinstance(fact, facts.Opaque) and fact.kind not in ("range", "str"):
        raise NotYetSupported(
            f"iterating over a {fact.kind}", state.place(node.iter), "loop over a range or a list"
        )


def _static_items(state: Lowering, iterable: Atom, node: Any) -> list[Atom] | None:
    """The items to unroll; None where a loop is to be kept."""
    fact = iterable.fact
    if not isinstance(fact, facts.Tuple | facts.List) or len(fact.items) > UNROLL_LIMIT:
        return None
    if syntax.may_exit(node.body) and _alike(fact.items):
        return None
    positions = map(Const, range(len(fact.items)))
    return [state.builder.op(operator.getitem, (iterable, position)) for position in positions]


def _alike(items: Sequence[Fact]) -> bool:
    return all(without_values(item) == without_values(items[0]) for item in items)


def _unroll(state: Lowering, node: Any, items: Sequence[Atom]) -> None:
    """Each iteration as straight-line code; an exit skips the rest through its flag."""
    env = state.frame.env
    saved = {flag: env.get(flag, FALSE) for flag in _FLAGS}
    env.update({"%left": FALSE, "%broke": FALSE})
    for item in items:
        step = Iteration(node, item)
        lower_branches(state, _flag(state, "%broke", node), (), [step], node)
        state.frame.env["%left"] = FALSE
    _after_loop(state, node, saved)


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """A pseudo statement: one iteration of an unrolled loop."""

    loop: Any
    item: Atom


def lower_iteration(state: Lowering, step: Iteration) -> None:
    bind(state, step.loop.target, step.item)
    lower_statements(state, step.loop.body)
    state.frame.env["%left"] = FALSE


def _flag(state: Lowering, name: str, node: Any) -> Atom:
    return read_binding(state, state.frame, name, node)


def _lower_loop(state: Lowering, node: Any, iterable: Atom | None) -> None:
    env = state.frame.env
    saved = {flag: env.get(flag, FALSE) for flag in _FLAGS}
    env.update({"%go": TRUE, "%left": FALSE, "%broke": FALSE})
    names = _carried_names(node)
    before = dict(env)
    mark = facts.fresh_size().base
    guesses = {name: _first_guess(before.get(name, ir.UNDEFINED)) for name in names}
    for attempt in range(_ATTEMPTS):
        trial = _lower_body(state, node, iterable, before, guesses)
        joined = {n: _joined(before, n, trial.env, guesses[n]) for n in names}
        settled_names = [
            name
            for name in names
            if trial.exposed(name) and not _covers(guesses[name], joined[name], mark)
        ]
        if not settled_names:
            break
        for name in settled_names:
            widened = joined[name] if attempt < _ATTEMPTS - 2 else facts.UNKNOWN
            guesses[name] = widened
    _append_loop(state, node, iterable, before, trial, joined, mark)
    _after_loop(state, node, saved)


def _carried_names(node: Any) -> list[str]:
    targets = [node.target] if isinstance(node, gast.For) else [node.test]
    names = list(syntax.assigned_names([*targets, *node.body]))
    if syntax.contains(node.body, gast.Return):
        names += ["%returned", "%value"]
    if node.orelse or syntax.contains(node.body, gast.Return):
        names.append("%broke")
    return names


def _first_guess(binding: Binding) -> Fact:
    if isinstance(binding, Carried):
        return binding.fact
    if isinstance(binding, Conflict):
        return facts.UNDEFINED
    return without_values(fact_of(binding))


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """One lowering of a loop body."""

    item: Value | None
    carried: dict[str, Carried]
    block: Block
    env: dict[str, Binding]
    go: Atom

    def exposed(self, name: str) -> bool:
        return self.carried[name].atom is not None


def _lower_body(
    state: Lowering,
    node: Any,
    iterable: Atom | None,
    before: dict[str, Binding],
    guesses: dict[str, Fact],
) -> _Trial:
    carried = {name: Carried(name, guess) for name, guess in guesses.items()}
    state.frame.env = {**before, **carried, **_AT_START}
    item = Value("", infer.item_of_iterable(iterable)) if iterable is not None else None

    def build() -> tuple[Atom, ...]:
        for entry in carried.values():
            if isinstance(entry.fact, facts.Tuple | facts.List):
                carried_atom(state, entry)
        _lower_iteration(state, node, item)
        return ()

    outer, state.frame.in_loop = state.frame.in_loop, True
    block = state.builder.collect(build)
    state.frame.in_loop = outer
    env = state.frame.env
    go = settled(state, env["%go"])
    state.frame.env = dict(before)
    assert not isinstance(go, Conflict)
    return _Trial(item, carried, block, env, go)


def _lower_iteration(state: Lowering, node: Any, item: Value | None) -> None:
    if item is not None:
        bind(state, node.target, item)
        lower_statements(state, node.body)
        return
    test = state.expression(node.test)
    lower_branches(state, test, node.body, [Stop()], node)


class Stop:
    """A pseudo statement: the test of a `while` has failed."""


def lower_stop(state: Lowering, node: Any) -> None:
    state.frame.env["%go"] = FALSE


def _joined(
    before: dict[str, Binding], name: str, env: dict[str, Binding], guess: Fact
) -> Fact:
    """What the name may be at the start of an iteration or after the loop."""
    entering = _first_guess(before.get(name, ir.UNDEFINED))
    leaving = env.get(name, ir.UNDEFINED)
    if isinstance(leaving, Carried):
        return facts.inward(facts.join(guess, entering))
    if isinstance(leaving, Conflict):
        return facts.UNKNOWN
    joined = facts.join(facts.join(guess, entering), without_values(fact_of(leaving)))
    return facts.inward(joined)


def _covers(guess: Fact, found: Fact, mark: int) -> bool:
    """Whether the guess holds for `found`: lengths made inside the loop stand for any."""
    blank = facts.Size(0)

    def forget(dim: facts.Dim) -> facts.Dim:
        return blank if isinstance(dim, facts.Size) and dim.base >= mark else dim

    return map_sizes(guess, forget) == map_sizes(found, forget)


def _append_loop(
    state: Lowering,
    node: Any,
    iterable: Atom | None,
    before: dict[str, Binding],
    trial: _Trial,
    joined: dict[str, Fact],
    mark: int,
) -> None:
    kept, conflicts = _carriable(state, node, before, trial, joined)
    params: list[Value] = []
    inits: list[Atom] = []
    nexts: list[tuple[Atom, Fact]] = []
    rebuilt: list[tuple[str, Fact, list[Value]]] = []
    for name in kept:
        carried, fact = trial.carried[name], joined[name]
        leaving = settled(state, trial.env[name])  # before it is asked whether it was read
        carried_leaves = carried.leaves if trial.exposed(name) else _leaf_values(name, fact)
        carried_leaves = [_settled_leaf(leaf, fact) for leaf in carried_leaves]
        entering = settled(state, before.get(name, ir.UNDEFINED))
        assert not isinstance(entering, Conflict) and not isinstance(leaving, Conflict)
        params += carried_leaves
        inits += _init_leaves(state, entering, fact)
        nexts.append((leaving, fact))
        rebuilt.append((name, fact, carried_leaves))
    body = _finish_body(state, trial, nexts)
    results = [Value(shown(p.name), _outside_fact(p.fact, mark)) for p in params]
    exits = not (isinstance(trial.go, Const) and trial.go.value)
    state.builder.place = state.place(node)
    state.builder.append(
        ir.Loop(
            tuple(results), iterable, trial.item, tuple(inits), tuple(params), body, exits,
            state.place(node),
        )
    )  # fmt: skip
    leaves = iter(results)
    for name, fact, _ in rebuilt:
        state.frame.env[name] = rebuild(state, fact, leaves)
    for name, conflict in conflicts.items():
        state.frame.env[name] = conflict


def _settled_leaf(leaf: Value, fact: Fact) -> Value:
    return leaf if not isinstance(leaf.fact, facts.Undefined) else Value(leaf.name, fact)


def _carriable(
    state: Lowering,
    node: Any,
    before: dict[str, Binding],
    trial: _Trial,
    joined: dict[str, Fact],
) -> tuple[list[str], dict[str, Binding]]:
    """The names that the loop can carry; the others cannot be read after it."""
    kept: list[str] = []
    conflicts: dict[str, Binding] = {}
    for name in joined:
        leaving = trial.env.get(name, ir.UNDEFINED)
        entering = before.get(name, ir.UNDEFINED)
        if _compile_time(leaving) or _compile_time(entering) or isinstance(entering, Conflict):
            conflicts[name] = Conflict(
                name, state.place(node), "a function or module that the loop binds anew"
            )
        elif isinstance(leaving, Conflict):
            conflicts[name] = leaving
        elif not (leaving is ir.UNDEFINED and entering is ir.UNDEFINED):
            kept.append(name)
    return kept, conflicts


def _compile_time(binding: Binding) -> bool:
    if not isinstance(binding, Const) or binding is ir.UNDEFINED:
        return False
    return callable(binding.value) or type(binding.value).__name__ == "module"


def _leaf_values(name: str, fact: Fact) -> list[Value]:
    if isinstance(fact, facts.Tuple | facts.List):
        return [leaf for item in fact.items for leaf in _leaf_values("", item)]
    return [Value(shown(name), fact)]


def _init_leaves(state: Lowering, entering: Atom, fact: Fact) -> list[Atom]:
    if entering is ir.UNDEFINED:
        return [ir.UNDEFINED] * count_leaves(fact)
    return leaves_of(state, entering, fact)


def _finish_body(
    state: Lowering, trial: _Trial, nexts: Sequence[tuple[Atom, Fact]]
) -> Block:
    extra = state.builder.collect(
        lambda: [leaf for atom, fact in nexts for leaf in leaves_of(state, atom, fact)]
    )
    exits = not (isinstance(trial.go, Const) and trial.go.value)
    first = (trial.go,) if exits else ()
    return Block(trial.block.statements + extra.statements, first + extra.results)


def _outside_fact(fact: Fact, mark: int) -> Fact:
    """Lengths made inside the loop are new ones outside: they belong to the last iteration."""
    def of(dim: facts.Dim) -> facts.Dim:
        if isinstance(dim, facts.Size) and dim.base >= mark:
            return facts.fresh_size(dim.plural)
        return dim

    return map_sizes(fact, of)


def _after_loop(state: Lowering, node: Any, saved: dict[str, Binding]) -> None:
    """Restore the flags of the surrounding loop, run `else`, and pass a return on."""
    env = state.frame.env
    broke = settled(state, env.get("%broke", FALSE))
    returns = syntax.contains(node.body, gast.Return)
    env.update(saved)
    if returns:
        returned = _flag(state, "%returned", node)
        env["%left"] = returned
        env["%broke"] = returned
        if state.frame.in_loop:
            env["%go"] = state.builder.op(operator.not_, (returned,))
    if node.orelse:
        assert not isinstance(broke, Conflict)
        lower_branches(state, broke, (), node.orelse, node)
