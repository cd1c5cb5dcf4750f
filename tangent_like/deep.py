"""Run a function that may recurse deeply, without a RecursionError.

A sum of 5,000 terms is a tree 5,000 nodes deep, and Python's parser, gast and astor walk
trees by recursion. Such a call is first made as it stands; only when it runs out of stack is
it made again, in a thread with a stack large enough.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

STACK_BYTES = 512 * 1024 * 1024  # reserved, not used: pages are taken as the stack grows
RECURSION_LIMIT = 100_000  # some 5 KB of stack a call, more than any frame here takes

# The stack size and the recursion limit belong to the whole process: one thread at a time.
_one_at_a_time = threading.Lock()
_this_thread = threading.local()


def deep(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function`; if that ends in a RecursionError, call it again on a large stack.

    The function may run twice, so it must not leave anything half done. A RecursionError that
    comes out nevertheless means a depth that this Python cannot handle on any stack.
    """
    if getattr(_this_thread, "is_deep", False):
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

    def run() -> None:
        _this_thread.is_deep = True
        try:
            results.append(call())
        except BaseException as error:  # every kind goes back to the caller
            errors.append(error)

    context = contextvars.copy_context()
    with _one_at_a_time, _raised_limits():
        thread = threading.Thread(target=context.run, args=(run,), name="tangent_like-deep")
        thread.start()
        thread.join()
    if errors:
        raise errors[0]
    return results[0]


@contextmanager
def _raised_limits() -> Iterator[None]:
    """A large stack for new threads and a high recursion limit, as they were afterwards."""
    limit = sys.getrecursionlimit()
    stack = threading.stack_size(STACK_BYTES)
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(stack)
