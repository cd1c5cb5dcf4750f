"""`heapq`, `bisect` and `statistics`, which are lowered as functions that are written out."""

import bisect
import heapq
import statistics

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.frontend import written_out
from tests.derivatives import assert_derivatives, define

U = np.array([0.3, -0.7, 1.1, 0.4, 0.2])


def pushed_and_popped(u):
    heap, total = [], 0.0
    for v in u:
        heapq.heappush(heap, v * v)
    while len(heap) > 1:
        total = total * 0.5 + heapq.heappop(heap)
    return total


def of_a_list(u, n):
    heap = [v * v for v in u[:n]]
    heapq.heapify(heap)
    first = heapq.heapreplace(heap, u[0]) * heapq.heappushpop(heap, u[1])
    return first + sum(heap) * heapq.heappop(heap) + heapq.nsmallest(1, heap)[0]


def of_the_largest(u):
    return sum(heapq.nlargest(2, u)) * heapq.nsmallest(2, u, key=lambda v: v * v)[1]


def shortest_way(lengths, goal):
    ways = {0: [(1, 0), (2, 1)], 1: [(3, 2)], 2: [(1, 3), (3, 4)], 3: []}
    found = {0: 0.0}
    todo = [(0.0, 0)]
    while todo:
        far, a = heapq.heappop(todo)
        if far > found[a]:
            continue
        for b, k in ways[a]:
            new = far + lengths[k]
            if b not in found or new < found[b]:
                found[b] = new
                heapq.heappush(todo, (new, b))
    return found[goal]


def between(x, values):
    places = [0.0, 1.0, 2.0]
    i = bisect.bisect(places, x) - 1
    return values[i] * (x - places[i]) + values[bisect.bisect_left(places, 2.0)]


def in_order(u):
    found = []
    for v in u:
        bisect.insort(found, v * v)
    return sum(v * k for k, v in enumerate(found))


def of_a_sample(x, y):
    data = [x, y, x * y, 2.0]
    spread = statistics.pvariance(data) * statistics.stdev(data) + statistics.pstdev(data, 0.3)
    return statistics.mean(data) + statistics.median(data) * statistics.fmean([x, y, 3]) + spread


@pytest.mark.parametrize(("f", "args"), [
    (pushed_and_popped, (U,)), (of_a_list, (U, 4)), (of_the_largest, (U,)),
    (shortest_way, ([1.0, 2.0, 5.0, 0.5, 1.1], 3)), (between, (1.3, [1.0, 2.0, 3.0])),
    (in_order, (U,)), (of_a_sample, (0.7, 1.2)),
])  # fmt: skip
def test_library_functions_that_are_written_out(f, args):
    wrt = tuple(i for i, arg in enumerate(args) if not isinstance(arg, int))
    assert_derivatives(f, *args, wrt=wrt)


def test_heaps_are_those_of_the_library():
    rng = np.random.default_rng(3)
    for _ in range(200):
        items = [(int(k), n) for n, k in enumerate(rng.integers(0, 5, rng.integers(1, 12)))]
        own, other = list(items), list(items)
        written_out.heapify(own)
        heapq.heapify(other)
        assert own == other
        for new in ((2, -1), (0, -2), (9, -3)):
            assert written_out.heappushpop(own, new) == heapq.heappushpop(other, new)
            written_out.heappush(own, new)
            heapq.heappush(other, new)
            assert own == other
        assert written_out.heapreplace(own, (1, 1)) == heapq.heapreplace(other, (1, 1))
        while other:
            assert written_out.heappop(own) == heapq.heappop(other)
            assert own == other


@pytest.mark.parametrize("name", [
    "bisect_left", "bisect_right", "insort_left", "insort_right",
])  # fmt: skip
def test_places_are_those_of_the_library(name):
    rng = np.random.default_rng(3)
    for _ in range(200):
        items = sorted(rng.integers(0, 6, rng.integers(0, 9)).tolist())
        x, own, other = int(rng.integers(-1, 7)), list(items), list(items)
        assert getattr(written_out, name)(own, x) == getattr(bisect, name)(other, x)
        assert own == other
        backwards = [-k for k in items][::-1]
        found = getattr(written_out, name)(own := list(backwards), x, key=lambda k: k + 1)
        assert found == getattr(bisect, name)(other := list(backwards), x, key=lambda k: k + 1)
        assert own == other


@pytest.mark.parametrize("name", ["mean", "variance", "pvariance", "stdev", "median"])
def test_no_sample(name):
    f = define(f"def f(x):\n    return x * statistics.{name}([])", "f", statistics=statistics)
    with pytest.raises(statistics.StatisticsError):
        tl.grad(f)(0.7)
