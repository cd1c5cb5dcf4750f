"""The functions of random programs: nested ones, helpers, and those that call themselves."""

from dataclasses import replace

from tests.random_programs.drawing import (
    Draw,
    Scope,
    Signature,
    block,
    expression,
    fill,
    indented,
    leaf,
    named_in,
)
from tests.random_programs.structures import (
    AS_FLOAT,
    CONTAINERS,
    INTERNAL,
    RESULT,
    RESULTS,
)
from tests.random_programs.templates import NAMES

Function = tuple[list[str], list[Signature]]
"""The lines of a definition, and what can be called after it."""


# ---------------------------------------------------------------- parameters


def signature(d: Draw, name: str, kinds: list[str], most: int, result: str) -> Signature:
    """A function's parameters: of all sorts that Python has."""
    count = d.one(range(1, most + 1))
    names = d.random.sample(["x", "s0", "v", *NAMES], count)
    parameters = tuple((parameter, d.kind(kinds)) for parameter in names)
    keywords = d.one([1, count]) if d.chance(20) else 0
    return Signature(
        name,
        parameters,
        result,
        defaults=1 if d.chance(40) and parameters[-1][1] not in CONTAINERS else 0,
        positional_only=d.random.randrange(count - keywords + 1) if d.chance(20) else 0,
        keyword_only=keywords,
        star="floats" in d.kinds and d.chance(20),
        named="named" in d.kinds and d.chance(15),
    )


def header(d: Draw, s: Scope, g: Signature) -> str:
    """A parameter list; defaults of nested functions may depend on what is differentiated."""
    first = len(g.parameters) - g.defaults
    parts = [
        name if k < first else f"{name}={leaf(d, s, kind)}"
        for k, (name, kind) in enumerate(g.parameters)
    ]
    at = len(parts) - g.keyword_only
    if g.star or g.keyword_only:
        parts[at:at] = ["*rest" if g.star else "*"]
    if g.positional_only:
        parts[g.positional_only : g.positional_only] = ["/"]
    return ", ".join([*parts, "**more"] if g.named else parts)


def inside_names(g: Signature) -> dict[str, str]:
    extra = {"rest": "floats"} if g.star else {}
    return dict(g.parameters) | extra | ({"more": "named"} if g.named else {})


# ---------------------------------------------------------------- bodies


def whole_body(d: Draw, s: Scope, blocks: int) -> list[str]:
    """Statements, and a return of the function's kind."""
    lines = [line for _ in range(blocks) for line in block(d, s)]
    return [*lines, f"return {mixed_result(d, s)}"]


def mixed_result(d: Draw, s: Scope) -> str:
    """A result to which several names contribute, so that little of the program is dead."""
    if s.result == "int":
        return expression(d, s, "int", 2)
    names = [n for n, kind in s.names.items() if kind in AS_FLOAT]
    mixed = d.random.sample(names, min(len(names), d.one([2, 3, 1])))
    terms = " + ".join(AS_FLOAT[s.names[name]].format(name) for name in mixed) or "0.5"
    if s.result in RESULT:
        return fill(d, s, RESULT[s.result].replace("{0}", terms), 1)
    return f"({expression(d, s, s.result, 2)}) + {terms}"


# ---------------------------------------------------------------- definitions


def nested_function(d: Draw, s: Scope) -> list[str]:
    """A closure over names of this function, as `def` or `lambda`, called from here on."""
    g = signature(d, d.fresh("h"), ["float", "float", "vector", "list", "point", "fn"], 2,
                  d.kind(["float", "float", "vector", "list", "dict", "fn"]))  # fmt: skip
    head, own = header(d, s, g), inside_names(g)
    seen = {n: k for n, k in s.names.items() if n not in own}
    inside = s.inner(names={**seen, **own}, closed=set(seen), result=g.result, fixed=set(),
                     loops=0, returns=True)  # fmt: skip
    if d.chance(40):
        lines = [f"{g.name} = lambda {head}: {expression(d, inside, g.result, 2)}"]
    else:
        decorated = ["@traced"] if g.result in ("float", "vector") and d.chance(15) else []
        lines = [*decorated, f"def {g.name}({head}):",
                 *indented(whole_body(d, inside, d.one([1, 2])))]  # fmt: skip
    text = "\n".join(lines)
    s.fixed |= named_in(s, text) - set(own)
    s.functions.append(g)
    return lines


