"""A cubic through noisy points: gradient descent beside the analytical least-squares solution.

    python examples/cubic.py [PICTURE]
"""

import sys

import numpy as np
from matplotlib.figure import Figure

import tangent_like as tl


def cubic(coefficients, x):
    """The polynomial with these coefficients, lowest power first, by Horner's rule."""
    y = 0.0
    for c in coefficients[::-1]:
        y = y * x + c
    return y


def loss(coefficients, x, y):
    """The mean squared residual."""
    return np.mean((cubic(coefficients, x) - y) ** 2)


def measurements(count=60, seed=1):
    """Points of x³ − x² − x + 1/2 on [−1.5, 1.5], with normal noise."""
    random = np.random.default_rng(seed)
    x = np.linspace(-1.5, 1.5, count)
    truth = np.array([0.5, -1.0, -1.0, 1.0])
    return x, cubic(truth, x) + random.normal(0.0, 0.15, count)


def gradient_descent(x, y, rate=0.1, steps=2_000):
    """The coefficients and the loss after each step."""
    value_and_gradient = tl.value_and_grad(loss)
    coefficients = np.zeros(4)
    path = []
    for _ in range(steps + 1):
        value, gradient = value_and_gradient(coefficients, x, y)
        path.append((coefficients, value))
        coefficients = coefficients - rate * gradient
    return path


def draw(x, y, path, exact, picture):
    """The points with both curves, and how the loss falls."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    fine = np.linspace(x[0], x[-1], 300)
    left.plot(x, y, "o", color="0.6", markersize=4, label="measurements")
    left.plot(fine, cubic(exact, fine), color="#E69F00", linewidth=5, alpha=0.6,
              label="analytical solution")  # fmt: skip
    for step, style in ((10, ":"), (100, "--"), (len(path) - 1, "-")):
        left.plot(fine, cubic(path[step][0], fine), style, color="#0072B2",
                  label=f"gradient descent, step {step}")  # fmt: skip
    left.set(xlabel="x", ylabel="y", title="The fit")
    left.legend(frameon=False, fontsize=9)

    best = loss(exact, x, y)
    right.plot([value - best for _, value in path], color="#0072B2")
    right.set(xlabel="step", ylabel="loss − loss of the analytical solution", yscale="log",
              ylim=(1e-16, 2.0), title="The way there")  # fmt: skip
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=150)


def main(picture=None):
    x, y = measurements()
    path = gradient_descent(x, y)
    exact = np.linalg.lstsq(np.vander(x, 4, increasing=True), y, rcond=None)[0]

    print("  step        loss   coefficients (constant first)")
    for step in (0, 1, 10, 100, 1_000, 2_000):
        coefficients, value = path[step]
        print(f"{step:6d}{value:12.8f}   " + " ".join(f"{c:9.5f}" for c in coefficients))
    best = loss(exact, x, y)
    print(f" exact{best:12.8f}   " + " ".join(f"{c:9.5f}" for c in exact))

    assert np.allclose(path[-1][0], exact, atol=1e-4)
    losses = np.array([value for _, value in path])
    assert np.all(np.diff(losses) < 1e-15), "the loss never rises, but for rounding"
    if picture is not None:
        draw(x, y, path, exact, picture)
        print(f"\n{picture} written")


if __name__ == "__main__":
    main(*sys.argv[1:])
