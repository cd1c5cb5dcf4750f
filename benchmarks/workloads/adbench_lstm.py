"""LSTM of ADBench: the gradient of the loss of a language model whose state is overwritten.

The gates are element-wise: forget and output from the input, input and change from the hidden
state.
"""

import numpy as np

from benchmarks.problem import Problem
from benchmarks.workloads.adbench_files import read_lstm


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def lstm(main, extra, start, sequence):
    b = sequence.shape[1]
    layers = main.shape[0] // 2
    state = start.copy()
    total = 0.0
    for t in range(len(sequence) - 1):
        x = sequence[t] * extra[0]
        for k in range(layers):
            weight = main[2 * k]
            bias = main[2 * k + 1]
            hidden = state[2 * k]
            cell = state[2 * k + 1]
            forget = sigmoid(x * weight[:b] + bias[:b])
            ingate = sigmoid(hidden * weight[b : 2 * b] + bias[b : 2 * b])
            outgate = sigmoid(x * weight[2 * b : 3 * b] + bias[2 * b : 3 * b])
            change = np.tanh(hidden * weight[3 * b :] + bias[3 * b :])
            cell = cell * forget + ingate * change
            hidden = outgate * np.tanh(cell)
            state[2 * k] = hidden
            state[2 * k + 1] = cell
            x = hidden
        y = x * extra[1] + extra[2]
        total += np.sum(sequence[t + 1] * (y - np.log(np.sum(np.exp(y)) + 2.0)))
    return -total / ((len(sequence) - 1) * b)


def by_hand(main, extra, start, sequence):
    steps, b = len(sequence) - 1, sequence.shape[1]
    layers = main.shape[0] // 2
    hiddens = [start[2 * k] for k in range(layers)]
    cells = [start[2 * k + 1] for k in range(layers)]
    tape = []
    outputs = []
    for t in range(steps):
        x = sequence[t] * extra[0]
        for k in range(layers):
            weight, bias = main[2 * k], main[2 * k + 1]
            hidden, cell = hiddens[k], cells[k]
            forget = sigmoid(x * weight[:b] + bias[:b])
            ingate = sigmoid(hidden * weight[b : 2 * b] + bias[b : 2 * b])
            outgate = sigmoid(x * weight[2 * b : 3 * b] + bias[2 * b : 3 * b])
            change = np.tanh(hidden * weight[3 * b :] + bias[3 * b :])
            after = cell * forget + ingate * change
            bent = np.tanh(after)
            tape.append((x, hidden, cell, forget, ingate, outgate, change, bent))
            x = outgate * bent
            hiddens[k], cells[k] = x, after
        outputs.append(x)
    bmain = np.zeros_like(main)
    bextra = np.zeros_like(extra)
    bhiddens = [np.zeros(b) for _ in range(layers)]
    bcells = [np.zeros(b) for _ in range(layers)]
    gates = np.empty(4 * b)
    for t in range(steps - 1, -1, -1):
        out = outputs[t]
        gold = sequence[t + 1]
        y = np.exp(out * extra[1] + extra[2])
        by = y * (gold.sum() / (y.sum() + 2.0))
        by -= gold
        by /= steps * b
        bextra[2] += by
        bextra[1] += by * out
        bx = by * extra[1]
        for k in range(layers - 1, -1, -1):
            weight = main[2 * k]
            x, hidden, cell, forget, ingate, outgate, change, bent = tape.pop()
            bhidden = bhiddens[k] + bx
            bcell = bcells[k] + bhidden * outgate * (1.0 - bent * bent)
            gates[:b] = bcell * cell * forget * (1.0 - forget)
            gates[b : 2 * b] = bcell * change * ingate * (1.0 - ingate)
            gates[2 * b : 3 * b] = bhidden * bent * outgate * (1.0 - outgate)
            gates[3 * b :] = bcell * ingate * (1.0 - change * change)
            bmain[2 * k + 1] += gates
            bcells[k] = bcell * forget
            pulled = gates * weight
            bhiddens[k] = pulled[b : 2 * b] + pulled[3 * b :]
            bx = pulled[:b] + pulled[2 * b : 3 * b]
            both = gates.reshape(2, 2, b)
            both[:, 0] *= x
            both[:, 1] *= hidden
            bmain[2 * k] += gates
        bextra[0] += bx * sequence[t]
    return bmain, bextra


