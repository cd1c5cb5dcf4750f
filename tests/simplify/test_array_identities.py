"""Identities of whole arrays: the shorter form, and the same numbers."""

from __future__ import annotations

import operator

import numpy as np
import pytest

from tangent_like import runtime
from tangent_like.facts import FLOAT, Array, Size
from tangent_like.ir import Const
from tangent_like.simplify.algebra import finish_algebra, simplify_algebra
from tangent_like.simplify.dead import remove_dead
from tests.simplify.lists import function, lines, run

ADD, SUB, MUL, DIV, NEG, MATMUL, GET = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.matmul,
    operator.getitem,
)  # fmt: skip
N, M = Size(-1, 0, True), Size(-2, 0, True)
MATRIX = Array("float64", (N, M))
COLUMN, ROW, TALL = Array("float64", (N, 1)), Array("float64", (1, M)), Array("float64", (M, N))
ALL = slice(None)
VECTOR, SHORT = Array("float64", (N,)), Array("float64", (M,))
ROWS = {"axis": Const(0)}
AXIS, KEPT = {"axis": Const(1)}, {"axis": Const(1), "keepdims": Const(True)}


def spread(b, number, like):
    shape = b.op(getattr, (like, Const("shape")))
    return b.op(np.broadcast_to, (number, shape))


CASES = {
    "the sum of a negative": (
        lambda b, x: b.op(np.sum, (b.op(NEG, (x,)),), AXIS), [MATRIX],
        ["v1 = np.sum(x, axis=1)", "v2 = -v1", "return v2"],
    ),
    "the sum of a multiple": (
        lambda b, x, y: b.op(np.sum, (b.op(MUL, (y, x)),), AXIS), [MATRIX, FLOAT],
        ["v1 = np.sum(x, axis=1)", "v2 = y * v1", "return v2"],
    ),
    "a divisor that is the same along the axis": (
        lambda b, x, y, z: b.op(np.sum, (b.op(MUL, (x, b.op(DIV, (y, z)))),), KEPT),
        [MATRIX, MATRIX, COLUMN],
        ["v1 = x * y", "v2 = np.sum(v1, axis=1, keepdims=True)", "v3 = v2 / z", "return v3"],
    ),
    "a divisor of a whole sum": (
        lambda b, x, y: b.op(np.sum, (b.op(DIV, (x, y)),)), [MATRIX, FLOAT],
        ["v1 = np.sum(x)", "v2 = v1 / y", "return v2"],
    ),
    "a sum of products of matrices": (
        lambda b, x, y: b.op(np.sum, (b.op(MUL, (x, y)),)), [MATRIX, MATRIX],
        ["v1 = np.vdot(x, y)", "return v1"],
    ),
    "a kept axis that is dropped": (
        lambda b, x: b.op(GET, (b.op(np.sum, (x,), KEPT), Const((ALL, 0)))), [MATRIX],
        ["v1 = np.sum(x, axis=1)", "return v1"],
    ),
    "an item of a negative": (
        lambda b, x: b.op(GET, (b.op(NEG, (x,)), Const((ALL, 0)))), [MATRIX],
        ["v1 = x[(slice(None, None, None), 0)]", "v2 = -v1", "return v2"],
    ),
    "the transpose of a transpose": (
        lambda b, x: b.op(np.transpose, (b.op(np.transpose, (x,)),)), [MATRIX], ["return x"],
    ),
    "the transpose of a product": (
        lambda b, x, y: b.op(np.transpose, (b.op(MATMUL, (b.op(np.transpose, (x,)), y)),)),
        [MATRIX, MATRIX], ["v1 = np.transpose(y)", "v2 = v1 @ x", "return v2"],
    ),
    "the sum of the rows of a product": (
        lambda b, x, y: b.op(np.sum, (b.op(MATMUL, (x, y)),), {"axis": Const(0)}), [MATRIX, TALL],
        ["v1 = np.sum(x, axis=0)", "v2 = v1 @ y", "return v2"],
    ),
    "the sum of the rows of products": (
        lambda b, x, y: b.op(np.sum, (b.op(MATMUL, (x, y)),), AXIS),
        [Array("float64", (2, N, M)), Array("float64", (2, M, N))], None,
    ),
    "a sign with the smaller factor": (
        lambda b, x, y: b.op(NEG, (b.op(MUL, (x, y)),)), [COLUMN, MATRIX],
        ["v1 = -x", "v2 = v1 * y", "return v2"],
    ),
    "an outer product": (
        lambda b, x, y: b.op(MATMUL, (x, y)), [COLUMN, ROW], ["v1 = np.dot(x, y)", "return v1"],
    ),
    "a transpose times a vector": (
        lambda b, x, y: b.op(MATMUL, (b.op(np.transpose, (x,)), y)), [MATRIX, VECTOR],
        ["v1 = y @ x", "return v1"],
    ),
    "a vector times a transpose": (
        lambda b, x, y: b.op(MATMUL, (y, b.op(np.transpose, (x,)))), [MATRIX, SHORT],
        ["v1 = x @ y", "return v1"],
    ),
    "a sum of weighted rows": (
        lambda b, x, y: b.op(np.sum, (b.op(MUL, (x, b.op(GET, (y, Const((ALL, None)))))),), ROWS),
        [MATRIX, VECTOR], ["v1 = y @ x", "return v1"],
    ),
    "sums of weighted rows of a stack": (
        lambda b, x, y: b.op(np.sum, (b.op(MUL, (b.op(np.expand_dims, (y, Const(-1))), x)),), KEPT),
        [Array("float64", (2, N, M)), Array("float64", (2, N))],
        ["v1 = y[(slice(None, None, None), None, slice(None, None, None))]", "v2 = v1 @ x",
         "return v2"],
    ),
    "a sum of weighted columns": (
        lambda b, x, y: b.op(np.sum, (b.op(MUL, (x, b.op(GET, (y, Const((ALL, None)))))),), AXIS),
        [MATRIX, VECTOR], None,
    ),
    "an axis that broadcasting adds": (
        lambda b, x, y: b.op(MUL, (b.op(np.expand_dims, (b.op(NEG, (y,)), Const(0))), x)),
        [MATRIX, Array("float64", (M,))], None,
    ),
    "a number in the shape of a column": (
        lambda b, x, y, z: b.op(MUL, (spread(b, y, z), x)), [MATRIX, FLOAT, COLUMN],
        ["v1 = y * x", "return v1"],
    ),
    "numbers of two factors": (
        lambda b, x, y: b.op(MUL, (b.op(MUL, (Const(2.0), x)), b.op(DIV, (Const(0.5), y)))),
        [MATRIX, MATRIX], ["v1 = x / y", "return v1"],
    ),
    "a negative multiple": (
        lambda b, x, y: b.op(NEG, (b.op(MUL, (b.op(MUL, (Const(2.0), x)), y)),)),
        [MATRIX, MATRIX], ["v1 = -2.0 * x", "v2 = v1 * y", "return v2"],
    ),
    "a multiple of a choice": (
        lambda b, x, y: b.op(
            MUL, (Const(2.0), b.op(np.where, (y, b.op(MUL, (Const(0.5), x)), Const(0.0))))
        ),
        [MATRIX, Array("bool", (N, M))], ["v1 = np.where(y, x, 0.0)", "return v1"],
    ),
    "a sum and what was added to zeros": (
        lambda b, x, y: b.op(
            ADD,
            (b.op(MUL, (x, x)),
             b.op(runtime.scatter_add, (b.op(runtime.zeros_like, (x,)), Const(0), y))),
        ),
        [MATRIX, FLOAT], ["v1 = x * x", "v2 = scatter_add(v1, 0, y)", "return v2"],
    ),
    "less twice": (
        lambda b, x, y: b.op(SUB, (b.op(SUB, (x, y)), y)), [MATRIX, MATRIX],
        ["v1 = 2.0 * y", "v2 = x - v1", "return v2"],
    ),
}  # fmt: skip
SIZES = {N: 4, M: 3}


