"""Lowering binary operations; those of tuples and lists are worked out item by item."""

from __future__ import annotations

import enum
import operator
import types
from collections.abc import Sequence
from typing import Any

import gast
import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.facts import Fact
from tangent_like.frontend import edits
from tangent_like.frontend.externals import Guard
from tangent_like.frontend.gathering import gathered, is_dict
from tangent_like.frontend.homes import may_alias
from tangent_like.frontend.objects import make_table, table_of
from tangent_like.frontend.protocols import class_of, operator_of_class, takes_operator
from tangent_like.frontend.scope import Bound, Choice, Derived, LocalFunction, Method, Outcome
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Value


def binary(state: Lowering, node: Any, left: Atom, right: Atom) -> Atom:
    """A binary operation; `+` and `*` of tuples and lists are worked out item by item."""
    place = state.place(node)
    name = DUNDERS[type(node.op)]
    if takes_operator(name, left, right):
        return operator_of_class(state, node, name, left, right)
    if left.fact == facts.Opaque("str"):
        text = state.builder.op(BINARY[type(node.op)], (left, right), place=place)
        if isinstance(text, Value):
            text.fact = left.fact
        return text
    if not isinstance(node.op, gast.BitOr):  # `int | float` is a type
        refuse_functions(state, node, (left, right))
    if any(is_dict(a) for a in (left, right)):
        return _merged(state, node, left, right)
    if any(isinstance(a.fact, _SEQUENCES) for a in (left, right)):
        return _sequence_operation(state, node, left, right)
    return state.builder.op(BINARY[type(node.op)], (left, right), place=place)


def of_function(state: Lowering, node: Any, function: Any, left: Atom, right: Atom) -> Atom:
    """`operator.add(a, b)` is `a + b`, also of lists and objects."""
    operation = gast.BinOp(node, KINDS[function](), node)
    return binary(state, gast.copy_location(operation, node), left, right)


def refuse_functions(state: Lowering, node: Any, operands: Sequence[Atom]) -> None:
    """Functions and modules are no numbers: `helper ** 2` is a TypeError in Python."""
    for atom in operands:
        kind = class_of(atom) if isinstance(atom, Const) else None
        if kind is not None and not isinstance(atom.value, enum.Enum):  # type: ignore[union-attr]
            raise NotYetSupported(
                f"a `{kind.__name__}` as a number", state.place(node),
                "define the operator in the class, or work with its attributes",
            )  # fmt: skip
        if isinstance(atom, Const) and isinstance(atom.value, _NO_NUMBERS):
            name = getattr(atom.value, "__name__", getattr(atom.value, "name", "a function"))
            raise NeverSupported(
                f"`{name}` as a number", state.place(node), "call it, or name what is in it"
            )


def _merged(state: Lowering, node: Any, left: Atom, right: Atom) -> Atom:
    """`a | b` of dicts: the places of the first, the items of the second."""
    if not isinstance(node.op, gast.BitOr) or not (is_dict(left) and is_dict(right)):
        raise NotYetSupported(
            f"`{SIGNS[type(node.op)]}` of {facts.describe(left.fact)} and "
            f"{facts.describe(right.fact)}", state.place(node), "work with their items",
        )  # fmt: skip
    tables = [table_of(state, atom) for atom in (left, right)]
    if all(table is not None for table in tables):
        return make_table(state, {**tables[0], **tables[1]})  # type: ignore[dict-item]
    return gathered(state, node, [left, right])


_NO_NUMBERS = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, np.ufunc,
    LocalFunction, Derived, Choice, Bound, Method, Outcome,
)  # fmt: skip
_TUPLES = (facts.Tuple, facts.TupleOf)
_SEQUENCES = (facts.Tuple, facts.List, facts.ListOf)


