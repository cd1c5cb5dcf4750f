"""Recursive functions: a call of a function that is being lowered calls a procedure.

The body of the procedure is lowered for its kind of arguments.  Its result's fact is a guess
first (a float), confirmed by lowering the body with it, or replaced and tried again.  Where the
body cannot be lowered with that guess, the paths that return without calling it tell.  What a
nested function captures becomes additional parameters.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tangent_like import facts, ir
from tangent_like.build import Builder, Unreachable
from tangent_like.errors import NotYetSupported, TangentLikeError
from tangent_like.facts import Fact
from tangent_like.frontend import recursive_writes
from tangent_like.frontend.around import called_in, reads_the_same
from tangent_like.frontend.binding import bind_arguments, default_values
from tangent_like.frontend.functions import lower_body, new_frame
from tangent_like.frontend.kinds import identity, instantiate, without_values
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import Deferred, make_table, table_of
from tangent_like.frontend.run_time_functions import holds_function
from tangent_like.frontend.scope import Frame, LocalFunction
from tangent_like.frontend.source import Source, find_source
from tangent_like.frontend.state import Around, Lowering, Module
from tangent_like.frontend.syntax import parameter_nodes
from tangent_like.ir import Atom, Block, Const, Function, Op, Procedure, Value
from tangent_like.simplify.dead import prune
from tangent_like.trees import parameter_names

_ATTEMPTS = 5
_ROUNDS = 50  # until it is known what a function writes into, and what it returns
_KINDS = 8  # of arguments that one function may be lowered for at once, one inside of the other


def recurse(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """Call the procedure of a function that is being lowered, making it if there is none."""
    source, tree, parent, defaults = _code_of(state, function)
    env = bind_arguments(state, node, tree, defaults, args, keywords)
    more = table_of(state, env.pop(tree.args.kwarg.id)) if tree.args.kwarg is not None else None
    names = [param.id for param in parameter_nodes(tree.args) if param.id in env]
    names += more or ()
    given = {**env, **(more or {})}
    atoms = [fresh(state, given[name], node) for name in names]  # defaults may have changed
    fixed = {n: a for n, a in zip(names, atoms) if isinstance(a, Const) and _is_fixed(a)}
    passed = [(n, a) for n, a in zip(names, atoms) if n not in fixed]
    kinds_so_far = [key[1] for key in _unfinished_of(state, function)]
    grown = recursive_writes.growing_as_any(state, node, [a for _, a in passed], kinds_so_far)
    passed = [(n, a) for (n, _), a in zip(passed, grown)]
    _refuse_arguments(state, node, atoms, [a for _, a in passed])
    kinds, plural = call_kinds([a.fact for _, a in passed])
    known = ((n, identity(a.value)) for n, a in fixed.items())
    key, procedure = _find(state, node, (function, kinds, plural, (*known, *(more or ()))))
    if procedure is not None and procedure.result == facts.NOTHING:
        raise Unreachable  # what the paths return that end without it is found out first
    if procedure is None:
        _refuse_without_end(state, node, function)
        since = ir.next_serial()
        frame = new_frame(source, tree, {}, parent, state.frame)
        frame.calls = (*state.frame.calls, function)
        parameters = [n for n, _ in passed]
        rest = tuple(more or ())
        procedure = _lower_or_nothing(state, frame, since, key, parameters, fixed, rest)
    captured = [fresh(state, value, node) for value in procedure.derived.get("captured", ())]
    around = recursive_writes.operands_around(state, procedure, node)
    operands = [*(a for _, a in passed), *around, *captured]
    result = state.builder.op(procedure, operands, place=state.place(node))
    as_given = [given[n] for n, _ in passed]
    found = recursive_writes.taken_over(state, node, procedure, operands, as_given, result)
    return Const(None) if found.fact == facts.NONE else found


_Key = tuple[Any, tuple[Fact, ...], tuple[bool, ...], tuple[Hashable, ...]]


def _find(state: Lowering, node: Any, key: _Key) -> tuple[_Key, Procedure | None]:
    """The procedure that serves a call, if there is one, and its key: that of the arguments, and a
    number where what it reads of the functions around it differs between calls."""
    procedures = state.module.procedures
    keys = [key]
    while keys[-1] in procedures:
        keys.append((*key[:3], (*key[3], len(keys))))
    for known in keys[:-1]:
        if procedures[known].function is None:  # the call is in its own body
            return known, procedures[known]
    for known in keys[:-1]:
        if reads_the_same(state, procedures[known], node):
            return known, procedures[known]
    return keys[-1], None


def _code_of(
    state: Lowering, function: Any
) -> tuple[Source, Any, Frame | None, Mapping[str, Atom]]:
    """Where a function is written, its tree, the frame around it, and its defaults."""
    if isinstance(function, LocalFunction):
        return function.frame.source, function.node, function.frame, function.defaults
    source = find_source(function)
    state.module.rely_on(function)
    defaults = {name: Const(value) for name, value in default_values(function).items()}
    return source, source.tree, None, defaults


def _refuse_arguments(
    state: Lowering, node: Any, atoms: Sequence[Atom], passed: Sequence[Atom]
) -> None:
    if any(isinstance(a, Const) and isinstance(a.value, Deferred) for a in atoms):
        raise NotYetSupported(
            "passing an iterator to a recursive function", state.place(node), "pass a list"
        )
    if any(holds_function(state, a) for a in passed):
        raise NotYetSupported(
            "handing what holds a nested function to a recursive function", state.place(node),
            "pass the function as an argument of its own",
        )  # fmt: skip


def _lower_or_nothing(state: Lowering, *what: Any) -> Procedure:
    """Lower the procedure; who tries something else must not find one that was not finished."""
    procedures = state.module.procedures
    before = dict(procedures)
    try:
        return _lower(state, *what)
    except BaseException:
        procedures.clear()
        procedures.update(before)
        raise


def _refuse_without_end(state: Lowering, node: Any, function: Any) -> None:
    """Each kind of arguments needs a procedure: there is no end where each call makes a new one."""
    if len(_unfinished_of(state, function)) >= _KINDS:
        raise NotYetSupported(
            "a recursive function that calls itself with a longer list or another kind of"
            " arguments each time",
            state.place(node),
            "pass an array, or a list that has all of its items from the start",
        )


def _unfinished_of(state: Lowering, function: Any) -> list[_Key]:
    """The kinds of arguments that a function is being lowered for."""
    procedures = state.module.procedures
    return [key for key, p in procedures.items() if p.function is None and key[0] is function]


def _is_fixed(atom: Atom) -> bool:
    """Whether an argument is a compile-time object rather than a number."""
    return isinstance(atom, Const) and not isinstance(atom.value, (int, float, complex))


def call_kinds(found: Sequence[Fact]) -> tuple[tuple[Fact, ...], tuple[bool, ...]]:
    """The kinds of arguments, with lengths numbered by first appearance; which are not 1."""
    numbers: dict[facts.Dim, facts.Size] = {}

    def of(dim: facts.Dim) -> facts.Dim:
        if isinstance(dim, int):
            return dim
        symbol = facts.Size(-1 - len(numbers), 0, dim.plural, dim.varies)
        return numbers.setdefault(dim, symbol)

    kinds = tuple(facts.map_sizes(without_values(fact), of) for fact in found)
    return kinds, tuple(size.plural for size in numbers.values())


def _lower(
    state: Lowering, frame: Frame, since: int, key: _Key, names: Sequence[str],
    fixed: Mapping[str, Atom], more: Sequence[str],
) -> Procedure:  # fmt: skip
    """`more` are the names of what `**` takes; values and frames made `since` are the body's."""
    module = state.module
    procedure = module.procedures[key] = Procedure(free_procedure_name(module.procedures, key[0]))
    procedure.result = facts.FLOAT
    known = set(module.procedures)
    shown = parameter_names([Value(name, facts.UNKNOWN) for name in names])  # not those of `**`
    without_calls, attempt = False, 0
    for _ in range(_ROUNDS):
        params = [Value(n, f) for n, f in zip(shown, instantiate(key[1]), strict=True)]
        given = {**fixed, **dict(zip(names, params))}
        frame.env = {name: atom for name, atom in given.items() if name not in more}
        around = module.read_around[procedure] = Around(state, since)
        inner = Lowering(module, Builder(), frame, around=around)
        if frame.node.args.kwarg is not None:
            table = make_table(inner, {name: given[name] for name in more})
            frame.env[frame.node.args.kwarg.id] = table
        taken = recursive_writes.take_over(inner, procedure, params)
        try:
            result = lower_body(inner)
        except Unreachable:
            result = Const(0.0)  # never returned
        except TangentLikeError as error:
            _forget(module, known)
            if recursive_writes.learnt_before_it_failed(inner, procedure, taken):
                procedure.result = recursive_writes.guessed_result(
                    inner, procedure, taken, facts.FLOAT, whole=False
                )
                continue
            if attempt or without_calls or not isinstance(error, NotYetSupported):
                raise
            without_calls, procedure.result, attempt = True, facts.NOTHING, 1
            continue
        if recursive_writes.learn(inner, procedure, taken):
            own = without_values(result.fact)
            procedure.result = recursive_writes.guessed_result(
                inner, procedure, taken, own, whole=True
            )
            _forget(module, known)
            continue
        result = recursive_writes.with_written(inner, procedure, taken, result)
        found = without_values(result.fact)
        function = _function(procedure, inner, taken.params, result)
        if _same(found, procedure.result):
            break
        if attempt == _ATTEMPTS - 1:
            recursive_writes.refuse_unconfirmed(procedure, state.place(frame.node))
            break
        procedure.result = found if attempt < _ATTEMPTS - 2 else facts.UNKNOWN
        if _is_vague(found) and not attempt and not without_calls:
            without_calls, procedure.result = True, facts.NOTHING
        attempt += 1
        _forget(module, known)
    else:
        raise NotYetSupported(
            "a function that calls itself and writes into what is around it in ever other ways",
            state.place(frame.node), "return what is new",
        )  # fmt: skip
    _close(state.module, procedure, function)
    return procedure


