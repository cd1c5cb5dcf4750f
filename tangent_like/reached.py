"""The procedures that a function calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tangent_like import ir
from tangent_like.ir import Const, Function, Op, Procedure, Statement


def reached(functions: Sequence[Function]) -> list[Procedure]:
    """The procedures that the functions call, directly or through others, in order."""
    found: dict[Procedure, None] = {}
    pending = list(reversed(functions))
    while pending:
        function = pending.pop()
        for statement in ir.walk(function.body):
            for procedure in _named_in(statement):
                if procedure not in found and procedure.function is not None:
                    found[procedure] = None
                    pending.append(procedure.function)
    return list(found)


def _named_in(statement: Statement) -> Iterator[Procedure]:
    """The procedures that an operation calls, or hands to what it calls."""
    if isinstance(statement, Op):
        if isinstance(statement.fn, Procedure):
            yield statement.fn
        for atom in statement.atoms:
            if isinstance(atom, Const) and isinstance(atom.value, Procedure):
                yield atom.value

