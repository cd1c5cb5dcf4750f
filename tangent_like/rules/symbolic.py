"""Symbolic operands: running a rule on them appends operations to a Wengert list.

`np.cos(x) * g` on two of these appends `cos` and `mul` and returns the product, so the body of a
rule appears inlined in the generated source.  Operands known at compile time (axis numbers,
keepdims flags) reach a rule as plain Python values.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.build import Builder
from tangent_like.errors import NotYetSupported
from tangent_like.facts import Array, Fact
from tangent_like.ir import Atom, Const, Value

_AS_OPERATOR: dict[Any, Any] = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul,
    np.true_divide: operator.truediv, np.negative: operator.neg, np.power: operator.pow,
    np.matmul: operator.matmul, np.equal: operator.eq, np.not_equal: operator.ne,
    np.less: operator.lt, np.less_equal: operator.le, np.greater: operator.gt,
    np.greater_equal: operator.ge, np.floor_divide: operator.floordiv,
    np.remainder: operator.mod,
}  # fmt: skip

_AS_ATTRIBUTE: dict[Any, str] = {np.shape: "shape", np.ndim: "ndim", np.size: "size"}

IN_MATH: dict[Any, Any] = {
    np.sin: math.sin, np.cos: math.cos, np.tan: math.tan, np.exp: math.exp, np.log: math.log,
    np.sqrt: math.sqrt, np.sinh: math.sinh, np.cosh: math.cosh, np.tanh: math.tanh,
    np.arctan: math.atan, np.abs: abs, np.log1p: math.log1p, np.expm1: math.expm1,
    np.copysign: math.copysign, np.floor: math.floor, np.exp2: getattr(math, "exp2", np.exp2),
}  # fmt: skip
"""The function of `math` that serves floats where a rule says the NumPy one."""


AT_RUN_TIME = "this call, where shapes of its operands or its options are known at run time only"


class Symbolic:
    """An operand of a rule: arithmetic and NumPy calls on it append operations."""

    __slots__ = ("atom", "builder", "plain")

    def __init__(self, builder: Builder, atom: Atom, plain: str = ""):
        self.builder = builder
        self.atom = atom
        self.plain = plain
        """The family of the primal: "math", "numpy" or "". In "math" NumPy's names stand for
        those of `math`; in "numpy" a number divided by zero is infinite, as it is there."""

    @property
    def fact(self) -> Fact:
        return self.atom.fact

    @property
    def ndim(self) -> Any:
        """The number of axes: an int where known."""
        count = facts.rank(self.fact)
        if count is not None:
            return count
        return apply(getattr, self, "ndim") if self.is_array else apply(np.ndim, self)

    @property
    def shape(self) -> Any:
        if facts.rank(self.fact) == 0:
            return ()
        return apply(getattr, self, "shape") if self.is_array else apply(np.shape, self)

    @property
    def size(self) -> Any:
        return apply(getattr, self, "size") if self.is_array else apply(np.size, self)

    @property
    def T(self) -> Any:
        return apply(np.transpose, self)

    @property
    def is_array(self) -> bool:
        """Whether it is known to have the attributes of an array."""
        return isinstance(self.fact, Array) and self.fact.dims is not None

    @property
    def real(self) -> Any:
        return apply(np.real, self)

    @property
    def imag(self) -> Any:
        return apply(np.imag, self)

    def conj(self) -> Any:
        return self if facts.is_complex(self.fact) is False else apply(np.conj, self)

    def reshape(self, *shape: Any) -> Any:
        return apply(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        named = {"keepdims": True} if keepdims else {}
        return apply(np.sum, self, **({} if axis is None else {"axis": axis}), **named)

    def __getitem__(self, index: Any) -> Any:
        return apply(operator.getitem, self, index)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        return apply(_AS_OPERATOR.get(ufunc, ufunc), *inputs, **keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        if function in _AS_ATTRIBUTE:
            return getattr(args[0], _AS_ATTRIBUTE[function])
        return apply(function, *args, **keywords)

    def __bool__(self) -> bool:
        # A rule asks for what is known at compile time only, such as the number of axes.
        raise NotYetSupported(AT_RUN_TIME)

    def __index__(self) -> int:
        raise NotYetSupported(AT_RUN_TIME)

    def __iter__(self) -> Any:
        raise TypeError("a rule must not iterate over a symbolic value")

    def __neg__(self) -> Any:
        return apply(operator.neg, self)

    def __abs__(self) -> Any:
        return apply(abs, self)


def _add_operators() -> None:
    reflected = ("add", "sub", "mul", "truediv", "pow", "matmul", "floordiv", "mod")
    for name in (*reflected, "eq", "ne", "lt", "le", "gt", "ge", "and_", "or_", "invert"):
        function = getattr(operator, name)
        dunder = name.rstrip("_")
        setattr(Symbolic, f"__{dunder}__", lambda *operands, f=function: apply(f, *operands))
        if name in reflected:
            setattr(Symbolic, f"__r{name}__", lambda self, other, f=function: apply(f, other, self))
    Symbolic.__hash__ = object.__hash__  # type: ignore[method-assign]


_add_operators()


def apply(function: Any, *args: Any, **keywords: Any) -> Any:
    """Append `function(*args, **keywords)`; with no symbolic operand, just call it."""
    operand = _find((*args, *keywords.values()))
    if operand is None:
        return function(*args, **keywords)
    builder, plain = operand.builder, operand.plain
    if plain == "math" and function in IN_MATH and _all_scalar(args):
        function = IN_MATH[function]
    if plain == "numpy" and function is operator.truediv and _all_scalar(args):
        function = np.divide  # NumPy's functions have infinities where Python's division raises
    atoms = [lower(builder, arg) for arg in args]
    named = {key: lower(builder, value) for key, value in keywords.items()} if keywords else None
    return Symbolic(builder, builder.op(function, atoms, named), plain)


def emitted(near: Any, function: Any, *args: Any, **keywords: Any) -> Any:
    """`function(*args, **keywords)` as an operation, beside the symbolic operands in `near`, though
    it is known at once: generated code shall say `np.linspace(0.0, 1.0, 5)`."""
    operand = _find([near])
    if operand is None:
        return function(*args, **keywords)
    atoms = tuple(lower(operand.builder, arg) for arg in args)
    named = {key: lower(operand.builder, value) for key, value in keywords.items()}
    return Symbolic(operand.builder, operand.builder.op(function, atoms, named), operand.plain)


def shaped_as(value: Any, x: Any) -> Any:
    """`value`, which has the shape of `x` by construction, whatever is known of its operands."""
    if not isinstance(value, Symbolic) or not isinstance(x, Symbolic):
        return value
    definitions = value.builder.definitions
    definition = definitions.get(value.atom) if isinstance(value.atom, Value) else None
    if definition is None or facts.dims(x.fact) is None or facts.rank(x.fact) == 0:
        return value
    result = Value("", Array(facts.dtype(value.fact), facts.dims(x.fact)))
    value.builder.append(replace(definition, result=result))
    return Symbolic(value.builder, result, value.plain)


def is_symbolic(x: Any) -> bool:
    """Whether an operand of a rule is known at run time only."""
    return isinstance(x, Symbolic)


def rank(x: Any) -> int | None:
    """The number of axes of a rule's operand, None where it is not known."""
    count = np.ndim(x)
    return count if isinstance(count, int) else None


