"""Derivatives judged from outside: numerical references, and the checks every test builds on.

Nothing here knows how the compiler works.  The references call the user's function as it stands:
`complex_step` (exact to rounding, for analytic functions) and `central_difference` (Richardson
extrapolation, with an estimate of its own error).  `assert_derivatives` holds the public
operators to them and to one another, in both modes and to second order.
"""

import copy
import itertools
import linecache
import os
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tangent_like as tl

EPS = np.finfo(float).eps


class UnreliableReference(Exception):
    """The finite differences disagree among themselves: a kink is near, or rounding wins."""


# ---------------------------------------------------------------- numbers inside structures


def leaves(value: Any) -> list[Any]:
    """The numbers and arrays in nested tuples, lists and dicts, from left to right."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def rebuild(value: Any, new_leaves: Sequence[Any]) -> Any:
    """The structure of `value` with other leaves."""
    rest = iter(new_leaves)

    def walk(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: walk(item) for key, item in part.items()}
        if isinstance(part, (tuple, list)):
            items = [walk(item) for item in part]
            return type(part)(*items) if hasattr(part, "_fields") else type(part)(items)
        return next(rest)

    return walk(value)


def is_real(leaf: Any) -> bool:
    """Whether a leaf can carry a derivative (flags and whole numbers are constants)."""
    return np.asarray(leaf).dtype.kind == "f"


def numbers(value: Any, like: Any = None) -> np.ndarray:
    """All real numbers of a structure in one vector; `like` says which leaves are real."""
    like = value if like is None else like
    parts = [np.ravel(v) for v, x in zip(leaves(value), leaves(like), strict=True) if is_real(x)]
    return np.concatenate([np.zeros(0), *parts])


def fill(value: Any, vector: np.ndarray) -> Any:
    """The structure of `value` with its real numbers, in order, taken from `vector`."""
    start, new = 0, []
    for leaf in leaves(value):
        size = np.size(leaf) if is_real(leaf) else 0
        new.append(_refill(leaf, vector[start : start + size]) if is_real(leaf) else leaf)
        start += size
    return rebuild(value, new)


def _refill(leaf: Any, part: np.ndarray) -> Any:
    if isinstance(leaf, np.ndarray):
        kind = part.dtype if np.iscomplexobj(part) else leaf.dtype
        return np.array(part.reshape(leaf.shape), dtype=kind)
    if isinstance(leaf, np.generic) and not np.iscomplexobj(part):
        return type(leaf)(part[0])
    return part[0] if np.iscomplexobj(part) else part[0].item()


def floats(value: Any) -> Any:
    """Whole numbers as floats, as a derivative takes them."""
    whole = (int, np.int64)
    return rebuild(value, [float(x) if type(x) in whole else x for x in leaves(value)])


def zeros(value: Any) -> Any:
    """The zero tangent of a structure: 0.0 for every leaf that carries no derivative."""
    return rebuild(value, [x * 0.0 if is_real(x) else 0.0 for x in leaves(value)])


def same(a: Any, b: Any) -> bool:
    """Equal structure, shapes and numbers, bit for bit but for NaN's payload."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and same([*a.values()], [*b.values()])
    if isinstance(a, (tuple, list)):
        pairs = zip(a, b, strict=False)
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in pairs)
    if a is None or isinstance(a, (str, bool)):
        return type(a) is type(b) and a == b
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)


# ---------------------------------------------------------------- references


def complex_step(f: Callable[..., Any], args: Sequence[Any], i: int) -> Any:
    """df/dargs[i] for an analytic `f`, exact to rounding: Im f(x + ih) / h (Squire, Trapp 1998).

    A scalar `f` gives the structure of `args[i]`, another one a Jacobian matrix.
    """
    return _shaped(f, args, i, _complex_jacobian(*_flat(f, args, (i,))))


def central_difference(f: Callable[..., Any], args: Sequence[Any], i: int) -> Any:
    """df/dargs[i] by extrapolated central differences, good to 1e-8 or better.

    Raises UnreliableReference where no step size gives a trustworthy value.
    A scalar `f` gives the structure of `args[i]`, another one a Jacobian matrix.
    """
    return _shaped(f, args, i, _central_jacobian(*_flat(f, args, (i,))))


