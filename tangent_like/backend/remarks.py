"""Comments in generated code.

A syntax tree has no comments: they are carried through it as statements of an unmistakable form
and turned into comments when the text is printed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tangent_like import effects

_MARK = "(remark) "
_LONGEST = 64


def remark(text: str) -> None:
    """The operation that prints as a comment and does nothing."""


effects.EFFECTS.add(remark)


def remark_node(text: str) -> ast.stmt:
    return ast.Expr(ast.Constant(_MARK + text))


def with_remarks(statements: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a function with the user's line above each group of adjoint lines.

    A reverse sweep that has no forward sweep before it needs no heading, and one that belongs to
    a single line of the user's no other remark.
    """
    start = next((i for i, node in enumerate(statements) if _is_remark(node)), None)
    if start is None:
        return statements
    sweep = statements[start + 1 :]
    lines = set(_lines(sweep))
    heading = statements[: start + 1] if start else []
    return [*heading, *(_explained(sweep) if len(lines) > 1 else sweep)]


def _lines(statements: Iterable[ast.stmt]) -> Iterator[int]:
    """The user's lines that statements belong to."""
    for node in statements:
        if hasattr(node, "place"):
            yield node.place.line
        for part in ("body", "orelse"):
            yield from _lines(getattr(node, part, ()))


def _is_remark(node: ast.stmt) -> bool:
    text = node.value.value if _is_text(node) else ""  # type: ignore[attr-defined]
    return isinstance(text, str) and text.startswith(_MARK)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _explained(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Each group that belongs to one line under a remark that quotes it, block by block."""
    found: list[ast.stmt] = []
    line = 0
    for node in statements:
        place = getattr(node, "place", None)
        if place is not None and place.line != line:
            line = place.line
            if place.quoted and not place.quoted.endswith(":"):
                found.append(remark_node(f"{_shortened(place.quoted)}  (line {line})"))
        for part in ("body", "orelse"):
            if getattr(node, part, None):
                setattr(node, part, _explained(getattr(node, part)))
                line = 0
        found.append(node)
    return found


def _shortened(line: str) -> str:
    text = " ".join(line.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3].rstrip() + "..."


def as_comment(line: str) -> str:
    """A printed line with its mark turned into a comment."""
    if _MARK not in line:
        return line
    indent = len(line) - len(line.lstrip())
    literal = line.strip()
    text = str(ast.literal_eval(literal)) if "\\" in literal else literal[1:-1]
    return " " * indent + "# " + text[len(_MARK) :]
