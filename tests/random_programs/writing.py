"""The statements that write into arrays, in every way that NumPy has.

What is stored in a loop is squashed, so that values stay tame.
"""

from collections.abc import Callable

from tests.random_programs.drawing import Draw, indented
from tests.random_programs.places import (
    Scope,
    Shape,
    condition,
    index,
    mask_of,
    number,
    of_shape,
    stored,
    subscript,
    values,
    view,
)

Statement = Callable[[Draw, Scope], list[str]]


def place(d: Draw, s: Scope) -> tuple[str, Shape]:
    """A target of an assignment: a subscript of an array or view."""
    text, shape = view(d, s, 1)
    inner, left = subscript(d, s, shape)
    return f"{text}[{inner}]", left


def store(d: Draw, s: Scope) -> list[str]:
    text, shape = place(d, s)
    if d.chance(12):
        other, second = place(d, s)
        return [f"{text}, {other} = {stored(d, s, shape)}, {stored(d, s, second)}"]
    return [f"{text} = {stored(d, s, shape)}"]


def augmented(d: Draw, s: Scope, text: str, shape: Shape) -> list[str]:
    value = stored(d, s, shape)
    if len(shape) == 2 and shape[1] == 2 and d.chance(30):
        return [f"{text} @= np.sin({values(d, s, (2, 2), 1)})"]
    positive = f"1.5 + ({value}) ** 2"
    right = {
        "+=": value, "-=": value, "*=": f"np.cos({value})", "/=": positive, "**=": "2",
        "%=": positive, "//=": positive,
    }  # fmt: skip
    sign = d.one(["+=", "+=", "-=", "*=", "*=", "/=", "**=", d.one(["+=", "*=", "%=", "//="])])
    return [f"{text} {sign} {right[sign]}"]


def augmented_store(d: Draw, s: Scope) -> list[str]:
    return augmented(d, s, *place(d, s))


def augmented_whole(d: Draw, s: Scope) -> list[str]:
    name = d.one(bindable(s, list(s.arrays)))
    return augmented(d, s, name, s.arrays[name])


def bindable(s: Scope, names: list[str]) -> list[str]:
    """The names and items that may be bound anew."""
    return [name for name in names if name.isidentifier() or name in s.items]


def masked(d: Draw, s: Scope) -> list[str]:
    text, shape = view(d, s, 1)
    sign = d.one(["=", "=", "+=", "*=", "-="])
    if len(shape) == 2 and d.chance(40):
        rows, column = mask_of(d, s, shape[:1]), index(d, s, shape[1])
        rows, column = d.one([(rows, ""), (rows, f", {column}"), (rows, ", ::-1")])
        return [f"{text}[{rows}{column}] {sign} np.cos({number(d, s)})"]
    mask = mask_of(d, s, shape)
    value = d.one([number(d, s), f"({values(d, s, shape, 1)})[{mask}]"])
    return [f"{text}[{mask}] {sign} np.cos({value})"]


def picks(d: Draw, s: Scope, n: int) -> tuple[str, int]:
    """An array of integers that are places along an axis, some of them twice; how many."""
    if s.places and d.chance(60):
        name = d.one(sorted(s.places))
        return f"{name} % {n}", s.places[name]
    if s.indices and d.chance(30):
        return f"np.array([{index(d, s, n)}, {index(d, s, n)}])", 2
    rows = [d.random.randrange(-n, n) for _ in range(d.one([2, 3]))]
    return d.one([str(rows), f"np.array({rows})"]), len(rows)


def gathered(d: Draw, s: Scope) -> list[str]:
    """Integer arrays as indices, with and without repeats, `np.add.at` and `np.put`."""
    text, shape = view(d, s, 1)
    if len(shape) == 2 and d.chance(40):
        return gathered_across(d, s, text, shape)
    at, count = picks(d, s, shape[0])
    value = gathered_value(d, s, (count, *shape[1:]))
    forms = [f"{text}[{at}] {sign} {value}" for sign in ("=", "+=", "*=", "-=")]
    forms += [f"np.{f}.at({text}, {at}, {value})" for f in ("add", "add", "subtract")]
    if len(shape) == 1:
        forms.append(f"np.put({text}, {at}, {value})")
    return [d.one(forms)]


