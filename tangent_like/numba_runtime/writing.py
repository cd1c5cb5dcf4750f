"""Functions written for the types of a call: loops nested as deep as an array has axes.

Numba chooses an implementation when it knows the types.  Where that depends on the number of axes
the implementation is written as text, as a person would write the loops for that number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.extending import overload

_INDENT = "    "
Chooser = Callable[..., Any]

choosers: dict[Callable[..., Any], Chooser] = {}
"""What chooses the implementation of each function, for the types of its arguments."""


def implements(function: Callable[..., Any]) -> Callable[[Chooser], Chooser]:
    """Give a function to Numba: the decorated one chooses what implements it for given types.

    Literals stay literals.  Numba compares signatures with their annotations, which therefore go.
    """

    def register(choose: Chooser) -> Chooser:
        @functools.wraps(choose)
        def chosen(*kinds: Any) -> Any:
            implementation = choose(*kinds)
            if implementation is not None:
                implementation.__annotations__ = {}
            return implementation

        choose.__annotations__ = chosen.__annotations__ = {}
        choosers[function] = choose
        overload(function, prefer_literal=True)(chosen)
        return choose

    return register


def function_from(lines: Sequence[str], **namespace: Any) -> Callable[..., Any]:
    """The function that the lines define; `np` and what is given are its globals."""
    space: dict[str, Any] = {"np": np, **namespace}
    exec("\n".join(lines), space)
    made: Callable[..., Any] = space["written"]
    vars(made)["lines"] = tuple(lines)
    return made


def text_of(function: Callable[..., Any]) -> Sequence[str]:
    """The lines that a function was made from; none where it stands in a file."""
    found: tuple[str, ...] = vars(function).get("lines", ())
    return found


def nested(loops: Sequence[tuple[str, str]], body: Sequence[str], depth: int = 1) -> list[str]:
    """`body` inside `for name in range(length):` for each pair."""
    lines = [
        f"{_INDENT * (depth + k)}for {name} in range({length}):"
        for k, (name, length) in enumerate(loops)
    ]
    return lines + [_INDENT * (depth + len(loops)) + line for line in body]


def tuple_text(names: Sequence[str]) -> str:
    """The text of a tuple."""
    return f"({''.join(f'{name}, ' for name in names)})"


def literal(kind: Any) -> Any:
    """The value of a literal type: a number, a bool, a string, None, or a tuple of these.

    Raises TypingError where the type does not say the value.
    """
    if isinstance(kind, types.Omitted):
        return kind.value
    if isinstance(kind, types.Literal):
        return kind.literal_value
    if isinstance(kind, types.NoneType):
        return None
    if isinstance(kind, types.BaseTuple):
        return tuple(map(literal, items_of(kind)))
    if isinstance(kind, (bool, int, str, type(None))):
        return kind
    raise TypingError(f"{kind} is not known when the call is compiled")


def items_of(kind: Any) -> tuple[Any, ...]:
    """The types of the items of a tuple; of anything else, itself."""
    return tuple(kind.types) if hasattr(kind, "types") else (kind,)


def is_number(kind: Any) -> bool:
    return isinstance(kind, (types.Number, types.Boolean))


def is_real(kind: Any) -> bool:
    dtype = kind.dtype if isinstance(kind, types.Array) else kind
    return not isinstance(dtype, types.Complex)


def is_inexact(kind: Any) -> bool:
    return isinstance(kind, (types.Float, types.Complex))
