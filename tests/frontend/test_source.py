"""The source found is the source that runs, or there is a clear error."""

from __future__ import annotations

import ast
import doctest
import functools
import importlib
import importlib.util
import linecache
import math
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import gast
import pytest

import tangent_like as tl
from tangent_like.deep import deep
from tangent_like.errors import NeverSupported, SourceError
from tangent_like.frontend.source import Source, find_source

PACKAGE_PARENT = str(Path(__file__).parents[2])


def load(folder: Path, text: str, name: str = "user_module") -> ModuleType:
    """Import a module with this text."""
    file = folder / f"{name}.py"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cell(text: str, name: str, **variables: Any) -> dict[str, Any]:
    """Run a text as a notebook runs a cell, with its lines in linecache."""
    text = textwrap.dedent(text)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec", dont_inherit=True), variables)
    return variables


def shown(source: Source) -> str:
    """The tree found, as text."""
    return ast.unparse(gast.gast_to_ast(source.tree))


# Kinds of functions


def square(x: float) -> float:
    """A docstring
    of two lines."""
    return x * x


@pytest.mark.smoke
def test_a_function_of_a_file() -> None:
    source = find_source(square)
    assert source.function is square
    assert source.file == __file__
    assert source.class_name is None
    assert source.text.startswith("def square(x: float) -> float:\n")
    assert source.text.endswith("    return x * x\n")
    assert isinstance(source.tree, gast.FunctionDef)
    assert source.tree.name == "square"


def test_compiling_leaves_the_tree_as_it_is() -> None:
    before = gast.dump(find_source(square).tree, include_attributes=True)
    tl.grad(square)(2.0)
    assert gast.dump(find_source(square).tree, include_attributes=True) == before


def test_places_are_those_of_the_file() -> None:
    def nested(x):
        return x + math.sin(x)

    source = find_source(nested)
    call = source.tree.body[0].value.right
    place = source.place(call)
    assert (place.file, place.function) == (__file__, "nested")
    assert place.quoted.encode()[place.column : place.end_column] == b"math.sin(x)"
    assert source.text == "def nested(x):\n    return x + math.sin(x)\n"
    assert source.place(gast.Add()).line == source.first_line


def test_closures_default_values_and_annotations() -> None:
    scale = 2.0

    def outer(k: int = 3):
        def inner(x, *args, a: float = 1.0, **others):
            nonlocal k
            k = k + 1
            return x * scale * k * a

        return inner

    assert shown(find_source(outer())).startswith("def inner(x, *args, a: float=1.0, **others):")


def test_functools_wraps_does_not_mislead() -> None:
    def doubled(f):
        @functools.wraps(f)
        def wrapper(x):
            return 2 * f(x)

        return wrapper

    assert "return 2 * f(x)" in find_source(doubled(square)).text


def test_a_decorated_function_has_its_decorators_and_their_line() -> None:
    @functools.wraps(square)
    @functools.wraps(
        math.sin,
    )
    def cube(x):
        return x**3

    source = find_source(cube)
    assert source.text.startswith("@functools.wraps(square)\n")
    assert source.first_line == cube.__code__.co_firstlineno
    assert source.tree.lineno == source.first_line + 4


class Model:
    """Private names and methods."""

    __rate = 0.5

    def loss(self, __x):
        self.__seen = __x
        return [__v * self.__rate for __v in [__x]]

    def keywords(self, f, __x):
        return f(__x=__x, __y__=self.__class__)

    @staticmethod
    def fixed(x):
        return x * Model.__rate

    @classmethod
    def made(cls, x):
        return cls.__rate * x

    def maker(self):
        def inner(x):
            return x * self.__rate

        return inner

    @property
    def rate(self):
        return self.__rate

    class _Inner:
        def loss(self):
            return self.__rate


class __:
    def f(self):
        return self.__x


def test_private_names_are_mangled() -> None:
    assert shown(find_source(Model.loss)) == textwrap.dedent("""\
        def loss(self, _Model__x):
            self._Model__seen = _Model__x
            return [_Model__v * self._Model__rate for _Model__v in [_Model__x]]""")


