"""What a code object names: which globals it reads, which attributes it may ask for."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType

_SHIFT = {"LOAD_GLOBAL": 1 if sys.version_info >= (3, 11) else 0}
"""How many low bits of the argument say something else than the number of the name."""

_READS = {
    dis.opmap[name]: _SHIFT.get(name, 0)
    for name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "IMPORT_NAME")
    if name in dis.opmap
}


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions and classes in it."""
    waiting = [code]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(c for c in found.co_consts if isinstance(c, CodeType))


def read_by(code: CodeType) -> set[str]:
    """The globals, builtins and modules that a code object, or one in it, reads.

    The instructions are read here because `dis` takes ten times as long for them.
    """
    found = set()
    for inner in codes_in(code):
        units, extended = inner.co_code, 0
        for operation, argument in zip(units[::2], units[1::2]):
            whole = argument | extended
            extended = whole << 8 if operation == dis.EXTENDED_ARG else 0
            if operation in _READS:
                found.add(inner.co_names[whole >> _READS[operation]])
    return found


def names_in(code: CodeType) -> Iterator[str]:
    """All names that may be those of attributes, also as the text that `getattr` takes."""
    for inner in codes_in(code):
        yield from inner.co_names
        yield from (c for c in inner.co_consts if isinstance(c, str) and c.isidentifier())


def lines_of(code: CodeType) -> Iterator[int]:
    """The lines that instructions stand on."""
    for inner in codes_in(code):
        yield from (line for _, _, line in inner.co_lines() if line is not None)
