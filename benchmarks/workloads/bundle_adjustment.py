"""W7: residuals of bundle adjustment, 10,000 observations at once, a 2×15 block of each.

The arguments are columns: one array for each of the 15 parameters of an observation (rotation 3,
centre 3, focal length, principal point 2, distortion 2, point 3, weight) and for the two
coordinates that were observed.
"""

import numpy as np

import tangent_like as tl
from benchmarks.problem import Problem


def residuals(r1, r2, r3, c1, c2, c3, f, u0, v0, k1, k2, x, y, z, w, u, v):
    theta = np.sqrt(r1 * r1 + r2 * r2 + r3 * r3)
    sine, cosine = np.sin(theta), np.cos(theta)
    n1, n2, n3 = r1 / theta, r2 / theta, r3 / theta
    p1, p2, p3 = x - c1, y - c2, z - c3
    turned = (n1 * p1 + n2 * p2 + n3 * p3) * (1.0 - cosine)
    q1 = p1 * cosine + (n2 * p3 - n3 * p2) * sine + n1 * turned
    q2 = p2 * cosine + (n3 * p1 - n1 * p3) * sine + n2 * turned
    q3 = p3 * cosine + (n1 * p2 - n2 * p1) * sine + n3 * turned
    a, b = q1 / q3, q2 / q3
    s = a * a + b * b
    scale = f * (1.0 + s * (k1 + s * k2))
    return w * (a * scale + u0 - u), w * (b * scale + v0 - v)


def by_hand(r1, r2, r3, c1, c2, c3, f, u0, v0, k1, k2, x, y, z, w, u, v):
    theta = np.sqrt(r1 * r1 + r2 * r2 + r3 * r3)
    sine, cosine = np.sin(theta), np.cos(theta)
    inverse = 1.0 / theta
    n1, n2, n3 = r1 * inverse, r2 * inverse, r3 * inverse
    p1, p2, p3 = x - c1, y - c2, z - c3
    along = n1 * p1 + n2 * p2 + n3 * p3
    rest = 1.0 - cosine
    turned = along * rest
    x1, x2, x3 = n2 * p3 - n3 * p2, n3 * p1 - n1 * p3, n1 * p2 - n2 * p1
    q1 = p1 * cosine + x1 * sine + n1 * turned
    q2 = p2 * cosine + x2 * sine + n2 * turned
    q3 = p3 * cosine + x3 * sine + n3 * turned
    depth = 1.0 / q3
    a, b = q1 * depth, q2 * depth
    s = a * a + b * b
    factor = 1.0 + s * (k1 + s * k2)
    scale = f * factor
    growth = 2.0 * f * (k1 + 2.0 * s * k2)
    mixed = w * growth * a * b
    rows = []
    for ba, bb, t, offset in (
        (w * (scale + growth * a * a), mixed, a, u0 - u),
        (mixed, w * (scale + growth * b * b), b, v0 - v),
    ):
        bq1, bq2 = ba * depth, bb * depth
        bq3 = -(a * bq1 + b * bq2)
        spread = bq1 * n1 + bq2 * n2 + bq3 * n3
        bturned = spread * rest
        s1, s2, s3 = bq1 * sine, bq2 * sine, bq3 * sine
        bp1 = bq1 * cosine + n3 * s2 - n2 * s3 + bturned * n1
        bp2 = bq2 * cosine + n1 * s3 - n3 * s1 + bturned * n2
        bp3 = bq3 * cosine + n2 * s1 - n1 * s2 + bturned * n3
        btheta = (
            cosine * (bq1 * x1 + bq2 * x2 + bq3 * x3)
            - sine * (bq1 * p1 + bq2 * p2 + bq3 * p3 - along * spread)
        )  # fmt: skip
        bn1 = p2 * s3 - p3 * s2 + bturned * p1 + bq1 * turned
        bn2 = p3 * s1 - p1 * s3 + bturned * p2 + bq2 * turned
        bn3 = p1 * s2 - p2 * s1 + bturned * p3 + bq3 * turned
        radial = btheta - (bn1 * n1 + bn2 * n2 + bn3 * n3) * inverse
        wt = w * t
        wtf = wt * f * s
        rows.append((
            bn1 * inverse + radial * n1, bn2 * inverse + radial * n2, bn3 * inverse + radial * n3,
            -bp1, -bp2, -bp3, wt * factor, w, wtf, wtf * s, bp1, bp2, bp3, t * scale + offset,
        ))  # fmt: skip
    none = np.zeros_like(w)
    blocks = []
    for k, row in enumerate(rows):
        first, second = (row[7], none) if k == 0 else (none, row[7])
        blocks += [*row[:7], first, second, *row[8:]]
    return tuple(blocks)


def generate(primal, wrt, **options):
    """Both rows of each block: a pullback for each residual, of all observations at once."""
    assert not options

    def blocks(*args):
        value, pullback = tl.vjp(primal, *args)
        one, none = np.ones_like(value[0]), np.zeros_like(value[0])
        return pullback((one, none))[:15] + pullback((none, one))[:15]

    return blocks


def problems(tiny, data):
    rng = np.random.default_rng(7)
    n = 4 if tiny else 10_000
    args = [rng.normal(size=n) * 0.3 for _ in range(6)]
    args += [rng.uniform(0.9, 1.1, n), *(rng.normal(size=n) * 0.1 for _ in range(4))]
    args += [rng.normal(size=n), rng.normal(size=n), rng.uniform(4.0, 6.0, n)]
    args += [rng.uniform(0.5, 1.5, n), rng.normal(size=n), rng.normal(size=n)]
    return [Problem(
        "W7", "bundle adjustment, 10,000 blocks of 2×15", residuals, tuple(args),
        tuple(range(15)), by_hand, generate=generate, is_gradient=False,
    )]  # fmt: skip
