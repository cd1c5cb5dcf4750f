"""A convolutional net of layer objects, whose weights are slices of one flat vector."""

import numpy as np

import tangent_like as tl


class WeightsParser:
    """Where each weight lies in the vector."""

    def __init__(self):
        self.idxs_and_shapes = {}
        self.N = 0

    def add_weights(self, name, shape):
        start = self.N
        self.N += int(np.prod(shape))
        self.idxs_and_shapes[name] = (slice(start, self.N), shape)

    def get(self, vect, name):
        idxs, shape = self.idxs_and_shapes[name]
        return np.reshape(vect[idxs], shape)


class Layer:
    """What all layers have in common."""

    def build_weights_dict(self, input_shape):
        return 0, input_shape

    def forward_pass(self, inputs, param_vector):
        raise NotImplementedError

    def __repr__(self):
        return type(self).__name__


class ConvLayer(Layer):
    def __init__(self, kernel_shape, num_filters):
        self.kernel_shape = kernel_shape
        self.num_filters = num_filters

    def forward_pass(self, inputs, param_vector):
        # inputs: [data, color_in, y, x], params: [color_in, color_out, y, x]
        params = self.parser.get(param_vector, "params")
        biases = self.parser.get(param_vector, "biases")
        rows, columns = self.kernel_shape
        height, width = inputs.shape[2] - rows + 1, inputs.shape[3] - columns + 1
        conv = 0.0
        for i in range(rows):
            for j in range(columns):
                window = inputs[:, :, i : i + height, j : j + width]
                conv = conv + np.einsum("nchw,cf->nfhw", window, params[:, :, i, j])
        return conv + biases

    def build_weights_dict(self, input_shape):
        self.parser = WeightsParser()
        self.parser.add_weights("params", (input_shape[0], self.num_filters, *self.kernel_shape))
        self.parser.add_weights("biases", (1, self.num_filters, 1, 1))
        output_shape = (self.num_filters, *self.conv_output_shape(input_shape[1:]))
        return self.parser.N, output_shape

    def conv_output_shape(self, shape):
        return tuple(n - k + 1 for n, k in zip(shape, self.kernel_shape))


class MaxPoolLayer(Layer):
    def __init__(self, pool_shape):
        self.pool_shape = pool_shape

    def build_weights_dict(self, input_shape):
        output_shape = list(input_shape)
        for i in [0, 1]:
            assert input_shape[i + 1] % self.pool_shape[i] == 0, "maxpool shape should tile input"
            output_shape[i + 1] = input_shape[i + 1] // self.pool_shape[i]
        return 0, tuple(output_shape)

    def forward_pass(self, inputs, param_vector):
        new_shape = inputs.shape[:2]
        for i in [0, 1]:
            pool_width = self.pool_shape[i]
            img_width = inputs.shape[i + 2]
            new_shape += (img_width // pool_width, pool_width)
        result = inputs.reshape(new_shape)
        return np.max(np.max(result, axis=3), axis=4)


class FullLayer(Layer):
    def __init__(self, size):
        self.size = size

    def build_weights_dict(self, input_shape):
        # Input shape is anything, and is flattened.
        input_size = int(np.prod(input_shape, dtype=int))
        self.parser = WeightsParser()
        self.parser.add_weights("params", (input_size, self.size))
        self.parser.add_weights("biases", (self.size,))
        return self.parser.N, (self.size,)

    def forward_pass(self, inputs, param_vector):
        params = self.parser.get(param_vector, "params")
        biases = self.parser.get(param_vector, "biases")
        if inputs.ndim > 2:
            inputs = inputs.reshape((inputs.shape[0], np.prod(inputs.shape[1:])))
        return self.nonlinearity(np.dot(inputs[:, :], params) + biases)


class TanhLayer(FullLayer):
    def nonlinearity(self, x):
        return np.tanh(x)


class SoftmaxLayer(FullLayer):
    def nonlinearity(self, x):
        return x - np.log(np.sum(np.exp(x), axis=1, keepdims=True))


def make_nn_funs(input_shape, layer_specs, L2_reg):
    parser = WeightsParser()
    cur_shape = input_shape
    for i, layer in enumerate(layer_specs):
        N_weights, cur_shape = layer.build_weights_dict(cur_shape)
        parser.add_weights(i, (N_weights,))

    def predictions(W_vect, inputs):
        """Normalized log-probabilities of the classes, for inputs [data, color, y, x]."""
        cur_units = inputs
        for i, layer in enumerate(layer_specs):
            cur_weights = parser.get(W_vect, i)
            cur_units = layer.forward_pass(cur_units, cur_weights)
        return cur_units

    def loss(W_vect, X, T):
        log_prior = -L2_reg * np.dot(W_vect, W_vect)
        log_lik = np.sum(predictions(W_vect, X) * T)
        return -log_prior - log_lik

    def frac_err(W_vect, X, T):
        return np.mean(np.argmax(T, axis=1) != np.argmax(predictions(W_vect, X), axis=1))

    return parser.N, predictions, loss, frac_err


def stripes(rng, count):
    """Pictures of horizontal and of vertical stripes."""
    labels = np.arange(count) % 2
    wave = np.sin(2.0 * np.arange(8.0) + rng.normal(size=(count, 1)))
    across = np.broadcast_to(wave[:, None, :], (count, 8, 8))
    down = np.broadcast_to(wave[:, :, None], (count, 8, 8))
    pictures = np.where(labels[:, None, None] == 0, across, down)
    return pictures[:, None] + 0.1 * rng.normal(size=(count, 1, 8, 8)), np.eye(2)[labels]


def layers():
    return [
        ConvLayer((3, 3), 2),
        MaxPoolLayer((2, 2)),
        ConvLayer((2, 2), 2),
        MaxPoolLayer((2, 2)),
        TanhLayer(3),
        SoftmaxLayer(2),
    ]


def test_the_gradient_of_the_loss():
    rng = np.random.default_rng(1)
    pictures, classes = stripes(rng, 3)
    count, _, loss, _ = make_nn_funs((1, 8, 8), layers(), 0.1)
    weights = 0.3 * rng.normal(size=count)
    tl.check_grads(lambda w: loss(w, pictures, classes), (weights,))


def test_training_with_momentum():
    rng = np.random.default_rng(2)
    pictures, classes = stripes(rng, 20)
    count, _, loss, frac_err = make_nn_funs((1, 8, 8), layers(), 0.01)
    gradient = tl.grad(loss)
    weights, direction = 0.3 * rng.normal(size=count), np.zeros(count)
    before = loss(weights, pictures, classes)
    for _ in range(40):
        direction = 0.9 * direction - 0.1 * gradient(weights, pictures, classes)
        weights = weights + 0.02 * direction
    assert loss(weights, pictures, classes) < 0.7 * before
    assert frac_err(weights, pictures, classes) <= 0.3
