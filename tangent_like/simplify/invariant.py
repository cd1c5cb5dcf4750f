"""What a loop hands on unchanged is not carried.

    y = loop i, k = 2.0, y = x:          y = loop i, y = x:
        y = y * k                ──▶         y = y * 2.0
        next k, y                            next y

The parameter becomes its init, and so does the result.
"""

from __future__ import annotations

from dataclasses import replace

from tangent_like import ir
from tangent_like.ir import Atom, Block, Function, Loop, Value


def drop_invariants(function: Function) -> Function:
    table: dict[Value, Atom] = {}
    body = ir.map_loops(function.body, lambda loop: _loop(loop, table))
    final = {value: _known(atom, table) for value, atom in table.items()}
    return replace(function, body=ir.substitute(body, final))


def _loop(loop: Loop, table: dict[Value, Atom]) -> Loop:
    kept = [_known(a, table) is not p for a, p in zip(loop.nexts, loop.params, strict=True)]
    if all(kept):
        return loop
    for keep, param, init, result in zip(kept, loop.params, loop.inits, loop.results, strict=True):
        if not keep:
            table[param] = table[result] = _known(init, table)
    flag = loop.body.results[:1] if loop.exits else ()
    nexts = tuple(a for a, keep in zip(loop.nexts, kept, strict=True) if keep)
    return replace(
        loop,
        results=tuple(r for r, keep in zip(loop.results, kept, strict=True) if keep),
        inits=tuple(a for a, keep in zip(loop.inits, kept, strict=True) if keep),
        params=tuple(p for p, keep in zip(loop.params, kept, strict=True) if keep),
        body=Block(loop.body.statements, flag + nexts),
    )


def _known(atom: Atom, table: dict[Value, Atom]) -> Atom:
    while isinstance(atom, Value) and atom in table:
        atom = table[atom]
    return atom
