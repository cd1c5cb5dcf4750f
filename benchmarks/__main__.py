"""`python -m benchmarks`: the table on the screen, and a JSON and a plot in files."""

from __future__ import annotations

from benchmarks.timing import use_one_core

if __name__ == "__main__":
    use_one_core()  # before anything imports NumPy

import argparse
import gc
import sys
from pathlib import Path

from benchmarks import others, workloads
from benchmarks.compiling import compiler_figures, summary
from benchmarks.contenders import contenders, is_installed
from benchmarks.measure import measure
from benchmarks.problem import Problem
from benchmarks.report import as_json, markdown, notes, plot, table


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="workloads that start like this")
    parser.add_argument("--others", action="store_true", help="twenty functions of other kinds")
    parser.add_argument("--without", nargs="+", metavar="NAME", default=[], help="contenders")
    parser.add_argument("--rounds", type=int, default=7, help="the best of so many (default 7)")
    parser.add_argument("--data", type=Path, help="a folder with ADBench's data files")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a picture")
    parser.add_argument("--compiler", action="store_true", help="also time the compiler")
    parser.add_argument("--tiny", action="store_true", help="small sizes: only to try it out")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[Problem]:
    source = others if options.others else workloads
    found = source.problems(options.tiny, options.data)
    if options.only:
        found = [p for p in found if p.name.startswith(tuple(options.only))]
    return found


def main() -> int:
    options = arguments()
    running = [c for c in contenders() if c.name not in options.without]
    results = []
    for problem in chosen(options):
        print(f"{problem.name}: {problem.title} ...", file=sys.stderr, flush=True)
        results.append(measure(problem, running, options.rounds))
        gc.collect()
    print(table(results))
    print()
    print(notes(results))
    figures = compiler_figures(options.rounds) if options.compiler else {}
    if figures:
        print()
        print(summary(figures))
    if options.markdown:
        options.markdown.write_text(markdown(results) + "\n")
    if options.json:
        options.json.write_text(as_json(results, figures))
    if options.plot:
        if not is_installed("matplotlib"):
            sys.exit("--plot needs matplotlib: pip install 'tangent-like[bench]'")
        plot(results, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
