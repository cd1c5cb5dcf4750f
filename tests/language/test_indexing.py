"""Reads by index, slice, mask and integer array, of arguments and of derived arrays."""

import numpy as np
import pytest

from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1, 0.8, -0.5])
MATRIX = np.arange(12.0).reshape(3, 4) / 7.0 - 0.8
CUBE = np.arange(24.0).reshape(2, 3, 4) / 11.0 - 1.1

OF_A_VECTOR = [
    "x[0]", "x[-1]", "x[1:3]", "x[:2]", "x[2:]", "x[:]", "x[::2]", "x[::-1]", "x[4:0:-2]",
    "x[-3:-1]", "x[1:100]", "x[3:1]", "x[...]", "x[..., 1]", "x[None]", "x[np.newaxis, 1:]",
    "x[:, None]", "x[None, ..., None]", "x[()]", "x[[0, 2]]", "x[[0, 0, 0, 3]]", "x[[-1, 4]]",
    "x[np.array([1, 1, 2])]", "x[np.array([[0, 1], [1, 0]])]", "x[np.array([], dtype=int)]",
    "x[x > 0.0]", "x[x > 100.0]", "x[np.array([True, False, True, False, True])]", "x[True]",
    "x[1:][1]", "x[1:][::-1][:2]", "x[np.argmax(x)]", "x[np.argsort(x)]", "x[x.argsort()[:2]]",
    "x[np.int64(2)]", "x[len(x) // 2]", "x[(2,)]", "x[slice(1, 4)]", "x[slice(None, None, 2)]",
]  # fmt: skip

OF_A_MATRIX = [
    "x[1]", "x[-1]", "x[1, 2]", "x[-1, -1]", "x[1][2]", "x[:, 1]", "x[1, :]", "x[:, 1:3]",
    "x[::2, ::-1]", "x[0:2, 1:]", "x[..., 0]", "x[0, ...]", "x[..., None]", "x[:, None, 2]",
    "x[[0, 2]]", "x[[0, 0, 2]]", "x[:, [1, 1, 3]]", "x[[0, 1], [2, 3]]", "x[[0, 0], [2, 2]]",
    "x[[0, 2], 1:]", "x[1:, [0, 0]]", "x[np.ix_([0, 2], [1, 1, 3])]", "x[x > 0.0]",
    "x[np.array([True, False, True])]", "x[:, np.array([True, False, True, True])]",
    "x[np.array([[0], [2]]), np.array([1, 3])]", "x[np.arange(3), [3, 0, 0]]", "x.T[1]",
    "x.T[[1, 1]]", "x[1:][0]", "x.reshape(-1)[5]", "x[(1, 2)]", "x[1, [0, 0, 3]]",
    "x[np.tril_indices(3)]", "x[np.nonzero(x > 0.25)]", "x[0, 1:3, None]",
]  # fmt: skip

OF_A_CUBE = [
    "x[1]", "x[1, 2]", "x[1, 2, 3]", "x[:, 1]", "x[..., 1]", "x[:, ::-1, 1:]",
    "x[[0, 1], :, [2, 3]]",
    "x[:, [0, 0, 1], [1, 1, 2]]", "x[0, [1, 1]]", "x[[1, 1], 0, ::2]", "x[1, ..., [0, 0, 2]]",
    "x[:, np.array([[0, 1], [2, 2]])]", "x[x > 0.3]", "x[np.array([True, False]), 1]",
]  # fmt: skip


def weighted(read):
    """A scalar in which every element read has its own weight, and counts nonlinearly."""
    source = (
        f"def f(x):\n"
        f"    y = np.sin({read}) * ({read})\n"
        f"    return np.sum(y * np.arange(1.0, 1.0 + np.size(y)).reshape(np.shape(y)))\n"
    )
    return define(source, "f")


def derived(read):
    """The same read of an array that the function computes."""
    source = f"def f(x):\n    x = x * x\n    y = {read}\n    return np.sum(y * y) + np.sum(x)\n"
    return define(source, "f")


def returned(read):
    return define(f"def f(x):\n    return {read}\n", "f")


@pytest.mark.parametrize("make", [weighted, derived, returned], ids=lambda f: f.__name__)
@pytest.mark.parametrize("read", OF_A_VECTOR)
def test_read_of_a_vector(read, make):
    assert_derivatives(make(read), VECTOR)


@pytest.mark.parametrize("make", [weighted, derived, returned], ids=lambda f: f.__name__)
@pytest.mark.parametrize("read", OF_A_MATRIX)
def test_read_of_a_matrix(read, make):
    assert_derivatives(make(read), MATRIX)


@pytest.mark.parametrize("read", OF_A_CUBE)
def test_read_of_a_cube(read):
    assert_derivatives(weighted(read), CUBE)


def repeated_reads(x):
    return x[0] * x[0] + x[1] * x[0] + np.sum(x[:2] * x[1:3]) * x[-1]


def test_one_element_read_many_times():
    assert_derivatives(repeated_reads, VECTOR, complex_ok=True)


def gather(x, idx):
    return np.sum(np.sin(x[idx]) * np.arange(1.0, 1.0 + len(idx)))


def test_repeated_indices_accumulate():
    assert_derivatives(gather, VECTOR, np.array([0, 0, 0, 3, 0]), wrt=0, complex_ok=True)
    assert_derivatives(gather, VECTOR, [1, 1, -4], wrt=0, complex_ok=True)


