"""The expressions of random programs: templates by kind.

`{float}` stands for any expression of kind float, `{name:float}` for a name, the same one if
repeated.  Variables of the templates' own (u, v, i, p, q) are no names of the programs'.
A vector has shape (3,), a matrix (2, 3), a pair is a tuple of two floats; `structures.py` has
the other kinds.
"""

NAMES = ["a", "b", "c", "y", "z", "t", "bx", "dx", "d", "by", "_stack", "t0", "np2", "da", "g",
         "tape", "x_tape", "sum", "list", "max", "f_bwd", "dbx", "result", "_"]  # fmt: skip

LITERALS = {
    "float": ["0.5", "2.0", "-0.7", "1.3"],
    "int": ["1", "2", "0", "3"],
    "bool": ["True", "False"],
    "vector": ["np.array([0.5, -0.3, 0.8])", "np.ones(3)"],
    "matrix": ["np.array([[0.2, -0.4, 0.6], [0.9, 0.3, -0.5]])"],
    "pair": ["(0.4, -0.6)"],
}

# Stand-ins for a name of a kind when there is none, made of names of other kinds.
DERIVED = {
    "float": ["{name:vector}[0]", "{name:pair}[1]", "{name:matrix}[1, 2]"],
    "int": [],
    "bool": ["{name:float} > 0.2", "{name:vector}[0] < 0.4", "{name:float} < {name:float}"],
    "vector": ["np.array([0.5, -0.3, 0.8]) * {name:float}", "{name:matrix}[1]"],
    "matrix": [
        "np.outer(np.array([0.4, -0.9]), {name:vector})",
        "np.array([[0.4, -0.9, 0.2], [0.1, 0.7, -1.2]]) * {name:float}",
    ],
    "pair": ["({name:float}, -0.6)", "({name:vector}[2], 0.4)"],
}

