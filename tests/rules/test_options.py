"""Options of functions that say what is read of an operand, or in which order; division by zero."""

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported, SharedMemory
from tests.derivatives import assert_derivatives, define

MATRIX = np.array([[0.3, 1.2, -0.7], [0.9, -1.1, 0.4]])
SQUARE = np.array([[2.0, 0.3], [0.5, 1.4]])
CUBE = 1.0 + 0.1 * np.arange(8.0).reshape(2, 2, 2)


UNIT = np.eye(3)


def of(expression):
    lines = ["def f(x):", f"    y = {expression}", "    w = np.arange(1.0, 1 + np.size(y))"]
    lines += ["    return np.sum(np.real(y * y) * np.reshape(w, np.shape(y)))"]
    return define("\n".join(lines) + "\n", "f", CUBE=CUBE, UNIT=UNIT)


RIGHT = {
    "np.fft.fft2(x, axes=None)": CUBE,
    "np.linalg.pinv(x, hermitian=True)": SQUARE,
    "np.linalg.svd(x, hermitian=True)[0] + x": SQUARE,
    "np.linalg.svd(x, False, False, True)": SQUARE,
    "np.diff(x, n=2)": MATRIX,
    "np.diff(x, n=5)": MATRIX,
    "np.array(x, ndmin=3)": MATRIX,
    "np.reshape(x, (3, 2), order='F')": MATRIX,
    "np.cross(x, x[::-1] ** 2)": MATRIX,
    "np.cross(x, [x[0, 1], x[1, 1], 2.0], axis=-1)": MATRIX,
    "np.choose([0, 1, 0], (x[0], x[1]))": MATRIX,
    "np.std(x, axis=1, where=[[True, False, True], [True, True, False]])": MATRIX,
    "np.nansum(x, axis=1, where=[[True, False, True], [True, True, False]])": MATRIX,
    "np.nanprod(x, axis=1, where=[[True, False, True], [True, True, False]])": MATRIX,
    "np.cov(x, aweights=[0.3, 1.0, 2.0])": MATRIX,
    "np.einsum('i,j->', [x[0, 0], 2.0, x[1, 1]], [1.0, 2.0])": MATRIX,
}


@pytest.mark.parametrize("expression", RIGHT)
def test_option(expression):
    assert_derivatives(of(expression), RIGHT[expression])


@pytest.mark.parametrize("expression", [
    "np.conj(x, casting='same_kind', subok=True, dtype=complex)",
    "np.vecdot(x, x ** 2, dtype=complex, order='C')",
    "np.full((2, 3), x[0], order=None, like=None, device='cpu')",
    "np.ravel(x, order=None)",
    "np.pad(x, 1, constant_values=(x[0, 0], x[1, 1] ** 2))",
    "np.pad(x, ((1, 2), (0, 3)), 'minimum', stat_length=((2, 1), (1, 3)))",
    "np.pad(x, 2, 'linear_ramp', end_values=x[0, 0])",
    "np.pad(x, ((1,), (2,)), 'median')",
    "np.vecdot(CUBE[0], x[0, :2], axis=0)",
    "np.cross(UNIT + x[0], x[1], axisb=0)",
    "np.linalg.cross(UNIT[:, :2] + x[0, 0], x[1], axis=0)",
    "np.average(CUBE * x[0, 0], axis=(2, 0), weights=x[:, :2] ** 2)",
    "np.cov(x[0], x.T, rowvar=False)",
    "np.fft.irfftn(x, s=(2, -1), axes=(0, 1))", "np.fft.rfft2(x, s=(-1, 4))",
    "np.corrcoef(x, rowvar=1)",
    "np.clip(x, max=x[0, 0] + 0.5)",
    "x.clip(x[0, 0] - 0.5)",
    "np.std(x, axis=1, mean=x[:, :1] ** 2)",
    "np.nanvar(x, mean=x[0, 0], where=[True, False, True])",
    "np.prod(x, where=False) + x",
    "np.polyint(x[0], 2, [x[1, 0], 2.0])",
    "np.histogram(x, 3, density=True)[0] * x[0]",
    "np.trace(x, 1, 1, 0) * x",
    "x.item((0, 1)) * x",
    "x[:1, :1].item() * x",
    "x.astype(float, 'F', casting='unsafe', subok=False)",
])  # fmt: skip
def test_first_derivatives_with_option(expression):
    assert_derivatives(of(expression), MATRIX, order=1)


@pytest.mark.parametrize("expression", [
    "np.ravel(x, order='A')", "np.ravel(x, 'K')", "x.flatten('A')", "x.ravel(order='K')",
    "np.reshape(x, (3, 2), order='A')", "np.array([x[0, 0], x[0, 1]], ndmin=3)",
    "np.cross([x[0, 0], x[0, 1]], [x[1, 0], 2.0])", "np.sum(x, dtype=object)",
    "np.pad(x, 1, 'empty')", "np.pad(x, 1, lambda *strip: None)",
    "np.fft.ifft2(x, out=np.zeros((2, 3), complex))",
])  # fmt: skip
def test_refused_option(expression):
    f = of(expression)
    with pytest.raises(NotYetSupported, match=":2: "):
        tl.grad(f)(MATRIX)
    if "ndmin" not in expression:  # which forward mode needs no rule for
        with pytest.raises(NotYetSupported, match=":2: "):
            tl.jvp(f, (MATRIX,), (MATRIX,))


