"""Give values back the user's names.

Values that flow into each other (a loop's parameter and its next value, the results of two
branches) share a name where their lifetimes allow, so that no copies are printed.  The user's
names come first; temporaries take what is left.
"""

from __future__ import annotations

import builtins
import keyword
import operator
from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Any

from tangent_like import ir
from tangent_like.analysis.lifetimes import Lifetimes, Stretch, normalised
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Value


class Groups:
    """Values that share one variable (union-find), with the stretches they occupy."""

    def __init__(self, lifetimes: Lifetimes, inlined: set[Value]):
        self.parent: dict[Value, Value] = {}
        self.stretches: dict[Value, list[Stretch]] = {}
        self.pinned: set[Value] = set()
        for value, stretches in lifetimes.stretches.items():
            if value not in inlined:
                self.parent[value] = value
                self.stretches[value] = normalised(stretches)

    def find(self, value: Value) -> Value:
        while self.parent[value] is not value:
            self.parent[value] = self.parent[self.parent[value]]
            value = self.parent[value]
        return value

    def merge(self, a: Atom, b: Atom) -> bool:
        """Let two values share a variable if they are never alive together."""
        if a not in self.parent or b not in self.parent:
            return False
        x, y = self.find(a), self.find(b)  # type: ignore[arg-type]
        if x is y:
            return True
        if x in self.pinned and y in self.pinned:
            return False
        if _different_names(x, y) or overlap(self.stretches[x], self.stretches[y]):
            return False
        if y in self.pinned or (y.name and not x.name):
            x, y = y, x
        self.parent[y] = x
        self.stretches[x] = normalised(self.stretches[x] + self.stretches.pop(y))
        return True


def _different_names(a: Value, b: Value) -> bool:
    return bool(a.name and b.name and a.name != b.name)


def overlap(a: list[Stretch], b: list[Stretch]) -> bool:
    """Whether two sorted lists of half-open stretches share a position."""
    i = j = 0
    while i < len(a) and j < len(b):
        (s, e), (t, f) = a[i], b[j]
        if e == s or e <= t:
            i += 1
        elif f == t or f <= s:
            j += 1
        else:
            return True
    return False


def coalesce(function: Function, groups: Groups) -> None:
    """Merge values that flow into each other, loops first."""
    groups.pinned.update(function.params)
    statements = list(ir.walk(function.body))
    for statement in statements:
        if isinstance(statement, Loop):
            for param, result in zip(statement.params, statement.results):
                groups.merge(param, result)
    for statement in statements:
        if isinstance(statement, Op) and statement.fn in IN_PLACE:
            groups.merge(statement.args[0], statement.result)
    for statement in statements:
        if isinstance(statement, Loop):
            for param, after, init in zip(statement.params, statement.nexts, statement.inits):
                groups.merge(param, after)
                groups.merge(param, init)
    for statement in statements:
        if isinstance(statement, If):
            for result, a, b in zip(
                statement.results, statement.then.results, statement.orelse.results
            ):
                groups.merge(result, a)
                groups.merge(result, b)


IN_PLACE: set[Any] = set()
"""Operations whose result is their first operand, changed (filled by `emit`)."""


class Names:
    """Which name is taken where."""

    def __init__(self, reserved: Iterable[str]):
        self.reserved = set(reserved)
        self.taken: dict[str, list[Stretch]] = {}

    def free(self, name: str, stretches: list[Stretch]) -> bool:
        if name in self.reserved or keyword.iskeyword(name):
            return False
        occupied = self.taken.get(name)
        return occupied is None or not any(_hits(occupied, s) for s in stretches)

    def take(self, name: str, stretches: list[Stretch]) -> str:
        occupied = self.taken.setdefault(name, [])
        for stretch in stretches:
            insort(occupied, stretch)
        return name

    def choose(self, wish: str, stretches: list[Stretch]) -> str:
        """The wished name, or the first free one with a number behind it."""
        if self.free(wish, stretches):
            return self.take(wish, stretches)
        number = 1
        while not self.free(f"{wish}{number}", stretches):
            number += 1
        return self.take(f"{wish}{number}", stretches)


def _hits(occupied: list[Stretch], stretch: Stretch) -> bool:
    start, end = stretch
    at = bisect_left(occupied, stretch)
    if at < len(occupied) and occupied[at][0] < max(end, start + 1):
        return True
    return at > 0 and max(occupied[at - 1][1], occupied[at - 1][0] + 1) > start


def assign_names(
    function: Function, groups: Groups, lifetimes: Lifetimes, reserved: Iterable[str]
) -> dict[Value, str]:
    """A name for each value that is not printed inside an expression."""
    names = Names(reserved)
    definitions = {s.result: s for s in ir.walk(function.body) if isinstance(s, Op)}
    members: dict[Value, list[Value]] = {}
    for value in groups.parent:
        members.setdefault(groups.find(value), []).append(value)
    chosen: dict[Value, str] = {}
    for root in sorted(members, key=lambda r: _rank(r, groups, members, lifetimes)):
        wish = _wish(root, members[root], definitions)
        if root in groups.pinned:
            chosen[root] = names.take(wish, groups.stretches[root])
        else:
            chosen[root] = names.choose(wish, groups.stretches[root])
    return {value: chosen[groups.find(value)] for value in groups.parent}


def _rank(
    root: Value, groups: Groups, members: dict[Value, list[Value]], lifetimes: Lifetimes
) -> tuple[int, int]:
    """Parameters, then the user's names, then temporaries, each in order of definition."""
    first = groups.stretches[root][0][0]
    if root in groups.pinned:
        return 0, first
    return (1 if any(v.name for v in members[root]) else 2), first


def _wish(root: Value, members: list[Value], definitions: dict[Value, Op]) -> str:
    for value in (root, *members):
        if value.name:
            return value.name
    for value in members:
        if value in definitions:
            return describe(definitions[value], definitions)
    return "t"


_NOUNS: dict[Any, str] = {
    operator.add: "total", operator.sub: "difference", operator.mul: "product",
    operator.truediv: "ratio", operator.pow: "power", operator.neg: "negative",
    operator.matmul: "product", operator.getitem: "item", len: "n", range: "indices",
    operator.eq: "test", operator.ne: "test", operator.lt: "test", operator.le: "test",
    operator.gt: "test", operator.ge: "test", operator.not_: "test", abs: "size",
    ir.make_tuple: "items", ir.make_list: "items",
}  # fmt: skip


def describe(op: Op, definitions: dict[Value, Op]) -> str:
    """A name for what an operation computes: `exp_z`, `product`, `x_i`."""
    if op.fn in _NOUNS:
        return _NOUNS[op.fn]
    if op.fn is getattr and isinstance(op.args[1], ir.Const):
        return str(op.args[1].value)
    name = getattr(op.fn, "__name__", "t").strip("_")
    name = {"logaddexp": "softplus", "lambda": "t"}.get(name, name)
    operand = op.args[0].name if op.args and isinstance(op.args[0], Value) else ""
    wish = f"{name}_{operand}" if operand else name
    return wish if wish.isidentifier() and not hasattr(builtins, wish) else f"{name}_value"


def all_hints(function: Function) -> set[str]:
    """Every name the user's values have."""
    found = {param.name for param in function.params}

    def visit(block: Block) -> None:
        for statement in ir.walk(block):
            found.update(v.name for v in ir.defined_by(statement))
            if isinstance(statement, Loop):
                found.update(v.name for v in statement.params)
                if statement.item is not None:
                    found.add(statement.item.name)

    visit(function.body)
    return found - {""}
