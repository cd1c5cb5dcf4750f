"""Every function that tests of derivatives try, with Numba beside.

    pytest --numba tests/language tests/in_place

A function that Numba compiles as it stands, and for which it gives what Python gives, is in its
language: its derivatives are then compiled with Numba too, and held against those without.
"""

from __future__ import annotations

import copy
import types
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np

from tangent_like.errors import NotYetSupported
from tests.derivatives import leaves
from tests.numba.agreement import NUMBA, forward, reverse, same

counts: Counter[str] = Counter()
"""How many functions agree, are outside of Numba's language, and are refused."""

refused: Counter[str] = Counter()
"""Why derivatives were refused though Numba takes the function."""


def check_with_numba(f: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int]) -> None:
    """The gradient (or pullback) and the tangent of `f` with Numba are those without."""
    if not in_language(f, args):
        counts["outside"] += 1
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            backwards = reverse(f, args, wrt, **NUMBA)
            forwards = forward(f, args, wrt, **NUMBA)
    except NotYetSupported as error:
        counts["refused"] += 1
        refused[f"{f.__name__}: {error.message}"] += 1
        return
    same(backwards, reverse(f, args, wrt), "the gradient with Numba", 1e-9)
    same(forwards, forward(f, args, wrt), "the tangent with Numba", 1e-9)
    counts["agree"] += 1


def in_language(f: Callable[..., Any], args: Sequence[Any]) -> bool:
    """Whether Numba compiles the function, and gives what Python gives."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = compiled(f)(*copy.deepcopy(args))
        wanted = f(*copy.deepcopy(args))
        same(found, wanted, "the function with Numba", 1e-9)
    except Exception:  # Numba's compiler may raise anything: then the function is not its
        return False
    return all(isinstance(x, (bool, int, float, complex, np.ndarray, np.generic))
               for x in leaves(wanted))  # fmt: skip


def compiled(f: Any, known: dict[Any, Any] | None = None) -> Any:
    """The function compiled by Numba, after the functions outside that it names."""
    known = {} if known is None else known
    if f in known or not isinstance(f, types.FunctionType):
        return known.get(f, f)
    scope, names = dict(f.__globals__), f.__code__.co_names
    cells = [types.CellType(_helper(cell.cell_contents, known)) for cell in f.__closure__ or ()]
    copied = types.FunctionType(f.__code__, scope, f.__name__, f.__defaults__, tuple(cells))
    copied.__kwdefaults__ = f.__kwdefaults__
    known[f] = made = numba.njit(copied)
    for name in names:
        if isinstance(scope.get(name), types.FunctionType):
            scope[name] = _helper(scope[name], known)
    return made


def _helper(value: Any, known: dict[Any, Any]) -> Any:
    return compiled(value, known) if isinstance(value, types.FunctionType) else value


def summary() -> list[str]:
    """What there is to say at the end of a run."""
    total = ", ".join(f"{counts[name]} {name}" for name in ("agree", "outside", "refused"))
    return [f"With Numba: {total}.", *(f"{n} × {why}" for why, n in refused.most_common())]