def gathered_across(d: Draw, s: Scope, text: str, shape: Shape) -> list[str]:
    """Integer arrays beside other indices."""
    across, count = picks(d, s, shape[1])
    rows = [d.random.randrange(shape[0]) for _ in range(count)]
    inner, named = d.one([
        (f":, {across}", (shape[0], count)), (f"{index(d, s, shape[0])}, {across}", (count,)),
        (f"{rows}, {across}", (count,)), (f"np.ix_([0, -1], {across})", (2, count)),
    ])  # fmt: skip
    return [f"{text}[{inner}] {d.one(['=', '+=', '*='])} {gathered_value(d, s, named)}"]


def gathered_value(d: Draw, s: Scope, shape: Shape) -> str:
    return f"np.sin({d.one([number(d, s), values(d, s, shape, 1)])})"


def through_function(d: Draw, s: Scope) -> list[str]:
    """Methods and functions that write."""
    text, shape = view(d, s, 1)
    one, two = (values(d, s, shape, 1) for _ in range(2))
    mask = mask_of(d, s, shape)
    forms = [
        f"{text}.fill({number(d, s)})", f"np.copyto({text}, {one})", f"np.sin({one}, out={text})",
        f"np.multiply({one}, np.cos({two}), out={text})", f"np.add({one}, {two}, {text})",
        f"{text}.sort(axis={d.one([0, -1])})", f"np.copyto({text}, {one}, where={mask})",
        f"np.add({one}, {two}, out={text}, where={mask})", f"np.maximum({one}, {two}, out={text})",
        f"np.putmask({text}, {mask}, {one})", f"np.cumsum({one}, axis=0, out={text})",
        f"np.place({text}, {mask}, {number(d, s)})", f"np.clip({one}, -0.6, 0.9, out={text})",
    ]  # fmt: skip
    if len(shape) == 1:
        table = values(d, s, (shape[0], 4), 0)
        forms += [
            f"np.einsum('ij,j->i', {table}, {values(d, s, (4,), 0)}, out={text})",
            f"np.sum({table}, axis=1, out={text})", f"{text}[:] = ({one})[::-1]",
            f"np.matmul({table}, {values(d, s, (4,), 0)}, out={text})",
        ]  # fmt: skip
    if len(shape) == 2:
        row, column = values(d, s, shape[1:], 0), values(d, s, shape[:1], 0)
        forms += [
            f"np.fill_diagonal({text}, {number(d, s)})", f"np.multiply({one}, {row}, out={text})",
            f"np.einsum('i,j->ij', {column}, {row}, out={text})",
            f"np.einsum('ij->ij', {one}, out={text})",
        ]  # fmt: skip
    return [d.one(forms)]


def swap(d: Draw, s: Scope) -> list[str]:
    """Swap two names, two elements, two parts, two rows or two columns."""
    name = d.one(list(s.arrays))
    shape = s.arrays[name]
    alike = [n for n in s.arrays if s.arrays[n] == shape and n != name]
    if alike and d.chance(40):
        return exchanged(d, s, name, alike)
    i, j = (index(d, s, shape[0]) for _ in range(2))
    held = d.fresh("t")
    forms = [
        [f"{name}[{i}], {name}[{j}] = {name}[{j}], {name}[{i}]"],
        [f"{name}[:-1], {name}[1:] = {name}[1:], {name}[:-1] * 1.0"],
        [f"{held} = {name}[{i}].copy()", f"{name}[{i}] = {name}[{j}]", f"{name}[{j}] = {held}"],
        [f"{name}[[{i}, {j}]] = {name}[[{j}, {i}]]"],
    ]
    if len(shape) == 2:
        k, n = (index(d, s, shape[1]) for _ in range(2))
        forms += [
            [f"{name}[:, [{k}, {n}]] = {name}[:, [{n}, {k}]]"],
            [f"{name}[:, {k}], {name}[:, {n}] = {name}[:, {n}].copy(), {name}[:, {k}].copy()"],
        ]
    return d.one(forms)


