"""The behaviours that google/tangent's own tests exercise, within this version's language."""

# The programs below are written as they are on purpose.
# ruff: noqa: SIM108, PLR5501

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives

VECTOR = np.array([0.3, -1.2, 2.1])
POINTS = [0.7, -1.3, 2.1]


def local_da(a):
    da = a * a
    return da * a


def test_local_called_da():
    for x in POINTS:
        assert_derivatives(local_da, x, complex_ok=True)


def rebound_as_a_tuple(x):
    y = x * x
    y = (y, x)
    x = (y[0], y[1] * 2.0)
    return x[0] * x[1]


def test_name_rebound_as_a_tuple():
    assert_derivatives(rebound_as_a_tuple, 0.7, complex_ok=True)


def rebound_as_a_list(x):
    y = x * x
    y = [y, x]
    x = [y[0], y[1] * 2.0]
    return x[0] * x[1]


def test_name_rebound_as_a_list():
    assert_derivatives(rebound_as_a_list, 0.7, complex_ok=True)


def list_of_active_values(x, y):
    parts = [x * y, np.sin(x), y]
    return parts[0] * parts[1] + parts[-1]


def test_list_that_holds_active_values():
    assert_derivatives(list_of_active_values, 0.7, 0.4, complex_ok=True)


def if_only(a):
    if a > 0.0:
        a = a * a
    return a


def if_else(a):
    if a < 1.0:
        out = a * a
    else:
        out = 3.0 * a
    return out


def if_with_else_if(a):
    if a > 2.0:
        x = a * a * 2.0
    elif a > 0.0:
        x = a * 3.0
    else:
        x = a * a * a
    return x


def if_in_if(a, b=0.5):
    out = a * b
    if a > b:
        if a > 2.0:
            out = out * a
        out = out + b
    else:
        if b > 0.0:
            out = out * b * a
    return out


def if_in_else(a):
    if a < 0.0:
        c = 2.0 * a
    else:
        if a > 1.0:
            c = a * a
        else:
            c = a
        c = c * a
    return c


@pytest.mark.parametrize("a", POINTS)
@pytest.mark.parametrize("f", [if_only, if_else, if_with_else_if, if_in_if, if_in_else],
                         ids=lambda f: f.__name__)  # fmt: skip
def test_if_in_every_nesting(f, a):
    assert_derivatives(f, a)


def serial_for(a, n):
    for _ in range(n):
        a = a * a * 0.5
    for _ in range(n):
        a = a + np.sin(a)
    return a


def nested_for(a, n):
    for _ in range(n):
        for _ in range(n):
            a = a * 0.9 + 0.1
        a = np.tanh(a) * a
    return a


def for_in_if(a, n):
    if a > 0.0:
        for _ in range(n):
            a = np.sin(a)
    else:
        for i in range(n):
            a = a * i
    return a


def if_in_for(a, n):
    for i in range(n):
        if i > 1:
            a = a * 0.5
        if a > 0.0:
            a = a * a
    return a


def for_in_if_in_for(a, n):
    for i in range(n):
        if i % 2 == 1:
            for j in range(i):
                a = a + 0.1 * j * a * a
    return a


def for_over_call(a, n):
    b = a
    for _ in range(n):
        b = helper(b, a)
    return b


def helper(a, b):
    return np.tanh(a) * b


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("a", POINTS)
@pytest.mark.parametrize(
    "f",
    [serial_for, nested_for, for_in_if, if_in_for, for_in_if_in_for, for_over_call],
    ids=lambda f: f.__name__,
)
def test_for_with_static_and_dynamic_counts(f, a, n):
    assert_derivatives(f, a, n, wrt=0)


def for_over_elements(x):
    s = 0.0
    for a in x:
        s = s + a * a * a
    return s


def test_for_over_the_elements_of_an_array():
    assert_derivatives(for_over_elements, VECTOR, complex_ok=True)


def data_dependent_while(a):
    while a < 5.0:
        a = a * 1.7 + 0.3
    return a * a


def while_in_while(a):
    while a > 0.2:
        b = a
        while b > 0.5:
            b = b * 0.6
        a = a * b
    return a


