"""Statements of our own, lowered as if they stood where the user's call stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gast

from tangent_like.frontend.scope import Frame
from tangent_like.frontend.state import FALSE, Lowering
from tangent_like.ir import Atom


def run(state: Lowering, node: Any, names: Mapping[str, Atom], source: str) -> None:
    """A statement in a frame with these names, which may bind `key` and `item` besides."""
    outer = state.frame
    (statement,) = gast.parse(source).body
    for part in gast.walk(statement):
        gast.copy_location(part, node)
    env: dict[str, Any] = {"%left": FALSE, **names}
    local = frozenset({"key", "item", *names})
    state.frame = Frame(outer.source, node, env, local, outer, outer, outer.calls)
    try:
        state.statement(statement)
    finally:
        state.frame = outer
