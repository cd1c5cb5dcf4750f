"""Every registered rule, checked from the samples that stand beside it.

Both modes against central differences and against one another, second order in all four mixes,
with facts known and unknown, any memory layout, float32, one argument in two places, and for
element-wise functions every way to broadcast.
"""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tangent_like.errors import NotYetSupported
from tests.rules.catalogue import ROUNDING, RULES, cases, name_of, samples_of, usable_samples
from tests.rules.checks import (
    check_first_order,
    check_precision,
    derived,
    has_longer_results,
    likes,
    moved,
    run_checks,
)
from tests.rules.evaluate import Program, carries, forward, one_operation, reverse
from tests.rules.variants import (
    arrays_as,
    arrays_in,
    arrays_of,
    as_complex,
    complex_able,
    from_scipy,
    shapes_for,
    single,
    wave,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:logm result may be inaccurate"),
    pytest.mark.filterwarnings("ignore:Polyfit may be poorly conditioned"),
    pytest.mark.filterwarnings("ignore:The fit may be poorly conditioned"),
]

NEED_SHAPES = {
    "numpy.quantile", "numpy.percentile", "numpy.nanquantile", "numpy.nanpercentile",
    "numpy.gradient", "numpy.linalg.tensorinv",
    "numpy.linalg.tensorsolve", "numpy.linalg.vector_norm", "numpy.fft.rfftn", "numpy.fft.irfftn",
    "scipy.stats._multivariate.logpdf", "scipy.stats._multivariate.pdf",
}  # fmt: skip


def needs_shapes(fn):
    """Whether even the most usual call needs to know the shapes of its operands."""
    name = name_of(fn)
    of_polynomials = name.startswith("numpy.polynomial.") and name.endswith(("val", "2d", "3d"))
    return name in NEED_SHAPES or of_polynomials


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize(("rule", "fn"), cases())
def test_samples(rule: Any, fn: Any, known: bool) -> None:
    samples = list(usable_samples(rule, fn))
    assert samples, f"{name_of(fn)} has no samples"
    for i, (args, keywords) in enumerate(samples):
        try:
            run_checks(fn, args, keywords, known, second=known or i < 1)
        except NotYetSupported:
            # Less usual calls may need to know the shapes; the most usual one must not.
            if known or (i == 0 and not needs_shapes(fn)):
                raise


SECOND_ORDER = [((3,),), ((0,),), ((3,), None), ((2, 3), (3,)), ((2, 1), (1, 3))]


def takes_arrays(rule: Any, fn: Any) -> bool:
    plain = getattr(fn, "__module__", "") in ("math", "builtins") and fn is not abs
    return rule.kind == "elementwise" and not plain


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize(("rule", "fn"), cases(takes_arrays))
def test_broadcasting(rule: Any, fn: Any, known: bool) -> None:
    args, keywords = samples_of(rule)[0]
    for shapes in shapes_for(args):
        second = known and shapes in SECOND_ORDER
        run_checks(fn, arrays_of(args, shapes), keywords, known, second)


def as_arrays(rule: Any, fn: Any, args: Any, *shapes: Any) -> Any:
    """The operands of an element-wise function as arrays; of others as they are."""
    if not takes_arrays(rule, fn) or np.ndim(args[0]):
        return args
    count = sum(map(carries, args))
    return arrays_of(args, (*shapes, *[shapes[0]] * (count - len(shapes)))[:count])


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize(("rule", "fn"), cases())
def test_float32(rule: Any, fn: Any, known: bool) -> None:
    if has_longer_results(fn) or (from_scipy(fn) and not known):
        return
    for given, keywords in itertools.islice(usable_samples(rule, fn), 4 if known else 1):
        args = arrays_as(as_arrays(rule, fn, given, (3,)), single)
        if arrays_in(args):
            with contextlib.nullcontext() if known else contextlib.suppress(NotYetSupported):
                check_precision(fn, args, keywords, known)


