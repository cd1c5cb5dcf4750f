"""Iterators over other sequences: `zip`, `enumerate`, and those of `itertools`."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tangent_like import facts
from tangent_like.frontend import iterated, live
from tangent_like.frontend.application import Application, Handler
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import Endless, ItemsAct, Moment, Taken, refuse_changed
from tangent_like.frontend.protocols import call_special, class_of, is_protocol_object
from tangent_like.frontend.sequences import known_range
from tangent_like.ir import Atom, Const


def zipped(own: Application) -> Atom:
    strict = own.keywords.get("strict", Const(False))
    checked = not (isinstance(strict, Const) and not strict.value)

    def make() -> Atom:
        used = [own.sequence(atom) for atom in own.args if not _is_endless(atom)]
        if own.args and not used:
            raise own.refusal("`zip` of iterators without end", "loop over a range")
        if own.rows(used) is None:
            return _zipped_at_run_time(own, used, checked)
        if checked and len({len(own.items(sequence) or ()) for sequence in used}) > 1:
            raise own.refusal("`zip` of different lengths with `strict=`", "leave `strict` out")
        return own.shown(lambda: list(itertools.starmap(row, enumerate(own.rows_now(used)))), used)

    def row(place: int, items: Sequence[Atom]) -> Atom:
        return own.display(_beside(own, items, lambda one: one.item(Const(place))))

    return own.deferred(make)


def _is_endless(atom: Atom) -> bool:
    return isinstance(atom, Const) and isinstance(atom.value, Endless)


def _beside(
    own: Application, items: Sequence[Atom], of: Callable[[Endless], Atom]
) -> list[Atom]:
    """What stands for each argument: the items, and between them what `of` gives of iterators
    without end."""
    rest = iter(items)
    return [of(atom.value) if _is_endless(atom) else next(rest) for atom in own.args]  # type: ignore[union-attr]


def _zipped_at_run_time(own: Application, used: list[Atom], checked: bool) -> Atom:
    """Sequences side by side: those without end are as long as the shortest of the others."""
    if checked:
        used = [_indexed(own, sequence) for sequence in used]
        own.invoke(Const(iterated.check_lengths), used)
    if len(used) == len(own.args):
        return own.op(zip, *used)
    used = [_indexed(own, sequence) for sequence in used]
    places = _places(own, used)
    return own.op(zip, *_beside(own, used, lambda one: one.first(places, None)))


def _places(own: Application, used: Sequence[Atom]) -> Atom:
    """The numbers from 0 on, as many as the shortest of sequences is long."""
    lengths = [own.op(len, sequence) for sequence in used]
    return own.op(range, lengths[0] if len(lengths) == 1 else own.op(min, *lengths))


def _indexed(own: Application, sequence: Atom) -> Atom:
    """A sequence with a length and items by number."""
    if not isinstance(sequence.fact, (facts.Zip, facts.Unknown)):
        return sequence
    return own.looped([sequence], lambda row: row[0])


def _written(own: Application, generator: Any, *operands: Atom) -> Atom:
    """What a generator of `iterated` gives of operands."""
    own.read.extend(operands)
    return own.sequence(own.invoke(Const(generator), operands))


def enumerated(own: Application) -> Atom:
    start = own.argument(1, "start", Const(0))
    assert start is not None

    def make() -> Atom:
        sequence = own.sequence(own.args[0])
        if own.items(sequence) is not None:
            return own.shown(lambda: rows(sequence), [sequence])
        if isinstance(sequence.fact, facts.Zip):
            places = range(len(sequence.fact.sources))
            sequence = own.looped(
                [sequence], lambda row: own.display([own.item(row[0], k) for k in places])
            )
        return own.op(zip, _numbers(own, start, sequence), sequence)

    def rows(sequence: Atom) -> list[Atom]:
        numbers = (own.op(operator.add, start, Const(k)) for k in itertools.count())
        return [own.display(row) for row in zip(numbers, own.items_now(sequence))]

    return own.deferred(make)


def _numbers(own: Application, start: Atom, sequence: Atom) -> Atom:
    if isinstance(sequence.fact, (facts.Zip, facts.Unknown)):
        raise own.refusal(f"`enumerate` of {facts.describe(sequence.fact)}", "count along")
    length = own.op(len, sequence)
    if isinstance(start, Const) and start.value == 0:
        return own.op(range, length)
    return own.op(range, start, own.op(operator.add, length, start))


def arranged(own: Application) -> Atom:
    """Python's own function, on lists of atoms: it only arranges them.  Where a length is not known
    the generator that does the same."""

    def make() -> Atom:
        given = [atom if _is_number(atom) else own.sequence(atom) for atom in own.args]
        named = {key: getattr(atom, "value", _UNKNOWN) for key, atom in own.keywords.items()}
        if _UNKNOWN in (*_plain_ones(own, given), *named.values()):
            return _arranged_at_run_time(own, given, named)
        if own.function is itertools.chain:
            return _end_to_end(own, given)
        if own.function in _AT_ONCE:
            return own.display(_rows_of(own, given, named))
        return own.shown(lambda: _rows_of(own, given, named), given)

    if own.function not in _AT_ONCE:
        return own.deferred(make)
    made = make()
    return own.deferred(lambda: made)


_AT_ONCE = (
    itertools.product, itertools.combinations, itertools.combinations_with_replacement,
    itertools.permutations,
)  # fmt: skip
"""What these go through is read when they are called."""


def _end_to_end(own: Application, parts: Sequence[Atom]) -> Atom:
    """The items of sequences one after the other: none may become longer or shorter, since those
    behind it would stand elsewhere."""
    lengths = [len(own.items_now(part)) for part in parts]

    def read() -> list[Atom]:
        found = [own.items_now(part) for part in parts]
        if list(map(len, found)) != lengths:
            raise live.length_changes(own.state.place(own.node))
        return [item for items in found for item in items]

    return own.shown(read, parts)


def _rows_of(own: Application, given: Sequence[Atom], named: dict[str, Any]) -> list[Atom]:
    plain = _plain_ones(own, [fresh(own.state, atom, own.node) for atom in given])
    if _UNKNOWN in plain:
        raise live.length_changes(own.state.place(own.node))
    found = own.function(*plain, **named)
    return [own.display(row) if isinstance(row, tuple) else row for row in found]


def _plain_ones(own: Application, given: Sequence[Atom]) -> list[Any]:
    """The arguments as they are, and the atoms of sequences of known length."""
    return [_plain(own, atom) for atom in given]


_UNKNOWN = object()


def _is_number(atom: Atom) -> bool:
    if isinstance(atom, Const):
        return atom.value is None or isinstance(atom.value, int)
    return isinstance(atom.fact, facts.Scalar)


def _plain(own: Application, atom: Atom) -> Any:
    """An argument as it is, or the atoms of a sequence of known length."""
    if _is_number(atom):
        return atom.value if isinstance(atom, Const) else _UNKNOWN
    items = known_range(own.state, atom)
    items = own.items(atom) if items is None else items
    return _UNKNOWN if items is None else items


def _arranged_at_run_time(own: Application, given: list[Atom], named: dict[str, Any]) -> Atom:
    if own.function is itertools.chain:
        return _written(own, iterated.chained, *given)
    given = [atom if _is_number(atom) else _indexed(own, atom) for atom in given]
    if own.function is itertools.islice:
        return _written(own, iterated.part_of, *_bounds(own, given))
    if own.function is itertools.product:
        key, operands = len(given) * named.pop("repeat", 1), given * (2 if len(given) == 1 else 1)
        operands = given * (key // len(given))
    else:
        count = given[1] if len(given) > 1 else Const(named.pop("r", None))
        key, operands = getattr(count, "value", None), given[:1]
    generator = _AT_RUN_TIME.get((own.function, key))
    if generator is None or named:
        what = f"`{own.function.__name__}` of sequences whose length is known only at run time"
        raise own.refusal(what, "write the loops out")
    return _written(own, generator, *operands)


_AT_RUN_TIME: dict[Any, Any] = {
    (itertools.product, 2): iterated.pairs_of,
    (itertools.product, 3): iterated.triples_of,
    (itertools.combinations, 2): iterated.two_of,
    (itertools.combinations, 3): iterated.three_of,
    (itertools.combinations_with_replacement, 2): iterated.two_or_twice,
    (itertools.permutations, 2): iterated.two_in_order,
}
"""Generators by function and the number of sequences, or of items taken."""


def _bounds(own: Application, given: Sequence[Atom]) -> list[Atom]:
    """The operands of `islice` as sequence, start, stop, step."""
    sequence, *bounds = given
    start, stop, step = (Const(None), *bounds, Const(None), Const(None))[len(bounds) > 1 :][:3]
    stop = own.op(len, sequence) if _is_none(stop) else stop
    return [sequence, _or(start, 0), stop, _or(step, 1)]


def _is_none(atom: Atom) -> bool:
    return isinstance(atom, Const) and atom.value is None


def _or(atom: Atom, default: int) -> Atom:
    return Const(default) if _is_none(atom) else atom


def pairs(own: Application) -> Atom:
    """`pairwise`: also of arrays and lists, as they stand beside themselves."""

    def make() -> Atom:
        sequence = own.sequence(own.args[0])
        items = own.items(sequence)
        own.read.append(sequence)
        if items is not None:
            return own.display(list(map(own.display, itertools.pairwise(items))))
        shifted = own.op(operator.getitem, sequence, Const(slice(1, None)))
        return own.op(zip, own.op(operator.getitem, sequence, Const(slice(None, -1))), shifted)

    return own.deferred(make)


def repeated(own: Application) -> Atom:
    times, value = own.argument(1, "times"), own.args[0]
    if times is None:
        return Const(Endless(lambda place: value, functools.partial(_first, own, lambda k: value)))
    if isinstance(times, Const) and type(times.value) is int:
        return own.deferred(lambda: own.display([value] * times.value))
    return own.deferred(lambda: own.looped([own.op(range, times)], lambda row: value))


def counted(own: Application) -> Atom:
    """`count`."""
    start, step = (own.argument(k, n, Const(d)) for k, n, d in ((0, "start", 0), (1, "step", 1)))
    assert start is not None and step is not None

    def number(place: Atom) -> Atom:
        return own.op(operator.add, start, own.op(operator.mul, place, step))

    return Const(Endless(number, functools.partial(_first, own, number)))


def cycled(own: Application) -> Atom:
    """`cycle`."""
    sequence = _indexed(own, own.sequence(own.args[0]))

    def found(place: Atom) -> Atom:
        if fresh(own.state, sequence, own.node) is not sequence:
            raise own.refusal("`cycle` of what has been changed since", "cycle through a copy")
        turn = own.op(operator.mod, place, own.op(len, sequence))
        return own.op(operator.getitem, sequence, turn)

    return Const(Endless(found, functools.partial(_first, own, found), [sequence]))


def _first(own: Application, item: Any, places: Atom, count: int | None) -> Atom:
    """The first items of an iterator without end, one for each of the places."""
    if count is not None:
        return own.display([item(Const(k)) for k in range(count)])
    return own.looped([places], lambda row: item(row[0]))


def joined(own: Application) -> Atom:
    """`chain.from_iterable`."""

    def make() -> Atom:
        given = own.sequence(own.args[0])
        parts = own.items(given)
        inner = None if parts is None else [own.sequence(part) for part in parts]
        if inner is None or None in map(own.items, inner):
            return _written(own, iterated.chained_from, given)
        own.read.append(given)
        return _end_to_end(own, inner)

    return own.deferred(make)


def padded(own: Application) -> Atom:
    """`zip_longest`."""
    fill = own.keywords.get("fillvalue", Const(None))

    def make() -> Atom:
        used = [own.sequence(sequence) for sequence in own.args]
        if None not in map(own.items, used):
            return own.shown(lambda: list(map(own.display, longest(used))), used)
        if len(used) != 2:
            raise own.refusal("`zip_longest` of more than two", "zip them two by two")
        return _written(own, iterated.side_by_side, *(_indexed(own, a) for a in used), fill)

    def longest(used: Sequence[Atom]) -> Iterator[tuple[Atom, ...]]:
        return itertools.zip_longest(*map(own.items_now, used), fillvalue=fill)

    return own.deferred(make)


def accumulated(own: Application) -> Atom:
    step = own.argument(1, "func", Const(operator.add))
    start = own.keywords.get("initial")
    assert step is not None

    def make() -> Atom:
        given = own.sequence(own.args[0])
        items = own.items(given)
        if items is None and start is not None:
            return _written(own, iterated.totals_from, step, given, start)
        if items is None:
            before = Moment(own.state)
            made = _written(own, iterated.totals, step, _indexed(own, given))
            refuse_changed(own.state, own.node, [given], before)
            return made
        values = (row[0] for row in own.in_turn(given))
        return own.display(list(itertools.accumulate(values, added, initial=start)))

    def added(total: Any, item: Any) -> Any:
        assert step is not None
        return own.invoke(step, [total, item])

    return own.deferred(make, step)


_TESTED = {
    itertools.takewhile: iterated.taken_while,
    itertools.dropwhile: iterated.dropped_while,
    itertools.filterfalse: iterated.kept_unless,
    itertools.compress: iterated.selected,
}


def tested(own: Application) -> Atom:
    """Iterators over those items of another one for which a test holds."""
    first, second = own.args

    def make() -> Atom:
        one = own.sequence(first) if own.function is itertools.compress else first
        return _written(own, _TESTED[own.function], one, own.sequence(second))

    return own.deferred(make, first if own.function is not itertools.compress else None)


def following(own: Application) -> Atom:
    """`next` of an iterator that is made there, or used for nothing else: its first item."""
    given, *default = own.args
    if hasattr(class_of(given), "__next__") and not default:
        return call_special(own.state, own.node, "__next__", given)
    try:
        sequence = _indexed(own, own.sequence(given, Taken.SOME))
    except ItemsAct:
        search = given.value.search  # type: ignore[union-attr]
        if search is None or not default:
            raise
        found: Atom = search.lower(None, search.item, default[0])
        return found
    if not default:
        return own.invoke(Const(iterated.first_of), [sequence])
    return own.invoke(Const(iterated.first_or), [sequence, *default])


def backwards(own: Application) -> Atom | None:
    """`reversed`: a list is read from its end, from where it ended when this was called."""
    if is_protocol_object(own.args[0]):
        return None
    sequence = own.sequence(own.args[0])
    items = own.items(sequence)
    if items is None and not isinstance(sequence.fact, facts.ListOf):
        return None

    def read() -> list[Atom]:
        now = own.items_now(sequence)
        if len(now) < len(items or ()):
            raise live.length_changes(own.state.place(own.node))
        return now[len(items or ()) - 1 :: -1] if items else []

    def make() -> Atom:
        if items is not None:
            return own.shown(read, [sequence])
        own.read.append(sequence)
        now = fresh(own.state, sequence, own.node)
        return own.op(operator.getitem, now, Const(slice(None, None, -1)))

    return own.deferred(make)


HANDLERS: dict[Any, Handler] = {
    reversed: backwards,
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
    itertools.count: counted,
    itertools.cycle: cycled,
    **dict.fromkeys(_TESTED, tested),
    next: following,
}
