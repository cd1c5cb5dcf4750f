"""The dialect of Numba is plain Python: what it computes can be looked at without compiling it.

That is quick, so it is done for many functions.  Whether Numba takes the code the other tests say.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

import tangent_like as tl
from tests.numba.agreement import NUMBA, positions, same
from tests.numba.test_fusion import CASES as FUSED
from tests.test_golden import CASES, Case

GOLDEN = [
    case for case in CASES
    if case.file.stem in ("arrays", "rules_contractions", "rules_reductions", "targets", "in_place")
    and "error" not in case.sections
]  # fmt: skip


def assert_text_is_right(
    f: Any, args: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The generated text, run by Python, gives the value and gradient of the other backend."""
    wrt = positions(args)
    text = tl.value_and_grad(f, wrt, **NUMBA).source(*args)
    space: dict[str, Any] = {}
    monkeypatch.setattr(numba, "njit", lambda function: function)
    exec(text, space)
    monkeypatch.undo()
    (name,) = (name for name in space if name.endswith("_value_and_grad"))
    with np.errstate(all="ignore"):
        found = space[name](*copy.deepcopy(args))
        same(found, tl.value_and_grad(f, wrt)(*args), "the gradient in Numba's dialect", 1e-12)


@pytest.mark.parametrize("name", FUSED)
def test_loops_over_elements(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    f, *args = FUSED[name]
    assert_text_is_right(f, args, monkeypatch)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case.file.stem}: {case.name}")
def test_golden_programs(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    f = case.function(tmp_path)
    assert_text_is_right(f, list(case.arguments.values()), monkeypatch)
