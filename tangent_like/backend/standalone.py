"""The text of a module that stands alone: what other generated code imports or binds is in it.

    x * model.rate, unbroadcast(g, x)    ──▶    RATE = 0.5  # the global variable rate
                                                def unbroadcast(g, like): ...

Numbers and arrays from outside the function become constants, helpers and other functions are
copied with what they need, and the rest is refused.
"""

from __future__ import annotations

import ast
import math
import re
import sys
from collections.abc import Mapping, Sequence
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from tangent_like import ir
from tangent_like.backend.emit import emit
from tangent_like.backend.naming import all_hints
from tangent_like.backend.printing import function_text
from tangent_like.backend.references import LIBRARIES, References, home_of, is_library
from tangent_like.backend.tidying import (
    tidied,
    with_constants,
    with_short_docstring,
    without_types,
    wrapped,
)
from tangent_like.errors import NotYetSupported, Place, TangentLikeError
from tangent_like.frontend.code_names import read_by
from tangent_like.frontend.externals import External
from tangent_like.frontend.source import find_source
from tangent_like.request import Request

if TYPE_CHECKING:
    from tangent_like.backend.numba_dialect.typed_helpers import TypedHelpers

LARGEST = 1000
"""Arrays with more elements are data, which nobody wants to find in a source file."""

_NUMBERS = (bool, int, float, complex, np.generic, np.ndarray)


def standalone_text(
    functions: Sequence[ir.Function], request: Request, docs: tuple[str, str], floats: Sequence[str]
) -> str:
    """The module of these functions, the last of which is the derivative that was asked for.

    `docs` are the docstrings of the module and of the derivative, whose arguments `floats` are
    made floats when it is called.
    """
    user_names = {name for f in functions for name in all_hints(f)}
    refs = Standalone(user_names, functions[-1].place, request.backend == "numba")
    for function in functions:
        refs.claim(function.name, function)
    trees = [emit(f, refs, {}, refs.typed is not None).tree for f in functions]
    trees[-1].body[:0] = [_doc_of(docs[1]), *(_as_float(name, refs) for name in floats)]
    if refs.typed is not None:
        decorator = _decorator(functions, request, refs)
        refs.typed.write(trees, functions[-1], decorator)
        for tree in trees:
            tree.decorator_list.append(decorator)
    trees = [with_constants(tree, refs.constants) for tree in trees]
    texts = [wrapped(function_text(tidied(tree, refs.typed is None))) for tree in trees]
    return module_of(refs, docs[0], texts)


def _typed_helpers(refs: Standalone) -> TypedHelpers:
    from tangent_like.backend.numba_dialect.typed_helpers import (  # noqa: PLC0415 - an extra
        TypedHelpers,
    )

    return TypedHelpers(refs)


def _decorator(functions: Sequence[ir.Function], request: Request, refs: Standalone) -> ast.expr:
    from tangent_like.backend.numba_dialect.loading import decorator  # noqa: PLC0415 - an extra
    from tangent_like.backend.numba_dialect.refusals import refuse  # noqa: PLC0415

    refuse(functions)
    return decorator(refs, request)


def module_of(refs: Standalone, doc: str, functions: Sequence[str]) -> str:
    """Docstring, imports, constants, functions, helpers; in the manner of PEP 8."""
    texts = {tree_name(text): text for text in functions}
    for text in refs.copies.values():
        name = tree_name(text)
        if name in texts:
            raise NotYetSupported(
                f"a function with the name of the helper `{name}` in an export",
                refs.place,
                "give it another name",
            )
        texts[name] = wrapped(text.rstrip() + "\n")
    head = [f'"""{doc}\n"""\n', *import_blocks(refs.imports)]
    constants = "".join(f"# {what}\n{wrapped(text)}" for text, what in refs.constants.values())
    top = "\n".join([*head, constants] if constants else head)
    body = [top, *texts.values()]
    aliases = "".join(f"{alias} = {name}\n" for alias, name in refs.aliases.items())
    text = "\n\n".join([*body, aliases] if aliases else body)
    unusual = [code for code, found in _UNUSUAL.items() if found.search(text)]
    return f"# ruff: noqa: {', '.join(unusual)}\n{text}" if unusual else text


