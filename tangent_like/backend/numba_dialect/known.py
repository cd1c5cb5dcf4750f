"""Numbers that are known before a loop starts, because they are lengths, or computed from such.

The fact of an integer says of which axis it is the length, give or take a constant: so the length
of an array that a loop carries is that of an argument, if the two are known to be equal.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass

from tangent_like import facts
from tangent_like.backend.numba_dialect.rebuild import Definitions, is_constant, made_by
from tangent_like.build import Builder
from tangent_like.facts import Size
from tangent_like.ir import Atom, Const, Function, Op, Value

Lengths = Mapping[int, tuple[Value, int]]
"""The parameter and axis whose length a symbol is."""


def lengths_of(function: Function) -> Lengths:
    found: dict[int, tuple[Value, int]] = {}
    for param in function.params:
        for axis, size in enumerate(facts.dims(param.fact) or ()):
            if isinstance(size, Size) and not size.offset:
                found.setdefault(size.base, (param, axis))
    return found


def length_of(atom: Atom) -> Size | None:
    """The axis length that an integer is known to be."""
    fact = atom.fact
    size = fact.size if isinstance(fact, facts.Scalar) else None
    return size if isinstance(size, Size) else None


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What made each value, and where lengths are found."""

    definitions: Definitions
    lengths: Lengths

    def outside(self, atom: Atom, inside: set[Value]) -> bool:
        """Whether an atom can be computed without the values of a loop, which are `inside`."""
        if isinstance(atom, Const) or atom not in inside or self.is_length(atom):
            return True
        made = self.definitions.get(atom)
        if made is None or not is_repeatable(made):
            return False
        return all(self.outside(a, inside) for a in made.atoms)

    def is_length(self, atom: Atom) -> bool:
        size = length_of(atom)
        return size is not None and size.base in self.lengths

    def again(self, builder: Builder, atom: Atom, inside: set[Value]) -> Atom:
        """The atom where the loop has not started, computed there if it is not yet."""
        if isinstance(atom, Const) or atom not in inside:
            return atom
        size = length_of(atom)
        if size is not None and size.base in self.lengths:
            return self.measured(builder, size)
        made = self.definitions[atom]
        return builder.op(made.fn, [self.again(builder, a, inside) for a in made.args])

    def measured(self, builder: Builder, size: Size) -> Atom:
        """A length, of the parameter that has it."""
        array, axis = self.lengths[size.base]
        length = builder.op(len, (array,))
        if axis:
            shape = builder.op(getattr, (array, Const("shape")))
            length = builder.op(operator.getitem, (shape, Const(axis)))
        if not size.offset:
            return length
        sign = operator.add if size.offset > 0 else operator.sub
        return builder.op(sign, (length, Const(abs(size.offset))))

    def one_less(self, a: Atom, b: Atom) -> bool:
        """Whether a is certain to be b - 1."""
        if isinstance(a, Const) and isinstance(b, Const):
            return bool(a.value == b.value - 1)
        length, longer = length_of(a), length_of(b)
        if length is not None and longer is not None and length == longer.shifted(-1):
            return True
        made = made_by(a, self.definitions, operator.sub)
        return made is not None and is_constant(made.args[1], 1) and self.same(made.args[0], b)

    def same(self, a: Atom, b: Atom) -> bool:
        """Whether two atoms are one value, one length, or one operation on the same values."""
        if a is b:
            return True
        if isinstance(a, Const) and isinstance(b, Const):
            return type(a.value) is type(b.value) and bool(a.value == b.value)
        if length_of(a) is not None and length_of(a) == length_of(b):
            return True
        one = self.definitions.get(a) if isinstance(a, Value) else None
        two = self.definitions.get(b) if isinstance(b, Value) else None
        if one is None or two is None or one.fn is not two.fn or not is_repeatable(one):
            return False
        return len(one.atoms) == len(two.atoms) and all(
            self.same(x, y) for x, y in zip(one.atoms, two.atoms, strict=True)
        )


def is_repeatable(op: Op) -> bool:
    """Whether an operation on lengths gives the same wherever it stands."""
    if op.fn is operator.getitem:
        return isinstance(op.args[0].fact, facts.Tuple)
    return op.fn in (len, getattr, operator.add, operator.sub, operator.mul)
