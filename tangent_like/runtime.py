"""The few helpers that generated code may call; it imports NumPy only.

Each has a derivative rule of its own in `rules/helpers.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def unbroadcast(g: Any, like: Any) -> Any:
    """The cotangent `g` of a broadcast result, summed to the shape and type of the operand."""
    if isinstance(like, (int, float)):
        total = np.sum(g)
        return total.real if isinstance(total, complex) else total
    if isinstance(like, (tuple, list)):
        return None if g is None else [unbroadcast(a, b) for a, b in zip(g, like, strict=True)]
    if g is None:
        return None
    shape = np.shape(like)
    g = np.asarray(g)
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
    )
    total = np.sum(g, axis=axes).reshape(shape) if axes else g
    return as_type(total, like)[()]


def broadcast_like(g: Any, like: Any) -> Any:
    """`g` with the shape of `like`: the transpose of `unbroadcast`."""
    shape = np.shape(like)
    return g if np.shape(g) == shape else np.broadcast_to(g, shape)


def as_type(g: Any, like: Any) -> Any:
    """`g` in the element type of `like`; the real part where that is real."""
    dtype = getattr(like, "dtype", None)
    if dtype is None or dtype.kind not in "fc" or getattr(g, "dtype", None) == dtype:
        return g.real if np.iscomplexobj(g) and not np.iscomplexobj(like) else g
    if np.iscomplexobj(g) and dtype.kind == "f":
        g = np.real(g)
    return np.asarray(g).astype(dtype)[()]


def zeros_like(x: Any) -> Any:
    """Zero of the shape and type of `x`: a number, an array, or a structure of these."""
    if isinstance(x, np.ndarray):
        return np.zeros(x.shape, x.dtype if x.dtype.kind in "fc" else float)
    if isinstance(x, tuple):
        items = [zeros_like(item) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        return [zeros_like(item) for item in x]
    if isinstance(x, np.generic):
        return x.dtype.type(0) if x.dtype.kind in "fc" else 0.0
    return 0j if isinstance(x, complex) else 0.0


def add(a: Any, b: Any) -> Any:
    """The sum of two cotangents of equal structure."""
    if isinstance(a, (tuple, list)):
        items = [add(x, y) for x, y in zip(a, b, strict=True)]
        return type(a)(*items) if hasattr(a, "_fields") else type(a)(items)
    return b if a is None else a if b is None else a + b


def scatter_add(array: Any, index: Any, g: Any) -> Any:
    """A copy of `array` with `g` added at `index`; repeated indices accumulate."""
    return scatter_add_into(copy(array), index, g)


def scatter_add_into(array: Any, index: Any, g: Any) -> Any:
    """`array[index] += g` in place; repeated indices accumulate."""
    if isinstance(array, np.ndarray):
        np.add.at(array, index, g)
    elif isinstance(index, slice):
        array[index] = [add(x, y) for x, y in zip(array[index], g, strict=True)]
    else:
        array[index] = add(array[index], g)
    return array


def copy(x: Any) -> Any:
    """A cotangent that nothing else holds."""
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, (list, tuple)):
        return [copy(item) for item in x]
    return x


def as_tuple(items: Any) -> Any:
    return tuple(items)


# --- operations that move elements -----------------------------------------------------------------


def positions(x: Any) -> Any:
    """The number of each element, in the shape of `x`."""
    return np.arange(np.size(x)).reshape(np.shape(x))


def move_back(g: Any, source: Any, x: Any) -> Any:
    """Each element of `g` added to the element of `x` that it came from; -1 came from none."""
    g, source = np.asarray(g), np.asarray(source)
    found = np.zeros(np.size(x), g.dtype)
    valid = source >= 0
    np.add.at(found, source[valid], np.broadcast_to(g, source.shape)[valid])
    return found.reshape(np.shape(x))[()]


def taken(x: Any, source: Any) -> Any:
    """The elements of `x` with the given numbers; 0 for the number -1."""
    return np.where(source >= 0, np.take(x, source), 0)


def first_places(x: Any) -> Any:
    """Where each of the distinct elements is first found, in ascending order of the elements."""
    return np.unique(x, return_index=True)[1]


def untake(g: Any, indices: Any, x: Any, axis: Any, mode: Any = "raise") -> Any:
    """The cotangent of x in np.take(x, indices, axis)."""
    source = np.take(positions(x), indices, axis, mode=mode)
    return move_back(g, source, x)


def untake_along_axis(g: Any, indices: Any, x: Any, axis: Any) -> Any:
    """The cotangent of x in np.take_along_axis(x, indices, axis)."""
    if axis is None:
        return move_back(g, indices, x)
    return move_back(g, np.take_along_axis(positions(x), indices, axis), x)


# --- sequences ---------------------------------------------------------------------------------------


def unarray(g: Any, x: Any) -> Any:
    """The cotangent of what np.array made an array of: a list for a tuple or list."""
    if isinstance(x, (tuple, list)):
        return [unarray(g[i], item) for i, item in enumerate(x)]
    return g


def unjoin(g: Any, arrays: Any, join: Any, *axis: Any) -> Any:
    """The cotangents of the arrays that `join` put together."""
    sizes = [np.size(x) for x in arrays]
    starts = np.cumsum([0, *sizes])
    numbers = [positions(x) + start for x, start in zip(arrays, starts, strict=False)]
    together = np.empty(starts[-1], np.asarray(g).dtype)
    together[np.ravel(join(numbers, *axis))] = np.ravel(g)
    parts = np.split(together, starts[1:-1])
    return [part.reshape(np.shape(x)) for part, x in zip(parts, arrays, strict=True)]


def unblock(g: Any, arrays: Any) -> Any:
    """The cotangents, in one list, of the arrays that np.block put together."""
    flat: list[Any] = []

    def number(tree: Any) -> Any:
        if isinstance(tree, list):
            return [number(item) for item in tree]
        flat.append(tree)
        return positions(tree) + sum(np.size(x) for x in flat[:-1])

    numbers = number(arrays)
    return unjoin(g, flat, lambda _: np.block(numbers))


# --- products and recurrences along an axis -----------------------------------------------------------


def preceding(x: Any, axis: int, first: float) -> Any:
    """`x` moved by one place along an axis, with `first` at the start."""
    x = np.asarray(x)
    moved = np.roll(x, 1, axis)
    start = [slice(None)] * x.ndim
    start[axis] = slice(0, 1)
    moved[tuple(start)] = first
    return moved


def recurrence(a: Any, b: Any, axis: int) -> Any:
    """y_i = a_i y_(i-1) + b_i along an axis, with y_(-1) = 0."""
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y = np.array(b, dtype=np.result_type(a, b))
    for i in range(1, len(y)):
        y[i] += a[i] * y[i - 1]
    return np.moveaxis(y, 0, axis)


def product_of_others(x: Any, axis: Any) -> Any:
    """For each element the product of all others along the axis: no division, so zeros are fine."""
    x = np.asarray(x)
    if axis is None:
        return product_of_others(x.ravel(), 0).reshape(x.shape)[()]
    if isinstance(axis, tuple):
        if len(axis) == 1:
            return product_of_others(x, axis[0])
        products = np.prod(x, axis=axis[0], keepdims=True)
        return product_of_others(x, axis[0]) * product_of_others(products, axis[1:])
    before = np.cumprod(preceding(x, axis, 1.0), axis)
    after = np.cumprod(preceding(np.flip(x, axis), axis, 1.0), axis)
    return before * np.flip(after, axis)


# --- products of operands whose number of axes is not known -------------------------------------


def matmul_left(g: Any, x: Any, w: Any) -> Any:
    """The cotangent of x in x @ w."""
    if np.ndim(w) == 1:
        product = np.expand_dims(g, -1) * w
    elif np.ndim(x) == 1:
        product = np.matmul(w, np.expand_dims(g, -1))[..., 0]
    else:
        product = np.matmul(g, np.swapaxes(w, -1, -2))
    return unbroadcast(product, x)


def matmul_right(g: Any, x: Any, w: Any) -> Any:
    """The cotangent of w in x @ w."""
    if np.ndim(w) == 1:
        product = np.tensordot(g, x, np.ndim(g))
    elif np.ndim(x) == 1:
        product = np.asarray(x)[:, None] * np.expand_dims(g, -2)
    else:
        product = np.matmul(np.swapaxes(x, -1, -2), g)
    return unbroadcast(product, w)


def dot_left(g: Any, x: Any, w: Any) -> Any:
    """The cotangent of x in np.dot(x, w)."""
    n, m = np.ndim(x), np.ndim(w)
    if n == 0 or m == 0:
        product = g * np.asarray(w)
    elif m == 1:
        product = np.expand_dims(g, -1) * w
    else:
        last = tuple(range(n - 1, n + m - 2))
        product = np.tensordot(g, w, (last, (*range(m - 2), m - 1)))
    return unbroadcast(product, x)


def dot_right(g: Any, x: Any, w: Any) -> Any:
    """The cotangent of w in np.dot(x, w)."""
    n, m = np.ndim(x), np.ndim(w)
    if n == 0 or m == 0:
        product = g * np.asarray(x)
    elif m == 1:
        product = np.tensordot(g, x, n - 1)
    else:
        first = tuple(range(n - 1))
        product = np.moveaxis(np.tensordot(x, g, (first, first)), 0, -2)
    return unbroadcast(product, w)


# --- special functions that NumPy lacks ------------------------------------------------------


def sinc_derivative(x: Any, n: int) -> Any:
    """The n-th derivative of np.sinc, exact at 0 too.

    With t = pi x and s(t) = sin(t) / t: near 0 the Taylor series, else the recurrence
    t s^(n) + n s^(n-1) = sin(t + n pi / 2), which follows from t s = sin t.
    """
    t = np.pi * np.asarray(x)
    near = np.abs(t) < n + 2
    small, large = np.where(near, t, 0), np.where(near, n + 2, t)
    series, term = np.zeros_like(small), np.ones_like(small)
    for m in range(30 + 6 * n):
        series = series + (0, 1, 0, -1)[(m + n + 1) % 4] * term / (m + n + 1)
        term = term * small / (m + 1)
    far = np.sin(large) / large
    for k in range(1, n + 1):
        far = (np.sin(large + k * np.pi / 2) - k * far) / large
    return (np.pi**n * np.where(near, series, far))[()]


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of the digamma function, for real x.

    Recurrence up to x >= 15, then the asymptotic series (Abramowitz and Stegun 6.4.11).
    """
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
    z = np.array(x, dtype=getattr(x, "dtype", float))
    total = np.zeros_like(z)
    while np.any(z < 15 + n):
        low = z < 15 + n
        total = total + np.where(low, _factorial(n) / np.where(low, z, 1) ** (n + 1), 0)
        z = np.where(low, z + 1, z)
    if n == 0:
        tail = np.log(z) - 0.5 / z - sum(b / (2 * k * z ** (2 * k)) for k, b in _numbered(bernoulli))
        return (tail - total)[()]
    tail = _factorial(n - 1) / z**n + _factorial(n) / (2 * z ** (n + 1))
    for k, b in _numbered(bernoulli):
        tail = tail + b * _factorial(2 * k + n - 1) / (_factorial(2 * k) * z ** (2 * k + n))
    return ((-1) ** (n + 1) * (tail + total))[()]


def _numbered(items: tuple[float, ...]) -> Any:
    return enumerate(items, start=1)


def _factorial(n: int) -> float:
    return float(np.prod(np.arange(1.0, n + 1)))


def bessel_i(n: int, x: Any) -> Any:
    """The modified Bessel function I_n of integer order: the mean of exp(x cos t) cos(n t).

    The trapezoidal rule converges exponentially here, since the integrand is periodic.
    """
    x = np.asarray(x)
    largest = float(np.max(np.abs(x), initial=0.0))
    points = 64 + 2 * abs(n) + int(16 * largest**0.5)
    angles = 2 * np.pi * np.arange(points) / points
    weights = (np.cos(n * angles) / points).astype(x.dtype if x.dtype.kind == "f" else float)
    return (np.exp(x[..., None] * np.cos(angles).astype(weights.dtype)) @ weights)[()]


def zero_list(items: Any) -> Any:
    """A list of zeros like the items of a sequence."""
    return [zeros_like(item) for item in items]


def add_into(array: Any, g: Any) -> Any:
    """`array += g` in place."""
    array += g
    return array
