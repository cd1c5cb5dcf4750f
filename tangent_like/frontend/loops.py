"""Lowering loops.

The facts of what a loop carries are found by iteration: the body is lowered with a first guess
(what enters the loop) and again with the join until nothing changes.  A tuple or list of known
length is unrolled where its items differ, so that `for W, b in layers` costs nothing.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import gast

from tangent_like import facts, infer, ir
from tangent_like.build import Unreachable, fact_of
from tangent_like.errors import NotYetSupported, SharedMemory
from tangent_like.facts import Fact
from tangent_like.frontend import syntax
from tangent_like.frontend.branches import lower_branches, lower_statements
from tangent_like.frontend.counting import Turn, Within
from tangent_like.frontend.failures import mark_raised
from tangent_like.frontend.homes import (
    buffers_of,
    containers_in,
    enlist_items,
    home_of,
    is_apart,
    may_alias,
)
from tangent_like.frontend.joins import settled, shown
from tangent_like.frontend.kinds import map_sizes, without_values
from tangent_like.frontend.learnt import Learnt
from tangent_like.frontend.leaves import count_leaves, leaves_of, rebuild
from tangent_like.frontend.live import behind, length_changes
from tangent_like.frontend.loop_memory import (
    Buffers,
    Sharing,
    exchange_sources,
    observed,
    tie_results,
    written_around,
)
from tangent_like.frontend.memory import (
    SHARED,
    adopt,
    carried_atom,
    fresh,
    fresh_buffer,
    fresh_or_conflict,
)
from tangent_like.frontend.objects import Endless, Moment, consumed, refuse_changes
from tangent_like.frontend.run_time_functions import exists_at_compile_time, exists_at_run_time
from tangent_like.frontend.scope import Binding, Buffer, Carried, Cell, Conflict, Environment
from tangent_like.frontend.state import FALSE, TRUE, Lowering
from tangent_like.frontend.targets import bind
from tangent_like.frontend.turning import Turning, place_name
from tangent_like.frontend.unrolled import FLAGS, after_loop, is_few, may_be_kept, unroll
from tangent_like.ir import Atom, Block, Const, Value

_ATTEMPTS = 6
"""After so many lowerings of a loop's body, facts that still change count as unknown."""

_MOST_ATTEMPTS = 50
_AT_START: dict[str, Binding] = {
    "%go": Const(True), "%left": Const(False), "%broke": Const(False),
    "%returned": Const(False), "%value": ir.UNDEFINED,
}  # fmt: skip
"""The flags where an iteration begins: nothing has left the loop yet."""


def lower_for(state: Lowering, node: Any) -> None:
    written = frozenset(syntax.assigned_names([node.target, *node.body]))
    given = state.expression(node.iter)
    if isinstance(given, Const) and isinstance(given.value, Endless):
        _lower_endless(state, node, given.value)
        return
    iterable, before = consumed(state, given, node, written), Moment(state)
    if is_few(iterable):
        if not may_be_kept(state, iterable, node) or not _kept(state, iterable, node):
            unroll(state, node, iterable)
    else:
        _check_iterable(state, iterable, node)
        _lower_over(state, node, iterable)
    refuse_changes(state, node, given, before)


def _kept(state: Lowering, iterable: Atom, node: Any) -> bool:
    """Lower a loop over few items that are alike as a loop; False, and nothing is done, where it
    changes what it goes through otherwise than by writing items of a list."""
    before, kept = state.scope(), False

    def build() -> tuple[Atom, ...]:
        nonlocal kept
        _lower_loop(state, node, iterable)
        now = fresh(state, iterable, node)
        shows_others = isinstance(iterable, Value) and iterable in state.live
        kept = now is iterable if shows_others else _length(now) == _length(iterable)
        return ()

    try:
        block = state.builder.collect(build)
    except SharedMemory:
        kept = False
    if kept:
        state.builder.extend(block)
    else:
        state.enter(before)
    return kept


