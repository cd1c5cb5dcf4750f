"""The grammar of random programs that write into arrays.

A few arrays of small, known shapes share memory through names, views, lists, dicts, objects and
calls; the statements (`writing.py`) write into them in every way that NumPy has.
"""

import ast
from dataclasses import replace
from random import Random

import numpy as np

from tests.random_programs.drawing import Draw, Program, indented
from tests.random_programs.lists_of_arrays import ragged, sharing
from tests.random_programs.places import (
    SHAPES,
    Scope,
    Shape,
    condition,
    index,
    number,
    of_shape,
    values,
    view,
)
from tests.random_programs.writing import (
    WRITES,
    Statement,
    augmented_store,
    changed_places,
    gathered,
    masked,
    store,
    swept,
    through_function,
)

NAMES = ["y", "z", "u", "v", "w", "a", "b", "bx", "t", "row", "old", "new", "by", "dx"]
FLOATS = ["s", "c", "total", "k"]
FLAT = ["ravel()", "reshape(-1)", "flatten()"]
BOX = """
class Box:
    def __init__(self, p, q):
        self.p = p
        self.q = q

    def change(self, k):
        self.p += k
        self.q[0] *= np.cos(k)
        return self.p
"""

# ---------------------------------------------------------------- statements that bind


def target_name(d: Draw, s: Scope, shape: Shape) -> str:
    """A name to bind, or an item; one from before the block keeps its shape."""
    items = [n for n in sorted(s.items) if s.arrays[n] == shape]
    return d.one([*(n for n in NAMES if n not in s.kept or s.arrays.get(n) == shape), *items])


def fresh_array(d: Draw, s: Scope) -> list[str]:
    shape = d.one(SHAPES)
    text = values(d, s, shape)
    text = d.one([f"{text} * 1.0", f"np.zeros({shape})", f"np.ones({shape})", f"np.array({text})"])
    return bound(d, s, shape, text)


def bound(d: Draw, s: Scope, shape: Shape, text: str) -> list[str]:
    name = target_name(d, s, shape)
    s.arrays[name] = shape
    second = target_name(d, s, shape) if d.chance(5) else name
    s.arrays[second] = shape
    return [f"{name} = {text}" if second == name else f"{name} = {second} = {text}"]


def alias(d: Draw, s: Scope) -> list[str]:
    """Another name of an array, or of a view of it."""
    text, shape = view(d, s)
    if shape == (4,) and d.chance(15):
        return bound(d, s, (2, 2), f"{text}.reshape(2, 2)")
    if d.chance(8):
        return bound(d, s, (int(np.prod(shape)),), f"{text}.{d.one(FLAT)}")
    other = of_shape(d, s, shape)
    if other and d.chance(10):
        return bound(d, s, shape, f"{text} if {condition(d, s)} else {other}")
    return bound(d, s, shape, text)


def scalar(d: Draw, s: Scope) -> list[str]:
    name = d.one(FLOATS)
    value = f"np.sin({number(d, s)})"
    sign = d.one(["=", "+=", "*="]) if name in s.floats else "="
    s.floats.add(name)
    return [f"{name} {sign} {value}"]


def without_axes(d: Draw, s: Scope) -> list[str]:
    """An array without axes: made, bound to a further name, or changed in place."""
    if not s.points or d.chance(45):
        return another_point(d, s)
    name, value = d.one(sorted(s.points)), f"np.sin({number(d, s)})"
    forms = [f"{name}[...] = {value}", f"{name} += {value}", f"{name}[()] *= {value}"]
    forms += [f"{name}.fill({value})", f"np.cos({value}, out={name})", f"{name} *= {value}"]
    if len(s.points) > 1 and d.chance(25):
        two = d.random.sample(sorted(s.points), 2)
        forms = [f"{two[0]}, {two[1]} = {two[1]}, {two[0]}", f"{two[0]} = {two[1]}"]
    return [d.one(forms)]


