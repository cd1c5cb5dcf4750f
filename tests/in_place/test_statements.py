"""Every statement that writes into an array."""

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives, define

X = np.array([0.7, -1.3, 2.1, 0.4, 1.7])
A = np.array([[0.5, 1.2, -0.3], [2.0, 0.7, 0.9], [1.4, 0.1, 1.6]])

VECTOR = {
    "element": "y[2] = x[0] * x[1]",
    "negative index": "y[-1] = x[0] * x[1]",
    "slice": "y[1:3] = x[:2] * x[2:4]",
    "scalar into a slice": "y[1:3] = x[0] ** 2",
    "strided": "y[::2] = x[:3] * x[0]",
    "backwards": "y[::-1] = x * x[0]",
    "negative slice": "y[-3:-1] = x[1:3] ** 2",
    "ellipsis": "y[...] = x ** 2",
    "whole": "y[:] = x[0]",
    "new axis": "y[None, 1:3] = x[:2] ** 2",
    "mask": "y[x > 0.5] = x[0] * x[1]",
    "mask of values": "y[x > 0.5] = x[x > 0.5] ** 2",
    "index array": "y[np.array([3, 0])] = x[:2] ** 2",
    "repeated index array": "y[np.array([3, 0, 3])] = x[:3] ** 2",
    "list of indices": "y[[3, 0]] = x[:2] ** 2",
    "list of values": "y[1:3] = [x[0], x[1] ** 2]",
    "constant": "y[0] = 4.0",
    "twice": "y[0] = x[1] ** 2\n    y[0] = x[2] ** 3",
    "index changed between": "i = 1\n    y[i] = x[0] ** 2\n    i = 3\n    y[i] = x[2] ** 2",
    "add": "y[1] += x[0] * x[2]",
    "subtract": "y[1] -= x[0] * x[2]",
    "multiply": "y[1] *= x[0] * x[2]",
    "divide": "y[1] /= x[0] + 3.0",
    "power": "y[1] **= 2",
    "power of a slice": "y[1:3] **= 3",
    "power with a variable": "y **= x[2]",
    "modulo": "y[1] %= x[2]",
    "floor": "y[1] //= 0.3",
    "add to slice": "y[1:] += x[:-1]",
    "overlapping add": "y[1:] += y[:-1]",
    "overlapping multiply": "y[:-1] *= y[1:]",
    "overlapping assignment": "y[1:] = y[:-1]",
    "shift left": "y[:-1] = y[1:]",
    "reversed onto itself": "y[:] = y[::-1]",
    "add itself": "y += y",
    "multiply by itself": "y *= y",
    "mask add": "y[x > 0.5] += x[0]",
    "mask multiply": "y[x > 0.5] *= x[x > 0.5]",
    "indexed add": "y[np.array([3, 0])] += x[:2]",
    "indexed add with repeats": "y[np.array([3, 0, 3])] += x[:3] ** 2",
    "indexed multiply with repeats": "y[np.array([3, 0, 3])] *= x[:3]",
    "add at": "np.add.at(y, np.array([3, 0, 3]), x[:3] ** 2)",
    "subtract at": "np.subtract.at(y, [3, 0, 3], x[:3] ** 2)",
    "add at of a view": "np.add.at(y[1:], np.array([3, 0, 3]), x[:3] ** 2)",
    "whole add": "y += x ** 2",
    "whole subtract": "y -= x ** 2",
    "whole power": "y **= 2",
    "whole divide": "y /= x + 3.0",
    "whole scalar": "y *= x[0]",
    "fill": "y.fill(x[0] ** 2)",
    "fill a view": "y[1:3].fill(x[0] ** 2)",
    "sort": "y *= -1.0\n    y.sort()",
    "copyto": "np.copyto(y, x ** 2)",
    "copyto where": "np.copyto(y, x ** 2, where=x > 0.5)",
    "copyto a view": "np.copyto(y[1:3], x[:2] ** 2)",
    "put": "np.put(y, [0, 2], x[1:3] ** 2)",
    "putmask": "np.putmask(y, x > 0.5, x ** 3)",
    "place": "np.place(y, x > 0.5, x[0] ** 2)",
    "put as a method": "y.put([0, 2], x[1:3] ** 2)",
    "put with a place twice": "np.put(y, [0, 2, 0], x[1:4] ** 2)",
    "partition": "y *= -1.0\n    y.partition(2)",
    "multiply at": "np.multiply.at(y, [0, 1, 1, 2], x[:4] + 3.0)",
    "multiply at by a number": "np.multiply.at(y, [0, 1, 1, 2], x[0])",
    "divide at": "np.divide.at(y, [3, 1, 3], x[:3] + 3.0)",
    "power at": "np.power.at(y, [3, 1, 3], x[:3])",
    "maximum at": "np.maximum.at(y, [0, 1, 1, 2], x[:4] + 1.3)",
    "negative at": "np.negative.at(y, [0, 1, 1])",
    "sine at": "np.sin.at(y, [0, 1, 1])",
    "logaddexp at a slice": "np.logaddexp.at(y, slice(1, 3), x[:2])",
    "multiply at a mask": "np.multiply.at(y, x > 0.5, x[0])",
    "multiply at of a view": "np.multiply.at(y[1:], np.array([3, 0, 3]), x[:3] ** 2)",
    "out": "np.multiply(x, x[0], out=y)",
    "out where": "np.multiply(x, x[0], out=y, where=x > 0.5)",
    "out where of a slice": "np.log(x[:2], out=y[1:3], where=x[:2] > 0.0)",
    "out where of itself": "np.log(y, out=y, where=y > 0.6)",
    "out where by position": "np.power(y, 3, y, where=x > 0.5)",
    "division where it can be done": (
        "z = x - x[0]\n    y += np.divide(1.0, z, out=np.zeros_like(x), where=z != 0)"
    ),
    "out of two": "z = np.zeros(5)\n    np.divmod(x, 0.37, out=(y, z))\n    y *= z",
    "one out of two": "q, r = np.divmod(x, 0.37, out=(None, y))",
    "out of einsum": "np.einsum('i,i->i', x, x, out=y)",
    "out of dot": "np.dot(np.outer(x, x), x, out=y)",
    "out of dot by position": "np.dot(np.outer(x, x), x, y)",
    "out of a sum of rows": "np.outer(x, x).sum(axis=0, out=y)",
    "out of a sum by position": "np.sum(np.outer(x, x), 0, None, y)",
    "out of a method by position": "x.cumsum(0, None, y)",
    "out of a reduction": "np.multiply.reduce(np.outer(x, x + 1.0), axis=0, out=y)",
    "out of concatenate by position": "np.concatenate([x[:2], x[2:] ** 2], 0, y)",
    "out of a clip by position": "np.clip(y, 0.3, 1.9, y)",
    "out of a clipping method": "y.clip(0.3, 1.9, out=y)",
    "nan to num": "y[0] = -np.inf\n    np.nan_to_num(y, copy=False, neginf=2.0)",
    "out positional": "np.add(y, x, y)",
    "out of a sum": "np.cumsum(x * x, out=y)",
    "clip out": "np.clip(y, 0.0, 2.0, out=y)",
    "element with an ellipsis": (
        "y[2] = x[0]\n    y[1, ...] += x[0] ** 2\n    y[..., 3] = x[2] ** 2"
    ),
    "mask that changes": "m = y > 0.1\n    m &= x > -2.0\n    m |= x < -1.0\n    m ^= x > 2.0\n"
    "    y[m] *= x[0]",
    "integers that change": "k = np.array([0, 1, 1])\n    k <<= 1\n    k |= 1\n    k ^= 2\n"
    "    k[1:] >>= 1\n    k += 1\n    k %= 4\n    k[0] //= 2\n    y[k] *= x[:3]",
    "in a chain": "y[1] = y[2] = x[0] ** 2",
    "in a tuple": "y[1], y[2] = x[0] ** 2, x[1] ** 3",
}
MATRIX = {
    "element": "b[1, 2] = a[0, 0] ** 2",
    "row": "b[1] = a[0] ** 2",
    "column": "b[:, 1] = a[0] ** 2",
    "block": "b[1:, :2] = a[:2, 1:] ** 2",
    "broadcast row": "b[:] = a[0] ** 2",
    "broadcast column": "b[...] = a[:, :1] ** 2",
    "scalar": "b[1] = a[0, 0] ** 2",
    "element of a row": "b[1][2] = a[0, 0] ** 2",
    "row add": "b[1] += a[0] ** 2",
    "column multiply": "b[:, 1] *= a[0]",
    "broadcast add": "b += a[0] ** 2",
    "broadcast multiply": "b *= a[:, :1]",
    "mask": "b[a > 1.0] = 3.0 * a[0, 0]",
    "mask of rows": "b[a[:, 0] > 1.0] *= a[0, 1]",
    "diagonal": "np.fill_diagonal(b, a[0] ** 2)",
    "diagonal with indices": "b[np.arange(3), np.arange(3)] = a[0] ** 2",
    "indices with repeats": "b[[0, 0, 1], [1, 1, 2]] = a[0] ** 2",
    "transposed": "b.T[0] = a[1] ** 2",
    "transposed add": "b.T[0] += a[1] ** 2",
    "whole transposed": "b.T[...] *= a",
    "matrix product": "b @= a",
    "floor division": "b //= 0.7\n    b += b[-1] * a",
    "remainder": "b %= a + 4.0",
    "sort rows": "b *= -1.0\n    b.sort()",
    "sort columns": "b *= -1.0\n    b.sort(axis=0)",
    "outer update": "b -= np.outer(b[:, 0], b[0])",
    "flipped": "b[::-1, ::-1] = a * a[0, 0]",
    "ellipsis": "b[..., 0] = a[1] ** 2",
    "put along rows": (
        "np.put_along_axis(b, np.array([[0, 2], [1, 0], [1, 1]]), a[:, :2] ** 2, axis=1)"
    ),
    "put along columns": "np.put_along_axis(b, np.array([[0, 2, 1]]), a[:1] ** 2, axis=0)",
    "put along the whole": "np.put_along_axis(b, np.array([0, 4, 4]), a[0] ** 2, axis=None)",
    "multiply rows at": "np.multiply.at(b, [0, 2, 0], a ** 2)",
    "partition": "b *= -1.0\n    b.partition(1, axis=0)",
    "out where a row": "np.sqrt(a[0] + 1.0, out=b, where=a > 0.6)",
    "out where a mask of a row": "np.sqrt(a + 1.0, out=b, where=a[0] > 0.6)",
    "new axis": "b[:, None, 0] = a[1][:, None] ** 2",
}


