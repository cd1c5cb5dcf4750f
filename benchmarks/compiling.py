"""How long the compiler takes: growth with the length of a function, and first calls."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tangent_like as tl
from benchmarks.timing import interleaved, seconds

LENGTHS = (20, 100, 1000, 5000)


def long_source(statements: int) -> str:
    """A function of that many statements, of several kinds, that stays in bounds."""
    lines = ["import math", "", "", "def f(x: float, y: float):"]
    forms = (
        "x = math.sin(x) + 0.1 * y", "y = y * 0.9 + x * 0.1", "z = x * y",
        "x = x + 0.01 * z", "y = math.tanh(y - z)",
    )  # fmt: skip
    lines += [f"    {forms[k % 3 if k < 3 else k % len(forms)]}" for k in range(statements - 1)]
    return "\n".join([*lines, "    return x * y", ""])


def load(path: Path) -> Any:
    """The function `f` of a file, freshly imported."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.f


def transformation(lengths: Sequence[int] = LENGTHS, rounds: int = 3) -> dict[str, float]:
    """Seconds from `grad(f)` to the compiled derivative, by the number of statements."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        tl.grad(load(written(Path(folder), 10)), wrt=(0, 1)).generated(0.3, 0.7)  # loads all
        for count in lengths:
            path = written(Path(folder), count)
            times = []
            for _ in range(rounds if count < 5000 else 1):
                function = load(path)  # a new one: the derivative of the last is at hand
                times.append(seconds(lambda f=function: compile_anew(f)))
            found[str(count)] = min(times)
    return found


def compile_anew(function: Any) -> Any:
    return tl.grad(function, wrt=(0, 1), cache=False).generated(0.3, 0.7)


def written(folder: Path, count: int) -> Path:
    path = folder / f"long_{count}.py"
    path.write_text(long_source(count))
    return path


def dispatch(rounds: int = 7) -> float:
    """Seconds that choosing the version adds to a call with four floats."""

    def product(a: float, b: float, c: float, d: float) -> float:
        return a * b * c * d

    gradient = tl.grad(product)
    inner = gradient.generated(1.0, 2.0, 3.0, 4.0)
    calls = {
        "through": lambda: gradient(1.0, 2.0, 3.0, 4.0),
        "inner": lambda: inner(1.0, 2.0, 3.0, 4.0),
    }
    found = interleaved(calls, rounds)
    return found["through"] - found["inner"]


FIRST_CALL = """
import sys, time
sys.path.insert(0, sys.argv[1])
import numpy
start = time.perf_counter()
import tangent_like as tl
imported = time.perf_counter() - start
import long_20
if "loaded" in sys.argv:
    import tangent_like.cache, tangent_like.entry
start = time.perf_counter()
tl.grad(long_20.f, wrt=(0, 1))(0.3, 0.7)
print(imported, time.perf_counter() - start)
"""


def first_calls(rounds: int = 3) -> dict[str, float]:
    """Seconds of the import, and from `grad(f)` to the first result of 20 statements.

    Each in a process of its own: with an empty cache folder, with the one that was filled, and
    with that and the modules in memory that the first call imports.
    """
    cold, warm, loaded, imports = [], [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            written(Path(folder), 20)
            cache = Path(folder) / "cache"
            cache.mkdir(mode=0o700)
            for times, how in ((cold, ""), (warm, ""), (loaded, "loaded")):
                imported, first = in_process(folder, cache, how)
                imports.append(imported)
                times.append(first)
    found = {"import": imports, "cold": cold, "warm": warm, "warm, loaded": loaded}
    return {what: min(times) for what, times in found.items()}


def in_process(folder: str, cache: Path, how: str = "") -> tuple[float, float]:
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": path}
    command = [sys.executable, "-c", FIRST_CALL, folder, how]
    out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    imported, first = map(float, out.stdout.split())
    return imported, first


def compiler_figures(rounds: int) -> dict[str, Any]:
    return {
        "transformation": transformation(),
        "dispatch": dispatch(rounds),
        "first call": first_calls(),
    }


def summary(figures: dict[str, Any]) -> str:
    """The figures as lines of text."""
    growth = ", ".join(f"{n}: {1e3 * t:.1f} ms" for n, t in figures["transformation"].items())
    first = figures["first call"]
    return "\n".join([
        f"transformation, by statements: {growth}",
        f"choosing the version at a call with four floats: {1e9 * figures['dispatch']:.0f} ns",
        f"import beyond NumPy: {1e3 * first['import']:.0f} ms",
        f"first call of 20 statements: {1e3 * first['cold']:.1f} ms with an empty cache, "
        f"{1e3 * first['warm']:.1f} ms with a full one, of which "
        f"{1e3 * first['warm, loaded']:.1f} ms are not imports",
    ])  # fmt: skip
