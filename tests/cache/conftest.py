"""A cache of its own for each test, and a count of what is compiled all the same."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tangent_like import dispatch, pipeline
from tangent_like.cache import folder

_numbers = itertools.count()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache, which is not there yet."""
    path = tmp_path / "kept"
    monkeypatch.setenv(folder.VARIABLE, str(path))
    return path


@pytest.fixture
def compiled(place: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions that were compiled, rather than found in the cache."""
    found: list[str] = []
    compile_derivative = pipeline.compile_derivative

    def counted(target, *rest, **options):
        found.append(target.__name__)
        return compile_derivative(target, *rest, **options)

    monkeypatch.setattr(pipeline, "compile_derivative", counted)
    return found


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a text as a new module of the name `model`, as another process would."""

    def made(text: str) -> ModuleType:
        path = tmp_path / f"version_{next(_numbers)}" / "model.py"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("model", path)
        assert spec is not None and spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        sys.modules["model"] = found
        spec.loader.exec_module(found)
        return found

    yield made
    sys.modules.pop("model", None)


@pytest.fixture(autouse=True)
def nothing_is_shared(monkeypatch):
    """What was compiled in this process counts for nothing in tests of what was kept."""
    monkeypatch.setattr(dispatch, "_versions_of", dispatch._versions_of.__wrapped__)
