"""What is asked of the compiler: which derivative, with respect to what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """An operator (`grad`, `jvp`, ...) and the positions of the differentiated arguments.

    `single` says that `wrt` was one position and not a tuple, so that one gradient is returned.
    """

    operator: str
    wrt: tuple[int, ...] = (0,)
    single: bool = True
    has_aux: bool = False
    order: int = 1
    doc: str = ""
