"""Simplification: each pass is a function from a Wengert list to an equivalent one."""

from __future__ import annotations

from collections.abc import Callable

from tangent_like.ir import Function
from tangent_like.simplify.adjacent import join_adjacent
from tangent_like.simplify.algebra import finish_algebra, simplify_algebra
from tangent_like.simplify.common import share_common
from tangent_like.simplify.congruent import merge_equal_variables
from tangent_like.simplify.copies import write_into_copies
from tangent_like.simplify.dead import remove_dead
from tangent_like.simplify.in_place import update_in_place
from tangent_like.simplify.invariant import drop_invariants
from tangent_like.simplify.inverses import share_inverses
from tangent_like.simplify.like_terms import collect_like_terms
from tangent_like.simplify.nested_places import add_where_rows_lie
from tangent_like.simplify.order import overwrite_late
from tangent_like.simplify.quotients import share_quotients
from tangent_like.simplify.scatters import gather_additions
from tangent_like.simplify.shapes import share_shapes
from tangent_like.simplify.side_by_side import narrow_loops
from tangent_like.simplify.spread import take_spread_items
from tangent_like.simplify.tapes import drop_unread_tapes

Pass = Callable[[Function], Function]

PASSES: tuple[Pass, ...] = (
    remove_dead,
    take_spread_items,
    drop_invariants,
    share_shapes,
    simplify_algebra,
    share_common,
    remove_dead,
    merge_equal_variables,
    collect_like_terms,
    remove_dead,
    share_quotients,
    share_inverses,
    add_where_rows_lie,
    gather_additions,
    finish_algebra,
    share_common,
    remove_dead,
    narrow_loops,
    remove_dead,
    join_adjacent,
    drop_unread_tapes,
    remove_dead,
    overwrite_late,
)
"""All passes, in order, after which the list can still be differentiated."""

FINAL_PASSES: tuple[Pass, ...] = (*PASSES, update_in_place, remove_dead)
"""All passes, in order, before a list is printed: values may now be changed in place."""

PLAIN_PASSES: tuple[Pass, ...] = (remove_dead, write_into_copies)
"""What has to be done before a list is printed that is not simplified."""
