"""Recursion is refused: a tape of a recursive function would be a type that contains itself, and
Numba loses track of functions that call themselves from other functions."""

from __future__ import annotations

from collections.abc import Sequence

from tangent_like.backend.numba_dialect.rebuild import operations
from tangent_like.errors import NotYetSupported
from tangent_like.ir import Function, Procedure


def refuse_recursion(functions: Sequence[Function]) -> None:
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
