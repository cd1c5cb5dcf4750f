"""The structured Wengert list: what every pass reads and writes.

    function  ::=  name, params, body
    block     ::=  statement*  results
    statement ::=  result = fn(args, keywords)                        Op
                |  results = if test: block else: block               If
                |  results = loop iterable, inits -> (item, params) block   Loop
    atom      ::=  Value | Const

Each operation defines a new value once (SSA).  The blocks of an `If` and a `Loop` may use every
value of the blocks around them.  A loop's body yields the next values of what it carries; where
`exits` is set its first result says whether to go on.  A `while` loop has no iterable.
`fn` is the callable itself (`numpy.sin`, `operator.add`), or a `Procedure` of the same module.
Values are told apart by identity; nodes are immutable.
"""

from __future__ import annotations

import itertools
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.errors import NOWHERE, Place
from tangent_like.facts import Fact
from tangent_like.nodes import node

_serials = itertools.count()


def next_serial() -> int:
    """The number that tells values made from here on from those made before."""
    return next(_serials)


@dataclass(slots=True, eq=False)
class Value:
    """A value of the program.

    `name` is the user's name for it; a temporary has "" and takes the first name it is bound to.
    """

    name: str
    fact: Fact
    serial: int = field(default_factory=next_serial)
    """Values made later have larger numbers."""

    def __repr__(self) -> str:
        return f"<{self.name or 'value'}: {facts.show(self.fact)}>"


_STEADY = frozenset({float, int, bool, complex, str, slice, type(None), types.FunctionType})
"""Types of constants whose fact is asked for often and stays as it is."""


@node(frozen=True, slots=True, eq=False)
class Const:
    """A value known at compile time: a number, a string, a function, a module."""

    value: Any
    _fact: Fact | None = field(default=None, init=False)

    @property
    def fact(self) -> Fact:
        if self._fact is not None:
            return self._fact
        fact = facts.of_constant(self.value)
        if type(self.value) in _STEADY:
            object.__setattr__(self, "_fact", fact)
        return fact

    def __repr__(self) -> str:
        return repr(self.value)


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Const(_Undefined())

Atom = Value | Const


@node(frozen=True, slots=True, eq=False)
class Op:
    """`derivative` tells what a rule or a sweep made from what the user wrote: the user's own
    operations are never rewritten, so that the primal keeps its values to the last bit."""

    result: Value
    fn: Callable[..., object]
    args: tuple[Atom, ...]
    keywords: tuple[tuple[str, Atom], ...] = ()
    place: Place = NOWHERE
    derivative: bool = False

    @property
    def atoms(self) -> tuple[Atom, ...]:
        if not self.keywords:
            return self.args
        return self.args + tuple(atom for _, atom in self.keywords)


@node(frozen=True, slots=True, eq=False)
class If:
    """`spelling` is "if", or how an expression spelled it: "ifexp", "and", "or".

    `mirror` links a statement of a reverse sweep to what it mirrors, until that is recorded.
    """

    results: tuple[Value, ...]
    test: Atom
    then: Block
    orelse: Block
    place: Place = NOWHERE
    spelling: str = "if"
    mirror: Any = None


@node(frozen=True, slots=True, eq=False)
class Loop:
    """`item` is the loop variable; `params` carry the values that start as `inits` and end as
    `results`; with `exits` the body's first result says whether to go on.
    """

    results: tuple[Value, ...]
    iterable: Atom | None
    item: Value | None
    inits: tuple[Atom, ...]
    params: tuple[Value, ...]
    body: Block
    exits: bool = False
    place: Place = NOWHERE
    mirror: Any = None

    @property
    def nexts(self) -> tuple[Atom, ...]:
        """What the body hands to the next iteration, aligned with `params`."""
        return self.body.results[1:] if self.exits else self.body.results


Statement = Op | If | Loop


@node(frozen=True, slots=True, eq=False)
class Block:
    """Statements in order, and what the block hands out."""

    statements: tuple[Statement, ...]
    results: tuple[Atom, ...]


@node(frozen=True, slots=True, eq=False)
class Function:
    """A function of the generated module."""

    name: str
    params: tuple[Value, ...]
    body: Block
    place: Place = NOWHERE
    doc: str = ""


@dataclass(eq=False, slots=True)
class Procedure:
    """A function of the generated module that operations can call; set once, so that it can call
    itself."""

    name: str
    function: Function | None = None
    result: Fact = field(default_factory=facts.Unknown)
    derived: dict[Any, Any] = field(default_factory=dict)
    """Procedures derived from this one: tangents and pairs, by what is active."""

    def __call__(self, *args: object) -> object:
        raise TypeError(f"{self.name} exists in generated code only")


class Hook:
    """Marks operations that are the identity and leave something in the reverse sweep."""

    __slots__ = ()


def make_tuple(*items: object) -> tuple[object, ...]:
    """The operation behind a tuple display."""
    return items


def make_list(*items: object) -> list[object]:
    """The operation behind a list display."""
    return list(items)


