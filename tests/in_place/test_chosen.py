"""Writing into an array that the function has chosen from several at run time."""

import numpy as np
import pytest

from tests.derivatives import assert_derivatives, define

X = np.array([0.7, -1.3, 2.1, 0.4])

HELPERS = """
def pick(a, b, c):
    if c > 0:
        return a
    return b

def early(a, b, c):
    a[3] = b[0] * 2.0
    if c > 0:
        return a
    b[3] = a[0] * 2.0
    return b
"""

BODIES = {
    "conditional expression": """
    y = x * 1.0
    z = x * 2.0
    v = y if c > 0 else z
    v[0] = x[1] ** 2
    return np.sum(y * y) + np.sum(z * v)""",
    "an argument or its copy": """
    y = x if c > 0 else x.copy()
    y[0] = x[1] ** 2
    return np.sum(y * x)""",
    "views of chosen": """
    y = np.outer(x, x)
    z = y * 2.0
    if c > 0:
        v = y[1:]
    else:
        v = z.T[:3]
    w = v[:, 1]
    w *= x[:3]
    v[0] += w[1]
    return np.sum(y ** 2) + np.sum(z ** 2) * x[1] + np.sum(v * w[:, None])""",
    "in a loop": """
    y = x * 1.0
    z = x * 2.0
    v = y if c > 0 else z
    for k in range(4):
        v[k] *= z[k - 1] + y[k]
        y[k] += v[k - 2]
    return np.sum(y * y) + np.sum(z * v)""",
    "branch in a loop": """
    y = x * 1.0
    z = x * 2.0
    for k in range(4):
        if y[k] > c:
            v = y
        else:
            v = z
        v[k - 1] *= y[k] * z[k] + 1.0
    return np.sum(y * y) + np.sum(z)""",
    "an old or a new array": """
    y = x * 1.0
    if c > 0:
        v = y[:3]
    else:
        v = x[:3] * 3.0
    v[0] = x[1] ** 2
    y[1] *= v[0]
    return np.sum(y * y) + np.sum(v ** 2)""",
    "two names": """
    y = x * 1.0
    z = x * 2.0
    if c > 0:
        v, w = (y, z)
    else:
        v, w = (z, y)
    v[0] = w[1] * x[2]
    w[2] *= v[0]
    return np.sum(y * y * y) + np.sum(z * v) * np.sum(w)""",
    "one side": """
    y = x * 1.0
    if c > 0:
        v = y[1:]
    if c > 0:
        v[0] = x[0] ** 3
    return np.sum(y * y * y)""",
    "swap": """
    y = x * 1.0
    z = x * 2.0
    a, b = (y, z)
    if c > 0:
        a, b = (b, a)
    a[0] = b[1] ** 2
    b *= a[0]
    return np.sum(y * y * y) + np.sum(z * z)""",
    "swap back": """
    y = x * 1.0
    z = x * 2.0
    if c > 0:
        y, z = (z, y)
    y[0] = z[1] ** 2
    z *= y[0]
    return np.sum(y * y * y) + np.sum(z * z)""",
    "callee": """
    y = x * 1.0
    z = x * 2.0
    v = pick(y, z, c)
    v[0] = y[1] * z[1]
    return np.sum(y ** 3) + np.sum(z ** 2) * v[0]""",
    "returned early": """
    y = x * 1.0
    z = x * 2.0
    v = early(y, z, c)
    v[0] = y[1] * z[1]
    return np.sum(y ** 3) + np.sum(z ** 2) * v[0]""",
    "add at": """
    y = x * 1.0
    z = x * 2.0
    v = y if c > 0 else z
    np.add.at(v, [0, 0, 1], x[1:])
    return np.sum(y ** 3) + np.sum(z ** 2) * v[0]""",
    "stored between": """
    y = x * 1.0
    z = x * 2.0
    v = y if c > 0 else z
    y[1] = x[0] ** 2
    z[1] = x[0] ** 3
    v[2] = v[1] * 2.0
    if x[1] < 0:
        z[3] = v[2]
    return np.sum(y ** 3) + np.sum(z ** 2) * v[0] + v[3]""",
    "index in the branch": """
    y = x * 1.0
    if c > 0:
        k = int(c) + 1
        v = y[k:]
    else:
        v = y[:2]
    v[0] = x[0] ** 2
    return np.sum(v ** 3)""",
    "elif": """
    y, z, w = x * 1.0, x * 2.0, x * 3.0
    for k in range(3):
        if x[k] > c:
            v = y
        elif z[k] > 0.5:
            v = z[::-1]
        else:
            v = w
        v[k] = np.sin(y[k + 1] * w[k])
        z *= v[0]
    return np.sum(y ** 3) + np.sum(z ** 2) * w[0]""",
    "expressions inside one another": """
    y, z, w = x * 1.0, x * 2.0, x * 3.0
    v = y if c > 0 else z[1:] if x[0] > 0 else w
    v[0] = x[0] ** 2
    w[2] *= v[1]
    return np.sum(y ** 3) + np.sum(z ** 2) * np.sum(w * v[0])""",
    "tuples in an expression": """
    y, z = x * 1.0, x * 2.0
    a, b = (y, z) if c > 0 else (z[:3], y)
    a[0] = b[1] ** 2
    b *= a[0]
    return np.sum(y ** 3) + np.sum(z ** 2) * np.sum(a)""",
    "a list that an expression chose": """
    y, z = x * 1.0, x * 2.0
    pair = [y, z] if c > 0 else [z, y]
    pair[0][0] = pair[1][1] ** 2
    pair[1] *= z[0]
    return np.sum(y ** 3) + np.sum(z ** 2)""",
    "while": """
    y = x * 1.0
    z = x * 2.0
    k = 0
    while k < 3:
        v = y if z[k] > c else z
        v[k] = np.sin(z[k] * y[k + 1])
        k += 1
    return np.sum(y ** 3) + np.sum(z ** 2)""",
}


@pytest.mark.parametrize("c", [1.0, -0.5])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_chosen_arrays(body, c):
    f = define(f"{HELPERS}\ndef f(x, c):{body}\n", "f", np=np)
    assert_derivatives(f, X, c, wrt=0)
