"""Names that a loop binds to arrays from around it, which it writes into."""

import numpy as np
import pytest

from tests.derivatives import assert_derivatives, define

X = np.array([0.7, -1.3, 2.1, 0.4])

BODIES = {
    "two names of one array": """
    y = x * 1.0
    p, q = y, y
    for k in range(n):
        p[k] *= q[k - 1]
        p, q = q, p
    return np.sum(p * q * x)""",
    "with itself": """
    y = x * 1.0
    z, s = y, 0.0
    for _ in range(n):
        y[1] = np.sin(x[0])
        s = np.sum(z)
        for _ in range(n):
            z, y = y, z
    return s""",
    "after an inner loop that writes": """
    y = np.sin(x)
    z = y
    for _ in range(n):
        for _ in range(2):
            z[z > 0.4] = 0.2
            z -= np.sin(y)
        x, y = y, x
    return np.sum(z) * 1.5 + np.sum(x * y)""",
    "parts of one array": """
    y = x * 1.0
    p, q = y[1:], y[:-1]
    for k in range(n):
        p[k] *= q[k - 1]
        p, q = q, p
        if y[0] > 5.0:
            break
    p[0] *= 2.0
    return np.sum(y * x) + p[0] * q[1]""",
    "by a test": """
    y, z = x * 1.0, x * 2.0
    p, q = y, z
    for k in range(n):
        p[k] *= q[k - 1]
        y[2] *= 1.5
        if x[k] > 0.0:
            p, q = q, p
            continue
        q[0] += z[1]
    return np.sum(y * x) + np.sum(z * p)""",
    "three in a ring": """
    y, z, w = x * 1.0, x * 2.0, np.sin(x)
    a, b, c = y, z[::-1], w
    k = 0
    while k < n:
        a[k] = b[k + 1] * w[1]
        a, b, c = b, c, a
        k += 1
    return np.sum(y * z) + np.sum(w * w * a)""",
    "one that another loop has chosen": """
    y, z = x * 1.0, x * 2.0
    p = y
    for k in range(n):
        if z[k] > 1.0:
            p = z
    for k in range(n):
        p[k] *= z[3 - k]
        if k == 1:
            p = y
    return np.sum(y * z * z)""",
    "of a display, left early": """
    y = x * 1.0
    for r in (y, y):
        if y[0] > 3.0 * n:
            return np.sum(y)
        r *= x
    return np.sum(y * y)""",
    "a new array in one of them": """
    y = x * 1.0
    p, q, s = y, y, y * 2.0
    for k in range(n):
        p[k] *= q[k - 1] * s[k]
        p, q = q, p
        s = s * 1.5
    return np.sum(p * q * s)""",
}


LISTS = {
    "items written, and the list": """
    kept = [x * 1.0]
    for _ in range(n):
        kept.append(np.sin(x + kept[-1]))
    for r in kept:
        r[1:] = np.sin(x[0])
        kept[-1][2] *= r[1]
    return np.sum(kept[0] * kept[-1])""",
    "numbered, left early": """
    kept = [r * x[0] for r in np.outer(x, x)]
    for k, r in enumerate(kept):
        r[k] = x[k]
        kept[0] *= 0.5
        if k == n:
            break
    return np.sum(kept[0] * kept[-1])""",
}


@pytest.mark.parametrize("body", LISTS.values(), ids=LISTS.keys())
def test_items_of_a_list_that_share_no_memory(body):
    f = define(f"def f(x, n):{body}\n", "f", np=np)
    assert_derivatives(f, X, 2, wrt=0)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_names_that_turn(body):
    f = define(f"def f(x, n):{body}\n", "f", np=np)
    for n in (0, 3):
        assert_derivatives(f, X, n, wrt=0)


def rows_exchanged_with_a_vector(x, m):
    row = x[2]
    for _ in range(3):
        row, m = m, row
    x[-1, 0] **= 2
    return np.sum(m) + np.sum(x)


def test_a_row_exchanged_with_an_argument():
    x = np.arange(1.0, 13.0).reshape(3, 4) / 7
    assert_derivatives(rows_exchanged_with_a_vector, x, np.ones(4))