_OUR_EXCEPTION = re.compile("  # noqa: .*")
"""An exception from this project's own conventions, which are not those of the module's readers."""

_UNUSUAL = {
    "E741": re.compile(r"\b[lOI]\b"),
    "B905": re.compile(r"\bzip\((?!(?s:.*)strict=)"),
    "RUF005": re.compile(r",\) \+ |\) \+ \w+\S*\.shape"),
}
"""What linters take for mistakes: names that are the user's, and `zip` and tuples that are put
together as Numba knows it."""


def tree_name(text: str) -> str:
    found = re.search(r"^(?:def|class) (\w+)", text, re.MULTILINE)
    assert found is not None
    return found[1]


def import_blocks(imports: Mapping[str, str]) -> list[str]:
    """Python's own modules, then the others; in each block `import` before `from`."""
    lines = {line for line in imports.values() if not line.startswith("import numpy.")}
    blocks = []
    for own in (True, False):
        block = [line for line in lines if (_root(line) in sys.stdlib_module_names) is own]
        block.sort(key=lambda line: (line.startswith("from"), line.lower()))
        if block:
            blocks.append("\n".join(block) + "\n")
    return blocks


def _root(line: str) -> str:
    return line.split()[1].split(".", maxsplit=1)[0]


def _doc_of(text: str) -> ast.stmt:
    return ast.Expr(ast.Constant(text.replace("\n", "\n    ").replace("\n    \n", "\n\n")))


def _as_float(name: str, refs: References) -> ast.stmt:
    call = ast.Call(refs.builtin("float"), [ast.Name(name, ast.Load())], [])
    return ast.Assign([ast.Name(name, ast.Store())], call)


