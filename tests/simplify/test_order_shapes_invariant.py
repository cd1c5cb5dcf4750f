"""The small passes: invariants of loops, shapes at hand, overwriting late, dead code."""

from __future__ import annotations

import operator

import numpy as np

import tangent_like as tl
from tangent_like import facts
from tangent_like.ir import UNDEFINED, Block, Const, If, Value
from tangent_like.simplify.dead import remove_dead
from tangent_like.simplify.invariant import drop_invariants
from tangent_like.simplify.order import overwrite_late
from tangent_like.simplify.shapes import share_shapes
from tests.simplify.lists import FLOAT, VECTOR, function, lines, operations, run


def test_what_a_loop_hands_on_unchanged_is_not_carried():
    def build(b, x, y):
        params = [Value("k", FLOAT), Value("p", FLOAT)]
        indices = b.op(range, (Const(3),))
        k, p = b.loop(
            indices, Value("i", facts.INT), [x, y], params,
            lambda: [params[0], b.op(operator.mul, (params[1], params[0]))],
        )  # fmt: skip
        return k, p

    before = function(build, FLOAT, FLOAT)
    after = drop_invariants(before)
    assert len(after.body.statements[-1].params) == 1
    assert run(after, 2.0, 3.0) == run(before, 2.0, 3.0) == (2.0, 24.0)


def test_what_nested_loops_hand_on_unchanged_is_what_it_was_before_both():
    def build(b, x, y):
        p, k, q, m = (Value(name, FLOAT) for name in "pkqm")
        indices = b.op(range, (Const(2),))

        def body():
            return b.loop(indices, Value("j", facts.INT), [p, k], [q, m], lambda: [m, m])

        return b.loop(indices, Value("i", facts.INT), [x, y], [p, k], body)

    before = function(build, FLOAT, FLOAT)
    assert run(drop_invariants(before), 2.0, 3.0) == run(before, 2.0, 3.0) == (3.0, 3.0)


def test_the_shape_of_an_argument_is_asked_instead():
    def build(b, x):
        product = b.op(operator.mul, (x, x))
        return b.op(getattr, (product, Const("size"))), b.op(getattr, (product, Const("shape")))

    after = remove_dead(share_shapes(function(build, VECTOR)))
    assert operations(after) == [len, getattr]
    assert run(after, np.ones(4)) == (4, (4,))


def test_the_shape_of_a_name_that_may_be_unbound_is_not_asked():
    def build(b, s):
        v = b.op(operator.mul, (s, Const(np.ones(3))))
        test = b.op(operator.gt, (s, Const(0.0)))
        then = b.collect(lambda: [b.op(operator.mul, (v, v))])
        b.append(If((Value("w", v.fact),), test, then, Block((), (UNDEFINED,))))
        return b.op(getattr, (b.op(operator.add, (v, v)), Const("shape")))

    before = function(build, FLOAT)
    after = share_shapes(before)
    assert lines(after) == lines(before)


def test_a_shape_that_is_not_known_to_be_equal_stays():
    def build(b, x, y):
        return b.op(getattr, (b.op(operator.mul, (y, y)), Const("shape")))

    other = facts.Array("float64", (facts.Size(-2, 0, True),))
    after = remove_dead(share_shapes(function(build, VECTOR, other)))
    assert run(after, np.ones(4), np.ones(3)) == ((3,),)
    unknown = facts.Array("float64", None)
    before = function(build, VECTOR, unknown)
    assert lines(share_shapes(before)) == lines(before)


def test_a_variable_is_overwritten_after_its_last_reading():
    def build(b, x):
        param = Value("p", FLOAT)

        def body():
            after = b.op(operator.mul, (param, param), name="p")
            b.op(print, (b.op(operator.add, (param, Const(1.0)), name="q"),))
            return [after]

        return b.loop(b.op(range, (Const(2),)), Value("i", facts.INT), [x], [param], body)

    before = function(build, FLOAT)
    body = overwrite_late(before).body.statements[-1].body
    assert [s.fn for s in body.statements] == [operator.add, operator.mul, print] or [
        s.fn for s in body.statements
    ] == [operator.add, print, operator.mul]
    assert run(overwrite_late(before), 1.5) == run(before, 1.5)


def test_with_and_without_simplification_the_answers_agree():
    def f(x, w):
        h = np.tanh(w @ x)
        s = 0.0
        for i in range(len(h)):
            if h[i] > 0.0:
                s += h[i] * h[i] * x[i]
            else:
                s -= np.sin(h[i])
        return s / len(h)

    x, w = np.array([0.3, -0.8, 1.1]), np.array([[0.2, 0.5, -1.0]] * 3) + np.eye(3)
    types = {"x": x, "w": w}
    for mode in ("adjoint", "tangent"):
        found = []
        for simplify in (True, False):
            space: dict[str, object] = {}
            exec(tl.source(f, mode, (0, 1), types=types, simplify=simplify), space)
            call = next(v for k, v in space.items() if k.startswith("f_"))
            found.append(call(x, w) if mode == "adjoint" else call(x, w, 0.5 * x, 0.1 * w))
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)


def test_a_loop_that_may_return_says_break():
    def first_big(xs, limit):
        s = 0.0
        for x in xs:
            s += x * x
            if s > limit:
                return s * x
        return s

    gradient = tl.grad(first_big)
    # s = 1 + 4 is returned as it is, or as s x with the derivatives 2 x1 x2 and 2 x2 x2 + s.
    assert gradient([1.0, 2.0], 9.0) == [2.0, 4.0]
    assert gradient([1.0, 2.0], 2.0) == [4.0, 13.0]
    assert "        if s > limit:\n            returned = True\n            break\n" in (
        gradient.source()
    )
