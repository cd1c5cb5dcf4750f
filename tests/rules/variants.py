"""Other calls of a function, made of the samples that stand beside its rule.

A rule's samples show the usual call.  From each, these generators make calls that differ in one
dimension: shapes, broadcasting, axes, layout, element type.  Nothing here knows which function
takes what: the function itself says so by raising (`accepted`), and then there is no such call.
"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tangent_like.rules import arguments
from tests.rules.catalogue import name_of
from tests.rules.evaluate import called, carries


class Call(NamedTuple):
    """The operands of a call, and what sets it apart from the sample."""

    label: str
    args: tuple[Any, ...]
    keywords: dict[str, Any]

    def of(self, change: Callable[[Any], Any]) -> Call:
        """The call with another element type."""
        return self._replace(args=arrays_as(self.args, change))


# --- operands ---------------------------------------------------------------------------------


def mapped(tree: Any, change: Callable[[Any], Any]) -> Any:
    """A tree of operands with `change` of each number or array that carries a derivative."""
    if isinstance(tree, (tuple, list)):
        return type(tree)(mapped(item, change) for item in tree)
    return change(tree) if carries(tree) else tree


def arrays_in(tree: Any) -> list[Any]:
    """The arrays that carry a derivative."""
    if isinstance(tree, (tuple, list)):
        return [leaf for item in tree for leaf in arrays_in(item)]
    return [tree] if isinstance(tree, np.ndarray) and carries(tree) else []


def arrays_as(tree: Any, change: Callable[[Any], Any]) -> Any:
    """A tree of operands with `change` of each array that carries a derivative."""
    return mapped(tree, lambda x: change(x) if isinstance(x, np.ndarray) else x)


# --- element types ----------------------------------------------------------------------------


def single(x: Any) -> Any:
    """An array in single precision."""
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)


def as_complex(x: Any) -> Any:
    """Numbers with an imaginary part, no two alike."""
    return x + 0.3j * np.cos(np.arange(1.0, 1.0 + np.size(x))).reshape(np.shape(x))


def from_scipy(fn: Any) -> bool:
    return isinstance(fn, np.ufunc) and getattr(np, fn.__name__, None) is not fn


def complex_able(rule: Any, fn: Any) -> bool:
    """Whether differences say anything of the function at complex numbers."""
    # The phase of a complex eigenvector is LAPACK's choice, so differences say nothing.
    if "linalg" in name_of(fn) and fn.__name__ in ("svd", "eigh", "eig"):
        return False
    if name_of(fn).startswith("scipy.stats"):  # of real numbers
        return False
    # SciPy has the polygamma functions of real numbers only, and exp(-|x|) is not analytic.
    if from_scipy(fn) and fn.__name__ in ("gamma", "loggamma", "rgamma", "psi", "ive"):
        return False
    return getattr(fn, "__module__", "") != "math" and not name_of(fn).startswith("builtins.")


# --- shapes of operands -----------------------------------------------------------------------


def wave(x: Any, shape: tuple[int, ...]) -> Any:
    """Numbers of the given shape near `x`, no two alike."""
    count = int(np.prod(shape))
    return (x * (1 + 0.05 * np.sin(1.0 + np.arange(count)))).reshape(shape)


def stacked(x: Any, count: int) -> Any:
    """An array with an axis more: `x`, and multiples of it, so that no two numbers are alike."""
    return np.stack([x * (1 + 0.07 / (1 + x.ndim) * i) for i in range(count)])


# --- shapes and broadcasting ------------------------------------------------------------------

SHAPES: list[tuple[int, ...]] = [(), (3,), (2, 3), (2, 1, 3), (1,), (0,), (2, 0)]
PAIRS: list[tuple[Any, Any]] = [
    ((3,), None), (None, (3,)), ((3,), ()), ((), (3,)), ((2, 3), (3,)), ((3,), (2, 3)),
    ((2, 1), (1, 3)), ((2, 3), (2, 3)), ((2, 1, 3), (4, 1)), ((0,), (1,)), ((1,), (2, 0)),
    ((1,), None), (None, (1,)), ((), None), ((), ()),
]  # fmt: skip
"""Shapes of two operands, None for a number."""


def shapes_for(args: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Shapes for the numbers among the operands."""
    count = sum(carries(x) and not np.ndim(x) for x in args)
    if not count or arrays_in(args):
        return []
    if count == 1:
        return [(shape,) for shape in SHAPES]
    return [(*pair, *[pair[0]] * (count - 2)) for pair in PAIRS]


