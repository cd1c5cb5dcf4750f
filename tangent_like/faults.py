"""Faults of the compiler itself: an error that says where, and asks for a report.

    KeyError: 'y'   ──▶   model.py:12: in function loss: internal error: KeyError: 'y'

What the user's own code raises while a derivative is compiled (a rule, a property) is no fault
and arrives as it is.
"""

from __future__ import annotations

import functools
import os.path
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tangent_like.errors import InternalError, NotYetSupported, Place, TangentLikeError

_OURS = os.path.dirname(__file__)


@functools.cache
def _libraries() -> tuple[str, ...]:
    """What the names of files of no user begin with."""
    import sysconfig  # noqa: PLC0415 - slow to import

    paths = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    return _OURS, *paths, "<frozen"


@contextmanager
def reported(
    place: Callable[[], Place], passing: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Inside, an exception that is no error of ours becomes an InternalError at `place()`.

    `passing` are exceptions that the code around handles.
    """
    as_they_are: tuple[type[Exception], ...] = (TangentLikeError, MemoryError, *passing)
    try:
        yield
    except as_they_are:
        raise
    except RecursionError as error:
        raise NotYetSupported(
            "code nested as deep as this", place(), "move parts of it to functions"
        ) from error
    except Exception as error:
        if _is_of_the_user(error):
            raise
        raise InternalError(f"{type(error).__name__}: {error}", place()) from error


def _is_of_the_user(error: Exception) -> bool:
    """Whether code that belongs neither to us nor to a library was running."""
    entry, inside = error.__traceback__, False
    while entry is not None:
        file = entry.tb_frame.f_code.co_filename
        if inside and not file.startswith(_libraries()):
            return True
        inside = inside or file.startswith(_OURS)
        entry = entry.tb_next
    return False
