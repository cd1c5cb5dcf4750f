"""Programs whose arguments and results are objects of the classes in `preludes.py`.

    def of_objects(p, y): ...                  the program as it is drawn
    def made(p, y): return (Point(*p), y)      its arguments from plain data
    def f(p, y): ...                           the same program of plain data, also its result

So `f` is held to the references like any program, and the derivatives of `of_objects`, objects
again, to those of `f`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tangent_like as tl
from tests.derivatives import check_close, check_exact, direction, floats, numbers

OBJECTS = ["point", "box", "state"]
NAME = "of_objects"
_MADE = {
    "point": "Point(*{0})", "box": "Box({0}[0], Point(*{0}[1]), {0}[2])", "state": "State(*{0})",
}  # fmt: skip
_OPENED = {
    "point": "({0}.u, {0}.v)", "box": "({0}.items, ({0}.point.u, {0}.point.v), {0}.named)",
    "state": "({0}.pos, {0}.vel, {0}.log)",
}  # fmt: skip


def _of_kind(forms: dict[str, str], kind: str, name: str) -> str:
    return forms.get(kind, "{0}").format(name)


def frame(parameters: dict[str, str], result: str) -> list[str]:
    """The functions around `of_objects`, of which `f` is the last."""
    given = ", ".join(parameters)
    made, opened = (
        ", ".join(_of_kind(forms, kind, name) for name, kind in parameters.items())
        for forms in (_MADE, _OPENED)
    )
    return [
        f"def made({given}):\n    return ({made},)",
        f"def opened({given}):\n    return ({opened},)",
        f"def result_made(q):\n    return {_of_kind(_MADE, result, 'q')}",
        f"def result_opened(q):\n    return {_of_kind(_OPENED, result, 'q')}",
        f"def f({given}):\n    return result_opened({NAME}(*made({given})))",
    ]


def check_objects(f: Callable[..., Any], args: Sequence[Any]) -> None:
    """The derivatives of `of_objects`, if there is one, beside those of `f`."""
    module = f.__globals__  # type: ignore[attr-defined]
    if NAME not in module:
        return
    inner, objects = module[NAME], module["made"](*args)
    value, pullback = tl.vjp(f, *args)
    u, v = direction(floats(tuple(args)), 1), direction(floats(value), 2)

    found, tangent = tl.jvp(inner, objects, module["made"](*u))
    check_exact(module["result_opened"](found), value, "the value of objects")
    _check_alike(module["result_opened"](tangent), tl.jvp(f, tuple(args), u)[1], "tangent")

    found, back = tl.vjp(inner, *objects)
    cotangents = back(module["result_made"](v))
    if any(type(c) is not type(x) for c, x in zip(cotangents, objects) if not np.isscalar(x)):
        raise AssertionError(f"the cotangents of {objects} are {cotangents}")
    _check_alike(module["opened"](*cotangents), pullback(v), "cotangent")


def _check_alike(got: Any, want: Any, what: str) -> None:
    check_close(np.asarray(numbers(got)), numbers(want), 1e-10, f"the {what} of objects")