def _length(atom: Atom) -> int | None:
    known = isinstance(atom.fact, facts.Tuple | facts.List)
    return len(atom.fact.items) if known else None  # type: ignore[union-attr]


def _lower_over(state: Lowering, node: Any, iterable: Atom) -> None:
    """A loop over what exists at run time; one that makes a list longer or shorter while it goes
    through it asks for its length each time."""
    before, mark = state.scope(), len(state.resized)
    own = set(_buffers_of_iterable(state, iterable))

    def build() -> tuple[Atom, ...]:
        _lower_loop(state, node, iterable)
        return ()

    block = state.builder.collect(build)
    if own.isdisjoint(state.resized[mark:]):
        state.builder.extend(block)
        return
    state.enter(before)
    if not isinstance(iterable.fact, facts.ListOf):
        raise length_changes(state.place(node))
    _lower_growing(state, node, iterable)


def _lower_endless(state: Lowering, node: Any, given: Endless) -> None:
    """A loop that counts along, until it is left."""
    _lower_counting(state, node, given.item, gast.Constant(True, None))


def _lower_growing(state: Lowering, node: Any, iterable: Atom) -> None:
    """A loop over a list that it makes longer or shorter: its length is asked for each time."""

    def item(place: Atom) -> Atom:
        return state.builder.op(operator.getitem, (fresh(state, iterable, node), place))

    _lower_counting(state, node, item, Within(iterable))


def _lower_counting(
    state: Lowering, node: Any, item: Callable[[Atom], Atom], test: Any
) -> None:
    """A loop that counts its items while a test holds."""
    frame = state.frame
    count = next(n for k in itertools.count(1) if (n := f"turn_{k}") not in frame.locals)
    frame.locals, frame.env[count] = frame.locals | {count}, Const(0)
    name = gast.copy_location(gast.Name(count, gast.Store(), None, None), node)
    if isinstance(test, Within):
        test.count = name
    gast.copy_location(test, node)
    body = [Turn(node.target, name, item), *node.body]
    loop = gast.copy_location(gast.While(test, body, node.orelse), node)
    _lower_loop(state, loop, None)


def lower_while(state: Lowering, node: Any) -> None:
    _lower_loop(state, node, None)


def _check_iterable(state: Lowering, iterable: Atom, node: Any) -> None:
    fact = iterable.fact
    if facts.defined(fact) == facts.OBJECT:
        raise NotYetSupported(
            "iterating over what may be objects of several classes", state.place(node.iter)
        )
    if isinstance(fact, facts.Scalar):
        raise NotYetSupported("iterating over a number", state.place(node.iter))
    if isinstance(fact, facts.Opaque) and fact.kind not in ("range", "str"):
        raise NotYetSupported(
            f"iterating over a {fact.kind}", state.place(node.iter), "loop over a range or a list"
        )