@pytest.mark.parametrize("body", VECTOR.values(), ids=VECTOR.keys())
def test_vectors(body):
    source = f"def f(x):\n    y = x * x\n    {body}\n    return np.sum(y * np.sin(y))\n"
    assert_derivatives(define(source, "f", np=np), X)


@pytest.mark.parametrize("body", VECTOR.values(), ids=VECTOR.keys())
def test_what_was_there_is_used_before(body):
    source = (
        f"def f(x):\n    y = x * x\n    s = np.sum(y ** 3)\n    {body}\n"
        "    return s * np.sum(y ** 2)\n"
    )
    assert_derivatives(define(source, "f", np=np), X)


@pytest.mark.parametrize("body", MATRIX.values(), ids=MATRIX.keys())
def test_matrices(body):
    source = f"def f(a):\n    b = a * a\n    {body}\n    return np.sum(b * np.sin(b))\n"
    assert_derivatives(define(source, "f", np=np), A)


def program(*lines):
    return define("def f(x):\n" + "".join(f"    {line}\n" for line in lines), "f", np=np)


def test_into_an_integer_array():
    f = program("y = np.zeros(2, int)", "y[0] = x", "return y[0] * x")
    with pytest.raises(TangentLikeError, match="int"):
        tl.grad(f)(2.0)


