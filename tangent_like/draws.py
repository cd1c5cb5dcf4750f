"""Random numbers where one answer takes many runs: each run draws the same ones.

A Jacobian is put together of many runs of a derivative.  The generators that a function may draw
from are found in its arguments, in its global variables and cells, and in those of the functions
that it names; before each run they are set back to where they were.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tangent_like.effects import sources_of_draws


def same_draws(function: Any, args: Sequence[Any]) -> Callable[[Callable[..., Any]], Any]:
    """A wrapper of callables that draw from what `function(*args)` draws from."""
    kinds = sources_of_draws()
    sources = [*(a for a in args if isinstance(a, kinds)), *_sources(function)]
    states = [_state(source) for source in sources]

    def wrap(called: Callable[..., Any]) -> Callable[..., Any]:
        def again(*operands: Any, **keywords: Any) -> Any:
            for source, state in zip(sources, states, strict=True):
                _restore(source, state)
            return called(*operands, **keywords)

        return again if sources else called

    return wrap


def _state(source: Any) -> Any:
    if isinstance(source, np.random.Generator):
        return source.bit_generator.state
    return source.get_state(legacy=False)


def _restore(source: Any, state: Any) -> None:
    if isinstance(source, np.random.Generator):
        source.bit_generator.state = state
    else:
        source.set_state(state)


def _sources(function: Any) -> list[Any]:
    found: dict[int, Any] = {}
    kinds = sources_of_draws()
    for reached in _reached(function, set()):
        for value in _named(reached):
            if isinstance(value, kinds):
                found[id(value)] = value
        if "random" in reached.__code__.co_names:
            found[id(np.random.mtrand)] = np.random.mtrand._rand
    return list(found.values())


def _reached(function: Any, seen: set[int]) -> Iterator[types.FunctionType]:
    """The function itself, and those that it names, and so on."""
    while not isinstance(function, types.FunctionType) and hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    if not isinstance(function, types.FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    yield function
    for value in _named(function):
        if callable(value) and not isinstance(value, type):
            yield from _reached(value, seen)


def _named(function: types.FunctionType) -> Iterator[Any]:
    """What the function's global names and cells hold."""
    for name in function.__code__.co_names:
        if name in function.__globals__:
            yield function.__globals__[name]
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # an empty cell
            continue
