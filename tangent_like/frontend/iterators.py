"""Iterators over other sequences: `zip`, `enumerate`, and those of `itertools`."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

from tangent_like import facts
from tangent_like.frontend.application import Application, Handler
from tangent_like.ir import Atom, Const


def zipped(own: Application) -> Atom:
    def make() -> Atom:
        used = [own.sequence(sequence) for sequence in own.args]
        rows = own.rows(used)
        if rows is not None:
            return own.display([own.display(row) for row in rows])
        if own.keywords:
            raise own.refusal("`zip` with `strict=`", "leave it out")
        return own.op(zip, *used)

    return own.deferred(make)


def enumerated(own: Application) -> Atom:
    start = own.argument(1, "start", Const(0))
    assert start is not None

    def make() -> Atom:
        sequence = own.sequence(own.args[0])
        items = own.items(sequence)
        if items is not None:
            numbers = [own.op(operator.add, start, Const(i)) for i in range(len(items))]
            return own.display([own.display(row) for row in zip(numbers, items)])
        if isinstance(sequence.fact, facts.Zip):
            places = range(len(sequence.fact.sources))
            sequence = own.looped(
                [sequence], lambda row: own.display([own.item(row[0], k) for k in places])
            )
        return own.op(zip, _numbers(own, start, sequence), sequence)

    return own.deferred(make)


def _numbers(own: Application, start: Atom, sequence: Atom) -> Atom:
    if isinstance(sequence.fact, (facts.Zip, facts.Unknown)):
        raise own.refusal(f"`enumerate` of {facts.describe(sequence.fact)}", "count along")
    length = own.op(len, sequence)
    if isinstance(start, Const) and start.value == 0:
        return own.op(range, length)
    return own.op(range, start, own.op(operator.add, length, start))


def arranged(own: Application) -> Atom:
    """Python's own function, on lists of atoms: it only arranges them."""

    def make() -> Atom:
        plain = [_plain(own, atom) for atom in own.args]
        named = {key: _plain(own, atom) for key, atom in own.keywords.items()}
        found = own.function(*plain, **named)
        return own.display([own.display(a) if isinstance(a, tuple) else a for a in found])

    return own.deferred(make)


def _plain(own: Application, atom: Atom) -> Any:
    """An argument as it is, or the atoms of a sequence."""
    if isinstance(atom, Const) and isinstance(atom.value, (int, type(None))):
        return atom.value
    return own.known(atom)


def pairs(own: Application) -> Atom:
    """`pairwise`: also of arrays and lists, as they stand beside themselves."""

    def make() -> Atom:
        sequence = own.sequence(own.args[0])
        items = own.items(sequence)
        if items is not None:
            return own.display([own.display(pair) for pair in itertools.pairwise(items)])
        shifted = own.op(operator.getitem, sequence, Const(slice(1, None)))
        return own.op(zip, own.op(operator.getitem, sequence, Const(slice(None, -1))), shifted)

    return own.deferred(make)


def repeated(own: Application) -> Atom:
    times = own.argument(1, "times")
    if not (isinstance(times, Const) and type(times.value) is int):
        raise own.refusal("`repeat` for a count known only at run time", "loop over a range")
    return own.deferred(lambda: own.display([own.args[0]] * times.value))


def joined(own: Application) -> Atom:
    """`chain.from_iterable`."""

    def make() -> Atom:
        parts = [own.known(part) for part in own.known(own.args[0])]
        return own.display(list(itertools.chain(*parts)))

    return own.deferred(make)


def padded(own: Application) -> Atom:
    """`zip_longest`."""
    fill = own.keywords.get("fillvalue", Const(None))

    def make() -> Atom:
        columns = [own.known(sequence) for sequence in own.args]
        return own.display([own.display(r) for r in _longest(columns, fill)])

    return own.deferred(make)


def _longest(columns: Sequence[Sequence[Atom]], fill: Atom) -> list[tuple[Atom, ...]]:
    return list(itertools.zip_longest(*columns, fillvalue=fill))


def accumulated(own: Application) -> Atom:
    step = own.argument(1, "func", Const(operator.add))
    start = own.keywords.get("initial")
    assert step is not None

    def make() -> Atom:
        items = [*([] if start is None else [start]), *own.known(own.args[0])]
        totals = itertools.accumulate(items, lambda total, item: own.invoke(step, [total, item]))
        return own.display(list(totals))

    return own.deferred(make, step)


HANDLERS: dict[Any, Handler] = {
    zip: zipped,
    enumerate: enumerated,
    itertools.chain: arranged,
    itertools.product: arranged,
    itertools.combinations: arranged,
    itertools.combinations_with_replacement: arranged,
    itertools.permutations: arranged,
    itertools.islice: arranged,
    itertools.pairwise: pairs,
    itertools.repeat: repeated,
    itertools.chain.from_iterable: joined,
    itertools.zip_longest: padded,
    itertools.accumulate: accumulated,
}
