"""What the methods of strings return; no derivative goes through them."""

from __future__ import annotations

from typing import Any

from tangent_like import facts
from tangent_like.facts import Fact, ListOf, Opaque, Tuple
from tangent_like.infer.own import special

TEXT = Opaque("str")

_RESULTS: tuple[tuple[Fact, str], ...] = (
    (TEXT, "capitalize casefold center expandtabs format join ljust lower lstrip removeprefix"),
    (TEXT, "removesuffix replace rjust rstrip strip swapcase title upper zfill"),
    (facts.INT, "count find index rfind rindex"),
    (facts.BOOL, "endswith startswith isalnum isalpha isascii isdecimal isdigit isidentifier"),
    (facts.BOOL, "islower isnumeric isprintable isspace istitle isupper"),
    (ListOf(TEXT), "split rsplit splitlines"),
    (Tuple((TEXT, TEXT, TEXT)), "partition rpartition"),
)

METHODS: dict[str, Any] = {}
"""The functions of the methods that have a fact, by name."""


def _register(name: str, result: Fact) -> None:
    METHODS[name] = getattr(str, name)
    special[METHODS[name]] = lambda *operands, **keywords: result


special[str] = special[repr] = special[format] = special[chr] = special[str.format]

for _result, _names in _RESULTS:
    for _name in _names.split():
        _register(_name, _result)
