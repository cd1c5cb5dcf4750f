"""Generators of the user's own, and iterators over what changes while they are used."""

import functools
import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported, TangentLikeError
from tests.derivatives import assert_derivatives, define


def multiples(x, n):
    for i in range(n):
        yield x * (i + 1)


def growing(x):
    a = x
    while a < 5.0:
        yield a
        a = a * 1.7


def three(x):
    yield x
    yield x * x
    yield math.sin(x)


def large_ones(xs):
    for x in xs:
        if x > 0.5:
            yield x * x


def delegating(x):
    yield from three(x)
    yield x * 3.0
    yield from [x, 2.0]


def fibonacci(x, n):
    a, b = x, 1.0
    for _ in range(n):
        yield a
        a, b = b, a + b * 0.5


def stopping(x):
    while True:
        if x > 4.0:
            return
        yield x
        x = x * 1.5


def pairs(xs):
    for i, x in enumerate(xs):
        yield i, x * x


def in_a_for_loop(x, n=4):
    total = 0.0
    for v in multiples(x, n):
        total += v * v
    return total


def with_a_while_loop(x):
    total = 0.0
    for v in growing(x):
        total = total * 0.5 + v * v
    return total


def straight(x):
    total = 1.0
    for v in three(x):
        total *= v
    return total


def as_a_list(x):
    vs = list(three(x))
    return vs[0] * vs[1] + vs[-1]


def summed(x, n=4):
    return sum(multiples(x, n)) * max(three(x)) + sum(v * v for v in multiples(x, n))


def delegated(x):
    return sum(delegating(x)) * math.prod(delegating(x))


def zipped(x, n=5):
    total = 0.0
    for a, b in zip(fibonacci(x, n), multiples(x, n)):
        total += a * b
    return total


def enumerated(x, n=5):
    total = 0.0
    for i, b in enumerate(multiples(x, n)):
        total += i * b * b
    return total


def left_early(x, n=5):
    total = 0.0
    for v in multiples(x, n):
        if v > 2.0:
            break
        if v < 1.0:
            continue
        total += v * v
    else:
        total = total * 2.0
    return total


def returned_from(x, n=5):
    for v in multiples(x, n):
        if v > 2.0:
            return v * v
    return x


def unpacked(x):
    a, b, c = three(x)
    first, *rest = three(a * b)
    return a * b + c * first + rest[0]


def nested(x):
    def own(n):
        for i in range(n):
            yield x * i

    total = 0.0
    for a in own(3):
        for b in own(2):
            total += a * b
    return total


def through_functions(x):
    return functools.reduce(lambda a, b: a * b, map(math.sin, three(x))) + max(*three(x))


def ended_by_return(x):
    return sum(v * v for v in stopping(x))


def in_a_branch(x):
    values = three(x) if x > 0.5 else multiples(x, 2)
    total = 0.0
    for v in values:
        total += v
    return total * x


def counted(x):
    made = 0

    def source():
        nonlocal made
        for k in range(3):
            made += 1
            yield x * k

    return sum(source()) * made


class Path:
    def __init__(self, x, n):
        self.x = x
        self.n = n

    def __iter__(self):
        for k in range(self.n):
            yield self.x * k

    def steps(self):
        yield from self


def method_of_an_object(x):
    path = Path(x, 4)
    total = 0.0
    for v in path:
        total += v * v
    return total + sum(path.steps()) * x


@pytest.mark.parametrize(
    "function",
    [
        in_a_for_loop, with_a_while_loop, straight, as_a_list, summed, delegated, zipped,
        enumerated, left_early, returned_from, unpacked, nested, through_functions,
        ended_by_return, counted, method_of_an_object,
    ],
)  # fmt: skip
@pytest.mark.parametrize("x", [0.7, 1.3])
def test_a_generator(function, x):
    assert_derivatives(function, x)


def over_an_array(x):
    return sum(large_ones(x)) + sum(i * v for i, v in pairs(x))


def rows(a):
    for row in a:
        yield np.sum(row * row)


def over_a_matrix(a):
    return sum(v * v for v in rows(a))


def test_a_generator_over_arrays():
    assert_derivatives(over_an_array, np.array([0.3, 0.7, 1.2]))
    assert_derivatives(over_a_matrix, np.array([[0.3, 0.7], [1.2, 0.1]]))


def endless(x):
    while True:
        yield x
        x = x * 0.5


def takes_from_an_endless_one(x):
    for v in endless(x):
        if v < 0.1:
            return v
    return x


def sends(x):
    got = yield x
    yield got


def reads_a_generator_that_is_sent_values(x):
    return sum(sends(x))


def used_twice(x):
    g = three(x)
    return sum(g) + sum(g)


def asks_for_the_next(x):
    g = three(x)
    return next(g) * next(g)


@pytest.mark.parametrize(
    "function",
    [
        takes_from_an_endless_one, reads_a_generator_that_is_sent_values, used_twice,
        asks_for_the_next, in_a_branch,
    ],
)  # fmt: skip
def test_what_a_list_cannot_stand_for_is_refused(function):
    with pytest.raises(TangentLikeError) as raised:
        tl.grad(function)(0.7)
    assert raised.value.place.line > 0


def double(u):
    return u * 2.0


def multiplied(pair):
    return pair[0] * pair[1]


def scaled(y):
    for k in range(len(y)):
        yield y[k] * 2.0


def by_a_generator(y):
    return scaled(y)


def by_a_generator_expression(y):
    return (y[i] * 2.0 for i in range(len(y)))


