"""Compare code objects: do two of them run the same?

`CodeType.__eq__` will not do: whether it looks at line tables depends on the Python, and the
file name, which has no bearing here, is hidden in nested code objects.
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable
from types import CodeType
from typing import Any

# `types.coroutine` sets this flag on a function that is already made.
SET_LATER = inspect.CO_ITERABLE_COROUTINE


def fingerprint(code: CodeType, *, lines: bool = True) -> Hashable:
    """All that decides what a code object does; and its lines, unless `lines` is False.

    Equal fingerprints mean the same function of its arguments, globals and cells. Columns and
    file names are left out.
    """
    return (
        code.co_name,
        code.co_code,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        code.co_flags & ~SET_LATER,
        getattr(code, "co_exceptiontable", b""),  # from Python 3.11 on
        tuple(_constant_key(constant, lines) for constant in code.co_consts),
        tuple(code.co_lines()) if lines else (),
    )


def _constant_key(constant: Any, lines: bool) -> Hashable:
    """A key that tells 1 from 1.0 and True, and 0.0 from -0.0, also inside tuples."""
    match constant:
        case CodeType():
            return fingerprint(constant, lines=lines)
        case tuple():
            return tuple, tuple(_constant_key(item, lines) for item in constant)
        case frozenset():
            return frozenset, frozenset(_constant_key(item, lines) for item in constant)
        case float() | complex():
            return type(constant), repr(constant)
    return type(constant), constant


def same_positions(code: CodeType, other: CodeType, last_line: int) -> bool:
    """Whether each instruction stands at the same columns; always true before Python 3.11.

    Both hold the same instructions. Those that `other` has beyond `last_line` are left out.
    """
    if not hasattr(code, "co_positions") or not hasattr(other, "co_positions"):
        return True
    pairs = zip(code.co_positions(), other.co_positions(), strict=True)
    return all(mine == yours for mine, yours in pairs if (yours[0] or 0) <= last_line)
