"""What derivatives compiled by Numba may call; loaded only where they are.

`reductions` and `products` hold functions of NumPy that Numba lacks, in the forms that derivatives
use.  `helpers` and `special` give those of `tangent_like.runtime` to Numba.
"""

from tangent_like.numba_runtime import helpers, products, reductions, special

__all__ = ["helpers", "products", "reductions", "special"]
