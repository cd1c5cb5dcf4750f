"""Which arrays are copied by the derivative of code that writes elements: none in a loop."""

import ast
import inspect

import numpy as np
import pytest

import tangent_like as tl
from tests.in_place import test_programs as programs


def copies_in_loops(source):
    """The calls of a copy inside loops, as text."""
    loops = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.For, ast.While))]
    calls = {n for loop in loops for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Call)}
    return [text for text in map(ast.unparse, calls) if "copy" in text.split("(")[0]]


ELEMENT_BY_ELEMENT = [
    (programs.prefix_sums, (programs.U,), 1), (programs.lu_solve, (programs.M, programs.B), 2),
    (programs.horner_table, (programs.U, 0.7), 1), (programs.kalman, (0.4, 0.7, programs.U), 0),
    (programs.soft_alignment, (programs.DISTANCES, 0.5), 0),
    (programs.butterflies, (np.ones(8), np.ones(8)), 2),
]  # fmt: skip


@pytest.mark.parametrize("mode", ["adjoint", "tangent"])
@pytest.mark.parametrize(("f", "args", "count"), ELEMENT_BY_ELEMENT,
                         ids=lambda v: getattr(v, "__name__", ""))  # fmt: skip
def test_elements_are_written_without_copies_in_loops(f, args, count, mode):
    wrt = tuple(i for i, a in enumerate(args) if not isinstance(a, int))
    types = dict(zip(inspect.signature(f).parameters, args, strict=True))
    source = tl.source(f, mode, wrt=wrt, types=types)
    assert copies_in_loops(source) == []
    if mode == "adjoint":
        assert source.count("copy(") == count


def test_an_inner_loop_that_reads_all_costs_one_copy():
    types = {"a": programs.M, "b": programs.B, "sweeps": 3}
    assert copies_in_loops(tl.source(programs.gauss_seidel, types=types)) == ["x.copy()"]


def test_rows_read_beside_elements_written_are_copied():
    assert copies_in_loops(tl.source(programs.cholesky, types={"a": programs.S}))
