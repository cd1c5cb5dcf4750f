"""From a Wengert list to the syntax tree of a Python function.

Values become variables again (see `naming`), single-use operations move into expressions (see
`inline`), loops that leave early get their `break` back.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.analysis.lifetimes import lifetimes, unpacked_items
from tangent_like.backend import naming
from tangent_like.backend.aliases import without_aliases
from tangent_like.backend.changes import (
    STATEMENTS,
    changing_call,
    scatter_form,
    store_statements,
    view_steps,
)
from tangent_like.backend.indices import with_own_indices
from tangent_like.backend.inline import Inlined, choose_inlined
from tangent_like.backend.nodes import (
    LATER_FIELDS,
    assertion,
    assign,
    complex_number,
    flat_bool,
    if_,
    is_assertion,
    number,
    placed,
    range_into_header,
)
from tangent_like.backend.references import References
from tangent_like.backend.remarks import with_remarks
from tangent_like.backend.spelling import (
    call,
    is_sign,
    spell,
    tuple_of,
)
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Statement, Value
from tangent_like.stores import Store


@dataclass(frozen=True, slots=True, eq=False)
class Emitted:
    tree: ast.FunctionDef
    names: dict[Value, str]


def emit(
    function: Function, refs: References, defaults: dict[Value, object], typed: bool = False
) -> Emitted:
    """The syntax tree of a function; `defaults` are the default values of parameters.  With `typed`
    a name is given to values of one type only, as Numba wants it."""
    function = with_own_indices(without_aliases(function))
    inlined = choose_inlined(function, naming.is_in_place)
    lives = lifetimes(function, inlined, naming.is_in_place)
    groups = naming.Groups(lives, set(inlined))
    naming.coalesce(function, groups)
    emitter = Emitter(inlined, refs)
    emitter.uses = _count_readings(function)
    reserved = set(refs.namespace) | emitter.reserve(function)
    emitter.names = naming.assign_names(function, groups, lives, reserved, typed)
    return Emitted(emitter.function(function, defaults), emitter.names)


def _count_readings(function: Function) -> Counter[Atom]:
    """How often each value is read in what is printed."""
    kept = (s.args for s in ir.walk(function.body) if isinstance(s, Op) and s.fn is ir.keep)
    return ir.count_uses(function.body) - Counter(itertools.chain.from_iterable(kept))


def _gives_nothing(function: Function) -> bool:
    """Whether a function is there for what it may raise."""
    (result,) = function.body.results if len(function.body.results) == 1 else (None,)
    return isinstance(result, Const) and result.value is None


class Emitter:
    """Printing one function, once names and inlining are decided."""

    def __init__(self, inlined: Inlined, refs: References):
        self.inlined = inlined
        self.refs = refs
        self.uses: Counter[Any] = Counter()
        self.names: dict[Value, str] = {}
        self.targets: set[Value] = set()
        """Values that are targets of the loop they belong to, not statements."""

    @property
    def unused(self) -> str:
        """The name of a loop variable that is not read: `_`, unless the user has one."""
        taken = {*self.names.values(), *self.refs.namespace}
        return "_" if "_" not in taken else next(n for n in _UNUSED if n not in taken)

    def reserve(self, function: Function) -> set[str]:
        """Claim the names of everything outside that the function will refer to."""
        for statement in ir.walk(function.body):
            if not isinstance(statement, Op) or is_sign(statement.fn):
                continue
            if isinstance(statement.fn, Store):
                self.reserve_steps(statement)
            else:
                if statement.fn is ir.enter_try:
                    self.refs.function(runtime.handler_refused)
                    self.refs.namespace.setdefault("error", None)
                if statement.fn in ir.REGIONS or statement.fn in ir.REGIONS.values():
                    continue
                if statement.fn in STATEMENTS:
                    self.reserve_scatter(statement)
                    continue
                args: list[ast.expr] = [ast.Constant(None) for _ in statement.args]
                spell(statement, args, {}, self.refs)
        for builtin in ("range", "reversed", "zip", "len", "slice"):
            self.refs.builtin(builtin)
        for atom in ir.atoms_in(function.body):
            if isinstance(atom, Const) and atom is not ir.UNDEFINED:
                self.atom(atom)
        return set(self.refs.namespace)

    def reserve_steps(self, op: Op) -> None:
        assert isinstance(op.fn, Store)
        for step in view_steps(op):
            if step.fn is not operator.getitem:
                spell(step, [ast.Constant(None) for _ in step.args], {}, self.refs)

    def reserve_scatter(self, op: Op) -> None:
        if op.fn is runtime.scatter_add_into and scatter_form(op) != "augmented":
            self.refs.function(np.add if scatter_form(op) == "at" else op.fn)

    def function(self, function: Function, defaults: dict[Value, Any]) -> ast.FunctionDef:
        body: list[ast.stmt] = []
        if function.doc:
            body.append(ast.Expr(ast.Constant(function.doc)))
        body += with_remarks(self.statements(function.body.statements, None))
        if not body or not _gives_nothing(function):
            body += self.returns(function.body.results)
        arguments = [ast.arg(self.names[p]) for p in function.params]
        values = [ast.Constant(defaults[p]) for p in function.params if p in defaults]
        signature = ast.arguments([], arguments, None, [], [], None, values)  # type: ignore[arg-type]
        return ast.FunctionDef(
            function.name, signature, body, [], None, None, **LATER_FIELDS
        )

    def returns(self, results: Sequence[Atom]) -> list[ast.stmt]:
        values = [self.atom(atom) for atom in results]
        if len(values) == 1:
            return [ast.Return(values[0])]
        return [ast.Return(tuple_of(values))]

    # --- expressions ------------------------------------------------------------------------

    def atom(self, atom: Atom) -> ast.expr:
        if isinstance(atom, Const):
            return self.constant(atom.value)
        inner = self.inlined.get(atom)
        if isinstance(inner, Op):
            return self.operation(inner)
        if inner is not None:
            return self.choice(inner)
        return ast.Name(self.names[atom], ast.Load())

    def operation(self, op: Op) -> ast.expr:
        args = [self.atom(a) for a in op.args]
        keywords = {key: self.atom(a) for key, a in op.keywords}
        return spell(op, args, keywords, self.refs)

    def choice(self, statement: If) -> ast.expr:
        """`a if c else b`, `a and b`, `a or b`."""
        then, orelse = self.atom(statement.then.results[0]), self.atom(statement.orelse.results[0])
        test = self.atom(statement.test)
        if statement.spelling == "and" and statement.orelse.results == (statement.test,):
            return flat_bool(ast.And(), test, then)
        if statement.spelling == "or" and statement.then.results == (statement.test,):
            return flat_bool(ast.Or(), test, orelse)
        return ast.IfExp(test, then, orelse)

    def constant(self, value: Any) -> ast.expr:
        if type(value) in (int, float):
            return number(value, self.refs)
        if isinstance(value, np.generic):
            return self.constant(value.item())
        if isinstance(value, slice):
            parts = [self.constant(v) for v in (value.start, value.stop, value.step)]
            return call(ast.Name("slice", ast.Load()), parts)
        if type(value) is tuple:
            return tuple_of([self.constant(v) for v in value])
        if type(value) is list:
            return ast.List([self.constant(v) for v in value], ast.Load())
        if type(value) is complex:
            return complex_number(value, self.refs)
        if value is None or isinstance(value, (bool, int, float, str, bytes, type(...))):
            return ast.Constant(value)
        return self.refs.function(value)

    # --- statements -------------------------------------------------------------------------

    def statements(self, statements: Iterable[Statement], loop: Loop | None) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        around: list[tuple[Op, list[ast.stmt]]] = []
        for statement in statements:
            if isinstance(statement, Op) and statement.fn in ir.REGIONS:
                around.append((statement, found))
                found = []
            elif isinstance(statement, Op) and statement.fn in ir.REGIONS.values():
                opening, before = around.pop()
                found = [*before, *self.region(opening, found)]
            else:
                found += self.statement(statement, loop)
                if isinstance(statement, Loop) and self.uses[statement.iterable] == 1:
                    range_into_header(found)
        return found

    def region(self, opening: Op, body: list[ast.stmt]) -> list[ast.stmt]:
        """`with manager:`, or a `try` whose handler says that it is not differentiated."""
        if not body:
            return []
        if opening.fn is ir.enter:
            return [ast.With([ast.withitem(self.atom(opening.args[0]), None)], body)]
        atoms = [self.atom(a) for a in opening.args]
        place, kinds = atoms[:3], atoms[3:]
        refusal = call(self.refs.function(runtime.handler_refused), place)
        kind = kinds[0] if len(kinds) == 1 else tuple_of(kinds)
        refuse = ast.Raise(refusal, ast.Name("error", ast.Load()))
        return [ast.Try(body, [ast.ExceptHandler(kind, "error", [refuse])], [], [])]

    def statement(self, statement: Statement, loop: Loop | None) -> list[ast.stmt]:
        if isinstance(statement, Op):
            hidden = statement.result in self.inlined or statement.result in self.targets
            return [] if hidden else self.assignment(statement)
        if isinstance(statement, If):
            if statement.results and statement.results[0] in self.inlined:
                return []
            return self.branch(statement, None)
        return self.loop(statement)

    def assignment(self, op: Op) -> list[ast.stmt]:
        if isinstance(op.fn, Store):
            return store_statements(self, op)
        special = STATEMENTS.get(op.fn) if getattr(type(op.fn), "__hash__", None) else None
        if special is not None:
            statements: list[ast.stmt] = special(self, op)
            return statements
        if op.fn in naming.IN_PLACE:
            return changing_call(self, op)
        value = self.operation(op)
        unread = not self.uses[op.result]  # it is there for what it may raise
        if op.result.fact == facts.NONE or (unread and isinstance(value, ast.Call)):
            return [placed(ast.Expr(value), op)]
        name = self.unused if unread else self.names[op.result]
        if op.fn in _AUGMENTED and self.continues(op, name) and isinstance(value, ast.BinOp):
            target = ast.Name(name, ast.Store())
            return [placed(ast.AugAssign(target, value.op, value.right), op)]
        return [placed(assign(name, value), op)]

    def continues(self, op: Op, name: str) -> bool:
        """Whether `name = name + rest` may be written `name += rest`: numbers never share."""
        first = op.args[0]
        if not isinstance(first, Value) or first in self.inlined:
            return False
        return self.names[first] == name and all(facts.is_scalar(a.fact) for a in op.args)

    def branch(self, statement: If, exits: Loop | None) -> list[ast.stmt]:
        """`if`; `exits` is the loop that it may leave, as the last statement of its body."""
        if self.as_expression(statement) and exits is None:
            value = self.choice(statement)
            return [placed(assign(self.names[statement.results[0]], value), statement)]
        then = self.side(statement.then, statement.results)
        orelse = self.side(statement.orelse, statement.results)
        if statement.spelling == "assert" and is_assertion(then, orelse):
            return [assertion(self.atom(statement.test), orelse[0])]
        return [placed(node, statement) for node in if_(self.atom(statement.test), then, orelse)]

    def as_expression(self, statement: If) -> bool:
        if statement.spelling == "if" or len(statement.results) != 1:
            return False
        return all(
            v in self.inlined
            for block in (statement.then, statement.orelse)
            for s in block.statements
            for v in (ir.defined_by(s) or (statement.results[0],))
        )

    def side(self, block: Block, targets: Sequence[Value]) -> list[ast.stmt]:
        return [*self.statements(block.statements, None), *self.copies(targets, block.results)]

    def copies(self, targets: Sequence[Value], sources: Sequence[Atom]) -> list[ast.stmt]:
        """The assignments by which values flow into results, all at once where they cross."""
        pairs = []
        for target, source in zip(targets, sources):
            if source is ir.UNDEFINED:
                continue
            value = self.atom(source)
            name = self.names[target]
            if not (isinstance(value, ast.Name) and value.id == name):
                pairs.append((name, value))
        written = {name for name, _ in pairs}
        crossing = len(pairs) > 1 and any(
            isinstance(part, ast.Name) and part.id in written
            for _, value in pairs
            for part in ast.walk(value)
        )
        if not crossing:
            return [assign(name, value) for name, value in pairs]
        targets_node = ast.Tuple([ast.Name(name, ast.Store()) for name, _ in pairs], ast.Store())
        return [ast.Assign([targets_node], tuple_of([value for _, value in pairs]))]

    # --- loops ------------------------------------------------------------------------------

    def loop(self, loop: Loop) -> list[ast.stmt]:
        before = self.copies(loop.params, loop.inits)
        test, statements = self.while_test(loop)
        tail = self.tail(loop, statements, loop.body.results, outer=True)
        if loop.iterable is None:
            node: ast.stmt = ast.While(test, tail or [ast.Pass()], [])
        else:
            target, body = self.target(loop, tail)
            node = ast.For(target, self.atom(loop.iterable), body or [ast.Pass()], [])
        return [*before, placed(node, loop)]

    def while_test(self, loop: Loop) -> tuple[ast.expr, Sequence[Statement]]:
        """`while test:` where the body is one branch on an expression; else `while True:`."""
        body = loop.body
        last = body.statements[-1] if body.statements else None
        if loop.iterable is None and isinstance(last, If) and body.results[0] in last.results:
            place = last.results.index(body.results[0])
            leaving = last.orelse.results[place]
            inner = all(
                v in self.inlined for s in body.statements[:-1] for v in ir.defined_by(s)
            )
            if inner and isinstance(leaving, Const) and leaving.value is False:
                if not last.orelse.statements and not self.leaving_copies(loop, last):
                    return self.atom(last.test), ()
        return ast.Constant(True), body.statements

    def leaving_copies(self, loop: Loop, last: If) -> list[ast.stmt]:
        table = dict(zip(last.results, last.orelse.results))
        nexts = [table.get(a, a) if isinstance(a, Value) else a for a in loop.nexts]
        return self.copies(loop.params, nexts)

    def target(self, loop: Loop, body: list[ast.stmt]) -> tuple[ast.expr, list[ast.stmt]]:
        """The loop variable; items of a `zip` that are read at once are its targets."""
        assert loop.item is not None
        parts = unpacked_items(loop, self.inlined)
        if parts:
            names = [ast.Name(self.names[p] if p else self.unused, ast.Store()) for p in parts]
            return ast.Tuple(list(names), ast.Store()), body
        used = any(
            isinstance(n, ast.Name) and n.id == self.names[loop.item]
            for s in body
            for n in ast.walk(s)
        )
        named = self.names[loop.item] if used or loop.item.name else self.unused
        return ast.Name(named, ast.Store()), body

    def tail(
        self, loop: Loop, statements: Sequence[Statement], results: Sequence[Atom], outer: bool
    ) -> list[ast.stmt]:
        """The body: its statements, then what goes to the next iteration, `break` where it ends."""
        body = loop.body
        self.targets.update(v for v in unpacked_items(loop, self.inlined) if v is not None)
        if not loop.exits:
            return [*self.statements(statements, loop), *self.copies(loop.params, loop.nexts)]
        last = body.statements[-1] if body.statements else None
        if loop.iterable is None and not statements and isinstance(last, If):
            table = dict(zip(last.results, last.then.results))
            return self.ending(loop, last.then, tuple(_mapped(a, table) for a in body.results))
        return self.ending(loop, body, body.results)

    def ending(self, loop: Loop, block: Block, results: Sequence[Atom]) -> list[ast.stmt]:
        """A block at the end of which the go-on flag and the next values are `results`."""
        go = results[0]
        last = block.statements[-1] if block.statements else None
        if isinstance(last, If) and isinstance(go, Value) and go in last.results:
            head = self.statements(block.statements[:-1], loop)
            sides = []
            for side in (last.then, last.orelse):
                table = dict(zip(last.results, side.results))
                sides.append(self.ending(loop, side, tuple(_mapped(a, table) for a in results)))
            return [*head, *(placed(n, last) for n in if_(self.atom(last.test), *sides))]
        found = [*self.statements(block.statements, loop), *self.copies(loop.params, results[1:])]
        if isinstance(go, Const):
            return found if go.value else [*found, ast.Break()]
        stop = ast.If(ast.UnaryOp(ast.Not(), self.atom(go)), [ast.Break()], [])
        return [*found, stop]


_UNUSED = [f"unused{i or ''}" for i in range(100)]
_AUGMENTED = (operator.add, operator.sub, operator.mul, operator.truediv)


def _mapped(atom: Atom, table: dict[Value, Atom]) -> Atom:
    return table.get(atom, atom) if isinstance(atom, Value) else atom