def by_hand_numba(main, extra, start, sequence):
    steps, b = len(sequence) - 1, sequence.shape[1]
    layers = main.shape[0] // 2
    state = start.copy()
    saved = np.empty((steps, layers, 8, b))
    outputs = np.empty((steps, b))
    bmain = np.zeros_like(main)
    bextra = np.zeros_like(extra)
    bstate = np.zeros_like(start)
    for t in range(steps):
        for k in range(layers):
            weight, bias = main[2 * k], main[2 * k + 1]
            tape = saved[t, k]
            for i in range(b):
                x = sequence[t, i] * extra[0, i] if k == 0 else state[2 * k - 2, i]
                hidden = state[2 * k, i]
                cell = state[2 * k + 1, i]
                forget = 1.0 / (1.0 + np.exp(-x * weight[i] - bias[i]))
                ingate = 1.0 / (1.0 + np.exp(-hidden * weight[b + i] - bias[b + i]))
                outgate = 1.0 / (1.0 + np.exp(-x * weight[2 * b + i] - bias[2 * b + i]))
                change = np.tanh(hidden * weight[3 * b + i] + bias[3 * b + i])
                after = cell * forget + ingate * change
                bent = np.tanh(after)
                tape[0, i], tape[1, i], tape[2, i], tape[3, i] = x, hidden, cell, forget
                tape[4, i], tape[5, i], tape[6, i], tape[7, i] = ingate, outgate, change, bent
                state[2 * k, i] = outgate * bent
                state[2 * k + 1, i] = after
        outputs[t] = state[2 * layers - 2]
    bx = np.empty(b)
    y = np.empty(b)
    for t in range(steps - 1, -1, -1):
        total, golden = 2.0, 0.0
        for i in range(b):
            y[i] = np.exp(outputs[t, i] * extra[1, i] + extra[2, i])
            total += y[i]
            golden += sequence[t + 1, i]
        for i in range(b):
            by = (y[i] * golden / total - sequence[t + 1, i]) / (steps * b)
            bextra[2, i] += by
            bextra[1, i] += by * outputs[t, i]
            bx[i] = by * extra[1, i]
        for k in range(layers - 1, -1, -1):
            weight = main[2 * k]
            tape = saved[t, k]
            for i in range(b):
                x, hidden, cell, forget = tape[0, i], tape[1, i], tape[2, i], tape[3, i]
                ingate, outgate, change, bent = tape[4, i], tape[5, i], tape[6, i], tape[7, i]
                bhidden = bstate[2 * k, i] + bx[i]
                bcell = bstate[2 * k + 1, i] + bhidden * outgate * (1.0 - bent * bent)
                g1 = bcell * cell * forget * (1.0 - forget)
                g2 = bcell * change * ingate * (1.0 - ingate)
                g3 = bhidden * bent * outgate * (1.0 - outgate)
                g4 = bcell * ingate * (1.0 - change * change)
                bmain[2 * k + 1, i] += g1
                bmain[2 * k + 1, b + i] += g2
                bmain[2 * k + 1, 2 * b + i] += g3
                bmain[2 * k + 1, 3 * b + i] += g4
                bmain[2 * k, i] += g1 * x
                bmain[2 * k, b + i] += g2 * hidden
                bmain[2 * k, 2 * b + i] += g3 * x
                bmain[2 * k, 3 * b + i] += g4 * hidden
                bx[i] = g1 * weight[i] + g3 * weight[2 * b + i]
                bstate[2 * k, i] = g2 * weight[b + i] + g4 * weight[3 * b + i]
                bstate[2 * k + 1, i] = bcell * forget
        for i in range(b):
            bextra[0, i] += bx[i] * sequence[t, i]
    return bmain, bextra


def problems(tiny, data):
    rng = np.random.default_rng(11)
    layers, steps, b = (2, 4, 3) if tiny else (2, 1024, 14)
    args = (
        rng.uniform(size=(2 * layers, 4 * b)), rng.uniform(size=(3, b)),
        rng.uniform(size=(2 * layers, b)), rng.uniform(size=(steps, b)),
    )  # fmt: skip
    if data is not None:
        args = read_lstm(data / "lstm" / "lstm_l2_c1024.txt")
    return [Problem(
        "LSTM", "ADBench's LSTM, 2 layers, 1024 steps, width 14", lstm, args, (0, 1), by_hand,
        by_hand_numba=by_hand_numba, peers={"autograd": None, "jax": None, "torch": None},
    )]  # fmt: skip
