"""The shared fit path: how an estimator fits many candidates on one training set at less than separate fits cost.

A search over parameters fits many estimators on the same rows. A class whose fits have work in common says so by three
members, and `mlwright.model_selection.SharedSearchCV` uses them; every other class is cloned and fitted.

`_batches(candidates)`
    Lists of numbers of candidates; each list is answered in one pass, in its order.
`_fit_batch(candidates, rows)`
    An iterator of fitted estimators, one for each of a batch's candidates, each to the bit what ``fit`` of it on the
    rows would be. It may raise on the way: then what it did not come to has failed.
`_shared_columns(X)`
    Names and values of columns in ``cv_results_`` that say how the fits on (parts of) X were shared.

Where scores too follow without the rows, a class has instead

`_score_all(candidates, task, splits)`
    Results of all candidates on all splits, candidate by candidate, as ``_fit_and_score`` gives them and up to rounding
    those of separate fits; None where it has no answer, and candidates are cloned and fitted.

The first two methods are called on an unfitted estimator, on several threads at once; `TrainingRows.memo` keeps what
batches of
one training set have in common. A class that overrides ``fit`` is not taken to share what its base class does.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

from mlwright._runtime.threads import limit


class Memo:
    """Values that are made once, by whichever thread asks first.

    Parameters
    ----------
    n_jobs : int or None
        Threads that making one may use: those that wait for it have nothing else to do.
    """

    def __init__(self, n_jobs: int | None = None):
        self._n_jobs = n_jobs
        self._lock = Lock()
        self._entries: dict[Hashable, _Entry] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of a key; ``make()`` the first time. What it raises is not kept."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
        with entry.lock:
            if not entry.made:
                with limit(self._n_jobs):
                    entry.value = make()
                entry.made = True
        return entry.value


@dataclass
class _Entry:
    lock: Any = field(default_factory=Lock)
    made: bool = False
    value: Any = None


@dataclass(frozen=True)
class TrainingRows:
    """One training set: what ``fit`` would be given, and what its fits have in common."""

    X: Any
    y: Any
    fit_params: Mapping[str, Any]
    memo: Memo = field(default_factory=Memo)


class SharesFits(Protocol):
    """What an estimator with a shared fit path has; see the module."""

    def _shared_columns(self, X: Any) -> Mapping[str, str]: ...

    def _batches(self, candidates: Sequence[Any]) -> list[list[int]]: ...

    def _fit_batch(self, candidates: Sequence[Any], rows: TrainingRows) -> Iterator[Any]: ...


def shares_fits(estimator: Any) -> bool:
    """Whether the shared path stands for this estimator's own ``fit``."""
    return _stands_for_fit(estimator, "_fit_batch")


def shares_scores(estimator: Any) -> bool:
    """Whether ``_score_all`` stands for this estimator's own ``fit``."""
    return _stands_for_fit(estimator, "_score_all")


def _stands_for_fit(estimator: Any, name: str) -> bool:
    classes = type(estimator).__mro__
    fits = next((i for i, cls in enumerate(classes) if "fit" in vars(cls)), None)
    shares = next((i for i, cls in enumerate(classes) if name in vars(cls)), None)
    return fits is not None and shares is not None and shares <= fits and "fit" not in vars(estimator)
