"""Jacobians and Hessians of many directions at once, held against differences and against the
same derivatives in one direction after another."""

import pickle

import numpy as np
import pytest

import tangent_like as tl
from tangent_like import jacobians
from tangent_like.jacobians import Jacobian
from tests.derivatives import central_difference, define, jacobian_by_complex_step

X = np.array([0.7, -1.3, 2.1, 0.4, 1.7, 0.9])
A = np.linspace(-1.0, 1.5, 18).reshape(3, 6)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def by_elements(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def network(w):
    hidden = np.tanh(A.T @ w[:6].reshape(3, 2) + w[3:5])
    p = 1 / (1 + np.exp(-(hidden @ w[4:6])))
    return -np.mean(X * np.log(p) + (1 - X) * np.log(1 - p))


def log_sum_exp(x):
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


def norms(x):
    r = A @ x
    return 0.5 * np.dot(r, r) + np.linalg.norm(x)


def recurrence(x):
    y = np.zeros_like(x)
    for i in range(1, len(x)):
        y[i] = y[i - 1] * x[i] + np.sin(x[i])
    return np.sum(y)


def branches(x):
    y = x[::-1] * x if x[0] > 0.0 else np.zeros(6)
    return np.sum(np.where(y > 0.2, y * x[1], 3.0 * y))


def at_indices(x):
    y = x[np.array([0, 2, 2, 5])] ** 2
    return np.sum(y[:, None] * x[None, :4])


def sums_of_axes(x):
    a = x.reshape(2, 3)
    return np.sum(np.sum(a, axis=0) ** 2) * np.sum(a * a, axis=-1, keepdims=True)[1, 0]


def constant_gradient(x):
    return np.sum(x) * 2.0


SCALARS = [
    rosenbrock, by_elements, network, log_sum_exp, norms, recurrence, branches, at_indices,
    sums_of_axes, constant_gradient,
]  # fmt: skip


def product(x):
    return A @ x


def pairs(x):
    return np.outer(x, np.sin(x))


def steps(x):
    u = x
    for _ in range(3):
        u = u + 0.1 * np.cos(u) * x[0]
    return u


def first_of_all(x):
    return x * x[0] + np.sum(x)


def batches(x):
    a = x.reshape(1, 3, 2) * np.ones((2, 1, 1))
    return np.matmul(a, np.arange(8.0).reshape(2, 2, 2))


def equations(x):
    m = A[:, :3] + 2.0 * np.eye(3)
    return np.linalg.solve(m, x[:3]), np.linalg.solve(m, np.cumsum(x).reshape(3, 2))


def solved(x):
    return equations(x)[1] * equations(x)[0][0]


VECTORS = [product, pairs, steps, first_of_all, batches, solved]


def at_once(jacobian, x):
    like = jacobian.function(x) if jacobian.mode == "rev" else x
    operator = "rows" if jacobian.mode == "rev" else "columns"
    return jacobian.at_once(operator, (x,), 0, lambda call: call, like)


@pytest.mark.parametrize("f", SCALARS)
def test_hessians(f):
    hessian = tl.hessian(f)
    np.testing.assert_allclose(hessian(X), central_difference(tl.grad(f), (X,), 0), atol=1e-5)
    want = np.stack([tl.hvp(f)(X, e) for e in np.eye(6)], axis=-1)
    np.testing.assert_allclose(hessian(X), want, rtol=1e-12, atol=1e-13)


@pytest.mark.simplified
@pytest.mark.parametrize("f", SCALARS)
def test_hessians_take_all_directions_at_once(f):
    assert at_once(tl.hessian(f), X) is not None


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize("f", VECTORS)
def test_jacobians(f, mode):
    jacobian = Jacobian(f, 0, mode, {})
    assert at_once(jacobian, X) is not None
    want = jacobian_by_complex_step(f, (X,), (0,)).reshape((*f(X).shape, 6))
    np.testing.assert_allclose(jacobian(X), want, rtol=1e-12)


def test_of_a_matrix():
    a = A[:, :3] + 2.0 * np.eye(3)
    jacobian = tl.jacfwd(lambda m: m @ m)
    assert at_once(jacobian, a) is not None
    eye = np.eye(3)
    want = np.einsum("ik,lj->ijkl", eye, a) + np.einsum("ik,lj->ijkl", a, eye)
    np.testing.assert_allclose(jacobian(a), want)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.tile(x, 2) ** 2,
        lambda x: np.fft.rfft(x).real,
        lambda x: np.convolve(x, x),
    ],
)
def test_one_after_another_where_an_operation_has_no_form(f):
    jacobian = tl.jacfwd(f)
    assert at_once(jacobian, X) is None
    np.testing.assert_allclose(jacobian(X), tl.jacrev(f)(X))


@pytest.mark.parametrize(
    "f",
    [lambda x: x[0] * x if x[1] > 0 else x, lambda x: np.maximum(x, 0.5) * x, lambda x: abs(x) * x],
)
def test_kinks_and_branches_are_those_of_one_direction(f):
    for x in (X, X[::-1].copy()):
        want = np.stack([tl.jvp(f, (x,), (e,))[1] for e in np.eye(6)], axis=-1)
        np.testing.assert_array_equal(tl.jacfwd(f)(x), want)


def test_stacks_are_limited(monkeypatch):
    seen = []
    stacks = jacobians._stacks
    monkeypatch.setattr(jacobians, "_ROOM", 6 * 4)
    monkeypatch.setattr(
        jacobians, "_stacks", lambda like, count: (seen.append(count), stacks(like, count))[1]
    )
    x = np.linspace(0.1, 2.0, 20)
    hessian = tl.hessian(log_sum_exp)
    want = np.stack([tl.hvp(log_sum_exp)(x, e) for e in np.eye(20)], axis=-1)
    np.testing.assert_allclose(hessian(x), want, rtol=1e-12)
    assert set(seen) == {8}  # 20 directions by 8, 8 and 4


def test_a_changed_global_is_seen():
    f = define("def f(x):\n    return x * rate\n", "f", np=np, rate=2.0)
    jacobian = tl.jacfwd(f)
    for rate in (2.0, 5.0, np.full(6, 3.0)):
        f.__globals__["rate"] = rate
        np.testing.assert_array_equal(jacobian(X), np.diag(np.broadcast_to(rate, 6)))


def test_pickled():
    again = pickle.loads(pickle.dumps(tl.hessian(rosenbrock)))
    np.testing.assert_array_equal(again(X), tl.hessian(rosenbrock)(X))
