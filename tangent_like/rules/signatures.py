"""Functions of rules that are made by other functions, with the parameters that they stand for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

OPERAND = inspect.Parameter.POSITIONAL_OR_KEYWORD


def with_parameters(
    function: Callable[..., Any], before: int, parameters: Sequence[inspect.Parameter]
) -> Callable[..., Any]:
    """`function(*before, *operands, **keywords)`, with a signature that names the operands."""
    first = [inspect.Parameter(f"_{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(before)]
    given = [p.replace(kind=OPERAND) for p in parameters]
    function.__signature__ = inspect.Signature([*first, *given])  # type: ignore[attr-defined]
    return function


def named_values(names: Sequence[str], args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """What a call gave for each name."""
    return {**dict(zip(names, args, strict=False)), **keywords}


def parameters_of(function: Any) -> tuple[inspect.Parameter, ...] | None:
    """The parameters of a function of NumPy's; None where Python cannot tell."""
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
