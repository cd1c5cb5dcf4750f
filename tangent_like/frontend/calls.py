"""Lowering calls: what is called decides.

User functions are inlined; a function that calls itself becomes a procedure of the generated
module; NumPy, `math` and everything with a derivative rule stays a single operation; `grad` and
its like are differentiated on the spot.
"""

from __future__ import annotations

import inspect
import logging
import operator
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import gast
import numpy as np

from tangent_like import dynamic, effects, facts, ir
from tangent_like.build import Unreachable
from tangent_like.errors import (
    ArgumentError,
    NeverSupported,
    NotYetSupported,
    Place,
    SourceError,
)
from tangent_like.frontend import (
    applications,
    copies,
    dicts,
    edits,
    indexed_writes,
    lists,
    operators,
    outs,
    selection,
    syntax,
    tables,
)
from tangent_like.frontend.arithmetic import OF_FUNCTIONS, refuse_functions
from tangent_like.frontend.choices import choose
from tangent_like.frontend.externals import External
from tangent_like.frontend.failures import lower_exception
from tangent_like.frontend.functions import lower_body, new_frame
from tangent_like.frontend.generators import is_generator, lower_generator_body
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.methods import METHODS
from tangent_like.frontend.names import attribute_of_constant, external_atom
from tangent_like.frontend.numba_functions import python_function
from tangent_like.frontend.objects import Partial, deferred, make_table, reached, table_of
from tangent_like.frontend.operator_calls import lower_operator
from tangent_like.frontend.protocols import METHODS as BEHIND
from tangent_like.frontend.protocols import (
    call_special,
    class_of,
    is_object,
    is_protocol_object,
    operator_of_class,
    takes_operator,
)
from tangent_like.frontend.scope import Bound, Choice, Derived, Frame, LocalFunction, Method
from tangent_like.frontend.shrinking import shrinks, size
from tangent_like.frontend.source import Source, find_source
from tangent_like.frontend.stars import collect, named_items, starred_items
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import (
    Super,
    construct,
    lower_super,
    read_attribute,
)
from tangent_like.frontend.text import text_method
from tangent_like.ir import Atom, Const
from tangent_like.parts import is_named_tuple, is_own_object
from tangent_like.rules import refused, registry

_LIBRARIES = (
    "numpy", "math", "operator", "builtins", "scipy", "functools", "itertools", "cmath", "time",
    "logging", "warnings", "_warnings", "contextlib",
)  # fmt: skip
_PLAIN_BUILTINS = (
    abs, bool, complex, divmod, float, int, isinstance, len, max, min, pow, range, reversed, round,
    slice, sum, type, print, str, repr,
)  # fmt: skip


_SHALLOW = 60
_DEEP_LIMIT = 10_000


def lower_call(state: Lowering, node: Any) -> Atom:
    if isinstance(node.func, gast.Attribute):
        found = _method_call(state, node)
        if found is not None:
            return found
    found = lower_super(state, node)
    if found is not None:
        return found
    callee = state.expression(node.func)
    args, keywords = _arguments(state, node)
    state.builder.place = state.place(node)
    return call(state, node, callee, args, keywords)


def _arguments(state: Lowering, node: Any) -> tuple[list[Atom], dict[str, Atom]]:
    args = starred_items(state, node.args)
    named = named_items(state, node.keywords, node)
    args = [fresh(state, atom, node) for atom in args]
    return args, {key: fresh(state, atom, node) for key, atom in named.items()}


def _source_of_draws(fact: facts.Fact) -> type | None:
    """The class of a source of random numbers: its methods are operations."""
    kinds = (k for k in effects.sources_of_draws() if fact == facts.Opaque(k.__name__))
    return next(kinds, None)


