"""Entries: kept, found again in this process and in others, and never trusted too far."""

from __future__ import annotations

import errno
import io
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tangent_like as tl
from tangent_like import cache, pipeline
from tangent_like.backend.load import load
from tangent_like.cache import entry, folder
from tangent_like.cache.identity import Identity, UnknownError
from tests.derivatives import define, same
from tests.test_golden import CASES

ROOT = Path(__file__).parents[2]

MODEL = '''
import math
import numpy as np

rate = 0.5
data = np.arange(3.0)

def helper(x):
    return math.sin(x) * rate

def f(x):
    s = 0.0
    for d in data:
        s = s + helper(x) * d
    return s
'''


def slope(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2 * h)


def entries(place):
    return sorted(place.glob("*.py"))


# --- in one process ------------------------------------------------------------------------------


def test_found_again(module, place, compiled):
    first = tl.grad(module(MODEL).f)
    value = first(0.5)
    second = tl.grad(module(MODEL).f)
    assert value == second(0.5)
    assert first.source(0.5) == second.source(0.5)
    assert compiled == ["f"]
    (file,) = entries(place)
    text = file.read_text()
    assert file.stem in text and first.source(0.5) in text
    assert file.stat().st_mode & 0o777 == 0o600 and place.stat().st_mode & 0o777 == 0o700


def test_what_was_found_reads_what_is_outside_now(module, compiled):
    tl.grad(module(MODEL).f)(0.5)
    model = module(MODEL)
    derivative = tl.grad(model.f)
    derivative(0.5)
    assert compiled == ["f"]
    model.rate = 3.0
    model.data = np.array([4.0, 5.0, 6.0])
    assert derivative(0.5) == pytest.approx(slope(model.f, 0.5))
    assert compiled == ["f"]
    model.helper = lambda x: x * x
    assert derivative(0.5) == pytest.approx(slope(model.f, 0.5))
    assert len(compiled) == 2


CELLS = '''
def make(k):
    def inner(x):
        return x * k
    def f(x):
        return inner(x) * k
    def change(value, function=None):
        nonlocal k, inner
        k = value
        inner = function or inner
    return f, change
'''


def test_closures(compiled):
    define(CELLS, "make")
    f, _ = define(CELLS, "make")(2.0)
    assert tl.grad(f)(3.0) == 4.0
    f, change = define(CELLS, "make")(5.0)
    derivative = tl.grad(f)
    assert derivative(3.0) == 25.0
    assert compiled == ["f"]
    change(7.0)
    assert derivative(3.0) == 49.0
    change(7.0, define("def inner(x): return x * x", "inner"))
    assert derivative(3.0) == 42.0
    assert len(compiled) == 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file.stem}: {case.name}")
def test_every_golden_case_is_the_same_from_the_cache(case, tmp_path, compiled):
    if "error" in case.sections:
        return
    function = case.function(tmp_path)
    args = tuple(case.arguments.values())
    values = []
    for _ in range(2):
        value, pullback = tl.vjp(function, *args)
        values.append((value, pullback(value)))
        tl.api._derivative.cache_clear()
    assert same(*values)
    assert compiled.count(function.__name__) == 1


RECURSIVE = '''
def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)

def f(x):
    return power(x, 4)
'''


@pytest.mark.parametrize("text", [RECURSIVE, "f = lambda x: x ** 4\n"])
def test_other_functions(module, compiled, text):
    found = [tl.grad(module(text).f)(1.5) for _ in range(2)]
    assert found == [pytest.approx(4 * 1.5**3)] * 2
    assert len(compiled) == 1