@pytest.mark.parametrize("a", [0.7, 2.4])
def test_while_with_data_dependent_counts(a):
    assert_derivatives(data_dependent_while, a)
    assert_derivatives(while_in_while, a)


def call_in_if(a):
    if helper(a, 2.0) > 0.0:
        return helper(a, a)
    return helper(2.0, a)


def call_in_call(a):
    return helper(helper(a, helper(a, 2.0)), helper(a, a))


@pytest.mark.parametrize("a", POINTS)
def test_calls_nested_and_in_branches(a):
    assert_derivatives(call_in_if, a)
    assert_derivatives(call_in_call, a)


def tuples_packed(x):
    pair = (x, x * 2.0)
    a, b = pair
    c = (a * b, pair)
    (d, (e, f)) = c
    return d * e + f


def test_tuples_packed_and_unpacked():
    assert_derivatives(tuples_packed, 0.7, complex_ok=True)
    assert_derivatives(tuples_packed, VECTOR, complex_ok=True)


def reads_of_inputs_and_derived(x):
    y = x * x
    return x[0] * y[1] * y[-1] + np.sum(y[1:] * x[:-1])


def extended_slices(x):
    return np.sum(x[::2, 1:] * x[::2, :-1]) + np.sum(x[..., ::-1] * x) + x[-1, 0]


def test_subscript_reads():
    assert_derivatives(reads_of_inputs_and_derived, VECTOR, complex_ok=True)
    assert_derivatives(extended_slices, np.arange(12.0).reshape(4, 3) * 0.1, complex_ok=True)


def bilinear(x, h, u, w, b):
    return np.tanh(np.dot(x, u) + np.dot(h, w) + b)


def test_bilinear_layer():
    rng = np.random.default_rng(6)
    args = [rng.normal(size=shape) for shape in ((2, 3), (2, 4), (3, 4), (4, 4), (4,))]
    assert_derivatives(bilinear, *args, complex_ok=True)


def scaled_gradient(x):
    y = x * x
    with tl.grad_of(y) as g:
        g = g * 3.0
    return y * 2.0


def clipped_gradient(x):
    y = x * x
    with tl.grad_of(y) as g:
        g = np.clip(g, -1.0, 1.0)
    return y * 20.0


def test_gradient_scaled_or_clipped_in_mid_code():
    assert scaled_gradient(1.5) == 4.5
    assert tl.value_and_grad(scaled_gradient)(1.5) == (4.5, 18.0)
    assert tl.value_and_grad(clipped_gradient)(1.5) == (45.0, 3.0)


def clipped_in_a_loop(x, n):
    for _ in range(n):
        x = x * 2.0
        with tl.grad_of(x) as g:
            g = np.minimum(g, 3.0)
    return x


def test_gradient_clipped_in_a_loop():
    assert clipped_in_a_loop(1.0, 4) == 16.0
    assert tl.grad(clipped_in_a_loop)(1.0, 4) == 6.0


def test_vector_seed():
    pullback = tl.vjp(lambda x: x * x, VECTOR)[1]
    np.testing.assert_allclose(pullback(np.array([1.0, 0.0, 2.0]))[0], VECTOR * [2.0, 0.0, 4.0])


def cube(x):
    return x * x * x


def test_reverse_over_reverse_forward_over_reverse_and_reverse_over_forward():
    assert tl.grad(tl.grad(cube))(2.0) == pytest.approx(12.0)
    assert tl.jvp(tl.grad(cube), (2.0,), (1.0,))[1] == pytest.approx(12.0)
    assert tl.grad(lambda x: tl.jvp(cube, (x,), (1.0,))[1])(2.0) == pytest.approx(12.0)
    assert tl.hvp(cube)(2.0, 0.5) == pytest.approx(6.0)


def test_joint_and_split_forms_agree():
    """One function that gives the gradient, and a value with a pullback to be run later."""
    joint = tl.grad(nested_for)(0.7, 3)
    value, pullback = tl.vjp(lambda a: nested_for(a, 3), 0.7)
    assert value == nested_for(0.7, 3)
    assert pullback(1.0)[0] == pytest.approx(joint, rel=1e-14)
