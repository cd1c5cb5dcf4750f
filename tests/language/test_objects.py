"""Dicts, named tuples and objects of the user's classes, as arguments, locals and results."""

import collections
import dataclasses
import itertools
import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported, SharedMemory, TangentLikeError
from tests.derivatives import assert_derivatives, define

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 3)), RNG.normal(size=5)
V = np.array([0.7, -1.3, 2.1])


def checked(f, *args):
    """Hold the derivatives of a function of structures to differences, in both modes and to
    second order."""
    tl.check_grads(f, args)


def dict_of_parameters(p, x, y):
    h = np.tanh(x @ p["W1"] + p["b1"])
    return np.mean((h @ p["W2"] + p["b2"] - y) ** 2)


PARAMETERS = {
    "W1": RNG.normal(size=(3, 4)), "b1": RNG.normal(size=4), "W2": RNG.normal(size=4), "b2": 0.3,
}  # fmt: skip


def test_a_gradient_has_the_keys_of_its_dict():
    gradient = tl.grad(dict_of_parameters)(PARAMETERS, X, Y)
    assert list(gradient) == list(PARAMETERS)
    assert gradient["W1"].shape == (3, 4)
    assert isinstance(gradient["b2"], float)
    checked(dict_of_parameters, PARAMETERS, X, Y)


def test_a_gradient_step_with_a_dict():
    p = dict(PARAMETERS)
    before = dict_of_parameters(p, X, Y)
    for _ in range(20):
        g = tl.grad(dict_of_parameters)(p, X, Y)
        p = {key: p[key] - 0.05 * g[key] for key in p}
    assert dict_of_parameters(p, X, Y) < before


def over_items(p):
    total = 0.0
    for key, value in p.items():
        total += np.sum(value**2) * (2.0 if key.startswith("W") else 1.0)
    for value in p.values():
        total *= 1.0 + 0.1 * np.sum(value)
    return total


def nested(p, x):
    h = x
    for layer in p["layers"]:
        h = np.tanh(h @ layer["W"] + layer.get("b", 0.0))
    return np.sum(h) * p["scale"]


NESTED = {
    "layers": [{"W": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}, {"W": np.eye(2)}],
    "scale": 0.7, "name": "two layers", "steps": 3, "nothing": None,
}  # fmt: skip


def test_what_is_no_number_passes_through():
    gradient = tl.grad(nested)(NESTED, X)
    assert gradient["name"] == "two layers"
    assert gradient["steps"] == 3
    assert gradient["nothing"] is None
    checked(nested, NESTED, X)


def changed_dict(x):
    state = {"w": x * 1.0, "t": 0}
    also = state
    momentum = {"w": np.zeros(3)}
    for _ in range(3):
        momentum["w"] = 0.9 * momentum["w"] + 0.2 * state["w"]
        also["w"] = state["w"] - 0.1 * momentum["w"]
        state["t"] += 1
    state["w"] *= x
    state["w"][0] = x[1]
    state.update(extra=x[2])
    return np.sum(also["w"] ** 2) * state["t"] * state["extra"]


def made_dict(x, y):
    d = dict(a=x, b=x * y)  # noqa: C408 - among the things differentiated
    e = {**d, "c": d["a"] * d["b"]}
    return e["c"] + len(e) * d["b"] if "c" in e else 0.0


def dict_in_a_branch(x, flag):
    d = {"a": x}
    if flag > 0:
        d["a"] = x * x
    else:
        d = {"a": x**3}
    return d["a"] * 2.0


def returns_a_dict(x, y):
    return {"product": x * y, "sum": x + y}


def test_a_dict_as_result():
    value, tangent = tl.jvp(returns_a_dict, (2.0, 5.0), (1.0, 0.0))
    assert value == {"product": 10.0, "sum": 7.0}
    assert tangent == {"product": 5.0, "sum": 1.0}
    _, pullback = tl.vjp(returns_a_dict, 2.0, 5.0)
    assert pullback({"product": 1.0, "sum": 10.0}) == (15.0, 12.0)


Point = collections.namedtuple("Point", "x y")


def of_a_named_tuple(p):
    x, y = p
    return p.x * y + p[0] ** 2 * math.sin(p.y) + x


def makes_a_named_tuple(x, y):
    p = Point(x * y, y=y)
    q = p._replace(x=p.x * 2.0) if False else Point(p.x * 2.0, p.y)
    return q.x * p.y


def test_named_tuples():
    gradient = tl.grad(of_a_named_tuple)(Point(1.0, 2.0))
    assert type(gradient) is Point
    checked(of_a_named_tuple, Point(1.0, 2.0))
    assert_derivatives(makes_a_named_tuple, 1.3, 0.7)


@dataclasses.dataclass
class Layer:
    W: np.ndarray
    b: np.ndarray
    name: str = "layer"
    uses: int = dataclasses.field(default=0)

    def __call__(self, x):
        return np.tanh(x @ self.W + self.b)


