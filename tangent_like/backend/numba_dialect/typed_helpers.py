"""The helpers of an exported module, written for the types that they are called with.

    sum_over(t, 1, False)    ──▶    @numba.njit
                                    def sum_over(x, axis, keepdims):
                                        out = np.full((x.shape[0],), 0.0, np.float64)
                                        for i0 in range(x.shape[0]):
                                            ...

Numba asks for the implementation of a helper when it knows the types of a call.  Here it compiles
the derivative for the declared types, with a function of its own in the place of each helper that
is called anywhere: what is asked of that is what the call needs, and is written into the module.
"""

from __future__ import annotations

import ast
import copy
import inspect
import itertools
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numba
import numpy as np
from numba import types
from numba.extending import overload

from tangent_like import facts
from tangent_like.backend.load import load
from tangent_like.backend.nodes import LATER_FIELDS
from tangent_like.backend.numba_dialect.diagnosis import FAILURES, reason_of
from tangent_like.backend.printing import function_text
from tangent_like.backend.references import is_library
from tangent_like.errors import NotYetSupported, TangentLikeError
from tangent_like.facts import Fact
from tangent_like.frontend.source import find_source
from tangent_like.ir import Function
from tangent_like.numba_runtime.writing import choosers, items_of, text_of

if TYPE_CHECKING:
    from tangent_like.backend.standalone import Standalone

Layout = Literal["A", "C"]
LAYOUTS: tuple[Layout, ...] = ("A", "C")
"""Elements in any order of memory, or in NumPy's own."""


@dataclass(slots=True, eq=False)
class Site:
    """A place where a helper is called, with what it was asked for there, by the types."""

    helper: FunctionType
    found: dict[tuple[Any, ...], Written] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Written:
    """An implementation, with the names of the helpers that it calls itself."""

    tree: ast.FunctionDef
    calls: list[str]


