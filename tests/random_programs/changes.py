"""Statements of random programs as text with holes: those of `changes.txt`.

`{float}` is an expression of a kind, `{small:float}` one that cannot run away; `{of:list}` is a
variable that may be changed in place (one is made where there is none), `{var:float}` one that may
be assigned, `{to:float}` a name that is assigned from here on, and `{new:u}` a name that only the
statement uses.  A hole that is repeated takes the same name each time; a digit tells apart those of
one sort (`{to2:float}`).
"""

import itertools
import re
from pathlib import Path

from tests.random_programs.drawing import Draw, Scope, expression, names_of, squashed
from tests.random_programs.templates import NAMES


def _groups(text: str) -> list[list[str]]:
    """Statements stand apart by empty lines, and groups of them begin with a comment."""
    parts = [part.strip("\n") for part in text.split("\n\n")]
    heads = [k for k, part in enumerate(parts) if part.startswith("#")]
    return [parts[k + 1 : end] for k, end in itertools.pairwise([*heads, len(parts)])]


GROUPS = _groups((Path(__file__).parent / "changes.txt").read_text())
_HOLE = re.compile(r"\{(?:(of|var|to|new|small)(\d?):)?(\w+)\}")


def change(d: Draw, s: Scope) -> list[str]:
    """One of the statements that the kinds and names at hand allow."""
    for _ in range(8):
        template = d.one(d.one(GROUPS))
        made: list[str] = []
        names = _names(d, s, template, made)
        if names is not None:
            s.names.update((name, kind) for hole, (name, kind) in names.items() if "{of" in hole)
            return [*made, *_written(d, s, template, names)]
    return ["pass"]


def _names(
    d: Draw, s: Scope, template: str, made: list[str]
) -> dict[str, tuple[str, str]] | None:
    """What the holes that are names stand for, with their kinds; None if there is none for one.
    `made` takes the lines that make what is changed."""
    found: dict[str, tuple[str, str]] = {}
    for hole in _HOLE.finditer(template):
        sort, _, kind = hole.groups()
        if sort != "new" and kind not in d.kinds:
            return None
        if sort in (None, "small") or hole[0] in found:
            continue
        taken = [name for name, _ in found.values()]
        options = [n for n in _options(d, s, sort, kind) if n not in taken]
        if not options and sort == "of":
            options = [d.fresh(kind)]
            made.append(f"{options[0]} = {expression(d, s, kind, 1)}")
        if not options:
            return None
        found[hole[0]] = d.one(options), kind
    return found


def _options(d: Draw, s: Scope, sort: str, kind: str) -> list[str]:
    if sort == "new":
        return [d.fresh(kind)]
    if sort == "to":
        same = [n for n in names_of(s, kind) if n not in s.closed | s.fixed]
        return [*same, *(n for n in NAMES if n not in s.names and n not in s.closed)]
    return [n for n in names_of(s, kind) if sort == "of" or n not in s.closed]


def _written(d: Draw, s: Scope, template: str, names: dict[str, tuple[str, str]]) -> list[str]:
    made = {hole: name for hole, (name, _) in names.items()}
    assigned = {made[h]: kind for h, (_, kind) in names.items() if h.startswith("{to")}
    readable = {n: k for n, k in s.names.items() if n not in assigned}
    loops = "for " in template or "while " in template  # which a called function might prolong
    inside = s.inner(names=readable, loops=s.loops + loops, functions=[] if loops else s.functions)

    def hole(match: re.Match[str]) -> str:
        if match[0] in made:
            return made[match[0]]
        write = squashed if match[1] == "small" else expression
        return f"({write(d, inside, match[3], d.one([0, 1, 1]))})"

    lines = _HOLE.sub(hole, template).split("\n")
    s.names.update(assigned)
    return lines
