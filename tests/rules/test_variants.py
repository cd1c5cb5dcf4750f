"""Each rule in calls that its samples do not show: see `variants`.

Whether there is such a call, the function itself says by raising or not.  What holds for a call
here: forward mode is near finite differences, and reverse mode is its transpose to 100 eps.

| dimension                          | functions               | made from                        |
|------------------------------------|-------------------------|----------------------------------|
| 0-d to 3-d, length 0 and 1         | that take arrays        | all arrays of a sample, and each |
| broadcasting, each way             | element-wise            | a sample of numbers              |
| axes from either end, tuples, None | with `axis` or `axes`   | a sample with arrays             |
| axes kept                          | with `keepdims`         | the same                         |
| single precision                   | that take arrays        | all of these                     |
| complex numbers                    | that take them          | all of these                     |
"""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from tangent_like.errors import NotYetSupported
from tests.rules import variants
from tests.rules.catalogue import cases, name_of, usable_samples
from tests.rules.checks import (
    check_first_order,
    check_precision,
    check_second_order,
    check_shapes,
    derived,
    has_longer_results,
)
from tests.rules.evaluate import one_operation
from tests.rules.variants import Call, from_scipy

pytestmark = [pytest.mark.filterwarnings("ignore")]

REFUSED = {
    "builtins.max": "not of arrays of one element",
    "builtins.min": "not of arrays of one element",
    "numpy.histogram": "of one number at least",
    "numpy.histogram_bin_edges": "of one number at least",
    "numpy.median": "of one number at least",
    "numpy.nanmedian": "of one number at least",
    "numpy.nanpercentile": "of one number at least",
    "numpy.nanquantile": "of one number at least",
    "numpy.percentile": "of one number at least",
    "numpy.polymul": "has one coefficient at least",
    "numpy.polyval": "of one polynomial",
    "numpy.quantile": "of one number at least",
    "numpy.unique": "not along an axis",
    **dict.fromkeys(
        (
            "scipy.linalg._decomp_cholesky.cholesky", "scipy.linalg._decomp_cholesky.cho_factor",
            "scipy.linalg._basic.solve", "scipy.linalg._matfuncs.expm",
            "scipy.linalg._matfuncs.sqrtm", "scipy.linalg._decomp_lu.lu_factor",
        ),
        "of matrices, not of numbers",
    ),
    "scipy.linalg._basic.lstsq": "of one matrix",
    "scipy.linalg._decomp_lu.lu": "of one number at least",
    "scipy.linalg._decomp_lu.lu_solve": "of one equation at least",
    "scipy.linalg._solvers.solve_sylvester": "of one equation at least",
    "scipy.linalg._basic.solve_triangular": "not with vectors",
    "scipy.linalg._decomp_cholesky.cho_solve": "not with vectors",
    "scipy.linalg._basic.solve_banded": "of one matrix",
    "scipy.signal._signaltools.convolve2d": "of one number at least",
    "scipy.signal._signaltools.correlate2d": "of one number at least",
    "scipy.signal._signaltools.lfilter": "coefficients are arrays; of one number at least",
    "scipy.signal._signaltools.fftconvolve": "of one number at least",
    "scipy.signal._signaltools.oaconvolve": "of one number at least",
    "scipy.stats._multivariate.logpdf": "at several points",
    "scipy.stats._multivariate.pdf": "at several points",
}
"""Functions that some calls are refused of, and the part of the rule's note that says so."""

OF_NO_NUMBERS = {
    "scipy.signal._signaltools.fftconvolve", "scipy.signal._signaltools.oaconvolve",
    "scipy.linalg._decomp_lu.lu", "scipy.linalg._decomp_lu.lu_factor", "numpy.cov",
    "numpy.corrcoef",
}  # fmt: skip
"""Functions whose results of no numbers have other shapes or types than those of numbers, so that
facts say nothing of these."""

OF_POLYNOMIALS = (
    "the coefficients are an array", "of one polynomial", "at points",
)  # fmt: skip
"""The same for the functions of `numpy.polynomial`."""

LARGEST = 300
"""Calls whose result has more numbers say nothing new."""


def of_shapes(rule: Any, fn: Any, args: Any, keywords: Any) -> Iterator[Call]:
    if rule.kind != "elementwise":  # these have a test of their own
        yield from variants.of_numbers(args, keywords)
    yield from variants.of_arrays(args, keywords)


