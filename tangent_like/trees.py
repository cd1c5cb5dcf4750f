"""Tangents and cotangents of structured values.

The derivative that belongs to a value is an atom, None for zero, or a tuple of such trees where
the value is a tuple or list of known length.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Iterator
from keyword import iskeyword
from typing import Any

from tangent_like import facts, ir, list_runtime, records, runtime
from tangent_like.build import Builder
from tangent_like.facts import Fact
from tangent_like.ir import Atom, Const, Value

Tree = Any


def add(builder: Builder, old: Tree, new: Tree, like: Fact) -> Tree:
    """The sum of two trees for a value of fact `like`."""
    if old is None or new is None:
        return new if old is None else old
    if isinstance(old, tuple) or isinstance(new, tuple):
        assert isinstance(like, facts.STRUCTURES)
        pairs = zip(split(builder, old, like), split(builder, new, like), like.items)
        return tuple(add(builder, a, b, item) for a, b, item in pairs)
    plain = isinstance(facts.defined(like), (facts.Scalar, facts.Array))
    return builder.op(operator.add if plain else runtime.add, (old, new))


def split(builder: Builder, tree: Tree, fact: Fact) -> tuple[Tree, ...]:
    """The trees of the items of a structure of this fact."""
    assert isinstance(fact, facts.STRUCTURES)
    if tree is None:
        return (None,) * len(fact.items)
    if isinstance(tree, tuple):
        return tree
    readings = [records.reading(fact, place) for place in range(len(fact.items))]
    return tuple(builder.op(fn, (tree, key)) for fn, key in readings)


def item(builder: Builder, atom: Atom, place: int) -> Atom:
    """An item of a structure, by its place."""
    fn, key = records.reading(facts.defined(atom.fact), place)
    return builder.op(fn, (atom, key))


def leaves(tree: Tree, fact: Fact) -> Iterator[Atom | None]:
    """The leaves of a tree along the structure of `fact`, None for zeros."""
    if isinstance(fact, facts.STRUCTURES):
        parts = (None,) * len(fact.items) if tree is None else tree
        assert isinstance(parts, tuple)
        for part, item in zip(parts, fact.items, strict=True):
            yield from leaves(part, item)
    else:
        yield tree


def from_leaves(found: Iterator[Atom | None], fact: Fact) -> Tree:
    """The tree of this structure with these leaves; None where all are zero."""
    if isinstance(fact, facts.STRUCTURES):
        parts = tuple(from_leaves(found, item) for item in fact.items)
        return None if all(part is None for part in parts) else parts
    return next(found)


def paths(fact: Fact, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Fact]]:
    """Where each leaf lies in a value of this structure, and its fact."""
    if isinstance(fact, facts.STRUCTURES):
        for i, item in enumerate(fact.items):
            yield from paths(item, (*path, i))
    else:
        yield path, fact


def at(builder: Builder, atom: Atom, path: tuple[int, ...]) -> Atom:
    """The item of a structured value at a path."""
    for i in path:
        atom = item(builder, atom, i)
    return atom


def dissolve(builder: Builder, tree: Tree, fact: Fact) -> Tree:
    """A tree whose tuples follow the structure of `fact`, reading items where needed."""
    if tree is None or not isinstance(fact, facts.STRUCTURES):
        return tree
    parts = zip(split(builder, tree, fact), fact.items)
    return tuple(dissolve(builder, part, item) for part, item in parts)


def with_lists(builder: Builder, tree: Tree, fact: Fact) -> Tree:
    """A seed as a cotangent, to which can be added: lists for tuples of unknown length."""
    if isinstance(fact, facts.STRUCTURES):
        parts = zip(tree, fact.items, strict=True) if isinstance(tree, tuple) else ()
        return tuple(with_lists(builder, part, item) for part, item in parts) or tree
    if tree is None or not _holds_tuple(fact):
        return tree
    return builder.op(list if _is_flat(fact) else list_runtime.lists_of, (tree,))


def zeros_to_add_to(builder: Builder, like: Atom) -> Atom:
    """The cotangent of an array or a list that nothing has been added to."""
    if not _holds_tuple(like.fact):
        return builder.op(runtime.zeros_like, (like,))
    make = runtime.zero_list if _is_flat(like.fact) else list_runtime.zero_lists
    return builder.op(make, (like,))


def _holds_tuple(fact: Fact) -> bool:
    inner = isinstance(fact, (facts.ListOf, facts.DictOf)) and _holds_tuple(fact.item)
    return inner or isinstance(fact, facts.TupleOf)


def _is_flat(fact: Fact) -> bool:
    return isinstance(fact, facts.TupleOf) and isinstance(fact.item, (facts.Scalar, facts.Array))


def copied(builder: Builder, tree: Tree) -> Tree:
    """The tree with leaves of its own; numbers need none."""
    if isinstance(tree, tuple):
        return tuple(copied(builder, part) for part in tree)
    if tree is None or isinstance(facts.defined(tree.fact), facts.Scalar):
        return tree
    return builder.op(runtime.copy, (tree,), name=tree.name if isinstance(tree, Value) else "")


def derivative_fact(fact: Fact) -> Fact:
    """The fact of the tangent or adjoint of a leaf."""
    inner = facts.defined(fact)
    if isinstance(inner, facts.Scalar):
        return inner if inner.type in ("complex", "number") else facts.FLOAT
    if isinstance(inner, facts.Array) and inner.dtype and not inner.dtype.startswith(("f", "c")):
        return facts.Array("float64", inner.dims)
    return inner


def zero(builder: Builder, like: Atom) -> Atom:
    """A zero of the shape and type of a leaf."""
    fact = facts.defined(like.fact)
    if isinstance(fact, facts.Scalar):
        return Const(0j if fact.type == "complex" else 0.0)
    if fact == facts.NONE:
        return Const(None)
    return builder.op(runtime.zeros_like, (like,))


def new_tape(builder: Builder, like: Atom) -> Value:
    """An empty tape for the derivatives of what the tape `like` holds."""
    assert isinstance(like, Value) and isinstance(like.fact, facts.Tape)
    result = Value(derivative_name("b", like), facts.Tape(derivative_fact(like.fact.item)))
    builder.append(ir.Op(result, ir.new_tape, (), (), builder.place))
    return result


def derivative_name(prefix: str, atom: Atom) -> str:
    """`bx` or `dx` for a value the user named `x`."""
    return prefix + atom.name if isinstance(atom, Value) and atom.name else ""


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, with underscores until no parameter has it: `dx_` in a second derivative."""
    while name in taken:
        name += "_"
    return name


