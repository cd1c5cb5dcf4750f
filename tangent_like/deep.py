"""Run a function that may recurse deeply, without a RecursionError.

A sum of 5,000 terms is a tree 5,000 nodes deep, and Python's parser, gast and astor walk
trees by recursion. Such a call is first made as it stands; only when it runs out of stack is
it made again, in a thread with a stack large enough.

Python's recursion limit belongs to the whole process. While it is raised, a call on an
ordinary stack could run over its end, and when it is lowered again, Python 3.11 gives up on
every thread that is deeper by then. So one thread compiles at a time: `one_compiler`.
"""

from __future__ import annotations

import contextvars
import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

STACK_BYTES = 512 * 1024 * 1024  # reserved, not used: pages are taken as the stack grows
RECURSION_LIMIT = 100_000  # some 5 KB of stack a call, more than any frame here takes

_compiling = threading.RLock()
_this_thread = threading.local()


@contextmanager
def one_compiler() -> Iterator[None]:
    """Wait until no other thread compiles. A thread may enter again, and so may the thread with
    the large stack, for which the one that holds the lock waits."""
    if _is_on_large_stack():
        yield
    else:
        with _compiling:
            yield


def _is_on_large_stack() -> bool:
    return getattr(_this_thread, "is_deep", False)


def deep(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function`; if that ends in a RecursionError, call it again on a large stack.

    The function may run twice, so it must not leave anything half done. A RecursionError that
    comes out nevertheless means a depth that this Python cannot handle on any stack.
    """
    with one_compiler():
        if _is_on_large_stack():
            return function(*args, **kwargs)
        try:
            return function(*args, **kwargs)
        except RecursionError:
            pass  # left behind here, so that a second failure does not drag the first one along
        return _on_large_stack(lambda: function(*args, **kwargs))


def _on_large_stack(call: Callable[[], T]) -> T:
    """The result of `call`, made in a thread of its own with a large stack."""
    results: list[T] = []
    errors: list[BaseException] = []
    begun, ended = threading.Event(), threading.Event()

    def run() -> None:
        _this_thread.is_deep = True
        try:
            begun.set()
            with _raised_limit():
                results.append(call())
        except BaseException as error:  # every kind goes back to the caller
            errors.append(error)
        finally:
            ended.set()

    run_here = partial(contextvars.copy_context().run, run)
    thread = threading.Thread(target=run_here, name="tangent_like-deep")
    try:
        _start(thread)
        ended.wait()  # a `join` that is interrupted would take the thread for ended
    except BaseException as interruption:  # such as Ctrl-C
        if begun.wait(1.0):
            _raise_in(thread, type(interruption))
            ended.wait()
        raise
    if errors:
        raise errors[0]
    return results[0]


def _start(thread: threading.Thread) -> None:
    """Start a thread with a large stack."""
    stack = threading.stack_size(STACK_BYTES)
    try:
        thread.start()
    finally:
        threading.stack_size(stack)


@contextmanager
def _raised_limit() -> Iterator[None]:
    """A high recursion limit. The thread that recurses lowers it again, when it has come back:
    the one that waits for it may be interrupted."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _raise_in(thread: threading.Thread, error: type[BaseException]) -> None:
    """Raise an exception in another thread, as soon as that goes on."""
    identity, raised = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, raised)
