"""NumPy's functions that take a function: vectorize, apply_along_axis, piecewise."""

from typing import Any

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives

X = np.array([[0.3, -0.7, 1.2], [0.5, 0.2, -0.9]])
W = np.array([0.45, 0.75, 0.2])


def larger(t: Any, s: Any) -> Any:
    if t > s:
        return t * t
    return np.sin(t) * s


@np.vectorize
def bent(t: Any) -> Any:
    return t**3 if t > 0 else -t


def vectorized_pairs(x: Any, w: Any) -> Any:
    return np.sum(np.vectorize(larger)(x, w) ** 2)


def vectorized_global(x: Any) -> Any:
    return np.sum(bent(x) * x)


def vectorized_number(t: Any) -> Any:
    return np.vectorize(lambda a: np.exp(a) * t)(0.5) * t


def sums_of_rows(x: Any) -> Any:
    return np.sum(np.apply_along_axis(lambda row: np.sum(row * row), 1, x) ** 2)


def softmax_of_columns(x: Any, w: Any) -> Any:
    e = np.apply_along_axis(lambda column: np.exp(column) / np.sum(np.exp(column)), 0, x)
    return np.sum(e**2 * w)


def three_pieces(w: Any) -> Any:
    parts = np.piecewise(w, [w < 0.3, w > 0.6], [lambda t: t**2, np.sin, lambda t: 1 / t])
    return np.sum(parts * w)


def overlapping_pieces(w: Any) -> Any:
    return np.sum(np.piecewise(w, [w > 0.1, w > 0.6], [lambda t: t**2, 5.0]) * w)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (vectorized_pairs, (X, W)),
        (vectorized_global, (X,)),
        (sums_of_rows, (X,)),
        (softmax_of_columns, (X, W)),
        (three_pieces, (W,)),
        (overlapping_pieces, (W,)),
    ],
)
def test_derivatives(f: Any, args: Any) -> None:
    assert_derivatives(f, *args)


def test_of_one_number() -> None:
    assert tl.grad(lambda t: vectorized_number(t) * 1.0)(0.7) == pytest.approx(1.4 * np.exp(0.5))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.vectorize(larger, otypes=[float])(x, x)),
        lambda x: np.sum(np.apply_along_axis(larger, 0, x, 0.5)),
        lambda x: np.piecewise(x[0, 0], [x[0, 0] > 0], [1.0, 2.0]),
    ],
)
def test_refused(f: Any) -> None:
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(X)
    assert caught.value.place.line > 0
    assert caught.value.hint
