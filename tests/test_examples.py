"""Every example runs, with the checks it makes itself, and draws its pictures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NEEDS = {
    "cubic": ["matplotlib"],
    "autoencoder": ["matplotlib", "sklearn"],
    "logistic_regression": ["scipy", "sklearn"],
}
SHOWN = {
    "survey": ["11.6521", "(5.5000, 1.7163)", "def f_jvp(", "def f_grad("],
    "linear_regression": ["gradient descent: w = 0.251635, b = 0.798801"],
    "cubic": ["exact", "2000"],
    "logistic_regression": ["L-BFGS-B", "Newton-CG", "98.6%"],
    "autoencoder": ["784-300-100-784", "64-48-32-64"],
    "newton_sqrt": ["0.35355339", "break"],
    "logistic_map": ["chaos", "order"],
}
DRAWS = {"cubic", "autoencoder"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    for module in NEEDS.get(path.stem, ()):
        pytest.importorskip(module)
    picture = tmp_path / "picture.png"
    done = subprocess.run(
        [sys.executable, str(path), *([str(picture)] if path.stem in DRAWS else [])],
        capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1",
             "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in SHOWN[path.stem]:
        assert text in done.stdout
    assert picture.exists() == (path.stem in DRAWS)
