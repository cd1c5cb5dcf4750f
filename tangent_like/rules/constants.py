"""Functions whose derivative is zero wherever it exists, by declaration."""

from __future__ import annotations

import builtins
import math
import operator

import numpy as np

from tangent_like import runtime
from tangent_like.infer import texts
from tangent_like.rules.registry import constant, named

constant(
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
    operator.not_, operator.is_, operator.is_not, operator.contains, operator.floordiv,
    operator.and_, operator.or_, operator.xor, operator.invert, operator.lshift, operator.rshift,
    operator.truth, operator.index, operator.inv, operator.countOf, operator.indexOf,
    operator.length_hint,
)  # fmt: skip
constant(*texts.METHODS.values())
constant(runtime.keys_of, runtime.zero_at)
constant(
    *named(
        builtins,
        "len", "range", "isinstance", "issubclass", "bool", "int", "round", "str", "repr", "type",
        "hasattr", "callable", "any", "all", "id", "hash", "print", "slice", "ord", "chr",
        "format",
    )
)  # fmt: skip
constant(
    *named(
        math,
        "ceil", "floor", "trunc", "isnan", "isinf", "isfinite", "isclose", "factorial", "comb",
        "perm", "gcd", "lcm", "isqrt", "ulp",
    )
)  # fmt: skip
constant(
    *named(
        np,
        "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isclose",
        "allclose", "array_equal", "array_equiv", "logical_and", "logical_or", "logical_xor",
        "logical_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "iscomplex",
        "isrealobj", "iscomplexobj", "isscalar", "isnat", "iterable", "signbit", "all", "any",
        "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "bitwise_count", "left_shift",
        "right_shift", "gcd", "lcm",
        "floor", "ceil", "trunc", "rint", "fix", "round", "around", "floor_divide", "spacing",
        "argmax", "argmin", "nanargmax", "nanargmin", "argsort", "argpartition", "lexsort",
        "argwhere", "nonzero", "flatnonzero", "count_nonzero", "searchsorted", "digitize",
        "isin", "in1d",
        "shape", "ndim", "size", "result_type", "can_cast", "promote_types", "min_scalar_type",
        "common_type", "dtype", "finfo", "iinfo", "shares_memory", "may_share_memory",
        "zeros", "ones", "empty", "zeros_like", "ones_like", "empty_like", "eye", "identity",
        "tri", "indices", "unravel_index", "ravel_multi_index", "ix_", "mask_indices",
        "tril_indices", "triu_indices", "tril_indices_from", "triu_indices_from", "diag_indices",
        "diag_indices_from", "broadcast_shapes", "ndindex", "hanning", "hamming",
        "blackman", "bartlett", "array2string", "array_repr", "array_str",
        "format_float_positional", "isdtype", "issubdtype", "isfortran",
        "errstate", "seterr", "geterr", "einsum_path",
        "base_repr", "binary_repr", "typename", "mintypecode", "format_float_scientific",
        "packbits", "unpackbits", "busday_count", "busday_offset", "is_busday", "busdaycalendar",
        "datetime_as_string", "datetime_data", "datetime64", "timedelta64",
        "bool_", "character", "bytes_", "str_", "void", "flexible", "integer", "signedinteger",
        "unsignedinteger",
        *(kind + size for kind in ("int", "uint") for size in ("8", "16", "32", "64")),
        "byte", "short", "intc", "int_", "intp", "long", "longlong", "ubyte", "ushort", "uintc",
        "uint", "uintp", "ulong", "ulonglong",
    )
)  # fmt: skip
constant(*named(np.linalg, "matrix_rank"))
