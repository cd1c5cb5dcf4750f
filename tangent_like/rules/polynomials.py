"""Rules of the polynomials of `numpy.polynomial`: values in any of its bases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.registry import composed, constant, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply

constant(runtime.derivative_matrix)


def _basis(value: Any, vander: Any, derivative: Any) -> None:
    """A polynomial is the matrix of its basis functions' values times its coefficients; the
    derivative of a basis function is a combination of basis functions."""

    def slope(tangents: Any, y: Any, x: Any, degree: Any) -> Any:
        matrix = apply(runtime.derivative_matrix, derivative, degree)
        return np.expand_dims(tangents[0], -1) * np.matmul(y, matrix)

    rule(vander, jvp=slope, samples=lambda: [(reals(3), 3), (reals(2, 2), 2)])
    composed(value, lambda x, c, tensor=True: _value(x, c, vander), samples=_samples)


def _value(x: Any, c: Any, vander: Any) -> Any:
    if np.ndim(c) != 1:
        raise NotYetSupported("a polynomial with more than one axis of coefficients")
    degree = np.size(c) - 1
    return np.dot(apply(vander, x, degree), c)


def _samples() -> Any:
    return [(reals(3), reals(4, seed=1)), (reals(2, 2), reals(3, seed=1)), (reals(3), reals(1))]


_basis(polynomial.polyval, polynomial.polyvander, polynomial.polyder)
_basis(chebyshev.chebval, chebyshev.chebvander, chebyshev.chebder)
_basis(legendre.legval, legendre.legvander, legendre.legder)
_basis(hermite.hermval, hermite.hermvander, hermite.hermder)
_basis(hermite_e.hermeval, hermite_e.hermevander, hermite_e.hermeder)
_basis(laguerre.lagval, laguerre.lagvander, laguerre.lagder)
