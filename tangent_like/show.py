"""Print a Wengert list as numbered lines.

    energy(x: float64[n], k: float)
      1  n = len(x)                                   line 3
      2  e = loop i in range(n), e = 0.0:             line 3
      3      x_i = x[i]
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

from tangent_like import facts, ir
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Procedure, Value
from tangent_like.reached import reached
from tangent_like.records import MakeRecord, attribute

_SIGNS = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/",
    operator.pow: "**", operator.matmul: "@", operator.floordiv: "//", operator.mod: "%",
    operator.eq: "==", operator.ne: "!=", operator.lt: "<", operator.le: "<=",
    operator.gt: ">", operator.ge: ">=", operator.is_: "is", operator.is_not: "is not",
    operator.and_: "&", operator.or_: "|", operator.xor: "^",
}  # fmt: skip


def show(function: Function, show_facts: bool = True, show_lines: bool = True) -> str:
    """The whole list as text, behind those of the procedures that it calls; each statement has a
    number and the user's line number."""
    called = [p.function for p in reached([function]) if p.function is not None]
    return "\n\n".join(_shown(each, show_facts, show_lines) for each in (*called, function))


def _shown(function: Function, show_facts: bool, show_lines: bool) -> str:
    printer = _Printer(show_lines)
    params = ", ".join(printer.declared(p, show_facts) for p in function.params)
    lines = [f"{function.name}({params})", *printer.block(function.body, 1, "return")]
    return "\n".join(lines)


class _Printer:
    def __init__(self, show_lines: bool):
        self.names: dict[Value, str] = {}
        self.taken: dict[str, int] = {}
        self.count = 0
        self.show_lines = show_lines

    def declared(self, value: Value, show_facts: bool) -> str:
        name = self.name(value)
        return f"{name}: {facts.show(value.fact)}" if show_facts else name

    def name(self, value: Value) -> str:
        if value not in self.names:
            base = value.name or "v"
            number = self.taken.get(base, 0) + (0 if value.name else 1)
            self.taken[base] = number + (1 if value.name else 0)
            if not value.name:
                self.taken[base] = number
            self.names[value] = f"{base}{_prime(number, bool(value.name))}"
        return self.names[value]

    def atom(self, atom: Atom) -> str:
        if isinstance(atom, Value):
            return self.name(atom)
        return _constant(atom.value)

    def block(self, block: Block, depth: int, ending: str) -> Iterator[str]:
        for statement in block.statements:
            yield from self.statement(statement, depth)
        if block.results:
            yield "     " + "    " * depth + f"{ending} {', '.join(map(self.atom, block.results))}"

    def statement(self, statement: ir.Statement, depth: int) -> Iterator[str]:
        if isinstance(statement, Op):
            expression = self.expression(statement)
            yield self.line(statement, depth, f"{self.name(statement.result)} = {expression}")
        elif isinstance(statement, If):
            results = ", ".join(map(self.name, statement.results))
            head = f"{results} = " if results else ""
            yield self.line(statement, depth, f"{head}if {self.atom(statement.test)}:")
            yield from self.block(statement.then, depth + 1, "yield")
            yield "     " + "    " * depth + "else:"
            yield from self.block(statement.orelse, depth + 1, "yield")
        else:
            yield from self.loop(statement, depth)

    def loop(self, loop: Loop, depth: int) -> Iterator[str]:
        results = ", ".join(map(self.name, loop.results))
        carried = ", ".join(
            f"{self.name(p)} = {self.atom(a)}" for p, a in zip(loop.params, loop.inits)
        )
        source = ""
        if loop.iterable is not None:
            item = self.name(loop.item) if loop.item is not None else "_"
            source = f" {item} in {self.atom(loop.iterable)}"
        text = f"loop{source}" + (f" carrying {carried}:" if carried else ":")
        yield self.line(loop, depth, f"{results} = {text}" if results else text)
        yield from self.block(loop.body, depth + 1, "yield")

    def expression(self, op: Op) -> str:
        args = [self.atom(a) for a in op.args]
        if op.fn in _SIGNS and len(args) == 2:
            return f"{args[0]} {_SIGNS[op.fn]} {args[1]}"
        if op.fn is operator.neg:
            return f"-{args[0]}"
        if op.fn is operator.getitem:
            return f"{args[0]}[{args[1]}]"
        if op.fn is getattr:
            return f"{args[0]}.{str(args[1])[1:-1]}"
        args += [f"{key}={self.atom(a)}" for key, a in op.keywords]
        if op.fn in (ir.make_tuple, ir.make_list):
            return ("({})" if op.fn is ir.make_tuple else "[{}]").format(", ".join(args))
        if isinstance(op.fn, MakeRecord):
            args = [f"{key}={arg}" for key, arg in zip(op.fn.keys, args, strict=True)]
        if op.fn is attribute:
            return f"{args[0]}.{str(args[1])[1:-1]}"
        return f"{_constant(op.fn)}({', '.join(args)})"

    def line(self, statement: ir.Statement, depth: int, text: str) -> str:
        self.count += 1
        body = f"{self.count:4} " + "    " * depth + text
        if self.show_lines and statement.place.line:
            return f"{body:<60}  line {statement.place.line}".rstrip()
        return body


def _prime(number: int, named: bool) -> str:
    if not named:
        return str(number)
    return f".{number}" if number else ""


def _constant(value: Any) -> str:
    if isinstance(value, Procedure):
        return value.name
    if callable(value):
        module = (getattr(value, "__module__", "") or "").split(".")[0]
        name = getattr(value, "__name__", repr(value))
        prefix = {"numpy": "np.", "math": "math."}.get(module, "")
        return "np." + name if type(value).__name__ == "ufunc" else prefix + name
    return repr(value)
