"""The command `tangent-like`: derivatives of the functions in a file, from a shell."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import inspect
import io
import keyword
import sys
import tokenize
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tangent_like import api
from tangent_like.benchmark import benchmark
from tangent_like.cache import folder
from tangent_like.check import check_grads
from tangent_like.errors import TangentLikeError
from tangent_like.export import export
from tangent_like.version import VERSION

_RESET, _GREEN, _RED, _BLUE, _GREY = (
    f"\033[{code}m" for code in (0, 32, 31, 34, 90)
)


class UsageError(Exception):
    """The command line asks for something that is not there."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 if all is well, 1 for a failed check or a refused function, 2 for a wrong
    command line."""
    parser = build_parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has printed why, or the help
        return int(stop.code or 0)
    try:
        text, status = options.run(options)
    except UsageError as error:
        print(f"tangent-like: {error}", file=sys.stderr)
        return 2
    except TangentLikeError as error:
        print(error, file=sys.stderr)
        return 1
    return _print(text, status)


def _print(text: str, status: int) -> int:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # `tangent-like ... | head`
        sys.stderr.close()
    return status


# --- the command line ---------------------------------------------------------------------------


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tangent-like",
        description="Reads the source of a Python function and writes the source of its "
        "derivative.",
    )
    parser.add_argument("--version", action="version", version=f"tangent-like {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    source = _command(
        commands, "source", run_source, "print the source of the derivative",
        "tangent-like source examples/survey.py:f --mode tangent --wrt x1",
    )  # fmt: skip
    _add_mode(source)
    _add_wrt(source)
    _add_types(source)

    wengert = _command(
        commands, "wengert", run_wengert, "print the function as a list of single operations",
        "tangent-like wengert examples/survey.py:f",
    )  # fmt: skip
    _add_types(wengert)

    check = _command(
        commands, "check", run_check, "compare the derivatives with finite differences",
        "tangent-like check examples/survey.py:f --at x1=2 x2=5",
    )  # fmt: skip
    _add_at(check)
    check.add_argument("--order", type=int, default=2, help="the highest order checked (2)")

    export = _command(
        commands, "export", run_export, "write the derivative as a module that stands alone",
        "tangent-like export examples/survey.py:f -o survey_grad.py --wrt x1",
    )  # fmt: skip
    export.add_argument("-o", "--output", metavar="FILE", required=True, help="the file to write")
    export.add_argument("--backend", choices=["numpy", "numba"], default="numpy",
                        help="plain NumPy (the default), or what Numba compiles")  # fmt: skip
    _add_mode(export)
    _add_wrt(export)
    _add_types(export)

    bench = _command(
        commands, "bench", run_bench, "measure the derivatives beside finite differences",
        "tangent-like bench examples/survey.py:f --at x1=2 x2=5 --plot survey.png",
    )  # fmt: skip
    _add_at(bench)
    _add_wrt(bench)
    bench.add_argument("--plot", metavar="FILE", help="draw time and error (.png, .svg, .pdf)")

    _add_cache(commands)
    return parser


def _add_cache(commands: Any) -> None:
    parser = commands.add_parser(
        "cache", help="show or empty the cache of generated code",
        description="Show or empty the cache of generated code.",
        epilog=f"The variable {folder.VARIABLE} moves the cache; the value "
        f'"{folder.OFF}" turns it off.',
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--path", action="store_true", help="print where it is")
    what.add_argument("--stats", action="store_true", help="print how much is in it (default)")
    what.add_argument("--clear", action="store_true", help="remove everything in it")
    parser.set_defaults(run=run_cache)


Run = Callable[[argparse.Namespace], tuple[str, int]]


def _command(
    commands: Any, name: str, run: Run, summary: str, example: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"example: {example}",
    )  # fmt: skip
    parser.add_argument("function", metavar="FILE.py:FUNC", help="a function and its file")
    parser.set_defaults(run=run)
    return parser


def _add_mode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode", choices=("adjoint", "tangent"), default="adjoint",
        help="reverse mode (adjoint, the default) or forward mode (tangent)",
    )  # fmt: skip


def _add_wrt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wrt", metavar="x,y", help="the differentiated arguments (all floats and arrays)"
    )


def _add_types(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--types", metavar="x=float,...",
        help="the types of arguments without annotation: float, int, bool, complex, array, "
        "vector or matrix",
    )  # fmt: skip


def _add_at(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--at", nargs="+", metavar="x=VALUE", default=[],
        help="the arguments: x=2, w=[0.5,1.5] (a list of numbers is an array), p=(1.0,2.0)",
    )  # fmt: skip


# --- the commands -------------------------------------------------------------------------------


def run_source(options: argparse.Namespace) -> tuple[str, int]:
    function = load_function(options.function)
    text = api.source(
        function, options.mode, parse_wrt(options.wrt), parse_types(options.types)
    )
    return (highlighted(text) if sys.stdout.isatty() else text).rstrip("\n"), 0


def run_wengert(options: argparse.Namespace) -> tuple[str, int]:
    return api.wengert(load_function(options.function), parse_types(options.types)).rstrip("\n"), 0


def run_check(options: argparse.Namespace) -> tuple[str, int]:
    if options.order < 1:
        raise UsageError(f"--order {options.order}: there is nothing to check below order 1")
    function = load_function(options.function)
    args = arguments(function, options.at)
    try:
        check_grads(function, args, order=options.order)
    except AssertionError as error:
        return coloured(str(error), _RED), 1
    name = function.__name__
    return coloured(f"{name}: derivatives right to order {options.order}, both modes", _GREEN), 0


def run_export(options: argparse.Namespace) -> tuple[str, int]:
    function = load_function(options.function)
    try:
        export(
            function, options.output, options.mode, parse_wrt(options.wrt),
            parse_types(options.types), backend=options.backend,
        )  # fmt: skip
    except OSError as error:  # a folder that is not there, or not writable
        raise UsageError(f"-o {options.output}: {error.strerror}") from None
    return f"{options.output} written", 0


def run_cache(options: argparse.Namespace) -> tuple[str, int]:
    place = folder.path()
    if place is None:
        return f"the cache is off: {folder.VARIABLE}={folder.OFF}", 0
    if options.path:
        return place, 0
    try:
        if options.clear:
            return f"{folder.clear(place)} files removed from {place}", 0
        return described_cache(place, folder.stats(place)), 0
    except OSError as error:
        raise UsageError(f"{place}: {error.strerror}") from None


def described_cache(place: str, stats: folder.Stats) -> str:
    kept = f"{stats.entries} entries, {stats.compiled} functions compiled by Numba"
    lines = [place, f"{kept}, {stats.bytes / 1024:.1f} KiB"]
    if stats.unfinished:
        lines.append(f"{stats.unfinished} unfinished files, which --clear removes")
    return "\n".join(lines)


def run_bench(options: argparse.Namespace) -> tuple[str, int]:
    function = load_function(options.function)
    found = benchmark(function, *arguments(function, options.at), wrt=parse_wrt(options.wrt))
    if options.plot is None:
        return str(found), 0
    try:
        found.plot(options.plot)
    except ImportError:
        raise UsageError("--plot needs matplotlib: pip install matplotlib") from None
    except (OSError, ValueError) as error:  # a folder that is not there, an unknown suffix
        raise UsageError(f"--plot {options.plot}: {error}") from None
    return f"{found}\n\n{options.plot} written", 0


# --- what stands on the command line ------------------------------------------------------------


def load_function(text: str) -> Any:
    """The function that `FILE.py:FUNC` names."""
    path, separator, name = text.rpartition(":")
    if not separator or not path or not name:
        raise UsageError(f"{text}: write FILE.py:FUNC")
    module = load_module(Path(path))
    function: Any = module
    for part in name.split("."):
        function = getattr(function, part, None)
    if function is None:
        known = [n for n, f in inspect.getmembers(module, inspect.isfunction)
                 if f.__module__ == module.__name__]  # fmt: skip
        hint = f"; it has {', '.join(known)}" if known else ""
        raise UsageError(f"{path} has no function {name}{hint}")
    if not callable(function):
        raise UsageError(f"{name} in {path} is no function")
    return function


def load_module(path: Path) -> Any:
    """The module in a file, imported as `python FILE.py` would, but not as `__main__`."""
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    path = path.resolve()
    name = module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    sys.modules[name] = module  # where the source of its functions is looked for
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        why = f"{type(error).__name__}: {error}"
        raise UsageError(f"importing {path} failed: {why}") from error
    return module


def module_name(path: Path) -> str:
    """The name of the file, unless another module has it."""
    name = path.stem
    while True:
        known = sys.modules.get(name)
        if known is None and name not in sys.stdlib_module_names:
            return name
        if known is not None and getattr(known, "__file__", None) == str(path):
            return name
        name += "_"


def parse_wrt(text: str | None) -> Any:
    """`x,y` as names; a number is a position; None where nothing is given."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--wrt names no argument")
    entries = tuple(int(name) if name.lstrip("-").isdigit() else name for name in names)
    return entries if len(entries) > 1 else entries[0]