def exchanged(d: Draw, s: Scope, name: str, alike: list[str]) -> list[str]:
    """Names, or what they hold, go round."""
    others = d.random.sample(alike, min(len(alike), d.one([1, 1, 2])))
    names = [name, *others]
    if d.chance(70) and bindable(s, names) == names:
        return [f"{', '.join(names)} = {', '.join([*others, name])}"]
    return [f"{name}[...], {others[0]}[...] = {others[0]}.copy(), {name}.copy()"]


def changed_places(d: Draw, s: Scope) -> list[str]:
    """Arrays of integers and of truth values, which change in place too."""
    if s.places and d.chance(35):
        name = d.one(sorted(s.places))
        forms = ["{n} += 1", "{n}[0] = 1", "{n}[:] = {n}[::-1] * 1", "{n} //= 2", "{n}[1:] *= 2"]
        return [d.one(forms).format(n=name)]
    if s.masks and d.chance(35):
        name = d.one(sorted(s.masks))
        other = mask_of(d, s, s.masks[name])
        return [d.one([f"{name} &= {other}", f"{name} |= {other}", f"{name}[0] = False"])]
    if d.chance(50):
        name = d.fresh("at")
        rows = [d.random.randrange(4) for _ in range(d.one([2, 3, 4]))]
        s.places[name] = len(rows)
        made = d.one([f"np.array({rows})", f"np.arange({len(rows)})"])
        return [f"{name} = {made}"]
    _, shape = view(d, s, 1)
    name = d.fresh("mask")
    mask = mask_of(d, s, shape)
    s.masks[name] = shape
    return [f"{name} = {mask}" if mask[0] == "(" else f"{name} = {mask}.copy()"]


def swept(d: Draw, s: Scope) -> list[str]:
    """A loop that writes elements or rows of an array that it also reads as a whole, or in an inner
    loop: what is overwritten is needed to undo the writes."""
    name, i = d.one(list(s.arrays)), d.fresh("i")
    shape = s.arrays[name]
    inside = s.inner(1, (i,))
    inside.kept |= {name}
    lines: list[str] = []
    for _ in range(d.one([1, 1, 2, 3])):
        step = swept_place(d, inside, name, shape, i)
        if d.chance(30):
            step = [f"if {condition(d, inside)}:", *indented(step)]
            if d.chance(40):
                step += ["else:", *indented(swept_place(d, inside, name, shape, i))]
        lines += step
    ends = d.one([f"range(len({name}))", "range(n)", "range(2)", f"range(len({name}) - 1, -1, -1)"])
    return [f"for {i} in {ends}:", *indented(lines)]


def swept_place(d: Draw, s: Scope, name: str, shape: Shape, i: str) -> list[str]:
    """Write one place of an array with what is computed from all of it."""
    place = f"{name}[{', '.join(index(d, s, n) for n in shape)}]"
    if d.chance(25) and len(shape) > 1:
        place = f"{name}[{index(d, s, shape[0])}]"
    other = of_shape(d, s, shape) or name
    read = d.one([
        f"np.sum(np.sin({name}) * {other})", f"np.sum({name} * {name})", f"np.mean({name} ** 3)",
        f"np.sum({name} * {other}) * {place}", f"np.sum(np.cos({name}[::-1])) + {place}",
    ])  # fmt: skip
    sign, squashed = d.one([("=", "sin"), ("=", "sin"), ("*=", "cos"), ("+=", "sin")])
    if d.chance(70):
        return [f"{place} {sign} np.{squashed}({read})"]
    j, t = d.fresh("j"), d.fresh("t")
    element = f"{name}[{', '.join([f'{j} % {n}' for n in shape])}]"
    inner = [f"{t} = {number(d, s, 0)}", f"for {j} in range({shape[0]}):"]
    inner += [f"    {t} += {d.one([f'np.sin({element})', f'{element} * {place}'])}"]
    return [*inner, f"{place} {sign} np.{squashed}({t})"]


WRITES: list[Statement] = [
    store, augmented_store, store, augmented_store, augmented_whole, masked, gathered,
    through_function, swap,
]  # fmt: skip
