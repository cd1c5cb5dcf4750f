"""Rules of random draws.

A draw is made once, in the forward sweep, and never again.  It is a constant, but for families of
distributions whose draws are a differentiable function of their parameters and of noise that does
not depend on them: there the draw itself tells the noise.  Each function exists three times: as a
method of `Generator`, as one of `RandomState`, and as a function of `numpy.random`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from tangent_like import facts, infer, runtime
from tangent_like.facts import Fact
from tangent_like.ir import Atom
from tangent_like.rules.masks import times
from tangent_like.rules.registry import constant, named, refuse, rule
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.signatures import named_values, parameters_of, with_parameters
from tangent_like.rules.symbolic import apply

GENERATORS = (np.random.Generator, np.random.RandomState)


def forms(name: str) -> Iterator[tuple[Any, type | None]]:
    """The functions of a name, each with the class that it is a method of."""
    for owner in (*GENERATORS, np.random):
        function = getattr(owner, name, None)
        if callable(function):
            yield function, owner if isinstance(owner, type) else None


# --- families of distributions ----------------------------------------------------------------


def family(name: str, partials: Callable[..., Any], *, samples: Any, note: str = "") -> None:
    """A distribution whose draws are differentiated in its parameters.

    `partials(y, ...)` takes the draw and parameters by their names in NumPy, and returns the
    derivative of the draw with respect to each of these.
    """
    wanted = list(inspect.signature(partials).parameters.values())[1:]
    for function, owner in forms(name):
        given = parameters_of(function) or (*([_SELF] if owner else []), *wanted, _SIZE)
        names = [p.name for p in given]
        places = {p.name: names.index(p.name) for p in wanted}
        rule(
            function,
            jvp=with_parameters(_tangent(partials, names, places), 2, given),
            vjp=with_parameters(_cotangent(partials, names, places), 2, given),
            wrt=tuple(places.values()),
            samples=partial(_seeded_samples, owner, samples),
            note=note,
        )


_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
_SIZE = inspect.Parameter("size", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)


def _seeded(owner: type | None) -> tuple[Any, ...]:
    """A generator to draw from, where the function is a method of one."""
    if owner is None:
        return ()
    return (np.random.default_rng(3) if owner is np.random.Generator else np.random.RandomState(3),)


def _seeded_samples(owner: type | None, samples: Any) -> Any:
    return [((*_seeded(owner), *operands), keywords) for operands, keywords in samples()]


def _slopes(partials: Any, names: Sequence[str], places: Any, y: Any, args: Any, more: Any) -> Any:
    """The partials with respect to the parameters, each with its place among the operands."""
    values = named_values(names, args, more)
    found = partials(y, **{name: values[name] for name in places if name in values})
    return dict(zip(places.values(), found if isinstance(found, tuple) else (found,), strict=True))


def _tangent(partials: Any, names: Sequence[str], places: Any) -> Any:
    def jvp(tangents: Any, y: Any, *args: Any, **more: Any) -> Any:
        slopes = _slopes(partials, names, places, y, args, more)
        terms = [times(dx, slopes.get(i)) for i, dx in enumerate(tangents) if dx is not None]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        same = facts.same_shape(total.fact, y.fact)
        return total if same else apply(runtime.broadcast_like, total, y)

    return jvp


def _cotangent(partials: Any, names: Sequence[str], places: Any) -> Any:
    def vjp(g: Any, y: Any, *args: Any, **more: Any) -> Any:
        slopes = _slopes(partials, names, places, y, args, more)
        return tuple(times(g, slopes.get(i)) for i in range(len(args)))

    return vjp


def _location_and_scale() -> Any:
    return [
        ((0.3, 1.7), {}), ((0.3, 1.7, 4), {}), ((reals(3), 1.7), {}), ((0.4, positive(3)), {}),
        ((reals(2, 1), positive(3)), {}), ((reals(3), positive(3), (2, 3)), {}),
    ]  # fmt: skip


def _one_parameter() -> Any:
    return [((1.7,), {}), ((1.7, 4), {}), ((positive(3),), {}), ((positive(3), (2, 3)), {})]


for _name in ("normal", "laplace", "logistic", "gumbel"):
    family(
        _name,
        lambda y, loc=0.0, scale=1.0: (1, (y - loc) / scale),
        samples=_location_and_scale,
        note="NaN where the scale is 0",
    )
family(
    "uniform",
    lambda y, low=0.0, high=1.0: ((high - y) / (high - low), (y - low) / (high - low)),
    samples=lambda: [((reals(3), 2.5), {}), ((0.3, 1.7, 4), {}), ((-0.4, positive(3)), {})],
    note="NaN where both bounds are the same",
)
family(
    "lognormal",
    lambda y, mean=0.0, sigma=1.0: (y, y * (np.log(y) - mean) / sigma),
    samples=_location_and_scale,
    note="NaN where sigma is 0",
)
for _name in ("exponential", "rayleigh"):
    family(
        _name,
        lambda y, scale=1.0: y / scale,
        samples=_one_parameter,
        note="NaN where the scale is 0",
    )
for _name in ("weibull", "power"):
    family(_name, lambda y, a: -y * np.log(y) / a, samples=_one_parameter)
family("pareto", lambda y, a: -(1 + y) * np.log1p(y) / a, samples=_one_parameter)

# --- draws that are constants -----------------------------------------------------------------

CONSTANTS = (
    "random", "random_sample", "ranf", "sample", "rand", "randn", "standard_normal",
    "standard_exponential", "standard_cauchy", "integers", "randint", "random_integers",
    "tomaxint", "bytes", "seed", "get_state", "set_state", "spawn",
)  # fmt: skip

for _name in CONSTANTS:
    for _function, _ in forms(_name):
        constant(_function, note="a draw, made once")
constant(*named(np.random, "default_rng", "get_bit_generator", "set_bit_generator"))
constant(
    *named(np.random, "Generator", "RandomState", "SeedSequence", "BitGenerator", "MT19937",
           "PCG64", "PCG64DXSM", "Philox", "SFC64"),
    note="makes a source of random numbers",
)  # fmt: skip

# --- draws that are refused -------------------------------------------------------------------


def _refuse_draws(names: str, reason: str, instead: str) -> None:
    functions = [function for name in names.split() for function, _ in forms(name)]
    refuse(*functions, reason=reason, instead=instead)


_refuse_draws(
    "binomial geometric hypergeometric logseries multinomial multivariate_hypergeometric "
    "negative_binomial poisson zipf",
    "a draw of whole numbers jumps as its parameters change, so that zero is not the derivative "
    "of what is expected",
    "sum over the outcomes, or draw with parameters that are not differentiated",
)
_refuse_draws(
    "beta chisquare dirichlet f gamma noncentral_chisquare noncentral_f standard_gamma standard_t "
    "triangular vonmises wald multivariate_normal",
    "the draw does not tell how it moves with its parameters",
    "draw what does not depend on them and transform it: `mean + cholesky @ standard_normal`, "
    "`scale * standard_gamma`",
)
_refuse_draws(
    "choice permutation permuted",
    "which elements are drawn is not seen",
    "draw the places and take the elements there: `x[rng.permutation(len(x))]`",
)
refuse(
    *(function for function, _ in forms("shuffle")),
    reason="writes into its operand",
    instead="assign to elements, `x[i] = y`, or build a new array",
)
refuse(
    *named(np.random, "test"),
    reason="reads or changes NumPy's settings",
    instead="do it outside of the differentiated function",
)

# --- the facts of draws -----------------------------------------------------------------------


def _fact_of_draw(name: str, owner: type | None) -> Callable[..., Fact]:
    """Found by drawing from a source of our own: the user's is not touched."""

    def draw(*args: Any, **keywords: Any) -> Any:
        source = np.random.default_rng(0) if owner is GENERATORS[0] else np.random.RandomState(0)
        return getattr(source, name)(*args, **keywords)

    def fact(*atoms: Atom, **keywords: Atom) -> Fact:
        return infer.execute(draw, atoms[1:] if owner else atoms, keywords)

    return fact


def _public(owner: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(owner):
        function = getattr(owner, name)
        if not name.startswith("_") and callable(function) and not isinstance(function, type):
            yield name, function


for _owner in GENERATORS:
    for _name, _function in _public(_owner):
        infer.special[_function] = _fact_of_draw(_name, _owner)
for _name, _function in _public(np.random):
    if hasattr(np.random.RandomState, _name):
        infer.special[_function] = _fact_of_draw(_name, None)
infer.special[np.random.default_rng] = lambda *a, **k: facts.Opaque("Generator")
for _owner in GENERATORS:
    infer.special[_owner] = lambda *a, name=_owner.__name__, **k: facts.Opaque(name)
