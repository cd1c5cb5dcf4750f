"""Names while a function is lowered: frames, what a name holds, and names a loop carries.

A `Frame` is one activation of a function.  Its `env` maps names to atoms and is copied and joined
at branches; a name that two branches bind to things that cannot be joined holds a `Conflict`, and
only reading it is an error.  Inside a loop a name that the body assigns holds a `Carried` until
it is read: only then does the loop carry it in.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tangent_like import ir
from tangent_like.errors import NOWHERE, NotYetSupported, Place
from tangent_like.facts import Fact
from tangent_like.ir import Atom

if TYPE_CHECKING:  # read when a function is compiled: it needs gast, which importing does not
    from tangent_like.frontend.source import Source


@dataclass(eq=False, slots=True)
class Carried:
    """A name that a loop body assigns, before the body has read or assigned it."""

    name: str
    fact: Fact
    leaves: list[ir.Value] = field(default_factory=list)
    atom: Atom | None = None
    key: Any = None
    """The name, or the buffer, under which the environment has it."""

    on_read: Callable[[list[ir.Value], Atom], None] | None = None
    """Called with the leaves, and the atom, when it is made."""


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """What a name holds where branches disagree in a way that cannot be joined."""

    name: str
    place: Place
    reason: str


Binding = ir.Value | ir.Const | Carried | Conflict


@dataclass(frozen=True, slots=True, eq=False)
class Home:
    """The view of a buffer that a value was; `root` is what the buffer held then.

    An item of a list is a view of it as long as its place holds the same item: where another one
    may be there, `slot` cannot be read any more.
    """

    buffer: Buffer
    path: tuple[ir.Op, ...]
    root: ir.Value
    slot: Buffer | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """How a sequence is read that shows what others hold (`live.show`)."""

    read: Callable[[], Atom]
    of: Sequence[Atom]
    """Whose items those are."""

    written: int
    """How often anything had been written into when it was read."""

    fixed: bool
    """Whether Python refuses that its length changes while a loop goes through it."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Where a value lives that is one of two, as `test` said at run time."""

    test: Atom
    then: Home | Chosen
    orelse: Home | Chosen

    def leaves(self) -> Iterator[Home]:
        """The homes of all that it may be."""
        for side in (self.then, self.orelse):
            yield from side.leaves() if isinstance(side, Chosen) else (side,)

    def mapped(
        self, change: Callable[[Home], Home], tests: Mapping[Atom, Any] | None = None
    ) -> Chosen:
        """The same choice of other homes, by other tests if there are some."""
        then, orelse = (
            side.mapped(change, tests) if isinstance(side, Chosen) else change(side)
            for side in (self.then, self.orelse)
        )
        return Chosen(tests[self.test] if tests else self.test, then, orelse)


@dataclass(eq=False, slots=True)
class Buffer:
    """Memory that may be written into: that of `root`, when nothing has been written yet.

    `tangled` are buffers that may share memory with this one in a way that is not known: a write
    to one makes the others unreadable.
    """

    root: ir.Value
    tangled: set[Buffer] = field(default_factory=set)
    holders: set[Buffer] = field(default_factory=set)
    """Lists that hold it: they change when it is written into, and it does not when they are."""

    held: set[Buffer] = field(default_factory=set)
    """Memory of its own that a list holds: a write through the list changes it."""

    left: set[Buffer] = field(default_factory=set)
    """Lists that it was taken out of: they hold it no more, though what they held may be it."""

    slots: list[tuple[int, Buffer]] = field(default_factory=list)
    """The items of a list that were read as views of it, each with the length of its path."""

    replaced: list[tuple[int, int, Conflict]] = field(default_factory=list)
    """When items were replaced: the depth of the list that holds them, the serial number of the
    next value, and what reading an item gives that was read before."""

    apart: bool | None = None
    """Whether the items of a list share no memory with one another; None where it was not asked."""

    arrays_shared: bool = False
    """Whether they share arrays only: its lists, dicts and objects are apart."""

    outside: bool = False
    """Whether it belongs to a global variable or closure."""

    @property
    def name(self) -> str:
        return self.root.name


class Cell(str):
    """The key of a variable that nested functions declare `nonlocal`: every call may change it,
    so it belongs to no frame alone."""

    name: str

    def __new__(cls, name: str) -> Cell:
        made = super().__new__(cls, f"%cell {next(_serials)} {name}")
        made.name = name
        return made


_serials = itertools.count(1)


Environment = dict[Any, Binding]
"""What names hold, and cells, and buffers."""


def found_too_late(what: str, place: Place = NOWHERE) -> NotYetSupported:
    """What is raised where a function is called that exists only while the code is compiled."""
    return NotYetSupported(
        f"calling {what}, made inside the function that is differentiated, where it is found only"
        " at run time among several things",
        place,
        "name it, or pick it by an `if` where it is called",
    )


@dataclass(frozen=True, slots=True, eq=False)
class LocalFunction:
    """A nested function or lambda: its tree and the frame that it closes over."""

    node: Any
    frame: Frame
    defaults: Mapping[str, Atom]
    name: str

    def __call__(self, *args: object) -> object:
        raise found_too_late(f"`{self.name}`", self.frame.source.place(self.node))


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """`grad(f)` and its like, made inside a function that is being lowered."""

    operator: str
    target: Any
    options: Mapping[str, Any]

    def __call__(self, *args: object) -> object:
        raise found_too_late(f"`{self.operator}` of a function")


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of two functions, or objects of different classes, chosen at run time by `test`;
    calling it branches."""

    test: Atom
    then: Atom
    orelse: Atom

    def __call__(self, *args: object) -> object:
        raise found_too_late("a choice")


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """An object of a library, such as what a solver returns, with attributes of its own: those
    in `known`; all others are read when the derivative runs, and are constant."""

    owner: Atom
    known: Mapping[str, Atom]

    def __getattr__(self, name: str) -> Atom:
        try:
            return self.known[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A function whose last arguments are given already."""

    function: Any
    last: tuple[Atom, ...]

    def __call__(self, *args: object) -> object:
        raise found_too_late("a bound function")


@dataclass(frozen=True, slots=True, eq=False)
class Managing:
    """A call of a function with `contextlib.contextmanager`, which `with` enters; `function` is
    the generator."""

    function: Any
    args: tuple[Atom, ...]
    keywords: Mapping[str, Atom]

    def __call__(self, *args: object) -> object:
        raise found_too_late("a context manager")


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A function of a class, bound to the object it was read from."""

    function: Any
    owner: Atom

    def __call__(self, *args: object) -> object:
        raise found_too_late("a bound method")


@dataclass(eq=False, slots=True)
class Frame:
    """One activation of a function while it is lowered."""

    source: Source
    node: Any
    env: dict[str, Binding]
    locals: frozenset[str]
    parent: Frame | None
    """The frame that a nested function closes over."""

    caller: Frame | None
    """The frame that calls; None for the function that is differentiated."""

    calls: tuple[Any, ...] = ()
    """The functions that are being inlined, outermost first."""

    size: int = 0
    """How many objects, dicts and tuples it was called with (`shrinking.size`)."""

    in_loop: bool = False
    cells: Mapping[str, Cell] = field(default_factory=dict)
    """The keys of local variables that functions defined inside may write."""

    captured: frozenset[str] = frozenset()
    """The names that functions defined inside may read."""

    called_at: Place | None = None
    """The place of the user's call, of a function that is not the user's."""

    read_late: frozenset[str] = frozenset()
    """The names that `finally` may read, also where the function has returned."""

    serial: int = field(default_factory=ir.next_serial)
