"""Where the cache is, and whether it may be trusted: generated code is run as it is found there.

The folder is one of the user's own, which nobody else can write to or read.  `TANGENT_LIKE_CACHE`
moves it; the value `off` turns it off.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

VARIABLE = "TANGENT_LIKE_CACHE"
OFF = "off"
ENTRY, MACHINE_CODE, _UNFINISHED = ".py", ".nbc", ".tmp"
_OURS = re.compile(r"[0-9a-f]{40}\.(py|nbc)|[0-9a-f]{16}\.tmp")
"""Nothing else is ever counted or removed, wherever the cache was moved to."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_said: set[str] = set()


class UnsafeError(Exception):
    """A folder that others can change, or that is none."""


class Stats(NamedTuple):
    """`compiled` counts functions that Numba compiled; `unfinished` files are those of writers
    that were killed."""

    entries: int
    compiled: int
    bytes: int
    unfinished: int


def path() -> str | None:
    """The folder of the cache, there or not; None where it is turned off."""
    given = os.environ.get(VARIABLE, "")
    if given.lower() == OFF:
        return None
    return os.path.expanduser(given or os.path.join(_users_own(), "tangent_like"))


def _users_own() -> str:
    """The folder for caches that the system gives a user."""
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or os.path.join("~", "AppData", "Local")
    if sys.platform == "darwin":
        return os.path.join("~", "Library", "Caches")
    given = os.environ.get("XDG_CACHE_HOME", "")
    return given if os.path.isabs(given) else os.path.join("~", ".cache")


def ready(folder: str) -> None:
    """Make the folder if there is none; raises UnsafeError if it is not the user's own."""
    if not os.path.lexists(folder):
        os.makedirs(os.path.dirname(os.path.abspath(folder)), exist_ok=True)
        with suppress(FileExistsError):  # another process was first
            os.mkdir(folder, mode=0o700)
    check(folder)


def check(folder: str) -> None:
    """Raises UnsafeError unless this is a folder of the user's that nobody else can enter."""
    found = os.lstat(folder)
    if stat.S_ISLNK(found.st_mode):
        raise UnsafeError("it is a symbolic link")
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeError("it is no folder")
    if os.name == "nt":  # the user's own folders are private there, and modes say nothing
        return
    if found.st_uid != os.geteuid():
        raise UnsafeError("it belongs to another user")
    if found.st_mode & 0o077:
        raise UnsafeError(f"others can enter it: chmod 700 {folder}")


def read(folder: str, key: str, suffix: str = ENTRY) -> bytes | None:
    """The content of a file; None where there is none."""
    try:
        descriptor = os.open(os.path.join(folder, key + suffix), os.O_RDONLY | _NO_LINK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(descriptor, "rb") as file:
        return file.read()


def write(folder: str, key: str, data: bytes, suffix: str = ENTRY) -> None:
    """Write a file under a name of its own and rename it, so that no reader sees a part."""
    unfinished = os.path.join(folder, os.urandom(8).hex() + _UNFINISHED)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
    descriptor = os.open(unfinished, flags, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(unfinished, os.path.join(folder, key + suffix))
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise


def files(folder: str, *suffixes: str) -> Iterator[str]:
    """The files of these kinds."""
    if os.path.isdir(folder):
        for name in os.listdir(folder):
            if name.endswith(suffixes) and _OURS.fullmatch(name):
                yield os.path.join(folder, name)


def stats(folder: str) -> Stats:
    entries, compiled = list(files(folder, ENTRY)), list(files(folder, MACHINE_CODE))
    size = sum(map(os.path.getsize, [*entries, *compiled]))
    return Stats(len(entries), len(compiled), size, len(list(files(folder, _UNFINISHED))))


def clear(folder: str) -> int:
    """Remove all entries and unfinished files; how many there were."""
    found = list(files(folder, ENTRY, MACHINE_CODE, _UNFINISHED))
    for file in found:
        with suppress(FileNotFoundError):  # another process was first
            os.unlink(file)
    return len(found)


def say(folder: str, why: Exception) -> None:
    """Warn once of each folder and reason that nothing is cached."""
    reason = why.strerror if isinstance(why, OSError) and why.strerror else why
    text = f"tangent_like keeps nothing in {folder}: {reason}"
    if text not in _said:
        _said.add(text)
        warnings.warn(text, RuntimeWarning, stacklevel=2)
