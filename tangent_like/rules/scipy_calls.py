"""Keywords that most functions of SciPy take and that do not change a derivative."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tangent_like.errors import NotYetSupported


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
