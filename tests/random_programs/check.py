"""One random program, judged: its derivatives against the reference and one another."""

import builtins
import contextlib
import functools
import math

import numpy as np

from tests.derivatives import UnreliableReference, assert_derivatives, define, leaves
from tests.random_programs.grammar import Program

LARGEST = 1e3
MODULES = {"builtins": builtins, "contextlib": contextlib, "functools": functools, "math": math}


class Discarded(Exception):
    """The program says nothing about derivatives: it has a kink or a pole where it is tried."""


class Broken(Exception):
    """The program itself is wrong: a fault of the grammar, or a step of shrinking too far."""


def check(program: Program, second_order: bool = False) -> None:
    """Raise what is wrong with the program's derivatives, or Discarded when nothing can be said."""
    try:
        f = define(program.source, "f", numpy=np, **MODULES)
    except Exception as reason:
        raise Broken(f"the program cannot be defined: {reason!r}") from reason
    with np.errstate(all="ignore"):
        assert_tame(f, program)
        try:
            assert_derivatives(f, *program.args, wrt=program.wrt, order=2 if second_order else 1)
        except UnreliableReference as reason:
            raise Discarded(str(reason)) from reason


def assert_tame(f, program: Program) -> None:
    """Discard a program that fails by itself, or whose results are huge or not finite."""
    try:
        result = f(*program.args)
    except (ArithmeticError, ValueError) as reason:
        raise Discarded(f"the program itself raises {reason!r}") from reason
    except Exception as reason:
        raise Broken(f"the program itself raises {reason!r}") from reason
    if not all(np.all(np.abs(leaf) < LARGEST) for leaf in leaves(result)):
        raise Discarded(f"its result is {result}")
