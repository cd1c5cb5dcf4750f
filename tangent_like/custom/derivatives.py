"""The procedures that take the place of derived ones, made of what was given.

    custom_vjp:  y, saved = f_forward(x)       f_fwd; `saved` holds its residuals and x
                 bx = f_backward(saved, by)    f_bwd
                 y, dy = f_jvp(x, dx)          f_fwd, and the transpose of f_bwd

    custom_jvp:  y, dy = f_jvp(x, dx)          the rule
                 y, saved = f_forward(x)       f; `saved` holds x
                 bx = f_backward(saved, by)    the transpose of the rule
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

from tangent_like import facts, ir, trees
from tangent_like.adjoint import Sweeps, sweeps
from tangent_like.analysis.activity import varied
from tangent_like.analysis.linearity import drops, reads
from tangent_like.build import Builder
from tangent_like.custom.given import Given, spliced
from tangent_like.errors import ArgumentError, NeverSupported, NoRuleError
from tangent_like.facts import Fact
from tangent_like.frontend.kinds import without_values
from tangent_like.ir import Atom, Block, Const, Function, Procedure, Value
from tangent_like.procedures import (
    Pattern,
    pullback_of_call,
    seed_fact,
    split_calls,
    tangent_params,
)
from tangent_like.recording import record
from tangent_like.simplify.dead import prune
from tangent_like.trees import Tree

Pair = tuple[Procedure, Procedure]


def pair(given: Given, pattern: Pattern) -> Pair:
    """The forward and the backward procedure for these active arguments."""
    active = given.active(pattern)
    custom = given.custom
    if custom.tangent is not None or custom.tangents is not None:
        return _pair_of_rule(given, pattern)
    if custom.forward is None or custom.backward is None:
        raise _missing(given, "defvjp(fwd, bwd)")
    params = given.params()
    builder = Builder(given.place)
    result = given.calling(builder, custom.forward, given.arguments(params))
    y, residuals = _two(given, builder, result, "f_fwd returns (value, residuals)")
    arguments = given.arguments(params)
    saved = builder.op(ir.make_tuple, (residuals, *(arguments[i] for i in active)))
    backward = _backward(given, pattern, saved.fact)
    return _joined(given, pattern, params, builder, (y, saved), backward)


def tangent(given: Given, pattern: Pattern) -> Procedure:
    """The procedure that gives the value and its tangent."""
    given.active(pattern)
    if given.custom.forward is not None:
        return _tangent_of_pair(given, pattern)
    params, tangents, builder, y, dy = _rule(given, pattern)
    whole = builder.op(ir.make_tuple, (y, dy))
    return given.derived("jvp", pattern, [*params, *tangents], builder.finish((whole,)))


def _missing(given: Given, call: str) -> ArgumentError:
    return ArgumentError(f"`{given.name}` has no rule", given.place, f"call {given.name}.{call}")


def _two(given: Given, builder: Builder, atom: Atom, what: str) -> tuple[Atom, Atom]:
    """The two items of what a given function returns."""
    fact = atom.fact
    if isinstance(fact, facts.Unknown):
        atom = builder.op(ir.unpack, (atom, Const(2)))
    elif not isinstance(fact, (facts.Tuple, facts.List)) or len(fact.items) != 2:
        raise ArgumentError(f"the rule of `{given.name}` returns no pair: {what}", given.place)
    first, second = (builder.op(operator.getitem, (atom, Const(i))) for i in range(2))
    return first, second


def _joined(
    given: Given,
    pattern: Pattern,
    params: Sequence[Value],
    builder: Builder,
    results: Sequence[Atom],
    backward: Procedure,
) -> Pair:
    """The pair of a forward procedure with these results and a backward one."""
    whole = builder.op(ir.make_tuple, results)
    forward = given.derived("forward", pattern, params, builder.finish((whole,)))
    forward.derived.update(backward=backward, pattern=pattern)
    return forward, backward


# --- custom_vjp -----------------------------------------------------------------------------------


def _backward(given: Given, pattern: Pattern, saved_fact: Fact) -> Procedure:
    """`f_bwd` on what was saved: the cotangents of the active arguments."""
    saved = Value("saved", without_values(saved_fact))
    seed = Value("g", seed_fact(given.procedure.result))
    builder = Builder(given.place)
    constants, _ = given.split([ir.UNDEFINED] * len(pattern))
    if ir.UNDEFINED in constants:
        raise ArgumentError(
            f"an argument of `{given.name}` in nondiff_argnums is no constant of the calling "
            "function",
            given.place,
            "pass a function, an int or a string there",
        )
    residuals = builder.op(operator.getitem, (saved, Const(0)))
    result = given.calling(builder, given.custom.backward, (*constants, residuals, seed))
    found = dict(zip(given.differentiated, _cotangents(given, builder, result), strict=True))
    kept = []
    for k, i in enumerate(given.active(pattern)):
        x = builder.op(operator.getitem, (saved, Const(k + 1)))
        kept.append(_fitting(given, builder, found[i], x))
    whole = kept[0] if len(kept) == 1 else builder.op(ir.make_tuple, kept)
    return given.derived("backward", pattern, [saved, seed], builder.finish((whole,)))


def _cotangents(given: Given, builder: Builder, result: Atom) -> list[Atom]:
    """The items of what `f_bwd` returns, one for each differentiated argument."""
    count, fact = len(given.differentiated), result.fact
    if isinstance(fact, facts.Unknown):
        result = builder.op(ir.unpack, (result, Const(count)))
    elif not isinstance(fact, (facts.Tuple, facts.List)):
        raise ArgumentError(f"f_bwd of `{given.name}` returns no tuple", given.place)
    elif len(fact.items) != count:
        raise ArgumentError(
            f"f_bwd of `{given.name}` returns {len(fact.items)} cotangents for {count} arguments",
            given.place,
        )
    return [builder.op(operator.getitem, (result, Const(i))) for i in range(count)]


def _fitting(given: Given, builder: Builder, g: Atom, x: Atom) -> Atom:
    """The cotangent of `x`; None is zero.  Refuses one with other axes than `x`."""
    if g.fact == facts.Opaque("NoneType"):
        return trees.materialised(builder, None, x)
    have, want = facts.rank(g.fact), facts.rank(x.fact)
    if have is not None and want is not None and have != want:
        raise ArgumentError(
            f"a cotangent that f_bwd of `{given.name}` returns has {have} axes, its argument "
            f"{want}",
            given.place,
        )
    return g


def _tangent_of_pair(given: Given, pattern: Pattern) -> Procedure:
    """The tangent from a reverse-mode rule: the transpose of `f_bwd`."""
    forward, backward = pair(given, pattern)
    assert backward.function is not None
    pulled = transpose(given, backward.function, (1,), "f_bwd", "the cotangent")
    params = given.params()
    chosen = [p for p, moving in zip(params, pattern, strict=True) if moving]
    tangents = tangent_params(chosen, params)
    builder = Builder(given.place)
    both = builder.op(forward, params)
    y, saved = (builder.op(operator.getitem, (both, Const(i))) for i in range(2))
    seeds = tangents[0] if len(tangents) == 1 else builder.op(ir.make_tuple, tangents)
    dy = spliced(builder, pulled, (saved, trees.materialised(builder, None, y), seeds))
    whole = builder.op(ir.make_tuple, (y, dy))
    return given.derived("jvp", pattern, [*params, *tangents], builder.finish((whole,)))


# --- custom_jvp -----------------------------------------------------------------------------------

Rule = tuple[list[Value], list[Value], Builder, Atom, Atom]


def _rule(given: Given, pattern: Pattern) -> Rule:
    """The rule's parameters and tangents, its list, and its value and tangent."""
    params = given.params()
    chosen = [p for p, moving in zip(params, pattern, strict=True) if moving]
    tangents = tangent_params(chosen, params)
    own: dict[Atom, Atom] = dict(zip(chosen, tangents, strict=True))
    builder = Builder(given.place)
    constants, primals = given.split(params)
    moving = [own[p] if p in own else trees.materialised(builder, None, p) for p in primals]
    if given.custom.tangents is not None:
        y = builder.op(given.procedure, params)
        return params, tangents, builder, y, _added(given, builder, y, primals, moving)
    if given.custom.tangent is None:
        raise _missing(given, "defjvp(jvp)")
    both = [builder.op(ir.make_tuple, primals), builder.op(ir.make_tuple, moving)]
    result = given.calling(builder, given.custom.tangent, (*constants, *both))
    y, dy = _two(given, builder, result, "it returns (value, tangent)")
    return params, tangents, builder, y, dy