def _function(
    procedure: Procedure, inner: Lowering, params: Sequence[Value], result: Atom
) -> Function:
    block = inner.builder.finish((result,))
    body = Block((*inner.prelude, *block.statements), (result,))
    return Function(procedure.name, tuple(params), body, inner.frame.source.place(inner.frame.node))


def _forget(module: Module, known: Collection[_Key]) -> None:
    """Drop the procedures that were made meanwhile: they call one as it was guessed to be."""
    for other in set(module.procedures) - set(known):
        del module.procedures[other]


def _is_vague(fact: Fact) -> bool:
    """Whether a wrong guess may be why little is known: a float or a list is anything."""
    if isinstance(fact, facts.STRUCTURES):
        return any(map(_is_vague, fact.items))
    if isinstance(fact, (facts.ListOf, facts.DictOf)):
        return _is_vague(fact.item)
    return isinstance(fact, facts.Unknown) or fact == facts.NUMERIC


def _same(a: Fact, b: Fact) -> bool:
    def forget(dim: facts.Dim) -> facts.Dim:
        return dim if isinstance(dim, int) else facts.Size(0, varies=dim.varies)

    return facts.map_sizes(a, forget) == facts.map_sizes(b, forget)


def free_procedure_name(procedures: Mapping[Any, Procedure], function: Any) -> str:
    wish = getattr(function, "name", None) or function.__name__
    wish = wish if wish.isidentifier() else "recursive"
    taken = {p.name for p in procedures.values()}
    name, number = wish, 1
    while name in taken:
        name, number = f"{wish}{number}", number + 1
    return str(name)


