"""Random programs in the language of this version: every derivative right, to second order."""

from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.random_programs.__main__ import numbered, outcome
from tests.random_programs.check import Discarded, Refused, check
from tests.random_programs.drawing import Program
from tests.random_programs.grammar import program
from tests.random_programs.mistakes import check_mistaken, mutated
from tests.random_programs.shrink import shrink

PIECES = [
    "for ", "while ", "if ", "elif ", "else:", "break", "continue", "return ", "lambda", "+=", "*=",
    "/=", " and ", " or ", "not ", "np.where", "@", "helper1(", "r1(", "numpy.", "np = ", "[::-1]",
    " = bx", "def h", " if ", "in (0, 2)", "abs(", "[[0, 0, 2]]", "lambda u, w", "nonlocal ",
    "*rest", "**more", "/, ", "*, ", "functools.partial(", "functools.reduce(", "yield ", ":=",
    "@traced", "make1(", "r2(", "(n):", ".append(", ".pop(", ".insert(", ".extend(", "del ",
    ".items()", "Point(", "Box(", "State(", "._replace(", "match ", "raise ", "finally:",
    "SCALE", "CONFIG[", "defaultdict", ".setdefault(", "itertools.",
]  # fmt: skip


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False), turn=st.integers(0, 11))
def test_derivatives_of_random_programs(random, turn):
    one = program(random)
    try:
        check(one, turn % 4 == 0, turn)
    except (Discarded, Refused):
        assume(False)
    except Exception as error:
        raise AssertionError(f"{error}\nin f{one.args!r} of\n{one.source}") from error


def test_programs_that_say_nothing_are_rare():
    """The generator must not be right by saying nothing, nor the compiler by refusing."""
    results = Counter(outcome(numbered(7, i), second_order=False).split(":")[0] for i in range(60))
    assert results.keys() <= {"ok", "discarded", "refused"}
    assert results["discarded"] <= 6
    assert results["refused"] <= 9


def test_programs_that_write_into_arrays():
    results = Counter(
        outcome(numbered(12, i, arrays=True), second_order=i % 10 == 0).split(":")[0]
        for i in range(30)
    )
    assert results.keys() <= {"ok", "discarded", "refused"}
    assert results["refused"] <= 4


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False), turn=st.integers(0, 3))
def test_programs_with_mistakes(random, turn):
    """The derivative is right, or what Python raises is raised, or an error of ours says where."""
    one = mutated(program(random), random)
    try:
        check_mistaken(one, turn)
    except (Discarded, Refused):
        return
    except Exception as error:
        raise AssertionError(f"{error!r}\nin f{one.args!r} of\n{one.source}") from error


def test_a_program_is_a_function_of_its_seed():
    first, second = (program(Random("3:14")) for _ in range(2))
    assert first.source == second.source
    assert repr(first.args) == repr(second.args)
    assert program(Random("3:15")).source != first.source


def test_programs_cover_the_language():
    text = "\n".join(program(Random(f"1:{i}")).source for i in range(300))
    for piece in PIECES:
        assert piece in text, piece


def test_a_failing_program_is_made_small():
    source = (
        "def f(x):\n    a = x * x\n    for i in range(3):\n        if a > 0.5:\n"
        "            a = a * np.floor(x) + np.sin(a)\n        b = a\n    return b + a\n"
    )

    def mentions_floor(one: Program) -> bool:
        try:
            compile(one.source, "f", "exec")
        except SyntaxError:
            return False
        return "np.floor(x)" in one.source

    small = shrink(Program(source, (0.3,)), mentions_floor)
    assert len(small.source.splitlines()) <= 3
    assert "np.floor(x)" in small.source


@pytest.mark.parametrize("i", range(3))
def test_what_is_wrong_is_found(i, monkeypatch):
    """A derivative that is off by one part in a million does not pass."""
    import tangent_like as tl

    right = tl.value_and_grad

    def wrong(f, wrt=0):
        def value_and_grad(*args):
            value, gradient = right(f, wrt=wrt)(*args)
            return value, tuple(g * (1.0 + 1e-5) for g in gradient)

        return value_and_grad

    monkeypatch.setattr(tl, "value_and_grad", wrong)
    one = Program("def f(x, y):\n    return x * y + np.sin(x)\n", (0.7 + i, 0.4))
    with pytest.raises(AssertionError, match="gradient"):
        check(one)
