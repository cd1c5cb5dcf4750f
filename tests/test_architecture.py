"""Imports go one way, and this test keeps it so.

A room is a module or a sub-package right under `tangent_like`. A room may import from the
rooms of the layers before its own; rooms of one layer do not know each other. Imports inside
functions count like all others, and so do those under `TYPE_CHECKING`, except for circles
within one room: an annotation may name what it needs.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "tangent_like"

LAYERS: list[set[str]] = [
    # What everything may know.
    {"nodes", "parts"},
    {"collection", "deep", "errors", "facts", "request", "switches", "version"},
    {"faults", "ir", "likeness", "runtime", "scipy_runtime", "solvers", "stack_runtime"},
    {"dynamic", "einsum_runtime", "linalg_runtime", "list_runtime", "reached", "records", "stores"},
    {"effects", "infer", "recomputation", "forward_changes", "numba_runtime", "show", "undefined"},
    {"build", "draws", "identities", "verify"},
    {"directions", "gradient_block", "trees", "undoing"},
    {"rules"},
    {"analysis"},
    {"list_rules", "store_rules"},
    # From one Wengert list to another, and between lists and Python.
    {"frontend", "simplify", "sweep", "tangent"},
    {"adjoint_loops", "backend"},
    {"adjoint"},
    {"recording"},
    {"procedures", "spelled"},
    {"recursion", "transform"},
    {"custom", "implicit"},
    {"nested"},
    {"cache", "entry", "pipeline"},
    # What users call.
    {"dispatch"},
    {"jacobians"},
    {"api", "benchmark_plot", "check", "document"},
    {"benchmark", "dynamic_derivatives", "export", "rule_check"},
    {"decorator"},
    {"cli"},
    {"__init__", "__main__"},
]

# Rooms whose modules never import one another: each is a pass that stands alone, and only the
# room itself lists them.
ROOMS_OF_PASSES = ["simplify"]

# Generated code needs the run-time helpers, and those must not need the compiler.
ALLOWED_IN_RUNTIME = {"__future__", "collections", "numpy", "typing", "tangent_like.errors"}


def modules() -> dict[str, Path]:
    """Every module's dotted name, with its file."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules()


def imports(name: str, *, for_types: bool = True) -> Iterator[tuple[int, str]]:
    """The line and the dotted name of everything that a module imports, anywhere in it."""
    file = MODULES[name]
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree if for_types else WithoutTypes().visit(tree)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = base_of(node, name, file)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield node.lineno, inner if inner in MODULES else base


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what stands under `if TYPE_CHECKING`."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            return node.orelse
        return self.generic_visit(node)


def base_of(node: ast.ImportFrom, name: str, file: Path) -> str:
    """The dotted name that stands after `from`, made absolute."""
    if not node.level:
        return node.module or ""
    levels_up = node.level - (file.name == "__init__.py")
    package = name.split(".")[: len(name.split(".")) - levels_up]
    return ".".join([*package, *([node.module] if node.module else [])])


def own_imports(name: str, *, for_types: bool = True) -> Iterator[tuple[int, str]]:
    """The imports of a module that stay within the package."""
    for line, imported in imports(name, for_types=for_types):
        if imported.split(".")[0] == PACKAGE.name:
            yield line, imported


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def layer(name: str) -> int:
    for number, rooms in enumerate(LAYERS):
        if room(name) in rooms:
            return number
    raise AssertionError(f"{name} stands in no layer: give its room a place in LAYERS")


@pytest.mark.parametrize("name", MODULES)
def test_imports_come_from_earlier_layers(name: str) -> None:
    wrong = [
        f"{MODULES[name]}:{line}: {name} must not import {imported}"
        for line, imported in own_imports(name)
        if room(imported) != room(name) and layer(imported) >= layer(name)
    ]
    assert not wrong, "\n".join(wrong)
    assert layer(name) >= 0


@pytest.mark.parametrize("passes", ROOMS_OF_PASSES)
def test_passes_never_import_one_another(passes: str) -> None:
    wrong = [
        f"{MODULES[name]}:{line}: {name} must not import {imported}"
        for name in MODULES
        if room(name) == passes and not name.endswith(passes)
        for line, imported in own_imports(name)
        if room(imported) == passes
    ]
    assert not wrong, "\n".join(wrong)


def test_generated_code_needs_little() -> None:
    for line, imported in imports(f"{PACKAGE.name}.runtime"):
        allowed = imported in ALLOWED_IN_RUNTIME or imported.split(".")[0] in ALLOWED_IN_RUNTIME
        assert allowed, f"runtime.py:{line} must not import {imported}"


def test_there_are_no_cycles() -> None:
    """Modules that need none of those left are taken away, round by round, until none is left."""
    left = {name: {i for _, i in own_imports(name, for_types=False)} - {name} for name in MODULES}
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"these modules import each other in a circle: {sorted(left)}"


def test_only_the_declared_packages_are_needed() -> None:
    """What is imported when a module is loaded is Python's own or a declared dependency.

    What is about SciPy is loaded only where SciPy's functions are differentiated, the dialect of
    Numba where it is asked for.
    """
    for name, file in MODULES.items():
        declared = {"astor", "gast", "numpy", PACKAGE.name}
        if name.split(".")[-1].startswith("scipy_"):
            declared.add("scipy")
        if name.startswith((f"{PACKAGE.name}.backend.numba_dialect", f"{PACKAGE.name}.numba_")):
            declared.add("numba")
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            for root in roots(node):
                known = root in declared or root in sys.stdlib_module_names
                assert known, f"{name} imports {root} when it is loaded"


def roots(node: ast.stmt) -> list[str]:
    """The first part of each absolute name that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [(node.module or "").split(".")[0]]
    return []