def test_off(module, monkeypatch, tmp_path, compiled):
    monkeypatch.setenv(folder.VARIABLE, "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    for _ in range(2):
        assert tl.grad(module(MODEL).f)(0.5)
    assert compiled == ["f", "f"]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "ask",
    [
        lambda f: tl.grad(f, cache=False)(0.5),
        lambda f: tl.value_and_grad(f, cache=False)(0.5),
        lambda f: tl.elementwise_grad(f, cache=False)(0.5),
        lambda f: tl.derivative(f, order=2, cache=False)(0.5),
        lambda f: tl.hvp(f, cache=False)(0.5, 1.0),
        lambda f: tl.jvp(f, (0.5,), (1.0,), cache=False),
        lambda f: tl.vjp(f, 0.5, cache=False)[1](1.0),
        lambda f: tl.jacobian(f, cache=False)(0.5),
        lambda f: tl.jacfwd(f, cache=False)(0.5),
        lambda f: tl.jacrev(f, cache=False)(0.5),
        lambda f: tl.hessian(f, cache=False)(0.5),
        lambda f: tl.source(f, cache=False),
        lambda f: tl.differentiate(f, cache=False).grad(0.5),
        lambda f: tl.differentiate(f, cache=False).jvp((0.5,), (1.0,)),
        lambda f: tl.differentiate(f, cache=False).vjp(0.5)[1](1.0),
        lambda f: tl.differentiate(f, cache=False).source(),
    ],
)
def test_each_operator_can_do_without(module, place, compiled, ask):
    ask(module(MODEL).f)
    assert compiled and not place.exists()


def test_the_default_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(folder.VARIABLE)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder.path() == str(tmp_path / "tangent_like")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/paths/do/not/count")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert folder.path() == str(tmp_path / "home" / ".cache" / "tangent_like")


LOCKED = '''
import threading
class Counter:
    def __init__(self):
        self.lock = threading.Lock()
counter = Counter()
def g(x):
    return x * x
def f(x):
    return g(x) if counter is not None else x
'''


def test_what_nothing_certain_can_be_said_of_is_not_kept(module, place, compiled):
    f = module(LOCKED).f
    with pytest.raises(UnknownError, match="lock"):
        Identity().visit(f)


# --- damage --------------------------------------------------------------------------------------


