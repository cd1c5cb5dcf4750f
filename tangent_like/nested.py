"""Derivatives inside functions: `grad(f)(x)` where it is called in a function being lowered.

The inner function is lowered for its arguments, differentiated as a list of its own, and the
result is spliced in.  Its captured values are constants of the inner derivative and ordinary
values of the outer one, so perturbations cannot be confused.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import gast

import tangent_like.implicit  # noqa: F401 - tells how solvers are lowered
from tangent_like import facts, ir
from tangent_like.custom.calls import call_custom
from tangent_like.errors import ArgumentError, NeverSupported, NotYetSupported
from tangent_like.frontend import operators
from tangent_like.frontend.binding import bind_arguments
from tangent_like.frontend.calls import call
from tangent_like.frontend.expressions import lower_expression
from tangent_like.frontend.lower import checks_of_arguments, lower_statement
from tangent_like.frontend.scope import Derived, LocalFunction
from tangent_like.frontend.signatures import parameters_of
from tangent_like.frontend.source import find_source
from tangent_like.frontend.state import Lowering, Module
from tangent_like.frontend.structures import opened
from tangent_like.frontend.syntax import parameter_nodes
from tangent_like.frontend.writes import refuse_outside
from tangent_like.ir import Atom, Block, Const, Function, Value
from tangent_like.recursion import recurse
from tangent_like.request import Request
from tangent_like.simplify.dead import prune
from tangent_like.spelled import is_spelled_out, spelled
from tangent_like.transform import forward, transform, with_seed
from tangent_like.trees import free_name


def new_module() -> Module:
    """What one generated module is lowered with."""
    return Module(lower_expression, lower_statement, derive, recurse, call, call_custom)


def derive(
    state: Lowering, node: Any, derived: Derived, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """The value of calling a derivative on these arguments."""
    if is_spelled_out(derived.target):
        primals = args[0].fact if derived.operator == "jvp" and args else None
        count = len(primals.items) if isinstance(primals, facts.STRUCTURES) else len(args)
        target = spelled(derived.target, count, tuple(keywords))
        derived = Derived(derived.operator, target, derived.options)
    if derived.operator == "jvp":
        return _jvp(state, node, derived, args)
    if derived.operator == "vjp":
        return _vjp(state, node, derived, args)
    if derived.operator == "pullback":
        return _pull(state, node, derived, args)
    if derived.operator not in ("grad", "value_and_grad", "elementwise_grad", "derivative"):
        raise NotYetSupported(
            f"`{derived.operator}` inside a differentiated function", state.place(node),
            "nest grad and jvp instead",
        )  # fmt: skip
    bound = _bound(state, node, derived.target, args, keywords)
    names, atoms = list(bound), list(bound.values())
    request = request_of(derived, names, state, node)
    function, values = _lowered(state, node, derived.target, names, atoms, request.wrt)
    result = transform(function, request)
    return splice(state, result, values)


def _bound(
    state: Lowering, node: Any, target: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> dict[str, Atom]:
    """The arguments by name; those that `*args` takes have names of their own."""
    tree, defaults = tree_of(target), _defaults(target)
    if not _collects(tree):
        found = bind_arguments(state, node, tree, defaults, args, keywords)
        return {param.id: found[param.id] for param in parameter_nodes(tree.args)}
    names = parameter_names(target, len(args))
    bind_arguments(state, node, tree, defaults, args, keywords)  # which refuses what does not fit
    given = {**dict(zip(names, args)), **keywords}
    declared = [*names, *(param.id for param in tree.args.kwonlyargs), *keywords]
    return {name: given[name] if name in given else defaults[name] for name in declared}


def splice(state: Lowering, function: Function, values: Mapping[Value, Atom]) -> Atom:
    """Append the body of a list with its parameters replaced by values; its result."""
    body = ir.substitute(function.body, values)
    for statement in body.statements:
        state.builder.append(statement)
    (result,) = body.results
    if isinstance(result.fact, facts.Tuple) and isinstance(result, Value):
        items = [
            state.builder.op(operator.getitem, (result, Const(i)))
            for i in range(len(result.fact.items))
        ]
        return state.builder.op(ir.make_tuple, items)
    return result


def _lowered(
    state: Lowering,
    node: Any,
    target: Any,
    names: Sequence[str],
    atoms: Sequence[Atom],
    wrt: Sequence[int],
) -> tuple[Function, dict[Value, Atom]]:
    """The target as a list with a parameter for each differentiated argument."""
    params, passed, values = _parameters(state, names, atoms, wrt)
    positional = set(parameter_names(target, len(names)))
    before, cells, mark = dict(state.memory), dict(state.cells), ir.next_serial()
    opening = state.builder.collect(lambda: [opened(state, param) for param in params])
    inside: dict[Atom, Atom] = dict(zip(params, opening.results))
    given = {name: inside.get(atom, atom) for name, atom in zip(names, passed)}
    args = [atom for name, atom in given.items() if name in positional]
    named = {name: atom for name, atom in given.items() if name not in positional}
    block = state.builder.collect(lambda: [call(state, node, Const(target), args, named)])
    made = [value for s in opening.statements for value in ir.defined_by(s)]
    checks = checks_of_arguments(state, params, made)
    block = Block((*opening.statements, *checks, *block.statements), block.results)
    state.memory = {b: v for b, v in state.memory.items() if b.root not in params}
    refuse_outside(state, node, before, mark, _TARGET)
    _refuse_changed_cells(state, node, cells)
    state.memory = before
    function = Function("inner", tuple(params), prune(block), state.place(node))
    return function, values


_TARGET = "a function whose derivative is taken here"


def _parameters(
    state: Lowering, names: Sequence[str], atoms: Sequence[Atom], wrt: Sequence[int]
) -> tuple[list[Value], list[Atom], dict[Value, Atom]]:
    """The parameters, what the target is called with (differentiated arguments are parameters),
    and what stands for these outside."""
    values: dict[Value, Atom] = {}
    passed: list[Atom] = list(atoms)
    params: list[Value] = []
    for i, (name, atom) in enumerate(zip(names, atoms, strict=True)):
        fact = atom.fact
        if i in wrt:
            if isinstance(fact, facts.Scalar) and fact.type in ("int", "bool"):
                fact = facts.FLOAT
                atom = state.builder.op(float, (atom,))
            if isinstance(atom, Const) and isinstance(atom.value, (int, float)):
                atom, fact = Const(float(atom.value)), facts.FLOAT
            param = Value(name, fact)
            values[param] = atom
            passed[i] = param
            params.append(param)
            state.stands_for[param] = atom
        else:
            params.append(Value(name, fact))
    return params, passed, values


def _refuse_changed_cells(state: Lowering, node: Any, before: Mapping[Any, Any]) -> None:
    for cell, binding in state.cells.items():
        if binding is not before.get(cell, binding):
            raise NeverSupported(
                f"writing `{cell.name}` in {_TARGET}", state.place(node), "return the value instead"
            )


def tree_of(target: Any) -> Any:
    """The definition of what is differentiated, through derivatives of derivatives."""
    if isinstance(target, Derived):
        return tree_of(target.target)
    if isinstance(target, LocalFunction):
        return target.node
    if isinstance(target, operators.DERIVATIVES):
        return tree_of(target.function)
    tree = find_source(target).tree
    if not _collects(tree):
        return tree
    declared = [p.replace(annotation=p.empty, default=p.empty) for p in parameters_of(target)]
    return gast.parse(f"def wrapped{inspect.Signature(declared)}: pass").body[0]


def parameter_names(target: Any, count: int) -> list[str]:
    """The parameters by position, with names for those of `count` arguments that `*args` takes."""
    arguments = tree_of(target).args
    names = [param.id for param in (*arguments.posonlyargs, *arguments.args)]
    if arguments.vararg is not None:
        taken = {param.id for param in parameter_nodes(arguments)}
        for k in range(count - len(names)):
            names.append(free_name(f"{arguments.vararg.id}{k}", taken))
    return names


def _collects(tree: Any) -> bool:
    return tree.args.vararg is not None or tree.args.kwarg is not None


def _defaults(target: Any) -> Mapping[str, Atom]:
    if isinstance(target, Derived):
        return _defaults(target.target)
    if isinstance(target, LocalFunction):
        return target.defaults
    if isinstance(target, operators.DERIVATIVES):
        return _defaults(target.function)
    declared = parameters_of(target)
    return {p.name: Const(p.default) for p in declared if p.default is not p.empty}


def request_of(derived: Derived, names: Sequence[str], state: Lowering, node: Any) -> Request:
    wrt = derived.options.get("wrt", 0)
    chosen = wrt if isinstance(wrt, tuple) else (wrt,)
    positions = []
    for entry in chosen:
        if isinstance(entry, str) and entry in names:
            positions.append(names.index(entry))
        elif isinstance(entry, int) and -len(names) <= entry < len(names):
            positions.append(entry % len(names))
        else:
            message = f"there is no argument {entry!r} to differentiate"
            raise ArgumentError(message, state.place(node))
    return Request(
        derived.operator, tuple(positions), not isinstance(wrt, tuple),
        bool(derived.options.get("has_aux", False)), int(derived.options.get("order", 1)),
    )  # fmt: skip


def _vjp(state: Lowering, node: Any, derived: Derived, args: Sequence[Atom]) -> Atom:
    """`vjp(f, *primals)`: the value, and a pullback that exists at compile time."""
    value = call(state, node, Const(derived.target), args, {})
    pullback = Derived("pullback", derived.target, {"primals": tuple(args)})
    return state.builder.op(ir.make_tuple, (value, Const(pullback)))


def _pull(state: Lowering, node: Any, derived: Derived, args: Sequence[Atom]) -> Atom:
    """The cotangents of all primals that can have one."""
    if len(args) != 1:
        raise ArgumentError("a pullback takes one cotangent", state.place(node))
    primals: Sequence[Atom] = derived.options["primals"]
    names = parameter_names(derived.target, len(primals))[: len(primals)]
    wrt = tuple(i for i, p in enumerate(primals) if facts.may_be_differentiated(p.fact))
    function, values = _lowered(state, node, derived.target, names, primals, wrt)
    seeded = with_seed(function, Request("vjp", wrt, single=False))
    values[seeded.params[-1]] = args[0]
    found = splice(state, seeded, values)
    parts = iter(range(len(wrt)))
    items = [
        state.builder.op(operator.getitem, (found, Const(next(parts)))) if i in wrt else Const(None)
        for i in range(len(primals))
    ]
    return state.builder.op(ir.make_tuple, items)


def _jvp(state: Lowering, node: Any, derived: Derived, args: Sequence[Atom]) -> Atom:
    """`jvp(f, primals, tangents)`, whose tuples are written out."""
    if len(args) != 2 or not all(isinstance(a.fact, (facts.Tuple, facts.List)) for a in args):
        raise ArgumentError("jvp takes a tuple of primals and one of tangents", state.place(node))
    primals, tangents = (
        [
            state.builder.op(operator.getitem, (atom, Const(i)))
            for i in range(len(atom.fact.items))  # type: ignore[union-attr]
        ]
        for atom in args
    )
    if len(primals) != len(tangents):
        raise ArgumentError("jvp takes a tangent for each primal", state.place(node))
    names = parameter_names(derived.target, len(primals))[: len(primals)]
    wrt = tuple(
        i for i, t in enumerate(tangents) if not (isinstance(t, Const) and t.value is None)
    )
    function, values = _lowered(state, node, derived.target, names, primals, wrt)
    result = forward(function, wrt)
    for param, i in zip(result.params[len(function.params) :], wrt, strict=True):
        values[param] = tangents[i]
    return splice(state, replace(result), values)


