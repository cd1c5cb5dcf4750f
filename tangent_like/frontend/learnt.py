"""What is known of a loop from the last time that its body was lowered.

    s = 0                           s is an int, then a float: the body is lowered twice
    for i in range(n):
        t = 0                       t is an int, then a float: twice in each of these
        for j in range(n):
            t += x[i, j]
        s += t

A loop inside another one is lowered as often as the body around it.  It begins with the facts it
ended with the time before, or else the innermost of `d` loops would be lowered `2 ** d` times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tangent_like import facts
from tangent_like.facts import Dim, Fact


@dataclass(eq=False, slots=True)
class Learnt:
    """The facts that a loop carries beyond those it is entered with, and the same for the loops
    inside it: by their place among the loops met in its body."""

    facts: dict[str, Fact] = field(default_factory=dict)
    inside: dict[Any, Learnt] = field(default_factory=dict)
    met: int = 0

    def restart(self) -> Learnt:
        """Begin another lowering of the body."""
        self.met = 0
        return self

    def next_loop(self, node: Any) -> Learnt:
        """What is known of the next loop in the body."""
        self.met += 1
        return self.inside.setdefault((self.met, node), Learnt())

    def widened(self, name: Any, entering: Fact) -> Fact:
        """The first guess for what a loop carries under a name."""
        known = self.facts.get(name)
        return entering if known is None else facts.inward(facts.join(entering, known))

    def note(self, first: Mapping[Any, Fact], found: Mapping[Any, Fact]) -> None:
        """Keep what was found beyond the first guess; lengths belong to one lowering alone."""
        for name, guess in first.items():
            if isinstance(name, str) and found.get(name, guess) != guess:
                if not _has_lengths(found[name]):
                    self.facts[name] = found[name]


def _has_lengths(fact: Fact) -> bool:
    seen: list[Dim] = []

    def note(dim: Dim) -> Dim:
        seen.append(dim)
        return dim

    facts.map_sizes(fact, note)
    return any(isinstance(dim, facts.Size) for dim in seen)
