"""Statements that do something besides computing: they happen once, in the primal's order.

`raise`, `assert`, `print` and its like, `match`, `with`, `try`, imports, and the small forms of
assignment.
"""

# The programs below are written as they are on purpose.
# ruff: noqa: E702, PLW0602, B008, PLW0406, F841

import contextlib
import logging
import math
import time
import warnings

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives, define

MODES = {
    "gradient": lambda f, *args: tl.grad(f)(*args),
    "value and gradient": lambda f, *args: tl.value_and_grad(f)(*args),
    "tangent": lambda f, *args: tl.jvp(f, args, (1.0,) * len(args)),
    "reverse over reverse": lambda f, *args: tl.grad(tl.grad(f))(*args),
    "forward over reverse": lambda f, *args: tl.jvp(tl.grad(f), args, (1.0,) * len(args)),
}
all_modes = pytest.mark.parametrize("mode", MODES)


# ---------------------------------------------------------------- raise and assert


class Unphysical(Exception):
    def __init__(self, value, limit=0.0):
        super().__init__(value, limit)
        self.value = value


def checked(x, lowest):
    if x < lowest:
        raise Unphysical(x, limit=lowest)
    return x


def raises_on_some_paths(x, y):
    assert y > 0.0, "y is not positive"
    if x > 10.0:
        raise ValueError("too large", x)
    elif x < -10.0:
        raise RuntimeError
    else:
        z = checked(x, -2.0) * y
    for i in range(3):
        if z > 500.0:
            raise OverflowError(f"step {i}")
        z = z * x + y
    if y > 100.0:
        kind = "large"
        raise KeyError(kind) from ValueError(y)
    else:
        a = z
    return a * z


@pytest.mark.parametrize("x", [0.7, -1.7])
def test_paths_that_do_not_raise(x):
    assert_derivatives(raises_on_some_paths, x, 1.3, complex_ok=False)


@all_modes
@pytest.mark.parametrize("x, y, kind, args, cause", [
    (0.5, -1.0, AssertionError, ("y is not positive",), None),
    (11.0, 1.0, ValueError, ("too large", 11.0), None),
    (-11.0, 1.0, RuntimeError, (), None),
    (-3.0, 1.0, Unphysical, (-3.0, -2.0), None),
    (9.0, 3.0, OverflowError, ("step 2",), None),
    (1.0, 101.0, KeyError, ("large",), "ValueError(101.0)"),
])  # fmt: skip
def test_the_exception_is_the_users(mode, x, y, kind, args, cause):
    with pytest.raises(kind) as caught:
        MODES[mode](raises_on_some_paths, x, y)
    assert caught.value.args == args
    assert repr(caught.value.__cause__) == repr(None) if cause is None else cause
    frames = caught.traceback
    assert any(("tangent_like" in str(f.path) and "raise" in str(f.statement)) or "assert" in
               str(f.statement) for f in frames)  # fmt: skip


def test_a_path_that_raises_leaves_no_trace_in_the_derivative():
    def f(x):
        if x < 0.0:
            raise ValueError("negative")
        return math.sqrt(x)

    source = tl.source(f, types={"x": float})
    assert "    if x < 0.0:\n        raise ValueError('negative')\n    " in source
    assert "else:" not in source
    assert tl.grad(f)(4.0) == 0.25


def raises_in_expressions(x, y):
    z = y if y > 0.0 else never(x) * 2.0
    w = (x < 2.0 and x * z) or never(y)
    return w * z


def never(x):
    raise ValueError("no", x)


@all_modes
def test_raise_inside_an_expression(mode):
    assert_derivatives(raises_in_expressions, 0.7, 1.3)
    with pytest.raises(ValueError, match="no") as caught:
        MODES[mode](raises_in_expressions, 0.7, -1.0)
    assert caught.value.args == ("no", 0.7)
    with pytest.raises(ValueError, match="no") as caught:
        MODES[mode](raises_in_expressions, 3.0, 1.0)
    assert caught.value.args == ("no", 1.0)


def always_raises(x):
    y = x * x
    raise NotImplementedError("later", y)


@all_modes
def test_a_function_that_always_raises(mode):
    with pytest.raises(NotImplementedError) as caught:
        MODES[mode](always_raises, 3.0)
    assert caught.value.args == ("later", 9.0)


def raises_in_unrolled_loops(x):
    s = 0.0
    for a, name in ((x, "first"), (x * x, "second")):
        if a > 2.0:
            raise ValueError(name)
        s = s + a * a
    while True:
        if s > 50.0:
            raise OverflowError(s)
        if s > 1.0:
            return s * x
        s = s * s + 1.5