class Network:
    def __init__(self, sizes, rng):
        self.layers = [
            Layer(rng.normal(size=(a, b)), rng.normal(size=b))
            for a, b in itertools.pairwise(sizes)
        ]
        self.scale = 0.5

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.scale

    def loss(self, x, y):
        return np.mean((self.forward(x)[:, 0] - y) ** 2)

    @property
    def size(self):
        return sum(np.sum(layer.W**2) for layer in self.layers)

    @staticmethod
    def twice(v):
        return 2.0 * v

    @classmethod
    def named(cls, v):
        return cls.twice(v) * 3.0


NETWORK = Network([3, 4, 1], RNG)


def loss_of_network(network, x, y):
    return network.loss(x, y) + 0.1 * network.size + network.twice(0.5) * network.named(0.1)


def test_a_network_as_argument():
    gradient = tl.grad(loss_of_network)(NETWORK, X, Y)
    assert type(gradient) is Network
    assert [type(layer) for layer in gradient.layers] == [Layer, Layer]
    assert gradient.layers[0].name == "layer"
    checked(loss_of_network, NETWORK, X, Y)


def of_a_network_outside(x):
    return np.sum(NETWORK.forward(x))


def test_an_object_outside_is_read_when_the_derivative_runs():
    gradient = tl.grad(of_a_network_outside)
    before = gradient(X)
    NETWORK.scale = 1.0
    np.testing.assert_allclose(gradient(X), 2.0 * before)
    NETWORK.scale = 0.5
    assert_derivatives(of_a_network_outside, X)


class Vector:
    """A small vector class, as ray tracers have it."""

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y)

    def __mul__(self, s):
        return Vector(self.x * s, self.y * s)

    __rmul__ = __mul__

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __getitem__(self, k):
        return self.y if k else self.x

    def __lt__(self, other):
        return self.norm < other.norm

    def dot(self, other):
        return self.x * other.x + self.y * other.y

    @property
    def norm(self):
        return math.sqrt(self.dot(self))


def march(a, b):
    p, d = Vector(a, 0.5), Vector(1.0, b)
    t = 0.0
    for _ in range(5):
        q = p + t * d
        t = t + (q.norm - 0.3) * 0.5
    back = -q - p * 2.0
    return t + back[0] * back[1] if p < q else t


class Counter:
    def __init__(self):
        self.total = 0.0
        self.items = []

    def add(self, v):
        self.total += v
        self.items.append(v)
        return self


def counting(x):
    c = Counter()
    other = c
    for v in x:
        c.add(v * v)
    other.add(x[0]).add(x[1])
    return c.total * other.items[1] + len(c.items)


class Base:
    def __init__(self, k):
        self.k = k

    def value(self, x):
        return self.k * self.shape(x)

    def shape(self, x):
        return x


class Derived(Base):
    def __init__(self, k, m):
        super().__init__(k * 2.0)
        self.m = m

    def shape(self, x):
        return super().shape(x) ** self.m


def inherited(k, x):
    return Derived(k, 2.0).value(x) + Base(k).value(x)


class Oscillator:
    def __init__(self, x, v):
        self.x, self.v = x, v

    def step(self, dt, k):
        self.v -= dt * k * self.x
        self.x += dt * self.v


def simulated(k, n):
    o = Oscillator(1.0, 0.0)
    for _ in range(n):
        o.step(0.1, k)
    return o.x + o.v


class State:
    def __init__(self, u):
        self.u = u
        self.history = []

    def advance(self, k):
        self.u[1:-1] += k * (self.u[2:] - 2.0 * self.u[1:-1] + self.u[:-2])
        self.history.append(self.u[1])


def object_with_arrays(u0, k, n):
    s = State(u0.copy())
    for _ in range(n):
        s.advance(k)
    return np.sum(s.u**2) + s.history[0] * s.history[-1]


@pytest.mark.parametrize(("f", "args"), [
    (changed_dict, (V,)), (made_dict, (1.3, 0.7)), (march, (0.3, 0.7)), (counting, (V,)),
    (inherited, (1.3, 0.7)),
])  # fmt: skip
def test_programs(f, args):
    assert_derivatives(f, *args)


@pytest.mark.parametrize("flag", [1, -1])
def test_a_dict_in_a_branch(flag):
    assert_derivatives(dict_in_a_branch, 1.3, flag, wrt=0)


def test_objects_that_change_in_a_loop():
    assert_derivatives(simulated, 1.3, 7, wrt=0)
    assert_derivatives(object_with_arrays, np.array([0.1, 0.9, -0.4, 0.3, 0.6]), 0.2, 4, wrt=(0, 1))


def test_over_items():
    checked(over_items, PARAMETERS)


def test_a_bound_method():
    gradient = tl.grad(NETWORK.loss)
    np.testing.assert_allclose(gradient(X, Y), tl.grad(loss_only, wrt=1)(NETWORK, X, Y))


def loss_only(network, x, y):
    return network.loss(x, y)


