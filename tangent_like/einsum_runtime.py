"""The subscripts of np.einsum, and its transpose where these are known at run time only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tangent_like.runtime import unbroadcast

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()

def explicit(spec: str, ranks: Sequence[int | None]) -> tuple[list[str], str] | None:
    """The letters of each operand and of the result, one for each axis, as np.einsum reads them.

    The axes of an ellipsis get letters that the specification leaves free.  None where the number
    of these axes is not known.

    `explicit("...ij,jk", [3, 2])` is `["aij", "jk"], "aik"`.
    """
    inputs, right = split(spec)
    if "..." not in spec:
        return inputs, right
    counts = []
    for labels, rank in zip(inputs, ranks, strict=True):
        if "..." in labels:
            if rank is None:
                return None
            counts.append(rank - len(labels) + 3)
    more = unused(spec, max(counts))
    behind = iter(counts)
    named = [
        labels.replace("...", more[max(counts) - next(behind) :]) if "..." in labels else labels
        for labels in inputs
    ]
    return named, right.replace("...", more)


def split(spec: str) -> tuple[list[str], str]:
    """The labels of the operands and of the result, which may be left out."""
    left, arrow, output = spec.replace(" ", "").partition("->")
    if not arrow:
        letters = left.replace("...", "").replace(",", "")
        once = sorted(c for c in set(letters) if letters.count(c) == 1)
        output = "..." * ("..." in left) + "".join(once)
    return left.split(","), output


def unused(spec: str, count: int) -> str:
    """Letters that a specification leaves free."""
    return "".join([c for c in _LOWER + _UPPER if c not in spec][:count])


def without_repeats(labels: str, spec: str) -> tuple[str, list[str]]:
    """The labels with a free letter for each that has occurred before, and these pairs."""
    free = list(unused(spec, len(labels)))
    found, pairs = "", []
    for label in labels:
        if label in found:
            pairs.append(label + free.pop(0))
            found += pairs[-1][1]
        else:
            found += label
    return found, pairs


def of_tensordot(n: int, m: int, axes: Any) -> str:
    """The specification for np.tensordot of operands with n and m axes.

    `of_tensordot(3, 2, 1)` is `"abc,cB->abB"`.
    """
    left, right = list(_LOWER[:n]), list(_UPPER[:m])
    if isinstance(axes, int):
        axes = range(n - axes, n), range(axes)
    over = [[k] if isinstance(k, int) else list(k) for k in axes]
    for i, j in zip(*over, strict=True):
        right[j] = left[i]
    output = [c for c in left + right if (c in left) != (c in right)]
    return "".join([*left, ",", *right, "->", *output])


def einsum_transpose(g: Any, place: int, spec: str, *operands: Any) -> Any:
    """The cotangent of the operand number `place` in np.einsum(spec, *operands)."""
    found = explicit(spec, [np.ndim(x) for x in operands])
    assert found is not None
    inputs, output = found
    x, labels = operands[place], inputs[place]
    wanted, pairs = without_repeats(labels, "".join(inputs) + output)
    terms = [output, *(inputs[:place] + inputs[place + 1 :])]
    factors = [g, *operands[:place], *operands[place + 1 :]]
    for label in wanted:
        if label not in output:  # other operands may have length 1 there
            terms.append(label)
            factors.append(np.ones(np.shape(x)[wanted.index(label)]))
    for pair in pairs:
        terms.append(pair)
        factors.append(np.eye(np.shape(x)[labels.index(pair[0])]))
    turned = ",".join(terms) + "->" + wanted
    return unbroadcast(np.einsum(turned, *factors, optimize=len(factors) > 2), x)
