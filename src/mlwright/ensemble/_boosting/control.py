"""What a caller of ``fit`` may watch and decide between iterations: metrics, a time limit, a callback."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from time import monotonic
from typing import Any

import numpy as np


@dataclass(frozen=True)
class BoostingIteration:
    """What a callback of ``fit`` is told after every iteration.

    Attributes
    ----------
    n_iter : int
        Iterations so far, those of former calls included.
    seconds : float
        Since ``fit`` began.
    scores : dict of str to float
        The newest of each ``eval_metric``, and ``"train_score"`` and ``"validation_score"`` if early stopping is on.
    model : callable
        ``model()`` is a fitted copy of the estimator as it stands.
    """

    n_iter: int
    seconds: float
    scores: Mapping[str, float]
    model: Callable[[], Any]


@dataclass
class Control:
    """The part of a fit that its caller decides.

    Attributes
    ----------
    scorers : dict of str to callable
        ``scorer(estimator, X, y)``, maybe with ``sample_weight``.
    callback : callable or None
    deadline : float
        As `time.monotonic` tells it; infinite for no limit.
    begun : float
    scores : dict of str to list of float
    rows : Rows or None
        That the metrics are computed on.
    """

    scorers: dict
    callback: Callable[[BoostingIteration], Any] | None
    deadline: float
    begun: float
    scores: dict = field(default_factory=dict)
    rows: Any = None

    @classmethod
    def of(cls, estimator, eval_metric, callback, max_time):
        """None if there is nothing to do between iterations."""
        begun = monotonic()
        if eval_metric is None and callback is None and max_time is None:
            return None
        if callback is not None and not callable(callback):
            raise ValueError(f"callback: got {callback!r}, expected a function of a BoostingIteration, or None")
        if max_time is not None and (not isinstance(max_time, Real) or isinstance(max_time, bool) or not max_time > 0):
            raise ValueError(f"max_time: got {max_time!r}, expected a positive number of seconds, or None for no limit")
        scorers = _scorers(estimator, eval_metric)
        deadline = begun + float(max_time) if max_time is not None else np.inf
        return cls(scorers, callback, deadline, begun, {name: [] for name in scorers})

    def score(self, fit):
        """Compute every metric of the trees so far."""
        if not self.scorers:
            return
        estimator = fit.estimator_with(fit.trees, fit.start)
        for name, scorer in self.scorers.items():
            self.scores[name].append(fit.ask_scorer(scorer, estimator, self.rows))

    def after_iteration(self, fit):
        """Whether the caller wants to stop here."""
        self.score(fit)
        stop = monotonic() >= self.deadline
        if self.callback is None:
            return stop
        scores = {name: values[-1] for name, values in self.scores.items()} | fit.newest_scores()
        model = partial(fit.copy_of, fit)
        answer = self.callback(BoostingIteration(fit.n_iterations, monotonic() - self.begun, scores, model))
        if answer is not None and not isinstance(answer, bool | np.bool_):
            raise TypeError(f"callback: returned {answer!r}, expected True to stop the fit, or False or None to go on")
        return stop or bool(answer)


def _scorers(estimator, eval_metric):
    """Scorers by name."""
    if eval_metric is None:
        return {}
    from sklearn.metrics import check_scoring

    if isinstance(eval_metric, str) or callable(eval_metric):
        eval_metric = [eval_metric]
    if isinstance(eval_metric, Mapping):
        named = dict(eval_metric)
    elif isinstance(eval_metric, list | tuple):
        named = {_name(metric): metric for metric in eval_metric}
        if len(named) < len(eval_metric):
            names = [_name(metric) for metric in eval_metric]
            raise ValueError(f"eval_metric: got {names}, expected no name twice; use a dict from names to scorers")
    else:
        raise ValueError(
            f"eval_metric: got {eval_metric!r}, expected a scorer's name, a callable, a list or a dict of them, or None"
        )
    for name, metric in named.items():
        if not isinstance(name, str) or not (isinstance(metric, str) or callable(metric)):
            raise ValueError(
                f"eval_metric: got {name!r}: {metric!r}, expected names, and names of scorers or callables"
            )
    return {name: check_scoring(estimator, metric) for name, metric in named.items()}


def _name(metric):
    return metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)


def takes_weight(scorer):
    """Whether a scorer of the user's is to be given weights; scikit-learn's own say so themselves."""
    if hasattr(scorer, "_accept_sample_weight"):
        return scorer._accept_sample_weight()
    try:
        parameters = inspect.signature(scorer).parameters.values()
    except ValueError:
        return False
    return any(p.name == "sample_weight" or p.kind is p.VAR_KEYWORD for p in parameters)