def _close(module: Module, procedure: Procedure, function: Function) -> None:
    """Set the procedure's function.  When all that it calls are there, what each captures becomes
    additional parameters, and what it needs for the calls of the others."""
    procedure.function = function
    known, waiting = module.read_around, _unfinished(module)
    group = [
        p for p in module.procedures.values()
        if p in known and p not in waiting and "captured" not in p.derived
    ]  # fmt: skip
    if len(group) == 1:  # the calls of others may need more than the body itself
        procedure.function = replace(function, body=prune(function.body))
    captured = _captured(group)
    made_from = {now: value for p in group for now, value in known[p].made.items()}
    for one in group:
        one.function = _with_parameters(one.function, captured, captured[one])
        one.derived["captured"] = tuple(made_from.get(value, value) for value in captured[one])


def _unfinished(module: Module) -> set[Procedure]:
    """The procedures that are being lowered, and those that call them."""
    procedures = module.procedures.values()
    found = {p for p in procedures if p.function is None}
    calls = {p: called_in(p.function.body) for p in procedures if p.function is not None}
    grown = True
    while grown:
        more = {p for p, callees in calls.items() if not found.isdisjoint(callees)} - found
        found |= more
        grown = bool(more)
    return found


_Captured = Mapping[Procedure, Mapping[Value, None]]


