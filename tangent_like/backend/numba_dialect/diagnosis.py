"""What Numba cannot compile is said in the words of this package, with the user's line."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError, NumbaPendingDeprecationWarning, NumbaPerformanceWarning

from tangent_like.backend.load import Compiled
from tangent_like.errors import NOWHERE, NotYetSupported, Place

FindPlaces = Callable[[], dict[int, Place]]
"""Gives the user's place for lines of the generated module."""

FAILURES = (NumbaError, NotImplementedError, AssertionError)
"""What Numba raises where it cannot compile a function: also where it finds itself at fault."""

_QUIET = (NumbaPerformanceWarning, NumbaPendingDeprecationWarning)
"""Warnings about generated code, which the user cannot heed."""


def watch(compiled: Compiled, name: str, find_places: FindPlaces) -> None:
    """Let the errors of Numba in a generated module become errors of this package."""
    for dispatcher in dispatchers(compiled):
        dispatcher._compile_for_args = _watched(dispatcher._compile_for_args, name, find_places)


def dispatchers(compiled: Compiled) -> Iterator[Any]:
    """The functions of a generated module that Numba compiles."""
    (call,) = compiled.calls
    function = getattr(call, "py_func", call)
    for value in function.__globals__.values():
        if isinstance(value, Dispatcher) and value.py_func.__module__ == function.__module__:
            yield value


def _watched(
    compile_for: Callable[..., Any], name: str, find_places: FindPlaces
) -> Callable[..., Any]:
    def compile_watched(*args: Any, **keywords: Any) -> Any:
        try:
            with warnings.catch_warnings():
                for category in _QUIET:
                    warnings.simplefilter("ignore", category)
                return compile_for(*args, **keywords)
        except FAILURES as error:
            raise explained(error, name, find_places) from error

    return compile_watched


def explained(error: Exception, name: str, find_places: FindPlaces) -> NotYetSupported:
    """What Numba says, at the user's line."""
    text = str(error)
    line = _line_of(text)
    place = _place_at(line, find_places())
    return NotYetSupported(
        f"Numba cannot compile the derivative of `{name}`: {reason_of(error)}",
        place,
        'write that line with what Numba knows, or leave out backend="numba"',
    )


def _line_of(text: str) -> int:
    """The line of the generated module at which Numba stopped; 0 where it does not say."""
    found = re.findall(r'File "[^"\n]*<tangent_like [^"\n]*", line (\d+)', text)
    return int(found[-1]) if found else 0


def reason_of(error: Exception) -> str:
    """The sentence in Numba's message that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("Failed in", "During:", "[1]"))]
    first = said[0].rstrip(":") if said else f"it stops with {type(error).__name__}"
    call = next((line for line in said[1:4] if line.startswith(">>>")), "")
    return _in_our_words(f"{first} {call[4:]}".strip())


def _in_our_words(reason: str) -> str:
    """What Numba says of functions, without addresses; helpers are those of generated code."""
    named = re.sub(r"Function\(<(?:built-in )?function (\w+)[^>]*>\)", r"`\1`", reason)
    return re.sub(
        r"^Untyped global name '(\w+)': .*<class 'function'>.*", r"it has no form of `\1`", named
    )


def _place_at(line: int, places: dict[int, Place]) -> Place:
    """The place of the nearest line that has one, this or above; else the first one known."""
    known = [n for n in places if n <= line]
    nearest = max(known) if known else min(places, default=0)
    return places.get(nearest, NOWHERE)


def places_of(text: str, trees: tuple[ast.FunctionDef, ...]) -> dict[int, Place]:
    """The user's place for each line of a module that was printed from these trees."""
    printed = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    places: dict[int, Place] = {}
    for old, new in zip(trees, printed, strict=True):
        statements = [n for n in ast.walk(old) if isinstance(n, ast.stmt) and not _is_remark(n)]
        lines = [n.lineno for n in ast.walk(new) if isinstance(n, ast.stmt) and not _is_remark(n)]
        for statement, number in zip(statements, lines):
            place = getattr(statement, "origin", None)
            if place is not None and place.line > 0:
                places[number] = place
    return places


def _is_remark(node: ast.stmt) -> bool:
    """Comments, and docstrings, stand in the tree only."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
