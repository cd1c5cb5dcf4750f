"""Public functions of NumPy and Python that are not differentiated: why, and what to write instead.

They are refused where a number with a derivative reaches them; of other numbers they are called as
they are.  The reasons are what an error and the list of functions in the documentation say.
"""

from __future__ import annotations

import operator

import numpy as np

from tangent_like.rules.registry import Refusal, named, refuse

refuse(
    *named(operator, "setitem", "delitem", "iadd", "iand", "iconcat", "ifloordiv", "ilshift",
           "imatmul", "imod", "imul", "ior", "ipow", "irshift", "isub", "itruediv", "ixor"),
    reason="writes into its operand",
    instead="assign to elements, `x[i] = y`, or build a new array",
)  # fmt: skip
refuse(
    *named(np, "fromfunction", "apply_over_axes",
           "frompyfunc", "fromiter", "nditer", "nested_iters", "broadcast", "flatiter",
           "ndenumerate"),
    *named(operator, "call", "attrgetter", "itemgetter", "methodcaller"),
    reason="calls a function, or visits elements, out of the compiler's sight",
    instead="write the loop, the call or the index out",
)  # fmt: skip
refuse(
    *named(np, "matrix", "asmatrix", "bmat", "recarray", "record", "memmap", "poly1d", "ndarray",
           "ufunc", "generic", "number", "inexact", "floating", "complexfloating", "object_"),
    reason="makes or is a kind of array that the compiler does not know",
    instead="use plain arrays: np.array, np.asarray, np.block, np.polyval",
)  # fmt: skip
refuse(
    *named(np, "save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "genfromtxt",
           "fromfile", "fromregex", "fromstring", "frombuffer", "from_dlpack"),
    reason="reads or writes what lies outside of the function",
    instead="do it before or after the differentiated function",
)  # fmt: skip
refuse(
    *named(np, "test", "info", "show_config", "show_runtime", "get_include", "set_printoptions",
           "get_printoptions", "printoptions", "setbufsize", "getbufsize", "seterrcall",
           "geterrcall"),
    *named(np.linalg, "test"),
    reason="reads or changes NumPy's settings",
    instead="do it outside of the differentiated function",
)  # fmt: skip
refuse(
    *named(np, "unique_values", "unique_all", "unique_counts", "unique_inverse", "union1d",
           "intersect1d", "setdiff1d", "setxor1d", "trim_zeros"),
    reason="which elements it keeps depends on their values",
    instead="choose elements by np.unique, or by a mask: `x[mask]`",
)  # fmt: skip
refuse(
    *named(np, "poly", "polydiv"),
    reason="its coefficients come of a recurrence that has no rule here",
    instead="multiply the factors with np.polymul; divide by solving for the coefficients",
)
refuse(
    *named(np, "histogram2d", "histogramdd"),
    reason="counts, but its edges vary with the numbers",
    instead="count with np.bincount",
)
refuse(operator.concat, reason="joins sequences of any kind", instead="write `a + b`")

# --- methods and attributes of arrays ---------------------------------------------------------

_IN_PLACE = Refusal("writes into the array", "build a new array, with the function of that name")
_MEMORY = Refusal("tells about memory, not about numbers", "use the array itself")
_FILES = Refusal("turns numbers into bytes", "do it outside of the differentiated function")
_REMOVED = Refusal("only says that NumPy 2 lacks it", "use the function of that name")

METHODS: dict[str, Refusal] = {
    **dict.fromkeys(("resize", "setfield"), _IN_PLACE),
    **dict.fromkeys(("base", "ctypes", "data", "device", "flags", "strides", "setflags", "view",
                     "getfield", "byteswap", "to_device"), _MEMORY),
    **dict.fromkeys(("dump", "dumps", "tobytes", "tofile"), _FILES),
    **{name: _REMOVED for name in ("itemset", "newbyteorder", "ptp", "tostring")
       if hasattr(np.ndarray, name)},
    "tolist": Refusal("makes a list of a length that is not known", "use the array itself"),
}  # fmt: skip
"""Methods and attributes of arrays that are refused, by name."""