def _added(
    given: Given, builder: Builder, y: Atom, primals: Sequence[Atom], moving: Sequence[Atom]
) -> Atom:
    """The sum of what the rules of `defjvps` give for the tangents that are not zero."""
    jvps = given.custom.tangents or ()
    if len(jvps) != len(primals):
        raise ArgumentError(
            f"{given.name}.defjvps was given {len(jvps)} rules for {len(primals)} arguments",
            given.place,
        )
    total: Tree = None
    for jvp, dx in zip(jvps, moving, strict=True):
        if jvp is not None and not isinstance(dx, Const):
            term = given.calling(builder, jvp, (dx, y, *primals))
            total = trees.add(builder, total, term, y.fact)
    return trees.materialised(builder, total, y)


def _pair_of_rule(given: Given, pattern: Pattern) -> Pair:
    """The pair of a function with a tangent: saved are the arguments."""
    params = given.params()
    head = Builder(given.place)
    y = head.op(given.procedure, params)
    saved = head.op(ir.make_tuple, params)
    own, tangents, builder, _, dy = _rule(given, pattern)
    linear = Function(given.name, (*own, *tangents), builder.finish((dy,)), given.place)
    wrt = tuple(range(len(own), len(own) + len(tangents)))
    pulled = transpose(given, linear, wrt, "the rule", "the tangents")
    param, seed = Value("saved", without_values(saved.fact)), Value("g", pulled.params[-1].fact)
    body = Builder(given.place)
    args = [body.op(operator.getitem, (param, Const(i))) for i in range(len(own))]
    chosen = [x for x, moving in zip(args, pattern, strict=True) if moving]
    zeros = [trees.materialised(body, None, x) for x in chosen]
    found = spliced(body, pulled, (*args, *zeros, seed))
    backward = given.derived("backward", pattern, [param, seed], body.finish((found,)))
    return _joined(given, pattern, params, head, (y, saved), backward)


