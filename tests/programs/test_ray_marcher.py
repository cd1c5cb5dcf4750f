"""A ray marcher with a vector class that overloads operators, and shapes that are objects."""

import math

import tangent_like as tl
from tests.derivatives import assert_derivatives


class Vec:
    """A vector of three numbers."""

    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z

    def __add__(self, other):
        if isinstance(other, Vec):
            return Vec(self.x + other.x, self.y + other.y, self.z + other.z)
        return Vec(self.x + other, self.y + other, self.z + other)

    __radd__ = __add__

    def __sub__(self, other):
        return self + -other

    def __neg__(self):
        return Vec(-self.x, -self.y, -self.z)

    def __mul__(self, k):
        return Vec(self.x * k, self.y * k, self.z * k)

    __rmul__ = __mul__

    def __truediv__(self, k):
        return self * (1.0 / k)

    def __matmul__(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def __abs__(self):
        return math.sqrt(self @ self)

    def __iter__(self):
        return iter((self.x, self.y, self.z))

    def __getitem__(self, k):
        return (self.x, self.y, self.z)[k]

    def __len__(self):
        return 3

    def __eq__(self, other):
        return (self.x, self.y, self.z) == (other.x, other.y, other.z)

    def __hash__(self):
        return hash((self.x, self.y, self.z))

    def __bool__(self):
        return self.x != 0.0 or self.y != 0.0 or self.z != 0.0

    @property
    def unit(self):
        return self / abs(self)

    def cross(self, other):
        return Vec(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def reflect(self, normal):
        return self - 2.0 * (self @ normal) * normal

    @staticmethod
    def blend(a, b, t):
        return a * (1.0 - t) + b * t


class Shape:
    colour = 0.8

    def distance(self, p):
        raise NotImplementedError

    def __or__(self, other):
        return Union(self, other)

    def __sub__(self, other):
        return Difference(self, other)


class Sphere(Shape):
    def __init__(self, centre, radius):
        self.centre, self.radius = centre, radius

    def distance(self, p):
        return abs(p - self.centre) - self.radius


class Floor(Shape):
    colour = 0.4

    def __init__(self, height):
        self.height = height

    def distance(self, p):
        return p.y - self.height


class Union(Shape):
    """Either of two shapes, melted into one another."""

    def __init__(self, a, b, k=0.2):
        self.parts = [a, b]
        self.k = k

    def distance(self, p):
        a, b = (part.distance(p) for part in self.parts)
        h = max(self.k - abs(a - b), 0.0) / self.k
        return min(a, b) - h * h * self.k * 0.25


class Difference(Shape):
    def __init__(self, a, b):
        self.a, self.b = a, b

    def distance(self, p):
        return max(self.a.distance(p), -self.b.distance(p))


def march(scene, origin, direction, most=60, far=20.0):
    """How far the ray goes until it hits; None where it does not."""
    t = 0.0
    for _ in range(most):
        d = scene.distance(origin + t * direction)
        if d < 1e-4:
            return t
        t += d
        if t > far:
            break
    return None


def normal_at(scene, p, h=1e-3):
    across, up, deep = Vec(h, 0.0, 0.0), Vec(0.0, h, 0.0), Vec(0.0, 0.0, h)
    return Vec(*(scene.distance(p + e) - scene.distance(p - e) for e in (across, up, deep))).unit


def soft_shadow(scene, p, light, k=8.0):
    t, shade = 0.05, 1.0
    while t < 3.0:
        d = scene.distance(p + t * light)
        shade = min(shade, k * d / t)
        if d < 1e-3:
            return 0.0
        t += max(d, 0.05)
    return shade


def colour(scene, origin, direction, light, depth=1):
    t = march(scene, origin, direction)
    if t is None:
        return 0.2 + 0.1 * direction.y
    p = origin + t * direction
    n = normal_at(scene, p)
    diffuse = max(n @ light, 0.0) * soft_shadow(scene, p + 0.01 * n, light)
    seen = 0.1 + scene.colour * diffuse
    if depth > 0:
        mirrored = colour(scene, p + 0.02 * n, direction.reflect(n), light, depth - 1)
        seen = 0.8 * seen + 0.2 * mirrored
    return seen


def render(radius, height, push, columns=3, rows=2):
    light = Vec(0.5 + push, 1.0, -0.4).unit
    ball = Sphere(Vec(0.0, 0.3, 3.0), radius)
    scene = ball | Floor(height)
    scene = scene - Sphere(Vec(0.45, 0.7, 2.4), 0.35)
    eye = Vec(0.0, 0.6, 0.0)
    total = 0.0
    for j in range(rows):
        for i in range(columns):
            u, v = (i - 1) * 0.4, (0.3 - j) * 0.3
            total += (j + 1) * colour(scene, eye, Vec(u, v, 1.0).unit, light)
    return total


def vectors(a, b, c):
    u, v = Vec(a, b, 1.0), Vec(c, -a, 0.5)
    w = u.cross(v) + 1.0
    x, y, z = Vec.blend(u, w, 0.3)
    total = sum([u, v, w], Vec(0.0, 0.0, 0.0))
    if u == v or not w:
        return 0.0
    return x * y - z + abs(total) + sum(c * c for c in total) + u[0] * v[-1] * len(w)


def test_vectors():
    assert_derivatives(vectors, 0.7, -0.4, 1.3)


def test_one_ray():
    def f(radius, height):
        scene = Sphere(Vec(0.0, 0.3, 3.0), radius) | Floor(height)
        return march(scene, Vec(0.0, 0.6, 0.0), Vec(0.02, -0.05, 1.0).unit)

    assert_derivatives(f, 0.8, -0.5, order=1)


def test_a_picture():
    at = (0.8, -0.5, 0.1)
    slopes = tl.grad(render, wrt=(0, 1, 2))(*at)
    for k, slope in enumerate(slopes):
        up, down = ([x + h * (i == k) for i, x in enumerate(at)] for h in (1e-6, -1e-6))
        between = (render(*up) - render(*down)) / 2e-6
        assert abs(slope - between) < 1e-5 * (1.0 + abs(between))
