"""Elements of arrays and their places, for Numba: additions at places, elements moved and taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from tangent_like import runtime
from tangent_like.numba_runtime.products import add_at
from tangent_like.numba_runtime.writing import implements, is_number, items_of

Implementation = Callable[..., Any] | None


@implements(runtime.scatter_add)
def _scatter_add(array: Any, index: Any, g: Any) -> Implementation:
    return lambda array, index, g: runtime.scatter_add_into(runtime.copy(array), index, g)


@implements(runtime.scatter_add_into)
def _scatter_add_into(array: Any, index: Any, g: Any) -> Implementation:
    if not isinstance(array, (types.Array, types.List)):
        return None
    if any(isinstance(p, types.Array) and isinstance(p.dtype, types.Integer)
           for p in items_of(index)):  # fmt: skip

        def at(array: Any, index: Any, g: Any) -> Any:
            add_at(array, index, g)
            return array

        return at

    def plain(array: Any, index: Any, g: Any) -> Any:
        array[index] += g
        return array

    def into_list(array: Any, index: Any, g: Any) -> Any:
        array[index] = runtime.add(array[index], g)
        return array

    return plain if isinstance(array, types.Array) else into_list


@implements(runtime.positions)
def _positions(x: Any) -> Implementation:
    return lambda x: np.arange(x.size).reshape(x.shape)


@implements(runtime.move_back)
def _move_back(g: Any, source: Any, x: Any) -> Implementation:
    if not isinstance(source, types.Array) or not isinstance(x, types.Array):
        return None
    dtype = np.dtype(str(g.dtype if isinstance(g, types.Array) else g))

    def move_back(g: Any, source: Any, x: Any) -> Any:
        found = np.zeros(x.size, dtype)
        places = np.ascontiguousarray(source).reshape(-1)
        moved = np.ascontiguousarray(np.broadcast_to(g, source.shape)).reshape(-1)
        for k in range(len(places)):
            if places[k] >= 0:
                found[places[k]] += moved[k]
        return found.reshape(x.shape)

    return move_back


@implements(runtime.taken)
def _taken(x: Any, source: Any) -> Implementation:
    dtype = np.dtype(str(x.dtype))

    def taken(x: Any, source: Any) -> Any:
        flat = np.ascontiguousarray(x).reshape(-1)
        places = np.ascontiguousarray(source).reshape(-1)
        found = np.zeros(places.size, dtype)
        for k in range(len(places)):
            if places[k] >= 0:
                found[k] = flat[places[k]]
        return found.reshape(source.shape)

    return taken


@implements(runtime.of_last_written)
def _of_last_written(g: Any, array: Any, index: Any) -> Implementation:
    if not isinstance(g, types.Array):
        return None

    def of_last_written(g: Any, array: Any, index: Any) -> Any:
        numbers = np.arange(g.size).reshape(g.shape)
        last = np.zeros(array.shape, np.int64)
        last[index] = numbers
        return np.where(last[index] == numbers, g, 0.0)

    return of_last_written


@register_jitable
def item_of_range(numbers: Any, place: Any) -> Any:
    """`numbers[place]` of a range."""
    count = len(numbers)
    if not -count <= place < count:
        raise IndexError("range object index out of range")
    return numbers.start + numbers.step * (place % count)


@implements(runtime.floor_index)
def _floor_index(place: Any) -> Implementation:
    return _whole(np.floor, place)


@implements(runtime.ceil_index)
def _ceil_index(place: Any) -> Implementation:
    return _whole(np.ceil, place)


def _whole(rounded: Any, place: Any) -> Callable[..., Any]:
    if is_number(place):
        return lambda place: int(rounded(place))
    return lambda place: rounded(place).astype(np.int64)
