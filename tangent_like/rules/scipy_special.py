"""Rules of `scipy.special`, read only if the user has imported it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from tangent_like import facts, runtime
from tangent_like.rules.masks import choose, missing
from tangent_like.rules.reductions import expanded
from tangent_like.rules.registry import composed, constant, elementwise, named, rule
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.symbolic import apply, is_symbolic

REAL = [(0.3,), (-1.2,), (2.1,)]
POSITIVE = [(0.3,), (1.2,), (2.1,)]
UNIT = [(0.3,), (0.8,)]
PAIRS = [(1.3, 0.7), (0.4, 2.5)]
ORDERS = [(0, 0.3), (2, 1.2), (1, 2.1)]
ROOT_2_PI = math.sqrt(2 * math.pi)

# --- sums of exponentials ----------------------------------------------------------------------


def _logsumexp_formula(
    a: Any, axis: Any = None, b: Any = None, keepdims: Any = False, return_sign: Any = False
) -> Any:
    """log(sum(b exp(a - m))) + m, with the largest element m taken out; with `return_sign` of the
    sum's absolute value."""
    shift = apply(runtime.finite_max, a, axis)
    terms = np.exp(a - shift) if b is None else b * np.exp(a - shift)
    how = {**({} if axis is None else {"axis": axis}), **({"keepdims": True} if keepdims else {})}
    total = apply(np.sum, terms, **how)
    shift = shift if keepdims is True else np.sum(shift, axis=axis)
    if return_sign is False:
        return np.log(total) + shift
    size = np.log(np.abs(total)) + np.real(shift)
    if is_symbolic(total) and facts.is_complex(total.fact) is False:
        return size, None
    return size, np.exp(1j * np.imag(shift)) * total / np.abs(total)


constant(runtime.finite_max)


def _is_plain(b: Any, return_sign: Any) -> bool:
    return b is None and return_sign is False