TEMPLATES = {
    "float": [
        "{float} + {float}", "{float} - {float}", "{float} * {float}", "-{float}",
        "{float} / (1.5 + {name:float} ** 2)", "{float} ** 2", "np.sin({float}) ** 3",
        "(1.2 + {name:float} ** 2) ** np.sin({float})",
        "np.sin({float})", "np.cos({float})", "np.tanh({float})", "np.arctan({float})",
        "np.exp(np.sin({float}))", "np.log(1.5 + {name:float} ** 2)",
        "np.sqrt(1.0 + {name:float} ** 2)", "math.sin({float})", "math.tanh({float})",
        "math.exp(-abs({float}))", "math.atan2({float}, 2.0)", "math.hypot({float}, 1.0)",
        "abs({float})", "np.abs({float})", "np.maximum({float}, {float})",
        "np.minimum({float}, {float})", "np.logaddexp({float}, {float})",
        "np.arctan2({float}, 1.5)", "np.hypot({float}, 0.5)", "np.square({float})",
        "({float} if {bool} else {float})", "({float} or {float})", "({float} and {float})",
        "0.7 * np.where({bool}, {float}, {float})", "{float} * {int}", "{int} - {float}",
        "{float} * ({float} > 0.2)", "np.clip({float}, -1.1, 1.2)",
        "(lambda u: u * {float})({float})", "(lambda u, w=0.6: w - u)({float}, w={float})",
        "{pair}[0]", "{pair}[1]", "{pair}[-1]",
        "{vector}[0]", "{vector}[-1]", "{vector}[{int} % 3]", "{matrix}[1, 2]",
        "{matrix}[{int} % 2][-2]", "{matrix}[-1, {int} % 3]",
        "np.sum({vector})", "np.mean({vector})", "np.max({vector})", "np.min({vector})",
        "({vector}).sum()", "({vector}).mean()", "np.prod(np.cos({vector}))",
        "np.var({vector})", "np.sum({matrix})", "np.mean({matrix})", "({matrix}).max()",
        "{vector} @ {vector}", "np.dot({vector}, {vector})", "({vector}).dot({vector})",
        "np.sum({matrix} @ {vector})", "np.inner({vector}, {vector})", "np.std({vector} + 0.1)",
        "np.einsum('i,i', {vector}, {vector})", "np.einsum('ij,j->', {matrix}, {vector})",
        "np.sum({vector}[{vector} > {float}])", "np.sum({vector}[[0, 0, 2, 1]])",
        "np.sum({vector}[1:] * {vector}[:-1])", "np.linalg.norm({vector} + 2.0)",
        "builtins.sum(u * {float} for u in {vector})",
        "builtins.sum([u * u for u in {vector} if u > {float}])",
        "builtins.max(u * {float} for u in {vector})",
        "builtins.max([{float}, {float}, {float}], key=lambda u: u * u)",
        "builtins.sum(u * v for u, v in zip({vector}, {vector}[1:]))",
        "builtins.sum(i * u for i, u in enumerate({vector}, {int}))",
        "builtins.sum(map(math.sin, [{float}, {float}]))",
        "builtins.sum({vector}[i] * {float} for i in range({int} % 3))",
        "functools.reduce(lambda p, q: math.sin(p) * q, {vector}, {float})",
        "functools.partial(math.hypot, {float})(1.5)",
        "sorted([{float}, {float}, {float}])[1]", "sorted({vector}, key=abs)[0]",
        "{'k': {float}, 'm': {float}}['m']", "[{float}, {float}][{int} % 2]",
        "(lambda *p: p[0] * p[-1])({float}, {float})",
        "(lambda *p, k=0.3, **m: p[0] * k - m['z'])({float}, z={float})",
        "(lambda u, w: u * w)(*{pair})", "math.prod([*{pair}, {float}])",
        "np.mean([u * {float} for u in {vector}])",
        "twice(math.sin, {float})", "twice(lambda u: math.sin(u) * {float}, {float})",
        "twice(functools.partial(math.hypot, {float}), {float})", "scaled({float})({float})",
        "even({float}, {int} % 3)",
        "{float} * SCALE", "TABLE[{int} % 2]", "CONFIG['rate'] * {float}",
        "({float}, [{float}, {float}])[1][0]",
        "{'k': ({float}, {float})}['k'][1]", "[p[0] * p[1] for p in [({float}, 0.3), {pair}]][0]",
        "[[{float}, {float}], [{float}]][0][{int} % 2]",
        "np.sum(np.outer({vector}, {vector}))", "np.log(np.sum(np.exp(np.tanh({vector}))))",
    ],
    "int": [
        "{int} + 1", "{int} % 2", "{int} * 2 % 3", "len({vector})", "({vector}).shape[0]",
        "({int} if {bool} else {int})", "({matrix}).shape[1]", "int(2.0 + np.sin({float}))",
        "np.argmax({vector})",
    ],
    "bool": [
        "{float} < {float}", "{float} > 0.3", "{float} <= {float}", "0.1 < {float} < {float}",
        "not {bool}", "({bool} and {bool})", "({bool} or {bool})", "{int} % 2 == 0", "{int} < 2",
        "np.any({vector} > {float})", "np.all({vector} < 1.0)", "{int} != {int}",
        "({float} > 0.0) == ({float} > 0.1)", "{int} in (0, 2)",
    ],
    "vector": [
        "{vector} + {vector}", "{vector} - {vector}", "{vector} * {vector}", "-{vector}",
        "{float} * {vector}", "{vector} - {float}", "{float} - {vector}",
        "{vector} / (1.5 + {name:float} ** 2)", "{float} / (1.5 + {name:vector} ** 2)",
        "{vector} ** 2", "np.sin({vector})", "np.tanh({vector})", "np.exp(np.cos({vector}))",
        "np.sqrt(1.0 + {name:vector} ** 2)", "np.abs({vector})", "np.maximum({vector}, {float})",
        "np.minimum({vector}, {vector})", "np.where({vector} > {float}, {vector}, {vector})",
        "np.where({vector} > 0.1, {float}, {vector})", "np.clip({vector}, -0.9, 1.1)",
        "({vector} if {bool} else {vector})", "{vector} * ({vector} > 0.2)",
        "{matrix}[{int} % 2]", "{matrix}[-1]", "np.sum({matrix}, axis=0)",
        "np.mean({matrix}, axis=0)", "np.max({matrix}, axis=0)", "({matrix}).sum(axis=0)",
        "np.cumsum({vector})", "{vector}[::-1]", "{vector}[[0, 0, 2]]",
        "{vector}[np.array([2, 1, 1])]", "np.concatenate([{vector}[1:], {vector}[:1]])",
        "np.array([{float}, {float}, {float}])", "np.stack([{float}, {float}, {float}])",
        "({matrix}).T @ np.tanh({matrix} @ {vector})", "np.outer({vector}, {vector})[1]",
        "np.reshape({matrix}, -1)[1:4]", "({matrix}).ravel()[::2]", "({matrix}).T[:, 0]",
        "np.einsum('ij,j->j', {matrix}, {vector})", "np.squeeze({matrix}[:1])",
        "np.broadcast_to({float}, (3,)) * {vector}", "{matrix}[[0, 1, 1], [2, 0, 0]]",
        "{vector} * {int}", "np.array([u * {float} for u in {vector}])",
        "np.array(sorted({vector}))", "np.stack([{float} * u for u in (*{pair}, {float})])",
        "np.array([w for u in {matrix} for w in u[:2]])[1:]",
    ],
    "matrix": [
        "{matrix} + {vector}", "{matrix} * {float}", "{matrix} - {matrix}", "{matrix} * {matrix}",
        "np.sin({matrix})", "np.tanh({matrix})", "{matrix}[::-1]", "{matrix}[[1, 1]]",
        "np.stack([{vector}, {vector}])", "np.outer({vector}[:2], {vector})",
        "{matrix} - {matrix}[0]", "np.where({matrix} > {float}, {matrix}, {vector})",
        "{matrix} @ np.outer({vector}, {vector})", "({matrix}).reshape(3, 2).T",
        "np.transpose(({matrix}).T)", "np.expand_dims({vector}, 0) * {matrix}",
        "{matrix} * np.sum({matrix}, axis=1, keepdims=True)", "{vector}[None, :] - {matrix}",
        "np.maximum({matrix}, {vector})", "{matrix} / (1.5 + {name:vector} ** 2)",
        "np.concatenate([{matrix}[1:], {matrix}[:1]], axis=0)",
    ],
    "pair": [
        "({float}, {float})", "({pair}[1], {float})", "({pair} if {bool} else {pair})",
        "{pair}[::-1]",
    ],
}  # fmt: skip

SQUASH = {
    "float": ["np.sin({})", "np.tanh({})", "0.5 * np.cos({})", "math.atan({})"],
    "vector": ["np.sin({})", "np.tanh({})", "0.5 * np.cos({})"],
    "matrix": ["np.sin({})", "0.5 * np.tanh({})"],
}

AS_FLOAT = {
    "float": "{0}",
    "vector": "np.sum(np.sin({0}))",
    "matrix": "np.sum({0} * 0.3)",
    "pair": "{0}[0] * {0}[1]",
}
