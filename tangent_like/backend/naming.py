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
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.analysis.lifetimes import Lifetimes, Stretch, normalised, overlap, united
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Value
from tangent_like.stores import Store


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
        x, y = self.find(a), self.find(b)
        if x is y:
            return True
        if x in self.pinned and y in self.pinned:
            return False
        if _different_names(x, y) or overlap(self.stretches[x], self.stretches[y]):
            return False
        if y in self.pinned or (y.name and not x.name):
            x, y = y, x
        self.parent[y] = x
        self.stretches[x] = united(self.stretches[x], self.stretches.pop(y))
        return True


def _different_names(a: Value, b: Value) -> bool:
    return bool(a.name and b.name and a.name != b.name)


def coalesce(function: Function, groups: Groups) -> None:
    """Merge values that flow into each other, loops first."""
    groups.pinned.update(function.params)
    statements = list(ir.walk(function.body))
    for statement in statements:
        if isinstance(statement, Loop):
            for param, result in zip(statement.params, statement.results, strict=True):
                groups.merge(param, result)
    for statement in statements:
        if isinstance(statement, Op) and is_in_place(statement.fn):
            groups.merge(statement.args[0], statement.result)
    for statement in statements:
        if isinstance(statement, Loop):
            for param, after, init in zip(
                statement.params, statement.nexts, statement.inits, strict=True
            ):
                groups.merge(param, after)
                groups.merge(param, init)
    for statement in statements:
        if isinstance(statement, If):
            for result, a, b in zip(
                statement.results, statement.then.results, statement.orelse.results, strict=True
            ):
                groups.merge(result, a)
                groups.merge(result, b)


IN_PLACE: set[Any] = {
    runtime.scatter_add_into, runtime.add_into, runtime.subtract_into, runtime.append_into,
    runtime.remove_last,
}  # fmt: skip
"""Functions whose result is their first operand, changed; dialects add their own."""


def is_in_place(fn: Any) -> bool:
    """Whether an operation's result is its first operand, changed."""
    return fn.into if isinstance(fn, Store) else fn in IN_PLACE


_FIRST_NUMBERS = 10
"""Numbers below are used again; larger ones only once, so that the search stays short."""


class Names:
    """Which name is taken where."""

    def __init__(self, reserved: Iterable[str]):
        self.reserved = set(reserved)
        self.taken: dict[str, list[Stretch]] = {}
        self.numbers: dict[str, int] = {}
        self.types: dict[str, object] = {}

    def free(self, name: str, stretches: list[Stretch], type_: object) -> bool:
        if name in self.reserved or keyword.iskeyword(name):
            return False
        if self.types.get(name, type_) != type_:
            return False
        occupied = self.taken.get(name)
        return occupied is None or not any(_hits(occupied, s) for s in stretches)

    def take(self, name: str, stretches: list[Stretch], type_: object) -> str:
        self.types[name] = type_
        occupied = self.taken.setdefault(name, [])
        for stretch in stretches:
            insort(occupied, stretch)
        return name

    def choose(self, wish: str, stretches: list[Stretch], plain: bool, type_: object) -> str:
        """The wished name, if it may stand `plain`, or the first free one with a number behind."""
        if plain and self.free(wish, stretches, type_):
            return self.take(wish, stretches, type_)
        for number in range(1, _FIRST_NUMBERS):
            if self.free(f"{wish}{number}", stretches, type_):
                return self.take(f"{wish}{number}", stretches, type_)
        number = self.numbers.get(wish, _FIRST_NUMBERS)
        while not self.free(f"{wish}{number}", stretches, type_):
            number += 1
        self.numbers[wish] = number + 1
        return self.take(f"{wish}{number}", stretches, type_)


def _hits(occupied: list[Stretch], stretch: Stretch) -> bool:
    start, end = stretch
    at = bisect_left(occupied, stretch)
    if at < len(occupied) and occupied[at][0] < max(end, start + 1):
        return True
    return at > 0 and max(occupied[at - 1][1], occupied[at - 1][0] + 1) > start


def assign_names(
    function: Function,
    groups: Groups,
    lifetimes: Lifetimes,
    reserved: Iterable[str],
    typed: bool = False,
) -> dict[Value, str]:
    """A name for each value that is not printed inside an expression; with `typed` values of
    different types have different names."""
    names = Names(reserved)
    definitions = {s.result: s for s in ir.walk(function.body) if isinstance(s, Op)}
    saved = _saved(function, definitions)
    members: dict[Value, list[Value]] = {}
    for value in groups.parent:
        members.setdefault(groups.find(value), []).append(value)
    chosen: dict[Value, str] = {}
    users = {value.name for value in groups.parent}
    for root in sorted(members, key=lambda r: _rank(r, groups, members, lifetimes)):
        wish = _wish(root, members[root], definitions, saved)
        type_ = _type_of(root.fact) if typed else None
        own_name = root in groups.pinned and any(v.name for v in members[root])
        if own_name and wish not in names.taken:
            chosen[root] = names.take(wish, groups.stretches[root], type_)
        else:
            # A reader would take a temporary `t` for the user's.
            own = wish != "t" or wish not in users or _called_t(members[root], saved)
            chosen[root] = names.choose(wish, groups.stretches[root], own, type_)
    return {value: chosen[groups.find(value)] for value in groups.parent}


