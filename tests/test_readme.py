"""The README's Python blocks run, and print what stands below them.

`pytest tests/test_readme.py --update-golden` writes what they print now into the file.
"""

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests.derivatives import define

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """The language and the text of each block."""
    return [(m[1], m[2]) for m in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def examples() -> list[tuple[str, str]]:
    """Each Python block with the output below it."""
    found = blocks()
    return [
        (text, following[1] if following[0] == "text" else "")
        for (language, text), following in zip(found, [*found[1:], ("", "")], strict=True)
        if language == "python"
    ]


def printed(code: str) -> str:
    """What a block prints; its functions have a source, as those in a file have."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        define(code + "\ndone = None\n", "done", __name__="readme")
    return out.getvalue()


def test_first_example_is_short():
    code, _ = examples()[0]
    assert len(code.splitlines()) <= 10


@pytest.mark.parametrize("number", range(len(examples())))
def test_example(number, update_golden):
    code, expected = examples()[number]
    found = re.sub(r"\n{3,}", "\n\n\n", printed(code)).rstrip("\n") + "\n"
    if update_golden:
        text = README.read_text(encoding="utf-8")
        before = f"```python\n{code}```"
        head, tail = text.split(before)
        tail = re.sub(r"```text\n.*?^```$", lambda _: f"```text\n{found}```", tail, count=1,
                      flags=re.MULTILINE | re.DOTALL)  # fmt: skip
        README.write_text(head + before + tail, encoding="utf-8")
        return
    assert found == expected


def test_commands_are_those_of_the_makefile():
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$ make (\w+)", README.read_text(encoding="utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
