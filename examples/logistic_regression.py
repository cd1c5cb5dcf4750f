"""Logistic regression on scikit-learn's breast cancer data, with SciPy's optimisers: L-BFGS on
the value and gradient, and Newton's method on Hessian-vector products.

    python examples/logistic_regression.py
"""

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer

import tangent_like as tl


def loss(w, x, sign, penalty):
    """Mean negative log-likelihood of labels ±1, with a quadratic penalty.

    `x` has a row for each observation and a last column of ones; `w` a weight for each column,
    the last of which is the intercept and not penalised.
    """
    margins = sign * (x @ w)
    weights = w[:-1]
    return np.mean(np.logaddexp(0.0, -margins)) + 0.5 * penalty * np.sum(weights * weights)


def breast_cancer():
    """Standardised features with a column of ones, and labels ±1."""
    data = load_breast_cancer()
    x = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    return np.column_stack([x, np.ones(len(x))]), 2.0 * data.target - 1.0


def main():
    x, sign = breast_cancer()
    data = (x, sign, 0.01)
    start = np.zeros(x.shape[1])

    first = minimize(tl.value_and_grad(loss), start, args=data, jac=True, method="L-BFGS-B",
                     options={"gtol": 1e-8, "ftol": 1e-15})  # fmt: skip
    product = tl.hvp(loss)

    def hessian_times(w, v, *others):
        return product(w, *others, v)

    second = minimize(loss, start, args=data, jac=tl.grad(loss), hessp=hessian_times,
                      method="Newton-CG")  # fmt: skip

    print("method        iterations          loss   right")
    for name, result in (("L-BFGS-B", first), ("Newton-CG", second)):
        right = np.mean(sign * (x @ result.x) > 0)
        print(f"{name:<12}{result.nit:12d}{result.fun:14.9f}{right:8.1%}")

    steepest = np.max(np.abs(tl.grad(loss)(second.x, *data)))
    print(f"largest partial derivative at the minimum: {steepest:.1e}")
    assert first.success
    assert second.success
    assert steepest < 1e-5
    assert np.allclose(first.x, second.x, atol=1e-4)


if __name__ == "__main__":
    main()
