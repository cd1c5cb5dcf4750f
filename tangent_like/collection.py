"""Compiling without Python's search for cyclic garbage.

The compiler makes many small objects and hardly any cycles.  The more of them are alive, the
longer each search takes: a third of the time for a function of a thousand statements.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """No search for cyclic garbage meanwhile, in any thread; then it goes on if it did before.

    Whichever of several threads found it going lets it go on again, so none is left without it.
    """
    going = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if going:
            gc.enable()