def _lower_loop(state: Lowering, node: Any, iterable: Atom | None) -> None:
    env = state.frame.env
    saved = {flag: env.get(flag, FALSE) for flag in FLAGS}
    env.update({"%go": TRUE, "%left": FALSE, "%broke": FALSE})
    names = _carried_names(node)
    for name in names:
        if name in env:
            env[name] = fresh_or_conflict(state, env[name], node)
    mark, serial = facts.fresh_size().base, ir.next_serial()
    turning = Turning(state, node, serial)
    names = turning.enter([n for n in names if not _stays_bound(n, env, node)])
    before = state.scope()
    entering = {n: before.get(n, ir.UNDEFINED) for n in names}
    lost = {n: binding for n, binding in entering.items() if isinstance(binding, Conflict)}
    learnt = state.learnt.next_loop(node)
    first = {
        n: learnt.widened(n, _first_guess(binding))
        for n, binding in entering.items() if n not in lost
    }  # fmt: skip
    plan = _Plan(node, iterable, before, dict(first), serial, learnt, turning, lost)
    plan.indexed = state.turns_names and _has_items_apart(state, iterable)
    for attempt in itertools.count():
        mingled = len(state.mingled)
        trial = _tried(state, plan)
        joined = {n: _joined(before, n, trial.env, guess) for n, guess in plan.guesses.items()}
        changed = [
            name
            for name, guess in plan.guesses.items()
            if trial.exposed(name) and not _covers(guess, joined[name], mark)
        ]
        for name in changed:
            plan.guesses[name] = joined[name] if attempt < _ATTEMPTS - 2 else _widest(joined[name])
        news = _learn_of_cells(plan, trial)
        news |= _learn_of_memory(state, plan, trial, changed)
        news |= any(buffer.root.serial < serial for buffer in state.mingled[mingled:])
        news |= _lose_names(plan, trial)
        news |= _learn_of_turns(plan)
        if not news and not changed:
            break
        assert attempt < _MOST_ATTEMPTS
    learnt.note(first, plan.guesses)
    _append_loop(state, plan, trial, joined, mark)
    turning.bind(state.frame.env)
    after_loop(state, node, saved)


@dataclass(eq=False, slots=True)
class _Plan:
    """What is known of a loop so far: it grows until a lowering of the body finds nothing new."""

    node: Any
    iterable: Atom | None
    before: Environment
    guesses: dict[Any, Fact]
    """The fact of each name, and of each buffer that the body writes into, at its start."""

    serial: int
    learnt: Learnt
    turning: Turning
    lost: dict[Any, Conflict] = field(default_factory=dict)
    """Names that cannot be read when the loop begins, buffers that cannot after an iteration."""

    sharing: Sharing = field(default_factory=Sharing)
    indexed: bool = False
    """Whether the body writes into what the loop runs over: then it reads each item anew."""

    writes: bool = False
    """Whether the body writes at all: then what each name shares is noted before it does."""


def _learn_of_turns(plan: _Plan) -> bool:
    """Note what further arrays names may be, or that they are something else; whether there are
    any such."""
    given_up = plan.turning.give_up()
    for name in given_up:
        del plan.guesses[place_name(name)]
        plan.guesses[name] = _first_guess(plan.before[name])
    return bool(given_up) or plan.turning.news


def _learn_of_cells(plan: _Plan, trial: _Trial) -> bool:
    """Note which variables functions that the body calls write into; whether that is news."""
    new = [
        key for key, binding in trial.env.items()
        if isinstance(key, Cell) and key in plan.before and key not in plan.guesses
        and binding is not plan.before[key] and key not in plan.lost
    ]  # fmt: skip
    for key in new:
        entering = plan.before[key]
        if isinstance(entering, Conflict):
            plan.lost[key] = entering
        else:
            plan.guesses[key] = _first_guess(entering)
    return bool(new)


def _learn_of_memory(
    state: Lowering, plan: _Plan, trial: _Trial, changed: Sequence[Any]
) -> bool:
    """Note which buffers the body writes into and what names share; whether that is news.  Of
    those whose fact has `changed` the next lowering will tell: `[x]` that grows is then a list."""
    if not trial.writes:
        return _learn_of_containers(state, plan, trial, changed)
    written = list(written_around(state, plan.before, trial.env, plan.serial))
    if plan.iterable is not None and not plan.indexed:
        plan.indexed = not set(written).isdisjoint(_buffers_of_iterable(state, plan.iterable))
        if plan.indexed:
            return True
    new = [buffer for buffer in written if not _known(plan, trial, buffer)]
    for buffer in new:
        found = trial.env[buffer]
        if isinstance(found, Conflict):
            plan.lost[buffer] = found
            plan.guesses.pop(buffer, None)
        else:
            fresh_buffer(state, buffer, plan.node)  # the loop starts from it as it is now
            plan.before[buffer] = state.memory.get(buffer, buffer.root)
            plan.guesses[buffer] = _first_guess(plan.before[buffer])
    seen = observed(
        state, plan.before, trial.env, trial.buffers, plan.guesses, plan.serial, changed
    )
    sharing = plan.sharing.with_(seen)
    news = bool(new) or not sharing.same_as(plan.sharing)
    news |= _learn_of_items(state, plan, trial.env)
    news |= not plan.writes and any(
        may_alias(plan.guesses[name]) and isinstance(name, str) and not trial.exposed(name)
        for name in trial.carried
        if name in plan.guesses
    )
    plan.sharing, plan.writes = sharing, True
    return news


