"""The expressions of random programs that make and read containers, objects and functions.

A list has two or more floats, rows two or more lists, a dict the floats 'k' and 'm', a book the
lists 'k' and 'm', params the nested structure of its literal; a point, a box and a state are
objects of the classes in `preludes.py`; an fn takes a float and gives one.  Floats and named are
what `*rest` and `**more` hold: any number of floats.
"""

from tests.random_programs import templates

LITERALS = templates.LITERALS | {
    "list": ["[0.4, -0.6, 0.9]", "[0.3, 0.8]"],
    "rows": ["[[0.4, -0.6], [0.9, 0.2]]", "[[0.1, 0.2, -0.3], [0.7, 0.5]]"],
    "dict": ["{'k': 0.4, 'm': -0.6}"],
    "book": ["{'k': [0.4, 0.1], 'm': [-0.6, 0.2, 0.3]}"],
    "params": ["{'w': np.array([0.2, -0.4, 0.6]), 'b': 0.3, 'in': (0.7, [0.5, -0.1])}"],
    "point": ["Point(0.4, -0.6)"],
    "box": ["Box([0.4, -0.6], Point(0.1, 0.3), {'k': 0.2, 'm': 0.9})"],
    "state": ["State(0.4, np.array([0.2, -0.4, 0.6]), [0.1, 0.8])"],
    "fn": ["math.sin", "np.tanh", "math.atan", "np.cos"],
    "floats": ["()", "(0.3, 0.6)"],
    "named": ["{'zeta': 0.3}"],
}

DERIVED = templates.DERIVED | {
    "list": ["[{name:float}, -0.6]", "[{name:float}, 0.2, {name:float}]"],
    "rows": ["[[{name:float}, 0.3], [0.5, {name:float}]]"],
    "dict": ["{'k': {name:float}, 'm': 0.7}"],
    "book": ["{'k': [{name:float}, 0.4], 'm': [0.8, {name:float}]}"],
    "params": [
        "{'w': np.ones(3) * {name:float}, 'b': 0.3, 'in': ({name:float}, [{name:float}, 0.9])}"
    ],
    "point": ["Point({name:float}, -0.6)"],
    "box": ["Box([{name:float}, 0.3], Point({name:float}, 0.6), {'k': {name:float}, 'm': 0.8})"],
    "state": ["State({name:float}, np.ones(3) * {name:float}, [{name:float}, 0.2])"],
    "fn": ["functools.partial(math.hypot, {name:float})", "(lambda u: u * {name:float})"],
    "floats": ["({name:float},)", "({name:float}, 0.2)"],
    "named": ["{'zeta': {name:float}}"],
}  # fmt: skip

