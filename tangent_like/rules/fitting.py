"""Cotangents in the shape, type and structure of what they belong to.

Broadcasting is undone here and nowhere else; facts decide whether anything has to be done.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.build import Builder
from tangent_like.facts import Array, Fact, Scalar
from tangent_like.ir import Atom, Const
from tangent_like.rules.symbolic import Symbolic, lift, lower
from tangent_like.trees import item

Tree = Any
"""A tangent or cotangent: an atom, None for zero, or a tuple of trees for a tuple or list."""


def lift_tree(builder: Builder, tree: Tree, plain: str = "") -> Any:
    if isinstance(tree, tuple):
        return tuple(lift_tree(builder, item, plain) for item in tree)
    if tree is None:
        return None
    if isinstance(tree.fact, (facts.Tuple, facts.List)):
        return lift(builder, tree, plain)
    return Symbolic(builder, tree, plain)


def lower_tree(builder: Builder, found: Any, result: Atom) -> Tree:
    """A rule's answer as a tree that follows the structure of the result."""
    if not isinstance(found, (tuple, list)):
        return None if found is None else lower(builder, found)
    parts = [builder.op(operator.getitem, (result, Const(i))) for i in range(len(found))]
    trees = tuple(lower_tree(builder, f, part) for f, part in zip(found, parts, strict=False))
    if isinstance(result.fact, (facts.Tuple, facts.List)):
        return trees
    leaves = [zero(builder, p) if t is None else t for t, p in zip(trees, parts, strict=False)]
    return builder.op(ir.make_tuple, leaves)


def lower_cotangent(builder: Builder, found: Any) -> Tree:
    if isinstance(found, (tuple, list)):
        return tuple(lower_cotangent(builder, item) for item in found)
    return None if found is None else lower(builder, found)


def fit_tree(builder: Builder, tree: Tree, operand: Atom) -> Tree:
    """`fit` for each leaf of a structure."""
    if isinstance(tree, tuple):
        parts = (item(builder, operand, i) for i in range(len(tree)))
        return tuple(fit_tree(builder, t, part) for t, part in zip(tree, parts, strict=False))
    return None if tree is None else fit(builder, tree, operand)


def fit(builder: Builder, g: Atom, operand: Atom) -> Atom:
    """The cotangent `g`, summed over broadcast axes and cast to the type of `operand`."""
    have, want = g.fact, operand.fact
    if isinstance(have, Scalar) and isinstance(want, Scalar):
        return _cast(builder, g, operand)
    if not isinstance(want, (Scalar, Array)):
        if isinstance(want, (facts.ListOf, facts.Opaque)):
            return g
        return builder.op(runtime.unbroadcast, (g, operand))
    if isinstance(want, Scalar) and isinstance(have, Array) and facts.rank(have) is not None:
        g = builder.op(np.sum, (g,)) if facts.rank(have) else g
    elif not facts.same_shape(have, want):
        summed = _summed(builder, g, have, want)
        if summed is None:
            return builder.op(runtime.unbroadcast, (g, operand))
        g = summed
    return _cast(builder, g, operand)


def _summed(builder: Builder, g: Atom, have: Fact, want: Fact) -> Atom | None:
    """The sum over axes that are known to have been added or stretched; None if not known."""
    more, fewer = facts.dims(have), facts.dims(want)
    if more is None or fewer is None or len(more) < len(fewer):
        return None
    extra = len(more) - len(fewer)
    stretched = []
    for i, dim in enumerate(fewer):
        if more[extra + i] == dim:
            continue
        if dim != 1:
            return None
        stretched.append(i)
    if extra:
        axes = Const(tuple(range(extra)) if extra > 1 else 0)
        g = builder.op(np.sum, (g,), {"axis": axes})
    if stretched:
        axes = Const(tuple(stretched) if len(stretched) > 1 else stretched[0])
        g = builder.op(np.sum, (g,), {"axis": axes, "keepdims": Const(True)})
    return g


def _cast(builder: Builder, g: Atom, operand: Atom) -> Atom:
    have, want = facts.dtype(g.fact), facts.dtype(operand.fact)
    if have == want and have is not None:
        return g
    if isinstance(g.fact, Scalar) and isinstance(operand.fact, Scalar):
        if facts.is_complex(g.fact) and not facts.is_complex(operand.fact):
            return builder.op(np.real, (g,))
        return g
    if isinstance(g, Const) or (have is None and want == "float64" and _never_complex(g.fact)):
        return g
    if want is not None and not want.startswith(("float", "complex")):
        return g
    if (have, want) in (("complex128", "float64"), ("complex64", "float32")):
        return builder.op(np.real, (g,))
    return builder.op(runtime.as_type, (g, operand))


def _never_complex(fact: Fact) -> bool:
    return facts.is_complex(fact) is False


def zero(builder: Builder, like: Atom) -> Atom:
    """A zero of the shape and type of `like`."""
    fact = facts.defined(like.fact)
    if isinstance(fact, Scalar):
        return Const(0j if fact.type == "complex" else 0.0)
    return builder.op(runtime.zeros_like, (like,))
