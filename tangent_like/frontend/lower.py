"""Lower a function's syntax tree to a structured Wengert list.

    def f(x, n):                       f(x: float, n: int)
        for i in range(n):               1  range = range(n)
            if x > 4.0:                  2  x = loop i in range, x:
                break            ──▶     3      test = x > 4.0
            x = x * x                    4      go, x = if test:
        return x                                    yield False, x
                                                else:
                                         5          x = x * x
                                                    yield True, x
                                         return x

Lowering is an abstract interpretation: it knows the fact of every value while it goes, so that
calls are resolved and inlined, tuples dissolve into their items, and types decide what an
operation means.  Exits move the rest of the block into the other branch; what cannot be moved is
guarded by flags, which are names of their own in the environment:

    %left      control has left this block          %go        the loop goes on
    %returned  the function has returned            %value     what it returned
    %broke     the loop was left by `break` or `return`, so its `else` is skipped
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.build import Builder
from tangent_like.errors import NeverSupported, NotYetSupported, Place
from tangent_like.facts import Fact
from tangent_like.frontend import syntax
from tangent_like.frontend.expressions import lower_expression
from tangent_like.frontend.joins import join_environments
from tangent_like.frontend.kinds import with_fresh_sizes
from tangent_like.frontend.loops import (
    Iteration,
    Stop,
    lower_for,
    lower_iteration,
    lower_stop,
    lower_while,
)
from tangent_like.frontend.names import read_name
from tangent_like.frontend.scope import Defaults, External, Frame, Guard, LocalFunction
from tangent_like.frontend.source import Source, find_source
from tangent_like.ir import Atom, Const, Value

TRUE, FALSE = Const(True), Const(False)


@dataclass(eq=False, slots=True)
class Module:
    """What the functions of one generated module share while they are lowered."""

    derive: Callable[..., Any]
    """Differentiates a `Derived` where it is called (set by the pipeline)."""

    recurse: Callable[..., Atom]
    """Calls a function that is being lowered already (set by the pipeline)."""

    call_custom: Callable[..., Atom]
    """Calls a function whose derivative is given as functions (set by the pipeline)."""

    externals: dict[External, Value] = field(default_factory=dict)
    guards: dict[External | Defaults, Guard] = field(default_factory=dict)
    origins: dict[Const, External] = field(default_factory=dict)
    """Where objects known at compile time were read from."""
    procedures: dict[Any, ir.Procedure] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Lowering:
    """The state of lowering one function of the generated module."""

    module: Module
    builder: Builder
    frame: Frame
    prelude: list[ir.Statement] = field(default_factory=list)
    reads: dict[External, Value] = field(default_factory=dict)

    @property
    def guards(self) -> dict[External | Defaults, Guard]:
        return self.module.guards

    def place(self, node: Any) -> Place:
        return self.frame.source.place(node)

    def outer_display(self, display: Callable[..., Any], items: Sequence[Atom]) -> Atom:
        """A tuple or list of values that a loop carries, made where an iteration begins."""
        return self.builder.op(display, items)

    def read_external(self, external: External, value: object) -> Value:
        """The value of a global or cell, read once, when the derivative is called."""
        if external not in self.reads:
            fact = with_fresh_sizes(facts.of_constant(value))
            known = self.module.externals.setdefault(external, Value(external.name, fact))
            self.guards[external] = Guard(external, facts.of_constant(value))
            self.reads[external] = result = Value(external.name, known.fact)
            self.prelude.append(ir.Op(result, external, ()))
        return self.reads[external]


def lower_function(
    function: Any, param_facts: Sequence[Fact], module: Module, name: str = ""
) -> ir.Function:
    """The Wengert list of a Python function for parameters of the given facts."""
    source = find_source(function)
    params = [
        Value(node.id, fact)
        for node, fact in zip(
            syntax.parameter_nodes(source.tree.args), param_facts, strict=True
        )
    ]
    frame = new_frame(source, source.tree, dict(zip((p.name for p in params), params)), None, None)
    frame.calls = (function,)
    state = Lowering(module, Builder(), frame)
    result = lower_body(state)
    block = state.builder.finish((result,))
    body = ir.Block((*state.prelude, *block.statements), block.results)
    place = source.place(source.tree)
    return ir.Function(name or getattr(function, "__name__", "f"), tuple(params), body, place)


def new_frame(
    source: Source, node: Any, env: dict[str, Any], parent: Frame | None, caller: Frame | None
) -> Frame:
    calls = caller.calls if caller is not None else ()
    return Frame(source, node, env, syntax.local_names(node), parent, caller, calls)


def lower_body(state: Lowering) -> Atom:
    """Lower the body of the current frame's function; its return value."""
    node = state.frame.node
    if isinstance(node, gast.Lambda):
        return lower_expression(state, node.body)
    refuse_generators(state, node)
    state.frame.env.update({"%left": FALSE, "%returned": FALSE, "%value": ir.UNDEFINED})
    body = list(node.body)
    if syntax.may_fall_through(body):
        body.append(gast.copy_location(gast.Return(value=None), body[-1]))
    lower_statements(state, body)
    return read_name_flag(state, "%value", node)


