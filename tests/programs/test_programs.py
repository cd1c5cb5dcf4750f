"""Programs as their authors write them for other tools: nothing is bent to the compiler."""

import math
from functools import partial, reduce

import numpy as np

import tangent_like as tl
from tests.derivatives import assert_derivatives

RNG = np.random.default_rng(7)


# --- a recurrent language model over a dict of parameters ------------------------------------


def concat_and_multiply(weights, *args):
    cat_state = np.hstack((*args, np.ones((args[0].shape[0], 1))))
    return np.dot(cat_state, weights)


def init_rnn_params(input_size, state_size, output_size, param_scale, rng):
    return {
        "init hiddens": rng.normal(size=(1, state_size)) * param_scale,
        "change": rng.normal(size=(input_size + state_size + 1, state_size)) * param_scale,
        "predict": rng.normal(size=(state_size + 1, output_size)) * param_scale,
    }


def rnn_predict(params, inputs):
    def update_rnn(input, hiddens):
        return np.tanh(concat_and_multiply(params["change"], input, hiddens))

    def hiddens_to_output_probs(hiddens):
        output = concat_and_multiply(params["predict"], hiddens)
        return output - np.log(np.sum(np.exp(output), axis=1, keepdims=True))

    num_sequences = inputs.shape[1]
    hiddens = np.repeat(params["init hiddens"], num_sequences, axis=0)
    output = [hiddens_to_output_probs(hiddens)]

    for input in inputs:
        hiddens = update_rnn(input, hiddens)
        output.append(hiddens_to_output_probs(hiddens))
    return output


def rnn_log_likelihood(params, inputs, targets):
    logprobs = rnn_predict(params, inputs)
    loglik = 0.0
    num_time_steps, num_examples, _ = inputs.shape
    for t in range(num_time_steps):
        loglik += np.sum(logprobs[t] * targets[t])
    return loglik / (num_time_steps * num_examples)


def test_recurrent_language_model():
    params = init_rnn_params(3, 4, 3, 0.3, RNG)
    inputs = RNG.normal(size=(5, 2, 3))
    targets = np.eye(3)[RNG.integers(0, 3, (5, 2))]
    tl.check_grads(lambda p: rnn_log_likelihood(p, inputs, targets), (params,))


# --- long short-term memory with the cell as a function of a dict ----------------------------


def sigmoid(x):
    return 0.5 * (np.tanh(x) + 1.0)


def lstm_predict(params, inputs):
    def update_lstm(input, hiddens, cells):
        change = np.tanh(concat_and_multiply(params["change"], input, hiddens))
        forget = sigmoid(concat_and_multiply(params["forget"], input, hiddens))
        ingate = sigmoid(concat_and_multiply(params["ingate"], input, hiddens))
        outgate = sigmoid(concat_and_multiply(params["outgate"], input, hiddens))
        cells = cells * forget + ingate * change
        hiddens = outgate * np.tanh(cells)
        return hiddens, cells

    n = inputs.shape[1]
    hiddens = np.repeat(params["init hiddens"], n, axis=0)
    cells = np.repeat(params["init cells"], n, axis=0)
    outputs = []
    for input in inputs:
        hiddens, cells = update_lstm(input, hiddens, cells)
        outputs.append(concat_and_multiply(params["predict"], hiddens))
    return outputs


def lstm_loss(params, inputs):
    outputs = lstm_predict(params, inputs)
    return sum(np.mean((out - 0.1 * t) ** 2) for t, out in enumerate(outputs))


def test_lstm():
    names = ("change", "forget", "ingate", "outgate")
    params = {name: RNG.normal(size=(6, 3)) * 0.4 for name in names}
    params["init hiddens"] = RNG.normal(size=(1, 3))
    params["init cells"] = RNG.normal(size=(1, 3))
    params["predict"] = RNG.normal(size=(4, 2))
    inputs = RNG.normal(size=(4, 2, 2))
    tl.check_grads(lambda p: lstm_loss(p, inputs), (params,))


# --- a Gaussian process built by functions that return closures ------------------------------


def rbf_covariance(kernel_params, x, xp):
    output_scale = np.exp(kernel_params[0])
    lengthscales = np.exp(kernel_params[1:])
    diffs = np.expand_dims(x / lengthscales, 1) - np.expand_dims(xp / lengthscales, 0)
    return output_scale * np.exp(-0.5 * np.sum(diffs**2, axis=2))