@pytest.mark.parametrize(
    ("function", "expected", "class_name"),
    [
        (Model.keywords, "return f(__x=_Model__x, __y__=self.__class__)", "Model"),
        (Model.fixed, "return x * Model._Model__rate", "Model"),
        (Model.made, "return cls._Model__rate * x", "Model"),
        (Model().loss, "self._Model__seen", "Model"),
        (Model().maker(), "return x * self._Model__rate", "Model"),
        (Model.rate.fget, "return self._Model__rate", "Model"),
        (Model._Inner.loss, "return self._Inner__rate", "_Inner"),
        (__.f, "return self.__x", "__"),
    ],
)
def test_methods(function: object, expected: str, class_name: str) -> None:
    source = find_source(function)
    assert expected in shown(source)
    assert source.class_name == class_name


def test_names_of_statements_are_mangled(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        """
        class C:
            def f(self):
                global __g
                __g = 1
                import math as __m
                def __inner(): return __m
                class D:
                    def g(self): return self.__d
                try:
                    pass
                except ValueError as __e:
                    pass
                return __inner
        """,
    )
    names = shown(find_source(module.C.f))
    for name in ("global _C__g", "as _C__m", "def _C__inner", "self._D__d", "as _C__e"):
        assert name in names


def test_ligatures_are_normalised(tmp_path: Path) -> None:
    module = load(tmp_path, "def f(ﬁ):\n    return ﬁ + fi\n")
    assert shown(find_source(module.f)) == "def f(fi):\n    return fi + fi"


