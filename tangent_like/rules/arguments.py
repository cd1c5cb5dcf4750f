"""The operands of a call as a rule takes them: by position and name, as NumPy's function does.

A rule's functions name their parameters as the function they belong to does, in the same order;
so they say which keywords are supported, and what an operand left out is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from tangent_like.errors import NotYetSupported
from tangent_like.ir import Atom, Const, Op
from tangent_like.rules.registry import Rule

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What one function of a rule takes, without what it takes besides the operands."""

    positional: tuple[inspect.Parameter, ...]
    names: frozenset[str]
    any_number: bool
    any_name: bool


@cache
def parameters_of(function: Callable[..., Any], before: int, after: int = 0) -> Parameters:
    """The operands of a function that takes `before` others first, and `after` others last."""
    given = list(inspect.signature(function).parameters.values())
    positional = [p for p in given if p.kind in _POSITIONAL]
    if after:  # the result stands behind the last operand and before the options
        options = {p.name for p in positional if p.default is not p.empty}
        positional = [p for p in positional if p.default is p.empty][:-after]
    else:
        options = set()
    operands = tuple(positional[before:])
    named = {p.name for p in given if p.kind in _NAMED and p not in positional[:before]}
    return Parameters(
        operands,
        frozenset(options | (named if not after else named & options) | _keyword_only(given)),
        any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in given),
        any(p.kind is inspect.Parameter.VAR_KEYWORD for p in given),
    )


def _keyword_only(given: list[inspect.Parameter]) -> set[str]:
    return {p.name for p in given if p.kind is inspect.Parameter.KEYWORD_ONLY}


def of_rule(rule: Rule) -> list[Parameters]:
    """The parameters of each of the rule's functions."""
    return list(_of_rule(rule))


def _of_rule(rule: Rule) -> Iterator[Parameters]:
    if rule.partials is not None:
        yield parameters_of(rule.partials, 0, 1)
    if rule.jvp is not None:
        yield parameters_of(rule.jvp, 2)
    if rule.vjp is not None:
        yield parameters_of(rule.vjp, 1 if rule.kind == "linear" else 2)
    for transpose in rule.transposes:
        yield parameters_of(transpose, 1)
    if rule.formula is not None:
        yield parameters_of(rule.formula, 0)


# --- what a rule takes ------------------------------------------------------------------------


def check(op: Op, rule: Rule, count: int, keywords: dict[str, Any]) -> None:
    """Refuse operands that one of the rule's functions does not know."""
    for parameters in _of_rule(rule):
        if count > len(parameters.positional) and not parameters.any_number:
            raise _unknown(op, _name_at(op.fn, len(parameters.positional)))
        unknown = sorted(keywords.keys() - parameters.names)
        if unknown and not parameters.any_name:
            raise _unknown(op, unknown[0])


_HINTS = {"where": "choose afterwards: `np.where(mask, result, otherwise)`"}


def _unknown(op: Op, argument: str) -> NotYetSupported:
    return NotYetSupported(
        f"`{getattr(op.fn, '__name__', repr(op.fn))}` with the argument `{argument}`",
        op.place,
        _HINTS.get(argument, f"leave `{argument}` out, or compute the same in two steps"),
    )


def _name_at(function: Any, position: int) -> str:
    names = names_of(function)
    return names[position] if position < len(names) else f"number {position + 1}"


@cache
def names_of(function: Any) -> tuple[str, ...]:
    """The names of a function's positional parameters; none where Python cannot tell."""
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(p.name for p in given if p.kind in _POSITIONAL)


def arranged(op: Op, rule: Rule) -> Op:
    """Operands by position, and the options of an element-wise function by name."""
    if len(op.args) < 2 and not op.keywords and rule.kind != "elementwise":
        return op
    parameters = next(iter(_of_rule(rule)), None)
    if parameters is None:
        return op
    op = replace(op, keywords=tuple(pair for pair in op.keywords if _matters(op.fn, *pair)))
    op = _with_flags(_operands_by_position(op, parameters), parameters)
    _refuse_order_of_memory(op, parameters)
    return _options_by_name(op, parameters) if rule.kind == "elementwise" else op


_USUAL: dict[str, tuple[Any, ...]] = {
    "like": (None,), "device": (None, "cpu"), "signature": (None,), "out": (None,)
}  # fmt: skip
"""Values of options that say what holds anyway."""

_OF_MEMORY = {"casting", "order", "subok"}
"""Options of ufuncs that say how results are made, not what they are."""


def is_ufunc(function: Any) -> bool:
    """Whether a function has the options of ufuncs."""
    return isinstance(function, np.ufunc) or function is np.clip


def _matters(function: Any, name: str, atom: Atom) -> bool:
    """Whether an option has a bearing on the derivative."""
    if is_ufunc(function):
        if name in _OF_MEMORY:
            return False
        if name == "where" and isinstance(atom, Const) and atom.value is True:
            return False
    return not (isinstance(atom, Const) and _is_usual(name, atom.value))


def _is_usual(name: str, value: Any) -> bool:
    return (value is None or isinstance(value, str)) and value in _USUAL.get(name, ())


def _with_flags(op: Op, parameters: Parameters) -> Op:
    """`keepdims` as True or False: NumPy also takes what is as good as that."""
    if "keepdims" not in parameters.names:
        return op
    names = [p.name for p in parameters.positional]
    keywords = tuple((key, _flag(op, key, atom)) for key, atom in op.keywords)
    args = [_flag(op, *pair) for pair in zip(names, op.args, strict=False)]
    return replace(op, args=(*args, *op.args[len(args) :]), keywords=keywords)


