"""Statements of random programs that assign: each writes lines and keeps account of the names."""

from tests.random_programs.drawing import (
    Draw,
    Scope,
    assigned_expression,
    expression,
    names_of,
)
from tests.random_programs.structures import VALUES
from tests.random_programs.templates import NAMES


def target(d: Draw, s: Scope, kind: str) -> str:
    """A name to assign: often one that is overwritten, also by another kind where that is safe.

    Functions get new names, or one might come to call itself.
    """
    if kind == "fn":
        return d.fresh("fn")
    allowed = [
        name for name in (*s.names, *NAMES)
        if name not in s.closed and (name not in s.fixed or s.names.get(name) == kind)
    ]  # fmt: skip
    reused = [name for name in allowed if s.names.get(name) == kind]
    return d.one(reused) if reused and d.chance(50) else d.one(allowed)


def assignment(d: Draw, s: Scope) -> list[str]:
    kind = d.kind(VALUES)
    value = assigned_expression(d, s, kind)
    name = target(d, s, kind)
    s.names[name] = kind
    return [f"{name} = {value}"]


def chained_assignment(d: Draw, s: Scope) -> list[str]:
    kind = d.kind(VALUES)
    value = assigned_expression(d, s, kind)
    names = [target(d, s, kind) for _ in range(2)]
    s.names.update(dict.fromkeys(names, kind))
    return [f"{' = '.join(names)} = {value}"]


def augmented_assignment(d: Draw, s: Scope) -> list[str]:
    names = [n for n, kind in s.names.items() if kind == "float" and n not in s.closed]
    if not names:
        return assignment(d, s)
    name, value = d.one(names), assigned_expression(d, s, "float")
    operator = d.one(["+=", "-=", "*=", "/="])
    return [f"{name} {operator} {f'1.6 + ({value}) ** 2' if operator == '/=' else value}"]


def tuple_assignment(d: Draw, s: Scope) -> list[str]:
    kinds = [d.kind(VALUES) for _ in range(2)]
    values = [assigned_expression(d, s, kind) for kind in kinds]
    names = [target(d, s, kind) for kind in kinds]
    if names[0] == names[1]:
        return assignment(d, s)
    s.names.update(zip(names, kinds, strict=True))
    return [f"{', '.join(names)} = {', '.join(values)}"]


def swap(d: Draw, s: Scope) -> list[str]:
    kind = d.kind(["float", *VALUES[:-1]])
    names = [n for n, of_kind in s.names.items() if of_kind == kind and n not in s.closed]
    if len(names) < 2:
        return assignment(d, s)
    left = d.random.sample(names, min(len(names), d.one([2, 3])))
    return [f"{', '.join(left)} = {', '.join(left[1:] + left[:1])}"]


def unpacking(d: Draw, s: Scope) -> list[str]:
    value = expression(d, s, "pair", 2)
    names = [target(d, s, "float") for _ in range(2)]
    if names[0] == names[1]:
        return assignment(d, s)
    s.names.update(dict.fromkeys(names, "float"))
    return [f"{', '.join(names)} = {value}"]


def walrus(d: Draw, s: Scope) -> list[str]:
    value, inner = assigned_expression(d, s, "float"), d.fresh("w")
    name = target(d, s, "float")
    s.names.update({name: "float", inner: "float"})
    return [f"{name} = ({inner} := {value}) * np.cos({inner})"]


def starred(d: Draw, s: Scope) -> list[str]:
    values = ", ".join(assigned_expression(d, s, "float") for _ in range(d.one([3, 2, 4])))
    name, rest = target(d, s, "float"), d.fresh("rest")
    s.names[name] = "float"
    return [d.one([f"{name}, *{rest} = ({values})", f"*{rest}, {name} = [{values}]"])]


def checking(d: Draw, s: Scope) -> list[str]:
    """What is never so, or the program says nothing."""
    value = expression(d, s, "float", 1)
    if d.chance(50):
        shown = d.one(names_of(s, "float") or ["1.0"])
        return [f"assert {value} < 1e9, f'too large: {{{shown}}}'"]
    return [f"if {value} > 1e9:", f"    raise OverflowError('large', {value})"]