def another_point(d: Draw, s: Scope) -> list[str]:
    text, shape = view(d, s)
    element = ", ".join(index(d, s, n) for n in shape)
    made = [f"{text}[{element}, ...]"] * 3 + [f"np.array({number(d, s)})", "np.zeros(())"]
    if s.points:
        old = d.one(sorted(s.points))
        made += [old, f"{old}[...]", f"{old}.copy()"]
        made += [f"{old} if {condition(d, s)} else {d.one(sorted(s.points))}"]
    name = d.fresh("e")
    s.floats.add(name)
    s.points.add(name)
    return [f"{name} = {d.one(made)}"]


# ---------------------------------------------------------------- lists, dicts, objects


def structure(d: Draw, s: Scope) -> list[str]:
    """Two arrays in a tuple, list, dict or object, some of them copied."""
    made = [view(d, s) for _ in range(2)]
    texts = [text + d.one(["", "", " * 1.0", ".copy()"]) for text, _ in made]
    name = d.fresh("held")
    display, items, kept = d.one([
        ("({}, {})", ("[0]", "[1]"), False), ("[{}, {}]", ("[0]", "[-1]"), True),
        ("[{}, {}]", ("[0]", "[1]"), True), ("{{'p': {}, 'q': {}}}", ("['p']", "['q']"), True),
        ("Box({}, {})", (".p", ".q"), True),
    ])  # fmt: skip
    paths = [name + item for item in items]
    s.arrays.update(zip(paths, (shape for _, shape in made), strict=True))
    s.items.update(paths if kept else [])
    lines = [f"{name} = {display.format(*texts)}"]
    if "Box" in display:
        s.preludes["Box"] = BOX
        lines += [f"{name}.change(np.sin({number(d, s)}))"] * d.one([0, 0, 1])
    if "[" in display and made[0][1] == made[1][1] and d.chance(40):
        lines += over_items(d, s, name, made[0][1])
    return lines


def over_items(d: Draw, s: Scope, name: str, shape: Shape) -> list[str]:
    item = d.fresh("r")
    return [f"for {item} in {name}:", *body(d, s, **{item: shape})]


def collected(d: Draw, s: Scope) -> list[str]:
    """A list as long as an argument says, or one of rows."""
    tables = [n for n, shape in s.arrays.items() if len(shape) == 2]
    text, shape = view(d, s)
    name, i = d.fresh("kept"), d.fresh("i")
    lines = [f"{name} = [{text} * {number(d, s)} for {i} in range(n + 1)]"]
    if tables and d.chance(50):
        table = d.one(tables)
        shape = s.arrays[table][1:]
        lines = [f"{name} = [{i} * 1.0 for {i} in {table}]"]
    elif d.chance(40):
        inside = s.inner(1, (i,))
        grown = f"{name}.append(np.sin({values(d, inside, shape, 1)} + {name}[-1]))"
        lines = [f"{name} = [{text} * 1.0]", f"for {i} in range(n):", *indented([grown])]
    s.arrays |= {f"{name}[0]": shape, f"{name}[-1]": shape}
    s.items |= {f"{name}[0]", f"{name}[-1]"}
    lines += sharing(d, s, name, shape) if d.chance(25) else []
    return lines + (over_items(d, s, name, shape) if d.chance(40) else [])


# ---------------------------------------------------------------- calls


def call(d: Draw, s: Scope) -> list[str]:
    """A helper that may write into its arguments, and may return one of them."""
    if not s.helpers:
        return store(d, s)
    name, shapes = d.one(s.helpers)
    args = [of_shape(d, s, shape) for shape in shapes]
    if shapes[0] == shapes[-1] and d.chance(25):
        args = args[:1] * len(args)
    if None in args:
        return store(d, s)
    text = f"{name}({', '.join(map(str, args))}, {number(d, s)})"
    return [text] if d.chance(50) else bound(d, s, shapes[0], text)


