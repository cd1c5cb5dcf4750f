"""Sums of products over named axes, which einsum, tensordot and products of matrices are.

A contraction is written in its fastest form: products of matrices, products element by element,
tensordot, and einsum for what is none of these.  It is linear in each operand, and each transpose
is a contraction again: the operand's labels are swapped with those of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from tangent_like import facts
from tangent_like.einsum_runtime import without_repeats
from tangent_like.rules.symbolic import Symbolic, apply

# --- lengths ----------------------------------------------------------------------------------


class Factor(NamedTuple):
    """An operand with a label for each of its axes."""

    labels: str
    array: Any

    def length(self, label: str) -> facts.Dim | None:
        """The length of an axis, None where it is not known."""
        x = self.array
        shape = facts.dims(x.fact) if isinstance(x, Symbolic) else np.shape(x)
        return shape[self.labels.index(label)] if shape else None


def _is_long(length: facts.Dim | None) -> bool:
    """Whether a length is known not to be 1, so that it is that of all axes of its label."""
    return length.plural if isinstance(length, facts.Size) else length not in (None, 1)


def _same_length(a: Factor, b: Factor, label: str) -> bool:
    """Whether neither operand is known to be, or may be, stretched along a label."""
    m, n = a.length(label), b.length(label)
    return (m is not None and m == n) or (_is_long(m) and _is_long(n))


# --- the fastest form of a contraction --------------------------------------------------------


def contract(factors: Sequence[Factor], output: str, **options: Any) -> Any:
    """The sum of products with these labels; `options` are for np.einsum where that is needed."""
    factors = [_without_lone(f, factors, output) for f in factors]
    while len(factors) > 2:
        found = _next_pair(factors, output)
        if found is None:
            return _einsum(factors, output, options)
        a, b, kept = found
        product = Factor(kept, contract([a, b], kept, **options))
        factors = [product, *(f for f in factors if f is not a and f is not b)]
    first, *others = factors
    if not others:
        plain = len(set(first.labels)) == len(first.labels)
        found = _transposed(first.array, first.labels, output) if plain else None
        return _einsum(factors, output, options) if found is None else found
    found = _product(first, others[0], output)
    return found if found is not None else _einsum(factors, output, options)


def _einsum(factors: Sequence[Factor], output: str, options: dict[str, Any]) -> Any:
    spec = ",".join(f.labels for f in factors) + "->" + output
    return apply(np.einsum, spec, *(f.array for f in factors), **options)


def _without_lone(factor: Factor, factors: Sequence[Factor], output: str) -> Factor:
    """The operand, summed over the axes that stand nowhere else."""
    elsewhere = set("".join(f.labels for f in factors if f is not factor) + output)
    labels = factor.labels
    lone = [i for i, c in enumerate(labels) if c not in elsewhere and labels.count(c) == 1]
    if not lone:
        return factor
    axes = {} if len(lone) == len(labels) else {"axis": lone[0] if len(lone) == 1 else tuple(lone)}
    rest = "".join(c for i, c in enumerate(labels) if i not in lone)
    return Factor(rest, apply(np.sum, factor.array, **axes))


def _next_pair(factors: Sequence[Factor], output: str) -> tuple[Factor, Factor, str] | None:
    """The two operands whose product is smallest, if it is no larger than what there is."""
    best: tuple[Any, ...] | None = None
    for a, b in combinations(factors, 2):
        rest = set("".join(f.labels for f in factors if f is not a and f is not b) + output)
        union = "".join(dict.fromkeys(a.labels + b.labels))
        kept = "".join(c for c in union if c in rest)
        if best is None or (len(kept), len(union)) < best[0]:
            best = (len(kept), len(union)), a, b, kept
    assert best is not None
    largest = max(len(output), *(len(f.labels) for f in factors))
    return best[1:] if best[0][0] <= largest else None


def _product(a: Factor, b: Factor, output: str) -> Any:
    """The product of two operands, None where only einsum computes it."""
    if any(len(set(f.labels)) != len(f.labels) for f in (a, b)):
        return None
    inner = [c for c in a.labels if c in b.labels and c not in output]
    if not inner:
        return _aligned(a, output) * _aligned(b, output)
    if not all(_same_length(a, b, c) for c in inner):
        return None
    if not output and a.labels == b.labels and len(inner) > 1:
        return apply(np.sum, a.array * b.array)
    if _vector_on_wrong_side(a, b):
        a, b = b, a
    found = None
    if len(inner) == 1:
        found = _matrix_product(a, b, inner[0], output)
        if found is None:
            found = _matrix_product(b, a, inner[0], output)
    if found is None and any(c in a.labels and c in b.labels for c in output):
        return _batched_product(a, b, inner, output)
    return found if found is not None else _tensordot(a, b, inner, output)


def _vector_on_wrong_side(a: Factor, b: Factor) -> bool:
    """Whether the matrix beside a vector would have to be transposed."""
    if len(a.labels) == len(b.labels):
        return False
    return a.labels == b.labels[-1:] or b.labels == a.labels[:1]


def _matrix_product(a: Factor, b: Factor, inner: str, output: str) -> Any:
    """`a @ b` with the rows of `a` and the columns of `b` as the last axes of the result."""
    count = (a.labels != inner) + (b.labels != inner)
    if len(output) < count:
        return None
    batch, last = output[: len(output) - count], output[len(output) - count :]
    row, column = ("", last) if a.labels == inner else (last[:1], last[1:])
    if not (set(row) <= _kept_only(a, b, output) and set(column) <= _kept_only(b, a, output)):
        return None
    left, right = _turned(a, batch + row + inner), _turned(b, batch + inner + column)
    return None if left is None or right is None else left @ right


def _kept_only(a: Factor, b: Factor, output: str) -> set[str]:
    """The labels of the result that one operand has and the other has not."""
    return {c for c in a.labels if c in output and c not in b.labels}


def _batched_product(a: Factor, b: Factor, inner: Sequence[str], output: str) -> Any:
    """A product of matrices for each index that both operands keep, whatever the order of axes."""
    rows, columns = _kept_only(a, b, output), _kept_only(b, a, output)
    if not len(rows) == len(columns) == len(inner) == 1:
        return None
    (row,), (column,), k = rows, columns, inner[0]
    if output.index(row) > output.index(column):
        a, b, row, column = b, a, column, row
    batch = "".join(c for c in output if c not in (row, column))
    left = _transposed(a.array, a.labels, batch + row + k)
    right = _transposed(b.array, b.labels, batch + k + column)
    return _transposed(left @ right, batch + row + column, output)


def _turned(factor: Factor, order: str) -> Any:
    """The operand with its labels in order, if at most the last two must be swapped."""
    present = "".join(c for c in order if c in factor.labels)
    if not order.endswith(present) or len(present) != len(factor.labels):
        return None
    if factor.labels not in (present, present[:-2] + present[-2:][::-1]):
        return None
    return _transposed(factor.array, factor.labels, present)


def _tensordot(a: Factor, b: Factor, inner: Sequence[str], output: str) -> Any:
    """Several axes summed over, or kept on either side."""
    if output and output[0] in b.labels:
        a, b = b, a
    rest = "".join(c for c in a.labels + b.labels if c in output)
    axes = tuple(tuple(f.labels.index(c) for c in inner) for f in (a, b))
    found = apply(np.tensordot, a.array, b.array, axes=_plain_axes(a, b, axes))
    return _transposed(found, rest, output)


def _plain_axes(a: Factor, b: Factor, axes: Any) -> Any:
    """The last axes of `a` with the first ones of `b` are said by their number."""
    count = len(axes[0])
    last = tuple(range(len(a.labels) - count, len(a.labels)))
    return count if axes == (last, tuple(range(count))) else axes


def _aligned(factor: Factor, output: str) -> Any:
    """The operand with its labels in the order of the result, and axes of length 1 between."""
    present = "".join(c for c in output if c in factor.labels)
    x = _transposed(factor.array, factor.labels, present)
    start = output.index(present[0]) if present else len(output)
    missing = [i - start for i, c in enumerate(output) if i > start and c not in present]
    return _expanded(x, missing)


def _expanded(x: Any, axes: Sequence[int]) -> Any:
    """The operand with more axes of length 1, at these places of the result."""
    if not axes:
        return x
    return apply(np.expand_dims, x, axes[0] if len(axes) == 1 else tuple(axes))


def _transposed(x: Any, labels: str, order: str) -> Any:
    if labels == order:
        return x
    if len(order) == 2:
        return apply(np.transpose, x)
    if labels == order[:-2] + order[-2:][::-1]:
        return apply(np.swapaxes, x, -1, -2)
    return apply(np.transpose, x, tuple(labels.index(c) for c in order))


# --- transposes -------------------------------------------------------------------------------


def tangent_of(factors: Sequence[Factor], output: str, tangents: Any, **options: Any) -> Any:
    """The tangent of a contraction: one term for each operand that varies."""
    total = None
    for i, dx in enumerate(tangents):
        if dx is not None:
            varied = [*factors[:i], Factor(factors[i].labels, dx), *factors[i + 1 :]]
            term = contract(varied, output, **options)
            total = term if total is None else total + term
    return total


def cotangent_of(factors: Sequence[Factor], output: str, g: Any, i: int, **options: Any) -> Any:
    """The cotangent of one operand of a contraction.

    A label that stands in this operand only was summed over: g is the same all along its axis.  A
    label that stands twice in it means a diagonal: a unit matrix puts g there.
    """
    labels, x = factors[i]
    wanted, pairs = without_repeats(labels, "".join(f.labels for f in factors) + output)
    target = Factor(wanted, x)
    others = [Factor(output, g), *factors[:i], *factors[i + 1 :]]
    units = [Factor(p, apply(np.eye, np.shape(x)[labels.index(p[0])])) for p in pairs]
    covered = "".join(f.labels for f in [*others, *units])
    missing = [wanted.index(c) for c in wanted if c not in covered]
    if missing and _has_lengths_of(target, others):
        kept = "".join(c for c in wanted if c in covered)
        found = contract([*others, *units], kept, **options)
        spread = _expanded(found, missing) if len(missing) < len(wanted) else found
        return np.broadcast_to(spread, np.shape(x))
    for place, label in enumerate(wanted):
        if label not in output + "".join(pairs) and not _is_covered(target, others, label):
            units.append(Factor(label, apply(np.ones, np.shape(x)[place])))
    return contract([*others, *units], wanted, **options)


def _has_lengths_of(target: Factor, others: Sequence[Factor]) -> bool:
    """Whether the others are as long as the target where they share a label with it."""
    return all(_same_length(f, target, c) for f in others for c in target.labels if c in f.labels)


def _is_covered(target: Factor, others: Sequence[Factor], label: str) -> bool:
    """Whether one of the others is at least as long as the target, rather than stretched."""
    carriers = [f for f in others if label in f.labels]
    if target.length(label) == 1 and carriers:
        return True
    return any(_same_length(f, target, label) or _is_long(f.length(label)) for f in carriers)
