"""``python -m benchmarks``: run, compare, write JSON, Markdown and a picture, and the README's table.

``make bench`` sets up the environment and calls this; ``make bench ONLY="ols ridge"`` picks problems or libraries,
``QUICK=1`` runs small shapes to see that everything works (its figures are kept out of the README).
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, picture, readme, record, session, summary, table
from benchmarks.data import missing_tables
from benchmarks.problem import Problem
from benchmarks.problems import PROBLEMS

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
QUICK_RESULTS = ROOT / "build" / "bench-quick"


def select(words: Sequence[str]) -> list[Problem]:
    """The problems that ``words`` (names of problems and libraries) leave; ours always takes part.

    Examples
    --------
    >>> [problem.name for problem in select(["ols", "sklearn"])], select(["ols", "sklearn"])[0].libraries
    (['ols'], ('mlwright', 'sklearn'))
    """
    libraries = {name for problem in PROBLEMS.values() for name in problem.libraries}
    unknown = [word for word in words if word not in PROBLEMS and word not in libraries]
    if unknown:
        expected = f"problems ({', '.join(PROBLEMS)}) or libraries ({', '.join(sorted(libraries))})"
        raise SystemExit(f"ONLY={' '.join(unknown)}: expected {expected}")
    wanted_problems = [PROBLEMS[word] for word in words if word in PROBLEMS] or list(PROBLEMS.values())
    wanted_libraries = {word for word in words if word in libraries} or libraries
    narrowed = []
    for problem in wanted_problems:
        ours, *peers = problem.libraries
        narrowed.append(replace(problem, libraries=(ours, *(name for name in peers if name in wanted_libraries))))
    return [problem for problem in narrowed if len(problem.libraries) > 1]


def measure(problem: Problem, quick: bool) -> dict[str, Any]:
    """The record of one problem: when, on what machine, how, and a row a library."""
    print(f"{problem.name}: {problem.title}", flush=True)
    results = session.run(problem, quick, say=lambda line: print(line, flush=True))
    return {
        "name": problem.name,
        "title": problem.title + (" (quick: smaller shapes)" if quick else ""),
        "timed": problem.timed,
        "threads": problem.threads,
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine.describe(),
        "rows": summary.compare(problem, results),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help="problems or libraries; all without")
    parser.add_argument("--quick", action="store_true", help="small shapes; nothing is written to the README")
    parser.add_argument("--list", action="store_true", help="show the problems and end")
    options = parser.parse_args(arguments)
    if options.list:
        for name, problem in PROBLEMS.items():
            print(f"{name:24} {problem.title}  [{', '.join(problem.libraries)}]")
        return 0
    folder = QUICK_RESULTS if options.quick else RESULTS
    failures = 0
    for problem in select(options.only):
        if missing := missing_tables(problem.tables):
            print(f"{problem.name}: skipped, {missing} not present (set MLWRIGHT_DATA)")
            continue
        result = measure(problem, options.quick)
        print(table.details([result]), flush=True)
        if "error" in result["rows"][0]:
            print(f"{problem.name}: nothing is recorded, since mlwright itself failed")
            failures += 1
            continue
        # After each problem, so that an interrupted run keeps what it has measured.
        records = record.merge(folder / "results.json", result, order=list(PROBLEMS))
        (folder / "results.md").write_text(table.document(records))
        (folder / "results.svg").write_text(picture.draw(records))
        if not options.quick:
            readme.rewrite(ROOT / "README.md", table.headline(records))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
