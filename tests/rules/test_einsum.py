"""Random specifications of einsum: both modes, second order, and whatever is known of operands."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tangent_like as tl
from tangent_like import facts
from tangent_like.build import Builder
from tangent_like.ir import Const, Value
from tests.derivatives import EPS, assert_derivatives, define
from tests.rules.checks import check_second_order, derived, magnitude, pairing
from tests.rules.evaluate import Program

LENGTHS = {"i": 2, "j": 3, "k": 4, "B": 2, "z": 3}
BROADCAST = (2, 1, 3)
"""The axes of an ellipsis, of which an operand may have the last ones, or length 1."""


class Call(NamedTuple):
    """The arguments of a call of np.einsum; arrays are operands, all else is constant."""

    args: tuple[Any, ...]
    keywords: dict[str, Any]


@st.composite
def operand(draw: Any) -> tuple[str, tuple[int, ...]]:
    labels = draw(st.text(st.sampled_from("ijkBz"), max_size=3))
    shape = [1 if draw(st.integers(0, 7)) == 0 else LENGTHS[c] for c in labels]
    shape = [shape[labels.index(c)] for c in labels]  # one label has one length in an operand
    if draw(st.integers(0, 2)):
        return labels, tuple(shape)
    count, at = draw(st.integers(0, 3)), draw(st.integers(0, len(labels)))
    more = [1 if draw(st.integers(0, 3)) == 0 else n for n in BROADCAST[3 - count :]]
    return labels[:at] + "..." + labels[at:], (*shape[:at], *more, *shape[at:])


@st.composite
def calls(draw: Any) -> Call:
    operands = draw(st.lists(operand(), min_size=1, max_size=3))
    inputs = [labels for labels, _ in operands]
    letters = sorted(set("".join(inputs)) - {"."})
    output = None
    if draw(st.booleans()):
        output = "".join(draw(st.permutations([c for c in letters if draw(st.booleans())])))
        if any("..." in labels for labels in inputs):
            at = draw(st.integers(0, len(output)))
            output = output[:at] + "..." + output[at:]
    arrays = [np.asarray(numbers(shape, k)) for k, (_, shape) in enumerate(operands)]
    chosen = draw(st.sampled_from([None, None, False, True, "greedy"]))
    keywords = {} if chosen is None else {"optimize": chosen}
    if draw(st.integers(0, 3)):
        spec = ",".join(inputs) + ("" if output is None else "->" + output)
        return Call((spec, *arrays), keywords)
    args = [part for x, labels in zip(arrays, inputs, strict=True) for part in (x, places(labels))]
    return Call((*args, *([] if output is None else [places(output)])), keywords)


def numbers(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.default_rng(seed).uniform(-1.5, 1.5, shape)


def places(labels: str) -> list[Any]:
    """The labels as a list of axis numbers, sorted as the letters are."""
    found: list[Any] = ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".index(c)
                        for c in labels.replace("...", "")]  # fmt: skip
    if "..." in labels:
        found.insert(labels.index("."), Ellipsis)
    return found


KNOWN = {
    "lengths that are not 1": lambda x, sizes: facts.Array(
        "float64",
        tuple(1 if n == 1 else sizes.setdefault(n, facts.fresh_size(plural=True)) for n in x.shape),
    ),
    "lengths that may be 1": lambda x, sizes: facts.Array(
        "float64", tuple(facts.fresh_size() for _ in x.shape)
    ),
    "nothing": lambda x, sizes: facts.UNKNOWN,
}


def program_of(call: Call, known: str) -> tuple[Program, list[Any]]:
    builder, sizes = Builder(), {}
    values = [x for x in call.args if isinstance(x, np.ndarray)]
    inputs = [Value("x", KNOWN[known](x, sizes)) for x in values]
    rest = iter(inputs)
    atoms = [next(rest) if isinstance(x, np.ndarray) else Const(x) for x in call.args]
    result = builder.op(np.einsum, atoms, {key: Const(v) for key, v in call.keywords.items()})
    program = Program(builder.finish(()).statements, tuple(inputs), (), (result,))
    return program.trace(values)[0], values


def complex_step(call: Call, directions: list[Any]) -> Any:
    """The directional derivative, exact to rounding."""
    rest = iter(directions)
    moved = [
        x + 1e-30j * next(rest) if isinstance(x, np.ndarray) else x for x in call.args
    ]
    return np.imag(np.einsum(*moved, **call.keywords)) / 1e-30


@pytest.mark.parametrize("known", KNOWN)
@settings(max_examples=60)
@given(calls())
def test_any_specification(known: str, call: Call) -> None:
    program, values = program_of(call, known)
    of = derived(program, values)
    sizes = [np.abs(x) + np.abs(dx) for x, dx in zip(values, of.directions, strict=True)]
    rest = iter(sizes)
    terms = np.einsum(*[next(rest) if isinstance(x, np.ndarray) else x for x in call.args])
    room = 100 * EPS * (float(np.max(terms, initial=0.0)) + 1e-300)

    assert np.shape(of.tangents[0]) == np.shape(of.results[0])
    want = complex_step(call, of.directions)
    np.testing.assert_allclose(of.tangents[0], want, rtol=0, atol=room)

    assert list(map(np.shape, of.cotangents)) == list(map(np.shape, values))
    gap = pairing(of.seeds, of.tangents) - pairing(of.cotangents, of.directions)
    scale = magnitude(of.seeds, [terms]) + magnitude(of.cotangents, of.directions)
    assert abs(gap) <= 100 * EPS * scale
    check_second_order(of)


WAYS = {
    "an ellipsis in one operand only": "np.einsum('...ij,jk->...ik', A, B)",
    "an ellipsis behind a label": "np.einsum('a...,a->...', A, A[:, 0, 0])",
    "no arrow": "np.einsum('...ij,jk', A, B)",
    "blanks": "np.einsum(' a i j , j k -> a i k ', A, B)",
    "axis numbers": "np.einsum(A, [0, 1, 2], B, [2, 3], [0, 1, 3])",
    "axis numbers and an ellipsis": "np.einsum(A, [..., 1, 2], B, [2, 3], [..., 1, 3])",
    "axis numbers, no result": "np.einsum(A, [0, 1, 2], B, [2, 3])",
    "a number": "np.einsum(',ij->ji', A[0, 0, 0], B)",
    "one argument twice": "np.einsum('aij,aik->jk', A, A)",
    "four operands": "np.einsum('aij,jk,jl,kl->ai', A, B, B, B.T @ B)",
    "a path": "np.einsum('aij,jk,kl->ail', A, B, B.T, optimize=['einsum_path', (0, 1), (0, 1)])",
    "an array from outside": "np.einsum('aij,j->a', A, np.array([0.3, -1.2, 0.7]))",
    "an element type": "np.einsum('aij,jk->ik', A, B, dtype=np.float64)",
}


@pytest.mark.parametrize("way", WAYS)
def test_form_of_a_call(way: str) -> None:
    f = define(f"def f(A, B):\n    return np.sum(np.sin({WAYS[way]}))\n", "f")
    assert_derivatives(f, numbers((2, 2, 3), 0), numbers((3, 4), 1))


def test_specification_known_at_run_time():
    f = define("def f(spec, A, B):\n    return np.sum(np.sin(np.einsum(spec, A, B)))\n", "f")
    assert_derivatives(f, "ij,jk", numbers((2, 3), 0), numbers((3, 4), 1), wrt=(1, 2))
    assert_derivatives(f, "ji,jk", numbers((3, 2), 0), numbers((3, 4), 1), wrt=(1, 2))


def test_single_precision_stays():
    f = define("def f(A, B):\n    return np.sum(np.einsum('ij,jk->', A, B))\n", "f")
    A, B = (numbers(s, 0).astype(np.float32) for s in ((2, 3), (3, 4)))
    assert [g.dtype for g in tl.grad(f, wrt=(0, 1))(A, B)] == [np.float32, np.float32]


def test_complex_operands():
    """Cotangents are not conjugated; that of a real operand is real."""
    f = define("def f(A, B):\n    return np.real(np.sum(np.einsum('ij,jk->ik', A, B) ** 2))\n", "f")
    A, B = numbers((2, 3), 0), numbers((3, 4), 1) + 1j * numbers((3, 4), 2)
    bA, bB = tl.grad(f, wrt=(0, 1))(A, B)
    np.testing.assert_allclose(bB, 2 * A.T @ (A @ B), rtol=1e-13)
    assert bA.dtype == float
    np.testing.assert_allclose(bA, np.real(2 * (A @ B) @ B.T), rtol=1e-13)


SAYS = {
    ("ij,jk->ik", (2, 3), (3, 4)): ["g @ B.T", "A.T @ g"],
    ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)): [
        "g @ np.swapaxes(B, -1, -2)", "np.swapaxes(A, -1, -2) @ g"
    ],
    ("bij,jk->bik", (5, 2, 3), (3, 4)): ["g @ B.T", "np.tensordot(A, g, axes=((0, 1), (0, 1)))"],
    ("i,j->ij", (2,), (3,)): ["g @ B", "A @ g"],
}  # fmt: skip


@pytest.mark.simplified
@pytest.mark.parametrize("spec", SAYS)
def test_pullback_is_a_product_of_matrices(spec: Any) -> None:
    labels, *shapes = spec
    f = define(f"def f(A, B, G):\n    return np.sum(np.einsum('{labels}', A, B) * G)\n", "f")
    A, B = (numbers(shape, 0) for shape in shapes)
    G = np.einsum(labels, A, B)
    text = tl.source(f, types={"A": A, "B": B, "G": G}, wrt=(0, 1))
    for expected in SAYS[spec]:
        assert expected.replace("g", "G") in text


def test_written_into():
    """The diagonal that einsum gives of one array is a view of it."""
    f = define("def f(A):\n    A = A * 2.0\n    d = np.einsum('ii->i', A)\n    d[0] = 5.0\n"
               "    return np.sum(A * A)\n", "f")  # fmt: skip
    with pytest.raises(tl.errors.TangentLikeError):
        tl.grad(f)(np.ones((3, 3)))