_TYPES = ("float", "int", "bool", "complex", "array", "vector", "matrix")


def parse_types(text: str | None) -> dict[str, Any] | None:
    """`x=float,n=int` as a type for each name."""
    if text is None:
        return None
    found = {}
    for part in text.split(","):
        name, separator, kind = (piece.strip() for piece in part.partition("="))
        if not separator or kind not in _TYPES:
            raise UsageError(f"--types {part}: write name=type, with one of {', '.join(_TYPES)}")
        found[name] = kind
    return found


def arguments(function: Any, pairs: Sequence[str]) -> tuple[Any, ...]:
    """`x=2 y=5` as the arguments of the function, by position; annotated floats become floats."""
    given = dict(map(parse_value, pairs))
    signature = inspect.signature(function)
    try:
        bound = signature.bind(**given)
    except TypeError as error:
        names = " ".join(f"{name}=..." for name in signature.parameters)
        raise UsageError(f"--at: {error}; {function.__name__} takes {names}") from None
    bound.apply_defaults()
    return tuple(
        _as_float(value, signature.parameters[name]) for name, value in bound.arguments.items()
    )


def _as_float(value: Any, parameter: inspect.Parameter) -> Any:
    """A number as a float, unless an annotation says that it is none."""
    whole = parameter.annotation in (int, "int", bool, "bool")
    return float(value) if type(value) is int and not whole else value


