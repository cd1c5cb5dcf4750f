"""How each operation is written as a Python expression."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from string import Formatter
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir, runtime
from tangent_like.backend.references import References
from tangent_like.frontend.externals import External
from tangent_like.infer import texts
from tangent_like.ir import Atom, Op
from tangent_like.records import MakeRecord, is_named_tuple
from tangent_like.records import attribute as attribute_of

_BINARY: dict[Any, type[ast.operator]] = {
    operator.add: ast.Add, operator.sub: ast.Sub, operator.mul: ast.Mult,
    operator.truediv: ast.Div, operator.floordiv: ast.FloorDiv, operator.mod: ast.Mod,
    operator.pow: ast.Pow, operator.matmul: ast.MatMult, operator.and_: ast.BitAnd,
    operator.or_: ast.BitOr, operator.xor: ast.BitXor, operator.lshift: ast.LShift,
    operator.rshift: ast.RShift,
}  # fmt: skip
_COMPARE: dict[Any, type[ast.cmpop]] = {
    operator.eq: ast.Eq, operator.ne: ast.NotEq, operator.lt: ast.Lt, operator.le: ast.LtE,
    operator.gt: ast.Gt, operator.ge: ast.GtE, operator.is_: ast.Is, operator.is_not: ast.IsNot,
}  # fmt: skip
_UNARY: dict[Any, type[ast.unaryop]] = {
    operator.neg: ast.USub, operator.pos: ast.UAdd, operator.not_: ast.Not,
    operator.invert: ast.Invert,
}  # fmt: skip

BINARY_SIGNS = _BINARY
_SIGNS = frozenset({*_BINARY, *_COMPARE, *_UNARY, operator.getitem})


def name(text: str) -> ast.expr:
    return ast.Name(text, ast.Load())


def attribute(owner: ast.expr, attr: str) -> ast.expr:
    return ast.Attribute(owner, attr, ast.Load())


def call(function: ast.expr, args: Sequence[ast.expr], /, **keywords: ast.expr) -> ast.expr:
    return ast.Call(function, list(args), [ast.keyword(k, v) for k, v in keywords.items()])


def tuple_of(items: Sequence[ast.expr]) -> ast.expr:
    return ast.Tuple(list(items), ast.Load())


def signed(sign: ast.operator, right: ast.expr) -> tuple[ast.operator, ast.expr]:
    """`+ -2.0 * x` as `- 2.0 * x`, and `- -x` as `+ x`."""
    rest = _without_sign(right) if isinstance(sign, (ast.Add, ast.Sub)) else None
    if rest is None:
        return sign, right
    return (ast.Sub() if isinstance(sign, ast.Add) else ast.Add()), rest


def _without_sign(node: ast.expr) -> ast.expr | None:
    """The negative of an expression that starts with a sign, as in `-2.0 * x * y`."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return node.operand
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        left = _without_sign(node.left)
        return left and ast.BinOp(left, node.op, node.right)
    return None


def spell(
    op: Op, args: list[ast.expr], keywords: dict[str, ast.expr], refs: References
) -> ast.expr:
    """The expression of an operation whose operands are written as `args`."""
    special = _SPECIAL.get(op.fn) if _is_hashable(op.fn) else None
    if special is not None:
        found = special(op, args, refs)
        if found is not None:
            return found
    if op.fn in _BINARY:
        sign, right = _BINARY[op.fn](), args[1]
        return ast.BinOp(args[0], *(signed(sign, right) if op.derivative else (sign, right)))
    if op.fn in _COMPARE:
        return ast.Compare(args[0], [_COMPARE[op.fn]()], [args[1]])
    if op.fn in _UNARY:
        return ast.UnaryOp(_UNARY[op.fn](), args[0])
    if isinstance(op.fn, External):
        return refs.external(op.fn)
    if isinstance(op.fn, MakeRecord):
        return _record(op.fn, args, refs)
    if is_method_of_generator(op.fn) or texts.METHODS.get(getattr(op.fn, "__name__", "")) is op.fn:
        return call(attribute(args[0], op.fn.__name__), args[1:], **keywords)
    return call(refs.function(op.fn), args, **keywords)


def is_sign(fn: Any) -> bool:
    """Whether an operation is written with a sign, without a name."""
    return _is_hashable(fn) and fn in _SIGNS


