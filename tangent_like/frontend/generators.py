"""Generators of the user's: functions with `yield`.

    def powers(x, n):                  def powers(x, n):
        for k in range(n):                 made = []
            yield x ** k          ──▶      for k in range(n):
                                               made.append(x ** k)
                                           return made

What a generator gives is made when it is asked for, all at once.  So its loops must end by
themselves, and what it reads must not change while it is used (`objects.refuse_changes`).
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import gast

from tangent_like import ir
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import syntax
from tangent_like.frontend.functions import lower_body
from tangent_like.frontend.scope import Frame
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom

MADE, ITEM = "%made", "%item"


def is_generator(node: Any) -> bool:
    return isinstance(node, gast.FunctionDef) and syntax.first_yield(node) is not None


def lower_generator_body(state: Lowering, node: Any) -> Atom:
    """The list of what the generator of the current frame gives."""
    frame = state.frame
    frame.node = _filling(node)
    _refuse(state, node, frame)
    frame.locals = frame.locals | {MADE, ITEM}
    frame.env[MADE] = state.builder.op(ir.make_list, (), place=state.place(node))
    lower_body(state)
    return state.expression(_name(node, MADE))


def _refuse(state: Lowering, node: Any, frame: Frame) -> None:
    """What cannot be written as a list that grows."""
    for part in syntax.nodes_of_body(frame.node):
        if isinstance(part, (gast.Yield, gast.YieldFrom, gast.Await)):
            raise NotYetSupported(
                "a `yield` whose value is used", state.place(part), "build and return a list"
            )
    for part in syntax.nodes_of_body(node):
        if isinstance(part, gast.While) and syntax.is_endless(part):
            raise NotYetSupported(
                "a generator that does not end by itself", state.place(part),
                "write its loop where the values are used",
            )  # fmt: skip


@lru_cache(maxsize=256)
def _filling(node: Any) -> Any:
    """The function with each statement `yield e` written `made.append(e)`."""
    return _Filling().visit(copy.deepcopy(node))


class _Filling(gast.NodeTransformer):  # type: ignore[misc]
    """Leaves functions inside as they are."""

    def __init__(self) -> None:
        self.depth = 0

    def visit_FunctionDef(self, node: Any) -> Any:
        if self.depth:
            return node
        self.depth += 1
        return self.generic_visit(node)

    def visit_Lambda(self, node: Any) -> Any:
        return node

    def visit_Expr(self, node: Any) -> Any:
        if isinstance(node.value, gast.Yield):
            value = node.value.value or gast.copy_location(gast.Constant(None, None), node)
            return _append(node, value)
        if isinstance(node.value, gast.YieldFrom):
            body = [_append(node, _name(node, ITEM))]
            target = _name(node, ITEM, gast.Store())
            return gast.copy_location(gast.For(target, node.value.value, body, [], None), node)
        return node


def _name(node: Any, name: str, context: Any = None) -> Any:
    return gast.copy_location(gast.Name(name, context or gast.Load(), None, None), node)


def _append(node: Any, value: Any) -> Any:
    method = gast.copy_location(gast.Attribute(_name(node, MADE), "append", gast.Load()), node)
    call = gast.copy_location(gast.Call(method, [value], []), node)
    return gast.copy_location(gast.Expr(call), node)
