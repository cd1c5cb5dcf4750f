"""What was assumed of things outside a function, in words that an entry can hold.

    Guard(External(f, "rate", False), Scalar("float"))   ──▶   ("kind", 0, "rate", False, ())

Functions and modules are named by their numbers in the walk of `identity.py`, modules that are
imported where the function runs by their names.  What a guard assumes is not written down: the
key of the entry says that it was then as it is now.
"""

from __future__ import annotations

import sys
from typing import Any

from tangent_like import facts
from tangent_like.cache.identity import Identity
from tangent_like.frontend.externals import MISSING, Definition, External, Guard, Imported, Layout

Described = tuple[Any, ...]


def described(guard: Guard, identity: Identity) -> Described | None:
    """How an entry names what a guard watches; None where it cannot."""
    watched = guard.external
    if not guard.holds():
        return None
    if isinstance(watched, Definition):
        number = identity.number_of(watched.function)
        return None if number is None else ("definition", number)
    external = watched.external if isinstance(watched, Layout) else watched
    home = _home(external, identity)
    keys = [step[0] for step in external.path if isinstance(step, tuple)]
    if home is None or not all(type(key) in (str, int) for key in keys):
        return None
    return _form(guard), home, external.name, external.is_cell, external.path


def _form(guard: Guard) -> str:
    if isinstance(guard.external, Layout):
        return "layout"
    if guard.value is MISSING:
        return "missing"
    return "object" if guard.fact is None else "kind"


def _home(external: External, identity: Identity) -> int | str | None:
    """A function by its number; a module by its name, if the walk has been there."""
    function = external.function
    if not isinstance(function, Imported):
        return identity.number_of(function)
    name = function.__module__
    reached = sys.modules.get(name)
    if reached is sys and external.name == "modules" and external.path:  # the import itself
        reached = sys.modules.get(str(external.path[0][0]))
    return name if identity.number_of(reached) is not None else None


def restored(form: str, home: int | str, place: tuple[Any, ...], identity: Identity) -> Guard:
    """The guard of an entry, which assumes what is so now."""
    function = Imported(home) if isinstance(home, str) else identity.objects[home]
    if form == "definition":
        definition = Definition(function)
        return Guard(definition, None, definition.read())
    external = External(function, *place)
    if form == "layout":
        layout = Layout(external)
        return Guard(layout, None, layout.read())
    if form == "missing":
        return Guard(external, None, MISSING)
    value = external.read()
    return Guard(external, facts.of_constant(value) if form == "kind" else None, value)
