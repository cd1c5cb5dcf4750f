"""A small interpreter and differentiator of straight-line Wengert lists.

It lets a rule be tested to second order without any source code: a function of one operation is
built with `Builder`, differentiated by `tangent` and `cotangents`, run, and differentiated again.
Conditional expressions are resolved by running: what is differentiated again is the branch taken.
"""

import copy
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir
from tangent_like.build import Builder
from tangent_like.facts import Array, Scalar, Size
from tangent_like.ir import Const, If, Op, Value
from tangent_like.rules import apply, fitting, straight
from tangent_like.rules.symbolic import Symbolic, lower


@dataclass
class Program:
    """Operations that compute `results` (trees of atoms) from `inputs`, which carry derivatives,
    and `others`, which do not."""

    statements: tuple[Any, ...]
    inputs: tuple[Value, ...]
    others: tuple[Value, ...]
    results: tuple[Any, ...]

    def run(self, values: Sequence[Any], others: Sequence[Any] = ()) -> Any:
        return self.trace(values, others)[1]

    def trace(self, values: Sequence[Any], others: Sequence[Any] = ()) -> tuple["Program", Any]:
        """The same program without branches, and its results."""
        env = dict(zip((*self.inputs, *self.others), (*values, *others), strict=True))
        names: dict[Value, Any] = {}
        check = Consistency()
        for value in (*self.inputs, *self.others):
            check(value, env[value])
        ops = list(_execute(self.statements, env, names, check))
        renamed = tuple(_map(self.results, lambda atom: names.get(atom, atom)))
        found = tuple(_map(self.results, lambda atom: _value(atom, env)))
        return Program(tuple(ops), self.inputs, self.others, renamed), found


class Consistency:
    """Holds facts to what really happens: ranks, element types, and equal sizes."""

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}

    def __call__(self, value: Value, found: Any) -> None:
        fact = facts.defined(value.fact)
        if isinstance(fact, Scalar):
            assert np.ndim(found) == 0, f"{fact} but {found!r}"
        if isinstance(fact, Array):
            assert fact.dtype is None or np.asarray(found).dtype == fact.dtype, (
                f"{fact} but {np.asarray(found).dtype}"
            )
            if fact.dims is not None:
                assert np.ndim(found) == len(fact.dims), f"{fact} but {np.shape(found)}"
                for dim, length in zip(fact.dims, np.shape(found), strict=False):
                    self.size(dim, length)

    def size(self, dim: Any, length: int) -> None:
        if isinstance(dim, Size) and dim.offset < 0 and length == 0:
            return  # `x[:-1]` of no elements has none
        if isinstance(dim, Size):
            base = self.sizes.setdefault(dim.base, length - dim.offset)
            assert base == length - dim.offset, f"{dim}: {base} but {length}"
        else:
            assert dim == length, f"{dim} but {length}"


def _execute(statements: Iterable[Any], env: Any, names: Any, check: Any) -> Iterable[Op]:
    for statement in statements:
        if isinstance(statement, If):
            block = statement.then if _value(statement.test, env) else statement.orelse
            yield from _execute(block.statements, env, names, check)
            for result, atom in zip(statement.results, block.results, strict=True):
                env[result] = _value(atom, env)
                names[result] = names.get(atom, atom)
        else:
            args = [_value(atom, env) for atom in statement.args]
            keywords = {key: _value(atom, env) for key, atom in statement.keywords}
            env[statement.result] = called(statement.fn, args, keywords)
            try:
                check(statement.result, env[statement.result])
            except AssertionError as error:
                raise AssertionError(
                    f"{statement}: {error} {[getattr(a, 'shape', type(a)) for a in args]}"
                ) from error
            yield Op(
                statement.result,
                statement.fn,
                tuple(names.get(atom, atom) for atom in statement.args),
                tuple((key, names.get(atom, atom)) for key, atom in statement.keywords),
            )


def called(fn: Any, args: Any, keywords: Any) -> Any:
    """The result of an operation; each time a program runs, its draws are the same."""
    if effects.is_random(fn):
        np.random.seed(3)
        args = copy.deepcopy(args)
    return fn(*args, **keywords)


def _value(atom: Any, env: Any) -> Any:
    return atom.value if isinstance(atom, Const) else env[atom]


def _map(tree: Any, function: Any) -> Any:
    if isinstance(tree, (tuple, list)):
        return tuple(_map(item, function) for item in tree)
    return None if tree is None else function(tree)


# --- facts of examples ------------------------------------------------------------------------


