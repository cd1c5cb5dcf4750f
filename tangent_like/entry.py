"""The function that runs when a derivative is called: a few tests, then the generated code.

    def f_grad(x=absent, y=absent, *more):
        if (type(x) is float and type(y) is ndarray and y.shape == (3,) and y.dtype is float64
                and root.__code__ is code and not more):
            return call(x, y)
        return again(otherwise, parameters, (x, y), more)

It serves the arguments that it was made for, by tests that cost some ten nanoseconds each and do
not depend on sizes; `otherwise` serves all others.  What was assumed of things outside the
function is tested in the same way.
"""

from __future__ import annotations

import builtins
import inspect
import itertools
import linecache
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from tangent_like.frontend.externals import MISSING, Definition, External, Guard, Layout

Known = dict[str, Any]
"""What the names of the generated text stand for."""

_MOST_ITEMS = 30
"""A larger container is looked at item by item, as the kinds of its items are found."""

NEW_LINE = "\n    "

_numbers = itertools.count(1)


class _Absent:
    """Stands for an argument that was not given."""


ABSENT = _Absent()


class Parameters(NamedTuple):
    """The names of the arguments, the first `positional` of which may come by position; numbers
    stand for the names of what comes by position only."""

    names: tuple[str, ...]
    positional: int
    are_named: bool

    @classmethod
    def of(cls, root: FunctionType, own: Sequence[str]) -> Parameters:
        """Those of the user's function, where a derivative that takes `own` is called like it."""
        code, count = root.__code__, root.__code__.co_argcount
        if (
            code.co_varnames[: count + code.co_kwonlyargcount] == tuple(own)
            and not code.co_posonlyargcount
            and not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
            and vars(root).keys().isdisjoint(("__wrapped__", "__signature__", "__spelled__"))
            and vars(builtins).keys().isdisjoint(own)
        ):
            return cls(tuple(own), count, True)
        return cls.numbered(len(own))

    @classmethod
    def numbered(cls, count: int) -> Parameters:
        return cls(tuple(f"a{i}" for i in range(count)), count, False)


def again(
    otherwise: Callable[..., Any],
    parameters: Parameters,
    values: tuple[Any, ...],
    more: tuple[Any, ...],
    **named: Any,
) -> Any:
    """Call `otherwise` with what was given, by position as far as nothing was left out."""
    first = values[: parameters.positional]
    by_position = list(itertools.takewhile(lambda value: value is not ABSENT, first))
    rest = list(zip(parameters.names, values, strict=True))[len(by_position) :]
    keywords = {name: value for name, value in rest if value is not ABSENT}
    return otherwise(*by_position, *more, **keywords, **named)


def make_entry(
    name: str,
    parameters: Parameters,
    args: Sequence[Any],
    wrt: Sequence[int],
    root: FunctionType,
    guards: Sequence[Guard],
    call: Callable[..., Any],
    otherwise: Callable[..., Any],
) -> Callable[..., Any] | None:
    """The entry for arguments like `args`; None where types and shapes do not tell them.

    `wrt` are the positions whose integers are taken as floats; `root` is the user's function.
    """
    known = {"call": call, "otherwise": otherwise, "absent": ABSENT, "again": again}
    known["parameters"] = parameters
    tests, passed = [], []
    for i, (own, value) in enumerate(zip(parameters.names, args, strict=True)):
        test = _argument(known, own, value)
        if test is None:
            return None
        tests.append(test)
        passed.append(_passed(own, value, i in wrt))
    code = f"{bound(known, 'root', root)}.__code__ is {bound(known, 'code', root.__code__)}"
    outside = [code, *(_outside(known, guard) for guard in guards)]
    defaults = _defaults(known, root, parameters) if parameters.are_named else []
    if parameters.are_named and not {*known, "more", "same"}.isdisjoint(parameters.names):
        unnamed = Parameters.numbered(len(args))  # names of the text below
        return make_entry(name, unnamed, args, wrt, root, guards, call, otherwise)
    return _loaded(_text(name, parameters, defaults, tests, outside, passed), name, known)


