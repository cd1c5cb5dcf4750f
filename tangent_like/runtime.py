"""The few helpers that generated code may call; it imports NumPy only.

Each has a derivative rule of its own in `rules/helpers.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like.errors import ArgumentError, NotYetSupported, Place


def handler_refused(file: str, line: int, function: str) -> NotYetSupported:
    """The error for an exception that the user's `try` would have handled."""
    return NotYetSupported(
        "the derivative where an exception is handled by `except`",
        Place(file, line, function=function),
        "test for the exceptional case with `if`",
    )


def ordering(keys: Any, reverse: bool = False) -> list[int]:
    """The positions of the items that `sorted` puts first, second and so on."""
    return sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)


def drain(tape: list[Any]) -> list[Any]:
    """The items of a tape as a list; the tape is empty then."""
    items = tape.copy()
    tape.clear()
    return items


def unbroadcast(g: Any, like: Any) -> Any:
    """The cotangent `g` of a broadcast result, summed to the shape and type of the operand."""
    if type(g) is type(like) is np.ndarray and g.shape == like.shape and g.dtype is like.dtype:
        return g[()]  # which is the most frequent case
    if isinstance(like, (int, float)):
        return float(np.real(np.sum(g)))
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
    """`g` with the shape of `like`, and its type where that is a shorter one: the transpose of
    `unbroadcast`."""
    if isinstance(like, (tuple, list)):
        return None if g is None else [broadcast_like(a, b) for a, b in zip(g, like, strict=True)]
    shape = np.shape(like)
    if isinstance(g, list):
        g = np.asarray(g)
    g = g if np.shape(g) == shape else np.broadcast_to(g, shape)
    kind = getattr(getattr(like, "dtype", None), "char", "")
    return as_type(g, like) if kind in SHORT_TYPES else g


SHORT_TYPES = ("e", "f", "F")
"""Types that a tangent computed from Python's numbers alone does not have by itself."""


def as_type(g: Any, like: Any) -> Any:
    """`g` in the element type of `like`; the real part where that is real."""
    if isinstance(like, (tuple, list)):
        return None if g is None else [as_type(a, b) for a, b in zip(g, like, strict=True)]
    dtype = getattr(like, "dtype", None)
    if dtype is None or dtype.kind not in "fc" or getattr(g, "dtype", None) == dtype:
        return g.real if np.iscomplexobj(g) and not np.iscomplexobj(like) else g
    if np.iscomplexobj(g) and dtype.kind == "f":
        g = np.real(g)
    return np.asarray(g).astype(dtype)[()]


def direction(x: Any) -> Any:
    """x / |x|, and 0 at 0; NumPy's own sign of complex numbers has not always been this."""
    return x / np.where(x == 0, 1, np.abs(x)) if np.iscomplexobj(x) else np.sign(x)


def make_object(kind: Any, **attributes: Any) -> Any:
    """An object of a class with these attributes; its `__init__` is not run."""
    if issubclass(kind, tuple):
        return kind(*attributes.values())
    made = object.__new__(kind)
    for name, value in attributes.items():
        object.__setattr__(made, name, value)
    return made


def appended(items: Any, item: Any) -> Any:
    """The list with one item more."""
    return [*items, item]


def append_into(items: Any, item: Any) -> Any:
    """`items.append(item)`."""
    items.append(item)
    return items


def without_last(items: Any) -> Any:
    """The list without its last item."""
    return items[:-1]


def remove_last(items: Any) -> Any:
    """The list, its last item taken off."""
    items.pop()
    return items


def without_first(items: Any) -> Any:
    """The list without its first item."""
    return items[1:]


def before(item: Any, items: Any) -> Any:
    """The list with one item more, at its start: the transpose of `without_first`."""
    return [item, *items]


def without_key(table: Any, key: Any) -> Any:
    """The dict without one of its keys."""
    if key not in table:
        raise KeyError(key)
    return {k: item for k, item in table.items() if k != key}


