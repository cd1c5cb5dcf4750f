"""Lowering a call of a derivative operator: it gives a `Derived`, and calling that differentiates
its target on the spot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tangent_like import ir
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.scope import Derived
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const


def lower_operator(
    state: Lowering,
    node: Any,
    name: str,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> Atom:
    """`grad(f, ...)` gives a function; `jvp(f, ...)` is differentiated at once."""
    if not args or not isinstance(args[0], Const):
        raise NotYetSupported(
            f"`{name}` of a function that is known only at run time", state.place(node)
        )
    if name in ("jvp", "vjp"):
        derived = Derived(name, args[0].value, {})
        return state.module.derive(state, node, derived, args[1:], keywords)  # type: ignore[no-any-return]
    options = {"wrt": 0}
    values = [*zip(("wrt", "order"), args[1:]), *keywords.items()]
    for key, atom in values:
        value = _constant(atom)
        if value is ir.UNDEFINED:
            raise NotYetSupported(f"`{key}` of `{name}` known only at run time", state.place(node))
        options[key] = value
    return Const(Derived(name, args[0].value, options))


def _constant(atom: Atom) -> Any:
    return atom.value if isinstance(atom, Const) else ir.UNDEFINED
