"""Recursion over a structure that is known: it is written out, call by call.

    def total(t):                                total(Node(x, Leaf(y)))
        match t:                          ──▶        x + y
            case Leaf(v): return v
            case Node(v, t): return v + total(t)

A call of a function from within itself is inlined like any other where its arguments hold fewer
objects, dicts and tuples than those of the call around it: so there is an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tangent_like import facts
from tangent_like.frontend.scope import Frame
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const
from tangent_like.parts import items_of

_MOST_CALLS = 1000
"""How many calls are written out; where a structure is walked again and again, recursion is
shorter."""


def shrinks(
    state: Lowering, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> bool:
    """Whether a call of a function that is being inlined has less to work on."""
    frame: Frame | None = state.frame
    while frame is not None and not _is_call_of(frame, function):
        frame = frame.caller
    if frame is None or size((*args, *keywords.values())) >= frame.size:
        return False
    state.module.written_out += 1
    return state.module.written_out <= _MOST_CALLS


def _is_call_of(frame: Frame, function: Any) -> bool:
    """Whether a frame is that of a function, and not of a comprehension in it."""
    outer = frame.caller.calls if frame.caller is not None else ()
    return frame.calls[-1:] == (function,) and len(frame.calls) > len(outer)


def size(atoms: Iterable[Any]) -> int:
    """How many objects, dicts and tuples there are in atoms of a frame."""
    return sum(
        _size_of_value(atom.value) if isinstance(atom, Const) else _size_of_fact(atom.fact)
        for atom in atoms
        if hasattr(atom, "fact")
    )


def _size_of_fact(fact: facts.Fact) -> int:
    if isinstance(fact, (facts.Record, facts.Tuple)):
        return 1 + sum(map(_size_of_fact, fact.items))
    return 0


def _size_of_value(value: Any) -> int:
    inside = None if isinstance(value, list) else items_of(value)
    return 0 if inside is None else 1 + sum(map(_size_of_value, inside))
