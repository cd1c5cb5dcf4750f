"""Lengths that do not fit are noted while a derivative runs, and raise at its end.

    misfits = np.zeros(1, np.bool_)
    ...
    for i in range(if_fitting(len(x), step_of(len(w), len(x)), misfits)):
        ...
    check_lengths(misfits)

Meanwhile the loops that they belong to do nothing, and arrays hold what happens to be there.  Where
that could become an index, or keep a `while` loop going, each loop checks before it starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from tangent_like import effects, facts, ir
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Const, Function, Loop, Op, Value
from tangent_like.numba_runtime.lengths import check_lengths, if_fitting

effects.EFFECTS.add(check_lengths)


@dataclass(eq=False)
class Misfits:
    """The flag of a function, and whether its loops need not check before they start."""

    waits: bool
    flag: Value = field(default_factory=lambda: Value("misfits", facts.Array("bool", (1,))))
    used: bool = False

    def checked(self, builder: Builder, count: Atom, step: Atom) -> Atom:
        """How often a loop runs whose lengths gave this step."""
        self.used = True
        fitting = builder.op(if_fitting, (count, step, self.flag))
        if not self.waits:
            builder.append(self.check())
        return fitting

    def check(self) -> Op:
        return Op(Value("", facts.Opaque("NoneType")), check_lengths, (self.flag,), derivative=True)

    def around(self, function: Function) -> Function:
        """The function with the flag made where it begins, and looked at where it ends."""
        if not self.used:
            return function
        made = Op(self.flag, np.zeros, (Const(1), Const(np.bool_)), (), function.place, True)
        end = (self.check(),) if self.waits else ()
        body = Block((made, *function.body.statements, *end), function.body.results)
        return replace(function, body=body)


def may_wait(function: Function) -> bool:
    """Whether wrong numbers can do no harm in a function."""
    return not any(
        statement.iterable is None if isinstance(statement, Loop)
        else isinstance(statement, Op) and _counts(statement)
        for statement in ir.walk(function.body)
    )  # fmt: skip


def _counts(op: Op) -> bool:
    """Whether an operation makes whole numbers of floats."""
    whole = facts.dtype(op.result.fact) == "int64" and op.fn not in (len, np.size, np.ndim)
    return whole and any(facts.dtype(a.fact) not in ("int64", "bool", None) for a in op.atoms)
