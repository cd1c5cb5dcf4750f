"""Lowering `match`: each case is a branch on the test of its pattern.

    match p:                             if p[0] == 0.0:
        case [0.0, y]: ...      ──▶          y = p[1]; ...
        case _: ...                      else: ...

Sequence patterns are decided by the facts of the subject: arrays and numbers are no sequences,
as in Python.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.branches import lower_branches, lower_statements, truth
from tangent_like.frontend.choices import logical
from tangent_like.frontend.state import FALSE, TRUE, Lowering
from tangent_like.frontend.syntax import assigned_names
from tangent_like.frontend.targets import bind_name
from tangent_like.ir import Atom, Const

Names = dict[str, Atom]


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """A pseudo statement: the subject against the remaining cases."""

    subject: Atom
    cases: Sequence[Any]
    node: Any


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """A pseudo statement: the body of a case whose pattern fits."""

    names: Names
    guarded: Cases


def lower_match(state: Lowering, node: Any) -> None:
    cases = [case for written in node.cases for case in _split(written)]
    lower_cases(state, Cases(state.expression(node.subject), cases, node))


def _split(case: Any) -> list[Any]:
    """A case for each alternative that binds names, which may be different items."""
    alternatives = isinstance(case.pattern, gast.MatchOr)
    if case.guard is not None or not alternatives or not assigned_names([case.pattern]):
        return [case]
    return [gast.match_case(p, None, case.body) for p in case.pattern.patterns]


def lower_cases(state: Lowering, step: Cases) -> None:
    if not step.cases:
        return
    names: Names = {}
    test = _test(state, step.cases[0].pattern, step.subject, names)
    rest = Cases(step.subject, step.cases[1:], step.node)
    lower_branches(state, test, [Matched(names, step)], [rest], step.node)


def lower_matched(state: Lowering, step: Matched) -> None:
    """Names are bound before the guard is asked, and stay bound where it fails."""
    cases = step.guarded
    case = cases.cases[0]
    for name, atom in step.names.items():
        bind_name(state, name, atom, case.pattern)
    if case.guard is None:
        lower_statements(state, case.body)
        return
    rest = Cases(cases.subject, cases.cases[1:], cases.node)
    lower_branches(state, state.expression(case.guard), case.body, [rest], cases.node)


def _test(state: Lowering, pattern: Any, subject: Atom, names: Names) -> Atom:
    handler = _PATTERNS.get(type(pattern))
    if handler is None:
        raise NotYetSupported(
            "this kind of pattern", state.place(pattern), "use `if` with isinstance and reads"
        )
    found: Atom = handler(state, pattern, subject, names)
    return found


def _value(state: Lowering, pattern: Any, subject: Atom, names: Names) -> Atom:
    operands = (subject, state.expression(pattern.value))
    if isinstance(subject.fact, facts.Tuple | facts.List):
        if isinstance(operands[1].fact, (facts.Scalar, facts.Opaque)):
            return FALSE
        raise NotYetSupported(
            f"comparing {facts.describe(subject.fact)}", state.place(pattern), "match its items"
        )
    test = state.builder.op(operator.eq, operands, place=state.place(pattern))
    return truth(state, test, pattern)


def _singleton(state: Lowering, pattern: Any, subject: Atom, names: Names) -> Atom:
    wanted = Const(pattern.value)
    if isinstance(subject, Const):
        return Const(subject.value is pattern.value)
    if pattern.value is None and not isinstance(subject.fact, (facts.Unknown, facts.Maybe)):
        return Const(subject.fact == facts.Opaque("NoneType"))
    return state.builder.op(operator.is_, (subject, wanted), place=state.place(pattern))


def _capture(state: Lowering, pattern: Any, subject: Atom, names: Names) -> Atom:
    test: Atom = TRUE
    if pattern.pattern is not None:
        test = _test(state, pattern.pattern, subject, names)
    if pattern.name is not None:
        names[pattern.name] = subject
    return test


def _alternatives(state: Lowering, pattern: Any, subject: Atom, names: Names) -> Atom:
    def rest(k: int) -> Atom:
        inner: Names = {}
        test = _test(state, pattern.patterns[k], subject, inner)
        if inner and any(names.get(name, subject) is not a for name, a in inner.items()):
            raise NotYetSupported(
                "alternatives that bind names", state.place(pattern), "write a case for each"
            )
        names.update(inner)
        if k + 1 == len(pattern.patterns):
            return test
        return logical(state, pattern, test, lambda: rest(k + 1), "or")

    return rest(0)


def _sequence(state: Lowering, pattern: Any, subject: Atom, names: Names) -> Atom:
    fact = subject.fact
    if isinstance(fact, (facts.Array, facts.Scalar, facts.Opaque)):
        return FALSE
    if not isinstance(fact, facts.Tuple | facts.List):
        raise NotYetSupported(
            f"matching {facts.describe(fact)} with a sequence",
            state.place(pattern),
            "test its length with `if`",
        )
    items = _items_of(state, pattern.patterns, subject, len(fact.items), pattern)
    return _all(state, pattern, items, names)


def _items_of(
    state: Lowering, patterns: Sequence[Any], subject: Atom, count: int, pattern: Any
) -> list[tuple[Any, Atom]] | None:
    """Each pattern with the item that it stands for; None if the length does not fit."""
    stars = [k for k, p in enumerate(patterns) if isinstance(p, gast.MatchStar)]
    if count < len(patterns) - len(stars) or (not stars and count > len(patterns)):
        return None
    items = [state.builder.op(operator.getitem, (subject, Const(i))) for i in range(count)]
    if not stars:
        return list(zip(patterns, items))
    first, after = stars[0], len(patterns) - stars[0] - 1
    middle = state.builder.op(
        ir.make_list, items[first : count - after], place=state.place(pattern)
    )
    left = list(zip(patterns[:first], items))
    right = list(zip(patterns[first + 1 :], items[count - after :] if after else []))
    return [*left, (patterns[first], middle), *right]


def _all(
    state: Lowering, pattern: Any, items: Sequence[tuple[Any, Atom]] | None, names: Names
) -> Atom:
    if items is None:
        return FALSE

    for inner, item in items:
        if _fits_anything(inner):
            _test(state, inner, item, names)
    tested = [(inner, item) for inner, item in items if not _fits_anything(inner)]

    def rest(k: int) -> Atom:
        test = _test(state, tested[k][0], tested[k][1], names)
        if k + 1 == len(tested):
            return test
        return logical(state, pattern, test, lambda: rest(k + 1), "and")

    return rest(0) if tested else TRUE


def _fits_anything(pattern: Any) -> bool:
    """A name, `_` or a star."""
    if isinstance(pattern, gast.MatchAs):
        return pattern.pattern is None or _fits_anything(pattern.pattern)
    return isinstance(pattern, gast.MatchStar)


def _star(state: Lowering, pattern: Any, subject: Atom, names: Names) -> Atom:
    if pattern.name is not None:
        names[pattern.name] = subject
    return TRUE


_SELF_TYPES = (bool, int, float, complex, str, list, tuple)


def _class(state: Lowering, pattern: Any, subject: Atom, names: Names) -> Atom:
    """`case float(x)`: the builtin types, whose one positional pattern is the subject itself."""
    kind = state.expression(pattern.cls)
    if not isinstance(kind, Const) or kind.value not in _SELF_TYPES or pattern.kwd_attrs:
        raise NotYetSupported(
            "a class pattern", state.place(pattern), "use `if` with isinstance and attributes"
        )
    if len(pattern.patterns) > 1:
        raise NeverSupported("more than one pattern for this type", state.place(pattern))
    test = state.builder.op(isinstance, (subject, kind), place=state.place(pattern))
    if not pattern.patterns:
        return test
    inner = pattern.patterns[0]
    if _fits_anything(inner):
        _test(state, inner, subject, names)
        return test
    return logical(state, pattern, test, lambda: _test(state, inner, subject, names), "and")


_PATTERNS: dict[type, Any] = {
    gast.MatchValue: _value,
    gast.MatchSingleton: _singleton,
    gast.MatchAs: _capture,
    gast.MatchOr: _alternatives,
    gast.MatchSequence: _sequence,
    gast.MatchStar: _star,
    gast.MatchClass: _class,
}

HANDLERS: dict[type, Any] = {gast.Match: lower_match, Cases: lower_cases, Matched: lower_matched}
