"""Which of the arrays that a loop carries are different ones, though they swap their names.

    loop u = copy(x), v = zeros(n):        u and v: two arrays where the loop begins
        v' = store(v, e, i)                v' is the array that v is
        next v', u                         two arrays again: so the store may write into v

That holds for two parameters if it holds where the loop is entered, and where an iteration ends
if it holds where it begins.  What the body makes of a parameter by writing into it and by views
lies in the same array as the parameter: `origin` follows it there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from tangent_like import facts, ir
from tangent_like.analysis.memory import allocates, has_memory, takes_from_outside
from tangent_like.ir import Atom, Function, If, Loop, Op, Statement, Value

Origin = object
"""The number of a parameter, or the operation that made an array."""


@dataclass(eq=False, slots=True)
class Lanes:
    """The arrays of each loop; `passing` operations write into their first operand, `copying` ones
    give a copy, and the loops in `cuts` start from copies."""

    function: Function
    passing: Collection[Op]
    copying: Collection[Op]
    cuts: Collection[tuple[Loop, int]]
    made: dict[Value, tuple[Statement, int]] = field(default_factory=dict)
    params: dict[Value, tuple[Loop, int]] = field(default_factory=dict)
    around: dict[Value, tuple[Loop, ...]] = field(default_factory=dict)
    known: dict[Loop, set[tuple[int, int]]] = field(default_factory=dict)
    origins: dict[tuple[Atom, Loop | None], Origin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._note(self.function.body, ())

    def _note(self, block: ir.Block, around: tuple[Loop, ...]) -> None:
        for statement in block.statements:
            for k, value in enumerate(ir.defined_by(statement)):
                self.made[value] = statement, k
                self.around[value] = around
            inner = around
            if isinstance(statement, Loop):
                inner = (*around, statement)
                for k, param in enumerate(statement.params):
                    self.params[param] = statement, k
                    self.around[param] = inner
            for nested in ir.blocks_of(statement):
                self._note(nested, inner)

    def apart(self, a: Atom, b: Atom) -> bool:
        """Whether two values are certain to lie in different arrays, where both are alive."""
        if not (isinstance(a, Value) and isinstance(b, Value)):
            return False
        shared = [x for x, y in zip(self.around.get(a, ()), self.around.get(b, ())) if x is y]
        return any(
            self._differ(self.origin(a, loop), self.origin(b, loop), self._pairs(loop))
            for loop in reversed(shared)
        ) or self._differ(self.origin(a, None), self.origin(b, None), set())

    def _differ(self, a: Origin, b: Origin, pairs: Collection[tuple[int, int]]) -> bool:
        if a is None or b is None or a == b:
            return False
        if isinstance(a, int) and isinstance(b, int):
            return (a, b) in pairs or (b, a) in pairs
        return True

    def _pairs(self, loop: Loop) -> set[tuple[int, int]]:
        """The pairs of parameters that are different arrays in every iteration."""
        if loop not in self.known:
            numbers = [k for k, p in enumerate(loop.params) if has_memory(p)]
            pairs = {pair for pair in combinations(numbers, 2) if self._enter_apart(loop, *pair)}
            ends: Mapping[int, Origin] = (
                {k: self.origin(loop.nexts[k], loop) for k in numbers} if pairs else {}
            )
            while lost := {
                (k, j) for k, j in pairs if not self._differ(ends[k], ends[j], pairs)
            }:
                pairs -= lost
            self.known[loop] = pairs
        return self.known[loop]

    def _enter_apart(self, loop: Loop, k: int, j: int) -> bool:
        if (loop, k) in self.cuts or (loop, j) in self.cuts:
            return True
        return self.apart(loop.inits[k], loop.inits[j])

    def origin(self, value: Atom, loop: Loop | None) -> Origin:
        """The array that a value lies in: a parameter of the loop, or one that its body (without
        a loop: the function) made; None where that is not known."""
        key = value, loop
        if key not in self.origins:  # branches in turn lead to the same arrays again and again
            self.origins[key] = self._origin(value, loop)
        return self.origins[key]

    def _origin(self, value: Atom, loop: Loop | None) -> Origin:
        while isinstance(value, Value) and isinstance(facts.defined(value.fact), facts.Array):
            if loop is not None and loop not in self.around.get(value, ()):
                return None
            if value in self.params:
                inner, k = self.params[value]
                if inner is loop:
                    return k
            elif value in self.made:
                statement, k = self.made[value]
                if isinstance(statement, Op):
                    if self._is_new(statement):
                        return statement
                    value = self._source(statement)
                    continue
                if isinstance(statement, If):
                    sides = {self.origin(b.results[k], loop) for b in ir.blocks_of(statement)}
                    return sides.pop() if len(sides) == 1 else None
                inner = statement
            else:
                return None
            if (inner, k) in self.cuts:
                return inner, k
            if self.origin(inner.nexts[k], inner) != k:
                return None
            value = inner.inits[k]
        return None

    def _is_new(self, op: Op) -> bool:
        return op not in self.passing and (op in self.copying or allocates(op))

    def _source(self, op: Op) -> Atom:
        """What the result of an operation is a view of, or was written into."""
        if op in self.passing:
            return op.args[0]
        sources = [atom for atom in op.atoms if has_memory(atom)]
        known = len(sources) == 1 and not isinstance(op.fn, ir.Procedure)
        return sources[0] if known and not takes_from_outside(op) else ir.UNDEFINED
