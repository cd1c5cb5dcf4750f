"""The command `tangent-like`."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tangent_like import cli

ROOT = Path(__file__).parents[1]
SURVEY = str(ROOT / "examples" / "survey.py")

MODULE = '''
import math
import numpy as np

def f(x: float, y: float):
    return math.sin(x) * y

def untyped(x, y):
    return x * y

def total(x, w=2.0):
    return np.sum(x * x) * w

def count(x, n: int):
    return x ** n

def refused(x):
    total = x
    yield total

def kinked(x):
    return abs(x) * 3.0

number = 3.0
'''


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "functions_for_the_command.py"
    path.write_text(MODULE)
    return str(path)


@pytest.fixture
def run(capsys):
    def call(*argv):
        status = cli.main(argv)
        out, err = capsys.readouterr()
        return status, out, err

    return call


def fails(run, status, *argv):
    """The message of a command that must fail with this status."""
    found, out, err = run(*argv)
    assert (found, out) == (status, "")
    assert "Traceback" not in err
    return err


# ---------------------------------------------------------------- as a process


def test_as_a_module():
    command = [sys.executable, "-m", "tangent_like", "source", f"{SURVEY}:f", "--wrt", "x1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "def f_grad(x1, x2" in done.stdout
    assert "\033" not in done.stdout


def test_reader_that_stops_early():
    command = f"{sys.executable} -m tangent_like wengert {SURVEY}:f | true"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stderr == ""


# ---------------------------------------------------------------- source and wengert


def test_source_in_both_modes(run, file):
    status, out, _ = run("source", f"{file}:f")
    assert status == 0
    assert "def f_grad(x, y" in out
    status, out, _ = run("source", f"{file}:f", "--mode", "tangent", "--wrt", "y")
    assert status == 0
    assert "def f_jvp(x, y, dy" in out
    status, out, _ = run("source", f"{file}:f", "--wrt", "1,x")
    names = {}
    exec(out, names)
    assert names["f_grad"](2.0, 5.0) == (math.sin(2.0), 5.0 * math.cos(2.0))


def test_types(run, file):
    status, typed, _ = run("source", f"{file}:untyped", "--types", "x=float, y=float")
    assert status == 0
    assert "unbroadcast" not in typed
    status, _, _ = run("wengert", f"{file}:total", "--types", "x=vector")
    assert status == 0


def test_wengert_list(run, file):
    status, out, _ = run("wengert", f"{file}:f")
    assert status == 0
    assert out.splitlines()[0] == "f(x: float, y: float)"
    assert "math.sin(x)" in out


def test_colour_on_a_terminal_only(run, file, monkeypatch):
    assert "\033" not in run("source", f"{file}:f")[1]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    coloured = run("source", f"{file}:f")[1]
    assert "\033[34mdef\033[0m" in coloured
    assert "\033[34mreturn\033[0m" in coloured


# ---------------------------------------------------------------- check and bench


def test_check(run, file):
    status, out, _ = run("check", f"{file}:f", "--at", "x=2", "y=5")
    assert status == 0
    assert "right to order 2" in out
    assert run("check", f"{file}:total", "--at", "x=[1, 2, 3]")[0] == 0
    assert run("check", f"{file}:count", "--at", "x=2", "n=3", "--order", "3")[0] == 0


def test_check_that_fails(run, file):
    status, out, _ = run("check", f"{file}:kinked", "--at", "x=1e-9")
    assert status == 1
    assert "argument `x`" in out


def test_bench(run, file, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    status, out, _ = run("bench", f"{file}:total", "--at", "x=[1,2,3]", "--wrt", "x",
                         "--plot", str(picture))  # fmt: skip
    assert status == 0
    assert "central differences" in out
    assert picture.stat().st_size > 10_000


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("-2.5", -2.5), ("(1.0, 2.0)", (1.0, 2.0)), ("'text'", "text"), ("None", None),
     ("True", True), ("2+1j", 2 + 1j), (" 3 ", 3)],
)  # fmt: skip
def test_plain_values(text, value):
    assert cli.parse_value(f"x={text}") == ("x", value)


@pytest.mark.parametrize("text", ["[1, 2]", "[[1, 2], [3, 4]]", "[1j, 2]", "[]"])
def test_lists_become_arrays(text):
    _, found = cli.parse_value(f"x={text}")
    assert isinstance(found, np.ndarray)
    assert found.dtype.kind in "fc"
    assert found.tolist() == eval(text)


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("no_such_file.py:f", "there is no file no_such_file.py"),
        ("survey", "write FILE.py:FUNC"),
        (":f", "write FILE.py:FUNC"),
        ("{file}:", "write FILE.py:FUNC"),
        ("{file}:g", "has no function g; it has count, f"),
        ("{file}:number", "number in {file} is no function"),
    ],
)
def test_wrong_function(run, file, what, message):
    assert message.format(file=file) in fails(run, 2, "source", what.format(file=file))


def test_file_that_cannot_be_imported(run, tmp_path):
    path = tmp_path / "broken_for_the_command.py"
    path.write_text("import no_such_module_anywhere\n")
    message = fails(run, 2, "source", f"{path}:f")
    assert "ModuleNotFoundError" in message
    path.write_text("def f(:\n")
    assert "SyntaxError" in fails(run, 2, "source", f"{path}:f")


def test_file_with_the_name_of_a_library(run, tmp_path):
    path = tmp_path / "math.py"
    path.write_text("def f(x: float):\n    return x * x\n")
    status, out, _ = run("source", f"{path}:f")
    assert status == 0
    assert "def f_grad" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--at", "x=2"], "missing a required argument: 'y'; f takes x=... y=..."),
        (["--at", "x=2", "y=5", "z=1"], "unexpected keyword argument 'z'"),
        (["--at", "x=y", "y=5"], "--at x=y: the value is"),
        (["--at", "2", "5"], "write name=value"),
        (["--at", "x=[[1, 2], [3]]", "y=5"], "the value is"),
        (["--at", "x=2", "y=5", "--order", "0"], "--order 0"),
    ],
)
def test_wrong_options_of_check(run, file, options, message):
    assert message in fails(run, 2, "check", f"{file}:f", *options)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--types", "x=flot"], 2, "one of float"),
        (["--types", "x"], 2, "write name=type"),
        (["--types", "z=float"], 1, "no argument 'z' to give a type"),
        (["--wrt", "z"], 1, "no argument 'z' to differentiate"),
        (["--wrt", ","], 2, "--wrt names no argument"),
        (["--mode", "backward"], 2, "invalid choice"),
    ],
)
def test_wrong_options_of_source(run, file, options, status, message):
    assert message in fails(run, status, "source", f"{file}:f", *options)


@pytest.mark.parametrize("name", ["picture.nonsense", "no_such_folder/picture.png"])
def test_picture_that_cannot_be_written(run, file, tmp_path, name):
    pytest.importorskip("matplotlib")
    path = str(tmp_path / name)
    assert path in fails(run, 2, "bench", f"{file}:f", "--at", "x=2", "y=5", "--plot", path)


def test_export(run, file, tmp_path):
    path = tmp_path / "derivative.py"
    status, out, _ = run("export", f"{file}:f", "-o", str(path), "--wrt", "y")
    assert (status, out) == (0, f"{path} written\n")
    space = {}
    exec(path.read_text(), space)
    assert space["f_grad"](0.5, 2.0) == math.sin(0.5)
    run("export", f"{file}:untyped", "-o", str(path), "--mode", "tangent", "--types",
        "x=float,y=float")  # fmt: skip
    assert "def untyped_jvp(x, y, dx, dy):" in path.read_text()


def test_export_for_numba(run, file, tmp_path):
    pytest.importorskip("numba")
    path = tmp_path / "derivative.py"
    run("export", f"{file}:f", "-o", str(path), "--wrt", "y", "--backend", "numba")
    assert "@numba.njit\ndef f_grad(" in path.read_text()


def test_export_to_nowhere(run, file, tmp_path):
    path = str(tmp_path / "nowhere" / "derivative.py")
    assert "No such file" in fails(run, 2, "export", f"{file}:f", "-o", path)


def test_cache(run, file, tmp_path, monkeypatch):
    place = tmp_path / "cache"
    monkeypatch.setenv("TANGENT_LIKE_CACHE", str(place))
    assert run("cache", "--path") == (0, f"{place}\n", "")
    assert run("cache")[1] == f"{place}\n0 entries, 0 functions compiled by Numba, 0.0 KiB\n"
    assert not place.exists(), "looking makes nothing"
    run("source", f"{file}:f")
    assert run("cache", "--stats")[1].splitlines()[1].startswith("1 entries, ")
    (place / "my_own.py").write_text("x = 1\n")
    (place / ("0" * 16 + ".tmp")).write_text("")
    assert "1 unfinished" in run("cache")[1]
    assert run("cache", "--clear")[1] == f"2 files removed from {place}\n"
    assert [path.name for path in place.iterdir()] == ["my_own.py"]
    monkeypatch.setenv("TANGENT_LIKE_CACHE", "off")
    assert run("cache")[1] == "the cache is off: TANGENT_LIKE_CACHE=off\n"


def test_refused_function(run, file):
    message = fails(run, 1, "source", f"{file}:refused")
    assert f"{file}:19" in message
    assert "generators" in message


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["source"]])
def test_no_command(run, argv):
    assert "usage: tangent-like" in fails(run, 2, *argv)


@pytest.mark.parametrize("command", ["source", "wengert", "check", "export", "bench"])
def test_help_has_an_example(run, command):
    status, out, _ = run(command, "--help")
    assert status == 0
    assert f"tangent-like {command} examples/survey.py:f" in " ".join(out.split())


def test_version(run):
    assert run("--version")[1].startswith("tangent-like ")