def refuse_generators(state: Lowering, node: Any) -> None:
    if isinstance(node, gast.AsyncFunctionDef):
        raise NeverSupported("`async` functions", state.place(node), "a plain function")
    for inner in syntax.statements_below(node.body):
        if isinstance(inner, (gast.Yield, gast.YieldFrom, gast.Await)):
            raise NotYetSupported("generators", state.place(inner), "build and return a list")


def read_name_flag(state: Lowering, name: str, node: Any) -> Atom:
    """The atom of one of the flags, made definite where it is only maybe bound."""
    from tangent_like.frontend.names import read_binding

    return read_binding(state, state.frame, name, node)


def lower_statements(state: Lowering, statements: Sequence[Any]) -> None:
    """Lower statements in order; what follows a possible exit runs only if it was not taken."""
    for k, node in enumerate(statements):
        left = read_name_flag(state, "%left", node)
        if isinstance(left, Const):
            if left.value:
                return
        else:
            lower_branches(state, left, (), statements[k:], node, _NOT_LEFT)
            return
        if isinstance(node, gast.If) and _takes_rest(node):
            lower_if(state, node, statements[k + 1 :])
            return
        lower_statement(state, node)


def _takes_rest(node: Any) -> bool:
    return not (syntax.may_fall_through(node.body) and syntax.may_fall_through(node.orelse))


def lower_if(state: Lowering, node: Any, rest: Sequence[Any] = ()) -> None:
    """`if`; the statements after it move into the branch that can reach them."""
    test = lower_expression(state, node.test)
    then, orelse = list(node.body), list(node.orelse)
    if rest and syntax.may_fall_through(then):
        then += rest
    if rest and syntax.may_fall_through(orelse):
        orelse += rest
    lower_branches(state, test, then, orelse, node)


_NOT_LEFT: dict[str, Any] = {"%left": FALSE, "%go": TRUE, "%returned": FALSE, "%broke": FALSE}
"""What holds where control has not left the block."""


