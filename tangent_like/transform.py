"""From a lowered function to the list that an operator asks for: `grad`, `jvp`, `hvp` and so on.

    f(x)   ──▶   f_grad(x)              both sweeps, the gradient returned
                 f_vjp(x, by)           both sweeps, seeded by an argument
                 f_jvp(x, dx)           each operation with its tangent
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime, trees
from tangent_like.adjoint import Sweeps, settled_sweeps
from tangent_like.analysis.activity import varied
from tangent_like.backend.remarks import remark
from tangent_like.build import Builder
from tangent_like.errors import ArgumentError
from tangent_like.facts import Fact
from tangent_like.ir import Atom, Block, Const, Function, Op, Value
from tangent_like.procedures import (
    backward_function,
    forward_function,
    pullback_of_call,
    seed_fact,
    split_calls,
    tangent_of_call,
    tangent_params,
)
from tangent_like.recording import Joint, record
from tangent_like.request import Request
from tangent_like.simplify.common import share_common_in
from tangent_like.simplify.dead import prune, remove_dead
from tangent_like.switches import simplifying
from tangent_like.tangent import tangent
from tangent_like.trees import Tree


def transform(function: Function, request: Request) -> Function:
    """The list that an operator asks for."""
    operator = request.operator
    if operator in ("grad", "value_and_grad"):
        seeds = gradient_seeds(function, request)
        return joint(function, request, seeds, operator == "value_and_grad")
    if operator == "elementwise_grad":
        return ones_seeded(function, request)
    if operator == "vjp":
        return with_seed(function, request)
    if operator == "jvp":
        return forward(function, request.wrt)
    if operator in STACKED:
        return for_one(function, request)
    if operator == "derivative":
        for _ in range(request.order):
            function = remove_dead(slope(function, request.wrt))
        return function
    if operator == "hvp":
        gradient = joint(function, request, gradient_seeds(function, request), False)
        return only_tangent(forward(remove_dead(gradient), request.wrt))
    raise AssertionError(f"an unknown operator {operator}")


STACKED = frozenset({"columns", "rows"})
"""Operators of many directions at once."""


def for_one(function: Function, request: Request) -> Function:
    """The list of `columns` or `rows` for one direction, its last parameter."""
    if request.operator == "rows":
        return with_seed(function, request)
    return only_tangent(forward(function, request.wrt))


# --- reverse mode -------------------------------------------------------------------------------


def gradient_seeds(function: Function, request: Request) -> list[Tree]:
    """The seed 1 for a scalar result (and none for the auxiliary one)."""
    (result,) = function.body.results
    fact = result.fact
    if request.has_aux:
        if not isinstance(fact, facts.Tuple) or len(fact.items) != 2:
            raise ArgumentError("with has_aux the function returns a pair", function.place)
        check_scalar(fact.items[0], function)
        return [(Const(1.0), None)]
    check_scalar(fact, function)
    return [Const(1.0)]


def check_scalar(fact: Fact, function: Function) -> None:
    if isinstance(fact, facts.Scalar) and fact.type != "complex":
        return
    if isinstance(fact, (facts.Unknown, facts.Maybe)) or facts.dims(fact) is None:
        if not isinstance(fact, (facts.Tuple, facts.List, facts.ListOf, facts.Opaque)):
            return
    if facts.dims(fact) == () and not facts.is_complex(fact):
        return
    raise ArgumentError(
        f"`{function.name}` returns {facts.describe(fact)}; grad needs a real scalar",
        function.place,
        "use jacobian for arrays, elementwise_grad for element-wise functions, or sum the result",
    )


def joint(
    function: Function, request: Request, seeds: Sequence[Tree], with_value: bool
) -> Function:
    """One function with both sweeps, returning the gradient (after the value)."""
    both = swept(function, request.wrt, seeds)
    forward_statements = both.forward.statements
    builder = Builder()
    gradients = both.reverse.results
    whole = gradients[0] if request.single else builder.op(ir.make_tuple, gradients)
    results: list[Atom] = [whole]
    if with_value or request.has_aux:
        (value,) = both.forward.results
        parts = [value, whole]
        if request.has_aux:
            main, aux = (trees.at(builder, value, (i,)) for i in range(2))
            pair = builder.op(ir.make_tuple, [main, aux])
            parts = [pair if with_value else whole, whole if with_value else aux]
        results = [builder.op(ir.make_tuple, parts)]
    statements = (
        *forward_statements, _remark("reverse sweep"), *both.reverse.statements,
        *builder.finish(()).statements,
    )  # fmt: skip
    block = Block(statements, tuple(results))
    return replace(function, body=block)


def swept(function: Function, wrt: Sequence[int], seeds: Sequence[Tree]) -> Any:
    """The recorded sweeps of a function."""
    chosen = [function.params[i] for i in wrt]
    body = split_calls(function.body, varied(function.body, chosen))
    both = settled_sweeps(body, chosen, seeds, pullback_of_call)
    return record(Sweeps(both.forward, prune(both.reverse)))


def split(function: Function, wrt: Sequence[int]) -> tuple[Function, Function]:
    """The sweeps as two functions: `f_forward(x)` returns the value and what `f_pullback(saved,
    by)` reads, which may be called any number of times."""
    (result,) = function.body.results
    chosen = [function.params[i] for i in wrt]
    seed = Value(trees.derivative_name("b", result) or "by", seed_fact(result.fact))
    body = split_calls(function.body, varied(function.body, chosen))
    both = settled_sweeps(body, chosen, [seed], pullback_of_call)
    joint = _with_shared(record(Sweeps(both.forward, prune(both.reverse)), missing=Const(None)))
    saved = list(ir.free_values(joint.reverse, (seed,)))
    builder = Builder(derivative=True)
    ops = (s for s in joint.forward.statements if isinstance(s, Op))
    builder.definitions.update((op.result, op) for op in ops)  # items of a tuple are known
    value = _own_arrays(builder, joint.forward.results[0])
    statements = (*joint.forward.statements, *builder.finish(()).statements)
    joint = replace(joint, forward=Block(statements, joint.forward.results))
    base = function.name if function.name.isidentifier() else "f"
    return (
        forward_function(function, f"{base}_forward", joint, saved, value),
        _with_tuple(backward_function(function, f"{base}_pullback", joint, saved, seed), wrt),
    )


def _with_shared(joint: Joint) -> Joint:
    """The sweeps with what the reverse one computes again, a cosine say, handed to it instead."""
    if not simplifying[0]:
        return joint
    forward, reverse = joint.forward, joint.reverse
    mark = _remark("reverse sweep")
    statements = (*forward.statements, mark, *reverse.statements)
    both = share_common_in(Block(statements, (*forward.results, *reverse.results)))
    cut, count = both.statements.index(mark), len(forward.results)
    return replace(
        joint,
        forward=Block(both.statements[:cut], both.results[:count]),
        reverse=Block(both.statements[cut + 1 :], both.results[count:]),
    )


def _own_arrays(builder: Builder, value: Atom) -> Atom:
    """The value with arrays of its own: what becomes of them must not reach what is saved."""
    fact = facts.defined(value.fact)
    if isinstance(fact, (facts.Tuple, facts.List)):
        parts = [trees.at(builder, value, (i,)) for i in range(len(fact.items))]
        make = ir.make_list if isinstance(fact, facts.List) else ir.make_tuple
        return builder.op(make, [_own_arrays(builder, part) for part in parts])
    if isinstance(fact, (facts.Scalar, facts.Opaque)) or isinstance(value, Const):
        return value
    return builder.op(runtime.copy, (value,))


def _with_tuple(function: Function, wrt: Sequence[int]) -> Function:
    """The function with its one result in a tuple."""
    if len(wrt) != 1:
        return function
    builder = Builder()
    whole = builder.op(ir.make_tuple, function.body.results)
    statements = (*function.body.statements, *builder.finish(()).statements)
    return replace(function, body=Block(statements, (whole,)))


def _remark(text: str) -> Op:
    return Op(Value("", facts.Opaque("NoneType")), remark, (Const(text),))


def with_seed(function: Function, request: Request) -> Function:
    """`f_vjp(x, ..., by)` returns the cotangents."""
    (result,) = function.body.results
    name = trees.derivative_name("b", result) or "by"
    seed = Value(trees.free_name(name, {p.name for p in function.params}), seed_fact(result.fact))
    seeded = replace(function, params=(*function.params, seed))
    return joint(seeded, request, [seed], False)


def ones_seeded(function: Function, request: Request) -> Function:
    """The derivative of an element-wise function: the gradient of the sum of its elements."""
    builder = Builder()
    (result,) = function.body.results
    seed: Atom = Const(1.0)
    if not isinstance(result.fact, facts.Scalar):
        seed = builder.op(np.ones_like, (result,))
    body = Block(
        (*function.body.statements, *builder.finish(()).statements), function.body.results
    )
    return joint(replace(function, body=body), request, [seed], False)


# --- forward mode -------------------------------------------------------------------------------


def forward(function: Function, wrt: Sequence[int]) -> Function:
    """The function with tangents: it takes them after its parameters, returns value and tangent."""
    chosen = [function.params[i] for i in wrt]
    tangents = tangent_params(chosen, function.params)
    builder = Builder()
    inputs = {p: trees.dissolve(builder, t, p.fact) for p, t in zip(chosen, tangents, strict=True)}
    head = builder.finish(()).statements
    body, _ = tangent(function.body, inputs, tangent_of_call)
    pair = Builder()
    whole = pair.op(ir.make_tuple, body.results)
    statements = (*head, *body.statements, *pair.finish(()).statements)
    return replace(function, params=(*function.params, *tangents), body=Block(statements, (whole,)))


def slope(function: Function, wrt: Sequence[int]) -> Function:
    """The tangent alone, with the seed 1: the derivative of a scalar function of a scalar."""
    (chosen,) = (function.params[i] for i in wrt)
    body, _ = tangent(function.body, {chosen: Const(1.0)}, tangent_of_call)
    return replace(function, body=Block(body.statements, body.results[1:]))


def only_tangent(function: Function) -> Function:
    (whole,) = function.body.results
    builder = Builder()
    for statement in function.body.statements:
        builder.append(statement)
    result = trees.at(builder, whole, (1,))
    return replace(function, body=builder.finish((result,)))