def _type_of(fact: facts.Fact) -> object:
    """What Numba takes for a type, as far as it is known."""
    if isinstance(fact, facts.Scalar):
        return "float" if fact.type == "real" else fact.type
    return (facts.dtype(fact), facts.rank(fact)) if isinstance(fact, facts.Array) else type(fact)


def _called_t(members: Sequence[Value], saved: dict[Value, Value]) -> bool:
    """Whether a variable holds what the user calls `t`, saved or not."""
    return any(value.name or (value in saved and saved[value].name) for value in members)


def _rank(
    root: Value, groups: Groups, members: dict[Value, list[Value]], lifetimes: Lifetimes
) -> tuple[int, int]:
    """Parameters, then the user's names, then temporaries, each in order of definition."""
    first = groups.stretches[root][0][0]
    if root in groups.pinned:
        return 0, first
    return (1 if any(v.name for v in members[root]) else 2), first


def _wish(
    root: Value,
    members: list[Value],
    definitions: dict[Value, Op],
    saved: dict[Value, Value],
) -> str:
    for value in (root, *members):
        if value.name and not (value in saved and value.name == "tape"):
            return value.name
    for value in members:
        source = saved.get(value, value)
        if source.name != "tape" and (source.name or source in definitions):
            wish = source.name or describe(definitions[source])
            return f"{wish}_tape" if value.name == "tape" and wish != "t" else value.name or wish
    return root.name or ("i" if root.fact == facts.INT else "t")


def _saved(function: Function, definitions: dict[Value, Op]) -> dict[Value, Value]:
    """For each tape what is saved on it, and for each value read from a tape what it was."""
    found: dict[Value, Value] = {}
    for op in definitions.values():
        if (op.fn is ir.push or op.fn is ir.put) and isinstance(op.args[-1], Value):
            found[op.args[0]] = op.args[-1]  # type: ignore[index]
    if not found:
        return found
    for s in ir.walk(function.body):
        if isinstance(s, Op) and s.fn in (ir.pop, ir.fetch) and s.args[0] in found:
            found[s.result] = found[s.args[0]]
        elif isinstance(s, Loop) and s.item is not None:
            parts = [_tape_of(part, definitions) for part in ir.components(s.iterable, definitions)]
            for value, part in _items(s, len(parts)):
                if parts[part] in found:
                    found[value] = found[parts[part]]  # type: ignore[index]
    return found


def _tape_of(part: Atom, definitions: dict[Value, Op]) -> Atom:
    made = definitions.get(part) if isinstance(part, Value) else None
    return made.args[0] if made is not None and made.fn is reversed else part


def _items(loop: Loop, count: int) -> Iterator[tuple[Value, int]]:
    """The values that take the items of what a loop runs over, with the number of the iterable."""
    assert loop.item is not None
    if count == 1:
        yield loop.item, 0
    for s in loop.body.statements:
        if not isinstance(s, Op) or s.fn is not operator.getitem or s.args[0] is not loop.item:
            continue
        index = s.args[1]
        if count > 1 and isinstance(index, ir.Const) and isinstance(index.value, int):
            yield s.result, index.value


_NOUNS: dict[Any, str] = {
    len: "n", range: "indices", abs: "size", ir.make_tuple: "items", ir.make_list: "items",
    np.logaddexp: "softplus", np.sum: "total", sum: "total", ir.pop: "item",
    ir.fetch: "saved", ir.reserve: "t", np.empty: "t",
    **dict.fromkeys(
        (runtime.scatter_add, runtime.scatter_add_into, runtime.zeros_like), "adjoint"
    ),
}  # fmt: skip
_SIGNS = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.neg,
    operator.pos, operator.matmul, operator.mod, operator.floordiv, np.where, np.transpose,
})  # fmt: skip
_TESTS = frozenset({
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge, operator.not_,
    operator.is_, operator.is_not, operator.contains, isinstance,
})  # fmt: skip


def describe(op: Op) -> str:
    """A name for what an operation computes: `exp_z`, `x_i`; `t` for arithmetic."""
    if not getattr(type(op.fn), "__hash__", None) or op.fn in _SIGNS:
        return "t"
    if op.fn in _TESTS:
        return "test"
    operands = [_said(a) for a in op.args]
    if op.fn is operator.getitem:
        return _joined(*operands) or "item"
    if op.fn is getattr and isinstance(op.args[1], ir.Const):
        return _joined(operands[0], str(op.args[1].value)) or str(op.args[1].value)
    if op.fn is ir.thaw:
        return _joined(operands[0], "tape") or "tape"
    if op.fn in _NOUNS:
        return _NOUNS[op.fn]
    name = getattr(op.fn, "__name__", "t").strip("_")
    if not name.isidentifier():
        return "t"
    wish = _joined(name, operands[0]) if operands else ""
    return wish or (f"{name}_value" if hasattr(builtins, name) else name)


def _said(atom: Atom) -> str:
    """How an operand is called, as part of a longer name."""
    if isinstance(atom, Value):
        return atom.name
    return str(atom.value) if type(atom.value) is int and atom.value >= 0 else ""


def _joined(*parts: str) -> str:
    """`x_i`, if it is a short name; "" otherwise."""
    name = "_".join(parts)
    short = all(parts) and len(name) <= 16 and name.isidentifier()
    return name if short and not hasattr(builtins, name) else ""


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