def _learn_of_items(state: Lowering, plan: _Plan, env: Environment) -> bool:
    """Note what a list whose length the loop changes may hold; whether that is news."""
    items = [
        item
        for key, guess in plan.guesses.items()
        if isinstance(key, Buffer) and not isinstance(guess, facts.STRUCTURES)
        for item in enlist_items(state, key, [env.get(key)])
    ]
    return any(item.root.serial < plan.serial for item in items)


def _learn_of_containers(
    state: Lowering, plan: _Plan, trial: _Trial, changed: Sequence[Any]
) -> bool:
    """Note which lists, dicts and objects the names share that a loop hands on without writing, so
    that a write behind it reaches all of them; whether that is news."""
    bound = (trial.env.get(name) for name in plan.guesses)
    held = (b.atom if isinstance(b, Carried) else b for b in bound)
    if not any(isinstance(a, Value) and any(containers_in(state, a)) for a in held):
        return False
    seen = observed(
        state, plan.before, trial.env, trial.buffers, plan.guesses, plan.serial, changed
    )
    before, plan.sharing = plan.sharing, plan.sharing.with_(seen)
    return not plan.sharing.same_as(before)


def _lose_names(plan: _Plan, trial: _Trial) -> bool:
    """Note which names cannot be read when an iteration begins, since the one before wrote into
    what they may share memory with: they may still be bound anew.  Whether that is news."""
    read = ir.free_values(trial.block)
    found = {
        name: binding
        for name in plan.guesses
        if isinstance(name, str) and name in trial.carried
        if not read.keys().isdisjoint(trial.carried[name].leaves)
        if isinstance(binding := trial.env.get(name), Conflict) and binding.reason == SHARED
    }
    plan.lost.update(found)
    for name in found:
        del plan.guesses[name]
    return bool(found)


def _known(plan: _Plan, trial: _Trial, buffer: Buffer) -> bool:
    if buffer in plan.lost:
        return True
    return buffer in plan.guesses and not isinstance(trial.env[buffer], Conflict)


def _buffers_of_iterable(state: Lowering, iterable: Atom) -> list[Buffer]:
    parts = ir.components(iterable, state.builder.definitions)
    return [buffer for part in behind(state, parts) for buffer in buffers_of(state, part)]


def _carried_names(node: Any) -> list[str]:
    targets = [node.target] if isinstance(node, gast.For) else [node.test]
    names = list(syntax.assigned_names([*targets, *node.body]))
    if syntax.contains(node.body, gast.Return):
        names += ["%returned", "%value"]
    if node.orelse or syntax.contains(node.body, gast.Return):
        names.append("%broke")
    return names


def _stays_bound(name: str, env: Environment, node: Any) -> bool:
    """Whether a name holds one array throughout the loop: `y += e` changes that, and binds a name
    anew only where it is a number."""
    found = env.get(name)
    fact = found.fact if isinstance(found, (Value, Carried)) else facts.UNKNOWN
    return (
        isinstance(fact, facts.Array)
        and (bool(fact.dims) or facts.is_point(fact))
        and name in syntax.augmented_names(node.body)
    )


def _widest(fact: Fact) -> Fact:
    return facts.OBJECT if facts.may_be_object(facts.defined(fact)) else facts.UNKNOWN


