"""A limit on the processor time that random programs and their derivatives take: how busy the
machine is makes no difference."""

import contextlib
import signal
from collections.abc import Iterator


class TooLong(BaseException):
    """A program, or the compiler, did not come to an end."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise where the block takes longer; on systems without timers it may."""

    def stop(number: int, frame: object) -> None:
        raise TooLong(f"no end within {seconds:g} s")

    if not hasattr(signal, "setitimer"):
        yield
        return
    handler = signal.signal(signal.SIGPROF, stop)
    outer, _ = signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, handler)
        signal.setitimer(signal.ITIMER_PROF, outer)
