"""Roots: the implicit function theorem.

Where f(x, a) = 0, the tangent of x solves f_x dx + f_a da = 0.  With a cotangent g of x, and w
from w f_x + g = 0, that of a is w f_a.  Both equations are affine in their unknown, and their
solutions, from `affine_root`, are roots again.
"""

from __future__ import annotations

import operator
from typing import Any

from tangent_like import facts, infer, ir, trees
from tangent_like.build import Builder
from tangent_like.implicit.closures import derived, function_of, pattern_of
from tangent_like.ir import Atom, Block, Const, Op, Procedure, Value
from tangent_like.request import Request
from tangent_like.rules import registry
from tangent_like.rules.fitting import fit_tree
from tangent_like.solvers import affine_root, fixed_point, implicit_root, root
from tangent_like.sweep import Sweep
from tangent_like.tangent import Push
from tangent_like.transform import forward, only_tangent, with_seed
from tangent_like.trees import Tree

Pattern = tuple[bool, ...]


def tangent_equation(procedure: Procedure, pattern: Pattern) -> Procedure:
    """f_x w + f_a da, as a procedure of (w, x, *args, *da)."""

    def make() -> tuple[str, list[Value], Block]:
        function = function_of(procedure)
        moving = [0, *(i + 1 for i, active in enumerate(pattern) if active)]
        pushed = only_tangent(forward(function, moving))
        count = len(function.params)
        own, tangents = pushed.params[:count], pushed.params[count:]
        return "tangent", [tangents[0], *own, *tangents[1:]], pushed.body

    return derived(procedure, ("tangent", pattern), make)


def adjoint_equation(procedure: Procedure) -> Procedure:
    """w f_x + g, as a procedure of (w, x, *args, g)."""

    def make() -> tuple[str, list[Value], Block]:
        pulled = with_seed(function_of(procedure), Request("vjp", (0,)))
        *own, seed = pulled.params
        builder = Builder(pulled.place, derivative=True)
        for statement in pulled.body.statements:
            builder.append(statement)
        (found,) = pulled.body.results
        g = Value(trees.free_name("g", {p.name for p in pulled.params}), found.fact)
        total = builder.op(operator.add, (found, g))
        return "adjoint", [seed, *own, g], builder.finish((total,))

    return derived(procedure, "adjoint", make)


def pullback(procedure: Procedure, pattern: Pattern) -> Procedure:
    """w f_a for the active arguments, as a procedure of (x, *args, w); a tuple if there are more
    than one."""

    def make() -> tuple[str, list[Value], Block]:
        moving = tuple(i + 1 for i, active in enumerate(pattern) if active)
        pulled = with_seed(function_of(procedure), Request("vjp", moving, single=len(moving) == 1))
        return "pullback", list(pulled.params), pulled.body

    return derived(procedure, ("pullback", pattern), make)


def _operands(builder: Builder, op: Op) -> tuple[Procedure, list[Atom]]:
    """The procedure that is solved, and its arguments beside the unknown."""
    equation, _, args = op.args
    assert isinstance(equation, Const)
    count = len(function_of(equation.value).params) - 1
    return equation.value, [trees.at(builder, args, (i,)) for i in range(count)]


def _tangent(push: Push, op: Op) -> None:
    builder = push.builder
    procedure, items = _operands(builder, op)
    own = trees.split(builder, push.tree(op.args[2]), op.args[2].fact)
    pattern = tuple(
        dx is not None and facts.may_be_differentiated(item.fact)
        for dx, item in zip(own, items, strict=True)
    )
    if not any(pattern):
        return
    moving = [
        trees.materialised(builder, dx, item)
        for dx, item, active in zip(own, items, pattern, strict=True) if active
    ]  # fmt: skip
    equation = tangent_equation(procedure, pattern)
    args = builder.op(ir.make_tuple, (op.result, *items, *moving))
    push.keep(op.result, builder.op(affine_root, (Const(equation), op.result, args)))


def _pullback(sweep: Sweep, op: Op, g: Tree) -> None:
    builder = sweep.builder
    procedure, items = _operands(builder, op)
    pattern = pattern_of(items, lambda item: may_be_active(sweep, op.args[2], item))
    if not any(pattern):
        return
    args = builder.op(ir.make_tuple, (op.result, *items, g))
    equation = Const(adjoint_equation(procedure))
    w = builder.op(affine_root, (equation, op.result, args))
    found = builder.op(pullback(procedure, pattern), (op.result, *items, w))
    count = sum(pattern)
    parts = [found] if count == 1 else [trees.at(builder, found, (i,)) for i in range(count)]
    contribute(sweep, op.args[2], items, pattern, parts)


def may_be_active(sweep: Sweep, args: Atom, item: Atom) -> bool:
    """An item of a tuple that was made elsewhere counts as active if the tuple does."""
    made_here = sweep.builder.definitions.get(args)  # type: ignore[arg-type]
    known = isinstance(args, Const) or (made_here is not None and made_here.fn is ir.make_tuple)
    return sweep.is_active(item) if known else sweep.is_active(args)


def contribute(
    sweep: Sweep, args: Atom, items: list[Atom], pattern: Pattern, found: list[Atom]
) -> None:
    """Hand the cotangents of the active items of the tuple `args` to it."""
    parts = iter(found)
    whole: list[Any] = [None] * len(items)
    for i, item in enumerate(items):
        if pattern[i]:
            tree = trees.dissolve(sweep.builder, next(parts), item.fact)
            whole[i] = fit_tree(sweep.builder, tree, item)
    sweep.contribute(args, tuple(whole))


for _function in (implicit_root, affine_root):
    registry.solvers[_function] = registry.Solver(_tangent, _pullback)
    infer.special[_function] = lambda f, x, args: x.fact
registry.constant(root, fixed_point)
for _solver in (root, fixed_point):
    infer.special[_solver] = lambda f, x0, **options: x0.fact
