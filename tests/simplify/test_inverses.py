"""Equations with a matrix whose inverse is computed anyway."""

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives

K = np.array([[2.0, 0.3, -0.4], [0.1, 1.5, 0.2], [0.5, -0.2, 1.8]])
V = np.array([0.4, -1.1, 0.7])
B = np.array([[0.4, 0.2], [-1.1, 0.3], [0.7, -0.9]])


def likelihood(k, v):
    return 0.5 * v @ np.linalg.solve(k, v) + 0.5 * np.linalg.slogdet(k)[1]


def determinant_first(k, v):
    return np.linalg.slogdet(k)[1] * np.sum(np.sin(np.linalg.solve(k, v)))


def of_the_transpose(k, v):
    return np.sum(np.linalg.solve(k.T, v) ** 2) + np.linalg.slogdet(k)[1]


def two_matrices(k, v):
    return np.linalg.slogdet(k @ k)[1] + np.sum(np.linalg.solve(k, v) ** 2)


def in_a_branch(k, v):
    y = np.sum(np.linalg.solve(k, v) ** 2)
    if y > 0.0:
        y = y + np.linalg.slogdet(k)[1]
    return y


def solutions(f, right):
    lines = tl.source(f, types={"k": K, "v": right}).splitlines()
    text = "".join(line for line in lines if "#" not in line)
    return text.count("np.linalg.solve("), text.count("np.linalg.inv(")


@pytest.mark.parametrize(
    ("f", "right", "counts"),
    [
        (likelihood, V, (1, 1)),
        (determinant_first, V, (1, 1)),
        (determinant_first, B, (1, 1)),
        (of_the_transpose, V, (1, 1)),
        (of_the_transpose, B, (1, 1)),
        (two_matrices, V, (2, 1)),
        (in_a_branch, V, (2, 1)),
    ],
)
def test_the_inverse_solves(f, right, counts):
    assert_derivatives(f, K, right)
    assert solutions(f, right) == counts
