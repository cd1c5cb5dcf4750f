"""Measuring one problem, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.agreement import Disagreement, check_agreement, check_by_differences
from benchmarks.contenders import Absent, Call, Contender
from benchmarks.problem import Problem
from benchmarks.timing import interleaved, peak_memory
from tangent_like.errors import TangentLikeError


@dataclass
class Result:
    """Seconds by contender; `absent` says why the others have none.

    `memory` holds the most bytes that a call of the primal, and of the derivatives by hand and
    generated, has allocated at one time.
    """

    name: str
    title: str
    seconds: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    remark: str = ""

    def ratio(self, name: str, other: str) -> float | None:
        """How many times as long one contender takes as another."""
        if name not in self.seconds or other not in self.seconds:
            return None
        return self.seconds[name] / self.seconds[other]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(problem: Problem, contenders: Sequence[Contender], rounds: int) -> Result:
    """All contenders on one problem, checked against the hand-written derivative first."""
    result = Result(problem.name, problem.title, remark=problem.remark)
    reference = problem.by_hand(*problem.args)
    if problem.is_gradient:
        check_by_differences(problem, reference)
    calls: dict[str, Call] = {}
    for contender in contenders:
        call = admitted(problem, contender, reference, result)
        if call is not None:
            calls[contender.name] = call
    factors = {c.name: c.factor(problem) for c in contenders if c.name in calls}
    found = interleaved(calls, rounds)
    result.seconds = {name: factors[name] * spent for name, spent in found.items()}
    result.memory = {
        name: peak_memory(calls[name])
        for name in ("primal", "by hand", "generated")
        if name in calls and result.seconds[name] < 1.0
    }
    return result


def admitted(
    problem: Problem, contender: Contender, reference: Any, result: Result
) -> Call | None:
    """The contender's call, if it runs and agrees; otherwise why not is noted."""
    try:
        call = contender.make(problem)
        found = call()
        if contender.is_derivative:
            check_agreement(f"{problem.name}, {contender.name}", found, reference)
    except Absent as reason:
        result.absent[contender.name] = str(reason)
    except TangentLikeError as error:
        result.absent[contender.name] = f"refused: {error.message}"
    except Disagreement:
        raise
    except Exception as error:  # another tool's compiler may raise anything
        if contender.name in ("primal", "by hand", "generated", "differences"):
            raise
        result.absent[contender.name] = f"{type(error).__name__}: {str(error).splitlines()[0:1]}"
    else:
        return call
    return None
