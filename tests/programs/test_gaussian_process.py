"""Gaussian processes: covariances that are put together, fitted, and stacked on one another."""

import numpy as np

import tangent_like as tl


def rbf(num_dims):
    def covariance(params, x, xp):
        output_scale = np.exp(params[0])
        lengthscales = np.exp(params[1:])
        diffs = np.expand_dims(x / lengthscales, 1) - np.expand_dims(xp / lengthscales, 0)
        return output_scale * np.exp(-0.5 * np.sum(diffs**2, axis=2))

    return num_dims + 1, covariance


def periodic():
    def covariance(params, x, xp):
        period, lengthscale = np.exp(params)
        distance = np.abs(x[:, 0][:, None] - xp[:, 0][None, :])
        return np.exp(-2.0 * (np.sin(np.pi * distance / period) / lengthscale) ** 2)

    return 2, covariance


def linear():
    return 1, lambda params, x, xp: np.exp(params[0]) * np.dot(x, xp.T)


def combine(operation, *kernels):
    """The sum or product of kernels, whose parameters stand behind one another."""
    counts = [count for count, _ in kernels]
    starts = [sum(counts[:k]) for k in range(len(counts))]

    def covariance(params, x, xp):
        parts = [
            part(params[start : start + count], x, xp)
            for start, (count, part) in zip(starts, kernels)
        ]
        result = parts[0]
        for part in parts[1:]:
            result = operation(result, part)
        return result

    return sum(counts), covariance


def make_gp_funs(kernel, jitter=1e-4):
    num_kernel_params, cov_func = kernel

    def unpack_kernel_params(params):
        mean = params[0]
        cov_params = params[2:]
        noise_scale = np.exp(params[1]) + jitter
        return mean, cov_params, noise_scale

    def predict(params, x, y, xstar):
        """The mean and covariance at new points."""
        mean, cov_params, noise_scale = unpack_kernel_params(params)
        cov_f_f = cov_func(cov_params, xstar, xstar)
        cov_y_f = cov_func(cov_params, x, xstar)
        cov_y_y = cov_func(cov_params, x, x) + noise_scale * np.eye(len(y))
        solved = np.linalg.solve(cov_y_y, cov_y_f)
        return mean + np.dot(solved.T, y - mean), cov_f_f - np.dot(solved.T, cov_y_f)

    def log_marginal_likelihood(params, x, y):
        mean, cov_params, noise_scale = unpack_kernel_params(params)
        cov_y_y = cov_func(cov_params, x, x) + noise_scale * np.eye(len(y))
        root = np.linalg.cholesky(cov_y_y)
        white = np.linalg.solve(root, y - mean)
        log_det = 2.0 * np.sum(np.log(np.diag(root)))
        return -0.5 * (np.dot(white, white) + log_det + len(y) * np.log(2 * np.pi))

    return num_kernel_params + 2, predict, log_marginal_likelihood


def build_deep_gp(input_dim, hidden_dim):
    """Two processes, the second of the hidden points that are parameters of the model."""
    first_count, _, first_likelihood = make_gp_funs(rbf(input_dim))
    second_count, second_predict, second_likelihood = make_gp_funs(rbf(hidden_dim))

    def unpack_all(all_params, num_points):
        first, rest = all_params[:first_count], all_params[first_count:]
        second, hidden = rest[:second_count], rest[second_count:]
        return first, second, np.reshape(hidden, (num_points, hidden_dim))

    def log_joint(all_params, x, y):
        first, second, hidden = unpack_all(all_params, len(y))
        total = second_likelihood(second, hidden, y)
        for column in hidden.T:
            total += first_likelihood(first, x, column)
        return total

    def mean_at_hidden(all_params, y):
        _, second, hidden = unpack_all(all_params, len(y))
        means, _ = second_predict(second, hidden, y, hidden + 0.1)
        return means

    return first_count + second_count, log_joint, mean_at_hidden


def data(rng, n):
    x = np.sort(rng.uniform(-2.0, 2.0, n))[:, None]
    return x, np.sin(2.0 * x[:, 0]) + 0.3 * x[:, 0]


def test_kernels_put_together():
    rng = np.random.default_rng(1)
    x, y = data(rng, 6)
    kernel = combine(np.add, combine(np.multiply, rbf(1), periodic()), linear())
    count, predict, log_marginal_likelihood = make_gp_funs(kernel)
    params = 0.2 * rng.normal(size=count)
    tl.check_grads(lambda p: log_marginal_likelihood(p, x, y), (params,))
    tl.check_grads(lambda p: np.sum(predict(p, x, y, x + 0.2)[0] ** 2), (params,))


def test_uncertainty_where_the_next_point_is_to_be_taken():
    rng = np.random.default_rng(2)
    x, y = data(rng, 5)
    count, predict, _ = make_gp_funs(rbf(1))
    params = 0.2 * rng.normal(size=count)

    def lower_bound(where):
        mean, cov = predict(params, x, y, np.reshape(where, (1, 1)))
        return mean[0] - 1.5 * np.sqrt(cov[0, 0])

    tl.check_grads(lower_bound, (0.37,))


def test_a_deep_process():
    rng = np.random.default_rng(3)
    x, y = data(rng, 4)
    count, log_joint, mean_at_hidden = build_deep_gp(1, 2)
    params = np.concatenate([0.1 * rng.normal(size=count), rng.normal(size=8)])
    tl.check_grads(lambda p: log_joint(p, x, y), (params,))
    tl.check_grads(lambda p: np.sum(mean_at_hidden(p, y)), (params,))
