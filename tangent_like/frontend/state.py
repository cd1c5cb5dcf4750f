"""The state that lowering carries through the syntax tree.

Expressions, calls and loops hold one another, so lowering them goes in circles, and imports must
not: each module of lowering knows this one, and reaches the others through `Lowering.expression`
and `Lowering.statement`.  `nested.new_module` puts in what they call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tangent_like import facts, ir
from tangent_like.build import Builder
from tangent_like.errors import Place
from tangent_like.frontend.externals import MISSING, Definition, External, Guard, Layout
from tangent_like.frontend.kinds import with_fresh_sizes
from tangent_like.frontend.learnt import Learnt
from tangent_like.frontend.scope import (
    Binding,
    Buffer,
    Cell,
    Chosen,
    Conflict,
    Environment,
    Frame,
    Home,
    Live,
)
from tangent_like.ir import Atom, Const, Value

TRUE, FALSE = Const(True), Const(False)


@dataclass(eq=False, slots=True)
class Module:
    """What the functions of one generated module share while they are lowered."""

    lower_expression: Callable[[Lowering, Any], Atom]
    lower_statement: Callable[[Lowering, Any], None]

    derive: Callable[..., Any]
    """Differentiates a `Derived` where it is called."""

    recurse: Callable[..., Atom]
    """Calls a function that is being lowered already."""

    call: Callable[..., Atom]
    """Calls what an atom stands for."""

    call_custom: Callable[..., Atom]
    """Calls a function whose derivative is given as functions."""

    externals: dict[External, Value] = field(default_factory=dict)
    guards: dict[External | Definition | Layout, Guard] = field(default_factory=dict)
    origins: dict[Const, External] = field(default_factory=dict)
    """Where objects known at compile time were read from."""
    procedures: dict[Any, ir.Procedure] = field(default_factory=dict)

    read_around: dict[ir.Procedure, Around] = field(default_factory=dict)
    """What the bodies of recursive functions read when they were lowered."""

    written_out: int = 0
    """How many calls of functions from within themselves were inlined."""

    def rely_on(self, function: Any) -> None:
        """Assume that a function stays as it is."""
        definition = Definition(function)
        self.guards[definition] = Guard(definition, None, definition.read())


@dataclass(eq=False, slots=True)
class Around:
    """What the body of a recursive function reads of what is around the place where it is called
    first."""

    state: Lowering

    since: int
    """The serial number of the last value of `state`: the values and frames of the body are
    newer."""

    values: dict[Value, Atom] = field(default_factory=dict)
    """What older values are at the call."""

    made: dict[Value, Value] = field(default_factory=dict)
    """What was made there to read these, and of which value."""

    names: dict[tuple[Frame, str], Binding] = field(default_factory=dict)
    """What names of older frames hold at the call."""

    cells: dict[Cell, None] = field(default_factory=dict)
    """The `nonlocal` variables that the body reads or writes, which are no parameters yet."""

    asked: dict[Value, None] = field(default_factory=dict)
    """The structures of which calls in the body write parts."""


@dataclass(eq=False, slots=True)
class Lowering:
    """The state of lowering one function of the generated module."""

    module: Module
    builder: Builder
    frame: Frame
    prelude: list[ir.Statement] = field(default_factory=list)
    reads: dict[External, Value] = field(default_factory=dict)
    memory: dict[Buffer, Any] = field(default_factory=dict)
    """What each buffer that was written into holds now."""

    cells: dict[Cell, Binding] = field(default_factory=dict)
    """What the variables hold that nested functions may write."""

    homes: dict[Value, Home] = field(default_factory=dict)
    """Where values live (`memory.home_of` fills it)."""

    choices: dict[Value, Chosen] = field(default_factory=dict)
    """Where the results of branches live that are one of several arrays."""

    live: dict[Value, Live] = field(default_factory=dict)
    """Sequences that show what others hold, as they do now."""

    resized: list[Buffer] = field(default_factory=list)
    """The lists and dicts that were made to hold other items, in turn."""

    element_views: set[Buffer] = field(default_factory=set)
    """Buffers of which an element was read with `...`: NumPy gives a view without axes, which
    counts as a number here, so that nothing may be written into them."""

    changed: dict[Value, Buffer] = field(default_factory=dict)
    """Arguments without axes to which something was added by `+=` and the like: an array is
    changed by it, a number bound anew.  The buffer says since where on the way."""

    params: frozenset[Value] = frozenset()
    """The arrays among the arguments of the function that is differentiated, or in them."""

    stands_for: dict[Value, Atom] = field(default_factory=dict)
    """What the parameters of functions are that are differentiated inside."""

    in_order: set[Value] = field(default_factory=set)
    """Those, and arrays from outside, whose elements have to lie in order: they are written into
    in another shape."""

    listed: set[Buffer] = field(default_factory=set)
    """Buffers that lists of unknown length may hold: which ones is not known, so that a write to
    one makes the others unreadable."""

    lists: set[Buffer] = field(default_factory=set)
    """Those lists."""

    unreadable: tuple[int, Conflict] | None = None
    """Since when items that were read of such lists are: values with a smaller serial number."""

    apart: set[Value] = field(default_factory=set)
    """Tapes of which each item was made anew when it was pushed."""

    mingled: list[Buffer] = field(default_factory=list)
    """The lists that were found to hold what others hold too."""

    written: int = 0
    """How often something was written into."""
    iteration: int = 0
    """The serial number of the first value of the innermost loop's body."""

    loops: int = 0
    """How many loops of generated code are around what is being lowered."""

    turns_names: bool = False
    """Whether loops carry names of arrays from around them as numbers (`turning.py`)."""

    handled: tuple[type[BaseException], ...] = ()
    """What the handlers around take, inside the body of a `try`."""

    around: Around | None = None
    """What is around the recursive function whose body is lowered here."""

    learnt: Learnt = field(default_factory=Learnt)
    """What is known of the loops in the body that is being lowered."""

    @property
    def guards(self) -> dict[External | Definition | Layout, Guard]:
        return self.module.guards

    def scope(self) -> Environment:
        """What names, cells and buffers hold here."""
        return {**self.frame.env, **self.cells, **self.memory}

    def enter(self, scope: Environment) -> None:
        """Go on with what names, cells and buffers hold somewhere."""
        self.frame.env, self.cells, self.memory = {}, {}, {}
        for key, binding in scope.items():
            self.table_of(key)[key] = binding

    def table_of(self, key: Any) -> dict[Any, Any]:
        """Where it stands what a name, a cell or a buffer holds."""
        if isinstance(key, Buffer):
            return self.memory
        return self.cells if isinstance(key, Cell) else self.frame.env

    def place(self, node: Any) -> Place:
        """The place of a node; in functions of our own that of the user's call."""
        frame: Frame | None = self.frame
        while frame is not None and frame.source is self.frame.source:
            if frame.called_at is not None:
                return frame.called_at
            frame = frame.caller
        return self.frame.source.place(node)

    def expression(self, node: Any) -> Atom:
        """Lower an expression; its operations are appended in Python's order."""
        return self.module.lower_expression(self, node)

    def statement(self, node: Any) -> None:
        """Lower one statement, which may change the frame's environment."""
        self.module.lower_statement(self, node)

    def outer_display(self, display: Callable[..., Any], items: Sequence[Atom]) -> Atom:
        """A tuple or list of values that a loop carries, made where an iteration begins."""
        return self.builder.op(display, items)

    def note_missing(self, external: External) -> None:
        """Assume that a name outside stays unbound."""
        self.guards[external] = Guard(external, None, MISSING)

    def read_external(self, external: External, value: object) -> Value:
        """The value of a global or cell, read once, when the derivative is called."""
        if external not in self.reads:
            fact = with_fresh_sizes(facts.of_constant(value))
            known = self.module.externals.setdefault(external, Value(external.name, fact))
            self.guards[external] = Guard(external, facts.of_constant(value))
            self.reads[external] = result = Value(external.name, known.fact)
            self.prelude.append(ir.Op(result, external, ()))
        return self.reads[external]