def test_integers_may_be_written():
    source = (
        "def f(x):\n    k = np.zeros(3, int)\n    for i in range(3):\n        k[i] = 2 - i\n"
        "    k[0] += 0\n    return x[k[0]] * x[k[2]] ** 2\n"
    )
    assert_derivatives(define(source, "f", np=np), X)


def test_float32_stays_float32():
    f = program("y = x * x", "y[1] = 2.0 * x[0]", "y += 1.0", "return np.sum(y * y)")
    g = tl.grad(f)(X.astype(np.float32))
    assert g.dtype == np.float32
    want = tl.grad(f)(X)
    np.testing.assert_allclose(g, want, rtol=1e-5)


def test_a_read_only_argument():
    x = X.copy()
    x.flags.writeable = False
    f = program("y = x * 1.0", "y[0] = x[1]", "return np.sum(y * x)")
    np.testing.assert_allclose(tl.grad(f)(x), tl.grad(f)(X))


def test_a_shape_that_does_not_fit():
    f = define("def f(x):\n    y = x[:2] * 1.0\n    y += x\n    return np.sum(y)\n", "f", np=np)
    with pytest.raises(ValueError, match="broadcast"):
        tl.value_and_grad(f)(X)


def test_a_global_is_not_written():
    f = define("def f(x):\n    table[0] = x\n    return table[0]\n", "f", np=np, table=np.zeros(3))
    with pytest.raises(TangentLikeError, match="outside"):
        tl.grad(f)(2.0)


