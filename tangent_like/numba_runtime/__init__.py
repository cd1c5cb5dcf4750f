"""What derivatives compiled by Numba may call; loaded only where they are.

`reductions`, `products` and `stacks` hold functions of NumPy that Numba lacks, in the forms that
derivatives use.  `helpers`, `memory` and `special` give those of `tangent_like.runtime` to Numba.
"""

from tangent_like.numba_runtime import helpers, memory, products, reductions, special, stacks

__all__ = ["helpers", "memory", "products", "reductions", "special", "stacks"]
