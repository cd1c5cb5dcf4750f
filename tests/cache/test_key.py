"""What an entry is found by: anything that could change the derivative is part of the key."""

from __future__ import annotations

import dis
import functools
import math
import os
import sys

import numpy as np
import pytest

import tangent_like as tl
from tangent_like import switches
from tangent_like.cache import versions
from tangent_like.cache.identity import Identity
from tangent_like.frontend import code_names
from tangent_like.rules import registry
from tests.derivatives import define

MODEL = '''
import math
from dataclasses import dataclass
from functools import partial
import numpy as np

rate = 0.5
count = 3
limits = (1.0, 2.0)
data = np.ones(4)


@dataclass
class Settings:
    scale: float = 2.0


settings = Settings()


def inner(x):
    return x * x


def helper(x, weight=2.0, *, bias=1.0):
    return inner(x) * weight + bias


def make(power):
    def raised(x):
        return x ** power
    return raised


raised = make(3)
chosen = helper


def f(x, y):
    """A function of much."""
    s = helper(x) * rate + chosen(y) + raised(x)
    for i in range(count):
        s = s + math.sin(x) * data.sum()
    return s * limits[0]
'''

OTHERS = {
    "the function": ("* limits[0]", "* limits[1]"),
    "its comment": ("s * limits[0]", "s * limits[0]  # scaled"),
    "a callee": ("weight + bias", "weight - bias"),
    "a callee of a callee": ("return x * x", "return x * x * x"),
    "the default of a callee": ("weight=2.0", "weight=3.0"),
    "a named default of a callee": ("bias=1.0", "bias=1.5"),
    "a global function": ("chosen = helper", "chosen = inner"),
    "a closure's function": ("x ** power", "x * power"),
    "a closure's whole number": ("make(3)", "make(4)"),
    "a global whole number": ("count = 3", "count = 4"),
    "the type of a global number": ("rate = 0.5", "rate = 1"),
    "the type of a global array": ("np.ones(4)", "np.ones(4, dtype=int)"),
    "the shape of a global array": ("np.ones(4)", "np.ones(5)"),
    "the length of a global tuple": ("(1.0, 2.0)", "(1.0, 2.0, 3.0)"),
    "a library's function under the same name": ("import math", "import numpy as math"),
    "its place in the file": ("import math", "import math\n"),
}

SAME = {
    "the value of a global number": ("rate = 0.5", "rate = 0.25"),
    "the elements of a global array": ("np.ones(4)", "np.full(4, 7.0)"),
    "a function that is not called": ("    scale: float = 2.0", "    scale: float = 3.0"),
}


def derivative(f):
    return tl.grad(f, wrt=(0, 1))


def digest(f):
    identity = Identity()
    identity.visit(f)
    return identity.digest()


def reference(f, x, y, h=1e-6):
    dx = (f(x + h, y) - f(x - h, y)) / (2 * h)
    return dx, (f(x, y + h) - f(x, y - h)) / (2 * h)


@pytest.mark.parametrize("change", OTHERS)
def test_what_counts(module, compiled, change):
    first = module(MODEL)
    derivative(first.f)(1.5, 2.5)
    second = module(MODEL.replace(*OTHERS[change]))
    found = derivative(second.f)(1.5, 2.5)
    assert compiled == ["f", "f"]
    assert np.allclose(found, reference(second.f, 1.5, 2.5), rtol=1e-6)


@pytest.mark.parametrize("change", ["nothing", *SAME])
def test_what_does_not_count(module, compiled, change):
    first = module(MODEL)
    derivative(first.f)(1.5, 2.5)
    second = module(MODEL.replace(*SAME.get(change, ("", ""))))
    found = derivative(second.f)(1.5, 2.5)
    assert compiled == ["f"]
    assert np.allclose(found, reference(second.f, 1.5, 2.5), rtol=1e-6)


