"""Electrical networks, solved by elimination on lists of rows that are swapped."""

import math

from tests.derivatives import assert_derivatives_in_turn


class Singular(ArithmeticError):
    pass


def solve(matrix, right):
    """Gauss with pivots, on copies of the rows."""
    rows = [row[:] + [b] for row, b in zip(matrix, right)]
    n = len(rows)
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i][k]))
        if abs(rows[pivot][k]) < 1e-12:
            raise Singular(f"column {k}")
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(k + 1, n):
            factor = rows[i][k] / rows[k][k]
            for j in range(k, n + 1):
                rows[i][j] -= factor * rows[k][j]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - sum(rows[i][j] * x[j] for j in range(i + 1, n))) / rows[i][i]
    return x


class Netlist:
    """Resistors, sources and diodes between numbered nodes, of which 0 is earth."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.elements = []

    def resistor(self, a, b, ohms):
        self.elements.append(("R", a, b, ohms))
        return self

    def source(self, a, b, amperes):
        self.elements.append(("I", a, b, amperes))
        return self

    def diode(self, a, b, saturation=1e-3):
        self.elements.append(("D", a, b, saturation))
        return self

    def stamp(self, voltages):
        """The matrix and right side of Newton's method around these voltages."""
        n = self.nodes
        G = [[0.0 for _ in range(n)] for _ in range(n)]
        current = [0.0] * n

        def conduct(a, b, g):
            for i, j, sign in ((a, a, 1.0), (b, b, 1.0), (a, b, -1.0), (b, a, -1.0)):
                if i > 0 and j > 0:
                    G[i - 1][j - 1] += sign * g

        def inject(a, b, amperes):
            if a > 0:
                current[a - 1] -= amperes
            if b > 0:
                current[b - 1] += amperes

        for kind, a, b, value in self.elements:
            if kind == "R":
                conduct(a, b, 1.0 / value)
            elif kind == "I":
                inject(a, b, value)
            else:
                across = (voltages[a - 1] if a else 0.0) - (voltages[b - 1] if b else 0.0)
                slope = value / 0.1 * math.exp(across / 0.1)
                conduct(a, b, slope)
                inject(a, b, value * (math.exp(across / 0.1) - 1.0) - slope * across)
        return G, current

    def operating_point(self, steps=12):
        voltages = [0.1] * self.nodes
        for _ in range(steps):
            previous = voltages
            voltages = solve(*self.stamp(voltages))
            if max(abs(a - b) for a, b in zip(voltages, previous)) < 1e-12:
                break
        return voltages


def ladder(r, s, amperes):
    net = Netlist(3).source(0, 1, amperes)
    net.resistor(1, 2, r).resistor(2, 0, s).resistor(2, 3, r * s).resistor(3, 0, 1.0)
    v = net.operating_point()
    return v[0] * v[2] + v[1]


def rectifier(r, amperes):
    net = Netlist(2).source(0, 1, amperes).resistor(1, 2, r).diode(2, 0).resistor(2, 0, 50.0)
    return sum(v * v for v in net.operating_point())


def needs_swaps(a, b):
    x, y, z = solve([[0.0, a, 1.0], [2.0, b, a], [a, 1.0, a * b]], [1.0, b, a])
    return x + y * z


def determinant(a, n):
    """By the same elimination, with the sign of the swaps; the size is known only at run time."""
    m = [[math.sin(a * (i + 1) * (j + 2) ** 1.5) for j in range(n)] for i in range(n)]
    sign = 1.0
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(m[i][k]) > abs(m[p][k]):
                p = i
        if p != k:
            m[k], m[p] = m[p], m[k]
            sign = -sign
        for i in range(k + 1, n):
            factor = m[i][k] / m[k][k]
            for j in range(k, n):
                m[i][j] -= factor * m[k][j]
    for k in range(n):
        sign *= m[k][k]
    return sign


def test_a_ladder_of_resistors():
    assert_derivatives_in_turn(ladder, 2.0, 3.0, 0.5, wrt=(0, 1, 2), turn=0)


def test_a_diode():
    assert_derivatives_in_turn(rectifier, 10.0, 0.3, wrt=(0, 1), turn=1)


def test_rows_that_are_swapped():
    assert_derivatives_in_turn(needs_swaps, 0.7, 1.3, wrt=(0, 1), turn=2)


def test_a_determinant_of_unknown_size():
    assert_derivatives_in_turn(determinant, 0.7, 4, wrt=(0,), turn=3)
