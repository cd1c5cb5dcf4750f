"""An array that each iteration makes anew, element by element from the one before it, is one array.

    for k in range(n):                        for k in range(n):
        y = np.empty(len(x))                      for j in range(len(x)):
        for j in range(len(x)):       ──▶             x[j] = w[k] * x[j]
            y[j] = w[k] * x[j]
        x = y

An element may be overwritten where it has been read: in the same iteration of the inner loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tangent_like import ir
from tangent_like.analysis.memory import allocates
from tangent_like.backend.numba_dialect.buffers import by_elements
from tangent_like.backend.numba_dialect.lanes import set_element
from tangent_like.backend.numba_dialect.rebuild import followed, rebuilt
from tangent_like.ir import Atom, Block, Function, Loop, Op, Statement, Value

Reads = Counter[Atom]


def reuse_arrays(function: Function) -> Function:
    reads = Counter(ir.atoms_in(function.body))
    table: dict[Value, Atom] = {}
    spared: set[Statement] = set()
    for block in ir.blocks_in(function.body):
        for k, loop in enumerate(block.statements):
            if isinstance(loop, Loop):
                for made, *same in reused(loop, block.statements[:k], reads):
                    spared.add(made)
                    table.update(dict.fromkeys(same[1:], same[0]))
    kept = rebuilt(function, lambda statement: () if statement in spared else (statement,))
    return replace(kept, body=ir.substitute(kept.body, followed(table)))


def reused(
    loop: Loop, before: Sequence[Statement], reads: Reads
) -> Iterator[tuple[Op, Value, Value, Value, Value]]:
    """For each array that a loop can keep: the operation that made another in each iteration, the
    array that the loop starts from, and what it is called in the loop and after it."""
    rows = zip(loop.inits, loop.params, loop.nexts, loop.results, strict=True)
    for init, param, following, result in rows:
        made = maker(following, loop.body.statements)
        if made is None or made.fn is not np.empty or made.result.fact != param.fact:
            continue
        if is_own(init, before, reads) and replaces(made.result, param, loop, reads):
            assert isinstance(init, Value)
            init.name = init.name or param.name
            yield made, init, param, made.result, result


def maker(atom: Atom, statements: Sequence[Statement]) -> Op | None:
    """The operation among the statements that makes a value."""
    found = (s for s in statements if isinstance(s, Op) and s.result is atom)
    return next(found, None)


def is_own(init: Atom, before: Sequence[Statement], reads: Reads) -> bool:
    """Whether nothing but a loop holds the array that it starts from."""
    made = maker(init, before)
    if made is None or not (made.fn is np.empty or allocates(made)):
        return False
    return reads[init] == 1 + len(element_ops(init, before))


def element_ops(array: Atom, statements: Sequence[Statement]) -> list[Op]:
    """The operations on single elements of an array in and below the statements."""
    found = (s for s in ir.walk(Block(tuple(statements), ())) if isinstance(s, Op))
    return [op for op in found if op.args and op.args[0] is array and by_elements(op)]


def replaces(new: Value, old: Value, loop: Loop, reads: Reads) -> bool:
    """Whether one statement of a loop's body writes each element of an array `new` after all that
    is read of the same element of `old`."""
    statements = loop.body.statements
    writing = [k for k, s in enumerate(statements) if not isinstance(s, Op) and writes(new, s)]
    if len(writing) != 1 or loop.nexts.count(new) != 1:
        return False
    (k,) = writing
    inside = [s for s in ir.walk(Block((statements[k],), ())) if isinstance(s, Loop)]
    inner = [s for s in inside if any(element_ops(a, (s,)) for a in (old, new))]
    if not all(writes_last(new, old, s) for s in inner):
        return False
    olds = element_ops(old, statements[: k + 1])
    news = element_ops(new, statements[k:])
    return reads[old] == len(olds) and reads[new] == len(news) + 1


def writes(array: Value, statement: Statement) -> bool:
    return any(op.fn is set_element for op in element_ops(array, (statement,)))


def writes_last(new: Value, old: Value, loop: Loop) -> bool:
    """Whether each iteration reads and changes one element of `old`, and then writes that of
    `new`."""
    ops = [s for s in loop.body.statements if isinstance(s, Op)]
    ours = [op for op in ops if by_elements(op) and op.args[0] in (old, new) and op.fn is not len]
    count = sum(len(element_ops(a, (loop,))) for a in (old, new))
    at_item = all(op.args[1] is loop.item for op in ours)
    at = [k for k, op in enumerate(ours) if op.fn is set_element and op.args[0] is new]
    if len(ours) != count or not at_item or len(at) != 1:
        return False
    return all(op.args[0] is old for op in ours[: at[0]]) and all(
        op.args[0] is new for op in ours[at[0] :]
    )
