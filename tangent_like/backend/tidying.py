"""Generated code as linters want it: long lines broken, names that nothing reads marked.

    for i in range(n): s = s + 1.0         ──▶    for _i in range(n): s = s + 1.0
    y                                      ──▶    _ = y
    zip(a, b)                              ──▶    zip(a, b, strict=False)
    y = <more than fits on a line>         ──▶    y = (
                                                      ...
                                                  )
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

WIDTH = 88


def tidied(tree: ast.FunctionDef, explicit: bool = True) -> ast.FunctionDef:
    """The function with what nothing reads marked, and `zip` made explicit if it may be."""
    for loop in _loops(tree):
        for target in ast.walk(loop.target):
            if isinstance(target, ast.Name) and _is_unread(target.id, loop, tree):
                target.id = f"_{target.id.lstrip('_')}"
    for node in ast.walk(tree):
        if explicit and isinstance(node, ast.Call) and getattr(node.func, "id", "") == "zip":
            if not any(keyword.arg == "strict" for keyword in node.keywords):
                node.keywords.append(ast.keyword("strict", ast.Constant(False)))
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                block[:] = map(_used, block)
    return tree


def with_constants(tree: ast.FunctionDef, constants: Collection[str]) -> ast.FunctionDef:
    """The function reading constants where it would first give them another name."""
    stored = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _is_store(n))
    renamed = {}
    for node in list(tree.body):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            target = node.targets[0]
            if isinstance(target, ast.Name) and node.value.id in constants:
                if stored[target.id] == 1:
                    renamed[target.id] = node.value.id
                    tree.body.remove(node)
    for name in ast.walk(tree):
        if isinstance(name, ast.Name):
            name.id = renamed.get(name.id, name.id)
    return tree


def _is_store(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _loops(tree: ast.AST) -> list[ast.For]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.For)]


def _is_unread(name: str, loop: ast.For, tree: ast.FunctionDef) -> bool:
    """Whether a loop variable is read nowhere but in other loops, which bind it themselves."""
    reads = _reads(name, [tree])
    elsewhere = [o for o in _loops(tree) if o is not loop and name in _bound(o)]
    bound = {id(read) for other in elsewhere for read in _reads(name, other.body)}
    return not _reads(name, loop.body) and all(id(read) in bound for read in reads)


def _bound(loop: ast.For) -> set[str]:
    return {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}


def _reads(name: str, nodes: Sequence[ast.AST]) -> list[ast.Name]:
    found = (n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name))
    return [n for n in found if n.id == name and not _is_store(n)]


def _used(statement: ast.stmt) -> ast.stmt:
    """A name that is only read, in case it has no value, as an assignment."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Name):
        return ast.Assign([ast.Name("_", ast.Store())], statement.value)
    return statement


# --- copied functions --------------------------------------------------------------------------


def without_types(text: str) -> str:
    """The text of a function without annotations, whose names the module would have to import."""
    lines = text.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    data = b"".join(lines)
    for start, end in sorted(_annotations(ast.parse(text), starts, data), reverse=True):
        data = data[:start] + data[end:]
    return data.decode()


