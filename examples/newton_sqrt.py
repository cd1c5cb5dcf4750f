"""The derivative of Newton's square root: through a loop that stops when it has converged.

    python examples/newton_sqrt.py
"""

import math

import tangent_like as tl


def newton_sqrt(a: float, x: float):
    """The square root of `a`, from the guess `x`."""
    for _ in range(50):
        better = 0.5 * (x + a / x)
        if abs(better - x) < 1e-14 * better:
            break
        x = better
    return x


def main():
    print("      a    newton_sqrt     derivative     1/(2√a)        second      -1/(4 a√a)")
    derivative = tl.grad(newton_sqrt)
    second = tl.derivative(newton_sqrt, order=2)
    for a in (0.25, 2.0, 10.0, 1e4):
        value, slope, bend = newton_sqrt(a, 1.0), derivative(a, 1.0), second(a, 1.0)
        exact, exact_bend = 0.5 / math.sqrt(a), -0.25 / (a * math.sqrt(a))
        print(f"{a:8g}{value:14.8f}{slope:14.8f}{exact:14.8f}{bend:15.6e}{exact_bend:15.6e}")
        assert math.isclose(value, math.sqrt(a), rel_tol=1e-12)
        assert math.isclose(slope, exact, rel_tol=1e-6)

    print("\nReverse mode:\n")
    print(tl.source(newton_sqrt, wrt="a"))


if __name__ == "__main__":
    main()
