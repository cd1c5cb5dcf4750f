"""Lowering f-strings and the methods of strings.  F-strings are one operation, `str.format`.

    f"{x:.3f} of {n!r}"      ──▶      format("{:.3f} of {!r}", x, n)

The other methods of strings are operations without a derivative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.objects import consumed
from tangent_like.frontend.stars import known_items
from tangent_like.frontend.state import Lowering
from tangent_like.infer.texts import METHODS
from tangent_like.ir import Atom, Const

_PLAIN = (bool, int, float, complex, str, type(None))


def lower_f_string(state: Lowering, node: Any) -> Atom:
    operands: list[Atom] = []
    template = _template(state, node, operands)
    return formatted(state, node, template, operands)


def _template(state: Lowering, node: Any, operands: list[Atom]) -> str:
    parts = []
    for part in node.values:
        if isinstance(part, gast.Constant):
            parts.append(part.value.replace("{", "{{").replace("}", "}}"))
        else:
            parts.append(_field(state, part, operands))
    return "".join(parts)


def _field(state: Lowering, part: Any, operands: list[Atom]) -> str:
    operands.append(_printable(state, part.value))
    conversion = f"!{chr(part.conversion)}" if part.conversion > 0 else ""
    if part.format_spec is None:
        return f"{{{conversion}}}"
    return f"{{{conversion}:{_template(state, part.format_spec, operands)}}}"


def _printable(state: Lowering, node: Any) -> Atom:
    atom = state.expression(node)
    if isinstance(atom, Const) and callable(atom.value) and not isinstance(atom.value, type):
        raise NotYetSupported("formatting a function", state.place(node), "format its name")
    return atom


def formatted(state: Lowering, node: Any, template: str, operands: list[Atom]) -> Atom:
    if all(isinstance(a, Const) and isinstance(a.value, _PLAIN) for a in operands):
        return Const(template.format(*(a.value for a in operands)))  # type: ignore[union-attr]
    return state.builder.op(str.format, (Const(template), *operands), place=state.place(node))


def text_method(
    state: Lowering,
    node: Any,
    text: str,
    name: str,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """A method of a string that is known, worked out where its arguments are known as well."""
    args = [_known_text(state, atom) for atom in args]
    given = [*args, *keywords.values()]
    if all(isinstance(a, Const) and isinstance(a.value, (*_PLAIN, tuple)) for a in given):
        try:
            named = {key: a.value for key, a in keywords.items()}  # type: ignore[union-attr]
            found = getattr(text, name)(*(a.value for a in args), **named)  # type: ignore[union-attr]
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise NeverSupported(str(error), state.place(node)) from error
        if not isinstance(found, list):
            return Const(found)
        return state.builder.op(ir.make_list, [Const(part) for part in found])
    return method_of_text(state, node, Const(text), name, args, keywords)


def method_of_text(
    state: Lowering,
    node: Any,
    owner: Atom,
    name: str,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """A method of a string that is known only at run time, or that takes what is."""
    if name not in METHODS:
        hint = "call it outside, and pass the result"
        raise NotYetSupported(f"the string method `{name}`", state.place(node), hint)
    if name == "join":
        args = [consumed(state, atom, node) for atom in args]
    place = state.place(node)
    return state.builder.op(METHODS[name], (owner, *args), dict(keywords), place=place)


def _known_text(state: Lowering, atom: Atom) -> Atom:
    """A list of texts that are known, as `join` takes one."""
    items = known_items(state, atom) if _is_listed(atom) else None
    if items is not None and all(isinstance(a, Const) and isinstance(a.value, str) for a in items):
        return Const(tuple(a.value for a in items))  # type: ignore[union-attr]
    return atom


def _is_listed(atom: Atom) -> bool:
    return isinstance(atom.fact, (facts.List, facts.Tuple)) and not isinstance(atom, Const)
