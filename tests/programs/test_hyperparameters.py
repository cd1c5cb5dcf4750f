"""Learning how to learn: the gradient of a whole training run, by its hyper-parameters."""

import numpy as np

import tangent_like as tl
from tests.derivatives import assert_derivatives, assert_derivatives_in_turn


def init_params(layer_sizes, scale, rng):
    return {
        f"layer {k}": {"W": scale * rng.normal(size=(m, n)), "b": np.zeros(n)}
        for k, (m, n) in enumerate(zip(layer_sizes, layer_sizes[1:]))
    }


def predict(params, inputs):
    *hidden, last = params.values()
    for layer in hidden:
        inputs = np.tanh(inputs @ layer["W"] + layer["b"])
    return inputs @ last["W"] + last["b"]


def loss(params, inputs, targets, decay):
    error = np.mean((predict(params, inputs) - targets) ** 2)
    return error + decay * sum(np.sum(layer["W"] ** 2) for layer in params.values())


def tree_map(f, *trees):
    """A function of the leaves of dicts of the same layout."""
    first = trees[0]
    if isinstance(first, dict):
        return {key: tree_map(f, *(tree[key] for tree in trees)) for key in first}
    return f(*trees)


class Adam:
    """Adam, with its moments as dicts like the parameters."""

    def __init__(self, params, step_size, b1=0.9, b2=0.99, eps=1e-6):
        self.step_size, self.b1, self.b2, self.eps = step_size, b1, b2, eps
        self.m = tree_map(np.zeros_like, params)
        self.v = tree_map(np.zeros_like, params)
        self.count = 0

    def update(self, params, gradient):
        self.count += 1
        self.m = tree_map(lambda m, g: self.b1 * m + (1 - self.b1) * g, self.m, gradient)
        self.v = tree_map(lambda v, g: self.b2 * v + (1 - self.b2) * g**2, self.v, gradient)
        up, down = 1 - self.b1**self.count, 1 - self.b2**self.count

        def step(p, m, v):
            return p - self.step_size * (m / up) / (np.sqrt(v / down) + self.eps)

        return tree_map(step, params, self.m, self.v)


class Momentum:
    def __init__(self, params, step_size, mass=0.8):
        self.step_size, self.mass = step_size, mass
        self.velocity = tree_map(np.zeros_like, params)

    def update(self, params, gradient):
        self.velocity = tree_map(lambda v, g: self.mass * v + g, self.velocity, gradient)
        return tree_map(lambda p, v: p - self.step_size * v, params, self.velocity)


def train(params, data, steps, optimiser, schedule, decay):
    inputs, targets = data
    base = optimiser.step_size
    for i in range(steps):
        optimiser.step_size = base * schedule(i, steps)
        params = optimiser.update(params, tl.grad(loss)(params, inputs, targets, decay))
    return params


def cosine(i, steps):
    return 0.5 * (1.0 + np.cos(np.pi * i / steps))


def make_problem(seed):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(12, 2))
    targets = np.sin(inputs[:, :1]) * inputs[:, 1:]
    return init_params([2, 3, 1], 0.5, rng), (inputs[:8], targets[:8]), (inputs[8:], targets[8:])


def make_held_out_loss(optimiser, problem, schedule=cosine):
    params, training, (inputs, targets) = problem

    def held_out_loss(log_step, log_decay, log_mass, steps):
        state = optimiser(params, np.exp(log_step), np.exp(log_mass))
        trained = train(params, training, steps, state, schedule, np.exp(log_decay))
        return loss(trained, inputs, targets, 0.0)

    return held_out_loss


learning_with_adam = make_held_out_loss(Adam, make_problem(0))
learning_with_momentum = make_held_out_loss(Momentum, make_problem(0))


def test_the_gradient_of_a_few_steps_of_adam():
    settings = (-3.0, -4.0, -0.2, 3)
    assert_derivatives_in_turn(learning_with_adam, *settings, wrt=(0, 1, 2), turn=0)


def test_the_gradient_of_a_few_steps_with_momentum():
    settings = (-3.0, -4.0, -0.2, 3)
    assert_derivatives_in_turn(learning_with_momentum, *settings, wrt=(0, 1, 2), turn=1)


def test_the_gradient_of_a_hundred_steps():
    assert_derivatives(learning_with_adam, -4.0, -4.0, -0.2, 100, wrt=(0, 1, 2), order=1)


def test_learning_the_step_size():
    settings = np.array([-5.0, -4.0, -0.2])
    gradient = tl.value_and_grad(learning_with_adam, wrt=(0, 1, 2))
    losses = []
    for _ in range(8):
        value, slopes = gradient(*settings, 10)
        losses.append(value)
        settings = settings - 2.0 * np.array(slopes)
    assert losses[-1] < losses[0]