@pytest.mark.parametrize(
    "ask",
    [
        lambda f: tl.grad(f)(1.5, 2.5),
        lambda f: tl.grad(f, wrt=1)(1.5, 2.5),
        lambda f: tl.grad(f, wrt=(0,))(1.5, 2.5),
        lambda f: tl.value_and_grad(f)(1.5, 2.5),
        lambda f: tl.jvp(f, (1.5, 2.5), (1.0, 0.0)),
        lambda f: tl.hvp(f)(1.5, 2.5, 1.0),
        lambda f: tl.grad(f)(1.5, np.float32(2.5)),
        lambda f: tl.grad(f)(1.5, np.array(2.5)),
        lambda f: tl.source(f, types={"x": 1.5, "y": 2.5}, simplify=False),
        lambda f: tl.grad(tl.grad(f))(1.5, 2.5),
    ],
)
def test_each_request_and_kind_has_its_own(module, compiled, ask):
    f = module(MODEL).f
    tl.value_and_grad(f, wrt=(1, 0))(1.5, 2.5)
    ask(f)
    assert len(compiled) == 2
    ask(module(MODEL).f)
    assert len(compiled) == 2


@pytest.fixture
def unsimplified():
    """Turns the simplification over, and back after the test."""

    def turn():
        switches.simplifying[0] = not switches.simplifying[0]

    yield turn
    turn()


def test_the_switch_for_simplification_counts(module, compiled, unsimplified):
    tl.grad(module(MODEL).f)(1.5, 2.5)
    unsimplified()
    tl.grad(module(MODEL).f)(1.5, 2.5)
    assert compiled == ["f", "f"]


CLASSES = '''
class Base:
    def step(self, x):
        return x * 2.0

class Model(Base):
    def __init__(self):
        self.k = 3.0

model = Model()

def f(x):
    return x * x
'''


def test_classes_and_objects_that_a_function_names():
    def of(text):
        return digest(define(text, "f"))

    text = CLASSES.replace("return x * x", "return model.step(x)")
    known = of(text)
    assert of(text) == known
    for change in (("x * 2.0", "x * 4.0"), ("self.k = 3.0", "self.k = 4.0"), ("(Base)", "()")):
        assert of(text.replace(*change)) != known
    assert of(CLASSES) == of(CLASSES.replace("x * 2.0", "x * 4.0")), "it names no class"


PARTIAL = """
from functools import partial
def g(x, k):
    return x * k
h = partial(g, k=2.0)
def f(x):
    return h(x)
"""


def test_a_partial_counts(module):
    text = PARTIAL
    texts = [text, text.replace("k=2.0", "k=3.0"), text.replace("x * k", "x + k"), text]
    found = [digest(module(text).f) for text in texts]
    assert len(set(found)) == 3 and found[0] == found[-1]


# --- rules -------------------------------------------------------------------------------------


RULED = "def soft(x): return x + 1.0\ndef f(x): return soft(x) * x\n"