def index_computed(x, i, j):
    k = i + j
    return x[k] * x[i] * x[k - 2 * i] + np.sum(x[i:k])


def test_computed_indices():
    assert_derivatives(index_computed, VECTOR, 1, 2, wrt=0, complex_ok=True)


def index_in_a_loop(x, n):
    s = 1.0
    for i in range(n):
        s = s + s * x[i] * x[(2 * i) % n]
    return s


@pytest.mark.parametrize("n", [0, 1, 5])
def test_index_in_a_loop(n):
    assert_derivatives(index_in_a_loop, VECTOR, n, wrt=0, complex_ok=True)


def index_from_the_data(x):
    i = np.argmin(np.abs(x))
    j = int(np.floor(abs(x[0]) * 7.0)) % len(x)
    return x[i] * x[i] * x[j]


def test_index_from_the_data():
    assert_derivatives(index_from_the_data, VECTOR)


def matrix_in_loops(a):
    s = 0.0
    for i in range(a.shape[0]):
        for j in range(i, a.shape[1]):
            s = s + a[i, j] * a[i][j] * a[-1, j]
    return s


def test_matrix_elements_in_nested_loops():
    assert_derivatives(matrix_in_loops, MATRIX, complex_ok=True)


def rolling(x):
    s = 0.0
    for i in range(1, len(x) - 1):
        window = x[i - 1 : i + 2]
        s = s + np.prod(window) * window[0]
    return s


def test_windows_in_a_loop():
    assert_derivatives(rolling, VECTOR, complex_ok=True)


def index_of_a_tuple(parts):
    return parts[0] * parts[-1] + parts[1][0] * parts[1][1] * parts[0]


def test_index_of_a_tuple_argument():
    assert_derivatives(index_of_a_tuple, (0.7, (0.3, -0.9), 1.4), complex_ok=True)
    assert_derivatives(index_of_a_tuple, [0.7, [0.3, -0.9], 1.4], complex_ok=True)
    assert_derivatives(index_of_a_tuple, (VECTOR, (0.3, VECTOR * 2.0), 1.4), complex_ok=True)


def index_of_a_tuple_in_a_loop(parts):
    s = 1.0
    for i in range(len(parts)):
        s = s * parts[i] + parts[-1 - i]
    return s


def test_index_of_a_tuple_in_a_loop():
    assert_derivatives(index_of_a_tuple_in_a_loop, (0.7, 0.3, -0.9), complex_ok=True)
    assert_derivatives(index_of_a_tuple_in_a_loop, [0.7, 0.3, -0.9], complex_ok=True)


def slice_of_a_tuple(parts):
    a, b = parts[1:]
    return a * b * parts[0] + parts[::-1][0]


def test_slice_of_a_tuple():
    assert_derivatives(slice_of_a_tuple, (0.7, 0.3, -0.9), complex_ok=True)


def unpacked_array(x):
    a, b, c, d, e = x
    return a * b + c * d * e


def test_array_unpacked_into_names():
    assert_derivatives(unpacked_array, VECTOR, complex_ok=True)


def unpacked_argument(params):
    w, b = params
    return np.sum(w * w) * b


def test_tuple_argument_unpacked():
    assert_derivatives(unpacked_argument, (VECTOR, 0.7), complex_ok=True)
    assert_derivatives(unpacked_argument, [VECTOR, 0.7], complex_ok=True)


def out_of_range(x, i):
    y = x * x
    return y[i]


def test_index_out_of_range_keeps_its_error():
    assert_derivatives(out_of_range, VECTOR, 2, wrt=0, complex_ok=True)
    import tangent_like as tl

    with pytest.raises(IndexError):
        tl.grad(out_of_range)(VECTOR, 7)


def linear_cost(x):
    s = 0.0
    for i in range(len(x)):
        s = s + x[i] * x[i]
    return s


def test_compress_as_a_method():
    chosen = [True, False, True, True, False]
    assert_derivatives(lambda x: x.compress(chosen) ** 2, VECTOR, complex_ok=True)


def test_index_in_a_loop_does_not_take_quadratic_memory():
    """A fresh array of zeros for each read would allocate 8 n^2 bytes: 3.2 GB here."""
    import tracemalloc

    import tangent_like as tl

    gradient = tl.grad(linear_cost)
    gradient(np.ones(3))
    x = np.linspace(0.0, 1.0, 20_000)
    tracemalloc.start()
    np.testing.assert_array_equal(gradient(x), 2.0 * x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 8 * len(x)


@pytest.mark.parametrize("length", [1, 2, 4, 7])
def test_lengths_of_slices_beside_other_indices(length):
    """How long `x[0, -4:3, ...]` and `x[0, :3]` are depends on the length of the axis."""

    def mixed(x):
        row = x[0, -4:3, ...]
        return np.sum(row[-1:] * x[1, :3][-1:]) + np.sum(row)

    def broadcast(x):
        return np.sum(x[0, :3] * np.array([1.0, 2.0, 3.0][: min(length, 3)]))

    x = np.cos(np.arange(2.0 * length)).reshape(2, length)
    assert_derivatives(mixed, x)
    assert_derivatives(broadcast, x)