def is_method_of_generator(fn: Any) -> bool:
    """Whether it is written after a generator of random numbers: `rng.normal()`."""
    name = getattr(fn, "__name__", "")
    return any(vars(source).get(name) is fn for source in effects.sources_of_draws())


def _is_hashable(fn: Any) -> bool:
    return getattr(type(fn), "__hash__", None) is not None


def index_expression(index: ast.expr, atom: ir.Atom) -> ast.expr:
    """What stands between brackets: slices as `a:b`, tuples without parentheses."""
    function = index.func if isinstance(index, ast.Call) else None
    if isinstance(index, ast.Call) and isinstance(function, ast.Name) and function.id == "slice":
        parts = [None if _is_none(a) else a for a in index.args]
        parts = [None, parts[0], None] if len(parts) == 1 else [*parts, None, None][:3]
        return ast.Slice(*parts)
    if isinstance(index, ast.Tuple) and index.elts:
        return ast.Tuple([index_expression(e, atom) for e in index.elts], ast.Load())
    return index


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def subscript(container: ast.expr, index: ast.expr, atom: ir.Atom) -> ast.Subscript:
    return ast.Subscript(container, index_expression(index, atom), ast.Load())


def _record(made: MakeRecord, items: list[ast.expr], refs: References) -> ast.expr:
    """A dict display, a named tuple, or an object with these attributes."""
    if made.type is dict:
        return ast.Dict([_key(key) for key in made.keys], list(items))
    if is_named_tuple(made.type):
        return call(refs.function(made.type), items)
    named = dict(zip(map(str, made.keys), items, strict=True))
    return call(refs.function(runtime.make_object), [refs.function(made.type)], **named)


def _key(key: Any) -> ast.expr:
    negative = type(key) in (int, float) and key < 0
    return ast.UnaryOp(ast.USub(), ast.Constant(-key)) if negative else ast.Constant(key)


Special = Callable[[Op, list[ast.expr], References], ast.expr | None]


