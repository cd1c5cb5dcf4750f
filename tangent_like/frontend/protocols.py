"""What operators and built-in functions do with objects: it is defined by their classes.

    a + b          the body of `__add__` of the class of `a`, or of `__radd__` of that of `b`
    len(a), a[i]   the body of `__len__`, of `__getitem__`
    for v in a     a loop over what `__iter__` gives
    if a           a branch on `__bool__`, or on `__len__`

The objects are values whose class is known, and constants from outside the function.
"""

from __future__ import annotations

import inspect
import operator
import types
from collections.abc import Mapping, Sequence
from typing import Any

from tangent_like import facts
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Value
from tangent_like.parts import is_named_tuple, is_own_object


def class_of(atom: Atom) -> Any:
    """The class of an object of the user's; None for other things, dicts among them."""
    if isinstance(atom, Const):
        return type(atom.value) if is_own_object(atom.value) else None
    fact = atom.fact
    return fact.type if isinstance(fact, facts.Record) and fact.type is not dict else None


def is_object(atom: Atom) -> bool:
    """Whether a value is an object of a class, and no dict."""
    return isinstance(atom, Value) and class_of(atom) is not None


def is_protocol_object(atom: Atom) -> bool:
    """Whether the class of an object says what its length, items and truth are: those of named
    tuples are the tuple's."""
    kind = class_of(atom)
    return kind is not None and not is_named_tuple(kind)


def special_method(atom: Atom, name: str) -> Any:
    """The function by which the class of an object defines an operator; None if it does not."""
    kind = class_of(atom)
    found = inspect.getattr_static(kind, name, None) if kind is not None else None
    return found if isinstance(found, types.FunctionType) else None


def takes_operator(name: str, left: Atom, right: Atom) -> bool:
    """Whether a class says what an operator does with these operands."""
    if is_object(left) or is_object(right):
        return True
    if special_method(left, name) or special_method(right, REFLECTED.get(name, "")):
        return True
    return name == "__ne__" and takes_operator("__eq__", left, right)


REFLECTED = {
    "__add__": "__radd__", "__sub__": "__rsub__", "__mul__": "__rmul__",
    "__truediv__": "__rtruediv__", "__floordiv__": "__rfloordiv__", "__mod__": "__rmod__",
    "__pow__": "__rpow__", "__matmul__": "__rmatmul__", "__and__": "__rand__",
    "__or__": "__ror__", "__xor__": "__rxor__", "__lshift__": "__rlshift__",
    "__rshift__": "__rrshift__", "__eq__": "__eq__", "__ne__": "__ne__", "__lt__": "__gt__",
    "__gt__": "__lt__", "__le__": "__ge__", "__ge__": "__le__",
}  # fmt: skip
_COMPARISONS = frozenset({"__eq__", "__ne__", "__lt__", "__gt__", "__le__", "__ge__"})


def operator_of_class(state: Lowering, node: Any, name: str, left: Atom, right: Atom) -> Atom:
    """`left + right`, of which one at least is an object, as its class defines it."""
    for own, method, other in _in_turn(name, left, right):
        function = special_method(own, method)
        if function is None:
            continue
        found: Atom = state.module.call(state, node, Const(function), (own, other), {})
        if not (isinstance(found, Const) and found.value is NotImplemented):
            return found
    if name == "__ne__":
        equal = operator_of_class(state, node, "__eq__", left, right)
        return state.builder.op(operator.not_, (equal,), place=state.place(node))
    raise NotYetSupported(
        f"`{name}` of {_shown(left)} and {_shown(right)}",
        state.place(node), "define the operator in the class, or work with its attributes",
    )  # fmt: skip


def _in_turn(name: str, left: Atom, right: Atom) -> Sequence[tuple[Atom, str, Atom]]:
    """Which method is asked first: the reflected one where the class on the right is derived
    from that on the left, and overrides it."""
    reflected = REFLECTED.get(name, "")
    plain, mirrored = (left, name, right), (right, reflected, left)
    one, other = class_of(left), class_of(right)
    if one is other and name not in _COMPARISONS:
        return (plain,)
    if one is not None and other is not None and issubclass(other, one):
        own, theirs = (inspect.getattr_static(k, reflected, None) for k in (one, other))
        if own is not theirs or name in _COMPARISONS:
            return (mirrored, plain)
    return (plain, mirrored)


def _shown(atom: Atom) -> str:
    kind = class_of(atom)
    return facts.describe(atom.fact) if kind is None else f"a {kind.__name__}"


def call_special(
    state: Lowering, node: Any, name: str, owner: Atom, args: Sequence[Atom] = (),
    keywords: Mapping[str, Atom] | None = None,
) -> Atom:  # fmt: skip
    """What the class of an object does for `-a`, `a[i]`, `len(a)`, `a(x)`."""
    function = special_method(owner, name)
    if function is None:
        raise NotYetSupported(
            f"`{name}` of {_shown(owner)}", state.place(node),
            "define it in the class, or work with the attributes",
        )  # fmt: skip
    called: Atom = state.module.call(
        state, node, Const(function), (owner, *args), dict(keywords or {})
    )
    return called


def truth_of_object(state: Lowering, node: Any, owner: Atom) -> Atom:
    """What `if owner:` tests: objects of classes that say nothing about it are true."""
    for name in ("__bool__", "__len__"):
        if special_method(owner, name) is not None:
            return call_special(state, node, name, owner)
    return Const(True)


METHODS: dict[Any, str] = {
    len: "__len__", abs: "__abs__", float: "__float__", int: "__int__", complex: "__complex__",
    round: "__round__", iter: "__iter__", reversed: "__reversed__",
}  # fmt: skip
"""The methods behind built-in functions."""
