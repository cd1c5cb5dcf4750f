"""Derivatives of procedures: functions of the generated module that call each other.

    y = f(x)          forward mode      y, dy = f_jvp(x, dx)
                      reverse mode      y, saved = f_forward(x)
                                        bx = f_backward(saved, by)

`f_forward` and `f_backward` are the two sweeps of `f`, cut apart: `saved` holds what the reverse
sweep reads.  They are procedures like any other, so higher orders need nothing of their own.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace

from tangent_like import facts, ir, trees
from tangent_like.adjoint import Sweeps, settled_sweeps
from tangent_like.analysis.activity import varied
from tangent_like.build import Builder
from tangent_like.facts import Fact
from tangent_like.ir import Atom, Block, Const, Function, Op, Procedure, Statement, Value
from tangent_like.recording import Joint, record
from tangent_like.simplify.dead import prune
from tangent_like.sweep import Sweep
from tangent_like.tangent import Push, tangent
from tangent_like.trees import Tree

Pattern = tuple[bool, ...]


def seed_fact(fact: Fact) -> Fact:
    """The fact of a derivative: the same structure and shapes, floats for numbers."""
    inner = facts.defined(fact)
    if isinstance(inner, facts.STRUCTURES):
        return facts.with_items(inner, tuple(map(seed_fact, inner.items)))
    if isinstance(inner, facts.Tape):
        return facts.Tape(seed_fact(inner.item))
    return trees.derivative_fact(inner)


# --- forward mode -------------------------------------------------------------------------------


def tangent_of_call(push: Push, op: Op) -> None:
    """A call of the tangent procedure in place of the call."""
    procedure = op.fn
    assert isinstance(procedure, Procedure)
    pattern = tuple(push.tree(atom) is not None for atom in op.args)
    if not any(pattern):
        push.builder.append(op)
        return
    derived = jvp_procedure(procedure, pattern)
    tangents = [
        trees.materialised(push.builder, push.tree(atom), atom)
        for atom, moving in zip(op.args, pattern)
        if moving
    ]
    pair = push.builder.op(derived, (*op.args, *tangents))
    push.builder.append(Op(op.result, operator.getitem, (pair, Const(0)), (), op.place))
    found = push.builder.op(operator.getitem, (pair, Const(1)))
    push.keep(op.result, trees.dissolve(push.builder, found, op.result.fact))


def jvp_procedure(procedure: Procedure, pattern: Pattern) -> Procedure:
    key = ("jvp", pattern)
    if key not in procedure.derived and "make_jvp" in procedure.derived:
        procedure.derived[key] = procedure.derived["make_jvp"](pattern)
    if key not in procedure.derived:
        result = facts.Tuple((procedure.result, seed_fact(procedure.result)))
        derived = Procedure(procedure_name(procedure, "jvp", pattern), None, result)
        procedure.derived[key] = derived
        derived.function = _jvp_function(procedure, pattern, derived.name)
    return procedure.derived[key]  # type: ignore[no-any-return]


def _jvp_function(procedure: Procedure, pattern: Pattern, name: str) -> Function:
    function = _function(procedure)
    chosen = [p for p, moving in zip(function.params, pattern, strict=True) if moving]
    tangents = tangent_params(chosen, function.params)
    builder = Builder()
    inputs = {p: trees.dissolve(builder, t, p.fact) for p, t in zip(chosen, tangents)}
    head = builder.finish(()).statements
    body, _ = tangent(function.body, inputs, tangent_of_call)
    pair = Builder()
    whole = pair.op(ir.make_tuple, body.results)
    statements = (*head, *body.statements, *pair.finish(()).statements)
    params = (*function.params, *tangents)
    return Function(name, params, prune(Block(statements, (whole,))), function.place)


def tangent_params(chosen: Sequence[Value], params: Sequence[Value]) -> list[Value]:
    """A parameter for the tangent of each chosen one, with a name that none of `params` has."""
    taken = {p.name for p in params}
    found = []
    for param in chosen:
        name = trees.free_name(trees.derivative_name("d", param), taken)
        taken.add(name)
        found.append(Value(name, seed_fact(param.fact)))
    return found


def _function(procedure: Procedure) -> Function:
    if procedure.function is None:
        raise AssertionError(f"{procedure.name} is used before it is lowered")
    return procedure.function


def procedure_name(procedure: Procedure, suffix: str, pattern: Pattern) -> str:
    """`f_jvp`; with the numbers of the active arguments where others have derivatives too."""
    function = _function(procedure)
    able = [facts.may_be_differentiated(p.fact) for p in function.params]
    if list(pattern) == able:
        return f"{procedure.name}_{suffix}"
    return f"{procedure.name}_{suffix}_" + "".join(str(i) for i, p in enumerate(pattern) if p)


# --- reverse mode -------------------------------------------------------------------------------


def split_calls(block: Block, active: set[Value]) -> Block:
    """The block with `pair = f_forward(x); y = pair[0]` for each call with active arguments."""
    statements: list[Statement] = []
    for statement in block.statements:
        if (
            isinstance(statement, Op) and isinstance(statement.fn, Procedure)
            and statement.result in active
        ):  # fmt: skip
            statements += _split(statement, active)
        else:
            statements.append(ir.with_blocks(statement, lambda b: split_calls(b, active)))
    return Block(tuple(statements), block.results)


def _split(op: Op, active: set[Value]) -> list[Statement]:
    assert isinstance(op.fn, Procedure)
    pattern = tuple(atom in active for atom in op.args)
    forward, _ = pair_of(op.fn, pattern)
    pair = Value("", facts.with_fresh_sizes(forward.result))
    return [
        replace(op, result=pair, fn=forward),
        Op(op.result, operator.getitem, (pair, Const(0)), (), op.place),
    ]


def pullback_of_call(sweep: Sweep, op: Op, g: Tree) -> None:
    """The call of the backward procedure: what it returns goes to the active arguments."""
    assert isinstance(op.fn, Procedure)
    backward: Procedure = op.fn.derived["backward"]
    pattern: Pattern = op.fn.derived["pattern"]
    saved = sweep.builder.op(operator.getitem, (op.result, Const(1)))
    like = sweep.builder.op(operator.getitem, (op.result, Const(0)))
    seeds = trees.split(sweep.builder, g, op.result.fact)
    seed = trees.materialised(sweep.builder, seeds[0], like)
    found = sweep.builder.op(backward, (saved, seed))
    chosen = [atom for atom, moving in zip(op.args, pattern) if moving]
    for i, atom in enumerate(chosen):
        part = found
        if len(chosen) > 1:
            part = sweep.builder.op(operator.getitem, (found, Const(i)))
        sweep.contribute(atom, trees.dissolve(sweep.builder, part, atom.fact))


def pair_of(procedure: Procedure, pattern: Pattern) -> tuple[Procedure, Procedure]:
    """The forward and the backward procedure for these active arguments."""
    key = ("pair", pattern)
    if key not in procedure.derived and "make_pair" in procedure.derived:
        procedure.derived[key] = procedure.derived["make_pair"](pattern)
    if key not in procedure.derived:
        result = facts.Tuple((procedure.result, facts.UNKNOWN))
        forward = Procedure(procedure_name(procedure, "forward", pattern), None, result)
        params = _function(procedure).params
        chosen = [seed_fact(p.fact) for p, moving in zip(params, pattern, strict=True) if moving]
        returned = chosen[0] if len(chosen) == 1 else facts.Tuple(tuple(chosen))
        backward = Procedure(procedure_name(procedure, "backward", pattern), None, returned)
        forward.derived.update(backward=backward, pattern=pattern)
        procedure.derived[key] = forward, backward
        _fill(procedure, pattern, forward, backward)
    return procedure.derived[key]  # type: ignore[no-any-return]


def _fill(
    procedure: Procedure, pattern: Pattern, forward: Procedure, backward: Procedure
) -> None:
    function = _function(procedure)
    chosen = [p for p, moving in zip(function.params, pattern) if moving]
    (result,) = function.body.results
    seed = Value(trees.derivative_name("b", result) or "by", seed_fact(result.fact))
    block = split_calls(function.body, varied(function.body, chosen))
    both = settled_sweeps(block, chosen, [seed], pullback_of_call)
    joint = record(Sweeps(both.forward, prune(both.reverse)), missing=Const(None))
    saved = list(ir.free_values(joint.reverse, (seed,)))
    forward.function = forward_function(function, forward.name, joint, saved, result)
    backward.function = backward_function(function, backward.name, joint, saved, seed)


def forward_function(
    function: Function, name: str, joint: Joint, saved: Sequence[Value], result: Atom
) -> Function:
    builder = Builder()
    kept = builder.op(ir.make_tuple, saved)
    pair = builder.op(ir.make_tuple, (result, kept))
    statements = (*joint.forward.statements, *builder.finish(()).statements)
    return Function(name, function.params, prune(Block(statements, (pair,))), function.place)


def backward_function(
    function: Function, name: str, joint: Joint, saved: Sequence[Value], seed: Value
) -> Function:
    param = Value("saved", facts.Tuple(tuple(v.fact for v in saved)))
    head: list[Statement] = [
        Op(value, operator.getitem, (param, Const(i)), (), function.place)
        for i, value in enumerate(saved)
    ]
    builder = Builder()
    reverse = _with_own_tapes(joint.reverse)
    results = reverse.results
    whole = results[0] if len(results) == 1 else builder.op(ir.make_tuple, results)
    statements = (*head, *reverse.statements, *builder.finish(()).statements)
    return Function(name, (param, seed), prune(Block(statements, (whole,))), function.place)


def _with_own_tapes(reverse: Block) -> Block:
    """A reverse sweep that takes values off copies of the tapes, so that it can run again."""
    taken = [
        s.args[0] for s in ir.walk(reverse) if isinstance(s, Op) and s.fn in (ir.pop, ir.flip)
    ]
    outer = ir.free_values(reverse)
    copies = {
        tape: Value(tape.name, tape.fact)
        for tape in dict.fromkeys(taken)
        if isinstance(tape, Value) and tape in outer
    }
    head = tuple(Op(copy, ir.thaw, (tape,)) for tape, copy in copies.items())
    inner = ir.substitute(reverse, copies)
    return Block((*head, *inner.statements), inner.results)