def of_everything(rule: Any, fn: Any, args: Any, keywords: Any) -> Iterator[Call]:
    yield from variants.of_numbers(args, keywords)
    yield from variants.of_arrays(args, keywords)
    yield from variants.of_one_array(args, keywords)
    yield from variants.of_axes(rule, fn, args, keywords)


def takes_any_shape(rule: Any, fn: Any) -> bool:
    """Helpers of rules are called with shapes that belong together."""
    return not name_of(fn).startswith("tangent_like.")


def calls_of(rule: Any, fn: Any, make: Callable[..., Iterator[Call]], count: int) -> Iterator[Call]:
    for args, keywords in itertools.islice(usable_samples(rule, fn), count):
        for call in make(rule, fn, args, keywords):
            if variants.accepted(fn, call, LARGEST):
                yield call


def check(fn: Any, call: Call, known: bool, second: bool = False) -> None:
    with np.errstate(all="ignore"):
        of = derived(*one_operation(fn, call.args, call.keywords, known))
        if not all(np.all(np.isfinite(y)) for y in of.results):
            return check_shapes(of)
        check_first_order(of)
        if second:
            check_second_order(of)


@pytest.mark.parametrize(("rule", "fn"), cases(takes_any_shape))
def test_shapes(rule: Any, fn: Any) -> None:
    for call in calls_of(rule, fn, of_shapes, 1):
        check_or_refuse(rule, fn, call)


@pytest.mark.parametrize(("rule", "fn"), cases(takes_any_shape))
def test_axes(rule: Any, fn: Any) -> None:
    for call in calls_of(rule, fn, variants.of_axes, 1):
        check_or_refuse(rule, fn, call)


@pytest.mark.matrix
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize(("rule", "fn"), cases(takes_any_shape))
def test_everything(rule: Any, fn: Any, known: bool) -> None:
    """Also to second order, of facts that are not known, and of one array alone."""
    for call in calls_of(rule, fn, of_everything, 1):
        check_or_refuse(rule, fn, call, known, partial(check, second=known))


def of_other_type(rule: Any, fn: Any, change: Callable[[Any], Any]) -> Iterator[Call]:
    """The same calls with arrays of another element type."""
    for call in calls_of(rule, fn, of_everything, 1):
        changed = call.of(change)
        if variants.arrays_in(changed.args) and variants.accepted(fn, changed, LARGEST):
            yield changed


def may_be_single(rule: Any, fn: Any) -> bool:
    return takes_any_shape(rule, fn) and not has_longer_results(fn)


@pytest.mark.matrix
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize(("rule", "fn"), cases(may_be_single))
def test_single_precision(rule: Any, fn: Any, known: bool) -> None:
    """Arrays of float32 beside Python's numbers, too."""
    if from_scipy(fn) and not known:
        return
    for call in of_other_type(rule, fn, variants.single):
        check_or_refuse(rule, fn, call, known, of_precision)


def may_be_complex(rule: Any, fn: Any) -> bool:
    return takes_any_shape(rule, fn) and variants.complex_able(rule, fn)


@pytest.mark.matrix
@pytest.mark.parametrize(("rule", "fn"), cases(may_be_complex))
def test_complex(rule: Any, fn: Any) -> None:
    for call in of_other_type(rule, fn, variants.as_complex):
        check_or_refuse(rule, fn, call)


def of_precision(fn: Any, call: Call, known: bool) -> None:
    check_precision(fn, call.args, call.keywords, known)


def check_or_refuse(
    rule: Any, fn: Any, call: Call, known: bool = True, check: Callable[..., None] = check
) -> None:
    """A derivative is right, or its function is listed with what the rule's note says of it."""
    if "length 0" in call.label and name_of(fn) in OF_NO_NUMBERS:
        known = False
    try:
        check(fn, call, known)
    except NotYetSupported as error:
        if known and not is_listed(rule, fn):  # less usual calls may need to know the shapes
            raise AssertionError(f"{name_of(fn)} with {call.label}: {error!r}") from error
    except Exception as error:
        raise AssertionError(f"{name_of(fn)} with {call.label}: {error!r}") from error


def is_listed(rule: Any, fn: Any) -> bool:
    if name_of(fn).startswith("numpy.polynomial."):
        return any(part in rule.note for part in OF_POLYNOMIALS)
    return name_of(fn) in REFUSED and REFUSED[name_of(fn)] in rule.note