def keys_of(table: Any) -> list[Any]:
    """The keys of a dict, in order."""
    return list(table)


def values_of(table: Any, like: Any) -> list[Any]:
    """The items of a dict, in the order of the keys of `like`."""
    return [table[key] for key in like]


def dict_of(like: Any, items: Any) -> dict[Any, Any]:
    """A dict with the keys of `like` and these items."""
    return dict(zip(like, items, strict=True))


def zero_at(table: Any, key: Any) -> Any:
    """The zero of an item of a list or dict; None where a dict has no such item."""
    return None if isinstance(table, dict) and key not in table else zeros_like(table[key])


def repeated(items: Any, count: Any) -> Any:
    """`items * count` of a list whose length is known at run time only."""
    return items * count


def fold_repeats(g: Any, items: Any) -> Any:
    """The transpose of `repeated`: what belongs to one item of the list is summed."""
    return [sum(g[k :: len(items)]) for k in range(len(items))]


def repeat_to(items: Any, longer: Any) -> Any:
    """`items` repeated to the length of `longer`."""
    return items * (len(longer) // len(items)) if items else []


def raised_by(body: Any, operands: Any, *kinds: Any) -> Any:
    """The exception of one of these kinds that a body raises; None where it raises none."""
    try:
        body(*operands)
    except kinds as error:
        return error
    return None


def zeros_like(x: Any) -> Any:
    """Zero of the shape and type of `x`: a number, an array, or a structure of these."""
    if isinstance(x, np.ndarray):
        return np.zeros(x.shape, x.dtype if x.dtype.kind in "fc" else float)
    if isinstance(x, tuple):
        items = [zeros_like(item) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        if set(map(type, x)) == {float}:
            return [0.0] * len(x)
        return [zeros_like(item) for item in x]
    if isinstance(x, dict):
        return {key: zeros_like(item) for key, item in x.items()}
    if x is None:
        return None
    if _is_object(x):
        return make_object(type(x), **{k: zeros_like(v) for k, v in vars(x).items()})
    if isinstance(x, np.generic):
        return x.dtype.type(0) if x.dtype.kind in "fc" else 0.0
    return 0j if isinstance(x, complex) else 0.0


def add(a: Any, b: Any) -> Any:
    """The sum of two cotangents of equal structure."""
    if isinstance(a, list) and isinstance(b, list) and not (a and b):
        return copy(a or b)  # the zero of a tape that was emptied is empty
    if isinstance(a, (tuple, list)):
        items = [add(x, y) for x, y in zip(a, b, strict=True)]
        return type(a)(*items) if hasattr(a, "_fields") else type(a)(items)
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, dict):
        return {key: add(a.get(key), b.get(key)) for key in {**a, **b}}
    if _is_object(a):
        return make_object(type(a), **{k: add(v, getattr(b, k)) for k, v in vars(a).items()})
    if isinstance(a, str):
        return a
    return a + b


def _is_object(x: Any) -> bool:
    """Whether a value is an object of the user's, whose attributes are its items; functions and
    classes, which have names, are not."""
    named = hasattr(x, "__qualname__") or type(x).__module__ in ("numpy", "functools")
    return hasattr(x, "__dict__") and not named


def scatter_add(array: Any, index: Any, g: Any) -> Any:
    """A copy of `array` with `g` added at `index`; repeated indices accumulate."""
    return scatter_add_into(copy(array), index, g)


def scatter_add_into(array: Any, index: Any, g: Any) -> Any:
    """`array[index] += g` in place; repeated indices accumulate.  A tuple becomes a list."""
    if isinstance(index, str) and not isinstance(array, dict):
        return _with_attribute(array, index, add(getattr(array, index), g))
    if isinstance(array, tuple):
        array = list(array)
    if isinstance(array, np.ndarray):
        np.add.at(array, index, g)
    elif isinstance(index, slice):
        array[index] = [add(x, y) for x, y in zip(array[index], g, strict=True)]
    else:
        array[index] = add(array[index], g)
    return array


def _with_attribute(owner: Any, name: str, value: Any) -> Any:
    """An object, or a named tuple, with another value of one attribute."""
    if isinstance(owner, tuple):
        return owner._replace(**{name: value})  # type: ignore[attr-defined]
    object.__setattr__(owner, name, value)  # it may be frozen
    return owner


def of_last_written(g: Any, array: Any, index: Any) -> Any:
    """`g` where `array[index] = ...` left its value: of a place named twice the last one stays.

    Lists and dicts, which a value of unknown type may be as well, name no place twice.
    """
    if not isinstance(array, np.ndarray):
        return g
    numbers = np.arange(np.size(g)).reshape(np.shape(g))
    last = np.zeros(np.shape(array), int)
    last[index] = numbers
    return np.where(last[index] == numbers, g, 0.0)


def check_separate(*arrays: Any) -> None:
    """Raise if two of these arguments share memory, of which one is written into."""
    for k, a in enumerate(arrays):
        for b in arrays[:k]:
            if any(np.shares_memory(x, y) for x in _arrays_in(a) for y in _arrays_in(b)):
                raise ArgumentError(
                    "two arguments share memory that the function writes into",
                    hint="pass a copy of one of them",
                )


def check_in_order(*arrays: Any) -> None:
    """Raise if the elements of an argument do not lie in order: then `reshape` and `ravel` may
    make copies of what was written into, and the derivative is made for views."""
    if not all(a.flags.c_contiguous for a in arrays):
        raise ArgumentError(
            "the elements of an argument do not lie in order in memory, and the function writes "
            "into an array that it has brought into another shape",
            hint="pass `np.ascontiguousarray(x)`",
        )


def check_apart(count: int, *arguments: Any) -> None:
    """Raise if something in the first `count` arguments, which are written into, is also found
    elsewhere: an array that shares memory, or the same list, dict or object."""
    everything = [part for argument in arguments for part in _parts_in(argument)]
    for part in (p for argument in arguments[:count] for p in _parts_in(argument)):
        if sum(_is_shared(part, other) for other in everything) > 1:
            raise ArgumentError(
                "arguments share memory that the function writes into",
                hint="pass a copy of one of them",
            )


def _is_shared(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return bool(np.shares_memory(a, b))
    return a is b


def _parts_in(x: Any) -> list[Any]:
    """The arrays, and the lists, dicts and objects, that an argument is made of."""
    if isinstance(x, tuple):
        return [found for item in x for found in _parts_in(item)]
    inner = x if isinstance(x, list) else list(x.values()) if isinstance(x, dict) else None
    if inner is None and not isinstance(x, (np.ndarray, np.generic)):
        inner = list(vars(x).values()) if hasattr(x, "__dict__") else None
    if inner is None:
        return [x] if isinstance(x, np.ndarray) else []
    return [x, *(found for item in inner for found in _parts_in(item))]


def _arrays_in(x: Any) -> list[Any]:
    if isinstance(x, (list, tuple)):
        return [found for item in x for found in _arrays_in(item)]
    return [x] if isinstance(x, np.ndarray) else []


def copy(x: Any) -> Any:
    """A cotangent that nothing else holds."""
    if isinstance(x, np.ndarray):
        return x.copy("K")  # sums add elements up in the order of memory
    if isinstance(x, (list, tuple)):
        items = [copy(item) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, dict):
        return {key: copy(item) for key, item in x.items()}
    if _is_object(x):
        return make_object(type(x), **{k: copy(v) for k, v in vars(x).items()})
    return x


def as_tuple(items: Any) -> Any:
    return tuple(items)


# --- operations that move elements ------------------------------------------------------------


def positions(x: Any) -> Any:
    """The number of each element, in the shape of `x`."""
    return np.arange(np.size(x)).reshape(np.shape(x))


def move_back(g: Any, source: Any, x: Any) -> Any:
    """Each element of `g` added to the element of `x` that it came from; -1 came from none."""
    g, source = np.asarray(g), np.asarray(source)
    found = np.zeros(np.size(x), g.dtype)
    valid = (source >= 0) & (found.size > 0)
    np.add.at(found, source[valid], np.broadcast_to(g, source.shape)[valid])
    return found.reshape(np.shape(x))[()]


def taken(x: Any, source: Any) -> Any:
    """The elements of `x` with the given numbers; 0 for the number -1."""
    if not np.size(x):
        return np.zeros(np.shape(source), np.asarray(x).dtype)
    return np.where(source >= 0, np.take(x, source), 0)


def placed(array: Any, mask: Any, values: Any) -> Any:
    """A copy of `array` with `values` where the mask holds."""
    found = np.array(array)
    found[mask] = values
    return found


def first_places(x: Any, equal_nan: bool = True) -> Any:
    """Where each of the distinct elements is first found, in ascending order of the elements."""
    return np.unique(x, return_index=True, equal_nan=equal_nan)[1]


def untake(g: Any, indices: Any, x: Any, axis: Any, mode: Any = "raise") -> Any:
    """The cotangent of x in np.take(x, indices, axis)."""
    source = np.take(positions(x), indices, axis, mode=mode)
    return move_back(g, source, x)


def untake_along_axis(g: Any, indices: Any, x: Any, axis: Any) -> Any:
    """The cotangent of x in np.take_along_axis(x, indices, axis)."""
    if axis is None:
        return move_back(g, indices, x)
    return move_back(g, np.take_along_axis(positions(x), indices, axis), x)


def before_axes(x: Any, w: Any) -> Any:
    """`x` with an axis of length 1 behind its own for each axis of `w`."""
    return np.reshape(x, np.shape(x) + (1,) * np.ndim(w))


def running_places(x: Any, y: Any, axis: int) -> Any:
    """Where along an axis the running extreme `y` of `x` was last attained."""
    shape = [1] * np.ndim(x)
    shape[axis] = -1
    numbers = np.arange(np.shape(x)[axis]).reshape(shape)
    return np.maximum.accumulate(np.where(x == y, numbers, 0), axis)


def finite_max(x: Any, axis: Any) -> Any:
    """The largest elements, with the reduced axes kept; 0 for those that are not finite."""
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(largest), largest, 0)


# --- sequences --------------------------------------------------------------------------------


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
    shaped = [part.reshape(np.shape(x)) for part, x in zip(parts, arrays, strict=True)]
    return [p if isinstance(x, np.ndarray) else p[()] for p, x in zip(shaped, arrays, strict=True)]


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


def spread_over(g: Any, items: Any) -> Any:
    """The cotangents of the items of a sum."""
    if isinstance(items, np.ndarray):
        return np.broadcast_to(g, items.shape)
    if np.ndim(g) == 0:
        return [g for _ in items]
    return [unbroadcast(g, item) for item in items]


def nonempty(x: Any) -> Any:
    """`x`, if it holds numbers."""
    if not np.size(x):
        raise NotYetSupported(
            "the derivative of a function of no numbers",
            hint="compute it only where there are some",
        )
    return x


def beside_numbers(x: Any, w: Any) -> Any:
    """`x`, if it and `w` hold numbers."""
    nonempty(w)
    return nonempty(x)


def with_axes(x: Any, fewest: int, most: int = 64) -> Any:
    """`x`, if it has so many axes."""
    if np.ndim(x) > most:
        what = "an array of so many axes"
        raise NotYetSupported(
            f"the derivative of a function of {what}", hint="loop over the first"
        )
    if np.ndim(x) < fewest:
        what = "a number" if np.ndim(x) == 0 else "a vector"
        hint = "write np.array([number])" if fewest == 1 else "give it a matrix"
        raise NotYetSupported(f"the derivative of a function of {what}", hint=hint)
    return x


def number(x: Any) -> Any:
    """`x`, if it has no axes: the largest of arrays of one element has no derivative here."""
    if np.ndim(x):
        raise NotYetSupported(
            "comparing arrays of one element", hint="compare numbers: x[0]"
        )
    return x


def equal_shares(items: Any, y: Any) -> Any:
    """The derivative of the extreme `y` of the items with respect to each; equal ones share."""
    items = np.asarray(items)
    chosen = items == y
    return as_type(chosen / np.sum(chosen), items)


# --- grids, differences and orders ------------------------------------------------------------


def numbers_of_range(*bounds: Any) -> Any:
    """0, 1, 2, ... as many as np.arange(*bounds) has elements."""
    return np.arange(float(np.arange(*bounds).size))


def as_column(grid: Any, start: Any, stop: Any) -> Any:
    """A grid that varies along a new first axis of what broadcasts with `start` and `stop`."""
    return np.reshape(grid, (-1, *[1] * max(np.ndim(start), np.ndim(stop))))


def along_axis(w: Any, x: Any, axis: Any) -> Any:
    """Weights for an axis of `x`, or for several, so that they broadcast with it."""
    if np.shape(w) == np.shape(x):
        return w
    axes = [a % np.ndim(x) for a in np.atleast_1d(axis)]
    if np.ndim(w) != len(axes):
        return w
    kept = [n if i in axes else 1 for i, n in enumerate(np.shape(x))]
    return np.reshape(np.transpose(w, np.argsort(axes)), kept)


def columns_as_rows(x: Any) -> Any:
    """The transpose of a matrix; a single row is left as it is, as np.cov leaves it."""
    return x if len(x) == 1 else x.T


def merge_axes(x: Any, axis: Any) -> Any:
    """The given axes as one, the last."""
    last = np.moveaxis(x, axis, range(-len(axis), 0))
    return last.reshape((*last.shape[: last.ndim - len(axis)], -1))


def floor_index(place: Any) -> Any:
    """The place of a quantile among sorted numbers, rounded down; -0.5 stands for no numbers."""
    if np.any(place < 0):
        raise NotYetSupported(
            "the derivative of a quantile of no numbers",
            hint="compute it only where there are some",
        )
    return np.floor(place).astype(int)


def ceil_index(place: Any) -> Any:
    return np.ceil(place).astype(int)


def undiff(g: Any, axis: int, like: Any = None) -> Any:
    """The cotangent of x in np.diff(x, axis=axis), of the shape of `like`: of no elements there
    are as few differences as of one, and no less where differences are taken again."""
    g = np.moveaxis(np.asarray(g), axis, 0)
    length = len(g) + 1 if like is None else like.shape[axis]
    g = g[: max(length - 1, 0)]
    x = np.zeros((length, *g.shape[1:]), g.dtype)
    x[1:] = g
    x[:-1] -= g
    return np.moveaxis(x, 0, axis)


def gradient_matrix(unit: Any, edge_order: int, *spacing: Any) -> Any:
    """np.gradient along an axis, as a matrix."""
    gradient: Any = np.gradient  # its types list every way to call it but this one
    return gradient(unit, *spacing, axis=0, edge_order=edge_order)


# --- products and recurrences along an axis ---------------------------------------------------


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
        if not axis:
            return np.ones_like(x)
        if len(axis) == 1:
            return product_of_others(x, axis[0])
        products = np.prod(x, axis=axis[0], keepdims=True)
        return product_of_others(x, axis[0]) * product_of_others(products, axis[1:])
    before = np.cumprod(preceding(x, axis, 1.0), axis)
    after = np.cumprod(preceding(np.flip(x, axis), axis, 1.0), axis)
    return before * np.flip(after, axis)


# --- products of operands whose number of axes is not known -----------------------------------


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


def last_two_swapped(x: Any) -> Any:
    """The transpose of each matrix; a vector as it is."""
    return x if np.ndim(x) < 2 else np.swapaxes(x, -1, -2)


def tensordot_left(g: Any, x: Any, w: Any, axes: Any) -> Any:
    """The cotangent of x in np.tensordot(x, w, axes)."""
    over_x, over_w = contracted(x, w, axes)
    free_w = [i for i in range(np.ndim(w)) if i not in over_w]
    free_x = [i for i in range(np.ndim(x)) if i not in over_x]
    product = np.tensordot(g, w, (list(range(len(free_x), np.ndim(g))), free_w))
    order = free_x + [over_x[i] for i in np.argsort(over_w)]
    return unbroadcast(np.transpose(product, np.argsort(order)), x)


def tensordot_right(g: Any, x: Any, w: Any, axes: Any) -> Any:
    """The cotangent of w in np.tensordot(x, w, axes)."""
    over_x, over_w = contracted(x, w, axes)
    free_w = [i for i in range(np.ndim(w)) if i not in over_w]
    free_x = [i for i in range(np.ndim(x)) if i not in over_x]
    product = np.tensordot(x, g, (free_x, list(range(len(free_x)))))
    order = [over_w[i] for i in np.argsort(over_x)] + free_w
    return unbroadcast(np.transpose(product, np.argsort(order)), w)


def contracted(x: Any, w: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of x and of w that np.tensordot sums over, counted from the start."""
    if np.ndim(axes) == 0:
        return list(range(np.ndim(x) - axes, np.ndim(x))), list(range(axes))
    over_x, over_w = (np.atleast_1d(a) for a in axes)
    return [int(a) % np.ndim(x) for a in over_x], [int(a) % np.ndim(w) for a in over_w]


def cross(
    x: Any, w: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """np.cross of vectors of three numbers: a product of two numbers has other axes.

    ValueError for vectors of two numbers.
    """
    places = (axisa, axisb) if axis is None else (axis, axis)
    if 2 in [np.shape(a)[place] for a, place in zip((x, w), places, strict=True) if np.ndim(a)]:
        raise ValueError(
            "np.cross of vectors of two numbers has no derivative here: write "
            "x[..., 0] * w[..., 1] - x[..., 1] * w[..., 0]"
        )
    return np.cross(x, w, axisa, axisb, axisc, axis)


def kron_left(g: Any, x: Any, w: Any) -> Any:
    """The cotangent of x in np.kron(x, w)."""
    blocks, _, small = _kron_blocks(g, x, w)
    return np.sum(blocks * small, axis=tuple(range(1, blocks.ndim, 2))).reshape(np.shape(x))


def kron_right(g: Any, x: Any, w: Any) -> Any:
    """The cotangent of w in np.kron(x, w)."""
    blocks, large, _ = _kron_blocks(g, x, w)
    return np.sum(blocks * large, axis=tuple(range(0, blocks.ndim, 2))).reshape(np.shape(w))


def _kron_blocks(g: Any, x: Any, w: Any) -> tuple[Any, Any, Any]:
    """g with an axis of x and one of w in turns, and x and w so that they broadcast to it."""
    count = max(np.ndim(x), np.ndim(w))
    m, n = (np.array((1,) * (count - np.ndim(a)) + np.shape(a), int) for a in (x, w))
    ones = np.ones(count, int)
    turns = (
        np.stack([m, n], 1).ravel(),
        np.stack([m, ones], 1).ravel(),
        np.stack([ones, n], 1).ravel(),
    )
    return np.reshape(g, turns[0]), np.reshape(x, turns[1]), np.reshape(w, turns[2])


def convolve_full(a: Any, v: Any) -> Any:
    return np.convolve(a, v)


# --- linear algebra ---------------------------------------------------------------------------


def as_columns(x: Any, b: Any) -> Any:
    """Vectors as matrices of one column, where `b` is a vector."""
    return np.asarray(x)[..., None] if np.ndim(b) == 1 else x


def from_columns(x: Any, b: Any) -> Any:
    return np.asarray(x)[..., 0] if np.ndim(b) == 1 else x


def per_matrix(g: Any) -> Any:
    """A number for each matrix, so that it multiplies the matrices."""
    return np.asarray(g)[..., None, None]


def half_unit(x: Any) -> Any:
    """Half the unit matrix, for each matrix in `x`."""
    dtype = x.dtype.type(0).real.dtype
    return np.broadcast_to(np.eye(x.shape[-2], x.shape[-1], dtype=dtype) / 2, x.shape)


def cofactors(x: Any) -> Any:
    """The derivative of the determinant, also of singular matrices: det(x) inv(x)^T elsewhere.

    From x = U S V^H it is det(U V^H) conj(U) S' conj(V^H), with S' the products of the other
    singular values.
    """
    u, s, vh = np.linalg.svd(x)
    sign = np.linalg.det(np.matmul(u, vh))[..., None, None]
    others = product_of_others(s, -1)[..., None, :]
    return sign * np.matmul(np.conj(u) * others, np.conj(vh))


def singular_values(x: Any) -> Any:
    return np.linalg.svd(x, compute_uv=False)


def qr_of_tall(x: Any) -> Any:
    q, r = np.linalg.qr(x)
    return q, r


def residual_count(a: Any, b: Any) -> int:
    """How many sums of squares np.linalg.lstsq returns."""
    return int(np.linalg.lstsq(a, b, rcond=None)[1].size)


def leading_size(x: Any, count: int) -> int:
    """The number of elements of the first axes together."""
    return int(np.prod(np.shape(x)[:count]))


# --- Fourier transforms and polynomials -------------------------------------------------------


def fit_length(g: Any, x: Any) -> Any:
    """`g` in the shape of `x`: cut, or extended with zeros, at the end of each axis."""
    found = np.zeros(np.shape(x), g.dtype)
    common = tuple(slice(0, min(n, m)) for n, m in zip(found.shape, g.shape, strict=True))
    found[common] = g[common]
    return found


def frequency_weights(spectrum: Any, length: int, axis: int) -> Any:
    """How many frequencies of a full transform each one of a real transform stands for."""
    count = spectrum.shape[axis]
    weights = np.full(count, 2, spectrum.real.dtype)
    weights[0] = 1
    if length % 2 == 0:
        weights[-1] = 1
    return along_axis(weights, spectrum, axis)


def derivative_matrix(derivative: Any, degree: int) -> Any:
    """The derivatives of basis polynomials as combinations of basis polynomials, as columns."""
    found = np.zeros((degree + 1, degree + 1))
    if degree:
        found[:degree] = derivative(np.eye(degree + 1))
    return found


def product_table(multiply: Any, n: int, m: int) -> Any:
    """table[k, i, j]: how much of the k-th basis polynomial is in the product of two."""
    found = np.zeros((n + m - 1, n, m))
    for i, j in np.ndindex(n, m):
        product = multiply(np.eye(n)[i], np.eye(m)[j])
        found[: len(product), i, j] = product
    return found


def matrix_of(function: Any, count: int, options: Any, named: Any) -> Any:
    """The matrix of a function that is linear in its `count` coefficients."""
    columns = [function(unit, *options, **named) for unit in np.eye(count)]
    found = np.zeros((max(map(len, columns), default=0), count))
    for i, column in enumerate(columns):
        found[: len(column), i] = column
    return found


def fit_first(g: Any, count: int) -> Any:
    """`g` with `count` rows: cut, or extended with zeros."""
    found = np.zeros((count, *np.shape(g)[1:]), g.dtype)
    found[: len(g)] = g[:count]
    return found


# --- special functions that NumPy lacks -------------------------------------------------------


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
        tail = (
            np.log(z) - 0.5 / z - sum(b / (2 * k * z ** (2 * k)) for k, b in _numbered(bernoulli))
        )
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


def subtract_into(array: Any, g: Any) -> Any:
    """`array -= g` in place."""
    array -= g
    return array


def bound(value: Any, name: str) -> Any:
    """The value of a variable that is None where it is not bound."""
    if value is None:
        raise UnboundLocalError(f"cannot access local variable {name!r}")
    return value
