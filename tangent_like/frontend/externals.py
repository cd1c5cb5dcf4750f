"""What lies outside a function and is read when its derivative runs, and what was assumed of it.

What is cached is found again with this module alone, without the compiler.
"""

from __future__ import annotations

import operator
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

from tangent_like import facts
from tangent_like.facts import Fact


@dataclass(frozen=True, slots=True)
class External:
    """Something that lives outside the function and is read when the derivative runs: a global
    variable, a variable of an enclosing function (a closure cell), or an attribute or item of
    one: `path` holds the names of attributes, and keys of items in tuples of their own."""

    function: Any
    name: str
    is_cell: bool
    path: tuple[str | tuple[Any], ...] = ()

    def read(self) -> object:
        value = self._root()
        for step in self.path:
            value = getattr(value, step) if isinstance(step, str) else value[step[0]]
        return value

    def _root(self) -> Any:
        if self.is_cell:
            cells = dict(zip(self.function.__code__.co_freevars, self.function.__closure__ or ()))
            return cells[self.name].cell_contents
        return self.function.__globals__[self.name]

    def __call__(self) -> object:
        return self.read()


class Imported:
    """A module as the home of global variables, as a function is."""

    def __init__(self, module: str):
        self.__module__ = module

    @property
    def __globals__(self) -> dict[str, Any]:
        return vars(sys.modules[self.__module__])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Imported) and other.__module__ == self.__module__

    def __hash__(self) -> int:
        return hash(self.__module__)


class Definition(NamedTuple):
    """A function that was inlined: its code, which tools replace in place, and its defaults."""

    function: Any

    def read(self) -> tuple[object, ...]:
        named = self.function.__kwdefaults__ or {}
        return (self.function.__code__, self.function.__defaults__, *named.values())


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()


class Layout(NamedTuple):
    """How many items a list outside the function has, or which keys a dict or items a set."""

    external: External

    def read(self) -> tuple[object, ...]:
        value: Any = self.external.read()
        if isinstance(value, (set, frozenset)):
            return tuple(sorted(value, key=repr))
        return tuple(value) if isinstance(value, dict) else (len(value),)


class Guard(NamedTuple):
    """What was assumed of something outside the function when it was compiled: the kind of a
    number or array, the very object, or that there is nothing: `MISSING`."""

    external: External | Definition | Layout
    fact: Fact | None
    value: Any = None

    def holds(self) -> bool:
        """Whether it still is what was assumed."""
        try:
            found: Any = self.external.read()
        except (LookupError, ValueError, AttributeError, TypeError):
            return self.value is MISSING
        if isinstance(self.external, Definition):
            return len(found) == len(self.value) and all(map(operator.is_, found, self.value))
        if isinstance(self.external, Layout):
            return bool(found == self.value)
        if self.fact is None:
            return found is self.value
        return facts.of_constant(found) == self.fact


class Globals:
    """Attribute access to global variables that belong to no importable module."""

    def __init__(self, variables: dict[str, Any]):
        self.__dict__ = variables

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Globals) and other.__dict__ is self.__dict__

    __hash__ = object.__hash__