@all_modes
def test_raise_in_loops(mode):
    assert_derivatives(raises_in_unrolled_loops, 0.7)
    for x, args in ((2.5, ("first",)), (1.6, ("second",))):
        with pytest.raises(ValueError) as caught:
            MODES[mode](raises_in_unrolled_loops, x)
        assert caught.value.args == args


def recursion_that_checks(x, n):
    if n < 0:
        raise ValueError("n is negative")
    if n == 0:
        return x
    print("at", n)
    return np.sin(recursion_that_checks(x, n - 1)) * x


def test_effects_in_recursive_functions(capsys):
    recursion_that_checks(0.7, 3)
    expected = capsys.readouterr().out
    assert tl.grad(recursion_that_checks)(0.7, 3) != 0.0
    assert capsys.readouterr().out == expected
    with pytest.raises(ValueError, match="n is negative"):
        tl.grad(recursion_that_checks)(0.7, -1)


def checks_without_a_result(x, n):
    if n > 0:
        checks_without_a_result(x, n - 1)
    print(n)


def calls_for_the_effect(x):
    checks_without_a_result(x, 2)
    return x * x


def test_recursive_function_called_for_its_effect(capsys):
    assert tl.grad(calls_for_the_effect)(3.0) == 6.0
    assert capsys.readouterr().out == "0\n1\n2\n"


# ---------------------------------------------------------------- prints, logs, clocks, text


def prints(x, n=3):
    print("start", x)
    y = x
    for i in range(n):
        y = y * x
        if i == 1:
            print(f"{i}: {y:.3f}", end=";\n", flush=True)
    label = f"{{n}} {x!r:>{n + 9}} {x=} {'quoted'!r}"
    print(label, "{:.2e}".format(y), "%d of %s" % (n, "x"))  # noqa: UP031, UP032
    return y


@all_modes
def test_prints_happen_once_and_in_order(mode, capsys):
    prints(0.7)
    expected = capsys.readouterr().out
    MODES[mode](prints, 0.7)
    assert capsys.readouterr().out == expected


def test_printing_changes_no_derivative():
    assert_derivatives(prints, 0.7, wrt=0, complex_ok=False)


def sum_with_prints(x):
    s = 0.0
    for a in x:
        print(a)
        s += a * a
    return s


def test_prints_in_a_loop_that_needs_no_tape(capsys):
    np.testing.assert_array_equal(tl.grad(sum_with_prints)(np.array([1.0, 2.0])), [2.0, 4.0])
    assert capsys.readouterr().out == "1.0\n2.0\n"


log = logging.getLogger(__name__)


def logs(x):
    begin = time.perf_counter()
    log.info("at %s", x)
    logging.getLogger(__name__).warning("still at %.1f", x * 2.0)
    y = np.sin(x)
    elapsed = time.perf_counter() - begin
    if elapsed < 0.0:
        return elapsed
    return y


@all_modes
def test_logging_and_clocks(mode, caplog):
    with caplog.at_level(logging.INFO):
        MODES[mode](logs, 0.5)
    assert [r.getMessage() for r in caplog.records] == ["at 0.5", "still at 1.0"]
    assert tl.grad(logs)(0.5) == math.cos(0.5)


def warns(x):
    warnings.warn(f"x is {x}", RuntimeWarning, stacklevel=1)
    return x * x


def test_warnings():
    with pytest.warns(RuntimeWarning, match="x is 3"):
        assert tl.grad(warns)(3.0) == 6.0


# ---------------------------------------------------------------- small forms


factor = 3.0


def small_forms(x, y):
    """A docstring; statements on one line; annotations; chained and starred assignment."""
    global factor
    z: float = x * factor; w: float  # noqa: F842
    a = b = x * y
    if (t := a * b) > 0.1 and (u := t * 2.0) > 0.0:
        a = u
    v = (s := x + 1.0) * s
    first, *middle, last = (x, y, a, b, t)
    p, (q, *r) = first, [*middle, last, z]
    scaled = lambda k, m=math.cos(x): k * m
    none, *empty = [y]
    del last, first
    return scaled(p * q + r[0] * r[-1]) + len(middle) * v + none * len(empty)


@pytest.mark.parametrize("x", [0.7, 0.01])
def test_small_forms(x):
    assert_derivatives(small_forms, x, 1.3)


def walrus_in_conditions(x):
    k = 0
    while (y := x * x * k) < 3.0 and (z := y + x) < 4.0:
        k += 1
    total = (w if (w := x * k) > 1.0 else (w := w * w)) + w
    return y * total + z


@pytest.mark.parametrize("x", [0.3, 0.7, 1.5])
def test_walrus_in_conditions(x):
    assert_derivatives(walrus_in_conditions, x)


