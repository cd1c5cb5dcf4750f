"""Identities that make derivative code shorter or more readable, without changing its values.

Arithmetic is in `arithmetic.py`, whole arrays in `arrays.py`; `terms.py` says what a rule is.
Rounding may differ in the last place where factors are regrouped; signs, ones and zeros are exact
but for the sign of a zero.  No rule drops an operand that could be NaN or infinite.
"""

from __future__ import annotations

from typing import Any

from tangent_like.identities import arrays
from tangent_like.identities.arithmetic import RULES
from tangent_like.identities.terms import Keywords, Scope, Term, fitting
from tangent_like.ir import Atom


def rewrite(scope: Scope, fn: Any, args: tuple[Atom, ...], keywords: Keywords) -> Term | None:
    """The first rule's answer for `fn(*args, **keywords)`; None where it stays as it is."""
    makers = frozenset(map(scope.maker, args))
    if keywords:
        several = fitting(arrays.KEYWORD_RULES.get(fn, ()), makers)
        answers = (rule(scope, args, keywords) for rule in several)
        return next((found for found in answers if found is not None), None)
    for rule in fitting(RULES.get(fn, ()), makers):
        found: Term | None = rule(scope, args)
        if found is not None:
            return found
    return None


def has_rules(fn: Any) -> bool:
    """Whether there are rules for an operation."""
    hashable = getattr(type(fn), "__hash__", None) is not None
    return hashable and (fn in RULES or fn in arrays.KEYWORD_RULES)
