"""Make explicit what may be undefined, where a zero derivative of it is needed.

    r = if c: yield y                    r = if c: yield y
        else: yield undefined    ──▶         else: yield None

A zero of the shape of `r` can only be made from `r`, and reading an unbound name raises.  So the
name is bound to None on the paths that do not define it; reading it then still raises
UnboundLocalError.  Only values that need it are treated: numbers have the zero 0.0 anyway.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tangent_like import facts, ir, runtime
from tangent_like.ir import Atom, Block, Const, If, Loop, Op, Statement, Value


class Unsettled(Exception):
    """A zero is needed of a value that may be undefined."""

    def __init__(self, value: Value):
        super().__init__(repr(value))
        self.value = value


def unsettled(block: Block) -> set[Value]:
    """The values in and below the block that are undefined on some path."""
    found: set[Value] = set()
    while True:
        before = len(found)
        for statement in ir.walk(block):
            if isinstance(statement, If):
                rows = zip(statement.results, statement.then.results, statement.orelse.results)
                for result, *sources in rows:
                    _note(found, sources, (result,))
            elif isinstance(statement, Loop):
                for k, init in enumerate(statement.inits):
                    targets = (statement.params[k], statement.results[k])
                    _note(found, (init, statement.nexts[k]), targets)
        if len(found) == before:
            return found


def _note(found: set[Value], sources: Collection[Atom], targets: Collection[Value]) -> None:
    if any(a is ir.UNDEFINED or a in found for a in sources):
        found.update(targets)


def settle(block: Block, value: Value) -> Block:
    """The block in which `value`, and what flows into it, is None where it was undefined."""
    web = _web(block, value)
    table: dict[Value, Value] = {v: Value(v.name, facts.UNKNOWN) for v in web}
    return ir.substitute(_rebuild(block, table), table)


def _web(block: Block, value: Value) -> set[Value]:
    """The undefined values connected with this one by branches and loops."""
    able = unsettled(block)
    web = {value}
    while True:
        before = len(web)
        for statement in ir.walk(block):
            for group in _connected(statement):
                if any(v in web for v in group):
                    web.update(v for v in group if v in able)
        if len(web) == before:
            return web


def _connected(statement: Statement) -> list[list[Value]]:
    if isinstance(statement, If):
        rows = zip(statement.results, statement.then.results, statement.orelse.results)
    elif isinstance(statement, Loop):
        rows = zip(statement.results, statement.inits, statement.nexts)
        rows = ((*row, param) for row, param in zip(rows, statement.params))  # type: ignore[assignment]
    else:
        return []
    return [[atom for atom in row if isinstance(atom, Value)] for row in rows]


def _rebuild(block: Block, table: dict[Value, Value]) -> Block:
    """The definitions of the web's values under their new names, undefined as None."""
    return Block(tuple(_statement(s, table) for s in block.statements), block.results)


def _statement(statement: Statement, table: dict[Value, Value]) -> Statement:
    if isinstance(statement, Op):
        if statement.fn is ir.defined and statement.args[0] in table:
            name = Const(statement.result.name)
            return replace(statement, fn=runtime.bound, args=(statement.args[0], name))
        return statement
    wanted = [result in table for result in statement.results]
    results = tuple(table.get(r, r) for r in statement.results)
    if isinstance(statement, If):
        then, orelse = (
            _explicit(_rebuild(b, table), wanted) for b in (statement.then, statement.orelse)
        )
        return replace(statement, results=results, then=then, orelse=orelse)
    inits = _with_none(statement.inits, wanted)
    params = tuple(table.get(p, p) for p in statement.params)
    body = _rebuild(statement.body, table)
    return replace(statement, results=results, inits=inits, params=params, body=body)


def _explicit(block: Block, wanted: list[bool]) -> Block:
    return Block(block.statements, _with_none(block.results, wanted))


def _with_none(atoms: tuple[Atom, ...], wanted: list[bool]) -> tuple[Atom, ...]:
    return tuple(
        Const(None) if keep and atom is ir.UNDEFINED else atom for atom, keep in zip(atoms, wanted)
    )
