"""What Numba has nothing for.

Recursion: a tape of a recursive function would be a type that contains itself, and Numba loses
track of functions that call themselves from other functions.  Handlers of `try`: which exception
was raised is an object of Python.
"""

from __future__ import annotations

from collections.abc import Sequence

from tangent_like import runtime
from tangent_like.backend.numba_dialect.rebuild import operations
from tangent_like.errors import NotYetSupported
from tangent_like.ir import Function, Procedure


def refuse(functions: Sequence[Function]) -> None:
    """Raise NotYetSupported at what Numba has nothing for."""
    _refuse_recursion(functions)
    for function in functions:
        for op in operations(function):
            if op.fn is runtime.raised_by:
                raise NotYetSupported(
                    '`try` with handlers that may run, with backend="numba"', op.place,
                    "test beforehand with `if`, or leave the backend out",
                )  # fmt: skip


def _refuse_recursion(functions: Sequence[Function]) -> None:
    """Raise NotYetSupported where a function of the module calls itself, also through others."""
    calls = {
        f.name: {op.fn.name for op in operations(f) if isinstance(op.fn, Procedure)}
        for f in functions
    }
    for function in functions:
        reached, pending = set[str](), set(calls[function.name])
        while pending:
            name = pending.pop()
            reached.add(name)
            pending |= calls.get(name, set()) - reached
        if function.name in reached:
            raise NotYetSupported(
                'recursive functions with backend="numba"',
                function.place,
                "write a loop, or leave the backend out",
            )