def test_encodings_form_feeds_and_a_missing_last_newline(tmp_path: Path) -> None:
    file = tmp_path / "latin.py"
    file.write_bytes("# coding: latin-1\n\f\ndef f(x):\n    é = x\n    return é".encode("latin-1"))
    spec = importlib.util.spec_from_file_location("latin", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert find_source(module.f).text == "def f(x):\n    é = x\n    return é\n"


def test_warnings_of_the_file_are_not_repeated(tmp_path: Path) -> None:
    with pytest.warns():
        module = load(tmp_path, "def f(x):\n    return x, '\\d', 1 is 1\n")
    find_source(module.f)


def test_generator_and_async_functions() -> None:
    def generator(x):
        yield x

    async def waits(x):
        return x

    assert isinstance(find_source(generator).tree, gast.FunctionDef)
    with pytest.raises(NeverSupported, match="async"):
        find_source(waits)


# Lambdas


def apply_to(f: Callable[..., Any], *others: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    return (f, *others)


def test_a_lambda() -> None:
    source = find_source(lambda x: x * 3)
    assert isinstance(source.tree, gast.Lambda)
    assert source.text == "lambda x: x * 3"
    assert source.place(source.tree).function == "<lambda>"


@pytest.mark.smoke
def test_lambdas_on_one_line_are_told_apart() -> None:
    first, second, third = apply_to(lambda x: x * 3, lambda x: x * 3.0, lambda y: y * 3)
    assert find_source(first).text == "lambda x: x * 3"
    assert find_source(second).text == "lambda x: x * 3.0"
    assert find_source(third).text == "lambda y: y * 3"


def test_equal_lambdas_on_one_line() -> None:
    first, second = apply_to(lambda x: x * 3, lambda x: x * 3)
    assert find_source(first).text == find_source(second).text == "lambda x: x * 3"
    if sys.version_info >= (3, 12):  # before, one code object serves both
        columns = [find_source(f).tree.col_offset for f in (first, second)]
        assert columns[0] < columns[1]


def test_lambdas_that_differ_only_in_how_they_are_written() -> None:
    first, second = apply_to(lambda x: x * (1 + 1), lambda x: x * 2)
    texts = [find_source(f).text for f in (first, second)]
    if sys.version_info >= (3, 12):
        assert texts == ["lambda x: x * (1 + 1)", "lambda x: x * 2"]
    assert set(texts) <= {"lambda x: x * (1 + 1)", "lambda x: x * 2"}


def test_a_lambda_in_a_lambda() -> None:
    outer = lambda x: lambda y: lambda z: x * y * z
    assert find_source(outer).text == "lambda x: lambda y: lambda z: x * y * z"
    assert find_source(outer(1)).text == "lambda y: lambda z: x * y * z"
    assert find_source(outer(1)(2)).text == "lambda z: x * y * z"


def test_lambdas_in_default_values_comprehensions_and_decorators() -> None:
    def f(x, g=lambda x: x + 1, h=lambda x: x + 2):
        return g(h(x))

    @(lambda f: f)
    def decorated(x):
        return x

    assert [find_source(d).text for d in f.__defaults__] == ["lambda x: x + 1", "lambda x: x + 2"]
    assert find_source(f).tree.name == "f"
    made = [(lambda x: x * i, lambda x: x + i) for i in range(3)]
    assert find_source(made[1][1]).text == "lambda x: x + i"
    assert find_source(decorated).tree.name == "decorated"


def test_a_lambda_over_several_lines() -> None:
    (f,) = apply_to(
        lambda x, y: (
            x
            # a comment
            * y
        )
    )
    assert find_source(f).text.startswith("lambda x, y: (\n")


def test_conditional_lambdas_on_one_line() -> None:
    first, second = (lambda x: x if x else (lambda: x)), (lambda x: (lambda: x) if x else x)
    assert find_source(first).text == "lambda x: x if x else (lambda: x)"
    assert find_source(second).text == "lambda x: (lambda: x) if x else x"


# Asserts, which pytest rewrites in this very file


def with_assert(x):
    assert x > 0, f"{x} is not positive"
    y = x
    assert isinstance(y, float) and (z := y) > 0
    return y * z


@pytest.mark.smoke
def test_functions_whose_asserts_pytest_rewrote() -> None:
    assert "@pytest_ar" in globals(), "pytest no longer rewrites this module"
    assert shown(find_source(with_assert)).count("    assert ") == 2


def test_functions_inside_asserts() -> None:
    assert find_source(lambda x: x + 1).text == "lambda x: x + 1"
    kept = []
    assert all(not kept.append(f) for f in apply_to(lambda x: x + 2, lambda x: x + 3))
    assert [find_source(f).text for f in kept] == ["lambda x: x + 2", "lambda x: x + 3"]


def test_without_rewriting_asserts_stand_as_they_are(tmp_path: Path) -> None:
    module = load(tmp_path, "def f(x):\n    assert x > 0\n    return x\n")
    assert "assert x > 0" in shown(find_source(module.f))


# Where texts come from


def test_a_notebook_cell_with_an_await_outside_functions() -> None:
    name = "<ipython-input-1-abc>"
    text = "await_later = 1\ndef f(x):\n    return x * 2\n"
    f = cell(text, name)["f"]
    full = text + "async def g(): pass\nawait g()\n"
    linecache.cache[name] = (len(full), None, full.splitlines(keepends=True), name)
    assert find_source(f).text == "def f(x):\n    return x * 2\n"


def test_a_cell_compiled_under_a_future_flag() -> None:
    name = "<ipython-input-2-abc>"
    text = "def f(x):\n    def g(y: int) -> 'float':\n        return y\n    return g(x)\n"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    variables: dict[str, Any] = {}
    exec(compile(text, name, "exec"), variables)  # this file's `annotations` is inherited
    assert find_source(variables["f"]).tree.name == "f"


def test_a_doctest(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        '''
        """
        >>> from tangent_like.frontend.source import find_source
        >>> def f(x):
        ...     return x * 2
        >>> find_source(f).text
        'def f(x):\\\\n    return x * 2\\\\n'
        >>> find_source(lambda x: x * 2).text
        'lambda x: x * 2'
        """
        ''',
    )
    results = doctest.testmod(module)
    assert results.attempted == 4 and results.failed == 0


def test_a_module_in_a_zip_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("zipped_module.py", "def f(x):\n    return x * 2\n")
    monkeypatch.syspath_prepend(str(archive))
    module = importlib.import_module("zipped_module")
    assert find_source(module.f).text == "def f(x):\n    return x * 2\n"


def test_the_file_of_a_script_and_of_python_c(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys; sys.path.insert(0, sys.argv[1])
        from tangent_like.frontend.source import find_source
        from tangent_like.errors import SourceError
        def f(x): return x * 2
        try: print(find_source(f).text)
        except SourceError as error: print("refused:", error)
    """)
    file = tmp_path / "script.py"
    file.write_text(program)
    found = "def f(x): return x * 2"
    refused = "refused: <string>:5: in function f: the source of `f` was not kept"
    keeps_commands = sys.version_info >= (3, 13)
    for options, expected in [
        (["script.py"], found),
        (["-c", program], found if keeps_commands else refused),
    ]:
        command = [sys.executable, *options, PACKAGE_PARENT]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert expected in run.stdout


# Refusals


def refusal(function: object) -> str:
    with pytest.raises(SourceError) as caught:
        find_source(function)
    return str(caught.value)


@pytest.mark.smoke
def test_a_file_changed_after_import(tmp_path: Path) -> None:
    before = "def f(x):\n    return x * 2\n"
    module = load(tmp_path, before)
    file = Path(str(module.__file__))
    find_source(module.f)
    for after in [
        "def f(x):\n    return x * 3\n",
        "def f(x):\n    return x * 2.0\n",
        "def f(y):\n    return y * 2\n",
        "def f(x):\n    return x + 2\n",
        "def f(x):\n\n    return x * 2\n",
        "\ndef f(x):\n    return x * 2\n",
        "def g(x):\n    return x * 2\n",
        "def f(x:\n    return x * 2\n",
        "def f(x):\n    return x * 2 + '\0'\n",
        "f = 1\n",
    ]:
        file.write_text(after)
        assert "the file has changed since import" in refusal(module.f), after
    for after in [before, before + "\nmore = 1\n", before.replace("2", "2  # two")]:
        file.write_text(after)
        assert find_source(module.f).text == after[: len(find_source(module.f).text)]


def test_signs_of_zero_count(tmp_path: Path) -> None:
    module = load(tmp_path, "def f(x):\n    return x, (0.0, 1)\n")
    Path(str(module.__file__)).write_text("def f(x):\n    return x, (-0.0, 1)\n")
    assert "changed since import" in refusal(module.f)


def test_code_replaced_by_a_tool() -> None:
    def f(x):
        return x * 2.5

    constants = tuple(5.5 if c == 2.5 else c for c in f.__code__.co_consts)
    f.__code__ = f.__code__.replace(co_consts=constants)
    assert f(1) == 5.5
    assert "a tool has changed the function's code" in refusal(f)


def test_a_file_that_went_away(tmp_path: Path) -> None:
    module = load(tmp_path, "def f(x):\n    return x * 2\n")
    Path(str(module.__file__)).unlink()
    assert "there is no file" in refusal(module.f)


def test_code_made_by_exec_has_no_source() -> None:
    variables: dict[str, Any] = {}
    exec("def f(x): return x", variables)
    assert "was not kept" in refusal(variables["f"])
    exec(compile("def f(x): return x", "<generated 3>", "exec"), variables)
    assert "<generated 3>" in refusal(variables["f"])
    assert "put the function into a file" in refusal(variables["f"])


@pytest.mark.parametrize("function", [math.sin, len, str.upper, [].append])
def test_c_functions(function: object) -> None:
    assert "written in C" in refusal(function)


@pytest.mark.parametrize("thing", [3, Model, functools.partial(square), None])
def test_things_that_are_no_functions(thing: object) -> None:
    assert "is not a Python function" in refusal(thing)


def test_the_code_of_a_whole_module(tmp_path: Path) -> None:
    module = load(tmp_path, "x = 1\n")
    file = str(module.__file__)
    code = compile(Path(file).read_text(), file, "exec", dont_inherit=True)
    assert "is not made by a `def`" in refusal(FunctionType(code, vars(module)))


# Size


def python_can_compile(text: str) -> bool:
    try:
        deep(compile, text, "deep", "exec")
    except RecursionError:
        return False
    return True


def test_a_sum_of_5000_terms() -> None:
    text = "def f(x):\n    return " + " + ".join(["x * 2.0"] * 5000) + "\n"
    name = "<ipython-input-3-abc>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    if not python_can_compile(text):
        pytest.skip("this Python cannot compile such an expression on any stack")
    variables: dict[str, Any] = {}
    exec(deep(compile, text, name, "exec", dont_inherit=True), variables)
    assert isinstance(find_source(variables["f"]).tree.body[0].value, gast.BinOp)


def test_nesting_too_deep_for_python_is_a_source_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x):
        return x

    def too_deep(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(gast, "ast_to_gast", too_deep)
    assert "nested more deeply" in refusal(f)


def test_5000_statements(tmp_path: Path) -> None:
    lines = ["def f(x):", *["    x = x * 2.0"] * 5000, "    return x"]
    assert len(find_source(load(tmp_path, "\n".join(lines)).f).tree.body) == 5001


@pytest.mark.parametrize("module_name", ["argparse", "statistics", "fractions", "dataclasses"])
def test_every_function_of_some_library_modules(module_name: str) -> None:
    module = importlib.import_module(module_name)
    holders = [module, *(v for v in vars(module).values() if isinstance(v, type))]
    functions = {
        value
        for holder in holders
        for value in vars(holder).values()
        if isinstance(value, type(square)) and value.__code__.co_filename == module.__file__
    }
    assert len(functions) > 10
    for function in functions:
        assert find_source(function).tree.name == function.__code__.co_name
