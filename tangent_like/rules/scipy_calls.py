"""What many functions of SciPy take that does not change a derivative, or not of everything."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tangent_like import runtime, scipy_runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.symbolic import apply, rank

OF_MATRICES = "of matrices, not of numbers"
"""The note of functions that take a number for a matrix of one element."""


def refuse_list(x: Any, name: str) -> None:
    if isinstance(x, (tuple, list)):
        raise NotYetSupported(f"the derivative of `{name}` of a list", hint="write np.array(...)")


def matrix(x: Any, name: str, ranks: tuple[int, ...] = ()) -> Any:
    """An operand of `name` that must be a matrix, or a stack of matrices, or of one of `ranks`."""
    refuse_list(x, name)
    count = rank(x)
    if count is not None and (count not in ranks if ranks else count < 2):
        what = ("a number", "a vector", "a matrix", "a stack of matrices")[min(count, 3)]
        raise NotYetSupported(f"the derivative of `{name}` of {what}", hint="give it a matrix")
    if count is not None:
        return x
    return apply(scipy_runtime.matrix, x) if ranks == (2,) else apply(runtime.with_axes, x, 2)


OF_STACKS = "stacks of matrices with matrices, not with vectors"
"""The note of solvers of which SciPy says that a vector belongs to each matrix of a stack."""


def beside(a: Any, b: Any, name: str) -> Any:
    """The right-hand side of `name`, which is no vector if `a` is a stack of matrices."""
    if (rank(a) or 0) > 2 and rank(b) == 1:
        raise NotYetSupported(
            f"the derivative of `{name}` of a stack of matrices and a vector",
            hint="give it a matrix of one column",
        )
    if rank(a) == 2 or (rank(b) or 1) > 1:
        return b
    return apply(scipy_runtime.beside, a, b)


def usual(formula: Callable[..., Any]) -> Callable[..., Any]:
    """The formula for calls that may also have `check_finite=` and `overwrite_...=False`.

    An operand that is overwritten might be used again, so that is refused.
    """
    parameters = inspect.signature(formula).parameters

    def accepting(*operands: Any, **keywords: Any) -> Any:
        for name in [*keywords]:
            if name == "check_finite":
                del keywords[name]
            elif name.startswith("overwrite_") and keywords.pop(name) is not False:
                raise NotYetSupported("overwriting an operand", hint=f"leave `{name}` out")
        unknown = sorted(keywords.keys() - parameters)
        if unknown or len(operands) > len(parameters):
            what = f"the keyword `{unknown[0]}`" if unknown else "so many positional arguments"
            raise NotYetSupported(what, hint="leave it out, or compute the same in two steps")
        return formula(*operands, **keywords)

    return accepting
