"""Importing the package is quick: it loads NumPy and nothing that only some of its users need."""

import subprocess
import sys

import pytest

PROGRAM = "import sys, tangent_like; print(*sys.modules)"
LATER = ["gast", "astor", "scipy", "numba", "matplotlib", "rich", "jax", "torch", "autograd"]


@pytest.fixture(scope="module")
def loaded():
    """The modules that are loaded after the import, in a process of its own."""
    command = [sys.executable, "-c", PROGRAM]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("name", LATER)
def test_importing_leaves_others_unloaded(loaded, name):
    assert name not in loaded


def test_importing_leaves_the_compiler_unloaded(loaded):
    compiler = {"frontend.lower", "adjoint", "tangent", "simplify", "backend.emit", "pipeline"}
    assert not {f"tangent_like.{name}" for name in compiler} & loaded
    assert "tangent_like.api" in loaded
