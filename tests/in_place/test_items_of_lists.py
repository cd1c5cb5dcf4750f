"""Arrays in lists of unknown length, which are written under one name and read under another."""

import functools
import itertools
import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported, SharedMemory
from tests.derivatives import assert_derivatives, define

X, C, N = np.array([0.3, 0.7, 0.2]), 0.83, 2

WAYS = {
    "by an index": "p = kept[k]",
    "by a loop": "p = x * 2\n    for r in kept:\n        p = r",
    "by a branch in a loop": (
        "p = x * 2\n    for r in kept:\n        if r[0] < 1.5:\n            p = r"
    ),
    "exchanged": "p = kept[-1]\n    for r in kept:\n        p, r = r, p",
    "of the list turned round": "p = x * 2\n    for r in reversed(kept):\n        p = r",
    "of a slice": "p = kept[::-1][0]",
    "of a copy": "p = list(kept)[k]",
    "of a tuple": "p = tuple(kept)[k]",
    "of the values of a dict": "table = dict(enumerate(kept))\n    p = list(table.values())[k]",
    "of another list": "held = []\n    for r in kept:\n        held.append(r)\n    p = held[k]",
}
WRITES = [
    "kept[0][0] = c * c", "kept[k][1] += c * c", "for r in kept:\n        r *= 2.0",
    "kept[k].fill(c)", "q = kept.pop(k)\n    q[0] = c * c", "p[0] = c * c",
    "kept.append(p)\n    kept[-1][0] = c * c",
]  # fmt: skip
MAKINGS = {
    "alike": "kept = [x * (c + i) for i in range(n)]",
    "of different lengths": "kept = []\n    for i in range(n):\n        kept.append(x[:i + 2] * c)",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("making", MAKINGS)
def test_an_item_is_read_as_it_was_changed_or_refused(making, way):
    """A value from before the write is never given; most are refused."""
    for write in WRITES:
        text = f"""
def f(x, c, n, k):
    {MAKINGS[making]}
    {WAYS[way]}
    {write}
    return np.sum(p * p) + np.sum(kept[0]) * c
"""
        f = define(text, "f", np=np)
        wanted = f(X.copy(), C, N, 0)
        try:
            value, _ = tl.value_and_grad(f)(X.copy(), C, N, 0)
            again, _ = tl.jvp(f, (X.copy(), C, N, 0), (X.copy(), 0.5, 0, 0))
        except (SharedMemory, NotYetSupported):
            continue
        assert np.isclose(value, wanted, rtol=1e-13), write
        assert np.isclose(again, wanted, rtol=1e-13), write


def test_an_item_that_has_a_place_in_its_list_is_read_as_it_was_changed():
    def f(x, c, n, k):
        kept = [x * (c + i) for i in range(n)]
        p = kept[k]
        kept[k][1] += c * c
        p[0] = c
        for r in kept:
            r *= 2.0
        return np.sum(kept[k] * kept[0]) * c

    assert_derivatives(f, X, C, 3, 1, wrt=(0, 1))


def test_an_item_that_a_loop_left_is_refused_once_the_list_was_written():
    def f(x, c, n):
        kept = [x * c for i in range(n + 1)]
        y = x
        for r in kept:
            y = r
        kept[0][0] = c
        return np.sum(y)

    with pytest.raises(SharedMemory, match="may share memory with `kept`"):
        tl.grad(f)(X, C, 0)


PUT_IN = {
    "a name": ("row = x * 2", "row"),
    "a tuple": ("pair = (x * 2, 1.0)", "pair[0]"),
    "a dict": ("table = {'a': x * 2}", "table['a']"),
    "a list": ("others = [x * 2, x]", "others[0]"),
    "a closure": ("row = x * 2\n    read = lambda: row", "read()"),
}


@pytest.mark.parametrize("taken", ["pop()", "pop(n)", "pop(-1)"])
@pytest.mark.parametrize("kind", PUT_IN)
def test_an_item_that_was_put_in_and_taken_out_again_is_that_of(kind, taken):
    made, read = PUT_IN[kind]
    text = f"""
def f(x, c, n):
    kept = [x * (c + i) for i in range(n)]
    {made}
    kept.append({read})
    q = kept.{taken}
    q[0] = c
    return np.sum({read}) + np.sum(kept[0])
"""
    f = define(text, "f", np=np)
    with pytest.raises(SharedMemory, match="may share memory with `q`"):
        tl.grad(f)(X, C, N)


def test_a_stack_of_arrays_that_are_changed_when_they_are_taken():
    def f(x, c, n):
        stack, total = [], c
        for i in range(n):
            stack.append(x * (c + i))
        while stack:
            top = stack.pop()
            top[0] = total
            total = total + np.sum(top)
        return total

    assert_derivatives(f, X, C, 3, wrt=(0, 1))


# --- items of different lengths ------------------------------------------------------------------


def products_of_items(x, c, n):
    kept = []
    for i in range(n):
        kept.append(x[: i + 1] * c)
    total = np.sum(kept[0] * kept[1])
    for r in kept:
        for q in kept:
            total += np.sum(r[:1] * q) + np.sum(kept[0] * r)
    return total


def products_of_items_of_a_comprehension(x, c, n):
    kept = [x[: i + 1] * c for i in range(n)]
    return sum(np.sum(kept[0] * r * r) for r in kept)


def pairs_of_neighbours(x, c, n):
    kept = [x[: i % 2 + 1] * c for i in range(n)]
    total = c
    for a, b in zip(kept, kept[1:]):  # noqa: RUF007
        total = total * np.sum(a * b + a)
    return total


def items_of_a_dict(x, c, n):
    kept = {}
    for i in range(n):
        kept[i] = x[: i + 1] * c
    return np.sum(kept[0] * kept[1]) + sum(np.sum(kept[0] * v) for v in kept.values())


def a_longer_item_put_in(x, c, n):
    kept = [x[:1] * (c + i) for i in range(n)]
    kept[1] = x * c
    return np.sum(kept[0] * kept[1]) + sum(np.sum(kept[0] + r) for r in kept)


def handed_to_a_function(x, c, n):
    def product(a, b):
        return np.sum(a * b)

    kept = [x[: i + 1] * c for i in range(n)]
    total = 0.0
    for a, b in itertools.product(kept, kept[:1]):
        total += product(a, b) + product(b, a)
    return total


def by_a_recursive_function(x, c, n):
    def r(items, k):
        return np.sum(items[0] * items[k]) + (r(items, k - 1) if k > 0 else 0.0)

    return r([x[: i + 1] * c for i in range(n)], n - 1)


def changed_in_a_loop(x, c, n):
    kept = [x[: i + 1] * c for i in range(n)]
    for r in kept:
        r /= 2
    return np.sum(kept[0] * kept[1] * 1.5) + c


def of_two_branches(x, c, n):
    kept = [x * c] if c > 2.0 else [x[: i + 1] * c for i in range(n)]
    return np.sum(kept[0] * kept[1])


def in_lists_of_lists(x, c, n):
    rows = [[x[: j + 1] * c for j in range(i + 1)] for i in range(n)]
    return np.sum(rows[0][0] * rows[1][1]) + sum(np.sum(rows[1][0] * r) for r in rows[1])


@pytest.mark.parametrize("f", [
    products_of_items, products_of_items_of_a_comprehension, pairs_of_neighbours, items_of_a_dict,
    a_longer_item_put_in, handed_to_a_function, by_a_recursive_function, changed_in_a_loop,
    of_two_branches, in_lists_of_lists,
])  # fmt: skip
def test_items_of_different_lengths_are_broadcast(f):
    assert_derivatives(f, X, C, 3, wrt=(0, 1))


# --- lists that loops hand on --------------------------------------------------------------------

MADE_IN_A_LOOP = {
    "in a list": ("y = [tape, tape]", "y[0][0] + y[1][0]"),
    "beside a copy": ("y = [tape[:], tape]", "y[0][0] * y[1][0]"),
    "in a tuple": ("y = (tape, s)", "y[0][0] * y[1]"),
    "in a dict": ("y = {'a': tape}", "y['a'][0]"),
    "under another name": ("y = tape", "y[0]"),
    "exchanged": ("y, tape = tape, y", "y[0] * tape[1]"),
}
BEHIND_THE_LOOP = {
    "": "",
    "bound anew": "y = y",
    "bound to another name": "z = y",
    "handed on by another loop": "for j in range(2):\n        z = y",
}


@pytest.mark.parametrize("behind", BEHIND_THE_LOOP)
@pytest.mark.parametrize("kind", MADE_IN_A_LOOP)
def test_lists_that_a_loop_hands_on_without_writing(kind, behind):
    """Those that are written afterwards are read as they are then, or refused."""
    made, read = MADE_IN_A_LOOP[kind]
    for before in ("", "y = [s * s, 2.0]"):
        for tape in ("[s, s * s]", "[s for i in range(2)]", "[s for i in range(n)]"):
            text = f"""
def f(s, n):
    tape = {tape}
    {before or "pass"}
    for i in range(n):
        {made}
    {BEHIND_THE_LOOP[behind] or "pass"}
    tape[0] += math.atan(s)
    return {read}
"""
            f = define(text, "f", math=math)
            if kind == "exchanged" and not before:
                continue
            try:
                value, slope = tl.value_and_grad(f)(0.7, 2)
            except (SharedMemory, NotYetSupported):
                continue
            assert value == f(0.7, 2), text
            assert np.isclose(slope, (f(0.7 + 1e-6, 2) - f(0.7 - 1e-6, 2)) / 2e-6), text


def test_a_list_that_a_loop_made_of_one_around_it_is_refused_once_that_was_written():
    def f(s, n):
        tape = [s, s * s]
        for _ in range(n):
            y = [tape, tape]
        z = y
        tape[0] += s
        return z[0][0]

    with pytest.raises(SharedMemory, match="may share memory with `tape`"):
        tl.grad(f)(0.7, 2)


def test_lists_that_a_loop_carries_are_read_and_written_in_turn():
    def f(s, n):
        a, b = [s, 1.0], [2.0, s]
        for i in range(n):
            a, b = b, a
            a[0] = a[0] * s + i
        return a[0] * b[1] + b[0]

    for n in (0, 1, 2, 3):
        assert_derivatives(f, 0.7, n, wrt=0)


def test_a_list_picked_at_run_time_is_refused_once_its_items_changed_places():
    def f(s, k):
        rows = [[s, s * s], [2 * s]]
        row = [[[s, 2.0], [s]], rows][k]
        rows[1], rows[0] = rows[0], rows[1]
        return rows[0][0] * 2.0 + row[0][0] * s

    with pytest.raises(SharedMemory, match="may share memory with `rows`"):
        tl.grad(f)(0.7, 1)


# --- what some of the ways through a function leave ----------------------------------------------

LEFT_ALONE = {
    "beside a return in an inner branch": (
        "if x > 0.2:\n        if x > 0.6:\n            return s[0]\n        s = t", "s[0] * s[1]"
    ),
    "beside a return and a continue in a loop": (
        "for k in range(3):\n        if x * k > 1.7:\n            return x\n"
        "        if k == 0:\n            continue\n        y = (t, x)", "y[0][0]"
    ),
    "over a default": (
        "y = None\n    if x > 0.1:\n        if x > 0.9:\n            return x\n        y = [t]",
        "y[0][0] if y is not None else x",
    ),
    "in a loop that never ends by itself": (
        "k = 0\n    while True:\n        if k > 1:\n            break\n        if x > 0.9:\n"
        "            return x\n        y = [t, x]\n        k += 1", "y[0][0]"
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", LEFT_ALONE)
def test_a_list_that_only_some_ways_put_into_a_name_is_not_read_as_it_was(way):
    made, read = LEFT_ALONE[way]
    f = define(
        f"def f(x, s):\n    t = [x, 1.0]\n    {made}\n    t[0] = x * 5\n    return {read}", "f"
    )
    with pytest.raises(SharedMemory, match="may share memory with `t`"):
        tl.grad(f)(0.5, [0.5, 0.2])


HANDED_OUT = {
    "a default": "g = lambda q=ROW: q",
    "a keyword default": "def g(*, q=ROW):\n        return q",
    "a partial": "g = partial(lambda q: q, ROW)",
    "a closure": "row0 = ROW\n    g = lambda: row0",
    "a method": "g = Box(ROW).get",
}
PUT_IN_AND_TAKEN_OUT = {
    "append, pop": "rows.append(g())\n    row = rows.pop()",
    "insert, pop": "rows.insert(1, g())\n    row = rows.pop(1)",
    "stored, pop": "rows[0] = g()\n    row = rows.pop(0)",
    "extend, pop": "rows.extend([g()])\n    row = rows.pop()",
    "added, pop": "rows = rows + [g()]\n    row = rows.pop()",
    "in a branch": "if x > 0.1:\n        rows.append(g())\n    row = rows.pop()",
    "in a loop": "for _ in range(2):\n        rows.append(g())\n    row = rows.pop()",
    "a dict": "table = dict(enumerate(rows))\n    table[0] = g()\n    row = table.pop(0)",
}


class Box:
    def __init__(self, item):
        self.item = item

    def get(self):
        return self.item


@pytest.mark.parametrize("taken", PUT_IN_AND_TAKEN_OUT)
@pytest.mark.parametrize("handed", HANDED_OUT)
@pytest.mark.parametrize("row", ["np.array([x, x * x])", "[x, x * x]"])
def test_an_item_that_a_function_hands_out_is_changed_where_it_was_taken_out(row, handed, taken):
    """Read as it was changed, or refused; never the value from before."""
    text = f"""
def f(x, n):
    {HANDED_OUT[handed].replace("ROW", row)}
    rows = [{row.replace("x *", "n *")} for i in range(n)]
    {PUT_IN_AND_TAKEN_OUT[taken]}
    row[0] = x * 7
    return g()[0] * x + row[1]
"""
    f = define(text, "f", np=np, partial=functools.partial, Box=Box)
    wanted = f(0.7, 3)
    try:
        value, _ = tl.value_and_grad(f)(0.7, 3)
        again, _ = tl.jvp(f, (0.7, 3), (1.0, 0))
    except (SharedMemory, NotYetSupported):
        return
    assert np.isclose(value, wanted, rtol=1e-13)
    assert np.isclose(again, wanted, rtol=1e-13)


def test_items_that_were_taken_out_are_written_apart_from_their_list():
    def f(x, c, n):
        rows = [x * (c + i) for i in range(n)]
        a, b = rows.pop(), rows.pop(0)
        a[0] = c * c
        rows[0][1] = b[2] * c
        b *= 2.0
        return np.sum(a) * rows[0][1] + np.sum(b * rows[0])

    assert_derivatives(f, X, C, 3, wrt=(0, 1))


def test_an_item_that_was_taken_out_and_put_back_changes_its_list():
    def f(x, c, n):
        rows = [x * (c + i) for i in range(n)]
        row = rows.pop()
        for _ in range(2):
            row[0] += c
            rows.append(row)
        return rows[-1][0] * c

    with pytest.raises(SharedMemory, match="may share memory with `row`"):
        tl.grad(f)(X, C, 3)


# --- lists inside others that a branch or a loop puts something else into -------------------------

INNER = {
    "an attribute": ("o = Box(p)", "o.item = q", "o.item"),
    "a list": ("o = [p, 1.0]", "o[0] = q", "o[0]"),
    "a dict": ("o = {'a': p}", "o['a'] = q", "o['a']"),
    "a list in a list": ("o = [[p], 1.0]", "o[0][0] = q", "o[0][0]"),
    "a longer list": ("o = [p, q]", "o.append([c, x])", "o[1]"),
    "a shorter list": ("o = [q, p, p, p]", "o.pop()", "o[0]"),
    "a longer list in an object": ("o = Box([p, q])", "o.item.append([c, x])", "o.item[1]"),
    "another list": ("o = [p, p, p]", "o = [q, p]", "o[0]"),
    "a longer dict": ("o = {0: p, 1: q}", "o[n + 2] = [c, x]", "o[1]"),
}
SOMETIMES = {
    "a branch": "if c > 0.5:\n        {}",
    "a loop": "for i in range(n):\n        {}",
    "a branch in a loop": "for i in range(n):\n        if i < 2:\n            {}",
    "a while": "k = 0\n    while k < n:\n        {}\n        k += 1",
    "a function": "def put():\n        {}\n    if c > 0.5:\n        put()",
}
THEN_WRITTEN = ["{}[0] = x * 5", "q[0] = x * 5", "p[0] = x * 5"]


@pytest.mark.parametrize("when", SOMETIMES)
@pytest.mark.parametrize("inner", INNER)
def test_a_list_that_was_put_into_another_sometimes_is_changed_with_it(inner, when):
    """Read as it was changed, or refused; never the value from before."""
    made, put, read = INNER[inner]
    if when == "a function" and put.startswith("o ="):
        put = f"nonlocal o\n        {put}"
    for write in THEN_WRITTEN:
        for item in (read, "p", "q"):
            text = f"""
def f(x, c, n):
    p, q = [x, 1.0], [c, x]
    {made}
    {SOMETIMES[when].format(put)}
    {write.format(read)}
    return {item}[0] * x
"""
            f = define(text, "f", Box=Box)
            try:
                value, slope = tl.value_and_grad(f)(0.7, 0.8, 2)
            except (SharedMemory, NotYetSupported):
                continue
            assert np.isclose(value, f(0.7, 0.8, 2), rtol=1e-13), text
            numeric = (f(0.7 + 1e-6, 0.8, 2) - f(0.7 - 1e-6, 0.8, 2)) / 2e-6
            assert np.isclose(slope, numeric), text


# --- what was read of an item before that gets another one ----------------------------------------

REPLACED = {
    "an attribute": ("Box(ROW)", "{}.item", "new"),
    "an attribute by that of another": ("Box(ROW)", "{}.item", "rows[k].item"),
    "a list in a list": ("[c, ROW]", "{}[1]", "new"),
    "an item by that of another": ("[c, ROW]", "{}[1]", "rows[k][1]"),
}
HELD_BY = {"the list": "rows[0]", "a name": "first"}


@pytest.mark.parametrize("row", ["np.array([x, c * i])", "[x, c * i]"])
@pytest.mark.parametrize("by", HELD_BY)
@pytest.mark.parametrize("kind", REPLACED)
def test_what_was_read_before_an_item_was_replaced_is_that_from_before(kind, by, row):
    """Or it is refused; never what replaced it."""
    made, part, new = REPLACED[kind]
    for reader in HELD_BY.values():
        text = f"""
def f(x, c, n, k):
    rows = [{made.replace("ROW", row)} for i in range(n)]
    first, new = rows[0], {row.replace("i", "3.0")}
    old = {part.format(reader)}
    {part.format(HELD_BY[by])} = {new}
    return old[0] * 13 + old[1] * x
"""
        f = define(text, "f", np=np, Box=Box)
        try:
            value, slope = tl.value_and_grad(f)(0.7, 0.8, 3, 1)
        except (SharedMemory, NotYetSupported):
            continue
        assert np.isclose(value, f(0.7, 0.8, 3, 1), rtol=1e-13), text
        numeric = (f(0.7 + 1e-6, 0.8, 3, 1) - f(0.7 - 1e-6, 0.8, 3, 1)) / 2e-6
        assert np.isclose(slope, numeric), text


PICKED = {
    "one of a list": "w = [u, z][k]",
    "one of a list with its own": "w = [u, z, w][k]",
    "one of a tuple": "w = (z, w, u)[k]",
    "one of a dict": "w = {0: z, 1: u}[k]",
    "exchanged": "u, w = z, [u, z][k]",
    "a view of one": "w = [u, z][k][:1]",
    "one of the loop's views": "w = [u[turn:], z[turn:]][k]",
}


@pytest.mark.parametrize("write", ["w *= x", "np.multiply(w, x, out=w)", "w[0] = x * 5"])
@pytest.mark.parametrize("pick", PICKED)
def test_an_array_that_a_loop_picks_is_written_with_what_it_was_picked_from(pick, write):
    """Read as it was changed, or refused; never the value from before."""
    text = f"""
def f(x, c, k):
    u = np.array([x, c])
    w, z = u * 2, np.zeros(2) + x
    for turn in range(2):
        {PICKED[pick]}
    {write}
    return np.sum(u * np.array([2.0, 3.0])) + np.sum(z * np.array([5.0, 7.0])) * x + np.sum(w)
"""
    f = define(text, "f", np=np)
    for k in (0, 1):
        try:
            value, slope = tl.value_and_grad(f)(0.7, 0.8, k)
            again, _ = tl.jvp(f, (0.7, 0.8, k), (1.0, 0.0, 0))
        except (SharedMemory, NotYetSupported):
            continue
        numeric = (f(0.7 + 1e-6, 0.8, k) - f(0.7 - 1e-6, 0.8, k)) / 2e-6
        assert np.isclose([value, again], f(0.7, 0.8, k), rtol=1e-13).all()
        assert np.isclose(slope, numeric)


# --- an item at a place known only at run time, before its list changed ---------------------------

CHANGES = {
    "stored": "t[0] = NEW",
    "inserted": "t.insert(0, NEW)",
    "appended": "t.append(NEW)",
    "taken out": "t.pop(0)",
    "deleted": "del t[0]",
    "turned round": "t.reverse()",
    "all at once": "t[:] = [NEW, NEW, NEW]",
    "emptied and filled": "t.clear()\n    t += [NEW, NEW, NEW]",
    "exchanged": "t[0], t[1] = t[1], t[0]",
    "by a function": "def put():\n        t[0] = NEW\n    put()",
    "in a loop": "for i in range(2):\n        t[0] = NEW",
    "in a branch": "if x > 0.1:\n        t[0] = NEW",
    "under another name": "u = t\n    u[0] = NEW",
    "written after a change": "t.pop(0)\n    t[0][0] = x * 5",
}


@pytest.mark.parametrize("row", ["np.array([x, {}])", "[x, {}]"])
@pytest.mark.parametrize("change", CHANGES)
def test_an_item_read_before_its_list_changed_is_the_one_from_before(change, row):
    """Or it is refused; never what is at its place now."""
    rows = ", ".join(row.format(number) for number in ("1.0", "2.0", "3.0"))
    text = f"""
def f(x, k):
    t = [{rows}]
    b = t[k]
    {CHANGES[change].replace("NEW", row.format("4.0"))}
    return b[0] * b[1] + t[0][1] * x
"""
    f = define(text, "f", np=np)
    for k in (0, 1, -1):
        try:
            value, slope = tl.value_and_grad(f)(0.7, k)
            again, _ = tl.jvp(f, (0.7, k), (1.0, 0))
        except (SharedMemory, NotYetSupported):
            continue
        numeric = (f(0.7 + 1e-6, k) - f(0.7 - 1e-6, k)) / 2e-6
        assert np.isclose([value, again], f(0.7, k), rtol=1e-13).all()
        assert np.isclose(slope, numeric)


@pytest.mark.parametrize("put", ["n", "x", "x * x", "float(n)"])
@pytest.mark.parametrize("made", [
    "[np.array([x, x * x]) for i in range(n)]", "[[x, x * x] for i in range(n)]",
    "{i: np.array([x, x * x]) for i in range(n)}", "[x for i in range(n)]",
    "[a for a in [np.array([x]), np.array(x), np.ones(1)] if np.sum(a) > -9]",
])  # fmt: skip
def test_a_number_that_replaces_an_item(made, put):
    text = f"""
def f(x, n):
    t = {made}
    t[0] = {put}
    return np.sum(t[0]) * 2 + np.sum(t[1]) * x
"""
    assert_derivatives(define(text, "f", np=np), 0.7, 3, wrt=0)
