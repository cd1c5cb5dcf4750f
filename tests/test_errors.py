"""Errors say where, quote the line, and name the way out."""

import copy
import linecache
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import (
    ArgumentError,
    InternalError,
    NeverSupported,
    NoRuleError,
    NotYetSupported,
    Place,
    SourceError,
    TangentLikeError,
    quote,
)

VECTOR = np.array([0.3, -1.2])
KINDS = [
    TangentLikeError,
    NotYetSupported,
    NeverSupported,
    SourceError,
    NoRuleError,
    ArgumentError,
    InternalError,
]


def place_of(part: str, line: str, tmp_path: Path, function: str = "f") -> Place:
    """A file with one line in it, and the place of a part of that line."""
    file = tmp_path / "user.py"
    file.write_text(line + "\n", encoding="utf-8")
    linecache.checkcache(str(file))
    start = len(line[: line.index(part)].encode())
    return Place(str(file), 1, start, 1, start + len(part.encode()), function)


def test_the_whole_message(tmp_path: Path) -> None:
    place = place_of("sum(x)", "    return sum(x) + 1", tmp_path)
    error = NotYetSupported("`sum`", place, "write instead: x.sum()")
    assert str(error) == (
        f"{place.file}:1: in function f: not supported yet: `sum`\n"
        "    return sum(x) + 1\n"
        "           ^^^^^^\n"
        "write instead: x.sum()"
    )


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("naïve = größe + π", "größe"),
        ("    y = 'ß∂' + z", "z"),
        ("x", "x"),
        ("\t\ty = x", "x"),
    ],
)
def test_carets_stand_under_the_part(line: str, part: str, tmp_path: Path) -> None:
    shown, carets = quote(place_of(part, line, tmp_path)).split("\n")
    assert shown.strip() == line.strip()
    assert shown[carets.index("^") : carets.rindex("^") + 1] == part


def test_a_tab_inside_the_line_is_kept_before_the_carets(tmp_path: Path) -> None:
    assert quote(place_of("x", "y =\tx", tmp_path)) == "    y =\tx\n       \t^"


def test_a_place_of_several_lines_is_underlined_to_the_end_of_the_first(tmp_path: Path) -> None:
    start = place_of("sum(", "y = sum(", tmp_path)
    place = Place(start.file, 1, start.column, 3, 1)
    assert quote(place) == "    y = sum(\n        ^^^^"


def test_unknown_columns_give_the_line_alone(tmp_path: Path) -> None:
    place = place_of("x", "y = x", tmp_path)
    assert quote(Place(place.file, 1)) == "    y = x"


def test_columns_beyond_the_line_do_no_harm(tmp_path: Path) -> None:
    place = place_of("x", "y = x", tmp_path)
    assert quote(Place(place.file, 1, 40, 1, 50)) == "    y = x"


def test_a_file_that_is_not_there_gives_no_quotation() -> None:
    assert str(SourceError("gone", Place("/no/such/file.py", 3))) == "/no/such/file.py:3: gone"


def test_without_a_place_only_the_message() -> None:
    assert str(SourceError("no source", Place("", 0))) == "no source"


_CALLS: list[Callable[[], Any]] = [
    lambda: tl.grad(3.0),  # type: ignore[arg-type]
    lambda: tl.vjp("sin", 0.3),  # type: ignore[arg-type]
    lambda: tl.jvp(np.multiply, (VECTOR, 2.0), (np.ones(3), 1.0)),
    lambda: tl.jvp(np.multiply, (VECTOR, 2.0), ((1.0, 2.0), 1.0)),
    lambda: tl.jvp(np.multiply, (VECTOR, 2.0), (1.0,)),
    lambda: tl.vjp(np.sin, VECTOR)[1](np.ones(3)),
    lambda: tl.vjp(np.sin, VECTOR)[1]((1.0,)),
    lambda: tl.source(math.sin, mode="back"),
    lambda: tl.check_grads(np.sin, (VECTOR,), order=0),
    lambda: tl.grad(np.sin, backend="c"),
    lambda: tl.benchmark(len, "a"),
    lambda: tl.check_rule(np.sin, []),
]
"""Calls of this package in which no function of the user's is to blame."""


@pytest.mark.parametrize("call", _CALLS)
def test_what_is_wrong_with_a_call_has_its_place(call: Callable[[], Any]) -> None:
    with pytest.raises(TangentLikeError) as caught:
        call()
    place = caught.value.place
    assert (place.file, place.line) == (__file__, call.__code__.co_firstlineno)
    assert pickle.loads(pickle.dumps(caught.value)).place == place


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_survives_pickle_and_copy(kind: type[TangentLikeError]) -> None:
    error = kind("message", Place("user.py", 3, 1, 3, 4, "f"), "hint")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert (again.message, again.place, again.hint) == ("message", error.place, "hint")
        assert str(again) == str(error)


def test_kinds_tell_not_yet_from_never() -> None:
    assert str(NotYetSupported("`async`")).split("\n")[0].endswith(": not supported yet: `async`")
    assert ": cannot be differentiated: `random`" in str(NeverSupported("`random`"))


def test_usual_hints_yield_to_a_given_one() -> None:
    assert "custom_vjp" in str(NoRuleError("no rule for `f`"))
    assert "elementwise" in str(NoRuleError("no rule for `f`"))
    place = Place("", 0)
    assert str(NoRuleError("no rule for `f`", place, "use g")) == "no rule for `f`\nuse g"
    assert "report" in str(InternalError("broken"))


def test_a_wrong_argument_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        raise ArgumentError("`wrt` names no argument")


def unchanged(f):
    return f


@unchanged
@unchanged
def decorated(x):
    return x.sum()


def test_the_place_of_a_decorated_function_is_its_def():
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(decorated)(np.arange(3))
    assert "    def decorated(x):\n" in str(caught.value)