def nested_recursion(d: Draw, s: Scope) -> list[str]:
    """One or two functions inside that call each other with a smaller whole number, and read what
    is around them, which may change before they are called."""
    made = [Signature(d.fresh("r"), (("n", "int"),), "float", countdown=True)
            for _ in range(d.one([1, 1, 2]))]  # fmt: skip
    inside = s.inner(names={**s.names, "n": "int"}, closed={*s.names, "n"}, result="float",
                     fixed={"n"}, loops=0, returns=False)  # fmt: skip
    lines = []
    for g, to in zip(made, [*made[1:], made[0]], strict=True):
        own = inside.inner()
        first, body = leaf(d, own, "float"), block(d, own) if d.chance(40) else []
        calls = " + ".join(f"{to.name}(n - 1)" for _ in range(d.one([1, 1, 2])))
        last = f"return np.tanh({calls}) * {leaf(d, own, 'float')} + {leaf(d, own, 'float')}"
        lines += [f"def {g.name}(n):",
                  *indented(["if n < 1:", f"    return {first}", *body, last])]  # fmt: skip
    read = named_in(s, "\n".join(lines)) - {"n"}
    s.fixed |= read
    for _ in range(d.one([0, 1, 2])):
        lines += [*_changed(d, s, read), f"{d.fresh('got')} = {made[0].name}({d.one('123')})"]
        s.names[lines[-1].split()[0]] = "float"
    s.functions += made
    return lines


_CHANGES = {
    "float": "{0} = np.tanh({0} + {1})", "vector": "{0}[0] = np.sin({1})",
    "list": "{0}[0] = np.sin({1})", "dict": "{0}['k'] = np.sin({1})",
}  # fmt: skip


def _changed(d: Draw, s: Scope, read: set[str]) -> list[str]:
    """Another value for what a function reads, or in it."""
    names = [n for n in read if s.names[n] in _CHANGES and n not in s.closed]
    if not names:
        return []
    name = d.one(sorted(names))
    return [_CHANGES[s.names[name]].format(name, leaf(d, s, "float"))]


def helper(d: Draw, functions: list[Signature]) -> Function:
    g = signature(d, d.fresh("helper"), INTERNAL, 3, d.kind([*RESULTS, *INTERNAL]))
    head = header(d, Scope({}, [], g.result), g)
    body = whole_body(d, Scope(inside_names(g), list(functions), g.result, blocks=1), 1)
    return [f"def {g.name}({head}):", *indented(body)], [g]


def recursive_helper(d: Draw, functions: list[Signature]) -> Function:
    """A function that calls itself once or twice with a smaller whole number."""
    g = _countdown(d)
    return _descent(d, functions, g, g), [g]


def mutual_helpers(d: Draw, functions: list[Signature]) -> Function:
    """Two functions that call one another with a smaller whole number."""
    g, h = _countdown(d), _countdown(d)
    return [*_descent(d, functions, g, h), *_descent(d, functions, h, g)], [g, h]


def _countdown(d: Draw) -> Signature:
    kind = d.kind(["float", "float", "vector", "list", "pair"])
    return Signature(d.fresh("r"), (("x", kind), ("n", "int")), "float", countdown=True)


def _descent(d: Draw, functions: list[Signature], g: Signature, to: Signature) -> list[str]:
    kind = g.parameters[0][1]
    base = Scope({"x": kind}, list(functions), "float")
    s = Scope({"x": kind, "n": "int"}, list(functions), "float", fixed={"n"}, closed={"n"},
              blocks=3)  # fmt: skip
    first = expression(d, base, "float", 1)
    lines = ["if n < 1:", f"    return {first}", *block(d, s)]
    calls = [f"{to.name}({_smaller(d, s, to)}, n - 1)" for _ in range(d.one([1, 2]))]
    last = f"return np.tanh({' + '.join(calls)}) * {leaf(d, s, 'float')}"
    return [f"def {g.name}(x, n):", *indented([*lines, last])]


def _smaller(d: Draw, s: Scope, to: Signature) -> str:
    """The argument of a call by itself: numbers are squashed, sequences stay as they are."""
    kind = to.parameters[0][1]
    value = expression(d, s, kind, 1)
    return f"np.sin({value})" if kind in ("float", "vector") else value


def maker(d: Draw, functions: list[Signature]) -> Function:
    """A function that returns a nested one, which is called later."""
    outer = signature(d, d.fresh("make"), INTERNAL, 2, "float")
    s = Scope(inside_names(outer), list(functions), "float", blocks=2, returns=False)
    head = header(d, Scope({}, [], "float"), outer)
    lines = [*block(d, s), *nested_function(d, s)]
    made = s.functions[-1]
    later = block(d, s) if d.chance(40) else []
    lines = [*lines, *later, f"return {made.name}"]
    called = replace(made, name=f"{outer.name}({_given(outer)})")
    return [f"def {outer.name}({head}):", *indented(lines)], [called]


def _given(outer: Signature) -> str:
    """Arguments of a call, as holes."""
    at = len(outer.parameters) - outer.keyword_only
    return ", ".join(
        f"{{{kind}}}" if k < at else f"{name}={{{kind}}}"
        for k, (name, kind) in enumerate(outer.parameters)
    )
