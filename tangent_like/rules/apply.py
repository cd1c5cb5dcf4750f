"""Applying a rule to one operation: its tangent, and the cotangents of its operands."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.build import Builder
from tangent_like.errors import (
    ArgumentError,
    CallingPlace,
    NeverSupported,
    NoRuleError,
    NotYetSupported,
)
from tangent_like.facts import Fact
from tangent_like.ir import Atom, Const, Op
from tangent_like.rules import arguments, straight
from tangent_like.rules.fitting import (
    Tree,
    fit_tree,
    lift_tree,
    lower_cotangent,
    lower_tree,
    zero,
)
from tangent_like.rules.masks import times
from tangent_like.rules.registry import Rule, find, is_own, refusal_of
from tangent_like.rules.symbolic import AT_RUN_TIME, Symbolic, apply, lift
from tangent_like.trees import item


def is_plain(op: Op) -> str:
    """The family of the operation's function, which decides how a rule's body is spelled."""
    if isinstance(op.fn, np.ufunc):
        return "numpy"
    module = getattr(op.fn, "__module__", None) or ""
    return "math" if module == "math" else "numpy" if module.startswith("numpy") else ""


def rule_of(op: Op) -> Rule:
    """The rule of an operation, or a located error that says how to give one."""
    found = find(op.fn)
    if found is None:
        name = getattr(op.fn, "__qualname__", None) or repr(op.fn)
        refusal = refusal_of(op.fn)
        if refusal is not None:
            raise NoRuleError(f"`{name}` {refusal.reason}", op.place, refusal.instead)
        raise NoRuleError(
            f"`{name}` has no derivative rule",
            op.place,
            "register one with tl.elementwise, tl.linear or tl.custom_vjp, or block the "
            "derivative with tl.stop_gradient",
        )
    return found


_ARRAYS = {"where", "weights", "fweights", "aweights", "w"}
"""Keywords that are arrays, also where they are written as lists."""


def operands_of(
    builder: Builder, op: Op, rule: Rule, plain: str
) -> tuple[list[Any], dict[str, Any]]:
    """What the rule's functions are called with; refuses keywords that they do not know."""
    keywords = _keywords_for(builder, op, rule, plain) if op.keywords else {}
    arguments.check(op, rule, len(op.args), keywords)
    return [lift(builder, atom, plain) for atom in op.args], keywords


def _keywords_for(builder: Builder, op: Op, rule: Rule, plain: str) -> dict[str, Any]:
    keywords = {key: lift(builder, atom, plain) for key, atom in op.keywords}
    for key in _ARRAYS & keywords.keys():
        if isinstance(keywords[key], (tuple, list)):
            keywords[key] = apply(np.asarray, keywords[key])
    if arguments.is_ufunc(op.fn):
        keywords.pop("dtype", None)  # derivatives are cast to the type of what they belong to
    return keywords


# --- forward mode -----------------------------------------------------------------------------


def tangent(
    builder: Builder, op: Op, tangents: Sequence[Tree], named: Mapping[str, Tree] | None = None
) -> Tree:
    """The tangent of the result, from those of positional operands and of keyword operands."""
    rule = rule_of(op)
    named = named or {}
    if rule.kind == "constant" or (not named and all(t is None for t in tangents)):
        return None
    if arguments.gives_integers(op, rule):
        return None
    refuse_objects(op)
    try:
        return _tangent(builder, op, rule, tangents, named)
    except NotYetSupported as error:
        raise _located(error, op) from None
    except _MISFITS as error:
        raise _misfit(error, op) from error


