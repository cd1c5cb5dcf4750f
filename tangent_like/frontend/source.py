"""Find the source of a Python function and parse it.

The text comes from the function's file by way of `linecache` and is never trusted. The whole
file is compiled again, and the code object at the function's line must equal the one that
runs: otherwise the file has changed since import, and the derivative of other code than the
user's would come out. Decorators that wrap (`functools.wraps`) change nothing here, because
only `function.__code__` is looked at.

    def f(x): return x * x      ──▶   Source(tree=gast.FunctionDef, file, first_line, ...)
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import itertools
import linecache
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any, TypeAlias

from tangent_like.deep import deep
from tangent_like.errors import NeverSupported, Place, SourceError
from tangent_like.frontend.fingerprint import fingerprint, same_positions

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

FUTURE_FLAGS = functools.reduce(
    lambda flags, name: flags | getattr(__future__, name).compiler_flag,
    __future__.all_feature_names,
    0,
)
NAMES_FOR_ANY_TEXT = ("<string>", "<stdin>")
FILE_HINT = "put the function into a file or a notebook cell and import it from there"
RELOAD_HINT = "import the module again (or restart Python), then ask for the derivative"


@dataclass(frozen=True, slots=True)
class Source:
    """A function together with its syntax tree.

    `tree` is a `gast.FunctionDef` or a `gast.Lambda` with the lines and columns of the user's
    file; nobody may change it, and private names (`__x` in a class) are written in it as Python
    mangles them. `first_line` is the line of the first decorator, or of the definition.
    `text` starts there, without the indentation. `class_name` names the innermost class
    around the definition.
    """

    function: FunctionType
    tree: Any
    file: str
    first_line: int
    text: str
    class_name: str | None

    def place(self, node: Any) -> Place:
        """Where a node of the tree stands in the user's file."""
        line = getattr(node, "lineno", None) or self.first_line
        return Place(
            file=self.file,
            line=line,
            column=getattr(node, "col_offset", None) or 0,
            end_line=getattr(node, "end_lineno", None) or 0,
            end_column=getattr(node, "end_col_offset", None) or 0,
            function=self.function.__code__.co_name,
        )


def find_source(function: object) -> Source:
    """The source of a Python function, method or lambda.

    Raises `SourceError` where there is no source or where it is not what the function was
    compiled from, and `NeverSupported` for an `async` function.
    """
    plain = _plain_function(function)
    try:
        return _find(plain)
    except RecursionError:
        message = "the file is nested more deeply than this Python can parse"
        hint = "split its longest expression into several statements"
        raise SourceError(message, _start_of(plain.__code__), hint) from None


def _find(function: FunctionType) -> Source:
    code = function.__code__
    text = _read_text(function)
    definition, class_name = _definition_of(function, text)
    own_text = _text_of(definition, text)
    tree = _tree_of(definition, class_name, own_text)
    source = Source(
        function=function,
        tree=tree,
        file=code.co_filename,
        first_line=code.co_firstlineno,
        text=own_text,
        class_name=class_name,
    )
    if isinstance(definition, ast.AsyncFunctionDef):
        raise NeverSupported("an `async` function", source.place(tree), "write it with `def`")
    return source


@functools.lru_cache(maxsize=64)
def _tree_of(definition: Definition, class_name: str | None, text: str) -> Any:
    """The tree of a definition, with private names as Python mangles them in classes."""
    # What is cached is found again without a tree, and so without what makes one.
    from gast import ast_to_gast  # noqa: PLC0415

    from tangent_like.frontend.mangle import mangle  # noqa: PLC0415

    tree = deep(ast_to_gast, definition)
    if class_name is not None or "class" in text:
        mangle(tree, class_name)
    return tree


def _plain_function(function: object) -> FunctionType:
    """The Python function itself, out of its method if it is one."""
    if isinstance(function, MethodType):
        return _plain_function(function.__func__)
    if isinstance(function, FunctionType):
        return function
    name = getattr(function, "__qualname__", type(function).__qualname__)
    if inspect.isbuiltin(function) or inspect.ismethoddescriptor(function):
        raise SourceError(
            f"`{name}` is written in C and has no Python source",
            hint="call it inside a Python function, and give it a rule if it has none",
        )
    raise SourceError(
        f"`{name}` is not a Python function",
        hint="pass a function, a method or a lambda",
    )


