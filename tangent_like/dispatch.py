"""Derivatives as callables: one compiled version for each kind of arguments."""

from __future__ import annotations

import functools
import inspect
import linecache
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import numpy as np

from tangent_like import effects, facts, trees
from tangent_like.deep import deep, one_compiler
from tangent_like.errors import NOWHERE, ArgumentError, NotYetSupported, Place
from tangent_like.facts import Fact
from tangent_like.faults import reported
from tangent_like.frontend import operators
from tangent_like.frontend.kinds import kinds_of
from tangent_like.frontend.numba_functions import python_function
from tangent_like.frontend.signatures import parameters_of
from tangent_like.likeness import check_like
from tangent_like.parts import is_too_deep, items_of, parts_of
from tangent_like.request import Request
from tangent_like.rules import registry
from tangent_like.spelled import Variadic, has_collectors, is_spelled_out, spelled

if TYPE_CHECKING:
    from tangent_like.backend.load import Compiled
    from tangent_like.frontend.source import Source

_NUMBERS = frozenset({
    float, int, bool, complex, np.float64, np.float32, np.int64, np.bool_, np.complex128,
})  # fmt: skip
_DEEPEST_KEY = 10
_MAX_SHAPES = 1024
Wrt = int | str | tuple[int | str, ...]


class Versions:
    """What was compiled for derivatives that are the same, though they were made one by one: a
    loop may call `grad(f)(x)` in each of its steps."""

    def __init__(self) -> None:
        self.shapes: dict[Any, Compiled] = {}
        self.versions: dict[Any, list[Compiled]] = {}
        self.entries: dict[Any, Callable[..., Any]] = {}


@functools.lru_cache(maxsize=64)
def _versions_of(
    function: Any, code: CodeType, operator: str, wrt: Wrt, options: tuple[tuple[str, Any], ...]
) -> Versions:
    return Versions()


def shared_versions(
    function: Any, operator: str, wrt: Wrt, options: Mapping[str, Any]
) -> Versions:
    """The versions for one of the functions that were differentiated last."""
    try:
        return _versions_of(
            function, root_of(function).__code__, operator, wrt, tuple(options.items())
        )
    except TypeError:  # something that has no hash
        return Versions()