@pytest.fixture
def registered(monkeypatch):
    """Registers a rule that is forgotten after the test."""
    for table in ("rules", "own"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    return tl.elementwise


def test_a_rule_of_ones_own_counts(module, compiled, registered):
    first = module(RULED)
    registered(first.soft, lambda x, y: 2.0)
    assert tl.grad(first.f)(3.0) == 4.0 + 2.0 * 3.0
    second = module(RULED)
    registered(second.soft, lambda x, y: 5.0)
    assert tl.grad(second.f)(3.0) == 4.0 + 5.0 * 3.0
    assert compiled == ["f", "f"]


def test_a_rule_for_a_librarys_function_counts(module, compiled, registered):
    text = "import math\ndef f(x): return math.sin(x)\n"
    assert tl.grad(module(text).f)(0.5) == math.cos(0.5)
    registered(math.sin, lambda x, y: 7.0)
    assert tl.grad(module(text).f)(0.5) == 7.0
    assert compiled == ["f", "f"]


CUSTOM = '''
import tangent_like as tl
from tangent_like import switches

@tl.custom_vjp
def clipped(x):
    return x * x

def forward(x):
    return clipped(x), x

def backward(x, g):
    return (g * 10.0,)

clipped.defvjp(forward, backward)

def f(x):
    return clipped(x) * 2.0
'''


def test_a_given_derivative_counts(module, compiled):
    assert tl.grad(module(CUSTOM).f)(3.0) == 20.0
    assert tl.grad(module(CUSTOM).f)(3.0) == 20.0
    assert compiled == ["f"]
    assert tl.grad(module(CUSTOM.replace("g * 10.0", "g * 4.0")).f)(3.0) == 8.0
    assert compiled == ["f", "f"]


# --- versions ----------------------------------------------------------------------------------


@pytest.fixture
def fresh_toolchain():
    """The digest of the tools is found out anew, before and after."""
    versions.toolchain.cache_clear()
    yield
    versions.toolchain.cache_clear()


def test_a_new_numpy_counts(module, compiled, monkeypatch):
    tl.grad(module(MODEL).f)(1.5, 2.5)
    monkeypatch.setattr(np, "__version__", "99.0")
    tl.grad(module(MODEL).f)(1.5, 2.5)
    assert compiled == ["f", "f"]


def test_a_new_python_counts(module, compiled, monkeypatch, fresh_toolchain):
    tl.grad(module(MODEL).f)(1.5, 2.5)
    monkeypatch.setattr(sys, "version", sys.version + " (another)")
    versions.toolchain.cache_clear()
    tl.grad(module(MODEL).f)(1.5, 2.5)
    assert compiled == ["f", "f"]


@pytest.fixture
def package(tmp_path, monkeypatch, fresh_toolchain):
    """A file of what counts as this package."""
    monkeypatch.setattr(versions, "_OWN_FOLDER", str(tmp_path))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "sweep.py").write_text("a = 1")
    return tmp_path / "rules" / "sweep.py"


def test_an_edit_of_the_compiler_counts(module, compiled, package):
    tl.grad(module(MODEL).f)(1.5, 2.5)
    before = package.stat()
    package.write_text("a = 2")  # as long as it was
    os.utime(package, ns=(before.st_atime_ns, before.st_mtime_ns + 10))
    versions.toolchain.cache_clear()
    tl.grad(module(MODEL).f)(1.5, 2.5)
    package.write_text("a = 3; b = 4")
    os.utime(package, ns=(before.st_atime_ns, before.st_mtime_ns + 10))
    versions.toolchain.cache_clear()
    tl.grad(module(MODEL).f)(1.5, 2.5)
    assert compiled == ["f"] * 3


def test_a_file_more_of_the_compiler_counts(module, compiled, package):
    tl.grad(module(MODEL).f)(1.5, 2.5)
    (package.parent / "more.py").write_text("")
    versions.toolchain.cache_clear()
    tl.grad(module(MODEL).f)(1.5, 2.5)
    assert compiled == ["f", "f"]


@pytest.mark.parametrize("name, file", [("gast", "version.py"), ("astor", "VERSION")])
def test_a_new_version_of_a_parser_counts(
    module, compiled, monkeypatch, fresh_toolchain, tmp_path, name, file
):
    tl.grad(module(MODEL).f)(1.5, 2.5)
    (tmp_path / file).write_text("99.0")
    folder_of = versions._folder_of
    monkeypatch.setattr(
        versions, "_folder_of", lambda n: str(tmp_path) if n == name else folder_of(n)
    )
    versions.toolchain.cache_clear()
    tl.grad(module(MODEL).f)(1.5, 2.5)
    assert compiled == ["f", "f"]


# --- reading code objects ------------------------------------------------------------------------


def many_names(x):
    import json as used

    class Inner:
        field = abs(x)

        def method(self):
            return [len(used.__name__) + OTHER for _ in range(3)]

    return Inner, lambda: sorted(map(float, [x]))


OTHER = 1
LONG = "\n".join(["def long(x):", *(f"    x = x + name_{i}" for i in range(700)), "    return x"])


