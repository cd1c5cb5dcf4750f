"""The benchmarks' functions at tiny sizes: hand-written, generated and differences agree."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tangent_like as tl
from benchmarks import elements, others, workloads
from benchmarks.agreement import Disagreement, check_agreement, check_by_differences
from benchmarks.contenders import Contender, by_hand, differences, generated, primal
from benchmarks.measure import measure
from benchmarks.report import as_json, table
from tests.derivatives import assert_derivatives

PROBLEMS = workloads.problems(True, None) + others.problems(True, None)
WRITING = {"W3s", "W3s (lists)", "W3v", "GMM 2/3", "LSTM"}
"""Those that write into arrays; a refusal that says so is honest as well."""

RUNNING = [
    Contender("primal", primal, is_derivative=False),
    Contender("by hand", by_hand),
    Contender("generated", generated),
]


def test_there_are_twenty_others():
    assert len(others.problems(True, None)) == 20


def test_names_are_different():
    assert len({p.name for p in PROBLEMS}) == len(PROBLEMS)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_the_derivatives_agree(problem):
    gradient = problem.by_hand(*problem.args)
    if problem.is_gradient:
        check_by_differences(problem, gradient)
    try:
        found = generated(problem)()
    except tl.errors.NotYetSupported as refusal:
        assert problem.name in WRITING and "in place" in refusal.message
    else:
        check_agreement("generated", found, gradient)


def test_a_wrong_gradient_is_not_timed():
    (problem,) = (p for p in PROBLEMS if p.name == "W1")
    wrong = Contender("generated", lambda p: lambda: (0.0,) * 6)
    with pytest.raises(Disagreement, match="W1, generated: off by"):
        measure(problem, [wrong], 1)


def test_a_run_becomes_a_table_and_json():
    (problem,) = (p for p in PROBLEMS if p.name == "W9")
    result = measure(problem, [*RUNNING, Contender("differences", differences, False)], 1)
    assert result.seconds.keys() == {"primal", "by hand", "generated", "differences"}
    shown = table([result])
    assert "W9" in shown and "geometric mean" in shown
    assert json.loads(as_json([result], {}))["results"][0]["name"] == "W9"


@pytest.mark.parametrize("f", elements.LOOPS, ids=lambda f: f.__name__)
def test_loops_over_elements(f):
    assert_derivatives(f, np.random.default_rng(1).uniform(0.5, 1.0, 7))


def test_the_growth_of_a_loop_is_shown():
    line = elements.measured(elements.writes, "numpy", (10, 20), 1)
    assert set(line.gradient) == set(line.primal) == {10, 20}
    shown = elements.table([elements.Line("f", "plain", {10: 1e-6, 1000: 1e-4}, {1000: 5e-5})])
    assert "n^1.00" in shown
    assert "| 1.00 |" in shown
    assert "| 2.00 |" in shown


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="nothing can be pinned here")
def test_importing_the_benchmarks_pins_nothing():
    """A pinned process hands that on: the tests would all run on one core."""
    code = (
        "import os; before = os.sched_getaffinity(0); import benchmarks.elements, "
        "benchmarks.__main__; assert os.sched_getaffinity(0) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
