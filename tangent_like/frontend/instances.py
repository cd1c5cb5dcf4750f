"""What `isinstance` says of a value, where its fact tells."""

from __future__ import annotations

import builtins
import types

import numpy as np

from tangent_like import facts
from tangent_like.facts import Fact
from tangent_like.frontend.collected import STANDS_FOR
from tangent_like.frontend.protocols import class_of, is_object
from tangent_like.ir import Atom, Const

_POSSIBLE: dict[str, tuple[type, ...]] = {
    "bool": (bool, np.bool_),
    "int": (int, np.int64, np.int32, np.int16, np.uint8, np.uint64),
    "float": (float, np.float64),
    "complex": (complex, np.complex128),
}


def known_instance(atom: Atom, kind: type) -> bool | None:
    """Whether the value is certainly, or certainly not, an instance; None where it may be."""
    if isinstance(atom, Const):
        return isinstance(atom.value, kind)
    if is_object(atom):
        own = class_of(atom)
        return issubclass(own, kind) or issubclass(STANDS_FOR.get(own, own), kind)
    possible = _possible(atom.fact)
    answers = {issubclass(one, kind) for one in possible}
    if answers == {True}:
        return True
    subclass = any(issubclass(kind, one) for one in possible)
    return False if answers == {False} and not subclass else None


def _possible(fact: Fact) -> tuple[type, ...]:
    """The types that a value of this fact may have, or their bases; () where nothing is known."""
    match fact:
        case facts.Scalar(type=name):
            return _POSSIBLE.get(name, ())
        case facts.Array(dims=(_, *_)):
            return (np.ndarray,)
        case facts.Tuple() | facts.TupleOf():
            return (tuple,)
        case facts.List() | facts.ListOf():
            return (list,)
        case facts.DictOf() | facts.Record(type=builtins.dict):
            return (dict,)
        case facts.Opaque(kind="str"):
            return (str,)
        case facts.Opaque(kind="NoneType"):
            return (types.NoneType,)
    return ()
