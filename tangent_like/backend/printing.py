"""The text of a generated module.

`astor` prints each function; the text is parsed again and compared with the tree, and where the
two differ `ast.unparse` prints it.
"""

from __future__ import annotations

import ast
from typing import Any

import astor

from tangent_like.backend.references import References
from tangent_like.backend.remarks import as_comment
from tangent_like.errors import InternalError, NotYetSupported


def module_text(functions: list[ast.FunctionDef], refs: References) -> str:
    """Import lines and functions, in order."""
    parts = [import_lines(refs)] if refs.imports or refs.unnamed else []
    parts += [function_text(tree) for tree in functions]
    return "\n\n".join(part for part in parts if part).lstrip("\n")


def import_lines(refs: References) -> str:
    plain = sorted(line for line in refs.imports.values() if line.startswith("import"))
    froms = sorted(line for line in refs.imports.values() if line.startswith("from"))
    bound = [f"# {name} is bound to {what}" for name, what in sorted(refs.unnamed.items())]
    return "\n".join([*plain, *froms, *bound]) + "\n"


def function_text(tree: ast.FunctionDef) -> str:
    for printer in (_with_astor, _with_unparse):
        text = printer(tree)
        if _parses_to(text, tree):
            break
    else:
        if _depth(tree) > _MAX_DEPTH:
            raise NotYetSupported(
                f"more than {_MAX_DEPTH} branches and loops inside one another in {tree.name}",
                hint="use a table or a loop instead of a long chain of `elif`",
            )
        raise InternalError(f"the generated function {tree.name} cannot be printed")
    return "\n".join(map(as_comment, text.rstrip().split("\n"))) + "\n"


_MAX_DEPTH = 95
"""Python reads at most 100 levels of indentation."""


def _depth(node: ast.AST) -> int:
    """How deep statements are nested below a statement."""
    deepest, pending = 0, [(node, 0)]
    while pending:
        current, depth = pending.pop()
        deepest = max(deepest, depth)
        for name in ("body", "orelse"):
            for inner in getattr(current, name, None) or ():
                if isinstance(inner, ast.stmt):
                    pending.append((inner, depth + 1))
    return deepest


def _with_astor(tree: ast.FunctionDef) -> str:
    return str(astor.to_source(tree, pretty_string=_string, pretty_source=_joined))


def _joined(source: Any) -> str:
    """Lines as they are: what is too long has been split into statements before."""
    return "".join(source)


def _string(text: str, *rest: Any, **options: Any) -> str:
    if "\n" in text and '"""' not in text and "\\" not in text:
        return f'"""{text}"""'
    return repr(text)


def _with_unparse(tree: ast.FunctionDef) -> str:
    return ast.unparse(ast.fix_missing_locations(tree))


def _parses_to(text: str, expected: ast.FunctionDef) -> bool:
    try:
        return same_tree(ast.parse(text).body[0], expected)
    except SyntaxError:
        return False


def same_tree(a: Any, b: Any) -> bool:
    """Whether two syntax trees are equal, leaving out where their nodes stand; constants are equal
    if they are written alike, so that 1 is not 1.0 and 0.0 is not -0.0."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, ast.AST):
        for name in a._fields:  # noqa: SIM110 - a generator takes half as long again
            if not same_tree(getattr(a, name, None), getattr(b, name, None)):
                return False
        return True
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same_tree, a, b))
    return repr(a) == repr(b)
