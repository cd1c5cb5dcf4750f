"""A straight line through seventeen points, by gradient descent and by least squares.

    python examples/linear_regression.py
"""

import numpy as np

import tangent_like as tl

X = np.array([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59, 2.167, 7.042, 10.791, 5.313,
              7.997, 5.654, 9.27, 3.1])  # fmt: skip
Y = np.array([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53, 1.221, 2.827, 3.465, 1.65,
              2.904, 2.42, 2.94, 1.3])  # fmt: skip


def loss(parameters, x, y):
    """Half the mean squared residual of the line w x + b."""
    w, b = parameters
    residual = w * x + b - y
    return np.mean(residual * residual) / 2


def gradient_descent(parameters, x, y, rate, steps):
    """The parameters after each step."""
    value_and_gradient = tl.value_and_grad(loss)
    path = []
    for _ in range(steps):
        value, (dw, db) = value_and_gradient(parameters, x, y)
        path.append((value, parameters))
        w, b = parameters
        parameters = (w - rate * dw, b - rate * db)
    return parameters, path


def main():
    (w, b), path = gradient_descent((0.0, 0.0), X, Y, rate=0.02, steps=10_000)
    print("  step      loss         w         b")
    for step in (0, 1, 10, 100, 1_000, 9_999):
        value, (w_then, b_then) = path[step]
        print(f"{step:6d}{value:10.5f}{w_then:10.5f}{b_then:10.5f}")

    w_exact, b_exact = np.polyfit(X, Y, 1)
    print(f"\ngradient descent: w = {w:.6f}, b = {b:.6f}")
    print(f"least squares:    w = {w_exact:.6f}, b = {b_exact:.6f}")
    assert np.allclose((w, b), (w_exact, b_exact), atol=1e-6)


if __name__ == "__main__":
    main()