def deletes(x, n):
    y = x * x
    for i in range(n):
        step = y * i
        x = x + step
        del step
    if x > 1.0:
        del y
    return x


@pytest.mark.parametrize("n", [0, 3])
def test_deleted_names(n):
    assert_derivatives(deletes, 0.5, n, wrt=0)


def reads_a_deleted_name(x):
    y = x * x
    if x > 1.0:
        del y
    return y * x


def test_a_name_that_may_be_deleted_is_not_read():
    with pytest.raises(TangentLikeError, match="deleted"):
        tl.grad(reads_a_deleted_name)(0.5)


def imports(x):
    import math as m
    from math import pi
    from math import sin as sine

    import numpy.linalg

    from tests.language import test_statements
    from tests.language.test_statements import factor as scale

    v = np.array([x, 1.0])
    return sine(x * pi) * scale * test_statements.factor + m.cos(x) + numpy.linalg.norm(v)


def test_imports_inside_a_function(monkeypatch):
    assert_derivatives(imports, 0.7)
    before = tl.grad(imports)(0.7)
    monkeypatch.setattr("tests.language.test_statements.factor", 5.0)
    assert tl.grad(imports)(0.7) != before
    assert_derivatives(imports, 0.7)


def logic_on_numbers(x, y):
    z = (x > 0.5 and x * y) or y * y
    flag = (not (x > 0.9) and y < 2.0) or False
    w = x if flag else y * 2.0 if x < 1.5 else 3.0
    return z * w + (x and y) + (0.0 or x) + (not flag) * x


@pytest.mark.parametrize("x", [0.2, 0.7, 1.2, 2.0])
def test_logic_returns_operands(x):
    assert_derivatives(logic_on_numbers, x, 1.3)


# ---------------------------------------------------------------- match


def matches_items(p, n):
    match p:
        case ["one", y] | [y, "other"]:
            return y * y
        case [a, b, *_] if a > 1.0:
            return a * b
        case (a, b):
            r = a + b * b
        case _:
            r = 0.0
    match n:
        case 0:
            r = r * 2.0
        case 1 | 2:
            r = r * r
        case int(k) if k > 5:
            r = np.sin(r) * k
        case None:
            r = 0.0
        case _:
            r = -r
    return r


def matches(x, y):
    s = 0.0
    for n in range(8):
        s = s + matches_items((x, y), n)
    match "a":
        case "b":
            s = 0.0
        case "a" | "c":
            s = s * x
    match x:
        case [_]:
            s = 0.0
        case float(q):
            s = s * q
    match True:
        case False:
            s = 0.0
        case True as flag:
            s = s * flag
    match ((x, 1.0), "mode"):
        case ((a, 1.0), "mode"):
            s = s * a
    match (x, y, s):
        case [first, *rest]:
            s = first * rest[0] * rest[1]
    s = s + matches_items(("one", x), 1) * matches_items((y, "other"), 1)
    return s + matches_items([x * x + 1.0, y], 1)


@pytest.mark.parametrize("x, y", [(0.7, 1.3), (1.7, 1.3), (0.7, 0.3)])
def test_match(x, y):
    assert_derivatives(matches, x, y)


def match_that_leaves_a_loop(x, n):
    s = 0.0
    for i in range(n):
        match i % 4:
            case 0:
                continue
            case 1:
                s = s + x
            case 3 if s > 1.0:
                break
            case rest:
                s = s * x + rest
    else:
        s = s * s
    return s * x


@pytest.mark.parametrize("n", [0, 2, 6, 12])
def test_match_that_leaves_a_loop(n):
    assert_derivatives(match_that_leaves_a_loop, 0.7, n, wrt=0)


def arrays_are_no_sequences(x):
    match x:
        case [_, _]:
            return np.sum(x)
        case _:
            return np.sum(x * x)


def test_arrays_match_no_sequence_pattern():
    assert_derivatives(arrays_are_no_sequences, np.array([0.3, 1.2]))


# ---------------------------------------------------------------- with


def inside_with(x, y):
    s = 0.0
    for i in range(3):
        with np.errstate(divide="ignore", invalid="ignore"), contextlib.nullcontext(x * 2.0) as q:
            z = np.log(np.array([x, y, 1.0])) / x
            if i > 1:
                continue
            s = s + np.sum(z) * q
        s = s * y
    with warnings.catch_warnings():
        s = s * s
    with contextlib.nullcontext():
        return s


def test_statements_inside_with():
    assert_derivatives(inside_with, 0.7, 1.3)


def silences(x):
    with np.errstate(all="ignore"):
        y = np.log(x) * np.where(x > 0.0, 1.0, 0.0)
        return np.sum(np.where(x > 0.0, y, x))


