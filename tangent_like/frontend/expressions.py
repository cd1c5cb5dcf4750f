"""Lowering expressions to atoms."""

from __future__ import annotations

import enum
import operator
import types
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import gast
import numpy as np

from tangent_like import facts, ir
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import containers, dicts, selection, sequences, tables
from tangent_like.frontend.application import Made, lower_made
from tangent_like.frontend.arithmetic import binary, refuse_functions
from tangent_like.frontend.branches import truth
from tangent_like.frontend.calls import lower_call
from tangent_like.frontend.choices import choose, logical, lower_bool_operation, lower_if_expression
from tangent_like.frontend.counting import Within, lower_within
from tangent_like.frontend.failures import impossible
from tangent_like.frontend.functions import local_function
from tangent_like.frontend.homes import may_alias
from tangent_like.frontend.index_tricks import index_trick
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.method_calls import bound_method
from tangent_like.frontend.names import attribute_of_constant, read_name
from tangent_like.frontend.objects import Deferred, Taken, consumed, table_of
from tangent_like.frontend.protocols import (
    call_special,
    is_object,
    is_protocol_object,
    operator_of_class,
    special_method,
    takes_operator,
)
from tangent_like.frontend.scope import Choice, LocalFunction
from tangent_like.frontend.stars import list_display, tuple_display
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import read_attribute
from tangent_like.frontend.targets import bind
from tangent_like.frontend.text import lower_f_string
from tangent_like.frontend.writes import note_element_view
from tangent_like.ir import Atom, Const, Value
from tangent_like.trees import item


def lower_expression(state: Lowering, node: Any) -> Atom:
    """The atom of an expression; its operations are appended in Python's order."""
    handler = _HANDLERS.get(type(node))
    if handler is None:
        what, instead = _REFUSALS.get(type(node).__name__, (type(node).__name__, ""))
        raise NotYetSupported(what, state.place(node), instead)
    return handler(state, node)


_REFUSALS = {
    "Await": ("`await`", "a plain call"),
    "Yield": ("generators", "build and return the values"),
    "YieldFrom": ("generators", "build and return the values"),
    "Starred": ("a starred expression", "write the items out"),
}


def _constant(state: Lowering, node: Any) -> Atom:
    return Const(node.value)


def _name(state: Lowering, node: Any) -> Atom:
    return read_name(state, node.id, node)


def _binary(state: Lowering, node: Any) -> Atom:
    """Left-deep chains are walked, not recursed into: sums of 5,000 terms are ordinary."""
    chain = []
    while isinstance(node, gast.BinOp):
        chain.append(node)
        node = node.left
    left = lower_expression(state, node)
    for part in reversed(chain):
        right = lower_expression(state, part.right)
        left = binary(state, part, fresh(state, left, part.left), right)
    return left


_UNARY: dict[type, Callable[..., Any]] = {
    gast.USub: operator.neg,
    gast.UAdd: operator.pos,
    gast.Not: operator.not_,
    gast.Invert: operator.invert,
}


def _unary(state: Lowering, node: Any) -> Atom:
    operand = lower_expression(state, node.operand)
    if isinstance(node.op, gast.Not):
        operand = truth(state, operand, node)
    if isinstance(node.op, gast.USub) and isinstance(operand, Const):
        if type(operand.value) in (int, float, complex):
            return Const(-operand.value)
    name = _UNARY_NAMES.get(type(node.op), "")
    if name and (is_object(operand) or special_method(operand, name) is not None):
        return call_special(state, node, name, operand)
    refuse_functions(state, node, (operand,))
    return state.builder.op(_UNARY[type(node.op)], (operand,), place=state.place(node))


_UNARY_NAMES = {gast.USub: "__neg__", gast.UAdd: "__pos__", gast.Invert: "__invert__"}
_COMPARISON_NAMES: dict[type, str] = {
    gast.Eq: "__eq__", gast.NotEq: "__ne__", gast.Lt: "__lt__", gast.LtE: "__le__",
    gast.Gt: "__gt__", gast.GtE: "__ge__",
}  # fmt: skip
_COMPARISONS: dict[type, Callable[..., Any]] = {
    gast.Eq: operator.eq,
    gast.NotEq: operator.ne,
    gast.Lt: operator.lt,
    gast.LtE: operator.le,
    gast.Gt: operator.gt,
    gast.GtE: operator.ge,
    gast.Is: operator.is_,
    gast.IsNot: operator.is_not,
    gast.In: operator.contains,
    gast.NotIn: operator.contains,
}


