"""How functions that are known only when a derivative runs are differentiated: see `dynamic.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tangent_like import api, dynamic, effects, ir
from tangent_like.deep import deep
from tangent_like.dispatch import convert, place_of
from tangent_like.errors import NotYetSupported
from tangent_like.spelled import defined


def _tangent_of(function: Any, varied: int, operands: Sequence[Any]) -> Any:
    called, xs = _called(function, operands)
    names = [f"dx{k}" if varied >> k & 1 else "None" for k in range(len(xs))]
    head = ", ".join([*xs, *(name for name in names if name != "None")])
    result = f"jvp(called, ({', '.join(xs)},), ({', '.join(names)},))[1]"
    return defined("tangent", head, result, {"called": called, "jvp": api.jvp})


def _cotangent_of(function: Any, place: int, operands: Sequence[Any]) -> Any:
    called, xs = _called(function, operands)
    result = f"vjp(called, {', '.join(xs)})[1](g)[{place}]"
    return defined("cotangent", ", ".join([*xs, "g"]), result, {"called": called, "vjp": api.vjp})


def _called(function: Any, operands: Sequence[Any]) -> tuple[Any, list[str]]:
    """A plain function that calls another one, with the names of its parameters."""
    xs = [f"x{k}" for k in range(len(operands))]
    head = ", ".join(xs)
    called = defined("called", head, f"function({head})", {"function": function})
    _refuse_draws(called, function, operands)
    return called, xs


def _refuse_draws(called: Any, function: Any, operands: Sequence[Any]) -> None:
    """The derivative calls the function again, which must give the same then."""
    from tangent_like.frontend.kinds import kinds_of  # noqa: PLC0415 - the compiler is loaded late
    from tangent_like.nested import new_module  # noqa: PLC0415 - as above
    from tangent_like.pipeline import primal  # noqa: PLC0415 - as above

    kinds = kinds_of([convert(operand, False) for operand in operands])
    lowered = deep(primal, called, kinds, new_module())
    for statement in ir.walk(lowered.body):
        if isinstance(statement, ir.Op) and _may_draw(statement.fn):
            raise NotYetSupported(
                "random numbers in a function that is known only at run time",
                place_of(function), "draw them before, and pass them",
            )  # fmt: skip


def _may_draw(fn: Any) -> bool:
    return effects.is_random(fn) or (isinstance(fn, ir.Procedure) and effects.has_effect(fn))


dynamic.register(_tangent_of, _cotangent_of)
