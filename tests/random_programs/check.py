"""One random program, judged: its derivatives against the reference and one another."""

import builtins
import collections
import contextlib
import copy
import dataclasses
import functools
import itertools
import math
import re
import typing

import numpy as np

from tangent_like.errors import NeverSupported, NotYetSupported
from tests.derivatives import (
    UnreliableReference,
    assert_smooth,
    check_second_slopes,
    check_slopes,
    define,
    leaves,
)
from tests.random_programs.drawing import Program
from tests.random_programs.limits import TooLong, limited
from tests.random_programs.objects import check_objects
from tests.random_programs.reference import exact_jacobian

LARGEST = 1e3
LONGEST = 3.0
"""Seconds that a program may run, which is milliseconds for most."""

MODULES = {
    "builtins": builtins, "collections": collections, "contextlib": contextlib, "copy": copy,
    "dataclasses": dataclasses, "functools": functools, "itertools": itertools, "math": math,
    "typing": typing,
}  # fmt: skip


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
        assert_tame(f, program.args)
        try:
            _judge(f, program, second_order, turn)
        except UnreliableReference as reason:
            raise Discarded(str(reason)) from reason
        except (NotYetSupported, NeverSupported) as reason:
            if not reason.place.file.startswith("<defined by a test"):
                raise
            raise Refused(re.sub(r"`.*?`|\d+", "_", reason.message)) from reason


def _judge(f, program: Program, second_order: bool, turn: int) -> None:
    exact = exact_jacobian(program, program.args) if program.may_be_refused else None
    try:
        check_slopes(
            f, *program.args, wrt=program.wrt, exact=exact, turn=turn,
            elsewhere=elsewhere(f, program),
        )  # fmt: skip
    except AssertionError:
        for args in (program.args, program.elsewhere if exact is not None else ()):
            if args:  # between equal numbers either may be chosen
                assert_smooth(f, args, program.wrt)
        raise
    check_objects(f, program.args)
    if second_order:
        check_second_slopes(f, program.args, program.wrt, turn)


def elsewhere(f, program: Program) -> list[tuple[tuple, np.ndarray]]:
    """The program's other point with the Jacobian there, if something can be said there."""
    if not program.elsewhere:
        return []
    try:
        assert_tame(f, program.elsewhere)
    except (Broken, Discarded):
        return []
    exact = exact_jacobian(program, program.elsewhere)
    return [] if exact is None else [(program.elsewhere, exact)]


def assert_tame(f, args: tuple) -> None:
    """Discard a program that fails by itself, or whose results are huge or not finite, or numbers
    on the way to them: zero times infinity would be a cotangent of what does not count."""
    try:
        with limited(LONGEST), np.errstate(over="raise"):
            result = f(*copy.deepcopy(args))
    except TooLong as reason:  # a list that grows while a loop goes through it
        raise Discarded("the program itself does not end") from reason
    except (ArithmeticError, ValueError, IndexError) as reason:  # lengths depend on numbers
        raise Discarded(f"the program itself raises {reason!r}") from reason
    except Exception as reason:
        raise Broken(f"the program itself raises {reason!r}") from reason
    if not all(np.all(np.abs(leaf) < LARGEST) for leaf in leaves(result)):
        raise Discarded(f"its result is {result}")