def _flag(op: Op, name: str, atom: Atom) -> Atom:
    if name != "keepdims" or (isinstance(atom, Const) and atom.value is np._NoValue):
        return atom
    if not isinstance(atom, Const):
        raise NotYetSupported(
            "`keepdims` that is known at run time only", op.place, "write keepdims=True or False"
        )
    return Const(bool(atom.value))


def _refuse_order_of_memory(op: Op, parameters: Parameters) -> None:
    """An order that follows memory says other elements of a derivative, which may lie otherwise."""
    for place, parameter in enumerate(parameters.positional):
        if parameter.name == "order" and parameter.default == "C":
            atom = op.args[place] if place < len(op.args) else dict(op.keywords).get("order")
            known = isinstance(atom, Const) and str(atom.value).upper() in ("C", "F", "NONE")
            if atom is not None and not known:
                raise NotYetSupported(
                    "an order of elements that depends on how they lie in memory", op.place,
                    'write order="C" or order="F"',
                )  # fmt: skip


def _operands_by_position(op: Op, parameters: Parameters) -> Op:
    """`np.swapaxes(x, axis1=0, axis2=1)`, whatever a rule calls what it must be given."""
    required = sum(p.default is p.empty for p in parameters.positional)
    if not op.keywords or len(op.args) >= required:
        return op
    args, keywords = list(op.args), dict(op.keywords)
    for name in names_of(op.fn)[len(args) : required]:
        if name not in keywords:
            break
        args.append(keywords.pop(name))
    return replace(op, args=tuple(args), keywords=tuple(keywords.items()))


def _options_by_name(op: Op, parameters: Parameters) -> Op:
    count = len(parameters.positional)
    if parameters.any_number or len(op.args) <= count:
        return op
    names = names_of(op.fn)[count : len(op.args)]
    if len(names) < len(op.args) - count:
        raise _unknown(op, f"number {count + 1}")
    return replace(op, args=op.args[:count], keywords=(*zip(names, op.args[count:]), *op.keywords))


# --- operands that vary -----------------------------------------------------------------------


def by_position(op: Op, rule: Rule, varies: Callable[[Atom], bool]) -> Op:
    """The operation with keyword operands that vary by position, since cotangents go by it."""
    varying = [key for key, atom in op.keywords if varies(atom)]
    if not varying:
        return op
    parameters = next(iter(_of_rule(rule))).positional
    last = max(differentiable_place(op, rule, key) for key in varying) + 1
    keywords = dict(op.keywords)
    more = [keywords.pop(p.name, Const(p.default)) for p in parameters[len(op.args) : last]]
    return replace(op, args=(*op.args, *more), keywords=tuple(keywords.items()))


def differentiable_place(op: Op, rule: Rule, name: str) -> int:
    """The position of an operand given by name; refuses one that the rule does not differentiate.

    Options of a pair are not differentiated unless it says so, all operands of a formula are.
    """
    operands = next(iter(_of_rule(rule))).positional
    for place, parameter in enumerate(operands):
        if parameter.name == name and _differentiable(rule, place, parameter):
            return place
    raise NotYetSupported(
        f"differentiating with respect to `{name}=`",
        op.place,
        "compute the same with operations that have it as an operand",
    )


def named_operands(rule: Rule) -> set[str]:
    """The names of what a linear function is linear in."""
    operands = next(iter(_of_rule(rule))).positional
    return {operands[place].name for place in rule.wrt or () if place < len(operands)}


def refuse_options(op: Op, rule: Rule, varies: Sequence[bool]) -> None:
    """Refuse an option that varies: of a pair only what must be given is differentiated."""
    if rule.kind != "pair":
        return
    operands = next(iter(_of_rule(rule))).positional
    for place, (varying, parameter) in enumerate(zip(varies, operands, strict=False)):
        if varying and not _differentiable(rule, place, parameter):
            raise NotYetSupported(f"differentiating with respect to `{parameter.name}`", op.place)


def _differentiable(rule: Rule, place: int, parameter: inspect.Parameter) -> bool:
    if rule.kind in ("linear", "bilinear"):
        return rule.wrt is None or place in rule.wrt
    if rule.kind == "composed" or parameter.default is parameter.empty:
        return True
    return rule.wrt is not None and place in rule.wrt


# --- results without a derivative -------------------------------------------------------------


def gives_integers(op: Op, rule: Rule) -> bool:
    """Whether the call asks for an element type that carries no derivative: `x.astype(int)`."""
    if len(op.args) < 2 and not op.keywords:
        return False
    atom = dict(op.keywords).get("dtype") or _dtype_by_position(op, rule)
    if not isinstance(atom, Const) or atom.value is None:
        return False
    try:
        kind = np.dtype(atom.value).kind
    except TypeError:
        return False
    if kind not in "biufc":
        raise NotYetSupported(
            f"numbers as elements of type {np.dtype(atom.value)}", op.place, "use dtype=float"
        )
    return kind not in "fc"


def _dtype_by_position(op: Op, rule: Rule) -> Atom | None:
    if rule.kind in ("constant", "elementwise"):
        return None
    names = [p.name for p in next(iter(_of_rule(rule))).positional[: len(op.args)]]
    return op.args[names.index("dtype")] if "dtype" in names else None
