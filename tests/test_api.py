"""The public operators as objects: metadata, pickling, threads, versions, structure."""

import concurrent.futures
import inspect
import math
import multiprocessing
import pickle

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError
from tests.derivatives import define

VECTOR = np.array([0.3, -1.2, 2.1])


def f(x, y=3.0):
    """A product with a sine."""
    return math.sin(x) * y


def loss(w, x):
    return np.sum((x @ w) ** 2)


def vector(x, w):
    return np.tanh(x * w)


OPERATORS = [tl.grad, tl.value_and_grad, tl.elementwise_grad, tl.derivative]
OTHERS = [tl.hvp, tl.jacobian, tl.jacfwd, tl.jacrev, tl.hessian]


# ---------------------------------------------------------------- what they look like


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.__name__)
def test_metadata(operator):
    derivative = operator(f)
    assert derivative.__name__ == f"f_{operator.__name__}"
    assert derivative.__doc__ == f.__doc__
    assert derivative.__module__ == f.__module__
    assert derivative.__wrapped__ is f
    assert str(inspect.signature(derivative)) == "(x, y=3.0)"
    assert "f" in repr(derivative)


@pytest.mark.parametrize("operator", OTHERS, ids=lambda o: o.__name__)
def test_metadata_of_matrices(operator):
    derivative = operator(f)
    assert derivative.__doc__ == f.__doc__
    assert derivative.__wrapped__ is not None


def test_signature_names_what_is_added():
    assert str(inspect.signature(tl.hvp(f))) == "(x, y, vx)"
    assert str(inspect.signature(tl.hvp(f, wrt=(0, 1)))) == "(x, y, vx, vy)"
    assert str(inspect.signature(tl.hvp(lambda x, vx: x * vx))) == "(x, vx, vx_)"


def test_source_of_a_call():
    derivative = tl.grad(f)
    derivative(0.7)
    assert "def f_grad(x, y" in derivative.source(0.7)
    assert "cos" in derivative.source(0.7)


# ---------------------------------------------------------------- other processes and threads


@pytest.mark.parametrize(
    "operator", [*OPERATORS, tl.jacobian, tl.hessian], ids=lambda o: o.__name__
)
def test_pickling(operator):
    derivative = operator(f)
    again = pickle.loads(pickle.dumps(derivative))
    assert again(0.7) == derivative(0.7)
    assert pickle.loads(pickle.dumps(operator(f, "y")))(0.7) == operator(f, "y")(0.7)


def test_pickling_keeps_options():
    second = pickle.loads(pickle.dumps(tl.derivative(f, order=2)))
    assert second(0.7) == tl.derivative(f, order=2)(0.7)
    again = pickle.loads(pickle.dumps(tl.grad(tl.grad(f))))
    assert again(0.7) == pytest.approx(-3.0 * math.sin(0.7))


def test_other_processes():
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(tl.grad(f), [0.1, 0.7])) == [3 * math.cos(0.1), 3 * math.cos(0.7)]


def test_threads_that_compile_at_once():
    derivative = tl.grad(loss, wrt=(0, 1))
    points = [(np.ones(n), np.ones((m, n))) for n in (1, 2, 3) for m in (1, 2, 4)] * 4
    expected = [2 * x.T @ (x @ w) for w, x in points]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda args: derivative(*args), points))
    for (gradient, _), want in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, want)


def test_threads_with_derivatives_of_their_own():
    def work(k):
        g = define(f"def g(x):\n    return x ** {k} * x\n", "g")
        return tl.grad(tl.grad(g))(1.0)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(2, 12))) == [(k + 1.0) * k for k in range(2, 12)]


# ---------------------------------------------------------------- arguments


def test_wrt():
    by_x, by_y = math.cos(0.7) * 2.0, math.sin(0.7)
    assert tl.grad(f, 0)(0.7, 2.0) == by_x
    assert tl.grad(f, "y")(0.7, 2.0) == by_y
    assert tl.grad(f, -1)(0.7, 2.0) == by_y
    assert tl.grad(f, ("y", 0))(0.7, 2.0) == (by_y, by_x)
    assert tl.grad(f, (1,))(0.7, 2.0) == (by_y,)
    assert tl.value_and_grad(f, "y")(0.7, 2.0) == (f(0.7, 2.0), by_y)