def test_a_mask_of_a_known_length_beside_a_shorter_slice():
    """The slice has a symbol less three for its length, the mask two: found by random programs."""
    line = "np.copyto(b[1:, 3:, ...], 0.5, where=np.full((2, 1), 0.5) > 0.1)"
    f = define(f"def f(a):\n    b = a * a\n    {line}\n    return np.sum(b**2)\n", "f", np=np)
    assert_derivatives(f, np.linspace(0.2, 1.4, 12).reshape(3, 4))


@pytest.mark.parametrize("kept", ["y * 1.0", "[r * 1.0 for r in y]", "y + 0.0", "list(y * 1.0)"])
@pytest.mark.parametrize("row", ["for row in y:", "for k in range(3):\n        row = y[k]"])
def test_rows_that_change_while_a_loop_goes_through_a_copy_of_them(kept, row):
    """The tangent of the copy is that of the array, which the loop changes: found by random
    programs."""
    body = f"        for other in {kept}:\n            row *= np.cos(other)\n"
    f = define(f"def f(x):\n    y = x * 1.0\n    {row}\n{body}    return y\n", "f", np=np)
    assert_derivatives(f, np.linspace(-0.7, 1.6, 9).reshape(3, 3))


def test_a_column_that_a_branch_reads_with_a_new_axis():
    """The second derivative: where the other branch was taken, there is no column."""
    lines = "    if np.mean(m) <= 0.3:\n        m = m * 1.0\n        m *= m[:, 1][:, None]\n"
    f = define(f"def f(m):\n{lines}    return np.sum(m * m)\n", "f", np=np)
    for shift in (-1.0, 1.0):
        assert_derivatives(f, np.linspace(-0.6, 0.5, 6).reshape(2, 3) + shift)


@pytest.mark.parametrize("least", [0.1, 0.4, 0.9])
@pytest.mark.parametrize("index", ["m > least, 1", "m > least, ::-1", "..., m > least"])
def test_a_mask_beside_another_index(index, least):
    """How many places it chooses is not its length: a second derivative took it for that."""
    lines = f"    x = x * 1.0\n    x[{index}] -= x[1, 2]\n    return np.sum(np.cos(x))\n"
    f = define(f"def f(x, m, least):\n{lines}", "f", np=np)
    m = np.array([0.2, 0.5, 0.3])
    assert_derivatives(f, np.cos(np.arange(9.0)).reshape(3, 3), m, least, wrt=(0, 1))
