"""What a user reads when something cannot be done: where, which line, why, and the way out.

Every error of this package is a `TangentLikeError` and renders like this:

    model.py:12: in function loss: not supported yet: `yield`
        yield total
        ^^^^^^^^^^^
    write instead: return a list
"""

from __future__ import annotations

import contextlib
import functools
import linecache
import os
import sys
import threading
from dataclasses import dataclass
from types import FrameType
from typing import ClassVar

ELEMENTWISE_HINT = (
    "give it a rule: `elementwise(function, partials)` if it works on each element alone, "
    "`custom_vjp` or `custom_jvp` if it does not"
)
REPORT_HINT = "this is a fault in tangent_like itself: please report it with the function above"


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of the user's file.

    Lines count from 1 and columns from 0. Columns count UTF-8 bytes, as those of `ast` do.
    A line of 0 means that the place is not known.
    """

    file: str
    line: int
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    function: str = ""

    @property
    def quoted(self) -> str:
        """The user's line as it stands in the file, or "" where there is none to read."""
        return linecache.getline(self.file, self.line).rstrip() if self.line > 0 else ""

    def __str__(self) -> str:
        if self.line <= 0:
            return f"in function {self.function}" if self.function else ""
        where = f"{self.file}:{self.line}"
        return f"{where}: in function {self.function}" if self.function else where


NOWHERE = Place("<unknown>", 0)


@dataclass(frozen=True, slots=True)
class CallingPlace(Place):
    """The line from which this package was called, for errors that know of no better one."""


def calling() -> Place:
    """The innermost line outside this package and what it generates, in this thread."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return NOWHERE
    code = frame.f_code
    name = "" if code.co_name.startswith("<") else code.co_name
    return CallingPlace(code.co_filename, frame.f_lineno, function=name)


def _is_ours(file: str) -> bool:
    return file.startswith((_PACKAGE, "<tangent_like", *_BETWEEN))


_PACKAGE = os.path.dirname(__file__) + os.sep
_BETWEEN = (contextlib.__file__, functools.__file__, threading.__file__)
"""Files of the standard library through which this package calls itself."""


def quote(place: Place) -> str:
    """The user's line with carets under the place, indented; "" where there is no line."""
    line = place.quoted
    if not line:
        return ""
    shown = line.lstrip()
    carets = _carets(place, line, len(line) - len(shown))
    return f"    {shown}\n    {carets}" if carets else f"    {shown}"


def _carets(place: Place, line: str, indent: int) -> str:
    """Carets under the place's columns; none where the columns are not known."""
    if place.end_line < place.line:
        return ""
    start = max(_characters(line, place.column), indent)
    same_line = place.end_line == place.line
    end = _characters(line, place.end_column) if same_line else len(line)
    if end <= start:
        return ""
    # A tab before the place is kept, so that the carets stand right at any width of tab.
    margin = "".join(c if c == "\t" else " " for c in line[indent:start])
    return margin + "^" * (end - start)


def _characters(line: str, column: int) -> int:
    """How many characters the first `column` UTF-8 bytes of a line hold."""
    return len(line.encode()[:column].decode(errors="ignore"))


class TangentLikeError(Exception):
    """The base of every error that this package raises on purpose.

    `message` says what is wrong, `place` where, `hint` what to write or do instead.  What is wrong
    with a call of this package has the place of the call.
    """

    opening: ClassVar[str] = ""
    usual_hint: ClassVar[str] = ""

    def __init__(self, message: str, place: Place = NOWHERE, hint: str = "") -> None:
        if place is NOWHERE:
            place = calling()
        # All three go to `args`, from which pickle builds the error again.
        super().__init__(message, place, hint)
        self.message = message
        self.place = place
        self.hint = hint or self.usual_hint

    def __str__(self) -> str:
        where = str(self.place)
        first = f"{where}: " if where else ""
        lines = [f"{first}{self.opening}{self.message}", quote(self.place), self.hint]
        return "\n".join(line for line in lines if line)


class NotYetSupported(TangentLikeError):
    """The construct has a derivative, but this version cannot build it."""

    opening = "not supported yet: "


class SharedMemory(NotYetSupported):
    """Something is read that may share memory, in a way that is not known, with an array that was
    written into."""


class NeverSupported(TangentLikeError):
    """The construct has no derivative, or none that can be known from the source."""

    opening = "cannot be differentiated: "


class SourceError(TangentLikeError):
    """The function's source cannot be read, or is not what the running function was made of."""


class NoRuleError(TangentLikeError):
    """A function was called that has neither a rule nor readable source."""

    usual_hint = ELEMENTWISE_HINT


class ArgumentError(TangentLikeError, TypeError):
    """A derivative was asked for, or called, with arguments that do not fit."""


class NotStackable(TangentLikeError):
    """Derivatives in many directions at once cannot be written for this function: they are taken
    one after another, and nobody sees this error."""


class InternalError(TangentLikeError):
    """An invariant of the compiler is broken: never the user's fault."""

    opening = "internal error: "
    usual_hint = REPORT_HINT
