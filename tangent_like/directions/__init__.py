"""Many directions at once (vector mode): a list for one direction becomes one for a stack of them.

    dy = dx[1:] * c            dy = dx[:, 1:] * c                dx of shape (k, n)
    s = np.sum(dy)             s = np.sum(dy, axis=(1,))         s of shape (k,)
    z = A @ s                  z = s @ A.T

A stack has one axis more, the first.  What does not depend on the directions stays as it is and is
computed once for all of them.  A Jacobian or Hessian is one call instead of one for each column.
Where an operation has no form for stacks, or ranks are not known, `NotStackable` is raised, and
the directions are taken one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tangent_like.build import Builder
from tangent_like.directions.forms import FORMS, elementwise
from tangent_like.directions.stacking import Stacking, stack_fact
from tangent_like.ir import Function, Value, rename


def stacked(function: Function, directions: Sequence[Value]) -> Function:
    """The function with stacks for some parameters, and for all of its result."""
    stacks = [Value(d.name, stack_fact(d.fact)) for d in directions]
    builder = Builder(derivative=True)
    count = builder.op(len, (stacks[0],))
    change = Stacking(
        builder, count, dict(zip(directions, stacks, strict=True)), FORMS, elementwise
    )
    change.run(function.body)
    results = tuple(map(change.lifted_whole, function.body.results))
    table: dict[Value, Value] = dict(zip(directions, stacks, strict=True))
    params = tuple(table.get(p, p) for p in function.params)
    body = rename(builder.finish(results), change.tapes)
    return replace(function, params=params, body=body)
