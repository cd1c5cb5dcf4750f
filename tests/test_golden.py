"""The text of generated code, held against files that a person can read.

A file in `golden/` holds cases: the user's function under `[case name]`, example arguments, and
what the compiler makes of them.  A golden text alone proves nothing, so the derivatives of each
case are also held against numerical ones.  `pytest --update-golden` writes the present output
into the sections that a case has; look at the diff before you commit it.

Solvers are as accurate as they are asked to be, and each mode integrates by itself: `[accuracy]`
says how near to differences and to one another such derivatives have to be.
"""

from __future__ import annotations

import linecache
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives

FOLDER = Path(__file__).parent / "golden"
OUTPUTS = ("wengert", "tangent", "adjoint", "error")


@dataclass
class Case:
    """One case of a golden file: its sections by name, the function's under its own."""

    file: Path
    name: str
    sections: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return self.sections["case"]

    @property
    def arguments(self) -> dict[str, Any]:
        text = self.sections.get("arguments", "").strip()
        return dict(eval(f"dict({text})", {"np": np, "math": math}))

    def function(self, folder: Path) -> FunctionType:
        """The case's function, defined in a file of its own, so that its source is found."""
        path = folder / "case.py"
        path.write_text(self.code, encoding="utf-8")
        linecache.checkcache(str(path))
        space: dict[str, Any] = {"np": np, "math": math, "tl": tl, "__name__": "case"}
        exec(compile(self.code, str(path), "exec"), space)
        names = re.findall(r"^def (\w+)", self.code, re.MULTILINE)
        found: FunctionType = space[names[-1]]
        return found


def cases_in(file: Path) -> list[Case]:
    found: list[Case] = []
    section = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        heading = re.fullmatch(r"\[(case )?(.+)\]", line)
        if heading and (heading[1] or heading[2] in (*OUTPUTS, "arguments", "accuracy")):
            section = "case" if heading[1] else heading[2]
            if heading[1]:
                found.append(Case(file, heading[2]))
            found[-1].sections[section] = ""
        elif found:
            found[-1].sections[section] += line + "\n"
    for case in found:
        case.sections = {key: text.strip("\n") + "\n" for key, text in case.sections.items()}
    return found


def written(cases: list[Case]) -> str:
    parts = []
    for case in cases:
        for key, text in case.sections.items():
            heading = f"[case {case.name}]" if key == "case" else f"[{key}]"
            parts.append(f"{heading}\n{text}\n")
    return "\n".join(parts).rstrip() + "\n"


CASES = [case for file in sorted(FOLDER.glob("*.txt")) for case in cases_in(file)]


def output(case: Case, section: str, function: FunctionType) -> str:
    """What the compiler gives for a section, without what differs from run to run."""
    if section == "wengert":
        return tl.wengert(function, types=case.arguments)
    if section == "error":
        with pytest.raises(TangentLikeError) as caught:
            tl.source(function, types=case.arguments)
        return re.sub(r"\S*case\.py", "case.py", str(caught.value))
    return tl.source(function, section, types=case.arguments)


def outputs(case: Case, function: FunctionType) -> Iterator[tuple[str, str]]:
    for section in OUTPUTS:
        if section in case.sections:
            yield section, output(case, section, function).strip("\n") + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file.stem}: {case.name}")
def test_generated_text(case: Case, tmp_path: Path, update_golden: bool) -> None:
    function = case.function(tmp_path)
    found = dict(outputs(case, function))
    if update_golden:
        updated = cases_in(case.file)
        for other in updated:
            if other.name == case.name:
                other.sections.update(found)
        case.file.write_text(written(updated), encoding="utf-8")
        return
    for section, text in found.items():
        assert text == case.sections[section], f"[{section}] of {case.name} differs"


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if "error" not in case.sections],
    ids=lambda case: f"{case.file.stem}: {case.name}",
)
def test_derivatives_are_right(case: Case, tmp_path: Path) -> None:
    function, given = case.function(tmp_path), case.arguments
    if "accuracy" in case.sections:
        error = float(case.sections["accuracy"])
        return tl.check_grads(function, tuple(given.values()), order=2, atol=error, rtol=error)
    wrt = [i for i, value in enumerate(given.values()) if np.asarray(value).dtype.kind == "f"]
    assert_derivatives(function, *given.values(), wrt=wrt)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.txt")), ids=lambda file: file.stem)
def test_files_are_as_they_are_written(file: Path) -> None:
    assert written(cases_in(file)) == file.read_text(encoding="utf-8")


def test_generated_text_is_the_same_each_time(tmp_path: Path) -> None:
    case = CASES[0]
    texts = {output(case, "adjoint", case.function(tmp_path)) for _ in range(3)}
    assert len(texts) == 1
