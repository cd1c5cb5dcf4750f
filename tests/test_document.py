"""`docs/functions.md` says what the registry says: `make docs` writes it anew.

Versions of Python and NumPy differ in what they have: a function that is missing here may be in
the page, and is left out of the comparison.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tangent_like import document
from tangent_like.rules import registry

PAGE = Path(__file__).parents[1] / "docs" / "functions.md"
HERE = dict(document.modules())


def sections(text: str) -> dict[str, dict[str, str]]:
    """For each heading the names below it, each with its row or with the word above its list."""
    found: dict[str, dict[str, str]] = {}
    for part in text.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        found[title] = rows = {}
        kind = ""
        for paragraph in body.split("\n\n"):
            if paragraph.rstrip().endswith(":"):
                kind = paragraph.split()[0]
            elif paragraph.lstrip().startswith("|"):
                for row in re.findall(r"^\| `.*$", paragraph, re.MULTILINE):
                    rows[row.split("`")[1]] = f"{kind} {row}"
                kind = ""
            else:
                rows.update(dict.fromkeys(re.findall(r"`([^`]+)`", paragraph), kind))
    return found


def exists(title: str, name: str) -> bool:
    found: Any = HERE.get(title, np.ndarray)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is not None


def test_the_page_is_what_the_registry_says() -> None:
    pytest.importorskip("scipy")  # its functions are on the page
    generated, written = document.text(), PAGE.read_text(encoding="utf-8")
    got, want = sections(generated), sections(written)
    assert got.keys() == want.keys(), "say `make docs`"
    for title, rows in got.items():
        expected = {name: row for name, row in want[title].items() if exists(title, name)}
        assert rows == expected, f"{title}: say `make docs`"
    assert written.startswith(document.OPENING), "say `make docs`"


def test_the_page_names_rules_constants_and_refusals() -> None:
    found = sections(PAGE.read_text(encoding="utf-8"))["np"]
    assert "`axis`, `keepdims`" in found["max"]
    assert "ties share equally" in found["max"]
    assert found["floor"] == "Constant"
    assert "which elements" in found["union1d"]
    assert "norm.logpdf" in sections(PAGE.read_text(encoding="utf-8"))["scipy.stats"]


def test_notes_are_short() -> None:
    assert all(len(rule.note) < 120 for rule in registry.rules.values())
