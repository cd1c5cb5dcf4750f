"""Names that two branches bind to different functions: which one it is is tested at the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tangent_like import ir
from tangent_like.frontend.scope import Choice, Environment
from tangent_like.ir import Atom, Const


@dataclass(frozen=True, slots=True)
class Test:
    """A key for a test that is made in a branch and read after it."""

    value: ir.Value


def pairs_of_tests(
    chosen: Mapping[Any, tuple[Const, Const]], mark: int
) -> list[tuple[Any, Atom, Atom]]:
    """The tests made in a branch that choose a function bound there, to be handed out."""
    none = Const(False)
    found: dict[Any, tuple[Any, Atom, Atom]] = {}
    for left, right in chosen.values():
        found.update((t, (Test(t), t, none)) for t in _tests(left) if t.serial >= mark)
        found.update((t, (Test(t), none, t)) for t in _tests(right) if t.serial >= mark)
    return list(found.values())


def with_choices(
    joined: Environment, test: Atom, chosen: Mapping[Any, tuple[Const, Const]]
) -> Environment:
    """With the names of functions bound to what chooses between them, by tests known here."""
    table = {key: joined.pop(key) for key in list(joined) if isinstance(key, Test)}
    for name, (left, right) in chosen.items():
        joined[name] = Const(Choice(test, _retested(left, table), _retested(right, table)))
    return joined


def _tests(function: Atom) -> list[ir.Value]:
    """The tests that choose between the functions that one may be."""
    choice = function.value if isinstance(function, Const) else None
    if not isinstance(choice, Choice):
        return []
    own = [choice.test] if isinstance(choice.test, ir.Value) else []
    return [*own, *_tests(choice.then), *_tests(choice.orelse)]


def _retested(function: Atom, table: Mapping[Any, Any]) -> Atom:
    """The same choice by the tests as they are known after the branch that made them."""
    choice = function.value if isinstance(function, Const) else None
    if not isinstance(choice, Choice):
        return function
    test = table.get(Test(choice.test), choice.test) if isinstance(choice.test, ir.Value) else None
    sides = _retested(choice.then, table), _retested(choice.orelse, table)
    return Const(Choice(choice.test if test is None else test, *sides))


def has_tests(function: Atom) -> bool:
    """Whether it is tested already which function it is."""
    return isinstance(function, Const) and bool(_tests(function))