def _shaped(f: Callable[..., Any], args: Sequence[Any], i: int, jacobian: np.ndarray) -> Any:
    if np.shape(jacobian)[0] == 1 and np.ndim(f(*copy.deepcopy(args))) == 0:
        return fill(floats(args[i]), jacobian[0])
    return jacobian


def jacobian_by_complex_step(
    f: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int]
) -> np.ndarray:
    """The Jacobian of an analytic `f` with respect to the arguments in `wrt`, exact to rounding."""
    return _complex_jacobian(*_flat(f, args, wrt))


def assert_smooth(f: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int]) -> None:
    """Raise UnreliableReference unless differences agree on the slopes of `f`, also those of a
    tiny step: remainders wrap around with one slope at larger steps, and another one."""
    flat, x = _flat(f, args, wrt)
    slopes, h = _central_jacobian(flat, x), 1e-8
    tiny = [(flat(x + h * unit) - flat(x - h * unit)) / (2 * h) for unit in np.eye(len(x))]
    if not np.allclose(np.reshape(tiny, slopes.T.shape), slopes.T, rtol=1e-2, atol=1e-2):
        raise UnreliableReference(f"differences with tiny steps at {x} disagree")


def _flat(
    f: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int]
) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """`f` as a map from one vector (the arguments in `wrt`) to one vector, and the point."""
    chosen = floats(tuple(args[i] for i in wrt))

    def flat(vector: np.ndarray) -> np.ndarray:
        actual = list(copy.deepcopy(args))
        for i, value in zip(wrt, fill(chosen, vector), strict=True):
            actual[i] = value
        y = f(*actual)
        return numbers(floats(y)) if not np.iscomplexobj(vector) else _complex_numbers(y)

    return flat, numbers(chosen)


def _complex_numbers(value: Any) -> np.ndarray:
    return np.concatenate([np.ravel(leaf) + 0j for leaf in leaves(value)])


def _complex_jacobian(flat: Callable[..., Any], x: np.ndarray, h: float = 1e-30) -> np.ndarray:
    columns = [flat(x + 1j * h * unit).imag / h for unit in np.eye(len(x))]
    return np.stack(columns, axis=1)


