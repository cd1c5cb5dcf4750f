"""The loop that computes lanes, element by element (see `fusion.py`).

Where something may be spread, it goes from element to element by a step of 0 or 1:

    step = step_of(len(w), len(x))
    n = if_fitting(len(x), step, misfits)
    if step == 1:
        for i in range(n): y[i] = x[i] * w[i]
    else:
        for i in range(n): y[i] = x[i] * w[i * step]

Processors run the first loop several elements at a time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect.lanes import Lane, set_element, shape_of
from tangent_like.backend.numba_dialect.misfits import Misfits
from tangent_like.backend.numba_dialect.rebuild import appended
from tangent_like.build import Builder
from tangent_like.ir import Atom, Const, If, Loop, Op, Statement, Value
from tangent_like.numba_runtime.lengths import step_of, step_of_part

_ELEMENTS = {"float64": facts.FLOAT, "bool": facts.BOOL, "int64": facts.INT}


def loop_over(
    lanes: Sequence[Lane],
    elements: Collection[Value],
    needed: Collection[Value],
    apart: Callable[[Value, Value], bool],
    misfits: Misfits,
) -> tuple[Statement, ...]:
    """The loop after what it needs.  `elements` are the arrays that the lanes compute, of which
    those in `needed` are read elsewhere too; `apart` tells which arrays share no element."""
    return _Making(lanes, elements, needed, apart, misfits).statements()


def measured(lanes: Sequence[Lane], elements: Collection[Value]) -> Value | None:
    """An array from outside the loop that has the lengths of the lanes."""
    for lane in lanes:
        for atom in (*lane.operands, lane.target):
            if isinstance(atom, Value) and atom not in elements:
                if shape_of(atom, tuple(_ELEMENTS)) == lane.dims and _is_there(lane, elements):
                    return atom
    return None


def _is_there(lane: Lane, elements: Collection[Value]) -> bool:
    return lane.made is None or lane.made.args[0] not in elements


@dataclass(eq=False)
class _Making:
    lanes: Sequence[Lane]
    elements: Collection[Value]
    needed: Collection[Value]
    apart: Callable[[Value, Value], bool]
    misfits: Misfits
    items: list[Value] = field(default_factory=list)
    counts: list[Atom] = field(default_factory=list)
    steps: dict[Value, Atom] = field(default_factory=dict)
    least: Atom = field(default_factory=lambda: Const(1))
    current: dict[Value, Atom] = field(default_factory=dict)
    """The elements that are known in this iteration."""

    sums: dict[Lane, Atom] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dims = self.lanes[0].dims
        self.place = self.lanes[0].op.place
        self.before = Builder(self.place, derivative=True)

    def statements(self) -> tuple[Statement, ...]:
        self.prepare()
        totals = [lane for lane in self.lanes if lane.total]
        self.items = [Value(name, facts.INT) for name in "ghij"[-len(self.dims) :]]
        inits: list[Atom] = [Const(0.0) for _ in totals]
        if self.steps and not any(map(calls_function, self.lanes)):
            self.append_versions(totals, inits)
        else:
            self.before.append(self.nest(0, totals, inits, self.before))
        return appended(self.before)

    def append_versions(self, totals: Sequence[Lane], inits: Sequence[Atom]) -> None:
        """One loop for where nothing is spread, and one for where something is."""
        test = self.before.op(operator.eq, (self.least, Const(1)))
        general = self.version(totals, inits)
        self.steps, self.current = {}, {}
        self.items = [Value(item.name, item.fact) for item in self.items]
        usual = self.version(totals, inits)
        results = tuple(lane.op.result for lane in totals)
        self.before.append(If(results, test, usual, general, self.place))

    def version(self, totals: Sequence[Lane], inits: Sequence[Atom]) -> ir.Block:
        heads = Builder(self.place, derivative=True)
        loop = self.nest(0, totals, inits, heads)
        loop = replace(loop, results=tuple(Value(r.name, r.fact) for r in loop.results))
        heads.append(loop)
        return heads.finish(loop.results)

    # --- before the loop ------------------------------------------------------------------------

    def prepare(self) -> None:
        self.make_parts(lambda lane: _is_there(lane, self.elements))
        self.count()
        for value in self.elements:
            if value in self.needed:
                self.make_array(value)
        self.make_parts(lambda lane: not _is_there(lane, self.elements))
        for lane in self.lanes:
            for atom in lane.operands:
                if isinstance(atom, Value) and atom not in self.elements:
                    self.step(lane, atom)
            if lane.like is not None:
                self.step_of_part(lane)
        if self.steps:
            steps = list(dict.fromkeys(self.steps.values()))
            self.least = self.before.op(min, steps, name="step") if len(steps) > 1 else steps[0]
            self.counts = [self.misfits.checked(self.before, self.counts[0], self.least)]

    def make_parts(self, wanted: object) -> None:
        for lane in self.lanes:
            if lane.made is not None and wanted(lane):  # type: ignore[operator]
                self.before.append(lane.made)

    def count(self) -> None:
        source = measured(self.lanes, self.elements)
        assert source is not None
        if len(self.dims) == 1:
            self.counts = [self.before.op(len, (source,))]
            return
        shape = self.before.op(getattr, (source, Const("shape")))
        axes = range(len(self.dims))
        self.counts = [self.before.op(operator.getitem, (shape, Const(k))) for k in axes]

    def make_array(self, value: Value) -> None:
        shape = self.counts[0]
        if len(self.counts) > 1:
            shape = self.before.op(ir.make_tuple, self.counts)
        dtype = (Const(np.bool_),) if facts.dtype(value.fact) == "bool" else ()
        self.before.append(Op(value, np.empty, (shape, *dtype), (), self.place, True))

    def step(self, lane: Lane, atom: Value) -> None:
        """What is spread along the only axis goes from element to element by a step."""
        dims = facts.dims(atom.fact)
        if len(self.dims) > 1 or not dims or dims in (self.dims, (1,)) or atom in self.steps:
            return
        length = self.before.op(len, (atom,))
        self.steps[atom] = self.before.op(step_of, (length, self.counts[0]), name="step")

    def step_of_part(self, lane: Lane) -> None:
        assert lane.target is not None and lane.like is not None
        lengths = [self.before.op(len, (a,)) for a in (lane.target, lane.like)]
        args = (*lengths, self.counts[0])
        self.steps[lane.target] = self.before.op(step_of_part, args, name="step")

    # --- the loop -------------------------------------------------------------------------------

    def nest(
        self, axis: int, totals: Sequence[Lane], inits: Sequence[Atom], heads: Builder
    ) -> Loop:
        """The loop over an axis and those inside it; `heads` gets what it runs over."""
        params = [Value(lane.op.result.name, facts.FLOAT) for lane in totals]
        iterable = heads.op(range, (self.counts[axis],))
        body = Builder(self.place, derivative=True)
        if axis + 1 < len(self.dims):
            inner = self.nest(axis + 1, totals, params, body)
            body.append(inner)
            nexts: list[Atom] = list(inner.results)
        else:
            self.sums = dict(zip(totals, params, strict=True))
            for lane in self.lanes:
                self.compute(body, lane)
            nexts = [self.sums[lane] for lane in totals]
        if axis:
            results = tuple(Value(p.name, p.fact) for p in params)
        else:
            results = tuple(lane.op.result for lane in totals)
        block = ir.Block(appended(body), tuple(nexts))
        return Loop(
            results, iterable, self.items[axis], tuple(inits), tuple(params), block, False,
            self.place,
        )  # fmt: skip

    def compute(self, body: Builder, lane: Lane) -> None:
        body.place = lane.op.place
        operands = [self.element(body, a) for a in lane.operands]
        if lane.total:
            term = operands[0] if lane.fn is None else body.op(lane.fn, operands)
            self.sums[lane] = body.op(operator.add, (self.sums[lane], term))
        elif lane.change is not None:
            self.change(body, lane, operands[0])
        elif lane.fn is not None:
            result = lane.op.result
            found = applied(body, lane.fn, operands, result, self.needed)
            self.current[result] = found
            if result in self.needed:
                self.append(body, set_element, result, self.index(body, result), found)

    def element(self, body: Builder, atom: Atom) -> Atom:
        if not isinstance(atom, Value) or isinstance(atom.fact, facts.Scalar):
            return atom
        if atom not in self.current:
            index = self.index(body, atom)
            fact = _ELEMENTS[facts.dtype(atom.fact) or ""]
            found = Value("", fact)
            body.append(Op(found, operator.getitem, (atom, index), (), body.place, True))
            self.current[atom] = found
        return self.current[atom]

    def index(self, body: Builder, array: Value) -> Atom:
        """Where the element stands in an array that may have fewer axes, or axes of length 1."""
        dims = facts.dims(array.fact) or ()
        found: list[Atom] = []
        for item, dim in zip(self.items[len(self.dims) - len(dims) :], dims, strict=True):
            step = self.steps.get(array)
            place: Atom = item if step is None else body.op(operator.mul, (item, step))
            own = self.dims[len(self.dims) - len(dims) + len(found)]
            found.append(Const(0) if dim == 1 and own != 1 and step is None else place)
        return found[0] if len(found) == 1 else body.op(ir.make_tuple, found)

    def change(self, body: Builder, lane: Lane, value: Atom) -> None:
        assert lane.target is not None
        self.append(body, lane.change, lane.target, self.index(body, lane.target), value)
        for array in list(self.current):  # what may have changed is read again
            if not self.apart(array, lane.target):
                del self.current[array]

    def append(self, body: Builder, fn: object, *args: Atom) -> None:
        nothing = Value("", facts.Opaque("NoneType"))
        body.append(Op(nothing, fn, args, (), body.place, True))  # type: ignore[arg-type]


def applied(
    body: Builder, fn: object, operands: Sequence[Atom], result: Value, needed: Collection[Value]
) -> Atom:
    """The element of a result, under its name if it is only known in the loop."""
    if fn is operator.pos:
        return operands[0]
    if fn is np.where:
        test, a, b = operands
        (chosen,) = body.branch(test, lambda: (a,), lambda: (b,), spelling="ifexp")
        return chosen
    name = "" if result in needed else result.name
    fact = _ELEMENTS[facts.dtype(result.fact) or ""]
    made = Value(name, fact)
    body.append(Op(made, fn, tuple(operands), (), body.place, True))  # type: ignore[arg-type]
    return made


_ARITHMETIC = (np.divide, np.sqrt, np.absolute, np.maximum, np.minimum, np.negative, np.square)


def calls_function(lane: Lane) -> bool:
    """Whether an element takes more than arithmetic, so that elements come one by one anyway."""
    return isinstance(lane.fn, np.ufunc) and lane.fn not in _ARITHMETIC


def leaves(lane: Lane, elements: Collection[Value]) -> Iterator[Value]:
    """The arrays that a lane reads, but for those that the loop computes."""
    for atom in lane.operands:
        if isinstance(atom, Value) and isinstance(atom.fact, facts.Array) and atom not in elements:
            yield atom