class TypedHelpers:
    """The helpers that an exported module calls."""

    def __init__(self, refs: Standalone):
        self.refs = refs
        self.sites: dict[str, Site] = {}
        """By the names that the calls have until their helpers are written."""

        self.texts: dict[tuple[FunctionType, str], str] = {}
        """The final name of each implementation that was written."""

        self.taken: set[str] = set()

    def name_of_call(self, helper: FunctionType) -> str:
        """A name that this call alone has."""
        self.refs.claim(helper.__name__, helper)  # variables get other names
        name = f"{helper.__name__}__call_{len(self.sites)}"
        self.sites[name] = Site(helper)
        return name

    def write(self, trees: Sequence[ast.FunctionDef], main: Function, decorator: ast.expr) -> None:
        """Write the helpers into the module, and their names into its functions."""
        direct = [name for name in self.sites if any(name in names_in(tree) for tree in trees)]
        if not direct:
            return
        self.compile(trees, main)
        own = {*self.refs.imports, *self.refs.constants, *(tree.name for tree in trees)}
        self.taken = own.union(*map(names_in, trees))
        names = {name: self.written(name, decorator) for name in direct}
        for tree in trees:
            rename(tree, names)

    # --- what is asked for -----------------------------------------------------------------------

    def compile(self, trees: Sequence[ast.FunctionDef], main: Function) -> None:
        """Let Numba compile the derivative, for arrays in any order of memory if it can."""
        for layout in LAYOUTS:
            for site in self.sites.values():
                site.found.clear()
            kinds = [self.type_of(param.fact, param.name, layout) for param in main.params]
            try:
                self.compile_for(trees, main.name, tuple(kinds))
            except FAILURES as error:
                failed = error
            else:
                return
        raise NotYetSupported(
            f"Numba cannot compile this derivative: {reason_of(failed)}", self.refs.place,
            'leave out backend="numba"',
        ) from failed  # fmt: skip

    def compile_for(
        self, trees: Sequence[ast.FunctionDef], name: str, kinds: tuple[Any, ...]
    ) -> None:
        head = [*self.refs.imports.values(), *(text for text, _ in self.refs.constants.values())]
        copies = [copy.deepcopy(tree) for tree in trees]
        for tree in copies:
            tree.decorator_list = [ast.Name("njit", ast.Load())]
        text = "\n".join([*head, *(ast.unparse(ast.fix_missing_locations(t)) for t in copies)])
        stand_ins = {name: self.stand_in(site) for name, site in self.sites.items()}
        loaded = load(f"from numba import njit\n{text}", [name], stand_ins)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded.calls[0].compile(kinds)  # type: ignore[attr-defined]

    def stand_in(self, site: Site) -> Callable[..., Any]:
        """What is called in the place of a helper while types are found out."""
        choose = choosers.get(site.helper)

        def chosen(*kinds: Any) -> Callable[..., Any] | None:
            implementation = choose(*kinds) if choose else site.helper
            if implementation is None:
                return None
            if kinds not in site.found:
                site.found[kinds] = self.rewritten(implementation)
            written = site.found[kinds]
            namespace = {name: self.stand_in(self.sites[name]) for name in written.calls}
            return self.loaded(written, namespace)

        def called(*args: Any) -> None:
            raise AssertionError("a stand-in for a helper was called")

        vars(chosen)["__signature__"] = without_annotations(choose or site.helper)
        chosen.__annotations__ = {}
        called.__name__ = site.helper.__name__  # in what Numba says of it
        overload(called, prefer_literal=True)(chosen)
        return called

    def loaded(self, written: Written, namespace: Mapping[str, Any]) -> Callable[..., Any]:
        head = [*self.refs.imports.values(), *(text for text, _ in self.refs.constants.values())]
        errors = [text for key, text in self.refs.copies.items() if isinstance(key, type)]
        text = "\n".join([*head, *errors, ast.unparse(written.tree)])
        return load(text, [written.tree.name], namespace).calls[0]

    def type_of(self, fact: Fact, name: str, layout: Layout) -> Any:
        """Numba's type of an argument."""
        found = numba_type(fact, layout)
        if found is None:
            raise NotYetSupported(
                f"the argument `{name}` of an unknown type, in a module for Numba whose helpers "
                "are written for types",
                self.refs.place, f"give a type or an example: types={{{name!r}: ...}}",
            )  # fmt: skip
        return found

    # --- the texts -------------------------------------------------------------------------------

    def rewritten(self, implementation: Any) -> Written:
        """An implementation with names that mean the same in the module."""
        tree = tree_of(implementation)
        names = Names(self, implementation, tree)
        tree.body = [names.visit(statement) for statement in tree.body]
        return Written(ast.fix_missing_locations(tree), names.calls)

    def written(self, name: str, decorator: ast.expr) -> str:
        """The name, in the module, of what a call needs."""
        site = self.sites[name]
        made = {
            self.final_name(site.helper, kinds, written, decorator)
            for kinds, written in site.found.items()
        }
        if len(made) == 1:
            return made.pop()
        what = f"`{site.helper.__name__}`"
        raise self.refs.refused(f"{what}, of which Numba does not say the types,", "")

    def final_name(
        self, helper: FunctionType, kinds: tuple[Any, ...], written: Written, decorator: ast.expr
    ) -> str:
        tree = copy.deepcopy(written.tree)
        rename(tree, {name: self.written(name, decorator) for name in written.calls})
        key = helper, ast.unparse(tree)
        if key not in self.texts:
            self.texts[key] = tree.name = self.new_name(helper)
            tree.body = [s for s in tree.body if not isinstance(s, ast.Pass)]
            tree.body.insert(0, ast.Expr(ast.Constant(documentation(helper, tree, kinds))))
            tree.decorator_list = [decorator]
            self.refs.copies[key] = function_text(tree)
        return self.texts[key]

    def new_name(self, helper: FunctionType) -> str:
        """That of the helper, or one like it if it is written for other types too."""
        wish = helper.__name__.lstrip("_")
        numbered = (f"{wish}_{k}" for k in itertools.count(1))
        name = next(n for n in (wish, *itertools.islice(numbered, 1000)) if n not in self.taken)
        self.taken.add(name)
        return name


def without_annotations(function: Callable[..., Any]) -> inspect.Signature:
    """How a function is called, as Numba compares it with an implementation."""
    params = inspect.signature(function).parameters.values()
    return inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in params])


def names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def rename(tree: ast.AST, names: Mapping[str, str]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)


def tree_of(implementation: Any) -> ast.FunctionDef:
    """A function as a definition without annotations, be it a lambda or written as text."""
    lines = text_of(implementation)
    text = "\n".join(lines) if lines else textwrap.dedent(find_source(implementation).text)
    (node,) = ast.parse(text).body
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Lambda):
        result = ast.Return(node.value.body)
        return ast.FunctionDef(
            "written", node.value.args, [result], [], None, None, **LATER_FIELDS
        )
    assert isinstance(node, ast.FunctionDef)
    node.name, node.returns, node.decorator_list = "written", None, []
    for arg in ast.walk(node.args):
        if isinstance(arg, ast.arg):
            arg.annotation = None
    if ast.get_docstring(node) is not None:
        del node.body[0]
    return node


