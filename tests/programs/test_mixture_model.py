"""A mixture of Gaussians fitted by gradients, built by functions that return functions."""

import numpy as np

import tangent_like as tl


def logsumexp(x, axis=None, keepdims=False):
    highest = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - highest), axis=axis, keepdims=True)) + highest
    return total if keepdims else np.squeeze(total, axis=axis)


def log_normalize(x):
    return x - logsumexp(x)


def make_shapes(num_components, num_dims):
    return {
        "log proportions": (num_components,),
        "means": (num_components, num_dims),
        "lower triangles": (num_components, num_dims, num_dims),
    }


def make_flattener(shapes):
    """Functions between a dict of arrays and one vector."""
    sizes = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    total = sum(sizes.values())

    def flatten(params):
        return np.concatenate([np.ravel(params[name]) for name in shapes])

    def unflatten(vector):
        params, start = {}, 0
        for name, shape in shapes.items():
            stop = start + sizes[name]
            params[name] = np.reshape(vector[start:stop], shape)
            start = stop
        return params

    return total, flatten, unflatten


def make_component(num_dims):
    """The density of one component, as a function of its parameters."""
    half_log_two_pi = 0.5 * num_dims * np.log(2 * np.pi)
    below = np.tril(np.ones((num_dims, num_dims)), -1)
    eye = np.eye(num_dims)

    def precision_root(triangle):
        return below * triangle + eye * np.exp(triangle * eye)

    def log_density(data, mean, triangle):
        root = precision_root(triangle)
        white = np.dot(data - mean, root)
        log_det = np.sum(np.diag(triangle))
        return log_det - half_log_two_pi - 0.5 * np.sum(white**2, axis=1)

    return log_density


def make_mixture(num_components, num_dims, prior_strength=0.1):
    shapes = make_shapes(num_components, num_dims)
    num_params, flatten, unflatten = make_flattener(shapes)
    log_density = make_component(num_dims)

    def component_scores(params, data):
        cluster_lls = []
        for log_proportion, mean, triangle in zip(*unpack(params)):
            cluster_lls.append(log_proportion + log_density(data, mean, triangle))
        return np.stack(cluster_lls)

    def unpack(params):
        normalized = log_normalize(params["log proportions"])
        return normalized, params["means"], params["lower triangles"]

    def log_likelihood(params, data):
        return np.sum(logsumexp(component_scores(params, data), axis=0))

    def log_prior(params):
        def gaussian(x, scale):
            return -0.5 * np.sum((x / scale) ** 2)

        return prior_strength * sum(
            gaussian(params[name], scale)
            for name, scale in [("means", 3.0), ("lower triangles", 1.0)]
        )

    def responsibilities(params, data):
        scores = component_scores(params, data)
        return np.exp(scores - logsumexp(scores, axis=0, keepdims=True))

    def objective(vector, data):
        params = unflatten(vector)
        return -log_likelihood(params, data) - log_prior(params)

    def init_params(rng, scale):
        return {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}

    return num_params, flatten, init_params, objective, responsibilities


def pinwheel(rng, num_classes, per_class):
    angles = np.linspace(0, 2 * np.pi, num_classes, endpoint=False)
    points = rng.normal(size=(num_classes * per_class, 2)) * np.array([0.3, 0.05]) + [1.0, 0.0]
    labels = np.repeat(np.arange(num_classes), per_class)
    turns = angles[labels] + 0.25 * np.exp(points[:, 0])
    c, s = np.cos(turns), np.sin(turns)
    return np.stack([c * points[:, 0] - s * points[:, 1], s * points[:, 0] + c * points[:, 1]], 1)


def gradient_ascent(gradient, x, num_iters, step_size):
    for _ in range(num_iters):
        x = x - step_size * gradient(x)
    return x


def test_the_gradient_of_the_objective():
    rng = np.random.default_rng(1)
    data = pinwheel(rng, 3, 4)
    num_params, flatten, init_params, objective, _ = make_mixture(3, 2)
    vector = flatten(init_params(rng, 0.3))
    assert vector.shape == (num_params,)
    tl.check_grads(lambda v: objective(v, data), (vector,))


def test_the_gradient_of_one_responsibility():
    rng = np.random.default_rng(2)
    data = pinwheel(rng, 2, 3)
    _, _, init_params, _, responsibilities = make_mixture(2, 2)
    params = init_params(rng, 0.4)
    tl.check_grads(lambda p: responsibilities(p, data)[0, 1], (params,))


def test_fitting_improves_the_objective():
    rng = np.random.default_rng(3)
    data = pinwheel(rng, 3, 10)
    _, flatten, init_params, objective, _ = make_mixture(3, 2)
    start = flatten(init_params(rng, 0.1))
    gradient = tl.grad(objective)
    fitted = gradient_ascent(lambda v: gradient(v, data), start, 30, 2e-3)
    assert objective(fitted, data) < objective(start, data) - 1.0
