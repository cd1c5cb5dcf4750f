"""Callables that are no plain functions of so many parameters, as such functions.

    f(*xs, **options)      called with two arguments and one keyword:

        def f(xs0, xs1, *, scale):
            return function(xs0, xs1, scale=scale)

It is that function which is differentiated; calls of it are inlined.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import linecache
from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter
from types import FunctionType, MethodType
from typing import Any

from tangent_like import trees
from tangent_like.frontend.signatures import parameters_of
from tangent_like.parts import is_own_object

_COLLECTORS = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
_MOST = 512
_serials = itertools.count(1)
_made: dict[Any, FunctionType] = {}


def is_spelled_out(function: Any) -> bool:
    """Whether a callable is differentiated through a function that is written for it."""
    if isinstance(function, functools.partial | MethodType):
        return True
    return is_own_object(function) and isinstance(_call_of(function), FunctionType)


def _call_of(value: Any) -> Any:
    return inspect.getattr_static(type(value), "__call__", None)


def declared(function: Any) -> list[Parameter]:
    """The parameters of a callable."""
    if isinstance(function, FunctionType):
        return parameters_of(function)
    return list(inspect.signature(function).parameters.values())


def has_collectors(function: Any) -> bool:
    """Whether it takes `*args` or `**kwargs`."""
    if not (isinstance(function, FunctionType | Variadic) or is_spelled_out(function)):
        return False
    try:
        return any(p.kind in _COLLECTORS for p in declared(function))
    except (TypeError, ValueError):
        return False


def spelled(
    function: Any, count: int = 0, keywords: Sequence[str] = (), grouped: bool = False
) -> FunctionType:
    """The plain function that calls `function` with `count` arguments by position and others by
    keyword; `grouped`, with one tuple for `*args` and one dict for `**kwargs`."""
    key = id(function), count, tuple(keywords), grouped
    if key not in _made:
        if len(_made) >= _MOST:
            _made.clear()
        _made[key] = _write(function, count, keywords, grouped)
    return _made[key]


def _write(
    function: Any, count: int, keywords: Sequence[str], grouped: bool
) -> FunctionType:
    own = [p for p in declared(function) if p.kind not in _COLLECTORS]
    taken = {p.name for p in own} | set(keywords)
    positional = [p for p in own if p.kind is not Parameter.KEYWORD_ONLY]
    named = [p for p in own if p.kind is Parameter.KEYWORD_ONLY]
    for collector in (p for p in declared(function) if p.kind in _COLLECTORS):
        many = collector.kind is Parameter.VAR_POSITIONAL
        if grouped:
            new = [Parameter(collector.name, Parameter.POSITIONAL_OR_KEYWORD)]
        elif many:
            extra = range(count - len(positional))
            new = [_parameter(f"{collector.name}{k}", taken) for k in extra]
        else:
            new = []
            names = {p.name for p in own}
            named += [Parameter(k, Parameter.KEYWORD_ONLY) for k in keywords if k not in names]
        if new:  # what comes before is passed by position
            positional = [p.replace(default=Parameter.empty) for p in positional]
        positional += new
    return _compiled(function, positional, named, grouped)


def _parameter(name: str, taken: set[str]) -> Parameter:
    free = trees.free_name(name, taken)
    taken.add(free)
    return Parameter(free, Parameter.POSITIONAL_OR_KEYWORD)


def defined(name: str, head: str, result: str, given: dict[str, Any]) -> FunctionType:
    """The function `def name(head): return result`, where `given` are the names of its closure;
    tools that look for its source find it."""
    lines = [
        f"def make({', '.join(given)}):\n", f"    def {name}({head}):\n",
        f"        return {result}\n", f"    return {name}\n",
    ]  # fmt: skip
    filename = f"<calls of {name}, {next(_serials)}>"
    linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)
    module: dict[str, Any] = {"__name__": "calls"}
    exec(compile("".join(lines), filename, "exec"), module)
    made: FunctionType = module["make"](**given)
    return made


def _compiled(
    function: Any, positional: Sequence[Parameter], named: Sequence[Parameter], grouped: bool
) -> FunctionType:
    root = function
    while isinstance(root, functools.partial):
        root = root.func
    name = getattr(root, "__name__", None) or type(root).__name__
    name = name if name.isidentifier() else "called"
    inner = trees.free_name("function", {p.name for p in (*positional, *named)})
    stars = dict(_stars(function)) if grouped else {}
    head = ", ".join([*_heads(positional), *(["*"] if named else []), *(p.name for p in named)])
    passed = [stars.get(p.name, "") + p.name for p in positional]
    passed += [f"{p.name}={p.name}" for p in named]
    passed.sort(key=lambda text: text.startswith("**"))
    made = defined(name, head, f"{inner}({', '.join(passed)})", {inner: function})
    made.__defaults__ = tuple(p.default for p in positional if p.default is not p.empty) or None
    made.__kwdefaults__ = {p.name: p.default for p in named if p.default is not p.empty}
    made.__doc__ = getattr(function, "__doc__", None)
    made.__spelled__ = function  # type: ignore[attr-defined]
    return made


def _stars(function: Any) -> Iterator[tuple[str, str]]:
    for parameter in declared(function):
        if parameter.kind in _COLLECTORS:
            yield parameter.name, "*" if parameter.kind is Parameter.VAR_POSITIONAL else "**"


def _heads(positional: Sequence[Parameter]) -> Iterator[str]:
    """The parameters by position, with the sign that ends those that have no name outside."""
    only = [p for p in positional if p.kind is Parameter.POSITIONAL_ONLY]
    yield from (p.name for p in only)
    if only:
        yield "/"
    yield from (p.name for p in positional[len(only) :])


class Variadic:
    """A derivative of a function with `*args` or `**kwargs`: for each number of arguments, and
    names of keywords, the derivative of a function that takes so many."""

    def __init__(
        self, derive: Callable[..., Any], function: Any, operator: str, wrt: Any,
        options: dict[str, Any],
    ):  # fmt: skip
        self.derive = derive
        self.function, self.operator, self.wrt, self.options = function, operator, wrt, options
        functools.update_wrapper(self, function, updated=())
        self.__name__ = f"{getattr(function, '__name__', 'f')}_{operator}"
        self.__signature__ = inspect.Signature(declared(function))
        entries = wrt if isinstance(wrt, tuple) else (wrt,)
        self.extra = len(entries) if operator in ("jvp", "hvp") else int(operator == "vjp")
        self.grouped = not {name for name, _ in _stars(function)}.isdisjoint(entries)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        count = len(args) - self.extra
        if not self.grouped:
            return self.serving(count, tuple(keywords))(*args, **keywords)
        bound = self.__signature__.bind(*args[:count], **keywords)
        bound.apply_defaults()
        by_name = {
            p.name: bound.arguments.pop(p.name)
            for p in declared(self.function) if p.kind is p.KEYWORD_ONLY
        }  # fmt: skip
        return self.serving(0, ())(*bound.arguments.values(), *args[count:], **by_name)

    def serving(self, count: int, keywords: tuple[str, ...]) -> Any:
        """The derivative for so many arguments by position, and these keywords."""
        written = spelled(self.function, count, keywords, self.grouped)
        return self.derive(written, self.operator, self.wrt, **self.options)

    def derived(self) -> tuple[str, Any, dict[str, Any]]:
        """What it is when a differentiated function calls it: operator, function, options."""
        return self.operator, self.function, {"wrt": self.wrt, **self.options}

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        return _rebuild, (self.derive, self.function, self.operator, self.wrt, self.options)


def _rebuild(
    derive: Callable[..., Any], function: Any, operator: str, wrt: Any, options: dict[str, Any]
) -> Variadic:
    return Variadic(derive, function, operator, wrt, options)
