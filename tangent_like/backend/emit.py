"""From a Wengert list to the syntax tree of a Python function.

Values become variables again (see `naming`), single-use operations move into expressions (see
`inline`), loops that leave early get their `break` back.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.analysis.lifetimes import lifetimes
from tangent_like.backend import naming
from tangent_like.backend.inline import Inlined, choose_inlined
from tangent_like.backend.references import References
from tangent_like.backend.remarks import remark, remark_node, with_remarks
from tangent_like.backend.spelling import (
    BINARY_SIGNS,
    call,
    is_sign,
    signed,
    spell,
    subscript,
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
    function = without_aliases(function)
    inlined = choose_inlined(function, naming.is_in_place)
    lives = lifetimes(function, inlined, naming.is_in_place)
    groups = naming.Groups(lives, set(inlined))
    naming.coalesce(function, groups)
    emitter = Emitter(inlined, refs)
    reserved = set(refs.namespace) | emitter.reserve(function)
    emitter.names = naming.assign_names(function, groups, lives, reserved, typed)
    return Emitted(emitter.function(function, defaults), emitter.names)


def without_aliases(function: Function) -> Function:
    """Reading a name that may be unbound is just reading it; what is not used is still read."""
    aliases = [op for op in ir.walk(function.body) if isinstance(op, Op) and _is_alias(op)]
    if not aliases:
        return function
    used = set(ir.atoms_in(function.body))
    table: dict[Value, Atom] = {}
    for op in aliases:
        if op.fn is not ir.defined or op.result in used:
            source = op.args[0]
            if op.fn is ir.freeze and isinstance(source, Value) and not source.name:
                source.name = op.result.name
            table[op.result] = table.get(source, source)  # type: ignore[arg-type]
    body = ir.substitute(function.body, table)
    return ir.Function(
        function.name, function.params, _without(body, set(table)), function.place, function.doc
    )


def _is_alias(op: Op) -> bool:
    return op.fn in (ir.defined, ir.live, ir.freeze) or isinstance(op.fn, ir.Hook)


def _without(block: Block, gone: set[Value]) -> Block:
    kept: list[Statement] = []
    for s in block.statements:
        if isinstance(s, If):
            s = replace(s, then=_without(s.then, gone), orelse=_without(s.orelse, gone))
        elif isinstance(s, Loop):
            s = replace(s, body=_without(s.body, gone))
        elif s.result in gone:
            continue
        kept.append(s)
    return Block(tuple(kept), block.results)


class Emitter:
    """Printing one function, once names and inlining are decided."""

    def __init__(self, inlined: Inlined, refs: References):
        self.inlined = inlined
        self.refs = refs
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
                if statement.fn in _STATEMENTS:
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
            return _flat_bool(ast.And(), test, then)
        if statement.spelling == "or" and statement.then.results == (statement.test,):
            return _flat_bool(ast.Or(), test, orelse)
        return ast.IfExp(test, then, orelse)

    def constant(self, value: Any) -> ast.expr:
        if type(value) in (int, float):
            return _number(value, self.refs)
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
            return _complex_number(value, self.refs)
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
            return _store(self, op)
        special = _STATEMENTS.get(op.fn) if getattr(type(op.fn), "__hash__", None) else None
        if special is not None:
            statements: list[ast.stmt] = special(self, op)
            return statements
        if op.fn in naming.IN_PLACE:
            return _changing_call(self, op)
        value = self.operation(op)
        if op.result.fact == facts.NONE:
            return [_at(ast.Expr(value), op)]
        name = self.names[op.result]
        if op.fn in _AUGMENTED and self.continues(op, name) and isinstance(value, ast.BinOp):
            target = ast.Name(name, ast.Store())
            return [_at(ast.AugAssign(target, value.op, value.right), op)]
        return [_at(assign(name, value), op)]

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
            return [_at(assign(self.names[statement.results[0]], value), statement)]
        then = self.side(statement.then, statement.results)
        orelse = self.side(statement.orelse, statement.results)
        if statement.spelling == "assert" and _is_assertion(then, orelse):
            return [_assertion(self.atom(statement.test), orelse[0])]
        return [_at(node, statement) for node in _if(self.atom(statement.test), then, orelse)]

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
        return [*before, _at(node, loop)]

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
        parts = self.unpacked_items(loop)
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

    def unpacked_items(self, loop: Loop) -> list[Value | None]:
        """The values that take the items of a `zip`, if that is all the item is used for."""
        fact = loop.item.fact if loop.item is not None else None
        if not isinstance(loop.iterable and loop.iterable.fact, facts.Zip):
            return []
        assert isinstance(fact, facts.Tuple)
        found: list[Value | None] = [None] * len(fact.items)
        for s in loop.body.statements:
            if isinstance(s, Op) and s.fn is operator.getitem and s.args[0] is loop.item:
                index = s.args[1]
                if isinstance(index, Const) and s.result not in self.inlined:
                    if found[index.value] is not None:
                        return []
                    found[index.value] = s.result
        return found

    def tail(
        self, loop: Loop, statements: Sequence[Statement], results: Sequence[Atom], outer: bool
    ) -> list[ast.stmt]:
        """The body: its statements, then what goes to the next iteration, `break` where it ends."""
        body = loop.body
        self.targets.update(v for v in self.unpacked_items(loop) if v is not None)
        if not loop.exits:
            return [*self.statements(statements, loop), *self.copies(loop.params, loop.nexts)]
        if loop.iterable is None and not statements and isinstance(body.statements[-1], If):
            last = body.statements[-1]
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
            return [*head, *(_at(n, last) for n in _if(self.atom(last.test), *sides))]
        found = [*self.statements(block.statements, loop), *self.copies(loop.params, results[1:])]
        if isinstance(go, Const):
            return found if go.value else [*found, ast.Break()]
        stop = ast.If(ast.UnaryOp(ast.Not(), self.atom(go)), [ast.Break()], [])
        return [*found, stop]


_UNUSED = [f"unused{i or ''}" for i in range(100)]
_AUGMENTED = (operator.add, operator.sub, operator.mul, operator.truediv)


def _mapped(atom: Atom, table: dict[Value, Atom]) -> Atom:
    return table.get(atom, atom) if isinstance(atom, Value) else atom


def _if(test: ast.expr, then: list[ast.stmt], orelse: list[ast.stmt]) -> list[ast.stmt]:
    """`if` without empty branches; what follows a `break` needs no `else`."""
    if not then and not orelse:
        return []
    if not then:
        return [ast.If(_negated(test), orelse, [])]
    if orelse and isinstance(then[-1], ast.Break):
        return [ast.If(test, then, []), *orelse]
    if orelse and isinstance(orelse[-1], ast.Break) and not isinstance(then[-1], ast.Break):
        return [ast.If(_negated(test), orelse, []), *then]
    return [ast.If(test, then, orelse)]


def _is_assertion(then: list[ast.stmt], orelse: list[ast.stmt]) -> bool:
    return not then and len(orelse) == 1 and isinstance(orelse[0], ast.Raise)


def _assertion(test: ast.expr, failure: Any) -> ast.stmt:
    """`assert test, message` for the branch that raises an AssertionError."""
    return ast.Assert(test, failure.exc.args[0] if failure.exc.args else None)


_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def _negated(test: ast.expr) -> ast.expr:
    """`not test`.  An order comparison is not turned round: NaN would take the wrong side."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITES:
        return ast.Compare(test.left, [_OPPOSITES[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def _flat_bool(sign: ast.boolop, left: ast.expr, right: ast.expr) -> ast.expr:
    values = [left]
    if isinstance(right, ast.BoolOp) and type(right.op) is type(sign):
        values += right.values
    else:
        values.append(right)
    return ast.BoolOp(sign, values)


def _number(value: float, refs: References) -> ast.expr:
    if not math.isfinite(value):
        node = refs.function(np.sin)
        assert isinstance(node, ast.Attribute)
        text = "nan" if math.isnan(value) else "inf"
        node = ast.Attribute(node.value, text, ast.Load())
        return ast.UnaryOp(ast.USub(), node) if value == float("-inf") else node
    if value < 0 or (value == 0 and str(value).startswith("-")):
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _complex_number(value: complex, refs: References) -> ast.expr:
    """`2j`, `-2j`, or `complex(1.0, 2.0)`: there is no literal for a number with both parts."""
    if math.isfinite(value.imag):
        if repr(value.real) == "0.0" and math.copysign(1.0, value.imag) > 0.0:
            return ast.Constant(value)
        if repr(value.real) == "-0.0" and math.copysign(1.0, value.imag) < 0.0:
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return call(refs.function(complex), [_number(part, refs) for part in (value.real, value.imag)])


def assign(name: str, value: ast.expr) -> ast.stmt:
    """`name = value`, or `name += rest` where the value starts with the name."""
    target = ast.Name(name, ast.Store())
    return ast.Assign([target], value)


def _at(node: ast.stmt, statement: Statement) -> ast.stmt:
    """The node with the place that it comes from, and that derivative code belongs to."""
    node.origin = statement.place  # type: ignore[attr-defined]
    if isinstance(statement, Op) and statement.derivative:
        node.place = statement.place  # type: ignore[attr-defined]
    return node


# --- operations that are statements ---------------------------------------------------------


def _scatter(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """`bx[i] += g`; repeated indices in arrays need `np.add.at`."""
    moved = _moved(emitter, op)
    array = ast.Name(emitter.names[op.result], ast.Load())
    index, g = (emitter.atom(a) for a in op.args[1:])
    form = scatter_form(op)
    if form == "augmented":
        target = subscript(array, index, op.args[1])
        target.ctx = ast.Store()
        return [*moved, _at(_augmented(target, ast.Add(), g), op)]
    if form == "at":
        where = emitter.refs.function(np.add)
        at = call(ast.Attribute(where, "at", ast.Load()), [array, index, g])
        return [*moved, _at(ast.Expr(at), op)]
    value = call(emitter.refs.function(op.fn), [emitter.atom(op.args[0]), index, g])
    return [_at(assign(array.id, value), op)]


def view_steps(op: Op) -> list[Op]:
    """The operations by which a store gets to its place, the last of which names the place."""
    assert isinstance(op.fn, Store)
    array, found = op.args[0], []
    for step, own in op.fn.steps(op.args[2:]):
        result = Value("", infer.infer(step, (array, *own), {}))
        found.append(Op(result, step, (array, *own)))
        array = result
    return found


def _store(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """`y[i] = e`, `y[1:].T[i] += e`, `y *= e`."""
    store = op.fn
    assert isinstance(store, Store) and store.into
    target: Any = ast.Name(emitter.names[op.result], ast.Load())
    for step in view_steps(op):
        target = spell(step, [target, *map(emitter.atom, step.args[1:])], {}, emitter.refs)
    target.ctx = ast.Store()
    value = emitter.atom(op.args[1])
    if store.combine is None:
        node: ast.stmt = ast.Assign([target], value)
    elif store.combine is operator.add:
        node = _augmented(target, ast.Add(), value)
    else:
        node = ast.AugAssign(target, BINARY_SIGNS[store.combine](), value)
    return [*_moved(emitter, op), _at(node, op)]


def scatter_form(op: Op) -> str:
    """How an update is written: `b[i] += g`, `np.add.at`, or a call that finds out."""
    fact = op.args[0].fact
    plain = isinstance(fact, facts.Array) and fact.dims is not None
    listed = isinstance(fact, facts.ListOf) and facts.is_scalar(fact.item)
    if (plain and _is_basic(op.args[1])) or (listed and facts.is_scalar(op.args[1].fact)):
        return "augmented"
    return "at" if plain else "call"


def _moved(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """The assignment that gives what is changed in place the name of the result."""
    name, source = emitter.names[op.result], emitter.atom(op.args[0])
    if isinstance(source, ast.Name) and source.id == name:
        return []
    return [_at(assign(name, source), op)]


def _augmented(target: Any, sign: ast.operator, g: ast.expr) -> ast.stmt:
    """`target += g`, or `target -= rest` where g starts with a sign."""
    return ast.AugAssign(target, *signed(sign, g))


def _is_basic(index: Atom) -> bool:
    """Whether an index is certain to name each element at most once."""
    fact = index.fact
    items = fact.items if isinstance(fact, facts.Tuple) else (fact,)
    return all(
        (isinstance(f, facts.Scalar) and f.type in ("int", "bool"))
        or (isinstance(f, facts.Opaque) and f.kind in ("slice", "ellipsis", "NoneType"))
        or (isinstance(f, facts.Array) and f.dtype == "bool")
        for f in items
    )


def _add_into(emitter: Emitter, op: Op) -> list[ast.stmt]:
    target = ast.Name(emitter.names[op.result], ast.Store())
    sign = ast.Add() if op.fn is runtime.add_into else ast.Sub()
    g = emitter.atom(op.args[1])
    return [*_moved(emitter, op), _at(_augmented(target, sign, g), op)]


def _put(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """`tape[i] = x`."""
    tape, index, value = (emitter.atom(a) for a in op.args)
    target = subscript(tape, index, op.args[1])
    target.ctx = ast.Store()
    return [ast.Assign([target], value)]


def _changing_call(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """A call that changes its first operand, which has the name of the result."""
    array = ast.Name(emitter.names[op.result], ast.Load())
    rest = [emitter.atom(a) for a in op.args[1:]]
    changed = call(emitter.refs.function(op.fn), [array, *rest])
    return [*_moved(emitter, op), _at(ast.Expr(changed), op)]


def spell_change(fn: Any, sign: Any) -> None:
    """Let an operation be written as an assignment to its first operand, or to the element of it
    that the second one names: an augmented one, unless the sign is None."""

    def statement(emitter: Emitter, op: Op) -> list[ast.stmt]:
        target: Any
        target, *place, value = (emitter.atom(a) for a in op.args)
        if place:
            target = subscript(target, place[0], op.args[1])
        target.ctx = ast.Store()
        if sign is None:
            return [_at(ast.Assign([target], value), op)]
        if sign is operator.add:
            return [_at(_augmented(target, ast.Add(), value), op)]
        return [_at(ast.AugAssign(target, BINARY_SIGNS[sign](), value), op)]

    _STATEMENTS[fn] = statement


def _method_of_list(name: str) -> Any:
    """`items.append(x)`, `items.pop()`."""

    def statements(emitter: Emitter, op: Op) -> list[ast.stmt]:
        items = ast.Name(emitter.names[op.result], ast.Load())
        method = ast.Attribute(items, name, ast.Load())
        called = call(method, [emitter.atom(a) for a in op.args[1:]])
        return [*_moved(emitter, op), _at(ast.Expr(called), op)]

    return statements


def _remark(emitter: Emitter, op: Op) -> list[ast.stmt]:
    assert isinstance(op.args[0], Const)
    return [remark_node(str(op.args[0].value))]


def _raise(emitter: Emitter, op: Op) -> list[ast.stmt]:
    error, *cause = (emitter.atom(a) for a in op.args)
    return [ast.Raise(error, cause[0] if cause else None)]


def _read(emitter: Emitter, op: Op) -> list[ast.stmt]:
    """A name that is read only for the error where it is not bound."""
    why = remark_node("raises UnboundLocalError where it is not bound")
    return [why, _at(ast.Expr(emitter.atom(op.args[0])), op)]


LATER_FIELDS: dict[str, Any] = (
    {"type_params": []} if "type_params" in ast.FunctionDef._fields else {}
)
"""What Python 3.12 and later have: 3.12 does not fill it in itself."""

_STATEMENTS: dict[Any, Any] = {
    ir.defined: _read,
    runtime.scatter_add_into: _scatter,
    runtime.add_into: _add_into,
    runtime.subtract_into: _add_into,
    ir.put: _put,
    remark: _remark,
    runtime.append_into: _method_of_list("append"),
    runtime.remove_last: _method_of_list("pop"),
    ir.fail: _raise,
    ir.keep: lambda emitter, op: [],
}

