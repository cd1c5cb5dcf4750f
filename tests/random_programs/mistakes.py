"""Programs with a mistake: valid ones, changed in one to three places.

What a person types wrong: a statement left out, twice, or before another one; another operator,
name, index, argument or constant.  Where Python raises an exception, so may the derivative; else
the derivative is right, or it is refused by an error that has a place.
"""

import ast
import builtins
import copy
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

import tangent_like as tl
from tangent_like.errors import InternalError, TangentLikeError
from tests.derivatives import (
    UnreliableReference,
    check_slopes,
    define,
    floats,
    numbers,
    restrict,
)
from tests.random_programs.check import MODULES, Discarded, Refused, assert_tame
from tests.random_programs.drawing import Program

SECONDS = 5

OPERATORS: list[type[ast.operator]] = [
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.FloorDiv, ast.Mod, ast.MatMult,
]  # fmt: skip
COMPARISONS: list[type[ast.cmpop]] = [ast.Lt, ast.GtE, ast.Eq, ast.NotEq, ast.In, ast.Is]
CONSTANTS = [0, 1, -1, 7, 0.5, "text", None, (), True, ...]

ATTRIBUTES = ["sum", "mean", "dot", "shape", "T", "sin", "where", "max", "pi", "missing"]

Edit = Callable[[Random], object]


def mutated(program: Program, random: Random) -> Program:
    """The program with one to three mistakes in it, and still Python's syntax."""
    for _ in range(20):
        tree = ast.parse(program.source)
        for _ in range(random.randrange(1, 4)):
            random.choice(edits(tree))(random)
        try:
            source = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
            compile(source, "mutated", "exec")
        except (SyntaxError, ValueError):
            continue
        if not _writes_outside(source):
            return replace(program, source=source)
    return program


def _writes_outside(source: str) -> bool:
    """Whether a program would change modules that others use too."""
    nodes = ast.walk(ast.parse(source))
    return any(isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load) for n in nodes)


def edits(tree: ast.Module) -> list[Edit]:
    """Every single mistake that can be made in the functions of a module."""
    names = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})
    found: list[Edit] = []
    for node in ast.walk(tree):
        if node is not tree:
            found += [_block_edit(b) for b in _blocks(node)]
        found += _expression_edits(node, names)
    return found


def _blocks(node: ast.AST) -> list[list[ast.stmt]]:
    blocks = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    return [b for b in blocks if isinstance(b, list) and b]


def _block_edit(block: list[ast.stmt]) -> Edit:
    """Leave a statement out, say it twice, or swap it with the next one."""

    def edit(random: Random) -> None:
        k = random.randrange(len(block))
        change = random.randrange(3)
        if change == 0 and len(block) > 1:
            del block[k]
        elif change == 1:
            block.insert(k, copy.deepcopy(block[k]))
        elif k + 1 < len(block):
            block[k], block[k + 1] = block[k + 1], block[k]

    return edit


def _expression_edits(node: ast.AST, names: list[str]) -> list[Edit]:
    match node:
        case ast.BinOp() | ast.AugAssign():
            return [lambda r: setattr(node, "op", r.choice(OPERATORS)())]
        case ast.Compare():
            return [lambda r: node.ops.__setitem__(0, r.choice(COMPARISONS)())]
        case ast.Name() if not hasattr(builtins, node.id):
            return [lambda r: setattr(node, "id", r.choice(names))]
        case ast.Constant():
            return [lambda r: setattr(node, "value", r.choice(CONSTANTS))]
        case ast.Call():
            return [lambda r: _change_arguments(node, r)]
        case ast.Attribute(ctx=ast.Load()):
            return [lambda r: setattr(node, "attr", r.choice(ATTRIBUTES))]
        case ast.Tuple() | ast.List() if node.elts:
            return [lambda r: node.elts.pop(r.randrange(len(node.elts) or 1)) if node.elts else 0]
    return []


def _change_arguments(call: ast.Call, random: Random) -> None:
    """One argument more or less, or by another keyword."""
    change = random.randrange(4)
    if change == 0 and call.args:
        call.args.pop()
    elif change == 1:
        call.args.append(ast.Constant(random.choice(CONSTANTS)))
    elif change == 2:
        call.keywords.append(ast.keyword("extra", ast.Constant(0.5)))
    elif call.keywords:
        random.choice(call.keywords).arg = "wrong"
    elif call.args:
        call.args[0] = copy.deepcopy(call.func)


# ---------------------------------------------------------------- what comes of them


class Endless(BaseException):
    """The program does not end."""


def check_mistaken(program: Program, turn: int = 0) -> None:
    """Raise what is wrong; Discarded where the program itself raises, and the derivative at most
    does so too; Refused where one of our errors says why there is no derivative."""
    try:
        f = define(program.source, "f", numpy=np, **MODULES)
    except Exception as reason:
        raise Discarded(f"the program cannot be defined: {reason!r}") from reason
    with np.errstate(all="ignore"):
        own = _own_error(f, program)
        try:
            if own is None:
                if f(*copy.deepcopy(program.args)) is None:
                    raise Discarded("the program returns nothing")
                assert_tame(f, program.args)
                _assert_finite_inside(f, program)
                check_slopes(f, *program.args, wrt=program.wrt, turn=turn)
            else:
                _differentiate(f, program, turn)
        except UnreliableReference as reason:
            raise Discarded(str(reason)) from reason
        except TangentLikeError as error:
            if isinstance(error, InternalError) or not error.place.line:
                raise
            raise Refused(re.sub(r"`.*?`|\d+", "_", error.message)) from error
        except Exception as error:
            if own is None or not (isinstance(error, type(own)) or _from_generated_code(error)):
                raise
    if own is not None:
        raise Discarded(f"the program itself raises {type(own).__name__}")


def _own_error(f: Callable[..., Any], program: Program) -> Exception | None:
    """What the program raises by itself."""
    try:
        with _time_limit():
            f(*copy.deepcopy(program.args))
    except Endless as reason:
        raise Discarded("the program does not end") from reason
    except Exception as error:
        return error
    return None


def _assert_finite_inside(f: Callable[..., Any], program: Program) -> None:
    """Infinities and NaNs inside say nothing, though they may leave the result alone; nor does a
    result without numbers."""
    try:
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            result = f(*copy.deepcopy(program.args))
    except FloatingPointError as reason:
        raise Discarded(str(reason)) from reason
    if not len(numbers(floats(result))):
        raise Discarded("the result holds no numbers")


def _differentiate(f: Callable[..., Any], program: Program, turn: int) -> None:
    chosen = tuple(program.args[i] for i in program.wrt)
    if turn % 2:
        tl.jvp(restrict(f, program.args, program.wrt), chosen, chosen)
    else:
        tl.vjp(f, *program.args)


def _from_generated_code(error: Exception) -> bool:
    """Whether the derivative was compiled, and an operation of the program raises in it."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename.startswith("<tangent_like") for frame in frames)


@contextmanager
def _time_limit() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise Endless

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