def closure(d: Draw, s: Scope) -> list[str]:
    """A nested function that writes into arrays around it, called once or twice."""
    name = d.fresh("change")
    inside = replace(s.inner(), floats=s.floats | {"k"}, returns=False)
    lines = d.one([store, augmented_store, masked, gathered, through_function])(d, inside)
    calls = [f"{name}(np.sin({number(d, s)}))" for _ in range(d.one([1, 1, 2]))]
    return [f"def {name}(k):", *indented(lines), *calls]


# ---------------------------------------------------------------- blocks


def branch(d: Draw, s: Scope) -> list[str]:
    lines: list[str] = []
    for word in ["if", *["elif"] * d.chance(20)]:
        lines += [f"{word} {condition(d, s)}:", *indented(block(d, s.inner()))]
    if d.chance(50):
        lines += ["else:", *indented(block(d, s.inner()))]
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
    return [f"if {condition(d, s)}:", *indented([*lines, exit_])]


def loop(d: Draw, s: Scope) -> list[str]:
    often = [counted, counted, rows, double_buffer, conditional, together, swept, swept]
    return d.one([*often, *often, exchanged])(d, s)


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
    shape = s.arrays[table]
    text, shape = d.one([(table, shape), (table, shape), (f"{table}.T", shape[::-1])])
    if d.chance(40):
        i = d.fresh("i")
        return [f"for {i}, {name} in enumerate({text}):", *body(d, s, (i,), **{name: shape[1:]})]
    return [f"for {name} in {text}:", *body(d, s, **{name: shape[1:]})]


def together(d: Draw, s: Scope) -> list[str]:
    """A loop over two matrices of as many rows, or over two arrays in a display."""
    tables = [n for n, shape in s.arrays.items() if len(shape) == 2]
    first, second = d.fresh("r"), d.fresh("r")
    if not tables:
        name = d.one(list(s.arrays))
        shape = s.arrays[name]
        other = of_shape(d, s, shape) or name
        return [f"for {first} in ({name}, {other}):", *body(d, s, **{first: shape})]
    one, two = d.one(tables), d.one(tables)
    shapes = {first: s.arrays[one][1:], second: s.arrays[two][1:]}
    return [f"for {first}, {second} in zip({one}, {two}):", *body(d, s, **shapes)]


def double_buffer(d: Draw, s: Scope) -> list[str]:
    first, second, i = d.fresh("p"), d.fresh("q"), d.fresh("i")
    source = d.one(list(s.arrays))
    shape = s.arrays[source]
    lines = [f"{first} = {source} * 1.0", f"{second} = np.zeros({shape})"]
    inside = s.inner(1, (i,))
    inside.arrays |= {first: shape, second: shape}
    step = [f"{second}[...] = np.sin({values(d, inside, shape, 1)} + {first})"]
    extra = block(d, inside) if d.chance(50) else []
    swapped = d.one([f"{first}, {second} = {second}, {first}"] * 3 + [f"{first}[:] = {second}"])
    lines += [f"for {i} in range({d.one(['n', '2', '3'])}):", *indented([*step, *extra, swapped])]
    s.arrays[first] = shape
    return lines


def exchanged(d: Draw, s: Scope) -> list[str]:
    """A loop in which two names of arrays, or of parts of one array, go round."""
    first, second, i = d.fresh("p"), d.fresh("q"), d.fresh("i")
    text, shape = view(d, s)
    other = of_shape(d, s, shape) or text
    if shape[0] > 1 and d.chance(35):
        text, other, shape = f"{text}[1:]", f"{text}[:-1]", (shape[0] - 1, *shape[1:])
    inside = s.inner(1, (i,))
    inside.arrays |= {first: shape, second: shape}
    inside.kept |= {first, second}
    lines = [*store(d, replace(inside, arrays={first: shape})), *block(d, inside)]
    lines += [f"{first}, {second} = {second}, {first}"]
    s.arrays |= {first: shape, second: shape}
    ends = d.one(["n", "2", "3"])
    return [f"{first}, {second} = {text}, {other}", f"for {i} in range({ends}):", *indented(lines)]


