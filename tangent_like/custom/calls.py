"""Calls of functions whose derivative is given as functions.

A call becomes the call of a procedure, and what is given becomes the procedures that would
otherwise be derived from its body (see `procedures.py`).  These are made when they are first
needed, so that `f_fwd` may call `f` again.  What cannot be compiled is called as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tangent_like.build import Builder
from tangent_like.custom.derivatives import pair, tangent
from tangent_like.custom.given import Given
from tangent_like.errors import Place
from tangent_like.facts import Fact
from tangent_like.frontend.binding import bind_arguments, default_values
from tangent_like.frontend.kinds import identity, without_values
from tangent_like.frontend.source import find_source
from tangent_like.frontend.state import Lowering, Module
from tangent_like.frontend.syntax import parameter_nodes
from tangent_like.ir import Atom, Const, Function, Procedure, Value
from tangent_like.recursion import call_kinds, free_procedure_name
from tangent_like.rules.registry import Custom, customs


def call_custom(
    state: Lowering, node: Any, custom: Custom, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """Call the procedure of such a function for this kind of arguments."""
    tree = find_source(custom.function).tree
    defaults = {name: Const(value) for name, value in default_values(custom.function).items()}
    bound = bind_arguments(state, node, tree, defaults, args, keywords)
    atoms = [bound[param.id] for param in parameter_nodes(tree.args)]
    place = state.place(node)
    procedure, passed = procedure_of(state.module, custom, atoms, place)
    return state.builder.op(procedure, passed, place=place)


def custom_function(function: Any, param_facts: Sequence[Fact], module: Module) -> Function:
    """Such a function itself, as one call of its procedure."""
    source = find_source(function)
    nodes = parameter_nodes(source.tree.args)
    params = tuple(Value(n.id, fact) for n, fact in zip(nodes, param_facts, strict=True))
    place = source.place(source.tree)
    procedure, passed = procedure_of(module, customs[function], params, place)
    builder = Builder(place)
    result = builder.op(procedure, passed)
    return Function(function.__name__, params, builder.finish((result,)), place)


def procedure_of(
    module: Module, custom: Custom, atoms: Sequence[Atom], place: Place
) -> tuple[Procedure, list[Atom]]:
    """The procedure for this kind of arguments, and what it is called with."""
    fixed = {i: a for i, a in enumerate(atoms) if isinstance(a, Const) and not _is_float(a)}
    passed = [a for i, a in enumerate(atoms) if i not in fixed]
    kinds, plural = call_kinds([a.fact for a in passed])
    key = (custom, kinds, plural, tuple((i, identity(a.value)) for i, a in fixed.items()))
    procedure = module.procedures.get(key)
    if procedure is None:
        procedure = Procedure(free_procedure_name(module.procedures, custom.function))
        module.procedures[key] = procedure
        source = find_source(custom.function)
        for function in custom.functions:
            module.rely_on(function)
        given = Given(module, custom, procedure, source, kinds, fixed, place)
        procedure.derived.update(make_pair=partial(pair, given), make_jvp=partial(tangent, given))
        procedure.function = given.body()
        (result,) = procedure.function.body.results
        procedure.result = without_values(result.fact)
    return procedure, passed


def _is_float(atom: Const) -> bool:
    return isinstance(atom.value, (float, complex))
