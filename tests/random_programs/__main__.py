"""Run many random programs: `python -m tests.random_programs --count 1000 --seed 1`.

Program number i of a seed is always the same program.  The exit code is 1 when one fails.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random

from tangent_like import switches
from tests.random_programs import grammar, in_place
from tests.random_programs.check import Discarded, Refused, check
from tests.random_programs.drawing import Program
from tests.random_programs.limits import TooLong, limited
from tests.random_programs.mistakes import check_mistaken, mutated
from tests.random_programs.shrink import shrink

COUNTED = ("ok", "discarded", "refused", "failed")
LONGEST = 60.0
"""Seconds that a program and its derivatives may take: hundreds of times what they do take."""


def numbered(seed: int, i: int, arrays: bool = False, mistakes: bool = False) -> Program:
    draw, random = in_place.program if arrays else grammar.program, Random(f"{seed}:{i}")
    return mutated(draw(random), random) if mistakes else draw(random)


def outcome(
    one: Program, second_order: bool, turn: int = 0, mistaken: bool = False,
    seconds: float = LONGEST,
) -> str:  # fmt: skip
    """What came of a program: "ok", "discarded", "refused" with the reason, or the kind of
    failure and its message."""
    try:
        with limited(seconds):
            if mistaken:
                check_mistaken(one, turn)
            else:
                check(one, second_order, turn)
    except Discarded:
        return "discarded"
    except Refused as reason:
        return f"refused: {reason}"
    except (Exception, TooLong) as error:  # every kind of failure is a finding
        return f"{type(error).__name__}: {error}"
    return "ok"


def kind_of(result: str) -> str:
    """What must stay the same while a failure is shrunk: the error, up to its first number."""
    first = result.splitlines()[0]
    return first.rsplit(": ", 1)[-1][:40] if ".py" in first or "defined by" in first else first[:60]


def report(i: int, seed: int, one: Program, result: str, judge: Callable[..., str]) -> None:
    """The program as it was written, and the smallest one found that fails in the same way."""
    if kind_of(judge(one, second_order=False)) == kind_of(result):
        judge = partial(judge, second_order=False)
    if kind_of(result) != kind_of(f"TooLong: no end within {LONGEST:g} s"):
        judge = partial(judge, seconds=LONGEST / 6)  # what is left of a loop may not end

    def fails(smaller: Program) -> bool:
        return kind_of(judge(smaller)) == kind_of(result)

    print(f"\n=== program {i} of seed {seed}: {result}\n--- f{one.args!r} of\n{one.source}")
    small = shrink(one, fails)
    print(f"--- smallest form found: {judge(small)}\n{small.source}", flush=True)


def shown(tally: Counter[str]) -> str:
    counts = ", ".join(f"{tally[k]} {k}" for k in COUNTED)
    return f"{tally.total()} programs, {counts}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.random_programs", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first program")
    parser.add_argument("--second-order", type=int, default=10, help="percent of the programs")
    parser.add_argument("--verified", type=int, default=10, help="percent whose lists are checked")
    parser.add_argument("--arrays", action="store_true", help="programs that write into arrays")
    parser.add_argument("--mistakes", action="store_true", help="programs with mistakes in them")
    parser.add_argument("--show", action="store_true", help="print the programs, check nothing")
    parser.add_argument("--failures", type=int, default=10, help="stop after so many failures")
    options = parser.parse_args()
    tally: Counter[str] = Counter()
    refusals: dict[str, list[int]] = {}
    kinds: set[str] = set()
    os.environ["TANGENT_LIKE_CACHE"] = "off"
    begin = time.perf_counter()
    for i in range(options.first, options.first + options.count):
        one = numbered(options.seed, i, options.arrays, options.mistakes)
        second_order = i % 100 < options.second_order
        switches.checking[0] = (i + 50) % 100 < options.verified
        if options.show:
            print(f"# program {i}: f{one.args!r}\n{one.source}")
            continue
        if tally.total() and tally.total() % 500 == 0:
            print(f"... {shown(tally)}", flush=True)
        judge = partial(outcome, second_order=second_order, turn=i, mistaken=options.mistakes)
        result = judge(one)
        what = result.split(":")[0]
        tally[what if what in COUNTED else "failed"] += 1
        if what == "refused":
            refusals.setdefault(result, []).append(i)
        if what in COUNTED:
            continue
        if kind_of(result) in kinds:
            print(f"\n=== program {i} of seed {options.seed} again: {result.splitlines()[0]}")
        else:
            report(i, options.seed, one, result, judge)
        kinds.add(kind_of(result))
        if tally["failed"] >= options.failures:
            break
    for reason, numbers in refusals.items():
        print(f"{len(numbers)} {reason} (programs {', '.join(map(str, numbers[:5]))})")
    seconds = time.perf_counter() - begin
    print(f"seed {options.seed}: {shown(tally)}, in {seconds:.0f} s")
    return 1 if tally["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
