"""The examples of docs/numba.md run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("numba")

from tests.derivatives import define

PAGE = Path(__file__).parents[2] / "docs" / "numba.md"


def test_examples_run() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 6
    assert define("\n\n".join([*blocks, "done = True\n"]), "done")
