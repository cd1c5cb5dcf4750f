"""What generated code depends on besides the function: the versions of all that made it."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.machinery import PathFinder

_VERSION_FILES = {"gast": "version.py", "astor": "VERSION"}
"""Read and not imported: what is cached is loaded without the two."""

_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""Of the package that runs, which need not be the first one on the path."""


class NoSourceError(Exception):
    """A package's files cannot be read, as in a zip file: then nothing is cached."""


@functools.cache
def toolchain() -> str:
    """A digest of Python and of everything that takes part in compiling.

    Of this package the source files count and not the version, which stays the same while one
    works on them: their sizes and times, as for Python's own import, since to read them all would
    take most of the time that the cache is there to save.
    """
    digest = sha256(f"{sys.implementation.cache_tag} {sys.version}".encode())
    try:
        digest.update("\n".join(sorted(map(_stamp, _python_files(_OWN_FOLDER)))).encode())
        for name, file in _VERSION_FILES.items():
            with open(os.path.join(_folder_of(name), file), "rb") as opened:
                digest.update(opened.read())
    except OSError as error:
        raise NoSourceError from error
    return digest.hexdigest()


def _folder_of(package: str) -> str:
    spec = PathFinder.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NoSourceError(package)
    return next(iter(spec.submodule_search_locations))


def _python_files(folder: str) -> Iterator[os.DirEntry[str]]:
    for entry in os.scandir(folder):
        if entry.name.endswith(".py"):
            yield entry
        elif entry.is_dir() and entry.name != "__pycache__":
            yield from _python_files(entry.path)


def _stamp(file: os.DirEntry[str]) -> str:
    """What another content would change."""
    found = file.stat()
    return f"{file.path[len(_OWN_FOLDER) :]} {found.st_size} {found.st_mtime_ns}"


def versions_of(libraries: Iterable[str]) -> Iterator[str]:
    """The versions of the libraries that a function uses; Python's own have Python's."""
    for name in sorted({"numpy", *libraries}):
        module = sys.modules.get(name)
        yield f"{name} {getattr(module, '__version__', '')}"