@pytest.mark.parametrize("lines", [
    "np.fix(3.0 * x, z)", "np.round(x, 1, z)", "np.choose([[1, 0, 1]], (x, -x), out=z)",
    "np.multiply(x, x, z[::-1])", "np.cumsum(x, 0, None, z)", "np.greater(x, 0.0, out=z)",
    "z = x * x; np.exp(x, out=z, where=x > 0.5)", "np.take(x, [1, 0], 0, z, 'clip')",
    "np.stack((x[0], x[1]), 0, z)", "np.divmod(x, 0.8, np.zeros((2, 3)), z)",
])  # fmt: skip
def test_results_written_where_the_call_says(lines):
    body = ["z = np.zeros((2, 3))", *lines.split("; "), "return np.sum(z * x + z * z)"]
    assert_derivatives(define("def f(x):\n    " + "\n    ".join(body) + "\n", "f"), MATRIX)


@pytest.mark.parametrize("made", ["w.conj()", "np.array(w, copy=None)"])
def test_results_that_are_the_operand_itself(made):
    body = f"    w = 2.0 * x\n    y = {made}\n    y[0] = x[1] ** 2\n    return np.sum(w * w * y)\n"
    f = define(f"def f(x):\n{body}", "f")
    try:
        assert_derivatives(f, MATRIX)
    except SharedMemory as error:
        assert "copy" in str(error)


@pytest.mark.parametrize("name", ["std", "nanstd"])
def test_equal_numbers_have_no_spread(name):
    """Though the mean of three times 0.1 is not 0.1."""
    f, x = define(f"def f(x):\n    return np.{name}(x)\n", "f"), np.full(3, 0.1)
    np.testing.assert_allclose(tl.grad(f)(x), 0.0, atol=1e-15)
    assert abs(tl.jvp(f, (x,), (np.arange(3.0),))[1]) < 1e-15


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("expression", [
    "np.median(x)", "np.nanmedian(x)", "np.polymul(x, [1.0, 2.0])", "np.histogram(x, 3)[1]",
])  # fmt: skip
def test_functions_of_no_numbers_are_refused_when_they_are_called(expression):
    f = of(expression)
    for derivative in (tl.grad(f), lambda x: tl.jvp(f, (x,), (x,))):
        with pytest.raises(NotYetSupported, match="of no numbers"):
            derivative(np.zeros(0))


def test_products_of_vectors_of_two_numbers_say_so_when_they_are_called():
    f = of("np.cross(x[:, :2], x[:, 1:])")
    for derivative in (tl.grad(f), lambda x: tl.jvp(f, (x,), (x,))):
        with pytest.raises(ValueError, match="vectors of two numbers"):
            derivative(MATRIX)


@pytest.mark.timeout(20)
def test_products_of_arrays_of_many_axes():
    """Whose facts are computed: examples would have millions of elements."""
    f = define("def f(x, w):\n    return np.sum(np.kron(x, w) * np.kron(w, x))\n", "f")
    assert_derivatives(f, CUBE, CUBE[:, ::-1] + 0.5)


QUOTIENTS = {
    "x[0] / w": ([np.inf, 0, 0], -np.inf),
    "np.sum(x) / w": ([np.inf] * 3, -np.inf),
    "np.mean(x) / (w * 1)": ([np.inf] * 3, -np.inf),
    "x[0] / w / 2": ([np.inf, 0, 0], -np.inf),
    "x[0] / 0 + w": ([np.inf, 0, 0], 1),
    "x[2] ** -1 + w": ([0, 0, -np.inf], 1),
}


@pytest.mark.parametrize("expression", QUOTIENTS)
def test_a_number_of_numpy_divided_by_zero_has_infinite_derivatives(expression):
    """As the quotient is infinite, with a warning, where a number of Python's raises."""
    f = define(f"def f(x, w):\n    return {expression}\n", "f")
    x, (of_x, of_w) = np.array([1.0, 2.0, 0.0]), QUOTIENTS[expression]
    with np.errstate(all="ignore"):
        found = tl.grad(f, wrt=(0, 1))(x, 0.0)
        slope = tl.jvp(f, (x, 0.0), (np.zeros(3), 1.0))[1]
    np.testing.assert_array_equal(found[0], of_x)
    assert found[1] == of_w
    assert slope == of_w or np.isnan(slope)  # 0 times infinity


def test_a_number_of_python_divided_by_zero_raises_in_its_derivative_too():
    f = define("def f(x, w):\n    return x / w\n", "f")
    for derivative in (f, tl.grad(f), lambda *args: tl.jvp(f, args, (1.0, 1.0))):
        with pytest.raises(ZeroDivisionError):
            derivative(1.0, 0.0)


SQUEEZED = {
    "axes known": ("k = np.squeeze(x)", ("sum", "prod", "max")),
    "axes unknown": ("k = x if n else np.squeeze(x)", ("sum", "prod", "cumprod")),
}


@pytest.mark.parametrize(
    ("made", "reduced"), [(made, name) for made, names in SQUEEZED.values() for name in names]
)
def test_a_number_is_reduced_along_axis_0(made, reduced):
    """NumPy allows it for arrays that turn out to have no axes."""
    body = f"    {made}\n    return np.{reduced}(k, axis=0) ** 2 * np.sum(k)\n"
    f = define(f"def f(x, n):\n{body}", "f")
    assert_derivatives(f, np.array([1.5]), 0, wrt=(0,))