def _compare(state: Lowering, node: Any) -> Atom:
    """A chain evaluates each operand once and stops at the first that fails."""
    left = lower_expression(state, node.left)
    return _compare_rest(state, node, left, 0)


def _compare_rest(state: Lowering, node: Any, left: Atom, k: int) -> Atom:
    right = lower_expression(state, node.comparators[k])
    test = _comparison(state, node, node.ops[k], fresh(state, left, node), right)
    if k + 1 == len(node.ops):
        return test
    return logical(state, node, test, lambda: _compare_rest(state, node, right, k + 1), "and")


def _comparison(state: Lowering, node: Any, sign: Any, left: Atom, right: Atom) -> Atom:
    place = state.place(node)
    for one, compare in (
        (left, lambda side: _comparison(state, node, sign, side, right)),
        (right, lambda side: _comparison(state, node, sign, left, side)),
    ):
        if isinstance(one, Const) and isinstance(one.value, Choice):
            return selection.of_either(state, node, one.value, compare)
    if isinstance(sign, (gast.Is, gast.IsNot)):
        known = _known_identity(left, right)
        if known is not None:
            return Const(known == isinstance(sign, gast.Is))
    if isinstance(sign, (gast.In, gast.NotIn)):
        found = _contained(state, node, left, right)
        if isinstance(sign, gast.NotIn):
            return state.builder.op(operator.not_, (found,), place=place)
        return found
    name = _COMPARISON_NAMES.get(type(sign), "")
    if name and takes_operator(name, left, right):
        return operator_of_class(state, node, name, left, right)
    if isinstance(sign, (gast.Lt, gast.LtE, gast.Gt, gast.GtE)):
        refuse_functions(state, node, (left, right))
    if facts.OBJECT in (facts.defined(left.fact), facts.defined(right.fact)) and name:
        raise NotYetSupported(
            "comparing what may be an object with a comparison of its own", place,
            "compare the numbers that it holds",
        )  # fmt: skip
    return state.builder.op(_COMPARISONS[type(sign)], (left, right), place=place)


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, np.ufunc, LocalFunction)


def _contained(state: Lowering, node: Any, item: Atom, container: Atom) -> Atom:
    """`item in container`."""
    if isinstance(container, Const) and isinstance(container.value, Deferred):
        container = consumed(state, container, node, taken=Taken.SOME)
    fact = container.fact
    if is_protocol_object(container):
        test = call_special(state, node, "__contains__", container, (item,))
        return truth(state, test, node)
    if isinstance(fact, facts.Record) and fact.type is dict:
        return dicts.contains(state, node, container, item)
    return state.builder.op(operator.contains, (container, item), place=state.place(node))


def _known_identity(left: Atom, right: Atom) -> bool | None:
    """`x is None` is known where the fact of `x` is, and which function is which."""
    if all(isinstance(a, Const) and isinstance(a.value, _FUNCTIONS) for a in (left, right)):
        return left.value is right.value  # type: ignore[union-attr]
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const) and one.value is None:
            if isinstance(other, Const):
                return other.value is None
            if isinstance(other.fact, facts.Opaque):
                return other.fact.kind == "NoneType"
            if not isinstance(other.fact, (facts.Unknown, facts.Maybe)):
                return False
    return None


def _subscript(state: Lowering, node: Any) -> Atom:
    container, index = lower_all(state, (node.value, node.slice))
    found = _item(state, node, container, index)
    of_flat = isinstance(node.value, gast.Attribute) and node.value.attr == "flat"
    if of_flat and isinstance(container.fact, facts.Array) and may_alias(found.fact):
        return state.builder.op(np.copy, (found,), place=state.place(node))  # it is no view
    return found