def lower_branches(
    state: Lowering,
    test: Atom,
    then: Sequence[Any],
    orelse: Sequence[Any],
    node: Any,
    in_else: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """An `If` of two statement lists; `in_else` are flags known where the test is false."""
    test = truth(state, test)
    if isinstance(test, Const):
        lower_statements(state, then if test.value else orelse)
        return
    state.builder.place = state.place(node)
    before = state.frame.env
    sides = []
    for statements, flags in ((then, {}), (orelse, in_else)):
        state.frame.env = {**before, **flags}
        block = state.builder.collect(lambda s=statements: lower_statements(state, s) or ())
        sides.append((block, state.frame.env))
    state.builder.place = state.place(node)
    state.frame.env = join_environments(state, test, *sides[0], *sides[1], node)


def truth(state: Lowering, test: Atom) -> Atom:
    """Compile-time truth where facts give it: None is false, a function is true."""
    if isinstance(test, Const):
        return Const(bool(test.value))
    if test.fact == facts.Opaque("NoneType"):
        return FALSE
    if isinstance(test.fact, (facts.Tuple, facts.List)):
        return Const(bool(test.fact.items))
    return test


def lower_statement(state: Lowering, node: Any) -> None:
    if isinstance(node, gast.AST):
        state.builder.place = state.place(node)
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise _refused(state, node)
    handler(state, node)


def _refused(state: Lowering, node: Any) -> NotYetSupported:
    what, instead = _REFUSALS.get(type(node).__name__, (type(node).__name__.lower(), ""))
    return NotYetSupported(what, state.place(node), instead)


_REFUSALS = {
    "Try": ("`try`", "test for the exceptional case with `if`"),
    "With": ("`with`", "move the block out of the differentiated function"),
    "ClassDef": ("a class defined inside a function", "define it at the top of the module"),
    "Global": ("`global`", "return the value instead of writing to a global"),
    "Nonlocal": ("`nonlocal`", "return the value instead of writing to an outer variable"),
    "Raise": ("`raise`", "check the arguments before the differentiated function"),
    "Assert": ("`assert`", "check the arguments before the differentiated function"),
    "Delete": ("`del`", "leave the name bound"),
    "Import": ("`import` inside a function", "import at the top of the module"),
    "ImportFrom": ("`import` inside a function", "import at the top of the module"),
    "Match": ("`match`", "use `if` and `elif`"),
    "AsyncFor": ("`async for`", "use a plain loop"),
}


def _lower_expression_statement(state: Lowering, node: Any) -> None:
    if not isinstance(node.value, gast.Constant):
        lower_expression(state, node.value)


def _lower_assign(state: Lowering, node: Any) -> None:
    value = lower_expression(state, node.value)
    for target in node.targets:
        bind(state, target, value)


def _lower_annotated(state: Lowering, node: Any) -> None:
    if node.value is not None:
        bind(state, node.target, lower_expression(state, node.value))


def _lower_augmented(state: Lowering, node: Any) -> None:
    if not isinstance(node.target, gast.Name):
        raise NotYetSupported(
            "writing into an array or object in place", state.place(node), "build a new array"
        )
    name = node.target.id
    old = read_name(state, name, node.target)
    if not isinstance(old.fact, (facts.Scalar, facts.Tuple, facts.Opaque)):
        raise NotYetSupported(
            f"`{name}` may be an array here, which this statement changes in place",
            state.place(node),
            f"write `{name} = {name} {_OPERATOR_SIGNS[type(node.op)]} ...`",
        )
    value = lower_expression(state, node.value)
    bind(state, node.target, binary(state, node, old, value))


def binary(state: Lowering, node: Any, left: Atom, right: Atom) -> Atom:
    """A binary operation; `+` and `*` of tuples and lists are worked out item by item."""
    place = state.place(node)
    if any(isinstance(a.fact, _SEQUENCES) for a in (left, right)):
        return _sequence_operation(state, node, left, right)
    return state.builder.op(BINARY[type(node.op)], (left, right), place=place)


_SEQUENCES = (facts.Tuple, facts.List, facts.ListOf)


def _sequence_operation(state: Lowering, node: Any, left: Atom, right: Atom) -> Atom:
    a, b = left.fact, right.fact
    if isinstance(node.op, gast.Add) and type(a) is type(b):
        if isinstance(a, (facts.Tuple, facts.List)):
            return _display(state, a, _items(state, left) + _items(state, right))
    if isinstance(node.op, gast.Mult):
        for sequence, count in ((left, right), (right, left)):
            known = isinstance(count, Const) and type(count.value) is int
            if known and isinstance(sequence.fact, (facts.Tuple, facts.List)):
                return _display(state, sequence.fact, _items(state, sequence) * count.value)  # type: ignore[union-attr]
    raise NotYetSupported(
        f"`{_OPERATOR_SIGNS[type(node.op)]}` of {facts.describe(a)} and {facts.describe(b)}",
        state.place(node),
        "make arrays with np.array, or write the items out",
    )


def _items(state: Lowering, sequence: Atom) -> list[Atom]:
    assert isinstance(sequence.fact, (facts.Tuple, facts.List))
    return [
        state.builder.op(operator.getitem, (sequence, Const(i)))
        for i in range(len(sequence.fact.items))
    ]


def _display(state: Lowering, like: Fact, items: Sequence[Atom]) -> Atom:
    display = ir.make_tuple if isinstance(like, facts.Tuple) else ir.make_list
    return state.builder.op(display, items, place=state.builder.place)


BINARY = {
    gast.Add: operator.add, gast.Sub: operator.sub, gast.Mult: operator.mul,
    gast.Div: operator.truediv, gast.FloorDiv: operator.floordiv, gast.Mod: operator.mod,
    gast.Pow: operator.pow, gast.MatMult: operator.matmul, gast.LShift: operator.lshift,
    gast.RShift: operator.rshift, gast.BitOr: operator.or_, gast.BitXor: operator.xor,
    gast.BitAnd: operator.and_,
}  # fmt: skip
_OPERATOR_SIGNS = {
    gast.Add: "+", gast.Sub: "-", gast.Mult: "*", gast.Div: "/", gast.FloorDiv: "//",
    gast.Mod: "%", gast.Pow: "**", gast.MatMult: "@", gast.LShift: "<<", gast.RShift: ">>",
    gast.BitOr: "|", gast.BitXor: "^", gast.BitAnd: "&",
}  # fmt: skip


def bind(state: Lowering, target: Any, value: Atom) -> None:
    """Assignment to a name, or to a tuple of targets."""
    if isinstance(target, gast.Name):
        state.frame.env[target.id] = named(value, target.id)
    elif isinstance(target, (gast.Tuple, gast.List)):
        _unpack(state, target, value)
    elif isinstance(target, gast.Starred):
        raise NotYetSupported("a starred target", state.place(target), "slice the sequence")
    else:
        what = "an array or container" if isinstance(target, gast.Subscript) else "an object"
        raise NotYetSupported(
            f"writing into {what} in place", state.place(target), "build a new one"
        )


def named(value: Atom, name: str) -> Atom:
    """The value under the user's name: a temporary takes it, a named value keeps its own."""
    if isinstance(value, Value) and not value.name:
        value.name = name
    return value


def _unpack(state: Lowering, target: Any, value: Atom) -> None:
    if any(isinstance(item, gast.Starred) for item in target.elts):
        raise NotYetSupported("a starred target", state.place(target), "slice the sequence")
    length = _length(value.fact)
    if length is not None and length != len(target.elts):
        raise NeverSupported(
            f"unpacking {length} values into {len(target.elts)} names", state.place(target)
        )
    if length is None:
        value = state.builder.op(ir.unpack, (value, Const(len(target.elts))))
    items = [
        state.builder.op(operator.getitem, (value, Const(i))) for i in range(len(target.elts))
    ]
    for inner, item in zip(target.elts, items):
        bind(state, inner, item)


def _length(fact: Fact) -> int | None:
    if isinstance(fact, (facts.Tuple, facts.List)):
        return len(fact.items)
    return None


def _lower_return(state: Lowering, node: Any) -> None:
    value = Const(None) if node.value is None else lower_expression(state, node.value)
    state.frame.env["%value"] = value
    state.frame.env.update({"%returned": TRUE, "%go": FALSE, "%broke": TRUE, "%left": TRUE})


def _lower_break(state: Lowering, node: Any) -> None:
    state.frame.env.update({"%go": FALSE, "%broke": TRUE, "%left": TRUE})


def _lower_continue(state: Lowering, node: Any) -> None:
    state.frame.env["%left"] = TRUE


def _lower_function_definition(state: Lowering, node: Any) -> None:
    if node.decorator_list:
        raise NotYetSupported(
            "a decorated nested function", state.place(node), "define it at the top of the module"
        )
    function = local_function(state, node, node.name)
    state.frame.env[node.name] = Const(function)


def local_function(state: Lowering, node: Any, name: str) -> LocalFunction:
    """A nested function as a compile-time constant; its defaults are evaluated here."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = list(zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults))
    pairs += [p for p in zip(arguments.kwonlyargs, arguments.kw_defaults) if p[1] is not None]
    defaults = {param.id: lower_expression(state, default) for param, default in pairs}
    return LocalFunction(node, state.frame, defaults, name)


_HANDLERS: dict[type, Callable[[Lowering, Any], None]] = {
    gast.Assign: _lower_assign,
    gast.AnnAssign: _lower_annotated,
    gast.AugAssign: _lower_augmented,
    gast.Expr: _lower_expression_statement,
    gast.Return: _lower_return,
    gast.Break: _lower_break,
    gast.Continue: _lower_continue,
    gast.Pass: lambda state, node: None,
    gast.If: lower_if,
    gast.For: lower_for,
    gast.While: lower_while,
    gast.FunctionDef: _lower_function_definition,
    Iteration: lower_iteration,
    Stop: lower_stop,
}
