"""Terms, and what a rule of algebra may ask about them.

A rule sees one operation, and through `scope` how its operands were made, and answers with a
shorter or more readable term of the same value, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from tangent_like import facts
from tangent_like.facts import Scalar
from tangent_like.ir import Atom, Const, Op

R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A term: an operation on atoms and other terms."""

    fn: Any
    args: tuple[Atom | Call, ...]
    keywords: tuple[tuple[str, Atom], ...] = ()


Term = Atom | Call


class Scope(Protocol):
    late: bool
    """Whether common operations are shared by now: a sign may go into a number, which until then
    would hide what is common."""

    def maker(self, atom: Atom) -> Any:
        """The function that made an atom: `Const` for what is known, None for an argument."""

    def made(self, atom: Atom, fn: Any) -> Op | None:
        """The derivative operation that made an atom, if it is one of `fn`."""

    def definition(self, atom: Atom, fn: Any) -> Op | None:
        """The operation that made an atom, also the user's own, if it is one of `fn`."""

    def once(self, atom: Atom) -> bool:
        """Whether an atom is read only once."""

    def is_continued(self, atom: Atom) -> bool:
        """Whether an atom has the name of the result: the result continues it."""


Rule = Callable[[Scope, tuple[Atom, ...]], Term | None]
Keywords = Mapping[str, Atom]
KeywordRule = Callable[[Scope, tuple[Atom, ...], Keywords], Term | None]
"""A rule for operations with keywords."""

_sought: dict[Any, frozenset[Any]] = {}


def seeks(*makers: Any) -> Callable[[R], R]:
    """Declares what makes an operand worth a look: a rule has no answer where none of them made
    an operand.  Most operations are passed by in this way."""

    def declare(rule: R) -> R:
        _sought[rule] = frozenset(makers)
        return rule

    return declare


@lru_cache(maxsize=4096)
def fitting(rules: tuple[R, ...], makers: frozenset[Any]) -> tuple[R, ...]:
    """The rules that may have an answer for operands made by these."""
    return tuple(r for r in rules if r not in _sought or not _sought[r].isdisjoint(makers))


def call(fn: Any, *args: Term, **keywords: Atom) -> Call:
    return Call(fn, args, tuple(keywords.items()))


def is_float(atom: Atom) -> bool:
    """Whether an atom is a float or complex number, or an array of these."""
    if isinstance(atom, Const):
        return type(atom.value) in (float, complex)
    name = facts.dtype(atom.fact)
    return name is not None and name.startswith(("float", "complex"))


def number(atom: Atom) -> Any:
    """The number that an atom is known to be."""
    if isinstance(atom, Const) and type(atom.value) in (int, float):
        return atom.value
    return None


def order(atom: Atom) -> int:
    """Numbers stand before scalars, and these before arrays."""
    return 0 if isinstance(atom, Const) else 1 if isinstance(atom.fact, Scalar) else 2


def alike(a: facts.Fact, b: facts.Fact) -> bool:
    """Whether a value of one fact can stand for one of the other."""
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        return a.type == b.type
    return a == b and not isinstance(a, facts.Unknown)