def _weights(y: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    """exp(a - y), also where both are infinite."""
    wide = expanded(y, axis, keepdims)
    return np.exp(apply(np.where, a == wide, 0.0, a - wide))


def _logsumexp_tangent(
    tangents: Any, y: Any, a: Any, axis: Any = None, b: Any = None, keepdims: Any = False,
    return_sign: Any = False,
) -> Any:  # fmt: skip
    if not _is_plain(b, return_sign):
        return NotImplemented
    how = {**({} if axis is None else {"axis": axis}), **({"keepdims": True} if keepdims else {})}
    return apply(np.sum, tangents[0] * _weights(y, a, axis, keepdims), **how)


def _logsumexp_cotangent(
    g: Any, y: Any, a: Any, axis: Any = None, b: Any = None, keepdims: Any = False,
    return_sign: Any = False,
) -> Any:  # fmt: skip
    if not _is_plain(b, return_sign):
        return NotImplemented
    return expanded(g, axis, keepdims) * _weights(y, a, axis, keepdims)


rule(
    special.logsumexp,
    jvp=_logsumexp_tangent,
    vjp=_logsumexp_cotangent,
    otherwise=_logsumexp_formula,
    wrt=(2,),
    samples=lambda: [
        (reals(3),), (reals(2, 3), 0), ((reals(2, 3),), {"axis": 1, "keepdims": True}),
        (reals(3), None, positive(3)), ((reals(3), None, reals(3)), {"return_sign": True}),
        ((reals(2, 3),), {"axis": 1, "return_sign": True}),
    ],
)  # fmt: skip


def _mean_free(g: Any, y: Any, axis: Any) -> Any:
    named_axes = {} if axis is None else {"axis": axis}
    return y * (g - apply(np.sum, g * y, keepdims=True, **named_axes))


rule(
    special.softmax,
    jvp=lambda tangents, y, x, axis=None: _mean_free(tangents[0], y, axis),
    vjp=lambda g, y, x, axis=None: _mean_free(g, y, axis),
    samples=lambda: [(reals(3),), (reals(2, 3), 0), ((reals(2, 3),), {"axis": -1})],
)
rule(
    special.log_softmax,
    jvp=lambda tangents, y, x, axis=None: tangents[0] - _total(np.exp(y) * tangents[0], axis),
    vjp=lambda g, y, x, axis=None: g - np.exp(y) * _total(g, axis),
    samples=lambda: [(reals(3),), (reals(2, 3), 0), ((reals(2, 3),), {"axis": -1})],
)


def _total(x: Any, axis: Any) -> Any:
    return apply(np.sum, x, keepdims=True, **({} if axis is None else {"axis": axis}))


elementwise(special.expit, lambda x, y: y * special.expit(-x), samples=REAL)
elementwise(special.logit, lambda x, y: 1 / (x * (1 - x)), samples=UNIT)
elementwise(named(special, "log_expit"), lambda x, y: special.expit(-x), samples=REAL)

# --- error functions and the normal distribution -----------------------------------------------

ROOT_PI = math.sqrt(math.pi)

elementwise(special.erf, lambda x, y: 2 / ROOT_PI * np.exp(-x * x), samples=REAL)
elementwise(special.erfc, lambda x, y: -2 / ROOT_PI * np.exp(-x * x), samples=REAL)
elementwise(special.erfcx, lambda x, y: 2 * x * y - 2 / ROOT_PI, samples=REAL)
elementwise(special.erfinv, lambda x, y: ROOT_PI / 2 * np.exp(y * y), samples=UNIT)
elementwise(special.erfcinv, lambda x, y: -ROOT_PI / 2 * np.exp(y * y), samples=UNIT)
elementwise(special.ndtr, lambda x, y: np.exp(-x * x / 2) / ROOT_2_PI, samples=REAL)
elementwise(
    special.log_ndtr,
    lambda x, y: math.sqrt(2 / math.pi) / special.erfcx(-x / math.sqrt(2)),
    samples=REAL,
)
elementwise(special.ndtri, lambda x, y: ROOT_2_PI * np.exp(y * y / 2), samples=UNIT)

# --- gamma and beta functions ------------------------------------------------------------------

elementwise(special.gamma, lambda x, y: y * special.digamma(x), samples=POSITIVE)
elementwise(special.gammaln, lambda x, y: special.digamma(x), samples=POSITIVE)
elementwise(special.loggamma, lambda x, y: special.digamma(x), samples=POSITIVE)
elementwise(special.rgamma, lambda x, y: -y * special.digamma(x), samples=POSITIVE)
elementwise(
    (special.digamma, special.psi), lambda x, y: apply(special.polygamma, 1, x), samples=POSITIVE
)
elementwise(
    special.polygamma,
    lambda n, x, y: (None, apply(special.polygamma, n + 1, x)),
    samples=[(1, 0.7), (2, 1.3)],
)
elementwise(
    special.beta,
    lambda a, b, y: (y * _psi_gap(a, b), y * _psi_gap(b, a)),
    samples=PAIRS,
)
elementwise(special.betaln, lambda a, b, y: (_psi_gap(a, b), _psi_gap(b, a)), samples=PAIRS)
elementwise(
    special.gammainc,
    lambda a, x, y: (missing("`gammainc` with respect to its first operand"), _gamma_density(a, x)),
    samples=[(2, 0.7), (1, 1.3)],
)
elementwise(
    special.gammaincc,
    lambda a, x, y: (
        missing("`gammaincc` with respect to its first operand"),
        -_gamma_density(a, x),
    ),
    samples=[(2, 0.7), (1, 1.3)],
)
elementwise(
    special.betainc,
    lambda a, b, x, y: (
        missing("`betainc` with respect to its first operand"),
        missing("`betainc` with respect to its second operand"),
        np.exp(
            special.xlogy(a - 1, x)
            + special.xlog1py(b - 1, -x)
            - _number(apply(special.betaln, a, b))
        ),
    ),
    samples=[(2, 3, 0.4), (1, 2, 0.7)],
)
composed(
    special.multigammaln,
    lambda a, d: (
        sum(special.gammaln(a - j / 2) for j in range(d)) + d * (d - 1) / 4 * math.log(math.pi)
    ),
    samples=[(3.2, 2), (2.7, 3)],
)


def _psi_gap(a: Any, b: Any) -> Any:
    return special.digamma(a) - special.digamma(a + b)


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(special.xlogy(a - 1, x) - x - _number(apply(special.gammaln, a)))


def _number(x: Any) -> Any:
    """A constant as a plain number, which does not lengthen float32."""
    return x if is_symbolic(x) else float(x)


# --- Bessel functions --------------------------------------------------------------------------


def _between(function: Any, n: Any, x: Any, sign: float, factor: float = 0.5) -> Any:
    """Half the sum, or difference, of the functions of the orders next to n."""
    below, above = apply(function, n - 1, x), apply(function, n + 1, x)
    return factor * (below + above if sign > 0 else below - above)


def _order(function: Any) -> Any:
    return missing(f"`{function.__name__}` with respect to its order")


elementwise(special.j0, lambda x, y: -special.j1(x), samples=REAL)
elementwise(special.j1, lambda x, y: _between(special.jv, 1, x, -1), samples=REAL)
elementwise(special.y0, lambda x, y: -special.y1(x), samples=POSITIVE)
elementwise(special.y1, lambda x, y: _between(special.yv, 1, x, -1), samples=POSITIVE)
elementwise(special.i0, lambda x, y: special.i1(x), samples=REAL)
elementwise(special.i1, lambda x, y: _between(special.iv, 1, x, 1), samples=REAL)
elementwise(special.i0e, lambda x, y: special.i1e(x) - np.sign(x) * y, samples=REAL)
elementwise(special.i1e, lambda x, y: _between(special.ive, 1, x, 1) - np.sign(x) * y, samples=REAL)
elementwise(special.k0, lambda x, y: -special.k1(x), samples=POSITIVE)
elementwise(special.k1, lambda x, y: _between(special.kv, 1, x, 1, -0.5), samples=POSITIVE)
for _bessel, _sign, _factor in (
    (special.jv, -1, 0.5), (special.yv, -1, 0.5), (special.yn, -1, 0.5), (special.iv, 1, 0.5),
    (special.kv, 1, -0.5), (special.kn, 1, -0.5),
):  # fmt: skip
    elementwise(
        _bessel,
        lambda n, x, y, f=_bessel, s=_sign, c=_factor: (_order(f), _between(f, n, x, s, c)),
        samples=ORDERS,
    )
elementwise(
    special.ive,
    lambda n, x, y: (
        _order(special.ive),
        missing("`ive` of complex numbers")
        if is_symbolic(x) and facts.is_complex(x.fact)
        else _between(special.ive, n, x, 1) - np.sign(x) * y,
    ),
    samples=ORDERS,
)

elementwise(special.exp1, lambda x, y: -np.exp(-x) / x, samples=POSITIVE)
elementwise(special.expi, lambda x, y: np.exp(x) / x, samples=POSITIVE)
elementwise(special.dawsn, lambda x, y: 1 - 2 * x * y, samples=REAL)

# --- entropies ---------------------------------------------------------------------------------

elementwise(special.xlogy, lambda x, w, y: (np.log(w), x / _one_at_zero(x, w)), samples=PAIRS)
elementwise(
    special.xlog1py, lambda x, w, y: (np.log1p(w), x / _one_at_zero(x, 1 + w)), samples=PAIRS
)
elementwise(special.entr, lambda x, y: -np.log(x) - 1, samples=POSITIVE)
elementwise(special.rel_entr, lambda x, w, y: (np.log(x / w) + 1, -x / w), samples=PAIRS)
elementwise(special.kl_div, lambda x, w, y: (np.log(x / w), 1 - x / w), samples=PAIRS)


def _one_at_zero(x: Any, w: Any) -> Any:
    """w, but 1 where x and w are both 0, since 0 log 0 is 0 there."""
    return choose(apply(np.logical_and, w == 0, x == 0), 1, w)


# --- other names of functions of NumPy ---------------------------------------------------------

elementwise(special.expm1, lambda x, y: np.exp(x), samples=REAL)
elementwise(special.log1p, lambda x, y: 1 / (1 + x), samples=POSITIVE)
elementwise(special.exp2, lambda x, y: y * math.log(2), samples=REAL)
elementwise(special.exp10, lambda x, y: y * math.log(10), samples=REAL)
elementwise(special.cbrt, lambda x, y: 1 / (3 * y * y), samples=REAL)
