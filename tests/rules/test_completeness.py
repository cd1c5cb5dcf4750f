"""Every public function is differentiable, declared a constant, or refused with a reason.

What is public is read from the modules themselves, so a function that a new version of NumPy
brings fails here until somebody has decided about it.
"""

import contextlib
import importlib
import inspect
import math
import operator
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.fft
import numpy.polynomial
import pytest

from tangent_like.frontend import expressions, indexed_writes, mapped, methods
from tangent_like.rules import arguments, refused, registry

for _module in ("special", "linalg", "stats", "signal", "integrate", "optimize"):
    with contextlib.suppress(ImportError):  # SciPy is an extra
        importlib.import_module(f"scipy.{_module}")
registry.load_rules_of_imported_modules()
mapped.register()

FAMILIES = ("polynomial", "chebyshev", "legendre", "hermite", "hermite_e", "laguerre")
MODULES: dict[str, Any] = {
    "numpy": np,
    "numpy.linalg": np.linalg,
    "numpy.fft": np.fft,
    "numpy.random": np.random,
    **{f"numpy.polynomial.{name}": getattr(np.polynomial, name) for name in FAMILIES},
    "numpy.random.Generator": np.random.Generator,
    "numpy.random.RandomState": np.random.RandomState,
    "math": math,
    "operator": operator,
}


def public(owner: Any) -> Iterator[tuple[str, Any]]:
    """The functions and the types that can be called, as a user finds them."""
    for name in dir(owner):
        value = getattr(owner, name)
        exception = isinstance(value, type) and issubclass(value, (Exception, Warning))
        if not name.startswith("_") and callable(value) and not exception:
            yield name, value


def decided(function: Any) -> bool:
    if function in indexed_writes.FUNCTIONS:
        return True
    found = (registry.find(function), registry.refusal_of(function), registry.call_of(function))
    return any(decision is not None for decision in found)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_is_decided_about(module: str) -> None:
    missing = [name for name, function in public(MODULES[module]) if not decided(function)]
    assert not missing


SCIPY = {
    "special": "logsumexp softmax log_softmax expit logit log_expit erf erfc erfinv erfcinv gamma "
    "gammaln digamma polygamma psi beta betaln gammainc gammaincc j0 j1 jn jv y0 y1 yn i0 i0e i1 "
    "i1e iv ive xlogy xlog1py entr rel_entr kl_div ndtr log_ndtr ndtri multigammaln",
    "linalg": "solve_triangular cho_factor cho_solve expm logm sqrtm solve_sylvester solve_banded "
    "block_diag",
    "signal": "convolve",
}
STATS = {
    **dict.fromkeys(("norm", "t", "beta", "gamma", "chi2"), "logpdf pdf cdf logcdf"),
    "dirichlet": "logpdf pdf",
    "multivariate_normal": "logpdf pdf",
    "poisson": "logpmf",
}


@pytest.mark.parametrize("module", SCIPY)
def test_listed_functions_of_scipy(module: str) -> None:
    owner = pytest.importorskip(f"scipy.{module}")
    missing = [name for name in SCIPY[module].split() if not decided(getattr(owner, name))]
    assert not missing


def test_listed_distributions_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    missing = [
        f"{distribution}.{name}"
        for distribution, names in STATS.items()
        for name in names.split()
        if not decided(getattr(getattr(stats, distribution), name))
    ]
    assert not missing


def test_every_method_of_arrays_is_decided_about() -> None:
    known = {
        *methods.METHODS, *indexed_writes.METHODS, *expressions.ATTRIBUTES,
        *expressions.FACTS_OF_ARRAYS, *refused.METHODS,
    }  # fmt: skip
    missing = [name for name in dir(np.ndarray) if not name.startswith("_") and name not in known]
    assert not missing


def test_reasons_and_ways_out_are_given() -> None:
    given = [*registry.refusals.values(), *refused.METHODS.values()]
    assert all(refusal.reason and refusal.instead for refusal in given)


def test_nothing_is_both_refused_and_differentiated() -> None:
    both = [function for function in registry.refusals if function in registry.rules]
    assert not both


INTERNAL = frozenset({"f", "e"})
"""Names that bind the variables of a loop over functions."""


def of_numpy() -> Iterator[tuple[Any, Any]]:
    for rule in {id(rule): rule for rule in registry.rules.values()}.values():
        for function in rule.functions:
            module = getattr(function, "__module__", None) or ""
            if rule.kind != "constant" and module.startswith("numpy"):
                yield rule, function


LATER = {"reshape": {"copy"}, "astype": {"device"}, "unique": {"sorted"}}
"""Options that came after NumPy 2.0."""


@pytest.mark.parametrize(
    ("rule", "function"),
    [pytest.param(*pair, id=f"{pair[1].__module__}.{pair[1].__name__}") for pair in of_numpy()],
)
def test_options_stand_where_numpy_has_them(rule: Any, function: Any) -> None:
    """`np.var(x, 0, None, None, 1)` has the fifth operand for `ddof`: the rule must see it so."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # Python cannot tell
    names = arguments.names_of(function)
    any_name = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    present = {*signature.parameters, *LATER.get(function.__name__, ())}
    for parameters in arguments.of_rule(rule):
        for place, parameter in enumerate(parameters.positional):
            if parameter.default is parameter.empty:
                continue
            if place < len(names):
                assert names[place] == parameter.name
            else:
                assert any_name or parameter.name in present
        options = parameters.names - {p.name for p in parameters.positional}
        assert any_name or options - INTERNAL <= present


def test_in_place_functions_are_decided_about() -> None:
    assert all(map(decided, (*indexed_writes.FUNCTIONS, np.random.shuffle)))


def test_types_of_modules() -> None:
    assert all(isinstance(m, (types.ModuleType, type)) for m in MODULES.values())