@pytest.mark.parametrize(("rule", "fn"), cases())
def test_same_argument_twice(rule: Any, fn: Any) -> None:
    for given, keywords in usable_samples(rule, fn):
        active = [x for x in given if carries(x)]
        if len(active) < 2 or len({np.shape(x) for x in active}) > 1:
            continue
        if fn.__name__ == "uniform":  # between equal bounds, where the rule says NaN
            continue
        if fn.__name__.endswith("fit"):  # of x to itself: zero, so that only rounding is left
            continue
        args = tuple(active[0] if carries(x) else x for x in given)
        with np.errstate(all="ignore"):
            try:
                program, values = one_operation(fn, args, keywords, True, same=True)
                values = values[:1]
            except (ValueError, np.linalg.LinAlgError):
                continue
            if not smooth(program, values):
                continue
            check_first_order(derived(program, values))


def smooth(program: Program, values: Any) -> bool:
    """Whether differences to the left and to the right agree: no kink here."""
    directions, h = likes(values, 7), 1e-5
    here, up, down = (program.run(moved(values, directions, t)) for t in (0.0, h, -h))
    return all(
        np.allclose(np.asarray(b) - a, np.asarray(a) - c, rtol=1e-2, atol=1e-8)
        for a, b, c in zip(here, up, down, strict=False)
    )


def complex_samples(rule: Any, fn: Any) -> Iterator[tuple[Any, Any]]:
    """The samples with complex numbers, where the function takes them."""
    for given, keywords in usable_samples(rule, fn):
        args = arrays_as(given, as_complex)
        if rule.kind == "elementwise" and not np.ndim(args[0]):
            args = tuple(as_complex(wave(x, (3,))) if carries(x) else x for x in args)
        try:
            with np.errstate(all="ignore"):
                fn(*args, **keywords)
        except (TypeError, ValueError, NotImplementedError, Warning):
            continue
        yield args, keywords


@pytest.mark.parametrize(("rule", "fn"), cases(complex_able))
def test_complex(rule: Any, fn: Any) -> None:
    for i, (args, keywords) in enumerate(complex_samples(rule, fn)):
        run_checks(fn, args, keywords, known=True, second=i < 1)


@pytest.mark.matrix
@pytest.mark.parametrize(("rule", "fn"), cases(complex_able))
def test_complex_to_second_order(rule: Any, fn: Any) -> None:
    """All samples, and of facts that are not known."""
    for args, keywords in complex_samples(rule, fn):
        run_checks(fn, args, keywords, known=True)
        with contextlib.suppress(NotYetSupported):
            run_checks(fn, args, keywords, known=False)


def test_every_rule_has_samples() -> None:
    missing = [
        name_of(r.functions[0])
        for r in RULES
        if r.kind != "constant" and r.functions and not samples_of(r)
    ]
    assert not missing


def test_mixed_real_and_complex_operands() -> None:
    x, z = np.array([0.3, -1.2]), np.array([0.7 + 0.2j, 1.1 - 0.4j])
    for fn, args in itertools.product((np.multiply, np.add, np.true_divide), ((x, z), (z, x))):
        run_checks(fn, args, {}, known=True)


@pytest.mark.parametrize("kind", ROUNDING)
def test_conversion_to_a_shorter_type(kind: Any) -> None:
    """The derivative of the rounded value is 1, in the type of what carries it."""
    x = as_complex(np.array([0.3, -1.2])) if kind is np.complex64 else np.array([0.3, -1.2])
    program, values = one_operation(kind, (x,), {}, True)
    (tangent,) = forward(program).run(values, [x])
    np.testing.assert_array_equal(tangent, kind(x))
    assert tangent.dtype == kind
    (cotangent,) = reverse(program).run(values, [kind(x)])
    np.testing.assert_array_equal(cotangent, kind(x))
    assert cotangent.dtype == x.dtype
