"""Small programs as text: `cases/*.txt` hold one named case after the other.

    [a name] 0.7, 1.3, 4           the arguments; 0.7, 1.3 where none are given
    def f(x, y, n):                the function, differentiated by all arguments that are no
        ...                        integers or strings

What stands before the first case of a file belongs to each of its cases.  A case that says
`refused:` and a part of the message must be refused with a located error.
"""

import re
from pathlib import Path

import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives, define

FOLDER = Path(__file__).parent / "cases"
HEAD = re.compile(r"^\[(.+?)\] *(.*)\n", re.M)


def read(path):
    before, *rest = HEAD.split(path.read_text())
    for k in range(0, len(rest), 3):
        name, given, source = rest[k : k + 3]
        yield pytest.param(before + source, given, id=f"{path.stem}: {name}")


CASES = [case for path in sorted(FOLDER.glob("*.txt")) for case in read(path)]


@pytest.mark.parametrize(("source", "given"), CASES)
def test_case(source, given):
    given, _, refusal = given.partition("refused:")
    f = define(source, "f")
    args = eval(f"({given},)", vars(__import__("numpy"))) if given.strip() else (0.7, 1.3)
    wrt = tuple(i for i, x in enumerate(args) if not isinstance(x, (int, str)))
    if not refusal:
        assert_derivatives(f, *args, wrt=wrt)
        return
    with pytest.raises(TangentLikeError, match=re.escape(refusal.strip())) as caught:
        tl.grad(f, wrt=wrt)(*args)
    assert caught.value.place.line