def _method_call(state: Lowering, node: Any) -> Atom | None:
    """`x.sum(axis=0)` on an array is `np.sum(x, axis=0)`."""
    owner = state.expression(node.func.value)
    name = node.func.attr
    if isinstance(owner, Const) and isinstance(owner.value, str):
        args, keywords = _arguments(state, node)
        return text_method(state, node, owner.value, name, args, keywords)
    if isinstance(owner, Const) and isinstance(owner.value, Choice):
        callee = selection.of_either(
            state, node, owner.value, partial(_method_of, state, node, name)
        )
        args, keywords = _arguments(state, node)
        return call(state, node, callee, args, keywords)
    if isinstance(owner, Const):
        if not isinstance(owner.value, (Super, Partial)) and not hasattr(owner.value, name):
            raise _missing(owner.value, name, state.place(node))
        callee = attribute_of_constant(state, owner, name, node)
        args, keywords = _arguments(state, node)
        state.builder.place = state.place(node)
        return call(state, node, callee, args, keywords)
    if is_object(owner):
        if name in copies.NAMED_TUPLES and is_named_tuple(class_of(owner)):
            args, keywords = _arguments(state, node)
            return copies.NAMED_TUPLES[name](state, node, owner, args, keywords)  # type: ignore[no-any-return]
        callee = read_attribute(state, node, owner, name)
        args, keywords = _arguments(state, node)
        state.builder.place = state.place(node)
        return call(state, node, callee, args, keywords)
    if lists.is_container(owner):
        return _container_method(state, node, owner, name)
    source = _source_of_draws(owner.fact)
    if source is not None:
        drawing = getattr(source, name, None)
        args, keywords = _arguments(state, node)
        return call(state, node, Const(drawing), [owner, *args], keywords)
    if name in indexed_writes.METHODS and facts.is_numeric(owner.fact):
        args, keywords = _arguments(state, node)
        write = indexed_writes.METHODS[name]
        return write(state, node, [fresh(state, owner, node), *args], keywords)
    method = METHODS.get(name)
    if method is None and facts.is_numeric(owner.fact) and name in refused.METHODS:
        refusal = refused.METHODS[name]
        raise NotYetSupported(f"`.{name}`: {refusal.reason}", state.place(node), refusal.instead)
    if method is None or not facts.is_numeric(owner.fact):
        raise NotYetSupported(
            f"the method `{name}`", state.place(node), "use a function of its value instead"
        )
    args, keywords = _arguments(state, node)
    function, args, keywords = method(state, [fresh(state, owner, node), *args], keywords)
    plain = partial(_plain_method, state, node, function)
    written = outs.call(state, node, function, args, keywords, plain)
    return plain(args, keywords) if written is None else written


def _method_of(state: Lowering, node: Any, name: str, owner: Atom) -> Atom:
    if isinstance(owner, Const) and isinstance(owner.value, Choice):
        read = partial(_method_of, state, node, name)
        return selection.of_either(state, node, owner.value, read)
    if isinstance(owner, Const):
        return attribute_of_constant(state, owner, name, node)
    return read_attribute(state, node, owner, name)


