"""Comments in generated code.

A syntax tree has no comments: they are carried through it as statements of an unmistakable form
and turned into comments when the text is printed.
"""

from __future__ import annotations

import ast

from tangent_like import effects

_MARK = "(remark) "


def remark(text: str) -> None:
    """The operation that prints as a comment and does nothing."""


effects.EFFECTS.add(remark)


def remark_node(text: str) -> ast.stmt:
    return ast.Expr(ast.Constant(_MARK + text))


def as_comment(line: str) -> str:
    """A printed line with its mark turned into a comment."""
    if _MARK not in line:
        return line
    indent = len(line) - len(line.lstrip())
    text = ast.literal_eval(line.strip())
    return " " * indent + "# " + str(text)[len(_MARK) :]