def cut(data):
    return data[: len(data) // 2]


def flipped(data):
    changed = bytearray(data)
    changed[-20] ^= 1
    return bytes(changed)


def with_other_code(data):
    return data.replace(b"math.cos", b"math.sin")


DAMAGE = {
    "empty": lambda data: b"",
    "cut in the middle": cut,
    "cut by one byte": lambda data: data[:-1],
    "longer": lambda data: data + b"x = 1\n",
    "a bit flipped": flipped,
    "other code": with_other_code,
    "binary": lambda data: bytes(range(256)) * 8,
    "no entry": lambda data: b"print('hello')\n",
    "zeros": lambda data: bytes(len(data)),
    "deep": lambda data: b"# tangent_like cache entry 1\n# key: " + b"(" * 5000,
    "another's": lambda data: re.sub(rb"key: '\w+'", b"key: '" + b"0" * 40 + b"'", data),
    "the version before": lambda data: data.replace(b"entry 1", b"entry 0"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_a_miss(module, place, compiled, damage):
    model = module(MODEL)
    right = tl.grad(model.f)(0.5)
    (file,) = entries(place)
    whole = file.read_bytes()
    assert DAMAGE[damage](whole) != whole
    file.write_bytes(DAMAGE[damage](whole))
    assert tl.grad(model.f)(0.5) == right
    assert compiled == ["f", "f"]
    assert file.read_bytes() == whole, "the entry is whole again"


def test_every_bit_counts(module, place):
    tl.grad(module(MODEL).f)(0.5)
    (file,) = entries(place)
    whole = file.read_bytes()
    entry.read(whole, file.stem)
    for i in range(len(whole)):
        for bit in (1, 32, 128):
            changed = bytearray(whole)
            changed[i] ^= bit
            with pytest.raises(entry.DamageError):
                entry.read(bytes(changed), file.stem)


def test_an_entry_under_anothers_name_is_a_miss(module, place, compiled):
    model = module(MODEL)
    right = tl.grad(model.f)(0.5)
    (own,) = entries(place)
    tl.value_and_grad(model.f)(0.5)
    (other,) = set(entries(place)) - {own}
    own.write_bytes(other.read_bytes())
    assert tl.grad(model.f)(0.5) == right
    assert compiled == ["f"] * 3


def test_an_entry_of_another_form_is_a_miss(module, place, monkeypatch):
    tl.grad(module(MODEL).f)(0.5)
    (file,) = entries(place)
    found = entry.read(file.read_bytes(), file.stem)
    monkeypatch.setattr(entry, "_TITLE", "# tangent_like cache entry 0")
    data = entry.written(found)
    monkeypatch.undo()
    with pytest.raises(entry.DamageError):
        entry.read(data, file.stem)


def test_what_a_rule_came_for_while_it_was_compiled_is_not_kept(module, place, monkeypatch):
    model = module(MODEL)
    compile_derivative = pipeline.compile_derivative

    def changing(*args, **options):
        made = compile_derivative(*args, **options)
        tl.elementwise(model.helper, lambda x, y: 7.0)
        return made

    monkeypatch.setattr(pipeline, "compile_derivative", changing)
    tl.grad(model.f)(0.5)
    assert not entries(place)


def test_what_the_walk_did_not_meet_is_not_kept(module):
    f = module(MODEL).f
    identity = cache.identified(f, ())
    made = load("def g(x):\n    return x\n", ["g"], {"thing": object()}, ())
    assert cache.entry_of(made, identity, ()) is None
    assert cache.entry_of(replace(made, outside={}), identity, ()) is not None


def test_text_that_names_the_users_file_is_not_kept(module):
    f = module(MODEL).f
    identity = cache.identified(f, ())
    text = f"def g(x):\n    return {f.__code__.co_filename!r}\n"
    assert cache.entry_of(load(text, ["g"], {}, ()), identity, ()) is None


def test_a_link_in_place_of_an_entry_is_not_followed(module, place, tmp_path, compiled):
    model = module(MODEL)
    tl.grad(model.f)(0.5)
    (file,) = entries(place)
    other = tmp_path / "elsewhere.py"
    file.rename(other)
    file.symlink_to(other)
    with pytest.warns(RuntimeWarning, match="keeps nothing"):
        tl.grad(model.f)(0.5)
    assert compiled == ["f", "f"]


# --- folders that cannot be used -----------------------------------------------------------------


@pytest.fixture
def unsaid(monkeypatch):
    """Nothing was warned of yet."""
    monkeypatch.setattr(folder, "_said", set())


def uncached(f, why):
    """The derivative is right, and the reason why it was not kept is said once."""
    with pytest.warns(RuntimeWarning, match=why) as said:
        assert tl.grad(f)(0.5) == pytest.approx(slope(f, 0.5))
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tl.grad(f)(0.5) == pytest.approx(slope(f, 0.5))


def test_a_folder_that_others_can_enter(module, place, compiled, unsaid):
    place.mkdir(mode=0o755)
    uncached(module(MODEL).f, "chmod 700")
    assert compiled == ["f", "f"] and not list(place.iterdir())


def test_a_folder_of_another_user(module, place, compiled, unsaid, monkeypatch):
    place.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: place.stat().st_uid + 1)
    uncached(module(MODEL).f, "another user")
    assert compiled == ["f", "f"] and not list(place.iterdir())


def test_a_link_to_a_folder(module, place, tmp_path, compiled, unsaid):
    (tmp_path / "real").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "real")
    uncached(module(MODEL).f, "symbolic link")
    assert compiled == ["f", "f"] and not list(place.iterdir())


def test_a_file_in_place_of_the_folder(module, place, compiled, unsaid):
    place.write_text("")
    uncached(module(MODEL).f, "no folder")
    assert compiled == ["f", "f"]


def test_a_folder_that_cannot_be_made(module, place, compiled, unsaid, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(folder.VARIABLE, str(tmp_path / "file" / "kept"))
    uncached(module(MODEL).f, "keeps nothing")
    assert compiled == ["f", "f"]


def test_a_folder_that_cannot_be_written(module, place, compiled, unsaid, monkeypatch):
    """As root may write everywhere, the system's answer is put in its mouth."""
    place.mkdir(mode=0o700)
    opened = os.open

    def refused(path, flags, *rest, **options):
        if flags & os.O_CREAT and str(path).startswith(str(place)):
            raise OSError(errno.EROFS, "Read-only file system", path)
        return opened(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", refused)
    uncached(module(MODEL).f, "Read-only")
    assert compiled == ["f", "f"]


def test_another_process_makes_the_folder(place, monkeypatch):
    make = os.mkdir

    def late(path, mode):
        make(path, mode)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "mkdir", late)
    folder.ready(str(place))
    monkeypatch.undo()
    assert place.is_dir()


def test_a_full_disk(module, place, compiled, unsaid, monkeypatch):
    def full(descriptor, mode):
        file = io.FileIO(descriptor, mode)

        class Full:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def write(self, data):
                file.write(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")

        return Full() if "w" in mode else file

    monkeypatch.setattr(folder, "open", full, raising=False)
    uncached(module(MODEL).f, "No space left")
    assert compiled == ["f", "f"]
    assert not list(place.iterdir()), "what was begun is removed"


# --- other processes -----------------------------------------------------------------------------


SCRIPT = '''
import sys, time
sys.path.insert(0, {folder!r})
from model import f
import tangent_like as tl
found = tl.grad(f)(0.5)
print(repr(found), *sorted({{"gast", "astor", "tangent_like.pipeline"}} & sys.modules.keys()))
'''


def run(script, place):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), folder.VARIABLE: str(place)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_the_second_process_needs_no_compiler(place, tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    script = SCRIPT.format(folder=str(tmp_path))
    first, *needed = run(script, place)
    assert needed == ["astor", "gast", "tangent_like.pipeline"]
    second, *needed = run(script, place)
    assert needed == []
    assert first == second
    (tmp_path / "model.py").write_text(MODEL.replace("math.sin", "math.cos"))
    third, *needed = run(script, place)
    assert needed and third != first


def fill(f, barrier, results):
    barrier.wait()
    results.put(tl.grad(f)(0.5))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_many_processes_at_once(module, place):
    f = module(MODEL).f
    right = tl.grad(f, cache=False)(0.5)
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(32), context.SimpleQueue()
    workers = [context.Process(target=fill, args=(f, barrier, results)) for _ in range(32)]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 32
    assert found == [right] * 32
    (file,) = place.iterdir()
    entry.read(file.read_bytes(), file.stem)


def hang(f, ready):
    """Keep a derivative and be caught between writing and renaming."""

    def replace(*_):
        ready.set()
        threading.Event().wait()

    os.replace = replace
    tl.grad(f)(0.5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_killed_while_writing(module, place, compiled):
    f = module(MODEL).f
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    worker = context.Process(target=hang, args=(f, ready))
    worker.start()
    assert ready.wait(60)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    (left,) = place.iterdir()
    assert left.suffix == ".tmp"
    assert folder.stats(str(place)) == folder.Stats(0, 0, 0, 1)
    for _ in range(2):
        assert tl.grad(f)(0.5) == pytest.approx(slope(f, 0.5))
    assert compiled == ["f"]
    assert folder.stats(str(place)).entries == 1
    assert folder.clear(str(place)) == 2 and not list(place.iterdir())


def test_another_process_empties_the_cache(module, place, monkeypatch):
    tl.grad(module(MODEL).f)(0.5)
    remove = os.unlink

    def late(path):
        remove(path)
        raise FileNotFoundError(errno.ENOENT, "No such file")

    monkeypatch.setattr(os, "unlink", late)
    assert folder.clear(str(place)) == 1


# --- in memory -----------------------------------------------------------------------------------


def test_replaced_code_is_differentiated_anew(module, compiled):
    model = module(MODEL)
    derivative = tl.grad(model.f)
    derivative(0.5)
    model.helper.__code__ = module(MODEL.replace("math.sin", "math.cos")).helper.__code__
    assert derivative(0.5) == pytest.approx(slope(model.f, 0.5))
    model.f.__code__ = module(MODEL.replace("* d", "* d * x")).f.__code__
    assert derivative(0.5) == pytest.approx(slope(model.f, 0.5))
    model.helper.__defaults__ = None
    derivative(0.5)
    assert len(compiled) == 3


def test_replaced_defaults(module):
    model = module("def g(x, k=2.0, *, m=1.0): return x * k * m\ndef f(x): return g(x)\n")
    derivative = tl.grad(model.f)
    assert derivative(1.0) == 2.0
    model.g.__defaults__ = (3.0,)
    assert derivative(1.0) == 3.0
    model.g.__kwdefaults__["m"] = 5.0
    assert derivative(1.0) == 15.0
