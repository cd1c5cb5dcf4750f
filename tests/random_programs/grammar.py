"""The grammar of random programs.

Expressions are templates by kind (`templates.py`, `structures.py`); small statements are templates
too (`changes.py`).  Other statements, and functions, are written by functions that keep account
of which names are surely assigned, and of what kind (`statements.py`, `blocks.py`,
`functions.py`).  To add to the language, add a template, a kind, or a statement.

Every value stays tame (loops and long chains pass through sin, tanh and the like), every loop
ends, and no name is read that may be unassigned.
"""

import ast
import re
from random import Random
from typing import Any

import numpy as np

from tests.random_programs.blocks import branch, enclosed, leaving, loop, matching
from tests.random_programs.changes import change
from tests.random_programs.drawing import Draw, Program, Scope, Signature, Writer, indented
from tests.random_programs.functions import (
    helper,
    maker,
    mutual_helpers,
    nested_function,
    nested_recursion,
    recursive_helper,
    whole_body,
)
from tests.random_programs.objects import NAME, OBJECTS, frame
from tests.random_programs.preludes import PRELUDES
from tests.random_programs.statements import (
    assignment,
    augmented_assignment,
    chained_assignment,
    checking,
    starred,
    swap,
    tuple_assignment,
    unpacking,
    walrus,
)
from tests.random_programs.structures import (
    ARRAYS,
    CONTAINERS,
    NEEDS,
    PARAMETERS,
    RESULTS,
    SCALARS,
)

SIMPLE: list[Writer] = [
    assignment, augmented_assignment, swap, tuple_assignment, unpacking, leaving, change,
]  # fmt: skip
STATEMENTS: list[Writer] = [
    assignment, assignment, assignment, augmented_assignment, augmented_assignment, branch, branch,
    leaving, loop, loop, swap, tuple_assignment, nested_function, nested_recursion, unpacking,
    chained_assignment, matching, enclosed, checking, walrus, starred, *[change] * 8,
]  # fmt: skip


def kinds_of_program(d: Draw) -> tuple[str, ...]:
    """Numbers alone, or arrays, containers and functions, of a few kinds each time."""
    kinds = set(SCALARS)
    if d.chance(60):
        kinds |= set(ARRAYS)
    if d.chance(75):
        kinds |= set(d.random.sample(CONTAINERS, d.one([1, 2, 3, 5])))
    for kind, parts in NEEDS.items():
        kinds |= set(parts) if kind in kinds else set()
    return tuple(k for k in (*SCALARS, *ARRAYS, *CONTAINERS) if k in kinds)


def shadowing_numpy(functions: list[str]) -> list[str]:
    """The same program with `np` as the name of a local; NumPy is `numpy` where that is so."""
    spelled = [re.sub(r"\bnp\.", "numpy.", f) if re.search(r"\bnp2\b", f) else f for f in functions]
    return [re.sub(r"\bnp2\b", "np", f) for f in spelled]


def argument(d: Draw, kind: str) -> Any:
    def number() -> float:
        return (d.random.randrange(-180, 181) or 77) / 100 + d.random.randrange(100) / 1e5

    def numbers() -> list[float]:
        return [number() for _ in range(d.one([2, 3]))]

    makers = {
        "float": number,
        "int": lambda: d.one([2, 0, 1, 3]),
        "pair": lambda: (number(), number()),
        "vector": lambda: np.array([number() for _ in range(3)]),
        "matrix": lambda: np.array([[number() for _ in range(3)] for _ in range(2)]),
        "list": numbers,
        "rows": lambda: [numbers() for _ in range(d.one([2, 3]))],
        "dict": lambda: {"k": number(), "m": number()},
        "book": lambda: {"k": numbers(), "m": numbers()},
        "point": lambda: (number(), number()),
        "box": lambda: (numbers(), (number(), number()), {"k": number(), "m": number()}),
        "state": lambda: (number(), np.array([number() for _ in range(3)]), numbers()),
        "params": lambda: {
            "w": np.array([number() for _ in range(3)]),
            "b": number(),
            "in": (number(), numbers()),
        },
    }
    return makers[kind]()


def with_preludes(preludes: dict[str, str], text: str) -> str:
    """A program's text behind the classes, functions and constants that it names."""
    for name, prelude in reversed(preludes.items()):
        if re.search(rf"\b{name}\b", text):
            text = prelude + text
    return text


def program(random: Random) -> Program:
    """A random program; the same `random` gives the same program."""
    d = Draw(random, random.randrange(2, 15), SCALARS, statements=(STATEMENTS, SIMPLE))
    d.kinds = kinds_of_program(d)
    preludes = {name: d.one(forms) for name, forms in PRELUDES.items()}
    functions: list[Signature] = []
    texts = []
    for _ in range(d.one([0, 1, 2, 1])):
        write = d.one([helper, helper, recursive_helper, mutual_helpers, maker])
        lines, made = write(d, functions)
        functions += made
        texts.append("\n".join(lines))
    names = d.random.sample(["x", "y", "v", "m", "bx", "dx", "np2", "s"], d.one([1, 2, 3]))
    kinds = ["float", *(d.kind(PARAMETERS) for _ in names[1:])]
    if d.chance(30):
        kinds[0] = d.kind(["pair", *PARAMETERS[2:5], *PARAMETERS[7:]])
    result = d.kind(RESULTS)
    if d.chance(40) and not set(d.kinds).isdisjoint(OBJECTS):
        kinds = [d.kind([*OBJECTS, "float"]) if k in ("float", "int") else k for k in kinds]
        result = d.kind([*OBJECTS, result])
    parameters = dict(zip(names, kinds, strict=True))
    framed = not {*kinds, result}.isdisjoint(OBJECTS)
    s = Scope(dict(parameters), functions, result)
    head = f"def {NAME if framed else 'f'}({', '.join(names)}):"
    texts.append("\n".join([head, *indented(whole_body(d, s, d.one([2, 1, 3])))]))
    texts += frame(parameters, result) if framed else []
    texts = shadowing_numpy(texts) if d.chance(30) else texts
    source = ast.unparse(ast.parse(with_preludes(preludes, "\n".join(texts))))
    return Program(source + "\n", tuple(argument(d, k) for k in kinds))
