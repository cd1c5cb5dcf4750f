"""Generated source on disk, so that the next process need not generate it again.

An entry is found by the digest of all that decides the generated source: the function and
everything that it reaches (`identity.py`), the kinds of the arguments, the request, the rules
that were registered, and the versions of what compiles (`versions.py`).  So nothing is ever
changed or found out of date, an entry is only not looked for any more.  What cannot be described
in text with certainty is compiled in each process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from tangent_like.backend.load import Compiled, load
from tangent_like.cache import entry, folder, guards
from tangent_like.cache.entry import DamageError, Entry
from tangent_like.cache.identity import Identity, UnknownError
from tangent_like.cache.versions import NoSourceError, toolchain, versions_of
from tangent_like.frontend.externals import Globals
from tangent_like.rules import registry
from tangent_like.switches import simplifying

About = Sequence[Any]
"""What decides the generated source besides the function: kinds, request, options."""


def kept(function: Any, about: About, make: Callable[[], Compiled]) -> Compiled:
    """What `make` compiles of a function, taken from the cache or put there."""
    place = usable()
    identity = identified(function, about) if place is not None else None
    if place is None or identity is None:
        return make()
    found = recalled(place, identity)
    if found is None:
        made = make()
        keep(place, function, about, identity, made)
        # What Numba compiles is loaded as the next process will load it.
        found = (recalled(place, identity) if for_numba(made) else None) or made
    return found


def usable() -> str | None:
    """The folder of the cache; None, and a warning once, where it cannot be trusted or made."""
    place = folder.path()
    if place is None:
        return None
    try:
        folder.ready(place)
    except (OSError, folder.UnsafeError) as error:
        folder.say(place, error)
        return None
    return place


def identified(function: Any, about: About) -> Identity | None:
    """What is known of a function and all else that counts; None where that is not certain."""
    identity = Identity()
    try:
        identity.visit(function)
        identity.each(about)
        identity.each(part for item in registry.own.items() for part in item)
        identity.write(toolchain(), *versions_of(identity.libraries), str(simplifying[0]))
    except (UnknownError, NoSourceError, RecursionError):
        return None
    return identity


def recalled(place: str, identity: Identity) -> Compiled | None:
    """The compiled version in the cache; None where there is none, or only a damaged one."""
    key = identity.digest()
    try:
        data = folder.read(place, key)
        found = entry.read(data, key) if data is not None else None
    except OSError as error:
        folder.say(place, error)
        return None
    except DamageError:
        return None
    if found is None:
        return None
    compiled = restored(found, identity)
    if for_numba(compiled):
        from tangent_like.cache.machine_code import attach  # noqa: PLC0415 - Numba is an extra

        attach(compiled, place, key)
    return compiled


def for_numba(compiled: Compiled) -> bool:
    """Whether a generated module is one that Numba compiles."""
    return getattr(compiled.outside.get("numba"), "__name__", "") == "numba"


def keep(
    place: str, function: Any, about: About, before: Identity, compiled: Compiled
) -> None:
    """Put a compiled version into the cache, if text can hold it."""
    identity = identified(function, about)
    if identity is None or identity.digest() != before.digest():
        return  # something changed while it was compiled
    described = entry_of(compiled, identity, about)
    if described is None:
        return
    try:
        folder.write(place, described.key, entry.written(described))
    except OSError as error:
        folder.say(place, error)


# --- between compiled versions and entries ------------------------------------------------------


def entry_of(compiled: Compiled, identity: Identity, about: About) -> Entry | None:
    """The entry of a compiled version; None where it holds what no text can name."""
    outside = [(name, *described(v, identity)) for name, v in compiled.outside.items()]
    watched = [guards.described(guard, identity) for guard in compiled.guards]
    if any(number is None for _, _, number in outside) or None in watched:
        return None
    functions = [f for f in identity.objects if isinstance(f, FunctionType)]
    if any(f.__code__.co_filename in compiled.text for f in functions):
        return None
    names = tuple(call.__name__ for call in compiled.calls)
    return Entry(
        identity.digest(), " ".join(f.__qualname__ for f in functions[:1]), names,
        tuple(outside), tuple(w for w in watched if w is not None), compiled.text,
    )  # fmt: skip


def described(value: Any, identity: Identity) -> tuple[str, Any]:
    """How an entry names something outside the generated module; None stands for not at all."""
    if isinstance(value, ModuleType):
        return "module", value.__name__
    if isinstance(value, Globals):
        return "globals", identity.number_of(vars(value))
    return "object", identity.number_of(value)


def restored(found: Entry, identity: Identity) -> Compiled:
    """The compiled version of an entry, with what lies outside as it is in this process."""
    objects = identity.objects

    def bound(how: str, what: Any) -> Any:
        if how == "module":
            return sys.modules[what]
        return Globals(objects[what]) if how == "globals" else objects[what]

    outside = {name: bound(how, what) for name, how, what in found.outside}
    watched = [
        guards.restored(form, home, tuple(place), identity) for form, home, *place in found.guards
    ]
    if "numba" not in outside:
        return load(found.text, found.functions, outside, watched)
    module = f"tangent_like.generated.{found.functions[0]}_{found.key}"
    return load(found.text, found.functions, outside, watched, module)
