"""From the seconds of each round to medians, quartiles, ratios and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from benchmarks.answers import differences
from benchmarks.problem import Problem


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of repeated measurements, in the unit they came in."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value; the quartiles of a single value are the value.

        Examples
        --------
        >>> Spread.of([1.0, 2.0, 3.0, 4.0, 100.0])
        Spread(median=3.0, lower=2.0, upper=4.0)
        """
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        lower, _, upper = quantiles(values, n=4, method="inclusive")
        return cls(median(values), lower, upper)


def compare(problem: Problem, results: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a library, the first of ``problem.libraries`` being ours.

    Parameters
    ----------
    problem : Problem
    results : dict of str to dict
        By library: either ``{"error": text}`` or ``{"seconds": [...], "answers": {...}, "peak_mb": float}``, and
        perhaps ``"notes": [...]``.

    Returns
    -------
    list of dict
        ``library``, ``seconds`` (median, lower, upper), ``rounds``, ``peak_mb``, ``answers``, and for a peer ``ratio``
        (its median over ours), ``ratio_spread`` (of the round-by-round ratios) and ``verdict``; or ``differs`` and no
        ratio.
    """
    own = results[problem.libraries[0]]
    return [_row(problem, own, name, results[name]) for name in problem.libraries]


def _row(problem: Problem, own: Mapping[str, Any], name: str, result: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"library": name}
    if "error" in result:
        return row | {"error": result["error"]}
    row |= {
        "seconds": asdict(Spread.of(result["seconds"])),
        "rounds": len(result["seconds"]),
        "peak_mb": result["peak_mb"],
        "answers": dict(result["answers"]),
        "notes": list(result.get("notes", [])),
    }
    if result is own or "error" in own:
        return row
    differs = differences(own["answers"], result["answers"], problem.metrics)
    if differs:
        return row | {"differs": differs}
    # Rounds are interleaved, so the ratio within a round is free of the machine's slow drift.
    paired = [theirs / ours for theirs, ours in zip(result["seconds"], own["seconds"], strict=True)]
    ratio = median(result["seconds"]) / median(own["seconds"])
    row |= {"ratio": ratio, "ratio_spread": asdict(Spread.of(paired))}
    if name in problem.goals:
        goal = problem.goals[name]
        row |= {"goal": asdict(goal), "verdict": goal.verdict(ratio)}
    if name in problem.peak_goals and own["peak_mb"] > 0:
        goal, ratio = problem.peak_goals[name], result["peak_mb"] / own["peak_mb"]
        row["peak"] = {"ratio": ratio, "goal": asdict(goal), "verdict": goal.verdict(ratio)}
    return row