def named_by_dis(found):
    loads = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "IMPORT_NAME")
    return {
        instruction.argval
        for inner in code_names.codes_in(found)
        for instruction in dis.get_instructions(inner)
        if instruction.opname in loads
    }


@pytest.mark.smoke
def test_globals_are_those_that_dis_finds():
    space = {}
    exec(LONG, space)
    for function in (many_names, named_by_dis, code_names.read_by, functools.reduce, space["long"]):
        found = getattr(function, "__code__", None)
        if found is not None:
            assert code_names.read_by(found) == named_by_dis(found)
    assert len(code_names.read_by(space["long"].__code__)) == 700


# --- functions and numbers in objects ------------------------------------------------------------


HELD = '''
import functools
from functools import partial

def g(x, k):
    return x * x * k

def h(x):
    return x + x * x

class Tools:
    @staticmethod
    def cubed(x):
        return x ** 3

def doubled(function):
    @functools.wraps(function)
    def inner(*args):
        return 2.0 * function(*args)
    return inner

@doubled
def decorated(x):
    return x * x

settings = {"rate": 0.5, "steps": 2, "choose": h}
stages = [h, Tools.cubed]
bound = partial(g, k=2.0)

def f(x):
    import math
    s = bound(x) * settings["rate"] + settings["choose"](x) * Tools.cubed(x) + math.sin(x)
    for stage in stages:
        s = s + stage(x)
    for i in range(settings["steps"]):
        s = s + decorated(x) * i
    return s
'''

HELD_CHANGES = {
    "a number bound by partial": ("k=2.0", "k=3.0"),
    "a function behind partial": ("x * x * k", "x * k"),
    "a whole number in a dictionary": ('"steps": 2', '"steps": 3'),
    "a function in a dictionary": ('"choose": h', '"choose": Tools.cubed'),
    "a number in a dictionary": ('"rate": 0.5', '"rate": 0.25'),
    "a list of functions": ("[h, Tools.cubed]", "[Tools.cubed, Tools.cubed]"),
    "a static method": ("x ** 3", "x ** 4"),
    "a decorator": ("2.0 * function", "3.0 * function"),
    "a decorated function": ("@doubled\ndef decorated(x):\n    return x * x",
                             "@doubled\ndef decorated(x):\n    return x"),
    "a module imported inside": ("import math", "import numpy as math"),
}  # fmt: skip


def slope(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2 * h)


@pytest.mark.parametrize("change", HELD_CHANGES)
def test_what_is_held_by_objects_counts(module, compiled, change):
    first = module(HELD)
    assert tl.grad(first.f)(0.7) == pytest.approx(slope(first.f, 0.7))
    again = module(HELD)
    assert tl.grad(again.f)(0.7) == pytest.approx(slope(again.f, 0.7))
    assert compiled == ["f"]
    other = module(HELD.replace(*HELD_CHANGES[change]))
    assert tl.grad(other.f)(0.7) == pytest.approx(slope(other.f, 0.7))


@pytest.mark.parametrize("warm", [False, True], ids=["compiled", "from the cache"])
@pytest.mark.parametrize(
    "mutate",
    [
        lambda m: m.settings.update(rate=3.0),
        lambda m: m.settings.update(steps=5),
        lambda m: m.settings.update(choose=m.Tools.cubed),
        lambda m: m.stages.append(m.h),
        lambda m: m.stages.__setitem__(0, m.Tools.cubed),
        lambda m: setattr(m, "bound", functools.partial(m.g, k=5.0)),
        lambda m: setattr(m.Tools, "cubed", staticmethod(lambda x: x)),
        lambda m: setattr(m, "decorated", m.h),
    ],
    ids=range(8),
)
def test_objects_that_change_in_memory(module, mutate, warm):
    if warm:
        tl.grad(module(HELD).f)(0.7)
    model = module(HELD)
    derivative = tl.grad(model.f)
    before = derivative(0.7)
    mutate(model)
    after = derivative(0.7)
    assert after == pytest.approx(slope(model.f, 0.7)) and after != before
