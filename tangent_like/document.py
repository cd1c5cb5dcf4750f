"""The list of functions with derivatives, as the text of `docs/functions.md`.

    python -m tangent_like.document > docs/functions.md

It is read from the registry of rules: nothing about a function is written down twice.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import math
import operator
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tangent_like.frontend import expressions, mapped, methods
from tangent_like.rules import arguments, refused, registry
from tangent_like.rules.registry import Refusal, Rule

OPENING = """\
# Functions

Every function in the first tables has a derivative in both modes, forward and reverse, and of any
order: the derivative code is made of the same functions. *Options* are the keywords that it may
be called with; they are constants unless they are numbers that the function is differentiable in.
Besides these, `out` is taken wherever NumPy writes into it, and NumPy's ufuncs (`sin`, `add`) take
`dtype`, `casting`, `order`, `subok`, and `where` together with `out`.
*At special points* says what the derivative is where it is not plain. A function of a table called
*constant* has derivative zero wherever it has one. Functions with a reason are refused, with an
error that points to the line, as soon as a number with a derivative reaches them.

This page is generated from the rules (`make docs`).
"""

_POLYNOMIALS = ("polynomial", "chebyshev", "legendre", "hermite", "hermite_e", "laguerre")
_SCIPY = ("special", "linalg", "stats", "signal", "integrate", "optimize")
INTERNAL = frozenset({"f", "e", "c", "s", "out"})
"""Parameters of rules that are no options of the function."""


def modules() -> Iterator[tuple[str, Any]]:
    """What is documented: each module with the name that users write."""
    yield from {"np": np, "np.linalg": np.linalg, "np.fft": np.fft, "np.random": np.random}.items()
    yield "np.random.Generator", np.random.Generator
    yield "np.random.RandomState", np.random.RandomState
    for name in _POLYNOMIALS:
        yield f"np.polynomial.{name}", importlib.import_module(f"numpy.polynomial.{name}")
    yield from {"math": math, "operator": operator, "builtins": builtins}.items()
    for name in _SCIPY:
        with contextlib.suppress(ImportError):  # SciPy is an extra
            yield f"scipy.{name}", importlib.import_module(f"scipy.{name}")


def text() -> str:
    """The whole page."""
    listed = list(modules())
    registry.load_rules_of_imported_modules()
    mapped.register()
    parts = [OPENING, *_methods()]
    for name, module in listed:
        parts += _of_module(name, module)
    return "\n".join(parts) + "\n"


def _of_module(title: str, module: Any) -> Iterator[str]:
    rules = dict(_found(module, _rule_and_function))
    rows = [_row(name, rule) for name, (rule, fn) in rules.items() if not _is_constant(rule, fn)]
    constants = [name for name, (rule, fn) in rules.items() if _is_constant(rule, fn)]
    refusals = dict(_found(module, registry.refusal_of))
    rows += [
        f"| `{name}` |  | differentiated through the function that it is given |"
        for name, _ in _found(module, registry.call_of)
        if name not in rules
    ]
    if rows or constants or refusals:
        yield f"## {title}\n"
    if rows:
        yield "| function | options | at special points |\n|---|---|---|"
        yield from rows
        yield ""
    if constants:
        yield f"Constant in {title}:\n"
        yield _names(constants)
    if refusals:
        yield from _refusals(f"Refused in {title}", refusals)


def _rule_and_function(function: Any) -> tuple[Rule, Any] | None:
    rule = registry.find(function)
    return None if rule is None else (rule, function)


def _is_constant(rule: Rule, function: Any) -> bool:
    return rule.kind == "constant" and function not in registry.solvers


def _found(module: Any, look_up: Callable[[Any], Any]) -> Iterator[tuple[str, Any]]:
    """The public names of a module for which there is something, and of what has methods."""
    for name, value in _public(module):
        has_methods = isinstance(value, np.ufunc) or hasattr(value, "logcdf")
        owned = _public(value) if has_methods else ()
        for path, function in [(name, value), *((f"{name}.{n}", f) for n, f in owned)]:
            found = look_up(function) if callable(function) else None
            if found is not None:
                yield path, found


def _public(owner: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(owner):
        if not name.startswith("_"):
            yield name, getattr(owner, name, None)


def _row(name: str, rule: Rule) -> str:
    options = ", ".join(f"`{option}`" for option in options_of(rule))
    return f"| `{name}` | {options} | {rule.note} |"


def options_of(rule: Rule) -> list[str]:
    """The keywords that all functions of a rule take."""
    found: list[str] = []
    for parameters in arguments.of_rule(rule):
        required = {p.name for p in parameters.positional if p.default is p.empty}
        ordered = [p.name for p in parameters.positional if p.name not in required]
        ordered += sorted(parameters.names - {*required, *ordered})
        kept = [name for name in ordered if name not in INTERNAL and not name.startswith("_")]
        found = kept if not found else [name for name in found if name in kept]
    return found


def _methods() -> Iterator[str]:
    supported = sorted({*methods.METHODS, *expressions.ATTRIBUTES, *expressions.FACTS_OF_ARRAYS})
    yield "## Methods and attributes of arrays\n"
    yield "These are the functions of the same name:\n"
    yield _names(supported)
    yield from _refusals("Refused methods and attributes", refused.METHODS)


def _names(found: list[str]) -> str:
    return textwrap.fill(", ".join(f"`{name}`" for name in found), 99) + "\n"


def _refusals(title: str, found: dict[str, Refusal]) -> Iterator[str]:
    yield f"{title}:\n\n| name | because it | instead |\n|---|---|---|"
    for name in sorted(found):
        yield f"| `{name}` | {found[name].reason} | {found[name].instead} |"
    yield ""


if __name__ == "__main__":
    print(text(), end="")
