"""Make a failing program small: delete and simplify while it fails in the same way."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.random_programs.drawing import Program


def shrink(program: Program, fails: Callable[[Program], bool], tries: int = 400) -> Program:
    """The smallest program found that still fails.

    Goes through all edits of the program, keeps each that leaves the failure in place, and begins
    again until none does.
    """
    at, shrunk = 0, False
    while tries > 0:
        edits = list(edits_of(program))
        if at >= len(edits):
            if not shrunk:
                break
            at, shrunk = 0, False
            continue
        smaller = edited(program, edits[at])
        if smaller is None:
            at += 1
            continue
        tries -= 1
        if fails(smaller):
            program, shrunk = smaller, True
        else:
            at += 1
    return program


def edits_of(program: Program) -> Iterator["Edit"]:
    """Every way to leave one thing out, statements before parts of expressions."""
    tree = ast.parse(program.source)
    yield from _block_edits(tree)
    yield from _expression_edits(tree)


def edited(program: Program, edit: "Edit") -> Program | None:
    """The program after one edit; None if that does not make it shorter."""
    tree = ast.parse(program.source)
    edit(tree)
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
    return not any(isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) for n in nodes)


Edit = Callable[[ast.Module], None]


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
                yield _replacing(at, block, k, [])
                for inner in ("body", "orelse"):
                    if isinstance(getattr(statement, inner, None), list):
                        yield _lifting(at, block, k, inner)


def _replacing(at: int, block: str, k: int, new: list[ast.stmt]) -> Edit:
    def edit(tree: ast.Module) -> None:
        node = _nodes(tree)[at]
        statements = getattr(node, block)
        statements[k : k + 1] = new
        if not statements and block == "body" and not isinstance(node, ast.Module):
            statements.append(ast.Pass())

    return edit


def _lifting(at: int, block: str, k: int, inner: str) -> Edit:
    def edit(tree: ast.Module) -> None:
        statements = getattr(_nodes(tree)[at], block)
        statements[k : k + 1] = getattr(statements[k], inner)

    return edit


def _expression_edits(tree: ast.Module) -> Iterator[Edit]:
    """Put a part of an expression, or a constant, in the place of the whole."""
    for at, node in enumerate(_nodes(tree)):
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                for part in _parts(value):
                    yield _setting(at, name, None, part)
            elif isinstance(value, list):
                for k, item in enumerate(value):
                    if isinstance(item, ast.expr):
                        for part in _parts(item):
                            yield _setting(at, name, k, part)


def _parts(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, (ast.Constant, ast.Name)):
        return []
    children = [c for c in ast.walk(value) if isinstance(c, ast.expr) and c is not value]
    return [*children[:12], ast.Constant(0.5)]


def _setting(at: int, name: str, k: int | None, part: ast.expr) -> Edit:
    def edit(tree: ast.Module) -> None:
        node = _nodes(tree)[at]
        if k is None:
            setattr(node, name, copy.deepcopy(part))
        else:
            getattr(node, name)[k] = copy.deepcopy(part)

    return edit
