"""Matrices that are zero but for some diagonals."""

from __future__ import annotations

from typing import Any

from numba import types

from tangent_like.numba_runtime.writing import function_from, implements, nested
from tangent_like.stack_runtime import from_diagonals


@implements(from_diagonals)
def _from_diagonals(
    rows: Any, columns: Any, offsets: Any, diagonals: Any, begins: Any = None
) -> Any:
    if not isinstance(diagonals, types.BaseTuple):
        return None
    lines = [
        "def written(rows, columns, offsets, diagonals, begins=None):",
        "    height, width = len(rows), len(columns)",
        "    entries = np.zeros((height, width))",
    ]
    for k, diagonal in enumerate(list(diagonals)):  # type: ignore[call-overload]
        is_array = isinstance(diagonal, types.Array)
        begin = f"begins[{k}]" if isinstance(begins, types.BaseTuple) else "0"
        lines.append(f"    begin{k} = {begin}")
        count = f"len(diagonals[{k}])" if is_array else f"height - begin{k}"
        value = f"diagonals[{k}][i]" if is_array else f"diagonals[{k}]"
        body = [
            f"if 0 <= begin{k} + i + offsets[{k}] < width:",
            f"    entries[begin{k} + i, begin{k} + i + offsets[{k}]] = {value}",
        ]
        lines += nested([("i", count)], body)
    return function_from([*lines, "    return entries"])
