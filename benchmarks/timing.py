"""Time that can be trusted: one pinned core, contenders that take turns, the best of the rounds."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

SLICE = 0.005
"""Seconds that one measurement lasts at least, so that the clock's own cost does not show."""

THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip


def use_one_core() -> None:
    """Pin this process, and let every library use one thread; call it before importing NumPy."""
    for name in THREADS:
        os.environ[name] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def seconds(call: Callable[[], Any], count: int = 1) -> float:
    """What one of `count` calls takes of the processor: a busy machine shows less than by the
    clock on the wall."""
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / count


def repeats(call: Callable[[], Any]) -> int:
    """How often to call so that a measurement lasts long enough."""
    call()  # compiles what there is to compile
    count = 1
    while (spent := seconds(call, count) * count) < SLICE / 4:
        count *= 4
    return max(1, round(count * SLICE / max(spent, 1e-9)))


def interleaved(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The least seconds of each call; every round measures all of them, in turn."""
    counts = {name: repeats(call) for name, call in calls.items()}
    best = dict.fromkeys(calls, float("inf"))
    order = list(calls)
    for k in range(rounds):
        for name in order if k % 2 == 0 else reversed(order):
            best[name] = min(best[name], seconds(calls[name], counts[name]))
    return best


def peak_memory(call: Callable[[], Any]) -> int:
    """The most bytes that a call holds at one time, beyond what was there before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