def _start_of(code: CodeType) -> Place:
    return Place(code.co_filename, code.co_firstlineno, function=code.co_name)


# Reading the text


def _read_text(function: FunctionType) -> str:
    """The text of the function's file as it is now; notebooks and doctests count as files."""
    file = function.__code__.co_filename
    linecache.checkcache(file)
    # The globals hold the loader, which knows the text of a module in a zip file. The function
    # is looked up at each call because doctest replaces it.
    lines = linecache.getlines(file, function.__globals__)
    if not lines:
        raise _no_text(function.__code__)
    return "".join(lines)


def _no_text(code: CodeType) -> SourceError:
    """The error for a function whose text cannot be read, by the kind of its file."""
    file = code.co_filename
    if file in NAMES_FOR_ANY_TEXT:
        how = "with `exec`, `eval` or `python -c`, or typed at the prompt"
        message = f"the source of `{code.co_name}` was not kept: it was made {how}"
        return SourceError(message, _start_of(code), FILE_HINT)
    if file.startswith("<"):
        message = f"the source of `{code.co_name}` was not kept: it was made from {file}"
        return SourceError(message, _start_of(code), FILE_HINT)
    message = f"the source of `{code.co_name}` cannot be read: there is no file {file}"
    return SourceError(message, _start_of(code), "make the .py file readable from here")


# Parsing and compiling the whole file, once for each content


@dataclass(frozen=True, slots=True)
class _Module:
    """A file's text, parsed and compiled: its definitions and its code objects by line."""

    definitions: dict[int, list[tuple[Definition, str | None]]]
    codes: dict[int, list[CodeType]]


@functools.lru_cache(maxsize=64)
def _module(text: str, flags: int, rewriter: Any) -> _Module:
    """`rewriter` is the module that rewrote the `assert`s of the running code, or None."""
    definitions: dict[int, list[tuple[Definition, str | None]]] = {}
    for found in _definitions(_parsed(text, flags)):
        definitions.setdefault(_first_line(found[0]), []).append(found)
    codes: dict[int, list[CodeType]] = {}
    source = text if rewriter is None else _rewritten(_parsed(text, flags), text, rewriter)
    for code in _codes(source, flags):
        codes.setdefault(code.co_firstlineno, []).append(code)
    return _Module(definitions, codes)


def _parsed(text: str, flags: int) -> ast.Module:
    tree: ast.Module = _compile(text, flags | ast.PyCF_ONLY_AST)
    return tree


def _compile(source: str | ast.Module, flags: int) -> Any:
    """Compile under exactly these flags, without repeating the warnings of the first time."""
    # A notebook cell may `await` outside any function; the flag changes nothing else.
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return deep(compile, source, "<tangent_like>", "exec", flags=flags, dont_inherit=True)


def _rewritten(tree: ast.Module, text: str, rewriter: Any) -> ast.Module:
    """A tree after the rewriter, which changes it.

    Pytest rewrites the `assert`s of test modules before it compiles them. Applying the same
    rewriter again keeps the comparison exact; nothing outside the asserts is changed by it.
    """
    if rewriter is not None:
        rewriter.rewrite_asserts(tree, text.encode())
    return tree


def _codes(source: str | ast.Module, flags: int) -> Iterator[CodeType]:
    """Every code object that comes of a text or tree."""
    waiting: list[CodeType] = [_compile(source, flags)]
    while waiting:
        code = waiting.pop()
        yield code
        waiting.extend(c for c in code.co_consts if isinstance(c, CodeType))


def _definitions(tree: ast.Module) -> Iterator[tuple[Definition, str | None]]:
    """Every function in a tree with the class around it; without recursion."""
    waiting: list[tuple[ast.AST, str | None]] = [(tree, None)]
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, Definition):
            yield node, around
        within = node.name if isinstance(node, ast.ClassDef) else around
        members = {id(child) for child in node.body} if isinstance(node, ast.ClassDef) else ()
        for child in ast.iter_child_nodes(node):
            waiting.append((child, within if id(child) in members else around))


