"""Functions of the standard library that are made of C, or count in fractions, written out so that
they can be lowered like functions of the user's."""

from __future__ import annotations

import bisect
import heapq
import statistics
from types import ModuleType
from typing import Any

# --- heapq ----------------------------------------------------------------------------------------


def heappush(heap: Any, item: Any) -> None:
    heap.append(item)
    rise(heap, len(heap) - 1, 0)


def rise(heap: Any, k: Any, top: Any) -> None:
    """Let the item at `k` change places with those above it, up to `top`, while it is less."""
    while k > top and heap[k] < heap[(k - 1) // 2]:
        heap[k], heap[(k - 1) // 2] = heap[(k - 1) // 2], heap[k]
        k = (k - 1) // 2


def sink(heap: Any, k: Any) -> None:
    """Let the item at `k` change places with the lesser one below it as far as there is one, and
    rise from there: equal items come out in the order in which `heapq` gives them."""
    top = k
    while 2 * k + 1 < len(heap):
        below = 2 * k + 1
        if below + 1 < len(heap) and not heap[below] < heap[below + 1]:
            below = below + 1
        heap[k], heap[below] = heap[below], heap[k]
        k = below
    rise(heap, k, top)


def heappop(heap: Any) -> Any:
    last = heap.pop()
    if len(heap) == 0:
        return last
    first = heap[0]
    heap[0] = last
    sink(heap, 0)
    return first


def heapify(heap: Any) -> None:
    for k in range(len(heap) // 2 - 1, -1, -1):
        sink(heap, k)


def heapreplace(heap: Any, item: Any) -> Any:
    first = heap[0]
    heap[0] = item
    sink(heap, 0)
    return first


def heappushpop(heap: Any, item: Any) -> Any:
    if len(heap) > 0 and heap[0] < item:
        return heapreplace(heap, item)
    return item


def nlargest(n: Any, items: Any, key: Any = None) -> Any:
    return sorted(items, key=key, reverse=True)[:n]


def nsmallest(n: Any, items: Any, key: Any = None) -> Any:
    return sorted(items, key=key)[:n]


# --- bisect ---------------------------------------------------------------------------------------


def bisect_left(a: Any, x: Any, lo: Any = 0, hi: Any = None, *, key: Any = None) -> Any:
    hi = len(a) if hi is None else hi
    while lo < hi:
        middle = (lo + hi) // 2
        if (a[middle] if key is None else key(a[middle])) < x:
            lo = middle + 1
        else:
            hi = middle
    return lo


def bisect_right(a: Any, x: Any, lo: Any = 0, hi: Any = None, *, key: Any = None) -> Any:
    hi = len(a) if hi is None else hi
    while lo < hi:
        middle = (lo + hi) // 2
        if x < (a[middle] if key is None else key(a[middle])):
            hi = middle
        else:
            lo = middle + 1
    return lo


def insort_left(a: Any, x: Any, lo: Any = 0, hi: Any = None, *, key: Any = None) -> None:
    a.insert(bisect_left(a, x if key is None else key(x), lo, hi, key=key), x)


def insort_right(a: Any, x: Any, lo: Any = 0, hi: Any = None, *, key: Any = None) -> None:
    a.insert(bisect_right(a, x if key is None else key(x), lo, hi, key=key), x)


# --- statistics -----------------------------------------------------------------------------------


def mean(data: Any) -> Any:
    items = list(data)
    if len(items) == 0:
        raise statistics.StatisticsError("mean requires at least one data point")
    return sum(items) / len(items)


def squares(data: Any, around: Any) -> Any:
    """The sum of the squares of the distances from the mean, or from another number."""
    items = list(data)
    middle = mean(items) if around is None else around
    return sum([(item - middle) * (item - middle) for item in items])


def pvariance(data: Any, mu: Any = None) -> Any:
    items = list(data)
    if len(items) == 0:
        raise statistics.StatisticsError("pvariance requires at least one data point")
    return squares(items, mu) / len(items)


def variance(data: Any, xbar: Any = None) -> Any:
    items = list(data)
    if len(items) < 2:
        raise statistics.StatisticsError("variance requires at least two data points")
    return squares(items, xbar) / (len(items) - 1)


def pstdev(data: Any, mu: Any = None) -> Any:
    return pvariance(data, mu) ** 0.5


def stdev(data: Any, xbar: Any = None) -> Any:
    return variance(data, xbar) ** 0.5


def median(data: Any) -> Any:
    items = sorted(data)
    if len(items) == 0:
        raise statistics.StatisticsError("no median for empty data")
    half = len(items) // 2
    return items[half] if len(items) % 2 == 1 else (items[half - 1] + items[half]) / 2


_WRITTEN: dict[ModuleType, tuple[Any, ...]] = {
    heapq: (heappush, heappop, heapify, heapreplace, heappushpop, nlargest, nsmallest),
    bisect: (bisect_left, bisect_right, insort_left, insort_right),
    statistics: (mean, pvariance, variance, pstdev, stdev, median),
}
STANDS_FOR: dict[Any, Any] = {
    getattr(module, own.__name__): own for module, owns in _WRITTEN.items() for own in owns
}
"""What is lowered in the place of functions of the standard library."""

STANDS_FOR[statistics.fmean] = mean
