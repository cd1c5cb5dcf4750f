"""Lowering `import` inside a function: modules are constants, and what is taken out of a module
is read from it when the derivative runs, like a global variable."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import gast

from tangent_like.errors import NotYetSupported
from tangent_like.frontend.externals import External, Imported
from tangent_like.frontend.names import external_atom
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.targets import bind_name
from tangent_like.ir import Atom


def lower_import(state: Lowering, node: Any) -> None:
    for alias in node.names:
        module = _module(state, node, alias.name)
        if alias.asname is None and "." in alias.name:
            module = sys.modules[alias.name.split(".")[0]]
        name = alias.asname or alias.name.split(".")[0]
        bind_name(state, name, _module_atom(state, module, node), node)


def lower_import_from(state: Lowering, node: Any) -> None:
    package = state.frame.source.function.__globals__.get("__package__") or ""
    relative = "." * (node.level or 0) + (node.module or "")
    for alias in node.names:
        module = _module(state, node, relative, package)
        value = getattr(module, alias.name, None)
        if value is None:
            value = _module(state, node, f"{module.__name__}.{alias.name}")
        if isinstance(value, ModuleType):
            atom = _module_atom(state, value, node)
        else:
            home = External(Imported(module.__name__), alias.name, False)
            atom = external_atom(state, home, value, node)
        bind_name(state, alias.asname or alias.name, atom, node)


def _module(state: Lowering, node: Any, name: str, package: str | None = None) -> ModuleType:
    try:
        return importlib.import_module(name, package)
    except ImportError as error:
        raise NotYetSupported(
            f"importing `{name}`, which fails when the derivative is made: {error}",
            state.place(node),
            "import it at the top of the module, if it is there",
        ) from error


def _module_atom(state: Lowering, module: ModuleType, node: Any) -> Atom:
    home = External(Imported("sys"), "modules", False, ((module.__name__,),))
    return external_atom(state, home, module, node)


HANDLERS: dict[type, Any] = {gast.Import: lower_import, gast.ImportFrom: lower_import_from}
