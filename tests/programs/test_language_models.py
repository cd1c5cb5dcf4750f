"""Character models over dicts of parameters: a plain recurrent net, an LSTM and a GRU."""

import numpy as np

import tangent_like as tl

TEXT = "to be or not to be"
ALPHABET = sorted(set(TEXT))


def one_hot(text):
    codes = np.array([ALPHABET.index(c) for c in text])
    return np.eye(len(ALPHABET))[codes][:, None, :]


def sigmoid(x):
    return 0.5 * (np.tanh(x / 2.0) + 1.0)


def concat_and_multiply(weights, *args):
    cat_state = np.hstack([*args, np.ones((args[0].shape[0], 1))])
    return np.dot(cat_state, weights)


def log_softmax(x):
    shifted = x - np.max(x, axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


def create_params(rng, gates, input_size, state_size, output_size, scale=0.4, **more):
    params = {
        gate: rng.normal(size=(input_size + state_size + 1, state_size)) * scale for gate in gates
    }
    params["init hiddens"] = rng.normal(size=(1, state_size)) * scale
    params["predict"] = rng.normal(size=(state_size + 1, output_size)) * scale
    params.update(more)
    return params


def rnn_step(params, input, state):
    (hiddens,) = state
    hiddens = np.tanh(concat_and_multiply(params["change"], input, hiddens))
    return hiddens, (hiddens,)


def lstm_step(params, input, state):
    hiddens, cells = state
    change, forget, ingate, outgate = [
        activation(concat_and_multiply(params[name], input, hiddens))
        for name, activation in (
            ("change", np.tanh), ("forget", sigmoid), ("ingate", sigmoid), ("outgate", sigmoid),
        )
    ]  # fmt: skip
    cells = cells * forget + ingate * change
    hiddens = outgate * np.tanh(cells)
    return hiddens, (hiddens, cells)


def gru_step(params, input, state):
    hiddens, *_ = state
    update = sigmoid(concat_and_multiply(params["update"], input, hiddens))
    reset = sigmoid(concat_and_multiply(params["reset"], input, hiddens))
    proposal = np.tanh(concat_and_multiply(params["change"], input, reset * hiddens))
    hiddens = update * hiddens + (1.0 - update) * proposal
    return hiddens, (hiddens,)


MODELS = {
    "rnn": dict(step=rnn_step, gates=("change",), states=1),
    "lstm": dict(step=lstm_step, gates=("change", "forget", "ingate", "outgate"), states=2),
    "gru": dict(step=gru_step, gates=("update", "reset", "change"), states=1),
}


def predict(params, inputs, model):
    num_sequences = inputs.shape[1]
    initial = np.repeat(params["init hiddens"], num_sequences, axis=0)
    state = (initial,) * MODELS[model]["states"]
    step = MODELS[model]["step"]

    def output(hiddens):
        return log_softmax(concat_and_multiply(params["predict"], hiddens))

    outputs = [output(initial)]
    for input in inputs:
        hiddens, state = step(params, input, state)
        outputs.append(output(hiddens))
    return outputs


def log_likelihood(params, inputs, targets, model):
    logprobs = predict(params, inputs, model)
    loglik = 0.0
    num_steps, num_examples, _ = inputs.shape
    for t in range(num_steps):
        loglik += np.sum(logprobs[t] * targets[t])
    return loglik / (num_steps * num_examples)


def training_loss(params, model, decay=0.01):
    inputs = one_hot(TEXT[:6])
    penalty = sum(np.sum(w**2) for name, w in params.items() if not name.startswith("init"))
    return -log_likelihood(params, inputs, inputs, model) + decay * penalty


def sample_greedily(params, model, count):
    text = TEXT[0]
    for _ in range(count):
        logprobs = predict(params, one_hot(text), model)
        text += ALPHABET[int(np.argmax(logprobs[-1][0]))]
    return text


def descend(params, gradient, num_iters, step_size):
    for _ in range(num_iters):
        g = gradient(params)
        params = {name: w - step_size * g[name] for name, w in params.items()}
    return params


def new_params(model, seed=0):
    size = len(ALPHABET)
    return create_params(np.random.default_rng(seed), MODELS[model]["gates"], size, 3, size)


def check_model(model):
    tl.check_grads(lambda p: training_loss(p, model), (new_params(model),))


def test_plain_recurrent_net():
    check_model("rnn")


def test_lstm():
    check_model("lstm")


def test_gru():
    check_model("gru")


def test_training_lowers_the_loss():
    params = new_params("lstm")
    gradient = tl.grad(lambda p: training_loss(p, "lstm"))
    trained = descend(params, gradient, 10, 0.5)
    assert training_loss(trained, "lstm") < training_loss(params, "lstm") - 0.1
    assert len(sample_greedily(trained, "lstm", 3)) == 4
