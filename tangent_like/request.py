"""What is asked of the compiler: which derivative, with respect to what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict


class Options(TypedDict, total=False):
    """What every operator takes besides: how its derivative is compiled.

    `backend` is "numpy" or "numba"; `fastmath` and `parallel` are passed on to Numba.  With
    `cache` the generated source is kept on disk for the next process.
    """

    backend: str
    fastmath: bool
    parallel: bool
    cache: bool


@dataclass(frozen=True, slots=True)
class Request:
    """An operator (`grad`, `jvp`, ...) and the positions of the differentiated arguments.

    `single` says that `wrt` was one position and not a tuple, so that one gradient is returned.
    What else is compiled how is said by `Options`.
    """

    operator: str
    wrt: tuple[int, ...] = (0,)
    single: bool = True
    has_aux: bool = False
    order: int = 1
    doc: str = ""
    backend: str = "numpy"
    fastmath: bool = False
    parallel: bool = False
    cache: bool = True
