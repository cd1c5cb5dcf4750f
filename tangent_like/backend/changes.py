"""How operations are printed that are statements of their own: they change a value in place."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.backend.nodes import assign, augmented, placed
from tangent_like.backend.remarks import remark, remark_node
from tangent_like.backend.spelling import BINARY_SIGNS, call, spell, subscript
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.stores import Store

if TYPE_CHECKING:
    from tangent_like.backend.emit import Emitter


def _scatter(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """`bx[i] += g`; repeated indices in arrays need `np.add.at`."""
    moved = _moved(emitter, op)
    array = ast.Name(emitter.names[op.result], ast.Load())
    index, g = (emitter.atom(a) for a in op.args[1:])
    form = scatter_form(op)
    if form == "augmented":
        target = subscript(array, index, op.args[1])
        target.ctx = ast.Store()
        return [*moved, placed(augmented(target, ast.Add(), g), op)]
    if form == "at":
        where = emitter.refs.function(np.add)
        at = call(ast.Attribute(where, "at", ast.Load()), [array, index, g])
        return [*moved, placed(ast.Expr(at), op)]
    value = call(emitter.refs.function(op.fn), [emitter.atom(op.args[0]), index, g])
    return [placed(assign(array.id, value), op)]


def view_steps(op: Op) -> list[Op]:
    """The operations by which a store gets to its place, the last of which names the place."""
    assert isinstance(op.fn, Store)
    array, found = op.args[0], []
    for step, own in op.fn.steps(op.args[2:]):
        result = Value("", infer.infer(step, (array, *own), {}))
        found.append(Op(result, step, (array, *own)))
        array = result
    return found


def store_statements(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """`y[i] = e`, `y[1:].T[i] += e`, `y *= e`."""
    store = op.fn
    assert isinstance(store, Store) and store.into
    target: Any = ast.Name(emitter.names[op.result], ast.Load())
    for step in view_steps(op):
        target = spell(step, [target, *map(emitter.atom, step.args[1:])], {}, emitter.refs)
    target.ctx = ast.Store()
    value = emitter.atom(op.args[1])
    if store.combine is None:
        node: ast.stmt = ast.Assign([target], value)
    elif store.combine is operator.add:
        node = augmented(target, ast.Add(), value)
    else:
        node = ast.AugAssign(target, BINARY_SIGNS[store.combine](), value)
    return [*_moved(emitter, op), placed(node, op)]


def scatter_form(op: Op) -> str:
    """How an update is written: `b[i] += g`, `np.add.at`, or a call that finds out."""
    fact = op.args[0].fact
    plain = isinstance(fact, facts.Array) and fact.dims is not None
    listed = isinstance(fact, facts.ListOf) and facts.is_scalar(fact.item)
    if (plain and _is_basic(op.args[1])) or (listed and facts.is_scalar(op.args[1].fact)):
        return "augmented"
    return "at" if plain else "call"


def _moved(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """The assignment that gives what is changed in place the name of the result."""
    name, source = emitter.names[op.result], emitter.atom(op.args[0])
    if isinstance(source, ast.Name) and source.id == name:
        return []
    return [placed(assign(name, source), op)]


def _is_basic(index: Atom) -> bool:
    """Whether an index is certain to name each element at most once."""
    fact = index.fact
    items = fact.items if isinstance(fact, facts.Tuple) else (fact,)
    return all(
        (isinstance(f, facts.Scalar) and f.type in ("int", "bool"))
        or (isinstance(f, facts.Opaque) and f.kind in ("slice", "ellipsis", "NoneType"))
        or (isinstance(f, facts.Array) and f.dtype == "bool")
        for f in items
    )


def _add_into(emitter: Emitter, op: Op) -> list[ast.stmt]:
    target = ast.Name(emitter.names[op.result], ast.Store())
    sign = ast.Add() if op.fn is runtime.add_into else ast.Sub()
    g = emitter.atom(op.args[1])
    return [*_moved(emitter, op), placed(augmented(target, sign, g), op)]


def _put(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """`tape[i] = x`."""
    tape, index, value = (emitter.atom(a) for a in op.args)
    target = subscript(tape, index, op.args[1])
    target.ctx = ast.Store()
    return [ast.Assign([target], value)]


def changing_call(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """A call that changes its first operand, which has the name of the result."""
    array = ast.Name(emitter.names[op.result], ast.Load())
    rest = [emitter.atom(a) for a in op.args[1:]]
    changed = call(emitter.refs.function(op.fn), [array, *rest])
    return [*_moved(emitter, op), placed(ast.Expr(changed), op)]


def spell_change(fn: Any, sign: Any) -> None:
    """Let an operation be written as an assignment to its first operand, or to the element of it
    that the second one names: an augmented one, unless the sign is None."""

    def statement(emitter: Emitter, op: Op) -> list[ast.stmt]:
        target: Any
        target, *place, value = (emitter.atom(a) for a in op.args)
        if place:
            target = subscript(target, place[0], op.args[1])
        target.ctx = ast.Store()
        if sign is None:
            return [placed(ast.Assign([target], value), op)]
        if sign is operator.add:
            return [placed(augmented(target, ast.Add(), value), op)]
        return [placed(ast.AugAssign(target, BINARY_SIGNS[sign](), value), op)]

    STATEMENTS[fn] = statement


def _method_of_list(name: str) -> Any:
    """`items.append(x)`, `items.pop()`."""

    def statements(emitter: Emitter, op: Op) -> list[ast.stmt]:
        items = ast.Name(emitter.names[op.result], ast.Load())
        method = ast.Attribute(items, name, ast.Load())
        called = call(method, [emitter.atom(a) for a in op.args[1:]])
        return [*_moved(emitter, op), placed(ast.Expr(called), op)]

    return statements


def _remark(emitter: Emitter, op: Op) -> list[ast.stmt]:
    assert isinstance(op.args[0], Const)
    return [remark_node(str(op.args[0].value))]


def _raise(emitter: Emitter, op: Op) -> list[ast.stmt]:
    error, *cause = (emitter.atom(a) for a in op.args)
    return [ast.Raise(error, cause[0] if cause else None)]


def _read(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """A name that is read only for the error where it is not bound."""
    why = remark_node("raises UnboundLocalError where it is not bound")
    return [why, placed(ast.Expr(emitter.atom(op.args[0])), op)]


STATEMENTS: dict[Any, Any] = {
    ir.defined: _read,
    runtime.scatter_add_into: _scatter,
    runtime.add_into: _add_into,
    runtime.subtract_into: _add_into,
    ir.put: _put,
    remark: _remark,
    runtime.append_into: _method_of_list("append"),
    runtime.remove_last: _method_of_list("pop"),
    ir.fail: _raise,
    ir.keep: lambda emitter, op: [],
}
