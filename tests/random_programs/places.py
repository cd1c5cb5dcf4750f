"""Places in arrays, and what may be computed from them: the expressions of programs that write
into arrays.

A place is an array or a view, as text, with its shape; an expression is written for a shape.
"""

from dataclasses import dataclass, field, replace

from tests.random_programs.drawing import Draw

Shape = tuple[int, ...]
SHAPES: list[Shape] = [(4,), (4,), (3, 4), (3,), (2, 2)]


@dataclass(slots=True)
class Scope:
    """What the block being written may use."""

    arrays: dict[str, Shape]  # names, and items of lists, dicts and objects
    floats: set[str] = field(default_factory=set)
    points: set[str] = field(default_factory=set)  # arrays without axes, among the floats
    indices: set[str] = field(default_factory=set)
    places: dict[str, int] = field(default_factory=dict)  # arrays of integers, with their lengths
    masks: dict[str, Shape] = field(default_factory=dict)
    items: set[str] = field(default_factory=set)  # arrays in structures, which may be replaced
    helpers: list[tuple[str, tuple[Shape, ...]]] = field(default_factory=list)
    preludes: dict[str, str] = field(default_factory=dict)  # what stands before the function
    kept: frozenset[str] = frozenset()  # names of arrays that keep their shape
    loops: int = 0
    blocks: int = 0
    returns: bool = True  # whether a return of a number may stand here

    def inner(self, loops: int = 0, indices: tuple[str, ...] = ()) -> "Scope":
        return replace(
            self, arrays=dict(self.arrays), floats=set(self.floats), points=set(self.points),
            places=dict(self.places), masks=dict(self.masks), items=set(self.items),
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
        if d.chance(4):
            texts.append(d.one(["None", "np.newaxis"]))
            left.append(1)
        if d.chance(45):
            texts.append(index(d, s, n))
            continue
        text, count = (":", n) if d.chance(25) else part(d, n)
        texts.append(text)
        left.append(count)
    if len(shape) > 1 and d.chance(25):
        text, count = part(d, shape[0])
        first, kept = d.one([(index(d, s, shape[0]), []), (text, [count])])
        return first + d.one(["", "", ", ..."]), (*kept, *shape[1:])
    if len(shape) > 1 and d.chance(8):
        return f"..., {index(d, s, shape[-1])}", shape[:-1]
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
        if d.chance(30):
            text, shape = turned(d, text, shape)
            continue
        inner, left = subscript(d, s, shape)
        if left:
            text, shape = f"{text}[{inner}]", left
    return text, shape


def turned(d: Draw, text: str, shape: Shape) -> tuple[str, Shape]:
    """A view of all elements."""
    if len(shape) == 2 and d.chance(75):
        swapped = [f"{text}.T", f"{text}.T", f"{text}.swapaxes(0, 1)", f"np.transpose({text})"]
        return d.one(swapped), shape[::-1]
    longer = [(f"np.expand_dims({text}, 0)", (1, *shape)), (f"np.atleast_1d({text})", shape)]
    return d.one([(f"np.flip({text}, 0)", shape), (f"{text}[...]", shape), *longer])


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
        f"({left}).copy()", f"np.cumsum({left}, axis=0)", f"np.roll({left}, 1, axis=0)",
        f"({left} + {values(d, s, shape[1:], 0)})",
    ]  # fmt: skip
    read = [p for p, count in s.places.items() if count == shape[0]]
    forms += [f"({left})[{p} % {shape[0]}]" for p in sorted(read)]
    return d.one(forms)


def stored(d: Draw, s: Scope, shape: Shape) -> str:
    """What is written into a place: of its shape, or spread over it."""
    if len(shape) == 2 and d.chance(40):
        row, column = values(d, s, shape[1:], 1), values(d, s, shape[:1], 1)
        text = d.one([number(d, s), row, row, f"({row})[None]", f"({column})[:, None]"])
    else:
        text = values(d, s, () if d.chance(20) else shape)
    return f"np.sin({text})" if s.loops or d.chance(40) else text


def condition(d: Draw, s: Scope) -> str:
    comparison = f"{number(d, s)} > {d.one(['0.3', '-0.2', '0.0'])}"
    return f"{d.one(sorted(s.indices))} % 2 == 0" if s.indices and d.chance(30) else comparison


def mask_of(d: Draw, s: Scope, shape: Shape) -> str:
    """An expression for an array of truth values."""
    names = [name for name, found in s.masks.items() if found == shape]
    if names and d.chance(50):
        return d.one(["", "~"]) + d.one(sorted(names))
    other = of_shape(d, s, shape)
    return f"({other or f'np.zeros({shape})'} > {d.one(['0.1', '0.4', '-0.3'])})"
