"""`@differentiate`: a function that carries its derivatives as attributes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from tangent_like import api, facts
from tangent_like.benchmark import Benchmark, benchmark
from tangent_like.check import check_grads
from tangent_like.dispatch import check_options, place_of
from tangent_like.errors import ArgumentError, NotYetSupported
from tangent_like.request import Options

if TYPE_CHECKING:
    from typing_extensions import Unpack

Function = TypeVar("Function", bound=Callable[..., Any])
Wrt = int | str | tuple[int | str, ...] | None

_OPERATORS = ("grad", "value_and_grad", "jacobian", "hessian", "hvp")


@overload
def differentiate(
    function: None = None, *, wrt: Wrt = None, **options: Unpack[Options]
) -> Callable[[Function], Function]: ...
@overload
def differentiate(
    function: Function, *, wrt: Wrt = None, **options: Unpack[Options]
) -> Function: ...
def differentiate(function: Any = None, *, wrt: Wrt = None, **options: Unpack[Options]) -> Any:
    """Give a function its derivatives as attributes; the function itself stays what it was.

        @differentiate
        def f(x, y):
            return x * x * y

        f(2.0, 5.0)            # 20.0: the function, at no extra cost
        f.grad(2.0, 5.0)       # (20.0, 4.0)

    The attributes are `grad`, `value_and_grad`, `jacobian`, `hessian` and `hvp`, which take the
    function's arguments (`hvp` the vectors after them); `jvp(primals, tangents)` and
    `vjp(*primals)`; `source(mode)` and `wengert()`, which return text; `check(*args)` and
    `benchmark(*args)`.

    `wrt` names the differentiated arguments, by position or name.  Without it a call is
    differentiated with respect to every argument that is a float, a float or complex array, or a
    tuple or list with one in it, and with respect to an int where the parameter is annotated
    `float`.  One such argument gives one gradient, several a tuple of gradients.

    Nothing is compiled before an attribute is called.  What is compiled is kept on disk for the
    next process, unless `cache` is False.  `backend`, `fastmath` and `parallel` are as in `grad`.
    Raises NotYetSupported for methods when a derivative is called.
    """
    check_options(options)
    if function is None:
        return functools.partial(differentiate, wrt=wrt, **options)
    if not isinstance(function, FunctionType):
        raise ArgumentError(f"`differentiate` decorates a function, not {function!r}")
    for name in _OPERATORS:
        setattr(function, name, Attribute(function, name, wrt, options))
    for name, tool in _TOOLS.items():
        setattr(function, name, functools.partial(tool, function, wrt, options))
    return function


class Attribute:
    """One of the derivatives of a decorated function.

    It makes an operator for each choice of differentiated arguments that calls ask for.
    """

    def __init__(self, function: FunctionType, name: str, wrt: Wrt, options: Options):
        self.function = function
        self.name = name
        self.wrt = wrt
        self.options = options
        self.made: dict[Any, Callable[..., Any]] = {}
        self.known: dict[Any, Callable[..., Any]] = {}
        """The operator for each list of argument types that decides `wrt`."""

        self.__name__ = f"{function.__name__}.{name}"
        self.__doc__ = f"`{name}` of `{function.__name__}`, as `tangent_like.{name}` gives it."

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        types = None if keywords else _types(args)
        operator = self.known.get(types)
        if operator is None:
            operator = self.operator(args, keywords)
            if types is not None:
                self.known[types] = operator
        return operator(*args, **keywords)

    def operator(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Callable[..., Any]:
        """`grad(function, wrt)` and its like for these arguments."""
        refuse_method(self.function)
        wrt = self.wrt
        if wrt is None:
            wrt = differentiable(self.function, args, keywords)
        if wrt not in self.made:
            self.made[wrt] = getattr(api, self.name)(self.function, wrt, **self.options)
        return self.made[wrt]

    def __reduce__(self) -> Any:
        return Attribute, (self.function, self.name, self.wrt, self.options)

    def __repr__(self) -> str:
        return f"<{self.name} of {self.function.__qualname__}>"


def _types(args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The types of the arguments; None where they do not say what can have a derivative."""
    found = tuple([a.dtype if type(a) is np.ndarray else type(a) for a in args])
    return found if _DECISIVE.issuperset(map(type, args)) else None


