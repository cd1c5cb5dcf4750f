"""Strings that are known only at run time: their methods, and what is done with the results."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, define

X = 0.7


@pytest.mark.parametrize(("expression", "text"), [
    ("x * x if n.lower() == 'sq' else x", "SQ"),
    ("x * (2.0 if n.startswith('s') else 3.0)", "sq"),
    ("x ** n.count('a') + x * n.find('b') + n.rindex('a') * x", "abba"),
    ("x * len(n.strip().replace('a', ''))", " aba "),
    ("x * float(n.zfill(3)) + x ** int(n[1:])", "12"),
    ("x * len(n.partition(':')[2]) + x * float(n.rpartition(':')[0])", "2.5:z"),
    ("x ** len('_'.join([n, 'k', n.upper()]))", "s"),
    ("x ** len(n.join(sorted(p + n for p in ['b', 'a'])))", ", "),
    ("x * float(n.removeprefix('w=').removesuffix(';'))", "w=1.5;"),
    ("x * len(n.split(sep=',', maxsplit=1))", "1,2,3"),
    ("x * len('{0} {0} {1}'.format(n, 3))", "z"),
    ("x * len('{a}-{b:>{w}}'.format(a=n, b=3, w=12))", "z"),
    ("x * len(n.format(3.0))", "{:.3f}"),
    ("x * len(str(n).center(9)) + x * len(repr(n).title()) + x * len(chr(97).ljust(5))", "z"),
    ("sum(x ** ord(c) if c.isdigit() else x for c in n)", "a1"),
    ("x * {'s': 2.0}.get(str.lower(n), 1.0)", "S"),
    ("getattr(math, n.lower())(x)", "SIN"),
])  # fmt: skip
def test_methods_of_strings(expression, text):
    f = define(f"def f(x, n):\n    return {expression}", "f", math=math)
    assert_derivatives(f, X, text, wrt=(0,))


def of_lines(x, text):
    out = {}
    for line in text.splitlines():
        name, value = map(str.strip, line.split(":"))
        if not name.startswith("#"):
            out[name] = out.get(name, 0.0) + float(value) * x
    return sum(v * v for v in out.values())


def test_a_text_of_lines():
    assert_derivatives(of_lines, X, "w: 2\nb : 3\n# x: 1\nw: 0.5", wrt=(0,))


def in_brackets(x, text):
    tokens = text.replace("(", " ( ").replace(")", " ) ").split()

    def parse(i):
        if tokens[i] != "(":
            return (x if tokens[i] == "x" else float(tokens[i])), i + 1
        sign = tokens[i + 1]
        a, i = parse(i + 2)
        b, i = parse(i)
        return (a + b if sign == "+" else a * b), i + 1

    return parse(0)[0]


def test_a_parser_of_formulas():
    assert_derivatives(in_brackets, X, "(+ x (* x (* 3 x)))", wrt=(0,))
    assert tl.grad(in_brackets)(X, "(* 2 (* x x))") == pytest.approx(4.0 * X)


def on_a_stack(u, text):
    stack = []
    for token in text.split():
        if token == "u":
            stack.append(u)
        elif token in "+*":
            b, a = stack.pop(), stack.pop()
            stack.append(a + b if token == "+" else a * b)
        else:
            stack.append(u * float(token))
    return np.sum(stack[-1])


def test_a_stack_machine():
    assert_derivatives(on_a_stack, np.array([0.3, -1.2]), "u 2 * u + 0.5 *", wrt=(0,))


def with_changed_parts(x, text):
    parts = text.split(",")
    also = parts
    parts.append("3")
    parts[0] = parts[0].strip()
    del parts[1]
    total = 0.0
    for part in also:
        total += x ** float(part)
    return total + len(also) * x


def test_a_list_of_parts_that_changes():
    assert_derivatives(with_changed_parts, X, " 1, 2,4", wrt=(0,))


def or_two(x, text):
    try:
        value = float(text)
    except ValueError:
        value = 2.0
    return value * x


@pytest.mark.parametrize("text", ["3.5", "none"])
def test_a_text_that_may_be_a_number(text):
    assert_derivatives(or_two, X, text, wrt=(0,))


def test_the_users_error_arrives():
    with pytest.raises(ValueError, match="could not convert string to float"):
        tl.grad(of_lines)(X, "w: two")


def test_other_methods_are_refused():
    f = define("def f(x, n):\n    return x * len(n.encode())", "f")
    with pytest.raises(NotYetSupported, match="the string method `encode`"):
        tl.grad(f)(X, "z")