def _plain_method(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    return state.builder.op(function, args, dict(keywords), place=state.place(node))


def _container_method(state: Lowering, node: Any, owner: Atom, name: str) -> Atom:
    """A method of a list or a dict."""
    args, keywords = _arguments(state, node)
    state.builder.place = state.place(node)
    owner = fresh(state, owner, node)
    method = lists.method_of(owner, name)
    table = table_of(state, owner) if method is None else None
    if table is not None:
        return fresh(state, tables.method(state, table, name, args, node), node)
    if name == "sort" and isinstance(owner.fact, (facts.List, facts.ListOf)):
        return edits.in_order(state, node, owner, keywords)  # type: ignore[arg-type]
    if keywords and method is dicts.update:
        args, keywords = [*args, make_table(state, keywords)], {}
    if method is None or keywords or not isinstance(owner, ir.Value):
        raise NotYetSupported(
            f"the method `{name}` of {facts.describe(owner.fact)}", state.place(node),
            "use indices, or build a new list",
        )  # fmt: skip
    return method(state, node, owner, args)


def _missing(owner: Any, name: str, place: Place) -> NotYetSupported | NeverSupported:
    """The error for what a module does not have, or an object that is known while compiling."""
    if isinstance(owner, types.ModuleType):
        return NeverSupported(f"`{owner.__name__}` has no attribute `{name}`", place)
    hint = "compute its value before the differentiated function"
    return NotYetSupported(f"the method `{name}`", place, hint)


def call(
    state: Lowering, node: Any, callee: Atom, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """Call what is known at compile time."""
    if is_object(callee):
        return call_special(state, node, "__call__", callee, args, keywords)
    if not isinstance(callee, Const):
        return _call_unknown(state, node, callee, args, keywords)
    function = python_function(callee.value)
    applied = applications.apply(state, node, function, args, keywords, call)
    if applied is not None:
        return applied
    called = _call_of_object(function)
    if called is not None:
        return call(state, node, Const(called), (callee, *args), keywords)
    if isinstance(function, Choice):
        return _call_choice(state, node, function, args, keywords)
    if isinstance(function, LocalFunction):
        return _call_local(state, node, function, args, keywords)
    if isinstance(function, Derived):
        return state.module.derive(state, node, function, args, keywords)  # type: ignore[no-any-return]
    if isinstance(function, Method):
        return call(state, node, Const(function.function), (function.owner, *args), keywords)
    if isinstance(function, types.MethodType) and _is_of_the_user(function):
        return _call_bound(state, node, callee, function, args, keywords)
    if isinstance(function, Bound):
        return call(state, node, Const(function.function), (*args, *function.last), keywords)
    operator_name = operators.name_of(function)
    if operator_name is not None:
        return lower_operator(state, node, operator_name, args, keywords)
    custom = registry.custom_of(function)
    if custom is not None:
        return state.module.call_custom(state, node, custom, args, keywords)
    if isinstance(function, np.vectorize):
        return _call_vectorized(state, node, function, args, keywords)
    lower_solver = registry.call_of(function)
    if lower_solver is not None:
        return lower_solver(state, node, args, keywords)  # type: ignore[no-any-return]
    if function is logging.getLogger and all(isinstance(a, Const) for a in args):
        return Const(function(*(a.value for a in args)))  # type: ignore[union-attr]
    dunder = OF_FUNCTIONS.get(function) if _is_hashable(function) else None
    if dunder is not None and len(args) == 2 and takes_operator(dunder, *args):
        return operator_of_class(state, node, dunder, *args)
    writer = indexed_writes.writer_of(function)
    if writer is not None:
        return writer(state, node, args, keywords)
    if registry.find(function) is not None or function in _PLAIN_BUILTINS:
        return _operation(state, node, function, args, keywords)
    if isinstance(function, operators.DERIVATIVES):
        return state.module.derive(state, node, Derived(*function.derived()), args, keywords)  # type: ignore[no-any-return]
    if isinstance(function, types.FunctionType) and not _of_library(function):
        return _call_function(state, node, function, args, keywords)
    if indexed_writes.is_refused(function):
        raise NotYetSupported(
            f"`{function.__name__}`, which writes into an array in place",
            state.place(node),
            "build a new array",
        )
    if isinstance(function, type) and issubclass(function, BaseException):
        return lower_exception(state, node, function, args, keywords)
    if isinstance(function, type) and not _of_library(function):
        return construct(state, node, function, args, keywords)
    if _of_library(function) and getattr(function, "__module__", "") != "builtins":
        return _operation(state, node, function, args, keywords)
    name = getattr(function, "__qualname__", None) or repr(function)
    raise NotYetSupported(
        f"calling `{name}`",
        state.place(node),
        "give it a rule with tl.elementwise, tl.linear or tl.custom_vjp",
    )


def _call_unknown(
    state: Lowering, node: Any, callee: Atom, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """A call of what is known only at run time: it is differentiated then, if it is a function;
    if it cannot be called Python's error is raised."""
    made = state.builder.definitions.get(callee) if isinstance(callee, ir.Value) else None
    if made is not None and made.fn in (ir.unbound, ir.missing):
        raise Unreachable
    if keywords or not all(map(_may_be_passed, args)):
        raise NotYetSupported(
            "calling a function that is known only at run time with these arguments",
            state.place(node),
            "pass numbers and arrays by position",
        )
    return state.builder.op(dynamic.call, (callee, *args), place=state.place(node))


def _may_be_passed(atom: Atom) -> bool:
    """Whether an argument is a number, an array, or a constant that exists at run time."""
    if isinstance(atom, Const):
        return isinstance(atom.value, (bool, int, float, complex, str, type(None), np.dtype))
    return isinstance(atom.fact, (facts.Scalar, facts.Array, facts.Unknown))


def _call_vectorized(
    state: Lowering,
    node: Any,
    function: np.vectorize,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """A vectorised function that was made outside, such as a decorated one."""
    plain = np.vectorize(function.pyfunc)
    if any(vars(function).get(name) != vars(plain).get(name) for name in _OPTIONS):
        raise NotYetSupported(
            "`vectorize` with options", state.place(node), "give it the function only"
        )
    made = registry.calls[np.vectorize](state, node, (Const(function.pyfunc),), {})
    return call(state, node, made, args, keywords)


def _is_hashable(function: Any) -> bool:
    return getattr(type(function), "__hash__", None) is not None


_OPTIONS = ("otypes", "excluded", "signature", "cache")


def _is_of_the_user(function: types.MethodType) -> bool:
    owner = function.__self__  # of a class method the class
    kind = owner if isinstance(owner, type) else type(owner)
    return not _of_library(function) and not _of_library(kind)


def _call_of_object(value: Any) -> types.FunctionType | None:
    """What calling an object of the user's runs; None for functions and what is no object."""
    kind = type(value)
    if kind.__module__.startswith("tangent_like.") or _of_library(kind):
        return None
    if getattr(kind, "__hash__", None) is not None and registry.find(value) is not None:
        return None
    defined = inspect.getattr_static(kind, "__call__", None)
    return defined if isinstance(defined, types.FunctionType) else None


def _call_bound(
    state: Lowering,
    node: Any,
    callee: Const,
    function: types.MethodType,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """A method of an object outside: its attributes are read there."""
    owner = Const(function.__self__)
    origin = state.module.origins.get(callee)
    if origin is not None:
        read_there = origin.path[-1:] == (function.__name__,)
        path = origin.path[:-1] if read_there else (*origin.path, "__self__")
        state.module.origins[owner] = replace(origin, path=path)
    return call(state, node, Const(function.__func__), (owner, *args), keywords)


def _call_choice(
    state: Lowering,
    node: Any,
    choice: Choice,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """A branch with a call of either function."""
    return choose(
        state, node, choice.test,
        lambda: call(state, node, choice.then, args, keywords),
        lambda: call(state, node, choice.orelse, args, keywords), "if",
    )  # fmt: skip


def _of_library(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    if isinstance(function, np.ufunc):
        return True
    return module.split(".")[0] in _LIBRARIES


def _operation(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    named = dict(keywords)
    if function is reversed and len(args) == 1:
        return _backwards(state, node, args[0])
    plain = partial(_operation, state, node, function)
    written = outs.call(state, node, function, args, named, plain)
    if written is not None:
        return written
    if args and function in BEHIND and is_protocol_object(args[0]):
        return call_special(state, node, BEHIND[function], args[0], args[1:], named)
    for atom in (*args, *named.values()):
        if is_protocol_object(atom) and _of_library(function) and not _takes_any(function):
            raise NotYetSupported(
                f"`{function.__name__}` of a `{class_of(atom).__name__}`", state.place(node),
                "pass what it holds",
            )
        if isinstance(atom, Const) and isinstance(atom.value, (LocalFunction, Derived)):
            raise NotYetSupported(
                "passing a function to this function", state.place(node), "write the loop out"
            )
    if isinstance(function, np.ufunc) and len(args) < function.nin:
        raise NeverSupported(
            f"`{function.__name__}` of {len(args)} operands: it takes {function.nin}",
            state.place(node),
        )
    if isinstance(function, np.ufunc) or getattr(function, "__module__", "") == "math":
        refuse_functions(state, node, args)
    args, named = _positional(function, list(args), named)
    result = state.builder.op(function, args, named, place=state.place(node))
    return Const(None) if result.fact == facts.NONE else result


def _takes_any(function: Any) -> bool:
    """Whether a library's function does not ask what an object consists of."""
    return function in (print, str, repr, isinstance, type) or effects.is_inert(function)


def _backwards(state: Lowering, node: Any, sequence: Atom) -> Atom:
    """`reversed(x)`: a range backwards, or the sequence read from its end."""
    fact = sequence.fact
    if fact == facts.Opaque("range"):
        return state.builder.op(reversed, (sequence,), place=state.place(node))
    if isinstance(fact, (facts.Tuple, facts.List)):
        items = [
            state.builder.op(operator.getitem, (sequence, Const(i)))
            for i in reversed(range(len(fact.items)))
        ]
        return state.builder.op(ir.make_tuple, items, place=state.place(node))
    if isinstance(fact, (facts.Array, facts.ListOf)):
        back = Const(slice(None, None, -1))
        return state.builder.op(operator.getitem, (sequence, back), place=state.place(node))
    raise NotYetSupported(
        f"`reversed` of {facts.describe(fact)}", state.place(node), "loop over a range backwards"
    )


def _positional(
    function: Any, args: list[Atom], keywords: dict[str, Atom]
) -> tuple[list[Atom], dict[str, Atom]]:
    """Operands that a rule differentiates come by position: `np.sum(a=x)` is `np.sum(x)`."""
    moving = any(isinstance(v, ir.Value) and facts.is_numeric(v.fact) for v in keywords.values())
    if not moving and function is not np.clip:
        return args, keywords
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return args, keywords
    for name in names[len(args) :]:
        if name not in keywords:
            break
        args.append(keywords.pop(name))
    return args, keywords


# --- functions written in Python -------------------------------------------------------------


def _call_function(
    state: Lowering,
    node: Any,
    function: types.FunctionType,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    if function in state.frame.calls and not shrinks(state, function, args, keywords):
        return state.module.recurse(state, node, function, args, keywords)
    if len(state.frame.calls) > _SHALLOW and sys.getrecursionlimit() < _DEEP_LIMIT:
        raise RecursionError("inlining this deep needs a larger stack")
    try:
        source = find_source(function)
    except SourceError as error:
        raise NotYetSupported(
            f"calling `{function.__qualname__}`: {error.message}", state.place(node), error.hint
        ) from error
    state.module.rely_on(function)
    defaults = {
        name: _default(state, node, function, name, value)
        for name, value in default_values(function).items()
    }
    env = bind_arguments(state, node, source.tree, defaults, args, keywords)
    return _inline(state, source, source.tree, env, None, function)


def default_values(function: Any) -> dict[str, object]:
    """The default values of a function's parameters."""
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function, follow_wrapped=False).parameters.items()
        if parameter.default is not parameter.empty
    }


def _default(
    state: Lowering, node: Any, function: types.FunctionType, name: str, value: object
) -> Atom:
    """The default value of a parameter; arrays are read where Python keeps them."""
    if not isinstance(value, np.ndarray) and not is_own_object(value):
        return Const(value)
    for atom, origin in state.module.origins.items():
        if atom.value is function:
            path = (*origin.path, *_place_of_default(function, name))
            outside = External(origin.function, origin.name, origin.is_cell, path)
            return external_atom(state, outside, value, node)
    raise NotYetSupported("this default value here", state.place(node), "pass it")


def _place_of_default(function: types.FunctionType, name: str) -> tuple[Any, ...]:
    if name in (function.__kwdefaults__ or {}):
        return "__kwdefaults__", (name,)
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    count = len(function.__defaults__ or ())
    return "__defaults__", (positional.index(name) - len(positional) + count,)


def _call_local(
    state: Lowering,
    node: Any,
    function: LocalFunction,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    if function in state.frame.calls and not shrinks(state, function, args, keywords):
        return state.module.recurse(state, node, function, args, keywords)
    env = bind_arguments(state, node, function.node, function.defaults, args, keywords)
    return _inline(state, function.frame.source, function.node, env, function.frame, function)


def bind_arguments(
    state: Lowering,
    node: Any,
    tree: Any,
    defaults: Mapping[str, Atom],
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> dict[str, Any]:
    """The environment in which the callee's body starts."""
    arguments = tree.args
    only_positional = [param.id for param in arguments.posonlyargs]
    positional = only_positional + [param.id for param in arguments.args]
    names = positional + [param.id for param in arguments.kwonlyargs]
    by_name = set(names) - set(only_positional)
    collected, args, keywords = collect(state, node, arguments, positional, by_name, args, keywords)
    env: dict[str, Any] = dict(zip(positional, args))
    problem = _misuse(positional, only_positional, names, args, keywords)
    if problem:
        raise ArgumentError(f"the call {problem}", state.place(node))
    env.update({**keywords, **collected})
    for name in names:
        if name not in env:
            if name not in defaults:
                raise ArgumentError(f"the call misses the argument `{name}`", state.place(node))
            env[name] = defaults[name]
    return env


def _misuse(
    positional: Sequence[str],
    only_positional: Sequence[str],
    names: Sequence[str],
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> str:
    if len(args) > len(positional):
        return f"passes {len(args)} positional arguments where {len(positional)} are taken"
    for name in keywords:
        if name not in names or name in only_positional:
            return f"passes an unknown keyword `{name}`"
        if name in positional[: len(args)]:
            return f"passes `{name}` twice"
    return ""


def _inline(
    state: Lowering, source: Source, tree: Any, env: dict[str, Any], parent: Frame | None, key: Any
) -> Atom:

    if is_generator(tree):
        names, sources = reached(parent, syntax.names_from_outside(tree))
        sources += [atom for atom in env.values() if isinstance(atom, ir.Value)]
        make = partial(_in_frame, state, source, tree, env, parent, key)
        return deferred(state, make, names, sources, env.values())
    return _in_frame(state, source, tree, env, parent, key)


def _in_frame(
    state: Lowering, source: Source, tree: Any, env: dict[str, Any], parent: Frame | None, key: Any
) -> Atom:
    caller = state.frame
    place = state.builder.place
    frame = new_frame(source, tree, env, parent, caller)
    frame.calls, frame.size = (*caller.calls, key), size(env.values())
    state.frame = frame
    try:
        return lower_generator_body(state, tree) if is_generator(tree) else lower_body(state)
    finally:
        state.frame = caller
        state.builder.place = place


def refuse_call(state: Lowering, node: Any, message: str) -> NeverSupported:
    return NeverSupported(message, state.place(node))
