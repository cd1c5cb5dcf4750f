"""The Numba dialect: what Numba compiles, and compiles to fast code.

A derivative is the same Wengert list in both dialects; the passes here come last and rewrite what
Numba does not take.
"""

from __future__ import annotations

from collections.abc import Callable

from tangent_like.backend.numba_dialect.loops import count_loops
from tangent_like.backend.numba_dialect.parts import change_views
from tangent_like.backend.numba_dialect.replacements import replace_missing
from tangent_like.backend.numba_dialect.rooms import hoist_rooms
from tangent_like.backend.numba_dialect.tapes import preallocate
from tangent_like.ir import Function
from tangent_like.simplify.dead import remove_dead

PASSES: tuple[Callable[[Function], Function], ...] = (
    count_loops, remove_dead, preallocate, hoist_rooms, remove_dead,
    replace_missing, change_views,
)  # fmt: skip
"""All passes of the dialect, in order."""