def test_the_argument_is_not_changed():
    p = {"w": V.copy()}

    def f(p):
        p["w"] *= 2.0
        p["extra"] = p["w"][0]
        return np.sum(p["w"]) * p["extra"]

    gradient = tl.grad(f)(p)
    assert list(p) == ["w"]
    np.testing.assert_array_equal(p["w"], V)
    np.testing.assert_allclose(gradient["w"], 4.0 * np.array([V.sum() + V[0], V[0], V[0]]))


def test_an_attribute_that_is_not_there():
    with pytest.raises(TangentLikeError, match="no attribute"):
        tl.grad(lambda v: v.z * 2.0)(Vector(1.0, 2.0))


def test_an_object_that_contains_itself():
    v = Vector(1.0, 2.0)
    v.me = v
    with pytest.raises(TangentLikeError, match="contains itself"):
        tl.grad(lambda v: v.x * 2.0)(v)


def writes_into_a_dict_of_arrays(p):
    p["a"] *= 2.0
    return np.sum(p["a"] * p["b"])


def writes_into_the_first(items):
    items[0][0] = items[1][1]
    return np.sum(items[0] * items[1])


def test_one_array_twice_in_an_argument():
    shared = V.copy()
    with pytest.raises(TangentLikeError, match="share memory"):
        tl.grad(writes_into_a_dict_of_arrays)({"a": shared, "b": shared})
    with pytest.raises(TangentLikeError, match="share memory"):
        tl.grad(writes_into_the_first)((shared, shared))
    checked(writes_into_a_dict_of_arrays, {"a": V, "b": V.copy()})
    checked(writes_into_the_first, (V, V.copy()))


def changes_an_object(a, b):
    a.x *= 2.0
    return a.x * b.x


def test_one_object_as_two_arguments():
    v = Vector(1.0, 2.0)
    with pytest.raises(TangentLikeError, match="share memory"):
        tl.grad(changes_an_object)(v, v)
    assert tl.grad(changes_an_object)(v, Vector(3.0, 0.0)).x == 6.0


class Recorder:
    """Keeps a history of its state, which is also what the history holds last."""

    def __init__(self, state):
        self.state = state * 1.0
        self.history = []

    def step(self, z):
        self.state = np.sin(self.state) * z
        self.history.append(self.state)

    def step_in_place(self, z):
        self.history.append(self.state)
        self.state += z


def recorded(s, zs):
    recorder = Recorder(s)
    for z in zs:
        recorder.step(z)
    return sum(h[0] * h[1] for h in recorder.history) + np.sum(recorder.state**2)


def recorded_in_place(s, zs):
    recorder = Recorder(s)
    for z in zs:
        recorder.step_in_place(z)
    return sum(h[0] * h[1] for h in recorder.history)


def test_an_object_that_keeps_a_history():
    s, zs = np.array([0.4, 0.9]), np.array([[0.3, 0.7], [1.1, 0.2], [0.5, -0.4]])
    assert_derivatives(recorded, s, zs)
    with pytest.raises(SharedMemory):
        tl.grad(recorded_in_place)(s, zs)


# --- operators of what may be an object -----------------------------------------------------------


class Grown:
    """Its operators are not those of numbers."""

    def __init__(self, u):
        self.u = u

    def __add__(self, other):
        return self.u * other.u

    def __neg__(self):
        return self.u**2

    def __abs__(self):
        return self.u**3

    def __getitem__(self, k):
        return self.u ** (k + 2)

    def __lt__(self, other):
        return self.u * 2


class Turned(Grown):
    def __add__(self, other):
        return self.u**3 * other.u


MAY_BE = {
    "an object or a number": "q = Grown(x) if n > 2 else x",
    "after a branch": "q = x\n    if n > 2:\n        q = Grown(x)",
    "after a loop": "q = x\n    for k in range(n):\n        q = Grown(x)",
    "after a loop from nothing": "q = None\n    for k in range(n):\n        q = Grown(x)",
    "of two classes": "q = Grown(x) if n > 2 else Turned(x)",
    "picked from a list": "q = [x, Grown(x), Turned(x), Grown(x)][n]",
    "in a list": "t = [Grown(x) for i in range(n)]\n    t[1] = x\n    q = t[0]",
}


@pytest.mark.parametrize("operation", ["q + q", "-q", "abs(q)", "q[1]", "(q < q) * 1.0"])
@pytest.mark.parametrize("made", MAY_BE)
def test_operators_of_what_may_be_an_object_are_not_taken_for_those_of_numbers(made, operation):
    text = f"def f(x, n):\n    {MAY_BE[made]}\n    return {operation}"
    f = define(text, "f", Grown=Grown, Turned=Turned)
    numeric = (f(0.7 + 1e-6, 3) - f(0.7 - 1e-6, 3)) / 2e-6
    for slope in (lambda: tl.grad(f)(0.7, 3), lambda: tl.jvp(f, (0.7, 3), (1.0, 0))[1]):
        try:
            found = slope()
        except NotYetSupported as reason:
            assert reason.place.line
        else:
            assert np.isclose(found, numeric), text
