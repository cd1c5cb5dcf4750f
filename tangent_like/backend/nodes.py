"""Pieces of the syntax trees that are printed."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

from tangent_like.backend.references import References
from tangent_like.backend.spelling import call, signed
from tangent_like.ir import Op, Statement

LATER_FIELDS: dict[str, Any] = (
    {"type_params": []} if "type_params" in ast.FunctionDef._fields else {}
)
"""What Python 3.12 and later have: 3.12 does not fill it in itself."""


def if_(test: ast.expr, then: list[ast.stmt], orelse: list[ast.stmt]) -> list[ast.stmt]:
    """`if` without empty branches; what follows a `break` needs no `else`."""
    if not then and not orelse:
        return []
    if not then:
        return [ast.If(_negated(test), orelse, [])]
    if orelse and isinstance(then[-1], ast.Break):
        return [ast.If(test, then, []), *orelse]
    if orelse and isinstance(orelse[-1], ast.Break) and not isinstance(then[-1], ast.Break):
        return [ast.If(_negated(test), orelse, []), *then]
    return [ast.If(test, then, orelse)]


def is_assertion(then: list[ast.stmt], orelse: list[ast.stmt]) -> bool:
    return not then and len(orelse) == 1 and isinstance(orelse[0], ast.Raise)


def assertion(test: ast.expr, failure: Any) -> ast.stmt:
    """`assert test, message` for the branch that raises an AssertionError."""
    return ast.Assert(test, failure.exc.args[0] if failure.exc.args else None)


_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def _negated(test: ast.expr) -> ast.expr:
    """`not test`.  An order comparison is not turned round: NaN would take the wrong side."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITES:
        return ast.Compare(test.left, [_OPPOSITES[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def flat_bool(sign: ast.boolop, left: ast.expr, right: ast.expr) -> ast.expr:
    values = [left]
    if isinstance(right, ast.BoolOp) and type(right.op) is type(sign):
        values += right.values
    else:
        values.append(right)
    return ast.BoolOp(sign, values)


def number(value: float, refs: References) -> ast.expr:
    if not math.isfinite(value):
        node = refs.function(np.sin)
        assert isinstance(node, ast.Attribute)
        text = "nan" if math.isnan(value) else "inf"
        node = ast.Attribute(node.value, text, ast.Load())
        return ast.UnaryOp(ast.USub(), node) if value == float("-inf") else node
    if value < 0 or (value == 0 and str(value).startswith("-")):
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def complex_number(value: complex, refs: References) -> ast.expr:
    """`2j`, `-2j`, or `complex(1.0, 2.0)`: there is no literal for a number with both parts."""
    if math.isfinite(value.imag):
        if repr(value.real) == "0.0" and math.copysign(1.0, value.imag) > 0.0:
            return ast.Constant(value)
        if repr(value.real) == "-0.0" and math.copysign(1.0, value.imag) < 0.0:
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return call(refs.function(complex), [number(part, refs) for part in (value.real, value.imag)])


def assign(name: str, value: ast.expr) -> ast.stmt:
    """`name = value`, or `name += rest` where the value starts with the name."""
    target = ast.Name(name, ast.Store())
    return ast.Assign([target], value)


def placed(node: ast.stmt, statement: Statement) -> ast.stmt:
    """The node with the place that it comes from, and that derivative code belongs to."""
    node.origin = statement.place  # type: ignore[attr-defined]
    if isinstance(statement, Op) and statement.derivative:
        node.place = statement.place  # type: ignore[attr-defined]
    return node


def augmented(target: Any, sign: ast.operator, g: ast.expr) -> ast.stmt:
    """`target += g`, or `target -= rest` where g starts with a sign."""
    return ast.AugAssign(target, *signed(sign, g))


_SHORT = 40


def range_into_header(statements: list[ast.stmt]) -> None:
    """`for i in range(1, len(u)):` where the range, which nothing else reads, stands in the line
    before: it reads the array that the loop starts from, so that it could not be moved into the
    loop's header while that might still have another name than what the loop carries."""
    if len(statements) < 2:
        return
    made, loop = statements[-2:]
    if not isinstance(made, ast.Assign) or not isinstance(loop, ast.For):
        return
    (target,), value = made.targets, made.value
    called = isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
    if not called or value.func.id != "range" or len(ast.unparse(value)) > _SHORT:  # type: ignore[attr-defined]
        return
    if isinstance(target, ast.Name) and isinstance(loop.iter, ast.Name):
        if target.id == loop.iter.id:
            loop.iter = value
            del statements[-2]
