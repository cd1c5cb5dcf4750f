"""Solving equations, and what generated code calls to differentiate the solutions.

A solution has the derivative that the implicit function theorem gives it, however it was found:
`implicit_root` and `trajectory` mark it, and compute nothing.  Their rules are in `implicit/`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_HALVINGS = 40


def root(
    f: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), *, tol: float = 1e-12,
    max_steps: int = 100,
) -> Any:  # fmt: skip
    """x with `f(x, *args) = 0`, found from `x0` by Newton's method; x has the shape of `x0`.

    `f` returns as many numbers as it takes.  Derivatives with respect to `args`, and to whatever
    `f` captures, are those of the implicit function theorem, dx = -(df/dx)^-1 df, with one linear
    solve in either mode; the derivative with respect to `x0` is zero.

    Steps are shortened until |f| decreases; they end when they are below `tol`, relative to x.
    Raises RuntimeError where `max_steps` do not suffice, LinAlgError where df/dx is singular.
    """
    x = _floats(x0)
    residual = np.asarray(f(x, *args))
    for _ in range(max_steps):
        if not np.any(residual):
            return x
        step = -_solved(_slopes(f, x, residual, args), residual)
        x, residual, length = _shortened(f, x, residual, step, args)
        if length <= tol * (1.0 + _size(x)):
            return x
    found = f"|f| is {_size(residual):.3g}"
    raise RuntimeError(f"root: no convergence in {max_steps} steps, {found}")


def fixed_point(
    f: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), *, tol: float = 1e-13,
    max_steps: int = 10_000,
) -> Any:  # fmt: skip
    """x with `f(x, *args) = x`, found from `x0` by iteration; x has the shape of `x0`.

    Derivatives are those of the implicit function theorem: nothing is saved of the iterations.
    These end when x changes by no more than `tol`, relative to it.
    Raises RuntimeError where `max_steps` do not suffice.
    """
    x = _floats(x0)
    for _ in range(max_steps):
        before, x = x, _like(f(x, *args), x)
        if _size(x - before) <= tol * (1.0 + _size(x)):
            return x
    raise RuntimeError(f"fixed_point: no convergence in {max_steps} steps")


def _floats(x0: Any) -> Any:
    if np.ndim(x0):
        return np.array(x0, dtype=np.result_type(np.asarray(x0), np.float32))
    return complex(x0) if np.iscomplexobj(x0) else float(x0)


def _like(x: Any, like: Any) -> Any:
    if isinstance(like, np.ndarray):
        return np.asarray(x, like.dtype).reshape(like.shape)
    return type(like)(x)


def _size(x: Any) -> float:
    return float(np.max(np.abs(x), initial=0.0))


def _slopes(f: Any, x: Any, residual: Any, args: Any) -> Any:
    """The Jacobian of `f` by forward differences: near the root its errors slow Newton's method
    down a little, and change nothing in what it finds."""
    columns = []
    precision = float(np.sqrt(np.finfo(np.asarray(x).dtype).eps))
    for k in range(np.size(x)):
        h = precision * max(1.0, abs(np.ravel(x)[k]))
        columns.append(np.ravel(np.asarray(f(_moved(x, k, h), *args)) - residual) / h)
    return np.stack(columns, axis=-1) if columns else np.zeros((0, 0))


def _moved(x: Any, k: int, h: float) -> Any:
    if not isinstance(x, np.ndarray):
        return x + h
    moved = x.copy()
    moved.flat[k] += h
    return moved


def _solved(matrix: Any, residual: Any) -> Any:
    return np.linalg.solve(matrix, np.ravel(residual)).reshape(np.shape(residual))


def _shortened(f: Any, x: Any, residual: Any, step: Any, args: Any) -> tuple[Any, Any, float]:
    """The next x, its residual, and how far it is.

    Where no part of the step makes |f| smaller, a short step says that x is exact to rounding.
    """
    for k in range(_HALVINGS):
        tried = _like(x + step / 2**k, x)
        found = np.asarray(f(tried, *args))
        if _size(found) < _size(residual):
            return tried, found, _size(step / 2**k)
    precision = float(np.finfo(np.asarray(x).dtype).eps) ** 0.4
    if _size(step) <= precision * (1.0 + _size(x)):
        return x, residual, 0.0
    raise RuntimeError(f"root: no step makes |f| smaller than {_size(residual):.3g}")


# --- what the derivatives of solutions are made of ------------------------------------------------


def implicit_root(f: Any, x: Any, args: Any) -> Any:
    """`x` itself, which solves `f(x, *args) = 0`."""
    return x


def affine_root(f: Any, like: Any, args: Any) -> Any:
    """x with `f(x, *args) = 0`, of the shape of `like`, for an `f` that is affine in x: its matrix
    is built column by column, and solved once."""
    if not isinstance(like, np.ndarray):
        start = f(0.0, *args)
        return -start / (f(1.0, *args) - start)
    start = f(np.zeros_like(like), *args)
    columns = []
    for k in range(like.size):
        unit = np.zeros_like(like)
        unit.flat[k] = 1.0
        columns.append(np.ravel(f(unit, *args) - start))
    if not columns:
        return np.zeros_like(like)
    return -np.linalg.solve(np.stack(columns, axis=-1), np.ravel(start)).reshape(like.shape)


def trajectory(f: Any, y0: Any, t: Any, args: Any, y: Any, *times: Any, **options: Any) -> Any:
    """`y` itself, the states at the times `t` of the solution of `dy/dt = f(y, t, *args)`; what
    the times were made of is in `times`."""
    return y


def flow(f: Any, y0: Any, t: Any, args: Any, *, method: str = "", **options: Any) -> Any:
    """The states at the times `t`, a row for each, of `dy/dt = f(y, t, *args)` from `y0` on: by
    SciPy's `odeint`, or by `solve_ivp` with a method of that."""
    from scipy import integrate  # noqa: PLC0415 - SciPy is an extra

    if not method:
        return integrate.odeint(f, y0, t, args, **options)
    found = solved_ivp(f, y0, t, args, method=method, t_eval=t, **options)
    if found.status < 0:
        raise RuntimeError(f"solve_ivp: {found.message}")
    return found.y.T


def solved_ivp(f: Any, y0: Any, span: Any, args: Any, **options: Any) -> Any:
    """What SciPy's `solve_ivp` returns for `dy/dt = f(y, t, *args)`."""
    from scipy import integrate  # noqa: PLC0415 - SciPy is an extra

    return integrate.solve_ivp(lambda t, y: f(y, t, *args), (span[0], span[-1]), y0, **options)