def make_gp_funs(cov_func, num_cov_params):
    def unpack_kernel_params(params):
        mean = params[0]
        cov_params = params[2:]
        noise_scale = np.exp(params[1]) + 0.0001
        return mean, cov_params, noise_scale

    def predict(params, x, y, xstar):
        mean, cov_params, noise_scale = unpack_kernel_params(params)
        cov_f_f = cov_func(cov_params, xstar, xstar)
        cov_y_f = cov_func(cov_params, x, xstar)
        cov_y_y = cov_func(cov_params, x, x) + noise_scale * np.eye(len(y))
        pred_mean = mean + np.dot(np.linalg.solve(cov_y_y, cov_y_f).T, y - mean)
        pred_cov = cov_f_f - np.dot(np.linalg.solve(cov_y_y, cov_y_f).T, cov_y_f)
        return pred_mean, pred_cov

    def log_marginal_likelihood(params, x, y):
        mean, cov_params, noise_scale = unpack_kernel_params(params)
        cov_y_y = cov_func(cov_params, x, x) + noise_scale * np.eye(len(y))
        prior_mean = mean * np.ones(len(y))
        r = y - prior_mean
        _, logdet = np.linalg.slogdet(cov_y_y)
        return -0.5 * (np.dot(r, np.linalg.solve(cov_y_y, r)) + logdet)

    return num_cov_params + 2, predict, log_marginal_likelihood


def test_gaussian_process():
    x, y = RNG.normal(size=(6, 1)), RNG.normal(size=6)
    num_params, predict, log_marginal_likelihood = make_gp_funs(rbf_covariance, 2)
    params = 0.1 * RNG.normal(size=num_params)
    tl.check_grads(lambda p: -log_marginal_likelihood(p, x, y), (params,))
    tl.check_grads(lambda p: np.sum(predict(p, x, y, x[:3] + 0.1)[0]), (params,))


# --- hyper-parameter learning: the gradient of a training run of Adam ------------------------


def adam(gradient, x, num_iters, step_size, b1=0.9, b2=0.999, eps=1e-8):
    m = np.zeros(len(x))
    v = np.zeros(len(x))
    for i in range(num_iters):
        g = gradient(x, i)
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * (g**2) + b2 * v
        mhat = m / (1 - b1 ** (i + 1))
        vhat = v / (1 - b2 ** (i + 1))
        x = x - step_size * mhat / (np.sqrt(vhat) + eps)
    return x


def trained_loss(step_size, decay, data, targets, num_iters):
    def loss(w):
        return np.mean((np.tanh(data @ w) - targets) ** 2) + decay * np.sum(w**2)

    def gradient(w, i):
        return tl.grad(loss)(w)

    final = adam(gradient, np.full(3, 0.1), num_iters, step_size)
    return np.mean((np.tanh(data @ final) - targets) ** 2)


def test_learning_the_step_size_of_adam():
    data, targets = RNG.normal(size=(8, 3)), RNG.normal(size=8)
    assert_derivatives(trained_loss, 0.02, 0.1, data, targets, 100, wrt=(0, 1), order=1)
    assert_derivatives(trained_loss, 0.02, 0.1, data, targets, 4, wrt=(0, 1))


# --- a Kalman filter --------------------------------------------------------------------------


def kalman_log_likelihood(theta, observations):
    phi, q, r = np.tanh(theta[0]), np.exp(theta[1]), np.exp(theta[2])
    F = np.array([[1.0, phi], [0.0, phi]])
    H = np.array([[1.0, 0.0]])
    Q = q * np.eye(2)
    x = np.zeros(2)
    P = np.eye(2)
    history = np.zeros((len(observations), 2))
    loglik = 0.0
    for t, z in enumerate(observations):
        x = F @ x
        P = F @ P @ F.T + Q
        y = z - (H @ x)[0]
        S = (H @ P @ H.T)[0, 0] + r
        K = (P @ H.T)[:, 0] / S
        x = x + K * y
        P = (np.eye(2) - np.outer(K, H[0])) @ P
        history[t] = x
        loglik -= 0.5 * (math.log(2.0 * math.pi) + np.log(S) + y * y / S)
    return loglik + 0.01 * np.sum(history**2)


def test_kalman_filter():
    assert_derivatives(kalman_log_likelihood, np.array([0.3, -1.0, -0.5]), RNG.normal(size=6),
                       wrt=0)  # fmt: skip


# --- an option by Monte Carlo with a fixed seed ----------------------------------------------


def european_call(spot, volatility, rate, strike, maturity, paths, steps):
    rng = np.random.default_rng(42)
    dt = maturity / steps
    s = np.full(paths, spot)
    for _ in range(steps):
        z = rng.standard_normal(paths)
        s = s * np.exp((rate - 0.5 * volatility**2) * dt + volatility * np.sqrt(dt) * z)
    payoff = np.maximum(s - strike, 0.0)
    return np.exp(-rate * maturity) * np.mean(payoff)


def test_black_scholes_by_monte_carlo():
    delta, vega = tl.grad(european_call, wrt=(0, 1))(100.0, 0.2, 0.03, 105.0, 1.0, 4000, 8)
    f = partial(european_call, rate=0.03, strike=105.0, maturity=1.0, paths=4000, steps=8)
    h = 1e-4
    assert abs(delta - (f(100.0 + h, 0.2) - f(100.0 - h, 0.2)) / (2 * h)) < 1e-3
    assert abs(vega - (f(100.0, 0.2 + h) - f(100.0, 0.2 - h)) / (2 * h)) < 0.5


