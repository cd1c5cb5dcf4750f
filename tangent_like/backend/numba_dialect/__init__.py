"""The Numba dialect: what Numba compiles, and compiles to fast code.

A derivative is the same Wengert list in both dialects; the passes here come last and rewrite what
Numba does not take.
"""

from __future__ import annotations

from collections.abc import Callable

from tangent_like.backend.numba_dialect.ascending import go_forwards
from tangent_like.backend.numba_dialect.buffers import hoist_buffers, keep_buffers
from tangent_like.backend.numba_dialect.contributions import add_directly
from tangent_like.backend.numba_dialect.fusion import fuse_arrays
from tangent_like.backend.numba_dialect.gathering import gather_at_uses
from tangent_like.backend.numba_dialect.loops import count_loops
from tangent_like.backend.numba_dialect.overlaps import copy_overlaps
from tangent_like.backend.numba_dialect.parts import change_views
from tangent_like.backend.numba_dialect.quotients import divide_as_numpy
from tangent_like.backend.numba_dialect.replacements import replace_missing
from tangent_like.backend.numba_dialect.reuse import reuse_arrays
from tangent_like.backend.numba_dialect.rooms import hoist_rooms
from tangent_like.backend.numba_dialect.shared_rooms import share_rooms
from tangent_like.backend.numba_dialect.table_tapes import read_tables
from tangent_like.backend.numba_dialect.tables import tabulate
from tangent_like.backend.numba_dialect.tapes import preallocate
from tangent_like.backend.numba_dialect.views import share_views
from tangent_like.backend.numba_dialect.zeros import keep_zeros
from tangent_like.ir import Function
from tangent_like.simplify.dead import remove_dead

PASSES: tuple[Callable[[Function], Function], ...] = (
    count_loops, remove_dead, preallocate, remove_dead, replace_missing, divide_as_numpy,
    gather_at_uses, change_views, add_directly, share_views, copy_overlaps, remove_dead,
    fuse_arrays, remove_dead, tabulate, remove_dead, read_tables, reuse_arrays, remove_dead,
    go_forwards, keep_zeros, keep_buffers, hoist_rooms, hoist_buffers, share_rooms,
    remove_dead,
)  # fmt: skip
"""All passes of the dialect, in order."""

FOR_PARALLEL = tuple(p for p in PASSES if p is not fuse_arrays)
"""Without loops over elements, where Numba itself runs operations on arrays in parallel."""