def _tangent(
    builder: Builder, op: Op, rule: Rule, tangents: Sequence[Tree], named: Mapping[str, Tree]
) -> Tree:
    if named and rule.kind != "linear":
        op, tangents = _by_position(op, rule, tangents, named)
    recast = rule.kind == "composed" or (rule.kind == "pair" and rule.vjp is None)
    recast = recast or "dtype" in dict(op.keywords)
    op = arguments.arranged(op, rule)
    tangents = _for_each(op, tangents, None)
    arguments.refuse_options(op, rule, [t is not None for t in tangents])
    if not rule.sequences:
        op, tangents = _arrays_and_tangents(builder, op, tangents)
    plain = is_plain(op)
    args, keywords = operands_of(builder, op, rule, plain)
    result = Symbolic(builder, op.result, plain)
    lifted = [lift_tree(builder, t, plain) for t in tangents]
    if rule.kind == "elementwise":
        found = _elementwise_tangent(builder, rule, args, keywords, lifted, result)
    elif rule.kind == "linear":
        found = _linear_tangent(op, rule, args, _varied(builder, op, rule, keywords, named), lifted)
    elif rule.kind == "bilinear":
        found = _bilinear_tangent(op, rule, args, keywords, lifted)
    elif rule.kind == "composed":
        found = _composed_tangent(builder, rule, args, keywords, tangents)
    else:
        assert rule.jvp is not None
        found = rule.jvp(tuple(lifted), result, *args, **keywords)
        if found is NotImplemented:
            found = _composed_tangent(builder, rule, args, keywords, tangents)
    tree = lower_tree(builder, found, op.result)
    return _in_type_of(builder, tree, op.result) if recast else tree


def _elementwise_tangent(
    builder: Builder,
    rule: Rule,
    args: list[Any],
    keywords: dict[str, Any],
    tangents: list[Any],
    result: Symbolic,
) -> Any:
    total = None
    for partial, dx in zip(partials_of(rule, args, keywords, result), tangents, strict=False):
        term = times(dx, partial)
        total = term if total is None else total if term is None else total + term
    if total is None:
        return None
    if not facts.same_shape(total.fact, result.fact):
        return Symbolic(builder, builder.op(runtime.broadcast_like, (total.atom, result.atom)))
    return total if _alike(total.fact, result.fact) else apply(runtime.as_type, total, result)


def _alike(dx: Fact, y: Fact) -> bool:
    """Whether a tangent has the type of its result: no other type than a short one is at stake."""
    have, want = facts.dtype(dx), facts.dtype(y)
    return (have == want and have is not None) or want not in (None, "float32", "complex64")


def partials_of(
    rule: Rule, args: Sequence[Any], keywords: dict[str, Any], result: Any
) -> tuple[Any, ...]:
    assert rule.partials is not None
    found = rule.partials(*args, result, **keywords)
    partials = found if isinstance(found, tuple) else (found,)
    if len(partials) != len(args):
        name = getattr(rule.functions[0], "__name__", repr(rule.functions[0]))
        raise ArgumentError(
            f"the rule of `{name}` gives {len(partials)} partials for {len(args)} operands",
            hint="return a tuple with one for each, None where there is no influence",
        )
    return partials


def _linear_tangent(
    op: Op, rule: Rule, args: list[Any], keywords: dict[str, Any], lifted: list[Any]
) -> Any:
    replaced = list(args)
    for i in range(len(args)) if rule.wrt is None else rule.wrt:
        if i < len(args):
            replaced[i] = _filled(lifted[i], args[i])
    return apply(op.fn, *replaced, **keywords)


def _varied(
    builder: Builder,
    op: Op,
    rule: Rule,
    keywords: dict[str, Any],
    named: Mapping[str, Tree],
) -> dict[str, Any]:
    """The keywords of a linear function's tangent: the tangents of those that vary."""
    varied = {key: lift_tree(builder, tree, is_plain(op)) for key, tree in named.items()}
    for name in named:
        arguments.differentiable_place(op, rule, name)
    for name in arguments.named_operands(rule).intersection(keywords).difference(named):
        varied[name] = _filled(None, keywords[name])
    dropped = {name for name in rule.drop if name not in named}
    return {key: varied.get(key, value) for key, value in keywords.items() if key not in dropped}


def _for_each(op: Op, given: Sequence[Any], nothing: Any) -> list[Any]:
    """One entry for each operand, whichever were given by name at first."""
    if any(part is not nothing for part in given[len(op.args) :]):
        raise NotYetSupported(f"differentiating with respect to an option of `{op.fn.__name__}`")
    return [*given, *[nothing] * (len(op.args) - len(given))][: len(op.args)]


def _by_position(
    op: Op, rule: Rule, tangents: Sequence[Tree], named: Mapping[str, Tree]
) -> tuple[Op, list[Tree]]:
    """Tangents go by position, as cotangents do."""
    of_keyword = {atom: named[key] for key, atom in op.keywords if key in named}
    moved = arguments.by_position(op, rule, of_keyword.__contains__)
    more = [of_keyword.get(atom) for atom in moved.args[len(op.args) :]]
    return moved, [*tangents, *more]