def _getattr(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    return attribute(args[0], str(op.args[1].value)) if isinstance(op.args[1], ir.Const) else None


def _transpose(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    if len(args) == 1 and not op.keywords and _is_array(op.args[0]):
        return attribute(args[0], "T")
    return None


def _contains(op: Op, args: list[ast.expr], refs: References) -> ast.expr:
    return ast.Compare(args[1], [ast.In()], [args[0]])


def _unpacked(op: Op, args: list[ast.expr], refs: References) -> ast.expr:
    return call(refs.builtin("tuple"), args[:1])


def _where(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    """Of numbers NumPy makes an array without axes, where derivative code wants a number."""
    if not op.derivative or op.keywords or any(facts.rank(a.fact) != 0 for a in op.args):
        return None
    return ast.Subscript(call(refs.function(np.where), args), tuple_of([]), ast.Load())


def _zeros_like(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    fact = op.args[0].fact
    if isinstance(fact, facts.Array) and fact.dtype and fact.dims:
        if fact.dtype == "float64":  # `np.zeros_like` takes a microsecond longer
            return call(refs.function(np.zeros), [_shape(args[0], len(fact.dims), refs)])
        if fact.dtype.startswith(("float", "complex")):
            return call(refs.function(np.zeros_like), args)
    if isinstance(fact, facts.ListOf) and fact.item == facts.FLOAT:
        zero = ast.List([ast.Constant(0.0)], ast.Load())
        return ast.BinOp(zero, ast.Mult(), call(refs.builtin("len"), args))
    return None


def _shape(array: ast.expr, rank: int, refs: References) -> ast.expr:
    if rank == 1:
        return call(refs.builtin("len"), [array])
    return attribute(array, "shape")


def _copy(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    if isinstance(op.args[0].fact, facts.Array) and op.args[0].fact.dims:
        return call(attribute(args[0], "copy"), [])
    return None


def _copy_in_order(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    """A copy whose rows lie one after the other is what the method makes."""
    in_order = [getattr(atom, "value", None) for _, atom in op.keywords] == ["C"]
    return _copy(op, args, refs) if in_order else None


def _formatted(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    """An f-string where that is easy to read, else a call of `format`."""
    template = op.args[0].value if isinstance(op.args[0], ir.Const) else None
    operands = args[1:]
    if template is None or op.keywords or not _takes_in_order(template, len(operands)):
        return None
    if all(isinstance(a, (ast.Name, ast.BinOp)) and _is_textless(a) for a in operands):
        return _f_string(template, iter(operands))
    return None


def _takes_in_order(template: str, count: int) -> bool:
    """Whether the fields of a template, and those in their formats, take all operands in order."""
    fields = [part for part in Formatter().parse(template) if part[1] is not None]
    inner = [p for f in fields for p in Formatter().parse(f[2] or "") if p[1] is not None]
    return len(fields) + len(inner) == count and not any(p[1] for p in [*fields, *inner])


def _f_string(template: str, operands: Iterator[ast.expr]) -> ast.expr:
    parts: list[ast.expr] = []
    before = ""
    for text, field, spec, conversion in [*Formatter().parse(template), ("", None, "", "")]:
        before += text
        if before and (field is not None or not text):
            parts.append(ast.Constant(before))
            before = ""
        if field is not None:
            value = next(operands)
            form = _f_string(spec, operands) if spec else None
            parts.append(ast.FormattedValue(value, ord(conversion) if conversion else -1, form))
    return ast.JoinedStr(parts)


def _is_textless(node: ast.expr) -> bool:
    """Before Python 3.12 the fields of an f-string may hold no quotes."""
    return not any(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in ast.walk(node))


def _is_array(atom: Atom) -> bool:
    """Whether a value has the methods of an array: what may be a number as well has them not."""
    fact = atom.fact
    return isinstance(fact, facts.Array) and fact.dims != () and fact != facts.NUMERIC


def _sum(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    """`x.sum()`: the function only finds the method, and takes a microsecond for it."""
    if not (op.derivative and _is_array(op.args[0])) or len(args) > 1:
        return None
    keywords = {key: _constant(atom) for key, atom in op.keywords}
    if any(value is None for value in keywords.values()):
        return None
    return call(attribute(args[0], "sum"), [], **keywords)  # type: ignore[arg-type]


def _constant(atom: ir.Atom) -> ast.expr | None:
    """A number, truth value or tuple of axes, as it is written."""
    if not isinstance(atom, ir.Const) or type(atom.value) not in (int, bool, tuple):
        return None
    return ast.parse(repr(atom.value), mode="eval").body


def _expand_dims(op: Op, args: list[ast.expr], refs: References) -> ast.expr | None:
    """`x[:, None]`: the function takes several microseconds.  Numbers have no items."""
    rank = facts.rank(op.args[0].fact) if isinstance(op.args[0].fact, facts.Array) else None
    axis = op.args[1].value if len(op.args) > 1 and isinstance(op.args[1], ir.Const) else None
    if rank is None or type(axis) is not int or not op.derivative:
        return None
    index: list[ast.expr] = [ast.Slice(None, None, None) for _ in range(axis % (rank + 1))]
    index.append(ast.Constant(None))
    inner = ast.Tuple(index, ast.Load()) if len(index) > 1 else index[0]
    return ast.Subscript(args[0], inner, ast.Load())


_SPECIAL: dict[Any, Special] = {
    str.format: _formatted,
    operator.getitem: lambda op, args, refs: subscript(args[0], args[1], op.args[1]),
    operator.contains: _contains,
    getattr: _getattr,
    attribute_of: _getattr,
    np.transpose: _transpose,
    np.where: _where,
    np.sum: _sum,
    np.expand_dims: _expand_dims,
    ir.make_tuple: lambda op, args, refs: tuple_of(args),
    ir.make_list: lambda op, args, refs: ast.List(list(args), ast.Load()),
    ir.defined: lambda op, args, refs: args[0],
    ir.live: lambda op, args, refs: args[0],
    ir.unpack: _unpacked,
    ir.new_tape: lambda op, args, refs: ast.List([], ast.Load()),
    ir.push: lambda op, args, refs: call(attribute(args[0], "append"), args[1:]),
    ir.pop: lambda op, args, refs: call(attribute(args[0], "pop"), []),
    ir.fetch: lambda op, args, refs: subscript(args[0], args[1], op.args[1]),
    ir.reserve: lambda op, args, refs: call(refs.function(np.empty), args),
    ir.freeze: lambda op, args, refs: args[0],
    ir.thaw: lambda op, args, refs: call(refs.builtin("list"), args),
    ir.flip: lambda op, args, refs: call(attribute(args[0], "reverse"), []),
    runtime.zeros_like: _zeros_like,
    runtime.copy: _copy,
    np.copy: _copy_in_order,
}
