"""Rules of what joins arrays into one, and of what splits one into several."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.registry import linear, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.shapes import one_axis
from tangent_like.rules.symbolic import Symbolic, apply, rank, shaped_as


def along(axis: Any, index: Any) -> Any:
    """The index that picks `index` on one axis: `[i]`, `[:, i]`, `[..., i]`."""
    if axis == 0:
        return index
    if axis > 0:
        return (*[slice(None)] * axis, index)
    return (..., index, *[slice(None)] * (-axis - 1))


# --- arrays from sequences --------------------------------------------------------------------


def _array_cotangent(g: Any, x: Any, dtype: Any = None, **options: Any) -> Any:
    if isinstance(x, (tuple, list)):
        if options.get("ndmin", 0) != 0:
            raise NotYetSupported("`ndmin` beside a list", hint="add axes afterwards: `y[None]`")
        return tuple(_array_cotangent(g[i], item) for i, item in enumerate(x))
    if isinstance(x, Symbolic) and not x.is_array:
        return apply(runtime.unarray, g, x)
    return g


def _sequences() -> Any:
    return [
        (reals(2, 3),), ([0.3, 0.7],), ([[0.3, 0.7], [1.1, -0.4]],), ((reals(2), reals(2)),),
        (0.7,),
    ]  # fmt: skip


linear(
    (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray,
     np.asarray_chkfinite),
    _array_cotangent,
    sequences=True,
    samples=_sequences,
)
linear(
    np.copy,
    lambda g, x, order="K", subok=False: _array_cotangent(g, x),
    sequences=True,
    samples=_sequences,
)
linear(
    np.require,
    lambda g, x, dtype=None, requirements=None: _array_cotangent(g, x),
    sequences=True,
    samples=_sequences,
)
linear(
    named(np, "float64", "float32", "float16", "longdouble", "complex128", "complex64",
          "clongdouble"),
    lambda g, x: g,
    samples=lambda: [(0.7,), (reals(3),)],
    note="rounds the value, not the derivative",
)  # fmt: skip
linear(
    named(np, "astype"),
    lambda g, x, dtype, copy=True, device=None: g,
    samples=lambda: [(reals(3), float)],
)
linear(
    runtime.unarray,
    lambda h, g, x: apply(np.array, h),
    sequences=True,
    samples=lambda: [(reals(3), [1.0, 2.0, 3.0])],
)
linear(
    runtime.unjoin,
    lambda h, g, arrays, join, *axis: apply(join, h, *axis),
    sequences=True,
    samples=lambda: [(reals(5), (np.zeros(2), np.zeros(3)), np.concatenate)],
)

# --- joining ----------------------------------------------------------------------------------


def _concatenate_cotangent(
    g: Any, arrays: Any, axis: Any = 0, out: Any = None, dtype: Any = None, casting: Any = None
) -> Any:
    if isinstance(arrays, Symbolic):
        return apply(runtime.unjoin, g, arrays, np.concatenate, axis)
    if axis is None:
        pieces = _pieces(g, 0, [np.size(x) for x in arrays])
        return tuple(np.reshape(p, np.shape(x)) for p, x in zip(pieces, arrays, strict=False))
    pieces = _pieces(g, axis, [np.shape(x)[axis] for x in arrays])
    return tuple(shaped_as(p, x) for p, x in zip(pieces, arrays, strict=False))


def _pieces(g: Any, axis: int, lengths: list[Any]) -> Any:
    """`g` cut into pieces of the given lengths."""
    start: Any = None
    for i, length in enumerate(lengths):
        last = i == len(lengths) - 1
        stop = None if last else length if start is None else start + length
        yield g[along(axis, slice(start, stop))]
        start = stop


def _join_samples() -> Any:
    return [
        ((reals(2, 3), reals(2, 3, seed=1)),),
        ((reals(2, 3), reals(1, 3, seed=1), reals(3, 3, seed=2)),),
    ]


linear(
    (np.concatenate, *named(np, "concat")),
    _concatenate_cotangent,
    sequences=True,
    samples=lambda: [
        *_join_samples(),
        ((reals(2, 3), reals(2, 1)), 1),
        ((reals(2, 3), reals(2, 1)), -1),
        ((reals(2, 3, 2), reals(2, 1, 2)), -2),
        ((reals(2, 3), reals(2)), None),
        ([reals(2), reals(3)],),
        (reals(2, 3, 2),),
    ],
)


def _stack_cotangent(
    g: Any, arrays: Any, axis: Any = 0, out: Any = None, dtype: Any = None, casting: Any = None
) -> Any:
    if isinstance(arrays, Symbolic):
        return apply(runtime.unjoin, g, arrays, np.stack, axis)
    return tuple(g[along(axis, i)] for i in range(len(arrays)))


linear(
    np.stack,
    _stack_cotangent,
    sequences=True,
    samples=lambda: [
        ((reals(2, 3), reals(2, 3, seed=1)),),
        ((reals(2, 3), reals(2, 3, seed=1)), 1),
        ((reals(2, 3), reals(2, 3, seed=1)), -1),
        ((reals(2, 3), reals(2, 3, seed=1)), -2),
        ([0.7, 0.4],),
        (reals(2, 3),),
    ],
)


def _stacking(join: Any, axis: Any, of_vectors: Any = None) -> Any:
    """dstack and its like: pieces along an axis, in the operands' own shapes.

    `of_vectors(i)` is where the i-th operand is found if all are vectors.
    """

    def cotangent(g: Any, arrays: Any) -> Any:
        ranks = None if isinstance(arrays, Symbolic) else [rank(x) for x in arrays]
        if ranks is None or None in ranks:
            found = apply(runtime.unjoin, g, arrays, join)
            return found if ranks is None else tuple(found[i] for i in range(len(ranks)))
        if of_vectors is not None and set(ranks) == {1}:
            return tuple(g[of_vectors(i)] for i in range(len(ranks)))
        pieces = _pieces(g, *axis(arrays, ranks))
        return tuple(np.reshape(p, np.shape(x)) for p, x in zip(pieces, arrays, strict=False))

    return cotangent


def _typed(stacking: Any) -> Any:
    """The same with the options of vstack and hstack."""
    return lambda g, arrays, dtype=None, casting=None: stacking(g, arrays)


def _rows(arrays: Any, ranks: list[int]) -> Any:
    return 0, [np.shape(x)[0] if n >= 2 else 1 for x, n in zip(arrays, ranks, strict=False)]


def _columns(arrays: Any, ranks: list[int]) -> Any:
    if ranks[0] <= 1:
        return 0, [np.shape(x)[0] if n else 1 for x, n in zip(arrays, ranks, strict=False)]
    return 1, [np.shape(x)[1] for x in arrays]


def _as_columns(arrays: Any, ranks: list[int]) -> Any:
    return 1, [np.shape(x)[1] if n >= 2 else 1 for x, n in zip(arrays, ranks, strict=False)]


def _depths(arrays: Any, ranks: list[int]) -> Any:
    return 2, [np.shape(x)[2] if n >= 3 else 1 for x, n in zip(arrays, ranks, strict=False)]


linear(
    (np.vstack, *named(np, "row_stack")),
    _typed(_stacking(np.vstack, _rows, lambda i: i)),
    sequences=True,
    samples=lambda: [*_join_samples(), ((reals(3), reals(2, 3)),), ((0.7, 0.3),)],
)
linear(
    np.hstack,
    _typed(_stacking(np.hstack, _columns)),
    sequences=True,
    samples=lambda: [((reals(2, 3), reals(2, 1)),), ((reals(3), reals(2)),), ((0.7, 0.3),)],
)
linear(
    np.dstack,
    _stacking(np.dstack, _depths),
    sequences=True,
    samples=lambda: [((reals(2, 3), reals(2, 3)),), ((reals(2, 3, 2), reals(2, 3, 1)),)],
)
linear(
    np.column_stack,
    _stacking(np.column_stack, _as_columns, lambda i: (slice(None), i)),
    sequences=True,
    samples=lambda: [((reals(3), reals(3, seed=1)),), ((reals(3), reals(3, 2, seed=1)),)],
)


def _block_cotangent(g: Any, arrays: Any) -> Any:
    parts = apply(runtime.unblock, g, arrays)
    return _numbered(arrays, iter(range(len(_leaves(arrays)))), parts)


def _flatten(tree: Any, found: list[Any]) -> None:
    if isinstance(tree, (tuple, list)):
        for item in tree:
            _flatten(item, found)
    else:
        found.append(tree)


def _numbered(tree: Any, numbers: Any, parts: Any) -> Any:
    if isinstance(tree, (tuple, list)):
        return tuple(_numbered(item, numbers, parts) for item in tree)
    return parts[next(numbers)]


linear(
    np.block,
    _block_cotangent,
    sequences=True,
    samples=lambda: [
        ([[reals(2, 2), reals(2, 1)], [reals(1, 2), reals(1, 1)]],),
        ([0.3, reals(2)],),
    ],
)


linear(
    runtime.unblock,
    lambda h, g, arrays: apply(np.block, _arranged(arrays, iter(range(len(_leaves(arrays)))), h)),
    sequences=True,
    samples=lambda: [(reals(5), [np.zeros(2), np.zeros(3)])],
)


def _leaves(tree: Any) -> list[Any]:
    found: list[Any] = []
    _flatten(tree, found)
    return found


def _arranged(tree: Any, numbers: Any, parts: Any) -> Any:
    """The parts in a list of a list, as np.block takes them."""
    if isinstance(tree, list):
        return [_arranged(item, numbers, parts) for item in tree]
    return parts[next(numbers)]


def _append_cotangent(g: Any, x: Any, values: Any, axis: Any = None) -> Any:
    if axis is None:
        parts = (g[: np.size(x)], g[np.size(x) :])
        return tuple(np.reshape(p, np.shape(a)) for p, a in zip(parts, (x, values), strict=False))
    return tuple(_pieces(g, axis, [np.shape(x)[axis], None]))


linear(
    np.append,
    _append_cotangent,
    wrt=(0, 1),
    samples=lambda: [(reals(3), 0.7), (reals(2, 3), reals(1, 3), 0), (reals(2, 2), reals(3))],
)

# --- splitting --------------------------------------------------------------------------------


def _parts(g: Any, y: Any) -> Any:
    """The cotangents of the parts, with zeros where there are none."""
    if isinstance(g, Symbolic):
        return g
    return [np.zeros_like(y[i]) if part is None else part for i, part in enumerate(g)]


def _splitting(split: Any, join: Any) -> None:
    rule(
        split,
        jvp=lambda tangents, y, x, *how, **named_how: apply(split, tangents[0], *how, **named_how),
        vjp=lambda g, y, x, *how, **named_how: shaped_as(
            join(_parts(g, y), *how, **named_how), x
        ),
        samples=lambda: [(reals(4, 4, 4), 2), (reals(4, 4, 4), [1, 3])],
    )


def _along_axis(parts: Any, sections: Any, axis: Any = 0) -> Any:
    return _joined(parts, axis)


def _joined(parts: Any, axis: Any) -> Any:
    return apply(np.concatenate, parts, *([] if type(axis) is int and axis == 0 else [axis]))


_splitting(np.split, _along_axis)
_splitting(np.array_split, _along_axis)
_splitting(np.vsplit, lambda parts, sections: _joined(parts, 0))
_splitting(np.hsplit, lambda parts, sections: apply(np.hstack, parts))
_splitting(np.dsplit, lambda parts, sections: apply(np.concatenate, parts, 2))
for _unstack in named(np, "unstack"):
    rule(
        _unstack,
        jvp=lambda tangents, y, x, axis=0: apply(np.unstack, tangents[0], axis=axis),
        vjp=lambda g, y, x, axis=0: apply(np.stack, _parts(g, y), one_axis(axis)),
        samples=lambda: [(reals(2, 3),), ((reals(2, 3),), {"axis": -1})],
    )
