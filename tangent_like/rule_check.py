"""`check_rule`: an own rule, or a function with `custom_vjp` or `custom_jvp`, put to the test."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.check import check_grads
from tangent_like.dispatch import Derivative
from tangent_like.errors import ArgumentError, NeverSupported, NotYetSupported
from tangent_like.parts import items_of, map_leaves
from tangent_like.rules import registry
from tangent_like.rules.arguments import names_of

_serial = itertools.count(1)


@dataclass(frozen=True, slots=True)
class RuleReport:
    """What was checked of a rule: a name and an outcome each."""

    function: str
    lines: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.lines)
        rows = [f"  {name.ljust(width)}  {outcome}" for name, outcome in self.lines]
        return "\n".join([f"rule of `{self.function}`", *rows])

    __repr__ = __str__


def check_rule(
    function: Callable[..., Any],
    *args: Any,
    order: int = 2,
    broadcast: bool = True,
    **keywords: Any,
) -> RuleReport:
    """Check the rule that was registered for `function`, from a call with these arguments.

    `function` has a rule (of `elementwise`, `linear`, `bilinear`, `rule`), or was made by
    `custom_vjp` or `custom_jvp`.  Floats, complex numbers and arrays of them among `args` are its
    operands, all else are options.  What is checked:

    * both modes against finite differences, and against one another (dot-product test);
    * the second derivatives in all mixes of the modes (with `order=1` not);
    * other shapes, where the function takes them: numbers, 0-d arrays, axes of length 0 and 1,
      operands that are broadcast (with `broadcast=False` operands have one shape);
    * single precision: derivatives of float32 operands are float32, and those of float64;
    * that derivatives are the same where nothing is known of the arguments' types.

    Returns a report that can be printed.  Raises AssertionError, with the report, if a check
    fails: it says which, for which operand, mode and order, and by how much.
    """
    if registry.find(function) is None and registry.custom_of(function) is None:
        name = getattr(function, "__name__", repr(function))
        raise ArgumentError(
            f"`{name}` has no rule of its own",
            hint="register one, or check a function without a rule with tl.check_grads",
        )
    call = _Call(function, args, keywords)
    checks: list[tuple[str, Callable[[], str]]] = [
        ("first derivatives", lambda: _of_order(call, 1)),
        ("second derivatives", lambda: _of_order(call, 2) if order > 1 else "not asked for"),
        ("other shapes", lambda: _shapes(call, broadcast)),
        ("single precision", lambda: _single(call)),
        ("unknown types", lambda: _unknown(call)),
    ]
    lines: list[tuple[str, str]] = []
    failure = None
    for name, check in checks:
        try:
            lines.append((name, check() if failure is None else "not checked"))
        except Exception as error:  # a wrong rule may raise anything
            lines.append((name, f"WRONG: {_text(error)}"))
            failure = error
    report = RuleReport(call.name, tuple(lines))
    if failure is not None:
        raise AssertionError(f"check_rule: {report}") from failure
    return report


def _text(error: Exception) -> str:
    return str(error).removeprefix("check_grads: ") or repr(error)


# --- the call -----------------------------------------------------------------------------------


class _Call:
    """A function of the operands alone, whose source says what is called with which options."""

    def __init__(self, function: Any, args: Sequence[Any], keywords: dict[str, Any]):
        self.name = getattr(function, "__name__", repr(function))
        self.operands = tuple(x for x in args if _is_operand(x))
        if not self.operands:
            raise ArgumentError("no argument can have a derivative", hint="pass floats")
        values: dict[str, Any] = {"rule_checked": function}
        given = names_of(function)
        names = given if len(given) >= len(args) else [f"x{i}" for i in range(len(args))]
        params, parts = [], []
        for name, x in zip(names, args, strict=False):
            if _is_operand(x):
                params.append(name)
            parts.append(name if _is_operand(x) else _spelled(x, values))
        parts += [f"{key}={_spelled(x, values)}" for key, x in keywords.items()]
        self.run = _defined(params, parts, values)

    def derivative(self, operator: str) -> Derivative:
        return Derivative(self.run, operator, tuple(range(len(self.operands))))


def _is_operand(value: Any) -> bool:
    """Whether there is a float, or a complex number, in an argument."""
    items = items_of(value)
    if items is not None:
        return any(map(_is_operand, items))
    return isinstance(value, (float, complex, np.ndarray, np.generic)) and (
        np.asarray(value).dtype.kind in "fc"
    )


def _spelled(value: Any, values: dict[str, Any]) -> str:
    """An option as Python text, so that it is known when the derivative is compiled."""
    if isinstance(value, (bool, int, str, type(None))):
        return repr(value)
    if isinstance(value, (tuple, list)) and all(isinstance(x, int) for x in value):
        return repr(value)
    name = f"rule_option{len(values)}"
    values[name] = value
    return name


def _defined(params: Sequence[str], parts: Sequence[str], values: dict[str, Any]) -> Any:
    source = f"def call({', '.join(params)}):\n    return rule_checked({', '.join(parts)})\n"
    filename = f"<check_rule {next(_serial)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    space = {"__name__": "check_rule", **values}
    exec(compile(source, filename, "exec"), space)
    return space["call"]


# --- the checks ---------------------------------------------------------------------------------


def _of_order(call: _Call, order: int) -> str:
    check_grads(call.run, call.operands, order=order)
    return "right"


_SAME: list[tuple[Any, ...]] = [
    ((3,), (3,)), ((2, 3), (2, 3)), ((), ()), (None, None), ((1,), (1,)), ((0,), (0,)),
]  # fmt: skip
_BROADCAST: list[tuple[Any, ...]] = [
    ((3,), None), (None, (3,)), ((3,), ()), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)),
]  # fmt: skip
"""Shapes of two operands, None for a number; further operands are like the first."""


def _shapes(call: _Call, broadcast: bool) -> str:
    count = len(call.operands)
    same = [shapes[0:1] * count for shapes in _SAME]
    if not all(_acts_by_element(call, _near_all(call, shapes)) for shapes in same[:2]):
        return "not applicable: the function does not act element by element"
    more = [(*pair, *[pair[0]] * (count - 2)) for pair in _BROADCAST if broadcast and count > 1]
    tried = [_checked_at(call, shapes) for shapes in [*same, *more]]
    return f"right, {sum(tried)} combinations"


def _checked_at(call: _Call, shapes: tuple[Any, ...]) -> bool:
    """Check operands of these shapes; False where the function does not take them."""
    operands = _near_all(call, shapes)
    if not _acts_by_element(call, operands):
        return False
    try:
        check_grads(call.run, operands, order=1)
    except Exception as error:
        where = " with ".join(map(_shown, shapes))
        raise AssertionError(f"operands {where}: {_text(error)}") from error
    return True


def _acts_by_element(call: _Call, operands: Sequence[Any]) -> bool:
    """Whether the function takes these operands and gives a result of their common shape."""
    try:
        with np.errstate(all="ignore"):
            result = call.run(*operands)
    except (TypeError, ValueError, IndexError, ArithmeticError):
        return False
    if any(items_of(x) is not None for x in (result, *operands)):
        return False
    finite = bool(np.all(np.isfinite(result)))
    return finite and np.shape(result) == np.broadcast_shapes(*map(np.shape, operands))


def _shown(shape: tuple[int, ...] | None) -> str:
    return "number" if shape is None else str(shape)


def _near_all(call: _Call, shapes: Sequence[Any]) -> list[Any]:
    """Operands of these shapes, with values near those that were given; structures as they are."""
    operands = zip(call.operands, shapes, strict=True)
    return [x if items_of(x) is not None or not np.size(x) else _near(x, s) for x, s in operands]


def _near(x: Any, shape: tuple[int, ...] | None) -> Any:
    first = np.ravel(x)[0].item()
    if shape is None:
        return first
    steps = 1 + 0.05 * np.sin(1.0 + np.arange(int(np.prod(shape))))
    return (first * steps).reshape(shape)


def _single(call: _Call) -> str:
    operands: Any = call.operands
    if not any(isinstance(x, np.ndarray) for x in operands):
        if any(items_of(x) is not None for x in operands):
            return "not applicable: no operand is an array"
        operands = [_near(x, (3,)) for x in operands]
    single = [map_leaves(_shortened, x) for x in operands]
    try:
        result = call.run(*single)
    except (TypeError, ValueError):
        return "not applicable: the function takes no arrays"
    if items_of(result) is not None or np.asarray(result).dtype not in (np.float32, np.complex64):
        return "not applicable: the function gives no float32"
    seed = np.ones_like(result)
    long = _derivatives(call, operands, seed.astype(np.asarray(call.run(*operands)).dtype))
    for what, found, expected in zip(
        _names(operands), _derivatives(call, single, seed), long, strict=True
    ):
        if isinstance(found, np.ndarray) and found.dtype not in (np.float32, np.complex64):
            raise AssertionError(f"{what} of float32 operands is {found.dtype}")
        _compare(found, expected, 1e-4, what)
    return "right"


def _shortened(x: Any) -> Any:
    if not isinstance(x, np.ndarray):
        return x
    return x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)


def _unknown(call: _Call) -> str:
    seed = map_leaves(lambda y: np.ones_like(y)[()], call.run(*call.operands))
    try:
        found = _derivatives(call, call.operands, seed, known=False)
    except (NotYetSupported, NeverSupported) as error:
        return f"refused: {error.message}"
    expected = _derivatives(call, call.operands, seed)
    for what, a, b in zip(_names(call.operands), found, expected, strict=True):
        _compare(a, b, 1e-10, what)
    return "right"


def _derivatives(call: _Call, operands: Sequence[Any], seed: Any, known: bool = True) -> list[Any]:
    """The tangent along the operands themselves, and their cotangents."""
    found = []
    for operator, more in (("jvp", operands), ("vjp", [seed])):
        derivative = call.derivative(operator)
        run: Any = derivative
        if not known:
            run = derivative.for_kinds([facts.UNKNOWN] * derivative.count).calls[0]
        found.append(run(*operands, *more))
    return [found[0][1], *found[1]]


def _names(operands: Sequence[Any]) -> list[str]:
    return ["the tangent", *(f"the cotangent of operand {i + 1}" for i in range(len(operands)))]


def _compare(found: Any, expected: Any, rtol: float, what: str) -> None:
    items = items_of(expected)
    if items is not None:
        for a, b in zip(items_of(found) or (), items, strict=True):
            _compare(a, b, rtol, what)
        return
    if np.shape(found) != np.shape(expected):
        raise AssertionError(
            f"{what} has shape {np.shape(found)}, expected {np.shape(expected)}"
        )
    error = float(np.max(np.abs(np.subtract(found, expected)), initial=0.0))
    allowed = rtol * (1.0 + float(np.max(np.abs(expected), initial=0.0)))
    if not error <= allowed:
        raise AssertionError(f"{what} differs by {error:.3g}, allowed are {allowed:.3g}")
