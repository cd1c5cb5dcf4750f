"""Objects of the user's program that exist while it is lowered, and not in generated code.

They are the values of constants, like functions are: a dict whose keys are known, an iterator,
a function of which some arguments are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tangent_like import facts, ir
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A dict whose keys are known; nothing writes into it."""

    items: Mapping[Any, Atom]


@dataclass(slots=True, eq=False)
class Deferred:
    """What `map`, `zip`, a generator expression give: a sequence that is made when it is used,
    once.  `mentions` are the names that its items are made of then."""

    state: Lowering
    make: Callable[[], Atom]
    mentions: frozenset[str] = frozenset()
    used: bool = False
    loops: int = 0
    """How many loops are around the place where it was made."""

    def __post_init__(self) -> None:
        self.loops = self.state.loops

    def is_at_hand(self, state: Lowering) -> bool:
        """Whether it is used for the first time, and where this happens once."""
        return not self.used and state is self.state and state.loops == self.loops


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """A function with its first arguments and some keywords."""

    callee: Const
    args: Sequence[Atom]
    keywords: Mapping[str, Atom]

    def __call__(self, *args: object) -> object:
        raise TypeError("a partial function exists at compile time only")


INTERNAL = (Table, Deferred)


def table_of(atom: Atom) -> Table | None:
    return atom.value if isinstance(atom, Const) and isinstance(atom.value, Table) else None


def consumed(state: Lowering, atom: Atom, node: Any, writes: frozenset[str] = frozenset()) -> Atom:
    """The sequence behind an iterator, which is used up; anything else as it is now.

    `writes` are the names that are assigned while the iterator is used.
    """
    table = table_of(atom)
    if table is not None:
        return state.builder.op(ir.make_tuple, [Const(key) for key in table.items])
    if not (isinstance(atom, Const) and isinstance(atom.value, Deferred)):
        return fresh(state, atom, node)
    deferred = atom.value
    if not deferred.is_at_hand(state):
        raise NotYetSupported(
            "an iterator that is used twice, or in a loop", state.place(node), "make a list of it"
        )
    if deferred.mentions & writes:
        raise NotYetSupported(
            "an iterator over what its loop changes", state.place(node), "make a list before it"
        )
    deferred.used = True
    return deferred.make()


def refuse_as_result(state: Lowering, atom: Atom, node: Any) -> None:
    """Functions, dicts and iterators are no results of a differentiated function."""
    for leaf in facts.leaves(atom.fact):
        if isinstance(leaf, facts.Opaque) and leaf.kind in ("Table", "Deferred"):
            what = {"Table": "a dict", "Deferred": "an iterator"}[leaf.kind]
            raise NotYetSupported(
                f"returning {what}", state.place(node), "return its values as a tuple or list"
            )