def _item(state: Lowering, node: Any, container: Atom, index: Atom) -> Atom:
    """`container[index]`."""
    if isinstance(index, Const) and isinstance(index.value, Choice):
        return _at_chosen_key(state, node, container, index.value)
    picked = selection.picked_from_sequence(state, node, container, index)
    picked = picked or dicts.picked_item(state, node, container, index)
    if picked is not None:
        return fresh(state, picked, node)
    table = table_of(state, container)
    if table is not None and not isinstance(index, Const):
        container, table = dicts.as_any(state, node, container), None
    if isinstance(container.fact, facts.DictOf):
        return fresh(state, dicts.read_key(state, node, container, index), node)
    if table is not None:
        return fresh(state, tables.read(state, table, index, node), node)
    if isinstance(container, Const) and isinstance(container.value, enum.EnumMeta):
        if isinstance(index, Const) and index.value in container.value.__members__:
            return Const(container.value[index.value])
    if isinstance(container, Const):
        joined = index_trick(state, node, container.value, index)
        if joined is not None:
            return joined
    if special_method(container, "__getitem__") is not None:
        return call_special(state, node, "__getitem__", container, (index,))
    _refuse_missing_item(state, node, container.fact, index)
    refuse_axes(state, node, index)
    items = _items_of_slice(container, index)
    if items is not None:  # each is a view of the list that is sliced, if that holds lists itself
        parts = [_item(state, node, container, Const(k)) for k in items]
        return state.builder.op(ir.make_list, parts, place=state.place(node))
    refuse_functions(state, node, (container, index))
    found = state.builder.op(operator.getitem, (container, index), place=state.place(node))
    note_element_view(state, container, index, found)
    return fresh(state, found, node)


def refuse_axes(state: Lowering, node: Any, index: Atom) -> None:
    """A tuple of unknown length is an index for nobody knows how many axes."""
    if isinstance(index.fact, facts.TupleOf):
        raise NotYetSupported(
            "a tuple of unknown length as an index", state.place(node), "write the indices out"
        )


def _at_chosen_key(state: Lowering, node: Any, container: Atom, key: Choice) -> Atom:
    """`table[f]` where it was tested which function `f` is."""
    return choose(
        state, node, key.test,
        lambda: _item(state, node, container, key.then),
        lambda: _item(state, node, container, key.orelse), "ifexp",
    )  # fmt: skip


def _items_of_slice(container: Atom, index: Atom) -> range | None:
    """The places that a slice takes of a list of known length whose items may be written into."""
    if not isinstance(container.fact, facts.List) or not isinstance(index, Const):
        return None
    if not isinstance(index.value, slice) or not any(map(may_alias, container.fact.items)):
        return None
    return range(len(container.fact.items))[index.value]


def _refuse_missing_item(state: Lowering, node: Any, fact: facts.Fact, index: Atom) -> None:
    """What can only raise an IndexError has no derivative, and may stand where nobody comes."""
    if not isinstance(fact, (facts.Tuple, facts.List)) or not isinstance(index, Const):
        return
    place, count = index.value, len(fact.items)
    if isinstance(place, slice) and place.step == 0:
        message = "a slice with steps of 0"
        raise impossible(state, node, ValueError, "slice step cannot be zero", message)
    if isinstance(place, int) and not -count <= place < count:
        word = "tuple" if isinstance(fact, facts.Tuple) else "list"
        raise impossible(
            state, node, IndexError, f"{word} index out of range",
            f"item {place} of {count}, which is an IndexError", "test the length first",
        )  # fmt: skip


def _slice(state: Lowering, node: Any) -> Atom:
    bounds = [
        Const(None) if bound is None else lower_expression(state, bound)
        for bound in (node.lower, node.upper, node.step)
    ]
    return state.builder.op(slice, bounds, place=state.place(node))


ATTRIBUTES: dict[str, Callable[..., Any]] = {
    "T": np.transpose,
    "real": np.real,
    "imag": np.imag,
    "flat": np.ravel,
    **({"mT": np.matrix_transpose} if hasattr(np, "matrix_transpose") else {}),
}
FACTS_OF_ARRAYS = ("shape", "ndim", "size", "dtype", "nbytes", "itemsize")


def _attribute(state: Lowering, node: Any) -> Atom:
    return attribute_of(state, node, lower_expression(state, node.value))


