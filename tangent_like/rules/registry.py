"""How a derivative fact is written down, once for both modes.

    elementwise(np.tanh, lambda x, y: 1 - y * y)               the partial; y is the result
    elementwise(np.multiply, lambda x, w, y: (w, x))           one partial for each operand
    linear(np.transpose, lambda g, x: g.T)                     only the transpose is needed
    bilinear(np.matmul, lambda g, x, w: g @ w.T, lambda g, x, w: x.T @ g)
    composed(np.var, lambda x: np.mean((x - np.mean(x)) ** 2)) a formula, differentiated itself
    rule(np.prod, jvp=..., vjp=...)                            a named pair for what fits no kind
    constant(np.floor)                                         zero derivative, by declaration

The lambdas run once, at compile time, on symbolic operands.  They never mention broadcasting,
accumulation or zeros: the differentiator adds these where they are needed.  `samples` are
operands at which the tests check the rule, each a tuple of positional arguments, or a pair of
such a tuple and a dict of keywords; or a function that returns them, so that importing the rules
builds no arrays.

A tuple or list that is given where an array is meant is made one first; with `sequences` the
rule sees it as it is, as a tuple or list of symbolic operands.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from tangent_like import infer

observers: WeakSet[Any] = WeakSet()
"""What is told of each registration: derivatives that were compiled with the rules of before."""

Samples = Sequence[Any] | Callable[[], Sequence[Any]]
MAX_OPERANDS = 64


@dataclass(frozen=True, slots=True)
class Rule:
    """`kind` says how to read `forward` and `reverse`: see `tangent.py` and `adjoint.py`."""

    functions: tuple[Any, ...]
    kind: str
    partials: Callable[..., Any] | None = None
    jvp: Callable[..., Any] | None = None
    vjp: Callable[..., Any] | None = None
    transposes: tuple[Callable[..., Any], ...] = ()
    wrt: tuple[int, ...] | None = (0,)
    drop: tuple[str, ...] = ()
    formula: Callable[..., Any] | None = None
    sequences: bool = False
    samples: Samples = ()
    note: str = ""


rules: dict[Any, Rule] = {}
"""The registry: a rule for each callable that has one."""


own: dict[Any, Rule] = {}
"""Those of them that others than this package registered."""


@dataclass(slots=True, eq=False)
class Custom:
    """A function whose derivative is given as functions: see `custom_vjp` and `custom_jvp`."""

    function: Callable[..., Any]
    constants: tuple[int, ...]
    """The arguments that are never differentiated."""

    forward: Callable[..., Any] | None = None
    backward: Callable[..., Any] | None = None
    tangent: Callable[..., Any] | None = None
    tangents: tuple[Callable[..., Any] | None, ...] | None = None

    @property
    def functions(self) -> Iterator[Callable[..., Any]]:
        """The function and those that are its derivative."""
        given = (self.forward, self.backward, self.tangent, *(self.tangents or ()))
        yield from (f for f in (self.function, *given) if f is not None)


customs: dict[Any, Custom] = {}


@dataclass(frozen=True, slots=True)
class Solver:
    """How to differentiate an operation whose first operand is a procedure; `tangent(push, op)`
    and `pullback(sweep, op, g)` append to the derivative under construction."""

    tangent: Callable[[Any, Any], None]
    pullback: Callable[[Any, Any, Any], None]


solvers: dict[Any, Solver] = {}
calls: dict[Any, Callable[..., Any]] = {}
"""How calls of functions that take a function are lowered: `lower(state, node, args, keywords)`."""


def call_of(function: Any) -> Callable[..., Any] | None:
    """How a call of a function that takes a function is lowered, None for all others."""
    try:
        found = calls.get(function)
    except TypeError:
        return None
    if found is None and load_rules_of_imported_modules():
        return calls.get(function)
    return found


def custom_of(function: Any) -> Custom | None:
    try:
        return customs.get(function)
    except TypeError:  # an unhashable callable
        return None


def changed() -> None:
    """Tell the derivatives that were compiled with the rules of before."""
    for observer in list(observers):
        observer.forget()


def _register(functions: Any, rule_of: Callable[[tuple[Any, ...]], Rule]) -> None:
    group = functions if isinstance(functions, tuple) else (functions,)
    made = rule_of(group)
    caller = sys._getframe(2).f_globals.get("__name__", "")
    for function in group:
        if not callable(function):
            raise TypeError(f"a rule belongs to a callable, not to {function!r}")
        rules[function] = made
        if caller.split(".")[0] != "tangent_like":
            own[function] = made
    changed()


def elementwise(
    functions: Any, partials: Callable[..., Any], *, samples: Samples = (), note: str = ""
) -> None:
    """Register an element-wise function by its partials.

    `partials(*operands, y, **keywords)` returns the derivative with respect to the one operand,
    or a tuple with one for each; None or 0 for an operand without influence.
    """
    _register(
        functions,
        lambda group: Rule(group, "elementwise", partials=partials, samples=samples, note=note),
    )
    group = functions if isinstance(functions, tuple) else (functions,)
    infer.elementwise_functions.update(group)


def linear(
    functions: Any,
    transpose: Callable[..., Any],
    *,
    wrt: tuple[int, ...] | None = (0,),
    drop: tuple[str, ...] = (),
    sequences: bool = False,
    samples: Samples = (),
    note: str = "",
) -> None:
    """Register a function that is linear in the operands `wrt` taken together.

    `transpose(g, *operands, **keywords)` returns the cotangent of the one operand in `wrt`, or a
    tuple aligned with `wrt` (None for all positional operands).  The keywords in `drop` add a
    constant: the tangent leaves them out.
    """
    _register(
        functions,
        lambda group: Rule(
            group,
            "linear",
            vjp=transpose,
            wrt=wrt,
            drop=drop,
            sequences=sequences,
            samples=samples,
            note=note,
        ),
    )


def bilinear(
    functions: Any,
    *transposes: Callable[..., Any],
    wrt: tuple[int, ...] = (0, 1),
    samples: Samples = (),
    note: str = "",
) -> None:
    """Register a function that is linear in each operand of `wrt`; one transpose for each."""
    _register(
        functions,
        lambda group: Rule(
            group, "bilinear", transposes=transposes, wrt=wrt, samples=samples, note=note
        ),
    )


def rule(
    functions: Any,
    *,
    jvp: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    otherwise: Callable[..., Any] | None = None,
    wrt: tuple[int, ...] = (),
    sequences: bool = False,
    samples: Samples = (),
    note: str = "",
) -> None:
    """Register a pair.

    `jvp(tangents, y, *operands, **keywords)` returns the tangent of the result; `tangents` has an
    entry for each positional operand, None where it has no tangent.
    `vjp(g, y, *operands, **keywords)` returns the cotangent of the one operand, or a tuple with
    one for each positional operand, None where there is none.  Without it `jvp` is transposed.
    Where these return NotImplemented, the formula `otherwise` is differentiated: see `composed`.
    Operands with a default value are options, which must not vary, but for those in `wrt`.
    """
    _register(
        functions,
        lambda group: Rule(
            group,
            "pair",
            jvp=jvp,
            vjp=vjp,
            wrt=wrt,
            formula=otherwise,
            sequences=sequences,
            samples=samples,
            note=note,
        ),
    )


def composed(
    functions: Any,
    formula: Callable[..., Any],
    *,
    sequences: bool = False,
    samples: Samples = (),
    note: str = "",
) -> None:
    """Register a function by a formula of functions that have rules.

    `formula(*operands, **keywords)` computes the same value; its operations are differentiated
    one by one.  It must not branch on its operands' values.
    """
    _register(
        functions,
        lambda group: Rule(
            group, "composed", formula=formula, sequences=sequences, samples=samples, note=note
        ),
    )


def constant(*functions: Any, note: str = "") -> None:
    """Declare functions whose derivative is zero wherever it exists."""
    _register(tuple(functions), lambda group: Rule(group, "constant", note=note))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a function is not differentiated, and what to write instead."""

    reason: str
    instead: str


