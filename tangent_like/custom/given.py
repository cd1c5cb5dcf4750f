"""A function with given derivatives, for one kind of arguments: how calls of it and of what was
given are lowered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tangent_like import facts, ir
from tangent_like.build import Builder
from tangent_like.errors import ArgumentError, Place, TangentLikeError
from tangent_like.facts import Fact
from tangent_like.frontend.calls import call
from tangent_like.frontend.functions import lower_body, new_frame
from tangent_like.frontend.kinds import instantiate, without_values
from tangent_like.frontend.source import Source
from tangent_like.frontend.state import Lowering, Module
from tangent_like.frontend.syntax import parameter_nodes
from tangent_like.ir import Atom, Block, Const, Function, Op, Procedure, Value
from tangent_like.procedures import Pattern, procedure_name
from tangent_like.rules.registry import Custom
from tangent_like.simplify.dead import prune


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """`fixed` are the arguments known at compile time, by position; `place` the first call."""

    module: Module
    custom: Custom
    procedure: Procedure
    source: Source
    kinds: tuple[Fact, ...]
    fixed: Mapping[int, Const]
    place: Place

    @property
    def name(self) -> str:
        return str(self.custom.function.__name__)

    # --- arguments ----------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        return [str(node.id) for node in parameter_nodes(self.source.tree.args)]

    @property
    def passed(self) -> list[int]:
        """The positions of the arguments that are not fixed."""
        return [i for i in range(len(self.names)) if i not in self.fixed]

    @property
    def differentiated(self) -> list[int]:
        """The positions of the arguments that have a cotangent or tangent."""
        count = len(self.names)
        constants = {i % count for i in self.custom.constants}
        return [i for i in range(count) if i not in constants]

    def params(self) -> list[Value]:
        """New parameters for the arguments that are not fixed."""
        names = self.names
        found = instantiate(self.kinds)
        return [Value(names[i], fact) for i, fact in zip(self.passed, found, strict=True)]

    def arguments(self, passed: Sequence[Atom]) -> list[Atom]:
        """All arguments, the fixed ones included."""
        rest = iter(passed)
        return [self.fixed[i] if i in self.fixed else next(rest) for i in range(len(self.names))]

    def split(self, passed: Sequence[Atom]) -> tuple[list[Atom], list[Atom]]:
        """The arguments that are never differentiated, and the others."""
        atoms = self.arguments(passed)
        moving = self.differentiated
        return [a for i, a in enumerate(atoms) if i not in moving], [atoms[i] for i in moving]

    def active(self, pattern: Pattern) -> list[int]:
        """The positions of the active arguments; refuses those that are declared constant."""
        found = [i for i, moving in zip(self.passed, pattern, strict=True) if moving]
        for i in found:
            if i not in self.differentiated:
                raise ArgumentError(
                    f"`{self.name}` is differentiated with respect to `{self.names[i]}`, which "
                    "is in nondiff_argnums",
                    self.place,
                )
        return found

    # --- lowering -----------------------------------------------------------------------------

    def body(self) -> Function:
        """The function itself."""
        params = self.params()
        atoms = self.arguments(params)

        def lower(state: Lowering) -> Atom:
            state.frame.env.update(zip(self.names, atoms, strict=True))
            return lower_body(state)

        block = self._lowered(lower, self.custom.function, atoms)
        return Function(self.procedure.name, tuple(params), block, self.place)

    def calling(self, builder: Builder, function: Any, atoms: Sequence[Atom]) -> Atom:
        """Append a call of a given function; its result."""
        node = self.source.tree
        block = self._lowered(
            lambda state: call(state, node, Const(function), atoms, {}), function, atoms
        )
        for statement in block.statements:
            builder.append(statement)
        return block.results[0]

    def _lowered(
        self, lower: Callable[[Lowering], Atom], function: Any, atoms: Sequence[Atom]
    ) -> Block:
        """What `lower` builds; where that is not supported, a call of the function as it is."""
        frame = new_frame(self.source, self.source.tree, {}, None, None)
        state = Lowering(self.module, Builder(self.place), frame)
        try:
            result = lower(state)
        except ArgumentError:
            raise
        except TangentLikeError:
            value = Value("", facts.UNKNOWN)
            return Block((Op(value, function, tuple(atoms), (), self.place),), (value,))
        block = state.builder.finish((result,))
        return prune(Block((*state.prelude, *block.statements), block.results))

    def derived(
        self, suffix: str, pattern: Pattern, params: Sequence[Value], block: Block
    ) -> Procedure:
        """The procedure of a derivative."""
        name = procedure_name(self.procedure, suffix, pattern)
        function = Function(name, tuple(params), prune(block), self.place)
        (result,) = function.body.results
        return Procedure(name, function, without_values(result.fact))


def spliced(builder: Builder, function: Function, args: Sequence[Atom]) -> Atom:
    """Append the body of a function on these arguments; its result."""
    body = ir.substitute(function.body, dict(zip(function.params, args, strict=True)))
    for statement in body.statements:
        builder.append(statement)
    (result,) = body.results
    return result