class Names(ast.NodeTransformer):
    """Puts what a module can say into the place of what an implementation has around it."""

    def __init__(self, helpers: TypedHelpers, implementation: Any, tree: ast.FunctionDef):
        self.helpers = helpers
        self.calls: list[str] = []
        cells = dict(zip(implementation.__code__.co_freevars, implementation.__closure__ or ()))
        self.around = {
            **implementation.__globals__,
            **{name: cell.cell_contents for name, cell in cells.items()},
        }
        self.own = {
            *(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)),
            *(node.id for node in ast.walk(tree)
              if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)),
        }  # fmt: skip

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.own or node.id not in self.around:
            return node
        return self.said(node.id, self.around[node.id])

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id not in self.own:
            outer = self.around.get(node.value.id)
            if isinstance(outer, ModuleType) and outer.__name__.startswith("tangent_like"):
                return self.said(node.attr, getattr(outer, node.attr))
        self.generic_visit(node)
        return node

    def said(self, name: str, value: Any) -> ast.expr:
        refs = self.helpers.refs
        if isinstance(value, ModuleType):
            return refs.module(value.__name__)
        if isinstance(value, FunctionType) and not is_library(value):
            call = self.helpers.name_of_call(value)
            self.calls.append(call)
            return ast.Name(call, ast.Load())
        if isinstance(value, type) and issubclass(value, TangentLikeError):
            refs.name_for_copy(name, value)
            return ast.Name(name, ast.Load())
        if isinstance(value, np.dtype):
            return refs.function(value.type)
        if isinstance(value, (np.float64, np.int64, np.bool_)):
            value = value.item()
        if isinstance(value, tuple):
            constant = refs.claim(name.lstrip("_").upper(), value)
            refs.constant(constant, value, "Numbers of a formula.")
            return ast.Name(constant, ast.Load())
        if isinstance(value, (bool, int, float, complex, np.generic)):
            return refs.literal(name, value)
        return refs.function(value)


# --- types ----------------------------------------------------------------------------------------


def numba_type(fact: Fact, layout: Layout) -> Any:
    """The type of what a fact describes; None where it leaves that open."""
    match fact:
        case facts.Scalar(kind):
            return _SCALARS.get(kind)
        case facts.Array(str(dtype), ()):
            return numba.from_dtype(np.dtype(dtype))
        case facts.Array(str(dtype), tuple(dims)):
            return types.Array(numba.from_dtype(np.dtype(dtype)), len(dims), layout)
        case facts.Tuple(items):
            kinds = [numba_type(item, layout) for item in items]
            return None if None in kinds else _tuple_of(kinds)
        case facts.ListOf(item):
            return _list_of({numba_type(item, layout)})
        case facts.List(items):
            return _list_of({numba_type(item, layout) for item in items})
        case facts.Opaque():
            return types.none if fact == facts.of_constant(None) else None
    return None


_SCALARS = {
    "float": types.float64, "int": types.int64, "bool": types.boolean,
    "complex": types.complex128,
}  # fmt: skip


def _tuple_of(kinds: Sequence[Any]) -> Any:
    return types.BaseTuple.from_types(kinds)  # type: ignore[no-untyped-call]


def _list_of(kinds: set[Any]) -> Any:
    """A list's type, if its items have one."""
    (kind,) = kinds if len(kinds) == 1 else (None,)
    if kind is None:
        return None
    return types.List(kind, reflected=True)  # type: ignore[no-untyped-call]


def documentation(helper: FunctionType, tree: ast.FunctionDef, kinds: tuple[Any, ...]) -> str:
    """What a helper does, and the types that it was written for."""
    doc = inspect.getdoc(helper) or f"`{helper.__name__}` of derivatives."
    summary = textwrap.fill(" ".join(doc.split("\n\n")[0].split()), 78)
    names = [arg.arg for arg in tree.args.args]
    rest = kinds[len(names) :]
    if tree.args.vararg is not None:
        names.append(tree.args.vararg.arg)
        kinds = (*kinds[: len(names) - 1], rest[0] if len(rest) == 1 else rest)
    lines = [f"{name}: {described(kind)}" for name, kind in zip(names, kinds)]
    return textwrap.indent("\n".join([summary, "", *lines, ""]), "    ").strip(" ") + "    "


def described(kind: Any) -> str:
    """A type as Numba's users write it; the value of a literal."""
    if isinstance(kind, types.Omitted):
        return repr(kind.value)
    if isinstance(kind, types.Literal):
        return repr(kind.literal_value)
    if isinstance(kind, types.Array):
        return f"{described(kind.dtype)}[{', '.join(':' * kind.ndim)}]"
    if isinstance(kind, (tuple, types.BaseTuple)):
        parts = kind if isinstance(kind, tuple) else items_of(kind)
        return f"({', '.join(map(described, parts))}{',' if len(parts) == 1 else ''})"
    if isinstance(kind, types.List):
        return f"a list of {described(kind.dtype)}"
    return "None" if isinstance(kind, types.NoneType) else str(kind)
