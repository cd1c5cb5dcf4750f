"""The Python blocks of the README and of the guides run, and print what stands below them.

`pytest tests/test_readme.py --update-golden` writes what they print now into the files.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from tests.derivatives import define

README = Path(__file__).parents[1] / "README.md"
PAGES = [README, *(README.parent / "docs" / f"{name}.md" for name in ("cache", "export", "rules"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """The language and the text of each block."""
    return [(m[1], m[2]) for m in BLOCK.finditer(page.read_text(encoding="utf-8"))]


def examples(page: Path) -> list[tuple[str, str]]:
    """Each Python block with the output below it."""
    found = blocks(page)
    return [
        (text, following[1] if following[0] == "text" else "")
        for (language, text), following in zip(found, [*found[1:], ("", "")], strict=True)
        if language == "python"
    ]


def printed_alone(code: str, folder: Path) -> str:
    """What a block prints in a process of its own, where no test has registered rules."""
    script = folder / "example.py"
    script.write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(README.parent)}
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, env=environment
    )
    return ran.stdout


def printed(code: str) -> str:
    """What a block prints; its functions have a source, as those in a file have."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), mock.patch.dict(os.environ):
        define(code + "\ndone = None\n", "done", __name__="readme")
    return out.getvalue()


def test_first_example_is_short():
    code, _ = examples(README)[0]
    assert len(code.splitlines()) <= 10


@pytest.mark.parametrize(
    "page, number",
    [(page, number) for page in PAGES for number in range(len(examples(page)))],
    ids=lambda value: getattr(value, "stem", value),
)
def test_example(page, number, update_golden, tmp_path):
    code, expected = examples(page)[number]
    text = printed_alone(code, tmp_path) if page.stem == "cache" else printed(code)
    found = re.sub(r"\n{3,}", "\n\n\n", text).rstrip("\n") + "\n"
    if update_golden:
        text = page.read_text(encoding="utf-8")
        before = f"```python\n{code}```"
        head, tail = text.split(before)
        tail = re.sub(r"```text\n.*?^```$", lambda _: f"```text\n{found}```", tail, count=1,
                      flags=re.MULTILINE | re.DOTALL)  # fmt: skip
        page.write_text(head + before + tail, encoding="utf-8")
        return
    assert found == expected


def test_commands_are_those_of_the_makefile():
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$ make (\w+)", README.read_text(encoding="utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
