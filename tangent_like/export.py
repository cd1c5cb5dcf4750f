"""`export`: a derivative as a module that stands alone."""

from __future__ import annotations

import inspect
import os
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tangent_like import facts
from tangent_like.api import differentiable_arguments
from tangent_like.deep import deep
from tangent_like.dispatch import Derivative, Wrt, declared_kinds, name_of, place_of, underlying
from tangent_like.errors import ArgumentError
from tangent_like.request import Options
from tangent_like.version import VERSION

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tangent_like.ir import Function


def export(
    function: Callable[..., Any],
    path: str | os.PathLike[str],
    mode: str = "adjoint",
    wrt: Wrt | None = None,
    types: dict[str, Any] | None = None,
    **options: Unpack[Options],
) -> None:
    """Write the derivative as a module that needs only NumPy (and SciPy, if the function does;
    with `backend="numba"`, Numba).

    `mode` is "adjoint" (reverse mode: the gradient, or with a seed for results that are no
    scalars) or "tangent" (forward mode).  `wrt` is all arguments that can have a derivative by
    default.  `types` gives a type or an example value for each name; annotations serve otherwise,
    and arguments of unknown type may be anything.

    Numbers and small arrays from outside the function become constants of the module.  Raises
    NotYetSupported where the function needs what cannot be written down.
    """
    text = exported(function, mode, wrt, types, **options)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def exported(
    function: Callable[..., Any],
    mode: str = "adjoint",
    wrt: Wrt | None = None,
    types: dict[str, Any] | None = None,
    **options: Unpack[Options],
) -> str:
    """The text of that module."""
    if mode not in ("adjoint", "tangent"):
        raise ArgumentError(f'mode is "adjoint" or "tangent", not {mode!r}')
    target = underlying(function)
    chosen = differentiable_arguments(target, types) if wrt is None else wrt
    if mode == "tangent":
        chosen = chosen if isinstance(chosen, tuple) else (chosen,)
        return written(Derivative(target, "jvp", chosen, **options), types)
    try:
        return written(Derivative(target, "grad", chosen, **options), types)
    except ArgumentError:
        return written(Derivative(target, "vjp", chosen, **options), types)


def written(derivative: Derivative, types: dict[str, Any] | None) -> str:
    """The module of a derivative."""
    from tangent_like.backend.standalone import standalone_text  # noqa: PLC0415 - rarely needed
    from tangent_like.pipeline import finished_functions  # noqa: PLC0415 - loaded late

    request = derivative.request
    kinds = declared_kinds(derivative.function, types, request.wrt)
    functions = deep(finished_functions, derivative.function, kinds, request)
    main = functions[-1]
    chosen = [main.params[i] for i in request.wrt]
    floats = [param.name for param in chosen if facts.is_float_scalar(param.fact)]
    docs = module_docstring(derivative, main), docstring(derivative, main)
    return deep(standalone_text, functions, request, docs, floats)


def module_docstring(derivative: Derivative, main: Function) -> str:
    file = os.path.basename(place_of(derivative.function).file)
    where = "" if file.startswith("<") else f" in {file}"
    title = f"`{main.name}`: a derivative of `{name_of(derivative.function)}`{where}."
    return (
        f"{textwrap.fill(title, 84)}\n\n"
        f"Written by tangent_like {VERSION}, which it does not need: read it, change it, keep it."
    )


def docstring(derivative: Derivative, main: Function) -> str:
    """What the function returns, and what it takes."""
    lines = [f"{param.name}: {described(param.fact)}" for param in main.params]
    summary = textwrap.fill(what_is_returned(derivative, main), 80)
    return "\n".join([summary, "", *lines, ""])


def described(fact: facts.Fact) -> str:
    return "a number or an array" if fact == facts.NUMERIC else facts.describe(fact)


def what_is_returned(derivative: Derivative, main: Function) -> str:
    function, request = name_of(derivative.function), derivative.request
    names = [main.params[i].name for i in request.wrt]
    extra = [param.name for param in main.params[len(parameters_of(derivative)) :]]
    if request.operator == "jvp":
        return (
            f"The value of `{function}` and its tangent, for the {_listed('tangent', extra)} "
            f"of {_quoted(names)}."
        )
    if request.operator == "vjp":
        return (
            f"The {_listed('cotangent', names, 'of ')} for the cotangent `{extra[0]}` of "
            f"the result of `{function}`."
        )
    tuple_of = "" if request.single else ", as a tuple"
    return f"The gradient of `{function}` with respect to {_quoted(names)}{tuple_of}."


def parameters_of(derivative: Derivative) -> Sequence[inspect.Parameter]:
    return list(inspect.signature(derivative.function, follow_wrapped=False).parameters.values())


def _listed(noun: str, names: Sequence[str], of: str = "") -> str:
    plural = "s" if len(names) > 1 else ""
    return f"{noun}{plural} {of}{_quoted(names)}"


def _quoted(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return ", ".join(quoted[:-1]) + (" and " if quoted[1:] else "") + quoted[-1]
