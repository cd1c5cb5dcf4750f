"""Statements of random programs that hold blocks: branches, loops, `try` and `with`."""

from collections.abc import Iterable

from tests.random_programs.drawing import (
    Draw,
    Scope,
    block,
    expression,
    indented,
)
from tests.random_programs.templates import NAMES


def branch(d: Draw, s: Scope) -> list[str]:
    """`if` with any of `elif` and `else`; what all its arms assign alike is assigned after it."""
    tests = [expression(d, s, "bool", 2) for _ in range(d.one([1, 1, 2, 3]))]
    lines, ends = [], []
    for k, test in enumerate(tests):
        arm = s.inner()
        lines += [f"{'elif' if k else 'if'} {test}:", *indented(block(d, arm))]
        ends.append(arm)
    last = s.inner()
    if d.chance(60):
        lines += ["else:", *indented(block(d, last))]
    ends.append(last)
    _join(s, ends)
    return lines


def _join(s: Scope, ends: list[Scope]) -> None:
    first = ends[0].names.items()
    s.names = {n: k for n, k in first if all(e.names.get(n) == k for e in ends)}


def matching(d: Draw, s: Scope) -> list[str]:
    subject = f"({expression(d, s, 'int', 1)}) % 3"
    lines, ends = [f"match {subject}:"], []
    for pattern in d.one([["0", "1 | 2", "_"], ["2", "k9 if k9 > 0", "_"]]):
        arm = s.inner()
        lines += indented([f"case {pattern}:", *indented(block(d, arm))])
        ends.append(arm)
    _join(s, ends)
    return lines


def enclosed(d: Draw, s: Scope) -> list[str]:
    """Statements that are all run, inside `try` or `with`."""
    form = d.one(["with", "finally", "except", "suppress"])
    before, functions, fixed = dict(s.names), list(s.functions), s.fixed
    if form == "finally":  # it runs wherever the block is left
        s.fixed = s.fixed | set(before)
    lines = indented(block(d, s))
    if len(s.functions) == len(functions):  # else what these read keeps its kind
        s.fixed = fixed
    if form == "with":
        return ["with np.errstate(all='ignore'):", *lines]
    if form == "suppress":
        return ["with contextlib.suppress(KeyError):", *lines]
    if form == "finally":
        known = s.inner(names=before, functions=functions)
        last = f"{d.fresh('end')} = {expression(d, known, 'float', 1)}"
        return ["try:", *lines, "finally:", f"    {last}"]
    return ["try:", *lines, "except (TypeError, KeyError):", "    raise"]


def leaving(d: Draw, s: Scope) -> list[str]:
    """A block under a condition that ends in `return`, `break` or `continue`."""
    exits = ["break", "continue"] * (s.loops > 0) + ["return"] * s.returns
    if not exits:
        return ["pass"]
    test, inside = expression(d, s, "bool", 2), s.inner()
    lines = block(d, inside) if d.chance(40) else []
    exit_ = d.one(exits)
    if exit_ == "return":
        exit_ = f"return {expression(d, inside, s.result, 2)}"
    return [f"if {test}:", *indented([*lines, exit_])]


# ---------------------------------------------------------------- loops


def loop(d: Draw, s: Scope) -> list[str]:
    return d.one([for_range, for_values, for_values, for_items, while_counted])(d, s)


def body_of_loop(d: Draw, s: Scope, names: dict[str, str], kept: set[str]) -> list[str]:
    """A loop's body; names from before the loop keep their kinds, whichever way it is left."""
    inside = s.inner(loops=s.loops + 1, fixed=s.fixed | set(s.names) | kept)
    inside.names.update(names)
    return indented(block(d, inside))


def else_of_loop(d: Draw, s: Scope, kept: Iterable[str] = ()) -> list[str]:
    if not d.chance(15):
        return []
    return ["else:", *indented(block(d, s.inner(fixed={*s.fixed, *s.names, *kept})))]


def loop_variable(d: Draw, s: Scope) -> str:
    free = [n for n in NAMES if n not in s.names and n not in s.closed]
    return d.one(free) if free and d.chance(40) else d.fresh("i")


def for_range(d: Draw, s: Scope) -> list[str]:
    name = loop_variable(d, s)
    count = d.one(["3", "2", "1, 4", "3, 0, -1", "0", ""]) or f"({expression(d, s, 'int', 1)}) % 4"
    surely_runs = count not in ("0",) and "%" not in count
    kept = {name} if surely_runs else set()
    body = body_of_loop(d, s, {name: "int"}, kept)
    lines = [f"for {name} in range({count}):", *body, *else_of_loop(d, s, kept)]
    if surely_runs:
        s.names[name] = "int"
    return lines


WHOLES = {
    "float": ["vector", "pair", "list"], "vector": ["matrix"], "list": ["rows"],
}  # fmt: skip
"""What is made of items of a kind."""


def for_values(d: Draw, s: Scope) -> list[str]:
    """Over the items of a whole, or of a display of values; also numbered, or beside others."""
    name, kind = loop_variable(d, s), d.kind(["float", "float", "vector", "list", "point", "fn"])
    items = ", ".join(expression(d, s, kind, 1) for _ in range(d.one([2, 1, 3])))
    display = d.one([f"[{items}]", f"({items},)"])
    whole = _whole(d, s, kind) or display
    form = d.one(["plain", "plain", "reversed", "enumerate", "zip"])
    place, other = (d.fresh(n) if n in s.names else n for n in ("place", "other"))
    names = {"enumerate": {place: "int"}, "zip": {other: kind}}.get(form, {})
    values = {
        "plain": d.one([whole, display]),
        "reversed": f"reversed({whole})",
        "enumerate": f"enumerate({whole})",
        "zip": f"zip({whole}, {display})",
    }[form]
    body = body_of_loop(d, s, {name: kind, **names}, set())
    left = ", ".join([*names, name] if form == "enumerate" else [name, *names])
    return [f"for {left} in {values}:", *body, *else_of_loop(d, s)]


def _whole(d: Draw, s: Scope, kind: str) -> str:
    """Something with items of a kind, which the loop's body cannot make longer."""
    wholes = [of for of in WHOLES.get(kind, []) if of in d.kinds]
    if not wholes:
        return ""
    of = d.one(wholes)
    text = expression(d, s, of, 1)
    return f"tuple({text})" if of in ("list", "rows") else text


def for_items(d: Draw, s: Scope) -> list[str]:
    """Over the keys and items of a dict."""
    kinds = {"dict": "float", "book": "list"}
    of = [kind for kind in kinds if kind in d.kinds]
    if not of:
        return for_values(d, s)
    kind, key, name = d.one(of), d.fresh("key"), loop_variable(d, s)
    whole = expression(d, s, kind, 1)
    body = body_of_loop(d, s, {name: kinds[kind]}, set())
    if d.chance(30):
        return [f"for {name} in builtins.list(({whole}).values()):", *body]
    return [f"for {key}, {name} in ({whole}).items():", *body, *else_of_loop(d, s)]


def while_counted(d: Draw, s: Scope) -> list[str]:
    counter = d.fresh("k")
    test = f"{counter} < {d.one(['3', '2', '4'])}"
    s.names[counter] = "int"
    s.closed.add(counter)
    if d.chance(60):
        test += f" and {expression(d, s, 'bool', 1)}"
    body = body_of_loop(d, s, {}, set())
    step = [f"    {counter} += 1"]
    return [f"{counter} = 0", f"while {test}:", *step, *body, *else_of_loop(d, s)]