def _first_line(definition: Definition) -> int:
    """The line that Python gives a function: that of its first decorator, if it has one."""
    decorators: list[ast.expr] = getattr(definition, "decorator_list", [])
    return min(node.lineno for node in [definition, *decorators])


# Choosing the definition that the running code was made from


def _definition_of(function: FunctionType, text: str) -> tuple[Definition, str | None]:
    """The definition of a function in its file's text, and the class around it."""
    code = function.__code__
    flags = code.co_flags & FUTURE_FLAGS
    rewriter = function.__globals__.get("@pytest_ar")
    try:
        module = _module(text, flags, rewriter)
    except (SyntaxError, ValueError) as error:
        raise _changed(code) from error
    wanted = fingerprint(code)
    if not any(fingerprint(c) == wanted for c in module.codes.get(code.co_firstlineno, [])):
        raise _changed(code)
    here = module.definitions.get(code.co_firstlineno, [])
    found = [d for d in here if _name(d[0]) == code.co_name]
    if not found:
        message = f"`{code.co_name}` is not made by a `def` or a `lambda`"
        raise SourceError(message, _start_of(code), "write it as a function")
    if len(found) == 1:
        return found[0]
    lambdas = _codes_of_lambdas(code, text, flags, rewriter)
    return found[_which_lambda(code, lambdas, _line_count(text))]


def _name(definition: Definition) -> str:
    return "<lambda>" if isinstance(definition, ast.Lambda) else definition.name


def _codes_of_lambdas(
    code: CodeType, text: str, flags: int, rewriter: Any
) -> list[tuple[int, CodeType]]:
    """The code objects of the lambdas on a line, with their numbers on that line.

    Nothing in a code object says which node it came from, so each lambda is given a line of
    its own, beyond the end of the file, and the file is compiled once more.
    """
    tree = _parsed(text, flags)
    beyond = _line_count(text) + 1
    numbers = itertools.count()
    for node, _ in _definitions(tree):
        if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno:
            node.lineno = node.end_lineno = beyond + next(numbers)
            node.col_offset = node.end_col_offset = 0
    codes = _codes(_rewritten(tree, text, rewriter), flags)
    return [(c.co_firstlineno - beyond, c) for c in codes if c.co_firstlineno >= beyond]


def _which_lambda(code: CodeType, lambdas: list[tuple[int, CodeType]], last_line: int) -> int:
    """The number of the lambda that a code object was made from.

    The columns of the instructions decide. Before Python 3.11 there are none: then the first
    lambda that does the same is as good as the right one, since equal code in equal cells and
    globals is the same function.
    """
    wanted = fingerprint(code, lines=False)
    same = [(n, c) for n, c in lambdas if fingerprint(c, lines=False) == wanted]
    here = [(n, c) for n, c in same if same_positions(code, c, last_line)]
    if not same:
        message = "the lambdas on this line cannot be told apart"
        raise SourceError(message, _start_of(code), "put each of them on a line of its own")
    return min(n for n, _ in here or same)


def _line_count(text: str) -> int:
    return text.count("\n") + 1


def _changed(code: CodeType) -> SourceError:
    if code.co_filename in NAMES_FOR_ANY_TEXT:  # then the text found was another's
        return _no_text(code)
    message = (
        f"the source of `{code.co_name}` is not what runs: "
        "the file has changed since import, or a tool has changed the function's code"
    )
    return SourceError(message, _start_of(code), RELOAD_HINT)


def _text_of(definition: Definition, text: str) -> str:
    """The definition's own text: a lambda alone, a `def` with its decorators, not indented."""
    if isinstance(definition, ast.Lambda):
        return ast.get_source_segment(text, definition) or ""
    # Not `splitlines`, which also splits at form feeds, where Python's lines do not end.
    own = text.split("\n")[_first_line(definition) - 1 : definition.end_lineno]
    indent = own[0][: len(own[0]) - len(own[0].lstrip())]
    return "".join(line.removeprefix(indent) + "\n" for line in own)
