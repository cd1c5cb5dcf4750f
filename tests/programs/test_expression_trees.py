"""An interpreter of formulas: trees of dataclasses, taken apart by `match`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import tangent_like as tl
from tests.derivatives import assert_derivatives


@dataclass(frozen=True)
class Num:
    value: float


@dataclass(frozen=True)
class Var:
    name: str


@dataclass(frozen=True)
class Bin:
    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Call:
    name: str
    args: tuple


@dataclass(frozen=True)
class Let:
    name: str
    value: Expr
    body: Expr


Expr = Num | Var | Bin | Call | Let

FUNCTIONS = {"sin": math.sin, "exp": math.exp, "hypot": math.hypot, "max": max}


def evaluate(e, env):
    match e:
        case Num(value):
            return value
        case Var(name) if name in env:
            return env[name]
        case Bin("+", left, right):
            return evaluate(left, env) + evaluate(right, env)
        case Bin("-", left, right):
            return evaluate(left, env) - evaluate(right, env)
        case Bin("*", left, right):
            return evaluate(left, env) * evaluate(right, env)
        case Bin("/", left, Num(0.0)):
            raise ZeroDivisionError(f"{left} / 0")
        case Bin("/", left, right):
            return evaluate(left, env) / evaluate(right, env)
        case Bin("**", base, Num(2.0)):
            b = evaluate(base, env)
            return b * b
        case Call(name="if", args=(test, then, orelse)):
            return evaluate(then, env) if evaluate(test, env) > 0.0 else evaluate(orelse, env)
        case Call(name, args) if name in FUNCTIONS:
            return FUNCTIONS[name](*[evaluate(a, env) for a in args])
        case Let(name, value, body):
            return evaluate(body, {**env, name: evaluate(value, env)})
        case Var(name):
            raise NameError(name)
        case _:
            raise TypeError(f"no expression: {e!r}")


def simplify(e):
    match e:
        case Bin("*", Num(0.0), _) | Bin("*", _, Num(0.0)):
            return Num(0.0)
        case Bin("*", Num(1.0), other) | Bin("*", other, Num(1.0)):
            return simplify(other)
        case Bin("+", Num(0.0), other) | Bin("+", other, Num(0.0)):
            return simplify(other)
        case Bin(op, left, right):
            return Bin(op, simplify(left), simplify(right))
        case Call(args=args):
            return replace(e, args=tuple(simplify(a) for a in args))
        case _:
            return e


def parse(tokens):
    """Reverse Polish notation."""
    stack = []
    for token in tokens:
        match token:
            case "+" | "-" | "*" | "/" | "**" as op:
                right, left = stack.pop(), stack.pop()
                stack.append(Bin(op, left, right))
            case "sin" | "exp" as name:
                stack.append(Call(name, (stack.pop(),)))
            case float(value) | int(value):
                stack.append(Num(float(value)))
            case str(name):
                stack.append(Var(name))
    (result,) = stack
    return result


FORMULA = Let(
    "r",
    Call("hypot", (Var("x"), Var("y"))),
    Bin("+", Bin("*", Call("sin", (Var("r"),)), Bin("*", Num(1.0), Var("y"))),
        Call("if", (Bin("-", Var("x"), Var("y")), Var("x"), Bin("**", Var("y"), Num(2.0))))),
)  # fmt: skip


def test_evaluation():
    for x, y in ((0.7, 1.3), (1.3, 0.7)):
        assert_derivatives(lambda x, y: evaluate(FORMULA, {"x": x, "y": y}), x, y)


def test_a_tree_built_of_the_arguments():
    def f(x, y):
        tree = Bin("*", Num(x), Bin("+", Num(1.0), Call("exp", (Num(y),))))
        return evaluate(Let("z", tree, Bin("/", Var("z"), Var("w"))), {"w": x + 2.0})

    assert_derivatives(f, 0.7, 0.3)


def test_simplified():
    def f(x, y):
        tree = Bin("+", Bin("*", Num(1.0), Var("x")), Bin("*", Num(0.0), Var("y")))
        tree = Bin("*", simplify(tree), Call("sin", (Bin("*", Var("y"), Num(1.0)),)))
        return evaluate(simplify(tree), {"x": x, "y": y})

    assert_derivatives(f, 0.7, 1.3)


def test_parsed():
    def f(x, y):
        tree = parse(["x", "y", "*", "sin", "x", 2, "**", "+"])
        return evaluate(Bin("*", tree, Var("x")), dict(x=x, y=y))

    assert_derivatives(f, 0.7, 1.3)


def test_the_gradient_of_a_tree_is_a_tree():
    tree = Bin("+", Bin("*", Num(2.0), Var("x")), Num(0.5))
    gradient = tl.grad(lambda e, x: evaluate(e, {"x": x}), wrt=(0, 1))
    assert gradient(tree, 0.7) == (Bin("+", Bin("*", Num(0.7), Var("x")), Num(1.0)), 2.0)