# --- both -----------------------------------------------------------------------------------------


def transpose(
    given: Given, function: Function, wrt: Sequence[int], what: str, of: str
) -> Function:
    """The transpose of a function that is linear in the parameters `wrt`.

    It takes the function's parameters, then the cotangent of the result; it returns the
    cotangent of the parameter, or a tuple of them.
    """
    inputs = [function.params[i] for i in wrt]
    try:
        pulled = _pulled_back(function, inputs)
    except NoRuleError as error:
        raise NeverSupported(
            f"{what} of `{given.name}` in this mode: it could not be compiled",
            given.place,
            "write it with functions that have rules",
        ) from error
    if reads(pulled.body, inputs) or drops(function.body, inputs):
        raise NeverSupported(
            f"{what} of `{given.name}` in this mode: it is not linear in {of}",
            given.place,
            "give it a rule for this mode with custom_jvp or custom_vjp",
        )
    return pulled


def _pulled_back(function: Function, inputs: Sequence[Value]) -> Function:
    (result,) = function.body.results
    seed = Value("g", seed_fact(result.fact))
    block = split_calls(prune(function.body), varied(function.body, inputs))
    both = sweeps(block, inputs, [seed], pullback_of_call)
    joint = record(Sweeps(both.forward, prune(both.reverse)))
    builder = Builder(function.place)
    for statement in (*joint.forward.statements, *joint.reverse.statements):
        builder.append(statement)
    found = joint.reverse.results
    whole = found[0] if len(found) == 1 else builder.op(ir.make_tuple, found)
    body = prune(Block(builder.finish(()).statements, (whole,)))
    return Function(function.name, (*function.params, seed), body, function.place)