FLOATS = [
    "{list}[0]", "{list}[-1]", "{list}[{int} % 2]", "builtins.sum({list})", "math.prod({list})",
    "builtins.max({list}, key=abs)", "[u * {float} for u in {list}][1]",
    "builtins.sum(u * v for u, v in zip({list}, reversed({list})))",
    "builtins.sum(i * u for i, u in enumerate({list}))", "np.mean({list})",
    "builtins.sum(u * w for u in {list} for w in {pair} if u < w)",
    "functools.reduce(lambda p, q: math.cos(p) + q, {list})", "builtins.min({list}[1:])",
    "builtins.sum(itertools.accumulate({list}, lambda p, q: p * q))",
    "builtins.sum(p * q for p, q in itertools.pairwise({list}))",
    "sorted({list}, key=lambda u: -u)[0]", "[*reversed({list})][0]", "({list} or [{float}])[0]",
    "builtins.sum(u for u in ramp({list}, {float}))", "math.prod(ramp({pair}, {float}))",
    "{rows}[0][1]", "{rows}[{int} % 2][-1]", "builtins.sum(builtins.sum(u) for u in {rows})",
    "builtins.sum(u * w for u in {pair} for p in {rows} for w in p if w < {float})",
    "builtins.max([builtins.max(u) for u in {rows}])", "math.prod(u[0] for u in zip(*{rows}))",
    "builtins.sum([u[-1] for u in {rows}][1:])", "builtins.sum(map(math.prod, {rows}))",
    "builtins.sum(itertools.chain(*{rows}))", "builtins.sum(builtins.sum({rows}, []))",
    "{dict}['k']", "{dict}['m']", "builtins.sum({dict}.values())", "{dict}.get('k', {float})",
    "(lambda k, m: k * m)(**{dict})", "math.prod(q for p, q in {dict}.items())",
    "{dict}['km'[{int} % 2]]", "builtins.sum({dict}[f'{u}'] for u in 'km')",
    "{dict}.get('z', {float})",
    "builtins.sum({dict}[u] for u in sorted({dict}))",
    "builtins.max({dict}.items(), key=lambda u: u[1])[1]",
    "builtins.dict(zip('km', {pair}))['m']",
    "{book}['k'][1]", "builtins.sum(builtins.sum(q) for q in {book}.values())",
    "builtins.sum(u for p, q in {book}.items() for u in q if p == 'k' or u > {float})",
    "{book}['km'[{int} % 2]][0]", "math.prod(u[0] for u in {book}.values())",
    "{params}['b'] * {float}", "{params}['in'][1][0]", "{params}['w'] @ {vector} + {params}['b']",
    "builtins.sum({params}['in'][1])", "(lambda w, b, **k: b * w[0])(**{params})",
    "({point}).u", "({point}).v", "({point}).norm()", "({point})({float})",
    "({point}) @ ({point})", "({point}).size", "({point} - {point}).v",
    "({point} if {point} < {point} else {point}).u", "Point.unit({float}).v", "Point.mix({float})",
    "({box}).items[0]", "({box}).total()", "({box})[{int} % 2]", "builtins.sum({box})",
    "({box}).point.u", "({box}).named['k']", "({box}).mean", "({box}).point.norm() * len({box})",
    "builtins.sum(u * {float} for u in {box})", "math.hypot(*({box}).items[:2])",
    "({state}).pos", "({state}).vel[1]", "({state}).log[-1]", "({state}).energy({float})",
    "({state})[0]", "(lambda u, w, p: u * w[0] + p[1])(*{state})",
    "builtins.sum({floats})", "builtins.sum(u * {float} for u in {floats})",
    "(({floats}) + (0.4,))[0]", "{named}.get('zeta', {float})", "builtins.sum({named}.values())",
    "{fn}({float})", "builtins.sum(map({fn}, {list}))", "({fn}({float}) + {fn}({float}))",
    "functools.reduce(lambda p, q: q(p), [{fn}, {fn}], {float})", "twice({fn}, {float})",
    "builtins.sum(p(0.4) for p in ({fn}, {fn}))", "builtins.max({float}, {float}, key={fn})",
]  # fmt: skip

