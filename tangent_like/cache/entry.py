"""An entry of the cache: one text file that says what it is.

    # tangent_like cache entry 1
    # key: 6f0c...
    # made of: grad of model.loss
    # functions: ('loss_grad',)
    # outside: (('rate_cell', 'object', 3), ('math', 'module', 'math'))
    # guards: (('kind', 0, 'rate', True, ()),)
    # digest: 51ab...
    <the generated source>

What stands in the generated source for things that no text can hold is bound when the entry is
loaded: a module by its name, other things by their numbers in the walk of `identity.py`.
The digest is that of everything else: an entry that was cut, changed or mixed up is none.
"""

from __future__ import annotations

import ast
from hashlib import blake2b
from typing import Any, NamedTuple

_TITLE = "# tangent_like cache entry 1"
_FIELDS = ("key", "made of", "functions", "outside", "guards", "digest")


class DamageError(Exception):
    """A file that is no entry, or not the one that was looked for."""


class Entry(NamedTuple):
    """`outside`: names with `module` and a module's name, or `object` or `globals` and a number.
    `guards` as `guards.py` describes them."""

    key: str
    made_of: str
    functions: tuple[str, ...]
    outside: tuple[tuple[str, str, Any], ...]
    guards: tuple[tuple[Any, ...], ...]
    text: str


def written(entry: Entry) -> bytes:
    """The text of an entry."""
    fields = (entry.key, entry.made_of, entry.functions, entry.outside, entry.guards)
    lines = [_TITLE, *(f"# {name}: {value!r}" for name, value in zip(_FIELDS, fields))]
    head = "\n".join(lines)
    digest = _digest(head, entry.text)
    return f"{head}\n# digest: {digest!r}\n{entry.text}".encode("utf-8", "surrogatepass")


def read(data: bytes, key: str) -> Entry:
    """The entry in a file; raises DamageError where there is none of this key."""
    try:
        lines = data.decode("utf-8", "surrogatepass").split("\n", len(_FIELDS) + 1)
        title, *fields, text = lines
        values = [_field(name, line) for name, line in zip(_FIELDS, fields, strict=True)]
        key_found, made_of, functions, outside, guards, digest = values
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise DamageError("it cannot be read") from error
    head = "\n".join(lines[: len(_FIELDS)])
    if title != _TITLE or key_found != key or digest != _digest(head, text):
        raise DamageError("it is not what was written")
    return Entry(key, made_of, functions, outside, guards, text)


def _field(name: str, line: str) -> Any:
    before, _, value = line.partition(": ")
    if before != f"# {name}":
        raise ValueError(line)
    return ast.literal_eval(value)


def _digest(head: str, text: str) -> str:
    whole = f"{head}\n{text}".encode("utf-8", "surrogatepass")
    return blake2b(whole, digest_size=20).hexdigest()
