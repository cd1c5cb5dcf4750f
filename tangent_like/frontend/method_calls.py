"""Calls of methods: what the owner is decides."""

from __future__ import annotations

import itertools
import operator
import types
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import gast

from tangent_like import effects, facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported, Place
from tangent_like.frontend import (
    copies,
    dicts,
    edits,
    indexed_writes,
    lists,
    outs,
    selection,
    tables,
)
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.methods import METHODS
from tangent_like.frontend.names import attribute_of_constant
from tangent_like.frontend.objects import Partial, consumed, make_table, table_of
from tangent_like.frontend.protocols import class_of, is_object
from tangent_like.frontend.scope import Choice, Method
from tangent_like.frontend.stars import items_of, named_items, starred_items
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import Super, read_attribute
from tangent_like.frontend.text import method_of_text, text_method
from tangent_like.infer.texts import TEXT
from tangent_like.ir import Atom, Const
from tangent_like.parts import is_named_tuple
from tangent_like.rules import refused


def arguments(state: Lowering, node: Any) -> tuple[list[Atom], dict[str, Atom]]:
    args = starred_items(state, node.args)
    named = named_items(state, node.keywords, node)
    args = [fresh(state, atom, node) for atom in args]
    return args, {key: fresh(state, atom, node) for key, atom in named.items()}


def _source_of_draws(fact: facts.Fact) -> type | None:
    """The class of a source of random numbers: its methods are operations."""
    kinds = (k for k in effects.sources_of_draws() if fact == facts.Opaque(k.__name__))
    return next(kinds, None)


def method_call(state: Lowering, node: Any) -> Atom:
    """A call `owner.name(...)`: `x.sum(axis=0)` on an array is `np.sum(x, axis=0)`."""
    owner = state.expression(node.func.value)
    name = node.func.attr
    if isinstance(owner, Const):
        return _method_of_constant(state, node, owner, name)
    if is_object(owner):
        return _method_of_object(state, node, owner, name)
    if lists.is_container(owner):
        return _container_method(state, node, owner, name)
    if owner.fact == TEXT:
        return method_of_text(state, node, owner, name, *arguments(state, node))
    source = _source_of_draws(owner.fact)
    if source is not None:
        args, keywords = arguments(state, node)
        drawing = Const(getattr(source, name, None))
        return state.module.call(state, node, drawing, [owner, *args], keywords)
    return _method_of_array(state, node, owner, name)


def _method_of_constant(state: Lowering, node: Any, owner: Const, name: str) -> Atom:
    """A method of a string, of one of several objects, or of what lies outside."""
    if isinstance(owner.value, str):
        args, keywords = arguments(state, node)
        return text_method(state, node, owner.value, name, args, keywords)
    known = isinstance(owner.value, (Super, Partial, Choice)) or hasattr(owner.value, name)
    if not known:
        raise _missing(owner.value, name, state.place(node))
    return called(state, node, _method_of(state, node, name, owner))


def _method_of_object(state: Lowering, node: Any, owner: Atom, name: str) -> Atom:
    if name in copies.NAMED_TUPLES and is_named_tuple(class_of(owner)):
        args, keywords = arguments(state, node)
        made: Atom = copies.NAMED_TUPLES[name](state, node, owner, args, keywords)
        return made
    return called(state, node, read_attribute(state, node, owner, name))


def called(state: Lowering, node: Any, callee: Atom) -> Atom:
    """A call with the arguments that are written in it."""
    if _chains_rows(node, callee):
        callee, args = _chained(state, node, callee)
        keywords: dict[str, Atom] = {}
    else:
        args, keywords = arguments(state, node)
    state.builder.place = state.place(node)
    found: Atom = state.module.call(state, node, callee, args, keywords)
    return found


def _chains_rows(node: Any, callee: Atom) -> bool:
    """Whether a call is `chain(*rows)`."""
    chain = isinstance(callee, Const) and callee.value is itertools.chain
    starred = len(node.args) == 1 and isinstance(node.args[0], gast.Starred)
    return chain and starred and not node.keywords


def _chained(state: Lowering, node: Any, callee: Atom) -> tuple[Atom, list[Atom]]:
    """The function and arguments where it may be known only at run time how many rows there are."""
    (star,) = node.args
    rows = consumed(state, state.expression(star.value), star)
    if not isinstance(rows.fact, facts.ListOf):
        return callee, [fresh(state, row, node) for row in items_of(state, rows, star)]
    rows = state.builder.op(operator.getitem, (rows, Const(slice(None))), place=state.place(node))
    return Const(itertools.chain.from_iterable), [rows]