@pytest.mark.parametrize("wrt", [(0, "x"), (0, -2), ("x", "x")])
def test_wrt_that_names_an_argument_twice(wrt):
    with pytest.raises(ArgumentError, match="twice"):
        tl.grad(f, wrt)


def test_default_and_keyword_arguments():
    derivative = tl.grad(f, wrt=(0, 1))
    assert derivative(0.7) == derivative(0.7, 3.0) == derivative(y=3.0, x=0.7)
    assert tl.hvp(f)(0.7, 1.0) == tl.hvp(f)(0.7, 3.0, 1.0)
    assert tl.jacobian(f)(0.7) == tl.jacobian(f)(x=0.7, y=3.0)


def test_keyword_only_arguments():
    def g(x, *, scale, power=2):
        return scale * x**power

    assert tl.grad(g)(3.0, scale=2.0) == 12.0
    assert tl.grad(g, "scale")(3.0, scale=2.0, power=3) == 27.0
    assert tl.hvp(g)(3.0, 0.5, scale=2.0) == 2.0


def test_has_aux():
    def g(x):
        y = x * x
        return y * x, (y, "text")

    assert tl.grad(g, has_aux=True)(2.0) == (12.0, (4.0, "text"))
    assert tl.value_and_grad(g, has_aux=True)(2.0) == ((8.0, (4.0, "text")), 12.0)
    assert tl.grad(g, wrt=(0,), has_aux=True)(2.0) == ((12.0,), (4.0, "text"))
    with pytest.raises(ArgumentError, match="pair"):
        tl.grad(f, has_aux=True)(2.0)


@pytest.mark.parametrize("x", [2, np.float64(2.0), np.int64(2), np.float32(2.0)], ids=repr)
def test_numbers_of_other_types(x):
    got = tl.grad(lambda x: x * x)(x)
    assert got == 4.0
    assert np.asarray(got).dtype == (np.float32 if isinstance(x, np.float32) else float)


# ---------------------------------------------------------------- Jacobians


JACOBIANS = pytest.mark.parametrize("jacobian", [tl.jacobian, tl.jacfwd, tl.jacrev])


@JACOBIANS
def test_jacobian_of_an_array(jacobian):
    found = jacobian(vector)(VECTOR, 2.0)
    np.testing.assert_allclose(found, np.diag(2.0 / np.cosh(2.0 * VECTOR) ** 2))
    by_w = jacobian(vector, 1)(VECTOR, 2.0)
    np.testing.assert_allclose(by_w, VECTOR / np.cosh(2.0 * VECTOR) ** 2)


@JACOBIANS
def test_shape_is_that_of_the_result_then_of_the_input(jacobian):
    w, x = np.ones((2, 5)), np.ones((3, 4, 2))
    blocks = jacobian(lambda x, w: x @ w, (0, 1))(x, w)
    assert [block.shape for block in blocks] == [(3, 4, 5, 3, 4, 2), (3, 4, 5, 2, 5)]
    assert np.shape(jacobian(np_sum)(x)) == (3, 4, 2)
    assert np.shape(jacobian(lambda t: t * x)(2.0)) == (3, 4, 2)
    assert jacobian(lambda x: x * x)(np.zeros(0)).shape == (0, 0)


def np_sum(x):
    return np.sum(x)


@JACOBIANS
def test_jacobian_of_a_scalar(jacobian):
    assert jacobian(lambda x: x * x)(3) == 6.0
    assert np.ndim(jacobian(lambda x: x * x)(3.0)) == 0


@JACOBIANS
def test_jacobian_of_a_tuple(jacobian):
    first, second = jacobian(lambda x: (x * 2.0, np.sum(x)))(VECTOR)
    np.testing.assert_array_equal(first, 2.0 * np.eye(3))
    np.testing.assert_array_equal(second, np.ones(3))


@JACOBIANS
def test_jacobian_with_respect_to_a_tuple_is_refused(jacobian):
    with pytest.raises(ArgumentError, match="pass an array"):
        jacobian(lambda p: p[0] * p[1])((1.0, 2.0))