def parse_value(text: str) -> tuple[str, Any]:
    """`x=[1,2]` as a name and a value; lists of numbers become float arrays."""
    name, separator, value = text.partition("=")
    if not separator or not name.strip().isidentifier():
        raise UsageError(f"--at {text}: write name=value")
    try:
        found = ast.literal_eval(value.strip())
        if isinstance(found, list):
            found = np.array(found, dtype=complex if _holds_complex(found) else float)
    except (ValueError, SyntaxError, TypeError):
        raise UsageError(
            f"--at {text}: the value is a number, a string, or a list or tuple of them"
        ) from None
    return name.strip(), found


def _holds_complex(items: Any) -> bool:
    if isinstance(items, (list, tuple)):
        return any(map(_holds_complex, items))
    return isinstance(items, complex)


# --- colour, on a terminal only -----------------------------------------------------------------


def coloured(text: str, colour: str) -> str:
    return f"{colour}{text}{_RESET}" if sys.stdout.isatty() else text


def highlighted(source: str) -> str:
    """Python source with keywords, strings and comments in colour."""
    lines = source.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        (row, start), (last, end) = token.start, token.end
        colour = None
        if token.type == tokenize.NAME and keyword.iskeyword(token.string):
            colour = _BLUE
        elif token.type == tokenize.COMMENT:
            colour = _GREY
        elif token.type == tokenize.STRING:
            colour = _GREEN
        if colour is not None and row == last:
            line = lines[row - 1]
            lines[row - 1] = f"{line[:start]}{colour}{line[start:end]}{_RESET}{line[end:]}"
    return "".join(lines)