def with_other_way(entry: Callable[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The same entry, with another function for arguments that it does not serve."""
    assert isinstance(entry, FunctionType)
    names = {**entry.__globals__, "otherwise": otherwise}
    made = FunctionType(entry.__code__, names, entry.__name__, entry.__defaults__)
    made.__kwdefaults__ = entry.__kwdefaults__
    return made


def _text(
    name: str,
    parameters: Parameters,
    defaults: Sequence[str],
    tests: Sequence[str],
    outside: Sequence[str],
    passed: Sequence[str],
) -> str:
    every = "".join(f"{n}, " for n in parameters.names)
    checked, named = ("", "") if parameters.are_named else (" and not named", ", **named")
    return f"""\
def {name}({_header(parameters)}):
    {NEW_LINE.join(defaults)}
    if {" and ".join([*tests, "not more"])}{checked}:
        try:
            same = {" and ".join(outside)}
        except (LookupError, ValueError, AttributeError, TypeError):
            same = False
        if same:
            return call({", ".join(passed)})
    return again(otherwise, parameters, ({every}), more{named})
"""


def _header(parameters: Parameters) -> str:
    """What the text takes: what is too much, and what names would be, end in `otherwise`."""
    own = [f"{name}=absent" for name in parameters.names]
    if parameters.are_named:
        own.insert(parameters.positional, "*more")
    else:
        own = [*own, *(["/"] if own else []), "*more", "**named"]
    return ", ".join(own)


def _defaults(known: Known, root: FunctionType, parameters: Parameters) -> list[str]:
    """Statements that give arguments which were left out the defaults of the user's function."""
    first = parameters.names[: parameters.positional]
    own, named = root.__defaults__ or (), root.__kwdefaults__ or {}
    found = []
    for name, value in zip(first[len(first) - len(own) :], own, strict=True):
        same = f"{bound(known, 'root', root)}.__defaults__ is {bound(known, 'defaults', own)}"
        found.append(f"if {name} is absent and {same}: {name} = {bound(known, 'default', value)}")
    for name, value in named.items():
        current = f"({bound(known, 'root', root)}.__kwdefaults__ or {{}}).get({name!r})"
        default = bound(known, "default", value)
        found.append(f"if {name} is absent and {current} is {default}: {name} = {default}")
    return found


def bound(known: Known, wish: str, value: Any) -> str:
    """The name of an object in the text: the one it has, or a new one like `wish`."""
    for name, other in known.items():
        if other is value:
            return name
    name = f"{wish}_{len(known)}"
    known[name] = value
    return name


def _loaded(text: str, name: str, namespace: Known) -> FunctionType:
    """The function of a text, whose lines debuggers show."""
    file = f"<tangent_like call of {name} {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    function: FunctionType = namespace[name]
    return function


# --- arguments ------------------------------------------------------------------------------------


def _argument(known: Known, name: str, value: Any) -> str | None:
    """The test for an argument like this one; None where there is no quick one."""
    kind = type(value)
    if kind in (float, int, bool):
        return f"type({name}) is {kind.__name__}"
    if kind is np.float64:
        return f"type({name}) is {bound(known, 'float64', kind)}"
    if kind is np.ndarray:
        return _array_test(known, name, value)
    return _container_test(known, name, value) if kind in (tuple, list, dict) else None


def _container_test(known: Known, name: str, value: Any) -> str | None:
    """The test for a tuple, list or dict of numbers and arrays; None for what is larger, or has
    to be converted."""
    kind = type(value)
    if kind is dict:
        if not all(type(key) is str for key in value):
            return None
        same, items = f"list({name}) == {list(value)}", value.items()
    else:
        same, items = f"len({name}) == {len(value)}", enumerate(value)
    tests = [f"type({name}) is {kind.__name__}", same]
    if kind is list and set(map(type, value)) == {float}:
        tests.append(f"set(map(type, {name})) == {bound(known, 'floats', {float})}")
        return " and ".join(tests)
    if len(value) > _MOST_ITEMS:
        return None
    for key, item in items:
        test = None if type(item) is np.float64 else _argument(known, f"{name}[{key!r}]", item)
        if test is None:
            return None
        tests.append(test)
    return " and ".join(tests)


def _passed(name: str, value: Any, differentiated: bool) -> str:
    """How the argument is passed on."""
    as_float = type(value) is np.float64 or (type(value) is int and differentiated)
    return f"float({name})" if as_float else name


def _array_test(known: Known, name: str, value: Any) -> str:
    kind, dtype = bound(known, "ndarray", np.ndarray), bound(known, "dtype", value.dtype)
    return f"type({name}) is {kind} and {name}.shape == {value.shape} and {name}.dtype is {dtype}"


# --- outside --------------------------------------------------------------------------------------


def _outside(known: Known, guard: Guard) -> str:
    """The test of what a guard notes; `holds` where there is no quicker one."""
    external = guard.external
    if isinstance(external, Layout):
        test = ""
    elif isinstance(external, Definition):
        test = _definition_test(known, external.function, *guard.value)
    elif guard.value is MISSING:
        test = _missing_test(known, external)
    elif guard.fact is None:
        test = f"{_external(known, external)} is {bound(known, 'object', guard.value)}"
    else:
        test = _kind_test(known, _external(known, external), external.read())
    return test or f"{bound(known, 'guard', guard)}.holds()"


def _definition_test(known: Known, function: Any, code: Any, defaults: Any, *named: Any) -> str:
    """An inlined function has the code and the defaults that it had."""
    if named:
        return ""
    own = bound(known, "function", function)
    same = f"{own}.__code__ is {bound(known, 'code', code)}"
    return f"{same} and {own}.__defaults__ is {bound(known, 'defaults', defaults)}"


def _missing_test(known: Known, external: External) -> str:
    if external.is_cell or external.path:
        return ""
    return f"{external.name!r} not in {bound(known, 'outside', external.function.__globals__)}"


def _kind_test(known: Known, expression: str, value: Any) -> str:
    """What is outside is a number or an array of the same kind."""
    if type(value) in (float, complex, bool):
        return f"type({expression}) is {type(value).__name__}"
    return _array_test(known, expression, value) if type(value) is np.ndarray else ""


def _external(known: Known, external: External) -> str:
    """The expression that reads something outside."""
    function = external.function
    if external.is_cell:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
        text = f"{bound(known, 'cell', cells[external.name])}.cell_contents"
    else:
        text = f"{bound(known, 'outside', function.__globals__)}[{external.name!r}]"
    for step in external.path:
        text += f".{step}" if isinstance(step, str) else f"[{bound(known, 'key', step[0])}]"
    return text