_DECISIVE = frozenset(
    {bool, int, float, complex, str, type(None), np.ndarray, np.float64, np.float32, np.int64}
)


def differentiable(
    function: FunctionType, args: tuple[Any, ...], keywords: dict[str, Any]
) -> int | tuple[int, ...]:
    """The positions of the arguments that this call is differentiated with respect to."""
    signature = inspect.signature(function, follow_wrapped=False)
    try:
        # More positional arguments than parameters: `hvp` takes vectors after them.
        bound = signature.bind(*args[: len(signature.parameters)], **keywords)
    except TypeError as error:
        raise ArgumentError(f"{function.__name__}: {error}", place_of(function)) from None
    bound.apply_defaults()
    found = []
    for i, (name, value) in enumerate(bound.arguments.items()):
        annotated = signature.parameters[name].annotation in (float, "float")
        if facts.may_be_differentiated(facts.of_constant(value)) or (
            annotated and isinstance(value, int) and not isinstance(value, bool)
        ):
            found.append(i)
    if not found:
        raise ArgumentError(
            f"no argument of `{function.__name__}` is a float here",
            place_of(function),
            "pass floats, or name the differentiated arguments with wrt=",
        )
    return tuple(found) if len(found) > 1 else found[0]


def refuse_method(function: FunctionType) -> None:
    """Methods are not differentiated yet."""
    owner = function.__qualname__.rpartition(".")[0]
    first = next(iter(inspect.signature(function, follow_wrapped=False).parameters), "")
    if owner and not owner.endswith("<locals>") and first in ("self", "cls"):
        raise NotYetSupported(
            f"differentiating the method `{function.__qualname__}`",
            place_of(function),
            f"write a function of what it reads from `{first}`",
        )


# --- attributes that take no `wrt`, or return no derivative -------------------------------------


def _jvp(
    function: FunctionType, wrt: Wrt, how: Options, primals: Any, tangents: Any
) -> Any:
    """`(value, tangent)`: see `tangent_like.jvp`."""
    refuse_method(function)
    return api.jvp(function, primals, tangents, **how)


def _vjp(function: FunctionType, wrt: Wrt, how: Options, *primals: Any) -> Any:
    """`(value, pullback)`: see `tangent_like.vjp`."""
    refuse_method(function)
    return api.vjp(function, *primals, **how)


def _source(
    function: FunctionType,
    wrt: Wrt,
    how: Options,
    mode: str = "adjoint",
    types: dict[str, Any] | None = None,
) -> str:
    """The source of the derivative: see `tangent_like.source`."""
    refuse_method(function)
    return api.source(function, mode, wrt, types, **how)


def _wengert(
    function: FunctionType, wrt: Wrt, how: Options, types: dict[str, Any] | None = None
) -> str:
    """The Wengert list, as numbered lines."""
    refuse_method(function)
    return api.wengert(function, types)


def _check(
    function: FunctionType, wrt: Wrt, how: Options, *args: Any, **options: Any
) -> None:
    """Check the derivatives at these arguments: see `tangent_like.check_grads`."""
    refuse_method(function)
    check_grads(function, args, **options)


def _benchmark(
    function: FunctionType, wrt: Wrt, how: Options, *args: Any, **options: Any
) -> Benchmark:
    """Times and errors against finite differences: see `tangent_like.benchmark`."""
    refuse_method(function)
    return benchmark(function, *args, **{"wrt": wrt, **options})


_TOOLS: dict[str, Callable[..., Any]] = {
    "jvp": _jvp, "vjp": _vjp, "source": _source, "wengert": _wengert, "check": _check,
    "benchmark": _benchmark,
}  # fmt: skip