def by_map(y):
    def double(i):
        return y[i] * 2.0

    return map(double, range(len(y)))


def by_map_over_it(y):
    return map(double, y)


def by_map_through_another_function(y):
    def double(i):
        return y[i] * 2.0

    def again(i):
        return double(i)

    return map(again, range(len(y)))


def by_zip(y):
    return map(multiplied, zip(y, map(double, y)))


@pytest.mark.crashes_numba
@pytest.mark.parametrize(
    "items",
    [
        by_a_generator, by_a_generator_expression, by_map, by_map_over_it,
        by_map_through_another_function, by_zip,
    ],
)  # fmt: skip
def test_an_iterator_over_an_array_that_its_loop_writes(items):
    """Python would make each item of what the array holds by then."""

    def writing(x):
        y = x * 1.0
        total = 0.0
        for v in items(y):
            total += v * v
            y[1:] = y[1:] * v
        return total

    def collecting(x):
        y = x * 1.0
        total = 0.0
        for v in list(items(y)):
            total += v * v
            y[1:] = y[1:] * v
        return total + np.sum(y)

    x = np.array([0.3, 0.7, 1.2])
    with pytest.raises(NotYetSupported, match="an iterator over what its loop changes"):
        tl.grad(writing)(x)
    assert_derivatives(collecting, x)


def reads_a_variable_that_changes(x):
    factor = x

    def grow():
        nonlocal factor
        factor = factor * 2.0

    def times(k):
        return k * factor

    total = 0.0
    for v in map(times, range(4)):
        total += v
        grow()
    return total


def test_an_iterator_over_a_variable_that_its_loop_changes():
    with pytest.raises(NotYetSupported, match="an iterator over what its loop changes"):
        tl.grad(reads_a_variable_that_changes)(0.7)


CHANGES_SOMETHING = {
    "a list": ("seen[0] = seen[0] + u", "seen[0]"),
    "the length of a list": ("seen.append(u)", "seen[-1]"),
    "a variable": ("nonlocal last\n        last = last * u", "last"),
    "a draw": ("seen[0] += rng.normal()", "rng.normal()"),
}
TAKEN_IN_PART = {
    "any of a map": "any(map(act, x))",
    "next without a default": "next(u for u in x if act(u))",
    "next of filter": "next(filter(act, x), 0.0)",
    "in": "0.7 in (u * act(u) for u in x)",
    "zip": "[k for k, u in zip(range(1), (act(u) for u in x))]",
    "a loop that is left": "first(act(u) for u in x)",
}


def takes_in_part(form, change, read):
    return define(
        f"""
def first(items):
    for item in items:
        if item:
            return item

def f(x):
    rng = np.random.default_rng(0)
    seen, last = [0.5, 1.5], x[0]

    def act(u):
        {change}
        return u > 0.5

    found = {form}
    return x[1] * {read} + last
""",
        "f",
        np=np,
    )


@pytest.mark.parametrize("change", CHANGES_SOMETHING)
@pytest.mark.parametrize("form", TAKEN_IN_PART)
def test_items_that_change_something_are_refused_where_not_all_are_taken(form, change):
    f = takes_in_part(TAKEN_IN_PART[form], *CHANGES_SOMETHING[change])
    with pytest.raises(NotYetSupported, match="taken one by one"):
        tl.grad(f)(np.array([0.3, 0.7, 9.0]))


@pytest.mark.parametrize("form", ["list(map(act, x))", "sum(act(u) for u in x)", "[*map(act, x)]"])
def test_items_that_change_something_may_be_taken_at_once(form):
    f = takes_in_part(form, *CHANGES_SOMETHING["a list"])
    assert_derivatives(f, np.array([0.3, 0.7, 9.0]))


SEARCHED = {
    "any": "any(act(u) for u in x)",
    "all": "all(not act(u) for u in x)",
    "two loops": "any(act(u) and act(v) for u in x for v in x if v > 0.4)",
    "next": "next((u * act(u) for u in x if act(u)), 0.0)",
    "a witness": "best if any(act(best := u) for u in x) else 0.0",
}
RAISES = ("if u > 5.0:\n            raise ValueError(u)", "x[0]")


@pytest.mark.parametrize("change", [*CHANGES_SOMETHING.values(), RAISES], ids=lambda c: c[1])
@pytest.mark.parametrize("form", SEARCHED)
def test_generator_expressions_are_left_where_an_item_is_found(form, change):
    assert_derivatives(takes_in_part(SEARCHED[form], *change), np.array([0.3, 0.7, 9.0]))


USED_AGAIN = {
    "any": "any(g)\n    b = any(g)",
    "list": "any(g)\n    b = len(list(g)) > 0",
    "next": "next(g, 0.0)\n    b = next(g, 0.0)",
    "iter": "any(g)\n    b = any(iter(g))",
    "in a loop": "0.0\n    for k in range(2):\n        b = any(g)",
}


@pytest.mark.parametrize("uses", USED_AGAIN)
def test_what_is_left_of_an_iterator_after_a_search_is_refused(uses):
    f = define(
        f"""
def f(x):
    seen = [0.0]

    def act(u):
        seen[0] = seen[0] + u
        return u > 0.5

    g = (act(u) for u in x)
    a = {USED_AGAIN[uses]}
    return seen[0] * x[0] + (x[1] if b else a * x[2])
""",
        "f",
        np=np,
    )
    with pytest.raises(NotYetSupported, match="used twice, or in a loop"):
        tl.grad(f)(np.array([0.3, 0.7, 9.0]))
