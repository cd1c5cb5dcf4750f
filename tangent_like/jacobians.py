"""Jacobians and Hessians: a derivative in every direction, many at once where that can be.

    columns    f_columns(x, dx)    the tangents for a stack of dx     (forward mode)
    rows       f_rows(x, by)       the cotangents for a stack of by   (reverse mode)
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from tangent_like.dispatch import Derivative, Wrt, parameters, shape_key, underlying
from tangent_like.draws import same_draws
from tangent_like.errors import ArgumentError, NotStackable, NotYetSupported
from tangent_like.frontend.kinds import kinds_of
from tangent_like.request import Options
from tangent_like.rules import registry

if TYPE_CHECKING:
    from tangent_like.backend.load import Compiled

_ROOM = 2**18
"""So many numbers of the largest argument's size are taken at once: 2 MiB, which caches hold."""

_one_by_one: WeakKeyDictionary[Any, set[Any]] = WeakKeyDictionary()
"""For the code of functions the derivatives, and kinds of arguments, without a form for stacks."""


class Jacobian:
    """A Jacobian as a callable; picklable, with the function's metadata."""

    __slots__ = ("__call__", "__dict__", "__weakref__")

    __call__: Callable[..., Any]
    """What runs when the Jacobian is called: `compute`, or the entry (`entry.py`) of generated
    code that gives a whole Jacobian, which calls `compute` for other arguments."""

    def __init__(self, function: Any, wrt: Wrt, mode: str, options: Options):
        self.function = underlying(function)
        self.wrt = wrt
        self.mode = mode
        self.options = options
        self.first = Derivative(self.function, "vjp", wrt, **options)
        self.derivatives: dict[tuple[str, Wrt], Derivative] = {}
        self.bands: dict[Any, Compiled] = {}
        """What gives a whole Jacobian, by the argument and the types and shapes of all."""

        self.__call__ = self.compute
        registry.observers.add(self)
        functools.update_wrapper(self, self.function, updated=())

    def forget(self) -> None:
        """Begin anew, since rules or the function's code have changed."""
        self.__call__ = self.compute
        self.derivatives.clear()
        self.bands.clear()

    def compute(self, *args: Any, **keywords: Any) -> Any:
        """The Jacobian, compiled now if it is the first for such arguments."""
        if self.first.root.__code__ is not self.first.code:
            self.forget()
        bound = self.first.bind((*args, None), keywords)[:-1]
        positions = self.first.request.wrt
        bound = tuple(float(a) if i in positions and isinstance(a, (int, np.integer)) else a
                      for i, a in enumerate(bound))  # fmt: skip
        again = same_draws(self.function, bound)
        blocks = tuple(self.block(bound, i, again) for i in positions)
        if not isinstance(self.wrt, tuple):
            return blocks[0]
        if blocks and isinstance(blocks[0], tuple):
            return tuple(zip(*blocks, strict=True))
        return blocks

    def block(self, args: tuple[Any, ...], i: int, again: Any) -> Any:
        x = args[i]
        if isinstance(x, (tuple, list)):
            raise ArgumentError("the Jacobian with respect to a tuple or list: pass an array")
        banded = self.bands.get((i, shape_key(args)))
        if banded is not None and all(guard.holds() for guard in banded.guards):
            return again(banded.calls[0])(*self.derivative("columns", i).converted(args))
        value = again(self.function)(*args)
        if isinstance(value, (tuple, list)):
            return tuple(
                self.forward(args, i, again, operator.itemgetter(k)) for k in range(len(value))
            )
        many = np.size(value) >= np.size(x)
        if self.mode == "fwd" or (self.mode == "auto" and many):
            found = self.at_once("columns", args, i, again, x)
            if found is not None:
                return np.moveaxis(found, 0, -1).reshape((*found.shape[1:], *np.shape(x)))
            return self.forward(args, i, again, lambda out: out)
        found = self.at_once("rows", args, i, again, value)
        if found is not None:
            return found.reshape((*np.shape(value), *np.shape(x)))
        return self.reverse(args, i, again, value)

    def derivative(self, operator: str, wrt: Wrt) -> Derivative:
        key = operator, wrt
        if key not in self.derivatives:
            self.derivatives[key] = Derivative(self.function, operator, wrt, **self.options)
        return self.derivatives[key]

    def at_once(
        self, operator: str, args: tuple[Any, ...], i: int, again: Any, like: Any
    ) -> np.ndarray | None:
        """The derivatives in all unit directions of the shape of `like`, a stack of them; None
        where the directions have to be taken one after another."""
        is_array = isinstance(like, np.ndarray) and like.dtype == np.float64 and like.size > 1
        if not is_array:
            return None
        derived = self.derivative(operator, i)
        given = derived.converted(args)
        kinds = kinds_of(given)
        without = _one_by_one.setdefault(self.first.code, set())
        if (operator, i, kinds) in without:
            return None
        try:
            found = derived.for_kinds(kinds)
        except NotStackable:
            without.add((operator, i, kinds))
            return None
        call, key = again(found.calls[0]), (i, shape_key(args))
        banded = found.calls[0].__code__.co_argcount == len(given)  # its band has the directions
        largest = max(np.size(value) for value in (like, *args) if isinstance(value, np.ndarray))
        try:
            if banded:
                result: np.ndarray = np.transpose(call(*given))
            else:
                stacks = _stacks(like, max(8, _ROOM // largest))
                result = np.concatenate([call(*given, stack) for stack in stacks])
        except NotYetSupported:
            if self.options.get("backend", "numpy") == "numpy":
                raise
            without.add((operator, i, kinds))  # Numba may compile the derivative in one direction
            return None
        if banded and key[1] is not None:
            self.bands[key] = found
            self.enter(args, found)
        return result

    def enter(self, args: tuple[Any, ...], found: Compiled) -> None:
        """Call at once what gives a whole Jacobian, where arguments like these come again."""
        if isinstance(self.wrt, tuple):
            return
        from tangent_like.entry import Parameters, make_entry  # noqa: PLC0415 - as the compiler

        root, own = self.first.root, [p.name for p in parameters(self.function)]
        name = getattr(self.function, "__name__", "")
        entry = make_entry(
            f"{name}_jacobian" if name.isidentifier() else "jacobian", Parameters.of(root, own),
            args, self.first.request.wrt, root, found.guards, found.calls[0], self.compute,
        )  # fmt: skip
        if entry is not None:
            self.__call__ = entry

    def forward(
        self, args: tuple[Any, ...], i: int, again: Any, pick: Callable[[Any], Any]
    ) -> Any:
        """Column by column."""
        derived = again(self.derivative("jvp", (i,)))
        x = args[i]
        columns = [np.asarray(pick(derived(*args, e)[1])) for e in _basis(x)]
        if not np.ndim(x):
            return columns[0][()]
        if not columns:
            return np.zeros((*np.shape(pick(self.function(*args))), *np.shape(x)))
        stacked = np.stack(columns, axis=-1)
        return stacked.reshape((*stacked.shape[:-1], *np.shape(x)))

    def reverse(self, args: tuple[Any, ...], i: int, again: Any, value: Any) -> Any:
        """Row by row."""
        derived = again(self.derivative("vjp", (i,)))
        rows = [np.asarray(derived(*args, e)[0]) for e in _basis(value)]
        if not np.ndim(value):
            return rows[0][()]
        shape = (*np.shape(value), *np.shape(args[i]))
        return np.stack(rows).reshape(shape) if rows else np.zeros(shape)

    def __reduce__(self) -> Any:
        return Jacobian, (self.function, self.wrt, self.mode, self.options)


def _stacks(like: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """The unit vectors of the shape of `like`, at most `count` at once."""
    for start in range(0, like.size, count):
        stop = min(start + count, like.size)
        units = np.eye(stop - start, like.size, start)
        yield units.reshape((stop - start, *like.shape))


def _basis(like: Any) -> list[Any]:
    """The unit vectors of the shape and type of `like`."""
    if not isinstance(like, np.ndarray):
        return [1.0]
    found = []
    for k in range(like.size):
        unit = np.zeros(like.shape, like.dtype if like.dtype.kind in "fc" else float)
        unit.flat[k] = 1.0
        found.append(unit)
    return found