def test_hessian():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    np.testing.assert_allclose(tl.hessian(lambda x: 0.5 * x @ a @ x)(np.ones(2)), a)
    assert tl.hessian(f)(0.7) == pytest.approx(-3.0 * math.sin(0.7))
    (xx, xy), (yx, yy) = tl.hessian(lambda x, y: np.sum(x * x) * y, (0, 1))(VECTOR, 2.0)
    np.testing.assert_allclose(xx, 4.0 * np.eye(3))
    np.testing.assert_allclose(xy, 2.0 * VECTOR)
    np.testing.assert_allclose(yx, 2.0 * VECTOR)
    assert yy == 0.0


def test_hessian_vector_product():
    np.testing.assert_allclose(tl.hvp(lambda x: np.sum(x**3))(VECTOR, np.ones(3)), 6.0 * VECTOR)
    found = tl.hvp(lambda x, y: x * x * y, (0, 1))(2.0, 3.0, 1.0, 0.5)
    assert found == (6.0 * 1.0 + 4.0 * 0.5, 4.0 * 1.0)


class Slope:
    def __init__(self, **named):
        vars(self).update(named)


@pytest.mark.parametrize(("f", "x", "v", "said"), [
    (lambda u: u @ u * u[0], VECTOR, np.ones(1), r"has shape \(1,\) where its value has \(3,\)"),
    (lambda u: u @ u * u[0], VECTOR, 1.0, r"has shape \(\) where its value has \(3,\)"),
    (lambda u: u @ u * u[0], VECTOR, (np.ones(3),), "has another structure"),
    (lambda x: x**3, 2.0, np.ones(3), r"has shape \(3,\) where its value has \(\)"),
    (lambda x: x**3, 2.0, None, "is None where its value is a number"),
    (lambda p: p["w"] * p["b"] ** 2, {"w": 1.0, "b": 2.0}, {"w": 1.0}, "has another structure"),
    (lambda p: p["w"] * p["b"] ** 2, {"w": 1.0, "b": 2.0}, {"w": 1.0, "c": 1.0}, "has another"),
])  # fmt: skip
def test_vectors_are_like_their_arguments(f, x, v, said):
    product = tl.hvp(f)
    with pytest.raises(ArgumentError, match="the vector for the argument `.` " + said):
        product(x, v)
    assert product(x, x) is not None
    with pytest.raises(ArgumentError, match=said):
        product(x, v)


def test_the_order_of_names_does_not_matter():
    def f(p):
        return p["w"] @ p["w"] * p["b"] ** 2

    def g(o):
        return o.w @ o.w * o.b**2

    w, dw = VECTOR, np.array([1.0, 0.5, 2.0])
    first = tl.jvp(f, ({"w": w, "b": 2.0},), ({"w": dw, "b": 3},))
    assert tl.jvp(f, ({"w": w, "b": 2.0},), ({"b": 3, "w": dw},)) == first
    assert tl.jvp(g, (Slope(w=w, b=2.0),), (Slope(b=3, w=dw),)) == first
    vectors = {"w": dw, "b": 3.0}, {"b": 3.0, "w": dw}
    product, turned = (tl.hvp(f)({"w": w, "b": 2.0}, v) for v in vectors)
    np.testing.assert_array_equal(product["w"], turned["w"])
    assert product["b"] == turned["b"]


# ---------------------------------------------------------------- jvp and vjp


def pair(p, x):
    a, b = p
    return a * x, [b, a * b]


def test_structures():
    point, tangent = ((2.0, VECTOR), 3.0), ((1.0, 0.0 * VECTOR), 0.5)
    value, moved = tl.jvp(pair, point, tangent)
    assert value[0] == 6.0
    assert moved[0] == 2.0 * 0.5 + 3.0
    np.testing.assert_array_equal(moved[1][1], VECTOR)
    _, pullback = tl.vjp(pair, *point)
    (by_a, by_b), by_x = pullback((1.0, [np.ones(3), np.zeros(3)]))
    assert (by_a, by_x) == (3.0, 2.0)
    np.testing.assert_array_equal(by_b, np.ones(3))