def attribute_of(state: Lowering, node: Any, owner: Atom) -> Atom:
    """`owner.name`."""
    if isinstance(owner, Const) and isinstance(owner.value, Choice):
        read = partial(attribute_of, state, node)
        return selection.of_either(state, node, owner.value, read)
    if isinstance(owner, Const):
        return attribute_of_constant(state, owner, node.attr, node)
    if is_object(owner):
        return read_attribute(state, node, owner, node.attr)
    if facts.is_numeric(owner.fact):
        if node.attr in ATTRIBUTES:
            return state.builder.op(ATTRIBUTES[node.attr], (owner,), place=state.place(node))
        if node.attr in FACTS_OF_ARRAYS:
            return state.builder.op(getattr, (owner, Const(node.attr)), place=state.place(node))
    method = bound_method(owner, node.attr)
    if method is not None:
        return method
    bound = _bound_of_slice(state, owner, node.attr)
    if bound is not None:
        return bound
    named = _named_result(state, owner, node.attr)
    if named is not None:
        return item(state.builder, owner, named)
    raise NotYetSupported(
        f"the attribute `{node.attr}`", state.place(node), "pass what it holds as an argument"
    )


def _bound_of_slice(state: Lowering, owner: Atom, name: str) -> Atom | None:
    """`s.start` of a slice that was made here."""
    made = state.builder.definitions.get(owner) if isinstance(owner, Value) else None
    if made is None or made.fn is not slice or name not in ("start", "stop", "step"):
        return None
    bounds = made.args if len(made.args) > 1 else (Const(None), *made.args)
    return (*bounds, Const(None))[("start", "stop", "step").index(name)]


_RESULTS: Mapping[Any, tuple[str, ...]] = {
    np.linalg.slogdet: ("sign", "logabsdet"),
    np.linalg.eig: ("eigenvalues", "eigenvectors"),
    np.linalg.eigh: ("eigenvalues", "eigenvectors"),
    np.linalg.svd: ("U", "S", "Vh"),
    np.linalg.qr: ("Q", "R"),
}
"""The names that NumPy gives to the items of what these functions return."""


def _named_result(state: Lowering, owner: Atom, name: str) -> int | None:
    """The place of an item that NumPy gives a name."""
    made = state.builder.definitions.get(owner) if isinstance(owner, Value) else None
    if made is None or not isinstance(owner.fact, facts.Tuple) or _unhashable(made.fn):
        return None
    names = _RESULTS.get(made.fn, ())
    return names.index(name) if name in names else None


def _unhashable(fn: Any) -> bool:
    return getattr(type(fn), "__hash__", None) is None


def _named_expression(state: Lowering, node: Any) -> Atom:
    """`:=` in a comprehension binds a name of the function around."""
    value = lower_expression(state, node.value)
    inner, frame = state.frame, state.frame
    while isinstance(frame.node, _COMPREHENSIONS) and node.target.id not in frame.locals:
        assert frame.caller is not None
        frame = frame.caller
    state.frame = frame
    try:
        bind(state, node.target, value)
    finally:
        state.frame = inner
    return value


_COMPREHENSIONS = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)


def _lambda(state: Lowering, node: Any) -> Atom:
    return Const(local_function(state, node, "<lambda>"))


_HANDLERS: dict[type, Callable[[Any, Any], Atom]] = {
    gast.Constant: _constant,
    gast.Name: _name,
    gast.BinOp: _binary,
    gast.UnaryOp: _unary,
    gast.Compare: _compare,
    gast.BoolOp: lower_bool_operation,
    gast.IfExp: lower_if_expression,
    gast.Tuple: tuple_display,
    gast.List: list_display,
    gast.Subscript: _subscript,
    gast.Slice: _slice,
    gast.Attribute: _attribute,
    gast.Call: lower_call,
    gast.Lambda: _lambda,
    gast.JoinedStr: lower_f_string,
    gast.NamedExpr: _named_expression,
    **sequences.HANDLERS,
    **tables.HANDLERS,
    **containers.EXPRESSIONS,
    Made: lower_made,
    Within: lower_within,
}


def lower_all(state: Lowering, nodes: Sequence[Any]) -> list[Atom]:
    """Expressions in order; a later one may write into what an earlier one has read."""
    atoms = [lower_expression(state, node) for node in nodes]
    return [fresh(state, atom, node) for atom, node in zip(atoms, nodes)]


def is_array_like(atom: Atom) -> bool:
    return isinstance(atom, Value) and facts.is_numeric(atom.fact)
