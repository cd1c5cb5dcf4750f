"""Make generated source callable, so that tracebacks, pdb and inspect show its lines."""

from __future__ import annotations

import itertools
import linecache
import sys
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from tangent_like.backend.references import References

_numbers = itertools.count(1)


def load(text: str, names: Sequence[str], refs: References) -> list[FunctionType]:
    """The functions `names` of a generated module, in a namespace of its own."""
    name = names[0]
    file = f"<tangent_like {name} {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": f"tangent_like.generated.{name}", "__file__": file}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    for alias in refs.unnamed:
        namespace[alias] = refs.namespace[alias]
    for alias, value in refs.namespace.items():
        if type(value).__name__ == "module" and getattr(value, "__name__", "") in sys.modules:
            namespace[alias] = value
    return [namespace[name] for name in names]