def _filled(dx: Any, x: Any) -> Any:
    """A tangent with its missing parts as zeros."""
    if isinstance(x, (tuple, list)):
        parts = dx if dx is not None else [None] * len(x)
        return type(x)(_filled(d, item) for d, item in zip(parts, x, strict=True))
    if dx is not None:
        return dx
    if isinstance(x, Symbolic):
        return Symbolic(x.builder, zero(x.builder, x.atom), x.plain)
    return np.zeros(np.shape(x)) if np.ndim(x) else 0.0


def _bilinear_tangent(
    op: Op, rule: Rule, args: list[Any], keywords: dict[str, Any], tangents: list[Any]
) -> Any:
    total = None
    for i in rule.wrt or ():
        if tangents[i] is None:
            continue
        replaced = list(args)
        replaced[i] = tangents[i]
        term = apply(op.fn, *replaced, **keywords)
        total = term if total is None else total + term
    return total


def _composed_tangent(
    builder: Builder, rule: Rule, args: list[Any], keywords: dict[str, Any], trees: Sequence[Tree]
) -> Any:
    found, ops = _formula(builder, rule, args, keywords)
    tangents: dict[Any, Any] = {}
    for arg, tree in zip(args, trees, strict=False):
        _pair_leaves(builder, arg, tree, tangents)
    straight.tangents_of(builder, ops, tangents, tangent)
    return _map_leaves(found, tangents.get)


def _in_type_of(builder: Builder, dx: Any, result: Atom) -> Any:
    """A formula may compute in a longer type than its function."""
    if isinstance(dx, tuple):
        parts = [builder.op(operator.getitem, (result, Const(i))) for i in range(len(dx))]
        return tuple(_in_type_of(builder, d, part) for d, part in zip(dx, parts, strict=False))
    if dx is None:
        return None
    have, want = facts.dtype(dx.fact), facts.dtype(result.fact)
    same = have == want and have is not None
    return dx if same else builder.op(runtime.as_type, (dx, result))


def _formula(
    builder: Builder, rule: Rule, args: list[Any], keywords: dict[str, Any]
) -> tuple[Any, list[Op]]:
    """The formula's result, and the operations that compute it."""
    assert rule.formula is not None
    found: list[Any] = []

    def build() -> list[Atom]:
        found.append(rule.formula(*args, **keywords))  # type: ignore[misc]
        return []

    block = builder.collect(build)
    if found[0] is NotImplemented:
        raise _NotImplemented
    for statement in block.statements:
        if not isinstance(statement, Op):
            raise TypeError("a formula must not branch")
        builder.append(statement)
    return found[0], [s for s in block.statements if isinstance(s, Op)]


def _pair_leaves(builder: Builder, arg: Any, tree: Tree, pairs: dict[Any, Any]) -> None:
    """Note the tangent of each part of an operand."""
    if isinstance(arg, (tuple, list)) and tree is not None:
        for i, item in enumerate(arg):
            part = tree[i] if isinstance(tree, tuple) else None
            if part is None and not isinstance(tree, tuple):
                part = builder.op(operator.getitem, (tree, Const(i)))
            _pair_leaves(builder, item, part, pairs)
    elif tree is not None and isinstance(arg, Symbolic):
        pairs[arg.atom] = tree


def _map_leaves(tree: Any, function: Any) -> Any:
    """The structure of symbolic operands with `function` of each one's atom."""
    if isinstance(tree, (tuple, list)):
        return tuple(_map_leaves(item, function) for item in tree)
    return function(tree.atom) if isinstance(tree, Symbolic) else None


# --- reverse mode -----------------------------------------------------------------------------


def cotangents(builder: Builder, op: Op, g: Tree, active: Sequence[bool]) -> list[Tree]:
    """The contribution to each positional operand, None where there is none."""
    rule = rule_of(op)
    if rule.kind == "constant" or arguments.gives_integers(op, rule):
        return [None] * len(op.args)
    refuse_objects(op)
    try:
        op = arguments.arranged(op, rule)
        active = _for_each(op, active, False)
        arguments.refuse_options(op, rule, active)
        return _cotangents(builder, op, rule, g, active)
    except NotYetSupported as error:
        raise _located(error, op) from None
    except _MISFITS as error:
        raise _misfit(error, op) from error