def fact_of(value: Any, sizes: dict[int, Size]) -> Any:
    """The fact of an example, with a symbol for each axis length but 1."""
    if isinstance(value, (np.ndarray, np.generic)):
        if value.ndim == 0 and value.dtype in (np.float64, np.complex128):
            return Scalar("float" if value.dtype == np.float64 else "complex", numpy=True)
        dims = tuple(1 if n == 1 else sizes.setdefault(n, facts.fresh_size()) for n in value.shape)
        return Array(value.dtype.name, dims)
    return facts.of_constant(value)


def carries(value: Any) -> bool:
    return isinstance(value, (float, complex, np.ndarray, np.generic)) and (
        np.asarray(value).dtype.kind in "fc"
    )


def one_operation(
    fn: Any, args: Sequence[Any], keywords: dict[str, Any], known: bool, same: bool = False
) -> tuple[Program, list[Any]]:
    """A program of one call, and the values of its inputs: every float in positional operands."""
    builder, inputs, values, sizes = Builder(), [], [], {}

    def atom_of(value: Any) -> Any:
        if isinstance(value, (tuple, list)) and any(map(_has_active, value)):
            display = ir.make_list if isinstance(value, list) else ir.make_tuple
            return builder.op(display, [atom_of(item) for item in value])
        if not carries(value):
            return Const(value)
        if same and inputs:
            return inputs[0]
        inputs.append(Value("x", fact_of(value, sizes) if known else facts.UNKNOWN))
        values.append(value)
        return inputs[-1]

    atoms = [atom_of(value) for value in args]
    named = {key: Const(value) for key, value in keywords.items()}
    result = builder.op(fn, atoms, named)
    results = tuple(_leaves(builder, result, called(fn, args, keywords)))
    block = builder.finish(())
    return Program(block.statements, tuple(inputs), (), results), values


def _leaves(builder: Builder, atom: Any, example: Any) -> Iterable[Any]:
    """The parts of a result that carry derivatives."""
    if isinstance(example, (tuple, list)):
        for i, item in enumerate(example):
            yield from _leaves(builder, builder.op(operator.getitem, (atom, Const(i))), item)
    elif carries(example):
        yield atom


def traced(function: Any, values: Sequence[Any], known: bool = True) -> Program:
    """A program of what `function` does to its operands, which it must not branch on."""
    builder, sizes = Builder(), {}
    inputs = tuple(Value("x", fact_of(x, sizes) if known else facts.UNKNOWN) for x in values)
    plain = "math" if all(isinstance(x, float) for x in values) else ""
    result = function(*(Symbolic(builder, x, plain) for x in inputs))
    block = builder.finish(())
    return Program(block.statements, inputs, (), (lower(builder, result),))


def _has_active(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_has_active, value))
    return carries(value)


# --- derivatives ------------------------------------------------------------------------------


def forward(program: Program) -> Program:
    """The program that computes the tangents of the results from tangents of the inputs."""
    builder = Builder()
    seeds = tuple(Value("dx", x.fact) for x in program.inputs)
    tangents: dict[Any, Any] = dict(zip(program.inputs, seeds, strict=False))
    for op in program.statements:
        builder.append(op)
        straight.tangents_of(builder, [op], tangents, apply.tangent)
    results = _map(program.results, lambda atom: tangents.get(atom) or fitting.zero(builder, atom))
    block = builder.finish(())
    return Program(block.statements, program.inputs, (*program.others, *seeds), results)


def reverse(program: Program) -> Program:
    """The program that computes the inputs' cotangents from a seed for each result."""
    builder = Builder()
    for op in program.statements:
        builder.append(op)
    active = straight.active_in(program.statements, program.inputs)
    seeds = tuple(Value("by", _seed_fact(atom)) for atom in program.results)
    adjoints: dict[Any, Any] = {}
    for atom, seed in zip(program.results, seeds, strict=False):
        if atom in active:
            have = adjoints.get(atom)
            adjoints[atom] = seed if have is None else builder.op(operator.add, (have, seed))
    straight.cotangents_of(builder, program.statements, adjoints, active, apply.cotangents)
    results = tuple(adjoints.get(x) or fitting.zero(builder, x) for x in program.inputs)
    block = builder.finish(())
    return Program(block.statements, program.inputs, (*program.others, *seeds), results)


def _seed_fact(atom: Any) -> Any:
    fact = atom.fact
    return facts.FLOAT if isinstance(fact, Scalar) and fact.type in ("int", "real") else fact
