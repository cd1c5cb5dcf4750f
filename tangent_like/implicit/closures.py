"""Functions that are handed to a solver, as procedures of the generated module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tangent_like import facts, ir, trees
from tangent_like.build import Builder
from tangent_like.errors import ArgumentError, NotYetSupported
from tangent_like.facts import Fact
from tangent_like.frontend.around import called_in
from tangent_like.frontend.calls import call
from tangent_like.frontend.kinds import without_values
from tangent_like.frontend.scope import LocalFunction
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Block, Const, Function, Procedure, Value
from tangent_like.simplify.dead import prune

Build = Callable[[Callable[..., Atom], Sequence[Value], Sequence[Atom]], Atom]
"""From how the function is called, its leading operands and its other arguments to a result."""


def closed(
    state: Lowering,
    node: Any,
    name: str,
    function: Atom,
    leading: Sequence[tuple[str, Fact]],
    args: Sequence[Atom],
    build: Build,
) -> tuple[Procedure, Atom]:
    """The procedure `name(*leading, *rest)` of what `build` makes of the function, and `rest`: a
    tuple of the arguments that are known at run time only, then of all that is captured."""
    if not isinstance(function, Const) or not callable(function.value):
        raise NotYetSupported(
            "a function that is known only at run time", state.place(node), "call it by its name"
        )
    given = [atom for atom in args if isinstance(atom, Value)]
    own = {atom: Value(atom.name or f"a{i}", _kind(atom)) for i, atom in enumerate(given)}
    passed = [own[atom] if isinstance(atom, Value) else atom for atom in args]
    params = [Value(own_name, without_values(fact)) for own_name, fact in leading]

    def calling(*operands: Atom) -> Atom:
        return call(state, node, function, operands, {})

    block = state.builder.collect(lambda: [build(calling, params, passed)])
    block = prune(block)
    _check_calls(state, node, block)
    inner = (*params, *own.values())
    captured = list(ir.free_values(block, inner))
    copies = {v: Value(v.name, _kind(v)) for v in captured}
    for atom in (*given, *captured):
        _check_item(state, node, atom)
    body = ir.substitute(block, copies)
    everything = (*inner, *copies.values())
    procedure = Procedure(name, Function(name, everything, body, state.place(node)))
    procedure.result = without_values(body.results[0].fact)
    rest = state.builder.op(ir.make_tuple, [*own, *captured], place=state.place(node))
    return procedure, rest


def _kind(atom: Value) -> Fact:
    return without_values(facts.defined(atom.fact))


def _check_calls(state: Lowering, node: Any, block: Block) -> None:
    """What a nested function that is being lowered will capture is not known yet."""
    nested = {p for key, p in state.module.procedures.items() if isinstance(key[0], LocalFunction)}
    if any(p in nested and "captured" not in p.derived for p in called_in(block)):
        raise NotYetSupported(
            "a nested recursive function that is called by what it hands to a solver",
            state.place(node), "define it outside, and pass what it reads as arguments",
        )  # fmt: skip


def _check_item(state: Lowering, node: Any, atom: Value) -> None:
    if isinstance(facts.defined(atom.fact), (facts.Tape, facts.Zip)):
        raise NotYetSupported(
            f"a function that reads `{atom.name}` here", state.place(node), "pass it in `args`"
        )


def name_of(function: Atom, otherwise: str) -> str:
    """The name of a user's function, where it has one."""
    found = getattr(function, "value", None)
    name = getattr(found, "name", None) or getattr(found, "__name__", "")
    return name if isinstance(name, str) and name.isidentifier() else otherwise


def items_of(state: Lowering, node: Any, atom: Atom) -> list[Atom]:
    """The items of `args=`: SciPy takes what is no tuple as one argument."""
    if isinstance(atom, Const):
        items = atom.value if isinstance(atom.value, tuple) else (atom.value,)
        return [Const(item) for item in items]
    fact = facts.defined(atom.fact)
    if isinstance(fact, facts.Tuple):
        return [trees.at(state.builder, atom, (i,)) for i in range(len(fact.items))]
    if isinstance(fact, (facts.Scalar, facts.Array)):
        return [atom]
    raise NotYetSupported("`args` of unknown length", state.place(node), "write a tuple")


def as_array(builder: Builder, result: Atom) -> Atom:
    """What a function returns, a tuple or list of numbers as an array."""
    sequence = isinstance(result.fact, (facts.Tuple, facts.List, facts.ListOf))
    return builder.op(np.array, (result,)) if sequence else result


def fitted(state: Lowering, node: Any, result: Atom, like: Atom) -> Atom:
    """What a function returns, as an array in the shape of the operand that it belongs to."""
    result = as_array(state.builder, result)
    if isinstance(result, Const) and result.value is None:
        raise ArgumentError("the function that is solved returns nothing", state.place(node))
    have, want = facts.rank(result.fact), facts.rank(like.fact)
    if have == want and have is not None:
        return result
    if want == 0:
        return state.builder.op(np.reshape, (result, Const(())))
    shape = state.builder.op(getattr, (like, Const("shape")))
    return state.builder.op(np.reshape, (result, shape))


def derived(
    procedure: Procedure, key: Any, make: Callable[[], tuple[str, Sequence[Value], Block]]
) -> Procedure:
    """A procedure derived from another one, made once."""
    if key not in procedure.derived:
        suffix, params, block = make()
        name = f"{procedure.name}_{suffix}"
        place = function_of(procedure).place
        made = Procedure(name, Function(name, tuple(params), prune(block), place))
        made.result = without_values(block.results[0].fact)
        procedure.derived[key] = made
    return procedure.derived[key]  # type: ignore[no-any-return]


def function_of(procedure: Procedure) -> Function:
    assert procedure.function is not None
    return procedure.function


def pattern_of(items: Sequence[Atom], is_active: Callable[[Atom], bool]) -> tuple[bool, ...]:
    """Which of the arguments carry a derivative."""
    return tuple(is_active(item) and facts.may_be_differentiated(item.fact) for item in items)
