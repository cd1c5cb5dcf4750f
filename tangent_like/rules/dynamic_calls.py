"""Calls of functions that are known only at run time: see `dynamic.py`."""

from __future__ import annotations

import math
from typing import Any

from tangent_like import dynamic, facts, infer
from tangent_like.rules.registry import constant, rule
from tangent_like.rules.symbolic import Symbolic, apply


def _tangent(tangents: Any, y: Any, function: Any, *operands: Any) -> Any:
    given = [dx for dx in tangents[1:] if dx is not None]
    varied = sum(1 << k for k, dx in enumerate(tangents[1:]) if dx is not None)
    if not given:
        return None
    derived = apply(dynamic.tangent_of, function, varied, *operands)
    return apply(dynamic.applied, derived, *operands, *given)


def _cotangents(g: Any, y: Any, function: Any, *operands: Any) -> Any:
    found: list[Any] = [None]
    for place, operand in enumerate(operands):
        varies = isinstance(operand, Symbolic) and facts.may_be_differentiated(operand.fact)
        derived = apply(dynamic.cotangent_of, function, place, *operands) if varies else None
        found.append(apply(dynamic.applied, derived, *operands, g) if varies else None)
    return tuple(found)


def _product(x: float, y: float) -> float:
    return x * x * y


rule(
    (dynamic.call, dynamic.applied), jvp=_tangent, vjp=_cotangents,
    samples=[(math.sin, 0.3), (_product, 0.3, 0.7)],
)  # fmt: skip
constant(dynamic.tangent_of, dynamic.cotangent_of)
for _call in (dynamic.call, dynamic.applied):
    infer.special[_call] = lambda *operands: facts.NUMERIC
for _maker in (dynamic.tangent_of, dynamic.cotangent_of):
    infer.special[_maker] = lambda *operands: facts.Opaque("function")
