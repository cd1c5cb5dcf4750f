"""`benchmark`: the right derivatives, a table, and two pictures."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.benchmark import Problem, errors, scaling
from tangent_like.errors import ArgumentError

VECTOR = np.linspace(-1.0, 1.0, 5)


def survey(x1, x2):
    return math.log(x1) + x1 * x2 - math.sin(x2)


def energy(x):
    return np.sum(np.sin(x) * x)


def product(x, w):
    return np.tanh(w @ x)


def rows_of(*args, **options):
    return {row.method: row for row in tl.benchmark(*args, rounds=1, **options).rows}


DIFFERENCES = {"forward differences", "central differences"}
GENERATED = {"forward mode", "reverse mode"}


def test_scalar_function():
    rows = rows_of(survey, 2.0, 5.0)
    assert rows.keys() == {"primal", *DIFFERENCES, *GENERATED}
    assert rows["primal"].ratio == 1.0
    assert rows["primal"].error is None
    assert 1e-10 < rows["forward differences"].error < 1e-6
    assert rows["central differences"].error < 1e-9
    assert rows["forward mode"].error < 1e-15


def test_complex_step_is_measured_where_it_works():
    rows = rows_of(energy, VECTOR)
    assert rows["complex step"].error < 1e-14
    assert "complex step" not in rows_of(lambda x: np.sum(np.abs(x)) + 0.0, VECTOR + 0.1)
    assert "complex step" not in rows_of(survey, 2.0, 5.0)


def test_array_result():
    result = tl.benchmark(product, VECTOR, np.eye(5)[:3], rounds=1)
    assert (result.inputs, result.outputs) == (20, 3)
    assert max(row.error for row in result.rows[1:]) < 1e-6


def test_chosen_arguments():
    assert tl.benchmark(product, VECTOR, np.eye(5), wrt="x", rounds=1).inputs == 5
    assert tl.benchmark(survey, 2.0, 5.0, wrt=(1,), rounds=1).inputs == 1
    assert tl.benchmark(lambda x, n: x**n, 2.0, 3, rounds=1).inputs == 1


def test_table():
    lines = str(tl.benchmark(survey, 2.0, 5.0, rounds=1)).splitlines()
    assert lines[0] == "survey: 2 inputs, 1 output"
    assert lines[1].split() == ["method", "time", "÷", "primal", "max.", "error"]
    assert lines[2].split()[0] == "primal"
    assert lines[-1].startswith("reverse mode")
    assert all(len(line) <= 80 for line in lines)


def test_times_at_several_sizes():
    counts, times = scaling(Problem(energy, (VECTOR,), None), rounds=1)
    assert counts == [1, 2, 4, 5]
    assert times.keys() == {"complex step", *DIFFERENCES, *GENERATED}
    counts, _ = scaling(Problem(product, (VECTOR, np.eye(5)), (0,)), rounds=1)
    assert counts == [1, 2, 4, 5]
    counts, _ = scaling(Problem(survey, (2.0, 5.0), None), rounds=1)
    assert counts == [1, 2]


def test_error_is_least_between_large_and_small_steps():
    steps, found = errors(Problem(energy, (VECTOR,), None))
    for way, best in (("forward differences", 1e-8), ("central differences", 1e-5)):
        at = int(np.argmin(found[way]))
        assert 1e-2 < steps[at] / best < 1e2
        assert found[way][0] > 1e3 * found[way][at] < found[way][-1]
    assert found["complex step"][-1] < 1e-14


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_pictures(tmp_path, suffix):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"picture.{suffix}"
    tl.benchmark(energy, VECTOR, rounds=1).plot(path)
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: x[0], ((1.0, 2.0),)),
        (lambda x: (x, x), (1.0,)),
        (lambda x: x, (2,)),
        (lambda x: abs(x * x), (1j,)),
        (3.0, (1.0,)),
    ],
)
def test_wrong_use(f, args):
    with pytest.raises(ArgumentError):
        tl.benchmark(f, *args)
