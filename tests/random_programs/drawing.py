"""What the writers of random programs share: chance, scopes, and expressions of a kind.

An expression is a template (`templates.py`, `structures.py`) with holes: `{float}` takes any
expression of that kind, `{name:float}` a name, or what stands for one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.random_programs.structures import DERIVED, LITERALS, TEMPLATES
from tests.random_programs.templates import SQUASH


@dataclass(frozen=True, slots=True)
class Signature:
    """A function that may be called: its parameters by name and kind, and what it returns."""

    name: str  # or an expression with holes that gives it
    parameters: tuple[tuple[str, str], ...]
    result: str
    defaults: int = 0
    positional_only: int = 0
    keyword_only: int = 0
    star: bool = False  # whether it takes `*rest`, floats
    named: bool = False  # whether it takes `**more`, floats
    countdown: bool = False  # whether its whole number says how deep it calls itself


@dataclass(slots=True)
class Scope:
    """What the block being written may use, and must respect."""

    names: dict[str, str]  # surely assigned, with their kinds
    functions: list[Signature]
    result: str  # the kind that the function returns
    fixed: set[str] = field(default_factory=set)  # names that must keep their kind
    closed: set[str] = field(default_factory=set)  # names of enclosing functions: read only
    loops: int = 0  # how many loops are around
    blocks: int = 0  # how many blocks are around
    returns: bool = True  # whether `return` may stand here

    def inner(self, **changes: Any) -> "Scope":
        """The scope of a block inside this one."""
        copies = {
            "names": dict(self.names),
            "functions": list(self.functions),
            "fixed": set(self.fixed),
            "closed": set(self.closed),
        }
        rest = {
            "result": self.result,
            "loops": self.loops,
            "blocks": self.blocks + 1,
            "returns": self.returns,
        }
        return Scope(**{**copies, **rest, **changes})


@dataclass(slots=True)
class Draw:
    """The source of chance, what may be written and how much, and numbers for fresh names."""

    random: Random
    budget: int
    kinds: tuple[str, ...]
    statements: "tuple[list[Writer], list[Writer]]" = ([], [])
    """Those of any kind, and the simple ones."""
    serial: int = 0

    def kind(self, kinds: list[str]) -> str:
        return self.one([kind for kind in kinds if kind in self.kinds])

    def fits(self, template: str) -> bool:
        return all(m[2] in self.kinds for m in HOLE.finditer(template))

    def template(self, kind: str) -> str:
        return self.one([t for t in TEMPLATES[kind] if self.fits(t)])

    def one(self, options: Any) -> Any:
        return options[self.random.randrange(len(options))]

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def fresh(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"


@dataclass(frozen=True, slots=True)
class Program:
    """Source of one or more functions, the last of which is `f`, and a point to try it at."""

    source: str
    args: tuple[Any, ...]
    may_be_refused: bool = False
    elsewhere: tuple[Any, ...] = ()
    """Another point, where the same compiled derivative is tried."""

    @property
    def wrt(self) -> tuple[int, ...]:
        return tuple(i for i, x in enumerate(self.args) if not isinstance(x, int))


Writer = Callable[[Draw, Scope], list[str]]
"""Writes the lines of a statement."""

# ---------------------------------------------------------------- expressions

HOLE = re.compile(r"\{(name:)?(\w+)\}")


def expression(d: Draw, s: Scope, kind: str, depth: int) -> str:
    """An expression of a kind, at most `depth` templates deep."""
    if depth <= 0 or d.chance(15):
        return leaf(d, s, kind)
    calls = [g for g in s.functions if g.result == kind]
    if calls and d.chance(30):
        return call(d, s, d.one(calls), depth - 1)
    return fill(d, s, d.template(kind), depth - 1)


def fill(d: Draw, s: Scope, template: str, depth: int) -> str:
    """A template with its holes filled; a `name:` hole takes a leaf."""

    def hole(match: re.Match[str]) -> str:
        return leaf(d, s, match[2]) if match[1] else f"({expression(d, s, match[2], depth)})"

    return HOLE.sub(hole, template)


def leaf(d: Draw, s: Scope, kind: str) -> str:
    """A name of the kind; else something small made of other names; else a literal."""
    known = names_of(s, kind)
    if known and not d.chance(10):
        return d.one(known)
    derived = [t for t in DERIVED[kind] if all(names_of(s, m[2]) for m in HOLE.finditer(t))]
    if derived and not d.chance(10):
        return f"({fill(d, s, d.one(derived), 0)})"
    return d.one(LITERALS[kind])


def names_of(s: Scope, kind: str) -> list[str]:
    return [name for name, of_kind in s.names.items() if of_kind == kind]


def squashed(d: Draw, s: Scope, kind: str, depth: int) -> str:
    """An expression that cannot run away, however often it is evaluated."""
    value = expression(d, s, kind, depth)
    return d.one(SQUASH[kind]).format(value) if kind in SQUASH else value


def assigned_expression(d: Draw, s: Scope, kind: str) -> str:
    """The right side of an assignment: squashed in a loop, so that nothing can run away."""
    write = squashed if s.loops or d.chance(50) else expression
    value = write(d, s, kind, d.one([2, 1, 2]))
    if kind == "fn":
        s.fixed |= named_in(s, value)
    return value


def named_in(s: Scope, text: str) -> set[str]:
    """The names that a text reads, also later if it makes functions."""
    return {n for n in s.names if re.search(rf"\b{n}\b", text)}


# ---------------------------------------------------------------- calls


def call(d: Draw, s: Scope, g: Signature, depth: int) -> str:
    """A call with positional, keyword, starred and omitted arguments."""
    count = len(g.parameters)
    given = count - (g.defaults if d.chance(50) else 0)
    most = min(given, count - g.keyword_only)
    least = min(g.positional_only, most) if d.chance(30) else most
    positional = d.random.randrange(least, most + 1)
    parts = []
    for k, (name, kind) in enumerate(g.parameters[:given]):
        value = argument_of_call(d, s, g, kind, depth)
        parts.append(value if k < positional else f"{name}={value}")
    if g.star and positional == count - g.keyword_only:
        parts[positional:positional] = extra(d, s, ["{float}", "*{pair}", "{float}, {float}"])
    if g.named:
        parts += extra(d, s, ["zeta={float}", "**{'k2': {float}}", "zeta={float}, k2={float}"])
    return f"{fill(d, s, g.name, 0)}({', '.join(parts)})"


def extra(d: Draw, s: Scope, templates: list[str]) -> list[str]:
    """Arguments beyond the parameters, or none."""
    return [fill(d, s, d.one(templates), 0)] if d.chance(70) else []


def argument_of_call(d: Draw, s: Scope, g: Signature, kind: str, depth: int) -> str:
    """Recursive functions count down their whole number: calls from outside begin small."""
    if kind == "int" and g.countdown:
        return d.one(["2", "1", "0", "3"])
    return expression(d, s, kind, min(depth, 1))


# ---------------------------------------------------------------- blocks


def block(d: Draw, s: Scope) -> list[str]:
    """One to four statements; only simple ones when blocks are deep or the budget is spent."""
    lines = []
    for _ in range(d.one([2, 1, 3, 4])):
        deep = s.blocks >= 4 or s.loops >= 2 or d.budget <= 0
        d.budget -= 1
        lines += d.one(d.statements[deep])(d, s)
    return lines


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
