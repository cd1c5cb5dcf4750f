"""What a nested function reads of those around it, as it is at a call.

    z = x                         r closes over z, which holds another value at each call: what
    a = r(2)                      was lowered for the first call cannot serve the second
    z = x * x
    b = r(2)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

import gast

from tangent_like.errors import NotYetSupported
from tangent_like.frontend.homes import home_of
from tangent_like.frontend.memory import carried_atom, fresh
from tangent_like.frontend.objects import Partial
from tangent_like.frontend.scope import Binding, Carried, Choice, Frame, LocalFunction, Method
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Const, Value

World = tuple[Hashable, ...]


def world_of(state: Lowering, functions: Iterable[Any], node: Any) -> World:
    """What functions and other constants hold besides their code: equal where all of it is the
    same."""
    seen: set[Any] = set()
    parts = (_of_function(state, function, seen, node) for function in functions)
    return tuple(chain.from_iterable(parts))


def _of_function(
    state: Lowering, function: Any, seen: set[Any], node: Any
) -> Iterator[Hashable]:
    if id(function) in seen:
        return
    seen.add(id(function))
    match function:
        case Choice(_, then, orelse):
            inner = [then, orelse]
        case Partial(callee, args, keywords):
            inner = [callee, *args, *keywords.values()]
        case Method(_, owner):
            inner = [owner]
        case LocalFunction(tree, frame, defaults):
            yield from _of_names(state, tree, frame, seen, node)
            inner = list(defaults.values())
        case _:
            return
    for part in inner:
        yield from _of_binding(state, part, seen, node)


def _of_names(
    state: Lowering, tree: Any, frame: Frame, seen: set[Any], node: Any
) -> Iterator[Hashable]:
    for name in _names_in(tree):
        around: Frame | None = frame
        while around is not None and name not in around.locals:
            around = around.parent
        if around is None or (id(around), name) in seen:
            continue
        seen.add((id(around), name))
        key = around.cells.get(name, name)
        table: dict[Any, Binding] = around.env if key is name else state.cells
        binding = table.get(key)
        if isinstance(binding, Carried):
            binding = table[key] = carried_atom(state, binding)
        yield name
        yield from _of_binding(state, binding, seen, node)


@lru_cache(maxsize=4096)
def _names_in(tree: Any) -> tuple[str, ...]:
    names = (n.id for n in gast.walk(tree) if isinstance(n, gast.Name))
    return tuple(dict.fromkeys(names))


def _of_binding(state: Lowering, binding: Any, seen: set[Any], node: Any) -> Iterator[Hashable]:
    if isinstance(binding, Value):
        yield from _of_value(state, binding, node)
    elif isinstance(binding, Const):
        value = binding.value
        yield type(value).__name__
        yield value if isinstance(value, (bool, int, float, complex, str)) else id(value)
        yield from _of_function(state, value, seen, node)
    else:
        yield id(binding)


def _of_value(state: Lowering, value: Value, node: Any) -> Iterator[Hashable]:
    owner = state
    while owner.outer is not None and value.serial < owner.since:
        owner = owner.outer
    yield value
    home = home_of(owner, value)
    if home.path:
        yield id(owner.memory.get(home.buffer))
        return
    try:
        yield fresh(owner, value, node)
    except NotYetSupported as reason:
        yield reason.message
