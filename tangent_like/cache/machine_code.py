"""Numba's machine code on disk, beside the generated source that it was made of.

Numba's own cache numbers the files of a function, and processes that write at once take the same
number: then one finds the code of another's argument types.  Here each function and each list of
argument types has a file of its own, written and renamed like an entry, and checked by its digest
before it is loaded, since damaged machine code would not merely be a miss.
"""

from __future__ import annotations

import pickle
from hashlib import blake2b
from types import FunctionType
from typing import Any

from tangent_like.backend.load import Compiled
from tangent_like.cache import folder

_DIGEST_SIZE = 20


def attach(compiled: Compiled, place: str, key: str) -> None:
    """Let the functions of a generated module find their machine code again."""
    from numba.core.dispatcher import Dispatcher  # noqa: PLC0415 - an extra

    (call,) = compiled.calls
    own = getattr(call, "py_func", call)
    for value in own.__globals__.values():
        if isinstance(value, Dispatcher) and value.py_func.__module__ == own.__module__:
            dispatcher: Any = value
            dispatcher._cache = MachineCode(place, key, dispatcher.py_func)


class MachineCode:
    """What a dispatcher of Numba asks of its cache."""

    def __init__(self, place: str, key: str, function: FunctionType):
        self.cache_path = place
        self.key = key
        self.name = function.__qualname__

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The compiled function for these types of arguments; None where there is none."""
        from numba.core.compiler import CompileResult  # noqa: PLC0415 - an extra

        target.refresh()
        name = self.file_for(signature, target.codegen())
        try:
            data = folder.read(self.cache_path, name, folder.MACHINE_CODE)
        except OSError as error:
            folder.say(self.cache_path, error)
            return None
        if data is None or _digest(data[_DIGEST_SIZE:]) != data[:_DIGEST_SIZE]:
            return None
        rebuild: Any = CompileResult._rebuild
        return rebuild(target, *pickle.loads(data[_DIGEST_SIZE:]))

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep a compiled function, unless it holds addresses of this process."""
        from numba.core import serialize  # noqa: PLC0415 - an extra

        if result.library.has_dynamic_globals or not all(x.can_cache for x in result.lifted):
            return
        dumps: Any = serialize.dumps
        data = dumps(result._reduce())
        name = self.file_for(signature, result.codegen)
        try:
            folder.write(self.cache_path, name, _digest(data) + data, folder.MACHINE_CODE)
        except OSError as error:
            folder.say(self.cache_path, error)

    def file_for(self, signature: Any, codegen: Any) -> str:
        """A name for this function, on this processor, for these types."""
        import numba  # noqa: PLC0415 - an extra

        what = repr((numba.__version__, self.key, self.name, str(signature), codegen.magic_tuple()))
        return _digest(what.encode()).hex()

    def flush(self) -> None:
        """Numba asks for this when a function is compiled anew; no file is ever out of date."""


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST_SIZE).digest()
