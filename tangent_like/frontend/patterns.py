"""Lowering `match`: each case is a branch on the test of its pattern.

    match p:                             if p[0] == 0.0:
        case [0.0, y]: ...      ──▶          y = p[1]; ...
        case _: ...                      else: ...

What a pattern needs to know of classes, keys and lengths is decided by the facts of the subject
where they tell; arrays and numbers are no sequences, as in Python.  Parts of the subject are read
where they are tested, and again where the names of a pattern that fits are bound.
"""

from __future__ import annotations

import collections.abc
import inspect
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.branches import lower_branches, lower_statements, truth
from tangent_like.frontend.choices import choose, logical
from tangent_like.frontend.instances import known_instance
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.names import attribute_of_constant
from tangent_like.frontend.objects import make_table
from tangent_like.frontend.protocols import class_of, is_object, operator_of_class
from tangent_like.frontend.state import FALSE, TRUE, Lowering
from tangent_like.frontend.structures import read_attribute
from tangent_like.frontend.targets import bind_name
from tangent_like.ir import Atom, Const
from tangent_like.trees import item

Subject = Callable[[], Atom]
"""The part of the subject that a pattern is about, read where this is called."""

Names = dict[str, Subject]
"""What a pattern that fits binds."""


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """A pseudo statement: the subject against the remaining cases."""

    subject: Subject
    cases: Sequence[Any]
    node: Any


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """A pseudo statement: the body of a case whose pattern fits."""

    names: Names
    guarded: Cases


def lower_match(state: Lowering, node: Any) -> None:
    subject = state.expression(node.subject)
    lower_cases(state, Cases(lambda: fresh(state, subject, node), node.cases, node))


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
    found = {name: read() for name, read in step.names.items()}
    for name, atom in found.items():
        bind_name(state, name, atom, case.pattern)
    if case.guard is None:
        lower_statements(state, case.body)
        return
    rest = Cases(cases.subject, cases.cases[1:], cases.node)
    lower_branches(state, state.expression(case.guard), case.body, [rest], cases.node)


