"""By which parameters a function is called."""

from __future__ import annotations

import inspect
from typing import Any

_COLLECTORS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameters_of(function: Any) -> list[inspect.Parameter]:
    """The parameters of a Python function.

    A decorated function whose wrapper takes `*args` and `**kwargs` is called as what it wraps;
    it is still the wrapper that is differentiated.
    """
    own = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    if not any(p.kind in _COLLECTORS for p in own):
        return own
    wrapped = list(inspect.signature(function).parameters.values())
    return own if any(p.kind in _COLLECTORS for p in wrapped) else wrapped