def _first_guess(binding: Binding) -> Fact:
    if isinstance(binding, Carried):
        return binding.fact
    if isinstance(binding, Conflict):
        return facts.UNDEFINED
    return facts.perhaps_numpy(without_values(fact_of(binding)))


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """One lowering of a loop body."""

    iterable: Atom | None
    item: Value | None
    carried: dict[Any, Carried]
    block: Block
    env: Environment
    go: Atom
    buffers: Buffers
    writes: bool

    def exposed(self, name: Any) -> bool:
        return self.carried[name].atom is not None


def _tried(state: Lowering, plan: _Plan) -> _Trial:
    """A lowering of the body; where an item was read after what the loop runs over was written
    into, one that reads each item anew."""
    try:
        return _lower_body(state, plan)
    except SharedMemory:
        if plan.iterable is None or plan.indexed or not _has_rows(state, plan.iterable):
            raise
        plan.indexed = True
        state.enter(plan.before)
    return _lower_body(state, plan)


def _has_rows(state: Lowering, iterable: Atom) -> bool:
    parts = ir.components(iterable, state.builder.definitions)
    return any(isinstance(p.fact, facts.Array) and (facts.rank(p.fact) or 0) > 1 for p in parts)


def _has_items_apart(state: Lowering, iterable: Atom | None) -> bool:
    """Whether a loop runs over a list of arrays that share no memory: then each that is read at its
    place in the list is a view of that."""
    parts = ir.components(iterable, state.builder.definitions) if iterable is not None else ()
    return any(
        isinstance(p.fact, facts.ListOf) and may_alias(p.fact.item) and isinstance(p, Value)
        and is_apart(state, home_of(state, p).buffer)
        for p in parts
    )  # fmt: skip


def _lower_body(state: Lowering, plan: _Plan) -> _Trial:
    buffers = Buffers(state, plan.sharing, plan.before)
    _learn_of_items(state, plan, plan.before)
    carried = {key: _carried(key, guess, buffers) for key, guess in plan.guesses.items()}
    before, written = plan.before, state.written
    state.enter({**before, **carried, **plan.lost, **_AT_START})
    iterable, item = _iteration(state, plan)

    def build() -> tuple[Atom, ...]:
        for key, entry in carried.items():
            shares = plan.writes and isinstance(key, str) and may_alias(entry.fact)
            if shares or isinstance(entry.fact, facts.STRUCTURES):
                carried_atom(state, entry)
        plan.turning.bind(state.frame.env)
        try:
            _lower_iteration(state, plan, item)
        except Unreachable:  # the test of a `while` raises
            mark_raised(state)
            state.frame.env["%go"] = FALSE
        plan.turning.note()
        for key in carried:
            if isinstance(key, Buffer):
                fresh_buffer(state, key, plan.node)
            else:
                table = state.table_of(key)
                table[key] = fresh_or_conflict(state, table[key], plan.node)
        return ()

    outer, state.frame.in_loop = state.frame.in_loop, True
    around, state.learnt = state.learnt, plan.learnt.restart()
    mark, state.iteration = state.iteration, ir.next_serial()
    state.loops += 1
    try:
        block = state.builder.collect(build)
    finally:
        state.loops -= 1
        state.frame.in_loop, state.learnt, state.iteration = outer, around, mark
    env = state.scope()
    go = settled(state, env["%go"])
    state.enter(before)
    assert not isinstance(go, Conflict)
    writes = state.written > written
    return _Trial(iterable, item, carried, block, env, go, buffers, writes)


def _carried(key: Any, guess: Fact, buffers: Buffers) -> Carried:
    if isinstance(key, Buffer):
        on_read = partial(buffers.make, key) if isinstance(guess, facts.STRUCTURES) else None
        return Carried(key.name, guess, key=key, on_read=on_read)
    return Carried(shown(key) or key, guess, key=key, on_read=partial(buffers.make, key))


