"""Numba's machine code is kept beside the generated source."""

from __future__ import annotations

import errno
import multiprocessing
import os
from types import SimpleNamespace

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.cache import folder
from tangent_like.cache.machine_code import MachineCode
from tests.derivatives import same

numba = pytest.importorskip("numba")

MODEL = """
import numba
import numpy as np

rate = 2.0

@numba.njit
def weight(w):
    return w * w

def f(x, w):
    s = 0.0
    for i in range(len(x)):
        s = s + np.sin(x[i]) * weight(w[i]) * rate
    return s
"""

ARGS = np.linspace(0.0, 1.0, 5), np.linspace(1.0, 2.0, 5)


@pytest.fixture
def saved(place, monkeypatch):
    """The names of the functions that Numba compiled and kept."""
    found = []
    save_overload = MachineCode.save_overload

    def noted(self, signature, result):
        found.append(self.name)
        save_overload(self, signature, result)

    monkeypatch.setattr(MachineCode, "save_overload", noted)
    return found


def gradient(model, *args):
    return tl.grad(model.f, wrt=(0, 1), backend="numba")(*(args or ARGS))


def expected(model, *args):
    return tl.grad(model.f, wrt=(0, 1), cache=False)(*(args or ARGS))


def test_found_again(module, place, compiled, saved):
    right = expected(module(MODEL))
    first = gradient(module(MODEL))
    assert len(saved) == folder.stats(str(place)).compiled == 1
    second = gradient(module(MODEL))
    assert len(saved) == 1, "Numba compiled nothing"
    assert same(first, second) and np.allclose(first, right, rtol=1e-13)


def test_each_list_of_types_has_its_own(module, place, saved):
    model = module(MODEL)
    args = ARGS[0].astype(np.float32), ARGS[1]
    for _ in range(2):
        gradient(module(MODEL))
        found = gradient(module(MODEL), *args)
    assert len(saved) == 2
    for a, b in zip(found, expected(model, *args), strict=True):
        assert a.dtype == b.dtype and np.allclose(a, b, rtol=1e-5)


def test_each_layout_has_its_own(module, saved):
    """Arrays of one kind, for which Numba makes other code where they are not contiguous."""
    strided = np.repeat(ARGS[0], 2)[::2], ARGS[1]
    for _ in range(2):
        model = module(MODEL)
        gradient(model)
        assert np.allclose(gradient(model, *strided), expected(model, *strided), rtol=1e-13)
    assert len(saved) == 2


class Processor:
    def __init__(self, name: str) -> None:
        self.name = name

    def magic_tuple(self) -> tuple[str]:
        return (self.name,)


def test_files_have_names_of_their_own(place, monkeypatch):
    def f(x):
        return x

    def g(x):
        return x

    code, host = MachineCode(str(place), "key", f), Processor("host")
    names = [
        code.file_for("int64", host), code.file_for("float64", host),
        code.file_for("int64", Processor("other")),
        MachineCode(str(place), "another", f).file_for("int64", host),
        MachineCode(str(place), "key", g).file_for("int64", host),
    ]  # fmt: skip
    monkeypatch.setattr(numba, "__version__", "0.0")
    names.append(code.file_for("int64", host))
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "change", [("w * w", "w * w * w"), ("np.sin(x[i])", "np.cos(x[i])"), ("rate = 2.0", "rate = 2")]
)
def test_what_changes_is_compiled_anew(module, saved, change):
    gradient(module(MODEL))
    other = module(MODEL.replace(*change))
    assert np.allclose(gradient(other), expected(other), rtol=1e-13)
    assert len(saved) == 2


def test_options_count(module, saved):
    gradient(module(MODEL))
    found = tl.grad(module(MODEL).f, wrt=(0, 1), backend="numba", fastmath=True)(*ARGS)
    assert np.allclose(found, gradient(module(MODEL)), rtol=1e-10)
    assert len(saved) == 2


@pytest.mark.parametrize(
    "damage", [lambda d: b"", lambda d: d[:-1], lambda d: d[:20] + bytes(len(d) - 20),
               lambda d: bytes(256)]
)  # fmt: skip
def test_damage_is_a_miss(module, place, saved, damage):
    right = gradient(module(MODEL))
    (file,) = place.glob("*.nbc")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert same(gradient(module(MODEL)), right)
    assert len(saved) == 2
    assert same(gradient(module(MODEL)), right)
    assert len(saved) == 2


def test_a_full_disk(module, place, monkeypatch):
    write = folder.write

    def full(place, key, data, suffix=folder.ENTRY):
        if suffix == folder.MACHINE_CODE:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(place, key, data, suffix)

    monkeypatch.setattr(folder, "write", full)
    monkeypatch.setattr(folder, "_said", set())
    with pytest.warns(RuntimeWarning, match="No space left"):
        found = gradient(module(MODEL))
    assert np.allclose(found, expected(module(MODEL)), rtol=1e-13)


def test_a_link_is_not_followed(module, place, tmp_path, saved, monkeypatch):
    right = gradient(module(MODEL))
    (file,) = place.glob("*.nbc")
    file.rename(tmp_path / "elsewhere.nbc")
    file.symlink_to(tmp_path / "elsewhere.nbc")
    monkeypatch.setattr(folder, "_said", set())
    with pytest.warns(RuntimeWarning, match="keeps nothing"):
        assert same(gradient(module(MODEL)), right)
    assert len(saved) == 2


def test_addresses_of_this_process_are_not_kept(place):
    result = SimpleNamespace(library=SimpleNamespace(has_dynamic_globals=True), lifted=())
    folder.ready(str(place))
    MachineCode(str(place), "key", expected).save_overload("int64", result)
    assert not list(place.iterdir())


def test_without_the_cache(module, place, saved):
    tl.grad(module(MODEL).f, wrt=(0, 1), backend="numba", cache=False)(*ARGS)
    assert not saved and not place.exists()


def fill(model, barrier, results):
    barrier.wait()
    results.put([gradient(model), gradient(model, ARGS[0].astype(np.float32), ARGS[1])])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_many_processes_at_once(module, place):
    """Processes that write machine code for different types at once do not mix them up."""
    model = module(MODEL)
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(8), context.SimpleQueue()
    workers = [
        context.Process(target=fill, args=(model, barrier, results)) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    assert all(same(double, found[0][0]) and same(single, found[0][1]) for double, single in found)
    assert folder.stats(str(place)).compiled == 2
    again = gradient(module(MODEL)), gradient(module(MODEL), ARGS[0].astype(np.float32), ARGS[1])
    assert same(again, tuple(found[0]))
