"""How far a long computation is, told to whoever watches.

An engine makes one :class:`Reporter` for its ``verbose`` and reports every step; a native one is given
``reporter.native``.
Who watches is decided outside: ``verbose=1`` prints lines as scikit-learn does, and :func:`watch_progress` hands every
event to a callable, for which there are adapters to logging, tqdm and rich.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any

INTERVAL = 0.1  # seconds between the events of one stage, but for its first and last

_watchers: ContextVar[tuple["Watcher", ...]] = ContextVar("mlwright_watchers", default=())


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """One step of a computation.

    Attributes
    ----------
    stage : str
        What is going on, e.g. ``"boosting"``.
    done : int
        Steps that are finished.
    total : int or None
        Steps there will be at most; None if unknown. An engine that stops early never comes to it.
    values : mapping of str to float
        What the engine watches itself, e.g. ``{"loss": 0.31}``.
    """

    stage: str
    done: int
    total: int | None
    values: Mapping[str, float] = field(default_factory=dict)

    def __str__(self):
        steps = f"{self.done}" if self.total is None else f"{self.done}/{self.total}"
        return " ".join([f"[mlwright] {self.stage} {steps}", *(f"{k}={v:.6g}" for k, v in self.values.items())])


Watcher = Callable[[ProgressEvent], None]


@contextmanager
def watch_progress(watcher: Watcher) -> Iterator[None]:
    """Call ``watcher(event)`` for the steps of everything that mlwright computes in the block.

    Parameters
    ----------
    watcher : callable
        Called on the thread that started the computation, at most ten times a second for each stage. What it raises
        ends the computation.

    Examples
    --------
    >>> import mlwright
    >>> from mlwright._runtime.progress import Reporter
    >>> with mlwright.watch_progress(print):
    ...     for i in range(3):
    ...         Reporter("counting", 3).report(i + 1, square=(i + 1) ** 2)
    [mlwright] counting 1/3 square=1
    [mlwright] counting 2/3 square=4
    [mlwright] counting 3/3 square=9
    """
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)


def unwatched() -> Context:
    """A copy of this thread's context in which nobody watches: for work whose progress somebody else reports."""
    context = copy_context()
    context.run(_watchers.set, ())
    return context


class Reporter:
    """What an engine reports to.

    Parameters
    ----------
    stage : str
    total : int or None
    verbose : int or bool
        The estimator's parameter: from 1 lines are printed; from 2 one for every step.
    """

    def __init__(self, stage: str, total: int | None = None, *, verbose: int = 0):
        self._stage = stage
        self._total = total
        self._watchers = (*_watchers.get(), *((to_stream(),) if verbose else ()))
        self._interval = 0.0 if verbose >= 2 else INTERVAL
        self._told: float | None = None

    @property
    def watched(self) -> bool:
        """Whether anybody listens: for values that cost something to compute."""
        return bool(self._watchers)

    @property
    def interval(self) -> float:
        """Seconds between events; goes to the native core together with ``native``."""
        return self._interval

    @property
    def native(self) -> Callable[..., None] | None:
        """The watcher for the native core, which limits the rate itself; None if nobody listens."""
        return self._tell if self._watchers else None

    def report(self, done: int, **values: float) -> None:
        """Report that ``done`` steps are finished."""
        if not self._watchers:
            return
        now = time.monotonic()
        if self._told is None or done == self._total or now - self._told >= self._interval:
            self._told = now
            self._tell(self._stage, done, self._total, values)

    def _tell(self, stage, done, total, values):
        event = ProgressEvent(stage, done, total or None, values)
        for watcher in self._watchers:
            watcher(event)


def to_stream(file: Any = None) -> Watcher:
    """A watcher that writes a line an event, to ``sys.stdout`` by default, as scikit-learn's ``verbose`` does."""

    def watcher(event):
        stream = sys.stdout if file is None else file
        stream.write(f"{event}\n")
        stream.flush()

    return watcher


def to_logger(logger: Any, level: int = 20) -> Watcher:
    """A watcher that logs each event, at INFO by default."""
    return lambda event: logger.log(level, "%s", event)


def to_tqdm(make_bar: Callable[..., Any]) -> Watcher:
    """A watcher that moves a bar of tqdm, a new one for each stage.

    Parameters
    ----------
    make_bar : callable
        ``tqdm.auto.tqdm``, or whatever takes ``total`` and ``desc`` and returns an object with ``n``, ``update``,
        ``set_postfix`` and ``close``.
    """
    bars: dict[str, Any] = {}

    def watcher(event):
        bar = bars.get(event.stage)
        if bar is None or event.done < bar.n:
            bar = bars[event.stage] = make_bar(total=event.total, desc=event.stage)
        bar.update(event.done - bar.n)
        bar.set_postfix(event.values)
        if event.done == event.total:
            bar.close()
            del bars[event.stage]

    return watcher


def to_rich(progress: Any) -> Watcher:
    """A watcher that moves the tasks of a running ``rich.progress.Progress``, one for each stage."""
    tasks: dict[str, Any] = {}

    def watcher(event):
        if event.stage not in tasks:
            tasks[event.stage] = progress.add_task(event.stage, total=event.total)
        progress.update(tasks[event.stage], completed=event.done, total=event.total, **event.values)

    return watcher
