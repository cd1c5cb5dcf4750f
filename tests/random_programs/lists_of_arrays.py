"""Lists that hold the arrays of another list, and lists of arrays of different lengths."""

from tests.random_programs.drawing import Draw, indented
from tests.random_programs.places import Scope, Shape, number


def sharing(d: Draw, s: Scope, name: str, shape: Shape) -> list[str]:
    """Another list of the same arrays, or a name that a loop leaves bound to one of them."""
    item = d.fresh("r")
    if d.chance(40):
        left = d.fresh("p")
        first = d.one([f"{name}[0]", f"{name}[-1] * 1.0"])
        turn = d.one([f"{left} = {item}", f"{left} = {item}", f"{left}, {item} = {item}, {left}"])
        test = [f"if np.sum({item}) > {number(d, s)}:"] if d.chance(30) else []
        inner = [*test, *indented([turn])] if test else [turn]
        s.arrays[left] = shape
        return [f"{left} = {first}", f"for {item} in {name}:", *indented(inner)]
    other = d.fresh("also")
    s.arrays |= {f"{other}[0]": shape, f"{other}[-1]": shape}
    s.items |= {f"{other}[0]", f"{other}[-1]"}
    if d.chance(30):
        grown = [f"{other}.append({item})"]
        return [f"{other} = []", f"for {item} in {name}:", *indented(grown)]
    forms = ["{}[::-1]", "list({})", "{}.copy()", "{}[:]", "[q for q in {}]"]
    forms += ["[q for q in reversed({})]", "list(tuple({}))"]
    return [f"{other} = {d.one(forms).format(name)}"]


def ragged(d: Draw, s: Scope) -> list[str]:
    """Arrays of one element and more, which broadcast against each other."""
    long = [n for n, shape in s.arrays.items() if len(shape) == 1 and shape[0] > 1]
    total = d.fresh("t")
    if not long:
        value, s.floats = number(d, s), s.floats | {total}
        return [f"{total} = np.sin({value})"]
    text, name, i, item = d.one(long), d.fresh("ragged"), d.fresh("i"), d.fresh("r")
    made = f"{text}[:{i} % {s.arrays[text][0]} + 1] * {number(d, s)}"
    lines = [f"{name} = [{made} for {i} in range(n + 1)]"]
    if d.chance(40):
        lines = [f"{name} = []", f"for {i} in range(n + 1):", *indented([f"{name}.append({made})"])]
    value = f"np.sin({number(d, s)})"
    change = d.one([
        f"{item} *= {value}", f"{item}[0] = {value}", f"{item} += {name}[0] * {value}",
        f"{item}[...] = np.sin({item}) * {value}",
    ])  # fmt: skip
    if d.chance(50):
        lines += [f"for {item} in {name}:", *indented([change])]
    forms = [
        f"np.sum({name}[0] * {name}[-1])", f"sum(np.sum({name}[0] * q * q) for q in {name})",
        f"sum(np.sum(p * {name}[0] + q[:1]) for p, q in zip({name}, {name}[::-1]))",
    ]  # fmt: skip
    s.floats.add(total)
    return [*lines, f"{total} = {d.one(forms)}"]
