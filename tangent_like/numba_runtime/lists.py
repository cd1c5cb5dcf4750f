"""Lists for Numba: those that are joined or changed in the middle, as new lists.

The items of a list of Numba's are of one type; of tuples only those with items of one type may
take the place of a list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from tangent_like import list_runtime, runtime
from tangent_like.numba_runtime.writing import implements, is_number, items_of

Implementation = Callable[..., Any] | None


def is_items(kind: Any) -> bool:
    """Whether a type is that of a list, or of a tuple that can become one."""
    return isinstance(kind, types.List) or (
        isinstance(kind, types.BaseTuple) and len(set(items_of(kind))) == 1
    )


@implements(runtime.appended)
def _appended(items: Any, item: Any) -> Implementation:
    def appended(items: Any, item: Any) -> Any:
        found = list(items)
        found.append(item)
        return found

    return appended if is_items(items) else None


@implements(runtime.before)
def _before(item: Any, items: Any) -> Implementation:
    def before(item: Any, items: Any) -> Any:
        found = [item]
        found.extend(items)
        return found

    return before if isinstance(items, types.List) else None


@implements(runtime.without_last)
def _without_last(items: Any) -> Implementation:
    return lambda items: items[:-1]


@implements(runtime.without_first)
def _without_first(items: Any) -> Implementation:
    return lambda items: items[1:]


@implements(runtime.zero_list)
def _zero_list(items: Any) -> Implementation:
    return (lambda items: [runtime.zeros_like(x) for x in items]) if is_items(items) else None


@implements(runtime.repeated)
def _repeated(items: Any, count: Any) -> Implementation:
    if not isinstance(items, types.List):
        return None
    return lambda items, count: [x for _ in range(count) for x in items]


@implements(runtime.repeat_to)
def _repeat_to(items: Any, longer: Any) -> Implementation:
    if not isinstance(items, types.List):
        return None
    return lambda items, longer: [items[k % len(items)] for k in range(len(longer))]


@implements(runtime.fold_repeats)
def _fold_repeats(g: Any, items: Any) -> Implementation:
    if not isinstance(g, types.List) or not is_number(g.dtype):
        return None
    return lambda g, items: [sum(g[k :: len(items)]) for k in range(len(items))]


@implements(runtime.ordering)
def _ordering(keys: Any, reverse: Any = False) -> Implementation:
    if not isinstance(keys, types.List) or not is_number(keys.dtype):
        return None

    def ordering(keys: Any, reverse: Any = False) -> Any:
        last = len(keys) - 1
        if not reverse:
            return list(np.argsort(np.array(keys), kind="mergesort"))
        return [last - k for k in np.argsort(np.array(keys[::-1]), kind="mergesort")[::-1]]

    return ordering


@implements(list_runtime.joined)
def _joined(first: Any, second: Any) -> Implementation:
    if not is_items(first) or not is_items(second):
        return None
    return lambda first, second: list(first) + list(second)


@implements(list_runtime.spliced)
def _spliced(items: Any, start: Any, stop: Any, more: Any) -> Implementation:
    if not isinstance(items, types.List) or not is_items(more):
        return None
    return lambda items, start, stop, more: items[:start] + list(more) + items[stop:]


@register_jitable
def without_part(items: Any, start: Any, stop: Any) -> Any:
    """The list without what stood from `start` to `stop`."""
    return items[:start] + items[stop:]


@implements(list_runtime.swapped)
def _swapped(items: Any, i: Any, j: Any) -> Implementation:
    def swapped(items: Any, i: Any, j: Any) -> Any:
        found = list(items)
        found[i], found[j] = items[j], items[i]
        return found

    return swapped if is_items(items) else None


@implements(list_runtime.place_within)
def _place_within(items: Any, place: Any) -> Implementation:
    def place_within(items: Any, place: Any) -> Any:
        count = len(items)
        return max(place + count, 0) if place < 0 else min(place, count)

    return place_within


@implements(list_runtime.place_of_item)
def _place_of_item(items: Any, place: Any) -> Implementation:
    def place_of_item(items: Any, place: Any) -> Any:
        count = len(items)
        if not -count <= place < count:
            raise IndexError("list index out of range")
        return place % count

    return place_of_item


@implements(list_runtime.ends_of_slice)
def _ends_of_slice(items: Any, where: Any) -> Implementation:
    def ends_of_slice(items: Any, where: Any) -> Any:
        start, stop, step = where.indices(len(items))
        if step != 1:
            raise ValueError("the slice has a step")
        return start, max(start, stop)

    return ends_of_slice