def refuse_objects(op: Op) -> None:
    """Refuse to apply the rule of an operator to what may be an object with one of its own."""
    if any(facts.defined(atom.fact) == facts.OBJECT for atom in op.args):
        raise NotYetSupported(
            "an operation on what is a number or an object, or objects of several classes",
            op.place, "give it a name of its own where it is one of them, and compute there",
        )  # fmt: skip


def by_position(op: Op, varies: Callable[[Atom], bool]) -> Op:
    """The operation with keyword operands that vary by position: see `cotangents`."""
    return arguments.by_position(op, rule_of(op), varies) if op.keywords else op


def _located(error: NotYetSupported, op: Op) -> NotYetSupported:
    """An error that a rule raises, with the place of the operation if it has none."""
    if not isinstance(error.place, CallingPlace):
        return error
    if is_own(op.fn) and error.message == AT_RUN_TIME:
        name = getattr(op.fn, "__name__", repr(op.fn))
        return NotYetSupported(
            f"the rule of `{name}`, which branches on values or loops over them",
            op.place,
            "choose with np.where, or give a function with custom_vjp or custom_jvp",
        )
    return NotYetSupported(error.message, op.place, error.hint)


_MISFITS = (TypeError, ValueError, IndexError)
"""What a rule raises on operands that its function does not take either."""


def _misfit(error: Exception, op: Op) -> Exception:
    """An error with a place, where it is not the author of a rule who has to hear of it."""
    if is_own(op.fn):
        return error
    name = getattr(op.fn, "__name__", repr(op.fn))
    return NeverSupported(f"`{name}` of these operands ({error})", op.place, "check the call")


def _cotangents(
    builder: Builder, op: Op, rule: Rule, g: Tree, active: Sequence[bool]
) -> list[Tree]:
    if not rule.sequences and any(map(_is_sequence, op.args)):
        return _through_arrays(builder, op, g, active)
    plain = is_plain(op)
    args, keywords = operands_of(builder, op, rule, plain)
    result = Symbolic(builder, op.result, plain)
    g = _without_gaps(builder, g, op.result) if is_own(op.fn) else g
    lifted = lift_tree(builder, g, plain)
    if rule.kind == "elementwise":
        found = _elementwise_cotangents(rule, args, keywords, lifted, result, active)
    elif rule.kind == "linear":
        assert rule.vjp is not None
        found = _spread(rule.vjp(lifted, *args, **keywords), rule.wrt, len(args))
    elif rule.kind == "composed":
        found = _composed_cotangents(builder, rule, args, keywords, g, active)
    elif rule.kind == "bilinear":
        found = [None] * len(args)
        for i, transpose in zip(rule.wrt or (), rule.transposes, strict=True):
            if active[i]:
                found[i] = transpose(lifted, *args, **keywords)
    else:
        found = _pair_cotangents(builder, rule, args, keywords, lifted, result, active)
    return [
        fit_tree(builder, lower_cotangent(builder, tree), atom) if wanted else None
        for tree, atom, wanted in zip(found, op.args, active, strict=True)
    ]


def _without_gaps(builder: Builder, g: Tree, result: Atom) -> Tree:
    """Zeros for results of several that nothing depends on."""
    if isinstance(g, tuple):
        parts = [item(builder, result, i) for i in range(len(g))]
        return tuple(_without_gaps(builder, *pair) for pair in zip(g, parts, strict=True))
    return zero(builder, result) if g is None else g


def _elementwise_cotangents(
    rule: Rule,
    args: list[Any],
    keywords: dict[str, Any],
    g: Any,
    result: Any,
    active: Sequence[bool],
) -> list[Any]:
    found = partials_of(rule, args, keywords, result)
    return [times(g, p) if wanted else None for p, wanted in zip(found, active, strict=True)]


def _pair_cotangents(
    builder: Builder,
    rule: Rule,
    args: list[Any],
    keywords: dict[str, Any],
    g: Any,
    result: Any,
    active: Sequence[bool],
) -> list[Any]:
    if rule.vjp is None:
        return _transposed(builder, rule, args, keywords, g, result, active)
    answer = rule.vjp(g, result, *args, **keywords)
    if answer is NotImplemented:
        return _composed_cotangents(builder, rule, args, keywords, g, active)
    found = list(answer) if isinstance(answer, tuple) else [answer]
    return (found + [None] * len(args))[: len(args)]