def _captured(group: Sequence[Procedure]) -> _Captured:
    """The values that procedures read of what is around them, or hand on to one another."""
    bodies = {p: p.function for p in group if p.function is not None}
    found = {p: dict.fromkeys(ir.free_values(f.body, f.params)) for p, f in bodies.items()}
    own = {p: {*f.params, *_defined_in(f.body)} for p, f in bodies.items()}
    calls = {p: [q for q in called_in(f.body) if q in found] for p, f in bodies.items()}
    changed = True
    while changed:
        changed = False
        for p, callees in calls.items():
            more = [v for q in callees for v in found[q] if v not in own[p] and v not in found[p]]
            found[p].update(dict.fromkeys(more))
            changed |= bool(more)
    return found


def _defined_in(block: Block) -> Iterator[Value]:
    for statement in ir.walk(block):
        yield from ir.defined_by(statement)
        if isinstance(statement, ir.Loop):
            yield from statement.params
            if statement.item is not None:
                yield statement.item


def _with_parameters(
    function: Function | None, captured: _Captured, extra: Mapping[Value, None]
) -> Function:
    assert function is not None
    names = parameter_names(extra, [param.name for param in function.params])
    own = {value: Value(name, value.fact) for name, value in zip(names, extra)}
    body = ir.substitute(_with_arguments(function.body, captured), own)
    return replace(function, params=(*function.params, *own.values()), body=prune(body))


def _with_arguments(block: Block, captured: _Captured) -> Block:
    """The block with additional arguments in each call of the procedures."""

    def visit(statement: ir.Statement) -> ir.Statement:
        if isinstance(statement, Op) and isinstance(statement.fn, Procedure):
            return replace(statement, args=(*statement.args, *captured.get(statement.fn, ())))
        return ir.with_blocks(statement, lambda b: _with_arguments(b, captured))

    return Block(tuple(map(visit, block.statements)), block.results)


def closed(function: Function, module: Any) -> Function:
    """The function as one call of its own procedure, where it is recursive of its own kind."""
    kinds = call_kinds([p.fact for p in function.params])
    for (_, own, plural, fixed), procedure in module.procedures.items():
        inner = procedure.function
        same = inner is not None and inner.place == function.place
        same &= not any(recursive_writes.guess(procedure))
        if same and (own, plural) == kinds and not fixed:
            result = Value("", facts.with_fresh_sizes(procedure.result))
            call = Op(result, procedure, function.params, (), function.place)
            return replace(function, body=Block((call,), (result,)))
    return function
