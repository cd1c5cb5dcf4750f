"""The text of a module that Numba compiles, and its functions."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from tangent_like.backend.emit import emit
from tangent_like.backend.load import Compiled, load
from tangent_like.backend.naming import all_hints
from tangent_like.backend.printing import module_text
from tangent_like.backend.references import References
from tangent_like.ir import Function
from tangent_like.request import Request


def load_compiled(
    functions: Sequence[Function], request: Request, guards: Sequence[Any]
) -> Compiled:
    """Emit, print and load; the last function is the one that is asked for."""
    refs = References({name for f in functions for name in all_hints(f)})
    for function in functions:
        refs.claim(function.name, function)
    trees = [emit(f, refs, {}).tree for f in functions]
    for tree in trees:
        tree.decorator_list.append(decorator(refs, request))
    text = module_text(trees, refs)
    return load(text, [functions[-1].name], refs.outside, guards)


def decorator(refs: References, request: Request) -> ast.expr:
    """`numba.njit`, with the options that were asked for."""
    njit = ast.Attribute(refs.module("numba"), "njit", ast.Load())
    options = {"fastmath": request.fastmath, "parallel": request.parallel}
    chosen = [ast.keyword(name, ast.Constant(True)) for name, value in options.items() if value]
    return ast.Call(njit, [], chosen) if chosen else njit