@pytest.mark.parametrize(
    ("primals", "tangents"),
    [
        (((2.0, VECTOR), 3.0), ((1.0, VECTOR),)),
        (((2.0, VECTOR), 3.0), (1.0, 0.5)),
        (((2.0, VECTOR), 3.0), ((1.0,), 0.5)),
        (((2.0, VECTOR), 3.0), ((1.0, VECTOR[:2]), 0.5)),
        (((2.0, VECTOR), 3.0), ((1.0, VECTOR), VECTOR)),
    ],
)
def test_tangents_of_another_structure(primals, tangents):
    with pytest.raises(ArgumentError, match=r"tangent"):
        tl.jvp(pair, primals, tangents)


@pytest.mark.parametrize("g", [1.0, (1.0,), (1.0, [VECTOR]), (1.0, [VECTOR, 1.0])], ids=str)
def test_cotangents_of_another_structure(g):
    _, pullback = tl.vjp(pair, (2.0, VECTOR), 3.0)
    with pytest.raises(ArgumentError, match="cotangent"):
        pullback(g)


def test_arguments_without_derivative():
    def g(x, n, name):
        return x**n if name == "power" else x * n

    assert tl.jvp(g, (2.0, 3, "power"), (1.0, None, None)) == (8.0, 12.0)
    assert tl.jvp(g, (2.0, 3, "power"), (1.0, 0, None)) == (8.0, 12.0)
    _, pullback = tl.vjp(g, 2.0, 3, "power")
    assert pullback(1.0) == (12.0, None, None)
    assert tl.jvp(g, (2.0, 3, "power"), (None, None, None)) == (8.0, 0.0)


# ---------------------------------------------------------------- texts


def test_source():
    assert "def f_grad(x, y" in tl.source(f)
    assert "return bx, by" in tl.source(f)
    assert "return bx\n" in tl.source(f, wrt="x")
    assert "def f_jvp(x, y, dx, dy" in tl.source(f, mode="tangent")
    assert "unbroadcast" not in tl.source(lambda x, y: x * y, types={"x": float, "y": 2.0})
    compile(tl.source(vector, types={"x": VECTOR, "w": float}), "text", "exec")
    assert tl.source(f) == tl.source(f)


def test_source_of_an_array_function_takes_a_seed():
    text = tl.source(vector, types={"x": VECTOR, "w": 2.0})
    assert "def vector_vjp(x, w, b" in text


def test_wengert():
    lines = tl.wengert(f, types={"x": float, "y": float}).splitlines()
    assert lines[0] == "f(x: float, y: float)"
    assert "math.sin(x)" in lines[1]
    assert lines[-1].split() == ["return", lines[2].split()[1]]


def falling(x, n):
    return x if n < 1 else math.sin(falling(x * 0.5, n - 1))


def test_wengert_of_a_recursive_function_shows_the_procedure_first():
    called, own = tl.wengert(falling, types={"x": float, "n": 2}).split("\n\n")
    assert called.startswith("falling(x: float, n: int)") and own.startswith("falling(x: float")
    assert " = falling(" in called and "Procedure" not in called


@pytest.mark.parametrize(
    "call",
    [
        lambda: tl.source(f, mode="backward"),
        lambda: tl.source(f, types={"z": float}),
        lambda: tl.source(lambda n: n, types={"n": int}),
        lambda: tl.wengert(f, types={"z": float}),
        lambda: tl.source(3.0),
        lambda: tl.derivative(f, order=-1),
        lambda: tl.derivative(f, order=1.5),
    ],
)
def test_wrong_use(call):
    with pytest.raises(ArgumentError):
        call()


# ---------------------------------------------------------------- compiled versions


@pytest.fixture
def compilations(monkeypatch):
    """The kinds for which something has been compiled."""
    from tangent_like import dispatch

    seen = []
    compiled = dispatch.compiled

    def noted(target, kinds, *rest, **options):
        seen.append(kinds)
        return compiled(target, kinds, *rest, **options)

    monkeypatch.setattr(dispatch, "compiled", noted)
    return seen


