"""Which operations do more than compute a result: they stay where they are, once."""

from __future__ import annotations

from typing import Any

from tangent_like import ir

EFFECTS: set[Any] = {print, ir.unbound, ir.defined, ir.push, ir.pop, ir.flip, ir.put, ir.unpack}
_PURE_MODULES = ("numpy", "math", "cmath", "operator", "_operator", "scipy")
_PURE: frozenset[Any] = frozenset({
    abs, min, max, sum, round, divmod, pow, float, int, bool, complex, len, range, slice, zip,
    reversed, enumerate, isinstance, tuple, list, getattr, sorted,
    ir.make_tuple, ir.make_list, ir.defined,
})  # fmt: skip


def has_effect(fn: Any) -> bool:
    """Whether the call must be kept, in place, even if its result is not used."""
    if isinstance(fn, ir.Procedure):
        return False
    try:
        if fn in EFFECTS:
            return True
    except TypeError:
        return True
    return is_random(fn)


def is_pure(fn: Any) -> bool:
    """Whether the call is known to depend on nothing but its operands, and to keep none."""
    if isinstance(fn, ir.Procedure) or has_effect(fn):
        return False
    module = getattr(fn, "__module__", None) or type(fn).__module__
    if fn in _PURE or module == "tangent_like.runtime":
        return True
    return module.split(".")[0] in _PURE_MODULES


def is_random(fn: Any) -> bool:
    """Draws are never repeated, moved or left out."""
    owner = getattr(fn, "__self__", None)
    module = getattr(fn, "__module__", None) or ""
    if owner is not None and type(owner).__module__.startswith("numpy.random"):
        return True
    return module.startswith(("numpy.random", "random"))


def makes_tape(fn: Any) -> bool:
    return fn is ir.new_tape
