"""Joining the environments of two branches.

Names that hold the same on both sides stay as they are; for the others the `If` has a result.
A tuple of the same structure on both sides is joined item by item, so that it stays dissolved.
Where one side has returned, nobody reads its names any more: they are as the other side left
them, and undefined on the side that returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tangent_like import facts, ir
from tangent_like.build import fact_of
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.brought import brought_along, moved_out
from tangent_like.frontend.chosen import After, note_choices, tests_made_inside
from tangent_like.frontend.function_choices import Test, pairs_of_tests, with_choices
from tangent_like.frontend.homes import (
    buffers_of,
    enlist_alike,
    enlist_items,
    link,
    may_alias,
    may_share,
    tie,
)
from tangent_like.frontend.leaves import (
    count_leaves,
    rebuild,
    shared_structure,
    whole_structure,
    with_leaves,
)
from tangent_like.frontend.live import is_live
from tangent_like.frontend.memory import (
    SHOWN,
    carried_atom,
    fresh_buffer,
    fresh_or_conflict,
    is_refreshed,
)
from tangent_like.frontend.run_time_functions import exists_at_run_time, holds_function
from tangent_like.frontend.scope import (
    Binding,
    Buffer,
    Carried,
    Cell,
    Choice,
    Conflict,
    Environment,
    Home,
)
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Block, Const
from tangent_like.records import display_of
from tangent_like.trees import item


def join_environments(
    state: Lowering,
    test: Atom,
    then: Block,
    then_env: Environment,
    orelse: Block,
    else_env: Environment,
    before: Environment,
    mark: int,
    node: Any,
) -> Environment:
    """Append the `If` and return the environment after it.

    Values made before the branches have serial numbers below `mark`; buffers of values that one
    branch made are not there after it.
    """
    then, then_env = _at_end(state, then, then_env, else_env, mark, node)
    orelse, else_env = _at_end(state, orelse, else_env, then_env, mark, node)
    found = _Sorted()
    then_left, else_left = (_has_returned(env) for env in (then_env, else_env))
    kept = _kept_names(state, then_env if then_left else else_env)
    for name in {**then_env, **else_env}:
        sides = _sides(state, name, then_env, else_env, before, mark)
        if sides is None:
            continue
        sides = _steady(state, sides, node)
        side = None
        if isinstance(name, str):
            side = _side_that_counts(name, *sides, then_left, else_left, kept)
        if not _counts_alone(found, name, sides, side, before):
            _sort(state, found, name, sides, node)
        elif side is not None and isinstance(made := found.joined.get(name), Const):
            _hold(state, found, name, side, made, mark, node)
    then, orelse = _values_returned(state, found, (then, orelse), (then_env, else_env))
    after = After(mark, found.joined, (then_env, else_env))
    tests = {row[0]: row for row in tests_made_inside(state, found.pairs, mark)}
    tests |= {row[0]: row for row in pairs_of_tests(found.chosen, mark)}
    rows = [*found.pairs, *tests.values()]
    brought = _brought_out(state, found, mark, node)
    numbered = enumerate(brought.items())
    alone = [*found.alone, *((f"%{k}", value, side) for k, (value, side) in numbered)]
    found.joined.update(join_pairs(state, test, then, orelse, rows, alone, after))
    table = {value: found.joined.pop(f"%{k}") for k, value in enumerate(brought)}
    chosen = {
        name: (moved_out(state, left, table), moved_out(state, right, table))
        for name, (left, right) in found.chosen.items()
    }
    found.joined.update({n: moved_out(state, f, table) for n, (_, f) in found.held.items()})
    return with_choices(found.joined, test, chosen)


def _hold(
    state: Lowering, found: _Sorted, name: str, side: int, made: Const, mark: int, node: Any
) -> None:
    """Sort what may be a function with values of the only side that is read."""
    brought = brought_along(state, made, mark)
    if any(_must_stay(state, value) for value in brought):
        reason = "a function made in a branch holds what was made there"
        found.joined[name] = Conflict(name, state.place(node), reason)
    elif brought:
        del found.joined[name]
        found.held[name] = side, made


def _brought_out(
    state: Lowering, sorted_: _Sorted, mark: int, node: Any
) -> dict[ir.Value, int]:
    """The values of a branch that functions made there hold, each with its side."""
    sides = [(side, pair[side]) for pair in sorted_.chosen.values() for side in (0, 1)]
    sides += sorted_.held.values()
    found = {v: side for side, made in sides for v in brought_along(state, made, mark)}
    if any(_must_stay(state, value) for value in found):
        raise NotYetSupported(
            "a function made in a branch with an array, list, object or function made there",
            state.place(node), "make the function before the branch, or call it inside",
        )  # fmt: skip
    return found


def _must_stay(state: Lowering, value: ir.Value) -> bool:
    """Whether what a branch made may change, or is no value of generated code."""
    return _may_change(state, value.fact) or holds_function(state, value)


def _may_change(state: Lowering, fact: facts.Fact) -> bool:
    if isinstance(fact, (facts.Tuple, facts.Maybe)):
        inner = fact.items if isinstance(fact, facts.Tuple) else (fact.fact,)
        return any(_may_change(state, part) for part in inner)
    if isinstance(fact, facts.Array):
        return bool(state.written) and may_alias(fact)
    return not isinstance(fact, (facts.Scalar, facts.Opaque))




@dataclass(slots=True)
class _Sorted:
    """What names and buffers hold after two branches: the same as before or on both sides
    (`joined`), one of two values (`pairs`), that of one side (0 or 1) which is the only one that
    is read (`alone`), one of two functions (`chosen`), the function of the only side that is
    read, which holds what that side made (`held`)."""

    joined: Environment = field(default_factory=dict)
    pairs: list[tuple[Any, Atom, Atom]] = field(default_factory=list)
    alone: list[tuple[str, Atom, int]] = field(default_factory=list)
    chosen: dict[Any, tuple[Const, Const]] = field(default_factory=dict)
    held: dict[Any, tuple[int, Const]] = field(default_factory=dict)


_Sides = tuple[Binding, Binding]


def _sides(
    state: Lowering, name: Any, then_env: Environment, else_env: Environment,
    before: Environment, mark: int,
) -> _Sides | None:  # fmt: skip
    """What a name or buffer holds at the end of either branch; None for a buffer of a value that
    a branch made."""
    if not isinstance(name, Buffer):
        return then_env.get(name, ir.UNDEFINED), else_env.get(name, ir.UNDEFINED)
    if name.root.serial >= mark:
        return None
    old = before.get(name, name.root)
    sides = then_env.get(name, old), else_env.get(name, old)
    return (old, old) if all(is_refreshed(state, old, side) for side in sides) else sides


def _steady(state: Lowering, sides: _Sides, node: Any) -> _Sides:
    """The sides, where they differ, without what shows others: it would show them no longer."""
    if sides[0] is sides[1] or not any(is_live(state, side) for side in sides):
        return sides
    conflict = Conflict("", state.place(node), SHOWN)
    left, right = (conflict if is_live(state, side) else side for side in sides)
    return left, right


def _counts_alone(
    found: _Sorted, name: Any, sides: _Sides, side: int | None, before: Environment
) -> bool:
    """Sort what is the same on both sides, or is read of one side only; False for the rest."""
    if sides[0] is sides[1] or same_constant(*sides):
        found.joined[name] = sides[0]
        return True
    if side is None:
        return False
    live, other = sides[side], sides[1 - side]
    if _stays(live, before.get(name)):
        found.joined[name] = live
        return True
    if isinstance(live, ir.Value) and not _alike(live, other):
        found.alone.append((name, live, side))
        return True
    return False


def _sort(state: Lowering, found: _Sorted, name: Any, sides: _Sides, node: Any) -> None:
    """Sort what both sides leave, and differently."""
    left, right = (settled(state, side) for side in sides)
    if isinstance(left, Conflict) or isinstance(right, Conflict):
        found.joined[name] = left if isinstance(left, Conflict) else right
    elif left is right or same_constant(left, right):
        found.joined[name] = left
    elif choosable(left, right):
        found.chosen[name] = left, right  # type: ignore[assignment]
    elif not joinable(left, right):
        reason = "the branches bind different things"
        found.joined[name] = Conflict(name, state.place(node), reason)
    else:
        found.pairs.append((name, left, right))


def _values_returned(
    state: Lowering, found: _Sorted, blocks: tuple[Block, Block],
    envs: tuple[Environment, Environment],
) -> tuple[Block, Block]:  # fmt: skip
    """The branches with what each returns, or leaves in a name, as a whole, where the two are of
    different structure."""
    then, orelse = blocks
    for k, (name, left, right) in enumerate(found.pairs):
        if not _share_items(fact_of(left), fact_of(right)):
            then, left = _as_whole(state, then, envs[0], name, left)
            orelse, right = _as_whole(state, orelse, envs[1], name, right)
            found.pairs[k] = name, left, right
    return then, orelse


def _share_items(left: facts.Fact, right: facts.Fact) -> bool:
    """Whether two structures dissolve into the same items, which may be unbound one by one."""
    if not isinstance(left, facts.STRUCTURES) or not isinstance(right, facts.STRUCTURES):
        return not any(isinstance(fact, facts.STRUCTURES) for fact in (left, right))
    shared = shared_structure(left, right) is not None
    return shared and all(map(_share_items, left.items, right.items))


def _at_end(
    state: Lowering, block: Block, own: Environment, other: Environment, mark: int, node: Any
) -> tuple[Block, Environment]:
    """A branch in which what the other one leaves otherwise is as it is at the end."""
    if not state.written:
        return block, own
    outer = state.scope()
    state.enter(own)
    unwritten = {k: k.root for k in other if isinstance(k, Buffer) and k.root.serial < mark}

    def build() -> tuple[Atom, ...]:
        for key, binding in {**unwritten, **own}.items():
            if other.get(key) is binding:
                continue
            if isinstance(key, Buffer):
                fresh_buffer(state, key, node)
            else:
                state.table_of(key)[key] = fresh_or_conflict(state, binding, node)
        return ()

    extra = state.builder.collect(build)
    found = state.scope()
    state.enter(outer)
    return Block(block.statements + extra.statements, block.results), found


def _has_returned(env: Environment) -> bool:
    returned = env.get("%returned")
    return isinstance(returned, Const) and returned.value is True


def _as_whole(
    state: Lowering, block: Block, env: Environment, name: Any, value: Atom
) -> tuple[Block, Atom]:
    """What a path returns, put together where it has returned, or what it leaves in a name, put
    together where it goes on: its items are unbound elsewhere."""
    unbound = [leaf for leaf in facts.leaves(fact_of(value)) if isinstance(leaf, facts.Maybe)]
    if not unbound or not isinstance(fact_of(value), facts.STRUCTURES):
        return block, value
    is_result = name == "%value"
    flag = env.get("%returned" if is_result else "%left", ir.Const(is_result))
    if not is_result and (isinstance(flag, Const) or not all(leaf.certain for leaf in unbound)):
        return block, value
    assert isinstance(flag, (ir.Value, ir.Const))

    def made() -> list[Atom]:
        return [_put_together(state, value)]

    then, orelse = (made, lambda: [ir.UNDEFINED])[:: 1 if is_result else -1]
    extra = state.builder.collect(lambda: state.builder.branch(flag, then, orelse))
    return Block(block.statements + extra.statements, block.results), extra.results[0]


def _put_together(state: Lowering, value: Atom) -> Atom:
    fact = value.fact
    if isinstance(fact, facts.Maybe):
        return state.builder.op(ir.live, (value,))
    if not isinstance(fact, facts.STRUCTURES):
        return value
    items = [item(state.builder, value, i) for i in range(len(fact.items))]
    made = state.builder.op(display_of(fact), [_put_together(state, part) for part in items])
    tie(state, made, [value])
    return made


def _side_that_counts(
    name: str, a: Binding, b: Binding, then_left: bool, else_left: bool, kept: frozenset[str]
) -> int | None:
    """The side (0 or 1) whose binding alone is ever read: what a path returns where the other
    goes on, and every other name where the other path has returned."""
    if name == "%value" and ir.UNDEFINED in (a, b):
        return 0 if b is ir.UNDEFINED else 1
    if then_left == else_left or name in kept or name.startswith("%"):
        return None
    return 1 if then_left else 0


def _kept_names(state: Lowering, env: Environment) -> frozenset[str]:
    """The names that are read even when the function has returned: by a function that it
    returned."""
    value = env.get("%value", ir.UNDEFINED)
    if isinstance(value, (ir.Value, Const)):
        if any(leaf == facts.Opaque("function") for leaf in facts.leaves(fact_of(value))):
            return state.frame.captured | state.frame.read_late
    return state.frame.read_late


def _stays(live: Binding, before: Binding | None) -> bool:
    """Whether what a name holds on the side that goes on also exists around the `If`."""
    return live is before or (isinstance(live, Const) and live is not ir.UNDEFINED)


def _alike(live: ir.Value, dead: Binding) -> bool:
    """Whether a result of the `If` loses nothing when the side that has returned takes part."""
    if not isinstance(dead, (ir.Value, Const)) or isinstance(live.fact, _SEQUENCES):
        return False
    def forget(dim: facts.Dim) -> facts.Dim:
        return facts.Size(0, varies=isinstance(dim, facts.Size) and dim.varies)

    known, joined = (
        facts.map_sizes(facts.without_values(fact), forget)
        for fact in (live.fact, facts.join(live.fact, fact_of(dead)))
    )
    return known == joined


_SEQUENCES = facts.STRUCTURES


def _of_hidden(name: str) -> str:
    kind, _, of = name.partition(" ")
    return f"{of}_place" if kind == "%place" else ""


def shown(name: Any) -> str:
    """The name under which a reader sees one of the flags, or a buffer."""
    if isinstance(name, Buffer):
        return name.name
    if isinstance(name, Test):
        return "test"
    if isinstance(name, Cell):
        return name.name
    return {"%value": "result", "%returned": "returned", "%broke": "broke"}.get(
        name, _of_hidden(name) if name.startswith("%") else name
    )


def settled(state: Lowering, binding: Binding) -> Atom | Conflict:
    return carried_atom(state, binding) if isinstance(binding, Carried) else binding


def same_constant(a: Binding, b: Binding) -> bool:
    if not (isinstance(a, Const) and isinstance(b, Const)):
        return False
    x, y = a.value, b.value
    if type(x) is not type(y):
        return False
    if isinstance(x, (bool, int, str, type(None), float, complex)):
        return repr(x) == repr(y)
    return x is y


def choosable(a: Atom, b: Atom) -> bool:
    """Two functions: which one it is can be decided where it is called."""
    return all(
        isinstance(x, Const) and x is not ir.UNDEFINED and callable(x.value) for x in (a, b)
    )


def joinable(a: Atom, b: Atom) -> bool:
    """Whether both exist in generated code, as one value that may be either."""
    if not (exists_at_run_time(a) and exists_at_run_time(b)):
        return False
    return not any(isinstance(x, Const) and isinstance(x.value, Choice) for x in (a, b))


def join_pairs(
    state: Lowering,
    test: Atom,
    then: Block,
    orelse: Block,
    pairs: Sequence[tuple[Any, Atom, Atom]],
    alone: Sequence[tuple[str, Atom, int]] = (),
    after: After | None = None,
) -> Environment:
    """The `If` with a result for each leaf of the pairs, and what each name, and each buffer of a
    result, holds after it.

    In `alone` are names that only one side (0 or 1) defines, and that are read only after it.
    """
    structures = [shared_structure(fact_of(a), fact_of(b)) for _, a, b in pairs]
    structures += [whole_structure(atom.fact) for _, atom, _ in alone]
    lefts = [a for _, a, _ in pairs] + [ir.UNDEFINED if side else a for _, a, side in alone]
    rights = [b for _, _, b in pairs] + [b if side else ir.UNDEFINED for _, b, side in alone]
    then = with_leaves(state, then, list(zip(lefts, structures)))
    orelse = with_leaves(state, orelse, list(zip(rights, structures)))
    bound = [name for name, _, _ in pairs] + [name for name, _, _ in alone]
    owners = [
        (name, structure)
        for name, structure in zip(bound, structures)
        for _ in range(count_leaves(structure))
    ]
    names = [shown(name) if structure is None else "" for name, structure in owners]
    results = state.builder.join(test, then, orelse, names)
    live = (leaf for _, atom, _ in alone for leaf in facts.leaves(atom.fact))
    for result, fact in zip(results[sum(map(count_leaves, structures[: len(pairs)])) :], live):
        assert isinstance(result, ir.Value)
        if isinstance(fact, facts.Maybe):
            continue
        if isinstance(result.fact, facts.Maybe):
            result.fact = facts.Maybe(result.fact.fact, True)
    remaining = iter(results)
    environment: Environment = {
        name: rebuild(state, structure, remaining) for name, structure in zip(bound, structures)
    }
    for name, value in list(environment.items()):
        if isinstance(name, Buffer) and isinstance(value, ir.Value):
            state.homes[value] = Home(name, (), value)
    made_of = [(name, [a, b]) for name, a, b in pairs] + [(name, [a]) for name, a, _ in alone]
    for name, sources in made_of:
        value = environment[name]
        assert isinstance(value, Atom)
        tie(state, value, sources)
        if isinstance(name, Buffer) and not isinstance(value.fact, facts.STRUCTURES):
            enlist_items(state, name, sources)
    arrays = [
        (result, [set(buffers_of(state, source)) for source in sources])
        for (name, whole), result, *sources in zip(owners, results, then.results, orelse.results)
        if isinstance(result, ir.Value)
        and may_alias(result.fact)
        and (isinstance(name, str) or whole is not None)
    ]
    environment.update(_buffers(state, arrays))
    if after is not None:
        rows = list(zip(results, then.results, orelse.results))
        held = {**after.joined, **environment}
        found = After(after.mark, held, after.sides)
        environment.update(note_choices(state, test, rows, found))
    return environment


def _buffers(
    state: Lowering, arrays: Sequence[tuple[ir.Value, list[set[Buffer]]]]
) -> dict[Buffer, ir.Value]:
    """The buffers of results, tangled with those of what each may be; with one another only if
    they may be the same after the same branch."""
    made: dict[Buffer, list[set[Buffer]]] = {}
    for result, sides in arrays:
        buffer = Buffer(result)
        for source in set[Buffer]().union(*sides):
            for other in (source, *source.tangled):
                if other not in made:
                    link(buffer, other)
        for other, theirs in made.items():
            if any(may_share(a, b) for a, b in zip(sides, theirs)):
                link(buffer, other)
        enlist_alike(state, buffer, set[Buffer]().union(*sides))
        made[buffer] = sides
        state.homes[result] = Home(buffer, (), result)
    return {buffer: buffer.root for buffer in made}
