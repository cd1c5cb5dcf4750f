"""The parts that `np.split` and its like give: views, which are written into."""

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives

X = np.array([0.7, -1.3, 2.1, 0.4])
A = np.array([[0.5, 1.2, -0.3], [2.0, -0.7, 0.9], [1.4, 0.1, 1.6], [-0.8, 0.3, 1.1]])


def halves(x):
    y = x * x
    u, v = np.split(y, 2)
    u[0] = v[1] ** 2
    v *= u
    return np.sum(y * x)


def cut_at_places(x):
    y = x * x
    parts = np.split(y, [1, -1])
    parts[1][0] *= parts[0][0]
    y[3] = parts[1][1]
    return np.sum(y * x) + parts[2][0]


def replaced_in_the_list(x):
    parts = np.split(x * 1.0, 2)
    part = parts[1]
    parts[1] = parts[0]
    parts[1][0] = part[1] ** 2
    part[0] = parts[0][0] * x[1]
    return np.sum(parts[0] * parts[1]) + np.sum(part * part)


def uneven(a):
    b = a * 1.0
    u, v, w = np.array_split(b, 3)
    u *= a[0]
    v[0] += u[0] * b[1]
    w **= 2
    return np.sum(b * np.sin(b)) + np.sum(u[0])


def along_other_axes(a):
    b = a * 1.0
    u, v = np.hsplit(b, [1])
    u *= v[:, :1]
    u, v = np.split(b, [-1], axis=1)
    v[:, 0] *= u[:, 0]
    parts = np.split(b.T, 2, -1)
    parts[1][0] *= parts[0][1]
    for part in np.vsplit(b, 2):
        part[0] *= a[0] * part[1]
    return np.sum(b * b)


@pytest.mark.parametrize(("f", "x"), [
    (halves, X), (cut_at_places, X), (replaced_in_the_list, X), (uneven, A), (along_other_axes, A),
])  # fmt: skip
def test_parts_are_views(f, x):
    assert_derivatives(f, x)


def in_a_loop(x, n):
    for k in range(n):
        u, v = np.split(x, 2)
        u += v * v
        v *= u[k]
        x[1] = x[2] * v[0]
    return np.sum(x * x)


def test_parts_in_a_loop():
    assert_derivatives(in_a_loop, X, 2, wrt=0)


def cut(x):
    w, b = np.split(x, [3])
    return np.sum(w * w) * b[0]


def test_places_that_are_known_are_slices():
    source = tl.source(cut, types={"x": X})
    lines = [line for line in source.splitlines() if not line.strip().startswith("#")]
    assert "split" not in "".join(lines)


def test_what_does_not_divide():
    with pytest.raises(ValueError, match="equal division"):
        tl.grad(halves)(X[:3])
