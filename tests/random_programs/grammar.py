"""The grammar of random programs.

Expressions are templates by kind (`templates.py`).  Statements are functions that write lines and
keep account of which names are surely assigned, and of what kind.  To add to the language, add a
template, a kind, or a statement.

Every value stays tame (loops and long chains pass through sin, tanh and the like), every loop
ends, and no name is read that may be unassigned.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from tests.random_programs.templates import (
    AS_FLOAT,
    CONTAINERS,
    DERIVED,
    KINDS,
    LITERALS,
    NAMES,
    PARAMETERS,
    PRELUDES,
    RESULTS,
    SCALARS,
    SQUASH,
    TEMPLATES,
    VALUES,
)


@dataclass(frozen=True, slots=True)
class Signature:
    """A function that may be called: its parameters by name and kind, and what it returns."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    result: str
    defaults: int = 0


@dataclass(slots=True)
class Scope:
    """What the block being written may use, and must respect."""

    names: dict[str, str]  # surely assigned, with their kinds
    functions: list[Signature]
    result: str  # the kind that the function returns
    fixed: set[str] = field(default_factory=set)  # names that must keep their kind
    closed: set[str] = field(default_factory=set)  # names of enclosing functions: read only
    loops: int = 0  # how many loops are around
    blocks: int = 0  # how many blocks are around

    def inner(self, **changes: Any) -> "Scope":
        """The scope of a block inside this one."""
        copies = {
            "names": dict(self.names),
            "functions": list(self.functions),
            "fixed": set(self.fixed),
            "closed": set(self.closed),
        }
        rest = {"result": self.result, "loops": self.loops, "blocks": self.blocks + 1}
        return Scope(**{**copies, **rest, **changes})


