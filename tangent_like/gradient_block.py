"""`with grad_of(x) as g:` code that is placed into the reverse sweep."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from types import FrameType, TracebackType
from typing import Any

from tangent_like import ir
from tangent_like.ir import Block, Value


class grad_of:
    """Code for the reverse sweep, written where the value stands in the primal.

        with tl.grad_of(x) as g:
            g = np.clip(g, -1.0, 1.0)

    In the derivative the block runs when the adjoint of `x` is known up to this line; what `g` is
    bound to at its end takes the place of the adjoint.  Called directly, and in forward mode, the
    block is skipped.
    """

    def __init__(self, x: Any):
        self.value = x

    def __enter__(self) -> None:
        # A context manager cannot skip its block; an exception at the block's first line can.
        self.frame = sys._getframe(1)
        self.before = sys.gettrace(), self.frame.f_trace
        sys.settrace(lambda frame, event, argument: None)
        self.frame.f_trace = self._skip

    def _skip(self, frame: FrameType, event: str, argument: Any) -> None:
        raise _Skip

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self.frame.f_trace = self.before[1]
        sys.settrace(self.before[0])
        return kind is _Skip


class _Skip(Exception):
    """Leaves the block of a `grad_of` in the primal."""


@dataclass(frozen=True, slots=True, eq=False)
class GradientBlock(ir.Hook):
    """The operation that is the identity in the primal and runs `block` in reverse.

    `seed` stands for the adjoint in the block, `params` for the operation's further operands.
    """

    seed: Value
    params: tuple[Value, ...]
    block: Block

    def __call__(self, x: object, *captured: object) -> object:
        return x


def without_gradient_blocks(block: Block) -> Block:
    """The block in which they are plain reads: their code has been placed."""
    found: list[ir.Statement] = []
    for s in block.statements:
        if isinstance(s, ir.If):
            then, orelse = map(without_gradient_blocks, (s.then, s.orelse))
            s = s if (then, orelse) == (s.then, s.orelse) else replace(s, then=then, orelse=orelse)
        elif isinstance(s, ir.Loop):
            body = without_gradient_blocks(s.body)
            s = s if body is s.body else replace(s, body=body)
        elif isinstance(s.fn, GradientBlock):
            s = replace(s, fn=ir.defined, args=s.args[:1])
        found.append(s)
    same = all(a is b for a, b in zip(found, block.statements))
    return block if same else Block(tuple(found), block.results)
