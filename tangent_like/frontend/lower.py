"""Lower a function's syntax tree to a structured Wengert list.

    def f(x, n):                       f(x: float, n: int)
        for i in range(n):               1  range = range(n)
            if x > 4.0:                  2  x = loop i in range, x:
                break            ──▶     3      test = x > 4.0
            x = x * x                    4      go, x = if test:
        return x                                    yield False, x
                                                else:
                                         5          x = x * x
                                                    yield True, x
                                         return x

Lowering is an abstract interpretation: it knows the fact of every value while it goes, so that
calls are resolved and inlined, tuples dissolve into their items, and types decide what an
operation means.  Exits move the rest of the block into the other branch; what cannot be moved is
guarded by flags, which are names of their own in the environment:

    %left      control has left this block          %go        the loop goes on
    %returned  the function has returned            %value     what it returned
    %broke     the loop was left by `break` or `return`, so its `else` is skipped
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import gast

from tangent_like import facts, ir, runtime
from tangent_like.build import Builder, Unreachable
from tangent_like.errors import NotYetSupported, SharedMemory
from tangent_like.facts import Fact
from tangent_like.faults import reported
from tangent_like.frontend import (
    edits,
    failures,
    imports,
    mapped,
    patterns,
    regions,
    sequences,
    vectors,
)
from tangent_like.frontend.arithmetic import binary
from tangent_like.frontend.binding import bind_arguments
from tangent_like.frontend.branches import lower_assert, lower_if
from tangent_like.frontend.containers import refuse_in_result
from tangent_like.frontend.counting import Turn, lower_turn
from tangent_like.frontend.functions import local_function, lower_body, new_frame
from tangent_like.frontend.homes import may_alias
from tangent_like.frontend.loops import (
    Stop,
    lower_for,
    lower_stop,
    lower_while,
)
from tangent_like.frontend.names import read_name
from tangent_like.frontend.objects import refuse_as_result
from tangent_like.frontend.scope import Conflict
from tangent_like.frontend.shrinking import size
from tangent_like.frontend.signatures import parameters_of
from tangent_like.frontend.source import find_source
from tangent_like.frontend.state import FALSE, TRUE, Lowering, Module
from tangent_like.frontend.structures import opened, remove_attribute
from tangent_like.frontend.targets import bind, bind_name, delete_item
from tangent_like.frontend.unrolled import Iteration, lower_iteration
from tangent_like.frontend.writes import augment, augment_attribute, augment_item
from tangent_like.ir import Const, Value
from tangent_like.records import attribute, is_display

mapped.register()
vectors.register()


def lower_function(
    function: Any, param_facts: Sequence[Fact], module: Module, name: str = ""
) -> ir.Function:
    """The Wengert list of a Python function for parameters of the given facts."""
    try:
        return _lowered(function, param_facts, module, name)
    except SharedMemory as reason:
        try:
            return _lowered(function, param_facts, module, name, turns_names=True)
        except NotYetSupported:
            raise reason from None


def _lowered(
    function: Any, param_facts: Sequence[Fact], module: Module, name: str,
    turns_names: bool = False,
) -> ir.Function:  # fmt: skip
    source = find_source(function)
    declared = parameters_of(function)
    params = [Value(p.name, fact) for p, fact in zip(declared, param_facts, strict=True)]
    frame = new_frame(source, source.tree, {}, None, None)
    frame.calls = (function,)
    state = Lowering(module, Builder(), frame, turns_names=turns_names)
    by_name = {p.name for p in declared if p.kind is p.KEYWORD_ONLY}
    opening = state.builder.collect(lambda: [opened(state, value) for value in params])
    made = [value for s in opening.statements for value in ir.defined_by(s)]
    state.params = frozenset(v for v in (*params, *made) if isinstance(v.fact, facts.Array))
    given = {value.name: atom for value, atom in zip(params, opening.results)}
    args = [given[value.name] for value in params if value.name not in by_name]
    named = {value.name: given[value.name] for value in params if value.name in by_name}
    frame.size = size(given.values())
    frame.env = bind_arguments(state, source.tree, source.tree, {}, args, named)
    try:
        result = lower_body(state)
    except Unreachable:
        result = Const(0.0)  # never returned
    refuse_as_result(state, result, source.tree)
    refuse_in_result(state, result.fact, source.tree)
    block = state.builder.finish((result,))
    head = (*state.prelude, *checks_of_arguments(state, params, made), *opening.statements)
    body = ir.Block((*head, *_checks_of_order(state), *block.statements), block.results)
    place = source.place(source.tree)
    return ir.Function(name or getattr(function, "__name__", "f"), tuple(params), body, place)


def checks_of_arguments(
    state: Lowering, params: Sequence[Value], opened: Sequence[Value]
) -> list[ir.Op]:
    """The check that an argument which is written into shares no memory with another one; `opened`
    are the displays that stand for arguments, where others are structures of the function's."""
    changed = [b.root for b, now in state.memory.items() if now is not b.root]
    own = {v for v in changed if _is_made_by_display(state, v) and v not in opened}
    roots = {_argument_of(state, value) for value in changed if value not in own}
    written = [p for p in params if p in roots]
    others = [p for p in params if may_alias(p.fact) and p not in roots]
    structured = any(not isinstance(p.fact, facts.Array) for p in written)
    if not written or (not structured and len(written) + len(others) < 2):
        return []
    place = state.frame.source.place(state.frame.node)
    result = Value("", facts.Opaque("NoneType"))
    if structured:
        args: tuple[ir.Atom, ...] = (Const(len(written)), *written, *others)
        return [ir.Op(result, runtime.check_apart, args, (), place)]
    alike = tuple(p for p in params if may_alias(p.fact))
    return [ir.Op(result, runtime.check_separate, alike, (), place)]


