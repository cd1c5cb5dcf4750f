"""The rule of einsum: it is linear in each operand, and each transpose is an einsum again."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from tangent_like.errors import NotYetSupported
from tangent_like.rules.registry import rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply


def _einsum_tangent(tangents: Any, y: Any, spec: Any, *operands: Any, **keywords: Any) -> Any:
    if not isinstance(spec, str):
        return NotImplemented
    total = None
    for i, dx in enumerate(tangents[1:]):
        if dx is not None:
            term = np.einsum(spec, *operands[:i], dx, *operands[i + 1 :], **_only(keywords))
            total = term if total is None else total + term
    return total


def _einsum_cotangent(g: Any, y: Any, spec: Any, *operands: Any, **keywords: Any) -> Any:
    if not isinstance(spec, str):
        return NotImplemented
    inputs, output = parse(spec)
    keywords = _only(keywords)
    return None, *(
        _transpose(g, inputs, output, operands, i, keywords) for i in range(len(operands))
    )


def _only(keywords: dict[str, Any]) -> dict[str, Any]:
    unknown = keywords.keys() - {"optimize", "dtype", "order", "casting"}
    if unknown:
        raise NotYetSupported(f"`einsum` with the keyword `{min(unknown)}`")
    return {key: value for key, value in keywords.items() if key == "optimize"}


def parse(spec: str) -> tuple[list[str], str]:
    """The labels of the operands and of the result, which may be left out."""
    left, arrow, output = spec.replace(" ", "").partition("->")
    inputs = left.split(",")
    if not arrow:
        letters = left.replace("...", "").replace(",", "")
        once = "".join(sorted(label for label in set(letters) if letters.count(label) == 1))
        output = "..." * ("..." in left) + once
    return inputs, output


def _transpose(
    g: Any, inputs: list[str], output: str, operands: Any, i: int, keywords: dict[str, Any]
) -> Any:
    """Swap the operand's labels with those of the result.

    A label that stands in this operand only was summed over: ones spread g along its axis.  A
    label that stands twice in it means a diagonal: a unit matrix puts g there.
    """
    labels, x = inputs[i], operands[i]
    if "..." in labels and not labels.startswith("..."):
        _check_same_rank(inputs, operands)
    others = [inputs[j] for j in range(len(inputs)) if j != i]
    factors = [operands[j] for j in range(len(operands)) if j != i]
    wanted, diagonals = _without_repeats(labels, spec_letters(inputs, output))
    available = set("".join(others) + output)
    for label in dict.fromkeys(labels.replace("...", "")):
        if label not in available:
            others.append(label)
            factors.append(apply(np.ones, np.shape(x)[_axis_of(label, labels)]))
    for label, second in diagonals:
        others.append(label + second)
        factors.append(apply(np.eye, np.shape(x)[_axis_of(label, labels)]))
    return contract(",".join([output, *others]) + "->" + wanted, g, *factors, **keywords)


def _check_same_rank(inputs: list[str], operands: Any) -> None:
    """An ellipsis that is not in front can be undone only if all have as many axes in it."""
    ranks = {
        np.ndim(x) - len(labels) + 3 if isinstance(np.ndim(x), int) else None
        for labels, x in zip(inputs, operands, strict=False)
        if "..." in labels
    }
    if len(ranks) > 1 or None in ranks:
        raise NotYetSupported("`einsum` with an ellipsis behind a label and broadcasting in it")


def spec_letters(inputs: list[str], output: str) -> list[str]:
    """Letters that the specification leaves free."""
    used = set("".join(inputs) + output)
    return [letter for letter in string.ascii_letters if letter not in used]


def _without_repeats(labels: str, free: list[str]) -> tuple[str, list[tuple[str, str]]]:
    """The labels with each later occurrence renamed, and what was renamed."""
    seen: set[str] = set()
    found, renamed = "", []
    for label in labels:
        if label != "." and label in seen:
            renamed.append((label, free.pop(0)))
            found += renamed[-1][1]
        else:
            seen.add(label)
            found += label
    return found, renamed


def _axis_of(label: str, labels: str) -> int:
    """The axis of a label, counted from the end where it stands behind an ellipsis."""
    before, dots, after = labels.partition("...")
    if dots and label not in before:
        return after.index(label) - len(after)
    return before.index(label)


def contract(spec: str, *operands: Any, **keywords: Any) -> Any:
    """An einsum, as a product of matrices where it is one."""
    inputs, output = parse(spec)
    product = _as_matmul(inputs, output, operands) if len(operands) == 2 else None
    return product if product is not None else apply(np.einsum, spec, *operands, **keywords)


def _as_matmul(inputs: list[str], output: str, operands: Any) -> Any:
    """`ij,jk->ik` in all its transpositions: the operands in the order of the result."""
    if any(len(labels) != 2 or len(set(labels)) != 2 or "." in labels for labels in inputs):
        return None
    shared = set(inputs[0]) & set(inputs[1])
    if len(shared) != 1 or len(output) != 2 or set(output) & shared:
        return None
    (inner,) = shared
    first = 0 if output[0] in inputs[0] else 1
    left, right = operands[first], operands[1 - first]
    if inputs[first][0] == inner:
        left = np.transpose(left)
    if inputs[1 - first][1] == inner:
        right = np.transpose(right)
    return left @ right


def _einsum_by_lists(*operands: Any, **keywords: Any) -> Any:
    """The call with lists of axis numbers in place of a specification."""
    arrays, sublists = list(operands[0::2]), list(operands[1::2])
    if len(operands) % 2:
        output = arrays.pop()
        spec = ",".join(map(_labels, sublists)) + "->" + _labels(output)
    else:
        spec = ",".join(map(_labels, sublists))
    return np.einsum(spec, *arrays, **keywords)


def _labels(numbers: Any) -> str:
    return "".join("..." if n is Ellipsis else string.ascii_letters[n] for n in numbers)


rule(
    np.einsum,
    jvp=_einsum_tangent,
    vjp=_einsum_cotangent,
    otherwise=_einsum_by_lists,
    sequences=True,
    samples=lambda: [
        ("ij,jk->ik", reals(2, 3), reals(3, 4)),
        ("ij,jk", reals(2, 3), reals(3, 4)),
        ("ij->ji", reals(2, 3)),
        ("ij->", reals(2, 3)),
        ("ij->i", reals(2, 3)),
        ("ii->i", reals(3, 3)),
        ("ii", reals(3, 3)),
        ("i,i->", reals(3), reals(3, seed=1)),
        ("i,j->ij", reals(3), reals(2)),
        ("bij,bjk->bik", reals(2, 2, 3), reals(2, 3, 2)),
        ("...ij,...jk->...ik", reals(2, 2, 3), reals(3, 2)),
        ("ij,jk,kl->il", reals(2, 3), reals(3, 2), reals(2, 2)),
        ("ij,kj->", reals(2, 3), reals(4, 3)),
        ("iij->j", reals(2, 2, 3)),
        (("ij,jk,kl->il", reals(2, 3), reals(3, 2), reals(2, 2)), {"optimize": True}),
        (reals(2, 3), [0, 1], reals(3, 4), [1, 2], [0, 2]),
        (reals(2, 3), [0, 1], reals(3), [1]),
        ("i...,i...->...", reals(2, 3), reals(2, 3, seed=1)),
    ],
)
