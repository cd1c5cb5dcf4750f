"""Calling what Numba compiled without its choice of a version.

    f_grad(1.0, 2.0)      # looks at the types of the arguments, then calls the version for them
    direct(1.0, 2.0)      # is that version

Where the types are known to be those of the call before, the choice need not be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba import types
from numba.core.dispatcher import Dispatcher


def direct_call(call: Any, args: Sequence[Any]) -> Callable[..., Any] | None:
    """The machine code for arguments that are floats all; None for others, of which the type does
    not tell all that Numba wants to know, and for what Numba has not compiled yet."""
    if not isinstance(call, Dispatcher) or any(type(a) is not float for a in args):
        return None
    version = call.overloads.get((types.float64,) * len(args))
    entry_point: Callable[..., Any] | None = getattr(version, "entry_point", None)
    return entry_point
