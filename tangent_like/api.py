"""The public operators: function in, function out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.deep import deep
from tangent_like.dispatch import (
    Derivative,
    Wrt,
    convert,
    declared_kinds,
    name_of,
    place_of,
    underlying,
)
from tangent_like.errors import ArgumentError
from tangent_like.frontend import operators
from tangent_like.jacobians import Jacobian
from tangent_like.likeness import check_like
from tangent_like.parts import map_leaves
from tangent_like.request import Options
from tangent_like.rules import registry
from tangent_like.show import show

if TYPE_CHECKING:
    from typing_extensions import Unpack


def grad(
    function: Callable[..., Any],
    wrt: Wrt = 0,
    *,
    has_aux: bool = False,
    **options: Unpack[Options],
) -> Derivative:
    """The gradient of a scalar function.

    `wrt` is the position or name of an argument, or a tuple of these (then a tuple of gradients
    is returned).  A gradient has the structure, shape and type of its argument.  With `has_aux`
    the function returns `(scalar, auxiliary)`, and the derivative `(gradient, auxiliary)`.

    With `backend="numba"` the derivative is compiled by Numba, which is told `fastmath` and
    `parallel`; so are those of the other operators.

    Raises ArgumentError where the result is not a real scalar; use `jacobian` then.
    """
    return Derivative(function, "grad", wrt, **_with_aux(has_aux), **options)


def value_and_grad(
    function: Callable[..., Any],
    wrt: Wrt = 0,
    *,
    has_aux: bool = False,
    **options: Unpack[Options],
) -> Derivative:
    """`(value, gradient)` of a scalar function, as `scipy.optimize.minimize(jac=True)` takes it.

    With `has_aux`: `((value, auxiliary), gradient)`.
    """
    return Derivative(function, "value_and_grad", wrt, **_with_aux(has_aux), **options)


def _with_aux(has_aux: bool) -> dict[str, Any]:
    return {"has_aux": True} if has_aux else {}


def elementwise_grad(
    function: Callable[..., Any], wrt: Wrt = 0, **options: Unpack[Options]
) -> Derivative:
    """The derivative of an element-wise function, with the shape of its argument."""
    return Derivative(function, "elementwise_grad", wrt, **options)


def derivative(
    function: Callable[..., Any], wrt: Wrt = 0, order: int = 1, **options: Unpack[Options]
) -> Derivative:
    """The n-th derivative of a scalar function of a scalar, as generated source of that order."""
    if not isinstance(order, int) or order < 0:
        raise ArgumentError(f"order is a number of derivatives, not {order!r}")
    return Derivative(function, "derivative", wrt, order=order, **options)


def hvp(
    function: Callable[..., Any], wrt: Wrt = 0, **options: Unpack[Options]
) -> Derivative:
    """`hvp(f)(x, ..., v)`: the Hessian of a scalar function times `v`, forward over reverse.

    The vectors come after the function's arguments, one for each entry of `wrt`.
    """
    return Derivative(function, "hvp", wrt, **options)


@functools.lru_cache(maxsize=512)
def _derivative(
    function: Any, operator: str, wrt: tuple[int, ...], **options: Unpack[Options]
) -> Derivative:
    return Derivative(function, operator, wrt, **options)


def jvp(
    function: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    **options: Unpack[Options],
) -> Any:
    """`(value, tangent)`: the derivative in the direction `tangents`, by forward mode.

    There is a tangent for each primal, of its structure and shape; None for an argument that is
    held constant, as ints with the tangent 0 are.
    """
    if len(primals) != len(tangents):
        raise ArgumentError(
            f"{len(primals)} primals but {len(tangents)} tangents for `{name_of(function)}`"
        )
    pairs = list(zip(primals, tangents, strict=True))
    wrt = tuple(i for i, (p, t) in enumerate(pairs) if not _constant(p, t))
    if not wrt:
        value = function(*primals)
        return value, _zero_like(value)
    for i in wrt:
        check_like(primals[i], tangents[i], f"tangent of argument {i} of `{name_of(function)}`")
    derived = _derivative(underlying(function, len(primals)), "jvp", wrt, **options)
    return derived(*primals, *(_as_float(tangents[i], primals[i]) for i in wrt))


def _constant(value: Any, tangent: Any) -> bool:
    if tangent is None or isinstance(value, (str, bool, type(None))):
        return True
    return isinstance(value, (int, np.integer)) and np.ndim(tangent) == 0 and tangent == 0


def _zero_like(value: Any) -> Any:
    def zero(leaf: Any) -> Any:
        return np.zeros_like(leaf) if isinstance(leaf, np.ndarray) else 0.0

    return map_leaves(zero, value)


def _as_float(value: Any, like: Any) -> Any:
    return map_leaves(_leaf_as_float, value, like)


def _leaf_as_float(value: Any, like: Any) -> Any:
    if isinstance(like, np.ndarray):  # of an array without axes a number may be given
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        return value.astype(float) if value.dtype.kind in "iub" else value
    return float(value) if isinstance(value, (int, np.integer, np.float64)) else value


def vjp(
    function: Callable[..., Any], *primals: Any, **options: Unpack[Options]
) -> tuple[Any, Callable[..., tuple[Any, ...]]]:
    """`(value, pullback)`: `pullback(g)` returns a cotangent for each primal, by reverse mode.

    `g` has the structure and shape of the value.  Arguments that have no derivative (ints,
    strings, None) get None.
    """
    chosen = tuple(i for i, p in enumerate(primals) if _is_active(p))
    value, cotangents = _sweeps(underlying(function, len(primals)), primals, chosen, options)
    what = f"cotangent of `{name_of(function)}`"

    def pullback(g: Any) -> tuple[Any, ...]:
        """The cotangents of the primals for the cotangent `g` of the value."""
        check_like(value, g, what)
        found = iter(cotangents(_as_float(g, value)))
        return tuple(next(found) if i in chosen else None for i in range(len(primals)))

    return value, pullback


def _sweeps(
    target: Any, primals: Sequence[Any], chosen: tuple[int, ...], options: Options
) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
    """The value, and the reverse sweep as a function of the seed.

    Plain code runs the forward sweep once; for Numba, whose tuples hold no lists of lists, both
    sweeps run in each pullback.
    """
    if not chosen:
        return target(*map(runtime.copy, primals)), lambda g: ()
    if options.get("backend", "numpy") != "numpy":
        derived = _derivative(target, "vjp", chosen, **options)
        return target(*map(runtime.copy, primals)), lambda g: derived(*primals, g)
    derived = _derivative(target, "split", chosen, **options)
    args = derived.bind(primals, {})
    forward, backward = derived.version(args).calls
    value, saved = forward(*derived.converted(args))
    return value, lambda g: backward(saved, g)


def _is_active(value: Any) -> bool:
    if type(value) in (tuple, list) and not value:
        return True
    return facts.may_be_differentiated(facts.of_constant(convert(value, False)))


# --- Jacobians ----------------------------------------------------------------------------------


def jacfwd(
    function: Callable[..., Any], wrt: Wrt = 0, **options: Unpack[Options]
) -> Callable[..., Any]:
    """The Jacobian by forward mode, a column at a time: shape of the result, then of the input."""
    return Jacobian(function, wrt, "fwd", options)


def jacrev(
    function: Callable[..., Any], wrt: Wrt = 0, **options: Unpack[Options]
) -> Callable[..., Any]:
    """The Jacobian by reverse mode, a row at a time: shape of the result, then of the input."""
    return Jacobian(function, wrt, "rev", options)


def jacobian(
    function: Callable[..., Any], wrt: Wrt = 0, **options: Unpack[Options]
) -> Callable[..., Any]:
    """The Jacobian by the mode that needs fewer sweeps; shape of the result, then of the input."""
    return Jacobian(function, wrt, "auto", options)


def hessian(
    function: Callable[..., Any], wrt: Wrt = 0, **options: Unpack[Options]
) -> Callable[..., Any]:
    """The matrix of second derivatives of a scalar function: the input's shape twice.

    For a tuple `wrt`, a tuple of tuples.
    """
    return Jacobian(grad(function, wrt, cache=options.get("cache", True)), wrt, "fwd", options)


# --- looking at the compiler's work -------------------------------------------------------------


def source(
    function: Callable[..., Any],
    mode: str = "adjoint",
    wrt: Wrt | None = None,
    types: dict[str, Any] | None = None,
    simplify: bool = True,
    **options: Unpack[Options],
) -> str:
    """The source of the derivative.

    `mode` is "adjoint" (reverse mode: the gradient, or with a seed for results that are no
    scalars) or "tangent" (forward mode).  `wrt` is all arguments that can have a derivative by
    default.  `types` gives a type or an example value for each name; annotations serve otherwise.
    With `simplify=False` the code before simplification.
    """
    if mode not in ("adjoint", "tangent"):
        raise ArgumentError(f'mode is "adjoint" or "tangent", not {mode!r}')
    target = underlying(function)
    chosen = differentiable_arguments(target, types) if wrt is None else wrt
    if mode == "tangent":
        chosen = chosen if isinstance(chosen, tuple) else (chosen,)
        return Derivative(target, "jvp", chosen, **options).for_types(types, simplify).text
    try:
        return Derivative(target, "grad", chosen, **options).for_types(types, simplify).text
    except ArgumentError:
        return Derivative(target, "vjp", chosen, **options).for_types(types, simplify).text


def differentiable_arguments(target: Any, types: dict[str, Any] | None) -> Wrt:
    """The positions of all arguments that can have a derivative, by their declared types."""
    kinds = declared_kinds(target, types, ())
    found = tuple(i for i, kind in enumerate(kinds) if facts.may_be_differentiated(kind))
    if not found:
        name = name_of(target)
        raise ArgumentError(f"no argument of `{name}` can have a derivative", place_of(target))
    return found if len(found) > 1 else found[0]


def wengert(function: Callable[..., Any], types: dict[str, Any] | None = None) -> str:
    """The Wengert list of a function, as numbered lines."""
    from tangent_like.nested import new_module  # noqa: PLC0415 - the compiler is loaded late
    from tangent_like.pipeline import primal  # noqa: PLC0415 - as above

    target = underlying(function)
    return show(deep(primal, target, declared_kinds(target, types, ()), new_module()))


def stop_gradient(x: Any) -> Any:
    """`x` itself, with derivative zero."""
    return x


registry.constant(stop_gradient, print, len, type, str, repr, isinstance, range, getattr)

for _function, _name in (
    (grad, "grad"), (value_and_grad, "value_and_grad"), (elementwise_grad, "elementwise_grad"),
    (derivative, "derivative"), (hvp, "hvp"), (jvp, "jvp"), (vjp, "vjp"), (hessian, "hessian"),
    (jacobian, "jacobian"), (jacfwd, "jacfwd"), (jacrev, "jacrev"),
):  # fmt: skip
    operators.register(_function, _name)