def test_what_is_silenced_stays_silent_in_the_reverse_sweep():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradient = tl.grad(silences)(np.array([0.0, 2.0]))
    assert gradient[1] == 0.5


def silences_in_a_loop(x, n):
    total = 0.0
    for _ in range(n):
        with np.errstate(over="ignore"):
            unused = np.exp(x * 1000.0)
        total = total + np.sum(x * x)
    return total


def test_a_with_of_which_nothing_is_left_is_left_out():
    source = tl.source(silences_in_a_loop, types={"x": np.ones(2), "n": 3})
    assert "errstate" not in source
    assert_derivatives(silences_in_a_loop, np.array([0.3, 0.4]), 2, wrt=0)


# ---------------------------------------------------------------- try


def tries(x, y):
    try:
        z = x / y
    except ZeroDivisionError:
        z = 0.0
    else:
        z = z * x
    try:
        for _ in range(3):
            if z > 100.0:
                return z
            z = z * y
    except (ValueError, TypeError) as error:
        raise RuntimeError("never") from error
    finally:
        print("tried")
    with contextlib.suppress(KeyError):
        z = z * x
    try:
        return np.sqrt(x) * z
    finally:
        print("left with", z)


@all_modes
def test_try_where_nothing_is_raised(mode, capsys):
    tries(0.7, 1.3)
    expected = capsys.readouterr().out
    MODES[mode](tries, 0.7, 1.3)
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("x, y", [(0.7, 1.3), (0.7, 60.0), (20.0, 1.5)])
def test_derivatives_through_try(x, y):
    assert_derivatives(tries, x, y)


HANDLED = {
    "an operation of the result": "z = 1.0 / x",
    "an operation that is not needed": "math.log(x - 0.5)\n        z = x",
    "a linear operation": "z = math.log(x - 0.5) + x\n        z = x",
    "a raise of its own": "if x < 0.5:\n            raise KeyError('small')\n        z = x",
    "a callee": "z = g(x)",
    "in a loop": "for i in range(3):\n            z = g(x)",
    "a branch": "if x < 1.0:\n            w = math.log(x - 0.5)\n        z = x",
}


@pytest.mark.parametrize("body", HANDLED)
def test_the_derivative_is_that_of_the_handler_where_it_runs(body):
    """Never the derivative of the path without the exception."""
    source = (
        "import math\ndef g(x):\n    unused = math.sqrt(x - 0.2)\n    return x * x\n"
        f"def f(x):\n    try:\n        {HANDLED[body]}\n"
        "    except (ZeroDivisionError, ValueError, KeyError):\n        z = 10.0 * x + 1.0\n"
        "    return z * z\n"
    )
    f = define(source, "f")
    assert_derivatives(f, 2.0)
    assert tl.value_and_grad(f)(0.0) == (1.0, 20.0)
    assert tl.jvp(f, (0.0,), (1.0,)) == (1.0, 20.0)
    assert tl.hessian(f)(0.0) == 200.0


@all_modes
def test_a_handler_that_would_run_is_refused_where_the_body_prints(mode):
    f = define(
        "def f(x):\n    try:\n        print('in')\n        z = 1.0 / x\n"
        "    except ZeroDivisionError:\n        z = 10.0 * x\n    return z * z\n", "f",
    )  # fmt: skip
    assert MODES[mode](f, 2.0) is not None
    with pytest.raises(TangentLikeError, match="handled by `except`") as caught:
        MODES[mode](f, 0.0)
    assert caught.value.place.line == 2
    assert caught.value.__cause__ is not None


def exception_of_another_kind(x):
    try:
        return 1.0 / x
    except KeyError:
        return 0.0


def test_an_exception_that_no_handler_takes_arrives():
    with pytest.raises(ZeroDivisionError):
        tl.grad(exception_of_another_kind)(0.0)


def names_in_finally(x, y):
    try:
        if x > 0.5:
            y = y * x
            return y
        y = np.array([x, y])
        y = np.sum(y)
    finally:
        print(y)
    return y * y


@pytest.mark.parametrize("x", [0.2, 0.7])
def test_finally_reads_the_names_of_the_path_that_was_taken(x, capsys):
    names_in_finally(x, 1.3)
    expected = capsys.readouterr().out
    tl.grad(names_in_finally)(x, 1.3)
    assert capsys.readouterr().out == expected
    assert_derivatives(names_in_finally, x, 1.3)


def tried_with_a_name_that_may_be_unbound(x):
    for factor in (x, 0.6):
        try:
            for k in range(0):
                x = x * k
        except TypeError:
            raise
        x = x * factor
    return x


def test_try_around_a_name_that_may_be_unbound():
    assert_derivatives(tried_with_a_name_that_may_be_unbound, 0.7)
