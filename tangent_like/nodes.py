"""Classes whose objects are made by the thousand and never change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as node
else:
    from dataclasses import dataclass

    def node(*, frozen: bool, eq: bool = True, **options: Any) -> Any:
        """`dataclass`, but that nodes are frozen is left to the type checker: a frozen one takes
        five times as long to make, and a compilation makes thousands."""
        return dataclass(eq=eq, unsafe_hash=eq, **options)


__all__ = ["node"]
