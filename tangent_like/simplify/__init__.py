"""Simplification: each pass is a function from a Wengert list to an equivalent one."""

from __future__ import annotations

from collections.abc import Callable

from tangent_like.ir import Function
from tangent_like.simplify.dead import remove_dead
from tangent_like.simplify.in_place import update_in_place

Pass = Callable[[Function], Function]

PASSES: tuple[Pass, ...] = (remove_dead,)
"""All passes, in order, after which the list can still be differentiated."""

FINAL_PASSES: tuple[Pass, ...] = (*PASSES, update_in_place)
"""All passes, in order, before a list is printed: values may now be changed in place."""