def _annotations(
    tree: ast.AST, starts: Sequence[int], data: bytes
) -> Iterator[tuple[int, int]]:
    """Where annotations begin, with the sign before them, and end."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            begin = data.rindex(b"->", 0, starts[node.returns.lineno - 1] + node.returns.col_offset)
            begin = len(data[:begin].rstrip())
            yield begin, _end(node.returns, starts)
        elif isinstance(node, ast.arg) and node.annotation is not None:
            begin = starts[node.lineno - 1] + node.col_offset + len(node.arg.encode())
            end = _end(node.annotation, starts)
            if data[end : end + 3] == b" = ":  # PEP 8 has spaces here beside a type only
                yield end + 2, end + 3
                end += 1
            yield begin, end
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield _end(node.target, starts), _end(node.annotation, starts)


def _end(node: ast.expr, starts: Sequence[int]) -> int:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return starts[node.end_lineno - 1] + node.end_col_offset


def with_short_docstring(text: str) -> str:
    """The text of a function whose docstring fits on its lines."""
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    if ast.get_docstring(function) is None:
        return text
    doc = function.body[0]
    lines = text.splitlines(keepends=True)
    found = lines[doc.lineno - 1 : doc.end_lineno]
    short = [part for line in found for part in _short(line)]
    return "".join([*lines[: doc.lineno - 1], *short, *lines[doc.end_lineno :]])


def _short(line: str) -> list[str]:
    if len(line.rstrip("\n")) <= WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    parts = textwrap.wrap(line.strip(), WIDTH - len(indent), break_long_words=False)
    return [f"{indent}{part}\n" for part in parts]


# --- long lines --------------------------------------------------------------------------------


def wrapped(text: str) -> str:
    """The text with statements that are too long broken at commas and operators."""
    lines = "".join(_line(line) for line in text.splitlines(keepends=True))
    return lines if _same(lines, text) else text


def _same(one: str, other: str) -> bool:
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False


_STATEMENT = re.compile(
    r"(?P<head>\s*(?:return|[\w.\[\], :+-]+? [-+*/@|&^%]*=|if|elif|while) )"
    r"(?P<rest>.+?)(?P<end>:?)\n"
)
_DEFINITION = re.compile(r"(?P<head>\s*def \w+)\((?P<rest>.+)\)(?P<end>:)\n")
_LOOP = re.compile(r"(?P<head>\s*for .+? in zip)\((?P<rest>.+)\)(?P<end>:)\n")
_RAISE = re.compile(r"(?P<head>\s*raise \w+)\((?P<quote>['\"])(?P<text>[^'\"\\]+)(?P=quote)\)\n")
_FORMS = (_DEFINITION, _LOOP, _STATEMENT)


def _line(line: str) -> str:
    """One line, broken into several if it is too long and is a statement of a known form."""
    if len(line.rstrip("\n")) <= WIDTH:
        return line
    if line.lstrip().startswith("#"):
        return _shortened(line)
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    error = _RAISE.fullmatch(line)
    if error is not None:
        words = textwrap.wrap(error["text"], WIDTH - len(indent) - 3, drop_whitespace=False)
        parts = "".join(f"{indent}{error['quote']}{part}{error['quote']}\n" for part in words)
        return f"{error['head']}(\n{parts}{indent[4:]})\n"
    match = next((m for m in (p.fullmatch(line) for p in _FORMS) if m), None)
    if match is None:
        return line
    try:
        parts = "".join(f"{indent}{part}\n" for part in _parts(match["rest"], WIDTH - len(indent)))
    except tokenize.TokenError:  # a part of a statement
        return line
    return f"{match['head']}(\n{parts}{indent[4:]}){match['end']}\n"


def _shortened(comment: str) -> str:
    """A comment that quotes a line, with less of the line."""
    text, at, place = comment.rstrip("\n").rpartition("  (line")
    if not at:
        return comment
    rest = f"...{at}{place}"
    return f"{text.removesuffix('...')[: WIDTH - len(rest)].rstrip()}{rest}\n"


def _parts(expression: str, width: int) -> Iterator[str]:
    """The expression in lines, each as long as it can be."""
    start = 0
    breaks = list(_breaks(expression))
    while len(expression) - start > width:
        fitting = [(depth, -at) for at, depth in breaks if start < at <= start + width]
        if not fitting:
            break
        at = -min(fitting)[1]
        yield expression[start:at].rstrip()
        start = at
    yield expression[start:].strip()


_OPERATORS = frozenset({"+", "-", "*", "/", "@", "//", "%", "==", "<", ">", "<=", ">=", "!="})
_WORDS = frozenset({"and", "or", "if", "else", "in"})


def _breaks(expression: str) -> Iterator[tuple[int, int]]:
    """Where a line may end, and how deep in brackets: before operators and after commas."""
    depth, operand = 0, False
    for token in tokenize.generate_tokens(io.StringIO(expression).readline):
        text, at = token.string, token.start[1]
        if text in "([{" and text:
            depth, operand = depth + 1, False
        elif text in ")]}" and text:
            depth, operand = depth - 1, True
        elif text == ",":
            yield token.end[1] + 1, depth
            operand = False
        elif (text in _OPERATORS and operand) or text in _WORDS:
            yield at, depth
            operand = False
        else:
            operand = True
