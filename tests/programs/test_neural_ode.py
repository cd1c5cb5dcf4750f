"""Differential equations whose right side is a net, solved with fixed and adaptive steps."""

import numpy as np

import tangent_like as tl


def init_nn_params(scale, layer_sizes, rng):
    return [
        (rng.normal(size=(n_in, n_out)) * scale, rng.normal(size=n_out) * scale)
        for n_in, n_out in zip(layer_sizes[:-1], layer_sizes[1:])
    ]


def nn_predict(inputs, t, params):
    for W, b in params:
        outputs = np.dot(inputs, W) + b
        inputs = np.tanh(outputs)
    return outputs


def rk4_step(f, y, t, dt, *args):
    k1 = f(y, t, *args)
    k2 = f(y + 0.5 * dt * k1, t + 0.5 * dt, *args)
    k3 = f(y + 0.5 * dt * k2, t + 0.5 * dt, *args)
    k4 = f(y + dt * k3, t + dt, *args)
    return y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def odeint(f, y0, times, *args, substeps=2):
    y = y0
    trajectory = [y0]
    for start, stop in zip(times[:-1], times[1:]):
        dt = (stop - start) / substeps
        for k in range(substeps):
            y = rk4_step(f, y, start + k * dt, dt, *args)
        trajectory.append(y)
    return np.array(trajectory)


FEHLBERG = [
    (0.25, [0.25]),
    (0.375, [3 / 32, 9 / 32]),
    (12 / 13, [1932 / 2197, -7200 / 2197, 7296 / 2197]),
    (1.0, [439 / 216, -8.0, 3680 / 513, -845 / 4104]),
    (0.5, [-8 / 27, 2.0, -3544 / 2565, 1859 / 4104, -11 / 40]),
]
FOURTH = (25 / 216, 0.0, 1408 / 2565, 2197 / 4104, -0.2, 0.0)
FIFTH = (16 / 135, 0.0, 6656 / 12825, 28561 / 56430, -9 / 50, 2 / 55)


def fehlberg_step(f, y, t, dt, *args):
    slopes = [f(y, t, *args)]
    for c, row in FEHLBERG:
        inside = y + dt * sum(a * k for a, k in zip(row, slopes))
        slopes.append(f(inside, t + c * dt, *args))
    low = y + dt * sum(b * k for b, k in zip(FOURTH, slopes))
    high = y + dt * sum(b * k for b, k in zip(FIFTH, slopes))
    return high, np.max(np.abs(high - low))


def adaptive(f, y, t0, t1, *args, tolerance=1e-5):
    """Steps that are tried again with half the length where they are too rough."""
    t, dt, rejected = t0, 0.4, 0
    while t < t1:
        dt = min(dt, t1 - t)
        proposal, error = fehlberg_step(f, y, t, dt, *args)
        if error > tolerance:
            dt *= 0.5
            rejected += 1
            continue
        y, t = proposal, t + dt
        if error < 0.1 * tolerance:
            dt *= 1.5
    return y, rejected


def spiral(y, t):
    A = np.array([[-0.1, 2.0], [-2.0, -0.1]])
    return np.dot(y**3, A)


def make_loss(data, times):
    def loss(params, y0):
        predicted = odeint(nn_predict, y0, times, params)
        return np.mean((predicted - data) ** 2)

    return loss


def train(gradient, params, steps, step_size):
    velocity = [tuple(np.zeros_like(p) for p in layer) for layer in params]
    for _ in range(steps):
        slopes = gradient(params)
        velocity = [
            tuple(0.8 * v + g for v, g in zip(vs, gs)) for vs, gs in zip(velocity, slopes)
        ]
        params = [
            tuple(p - step_size * v for p, v in zip(ps, vs)) for ps, vs in zip(params, velocity)
        ]
    return params


def test_the_gradient_of_a_trajectory():
    rng = np.random.default_rng(1)
    times = np.linspace(0.0, 0.6, 4)
    y0 = np.array([1.2, 0.3])
    loss = make_loss(odeint(spiral, y0, times), times)
    params = init_nn_params(0.4, [2, 4, 2], rng)
    tl.check_grads(loss, (params, y0))


def test_the_gradient_through_adaptive_steps():
    rng = np.random.default_rng(2)
    params = init_nn_params(0.8, [2, 3, 2], rng)
    y0 = np.array([0.7, -0.4])
    _, rejected = adaptive(spiral, y0 * 2.0, 0.0, 1.0)
    assert rejected > 0

    def distance(params, y0):
        return np.sum(adaptive(nn_predict, y0, 0.0, 1.0, params)[0] ** 2)

    tl.check_grads(distance, (params, y0))
    tl.check_grads(lambda y: adaptive(spiral, y, 0.0, 1.0)[0][0], (y0 * 2.0,), order=1)


def test_training_lowers_the_loss():
    rng = np.random.default_rng(3)
    times = np.linspace(0.0, 1.0, 6)
    y0 = np.array([1.2, 0.3])
    loss = make_loss(odeint(spiral, y0, times), times)
    params = init_nn_params(0.3, [2, 8, 2], rng)
    gradient = tl.grad(loss)
    trained = train(lambda p: gradient(p, y0), params, 40, 0.03)
    assert loss(trained, y0) < 0.5 * loss(params, y0)