def _find(items: Iterable[Any]) -> Symbolic | None:
    """A symbolic operand among the items, or inside of them."""
    for item in items:
        if isinstance(item, Symbolic):
            return item
        if isinstance(item, (tuple, list, slice)):
            found = _find(_parts(item))
            if found is not None:
                return found
    return None


def _parts(tree: Any) -> Iterable[Any]:
    if isinstance(tree, (tuple, list)):
        return tree
    if isinstance(tree, slice):
        return tree.start, tree.stop, tree.step
    return ()


def _all_scalar(args: tuple[Any, ...]) -> bool:
    return all(
        facts.is_scalar(a.fact) if isinstance(a, Symbolic) else isinstance(a, (int, float))
        for a in args
    )


def lower(builder: Builder, tree: Any) -> Atom:
    """The atom of a rule's operand or result."""
    if isinstance(tree, Symbolic):
        return tree.atom
    if isinstance(tree, (Value, Const)):
        return tree
    if not isinstance(tree, (tuple, list, slice)) or _find(_parts(tree)) is None:
        return Const(tree)
    if isinstance(tree, slice):
        bounds = [lower(builder, bound) for bound in (tree.start, tree.stop, tree.step)]
        return builder.op(slice, bounds)
    display = ir.make_tuple if isinstance(tree, tuple) else ir.make_list
    return builder.op(display, [lower(builder, item) for item in tree])


def lift(builder: Builder, atom: Atom, plain: str = "") -> Any:
    """What a rule sees of an atom: constants as they are, tuples and lists item by item."""
    if isinstance(atom, Const):
        return atom.value
    if isinstance(atom.fact, (facts.Tuple, facts.List)):
        items = [
            lift(builder, builder.op(operator.getitem, (atom, Const(i))), plain)
            for i in range(len(atom.fact.items))
        ]
        return tuple(items) if isinstance(atom.fact, facts.Tuple) else items
    return Symbolic(builder, atom, plain)
