"""One random program, judged: its derivatives against the reference and one another."""

import builtins
import contextlib
import copy
import functools
import math
import re

import numpy as np

from tangent_like.errors import NeverSupported, NotYetSupported
from tests.derivatives import (
    UnreliableReference,
    check_second_slopes,
    check_slopes,
    define,
    leaves,
)
from tests.random_programs.grammar import Program

LARGEST = 1e3
MODULES = {"builtins": builtins, "contextlib": contextlib, "functools": functools, "math": math}
NOT_ANALYTIC = re.compile(r"[<>]|sort|maximum|np\.(zeros|ones|array|full)\(|abs|clip")
"""What complex numbers change the meaning of, or cannot be stored in."""


class Discarded(Exception):
    """The program says nothing about derivatives: it has a kink or a pole where it is tried."""


class Broken(Exception):
    """The program itself is wrong: a fault of the grammar, or a step of shrinking too far."""


class Refused(Exception):
    """The compiler refuses the program, and says where and why."""


def check(program: Program, second_order: bool = False, turn: int = 0) -> None:
    """Raise what is wrong with the program's derivatives, or Discarded when nothing can be said,
    or Refused where the compiler says that it cannot tell what shares memory.

    `turn` goes round the forms of the derivative that are compared (`check_slopes`).
    """
    try:
        f = define(program.source, "f", numpy=np, **MODULES)
    except Exception as reason:
        raise Broken(f"the program cannot be defined: {reason!r}") from reason
    with np.errstate(all="ignore"):
        assert_tame(f, program)
        try:
            _judge(f, program, second_order, turn)
        except UnreliableReference as reason:
            raise Discarded(str(reason)) from reason
        except (NotYetSupported, NeverSupported) as reason:
            if not program.may_be_refused or not reason.place.line:
                raise
            raise Refused(re.sub(r"`.*?`|\d+", "_", reason.message)) from reason


def _judge(f, program: Program, second_order: bool, turn: int) -> None:
    analytic = NOT_ANALYTIC.search(program.source) is None and program.may_be_refused
    check_slopes(f, *program.args, wrt=program.wrt, complex_ok=analytic, turn=turn)
    if second_order:
        check_second_slopes(f, program.args, program.wrt, turn)


def assert_tame(f, program: Program) -> None:
    """Discard a program that fails by itself, or whose results are huge or not finite."""
    try:
        result = f(*copy.deepcopy(program.args))
    except (ArithmeticError, ValueError) as reason:
        raise Discarded(f"the program itself raises {reason!r}") from reason
    except Exception as reason:
        raise Broken(f"the program itself raises {reason!r}") from reason
    if not all(np.all(np.abs(leaf) < LARGEST) for leaf in leaves(result)):
        raise Discarded(f"its result is {result}")
