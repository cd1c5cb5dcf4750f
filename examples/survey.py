"""The running example of Baydin, Pearlmutter, Radul and Siskind, "Automatic differentiation in
machine learning: a survey" (2018), tables 2 and 3: the function ln x1 + x1 x2 − sin x2 at (2, 5).

    python examples/survey.py
"""

import math

import tangent_like as tl


def f(x1: float, x2: float):
    return math.log(x1) + x1 * x2 - math.sin(x2)


def main():
    value, gradient = tl.value_and_grad(f, wrt=("x1", "x2"))(2.0, 5.0)
    print(f"f(2, 5) = {value:.4f}")
    print(f"gradient = ({gradient[0]:.4f}, {gradient[1]:.4f})")
    assert round(value, 4) == 11.6521
    assert math.isclose(gradient[0], 1 / 2 + 5)
    assert math.isclose(gradient[1], 2 - math.cos(5))

    print("\nThe function as a list of single operations (Wengert list):\n")
    print(tl.wengert(f))
    print("\nForward mode, the tangent of each operation beside it:\n")
    print(tl.source(f, "tangent"))
    print("\nReverse mode, the adjoints from the result back to the inputs:\n")
    print(tl.source(f))


if __name__ == "__main__":
    main()