def _checks_of_order(state: Lowering) -> list[ir.Op]:
    """The check that the arrays lie in order of which a part in another shape is written into."""
    args = tuple(sorted(state.in_order, key=lambda value: value.serial))
    place = state.frame.source.place(state.frame.node)
    result = Value("", facts.Opaque("NoneType"))
    return [ir.Op(result, runtime.check_in_order, args, (), place)] if args else []


def _is_made_by_display(state: Lowering, value: Value) -> bool:
    op = state.builder.definitions.get(value)
    return op is not None and is_display(op.fn)


def _argument_of(state: Lowering, value: Value) -> Value:
    """The argument that a value is, or is an item of."""
    op = state.builder.definitions.get(value)
    while op is not None and op.args and isinstance(op.args[0], Value):
        if not (is_display(op.fn) or op.fn in (operator.getitem, attribute)):
            break
        value = op.args[0]
        op = state.builder.definitions.get(value)
    return value


def lower_statement(state: Lowering, node: Any) -> None:
    if isinstance(node, gast.AST):
        state.builder.place = state.place(node)
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise _refused(state, node)
    place = state.builder.place
    with reported(lambda: place, (Unreachable, RecursionError)):
        handler(state, node)


def _refused(state: Lowering, node: Any) -> NotYetSupported:
    what, instead = _REFUSALS.get(type(node).__name__, (type(node).__name__.lower(), ""))
    return NotYetSupported(what, state.place(node), instead)


_REFUSALS = {
    "ClassDef": ("a class defined inside a function", "define it at the top of the module"),
    "AsyncFor": ("`async for`", "use a plain loop"),
}


def _lower_expression_statement(state: Lowering, node: Any) -> None:
    if not isinstance(node.value, gast.Constant):
        state.expression(node.value)


def _lower_assign(state: Lowering, node: Any) -> None:
    if edits.swap(state, node):
        return
    value = state.expression(node.value)
    for target in node.targets:
        bind(state, target, value)


def _lower_annotated(state: Lowering, node: Any) -> None:
    if node.value is not None:
        bind(state, node.target, state.expression(node.value))


def _lower_augmented(state: Lowering, node: Any) -> None:
    if isinstance(node.target, gast.Subscript):
        augment_item(state, node)
        return
    if isinstance(node.target, gast.Attribute):
        augment_attribute(state, node)
        return
    old = read_name(state, node.target.id, node.target)
    if isinstance(old.fact, (facts.Scalar, facts.Tuple, facts.Opaque)):
        value = state.expression(node.value)
        bind(state, node.target, binary(state, node, old, value))
        return
    new = augment(state, node, old)
    if new is not None:
        bind(state, node.target, new)


def _lower_delete(state: Lowering, node: Any) -> None:
    for target in node.targets:
        if isinstance(target, gast.Attribute):
            owner = state.expression(target.value)
            remove_attribute(state, target, owner, target.attr)
            continue
        if isinstance(target, gast.Subscript) and delete_item(state, target):
            continue
        if not isinstance(target, gast.Name):
            raise NotYetSupported("deleting this", state.place(target), "build a new container")
        read_name(state, target.id, target)
        bind_name(state, target.id, Const(None), target)
        deleted = Conflict(target.id, state.place(node), "it may be deleted")
        key = state.frame.cells.get(target.id, target.id)
        state.table_of(key)[key] = deleted


def _lower_return(state: Lowering, node: Any) -> None:
    value = Const(None) if node.value is None else state.expression(node.value)
    state.frame.env["%value"] = value
    state.frame.env.update({"%returned": TRUE, "%go": FALSE, "%broke": TRUE, "%left": TRUE})


def _lower_break(state: Lowering, node: Any) -> None:
    state.frame.env.update({"%go": FALSE, "%broke": TRUE, "%left": TRUE})


def _lower_continue(state: Lowering, node: Any) -> None:
    state.frame.env["%left"] = TRUE


def _lower_function_definition(state: Lowering, node: Any) -> None:
    decorators = [state.expression(decorator) for decorator in node.decorator_list]
    function: ir.Atom = Const(local_function(state, node, node.name))
    for decorator in reversed(decorators):
        function = state.module.call(state, node, decorator, (function,), {})
    bind_name(state, node.name, function, node)


_HANDLERS: dict[type, Callable[[Lowering, Any], None]] = {
    gast.Assign: _lower_assign,
    gast.AnnAssign: _lower_annotated,
    gast.AugAssign: _lower_augmented,
    gast.Expr: _lower_expression_statement,
    gast.Return: _lower_return,
    gast.Break: _lower_break,
    gast.Continue: _lower_continue,
    gast.Pass: lambda state, node: None,
    gast.Global: lambda state, node: None,
    gast.Nonlocal: lambda state, node: None,
    gast.Delete: _lower_delete,
    gast.If: lower_if,
    gast.For: lower_for,
    gast.While: lower_while,
    gast.Assert: lower_assert,
    **failures.HANDLERS,
    **imports.HANDLERS,
    **patterns.HANDLERS,
    **regions.HANDLERS,
    sequences.Push: sequences.lower_push,
    sequences.Put: sequences.lower_put,
    gast.FunctionDef: _lower_function_definition,
    Iteration: lower_iteration,
    Stop: lower_stop,
    Turn: lower_turn,
}
