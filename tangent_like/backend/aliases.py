"""Operations that give a value another name print nothing."""

from __future__ import annotations

from dataclasses import replace

from tangent_like import ir
from tangent_like.ir import Atom, Function, Op, Value


def without_aliases(function: Function) -> Function:
    """Reading a name that may be unbound is just reading it; what is not used is still read."""
    aliases = [op for op in ir.walk(function.body) if isinstance(op, Op) and _is_alias(op)]
    if not aliases:
        return function
    used = set(ir.atoms_in(function.body))
    table: dict[Value, Atom] = {}
    for op in aliases:
        if op.fn is not ir.defined or op.result in used:
            source = op.args[0]
            if op.fn is ir.freeze and isinstance(source, Value) and not source.name:
                source.name = op.result.name
            table[op.result] = table.get(source, source)  # type: ignore[arg-type]
    body = ir.without(ir.substitute(function.body, table), lambda op: op.result in table)
    return replace(function, body=body)


def _is_alias(op: Op) -> bool:
    return op.fn in (ir.defined, ir.live, ir.freeze) or isinstance(op.fn, ir.Hook)
