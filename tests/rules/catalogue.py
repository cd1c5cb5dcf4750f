"""The rules that are checked, the functions they belong to, and their samples."""

import contextlib
import importlib
from typing import Any

import numpy as np
import numpy.fft
import numpy.polynomial
import pytest

from tangent_like.rules import registry

for module in ("linalg", "signal", "special", "stats"):
    with contextlib.suppress(ImportError):  # SciPy is an extra
        importlib.import_module(f"scipy.{module}")
registry.load_rules_of_imported_modules()

ROUNDING = (np.float32, np.float16, np.complex64)
"""Conversions to a shorter type: differences of what they round say little (they have a test)."""


def is_of_tests(rule: Any) -> bool:
    """Whether another test module registered the rule for a function of its own."""
    return (getattr(rule.functions[0], "__module__", None) or "").startswith("tests.")


RULES = list({id(rule): rule for rule in registry.rules.values() if not is_of_tests(rule)}.values())


def name_of(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module.strip('_')}.{getattr(function, '__name__', function)}"


def samples_of(rule: Any) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    given = rule.samples() if callable(rule.samples) else rule.samples
    return [s if len(s) == 2 and isinstance(s[1], dict) else (s, {}) for s in given]


def cases(usable: Any = lambda rule, fn: True) -> list[Any]:
    return [
        pytest.param(rule, fn, id=name_of(fn))
        for rule in RULES
        if rule.kind != "constant"
        for fn in rule.functions
        if fn not in ROUNDING and usable(rule, fn)
    ]


def usable_samples(rule: Any, fn: Any) -> Any:
    """The samples that this function of the group takes (`math` takes scalars only)."""
    for args, keywords in samples_of(rule):
        try:
            with np.errstate(all="ignore"):
                fn(*args, **keywords)
        except (TypeError, ValueError) as error:
            if fn.__module__ in ("math", "_operator", "builtins"):
                continue
            raise AssertionError(f"sample {args} {keywords}: {error}") from error
        yield args, keywords
