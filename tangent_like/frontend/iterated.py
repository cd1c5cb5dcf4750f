"""What `itertools` gives of sequences whose length is known only at run time, written out so that
it can be lowered like a generator of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def chained(*parts: Any) -> Iterator[Any]:
    """itertools.chain(*parts)."""
    for part in parts:
        yield from part


def chained_from(parts: Any) -> Iterator[Any]:
    """itertools.chain.from_iterable(parts)."""
    for part in parts:
        yield from part


def totals(step: Any, items: Any) -> Iterator[Any]:
    """itertools.accumulate(items, step)."""
    if len(items) > 0:
        total = items[0]
        yield total
        for item in items[1:]:
            total = step(total, item)
            yield total


def totals_from(step: Any, items: Any, total: Any) -> Iterator[Any]:
    """itertools.accumulate(items, step, initial=total)."""
    yield total
    for item in items:
        total = step(total, item)
        yield total


def pairs_of(first: Any, second: Any) -> Iterator[Any]:
    """itertools.product(first, second)."""
    for a in first:
        for b in second:
            yield a, b


def triples_of(first: Any, second: Any, third: Any) -> Iterator[Any]:
    """itertools.product(first, second, third)."""
    for a in first:
        for b in second:
            for c in third:
                yield a, b, c


def two_of(items: Any) -> Iterator[Any]:
    """itertools.combinations(items, 2)."""
    for i in range(len(items)):
        for j in range(i + 1, len(items)):
            yield items[i], items[j]


def three_of(items: Any) -> Iterator[Any]:
    """itertools.combinations(items, 3)."""
    for i in range(len(items)):
        for j in range(i + 1, len(items)):
            for k in range(j + 1, len(items)):
                yield items[i], items[j], items[k]


def two_or_twice(items: Any) -> Iterator[Any]:
    """itertools.combinations_with_replacement(items, 2)."""
    for i in range(len(items)):
        for j in range(i, len(items)):
            yield items[i], items[j]


def two_in_order(items: Any) -> Iterator[Any]:
    """itertools.permutations(items, 2)."""
    for i in range(len(items)):
        for j in range(len(items)):
            if i != j:
                yield items[i], items[j]


def side_by_side(first: Any, second: Any, fill: Any) -> Iterator[Any]:
    """itertools.zip_longest(first, second, fillvalue=fill)."""
    for k in range(max(len(first), len(second))):
        yield first[k] if k < len(first) else fill, second[k] if k < len(second) else fill


def part_of(items: Any, start: Any, stop: Any, step: Any) -> Iterator[Any]:
    """itertools.islice(items, start, stop, step)."""
    if start < 0 or stop < 0:
        raise ValueError("indices of islice() must be None or integers from 0 on")
    for k in range(start, min(stop, len(items)), step):
        yield items[k]


def taken_while(test: Any, items: Any) -> Iterator[Any]:
    """itertools.takewhile(test, items)."""
    for item in items:
        if not test(item):
            break
        yield item


def dropped_while(test: Any, items: Any) -> Iterator[Any]:
    """itertools.dropwhile(test, items)."""
    dropping = True
    for item in items:
        if dropping and test(item):
            continue
        dropping = False
        yield item


def kept_unless(test: Any, items: Any) -> Iterator[Any]:
    """itertools.filterfalse(test, items)."""
    for item in items:
        if not test(item):
            yield item


def selected(items: Any, selectors: Any) -> Iterator[Any]:
    """itertools.compress(items, selectors)."""
    for item, chosen in zip(items, selectors):
        if chosen:
            yield item


def check_lengths(*parts: Any) -> None:
    """What zip(*parts, strict=True) checks."""
    for k in range(1, len(parts)):
        if len(parts[k]) != len(parts[0]):
            word = "longer" if len(parts[k]) > len(parts[0]) else "shorter"
            raise ValueError(f"zip() argument {k + 1} is {word} than argument 1")


def first_of(items: Any) -> Any:
    """next(items)."""
    if len(items) == 0:
        raise StopIteration
    return items[0]


def first_or(items: Any, default: Any) -> Any:
    """next(items, default)."""
    return items[0] if len(items) > 0 else default
