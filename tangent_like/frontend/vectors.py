"""Calls of `np.cross`: of vectors of two numbers its result has an axis less.

How long vectors are is rarely known, so a helper looks at them when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.operations import operation
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom
from tangent_like.rules import registry


def _cross(
    state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    usual = len(args) == 2 and not keywords
    lengths = [dims[-1] for dims in map(_dims, args) if dims] if usual else []
    if 2 in lengths:
        raise NotYetSupported(
            "`cross` of vectors of two numbers", state.place(node),
            "write x[0] * w[1] - x[1] * w[0]",
        )  # fmt: skip
    function = np.cross if lengths == [3, 3] else runtime.cross
    return operation(state, node, function, args, keywords)


def _dims(atom: Atom) -> tuple[facts.Dim, ...] | None:
    fact = atom.fact
    if isinstance(fact, (facts.Tuple, facts.List)):
        of_numbers = all(isinstance(item, facts.Scalar) for item in fact.items)
        return (len(fact.items),) if of_numbers else None
    return facts.dims(fact)


def register() -> None:
    """Say how these calls are lowered."""
    registry.calls[np.cross] = _cross
