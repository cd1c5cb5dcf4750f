"""The solar system in lists of lists, changed in place."""

import math
from itertools import combinations

import tangent_like as tl
from tests.derivatives import assert_derivatives_in_turn

SOLAR_MASS = 4 * math.pi * math.pi
DAYS = 365.24

BODIES = {
    "sun": ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], SOLAR_MASS),
    "jupiter": ([4.84, -1.16, -0.10], [0.00166 * DAYS, 0.00769 * DAYS, -0.00007 * DAYS],
                0.000954 * SOLAR_MASS),
    "saturn": ([8.34, 4.12, -0.40], [-0.00277 * DAYS, 0.00499 * DAYS, 0.00002 * DAYS],
               0.000286 * SOLAR_MASS),
}  # fmt: skip


def load(names, heavier):
    """Bodies of their own, for the simulation writes into them."""
    system = []
    for name in names:
        position, velocity, mass = BODIES[name]
        system.append([list(position), list(velocity), mass * heavier])
    return system


def offset_momentum(bodies):
    px = py = pz = 0.0
    for _, (vx, vy, vz), m in bodies:
        px -= vx * m
        py -= vy * m
        pz -= vz * m
    sun = bodies[0]
    sun[1][0], sun[1][1], sun[1][2] = px / sun[2], py / sun[2], pz / sun[2]


def advance(dt, n, bodies):
    pairs = list(combinations(range(len(bodies)), 2))
    for _ in range(n):
        for i, j in pairs:
            (x1, y1, z1), v1, m1 = bodies[i]
            (x2, y2, z2), v2, m2 = bodies[j]
            dx, dy, dz = x1 - x2, y1 - y2, z1 - z2
            mag = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
            b1m, b2m = m1 * mag, m2 * mag
            v1[0] -= dx * b2m
            v1[1] -= dy * b2m
            v1[2] -= dz * b2m
            v2[0] += dx * b1m
            v2[1] += dy * b1m
            v2[2] += dz * b1m
        for r, v, _ in bodies:
            for k in range(3):
                r[k] += dt * v[k]


def energy(bodies):
    e = 0.0
    for i, (r, v, m) in enumerate(bodies):
        e += 0.5 * m * sum(c * c for c in v)
        for other, _, m2 in bodies[i + 1 :]:
            e -= m * m2 / math.dist(r, other)
    return e


def final_energy(heavier, push, steps):
    system = load(("sun", "jupiter", "saturn"), heavier)
    offset_momentum(system)
    system[1][1][0] += push
    advance(0.05, steps, system)
    return energy(system)


def closest_approach(bodies, dt, steps):
    """The least distance of the last two bodies on their way."""
    least = math.inf
    for _ in range(steps):
        advance(dt, 1, bodies)
        distance = math.dist(bodies[-2][0], bodies[-1][0])
        if distance < least:
            least = distance
    return least


def leapfrog(q, p, masses, dt, steps):
    """The same forces on lists of numbers, kick and drift in turn; the path is kept."""
    n = len(q)
    path = [[row[:] for row in q]]

    def kick(q, p, dt):
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                d = [a - b for a, b in zip(q[j], q[i])]
                r3 = (sum(c * c for c in d) + 0.01) ** 1.5
                for k, c in enumerate(d):
                    p[i][k] += dt * masses[i] * masses[j] * c / r3

    for _ in range(steps):
        kick(q, p, 0.5 * dt)
        for i in range(n):
            for k in range(2):
                q[i][k] += dt * p[i][k] / masses[i]
        kick(q, p, 0.5 * dt)
        path.append([row[:] for row in q])
    return path


def path_length(angle, mass, steps):
    q = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.4]]
    p = [[0.0, 0.0], [0.5 * math.cos(angle), 0.5 * math.sin(angle)], [-0.3, 0.1]]
    path = leapfrog(q, p, [1.0, mass, 0.5], 0.05, steps)
    return sum(
        math.dist(before[1], after[1]) for before, after in zip(path, path[1:])
    )


def test_the_energy_after_some_steps():
    assert_derivatives_in_turn(final_energy, 1.1, 0.2, 3, wrt=(0, 1), turn=0)


def test_the_energy_of_bodies_that_are_given():
    def f(bodies):
        advance(0.05, 2, bodies)
        return energy(bodies)

    bodies = load(BODIES, 1.0)
    before = repr(bodies)
    tl.check_grads(f, (bodies,))
    assert repr(bodies) == before


def test_the_closest_approach():
    def f(push):
        bodies = load(["sun", "jupiter", "saturn"], 1.0)
        bodies[2][0][0] += push
        return closest_approach(bodies, 0.1, 4)

    assert_derivatives_in_turn(f, -3.0, wrt=(0,), turn=1)


def test_the_length_of_a_path():
    assert_derivatives_in_turn(path_length, 0.7, 0.8, 3, wrt=(0, 1), turn=2)