def blocks_of(statement: Statement) -> tuple[Block, ...]:
    if isinstance(statement, Op):
        return ()
    return (statement.then, statement.orelse) if isinstance(statement, If) else (statement.body,)


def defined_by(statement: Statement) -> tuple[Value, ...]:
    """The values that a statement defines in its own block."""
    return (statement.result,) if isinstance(statement, Op) else statement.results


def items_and_params(loop: Loop) -> tuple[Value, ...]:
    """The values that a loop defines for its body."""
    return loop.params if loop.item is None else (*loop.params, loop.item)


def read_by(statement: Statement) -> tuple[Atom, ...]:
    """The atoms that a statement itself reads, leaving out those inside its blocks."""
    if isinstance(statement, Op):
        return statement.atoms
    if isinstance(statement, If):
        return (statement.test,)
    return statement.inits if statement.iterable is None else (statement.iterable, *statement.inits)


def walk(block: Block) -> Iterator[Statement]:
    """Every statement in and below the block, outer ones first; without recursion, which would
    take as long again for each block around."""
    pending = [iter(block.statements)]
    while pending:
        for statement in pending[-1]:
            yield statement
            if not isinstance(statement, Op):
                inner = (nested.statements for nested in blocks_of(statement))
                pending.append(chain.from_iterable(inner))
                break
        else:
            pending.pop()


def blocks_in(block: Block) -> Iterator[Block]:
    """The block and all below it."""
    yield block
    for statement in walk(block):
        yield from blocks_of(statement)


def atoms_in(block: Block) -> list[Atom]:
    """Every atom that is read in and below the block, as often as it is read."""
    found = list(block.results)
    for statement in walk(block):
        found += read_by(statement)
        if not isinstance(statement, Op):
            for inner in blocks_of(statement):
                found += inner.results
    return found


def with_operands(op: Op, table: Mapping[Value, Atom]) -> Op:
    """The operation with operands replaced as the table says; itself where that is the same."""
    if not table or table.keys().isdisjoint(op.atoms):
        return op
    args = replaced(op.args, table)
    named = tuple((key, replaced((atom,), table)[0]) for key, atom in op.keywords)
    return Op(op.result, op.fn, args, named, op.place, op.derivative)


def replaced(atoms: tuple[Atom, ...], table: Mapping[Value, Atom]) -> tuple[Atom, ...]:
    """The atoms with values replaced as the table says."""
    if not table or table.keys().isdisjoint(atoms):
        return atoms
    return tuple(table.get(a, a) if isinstance(a, Value) else a for a in atoms)


def count_uses(block: Block) -> Counter[Atom]:
    """How often each atom is read in and below the block."""
    return Counter(atoms_in(block))


def free_values(block: Block, bound: tuple[Value, ...] = ()) -> dict[Value, None]:
    """The values of surrounding blocks that the block uses, in order of first use."""
    inside: set[Atom] = set(bound)
    used: dict[Value, None] = {}

    def visit(inner: Block) -> None:
        for statement in inner.statements:
            note(read_by(statement))
            if isinstance(statement, Op):
                inside.add(statement.result)
                continue
            if isinstance(statement, Loop):
                inside.update(statement.params)
                if statement.item is not None:
                    inside.add(statement.item)
            for nested in blocks_of(statement):
                visit(nested)
            inside.update(statement.results)
        note(inner.results)

    def note(atoms: tuple[Atom, ...]) -> None:
        if not inside.issuperset(atoms):
            used.update((a, None) for a in atoms if isinstance(a, Value) and a not in inside)

    visit(block)
    return used


def defined(value: object) -> object:
    """The operation that reads a name which may be unbound; generated code just reads it."""
    return value


def live(value: object) -> object:
    """The operation that reads a name which is unbound only where the function has returned."""
    return value


# A stretch of statements that generated code prints inside `with` or `try`.


def enter(manager: object) -> None:
    """The operation that begins `with manager:`."""


def leave() -> None:
    """The operation that ends a `with`."""


def enter_try(file: str, line: int, function: str, *kinds: type[BaseException]) -> None:
    """The operation that begins a `try` whose handlers for these kinds are not differentiated."""


def leave_try() -> None:
    """The operation that ends a `try`."""


def keep(value: object) -> None:
    """The operation that keeps the one which made the value, since it may raise."""


REGIONS = {enter: leave, enter_try: leave_try}
"""The operations that begin a region, each with the one that ends it."""


def unpack(items: Any, count: int) -> tuple[Any, ...]:
    """The operation behind `a, b = items` where the length of `items` is not known."""
    values = tuple(items)
    if len(values) != count:
        few = "not enough" if len(values) < count else "too many"
        raise ValueError(f"{few} values to unpack (expected {count})")
    return values


def unbound(name: str) -> object:
    """The operation that reads a name which is never bound where it is read."""
    raise UnboundLocalError(f"cannot access local variable {name!r}")


def missing(name: str) -> object:
    """The operation that reads a name which is nowhere."""
    raise NameError(f"name {name!r} is not defined")


def fail(error: Any, *cause: Any) -> None:
    """The operation behind `raise error from cause`; what follows it is never reached."""
    if cause:
        raise error from cause[0]
    raise error