def parameter_names(values: Iterable[Value], taken: Iterable[str] = ()) -> list[str]:
    """A name for each value as a parameter: its own, where that is a name and is free."""
    found: list[str] = []
    used = set(taken)
    for k, value in enumerate(values):
        usable = value.name.isidentifier() and not iskeyword(value.name)
        wish = value.name if usable else f"a{k}"
        found.append(wish if wish not in used else free_name(f"{wish}_{k}", used))
        used.add(found[-1])
    return found


def materialised(builder: Builder, tree: Tree, like: Atom, keep: bool = False) -> Atom:
    """The tree as one atom, zeros where it is None.

    With `keep`, what cannot have a derivative stays what it is in a dict or an object: strings,
    sizes, None.
    """
    fact = facts.defined(like.fact)
    known = isinstance(like.fact, facts.STRUCTURES)
    if not known and not isinstance(tree, tuple):
        return zero(builder, like) if tree is None else tree
    parts = tree if isinstance(tree, tuple) else split(builder, tree, fact)
    items = []
    for i, part in enumerate(parts):
        own = at(builder, like, (i,))
        kept = keep and isinstance(fact, facts.Record)
        constant = kept and not facts.may_be_differentiated(own.fact)
        items.append(own if constant else materialised(builder, part, own, keep))
    return builder.op(records.display_of(fact), items)
