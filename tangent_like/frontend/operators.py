"""The derivative operators that a differentiated function may itself call.

The public functions register here under a name; `operator_calls` lowers a call of one.
"""

from __future__ import annotations

from typing import Any

_names: dict[Any, str] = {}
DERIVATIVES: tuple[type[Any], ...] = ()
"""The classes of derivative callables; each has `derived()`."""


def register(function: Any, name: str) -> None:
    _names[function] = name


def register_class(kind: type) -> None:
    global DERIVATIVES  # noqa: PLW0603 - filled once, while the package is imported
    DERIVATIVES = (*DERIVATIVES, kind)


def name_of(function: Any) -> str | None:
    try:
        return _names.get(function)
    except TypeError:
        return None
