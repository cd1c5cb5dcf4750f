"""An autoencoder for pictures of handwritten digits: two encoder layers, one decoder layer.

All layers are sigmoid; the squared error is lowered by stochastic gradient descent, one picture
at a time.  The pictures are scikit-learn's digits, 8×8; with `--large` they are scaled up to 28×28
and the layers are 784-300-100-784, which a few steps show by default, too.

    python examples/autoencoder.py [--large] [PICTURE]
"""

import itertools
import sys
import time

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import tangent_like as tl

SMALL = (64, 48, 32, 64)
LARGE = (784, 300, 100, 784)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def reconstruct(parameters, picture):
    """What the decoder makes of the code that the encoder makes of a picture."""
    w1, b1, w2, b2, w3, b3 = parameters
    hidden = sigmoid(w1 @ picture + b1)
    code = sigmoid(w2 @ hidden + b2)
    return sigmoid(w3 @ code + b3)


def loss(parameters, picture):
    """Half the squared error of the reconstruction."""
    error = reconstruct(parameters, picture) - picture
    return 0.5 * np.sum(error * error)


def initial_parameters(sizes, random):
    """Weights of variance 1/inputs and zero biases, layer by layer."""
    parameters = []
    for inputs, outputs in itertools.pairwise(sizes):
        parameters.append(random.normal(0.0, 1.0 / np.sqrt(inputs), (outputs, inputs)))
        parameters.append(np.zeros(outputs))
    return tuple(parameters)


def train(parameters, pictures, rate, epochs, random):
    """Stochastic gradient descent; the parameters and the mean loss of each epoch."""
    value_and_gradient = tl.value_and_grad(loss)
    history = []
    for _ in range(epochs):
        total = 0.0
        for i in random.permutation(len(pictures)):
            value, gradient = value_and_gradient(parameters, pictures[i])
            parameters = tuple(p - rate * g for p, g in zip(parameters, gradient, strict=True))
            total += value
        history.append(total / len(pictures))
        print(f"  epoch {len(history):2d}: loss {history[-1]:8.4f}")
    return parameters, history


def digits(side):
    """The pictures as vectors of grey values between 0 and 1, scaled to side × side."""
    pictures = load_digits().images / 16.0
    places = (np.arange(side) + 0.5) * 8 / side - 0.5
    nearest = np.clip(np.rint(places), 0, 7).astype(int)
    return pictures[:, nearest][:, :, nearest].reshape(len(pictures), side * side)


def check_gradient(parameters, picture):
    """The gradient along a random direction against a central difference."""
    random = np.random.default_rng(0)
    direction = tuple(random.normal(size=p.shape) for p in parameters)
    step = 1e-5
    ahead, behind = (
        loss(tuple(p + s * d for p, d in zip(parameters, direction, strict=True)), picture)
        for s in (step, -step)
    )
    gradient = tl.grad(loss)(parameters, picture)
    slope = sum(np.sum(g * d) for g, d in zip(gradient, direction, strict=True))
    assert np.isclose(slope, (ahead - behind) / (2 * step), rtol=1e-5)


def draw(parameters, pictures, side, file):
    """A row of pictures above a row of their reconstructions."""
    figure = Figure(figsize=(10, 2.25), layout="constrained")
    grid = figure.subplots(2, 10)
    for column, picture in enumerate(pictures[:10]):
        for axes, shown in zip(grid[:, column], (picture, reconstruct(parameters, picture)),
                               strict=True):  # fmt: skip
            axes.imshow(shown.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
    grid[0, 0].set_ylabel("input")
    grid[1, 0].set_ylabel("output")
    figure.savefig(file, dpi=150)


def run(sizes, pictures, rate, epochs):
    print(f"{'-'.join(map(str, sizes))}, {len(pictures)} pictures")
    random = np.random.default_rng(1)
    parameters = initial_parameters(sizes, random)
    check_gradient(parameters, pictures[0])
    start = time.perf_counter()
    parameters, history = train(parameters, pictures, rate, epochs, random)
    steps = epochs * len(pictures)
    print(f"  {steps} steps, {(time.perf_counter() - start) / steps * 1e6:.0f} µs each")
    return parameters, history


def main(*arguments):
    large = "--large" in arguments
    files = [a for a in arguments if not a.startswith("-")]
    if large:
        side = 28
        parameters, history = run(LARGE, digits(side), rate=0.05, epochs=10)
    else:
        side = 8
        _, brief = run(LARGE, digits(28)[:100], rate=0.05, epochs=2)
        assert brief[-1] < brief[0]
        parameters, history = run(SMALL, digits(side), rate=0.5, epochs=4)
    assert history[-1] < 0.4 * history[0]
    if files:
        draw(parameters, digits(side), side, files[0])
        print(f"{files[0]} written")


if __name__ == "__main__":
    main(*sys.argv[1:])
