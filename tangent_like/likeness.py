"""Whether what is given beside a value, a tangent or a cotangent, has its structure and shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like.errors import ArgumentError, Place
from tangent_like.parts import items_beside, items_of


def check_like(value: Any, other: Any, what: str, place: Place | None = None) -> None:
    """Raise ArgumentError where `other`, which messages call `what`, is not like `value`."""
    own, others = items_of(value), items_of(other)
    if own is None and others is None:
        _check_shape(value, other, what, place)
        return
    beside = items_beside(value, other)
    if own is None or beside is None:
        raise _error(f"the {what} has another structure than its value", place)
    for v, o in zip(own, beside, strict=True):
        check_like(v, o, what, place)


def _check_shape(value: Any, other: Any, what: str, place: Place | None) -> None:
    if np.shape(value) != np.shape(other):
        shapes = f"has shape {np.shape(other)} where its value has {np.shape(value)}"
        raise _error(f"the {what} {shapes}", place)
    if other is None and isinstance(value, (int, float, complex, np.ndarray, np.generic)):
        raise _error(f"the {what} is None where its value is a number", place)


def _error(message: str, place: Place | None) -> ArgumentError:
    return ArgumentError(message) if place is None else ArgumentError(message, place)