def _test(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    found: Atom = _PATTERNS[type(pattern)](state, pattern, subject, names)
    return found


Tests = Sequence[Callable[[], Atom]]


def _all(state: Lowering, pattern: Any, tests: Tests) -> Atom:
    """Whether all tests hold, of which a later one is asked only where the earlier ones do."""
    if not tests:
        return TRUE
    first, *rest = tests
    return logical(state, pattern, first(), lambda: _all(state, pattern, rest), "and")


def _parts(
    state: Lowering, pattern: Any, parts: Sequence[tuple[Any, Subject]], names: Names
) -> Atom:
    """Whether each part of the subject fits its pattern; names only are bound."""
    tests = []
    for inner, part in parts:
        if _fits_anything(inner):
            _test(state, inner, part, names)
        else:
            tests.append(partial(_test, state, inner, part, names))
    return _all(state, pattern, tests)


def _fits_anything(pattern: Any) -> bool:
    """A name, `_` or a star."""
    if isinstance(pattern, gast.MatchAs):
        return pattern.pattern is None or _fits_anything(pattern.pattern)
    return isinstance(pattern, gast.MatchStar)


# --- values and names ---------------------------------------------------------------------------


def _value(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    left, right = subject(), state.expression(pattern.value)
    if is_object(left) and _has_own_equality(class_of(left)):
        return operator_of_class(state, pattern, "__eq__", left, right)
    if isinstance(left.fact, (*facts.STRUCTURES, facts.ListOf, facts.DictOf)):
        if isinstance(right.fact, (facts.Scalar, facts.Opaque)):
            return FALSE
        raise NotYetSupported(
            f"comparing {facts.describe(left.fact)}", state.place(pattern), "match its items"
        )
    test = state.builder.op(operator.eq, (left, right), place=state.place(pattern))
    return truth(state, test, pattern)


def _has_own_equality(kind: Any) -> bool:
    """Whether the user has written an `__eq__`: that of a dataclass says no to all but its kind."""
    defined = inspect.getattr_static(kind, "__eq__")
    code = getattr(defined, "__code__", None)
    return code is not None and code.co_filename != "<string>"


def _singleton(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    found = subject()
    if isinstance(found, Const):
        return Const(found.value is pattern.value)
    if pattern.value is None and not isinstance(found.fact, (facts.Unknown, facts.Maybe)):
        return Const(found.fact == facts.Opaque("NoneType"))
    operands = (found, Const(pattern.value))
    return state.builder.op(operator.is_, operands, place=state.place(pattern))


def _capture(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    test: Atom = TRUE
    if pattern.pattern is not None:
        test = _test(state, pattern.pattern, subject, names)
    if pattern.name is not None:
        names[pattern.name] = subject
    return test


def _alternatives(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    sides = [(inner, subject) for inner in pattern.patterns]
    bound: list[Names] = [{} for _ in sides]

    def rest(k: int) -> Atom:
        test = _test(state, sides[k][0], subject, bound[k])
        if k + 1 == len(sides):
            return test
        return logical(state, pattern, test, lambda: rest(k + 1), "or")

    test = rest(0)
    for name in {name: None for own in bound for name in own}:
        names[name] = partial(_of_alternatives, state, pattern, subject, bound, name)
    return test


def _of_alternatives(
    state: Lowering, pattern: Any, subject: Subject, bound: Sequence[Names], name: str, k: int = 0
) -> Atom:
    """What a name stands for: a part of the subject that depends on which alternative fits."""
    later = any(name in own for own in bound[k + 1 :])
    if name in bound[k] and not later:
        return bound[k][name]()
    test = _test(state, pattern.patterns[k], subject, {})
    then = bound[k].get(name, subject)
    rest = partial(_of_alternatives, state, pattern, subject, bound, name, k + 1)
    if isinstance(test, Const):
        return then() if test.value else rest()
    return choose(state, pattern, test, then, rest, "ifexp")


# --- sequences ----------------------------------------------------------------------------------


def _sequence(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    fact = subject().fact
    place = state.place(pattern)
    known = isinstance(fact, facts.STRUCTURES) and not _is_no_sequence(fact)
    if not known and not isinstance(fact, facts.ListOf):
        if _is_no_sequence(fact):
            return FALSE
        raise NotYetSupported(
            f"matching {facts.describe(fact)} with a sequence", place, "test its length with `if`"
        )
    stars = [k for k, p in enumerate(pattern.patterns) if isinstance(p, gast.MatchStar)]
    wanted, compare = len(pattern.patterns) - len(stars), operator.ge if stars else operator.eq
    parts = _items(state, pattern, subject, stars[0] if stars else None)
    if isinstance(fact, facts.STRUCTURES):
        fits = compare(len(fact.items), wanted)
        return _parts(state, pattern, parts, names) if fits else FALSE

    def fits_length() -> Atom:
        length = state.builder.op(len, (subject(),), place=place)
        return state.builder.op(compare, (length, Const(wanted)), place=place)

    return _all(state, pattern, [fits_length, lambda: _parts(state, pattern, parts, names)])


def _is_no_sequence(fact: facts.Fact) -> bool:
    if isinstance(fact, facts.Record):
        return not issubclass(fact.type, collections.abc.Sequence)
    numbers = isinstance(fact, (facts.Array, facts.Scalar, facts.DictOf))
    return numbers or (isinstance(fact, facts.Opaque) and fact.kind != "range")


def _items(
    state: Lowering, pattern: Any, subject: Subject, star: int | None
) -> list[tuple[Any, Subject]]:
    """Each pattern with the item that it is about; those behind a star counted from the end."""
    place, count = state.place(pattern), len(pattern.patterns)

    def read(k: int) -> Atom:
        index = k if star is None or k < star else k - count
        return _read(state, subject(), index, place)

    parts: list[tuple[Any, Subject]] = [
        (inner, partial(read, k)) for k, inner in enumerate(pattern.patterns)
    ]
    if star is not None:
        between = slice(star, star + 1 - count or None)
        parts[star] = (pattern.patterns[star], lambda: _middle(state, subject(), between, place))
    return parts


def _read(state: Lowering, sequence: Atom, index: int, place: Any) -> Atom:
    if isinstance(sequence.fact, facts.STRUCTURES):
        return item(state.builder, sequence, index % len(sequence.fact.items))
    return state.builder.op(operator.getitem, (sequence, Const(index)), place=place)


def _middle(state: Lowering, sequence: Atom, between: slice, place: Any) -> Atom:
    """What a star takes: a list, also of a tuple."""
    if not isinstance(sequence.fact, facts.STRUCTURES):
        return state.builder.op(operator.getitem, (sequence, Const(between)), place=place)
    taken = range(len(sequence.fact.items))[between]
    items = [item(state.builder, sequence, k) for k in taken]
    return state.builder.op(ir.make_list, items, place=place)


def _star(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    if pattern.name is not None:
        names[pattern.name] = subject
    return TRUE


# --- mappings -----------------------------------------------------------------------------------


def _mapping(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    fact, place = subject().fact, state.place(pattern)
    known = isinstance(fact, facts.Record) and fact.type is dict
    if isinstance(fact, facts.Unknown) or (
        isinstance(fact, facts.Record) and not known and _is_mapping(fact.type)
    ):
        raise NotYetSupported(
            f"matching {facts.describe(fact)} with a mapping", place, "test with `in`"
        )
    if not known and not isinstance(fact, facts.DictOf):
        return FALSE
    keys = [_constant_key(state, key) for key in pattern.keys]
    if pattern.rest is not None:
        names[pattern.rest] = lambda: _others(state, pattern, subject(), keys)
    parts = [
        (inner, partial(_read_key, state, subject, key, place))
        for inner, key in zip(pattern.patterns, keys)
    ]
    if isinstance(fact, facts.Record):
        within = all(key.value in fact.keys for key in keys)
        return _parts(state, pattern, parts, names) if within else FALSE

    def has(key: Const) -> Atom:
        return state.builder.op(operator.contains, (subject(), key), place=place)

    tests = [partial(has, key) for key in keys]
    return _all(state, pattern, [*tests, lambda: _parts(state, pattern, parts, names)])


def _is_mapping(kind: type) -> bool:
    return issubclass(kind, collections.abc.Mapping)


def _constant_key(state: Lowering, node: Any) -> Const:
    key = state.expression(node)
    if not isinstance(key, Const):
        raise NotYetSupported("a key known only at run time", state.place(node), "test with `in`")
    return key


def _read_key(state: Lowering, subject: Subject, key: Const, place: Any) -> Atom:
    return state.builder.op(operator.getitem, (subject(), key), place=place)


def _others(state: Lowering, pattern: Any, table: Atom, keys: Sequence[Const]) -> Atom:
    """What `**rest` takes."""
    if not isinstance(table.fact, facts.Record):
        raise NotYetSupported(
            "`**` in a pattern for a dict with keys known only at run time",
            state.place(pattern), "copy the dict and take the keys off",
        )  # fmt: skip
    gone = [key.value for key in keys]
    rest = {
        key: item(state.builder, table, k)
        for k, key in enumerate(table.fact.keys)
        if key not in gone
    }
    return make_table(state, rest)


# --- classes ------------------------------------------------------------------------------------

_SELF_TYPES = (
    bool, bytearray, bytes, complex, dict, float, frozenset, int, list, set, str, tuple,
)  # fmt: skip
"""The types whose one positional pattern is about the subject itself; `complex` has none."""


def _class(state: Lowering, pattern: Any, subject: Subject, names: Names) -> Atom:
    kind = state.expression(pattern.cls)
    if not isinstance(kind, Const) or not isinstance(kind.value, type):
        raise NotYetSupported("a class known only at run time", state.place(pattern), "use `if`")
    found = subject()
    known = known_instance(found, kind.value)
    if known is None and not isinstance(found.fact, (facts.Scalar, facts.Array, facts.Unknown)):
        raise NotYetSupported(
            f"matching {facts.describe(found.fact)} with this class", state.place(pattern),
            "use `if` with isinstance",
        )  # fmt: skip
    fits: Atom = Const(known)
    if known is None:
        fits = state.builder.op(isinstance, (found, kind), place=state.place(pattern))
    return _all(state, pattern, [
        lambda: fits, lambda: _attributes(state, pattern, kind.value, subject, names),
    ])  # fmt: skip


def _attributes(
    state: Lowering, pattern: Any, kind: type, subject: Subject, names: Names
) -> Atom:
    """Whether the attributes fit that the patterns in a class pattern are about."""
    itself = [(inner, subject) for inner in pattern.patterns if kind in _SELF_TYPES]
    named = pattern.kwd_attrs
    if not itself:
        named = [*_positional(state, pattern, kind), *named]
    elif len(itself) > 1:
        raise NeverSupported("more than one pattern for this type", state.place(pattern))
    inner = [*([] if itself else pattern.patterns), *pattern.kwd_patterns]
    found = subject()
    if not all(_has(found, name) for name in named):
        return FALSE
    parts = [
        (one, partial(_read_attribute, state, pattern, subject, name))
        for one, name in zip(inner, named, strict=True)
    ]
    return _parts(state, pattern, [*itself, *parts], names)


def _positional(state: Lowering, pattern: Any, kind: type) -> Sequence[str]:
    """The attributes that positional patterns are about."""
    taken = getattr(kind, "__match_args__", ())
    if len(pattern.patterns) > len(taken):
        raise NeverSupported(
            f"`{kind.__name__}` with {len(pattern.patterns)} positional patterns, of which it "
            f"takes {len(taken)}", state.place(pattern), "name them in `__match_args__`",
        )  # fmt: skip
    return tuple(taken[: len(pattern.patterns)])


def _has(found: Atom, name: str) -> bool:
    if isinstance(found, Const):
        return hasattr(found.value, name)
    if isinstance(found.fact, facts.Record) and is_object(found):
        return name in found.fact.keys or hasattr(found.fact.type, name)
    return True


def _read_attribute(state: Lowering, pattern: Any, subject: Subject, name: str) -> Atom:
    owner = subject()
    if isinstance(owner, Const):
        return attribute_of_constant(state, owner, name, pattern)
    if is_object(owner):
        return read_attribute(state, pattern, owner, name)
    raise NotYetSupported(
        f"the attribute `{name}` of {facts.describe(owner.fact)} in a pattern",
        state.place(pattern), "read it in a guard: `case x if x.shape == (2, 2)`",
    )  # fmt: skip


_PATTERNS: dict[type, Any] = {
    gast.MatchValue: _value,
    gast.MatchSingleton: _singleton,
    gast.MatchAs: _capture,
    gast.MatchOr: _alternatives,
    gast.MatchSequence: _sequence,
    gast.MatchStar: _star,
    gast.MatchMapping: _mapping,
    gast.MatchClass: _class,
}

HANDLERS: dict[type, Any] = {gast.Match: lower_match, Cases: lower_cases, Matched: lower_matched}
