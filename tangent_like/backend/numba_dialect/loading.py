"""The text of a module that Numba compiles, and its functions."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tangent_like.backend.emit import emit
from tangent_like.backend.load import Compiled, load
from tangent_like.backend.naming import all_hints
from tangent_like.backend.nodes import LATER_FIELDS
from tangent_like.backend.numba_dialect.outside import outside_of, with_outside
from tangent_like.backend.numba_dialect.refusals import refuse
from tangent_like.backend.printing import module_text
from tangent_like.backend.references import References
from tangent_like.backend.spelling import call
from tangent_like.ir import Function, Op
from tangent_like.request import Request


@dataclass(frozen=True, slots=True, eq=False)
class Emitted:
    text: str
    trees: tuple[ast.FunctionDef, ...]
    refs: References


def load_compiled(
    functions: Sequence[Function], request: Request, guards: Sequence[Any]
) -> Compiled:
    """Emit, print and load; the last function is the one that is asked for."""
    emitted = emitted_module(functions, request)
    return load(emitted.text, [functions[-1].name], emitted.refs.outside, guards)


def emitted_module(functions: Sequence[Function], request: Request) -> Emitted:
    """The text, with the trees that it was printed from."""
    refuse(functions)
    *others, main = functions
    outside = outside_of(functions)
    if outside:
        main = replace(main, name=f"{main.name}_compiled")
    everything = with_outside([*others, main], outside)
    refs = References({name for f in everything for name in all_hints(f)})
    for function in (functions[-1], *everything):
        refs.claim(function.name, function)
    trees = [emit(f, refs, {}, typed=True).tree for f in everything]
    for tree in trees:
        tree.decorator_list.append(decorator(refs, request))
    if outside:
        trees.append(reader(trees[-1], functions[-1].name, outside, refs))
    return Emitted(module_text(trees, refs), tuple(trees), refs)


def decorator(refs: References, request: Request) -> ast.expr:
    """`numba.njit`, with the options that were asked for."""
    njit = ast.Attribute(refs.module("numba"), "njit", ast.Load())
    options = {"fastmath": request.fastmath, "parallel": request.parallel}
    chosen = [ast.keyword(name, ast.Constant(True)) for name, value in options.items() if value]
    return ast.Call(njit, [], chosen) if chosen else njit


def reader(
    compiled: ast.FunctionDef, name: str, outside: Sequence[Op], refs: References
) -> ast.FunctionDef:
    """The function that reads what lies outside and calls the compiled one with it."""
    params = compiled.args.args
    own = params[: len(params) - len(outside)]
    read = [refs.external(op.fn) for op in outside]  # type: ignore[arg-type]
    args = [*(ast.Name(p.arg, ast.Load()) for p in own), *read]
    result = ast.Return(call(ast.Name(compiled.name, ast.Load()), args))
    signature = ast.arguments([], list(own), None, [], [], None, [])
    return ast.FunctionDef(name, signature, [result], [], None, None, **LATER_FIELDS)
