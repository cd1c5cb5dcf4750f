"""Recursive functions that write into their arguments.

    def f(v, k):             def f(v, k):                  result, v2 = f(v1, k)
        if k > 0:                ...                       the buffer of v holds v2
            v[k] *= v[k - 1]     return (result, v)
            f(v, k - 1)

The procedure also returns the arrays that it was given and has written into, as they are then.
Which ones it writes into is guessed first (none), confirmed or tried again.  Inside it they share
no memory with its other arguments, so calls for which that is not known are refused.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported, Place
from tangent_like.frontend.homes import buffers_of, choice_of, home_of, may_share
from tangent_like.frontend.joins import settled
from tangent_like.frontend.memory import is_listed, set_held
from tangent_like.frontend.scope import Conflict
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import write
from tangent_like.ir import Atom, Const, Procedure, Value


def written_by(procedure: Procedure) -> tuple[int, ...]:
    """The numbers of the parameters that a procedure writes into, as far as is known."""
    found: tuple[int, ...] = procedure.derived.get("written", ())
    return found


def with_written(
    inner: Lowering, procedure: Procedure, params: Sequence[Value], result: Atom, mark: int
) -> Atom:
    """The result, with the parameters that were written into, as they are then; `inner` has lowered
    the body.  Values from before it have serial numbers below `mark`."""
    known = {*written_by(procedure)}
    for buffer, now in inner.memory.items():
        if buffer.root.serial >= mark or now is buffer.root:
            continue
        plain = buffer.root in params and isinstance(buffer.root.fact, facts.Array)
        if not plain or isinstance(now, Conflict):
            raise NeverSupported(
                f"writing into `{buffer.name}` in a function that calls itself",
                inner.place(inner.frame.node), "write into a copy",
            )  # fmt: skip
        known.add(params.index(buffer.root))
    procedure.derived["written"] = tuple(sorted(known))
    if not known:
        return result
    memory = (inner.memory.get(home_of(inner, params[k]).buffer, params[k]) for k in sorted(known))
    arrays = [settled(inner, now) for now in memory]
    return inner.builder.op(ir.make_tuple, (result, *arrays))  # type: ignore[arg-type]


def refuse_unconfirmed(procedure: Procedure, place: Place) -> None:
    """Raise where it was not found out what a procedure returns that writes into its arguments."""
    if written_by(procedure):
        raise NotYetSupported(
            "a function that calls itself, writes into its arguments and returns various things",
            place, "return nothing, or one kind of thing",
        )  # fmt: skip


def taken_over(
    state: Lowering, node: object, procedure: Procedure, args: Sequence[Atom], result: Atom
) -> Atom:
    """What a call gives, where the arguments that it has written into hold what it left in them."""
    written = written_by(procedure)
    if not written:
        return result
    for k in written:
        _refuse_shared(state, node, args, k)
    op = state.builder.op
    parts = [op(operator.getitem, (result, Const(k))) for k in range(len(written) + 1)]
    for k, part in zip(written, parts[1:]):
        array = args[k]
        assert isinstance(array, Value)
        home = home_of(state, array)
        if home.path or home.buffer.outside or choice_of(state, array) is not None:
            write(state, node, array, Const(...), part)
        else:
            set_held(state, home.buffer, part, state.place(node))
    return parts[0]


def _refuse_shared(state: Lowering, node: object, args: Sequence[Atom], k: int) -> None:
    """Refuse a call with an array that it writes into and others may share memory with."""
    own = set(buffers_of(state, args[k]))
    others = {b for i, arg in enumerate(args) if i != k for b in buffers_of(state, arg)}
    if may_share(own, others) or any(is_listed(state, b) or b.holders for b in own):
        raise NotYetSupported(
            "a function that calls itself and writes into an array that may share memory with "
            "another argument", state.place(node), "pass a copy: `.copy()`",
        )  # fmt: skip