# --- n bodies in lists of lists ---------------------------------------------------------------


def accelerations(positions, masses):
    n = len(positions)
    result = []
    for i in range(n):
        ax, ay = 0.0, 0.0
        for j in range(n):
            if i == j:
                continue
            dx = positions[j][0] - positions[i][0]
            dy = positions[j][1] - positions[i][1]
            inverse = (dx * dx + dy * dy + 0.01) ** -1.5
            ax += masses[j] * dx * inverse
            ay += masses[j] * dy * inverse
        result.append([ax, ay])
    return result


def energy_after(positions, velocities, masses, steps, dt=0.05):
    for _ in range(steps):
        a = accelerations(positions, masses)
        velocities = [[v[0] + dt * w[0], v[1] + dt * w[1]] for v, w in zip(velocities, a)]
        positions = [[p[0] + dt * v[0], p[1] + dt * v[1]] for p, v in zip(positions, velocities)]
    return sum(m * (v[0] ** 2 + v[1] ** 2) for m, v in zip(masses, velocities))


def three_bodies(m0, m1, x, steps):
    positions = [[x, 0.0], [-0.5, 0.3], [0.1, 0.9]]
    velocities = [[0.0, 0.4], [0.1, -0.2], [-0.3, 0.0]]
    return energy_after(positions, velocities, [m0, m1, 0.7], steps)


def test_n_body():
    assert_derivatives(three_bodies, 1.0, 0.8, 1.1, 3, wrt=(0, 1, 2))


# --- a neural ODE that loops over layers -----------------------------------------------------


def nn_predict(inputs, t, params):
    for W, b in params:
        outputs = np.dot(inputs, W) + b
        inputs = np.maximum(0.0, outputs) + 0.1 * np.sin(outputs)
    return outputs * np.cos(t)


def integrate(params, y0, steps):
    y, t, dt = y0, 0.0, 0.1
    trajectory = [y]
    for _ in range(steps):
        k1 = nn_predict(y, t, params)
        k2 = nn_predict(y + 0.5 * dt * k1, t + 0.5 * dt, params)
        y = y + dt * k2
        t += dt
        trajectory.append(y)
    return np.stack(trajectory)


def test_neural_ode():
    params = [(RNG.normal(size=(2, 3)), RNG.normal(size=3)),
              (RNG.normal(size=(3, 2)), RNG.normal(size=2))]  # fmt: skip
    tl.check_grads(lambda p: np.sum(integrate(p, np.array([1.0, 0.5]), 4) ** 2), (params,))


# --- a convolutional net as classes, with a parser of one flat vector ------------------------


class WeightsParser:
    """Shapes and places of parameters in one vector."""

    def __init__(self):
        self.idxs_and_shapes = {}
        self.n = 0

    def add_weights(self, name, shape):
        start = self.n
        self.n += int(np.prod(shape))
        self.idxs_and_shapes[name] = (slice(start, self.n), shape)

    def get(self, vect, name):
        idxs, shape = self.idxs_and_shapes[name]
        return np.reshape(vect[idxs], shape)


class Convolution:
    def __init__(self, width, filters):
        self.width, self.filters = width, filters
        self.parser = WeightsParser()
        self.parser.add_weights("params", (width, filters))
        self.parser.add_weights("biases", (filters,))

    def forward_pass(self, inputs, vector):
        params = self.parser.get(vector, "params")
        biases = self.parser.get(vector, "biases")
        n = inputs.shape[1] - self.width + 1
        total = 0.0
        for k in range(self.width):
            total = total + inputs[:, k : k + n, None] * params[k]
        return total + biases


class Dense:
    def __init__(self, size_in, size_out):
        self.parser = WeightsParser()
        self.parser.add_weights("params", (size_in, size_out))
        self.parser.add_weights("biases", (size_out,))

    def forward_pass(self, inputs, vector):
        params = self.parser.get(vector, "params")
        biases = self.parser.get(vector, "biases")
        return np.tanh(np.dot(inputs, params) + biases)


LAYERS = [Convolution(3, 2), Dense(8, 2)]


def network(W, inputs):
    cur = inputs
    start = 0
    for layer in LAYERS:
        vector = W[start : start + layer.parser.n]
        start += layer.parser.n
        cur = layer.forward_pass(cur, vector)
        if cur.ndim == 3:
            cur = np.reshape(np.maximum(cur, 0.0) + 0.1 * cur, (cur.shape[0], -1))
    return np.sum(cur**2)


def test_convolutional_net():
    count = sum(layer.parser.n for layer in LAYERS)
    assert_derivatives(network, 0.5 * RNG.normal(size=count), RNG.normal(size=(3, 6)), wrt=0)


# --- a mixture by a chain of functions -------------------------------------------------------


def compose(*functions):
    return reduce(lambda f, g: lambda x: g(f(x)), functions)


def test_composed_functions():
    f = compose(np.sin, lambda x: x * x + 1.0, np.log)
    assert_derivatives(lambda x: f(x) * x, 0.7)
