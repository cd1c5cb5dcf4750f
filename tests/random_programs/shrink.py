"""Make a failing program small: delete and simplify while it fails in the same way."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.random_programs.drawing import Program

Change = Callable[[ast.Module], None]


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing left out: what does it to a tree, and about how many characters that saves."""

    apply: Change
    size: int


def shrink(program: Program, fails: Callable[[Program], bool], tries: int = 400) -> Program:
    """The smallest program found that still fails.

    Goes through all edits of the program, those that save most first, keeps each that leaves the
    failure in place, and begins again until none does.
    """
    edits, at, shrunk = edits_of(program), 0, False
    while tries > 0 and (shrunk or at < len(edits)):
        if at >= len(edits):
            at, shrunk = 0, False
            continue
        smaller = edited(program, edits[at])
        tries -= smaller is not None
        if smaller is not None and fails(smaller):
            program, shrunk = smaller, True
            edits = edits_of(program)
        else:
            at += 1
    return program


def edits_of(program: Program) -> list[Edit]:
    """Every way to leave one thing out, the longest things first."""
    tree = ast.parse(program.source)
    edits = [*_block_edits(tree), *_expression_edits(tree)]
    return sorted((e for e in edits if e.size > 0), key=lambda e: -e.size)


def edited(program: Program, edit: Edit) -> Program | None:
    """The program after one edit; None if that does not make it shorter."""
    tree = ast.parse(program.source)
    edit.apply(tree)
    source = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    if not _may_run(source):
        return None
    return replace(program, source=source) if len(source) < len(program.source) else None


def _may_run(source: str) -> bool:
    """Whether a text is Python, and changes no module by `np.sin = ...`."""
    try:
        nodes = ast.walk(ast.parse(source))
    except SyntaxError:
        return False
    return not any(isinstance(n, ast.Attribute) and _changes_module(n) for n in nodes)


_MODULES = {"np", "numpy", "tl", "math", "builtins", "collections", "contextlib", "copy",
            "dataclasses", "functools", "itertools", "typing"}  # fmt: skip


def _changes_module(node: ast.Attribute) -> bool:
    named = isinstance(node.value, ast.Name) and node.value.id in _MODULES
    return named and isinstance(node.ctx, ast.Store)


def _length(node: ast.stmt | ast.expr) -> int:
    """About how many characters a node takes."""
    lines = (node.end_lineno or node.lineno) - node.lineno
    return 60 * lines + (node.end_col_offset or 0) - node.col_offset


def _nodes(tree: ast.AST) -> list[ast.AST]:
    return list(ast.walk(tree))


def _block_edits(tree: ast.Module) -> Iterator[Edit]:
    """Delete a statement, or put a block in the place of what contains it."""
    for at, node in enumerate(_nodes(tree)):
        for block in ("body", "orelse"):
            statements = getattr(node, block, None)
            if not isinstance(statements, list):
                continue
            for k, statement in enumerate(statements):
                yield Edit(_deleting(at, block, k), _length(statement))
                for inner in ("body", "orelse"):
                    if isinstance(getattr(statement, inner, None), list):
                        kept = sum(map(_length, getattr(statement, inner)))
                        yield Edit(_lifting(at, block, k, inner), _length(statement) - kept)


def _deleting(at: int, block: str, k: int) -> Change:
    def edit(tree: ast.Module) -> None:
        node = _nodes(tree)[at]
        statements = getattr(node, block)
        del statements[k]
        if not statements and block == "body" and not isinstance(node, ast.Module):
            statements.append(ast.Pass())

    return edit


def _lifting(at: int, block: str, k: int, inner: str) -> Change:
    def edit(tree: ast.Module) -> None:
        statements = getattr(_nodes(tree)[at], block)
        statements[k : k + 1] = getattr(statements[k], inner)

    return edit


def _expression_edits(tree: ast.Module) -> Iterator[Edit]:
    """Put a part of an expression, or a constant, in the place of the whole."""
    for at, node in enumerate(_nodes(tree)):
        for name, value in ast.iter_fields(node):
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            for k, item in items:
                if isinstance(item, ast.expr):
                    for part, length in _parts(item):
                        yield Edit(_setting(at, name, k, part), _length(item) - length)


def _parts(value: ast.expr) -> list[tuple[ast.expr, int]]:
    """What may stand in the place of an expression, with its length."""
    if isinstance(value, (ast.Constant, ast.Name)):
        return []
    children = [c for c in ast.walk(value) if isinstance(c, ast.expr) and c is not value]
    return [*((c, _length(c)) for c in children[:12]), (ast.Constant(0.5), 3)]


def _setting(at: int, name: str, k: int | None, part: ast.expr) -> Change:
    def edit(tree: ast.Module) -> None:
        node = _nodes(tree)[at]
        if k is None:
            setattr(node, name, copy.deepcopy(part))
        else:
            getattr(node, name)[k] = copy.deepcopy(part)

    return edit
