"""Containers of Python's as classes that are lowered like classes of the user's: sets, counters,
queues of bounded length.  What they hold is a dict or a list."""

from __future__ import annotations

import collections
from typing import Any


class Members:
    """A set: a dict of its items.  It is not gone through, since its order is not defined."""

    def __init__(self, items: Any = ()) -> None:
        self.items: dict[Any, bool] = {}
        self.update(items)

    def add(self, item: Any) -> None:
        self.items[item] = True

    def update(self, *others: Any) -> None:
        for other in others:
            for item in members_of(other):
                self.items[item] = True

    def remove(self, item: Any) -> None:
        del self.items[item]

    def discard(self, item: Any) -> None:
        if item in self.items:
            del self.items[item]

    def clear(self) -> None:
        self.items = {}

    def copy(self) -> Any:
        return Members(self)

    def union(self, *others: Any) -> Any:
        made = Members(self)
        made.update(*others)
        return made

    def intersection(self, other: Any) -> Any:
        return Members([item for item in self.items if item in other])

    def difference(self, other: Any) -> Any:
        return Members([item for item in self.items if item not in other])

    def symmetric_difference(self, other: Any) -> Any:
        only_there = Members([item for item in members_of(other) if item not in self.items])
        return self.difference(other).union(only_there)

    def issubset(self, other: Any) -> bool:
        return all(item in other for item in self.items)

    def issuperset(self, other: Any) -> bool:
        return all(item in self.items for item in members_of(other))

    def isdisjoint(self, other: Any) -> bool:
        return not any(item in other for item in self.items)

    def __or__(self, other: Any) -> Any:
        return self.union(other)

    def __and__(self, other: Any) -> Any:
        return self.intersection(other)

    def __sub__(self, other: Any) -> Any:
        return self.difference(other)

    def __xor__(self, other: Any) -> Any:
        return self.symmetric_difference(other)

    def __le__(self, other: Any) -> bool:
        return self.issubset(other)

    def __ge__(self, other: Any) -> bool:
        return self.issuperset(other)

    def __eq__(self, other: object) -> bool:
        return self.issubset(other) and self.issuperset(other)

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, item: Any) -> bool:
        return item in self.items

    def __len__(self) -> int:
        return len(self.items)


class Counts:
    """A counter: a dict of numbers, 0 where there is none."""

    def __init__(self, items: Any = ()) -> None:
        self.counts: dict[Any, int] = {}
        self.update(items)

    def update(self, items: Any) -> None:
        for item in items:
            self.counts[item] = self.counts.get(item, 0) + 1

    def most_common(self, n: Any = None) -> Any:
        found = sorted(self.counts.items(), key=lambda pair: pair[1], reverse=True)
        return found if n is None else found[:n]

    def total(self) -> Any:
        return sum(self.counts.values())

    def get(self, item: Any, default: Any = None) -> Any:
        return self.counts.get(item, default)

    def keys(self) -> Any:
        return self.counts.keys()

    def values(self) -> Any:
        return self.counts.values()

    def items(self) -> Any:
        return self.counts.items()

    def __getitem__(self, item: Any) -> Any:
        return self.counts.get(item, 0)

    def __setitem__(self, item: Any, count: Any) -> None:
        self.counts[item] = count

    def __contains__(self, item: Any) -> bool:
        return item in self.counts

    def __iter__(self) -> Any:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)


class Window:
    """A queue of bounded length: what is added to a full one pushes out another item."""

    def __init__(self, items: Any, maxlen: int) -> None:
        self.queue: Any = []
        self.maxlen = maxlen
        self.extend(items)

    def append(self, item: Any) -> None:
        if len(self.queue) >= self.maxlen:
            self.queue.popleft()
        self.queue.append(item)

    def appendleft(self, item: Any) -> None:
        if len(self.queue) >= self.maxlen:
            self.queue.pop()
        self.queue.appendleft(item)

    def extend(self, items: Any) -> None:
        for item in items:
            self.append(item)

    def extendleft(self, items: Any) -> None:
        for item in items:
            self.appendleft(item)

    def pop(self) -> Any:
        return self.queue.pop()

    def popleft(self) -> Any:
        return self.queue.popleft()

    def clear(self) -> None:
        self.queue.clear()

    def __getitem__(self, place: Any) -> Any:
        return self.queue[place]

    def __setitem__(self, place: Any, item: Any) -> None:
        self.queue[place] = item

    def __contains__(self, item: Any) -> bool:
        return item in self.queue

    def __iter__(self) -> Any:
        return iter(self.queue)

    def __len__(self) -> int:
        return len(self.queue)


def members_of(items: Any) -> Any:
    """The items of a set in the order in which they were added, and of other things as they are."""
    return items.items if isinstance(items, Members) else items


STANDS_FOR: dict[Any, type] = {
    Members: set, Counts: collections.Counter, Window: collections.deque,
}  # fmt: skip
