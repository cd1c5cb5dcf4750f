"""Which operations do more than compute a result: they stay where they are, once."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

from tangent_like import dynamic, ir, runtime
from tangent_like.records import MakeRecord, attribute
from tangent_like.stores import Store

EFFECTS: set[Any] = {
    print, ir.fail, ir.unbound, ir.defined, ir.push, ir.pop, ir.flip, ir.put, ir.unpack,
    ir.enter, ir.leave, ir.enter_try, ir.leave_try, ir.keep, runtime.check_separate,
    runtime.check_apart, runtime.check_in_order,
    runtime.drain, dynamic.call, ir.missing,
}  # fmt: skip
_TAPES = {ir.push, ir.pop, ir.put, ir.flip, runtime.drain, ir.unbound, ir.missing, ir.defined}
_EFFECT_MODULES = ("logging", "time", "warnings", "_warnings")
_PURE_MODULES = ("numpy", "math", "cmath", "operator", "_operator", "scipy")
_PURE_HELPERS = tuple(
    f"tangent_like.{name}" for name in ("runtime", "scipy_runtime", "stack_runtime")
)
_PURE: frozenset[Any] = frozenset({
    abs, min, max, sum, round, divmod, pow, float, int, bool, complex, len, range, slice, zip,
    reversed, enumerate, isinstance, tuple, list, getattr, sorted,
    ir.make_tuple, ir.make_list, ir.defined, ir.live,
})  # fmt: skip


def has_effect(fn: Any) -> bool:
    """Whether the call must be kept, in place, even if its result is not used."""
    if isinstance(fn, ir.Procedure):
        return _acts(fn, set())
    try:
        if fn in EFFECTS:
            return True
    except TypeError:
        return True
    return _reaches_outside(fn)


def may_not_move(fn: Any) -> bool:
    """Whether the call draws random numbers or may do anything: what comes after it then may give
    something else.  Prints may come in another order."""
    if isinstance(fn, ir.Procedure):
        return _acts(fn, set())
    return fn is dynamic.call or is_random(fn)


@lru_cache(maxsize=4096)
def _reaches_outside(fn: Any) -> bool:
    return is_random(fn) or _logs_or_asks_the_time(fn)


def _acts(procedure: ir.Procedure, seen: set[Any]) -> bool:
    """Whether a procedure does something that its caller could notice."""
    if procedure in seen or procedure.function is None:
        return procedure not in seen  # one that is still being lowered may do anything
    seen.add(procedure)
    for statement in ir.walk(procedure.function.body):
        if isinstance(statement, ir.Op) and statement.fn not in _TAPES:
            fn = statement.fn
            if _acts(fn, seen) if isinstance(fn, ir.Procedure) else has_effect(fn):
                return True
    return False


def _logs_or_asks_the_time(fn: Any) -> bool:
    module = (getattr(fn, "__module__", None) or "").split(".")[0]
    return module in _EFFECT_MODULES and not isinstance(fn, type)


def is_pure(fn: Any) -> bool:
    """Whether the call is known to depend on nothing but its operands, and to keep none."""
    if isinstance(fn, (Store, MakeRecord)) or fn is attribute:
        return True
    if isinstance(fn, ir.Procedure) or has_effect(fn):
        return False
    return _is_of_pure_library(fn)


@lru_cache(maxsize=4096)
def _is_of_pure_library(fn: Any) -> bool:
    module = getattr(fn, "__module__", None) or type(fn).__module__
    if fn in _PURE or module in _PURE_HELPERS:
        return True
    return module.split(".")[0] in _PURE_MODULES


def sources_of_draws() -> tuple[type, ...]:
    """The classes that random numbers are drawn from; none before NumPy has loaded them."""
    module = sys.modules.get("numpy.random")
    return () if module is None else (module.Generator, module.RandomState)


def is_random(fn: Any) -> bool:
    """Draws are never repeated, moved or left out."""
    owner = getattr(fn, "__self__", None)
    module = getattr(fn, "__module__", None) or ""
    if owner is not None and type(owner).__module__.startswith("numpy.random"):
        return True
    return module.startswith(("numpy.random", "random"))


def is_inert(fn: Any) -> bool:
    """Whether the result carries no derivative, whatever the operands: text, exceptions, effects
    that return nothing."""
    if isinstance(fn, type) and issubclass(fn, BaseException):
        return True
    return fn in _INERT or _logs_or_asks_the_time(fn)


_INERT = (ir.fail, str.format, ir.enter, ir.leave, ir.enter_try, ir.leave_try, ir.keep)


def makes_tape(fn: Any) -> bool:
    return fn is ir.new_tape
