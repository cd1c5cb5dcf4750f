"""`custom_vjp` and `custom_jvp`: functions whose derivative their author writes.

They have the form that JAX gave them, so that code moves over unchanged.  In a function that is
differentiated, a call of such a function becomes a call of a procedure of the generated module,
whose derivatives are made of the given functions: see `calls.py`.  These are compiled like
any other function, and so can be differentiated again; what cannot be compiled is called as it
is, and has no second derivative.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from tangent_like.errors import ArgumentError
from tangent_like.rules import registry


def custom_vjp(function: Any = None, nondiff_argnums: Sequence[int] = ()) -> Any:
    """A function with a reverse-mode rule of its own.

        @custom_vjp
        def f(x, y):
            return np.sin(x) * y

        def f_fwd(x, y):
            return f(x, y), (np.cos(x), np.sin(x), y)

        def f_bwd(residuals, g):
            cos_x, sin_x, y = residuals
            return cos_x * y * g, sin_x * g

        f.defvjp(f_fwd, f_bwd)

    `f_fwd` takes the arguments of `f` and returns its value and whatever `f_bwd` needs.  `f_bwd`
    takes that and the cotangent of the value, and returns a tuple with the cotangent of each
    argument: of its structure and shape, or None for zero.  Arguments in `nondiff_argnums` are
    passed to `f_bwd` first and have no cotangent.

    Forward mode, which JAX refuses here, transposes `f_bwd`; where that is not linear in the
    cotangent (as one that clips it) forward mode raises NeverSupported.
    """
    if function is None:
        return functools.partial(custom_vjp, nondiff_argnums=nondiff_argnums)
    made = _copied(function, "custom_vjp")
    custom = registry.Custom(made, tuple(nondiff_argnums))

    def defvjp(fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Give the forward and the backward function."""
        custom.forward, custom.backward = _plain(fwd), _plain(bwd)
        registry.changed()

    made.defvjp = defvjp  # type: ignore[attr-defined]
    registry.customs[made] = custom
    return made


def custom_jvp(function: Any = None, nondiff_argnums: Sequence[int] = ()) -> Any:
    """A function with a tangent of its own.

        @custom_jvp
        def f(x, y):
            return np.sin(x) * y

        @f.defjvp
        def f_jvp(primals, tangents):
            x, y = primals
            dx, dy = tangents
            return f(x, y), np.cos(x) * dx * y + np.sin(x) * dy

    Reverse mode transposes the rule, and computes it again in the reverse sweep to do so; it
    raises NeverSupported where the rule is not linear in the tangents.  `f.defjvps(of_x, of_y)`
    gives one function `of_x(dx, y, *args)` for each argument (None for zero), whose results are
    added.  Arguments in `nondiff_argnums` are passed to the rule first and have no tangent.
    """
    if function is None:
        return functools.partial(custom_jvp, nondiff_argnums=nondiff_argnums)
    made = _copied(function, "custom_jvp")
    custom = registry.Custom(made, tuple(nondiff_argnums))

    def defjvp(jvp: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function of primals and tangents; it can be used as a decorator."""
        custom.tangent = _plain(jvp)
        registry.changed()
        return jvp

    def defjvps(*jvps: Callable[..., Any] | None) -> None:
        """Give a function for each argument, of its tangent, the value and the arguments."""
        custom.tangents = tuple(None if jvp is None else _plain(jvp) for jvp in jvps)
        registry.changed()

    made.defjvp, made.defjvps = defjvp, defjvps  # type: ignore[attr-defined]
    registry.customs[made] = custom
    return made


def _plain(function: Any) -> FunctionType:
    if not isinstance(function, FunctionType):
        raise ArgumentError(f"a rule is a plain function, not {function!r}")
    return function


def _copied(function: Any, decorator: str) -> FunctionType:
    """A function of the same code: the one that was passed keeps its own derivative."""
    if not isinstance(function, FunctionType):
        raise ArgumentError(f"`{decorator}` takes a plain function, not {function!r}")
    made = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    functools.update_wrapper(made, function)
    del made.__dict__["__wrapped__"]  # it is no wrapper: its code is that of the function
    return made