def _method_of_array(state: Lowering, node: Any, owner: Atom, name: str) -> Atom:
    if not facts.is_numeric(owner.fact):
        raise _unknown_method(name, state.place(node))
    args, keywords = arguments(state, node)
    operands = [fresh(state, owner, node), *args]
    if name in indexed_writes.METHODS:
        return indexed_writes.METHODS[name](state, node, operands, keywords)
    if name in refused.METHODS and name not in METHODS:
        refusal = refused.METHODS[name]
        raise NotYetSupported(f"`.{name}`: {refusal.reason}", state.place(node), refusal.instead)
    if name not in METHODS:
        raise _unknown_method(name, state.place(node))
    function, args, keywords = METHODS[name](state, operands, keywords)
    plain = partial(_plain_method, state, node, function)
    written = outs.call(state, node, function, args, keywords, plain)
    return plain(args, keywords) if written is None else written


def _unknown_method(name: str, place: Place) -> NotYetSupported:
    return NotYetSupported(f"the method `{name}`", place, "use a function of its value instead")


def _method_of(state: Lowering, node: Any, name: str, owner: Atom) -> Atom:
    if isinstance(owner, Const) and isinstance(owner.value, Choice):
        read = partial(_method_of, state, node, name)
        return selection.of_either(state, node, owner.value, read)
    if isinstance(owner, Const):
        return attribute_of_constant(state, owner, name, node)
    return read_attribute(state, node, owner, name)


def _plain_method(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    return state.builder.op(function, args, dict(keywords), place=state.place(node))


def _container_method(state: Lowering, node: Any, owner: Atom, name: str) -> Atom:
    """A call of a method of a list or a dict."""
    return container_method(state, node, owner, name, *arguments(state, node))


def container_method(
    state: Lowering, node: Any, owner: Atom, name: str, args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:  # fmt: skip
    """What a method of a list or a dict does."""
    state.builder.place = state.place(node)
    owner = fresh(state, owner, node)
    method = lists.method_of(owner, name)
    if method is None and table_of(state, owner) is not None:
        return fresh(state, tables.method(state, owner, name, args, node), node)
    if name == "sort" and isinstance(owner.fact, (facts.List, facts.ListOf)):
        return edits.in_order(state, node, owner, keywords)  # type: ignore[arg-type]
    if keywords and method is dicts.update:
        args, keywords = [*args, make_table(state, keywords)], {}
    if method in dicts.WITH_LAST and set(keywords) == {"last"}:
        args, keywords = [*args, keywords["last"]], {}
    if method is None or keywords or not isinstance(owner, ir.Value):
        raise NotYetSupported(
            f"the method `{name}` of {facts.describe(owner.fact)}", state.place(node),
            "use indices, or build a new list",
        )  # fmt: skip
    return method(state, node, owner, args)


def bound_method(owner: Atom, name: str) -> Atom | None:
    """`d.get` and its like where it is not called: a method of a container or of an array."""
    if name == "__getitem__":
        return Const(Method(operator.getitem, owner))
    for kind, is_kind in ((dict, _is_dict), (list, lists.is_container)):
        function = getattr(kind, name, None)
        if is_kind(owner) and lists.method_of(owner, name) is not None and function is not None:
            return Const(Method(function, owner))
    return None


def _is_dict(owner: Atom) -> bool:
    return getattr(owner.fact, "type", None) is dict or isinstance(owner.fact, facts.DictOf)


def unbound_method(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom | None:
    """A call of `dict.get` and its like, the container first; None where it is another one."""
    kind = getattr(function, "__objclass__", None)
    if kind not in (dict, list, str) or not args:
        return None
    owner, *rest = args
    if kind is str and isinstance(owner, Const) and isinstance(owner.value, str):
        return text_method(state, node, owner.value, function.__name__, rest, keywords)
    if kind is str and owner.fact == TEXT:
        return method_of_text(state, node, owner, function.__name__, rest, keywords)
    if kind is str or not lists.is_container(owner):
        return None
    return container_method(state, node, owner, function.__name__, rest, keywords)


def _missing(owner: Any, name: str, place: Place) -> NotYetSupported | NeverSupported:
    """The error for what a module does not have, or an object that is known while compiling."""
    if isinstance(owner, types.ModuleType):
        return NeverSupported(f"`{owner.__name__}` has no attribute `{name}`", place)
    hint = "compute its value before the differentiated function"
    return NotYetSupported(f"the method `{name}`", place, hint)
