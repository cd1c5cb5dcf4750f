"""The way of a function to its derivative: every pass, in order, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tangent_like.backend.emit import emit
from tangent_like.backend.load import Compiled, load
from tangent_like.backend.naming import all_hints
from tangent_like.backend.printing import module_text
from tangent_like.backend.references import References
from tangent_like.collection import collection_paused
from tangent_like.custom.calls import custom_function
from tangent_like.directions import stacked
from tangent_like.directions.bands import banded
from tangent_like.errors import Place
from tangent_like.facts import Fact
from tangent_like.frontend.kinds import instantiate
from tangent_like.frontend.lower import lower_function
from tangent_like.frontend.signatures import parameters_of
from tangent_like.frontend.state import Module
from tangent_like.ir import Function
from tangent_like.nested import new_module
from tangent_like.reached import reached
from tangent_like.recursion import closed
from tangent_like.request import Request
from tangent_like.rules import registry
from tangent_like.simplify import FINAL_PASSES, PASSES, PLAIN_PASSES, Pass
from tangent_like.simplify.dead import remove_dead
from tangent_like.switches import checking, simplifying
from tangent_like.transform import STACKED, split, transform
from tangent_like.verify import verify


@collection_paused()
def compile_derivative(
    target: Any, kinds: Sequence[Fact], request: Request, simplify: bool = True
) -> Compiled:
    """The derivative of `target` for arguments of these kinds, as source and callable.

    `target` is a Python function, or has `function` and `request` of its own (a derivative).
    """
    module = new_module()
    if request.operator == "split":
        functions = split(primal(target, kinds, module), request.wrt)
        return finish(tuple(map(checked, functions)), request, module, simplify)
    function = derivative_list(target, kinds, request, module)
    return finish((function,), request, module, simplify)


def derivative_list(
    target: Any, kinds: Sequence[Fact], request: Request, module: Module
) -> Function:
    """The Wengert list of a derivative, before simplification.

    Kinds beyond the target's own arguments (of tangents and seeds) follow from the others.
    """
    function = primal(target, kinds[: argument_count(target)], module)
    base = function.name if function.name.isidentifier() else "f"
    named = replace(function, name=f"{base}_{request.operator}")
    found = checked(transform(named, request))
    if request.operator in STACKED:
        return checked(for_directions(simplified(found), request))
    return found


def for_directions(function: Function, request: Request) -> Function:
    """The list for a stack of directions, the last parameter; where the Jacobian is a band, for
    the few that it needs."""
    direction = function.params[-1]
    found = None
    if request.operator == "columns":
        found = banded(function, direction, function.params[request.wrt[0]])
    return found or stacked(function, [direction])


def argument_count(target: Any) -> int:
    if hasattr(target, "request"):
        return int(target.count)
    return len(parameters_of(target))


def primal(target: Any, kinds: Sequence[Fact], module: Module) -> Function:
    """Find the source, parse it and lower it for arguments of these kinds."""
    if hasattr(target, "request"):
        return simplified(derivative_list(target.function, kinds, target.request, module))
    if registry.custom_of(target) is not None:
        return checked(custom_function(target, instantiate(kinds), module))
    lowered = remove_dead(lower_function(target, instantiate(kinds), module))
    return checked(closed(lowered, module))


def checked(function: Function) -> Function:
    return verify(function) if checking[0] else function


def simplified(function: Function, passes: Sequence[Pass] = PASSES) -> Function:
    return _run(function, passes if simplifying[0] else (remove_dead,))


def _run(function: Function, passes: Sequence[Pass]) -> Function:
    for simplify in passes:
        function = checked(simplify(function))
    return function


# --- source and callable ------------------------------------------------------------------------


def finish(
    functions: Sequence[Function], request: Request, module: Module, simplify: bool = True
) -> Compiled:
    """Simplify, emit, print and load."""
    everything = final_lists(functions, request, simplify)
    guards = tuple(module.guards.values())
    if request.backend == "numba":
        from tangent_like.backend.numba_dialect.loading import load_compiled  # noqa: PLC0415 - extra

        return load_compiled(everything, request, guards)
    refs = References({name for f in everything for name in all_hints(f)})
    for function in everything:
        refs.claim(function.name, function)
    module_functions = [emit(f, refs, {}).tree for f in everything]
    text = module_text(module_functions, refs)
    names = [f.name for f in everything[-len(functions) :]]
    return load(text, names, refs.outside, guards)


def final_lists(
    functions: Sequence[Function], request: Request, simplify: bool = True
) -> list[Function]:
    """The simplified functions of the module; procedures that are called stand first."""
    final = [_final(f, simplify) for f in functions]
    final[0] = replace(final[0], doc=request.doc)
    everything = [*_called(final, simplify), *final]
    if request.backend == "numba":
        from tangent_like.backend import numba_dialect  # noqa: PLC0415 - extra

        passes = numba_dialect.FOR_PARALLEL if request.parallel else numba_dialect.PASSES
        return [simplified(f, passes) for f in everything]
    return everything


def places_for_numba(
    target: Any, kinds: Sequence[Fact], request: Request
) -> dict[int, Place]:
    """The user's place for each line of a module that Numba compiles."""
    from tangent_like.backend.numba_dialect.diagnosis import places_of  # noqa: PLC0415 - extra
    from tangent_like.backend.numba_dialect.loading import emitted_module  # noqa: PLC0415 - extra

    function = derivative_list(target, kinds, request, new_module())
    emitted = emitted_module(final_lists((function,), request), request)
    return places_of(emitted.text, emitted.trees)


def finished_functions(
    target: Any, kinds: Sequence[Fact], request: Request
) -> list[Function]:
    """The final list of the derivative and, before it, those of the procedures that it calls."""
    return final_lists([derivative_list(target, kinds, request, new_module())], request)


def _called(final: Sequence[Function], simplify: bool) -> list[Function]:
    return [_final(f, simplify) for f in procedure_functions(final)]


def procedure_functions(functions: Sequence[Function]) -> list[Function]:
    """The procedures that the functions reach, each with a name of its own."""
    taken = {f.name for f in functions}
    found = []
    for procedure in reached(functions):
        assert procedure.function is not None
        name, number = procedure.name, 1
        while procedure.name in taken:
            procedure.name, number = f"{name}_inner{number if number > 1 else ''}", number + 1
        taken.add(procedure.name)
        found.append(replace(procedure.function, name=procedure.name))
    return found


def _final(function: Function, simplify: bool) -> Function:
    return _run(function, FINAL_PASSES if simplify and simplifying[0] else PLAIN_PASSES)
