"""Derivatives inside functions that Numba compiles.

    gradient = tl.grad(f, backend="numba")

    @numba.njit
    def step(x):
        return x - 0.1 * gradient(x)

When Numba knows the types of the arguments, the derivative for these is compiled and called.  The
lengths of arrays are not known then: the version that is compiled serves all.  What lies outside
the differentiated function is frozen, as Numba freezes all that lies outside a function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np
from numba import types
from numba.core.registry import cpu_target
from numba.extending import overload, typeof_impl

from tangent_like import facts
from tangent_like.backend.load import Compiled
from tangent_like.facts import Fact
from tangent_like.numba_runtime.writing import function_from, items_of

Choose = Callable[[Sequence[Fact]], Compiled]
"""Gives the compiled version for the kinds of arguments."""

_known: set[type] = set()


@dataclass(frozen=True)
class Callee:
    """A derivative as Numba sees it: how many arguments, which of them are taken as floats."""

    count: int
    floats: Sequence[int]
    choose: Choose


def register(kind: type, described: Callable[[Any], Callee]) -> None:
    """Let functions that Numba compiles call objects of this class."""
    if kind in _known:
        return
    _known.add(kind)

    def type_of(derivative: Any, context: Any) -> Any:
        function = derivative.__dict__.get("_for_numba")
        if function is None:
            function = stand_in(described(derivative))
            derivative.__dict__["_for_numba"] = function
            cpu_target.typing_context.refresh()
        return cpu_target.typing_context.resolve_value_type(function)

    typeof_impl.register(kind)(type_of)


def stand_in(callee: Callee) -> Callable[..., Any]:
    """A function whose implementation is the derivative for the types of each call."""
    names = [f"a{k}" for k in range(callee.count)]
    params = ", ".join(names)

    def implementation(*kinds: Any) -> Callable[..., Any]:
        found = [fact_of(kind) for kind in kinds]
        passed = list(names)
        for k in callee.floats:
            if found[k] == facts.INT:
                found[k], passed[k] = facts.FLOAT, f"float({names[k]})"
        call, outside = parts_of(callee.choose(found), callee.count)
        frozen = {f"v{k}": value for k, value in enumerate(outside)}
        arguments = ", ".join([*passed, *frozen])
        return function_from(
            [f"def written({params}):", f"    return call({arguments})"], call=call, **frozen
        )

    function = function_from([f"def written({params}):", "    pass"])
    chooser = function_from(
        [f"def written({params}):", f"    return implementation({params})"],
        implementation=implementation,
    )
    overload(function)(chooser)
    return function


def parts_of(compiled: Compiled, count: int) -> tuple[Any, tuple[Any, ...]]:
    """What Numba compiled, and the values that are handed to it of what lies outside.

    The function that reads these is run with another in the place of the compiled one.
    """
    (call,) = compiled.calls
    if not isinstance(call, FunctionType):
        return call, ()
    name = f"{call.__name__}_compiled"
    space = {**call.__globals__, name: lambda *args: args}
    received = FunctionType(call.__code__, space)(*[None] * count)
    return call.__globals__[name], received[count:]


def fact_of(kind: Any) -> Fact:
    """What is known of an argument of this Numba type."""
    kind = types.unliteral(kind)  # type: ignore[no-untyped-call]
    if isinstance(kind, types.BaseTuple):
        return facts.Tuple(tuple(fact_of(item) for item in items_of(kind)))
    if isinstance(kind, types.Array):
        dims = tuple(facts.fresh_size() for _ in range(kind.ndim))
        return facts.Array(np.dtype(str(kind.dtype)).name, dims)
    if isinstance(kind, types.NoneType):
        return facts.of_constant(None)
    if isinstance(kind, types.Boolean):
        return facts.BOOL
    if isinstance(kind, types.Integer):
        return facts.INT
    named = {types.float64: facts.FLOAT, types.complex128: facts.Scalar("complex")}
    return named.get(kind) or facts.Array(str(kind), ())
