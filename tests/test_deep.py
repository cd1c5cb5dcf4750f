"""Deep recursion runs on a large stack, and nothing of that stays behind."""

import contextvars
import sys
import threading
import time

import pytest

from tangent_like import deep as compiler
from tangent_like.deep import deep, one_compiler

DEEP = 20_000
setting = contextvars.ContextVar("setting", default="outside")


def depth(n: int) -> int:
    return 0 if n == 0 else 1 + depth(n - 1)


def test_a_shallow_call_stays_in_its_thread() -> None:
    assert deep(threading.get_ident) == threading.get_ident()


def test_a_deep_call_succeeds_and_the_limits_are_put_back() -> None:
    before = sys.getrecursionlimit(), threading.stack_size()
    with pytest.raises(RecursionError):
        depth(DEEP)
    assert deep(depth, DEEP) == DEEP
    assert (sys.getrecursionlimit(), threading.stack_size()) == before


def test_calls_inside_a_deep_call_do_not_wait_for_themselves() -> None:
    def outer() -> int:
        return depth(DEEP) + deep(depth, DEEP)

    assert deep(outer) == 2 * DEEP


def test_endless_recursion_is_still_an_error() -> None:
    def endless() -> None:
        endless()

    with pytest.raises(RecursionError):
        deep(endless)


def test_other_errors_come_out_as_they_are() -> None:
    def fails() -> None:
        depth(DEEP)
        raise KeyError("key")

    with pytest.raises(KeyError, match="key"):
        deep(fails)


def test_context_variables_are_seen_in_the_thread() -> None:
    def read() -> str:
        depth(DEEP)
        return setting.get()

    token = setting.set("inside")
    try:
        assert deep(read) == "inside"
    finally:
        setting.reset(token)


def test_several_threads_at_once() -> None:
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(deep(depth, DEEP))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [DEEP] * 4


def test_no_thread_recurses_under_a_limit_that_another_one_has_raised() -> None:
    """The process would end when the other one lowers it again."""
    raised, below, done = threading.Event(), threading.Event(), threading.Event()
    results: list[int] = []

    def holds_the_limit() -> int:
        found = depth(DEEP)
        raised.set()
        below.wait(0.5)
        return found

    def descend(n: int) -> int:
        if n == DEEP // 2:
            below.set()
            done.wait(0.5)
        return 0 if n == 0 else 1 + descend(n - 1)

    def first() -> None:
        results.append(deep(holds_the_limit))
        done.set()

    def second() -> None:
        raised.wait()
        results.append(deep(descend, DEEP))

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [DEEP, DEEP]


def test_a_compiler_that_recurses_deeply_may_start_another() -> None:
    """On the large stack too, in whose thread the lock belongs to the one that waits."""

    def compile_inner() -> int:
        with one_compiler():
            return depth(DEEP)

    with one_compiler():
        assert deep(compile_inner) == DEEP


def test_a_call_that_is_interrupted_has_ended_when_the_limits_are_lowered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python 3.11 ends the process where a thread is deeper than the limit by then."""
    reached, ended, start = threading.Event(), threading.Event(), compiler._start

    def wait(n: int) -> None:
        if n:
            wait(n - 1)
            return
        try:
            reached.set()
            while True:
                time.sleep(0.001)
        finally:
            ended.set()

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        assert reached.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr(compiler, "_start", interrupted)
    before = sys.getrecursionlimit(), threading.stack_size()
    with pytest.raises(KeyboardInterrupt):
        deep(wait, DEEP)
    assert ended.is_set()
    assert (sys.getrecursionlimit(), threading.stack_size()) == before
