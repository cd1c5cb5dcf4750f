"""What derivatives compiled by Numba may call; loaded only where they are.

`reductions`, `products` and `stacks` hold functions of NumPy that Numba lacks, in the forms that
derivatives use.  `bands`, `checks`, `decompositions`, `elements`, `helpers`, `lists`, `memory` and
`special` give those of `tangent_like.runtime` and its like to Numba.
"""

from tangent_like.numba_runtime import (
    bands,
    checks,
    decompositions,
    elements,
    helpers,
    lists,
    memory,
    products,
    reductions,
    special,
    stacks,
)

__all__ = [
    "bands", "checks", "decompositions", "elements", "helpers", "lists", "memory", "products",
    "reductions", "special", "stacks",
]  # fmt: skip
