"""Simplification: each pass is a function from a Wengert list to an equivalent one."""

from __future__ import annotations

from collections.abc import Callable

from tangent_like.ir import Function
from tangent_like.simplify.dead import remove_dead

PASSES: tuple[Callable[[Function], Function], ...] = (remove_dead,)
"""All passes, in order."""