def _iteration(state: Lowering, plan: _Plan) -> tuple[Atom | None, Value | None]:
    """What the loop runs over, and its item."""
    iterable = plan.iterable
    if iterable is None:
        return None, None
    if plan.indexed:
        parts = ir.components(iterable, state.builder.definitions)
        length, *others = (state.builder.op(len, (part,)) for part in parts)
        if others:
            length = state.builder.op(min, (length, *others))
        iterable = state.builder.op(range, (length,))
    item = Value("", infer.item_of_iterable(iterable))
    state.builder.sources[item] = (iterable,)
    return iterable, item


def _lower_iteration(state: Lowering, plan: _Plan, item: Value | None) -> None:
    node = plan.node
    if item is None:
        test = state.expression(node.test)
        lower_branches(state, test, node.body, [Stop()], node)
        return
    read = _read_item if plan.indexed else _row
    bind(state, node.target, read(state, plan, item))
    lower_statements(state, node.body)


def _row(state: Lowering, plan: _Plan, item: Value) -> Atom:
    """The item of a loop: of `zip` a tuple of its parts, which have names of their own."""
    assert plan.iterable is not None
    if not isinstance(plan.iterable.fact, facts.Zip):
        return item
    places = range(len(plan.iterable.fact.sources))
    parts = [state.builder.op(operator.getitem, (item, Const(k))) for k in places]
    return state.builder.op(ir.make_tuple, parts)


def _read_item(state: Lowering, plan: _Plan, index: Value) -> Atom:
    """The item as it is now, where the body writes into what the loop runs over."""
    assert plan.iterable is not None
    parts = [
        state.builder.op(operator.getitem, (fresh(state, part, plan.node), index))
        for part in ir.components(plan.iterable, state.builder.definitions)
    ]
    if isinstance(plan.iterable.fact, facts.Zip):
        return state.builder.op(ir.make_tuple, parts)
    return parts[0]


class Stop:
    """A pseudo statement: the test of a `while` has failed."""


def lower_stop(state: Lowering, node: Any) -> None:
    state.frame.env["%go"] = FALSE


def _joined(
    before: Environment, name: Any, env: Environment, guess: Fact
) -> Fact:
    """What the name may be at the start of an iteration or after the loop."""
    entering = _first_guess(before.get(name, _missing(name)))
    leaving = env.get(name, _missing(name))
    if isinstance(leaving, Carried):
        return facts.inward(facts.join(guess, entering))
    if isinstance(leaving, Conflict):
        return facts.UNKNOWN
    joined = facts.join(facts.join(guess, entering), without_values(fact_of(leaving)))
    # What a branch has put together is one value, whose items cannot be read where it has none.
    is_whole = isinstance(leaving, Value) and isinstance(leaving.fact, facts.Maybe)
    return joined if is_whole else facts.inward(joined)


def _missing(name: Any) -> Binding:
    """What a name holds, or a buffer, of which nothing is noted."""
    return name.root if isinstance(name, Buffer) else ir.UNDEFINED


def _covers(guess: Fact, found: Fact, mark: int) -> bool:
    """Whether the guess holds for `found`: lengths made inside the loop stand for any."""
    def forget(dim: facts.Dim) -> facts.Dim:
        inside = isinstance(dim, facts.Size) and dim.base >= mark
        return facts.Size(0, varies=dim.varies) if inside else dim  # type: ignore[union-attr]

    return map_sizes(guess, forget) == map_sizes(found, forget)


