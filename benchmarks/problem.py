"""What a benchmark is: data, who takes part, what is timed, and when two answers count as equal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.machine import THREADS


@dataclass(frozen=True)
class Goal:
    """How many times faster (or smaller) than a library ours has to be (``must``) and is meant to become (``aim``)."""

    must: float
    aim: float

    def verdict(self, ratio: float) -> str:
        """In words of the table: ``aim met``, ``must met`` or ``not met``."""
        if ratio >= self.aim:
            return "aim met"
        return "must met" if ratio >= self.must else "not met"


@dataclass(frozen=True)
class Metric:
    """One number that describes an answer, and how far two libraries may be apart in it.

    Parameters
    ----------
    name : str
        As printed in the table of differences.
    of : callable
        ``of(model, data) -> float``, in float64 NumPy from the fitted model: the same code for every library.
    rtol, atol : float
        Two answers are equal when ``|a - b| <= atol + rtol * |b|``, with ``b`` the peer's.
    may_be_lower : bool
        Of a held-out loss: ours may be better by any amount, so ``a - b`` stands for the distance.
    """

    name: str
    of: Callable[[Any, Mapping[str, Any]], float]
    rtol: float = 0.0
    atol: float = 0.0
    may_be_lower: bool = False


@dataclass(frozen=True)
class Problem:
    """One workload.

    Parameters
    ----------
    name : str
        What ``ONLY=`` picks.
    title : str
        One line for the table.
    task : str
        The key of ``MODELS`` in every module of ``benchmarks.libraries`` that takes part.
    data : callable
        ``data(quick) -> dict`` of arrays or frames, from a fixed seed or a real table; ``X`` and ``y`` are fitted,
        ``X_test`` and ``y_test`` judged.
    timed : {"fit", "fit_predict", "predict"}
        What one round measures.
    libraries : tuple of str
        Modules of ``benchmarks.libraries``; the first one is ours.
    metrics : tuple of Metric
        All of them must agree before a ratio is printed.
    goals : dict of str to Goal
        By library.
    settings : dict
        Handed to the model builders: the same trees, leaves, bins and learning rate for everyone.
    peak_goals : dict of str to Goal
        By library, of its peak memory over ours.
    threads : int
        Of every library.
    per : callable or None
        ``per(model, data) -> float``: what a fit yields that is worth its seconds, such as effective draws. The seconds
        told are then those of one unit of it.
    rounds : int
        Timed repeats; at least five but for the very long ones.
    warm_up : bool
        Whether one whole round runs untimed first. Without it, a small fit does: code is loaded and threads exist, and
        a long problem is not run once more than it is counted.
    tables : tuple of str
        Real tables it needs; where they are not present, the problem is skipped and says so.
    """

    name: str
    title: str
    task: str
    data: Callable[[bool], dict[str, Any]]
    timed: str
    libraries: tuple[str, ...]
    metrics: tuple[Metric, ...]
    goals: Mapping[str, Goal] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    peak_goals: Mapping[str, Goal] = field(default_factory=dict)
    per: Callable[[Any, Mapping[str, Any]], float] | None = None
    threads: int = THREADS
    rounds: int = 5
    warm_up: bool = True
    tables: tuple[str, ...] = ()