def example(fact, rng):
    if not isinstance(fact, Array):
        return 1.7
    found = rng.uniform(0.5, 2.0, tuple(SIZES.get(d, d) for d in fact.dims))
    return found > 1.0 if fact.dtype == "bool" else found


@pytest.mark.parametrize("build, kinds, after", CASES.values(), ids=CASES)
def test_becomes_shorter(build, kinds, after):
    before = function(build, *kinds)
    found = remove_dead(finish_algebra(simplify_algebra(before)))
    if after is not None:
        assert lines(found) == after
        assert len(lines(found)) <= len(lines(before))
    rng = np.random.default_rng(1)
    args = [example(kind, rng) for kind in kinds]
    np.testing.assert_allclose(run(found, *args)[0], run(before, *args)[0], rtol=1e-14)


STAY = {
    "a divisor that differs along the axis": (
        lambda b, x, y, z: b.op(np.sum, (b.op(MUL, (x, b.op(DIV, (y, z)))),), KEPT),
        [MATRIX, MATRIX, MATRIX],
    ),
    "a sum of products of two shapes": (
        lambda b, x, y: b.op(np.sum, (b.op(MUL, (x, y)),)), [MATRIX, COLUMN],
    ),
    "a product over an axis of any length": (
        lambda b, x, y: b.op(MATMUL, (x, y)), [MATRIX, TALL],
    ),
    "a number in a shape that the other operand has not": (
        lambda b, x, y, z: b.op(MUL, (spread(b, y, x), z)), [MATRIX, FLOAT, COLUMN],
    ),
    "zeros times infinity": (
        lambda b, x: b.op(MUL, (b.op(runtime.zeros_like, (x,)), x)), [MATRIX],
    ),
}  # fmt: skip


@pytest.mark.parametrize("build, kinds", STAY.values(), ids=STAY)
def test_stays(build, kinds):
    before = function(build, *kinds)
    assert lines(remove_dead(simplify_algebra(before))) == lines(before)


@pytest.mark.parametrize("number", [-1.0, -2.0, 1.0])
def test_a_number_over_an_array_stays_a_quotient(number):
    """In the end -1 times an array is its negative; -1 over it is not."""
    made = function(lambda b, x: b.op(DIV, (Const(number), x)), MATRIX)
    finished = remove_dead(finish_algebra(simplify_algebra(made)))
    x = np.array([[0.5, 2.0], [4.0, -1.6]])
    assert lines(finished) == [f"v1 = {number} / x", "return v1"]
    assert np.array_equal(run(finished, x)[0], number / x)
