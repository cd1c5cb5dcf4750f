"""Numba freezes what lies outside a function: what is read there becomes a parameter.

    def f_grad(x):                            def f_grad_compiled(x, scale):
        return 2.0 * model.scale * x   ──▶        return 2.0 * scale * x

                                              def f_grad(x):
                                                  return f_grad_compiled(x, model.scale)

So it is read when the derivative is called, as it is in plain Python.  Functions of one module
that call one another hand it on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tangent_like import ir
from tangent_like.backend.numba_dialect.rebuild import operations, rebuilt_block
from tangent_like.frontend.externals import External
from tangent_like.ir import Function, Op, Procedure, Statement, Value


def outside_of(functions: Sequence[Function]) -> list[Op]:
    """One reading operation for each thing outside that the functions read."""
    found: dict[External, Op] = {}
    for function in functions:
        for op in operations(function):
            if isinstance(op.fn, External):
                found.setdefault(op.fn, op)
    return list(found.values())


def with_outside(functions: Sequence[Function], outside: Sequence[Op]) -> list[Function]:
    """The functions with a parameter for each thing outside."""
    return [_with_params(function, outside) for function in functions] if outside else [*functions]


def _with_params(function: Function, outside: Sequence[Op]) -> Function:
    params = {op.fn: Value(_name(op), op.result.fact) for op in outside}
    table = {op.result: params[op.fn] for op in operations(function) if op.fn in params}

    def visit(statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Op):
            if statement.fn in params:
                return
            if isinstance(statement.fn, Procedure):
                statement = replace(statement, args=(*statement.args, *params.values()))
        yield statement

    body = ir.substitute(rebuilt_block(function.body, visit), dict(table))
    return replace(function, params=(*function.params, *params.values()), body=body)


def _name(op: Op) -> str:
    """What a parameter is called: as the user calls it, or its last attribute."""
    external = op.fn
    assert isinstance(external, External)
    names = [external.name, *(step for step in external.path if isinstance(step, str))]
    return op.result.name or names[-1]