class Standalone(References):
    """References that are resolved within the module, or refused."""

    def __init__(self, user_names: set[str], place: Place, for_numba: bool = False):
        super().__init__(user_names)
        self.typed = _typed_helpers(self) if for_numba else None
        self.place = place
        """Where what is being resolved stands."""

        self.constants: dict[str, tuple[str, str]] = {}
        """The line that defines a constant, and what it is."""

        self.copies: dict[Any, str] = {}
        """The text of each function that is copied, and of what is written for this module."""

        self.aliases: dict[str, str] = {}
        self._externals: dict[External, object] = {}

    def function(self, function: Any) -> ast.expr:
        if isinstance(function, ir.Procedure) or is_library(function):
            return super().function(function)
        if not isinstance(function, FunctionType) or (self.typed and not _is_ours(function)):
            raise self.refused(f"`{getattr(function, '__name__', function)}`", "")
        if self.typed is not None:
            return ast.Name(self.typed.name_of_call(function), ast.Load())
        self.copy(function)
        alias = self.claim(function.__name__, function)
        if alias != function.__name__:
            self.aliases[alias] = function.__name__
        return ast.Name(alias, ast.Load())

    # --- numbers and arrays ----------------------------------------------------------------------

    def external(self, external: External) -> ast.expr:
        """A constant for what is otherwise read when the derivative is called."""
        self.place = _place_of(external.function)
        value = external.read()
        steps = [step if isinstance(step, str) else str(step[0]) for step in external.path]
        wish = re.sub(r"\W+", "_", "_".join([external.name, *steps])).upper()
        name = self.claim(wish, self._externals.setdefault(external, object()))
        of = "variable" if external.is_cell else "global variable"
        where = ".".join([external.name, *steps])
        self.constant(name, value, f"The {of} `{where}`, as it was when this was written.")
        return ast.Name(name, ast.Load())

    def constant(self, name: str, value: Any, what: str) -> None:
        node = self.literal(name, value)
        assignment = ast.Assign([ast.Name(name, ast.Store())], node)
        text = ast.unparse(ast.fix_missing_locations(assignment))
        self.constants[name] = (f"{text}\n", what)

    def literal(self, name: str, value: Any) -> ast.expr:
        """The expression of a number, a string, an array, or a tuple or list of these."""
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
            return self.array(name, value)
        if isinstance(value, np.generic) and value.dtype.kind in "biufc":
            number = self.literal(name, value.item())
            kind = getattr(np, value.dtype.name, None)
            return number if kind is None else ast.Call(super().function(kind), [number], [])
        if isinstance(value, (tuple, list)) and type(value) in (tuple, list):
            items = [self.literal(name, item) for item in value]
            display = ast.Tuple if isinstance(value, tuple) else ast.List
            return display(items, ast.Load())
        if type(value) is float:
            return self.number(value)
        if value is None or type(value) in (bool, int, complex, str):
            return ast.Constant(value)
        raise self.refused(f"`{name.lower()}`, a {type(value).__name__}", "pass what it holds")

    def number(self, value: float) -> ast.expr:
        if math.isfinite(value):
            return ast.Constant(value)
        name = "nan" if math.isnan(value) else "inf"
        found = ast.Attribute(self.module("numpy"), name, ast.Load())
        return ast.UnaryOp(ast.USub(), found) if value < 0 else found

    def array(self, name: str, value: np.ndarray) -> ast.expr:
        if value.size > LARGEST:
            raise self.refused(f"`{name.lower()}`, an array of {value.size} elements", "pass it")
        dtype = ast.keyword("dtype", ast.Constant(value.dtype.name))
        if not value.size:
            shape = self.literal(name, value.shape)
            return ast.Call(super().function(np.zeros), [shape], [dtype])
        items = self.literal(name, value.tolist())
        plain = np.array(value.tolist()).dtype == value.dtype
        return ast.Call(super().function(np.array), [items], [] if plain else [dtype])

    # --- functions -------------------------------------------------------------------------------

    def copy(self, function: FunctionType) -> None:
        """Take over a function's text, and what it refers to."""
        if function in self.copies:
            return
        outer, self.place = self.place, _place_of(function)
        self.copies[function] = ""  # so that functions that call each other come to an end
        source = find_source(function)
        if function.__closure__ or not function.__name__.isidentifier():
            raise self.refused(f"`{function.__name__}`, which uses variables around it", "")
        if getattr(source.tree, "decorator_list", None):
            raise self.refused(f"`{function.__name__}`, which is decorated", "")
        for name in sorted(read_by(function.__code__)):
            if name in function.__globals__:
                self.name_for_copy(name, function.__globals__[name])
        text = with_short_docstring(without_types(source.text))
        self.copies[function] = _OUR_EXCEPTION.sub("", text) if _is_ours(function) else text
        self.place = outer

    def name_for_copy(self, name: str, value: Any) -> None:
        """Give a copied function what it calls `name`."""
        if isinstance(value, ModuleType) and value.__name__.split(".")[0] in LIBRARIES:
            plain = value.__name__ == name
            self.imports[name] = f"import {value.__name__}" + ("" if plain else f" as {name}")
        elif isinstance(value, (*_NUMBERS, str, tuple, list)):
            self.constant(name, value, f"The global variable `{name}`.")
        elif is_library(value):
            module, own = home_of(value) or ("", "")
            line = f"from {module} import {own}"
            self.imports[name] = line if own == name else f"{line} as {name}"
        elif isinstance(value, FunctionType) and value.__name__ == name:
            self.copy(value)
        elif isinstance(value, type) and issubclass(value, TangentLikeError):
            self.copies[value] = _ERROR.format(name=name)
        else:
            raise self.refused(f"`{name}`, which a copied function uses,", "")

    def refused(self, what: str, hint: str) -> NotYetSupported:
        if hint:
            way = f"{hint} as an argument"
        elif self.typed is not None:
            way = 'leave out backend="numba", and the helper is copied into the module'
        else:
            way = "use the derivative without exporting it"
        return NotYetSupported(f"{what} in an exported module", self.place, way)


_ERROR = """\
class {name}(Exception):
    \"""What was asked for cannot be done; `hint` says what to do instead.\"""

    def __init__(self, message, place=None, hint=""):
        super().__init__(f"{{message}}: {{hint}}" if hint else message)
"""
"""Stands for an error of this package, which has places in files to tell of."""


def _is_ours(function: FunctionType) -> bool:
    return function.__module__.startswith("tangent_like")


def _place_of(function: Any) -> Place:
    code = function.__code__
    return Place(code.co_filename, code.co_firstlineno, function=code.co_name)