def arrays_of(args: tuple[Any, ...], shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arrays of the given shapes for the numbers among the operands, with values near them."""
    rest = iter(shapes)
    place = lambda x, shape: x if shape is None else wave(x, shape)
    return tuple(place(x, next(rest)) if carries(x) and not np.ndim(x) else x for x in args)


def of_numbers(args: tuple[Any, ...], keywords: dict[str, Any]) -> Iterator[Call]:
    """Numbers replaced by arrays of all shapes, which broadcast in every direction."""
    for shapes in shapes_for(args):
        yield Call(f"shapes {shapes}", arrays_of(args, shapes), keywords)


RESHAPED: dict[str, Callable[[Any], Any]] = {
    "one more axis": lambda x: stacked(x, 2),
    "two more axes": lambda x: stacked(stacked(x, 3), 2),
    "one more axis of length 1": lambda x: x[None],
    "first axis of length 1": lambda x: x[:1],
    "last axis of length 1": lambda x: x[..., :1],
    "first axis of length 0": lambda x: x[:0],
    "last axis of length 0": lambda x: x[..., :0],
    "one more axis of length 0": lambda x: stacked(x, 1)[:0],
    "0-d": lambda x: np.array(x.flat[0]) if x.size else x,
    "first row": lambda x: x[0] if len(x) else x,
}


def of_arrays(args: tuple[Any, ...], keywords: dict[str, Any]) -> Iterator[Call]:
    """All arrays of a sample with more or fewer axes."""
    places = set(range(len(arrays_in(args))))
    for label, change in RESHAPED.items() if places else ():
        yield Call(label, reshaped(args, change, places), keywords)


def of_one_array(args: tuple[Any, ...], keywords: dict[str, Any]) -> Iterator[Call]:
    """One of several arrays with more or fewer axes."""
    count = len(arrays_in(args))
    for label, change in RESHAPED.items() if count > 1 else ():
        for i in range(count):
            yield Call(f"{label} of operand {i}", reshaped(args, change, {i}), keywords)


def reshaped(args: Any, change: Callable[[Any], Any], chosen: set[int]) -> Any:
    """The operands with `change` of the chosen arrays among them."""
    places = itertools.count()

    def changed(x: Any) -> Any:
        return change(x) if isinstance(x, np.ndarray) and next(places) in chosen and x.ndim else x

    return mapped(args, changed)


# --- axes -------------------------------------------------------------------------------------


def parameter_names(rule: Any, fn: Any) -> tuple[tuple[str, ...], set[str]]:
    """The names of positional parameters, and those of all options that function and rule have."""
    try:
        own = set(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        own = set()
    known = set().union(*(p.names for p in arguments.of_rule(rule)))
    return arguments.names_of(fn), own | known


def with_option(rule: Any, fn: Any, call: Call, name: str, value: Any) -> Call:
    """The call with another value of an option, wherever it stands."""
    names, _ = parameter_names(rule, fn)
    label = f"{call.label} {name}={value!r}".strip()
    if name in names[: len(call.args)]:
        place = names.index(name)
        args = (*call.args[:place], value, *call.args[place + 1 :])
        return Call(label, args, call.keywords)
    return Call(label, call.args, {**call.keywords, name: value})


def of_axes(rule: Any, fn: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Iterator[Call]:
    """Every axis, counted from either end, none, and tuples of axes, with and without axes kept."""
    options = parameter_names(rule, fn)[1]
    rank = max([x.ndim for x in arrays_in(args)], default=0)
    sample = Call("", args, keywords)
    calls = [sample]
    for name in ("axis", "axes"):
        if name in options and rank:
            calls += [with_option(rule, fn, sample, name, axis) for axis in axes_of(rank)]
    yield from calls[1:]
    if "keepdims" in options:
        for call in calls:
            yield with_option(rule, fn, call, "keepdims", True)
        for call in calls[:3]:
            yield with_option(rule, fn, call, "keepdims", 1)


def axes_of(rank: int) -> list[Any]:
    pairs = [] if rank < 2 else [(0, 1), (-1, 0), (1, -rank)]
    return [None, 0, *range(1, rank), *range(-rank, 0), (), (0,), *pairs, *[(2, 0, 1)][: rank - 2]]


# --- options ----------------------------------------------------------------------------------


def without_warnings(fn: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return called(fn, args, keywords)


def accepted(fn: Any, call: Call, largest: int) -> bool:
    """Whether the function itself takes this call, and gives no more than so many numbers and five
    axes."""
    if np.prod([x.size for x in arrays_in(call.args) if x.size]) > 20 * largest:
        return False  # of outer products and grids
    try:
        found = without_warnings(fn, call.args, call.keywords)
    except Exception:  # whatever a function raises, it says that there is no such call
        return False
    leaves = leaves_of(found)
    return sum(map(np.size, leaves)) <= largest and all(np.ndim(leaf) < 6 for leaf in leaves)


def leaves_of(tree: Any) -> list[Any]:
    """The numbers and arrays of a result."""
    if isinstance(tree, (tuple, list)):
        return [leaf for item in tree for leaf in leaves_of(item)]
    return [tree]
