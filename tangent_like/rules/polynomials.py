"""Rules of `numpy.polynomial`: values, arithmetic and calculus in each of its six bases.

A polynomial is the matrix of its basis functions' values times its coefficients, so most rules are
those of products.  NumPy leaves trailing coefficients out where they are zero: derivatives are cut
to the length of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial

from tangent_like import facts, infer, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.classic_polynomials import least_squares
from tangent_like.rules.products import last_two_swapped
from tangent_like.rules.reductions import typed
from tangent_like.rules.registry import composed, constant, linear, named, refuse, rule
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.symbolic import apply, rank


@dataclass(frozen=True, slots=True)
class Basis:
    """The functions of a module, without the prefix of their names."""

    module: Any
    prefix: str

    def __call__(self, name: str) -> Any:
        return getattr(self.module, self.prefix + name)


BASES = [
    Basis(polynomial, "poly"), Basis(chebyshev, "cheb"), Basis(legendre, "leg"),
    Basis(hermite, "herm"), Basis(hermite_e, "herme"), Basis(laguerre, "lag"),
]  # fmt: skip

constant(runtime.derivative_matrix, runtime.product_table, runtime.matrix_of)
infer.special[runtime.product_table] = lambda multiply, n, m: facts.Array(
    "float64", (facts.fresh_size(), _length(n), _length(m))
)


def _length(count: Any) -> Any:
    size = getattr(count.fact, "size", None)
    return facts.fresh_size() if size is None else size


infer.special[runtime.matrix_of] = lambda *operands: facts.Array(
    "float64", (facts.fresh_size(), facts.fresh_size())
)

AN_ARRAY = "the coefficients are an array, of one number at least"
ONE_POLYNOMIAL = "of one polynomial, at arrays"
AT_VECTORS = "at points in arrays with one axis"


def _series(c: Any) -> Any:
    """An array of coefficients: a number is refused, where it is called if that is not known."""
    if rank(c) == 0:
        raise NotYetSupported("a number as a polynomial", hint="write np.array([number])")
    return c if rank(c) else apply(runtime.with_axes, c, 1)


# --- values -----------------------------------------------------------------------------------


def _values(basis: Basis) -> None:
    """The derivative of a basis function is a combination of basis functions."""
    vander, derivative = basis("vander"), basis("der")

    def slope(tangents: Any, y: Any, x: Any, degree: Any) -> Any:
        matrix = apply(runtime.derivative_matrix, derivative, degree)
        return np.expand_dims(tangents[0], -1) * np.matmul(y, matrix)

    rule(vander, jvp=slope, samples=lambda: [(reals(3), 3), (reals(2, 2), 2)])
    composed(
        basis("val"),
        lambda x, c, tensor=True: _value(x, c, tensor, vander),
        samples=lambda: [
            (reals(3), reals(4, seed=1)), (reals(2, 2), reals(3, seed=1)), (reals(3), reals(1)),
            (0.7, reals(4)), (reals(2), reals(3, 2)), (0.7, reals(3, 2)),
        ],
        note=AN_ARRAY,
    )  # fmt: skip


def _value(x: Any, c: Any, tensor: Any, vander: Any) -> Any:
    c = _series(c)
    matrix = apply(vander, x, np.shape(c)[0] - 1)
    if np.ndim(x) == 0:
        matrix = matrix[0]  # NumPy makes a row of it
    if np.ndim(c) == 1:
        return np.dot(matrix, c)
    if tensor is not True:
        raise NotYetSupported("a polynomial with several axes of coefficients and `tensor=False`")
    return np.tensordot(c, matrix, (0, -1))


def _several_variables(basis: Basis) -> None:
    """Polynomials of two and three variables, at points and on grids."""

    def matrices(c: Any, *xs: Any) -> list[Any]:
        if np.ndim(c) != len(xs) or any(rank(x) in (None, 0) for x in xs):
            raise NotYetSupported(
                "a polynomial of several variables of numbers, or with more axes of coefficients"
            )
        return [apply(basis("vander"), x, np.shape(c)[i] - 1) for i, x in enumerate(xs)]

    for name, formula, samples in (
        ("val2d", lambda x, y, c: _at_two(c, *matrices(c, x, y)), _two),
        ("val3d", lambda x, y, z, c: _at_three(c, *matrices(c, x, y, z)), _three),
        ("grid2d", lambda x, y, c: _on_grid(c, *matrices(c, x, y)), _two),
        ("grid3d", lambda x, y, z, c: _on_grid(c, *matrices(c, x, y, z)), _three),
    ):
        composed(basis(name), formula, samples=samples, note=ONE_POLYNOMIAL)
    composed(
        basis("vander2d"),
        lambda x, y, deg: _products(basis, (x, y), deg),
        samples=lambda: [(reals(3), reals(3, seed=1), [2, 1])],
        note=AT_VECTORS,
    )
    composed(
        basis("vander3d"),
        lambda x, y, z, deg: _products(basis, (x, y, z), deg),
        samples=lambda: [(reals(3), reals(3, seed=1), reals(3, seed=2), [2, 1, 1])],
        note=AT_VECTORS,
    )


def _at_two(c: Any, v: Any, w: Any) -> Any:
    return np.sum(np.matmul(v, c) * w, axis=-1)


def _at_three(c: Any, v: Any, w: Any, u: Any) -> Any:
    terms = np.tensordot(v, c, (-1, 0)) * w[..., :, None] * u[..., None, :]
    return np.sum(terms, axis=(-2, -1))


def _on_grid(c: Any, *matrices: Any) -> Any:
    """The axes of the coefficients replaced one by one by those of the points."""
    found = c
    for matrix in matrices:
        found = np.tensordot(found, matrix, (0, -1))
    return found


def _products(basis: Basis, xs: Any, degrees: Any) -> Any:
    """All products of a column of each matrix."""
    if any(rank(x) != 1 for x in xs):
        raise NotYetSupported("the matrix of a polynomial of several variables on a grid")
    found, *others = (apply(basis("vander"), x, d) for x, d in zip(xs, degrees, strict=True))
    for matrix in others:
        pairs = found[..., :, None] * matrix[..., None, :]
        found = np.reshape(pairs, (np.shape(xs[0])[0], -1))
    return found


def _two() -> Any:
    return [(reals(3), reals(3, seed=1), reals(2, 4, seed=2))]


def _three() -> Any:
    return [(reals(2), reals(2, seed=1), reals(2, seed=3), reals(2, 3, 2, seed=2))]


# --- arithmetic -------------------------------------------------------------------------------


def _cut(g: Any, like: Any) -> Any:
    return apply(runtime.fit_length, g, like)


def _sum(function: Any, sign: int) -> None:
    def vjp(g: Any, y: Any, a: Any, b: Any) -> Any:
        a, b = _series(a), _series(b)
        return _cut(g, a), sign * _cut(g, b)

    def jvp(tangents: Any, y: Any, a: Any, b: Any) -> Any:
        a, b = _series(a), _series(b)
        da, db = (None if t is None else _cut(t, y) for t in tangents)
        if db is None or da is None:
            return da if db is None else sign * db
        return da + sign * db

    rule(
        function,
        jvp=jvp,
        vjp=vjp,
        samples=lambda: [(reals(3), reals(3, seed=1)), (reals(2), reals(4)), (reals(4), reals(2))],
        note=AN_ARRAY,
    )


def _product(basis: Basis) -> None:
    """Each product of two basis functions is a combination of basis functions, by a table."""
    multiply = basis("mul")

    def product(a: Any, b: Any) -> Any:
        if multiply is polynomial.polymul:
            return np.convolve(a, b, "full")
        table = apply(runtime.product_table, multiply, np.size(a), np.size(b))
        return np.einsum("kij,i,j->k", table, a, b)

    def jvp(tangents: Any, y: Any, a: Any, b: Any) -> Any:
        a, b = _series(a), _series(b)
        da, db = tangents
        terms = [] if da is None else [product(da, b)]
        terms += [] if db is None else [product(a, db)]
        return _cut(terms[0] if len(terms) == 1 else terms[0] + terms[1], y)

    rule(
        multiply,
        jvp=jvp,
        samples=lambda: [(reals(3), reals(2, seed=1)), (reals(1), reals(3))],
        note=AN_ARRAY,
    )
    composed(
        basis("pow"),
        lambda c, pow, maxpower=16: _power(multiply, c, pow),
        samples=lambda: [(reals(3), 3), (reals(2), 1)],
        note=AN_ARRAY,
    )


def _power(multiply: Any, c: Any, exponent: int) -> Any:
    c = _series(c)
    if exponent == 0:
        return None
    found = c
    for _ in range(exponent - 1):
        found = apply(multiply, found, c)
    return found


# --- maps that are linear in the coefficients -------------------------------------------------


def _linear_map(function: Any, samples: Any, drop: tuple[str, ...] = ()) -> None:
    """The transpose of its matrix, which is found by mapping each basis function."""

    def matrix(c: Any, options: Any, named_options: Any) -> Any:
        return apply(runtime.matrix_of, function, np.shape(_series(c))[0], options, named_options)

    def jvp(tangents: Any, y: Any, c: Any, *options: Any, **named_options: Any) -> Any:
        found = np.tensordot(matrix(c, options, _without(named_options, drop)), tangents[0], (1, 0))
        return typed(_cut(found, y), y)

    def vjp(g: Any, y: Any, c: Any, *options: Any, **named_options: Any) -> Any:
        found = matrix(c, options, _without(named_options, drop))
        return np.tensordot(last_two_swapped(found), _full(g, found), (1, 0))

    rule(function, jvp=jvp, vjp=vjp, samples=samples, note=AN_ARRAY)


def _full(g: Any, matrix: Any) -> Any:
    """As many cotangents as the matrix has rows: what was left out has none."""
    return apply(runtime.fit_first, g, np.shape(matrix)[0])


def _without(options: dict[str, Any], drop: tuple[str, ...]) -> dict[str, Any]:
    axis = options.get("axis", 0)
    if axis != 0:
        raise NotYetSupported("coefficients along another axis than the first")
    return {key: value for key, value in options.items() if key not in drop and key != "axis"}


linear(
    runtime.fit_first,
    lambda h, g, count: apply(runtime.fit_first, h, np.shape(g)[0]),
    samples=lambda: [(reals(3), 4), (reals(3, 2), 2)],
)


def _calculus(basis: Basis) -> None:
    _linear_map(
        basis("der"),
        lambda: [(reals(4),), (reals(4), 2), ((reals(4),), {"scl": 2.0}), (reals(3, 2),),
                 (reals(2), 3)],
    )  # fmt: skip
    _linear_map(
        basis("int"),
        lambda: [(reals(3),), ((reals(3), 2), {"lbnd": 0.5}), ((reals(3),), {"k": [0.7]}),
                 (reals(3, 2),)],
        ("k",),
    )  # fmt: skip
    _linear_map(basis("mulx"), lambda: [(reals(3),)])
    for conversion in (basis.prefix + "2poly", "poly2" + basis.prefix):
        for function in named(basis.module, conversion):
            _linear_map(function, lambda: [(reals(4),), (reals(1),)])


# --- roots and fits ---------------------------------------------------------------------------


def _roots_and_fit(basis: Basis) -> None:
    vander, derivative = basis("vander"), basis("der")

    def change_of_roots(tangents: Any, y: Any, c: Any) -> Any:
        slope = apply(derivative, _series(c))
        values = np.dot(apply(vander, y, np.size(c) - 1), tangents[0])
        return -values / np.dot(apply(vander, y, np.size(slope) - 1), slope)

    rule(
        basis("roots"),
        jvp=change_of_roots,
        samples=lambda: [(np.array([1.3, 0.4, 2.0]),), (np.array([0.3, -2.1, 0.4, 1.0]),)],
        note="infinite or NaN for roots that coincide; the coefficients are an array",
    )
    composed(
        basis("fit"),
        lambda x, y, deg, rcond=None, full=False, w=None: _fit(vander, x, y, deg, full, w),
        samples=lambda: [
            (reals(5), reals(5, seed=1), 2), (reals(5), reals(5, 2, seed=1), 1),
            ((reals(5), reals(5, seed=1), 1), {"w": positive(5)}),
        ],
    )  # fmt: skip


def _fit(vander: Any, x: Any, y: Any, deg: Any, full: Any, w: Any) -> Any:
    """Least squares by the pseudo-inverse of the matrix of basis functions."""
    if full is not False or not isinstance(deg, int):
        raise NotYetSupported("a fit with chosen degrees, or with `full`", hint="np.linalg.lstsq")
    matrix = apply(vander, x, deg)
    if w is not None:
        matrix, y = matrix * w[:, None], y * (w if np.ndim(y) == 1 else w[:, None])
    return least_squares(matrix, y)


WEIGHTS = {
    "cheb": lambda x: 1 / np.sqrt(1 - x * x),
    "leg": lambda x: None,
    "herm": lambda x: np.exp(-x * x),
    "herme": lambda x: np.exp(-x * x / 2),
    "lag": lambda x: np.exp(-x),
}

for _basis in BASES:
    _values(_basis)
    _several_variables(_basis)
    _sum(_basis("add"), 1)
    _sum(_basis("sub"), -1)
    _product(_basis)
    _calculus(_basis)
    _roots_and_fit(_basis)
    if _basis.prefix in WEIGHTS:
        composed(
            _basis("weight"),
            WEIGHTS[_basis.prefix],
            samples=lambda: [(np.array([0.3, -0.6]),), (0.4,)],
        )
    constant(
        *(f for name in ("gauss", "pts1", "pts2")
          for f in named(_basis.module, _basis.prefix + name)),
        *named(_basis.module, "normalize_axis_index"),
    )  # fmt: skip
    refuse(
        *(f for name in ("div", "fromroots", "companion", "trim", "line", "interpolate",
                         "valfromroots")
          for f in named(_basis.module, _basis.prefix + name)),
        reason="its coefficients come of a recurrence, or of their values, that has no rule here",
        instead="multiply and add the factors; give coefficients as np.array([...])",
    )  # fmt: skip
    refuse(
        *named(_basis.module, "ABCPolyBase", "Polynomial", "Chebyshev", "Legendre", "Hermite",
               "HermiteE", "Laguerre"),
        reason="is a class of polynomials that the compiler does not know",
        instead="use the functions of its module on arrays of coefficients",
    )  # fmt: skip
    for _name in ("add", "sub", "mul", "mulx", "pow", "2poly", "roots", "fit", "der", "int"):
        for _function in named(_basis.module, _basis.prefix + _name):
            infer.special[_function] = lambda *operands, **options: facts.NUMERIC
    for _function in named(_basis.module, "poly2" + _basis.prefix):
        infer.special[_function] = lambda *operands, **options: facts.NUMERIC
