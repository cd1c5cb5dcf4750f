"""Names of the things outside a generated function that it refers to.

Modules keep the names users know (`np`, `math`) unless one of the user's own variables has that
name.  Everything that is referred to is recorded: it becomes an import line of the generated
source, or an entry of its namespace.
"""

from __future__ import annotations

import ast
import builtins
import math
import sys
from types import ModuleType
from typing import Any

import numpy as np

from tangent_like import (
    dynamic,
    einsum_runtime,
    ir,
    linalg_runtime,
    list_runtime,
    runtime,
    scipy_runtime,
    solvers,
    stack_runtime,
)
from tangent_like.frontend.externals import External, Globals

_OURS = tuple(
    module.__name__
    for module in (
        dynamic, einsum_runtime, linalg_runtime, list_runtime, runtime, scipy_runtime, solvers,
        stack_runtime,
    )
)
_SHORT = {"numpy": "np", "numpy.linalg": "np.linalg", "numpy.fft": "np.fft"}


_HELPERS = (runtime.__name__, stack_runtime.__name__, "tangent_like.numba_runtime.")
"""Modules whose functions are imported by name."""


class References:
    """What a generated module refers to, by the name it uses."""

    def __init__(self, user_names: set[str]):
        self.user_names = user_names
        self.namespace: dict[str, Any] = {}
        self.imports: dict[str, str] = {}
        """The import line that brings a name."""

        self.unnamed: dict[str, str] = {}
        """Names bound by the loader that no import can bring, with what they are."""

    def claim(self, wish: str, value: Any) -> str:
        """A name for an outside object that no variable of the user has."""
        name, number = wish, 1
        while name in self.user_names or self.namespace.get(name, value) is not value:
            name, number = f"{wish}_{number}", number + 1
        self.namespace[name] = value
        return name

    @property
    def outside(self) -> dict[str, Any]:
        """What the loader binds: modules, and what no import can bring."""
        return {
            name: value
            for name, value in self.namespace.items()
            if name in self.unnamed
            or (isinstance(value, ModuleType) and value.__name__ in sys.modules)
        }

    def builtin(self, text: str) -> ast.expr:
        if text in self.user_names:
            alias = self.claim("builtins", builtins)
            self.imports[alias] = _import_line("builtins", alias)
            return ast.Attribute(ast.Name(alias, ast.Load()), text, ast.Load())
        self.namespace.setdefault(text, getattr(builtins, text))
        return ast.Name(text, ast.Load())

    def module(self, module: str) -> ast.expr:
        parts = module.split(".")
        root = parts[0]
        alias = self.claim(_SHORT.get(root, root), sys.modules[root])
        self.imports[alias] = _import_line(root, alias)
        if len(parts) > 1:
            self.imports[module] = f"import {module}"
        node: ast.expr = ast.Name(alias, ast.Load())
        for part in parts[1:]:
            node = ast.Attribute(node, part, ast.Load())
        return node

    def function(self, function: Any) -> ast.expr:
        """The expression by which generated code calls a function."""
        if isinstance(function, ir.Procedure):
            return ast.Name(function.name, ast.Load())
        name = getattr(function, "__name__", "")
        if getattr(builtins, name, None) is function:
            return self.builtin(name)
        home = home_of(function)
        if home is not None:
            module, name = home
            if module in _OURS:
                alias = self.claim(name, function)
                self.imports[alias] = _from_line(module, name, alias)
                return ast.Name(alias, ast.Load())
            node = self.module(module)
            for part in name.split("."):
                node = ast.Attribute(node, part, ast.Load())
            return node
        wish = getattr(function, "__name__", type(function).__name__)
        alias = self.claim(wish if wish.isidentifier() else "function", function)
        # Not its `repr`, which has an address that is another in each process.
        self.unnamed[alias] = getattr(function, "__qualname__", f"a {type(function).__name__}")
        return ast.Name(alias, ast.Load())

    def external(self, external: External) -> ast.expr:
        """A global as an attribute of its module, a cell through its contents."""
        node = self._outside(external)
        for step in external.path:
            if isinstance(step, str):
                node = ast.Attribute(node, step, ast.Load())
            else:
                node = ast.Subscript(node, ast.Constant(step[0]), ast.Load())
        return node

    def _outside(self, external: External) -> ast.expr:
        function = external.function
        if external.is_cell:
            cells = dict(zip(function.__code__.co_freevars, function.__closure__))
            alias = self.claim(f"{external.name}_cell", cells[external.name])
            self.unnamed[alias] = f"the variable {external.name} of {function.__qualname__}"
            return ast.Attribute(ast.Name(alias, ast.Load()), "cell_contents", ast.Load())
        module = sys.modules.get(function.__module__)
        if module is not None and vars(module) is function.__globals__:
            short = function.__module__.split(".")[-1]
            alias = self.claim(short, module)
            self.imports[alias] = _from_module(function.__module__, alias)
        else:
            owner = Globals(function.__globals__)
            found = self.namespace.items()
            known = [k for k, v in found if isinstance(v, Globals) and v == owner]
            alias = known[0] if known else self.claim("outside", owner)
            self.unnamed[alias] = "the global variables around the function"
        return ast.Attribute(ast.Name(alias, ast.Load()), external.name, ast.Load())


def home_of(function: Any) -> tuple[str, str] | None:
    """The module and name under which a function can be imported."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        home = home_of(owner)
        return None if home is None else (home[0], f"{home[1]}.{function.__name__}")
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if name is None:
        return None
    if hasattr(function, "__self__") and "scipy.stats" in sys.modules:
        for key, value in vars(sys.modules["scipy.stats"]).items():
            if value is function.__self__:
                return "scipy.stats", f"{key}.{function.__name__}"
    own = getattr(function, "__module__", None)
    candidates = [own if isinstance(own, str) else ""]
    if isinstance(function, np.ufunc) or candidates[0].startswith("numpy"):
        homes = ("numpy", "numpy.linalg", "numpy.fft", "numpy.random", "scipy.special")
        candidates = [*homes, *candidates]
    public = _public(candidates[-1])
    if public:
        candidates = [public, *candidates]
    if getattr(math, name, None) is function:
        candidates = ["math"]
    for module in candidates:
        for path in dict.fromkeys((name, name.rpartition(".")[2])):
            if function is not None and _looked_up(module, path) is function:
                return module, path
    return None


LIBRARIES = frozenset({*sys.stdlib_module_names, "numpy", "scipy", "numba"})


def is_library(function: Any) -> bool:
    """Whether something can be imported where this package cannot."""
    home = home_of(function)
    return home is not None and home[0].split(".")[0] in LIBRARIES


def _public(module: str) -> str:
    """The module that SciPy documents as the home of what is defined in a private one."""
    parts = module.split(".")
    private = [i for i, part in enumerate(parts) if part.startswith("_")]
    return ".".join(parts[: private[0]]) if private and parts[0] == "scipy" else ""


def _looked_up(module: str, path: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _import_line(module: str, alias: str) -> str:
    return f"import {module}" if alias == module else f"import {module} as {alias}"


def _from_line(module: str, name: str, alias: str) -> str:
    line = f"from {module} import {name}"
    return line if alias == name else f"{line} as {alias}"


def _from_module(module: str, alias: str) -> str:
    if "." not in module:
        return _import_line(module, alias)
    package, _, name = module.rpartition(".")
    return _from_line(package, name, alias)