@dataclass(slots=True)
class Draw:
    """The source of chance, what may be written and how much, and numbers for fresh names."""

    random: Random
    budget: int
    kinds: tuple[str, ...]
    preludes: dict[str, str] = field(default_factory=dict)
    serial: int = 0

    def kind(self, kinds: list[str]) -> str:
        return self.one([kind for kind in kinds if kind in self.kinds])

    def template(self, kind: str) -> str:
        fits = [t for t in TEMPLATES[kind] if all(m[2] in self.kinds for m in _HOLE.finditer(t))]
        return self.one(fits)

    def one(self, options: Any) -> Any:
        return options[self.random.randrange(len(options))]

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def fresh(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"


@dataclass(frozen=True, slots=True)
class Program:
    """Source of one or more functions, the last of which is `f`, and a point to try it at."""

    source: str
    args: tuple[Any, ...]
    may_be_refused: bool = False
    elsewhere: tuple[Any, ...] = ()
    """Another point, where the same compiled derivative is tried."""

    @property
    def wrt(self) -> tuple[int, ...]:
        return tuple(i for i, x in enumerate(self.args) if not isinstance(x, int))


# ---------------------------------------------------------------- expressions

_HOLE = re.compile(r"\{(name:)?(\w+)\}")


def expression(d: Draw, s: Scope, kind: str, depth: int) -> str:
    """An expression of a kind, at most `depth` templates deep."""
    if depth <= 0 or d.chance(15):
        return leaf(d, s, kind)
    calls = [g for g in s.functions if g.result == kind]
    if calls and d.chance(30):
        return call(d, s, d.one(calls), depth - 1)
    return fill(d, s, d.template(kind), depth - 1)


def fill(d: Draw, s: Scope, template: str, depth: int) -> str:
    """A template with its holes filled; a `name:` hole takes a leaf, the same one if repeated."""

    def hole(match: re.Match[str]) -> str:
        return leaf(d, s, match[2]) if match[1] else f"({expression(d, s, match[2], depth)})"

    return _HOLE.sub(hole, template)


def leaf(d: Draw, s: Scope, kind: str) -> str:
    """A name of the kind; else something small made of other names; else a literal."""
    known = names_of(s, kind)
    if known and not d.chance(10):
        return d.one(known)
    derived = [t for t in DERIVED[kind] if all(names_of(s, m[2]) for m in _HOLE.finditer(t))]
    if derived and not d.chance(10):
        return f"({fill(d, s, d.one(derived), 0)})"
    return d.one(LITERALS[kind])


def names_of(s: Scope, kind: str) -> list[str]:
    return [name for name, of_kind in s.names.items() if of_kind == kind]


def call(d: Draw, s: Scope, g: Signature, depth: int) -> str:
    """A call with positional, keyword and omitted arguments."""
    given = len(g.parameters) - (g.defaults if d.chance(50) else 0)
    positional = d.random.randrange(given + 1) if d.chance(30) else given
    parts = []
    for k, (name, kind) in enumerate(g.parameters[:given]):
        value = recursion_argument(d, g, kind) or expression(d, s, kind, min(depth, 1))
        parts.append(value if k < positional else f"{name}={value}")
    return f"{g.name}({', '.join(parts)})"


def recursion_argument(d: Draw, g: Signature, kind: str) -> str:
    """Recursive functions count down their whole number: calls from outside begin small."""
    return d.one(["2", "1", "0", "3"]) if kind == "int" and g.name.startswith("r") else ""


def assigned_expression(d: Draw, s: Scope, kind: str) -> str:
    """The right side of an assignment: squashed in a loop, so that nothing can run away."""
    value = expression(d, s, kind, d.one([2, 1, 2]))
    if kind in SQUASH and (s.loops or d.chance(50)):
        return d.one(SQUASH[kind]).format(value)
    return value


# ---------------------------------------------------------------- statements


def target(d: Draw, s: Scope, kind: str) -> str:
    """A name to assign: often one that is overwritten, also by another kind where that is safe."""
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
    kind = d.kind(["float", "vector", "float"])
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
    s.names = {n: k for n, k in last.names.items() if all(e.names.get(n) == k for e in ends)}
    return lines


def matching(d: Draw, s: Scope) -> list[str]:
    subject = f"({expression(d, s, 'int', 1)}) % 3"
    lines, ends = [f"match {subject}:"], []
    for pattern in d.one([["0", "1 | 2", "_"], ["2", "k9 if k9 > 0", "_"]]):
        arm = s.inner()
        lines += indented([f"case {pattern}:", *indented(block(d, arm))])
        ends.append(arm)
    s.names = {n: k for n, k in ends[0].names.items() if all(e.names.get(n) == k for e in ends)}
    return lines


def enclosed(d: Draw, s: Scope) -> list[str]:
    """Statements that are all run, inside `try` or `with`."""
    form = d.one(["with", "finally", "except", "suppress"])
    before, fixed = dict(s.names), s.fixed
    if form == "finally":  # it runs wherever the block is left
        s.fixed = s.fixed | set(before)
    lines = indented(block(d, s))
    s.fixed = fixed
    if form == "with":
        return ["with np.errstate(all='ignore'):", *lines]
    if form == "suppress":
        return ["with contextlib.suppress(KeyError):", *lines]
    if form == "finally":
        last = f"{d.fresh('end')} = {expression(d, s.inner(names=before), 'float', 1)}"
        return ["try:", *lines, "finally:", f"    {last}"]
    return ["try:", *lines, "except (TypeError, KeyError):", "    raise"]


def checking(d: Draw, s: Scope) -> list[str]:
    """What is never so, or the program says nothing."""
    value = expression(d, s, "float", 1)
    if d.chance(50):
        return [f"assert {value} < 1e9, 'too large'"]
    return [f"if {value} > 1e9:", f"    raise OverflowError('large', {value})"]


def container_change(d: Draw, s: Scope) -> list[str]:
    """A list, dict or object that changes; lists keep at least two items."""
    names = [n for n, k in s.names.items() if k in CONTAINERS and n not in s.closed]
    if not names:
        return container(d, s)
    name = d.one(names)
    value = assigned_expression(d, s, "float")
    if s.names[name] == "list":
        t = d.fresh("last")
        last = [f"{name}.append({value})", f"{t} = {name}.pop() * 0.5"]
        forms = [[f"{name}[0] = {value}"], [f"{name}[-1] += {value}"], [f"{name}.append({value})"]]
        return d.one([*forms, last])
    if s.names[name] == "dict":
        return [d.one([f"{name}['k'] = {value}", f"{name}['m'] += {value}"])]
    if "NamedTuple" in d.preludes["Point"]:
        return [f"{name} = Point({name}.v, {value})"]
    return [d.one([f"{name}.u = {value}", f"{name}.v += {value}", f"{name}.shift({value})"])]


def container(d: Draw, s: Scope) -> list[str]:
    """A new list, dict or object."""
    if CONTAINERS[0] not in d.kinds:
        return assignment(d, s)
    kind = d.one(CONTAINERS)
    value, name = expression(d, s, kind, 2), target(d, s, kind)
    s.names[name] = kind
    return [f"{name} = {value}"]


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


def leaving(d: Draw, s: Scope) -> list[str]:
    """A block under a condition that ends in `return`, `break` or `continue`."""
    test, inside = expression(d, s, "bool", 2), s.inner()
    lines = block(d, inside) if d.chance(40) else []
    exits = ["break", "continue", "return"] if s.loops else ["return"]
    exit_ = d.one(exits)
    if exit_ == "return":
        exit_ = f"return {expression(d, inside, s.result, 2)}"
    return [f"if {test}:", *indented([*lines, exit_])]


def loop(d: Draw, s: Scope) -> list[str]:
    return d.one([for_range, for_values, while_counted])(d, s)


def body_of_loop(d: Draw, s: Scope, names: dict[str, str], kept: set[str]) -> list[str]:
    """A loop's body; names from before the loop keep their kinds, whichever way it is left."""
    inside = s.inner(loops=s.loops + 1, fixed=s.fixed | set(s.names) | kept)
    inside.names.update(names)
    return indented(block(d, inside))


def else_of_loop(d: Draw, s: Scope) -> list[str]:
    if not d.chance(15):
        return []
    return ["else:", *indented(block(d, s.inner(fixed=s.fixed | set(s.names))))]


def loop_variable(d: Draw, s: Scope) -> str:
    free = [n for n in NAMES if n not in s.names and n not in s.closed]
    return d.one(free) if free and d.chance(40) else d.fresh("i")


def for_range(d: Draw, s: Scope) -> list[str]:
    name = loop_variable(d, s)
    count = d.one(["3", "2", "1, 4", "3, 0, -1", "0", ""]) or f"({expression(d, s, 'int', 1)}) % 4"
    surely_runs = count not in ("0",) and "%" not in count
    body = body_of_loop(d, s, {name: "int"}, {name} if surely_runs else set())
    lines = [f"for {name} in range({count}):", *body, *else_of_loop(d, s)]
    if surely_runs:
        s.names[name] = "int"
    return lines


def for_values(d: Draw, s: Scope) -> list[str]:
    """Over the elements of a vector, the rows of a matrix, or a display of values."""
    name, kind = loop_variable(d, s), d.kind(["float", "float", "vector"])
    items = ", ".join(expression(d, s, kind, 1) for _ in range(d.one([2, 1, 3])))
    wholes = {"float": ["vector", "pair", "list"], "vector": ["matrix"]}[kind]
    of = d.kind(wholes)
    whole = expression(d, s, of, 1)
    if of == "list":  # which the body may change
        whole = f"tuple({whole})"
    values = d.one([f"[{items}]", f"({items},)", whole, f"reversed({whole})"])
    if d.chance(25):
        body = body_of_loop(d, s, {name: kind, "place": "int"}, set())
        return [f"for place, {name} in enumerate({whole}):", *body, *else_of_loop(d, s)]
    if d.chance(15):
        body = body_of_loop(d, s, {name: kind, "other": kind}, set())
        pairs = f"zip({whole}, [{items}])"
        return [f"for {name}, other in {pairs}:", *body, *else_of_loop(d, s)]
    body = body_of_loop(d, s, {name: kind}, set())
    return [f"for {name} in {values}:", *body, *else_of_loop(d, s)]


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


def nested_function(d: Draw, s: Scope) -> list[str]:
    """A closure over names of this function, as `def` or `lambda`, called from here on."""
    kind = d.kind(["float", "float", "vector"])
    parameters = parameters_of(d, ["float", "float", "vector"], 2)
    defaults = 1 if d.chance(40) and parameters[-1][1] not in CONTAINERS else 0
    name, header = d.fresh("h"), header_of(d, s, parameters, defaults)
    own = {n for n, _ in parameters}
    seen = {n: k for n, k in s.names.items() if n not in own}
    inside = s.inner(names={**seen, **dict(parameters)}, closed=set(seen), result=kind, fixed=set(),
                     loops=0)  # fmt: skip
    if d.chance(40):
        lines = [f"{name} = lambda {header}: {expression(d, inside, kind, 2)}"]
    else:
        lines = [f"def {name}({header}):", *indented(whole_body(d, inside, d.one([1, 2])))]
    text = "\n".join(lines)
    s.fixed |= {n for n in seen if re.search(rf"\b{n}\b", text)}
    s.functions.append(Signature(name, parameters, kind, defaults))
    return lines


STATEMENTS: list[Callable[[Draw, Scope], list[str]]] = [
    assignment, assignment, augmented_assignment, assignment, branch, leaving, loop, swap,
    tuple_assignment, augmented_assignment, loop, branch, nested_function, unpacking,
    chained_assignment, matching, enclosed, checking, walrus, starred, container,
    container_change, container_change,
]  # fmt: skip
SIMPLE = [assignment, augmented_assignment, swap, tuple_assignment, unpacking, leaving]


def block(d: Draw, s: Scope) -> list[str]:
    """One to four statements; only simple ones when blocks are deep or the budget is spent."""
    lines = []
    for _ in range(d.one([2, 1, 3, 4])):
        deep = s.blocks >= 4 or s.loops >= 2 or d.budget <= 0
        d.budget -= 1
        lines += d.one(SIMPLE if deep else STATEMENTS)(d, s)
    return lines


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


# ---------------------------------------------------------------- functions


def parameters_of(d: Draw, kinds: list[str], most: int) -> tuple[tuple[str, str], ...]:
    count = d.one(range(1, most + 1))
    names = d.random.sample(["x", "s2", "v", *NAMES], count)
    return tuple((name, d.kind(kinds)) for name in names)


def header_of(d: Draw, s: Scope, parameters: Any, defaults: int) -> str:
    """A parameter list; defaults of nested functions may depend on what is differentiated."""
    first = len(parameters) - defaults
    return ", ".join(
        name if k < first else f"{name}={leaf(d, s, kind)}"
        for k, (name, kind) in enumerate(parameters)
    )


def whole_body(d: Draw, s: Scope, blocks: int) -> list[str]:
    """Statements, and a return of the function's kind."""
    lines = [line for _ in range(blocks) for line in block(d, s)]
    return [*lines, f"return {mixed_result(d, s)}"]


def mixed_result(d: Draw, s: Scope) -> str:
    """A result to which several names contribute, so that little of the program is dead."""
    names = [n for n, kind in s.names.items() if kind in AS_FLOAT]
    mixed = d.random.sample(names, min(len(names), d.one([2, 3, 1])))
    terms = [AS_FLOAT[s.names[name]].format(name) for name in mixed] or ["0.5"]
    if s.result == "pair":
        return f"({' + '.join(terms)}, {expression(d, s, 'float', 2)})"
    if s.result == "list":
        return f"[{' + '.join(terms)}] + ({expression(d, s, 'list', 2)})"
    return f"({expression(d, s, s.result, 2)}) + {' + '.join(terms)}"


def helper(d: Draw, functions: list[Signature]) -> tuple[list[str], Signature]:
    parameters = parameters_of(d, [*PARAMETERS, "point"], 3)
    defaults = 1 if d.chance(40) and parameters[-1][1] not in CONTAINERS else 0
    result, name = d.kind(RESULTS), d.fresh("helper")
    constants = Scope({}, [], result)
    header = header_of(d, constants, parameters, defaults)
    body = whole_body(d, Scope(dict(parameters), list(functions), result, blocks=1), 1)
    return [f"def {name}({header}):", *indented(body)], Signature(
        name, parameters, result, defaults
    )


def recursive_helper(d: Draw, functions: list[Signature]) -> tuple[list[str], Signature]:
    """A function that calls itself once or twice with a smaller whole number."""
    name, base = d.fresh("r"), Scope({"x": "float"}, list(functions), "float")
    names = {"x": "float", "n": "int"}
    s = Scope(names, list(functions), "float", fixed={"n"}, closed={"n"}, blocks=3)
    first = expression(d, base, "float", 1)
    lines = ["if n < 1:", f"    return {first}", *block(d, s)]
    calls = [f"{name}(np.sin({expression(d, s, 'float', 1)}), n - 1)" for _ in range(d.one([1, 2]))]
    last = f"return np.tanh({' + '.join(calls)}) * {leaf(d, s, 'float')}"
    signature = Signature(name, (("x", "float"), ("n", "int")), "float")
    return [f"def {name}(x, n):", *indented([*lines, last])], signature


def shadowing_numpy(functions: list[str]) -> list[str]:
    """The same program with `np` as the name of a local; NumPy is `numpy` where that is so."""
    spelled = [re.sub(r"\bnp\.", "numpy.", f) if re.search(r"\bnp2\b", f) else f for f in functions]
    return [re.sub(r"\bnp2\b", "np", f) for f in spelled]


def argument(d: Draw, kind: str) -> Any:
    def number() -> float:
        return (d.random.randrange(-180, 181) or 77) / 100 + d.random.randrange(100) / 1e5

    if kind == "int":
        return d.one([2, 0, 1, 3])
    if kind == "pair":
        return (number(), number())
    if kind == "list":
        return [number() for _ in range(d.one([2, 3]))]
    if kind == "dict":
        return {"k": number(), "m": number()}
    shape = {"float": (), "vector": (3,), "matrix": (2, 3)}[kind]
    values = [number() for _ in range(int(np.prod(shape)))]
    return np.array(values).reshape(shape) if shape else values[0]


def program(random: Random) -> Program:
    """A random program; the same `random` gives the same program."""
    d = Draw(random, random.randrange(2, 15), SCALARS)
    if d.chance(55):
        d.kinds = KINDS if d.chance(60) else KINDS[: -len(CONTAINERS)]
    d.preludes = {name: d.one(forms) for name, forms in PRELUDES.items()}
    functions: list[Signature] = []
    texts = []
    for _ in range(d.one([0, 1, 2])):
        lines, signature = d.one([helper, helper, recursive_helper])(d, functions)
        functions.append(signature)
        texts.append("\n".join(lines))
    names = d.random.sample(["x", "y", "v", "m", "bx", "dx", "np2", "s"], d.one([1, 2, 3]))
    kinds = ["float", *(d.kind(PARAMETERS) for _ in names[1:])]
    if d.chance(30):
        kinds[0] = d.kind(["vector", "matrix", "pair"])
    s = Scope(dict(zip(names, kinds, strict=True)), functions, d.kind(RESULTS))
    lines = [f"def f({', '.join(names)}):", *indented(whole_body(d, s, d.one([2, 1, 3])))]
    texts.append("\n".join(lines))
    texts = shadowing_numpy(texts) if d.chance(30) else texts
    named = "\n".join(texts)
    needed = [text for name, text in d.preludes.items() if re.search(rf"\b{name}\(", named)]
    source = ast.unparse(ast.parse("\n".join([*needed, named])))
    return Program(source + "\n", tuple(argument(d, k) for k in kinds))
