"""The exact Jacobian of a random program, by complex steps through its unmodified source.

Only the `np` that the source finds differs: it makes new arrays complex, so that they can hold
what is written into them.  NumPy orders complex numbers by their real parts first, so tests,
masks, `maximum` and `sort` decide as they do for real numbers, except between equal ones.
"""

import warnings
from typing import Any

import numpy as np

from tests.derivatives import define, jacobian_by_complex_step
from tests.random_programs.drawing import Program


class ComplexNumPy:
    """NumPy, with arrays of zeros, ones and other constants that hold complex numbers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def zeros(self, shape: Any) -> np.ndarray:
        return np.zeros(shape, dtype=complex)

    def ones(self, shape: Any) -> np.ndarray:
        return np.ones(shape, dtype=complex)

    def array(self, value: Any) -> np.ndarray:
        made = np.array(value)
        return made.astype(complex) if made.dtype == float else made

    def full(self, shape: Any, value: Any) -> np.ndarray:
        return np.full(shape, value, dtype=complex)


def exact_jacobian(program: Program, args: tuple[Any, ...]) -> np.ndarray | None:
    """The Jacobian at `args`; None if complex numbers lead elsewhere or nowhere."""
    f = define(program.source, "f", np=ComplexNumPy())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            jacobian = jacobian_by_complex_step(f, args, program.wrt)
    except (TypeError, np.exceptions.ComplexWarning):  # only real numbers may stand there
        return None
    return jacobian if np.all(np.isfinite(jacobian)) else None
