"""The grammar of random programs that write into arrays.

A few arrays of small, known shapes share memory through names, views, tuples and calls; the
statements write into them in every way that NumPy has.  A place is an array or a view, as text,
with its shape; an expression is written for a shape.  What is stored in a loop is squashed, so
that values stay tame.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from tests.random_programs.grammar import Draw, Program, indented

Shape = tuple[int, ...]
SHAPES: list[Shape] = [(4,), (4,), (3, 4), (3,), (2, 2)]
NAMES = ["y", "z", "u", "v", "w", "a", "b", "bx", "t", "row", "old", "new", "by", "dx"]
FLOATS = ["s", "c", "total", "k"]


@dataclass(slots=True)
class Scope:
    """What the block being written may use."""

    arrays: dict[str, Shape]
    floats: set[str] = field(default_factory=set)
    indices: set[str] = field(default_factory=set)
    helpers: list[tuple[str, tuple[Shape, ...]]] = field(default_factory=list)
    kept: frozenset[str] = frozenset()  # names of arrays that keep their shape
    loops: int = 0
    blocks: int = 0
    returns: bool = True  # whether a return of a number may stand here

    def inner(self, loops: int = 0, indices: tuple[str, ...] = ()) -> "Scope":
        return replace(
            self, arrays=dict(self.arrays), floats=set(self.floats),
            indices=self.indices | set(indices), kept=self.kept | set(self.arrays),
            loops=self.loops + loops, blocks=self.blocks + 1,
        )  # fmt: skip


# ---------------------------------------------------------------- places


def index(d: Draw, s: Scope, n: int) -> str:
    """The index of one element of an axis."""
    if s.indices and d.chance(60):
        name = d.one(sorted(s.indices))
        return d.one([f"{name} % {n}", f"({name} + 1) % {n}", f"-1 - {name} % {n}"])
    return str(d.random.randrange(-n, n))


def part(d: Draw, n: int) -> tuple[str, int]:
    """A slice of an axis, and how many elements it names (at least one)."""
    while True:
        start, stop = (d.one(["", "", *map(str, range(-n, n))]) for _ in range(2))
        text = f"{start}:{stop}" + d.one(["", "", "", ":2", ":-1", ":-2"])
        numbers = [int(p) if p else None for p in text.split(":")]
        count = len(range(n)[slice(*numbers)])
        if count:
            return text, count


def subscript(d: Draw, s: Scope, shape: Shape) -> tuple[str, Shape]:
    """A basic index, and the shape of what it names."""
    texts, left = [], []
    for n in shape:
        if d.chance(45):
            texts.append(index(d, s, n))
            continue
        text, count = (":", n) if d.chance(25) else part(d, n)
        texts.append(text)
        left.append(count)
    if len(shape) > 1 and d.chance(25):
        texts, left = texts[:1], (left[:1] if ":" in texts[0] else []) + [*shape[1:]]
    if d.chance(6):
        return f"{', '.join(texts)}, ...", tuple(left)
    return ", ".join(texts), tuple(left)


def view(d: Draw, s: Scope, depth: int = 2) -> tuple[str, Shape]:
    """An array, or a view of one."""
    name = d.one(list(s.arrays))
    shape = s.arrays[name]
    text = name
    while depth and shape and d.chance(40):
        depth -= 1
        if len(shape) == 2 and d.chance(30):
            text, shape = f"{text}.T", shape[::-1]
            continue
        inner, left = subscript(d, s, shape)
        if left:
            text, shape = f"{text}[{inner}]", left
    return text, shape


def of_shape(d: Draw, s: Scope, shape: Shape) -> str | None:
    """An array or view of a shape, if one is found."""
    for _ in range(8):
        text, found = view(d, s)
        if found == shape:
            return text
    return d.one(same) if (same := [n for n, sh in s.arrays.items() if sh == shape]) else None


# ---------------------------------------------------------------- expressions


def number(d: Draw, s: Scope, depth: int = 1) -> str:
    """An expression for a float."""
    if s.floats and d.chance(30):
        return d.one(sorted(s.floats))
    if d.chance(10) or not s.arrays:
        return d.one(["0.5", "-0.7", "1.3"])
    text, shape = view(d, s)
    if depth and d.chance(35):
        left, right = number(d, s, depth - 1), number(d, s, depth - 1)
        return d.one([f"{left} * {right}", f"({left} + {right})", f"np.sin({left}) * {right}"])
    if d.chance(30):
        return d.one([f"np.sum({text})", f"np.sum({text} * {text})", f"{text}.mean()"])
    return f"{text}[{', '.join(index(d, s, n) for n in shape)}]"


def values(d: Draw, s: Scope, shape: Shape, depth: int = 2) -> str:
    """An expression for an array of a shape (or a number, for no axes)."""
    if not shape:
        return number(d, s)
    plain = of_shape(d, s, shape)
    if plain is None:
        return f"np.full({shape}, {number(d, s)})"
    if depth <= 0 or d.chance(25):
        return plain
    left, right = values(d, s, shape, depth - 1), values(d, s, shape, depth - 1)
    forms = [
        f"({left} + {right})", f"{left} * {right}", f"({left} - {right})", f"np.sin({left})",
        f"np.tanh({left}) * {right}", f"{left} * {number(d, s)}", f"({left})[::-1]",
        f"np.cos({left} + {number(d, s)})", f"{left} / (1.5 + {plain} ** 2)",
        f"np.maximum({left}, {right})", f"np.where({left} > 0.2, {right}, {plain})",
        f"({left}).copy()", f"np.cumsum({left}, axis=0)",
        f"({left} + {values(d, s, shape[1:], 0)})",
    ]  # fmt: skip
    return d.one(forms)


def stored(d: Draw, s: Scope, shape: Shape) -> str:
    """What is written into a place: of its shape, or spread over it."""
    if shape and d.chance(20):
        shape = d.one([(), shape[1:]])
    text = values(d, s, shape)
    return f"np.sin({text})" if s.loops or d.chance(40) else text


def test(d: Draw, s: Scope) -> str:
    comparison = f"{number(d, s)} > {d.one(['0.3', '-0.2', '0.0'])}"
    return f"{d.one(sorted(s.indices))} % 2 == 0" if s.indices and d.chance(30) else comparison


# ---------------------------------------------------------------- statements that write


def place(d: Draw, s: Scope) -> tuple[str, Shape]:
    """A target of an assignment: a subscript of an array or view."""
    text, shape = view(d, s, 1)
    inner, left = subscript(d, s, shape)
    return f"{text}[{inner}]", left


def store(d: Draw, s: Scope) -> list[str]:
    text, shape = place(d, s)
    return [f"{text} = {stored(d, s, shape)}"]


def augmented(d: Draw, s: Scope, text: str, shape: Shape) -> list[str]:
    value = stored(d, s, shape)
    right = {
        "+=": value, "-=": value, "*=": f"np.cos({value})", "/=": f"1.5 + ({value}) ** 2",
        "**=": "2",
    }  # fmt: skip
    sign = d.one(["+=", "+=", "-=", "*=", "*=", "/=", "**="])
    return [f"{text} {sign} {right[sign]}"]


def augmented_store(d: Draw, s: Scope) -> list[str]:
    return augmented(d, s, *place(d, s))


def augmented_whole(d: Draw, s: Scope) -> list[str]:
    name = d.one(list(s.arrays))
    return augmented(d, s, name, s.arrays[name])


def masked(d: Draw, s: Scope) -> list[str]:
    text, shape = view(d, s, 1)
    other = of_shape(d, s, shape) or text
    mask = f"{other} > {d.one(['0.1', '0.4', '-0.3'])}"
    value = d.one([number(d, s), f"({values(d, s, shape, 1)})[{mask}]"])
    if d.chance(50):
        return [f"{text}[{mask}] = np.sin({value})"]
    return [f"{text}[{mask}] {d.one(['+=', '*=', '-='])} np.cos({value})"]


def gathered(d: Draw, s: Scope) -> list[str]:
    """Integer arrays as indices, with and without repeats, and `np.add.at`."""
    text, shape = view(d, s, 1)
    count = d.one([2, 3])
    rows = [d.random.randrange(-shape[0], shape[0]) for _ in range(count)]
    spelled = d.one([str(rows), f"np.array({rows})"])
    value = f"np.sin({d.one([number(d, s), values(d, s, (count, *shape[1:]), 1)])})"
    forms = [
        f"{text}[{spelled}] = {value}", f"{text}[{spelled}] += {value}",
        f"{text}[{spelled}] *= {value}", f"np.add.at({text}, {spelled}, {value})",
        f"np.subtract.at({text}, {spelled}, {value})",
    ]  # fmt: skip
    return [d.one(forms)]


def through_function(d: Draw, s: Scope) -> list[str]:
    """Methods and functions that write."""
    text, shape = view(d, s, 1)
    one, two = (values(d, s, shape, 1) for _ in range(2))
    forms = [
        f"{text}.fill({number(d, s)})", f"np.copyto({text}, {one})", f"np.sin({one}, out={text})",
        f"np.multiply({one}, np.cos({two}), out={text})", f"np.add({one}, {two}, {text})",
        f"{text}.sort(axis=0)", f"np.copyto({text}, {one}, where={two} > 0.1)",
    ]  # fmt: skip
    return [d.one(forms)]


def swap(d: Draw, s: Scope) -> list[str]:
    """Swap two names, two elements, or two rows."""
    name = d.one(list(s.arrays))
    alike = [n for n in s.arrays if s.arrays[n] == s.arrays[name] and n != name]
    if alike and d.chance(50):
        other = d.one(alike)
        return [f"{name}, {other} = {other}, {name}"]
    i, j = (index(d, s, s.arrays[name][0]) for _ in range(2))
    if len(s.arrays[name]) == 2 and d.chance(50):
        return [f"{name}[[{i}, {j}]] = {name}[[{j}, {i}]]"]
    return [f"{name}[{i}], {name}[{j}] = {name}[{j}], {name}[{i}]"]


def call(d: Draw, s: Scope) -> list[str]:
    """A helper that may write into its arguments, and may return one of them."""
    if not s.helpers:
        return store(d, s)
    name, shapes = d.one(s.helpers)
    args = [of_shape(d, s, shape) for shape in shapes]
    if None in args:
        return store(d, s)
    text = f"{name}({', '.join(map(str, args))}, {number(d, s)})"
    return [text] if d.chance(50) else bound(d, s, shapes[0], text)


# ---------------------------------------------------------------- statements that bind


def target_name(d: Draw, s: Scope, shape: Shape) -> str:
    """A name to bind; one from before the block keeps its shape."""
    return d.one([n for n in NAMES if n not in s.kept or s.arrays.get(n) == shape])


def fresh_array(d: Draw, s: Scope) -> list[str]:
    shape = d.one(SHAPES)
    text = values(d, s, shape)
    text = d.one([f"{text} * 1.0", f"np.zeros({shape})", f"np.ones({shape})", f"np.array({text})"])
    return bound(d, s, shape, text)


def bound(d: Draw, s: Scope, shape: Shape, text: str) -> list[str]:
    name = target_name(d, s, shape)
    s.arrays[name] = shape
    return [f"{name} = {text}"]


def alias(d: Draw, s: Scope) -> list[str]:
    """Another name of an array, or of a view of it."""
    text, shape = view(d, s)
    if shape == (4,) and d.chance(15):
        return bound(d, s, (2, 2), f"{text}.reshape(2, 2)")
    if d.chance(8):
        return bound(d, s, (int(np.prod(shape)),), f"{text}.ravel()")
    return bound(d, s, shape, text)


def in_a_tuple(d: Draw, s: Scope) -> list[str]:
    """An array reached through a tuple or list."""
    texts = [view(d, s) for _ in range(2)]
    k = d.one([0, 1])
    shape = texts[k][1]
    i = ", ".join(index(d, s, n) for n in shape)
    display = d.one(["pair = ({}, {})", "pair = [{}, {}]"]).format(*(t for t, _ in texts))
    return [display, f"pair[{k}][{i}] {d.one(['=', '+=', '*='])} np.sin({number(d, s)})"]


def scalar(d: Draw, s: Scope) -> list[str]:
    name = d.one(FLOATS)
    value = f"np.sin({number(d, s)})"
    sign = d.one(["=", "+=", "*="]) if name in s.floats else "="
    s.floats.add(name)
    return [f"{name} {sign} {value}"]


# ---------------------------------------------------------------- blocks


def branch(d: Draw, s: Scope) -> list[str]:
    then, orelse = s.inner(), s.inner()
    lines = [f"if {test(d, s)}:", *indented(block(d, then))]
    if d.chance(50):
        lines += ["else:", *indented(block(d, orelse))]
    return lines


def leaving(d: Draw, s: Scope) -> list[str]:
    if s.loops and d.chance(60):
        exit_ = d.one(["break", "continue"])
    elif s.returns:
        exit_ = f"return {total(d, s)}"
    else:
        return store(d, s)
    inside = s.inner()
    lines = block(d, inside) if d.chance(30) else []
    return [f"if {test(d, s)}:", *indented([*lines, exit_])]


def loop(d: Draw, s: Scope) -> list[str]:
    return d.one([counted, counted, rows, double_buffer, conditional])(d, s)


def counted(d: Draw, s: Scope) -> list[str]:
    name = d.fresh("i")
    count = d.one(["3", "2", "1, 4", "3, 0, -1", "n", "n + 1", f"len({d.one(list(s.arrays))})"])
    return [f"for {name} in range({count}):", *body(d, s, (name,))]


def body(d: Draw, s: Scope, indices: tuple[str, ...] = (), **arrays: Shape) -> list[str]:
    inside = s.inner(1, indices)
    inside.arrays.update(arrays)
    return indented(block(d, inside))


def rows(d: Draw, s: Scope) -> list[str]:
    """A loop over the rows of a matrix, which are views of it."""
    tables = [n for n, shape in s.arrays.items() if len(shape) == 2]
    if not tables:
        return counted(d, s)
    table, name = d.one(tables), d.fresh("r")
    shape = s.arrays[table][1:]
    if d.chance(40):
        i = d.fresh("i")
        return [f"for {i}, {name} in enumerate({table}):", *body(d, s, (i,), **{name: shape})]
    return [f"for {name} in {table}:", *body(d, s, **{name: shape})]


def double_buffer(d: Draw, s: Scope) -> list[str]:
    first, second, i = d.fresh("p"), d.fresh("q"), d.fresh("i")
    source = d.one(list(s.arrays))
    shape = s.arrays[source]
    lines = [f"{first} = {source} * 1.0", f"{second} = np.zeros({shape})"]
    inside = s.inner(1, (i,))
    inside.arrays |= {first: shape, second: shape}
    step = [f"{second}[...] = np.sin({values(d, inside, shape, 1)} + {first})"]
    extra = block(d, inside) if d.chance(50) else []
    swapped = f"{first}, {second} = {second}, {first}"
    lines += [f"for {i} in range({d.one(['n', '2', '3'])}):", *indented([*step, *extra, swapped])]
    s.arrays[first] = shape
    return lines


def conditional(d: Draw, s: Scope) -> list[str]:
    counter = d.fresh("j")
    head = f"while {counter} < 3 and {test(d, s)}:"
    return [f"{counter} = 0", head, f"    {counter} += 1", *body(d, s, (counter,))]


SIMPLE: list[Callable[[Draw, Scope], list[str]]] = [
    store, augmented_store, store, augmented_store, augmented_whole, masked, gathered, alias,
    through_function, swap, call, scalar, fresh_array, alias, in_a_tuple, leaving,
]  # fmt: skip
STATEMENTS = [*SIMPLE, branch, loop, branch, loop, loop]


def block(d: Draw, s: Scope) -> list[str]:
    lines: list[str] = []
    for _ in range(d.one([2, 1, 3, 2])):
        deep = s.blocks >= 4 or s.loops >= 2 or d.budget <= 0
        d.budget -= 1
        lines += d.one(SIMPLE if deep else STATEMENTS)(d, s)
    return lines


# ---------------------------------------------------------------- functions


def total(d: Draw, s: Scope) -> str:
    """A number to which several arrays contribute."""
    names = d.random.sample(list(s.arrays), min(len(s.arrays), d.one([2, 3, 4])))
    weighed = [f"np.sum({n} * {d.one(['0.5', '1.5', 'np.cos(' + n + ')'])})" for n in names]
    return " + ".join([*weighed, *sorted(s.floats)])


def helper(d: Draw) -> tuple[list[str], tuple[str, tuple[Shape, ...]]]:
    """A function that writes into its arguments."""
    shapes = tuple(d.one([(4,), (3,), (3, 4)]) for _ in range(d.one([1, 2])))
    name, params = d.fresh("change"), ["p", "q"][: len(shapes)]
    s = Scope(dict(zip(params, shapes, strict=True)), {"k"}, returns=False, blocks=2)
    s.kept = frozenset(params)
    lines = block(d, s)
    result = d.one(["p", "p", "p * 1.0"])
    head = f"def {name}({', '.join(params)}, k):"
    return [head, "    n = 2", *indented([*lines, f"return {result}"])], (name, shapes)


def program(random: Random, budget: int = 9) -> Program:
    """A random program; the same `random` gives the same program."""
    d = Draw(random, budget, ())
    made = [helper(d) for _ in range(d.one([0, 0, 1, 2]))]
    d.budget = budget
    shapes = {"x": d.one([(4,), (3, 4)]), "m": d.one([(4,), (3, 4), (3,)])}
    if d.chance(50):
        del shapes["m"]
    s = Scope(dict(shapes), {"c"}, helpers=[signature for _, signature in made])
    start = [f"y = {d.one(['x * 1.0', 'x.copy()', 'np.sin(x)'])}"] if d.chance(70) else []
    if start:
        s.arrays["y"] = shapes["x"]
    lines = [*start, *(line for _ in range(d.one([1, 2, 3])) for line in block(d, s))]
    head = f"def f({', '.join(shapes)}, c, n):"
    texts = ["\n".join(text) for text, _ in made]
    texts.append("\n".join([head, *indented([*lines, f"return {total(d, s)}"])]))
    source = ast.unparse(ast.parse("\n".join(texts))) + "\n"
    args, others = (
        (*(argument(d, shape) for shape in shapes.values()), c, d.one([2, 0, 3, 1]))
        for c in (0.83, -0.41)
    )
    return Program(source, args, may_be_refused=True, elsewhere=others)


def argument(d: Draw, shape: Shape) -> np.ndarray:
    count = int(np.prod(shape))
    numbers = [d.random.randrange(-180, 181) / 100 + d.random.random() / 100 for _ in range(count)]
    return np.array(numbers).reshape(shape)
