"""Classes, functions and constants that a program begins with, if it names them: one form each."""

_POINT = """
    def norm(self):
        return np.sqrt(1.0 + self.u * self.u + self.v * self.v)
    @property
    def size(self):
        return math.hypot(self.u, 1.0) + self.v
    @property
    def parts(self):
        return self.u, self.v
    @classmethod
    def unit(cls, u):
        return cls(math.cos(u), math.sin(u))
    @staticmethod
    def mix(u, v=0.3):
        return u * v + math.sin(u)
    def moved(self, by):
        return Point(self.u + by, self.v * by)
    def weigh(self, u):
        return math.sin(self.u * u) + self.v
    def __add__(self, other):
        return Point(self.u + other.u, self.v + other.v)
    def __sub__(self, other):
        return self + -other
    def __mul__(self, factor):
        return Point(self.u * factor, math.sin(self.v))
    def __rmul__(self, factor):
        return self * factor
    def __neg__(self):
        return Point(-self.u, -self.v)
    def __matmul__(self, other):
        return self.u * other.u + self.v * other.v
    def __lt__(self, other):
        return self.u < other.u
    def __call__(self, weight):
        return self.u * weight + self.norm()
"""

_BOX = """
    def total(self):
        return builtins.sum(u * self.point.v for u in self.items)
    @property
    def mean(self):
        return self.total() / len(self)
    @classmethod
    def of(cls, u, v):
        return cls([u, v], Point(v, u), {'k': u, 'm': 0.3})
    def scaled(self, by):
        return Box([u * by for u in self.items], self.point * by, {**self.named, 'k': by})
    def __len__(self):
        return len(self.items)
    def __getitem__(self, k):
        return self.items[k]
    def __setitem__(self, k, u):
        self.items[k] = u * self.named['m']
    def __iter__(self):
        return iter(self.items)
"""

_PUSH = "    def push(self, u):\n        self.items.append(math.sin(u))\n        return u\n"

PRELUDES = {
    "Point": [
        "class Point:\n    def __init__(self, u, v):\n        self.u = u\n        self.v = v\n"
        "    def shift(self, by):\n        self.u += by\n        return self\n" + _POINT,
        "@dataclasses.dataclass\nclass Point:\n    u: float\n    v: float = 0.5\n"
        "    def shift(self, by):\n        self.u = self.u + by\n" + _POINT,
        "class Base:\n    def __init__(self, u):\n        self.u = u\n"
        "    def shift(self, by):\n        self.u -= by * self.damp()\n"
        "class Point(Base):\n    def __init__(self, u, v):\n        super().__init__(u)\n"
        "        self.v = v\n    def damp(self):\n        return math.cos(self.v)\n" + _POINT,
    ],
    "Box": [
        "class Box:\n    def __init__(self, items, point, named=None):\n"
        "        self.items = items\n        self.point, self.named = point, named\n"
        + _PUSH
        + _BOX,
        "@dataclasses.dataclass\nclass Box:\n    items: list\n    point: object\n"
        "    named: dict = dataclasses.field(default_factory=dict)\n" + _PUSH + _BOX,
    ],
    "State": [
        "class State(typing.NamedTuple):\n    pos: float\n    vel: object\n    log: list\n"
        "    def energy(self, m):\n        return m * np.sum(self.vel * self.vel) + self.pos\n"
        "    def moved(self, dt):\n"
        "        return self._replace(pos=self.pos + dt * self.vel[0], log=[dt, *self.log[1:]])\n",
    ],
    "twice": ["def twice(fn, u):\n    return fn(fn(u))\n"],
    "scaled": [
        "def scaled(s):\n    return lambda u: math.sin(u) * s\n",
        "def scaled(s):\n    def inner(u):\n        return u - s * math.sin(u)\n    return inner\n",
        "def scaled(s, t=0.4):\n    s = s * t\n    def inner(u):\n        return u * s\n"
        "    s = math.sin(s)\n    return inner\n",
        "def scaled(s):\n    return functools.partial(lambda w, u: math.cos(u) + w, s)\n",
    ],
    "compose": [
        "def compose(*fns):\n    def run(u):\n        for fn in fns:\n            u = fn(u)\n"
        "        return u\n    return run\n",
        "def compose(p, q):\n    return lambda u: q(p(u))\n",
        "def compose(*fns):\n    return functools.reduce(lambda p, q: lambda u: q(p(u)), fns)\n",
    ],
    "traced": [
        "def traced(fn):\n    @functools.wraps(fn)\n    def run(*args, **kwargs):\n"
        "        return 0.9 * fn(*args, **kwargs)\n    return run\n",
        "def traced(fn):\n    def run(*args, **kwargs):\n        try:\n"
        "            return fn(*args, **kwargs)\n"
        "        finally:\n            pass\n    return run\n",
    ],
    "ramp": [
        "def ramp(us, w):\n    for i, u in enumerate(us):\n        yield u * w + i\n",
        "def ramp(us, w):\n    for u in us:\n        if u > w:\n            continue\n"
        "        yield math.sin(u * w)\n        w = w + u\n    yield w\n",
        "def ramp(us, w):\n    yield from us\n    yield w\n",
    ],
    "even": [
        "def even(x, n):\n    return x if n < 1 else odd(math.sin(x), n - 1)\n"
        "def odd(x, n):\n    return 0.3 * x if n < 1 else even(x * math.cos(x), n - 1)\n",
    ],
    "SCALE": ["SCALE = 0.7\n"],
    "TABLE": ["TABLE = [0.3, 0.8]\n", "TABLE = (0.3, 0.8)\n", "TABLE = np.array([0.3, 0.8])\n"],
    "CONFIG": ["CONFIG = {'rate': 0.4, 'name': 'plain'}\n"],
}
