"""Names that a loop binds to arrays from around it.

    p, q = y[1:], y[:-1]          p_place, q_place = 0, 1
    for k in range(n):            for k in range(n):
        p[k] = q[k]                   p = y[1:] if p_place == 0 else y[:-1], and q likewise
        p, q = q, p                   p_place, q_place = q_place, p_place

Such a name is carried as the number of the array that it stands for, where carrying the arrays
would leave it open which of them share memory.  That is tried where nothing else helps
(`Lowering.turns_names`): it needs a branch for each use.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from tangent_like import facts
from tangent_like.frontend.homes import choice_of, home_of, may_share, tangle
from tangent_like.frontend.memory import carried_atom, held, is_listed, note_order, pick
from tangent_like.frontend.scope import Buffer, Carried, Chosen, Environment, Home
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Op, Value

_MOST = 6
"""A name that may be more arrays is carried as an array."""


def place_name(name: str) -> str:
    """The name under which the number of the array is carried."""
    return f"%place {name}"


@dataclass(eq=False, slots=True)
class Turning:
    """The arrays that each name may be, in the order of their numbers."""

    state: Lowering
    node: Any
    mark: int
    """Values from before the loop have smaller serial numbers."""

    homes: dict[str, list[Home]] = field(default_factory=dict)
    news: bool = False
    """Whether the last lowering of the body has found a further array."""

    lost: list[str] = field(default_factory=list)
    """Names that the body binds to something else: they are carried as arrays."""

    def enter(self, names: Iterable[str]) -> list[str]:
        """Let the names be numbers that can be; all that the loop carries then."""
        carried: list[str] = []
        for name in names:
            binding = self.state.frame.env.get(name) if self.state.turns_names else None
            number = self._number(name, binding) if isinstance(binding, Value) else None
            if number is None:
                self.homes.pop(name, None)
                carried.append(name)
            else:
                self.state.frame.env[place_name(name)] = number
                carried.append(place_name(name))
        return carried

    def bind(self, env: Environment) -> None:
        """Bind the names to what their numbers say."""
        for name in self.homes:
            env[name] = self._array(name, env[place_name(name)])

    def note(self) -> None:
        """Bind the numbers to what the names stand for where the body ends."""
        env, known = self.state.frame.env, sum(map(len, self.homes.values()))
        for name in self.homes:
            binding = env.get(name)
            number = self._number(name, binding) if isinstance(binding, Value) else None
            if number is None:
                self.lost.append(name)
            else:
                env[place_name(name)] = number
        self.news = sum(map(len, self.homes.values())) > known

    def give_up(self) -> list[str]:
        """The names that are carried as arrays from now on."""
        lost, self.lost = self.lost, []
        for name in lost:
            del self.homes[name]
        return lost

    def _number(self, name: str, value: Value) -> Atom | None:
        """Which of its arrays a name is, among them those that are met for the first time."""
        if not isinstance(value.fact, facts.Array):
            return None
        found = choice_of(self.state, value) or home_of(self.state, value)
        known = self.homes.setdefault(name, [])
        leaves = list(found.leaves()) if isinstance(found, Chosen) else [found]
        if not all(self._is_lasting(home) for home in leaves):
            return None
        known += [h for k, h in enumerate(leaves) if _place(h, [*known, *leaves[:k]]) is None]
        buffers = {home.buffer for home in known}
        if len(known) > _MOST or any(may_share({a}, {b}) for a, b in combinations(buffers, 2)):
            return None
        return pick(self.state.builder, found, lambda home: [Const(_place(home, known))], [""])[0]

    def _is_lasting(self, home: Home) -> bool:
        """Whether a home is there before the loop, and is nothing but a view of an array."""
        operands = (atom for step in home.path for atom in step.args[1:])
        values = [home.buffer.root, *(a for a in operands if isinstance(a, Value))]
        plain = isinstance(home.root.fact, facts.Array) and home.slot is None
        listed = is_listed(self.state, home.buffer) or bool(home.buffer.holders)
        return plain and not listed and all(value.serial < self.mark for value in values)

    def _array(self, name: str, number: Any) -> Atom:
        state, node = self.state, self.node
        now = {home.buffer: held(state, home, node) for home in self.homes[name]}
        homes = [Home(h.buffer, h.path, now[h.buffer]) for h in self.homes[name]]  # type: ignore[arg-type]
        if len(homes) == 1:
            return _seen(state, homes[0])
        if isinstance(number, Carried):
            number = carried_atom(state, number)
        choice = _choice(state, number, homes)
        (result,) = pick(state.builder, choice, lambda home: [_seen(state, home)], [name])
        assert isinstance(result, Value)
        buffer = Buffer(result)
        for home in homes:
            tangle(buffer, home.buffer)
        state.homes[result] = Home(buffer, (), result)
        state.choices[result] = choice
        return result


def _place(home: Home, homes: Sequence[Home]) -> int | None:
    """Where a view stands among others, None if it is another one."""
    return next((k for k, other in enumerate(homes) if _same(home, other)), None)


def _same(a: Home, b: Home) -> bool:
    if a.buffer is not b.buffer or len(a.path) != len(b.path):
        return False
    return all(map(_same_step, a.path, b.path))


def _same_step(a: Op, b: Op) -> bool:
    same = a.fn is b.fn and len(a.args) == len(b.args)
    return same and all(map(_same_atom, a.args[1:], b.args[1:]))


def _same_atom(a: Atom, b: Atom) -> bool:
    if isinstance(a, Const) and isinstance(b, Const):
        return type(a.value) is type(b.value) and repr(a.value) == repr(b.value)
    return a is b


def _choice(state: Lowering, number: Atom, homes: Sequence[Home]) -> Chosen:
    """The homes by their number, counted from the end."""
    *before, last = homes
    found: Home | Chosen = last
    for k, home in reversed(list(enumerate(before))):
        test = state.builder.op(operator.eq, (number, Const(k)))
        found = Chosen(test, home, found)
    assert isinstance(found, Chosen)
    return found


def _seen(state: Lowering, home: Home) -> Atom:
    note_order(state, home)
    now: Atom = home.root
    for step in home.path:
        now = state.builder.op(step.fn, (now, *step.args[1:]), name=step.result.name)
    return now