def test_one_version_for_each_kind(compilations):
    derivative = tl.grad(loss)
    for n, m in ((3, 4), (5, 7), (2, 9)):
        derivative(np.ones(n), np.ones((m, n)))
        derivative(np.zeros(n), np.ones((m, n)))
    assert len(compilations) == 1
    derivative(np.ones(3), np.ones((3, 3)))
    derivative(np.ones(1), np.ones((4, 1)))
    derivative(np.ones(3, np.float32), np.ones((4, 3)))
    assert len(compilations) == 4


def test_numbers_of_one_type_are_one_kind(compilations):
    derivative = tl.grad(lambda x, n: x**n)
    for x, n in ((2.0, 3), (-1.0, 2), (0.0, 1), (np.float64(2.0), 5), (2, 5)):
        assert derivative(x, n) == n * x ** (n - 1)
    assert len(compilations) == 1
    assert derivative(4.0, 0.5) == 0.25
    assert len(compilations) == 2


def test_tuples_of_one_structure_are_one_kind(compilations):
    derivative = tl.grad(lambda p: p[0] * np.sum(p[1]))
    derivative((2.0, np.ones(3)))
    derivative((3.0, np.ones(5)))
    assert len(compilations) == 1


# ---------------------------------------------------------------- names outside the function

LIVE = """
factor = 2.0
array = np.array([1.0, 2.0])

def helper(x):
    return x * x

def f(x):
    return factor * helper(x) * array[0]
"""


@pytest.mark.parametrize("operator", [tl.grad, tl.jacfwd, tl.jacrev], ids=lambda o: o.__name__)
def test_globals_are_read_at_the_call(operator):
    g = define(LIVE, "f")
    derivative = operator(g)
    assert derivative(3.0) == 12.0
    g.__globals__["factor"] = 5.0
    assert derivative(3.0) == 30.0
    g.__globals__["array"][0] = 2.0
    assert derivative(3.0) == 60.0
    g.__globals__["factor"] = np.array(1.0)
    assert derivative(3.0) == 12.0


def test_function_defined_anew_is_noticed():
    g = define(LIVE, "f")
    derivative = tl.grad(g)
    assert derivative(3.0) == 12.0
    assert derivative(3.0) == 12.0
    g.__globals__["helper"] = define("def helper(x):\n    return x * x * x\n", "helper")
    assert derivative(3.0) == 54.0


def test_closures_are_read_at_the_call():
    def square(x):
        return x * x

    def cube(x):
        return x * x * x

    def g(x):
        return factor * helper(x)

    factor, helper = 2.0, square
    derivative = tl.grad(g)
    assert derivative(3.0) == 12.0
    factor = 5.0
    assert derivative(3.0) == 30.0
    helper = cube
    assert derivative(3.0) == 135.0


def test_rule_registered_later_is_noticed(monkeypatch):
    registry = tl.rules.registry
    monkeypatch.setattr(registry, "rules", dict(registry.rules))

    def g(x):
        return x * x

    def use(x):
        return g(x)

    derivative = tl.grad(use)
    assert derivative(3.0) == 6.0
    tl.elementwise(g, lambda x, y: 100.0)
    assert derivative(3.0) == 100.0


def test_the_generated_function_shows_its_own_source():
    generated = tl.grad(f).generated(2.0, 5.0)
    assert "def f_grad(" in inspect.getsource(generated)
    assert generated(2.0, 5.0) == tl.grad(f)(2.0, 5.0)


def test_source_after_a_call_is_what_ran():
    def square(x):
        return x * x

    gradient = tl.grad(square)
    assert "unbroadcast" in gradient.source(), "nothing is known of x"
    gradient(3.0)
    assert gradient.source() == gradient.source(3.0)
    assert "unbroadcast" not in gradient.source()
    gradient.forget()
    assert "unbroadcast" in gradient.source()


@pytest.mark.parametrize("tangent", [2.0, np.float64(2.0), np.array(2.0)], ids=type)
def test_tangent_of_an_array_without_axes(tangent):
    found = tl.jvp(lambda x: np.sum(x) * x, (np.array(3.0),), (tangent,))
    assert found == (9.0, 12.0)