refusals: dict[Any, Refusal] = {}
"""Functions that are refused with a reason of their own, where they meet a derivative."""


def refuse(*functions: Any, reason: str, instead: str) -> None:
    """Say why functions are not differentiated."""
    refusals.update(dict.fromkeys(functions, Refusal(reason, instead)))


def refusal_of(function: Any) -> Refusal | None:
    try:
        return refusals.get(function)
    except TypeError:  # an unhashable callable
        return None


on_demand: dict[str, str] = {
    "numpy.fft": "tangent_like.rules.fft",
    "numpy.random": "tangent_like.rules.draws",
    "numpy.polynomial": "tangent_like.rules.polynomials",
    "scipy.special": "tangent_like.rules.scipy_special",
    "scipy.linalg": "tangent_like.rules.scipy_linalg",
    "scipy.stats": "tangent_like.frontend.scipy_stats",
    "scipy.signal": "tangent_like.rules.scipy_signal",
    "scipy.optimize": "tangent_like.implicit.scipy_optimize",
    "scipy.integrate": "tangent_like.implicit.scipy_integrate",
}
"""Modules that users may have imported, and where their rules are: read only if they have."""


def find(function: Any) -> Rule | None:
    """The rule of a callable, None where there is none."""
    try:
        found = rules.get(function)
    except TypeError:  # an unhashable callable has no rule
        return None
    if found is None and load_rules_of_imported_modules():
        return find(function)
    return found


def load_rules_of_imported_modules() -> bool:
    """Read the rules of modules imported since the last time; whether there were any."""
    wanted = [name for name in on_demand if name in sys.modules]
    for name in wanted:
        importlib.import_module(on_demand.pop(name))
    return bool(wanted)


def is_own(function: Any) -> bool:
    """Whether others than this package registered the rule of a function that has one."""
    return function in own


def named(module: Any, *names: str) -> tuple[Any, ...]:
    """The functions of a module that this version of it has, each once."""
    found = (getattr(module, name, None) for name in names)
    return tuple(dict.fromkeys(function for function in found if function is not None))
