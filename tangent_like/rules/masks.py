"""Conditions in rules: partials that differ from place to place, and products with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.ir import Atom, Block, Const
from tangent_like.rules.symbolic import Symbolic, apply, lift, lower


class Choice(Symbolic):
    """`then` where `test` holds, else `orelse`: built when it is first used."""

    __slots__ = ("_atom", "orelse", "test", "then")

    def __init__(self, test: Symbolic, then: Any, orelse: Any):
        self.builder, self.plain = test.builder, test.plain
        self.test, self.then, self.orelse = test, then, orelse
        self._atom: Atom | None = None

    @property
    def atom(self) -> Atom:  # type: ignore[override]
        if self._atom is None:
            self._atom = self._conditional() or self._masked()
        return self._atom

    def _conditional(self) -> Atom | None:
        """Among scalars a conditional expression, of which only one side is computed."""
        if not facts.is_scalar(self.test.fact):
            return None
        then, orelse = self._block(self.then), self._block(self.orelse)
        if not all(facts.is_scalar(block.results[0].fact) for block in (then, orelse)):
            return None
        return self.builder.join(self.test.atom, then, orelse, spelling="ifexp")[0]

    def _block(self, branch: Any) -> Block:
        return self.builder.collect(lambda: [lower(self.builder, evaluated(branch))])

    def _masked(self) -> Atom:
        found = apply(np.where, self.test, evaluated(self.then), evaluated(self.orelse))
        return lower(self.builder, found)


def choose(test: Any, then: Any, orelse: Any) -> Any:
    """`then` where `test` holds, else `orelse`, free of what the other branch would give.

    A branch is a value, or a function without arguments that computes it: among scalars only the
    branch that is taken runs.  A factor on the whole goes to both branches, so an infinite factor
    does no harm where a branch is zero.
    """
    if isinstance(test, np.ndarray):
        return apply(np.where, test, evaluated(then), evaluated(orelse))
    if not isinstance(test, Symbolic):
        return evaluated(then if test else orelse)
    return Choice(test, then, orelse)


class Missing:
    """A partial that has no rule: an error as soon as it is needed."""

    def __init__(self, what: str):
        self.what = what


def missing(what: str) -> Any:
    """In place of a partial: refuse the derivative of `what`, and of nothing else."""
    return Missing(what)


def evaluated(branch: Any) -> Any:
    return branch() if callable(branch) else branch


def raises_at_zero(b: Any) -> bool:
    return isinstance(b, Symbolic) and b.plain == "math" and facts.is_scalar(b.fact)


def divide(a: float, b: Any) -> Any:
    """`a / b`, infinite where `b` is zero: Python's own numbers would raise an exception."""
    if raises_at_zero(b):
        return choose(b == 0, math.copysign(math.inf, a), lambda: a / b)
    return a / b


def times(dx: Any, partial: Any) -> Any:
    """Tangent or cotangent times partial.

    Conditions stay outermost, since 0 * inf is not 0: a mask, in the factor or in the partial,
    is applied to the product.
    """
    if dx is None or partial is None:
        return None
    if isinstance(partial, Missing):
        raise NotYetSupported(f"the derivative of {partial.what}")
    if isinstance(partial, Choice):
        return choose(
            partial.test,
            lambda: _or_zero(times(dx, evaluated(partial.then))),
            lambda: _or_zero(times(dx, evaluated(partial.orelse))),
        )
    if type(partial) in (int, float):
        if partial == 0:
            return None
        if partial == 1:
            return dx
    elif not isinstance(partial, Symbolic):
        if np.ndim(partial) == 0 and partial == 0:
            return None
    elif facts.dtype(partial.fact) == "bool":
        return choose(partial, dx, 0.0)
    mask = _mask_of(dx)
    if mask is not None:
        test, then, orelse = mask
        return choose(
            test,
            lambda: _or_zero(times(then, partial)),
            lambda: _or_zero(times(orelse, partial)),
        )
    if type(partial) in (int, float) and partial == -1:
        return -dx
    if type(partial) is float and math.isinf(partial) and _may_be_masked(dx):
        return choose(dx == 0, 0.0, lambda: dx * partial)
    return dx * partial


def _or_zero(product: Any) -> Any:
    return 0.0 if product is None else product


def _may_be_masked(dx: Any) -> bool:
    """Whether zeros of a cotangent may stand for a branch that was not taken."""
    if not isinstance(dx, Symbolic) or not isinstance(dx.atom, ir.Value):
        return False
    definition = dx.builder.definitions.get(dx.atom)
    return definition is not None and definition.fn is runtime.unbroadcast


def _mask_of(dx: Any) -> tuple[Any, Any, Any] | None:
    """The parts of a cotangent `np.where(test, g, 0)`; the zero as None."""
    if not isinstance(dx, Symbolic) or not isinstance(dx.atom, ir.Value):
        return None
    definition = dx.builder.definitions.get(dx.atom)
    if definition is None or definition.fn is not np.where or len(definition.args) != 3:
        return None
    test, *branches = definition.args
    zeros = [
        isinstance(b, Const) and type(b.value) in (int, float) and b.value == 0 for b in branches
    ]
    if not any(zeros):
        return None
    then, orelse = (
        None if is_zero else lift(dx.builder, branch, dx.plain)
        for branch, is_zero in zip(branches, zeros, strict=False)
    )
    return Symbolic(dx.builder, test, dx.plain), then, orelse