TEMPLATES = {
    **templates.TEMPLATES,
    "float": [*templates.TEMPLATES["float"], *FLOATS],
    "int": [
        *templates.TEMPLATES["int"], "len({list})", "len({rows})", "len({dict})", "len({box})",
        "builtins.sum(1 for u in {list} if u > {float})", "len([u for u in {list} if u > 0.2])",
        "len({floats})", "(3 if 'zeta' in {named} else {int})",
    ],
    "bool": [
        *templates.TEMPLATES["bool"], "any(u > {float} for u in {list})", "'k' in {dict}",
        "all(u < {float} for u in {pair})", "isinstance({point}, Point)", "{list} < {list}",
        "{point} < {point}", "'zeta' in {named}", "bool({floats})", "{float} in {list}",
        "{dict} is None", "len({rows}[0]) > 2",
    ],
    "vector": [
        *templates.TEMPLATES["vector"], "{params}['w'] * {float}", "({state}).vel",
        "np.array([*{pair}, {float}])", "np.array({list}[:2] + [{float}])",
        "np.array([{fn}(u) for u in {vector}])", "np.ones(3) * builtins.sum({floats})",
    ],
    "pair": [
        *templates.TEMPLATES["pair"], "({list}[0], {float})", "(({point}).u, {float})",
        "({point}).parts", "(*{pair}[:1], {float})", "tuple({list})[:2]",
        "divmod({float} + 3.0, 50.0)", "min({pair}, {pair})", "({rows}[0][0], {book}['m'][0])",
    ],
    "list": [
        "[{float}, {float}]", "[{float}, {float}, {float}]", "[u * {float} for u in {list}]",
        "[*{pair}, {float}]", "{list} + [{float}]", "{list}[::-1]", "sorted({list})",
        "[{float} * i for i in range(2)]", "[u for u in {vector}]", "builtins.list({pair})",
        "[math.sin(u) for u in {list}]", "builtins.list(map(math.atan, {list}))",
        "[u + v for u, v in zip({pair}, {list})]", "{list}.copy()", "{list}[:]",
        "[u for u in {list} if u > {float}] + [{float}, {float}]", "[{float}] * 2",
        "builtins.list(map({fn}, {list}))", "[*{list}[1:], {float}]", "builtins.list({box})",
        "[{fn}(u) for p in {rows} for u in p]", "({list} if {bool} else {list})",
        "builtins.list(itertools.accumulate({list}))", "builtins.list({dict}.values())",
        "[math.sin(u) * w for u in {pair} for w in {list}]", "({state}).log", "{book}['k']",
        "[builtins.sum(u) for u in {rows}]", "builtins.list(ramp({list}, {float}))",
        "[p(u) for p, u in zip(({fn}, {fn}), {pair})]", "sorted({list}, key=lambda u: u * u)",
        "[u if u > 0.1 else -u for u in {list}]", "[*{floats}, {float}, {float}]",
    ],
    "rows": [
        "[{list}, {list}]", "[[u * {float} for u in p] for p in {rows}]", "{rows} + [{list}]",
        "[[{float} * i for i in range(2)] for p in range(2)]", "[[*p, {float}] for p in {rows}]",
        "[[u * w for u in {list}] for w in {pair}]", "[p[:] for p in {rows}]",
        "[builtins.list(p) for p in {matrix}]", "[[u, w] for u, w in zip({list}, {list})]",
        "copy.deepcopy({rows})", "[{book}['k'], [{float}, {float}]]",
    ],
    "dict": [
        "{'k': {float}, 'm': {float}}", "builtins.dict(k={float}, m={float})",
        "{**{dict}, 'k': {float}}", "{p: q * {float} for p, q in {dict}.items()}",
        "({dict} if {bool} else {dict})", "{p: {float} for p in ('k', 'm')}",
        "{p: {fn}(q) for p, q in {dict}.items()}", "{dict} | {'m': {float}}",
        "builtins.dict({dict})", "builtins.dict(zip(('k', 'm'), {pair}))", "({box}).named",
        "{p: builtins.sum(q) for p, q in {book}.items()}", "{dict}.copy()",
    ],
    "book": [
        "{'k': {list}, 'm': {list}}", "{p: [u * {float} for u in q] for p, q in {book}.items()}",
        "{**{book}, 'm': [{float}, {float}]}", "{p: [{float}, q] for p, q in {dict}.items()}",
        "builtins.dict(zip('km', {rows}))", "copy.deepcopy({book})",
    ],
    "params": [
        "{'w': {vector}, 'b': {float}, 'in': ({float}, {list})}", "{**{params}, 'b': {float}}",
        "{**{params}, 'in': ({params}['in'][0], [{float}, {float}])}",
        "builtins.dict({params}, w={vector})",
    ],
    "point": [
        "Point({float}, {float})", "Point(u={float}, v={float})", "({point}) + ({point})",
        "({point}) * {float}", "-({point})", "({point}).moved({float})", "Point(*{pair})",
        "({point} if {bool} else {point})", "{float} * ({point})", "Point.unit({float})",
        "({box}).point", "functools.reduce(lambda p, q: p + q, [{point}, {point}])",
        "copy.copy({point})", "builtins.max({point}, {point}, key=lambda p: p.u)",
    ],
    "box": [
        "Box({list}, {point}, {dict})",
        "Box(items={list}, point=Point({float}, 0.2), named={dict})",
        "Box.of({float}, {float})", "({box}).scaled({float})",
    ],
    "state": [
        "State({float}, {vector}, {list})", "({state})._replace(pos={float})",
        "({state}).moved({float})", "State(vel={vector}, pos={float}, log=[{float}, {float}])",
        "({state} if {bool} else {state})",
    ],
    "floats": [
        "({float}, {float})", "{floats} + ({float},)", "{floats}[::-1]",
        "tuple(u * {float} for u in {floats})",
    ],
    "named": ["{'zeta': {float}}", "{**{named}, 'zeta': {float}}"],
    "fn": [
        "math.sin", "np.tanh", "(lambda u: math.sin(u) * {float})", "(lambda u, w={float}: u - w)",
        "functools.partial(math.hypot, {float})", "scaled({float})", "[{fn}, {fn}][{int} % 2]",
        "{'a': {fn}, 'b': {fn}}['ab'[{int} % 2]]", "({fn} if {bool} else {fn})", "({point})",
        "compose({fn}, {fn})", "functools.partial(compose({fn}, {fn}))", "({point}).weigh",
        "traced({fn})", "functools.partial(lambda u, w: w - {float} * u, w={float})",
    ],
}  # fmt: skip