def conditional(d: Draw, s: Scope) -> list[str]:
    counter = d.fresh("j")
    if d.chance(30):
        exit_ = [f"if {counter} > 3 or {condition(d, s)}:", "    break"]
        lines = [*indented([f"{counter} += 1", *exit_]), *body(d, s, (counter,))]
        return [f"{counter} = 0", "while True:", *lines]
    head = f"while {counter} < 3 and {condition(d, s)}:"
    return [f"{counter} = 0", head, f"    {counter} += 1", *body(d, s, (counter,))]


SIMPLE: list[Statement] = [
    *WRITES, alias, alias, call, scalar, fresh_array, leaving, changed_places, structure,
    collected, closure, without_axes, ragged,
]  # fmt: skip
STATEMENTS = [*SIMPLE, branch, loop, branch, loop, loop, loop]


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


def result(d: Draw, s: Scope) -> str:
    """A number, or a number and an array that others may share."""
    return f"({total(d, s)}, {view(d, s)[0]})" if not s.returns else total(d, s)


def helper(d: Draw, known: list[tuple[str, tuple[Shape, ...]]], preludes: dict[str, str]) -> None:
    """Write a function that writes into its arguments, and may call those that are known."""
    shapes = tuple(d.one([(4,), (3,), (3, 4)]) for _ in range(d.one([1, 2])))
    name, params = d.fresh("change"), ["p", "q"][: len(shapes)]
    s = Scope(dict(zip(params, shapes, strict=True)), {"k"}, returns=False, blocks=2)
    s.kept, s.helpers, s.preludes = frozenset(params), list(known), preludes
    lines = block(d, s)
    last = d.one(["p", "p", "p * 1.0"])
    head = f"def {name}({', '.join(params)}, k):"
    preludes[name] = "\n".join([head, "    n = 2", *indented([*lines, f"return {last}"])])
    known.append((name, shapes))


def program(random: Random, budget: int = 9) -> Program:
    """A random program; the same `random` gives the same program."""
    d = Draw(random, budget, ())
    helpers: list[tuple[str, tuple[Shape, ...]]] = []
    preludes: dict[str, str] = {}
    for _ in range(d.one([0, 0, 1, 2])):
        helper(d, helpers, preludes)
    d.budget = budget
    shapes = {"x": d.one([(4,), (3, 4)]), "m": d.one([(4,), (3, 4), (3,)])}
    if d.chance(50):
        del shapes["m"]
    s = Scope(dict(shapes), {"c"}, helpers=helpers, returns=d.chance(80), preludes=preludes)
    start = [f"y = {d.one(['x * 1.0', 'x.copy()', 'np.sin(x)'])}"] if d.chance(70) else []
    if start:
        s.arrays["y"] = shapes["x"]
    lines = [*start, *(line for _ in range(d.one([1, 2, 3])) for line in block(d, s))]
    head = f"def f({', '.join(shapes)}, c, n):"
    main = "\n".join([head, *indented([*lines, f"return {result(d, s)}"])])
    source = ast.unparse(ast.parse("\n".join([*preludes.values(), main]))) + "\n"
    args, others = (
        (*(argument(d, shape) for shape in shapes.values()), c, d.one([2, 0, 3, 1]))
        for c in (0.83, -0.41)
    )
    return Program(source, args, may_be_refused=True, elsewhere=others)


def argument(d: Draw, shape: Shape) -> np.ndarray:
    count = int(np.prod(shape))
    numbers = [d.random.randrange(-180, 181) / 100 + d.random.random() / 100 for _ in range(count)]
    return np.array(numbers).reshape(shape)
