"""The way of a function to its derivative: every pass, in order, in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from tangent_like import facts, ir, trees
from tangent_like.adjoint import sweeps
from tangent_like.analysis.activity import varied
from tangent_like.backend.emit import emit
from tangent_like.backend.load import load
from tangent_like.backend.naming import all_hints
from tangent_like.backend.printing import module_text
from tangent_like.backend.references import References
from tangent_like.backend.remarks import remark
from tangent_like.build import Builder
from tangent_like.facts import Fact
from tangent_like.frontend.kinds import instantiate
from tangent_like.frontend.lower import Module, lower_function
from tangent_like.ir import Atom, Block, Const, Function, Op, Value
from tangent_like.recording import record
from tangent_like.simplify import PASSES
from tangent_like.simplify.dead import prune, remove_dead
from tangent_like.tangent import tangent
from tangent_like.trees import Tree
from tangent_like.verify import verify

checking: list[bool] = [False]
"""Debug switch: verify the list after every pass."""


def primal(function: FunctionType, kinds: Sequence[Fact], module: Module) -> Function:
    """Find the source, parse it and lower it for arguments of these kinds."""
    return checked(remove_dead(lower_function(function, instantiate(kinds), module)))


def checked(function: Function) -> Function:
    return verify(function) if checking[0] else function


def simplified(function: Function) -> Function:
    for simplify in PASSES:
        function = checked(simplify(function))
    return function


# --- reverse mode -------------------------------------------------------------------------------


def joint(
    function: Function, wrt: Sequence[int], seeds: Sequence[Tree], with_value: bool, single: bool
) -> Function:
    """One function with both sweeps, returning the gradient (after the value)."""
    chosen = [function.params[i] for i in wrt]
    both = sweeps(function.body, chosen, seeds, _no_procedures)
    recorded = record(type(both)(both.forward, prune(both.reverse)))
    statements = (*recorded.forward.statements, _remark("reverse sweep"), *recorded.reverse.statements)
    gradients: tuple[Atom, ...] = recorded.reverse.results
    builder = Builder()
    if with_value:
        whole = gradients[0] if single else builder.op(ir.make_tuple, gradients)
        gradients = (*recorded.forward.results, whole)
    statements += builder.finish(()).statements
    return checked(Function(function.name, function.params, Block(statements, gradients)))


def _no_procedures(*args: Any) -> None:
    raise NotImplementedError


def _remark(text: str) -> Op:
    return Op(Value("", facts.Opaque("NoneType")), remark, (Const(text),))


# --- forward mode -------------------------------------------------------------------------------


def forward(function: Function, wrt: Sequence[int]) -> Function:
    """The function with tangents: it takes them after its parameters, returns value and tangent."""
    chosen = [function.params[i] for i in wrt]
    tangents = [Value(trees.derivative_name("d", p), p.fact) for p in chosen]
    builder = Builder()
    inputs = {
        p: trees.dissolve(builder, t, p.fact) for p, t in zip(chosen, tangents)
    }
    head = builder.finish(()).statements
    active = varied(function.body, chosen)
    body, _ = tangent(function.body, active, inputs, _no_procedures)
    body = Block((*head, *body.statements), body.results)
    return checked(Function(function.name, (*function.params, *tangents), body))


# --- source and callable ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A generated function: its source, itself, and what was assumed of things outside."""

    text: str
    call: FunctionType
    function: Function
    guards: tuple[Any, ...] = field(default=())


def finish(function: Function, name: str, doc: str, module: Module) -> Compiled:
    """Simplify, emit, print and load."""
    named = Function(name, function.params, simplified(function).body, function.place, doc)
    refs = References(all_hints(named))
    emitted = emit(named, refs, {})
    text = module_text([emitted.tree], refs)
    return Compiled(text, load(text, name, refs), named, tuple(module.guards.values()))


def new_module(derive: Callable[..., Any] | None = None) -> Module:
    return Module(derive or _no_procedures, _no_procedures)
