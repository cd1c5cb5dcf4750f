"""Solutions of dy/dt = f(y, t, a), differentiated by differential equations.

    forward mode   d(dy)/dt = f_y dy + f_a da        integrated together with y
    reverse mode   dw/dt = -w f_y,  dm/dt = -w f_a   integrated backwards together with y

w starts as the cotangent of the last state, and takes up that of each state that it passes; at
the start it is the cotangent of y0, and m those of a (Pontryagin et al., 1962; Chen et al.,
2018, for the form with y).  y is set to its saved states on the way.  Each of these is a
trajectory again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tangent_like import facts, infer, ir, trees
from tangent_like.build import Builder
from tangent_like.errors import NotYetSupported
from tangent_like.facts import Array, Fact
from tangent_like.implicit.closures import derived, function_of, pattern_of
from tangent_like.implicit.equations import contribute, may_be_active
from tangent_like.ir import Atom, Block, Const, Function, Op, Procedure, Value
from tangent_like.request import Request
from tangent_like.rules import registry
from tangent_like.rules.fitting import fit_tree
from tangent_like.rules.symbolic import Symbolic, apply, lower
from tangent_like.solvers import flow, trajectory
from tangent_like.sweep import Sweep
from tangent_like.tangent import Push
from tangent_like.transform import forward, joint
from tangent_like.trees import Tree

Pattern = tuple[bool, ...]


def _symbol(builder: Builder, atom: Atom) -> Any:
    """An atom whose operators append to the builder."""
    return Symbolic(builder, atom)


def vector() -> Fact:
    return Array("float64", (facts.fresh_size(),))


# --- the systems that are integrated --------------------------------------------------------------


def tangent_system(procedure: Procedure, pattern: Pattern) -> Procedure:
    """(f, f_y dy + f_a da) as a procedure of ((y, dy), t, *args, *da)."""

    def make() -> tuple[str, list[Value], Block]:
        function = function_of(procedure)
        moving = [0, *(i + 2 for i, active in enumerate(pattern) if active)]
        pushed = forward(function, moving)
        y, *rest = pushed.params[: len(function.params)]
        dy, *tangents = pushed.params[len(function.params) :]
        builder = Builder(pushed.place, derivative=True)
        z = Value(trees.free_name("z", {p.name for p in pushed.params}), vector())
        both = _symbol(builder, z)
        half = both.shape[0] // 2
        parts = {y: both[:half].atom, dy: both[half:].atom}
        found = spliced(builder, pushed, parts)
        rates = [_symbol(builder, trees.at(builder, found, (i,))) for i in range(2)]
        return "tangent", [z, *rest, *tangents], ended(builder, apply(np.concatenate, rates))

    return derived(procedure, ("tangent", pattern), make)


def adjoint_system(procedure: Procedure, pattern: Pattern) -> Procedure:
    """(f, -w f_y, -w f_a) as a procedure of ((y, w, m), t, *args)."""

    def make() -> tuple[str, list[Value], Block]:
        function = function_of(procedure)
        moving = (0, *(i + 2 for i, active in enumerate(pattern) if active))
        (result,) = function.body.results
        w = Value("w", result.fact)
        seeded = ir.Function(function.name, (*function.params, w), function.body, function.place)
        pulled = joint(seeded, Request("vjp", moving, single=False), [w], True)
        builder = Builder(pulled.place, derivative=True)
        y, t, *args = function.params
        z = Value(trees.free_name("z", {p.name for p in pulled.params}), vector())
        whole = _symbol(builder, z)
        chosen = [_symbol(builder, a) for a, active in zip(args, pattern, strict=True) if active]
        size = (whole.shape[0] - sum(map(_size, chosen))) // 2
        found = spliced(builder, pulled, {y: whole[:size].atom, w: whole[size : 2 * size].atom})
        rate, pulls = (trees.at(builder, found, (i,)) for i in range(2))
        parts = [trees.at(builder, pulls, (i,)) for i in range(len(moving))]
        backwards = [-np.ravel(_symbol(builder, part)) for part in parts]
        rates = apply(np.concatenate, [_symbol(builder, rate), *backwards])
        return "adjoint", [z, t, *args], ended(builder, rates)

    return derived(procedure, ("adjoint", pattern), make)


def adjoint_sweep(procedure: Procedure, pattern: Pattern, options: dict[str, Atom]) -> Procedure:
    """The cotangents of y0 and the active arguments, as a procedure of (y, t, g, *accuracy, *args),
    where `accuracy` has the options that are known at run time only.

    Row by row from the last one, w and m are integrated from each time to the one before it.
    """
    system = Const(adjoint_system(procedure, pattern))

    def make() -> tuple[str, list[Value], Block]:
        builder = Builder(function_of(procedure).place, derivative=True)
        rows = Array("float64", (facts.fresh_size(), facts.fresh_size()))
        y, g = Value("y", rows), Value("g", rows)
        t = Value("t", vector())
        own = {key: Value(key, atom.fact) for key, atom in _given(options).items()}
        args = [Value(p.name, p.fact) for p in function_of(procedure).params[2:]]
        packed = builder.op(ir.make_tuple, args)
        chosen = [_symbol(builder, a) for a, active in zip(args, pattern, strict=True) if active]
        states, cotangents, times = (_symbol(builder, x) for x in (y, g, t))
        start = builder.op(np.zeros, (lower(builder, sum(map(_size, chosen))),))
        w, m = Value("w", vector()), Value("m", vector())
        i = Value("i", facts.INT)
        steps = lower(builder, apply(range, states.shape[0] - 1, 0, -1))
        size = states.shape[1]

        def build() -> Sequence[Atom]:
            k = _symbol(builder, i)
            ends = np.flip(times[k - 1 : k + 1])
            z = apply(np.concatenate, [states[k], _symbol(builder, w), _symbol(builder, m)])
            back = builder.op(flow, (system, z.atom, ends.atom, packed), {**options, **own})
            last = _symbol(builder, back)[-1]
            return [(last[size : 2 * size] + cotangents[k - 1]).atom, last[2 * size :].atom]

        inits = (cotangents[-1].atom, start)
        found = builder.loop(steps, i, inits, (w, m), build)
        parts = _parted(_symbol(builder, found[1]), chosen)
        whole = (_symbol(builder, found[0]), *parts)
        return "sweep", [y, t, g, *own.values(), *args], ended(builder, whole)

    fixed = tuple((k, x.value if isinstance(x, Const) else None) for k, x in options.items())
    return derived(procedure, ("sweep", pattern, fixed), make)


def _given(options: dict[str, Atom]) -> dict[str, Value]:
    """The options that are known at run time only."""
    return {key: atom for key, atom in options.items() if isinstance(atom, Value)}


def _size(x: Any) -> Any:
    return 1 if facts.rank(x.fact) == 0 else np.size(x)


def _parted(m: Any, like: Sequence[Any]) -> list[Any]:
    """The vector m cut into the shapes of what it belongs to."""
    found, start = [], 0
    for x in like:
        part = m[start : start + _size(x)]
        found.append(part[0] if facts.rank(x.fact) == 0 else np.reshape(part, np.shape(x)))
        start = start + _size(x)
    return found


def spliced(builder: Builder, function: Function, table: dict[Value, Atom]) -> Atom:
    """Append the body of a function with some parameters replaced; its result."""
    body = ir.refreshed(function.body, dict(table))
    for statement in body.statements:
        builder.append(statement)
    (result,) = body.results
    return result


def ended(builder: Builder, result: Any) -> Block:
    return builder.finish((lower(builder, result),))


# --- the rules ------------------------------------------------------------------------------------


def _operands(builder: Builder, op: Op) -> tuple[Procedure, list[Atom]]:
    system, args = op.args[0], op.args[3]
    assert isinstance(system, Const)
    count = len(function_of(system.value).params) - 2
    return system.value, [trees.at(builder, args, (i,)) for i in range(count)]


def _options(op: Op) -> dict[str, Atom]:
    return dict(op.keywords)


def _times(op: Op) -> tuple[Atom, ...]:
    """The operands that decide the times."""
    return (op.args[2], *op.args[5:])


def _refuse_times(op: Op, active: bool) -> None:
    if active:
        raise NotYetSupported(
            "the derivative of a trajectory with respect to its times", op.place,
            "integrate over a fixed interval, with the length of time as a factor of the rates",
        )  # fmt: skip


def _tangent(push: Push, op: Op) -> None:
    builder = push.builder
    procedure, items = _operands(builder, op)
    _refuse_times(op, any(push.tree(atom) is not None for atom in _times(op)))
    own = trees.split(builder, push.tree(op.args[3]), op.args[3].fact)
    pattern = tuple(
        dx is not None and facts.may_be_differentiated(item.fact)
        for dx, item in zip(own, items, strict=True)
    )
    dy0 = push.tree(op.args[1])
    if dy0 is None and not any(pattern):
        return
    moving = [
        trees.materialised(builder, dx, item)
        for dx, item, active in zip(own, items, pattern, strict=True) if active
    ]  # fmt: skip
    y0 = _symbol(builder, op.args[1])
    start = _symbol(builder, trees.materialised(builder, dy0, op.args[1]))
    z0 = apply(np.concatenate, [y0, start]).atom
    args = builder.op(ir.make_tuple, (*items, *moving))
    system = Const(tangent_system(procedure, pattern))
    both = builder.op(flow, (system, z0, op.args[2], args), _options(op))
    push.keep(op.result, _symbol(builder, both)[:, y0.shape[0] :].atom)


def _pullback(sweep: Sweep, op: Op, g: Tree) -> None:
    builder = sweep.builder
    procedure, items = _operands(builder, op)
    _refuse_times(op, any(map(sweep.is_active, _times(op))))
    pattern = pattern_of(items, lambda item: may_be_active(sweep, op.args[3], item))
    options = _options(op)
    sweeping = adjoint_sweep(procedure, pattern, options)
    found = builder.op(sweeping, (op.result, op.args[2], g, *_given(options).values(), *items))
    by0, *parts = (trees.at(builder, found, (i,)) for i in range(1 + sum(pattern)))
    alike = facts.dtype(op.args[1].fact) == "float64"
    sweep.contribute(op.args[1], by0 if alike else fit_tree(builder, by0, op.args[1]))
    contribute(sweep, op.args[3], items, pattern, parts)


def _fact(f: Atom, y0: Atom, t: Atom, *others: Atom, **options: Atom) -> Fact:
    times, state = facts.dims(t.fact), facts.dims(y0.fact)
    lengths = [dims[0] if dims else facts.fresh_size() for dims in (times, state)]
    return Array("float64", tuple(lengths))


for _function in (flow, trajectory):
    registry.solvers[_function] = registry.Solver(_tangent, _pullback)
    infer.special[_function] = _fact
