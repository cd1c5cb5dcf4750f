"""Make generated source callable, so that tracebacks, pdb and inspect show its lines."""

from __future__ import annotations

import itertools
import linecache
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """Generated code: its source, its functions, what is bound in it, and what was assumed of
    things outside."""

    text: str
    calls: tuple[Callable[..., Any], ...]
    outside: Mapping[str, Any]
    guards: tuple[Any, ...] = ()


def load(
    text: str,
    names: Sequence[str],
    outside: Mapping[str, Any],
    guards: Sequence[Any] = (),
    module: str = "",
) -> Compiled:
    """The functions `names` of a generated module, in a namespace of its own.

    With the name of a module, the namespace is that of a module that can be imported, as Numba
    does where it loads machine code.
    """
    name = names[0]
    file = f"<tangent_like {name} {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made = ModuleType(module or f"tangent_like.generated.{name}")
    namespace = vars(made)
    namespace["__file__"] = file
    if module:
        sys.modules[module] = made
    with warnings.catch_warnings():  # Python said it of the user's text
        warnings.simplefilter("ignore", SyntaxWarning)
        code = compile(text, file, "exec", dont_inherit=True)
    exec(code, namespace)
    namespace.update(outside)
    return Compiled(text, tuple(namespace[n] for n in names), outside, tuple(guards))
