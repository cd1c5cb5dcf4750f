"""What a function that a branch made brings along when it is called after the branch.

if c:                                t = x * x  inside the branch, and handed out of it:
    g = make(x)      # t = x * x     g reads the result of the `If`
else:                                where the branch was not taken it is undefined, and
    g = math.cos                     nobody reads it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tangent_like.frontend.objects import Partial
from tangent_like.frontend.scope import Binding, Choice, Frame, LocalFunction, Method
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Value


def brought_along(state: Lowering, function: Atom, mark: int) -> dict[Value, None]:
    """The values made since `mark` that a function holds: in the frames of calls that have ended,
    in defaults, and in arguments given already."""
    if not isinstance(function, Const):
        return {}
    atoms = _held(function, _active(state), set())
    return {a: None for a in atoms if isinstance(a, Value) and a.serial >= mark}


def _active(state: Lowering) -> set[int]:
    """The frames of the calls that go on: their names are joined as names."""
    active, frame = set(), state.frame
    while frame is not None:
        active.add(id(frame))
        frame = frame.caller  # type: ignore[assignment]
    return active


def _held(atom: Any, active: set[int], seen: set[int]) -> Iterator[Atom]:
    """Every atom that one holds, itself if it is a value."""
    if isinstance(atom, Value):
        yield atom
    if not isinstance(atom, Const) or id(atom.value) in seen:
        return
    seen.add(id(atom.value))
    match atom.value:
        case Choice(_, then, orelse):
            inner = [then, orelse]
        case Partial(callee, args, keywords):
            inner = [callee, *args, *keywords.values()]
        case Method(_, owner):
            inner = [owner]
        case LocalFunction(_, frame, defaults):
            inner = [*defaults.values(), *_of_frames(frame, active)]
        case _:
            return
    for part in inner:
        yield from _held(part, active, seen)


def _of_frames(frame: Frame | None, active: set[int]) -> list[Any]:
    """What the functions inside a call that has ended may read of it, and of those around it."""
    found: list[Any] = []
    while frame is not None and id(frame) not in active:
        found += [a for name, a in frame.env.items() if name in frame.captured]
        frame = frame.parent
    return found


def moved_out(state: Lowering, function: Atom, table: Mapping[Value, Binding]) -> Any:
    """The same function, which holds other values."""
    return _moved(function, table, _active(state), {}) if table else function


def _moved(
    atom: Any, table: Mapping[Value, Binding], active: set[int], frames: dict[int, Frame]
) -> Any:
    def of(part: Any) -> Any:
        return _moved(part, table, active, frames)

    if isinstance(atom, Value):
        return table.get(atom, atom)
    match atom.value if isinstance(atom, Const) else None:
        case Choice(test, then, orelse):
            return Const(Choice(test, of(then), of(orelse)))
        case Partial(callee, args, keywords):
            named = {key: of(part) for key, part in keywords.items()}
            return Const(Partial(of(callee), [of(part) for part in args], named))
        case Method(method, owner):
            return Const(Method(method, of(owner)))
        case LocalFunction(_, frame, defaults) as function:
            given = {key: of(part) for key, part in defaults.items()}
            inside = _moved_frame(frame, table, active, frames)
            return Const(replace(function, frame=inside, defaults=given))
    return atom


def _moved_frame(
    frame: Frame, table: Mapping[Value, Binding], active: set[int], frames: dict[int, Frame]
) -> Frame:
    if id(frame) in active or (frame.parent is None and not frame.captured):
        return frame
    if id(frame) not in frames:
        copied = frames[id(frame)] = replace(frame, env={})
        copied.env.update({k: _moved(a, table, active, frames) for k, a in frame.env.items()})
        if frame.parent is not None:
            copied.parent = _moved_frame(frame.parent, table, active, frames)
    return frames[id(frame)]
