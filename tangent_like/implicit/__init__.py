"""Derivatives of solutions: of equations by the implicit function theorem, of differential
equations by the adjoint method.

    x = root(f, x0, (a,))     ──▶     x = root(residual, x0, (a,))
                                      x = implicit_root(residual, x, (a,))

The function that is solved becomes a procedure of the generated module, whose arguments are those
of the call and what it captures.  The solver itself counts as constant; a second operation, the
identity, carries the derivative.  That is made of procedures derived from the first one and
of operations of the same kind, so higher orders need nothing of their own.
"""

from tangent_like.implicit import calls as calls
from tangent_like.implicit import equations as equations
from tangent_like.implicit import trajectories as trajectories