def _sequence_operation(state: Lowering, node: Any, left: Atom, right: Atom) -> Atom:
    a, b = left.fact, right.fact
    if isinstance(node.op, gast.Add) and type(a) is type(b):
        if isinstance(a, (facts.Tuple, facts.List)):
            return _display(state, a, _items(state, left) + _items(state, right))
    tuples = [isinstance(f, _TUPLES) for f in (a, b)]
    if isinstance(node.op, gast.Add) and all(isinstance(f, _SEQUENCES) for f in (a, b)):
        if tuples[0] == tuples[1]:
            found = edits.joined(state, node, left, right)
            return _tuple_of(state, node, found) if tuples[0] else found
    if isinstance(node.op, gast.Mult):
        for sequence, count in ((left, right), (right, left)):
            if isinstance(sequence.fact, facts.Tuple):
                count = _relied_on(state, count)
            known = isinstance(count, Const) and type(count.value) is int
            if known and isinstance(sequence.fact, (facts.Tuple, facts.List)):
                return _display(state, sequence.fact, _items(state, sequence) * count.value)  # type: ignore[union-attr]
            if isinstance(sequence.fact, (facts.List, facts.ListOf)) and _is_whole(count):
                if not any(map(may_alias, facts.leaves(sequence.fact))):
                    operands = sequence, count
                    return state.builder.op(runtime.repeated, operands, place=state.place(node))
    raise NotYetSupported(
        f"`{SIGNS[type(node.op)]}` of {facts.describe(a)} and {facts.describe(b)}",
        state.place(node),
        "make arrays with np.array, or write the items out",
    )


def _tuple_of(state: Lowering, node: Any, items: Atom) -> Atom:
    return state.builder.op(tuple, (items,), place=state.place(node))


def _relied_on(state: Lowering, count: Atom) -> Atom:
    """An integer outside the function as the constant that it is, which is checked at each call:
    how long a tuple is must be known."""
    for external, value in state.reads.items():
        if value is count and value.fact == facts.INT:
            number = external.read()
            state.guards[external] = Guard(external, None, number)
            return Const(number)
    return count


def _is_whole(count: Atom) -> bool:
    return isinstance(count.fact, facts.Scalar) and count.fact.type == "int"


def _items(state: Lowering, sequence: Atom) -> list[Atom]:
    assert isinstance(sequence.fact, (facts.Tuple, facts.List))
    return [
        state.builder.op(operator.getitem, (sequence, Const(i)))
        for i in range(len(sequence.fact.items))
    ]


def _display(state: Lowering, like: Fact, items: Sequence[Atom]) -> Atom:
    display = ir.make_tuple if isinstance(like, facts.Tuple) else ir.make_list
    return state.builder.op(display, items, place=state.builder.place)


BINARY = {
    gast.Add: operator.add, gast.Sub: operator.sub, gast.Mult: operator.mul,
    gast.Div: operator.truediv, gast.FloorDiv: operator.floordiv, gast.Mod: operator.mod,
    gast.Pow: operator.pow, gast.MatMult: operator.matmul, gast.LShift: operator.lshift,
    gast.RShift: operator.rshift, gast.BitOr: operator.or_, gast.BitXor: operator.xor,
    gast.BitAnd: operator.and_,
}  # fmt: skip
DUNDERS = {
    gast.Add: "__add__", gast.Sub: "__sub__", gast.Mult: "__mul__", gast.Div: "__truediv__",
    gast.FloorDiv: "__floordiv__", gast.Mod: "__mod__", gast.Pow: "__pow__",
    gast.MatMult: "__matmul__", gast.LShift: "__lshift__", gast.RShift: "__rshift__",
    gast.BitOr: "__or__", gast.BitXor: "__xor__", gast.BitAnd: "__and__",
}  # fmt: skip
KINDS = {function: kind for kind, function in BINARY.items()}
"""The operators behind the functions of `operator`."""
SIGNS = {
    gast.Add: "+", gast.Sub: "-", gast.Mult: "*", gast.Div: "/", gast.FloorDiv: "//",
    gast.Mod: "%", gast.Pow: "**", gast.MatMult: "@", gast.LShift: "<<", gast.RShift: ">>",
    gast.BitOr: "|", gast.BitXor: "^", gast.BitAnd: "&",
}  # fmt: skip