AS_FLOAT = templates.AS_FLOAT | {
    "list": "builtins.sum({0})",
    "rows": "builtins.sum(builtins.sum({0}, [0.1]))",
    "dict": "{0}['k'] * {0}['m']",
    "book": "{0}['k'][0] * builtins.sum({0}['m'])",
    "params": "(np.sum({0}['w']) * {0}['b'] + {0}['in'][1][0])",
    "point": "{0}.u * {0}.v",
    "box": "({0}.total() + {0}.point.u)",
    "state": "({0}.pos * np.sum({0}.vel) + {0}.log[0])",
    "fn": "{0}(0.7)",
    "floats": "builtins.sum({0})",
    "named": "builtins.sum({0}.values())",
}

RESULT = {
    "pair": "({0}, {float})",
    "list": "[{0}] + {list}",
    "rows": "[[{0}, {float}], {list}]",
    "dict": "{'k': {0}, 'm': {float}}",
    "book": "{'k': [{0}, {float}], 'm': {list}}",
    "params": "{'w': {vector}, 'b': {0}, 'in': ({float}, {list})}",
    "point": "Point({0}, {float})",
    "box": "Box([{0}, {float}], {point}, {dict})",
    "state": "State({0}, {vector}, {list})",
    "fn": "(lambda u: math.sin(u) * ({0}))",
}
"""Results to which `{0}`, a float, contributes; others add it."""

SCALARS = ("float", "int", "bool", "pair", "floats", "named")
ARRAYS = ("vector", "matrix")
CONTAINERS = ("list", "rows", "dict", "book", "params", "point", "box", "state", "fn")
NEEDS = {
    "rows": ("list",), "book": ("list", "dict"), "params": ("list", "vector"),
    "box": ("list", "dict", "point"), "state": ("list", "vector"),
}  # fmt: skip
"""The kinds that a kind is made of."""

PARAMETERS = ["float", "float", "vector", "float", "matrix", "int", "pair", "list", "dict",
              "rows", "book", "params"]  # fmt: skip
INTERNAL = [*PARAMETERS, "point", "box", "state", "fn"]
"""Kinds of what functions inside a program take and give."""
RESULTS = ["float", "float", "float", "float", "vector", "pair", "matrix", "list", "dict", "rows"]
VALUES = ["float", "float", "vector", "float", "int", "bool", "matrix", "pair", *CONTAINERS]