# The tape: a list that grows in the forward sweep and shrinks in the reverse sweep.  `new_tape`
# is told what it will hold by the fact of its result.


def new_tape() -> list[Any]:
    """An empty tape."""
    return []


def push(tape: list[Any], value: object) -> None:
    """Save a value for the reverse sweep."""
    tape.append(value)


def pop(tape: list[Any]) -> Any:
    """The value saved last, taken off the tape."""
    return tape.pop()


def freeze(tape: list[Any]) -> list[Any]:
    """A tape as a list that is only read from here on."""
    return tape


def thaw(items: list[Any]) -> list[Any]:
    """A tape that holds the items of a list."""
    return list(items)


def flip(tape: list[Any]) -> None:
    """Turn a tape back to front."""
    tape.reverse()


# A tape whose length is known before it is filled may be an array: one place for each iteration.


def reserve(length: Any, dtype: type) -> Any:
    """A tape with room for `length` values (a number, or one for each loop around a push)."""
    return np.empty(length, dtype)


def put(tape: Any, index: Any, value: object) -> None:
    """Save a value in the place of its iteration."""
    tape[index] = value


def fetch(tape: Any, index: Any) -> Any:
    """The value that was saved in an iteration."""
    return tape[index]


def components(iterable: Atom | None, definitions: Mapping[Value, Op]) -> tuple[Atom, ...]:
    """The iterables that a loop goes through side by side: those of a `zip`, or the one."""
    if iterable is None:
        return ()
    definition = definitions.get(iterable) if isinstance(iterable, Value) else None
    return definition.args if definition is not None and definition.fn is zip else (iterable,)


def refreshed(block: Block, table: dict[Value, Atom]) -> Block:
    """A copy of the block with new values for all that it defines; `table` replaces others."""

    def new(values: tuple[Value, ...]) -> tuple[Value, ...]:
        made = tuple(Value(v.name, v.fact) for v in values)
        table.update(zip(values, made))
        return made

    def visit(statement: Statement) -> Statement:
        shell = substitute(Block((statement,), ()), table).statements[0]
        if isinstance(shell, Op):
            return replace(shell, result=new((shell.result,))[0])
        if isinstance(shell, If):
            then, orelse = refreshed(shell.then, table), refreshed(shell.orelse, table)
            return replace(shell, results=new(shell.results), then=then, orelse=orelse)
        item = None if shell.item is None else new((shell.item,))[0]
        params = new(shell.params)
        body = refreshed(shell.body, table)
        return replace(shell, results=new(shell.results), item=item, params=params, body=body)

    statements = tuple(map(visit, block.statements))
    return Block(statements, substitute(Block((), block.results), table).results)


def with_blocks(statement: Statement, change: Callable[[Block], Block]) -> Statement:
    """The statement with each of its blocks changed; an operation has none."""
    if isinstance(statement, If):
        return replace(statement, then=change(statement.then), orelse=change(statement.orelse))
    if isinstance(statement, Loop):
        return replace(statement, body=change(statement.body))
    return statement


def without(block: Block, leaves_out: Callable[[Op], bool]) -> Block:
    """The block without some of the operations in and below it."""

    def inside(inner: Block) -> Block:
        return without(inner, leaves_out)

    kept = (s for s in block.statements if not (isinstance(s, Op) and leaves_out(s)))
    return Block(tuple(with_blocks(s, inside) for s in kept), block.results)


def map_loops(block: Block, change: Callable[[Loop], Loop]) -> Block:
    """The block with each loop in and below it changed, inner ones first."""

    def changed(statement: Statement) -> Statement:
        made = with_blocks(statement, lambda inner: map_loops(inner, change))
        return change(made) if isinstance(made, Loop) else made

    return Block(tuple(map(changed, block.statements)), block.results)


def substitute(block: Block, table: Mapping[Value, Atom]) -> Block:
    """The block with values replaced where they are read; definitions stay."""
    if not table:
        return block

    def visit(statement: Statement) -> Statement:
        if isinstance(statement, Op):
            return with_operands(statement, table)
        if isinstance(statement, If):
            return replace(
                statement,
                test=replaced((statement.test,), table)[0],
                then=substitute(statement.then, table),
                orelse=substitute(statement.orelse, table),
            )
        iterable = statement.iterable and replaced((statement.iterable,), table)[0]
        return replace(
            statement,
            iterable=iterable,
            inits=replaced(statement.inits, table),
            body=substitute(statement.body, table),
        )

    return Block(tuple(map(visit, block.statements)), replaced(block.results, table))


def rename(block: Block, table: Mapping[Value, Value]) -> Block:
    """The block with other values for results of operations, where defined and where read."""
    if not table:
        return block

    def visit(inner: Block) -> Block:
        return Block(tuple(map(defined_anew, inner.statements)), inner.results)

    def defined_anew(statement: Statement) -> Statement:
        if isinstance(statement, Op):
            result = table.get(statement.result)
            return statement if result is None else replace(statement, result=result)
        return with_blocks(statement, visit)

    return visit(substitute(block, table))