class Derivative:
    """A derivative of a function, compiled when it is first called with a kind of arguments.

    It is called like the function, has its name, signature and documentation, pickles, and can
    itself be differentiated.
    """

    __slots__ = ("__call__", "__dict__", "__weakref__")

    __call__: Callable[..., Any]
    """The function that runs when the derivative is called: `choose`, or an entry (`entry.py`)
    that tests whether the version compiled last serves, and calls `choose` if it does not."""

    def __new__(cls, function: Any, operator: str, wrt: Wrt = 0, **options: Any) -> Any:
        """The derivative of a bound method is that of its function, the object given."""
        if isinstance(function, MethodType):
            inner = cls(function.__func__, operator, beyond_self(wrt), **options)
            return functools.partial(inner, function.__self__)
        if has_collectors(function):
            return Variadic(_derived, function, operator, wrt, options)
        return super().__new__(cls)

    def __init__(self, function: Any, operator: str, wrt: Wrt = 0, **options: Any):
        self.function = underlying(function)
        self.root = root_of(self.function)
        self.code = self.root.__code__
        self.wrt = wrt
        self.options = options
        self.request = make_request(self.function, operator, wrt, options)
        own = parameters(self.function)
        self.parameters = own + extra_parameters(operator, self.request, own)
        self.count = len(self.parameters)
        self.extra = self.count - len(own)
        self._known = shared_versions(self.function, operator, wrt, options)
        self._shapes, self._versions = self._known.shapes, self._known.versions
        self._latest: Compiled | None = None
        self._direct: Compiled | None = None
        """The version of which the entry knows the machine code, or that it has none."""

        self.__call__ = self.choose
        registry.observers.add(self)
        functools.update_wrapper(self, self.function, updated=())
        self.__name__ = f"{getattr(self.function, '__name__', 'f')}_{operator}"
        self.__wrapped__ = getattr(self.function, "__spelled__", self.function)
        self.__signature__ = signature_with(own, self.parameters[len(own) :])

    def choose(self, *args: Any, **keywords: Any) -> Any:
        """Call the version for these arguments, compiled now if there is none."""
        bound = self.bind(args, keywords)
        found, converted = self.version(bound), self.converted(bound)
        result = found.calls[0](*converted)
        if found is self._latest and self._direct is not found:
            self.enter_directly(bound, converted, found)
        return result

    def renew(self) -> None:
        """Begin anew with a function whose code was replaced, as IPython's autoreload does it."""
        rebuild, arguments = self.__reduce__()
        self.__dict__.update(rebuild(*arguments).__dict__)
        self.__call__ = self.choose

    def bind(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments by position, defaults filled in."""
        if self.root.__code__ is not self.code:
            self.renew()
        if not keywords and len(args) == self.count:
            return tuple(args)
        own, tail = (args[: -self.extra], args[-self.extra :]) if self.extra else (args, ())
        if isinstance(self.function, Derivative):  # whose own last arguments have no default either
            return (*self.function.bind(own, keywords), *tail)
        try:
            bound = inspect.signature(self.function).bind(*own, **keywords)
        except TypeError as error:
            raise ArgumentError(f"{self.__name__}: {error}", self.place) from None
        bound.apply_defaults()
        return (*bound.arguments.values(), *tail)

    @property
    def place(self) -> Place:
        return place_of(self.function)

    def converted(self, args: Sequence[Any]) -> list[Any]:
        """Arguments as the compiled code takes them: differentiated ints and NumPy's float64
        scalars as floats."""
        return [convert(a, i in self.request.wrt) for i, a in enumerate(args)]

    def version(self, args: Sequence[Any]) -> Compiled:
        """The compiled version for these arguments, compiled now if there is none."""
        shapes = shape_key(args)
        found = self._shapes.get(shapes) if shapes is not None else None
        if found is not None and all(guard.holds() for guard in found.guards):
            if self._latest is None:
                self.adopt(args, shapes, found)
            return found
        converted = self.converted(args)
        check_arguments(self, converted)
        kinds = kinds_of(converted)
        with one_compiler():
            found = self.held(kinds)
            if found is None:
                found = self._latest = self.for_kinds(kinds)
                self.enter(args, found, found.calls[0])
            elif self._latest is None:
                self.adopt(args, shapes, found)
            self.remember(shapes, found)
        return found

    def adopt(self, args: Sequence[Any], shapes: Any, found: Compiled) -> None:
        """Enter a version that was compiled for another derivative, which is the same."""
        self._latest = found
        entry = self._known.entries.get(shapes) if shapes is not None else None
        if entry is None:
            self.enter(args, found, found.calls[0])
        else:
            from tangent_like.entry import with_other_way  # noqa: PLC0415 - see `compiled`

            self.__call__ = with_other_way(entry, self.choose)

    def for_kinds(self, kinds: Sequence[Fact]) -> Compiled:
        """The compiled version for arguments of these kinds, compiled now if there is none."""
        with one_compiler():
            found = self.held(kinds)
            if found is None:
                found = compiled(self.function, kinds, self.request)
                self._versions.setdefault(tuple(kinds), []).append(found)
        return found

    def held(self, kinds: Sequence[Fact]) -> Compiled | None:
        for version in self._versions.get(tuple(kinds), ()):
            if all(guard.holds() for guard in version.guards):
                return version
        return None

    def enter_directly(self, args: Sequence[Any], given: Sequence[Any], found: Compiled) -> None:
        """Call the machine code of the version compiled last at once, now that it is there."""
        self._direct = found
        if self.request.backend != "numba":
            return
        from tangent_like.backend.numba_dialect.direct import direct_call  # noqa: PLC0415 - extra

        call = direct_call(found.calls[0], given)
        if call is not None:
            self.enter(args, found, call)

    def enter(self, args: Sequence[Any], found: Compiled, call: Callable[..., Any]) -> None:
        """Choose a new version at once where arguments like these come again."""
        from tangent_like.entry import Parameters, make_entry  # noqa: PLC0415 - see `compiled`

        name = self.__name__ if self.__name__.isidentifier() else "derivative"
        taken = Parameters.of(self.root, [p.name for p in self.parameters])
        entry = make_entry(
            name, taken, args, self.request.wrt, self.root, found.guards, call, self.choose
        )
        if entry is not None:
            self.__call__ = self._known.entries[shape_key(args)] = entry

    def remember(self, shapes: Any, found: Compiled) -> None:
        """Find this version again by the types and shapes of the arguments, if these tell."""
        if shapes is not None:
            if len(self._shapes) >= _MAX_SHAPES:
                self._shapes.clear()
            self._shapes[shapes] = found

    def forget(self) -> None:
        self.__call__ = self.choose
        self._shapes.clear()
        self._known.entries.clear()
        self._versions.clear()
        self._latest = self._direct = None

    def generated(self, *args: Any) -> Callable[..., Any]:
        """The generated function itself, a plain one, that serves arguments of these kinds."""
        return self.version(self.bind(args, {})).calls[0]

    def source(self, *args: Any) -> str:
        """The generated source: for these arguments, else for those of the call that last compiled
        something, else for annotated types."""
        if args:
            return self.version(self.bind(args, {})).text
        return (self._latest or self.for_types(None)).text

    def for_types(self, types: dict[str, Any] | None, simplify: bool = True) -> Compiled:
        """The version for declared types, compiled without being called."""
        kinds = declared_kinds(self.function, types, self.request.wrt)
        return compiled(self.function, kinds, self.request, simplify)

    def derived(self) -> tuple[str, Any, dict[str, Any]]:
        """What it is when a differentiated function calls it: operator, function, options."""
        return self.request.operator, self.function, {"wrt": self.wrt, **self.options}

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        return _rebuild, (self.__wrapped__, self.request.operator, self.wrt, self.options)

    def __repr__(self) -> str:
        name = getattr(self.function, "__qualname__", repr(self.function))
        return f"<{self.request.operator} of {name} with respect to {self.wrt!r}>"


operators.register_class(Derivative)
operators.register_class(Variadic)


@functools.lru_cache(maxsize=512)
def _derived_once(
    function: Any, operator: str, wrt: Wrt, options: tuple[tuple[str, Any], ...]
) -> Derivative:
    return Derivative(function, operator, wrt, **dict(options))


def _derived(function: Any, operator: str, wrt: Wrt, **options: Any) -> Derivative:
    """A derivative, one and the same for the same function."""
    return _derived_once(function, operator, wrt, tuple(options.items()))


def compiled(
    function: Any, kinds: Sequence[Fact], request: Request, simplify: bool = True
) -> Compiled:
    """A derivative, from the cache or compiled now.

    The first one loads the compiler, so that importing stays fast, and so does what is cached.
    """

    def compile_now() -> Compiled:
        from tangent_like.pipeline import compile_derivative  # noqa: PLC0415 - see above

        with reported(lambda: place_of(function)):
            return deep(compile_derivative, function, kinds, request, simplify)

    if request.cache:
        from tangent_like.cache import kept  # noqa: PLC0415 - see above

        found = kept(function, (tuple(kinds), request, simplify), compile_now)
    else:
        found = compile_now()
    if request.backend == "numba":
        watch(found, function, kinds, request)
    return found


def watch(found: Compiled, function: Any, kinds: Sequence[Fact], request: Request) -> None:
    """Let Numba's errors, when it compiles the derivative, name the user's lines."""
    from tangent_like.backend.numba_dialect import diagnosis  # noqa: PLC0415 - an extra

    def places() -> dict[int, Place]:
        from tangent_like.pipeline import places_for_numba  # noqa: PLC0415 - the compiler

        return deep(places_for_numba, function, kinds, request)

    diagnosis.watch(found, name_of(function), places)


def _rebuild(function: Any, operator: str, wrt: Wrt, options: dict[str, Any]) -> Derivative:
    return Derivative(function, operator, wrt, **options)


def beyond_self(wrt: Wrt) -> Wrt:
    """The arguments of a bound method, counted as its function counts them."""
    if isinstance(wrt, tuple):
        return tuple(beyond_self(entry) for entry in wrt)  # type: ignore[misc]
    return wrt + 1 if isinstance(wrt, int) and wrt >= 0 else wrt


def underlying(function: Any, count: int | None = None) -> Any:
    """What is differentiated: a Python function, or a derivative.  For callables of other kinds,
    and such as take any number of arguments, it is a function written for them, of `count`."""
    inner = getattr(function, "__differentiated__", None)
    if inner is not None:
        return inner
    function = python_function(function)
    if count is not None and has_collectors(function):
        return spelled(function, count)
    if isinstance(function, FunctionType) and function in registry.own:
        return spelled(function)  # whose call has the derivative that the rule says
    if isinstance(function, (FunctionType, Derivative)):
        return function
    if is_spelled_out(function) and registry.find(function) is None:
        return spelled(function)
    if callable(function):
        name = getattr(function, "__qualname__", None) or type(function).__name__
        if registry.find(function) is not None:
            raise NotYetSupported(
                f"differentiating `{name}` itself", hint=f"wrap it: lambda x: {name}(x)"
            )
        source_of(function)
        raise NotYetSupported(f"differentiating {function!r}", hint="pass a plain function")
    raise ArgumentError(f"a function is needed, not {function!r}")


def source_of(function: Any) -> Source:
    """The source of a function; with it what reads syntax trees, which importing leaves out."""
    from tangent_like.frontend.source import find_source  # noqa: PLC0415 - see above

    return find_source(function)


def parameters(function: Any) -> list[inspect.Parameter]:
    """The parameters of a function; `*args` and `**kwargs` are refused."""
    if isinstance(function, Derivative):
        return function.parameters
    found = parameters_of(function)
    for parameter in found:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            source = source_of(function)
            raise NotYetSupported(
                f"differentiating a function with `*{parameter.name}`",
                source.place(source.tree),
                "name its parameters",
            )
    return found


def extra_parameters(
    operator: str, request: Request, own: Sequence[inspect.Parameter]
) -> list[inspect.Parameter]:
    """What a derivative takes after the arguments of the function: tangents, or a seed."""
    prefix = {"jvp": "d", "hvp": "v", "columns": "d"}.get(operator)
    names = [f"{prefix}{own[i].name}" for i in request.wrt] if prefix else []
    if operator in ("vjp", "rows"):
        names = ["by"]
    taken = {p.name for p in own}
    for k, name in enumerate(names):
        names[k] = trees.free_name(name, taken)
        taken.add(names[k])
    return [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]


def signature_with(
    own: Sequence[inspect.Parameter], extra: Sequence[inspect.Parameter]
) -> inspect.Signature:
    """The signature of a derivative: what it takes besides comes after the function's own
    positional arguments, which therefore show no default."""
    if not extra:
        return inspect.Signature(own)
    named = [p for p in own if p.kind is p.KEYWORD_ONLY]
    before = [p.replace(default=p.empty) for p in own if p.kind is not p.KEYWORD_ONLY]
    return inspect.Signature([*before, *extra, *named])


def make_request(function: Any, operator: str, wrt: Wrt, options: dict[str, Any]) -> Request:
    names = [p.name for p in parameters(function)]
    entries = wrt if isinstance(wrt, tuple) else (wrt,)
    positions = tuple(position_of(function, names, entry) for entry in entries)
    if len(set(positions)) != len(positions):
        raise ArgumentError(f"wrt names an argument twice: {wrt!r}")
    check_options(options)
    return Request(operator, positions, not isinstance(wrt, tuple), **options)


def check_options(options: Mapping[str, Any]) -> None:
    """The backend exists, and the other options are for it."""
    backend = options.get("backend", "numpy")
    if backend not in ("numpy", "numba"):
        raise ArgumentError(f'backend is "numpy" or "numba", not {backend!r}')
    for_numba = [name for name in ("fastmath", "parallel") if options.get(name)]
    if backend == "numpy" and for_numba:
        raise ArgumentError(f'{for_numba[0]} is an option of backend="numba"')
    if backend == "numba":
        require_numba()


def require_numba() -> None:
    """Load the dialect of Numba, which no one needs who does not ask for it."""
    try:
        from tangent_like.backend.numba_dialect import calling  # noqa: PLC0415 - see above
    except ImportError as error:
        if error.name not in ("numba", "llvmlite"):
            raise
        raise ArgumentError(
            'backend="numba" needs Numba, which is not installed',
            hint='say `pip install "tangent-like[numba]"`',
        ) from None

    def described(derivative: Derivative) -> calling.Callee:
        return calling.Callee(derivative.count, derivative.request.wrt, derivative.for_kinds)

    calling.register(Derivative, described)


def position_of(function: Any, names: Sequence[str], entry: Any) -> int:
    if isinstance(entry, str) and entry in names:
        return names.index(entry)
    if isinstance(entry, int) and not isinstance(entry, bool) and -len(names) <= entry < len(names):
        return entry % len(names)
    raise ArgumentError(
        f"`{name_of(function)}` has no argument {entry!r} to differentiate",
        place_of(function),
        f"its arguments are {', '.join(names)}",
    )


def root_of(function: Any) -> Any:
    """The function that a derivative, of whatever order, is a derivative of."""
    while isinstance(function, Derivative):
        function = function.function
    return function


def name_of(function: Any) -> str:
    return getattr(root_of(function), "__name__", "f")


def place_of(function: Any) -> Place:
    """Where a function is defined."""
    root = root_of(function)
    root = getattr(root, "__spelled__", root)
    code = getattr(root, "__code__", None)
    if code is None:
        return NOWHERE
    return Place(code.co_filename, _line_of_definition(code), function=root.__name__)


def _line_of_definition(code: CodeType) -> int:
    """The line with `def`, which follows the decorators; the first one where there is none."""
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
    wanted = re.compile(rf"\s*(async\s+)?def\s+{re.escape(code.co_name)}\b")
    if not lines or not lines[0].lstrip().startswith("@"):
        return code.co_firstlineno
    found = (k for k, line in enumerate(lines) if wanted.match(line))
    return code.co_firstlineno + next(found, 0)


def shape_key(args: Iterable[Any], depth: int = 0) -> Any:
    """A key that is quick to make and at least as fine as the kinds; None for what is rare."""
    if depth > _DEEPEST_KEY:
        return None
    key: list[Any] = []
    for arg in args:
        kind = type(arg)
        if kind is np.ndarray:
            key.append((arg.dtype, arg.shape))
        elif kind in _NUMBERS:
            key.append(kind)
        elif kind is str or arg is None:
            key.append((kind, arg))
        else:
            parts = arg if kind is tuple or kind is list else parts_of(arg)
            if parts is None:
                return None
            named = isinstance(parts, dict)
            inner = shape_key(parts.values() if named else parts, depth + 1)
            if inner is None:
                return None
            key.append((kind, tuple(parts) if named else (), inner))
    return tuple(key)


def convert(value: Any, differentiated: bool) -> Any:
    kind = type(value)
    if kind is float or kind is np.ndarray:
        return value
    if isinstance(value, (bool, np.bool_)):
        return value
    if isinstance(value, (int, np.integer)):
        return float(value) if differentiated else value
    if isinstance(value, np.float64):
        return float(value)
    if isinstance(value, np.complex128):
        return complex(value)
    if kind is tuple:
        return tuple(_inner(v) for v in value)
    if kind is list:
        return [_inner(v) for v in value]
    if kind is dict:
        return {key: _inner(v) for key, v in value.items()}
    return value


def _inner(value: Any) -> Any:
    return value if isinstance(value, (int, np.integer)) else convert(value, False)


def check_arguments(derivative: Derivative, args: Sequence[Any]) -> None:
    names = [p.name for p in parameters(derivative.function)]
    for i, value in enumerate(args[: len(names)]):
        check_value(derivative, names[i], value, i in derivative.request.wrt)
    if derivative.request.operator == "hvp":
        for i, vector in zip(derivative.request.wrt, args[len(names) :], strict=True):
            check_like(args[i], vector, f"vector for the argument `{names[i]}`", derivative.place)


def check_value(derivative: Derivative, name: str, value: Any, differentiated: bool) -> None:
    if isinstance(value, np.ndarray) and differentiated and value.dtype.kind not in "fc":
        raise ArgumentError(
            f"the argument `{name}` is an array of {value.dtype}, which has no derivative",
            derivative.place,
            f"pass `{name}.astype(float)`",
        )
    if differentiated and isinstance(value, (bool, np.bool_, str, bytes, type(None))):
        raise ArgumentError(
            f"the argument `{name}` is {value!r}, which has no derivative", derivative.place
        )
    known = (bool, int, float, complex, np.ndarray, np.generic, str, type(None), slice, type(...))
    if isinstance(value, known):
        return
    if isinstance(value, effects.sources_of_draws()) and not differentiated:
        return
    items = items_of(value)
    if items is not None:
        if is_too_deep(value):
            raise ArgumentError(
                f"the argument `{name}` contains itself, or is nested very deep", derivative.place
            )
        for item in items:
            if not callable(item) or parts_of(item):
                check_value(derivative, name, item, False)
        if differentiated and items and not facts.may_be_differentiated(facts.of_constant(value)):
            raise ArgumentError(
                f"the argument `{name}` holds no numbers to differentiate", derivative.place
            )
        return
    if callable(value) and not differentiated:
        return
    if callable(value):
        raise ArgumentError(
            f"the argument `{name}` is a function, which has no derivative", derivative.place
        )
    raise NotYetSupported(
        f"the argument `{name}` of type {type(value).__name__}",
        derivative.place,
        "pass its numbers and arrays, in tuples or lists",
    )


def declared_kinds(
    function: Any, types: dict[str, Any] | None, wrt: Sequence[int]
) -> tuple[Fact, ...]:
    """Kinds from declared types: a type, an annotation, or an example value for each name."""
    root = root_of(function)
    found: list[Fact] = []
    examples: list[Any] = []
    given = types or {}
    names = [p.name for p in parameters(root)]
    for name in given:
        if name not in names:
            raise ArgumentError(
                f"`{name_of(root)}` has no argument {name!r} to give a type",
                place_of(root),
                f"its arguments are {', '.join(names)}",
            )
    for parameter in parameters(root):
        declared = given.get(parameter.name, parameter.annotation)
        fact = declared_fact(declared)
        if fact is None and not isinstance(declared, (type, str)):
            examples.append((len(found), declared))
        found.append(fact if fact is not None else facts.NUMERIC)
    values = [convert(value, i in wrt) for i, value in examples]
    for (i, _), kind in zip(examples, kinds_of(values), strict=True):
        found[i] = kind
    return tuple(found)


_DECLARED: dict[Any, Fact] = {
    float: facts.FLOAT, int: facts.INT, bool: facts.BOOL, complex: facts.Scalar("complex"),
    np.ndarray: facts.Array(None, None), inspect.Parameter.empty: facts.NUMERIC,
    np.float64: facts.FLOAT, np.float32: facts.Array("float32", ()),
}  # fmt: skip
_BY_NAME: dict[str, Fact] = {
    "float": facts.FLOAT, "int": facts.INT, "bool": facts.BOOL, "complex": facts.Scalar("complex"),
    "array": facts.Array("float64", None), "np.ndarray": facts.NUMERIC, "ndarray": facts.NUMERIC,
    "vector": facts.Array("float64", (facts.Size(-1, 0, True),)),
    "matrix": facts.Array("float64", (facts.Size(-1, 0, True), facts.Size(-2, 0, True))),
}  # fmt: skip


def declared_fact(declared: Any) -> Fact | None:
    """The fact of a type or its name; None for an example value."""
    if isinstance(declared, str):
        return _BY_NAME.get(declared, facts.NUMERIC)
    try:
        return _DECLARED.get(declared)
    except TypeError:
        return None
