"""The logistic map x ↦ r x (1 − x): how fast two orbits part, from the derivative of a loop.

The Lyapunov exponent is the mean of ln |dx_n/dx_0| / n; at r = 4 it is ln 2.

    python examples/logistic_map.py
"""

import math

import tangent_like as tl


def logistic_map(r: float, x: float, n: int):
    """The state after n steps."""
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


def escape_time(r: float, x: float, n: int):
    """The first state above 0.9, or the last one."""
    for _ in range(n):
        x = r * x * (1.0 - x)
        if x > 0.9:
            return x
    return x


def lyapunov(r, x, n):
    """ln |dx_n/dx_0| / n."""
    return math.log(abs(tl.grad(logistic_map, wrt="x")(r, x, n))) / n


def main():
    print("   r     exponent")
    for r in (2.8, 3.2, 3.5, 3.7, 4.0):
        exponent = sum(lyapunov(r, x0, 400) for x0 in (0.11, 0.23, 0.31, 0.42)) / 4
        print(f"{r:5.2f}{exponent:12.5f}   {'chaos' if exponent > 0 else 'order'}")
    assert abs(exponent - math.log(2)) < 0.02

    r, x, n = 3.7, 0.2, 30
    step = 1e-9
    for f in (logistic_map, escape_time):
        value, (dr, dx) = tl.value_and_grad(f, wrt=("r", "x"))(r, x, n)
        difference = (f(r + step, x, n) - f(r - step, x, n)) / (2 * step)
        print(f"\n{f.__name__}({r}, {x}, {n}) = {value:.6f}")
        print(f"  by r {dr:.5f}, by x {dx:.5f}; difference quotient by r {difference:.5f}")
        forward = tl.jvp(f, (r, x, n), (1.0, 0.0, 0))[1]
        assert math.isclose(dr, forward, rel_tol=1e-9)
        assert math.isclose(dr, difference, rel_tol=1e-4)

    print("\nReverse mode:\n")
    print(tl.source(logistic_map, wrt=("r", "x")))


if __name__ == "__main__":
    main()
