"""Lists that are put together or changed in the middle, as functions that give new lists.

Generated code may call them; places are counted from the start, and lie within the list.
"""

from __future__ import annotations

from typing import Any

from tangent_like.runtime import zeros_like


def joined(first: Any, second: Any) -> Any:
    """`first + second`; either may be a tuple."""
    return [*first, *second]


def lists_of(items: Any) -> Any:
    """Tuples, and tuples in them, as lists."""
    return [lists_of(x) for x in items] if isinstance(items, (tuple, list)) else items


def zero_lists(items: Any) -> Any:
    """Zeros of the shape of tuples, as lists."""
    return lists_of(zeros_like(items))


def spliced(items: Any, start: int, stop: int, more: Any) -> Any:
    """`items` with `more` in the place of what stood from `start` to `stop`."""
    return [*items[:start], *more, *items[stop:]]


def swapped(items: Any, i: int, j: int) -> Any:
    """The list with two of its items in each other's places."""
    found = list(items)
    found[i], found[j] = found[j], found[i]
    return found


def place_within(items: Any, place: int) -> int:
    """Where `insert` puts an item: places outside are those at the ends."""
    count = len(items)
    return max(place + count, 0) if place < 0 else min(place, count)


def place_of_item(items: Any, place: int) -> int:
    """The place of an item, counted from the start."""
    count = len(items)
    if not -count <= place < count:
        raise IndexError("list index out of range")
    return place % count


def ends_of_slice(items: Any, where: slice) -> tuple[int, int]:
    """Where a slice begins and ends that an assignment replaces."""
    start, stop, step = where.indices(len(items))
    if step != 1:
        raise ValueError("the slice has a step")
    return start, max(start, stop)
