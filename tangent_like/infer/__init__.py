"""The fact of an operation's result from the facts of its operands.

Most results are found by *abstract execution*: the operation itself runs on small dummy arrays
whose axis lengths stand for the symbolic sizes, twice with different lengths; a result axis
that follows a symbol in both runs has that symbol.  So a rule needs no shape function of its own.
Element-wise operations are computed directly, since they are the most frequent.
"""

from __future__ import annotations

from typing import Any

from tangent_like import facts, ir
from tangent_like.facts import UNKNOWN, Fact, Opaque
from tangent_like.infer.elementwise import array_of, broadcast, elementwise
from tangent_like.infer.items import item_of_iterable
from tangent_like.infer.own import fact_of_store, special
from tangent_like.infer.representatives import SHORT, execute
from tangent_like.records import MakeRecord
from tangent_like.stores import Store

__all__ = [
    "SHORT", "array_of", "broadcast", "elementwise_functions", "execute", "infer",
    "item_of_iterable", "special",
]  # fmt: skip

elementwise_functions: set[Any] = set()
"""Callables whose result has the broadcast shape of their operands (filled by the rules)."""


def infer(fn: Any, atoms: tuple[ir.Atom, ...], keywords: dict[str, ir.Atom]) -> Fact:
    """The fact of `fn(*atoms, **keywords)`; never fails, at worst Unknown."""
    return facts.of_one(_infer(fn, atoms, keywords))


def _infer(fn: Any, atoms: tuple[ir.Atom, ...], keywords: dict[str, ir.Atom]) -> Fact:
    if isinstance(fn, ir.Procedure):
        return facts.with_fresh_sizes(fn.result)
    if isinstance(fn, type) and issubclass(fn, BaseException):
        return Opaque(fn.__name__)
    if isinstance(fn, Store):
        return fact_of_store(fn, atoms)
    if isinstance(fn, MakeRecord):
        return facts.Record(fn.type, fn.keys, tuple(atom.fact for atom in atoms))
    if fn in special:
        try:
            return special[fn](*atoms, **keywords)
        except (TypeError, ValueError, IndexError):  # so will the operation, if ever it is reached
            return UNKNOWN
    if fn in elementwise_functions and not keywords:
        found = elementwise(fn, tuple([atom.fact for atom in atoms]), atoms)
        if found is not None:
            return found
    module = (getattr(fn, "__module__", None) or "").split(".")[0]
    if module in _CLOCKS_AND_LOGS and not isinstance(fn, type):
        return _CLOCKS.get(fn.__name__, Opaque("NoneType"))
    if any(isinstance(atom.fact, facts.Maybe) for atom in atoms):
        return UNKNOWN
    return execute(fn, atoms, keywords)


_CLOCKS_AND_LOGS = ("logging", "time", "warnings", "_warnings")
_CLOCKS: dict[str, Fact] = {
    **dict.fromkeys(("time", "perf_counter", "monotonic", "process_time"), facts.FLOAT),
    **dict.fromkeys(("time_ns", "perf_counter_ns", "monotonic_ns", "process_time_ns"), facts.INT),
    **dict.fromkeys(("ctime", "strftime", "asctime"), Opaque("str")),
}