def _transposed(
    builder: Builder,
    rule: Rule,
    args: list[Any],
    keywords: dict[str, Any],
    g: Any,
    result: Any,
    active: Sequence[bool],
) -> list[Any]:
    """The transpose of a linear `jvp`: run on stand-ins for the tangents, and reversed."""
    stand_ins = [
        _map_tree(arg, lambda x: apply(operator.pos, x)) if wanted else None
        for arg, wanted in zip(args, active, strict=False)
    ]
    jvp = rule.jvp

    def formula(*tangents: Any) -> Any:
        assert jvp is not None
        return jvp(tangents, result, *args, **keywords)

    try:
        transposed = replace(rule, formula=formula)
        return _composed_cotangents(builder, transposed, stand_ins, {}, g, active)
    except _NotImplemented:
        return _composed_cotangents(builder, rule, args, keywords, g, active)


class _NotImplemented(Exception):
    """A rule's `jvp` leaves this call to the formula."""


def _map_tree(tree: Any, function: Any) -> Any:
    if isinstance(tree, (tuple, list)):
        return type(tree)(_map_tree(item, function) for item in tree)
    return function(tree) if isinstance(tree, Symbolic) else None


def _composed_cotangents(
    builder: Builder,
    rule: Rule,
    args: list[Any],
    keywords: dict[str, Any],
    g: Tree,
    active: Sequence[bool],
) -> list[Any]:
    found, ops = _formula(builder, rule, args, keywords)
    inputs: list[Any] = []
    _map_leaves([arg for arg, wanted in zip(args, active, strict=False) if wanted], inputs.append)
    adjoints: dict[Any, Any] = {}
    _pair_leaves(builder, found, lower_cotangent(builder, g), adjoints)
    inside = straight.active_in(ops, inputs)
    straight.cotangents_of(builder, ops, adjoints, inside, cotangents)
    # Popped, so that an operand given twice has its whole cotangent once.
    parts = {atom: adjoints.pop(atom) for atom in dict.fromkeys(inputs) if atom in adjoints}
    return [_map_leaves(arg, lambda atom: parts.pop(atom, None)) for arg in args]


def _spread(found: Any, wrt: tuple[int, ...] | None, count: int) -> list[Any]:
    if wrt is None:
        return list(found)
    spread: list[Any] = [None] * count
    answers = found if isinstance(found, tuple) and len(wrt) > 1 else (found,)
    for i, answer in zip(wrt, answers, strict=False):
        if i < count:
            spread[i] = answer
    return spread


# --- sequences where an array is meant --------------------------------------------------------


def _is_sequence(atom: Atom) -> bool:
    """Whether an operand is a tuple or list with something in it to differentiate."""
    fact = facts.defined(atom.fact)
    sequence = isinstance(fact, (facts.Tuple, facts.List, facts.ListOf))
    return sequence and isinstance(atom, ir.Value) and facts.may_be_differentiated(fact)


def _as_arrays(builder: Builder, op: Op) -> tuple[Op, list[Op | None]]:
    """The operation on arrays made of its sequences, and how each of these is made."""
    made: list[Op | None] = []
    for atom in op.args:
        array = builder.op(np.array, (atom,)) if _is_sequence(atom) else None
        made.append(builder.definitions[array] if isinstance(array, ir.Value) else None)
    args = tuple(m.result if m else atom for m, atom in zip(made, op.args, strict=False))
    return replace(op, args=args), made


def _arrays_and_tangents(
    builder: Builder, op: Op, tangents: Sequence[Tree]
) -> tuple[Op, list[Tree]]:
    if not any(map(_is_sequence, op.args)):
        return op, list(tangents)
    op, made = _as_arrays(builder, op)
    return op, [
        tangent(builder, m, [dx]) if m else dx for m, dx in zip(made, tangents, strict=False)
    ]


def _through_arrays(builder: Builder, op: Op, g: Tree, active: Sequence[bool]) -> list[Tree]:
    op, made = _as_arrays(builder, op)
    found = cotangents(builder, op, g, active)
    return [
        cotangents(builder, m, part, [True])[0] if m and part is not None else part
        for m, part in zip(made, found, strict=False)
    ]