def _central_jacobian(flat: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    width = len(flat(x))
    _refuse_jumps(flat, x)
    columns = [_trusted_slope(flat, x, unit) for unit in np.eye(len(x))]
    return np.stack(columns, axis=1) if columns else np.zeros((width, 0))


def _refuse_jumps(flat: Callable[..., Any], x: np.ndarray, h: float = 1e-6) -> None:
    """No point may lie on a jump: differences, which step over it, would not see its value."""
    for unit in np.eye(len(x)):
        middle, above, below = flat(x), flat(x + h * unit), flat(x - h * unit)
        if not len(middle) == len(above) == len(below):
            raise UnreliableReference(f"how many results there are changes along {unit} at {x}")
        near = (above + below) / 2
        if not np.all(np.abs(near - middle) <= 1e-4 * (1.0 + np.abs(middle))):
            raise UnreliableReference(f"{x} lies on a jump along {unit}")


def _trusted_slope(flat: Callable[..., Any], x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The slope of `flat` along `u`: the best of three step sizes, if that one is good."""
    size = max(1.0, float(np.max(np.abs(x * (u != 0)), initial=0.0)))
    for h in (2e-3, 1e-4, 5e-6):
        slope, error = _richardson(flat, x, u, h * size)
        scale = max(1.0, float(np.max(np.abs(slope), initial=0.0)))
        if error <= 3e-9 * scale:
            return slope
    raise UnreliableReference(f"differences along {u} at {x} disagree by {error:.1e}")


def _richardson(
    flat: Callable[..., Any], x: np.ndarray, u: np.ndarray, h: float
) -> tuple[np.ndarray, float]:
    """Central differences at h, h/2, h/4, extrapolated twice: error O(h^6), and its estimate."""
    with np.errstate(all="ignore"):
        ends = [(flat(x + t * u), flat(x - t * u)) for t in (h, h / 2, h / 4)]
        if len({len(end) for pair in ends for end in pair}) > 1:
            raise UnreliableReference(f"how many results there are changes along {u} at {x}")
        rough = [(a - b) / (2 * t) for (a, b), t in zip(ends, (h, h / 2, h / 4), strict=True)]
        better = [(4 * b - a) / 3 for a, b in itertools.pairwise(rough)]
        best = (16 * better[1] - better[0]) / 15
        error = float(np.max(np.abs(best - better[1]), initial=0.0))
    return best, error if np.isfinite(error) else np.inf


# ---------------------------------------------------------------- functions from text

_serial = itertools.count(1)


def define(source: str, name: str, **names: Any) -> Callable[..., Any]:
    """Run `source` and return what it calls `name`; tools that look for its source find it.

    Every call makes a module of its own, with a file name that no other one has.
    """
    filename = f"<defined by a test, {next(_serial)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    module = {"__name__": f"defined_{name}", "np": np, "tl": tl, **names}
    exec(compile(source, filename, "exec"), module)
    return module[name]


def _paths(value: Any, path: str) -> list[str]:
    """How each leaf of `value` is written, when the whole is written `path`."""
    if isinstance(value, (tuple, list, dict)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [p for k, item in items for p in _paths(item, f"{path}[{k!r}]")]
    return [path]


def _display(value: Any, names: Sequence[str]) -> str:
    """`value` written as a display whose leaves are `names`."""
    if isinstance(value, (tuple, list, dict)):
        rest = iter(names)
        inside = value.values() if isinstance(value, dict) else value
        items = [_display(item, [next(rest) for _ in leaves(item)]) for item in inside]
        if isinstance(value, dict):
            return f"{{{', '.join(f'{k!r}: {v}' for k, v in zip(value, items, strict=True))}}}"
        if isinstance(value, list):
            return f"[{', '.join(items)}]"
        return f"({', '.join(items)},)" if items else "()"
    return names[0]


def _inner(value: Any, path: str, weight: str) -> tuple[str, dict[str, int]]:
    """Text of <value, weight>; the names it uses for the weights, and the leaf each stands for."""
    used = {f"{weight}{k}": k for k, leaf in enumerate(leaves(value)) if is_real(leaf)}
    paths = _paths(value, path)
    terms = [
        f"np.sum({paths[k]} * {name})" if np.ndim(leaves(value)[k]) else f"{paths[k]} * {name}"
        for name, k in used.items()
    ]
    return " + ".join(terms), used


def restrict(f: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int]) -> Callable[..., Any]:
    """`f` as a function of its arguments in `wrt` alone; `f` itself when that is all of them."""
    if tuple(wrt) == tuple(range(len(args))):
        return f
    names = [f"x{i}" if i in wrt else f"c{i}" for i in range(len(args))]
    source = (
        f"def restricted({', '.join(f'x{i}' for i in wrt)}):\n    return f({', '.join(names)})\n"
    )
    fixed = {f"c{i}": args[i] for i in range(len(args)) if i not in wrt}
    return define(source, "restricted", f=f, **fixed)


def scalarise(f: Callable[..., Any], args: Sequence[Any], weights: Any) -> Callable[..., Any]:
    """<f(...), weights> as a function; `f` itself when its result is a scalar."""
    y = f(*copy.deepcopy(args))
    if not isinstance(y, (tuple, list, dict)) and np.ndim(y) == 0:
        return f
    terms, used = _inner(y, "y", "w")
    params = ", ".join(f"x{i}" for i in range(len(args)))
    source = f"def weighted({params}):\n    y = f({params})\n    return {terms}\n"
    given = leaves(weights)
    return define(source, "weighted", f=f, **{name: given[k] for name, k in used.items()})


def along(f: Callable[..., Any], args: Sequence[Any], u: Any) -> Callable[..., Any]:
    """x -> <f'(x), u> by forward mode, as a function that can be differentiated again."""
    params = ", ".join(f"x{i}" for i in range(len(args)))
    tangents = _display(tuple(args), [f"u{k}" for k in range(len(leaves(u)))])
    source = f"def along({params}):\n    return tl.jvp(f, ({params},), {tangents})[1]\n"
    return define(source, "along", f=f, **{f"u{k}": v for k, v in enumerate(leaves(u))})


def along_gradient(f: Callable[..., Any], args: Sequence[Any], u: Any) -> Callable[..., Any]:
    """x -> <grad f(x), u> by reverse mode, as a function that can be differentiated again."""
    params = ", ".join(f"x{i}" for i in range(len(args)))
    wrt = tuple(range(len(args)))
    terms, used = _inner(tuple(args), "g", "u")
    source = f"def slope({params}):\n    g = tl.grad(f, wrt={wrt})({params})\n    return {terms}\n"
    given = leaves(u)
    return define(source, "slope", f=f, **{name: given[k] for name, k in used.items()})


# ---------------------------------------------------------------- the checks

also: list[Callable[[Callable[..., Any], Sequence[Any], Sequence[int]], None]] = []
"""What else each function is put to, with its arguments and the positions of those that vary."""


every_mix = [False]
"""Whether each test checks all mixes of second order; else forward over reverse, and by turns one
of the three others."""


def assert_derivatives(
    f: Callable[..., Any],
    *args: Any,
    wrt: int | Sequence[int] | None = None,
    order: int = 2,
    complex_ok: bool = False,
) -> None:
    """Hold every public operator to the references, and the operators to one another.

    `wrt` names positions (default: every argument); the rest are constants.  `complex_ok` says
    that `f` is analytic and takes complex numbers, which gives a reference exact to rounding.
    """
    wrt = tuple(range(len(args))) if wrt is None else (wrt,) if isinstance(wrt, int) else tuple(wrt)
    before = copy.deepcopy(args)
    flat = _flat(f, args, wrt)
    jacobian = _complex_jacobian(*flat) if complex_ok else _central_jacobian(*flat)
    tolerance = 1e-11 if complex_ok else 1e-7

    check_first_order(f, args, wrt, jacobian, tolerance)
    if order >= 2:
        check_second_slopes(f, args, wrt, None if every_mix[0] else turn_of_the_test())
    for check in also:
        check(f, args, wrt)
    if not same(args, before):
        raise AssertionError(f"the arguments changed from {before} to {args}")


def turn_of_the_test() -> int:
    """A number that belongs to the test that runs, by which the tests take turns."""
    return zlib.crc32(os.environ.get("PYTEST_CURRENT_TEST", "").encode())


def assert_derivatives_in_turn(
    f: Callable[..., Any], *args: Any, wrt: Sequence[int], turn: int
) -> None:
    """Value, tangent, one form of reverse mode and two mixes of second order: for programs that
    take long to compile, of which several are alike and take turns."""
    check_slopes(f, *args, wrt=wrt, turn=turn)
    check_second_slopes(f, args, wrt, turn)


def check_slopes(
    f: Callable[..., Any],
    *args: Any,
    wrt: Sequence[int],
    exact: np.ndarray | None = None,
    turn: int = 0,
    elsewhere: Sequence[tuple[Sequence[Any], np.ndarray]] = (),
) -> None:
    """The quick part of `assert_derivatives`: value, tangent, one form of reverse mode, their dot
    product. `turn` goes round the forms, so that many programs try all of them.

    `exact` is the Jacobian, where it is known to rounding.  `elsewhere` has other points with
    their Jacobians, at which the same compiled gradient is tried.
    """
    before = copy.deepcopy(args)
    chosen = floats(tuple(args[i] for i in wrt))
    jacobian = _central_jacobian(*_flat(f, args, wrt)) if exact is None else exact
    tolerance = 1e-7 if exact is None else 1e-10
    y = f(*copy.deepcopy(args))
    active = restrict(f, args, wrt)
    u, v = direction(chosen, 1), direction(floats(y), 2)
    forward = _check_tangent(active, chosen, u, y, jacobian, tolerance)
    if turn % 4 == 1:
        backward = _check_pullback(active, chosen, v, y, jacobian, tolerance)
    else:
        scalar = scalarise(f, args, v)
        if scalar is f:
            v = 1.0
        points = [(args, numbers(v) @ jacobian)]
        points += [(other, numbers(v) @ found) for other, found in elsewhere]
        backward = _check_joint(scalar, points, wrt, tolerance, turn)
    check_dot_product(forward, numbers(v), backward, numbers(u), size=1.0)
    for check in also:
        check(f, args, wrt)
    if not same(args, before):
        raise AssertionError(f"the arguments changed from {before} to {args}")


def _check_joint(
    f: Callable[..., Any],
    points: Sequence[tuple[Sequence[Any], np.ndarray]],
    wrt: Sequence[int],
    tolerance: float,
    turn: int,
) -> np.ndarray:
    """The gradient of a scalar function at each point, in every other turn with the value; gives
    that at the first one."""
    derivative = (tl.grad if turn % 2 else tl.value_and_grad)(f, wrt=tuple(wrt))
    gradients = []
    for args, want in points:
        gradient = derivative(*args)
        if turn % 2 == 0:
            value, gradient = gradient
            check_exact(value, f(*copy.deepcopy(args)), "value_and_grad's value")
        check_structure(gradient, floats(tuple(args[i] for i in wrt)), "the gradient")
        check_close(numbers(gradient), want, tolerance, "the gradient")
        gradients.append(numbers(gradient))
    return gradients[0]


def direction(value: Any, seed: int) -> Any:
    """A fixed random direction: every number between 0.5 and 1.5 in size, of either sign."""
    rng = np.random.default_rng(seed)
    count = len(numbers(value))
    filled = fill(value, rng.uniform(0.5, 1.5, count) * rng.choice([-1.0, 1.0], count))
    pairs = zip(leaves(filled), leaves(value), strict=True)
    return rebuild(value, [new if is_real(old) else 0.0 for new, old in pairs])


def check_first_order(
    f: Callable[..., Any],
    args: Sequence[Any],
    wrt: Sequence[int],
    jacobian: np.ndarray,
    tolerance: float,
) -> None:
    """Values, gradients, tangents and pullbacks of `f` at one point."""
    y = f(*copy.deepcopy(args))
    chosen = floats(tuple(args[i] for i in wrt))
    if not isinstance(y, (tuple, list, dict)) and np.ndim(y) == 0:
        _check_gradient(f, args, wrt, y, jacobian, tolerance)
    active = restrict(f, args, wrt)
    u, v = direction(chosen, 1), direction(floats(y), 2)
    forward = _check_tangent(active, chosen, u, y, jacobian, tolerance)
    backward = _check_pullback(active, chosen, v, y, jacobian, tolerance)
    check_dot_product(forward, numbers(v), backward, numbers(u))


def _check_gradient(
    f: Callable[..., Any],
    args: Sequence[Any],
    wrt: Sequence[int],
    y: Any,
    jacobian: np.ndarray,
    tolerance: float,
) -> None:
    value, gradient = tl.value_and_grad(f, wrt=tuple(wrt))(*args)
    check_exact(value, y, "value_and_grad's value")
    chosen = tuple(args[i] for i in wrt)
    check_structure(gradient, chosen, "the gradient")
    check_close(numbers(gradient), jacobian.sum(axis=0), tolerance, "the gradient")
    one = tl.grad(f, wrt=wrt[0])(*args)
    check_structure(one, chosen[0], f"the gradient with respect to argument {wrt[0]}")
    want = numbers(gradient[0])
    check_close(numbers(one), want, 1e-13, f"the gradient with respect to argument {wrt[0]} alone")


def _check_tangent(
    f: Callable[..., Any], args: Any, u: Any, y: Any, jacobian: np.ndarray, tolerance: float
) -> np.ndarray:
    value, tangent = tl.jvp(f, args, u)
    check_exact(value, y, "jvp's value")
    forward = numbers(tangent, like=floats(y))
    check_close(forward, jacobian @ numbers(u), tolerance, "the tangent")
    return forward


def _check_pullback(
    f: Callable[..., Any], args: Any, v: Any, y: Any, jacobian: np.ndarray, tolerance: float
) -> np.ndarray:
    value, pullback = tl.vjp(f, *args)
    check_exact(value, y, "vjp's value")
    cotangents = pullback(v)
    check_structure(cotangents, args, "the pulled back cotangent")
    check_close(numbers(cotangents), numbers(v) @ jacobian, tolerance, "the pulled back cotangent")
    again = numbers(pullback(v))
    check_close(again, numbers(cotangents), 0.0, "the cotangent pulled back a second time")
    return numbers(cotangents)


def check_dot_product(
    forward: np.ndarray, v: np.ndarray, backward: np.ndarray, u: np.ndarray, size: float = 0.0
) -> None:
    """<v, J u> = <J^T v, u>: both modes are the same linear map, to 100 eps of the terms.

    `size` is that of partials inside `f` that may cancel (v - atan(v) has 1 and -1 / (1 + v * v)),
    which are what is rounded.
    """
    left, right = v @ forward, backward @ u
    scale = np.abs(v) @ np.abs(forward) + np.abs(backward) @ np.abs(u)
    scale += size * np.max(np.abs(v), initial=0.0) * np.max(np.abs(u), initial=0.0)
    if not abs(left - right) <= 100 * EPS * scale:
        raise AssertionError(f"forward {left!r} and reverse {right!r} differ by {left - right:.1e}")


def check_second_order(f: Callable[..., Any], args: Any, turn: int | None = None) -> None:
    """H u in the four mixes of a scalar `f`, against one another and against differences; a `turn`
    takes but one of the mixes beside forward over reverse."""
    u, v = direction(args, 4), direction(args, 5)
    every = tuple(range(len(args)))
    gradient = tl.grad(f, wrt=every)
    product = numbers(tl.jvp(gradient, args, u)[1])

    def flat(vector: np.ndarray) -> np.ndarray:
        return numbers(gradient(*fill(args, vector)))

    want = _trusted_slope(flat, numbers(args), numbers(u))
    check_close(product, want, 1e-5, "forward over reverse")
    if turn is None or turn % 3 == 0:
        got = numbers(tl.grad(along(f, args, u), wrt=every)(*args))
        check_close(got, product, 1e-10, "reverse over forward")
    if turn is None or turn % 3 == 1:
        got = numbers(tl.grad(along_gradient(f, args, u), wrt=every)(*args))
        check_close(got, product, 1e-10, "reverse over reverse")
    if turn is None or turn % 3 == 2:
        got = np.atleast_1d(tl.jvp(along(f, args, u), args, v)[1])
        check_close(got, np.atleast_1d(product @ numbers(v)), 1e-10, "forward over forward")


def check_second_slopes(
    f: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int], turn: int | None = None
) -> None:
    """The second order of `f`, whose result may be of any shape: see `check_second_order`."""
    chosen = floats(tuple(args[i] for i in wrt))
    weights = direction(floats(f(*copy.deepcopy(args))), 3)
    active = restrict(f, args, wrt)
    check_second_order(scalarise(active, chosen, weights), chosen, turn)


def check_close(got: np.ndarray, want: np.ndarray, tolerance: float, what: str) -> None:
    """Every number near its reference: relative to it, or a tenth of that to the largest."""
    scale = max(1.0, float(np.max(np.abs(want), initial=0.0)))
    near = np.abs(got - want) <= tolerance * (np.abs(want) + 0.1 * scale)
    if got.shape != want.shape or not np.all(near | (got == want)):
        raise AssertionError(f"{what} is\n  {got}\nbut should be\n  {want}")


def check_exact(got: Any, want: Any, what: str) -> None:
    """The primal inside a derivative is the primal: no bit may differ (NaN equals NaN)."""
    if not same(got, floats(want)) and not same(got, want):
        raise AssertionError(f"{what} is {got!r}, the plain call gives {want!r}")


def check_structure(got: Any, argument: Any, what: str) -> None:
    """A gradient has its argument's structure, shapes and precision."""
    if isinstance(argument, dict):
        if not isinstance(got, dict) or list(got) != list(argument):
            raise AssertionError(f"{what} is {got!r}: not a dict like it")
        for key in argument:
            check_structure(got[key], argument[key], f"{what}[{key!r}]")
        return
    if isinstance(argument, (tuple, list)):
        if type(got) is not type(argument) or len(got) != len(argument):
            raise AssertionError(f"{what} is {got!r}: not a {type(argument).__name__} like it")
        for k, (g, x) in enumerate(zip(got, argument, strict=True)):
            check_structure(g, x, f"{what}[{k}]")
        return
    want = np.asarray(argument).dtype if is_real(argument) else np.dtype(float)
    if np.shape(got) != np.shape(argument) or np.asarray(got).dtype != want:
        raise AssertionError(f"{what} is {got!r}, but its argument is {argument!r}")
    if not isinstance(argument, np.ndarray) and isinstance(got, np.ndarray):
        raise AssertionError(f"{what} is the array {got!r}, but its argument is a plain number")
