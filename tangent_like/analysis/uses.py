"""How often each value is read, kept right while a list is rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tangent_like.ir import Atom, Op, Value


@dataclass(eq=False, slots=True)
class Uses:
    counts: dict[Atom, int]

    def once(self, atom: Atom) -> bool:
        """Whether a value is read at one place at most."""
        return isinstance(atom, Value) and self.counts.get(atom, 0) <= 1

    def gain(self, atoms: Iterable[Atom]) -> None:
        for atom in atoms:
            if isinstance(atom, Value):
                self.counts[atom] = self.counts.get(atom, 0) + 1

    def lose(self, atoms: Iterable[Atom], definitions: Mapping[Value, Op]) -> None:
        """One reading less; derivative code that is not read any more reads nothing either."""
        pending = list(atoms)
        while pending:
            atom = pending.pop()
            if isinstance(atom, Value):
                self.counts[atom] = self.counts.get(atom, 0) - 1
                made = definitions.get(atom)
                if self.counts[atom] == 0 and made is not None and made.derivative:
                    pending.extend(made.args)
