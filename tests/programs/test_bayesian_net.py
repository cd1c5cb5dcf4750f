"""Variational inference for a neural net: distributions over weights, layer by layer."""

import numpy as np

import tangent_like as tl


def init_var_params(layer_sizes, rng, scale=-2.0):
    means = [
        (0.5 * rng.normal(size=(m, n)), 0.1 * rng.normal(size=n))
        for m, n in zip(layer_sizes[:-1], layer_sizes[1:])
    ]
    log_scales = [(scale * np.ones(W.shape), scale * np.ones(b.shape)) for W, b in means]
    return means, log_scales


def gaussian_entropy(log_scales):
    total = 0.0
    for W, b in log_scales:
        total += np.sum(W) + np.sum(b)
        total += 0.5 * (W.size + b.size) * (1.0 + np.log(2 * np.pi))
    return total


def sample_weights(means, log_scales, rng):
    sampled = []
    for (W, b), (log_sw, log_sb) in zip(means, log_scales):
        W = W + np.exp(log_sw) * rng.standard_normal(W.shape)
        b = b + np.exp(log_sb) * rng.standard_normal(b.shape)
        sampled.append((W, b))
    return sampled


def predict(weights, inputs, activations):
    for (W, b), nonlinearity in zip(weights, activations):
        outputs = np.dot(inputs, W) + b
        inputs = nonlinearity(outputs)
    return inputs


def rbf(x):
    return np.exp(-(x**2))


def identity(x):
    return x


def log_gaussian(x, mean, std):
    return np.sum(-0.5 * np.log(2 * np.pi * std**2) - 0.5 * ((x - mean) / std) ** 2)


def log_joint(weights, inputs, targets, activations, prior_scales, noise=0.3):
    log_prior = 0.0
    for (W, b), s in zip(weights, prior_scales):
        log_prior += log_gaussian(W, 0.0, s) + log_gaussian(b, 0.0, s)
    outputs = predict(weights, inputs, activations)
    return log_prior + log_gaussian(targets, outputs, noise)


def build_elbo(inputs, targets, activations, prior_scales, num_samples, seed):
    def elbo(var_params):
        means, log_scales = var_params
        rng = np.random.default_rng(seed)
        expected = 0.0
        for _ in range(num_samples):
            weights = sample_weights(means, log_scales, rng)
            expected += log_joint(weights, inputs, targets, activations, prior_scales)
        return expected / num_samples + gaussian_entropy(log_scales)

    return elbo


def dropout_predict(params, inputs, masks):
    """Weights, their scales and a mask for each layer, side by side."""
    total = 0.0
    for i, ((W, b), s, mask) in enumerate(zip(params["layers"], params["scales"], masks)):
        inputs = np.tanh(np.dot(inputs * mask, W) * s + b)
        total += np.sum(inputs**2) / (i + 1)
    return total


def adam(gradient, tree, num_iters, step_size):
    """Adam over lists of tuples of arrays."""
    first = [tuple(np.zeros_like(x) for x in layer) for layer in tree]
    second = [tuple(np.zeros_like(x) for x in layer) for layer in tree]
    for i in range(num_iters):
        g = gradient(tree)
        first = [
            tuple(0.9 * m + 0.1 * x for m, x in zip(ms, xs)) for ms, xs in zip(first, g)
        ]
        second = [
            tuple(0.99 * v + 0.01 * x**2 for v, x in zip(vs, xs)) for vs, xs in zip(second, g)
        ]
        up, down = 1 - 0.9 ** (i + 1), 1 - 0.99 ** (i + 1)
        tree = [
            tuple(
                x + step_size * (m / up) / (np.sqrt(v / down) + 1e-8)
                for x, m, v in zip(xs, ms, vs)
            )
            for xs, ms, vs in zip(tree, first, second)
        ]
    return tree


def toy_data(rng, n):
    x = np.linspace(-1.5, 1.5, n)[:, None]
    return x, np.cos(2 * x) + 0.1 * rng.normal(size=x.shape)


def test_the_gradient_of_the_bound():
    rng = np.random.default_rng(1)
    inputs, targets = toy_data(rng, 5)
    elbo = build_elbo(inputs, targets, [rbf, identity], [1.0, 2.0], 2, seed=7)
    tl.check_grads(elbo, (init_var_params([1, 3, 1], rng),))


def test_weights_scales_and_masks_side_by_side():
    rng = np.random.default_rng(2)
    means, _ = init_var_params([2, 3, 2], rng)
    params = {"layers": means, "scales": [0.7, 1.3]}
    masks = [np.array([1.0, 0.0]), np.array([1.0, 1.0, 0.0])]
    tl.check_grads(
        lambda p: dropout_predict(p, rng.normal(size=(4, 2)) * 0 + 0.3, masks), (params,)
    )


def test_fitting_raises_the_bound():
    rng = np.random.default_rng(3)
    inputs, targets = toy_data(rng, 12)
    means, log_scales = init_var_params([1, 5, 1], rng)
    elbo = build_elbo(inputs, targets, (rbf, identity), (1.0, 1.0), 3, seed=1)
    gradient = tl.grad(lambda m: elbo((m, log_scales)))
    fitted = adam(gradient, means, 25, 0.03)
    assert elbo((fitted, log_scales)) > elbo((means, log_scales)) + 5.0


def test_the_gradient_through_a_step_of_adam():
    rng = np.random.default_rng(4)
    inputs, targets = toy_data(rng, 4)
    means, log_scales = init_var_params([1, 2, 1], rng)
    elbo = build_elbo(inputs, targets, (rbf, identity), (1.0, 1.0), 1, seed=1)

    def after(step_size):
        tree = adam(tl.grad(lambda m: elbo((m, log_scales))), means, 2, step_size)
        return elbo((tree, log_scales))

    tl.check_grads(after, (0.05,))