def _append_loop(
    state: Lowering, plan: _Plan, trial: _Trial, joined: dict[Any, Fact], mark: int
) -> None:
    before, node = plan.before, plan.node
    kept, conflicts = _carriable(state, node, before, trial, joined)
    params: list[Value] = []
    inits: list[Atom] = []
    nexts: list[tuple[Atom, Fact]] = []
    rebuilt: list[tuple[Any, Fact, list[Value]]] = []
    for name in kept:
        carried, fact = trial.carried[name], joined[name]
        leaving = settled(state, trial.env[name])  # before it is asked whether it was read
        carried_leaves = carried.leaves if trial.exposed(name) else _leaf_values(name, fact)
        carried_leaves = [_settled_leaf(leaf, fact) for leaf in carried_leaves]
        entering = settled(state, before.get(name, _missing(name)))
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
            tuple(results), trial.iterable, trial.item, tuple(inits), tuple(params), body, exits,
            state.place(node),
        )
    )  # fmt: skip
    if not trial.writes:
        exchange_sources(state, params, results, tuple(zip(inits, body.results[exits:])))
    leaves = iter(results)
    buffers = Buffers(state, plan.sharing, plan.before)
    for name, fact, own in rebuilt:
        part = list(itertools.islice(leaves, len(own)))
        value = rebuild(state, fact, iter(part))
        if isinstance(name, Buffer):
            adopt(state, name, value)
        else:
            state.table_of(name)[name] = value
        if isinstance(name, str) or isinstance(fact, facts.STRUCTURES):
            buffers.make(name, part if trial.writes else (), value)
    tie_results(state, buffers, trial.env, {name: fact for name, fact, _ in rebuilt})
    for name, conflict in {**conflicts, **plan.lost}.items():
        state.table_of(name)[name] = conflict


def _settled_leaf(leaf: Value, fact: Fact) -> Value:
    return leaf if not isinstance(leaf.fact, facts.Undefined) else Value(leaf.name, fact)


def _carriable(
    state: Lowering,
    node: Any,
    before: Environment,
    trial: _Trial,
    joined: dict[Any, Fact],
) -> tuple[list[Any], dict[Any, Binding]]:
    """The names and buffers that the loop can carry; the others cannot be read after it."""
    kept: list[Any] = []
    conflicts: dict[Any, Binding] = {}
    for name in joined:
        leaving = trial.env.get(name, _missing(name))
        entering = before.get(name, _missing(name))
        functions = _compile_time(leaving) or _compile_time(entering)
        carried = trial.exposed(name) or entering is not ir.UNDEFINED
        if functions and carried and exists_at_run_time(leaving) and exists_at_run_time(entering):
            functions = False
        if functions or isinstance(entering, Conflict):
            _refuse_lost(state, node, trial, name)
            conflicts[name] = Conflict(
                name, state.place(node), "a function or module that the loop binds anew"
            )
        elif isinstance(leaving, Conflict):
            if _reads(trial, name):
                raise NotYetSupported(
                    f"what the loop leaves in `{shown(name)}`: {leaving.reason}",
                    leaving.place,
                    "bind the name to one kind of thing on every path; copy an array before it "
                    "is written into",
                )
            conflicts[name] = leaving
        elif not (leaving is ir.UNDEFINED and entering is ir.UNDEFINED):
            kept.append(name)
    return kept, conflicts


def _reads(trial: _Trial, name: Any) -> bool:
    """Whether the body reads what the loop hands on under a name."""
    return not ir.free_values(trial.block).keys().isdisjoint(trial.carried[name].leaves)


def _refuse_lost(state: Lowering, node: Any, trial: _Trial, name: Any) -> None:
    if _reads(trial, name):
        raise NotYetSupported(
            f"a nested function or method that the loop hands on as `{shown(name)}`",
            state.place(node), "use functions of the module",
        )  # fmt: skip


def _compile_time(binding: Binding) -> bool:
    if not isinstance(binding, Const) or binding is ir.UNDEFINED:
        return False
    return exists_at_compile_time(binding.value)


def _leaf_values(name: str, fact: Fact) -> list[Value]:
    if isinstance(fact, facts.STRUCTURES):
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
            return replace(facts.fresh_size(dim.plural), varies=dim.varies)
        return dim

    return map_sizes(fact, of)
