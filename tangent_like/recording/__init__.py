"""Decide how each value of the forward sweep reaches the reverse sweep.

    for i in range(n):                          x_tape = []
        x = r * x * (1 - x)                     for i in range(n):
    --- reverse, with free references             x_tape.append(x)
    for ... backwards:                 ──▶          x = r * x * (1 - x)
        br += bx * x{of the iteration} ...      for x in reversed(x_tape):
                                                    br += bx * x * ...

Innermost blocks first, for each value that a mirrored block reads and that its own iteration
defined: a value outside all loops is in scope (a branch hands it out); a cheap expression is
computed again; everything else is pushed where it is defined and popped where it is read.
Loops run backwards over the iterable, over a tape, or over a counter.
"""

from tangent_like.recording.recorder import Joint, record

__all__ = ["Joint", "record"]
