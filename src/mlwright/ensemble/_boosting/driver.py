"""The loop of one boosted fit: iterations, scores, early stopping."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from mlwright._kernels.forest import Forest, join_trees
from mlwright._runtime.progress import Reporter
from mlwright.ensemble._boosting.control import Control, takes_weight

_SCORED_ROWS = 10_000  # scorers see at most as many training rows


@dataclass
class Stopping:
    """When to stop early.

    Attributes
    ----------
    scoring : "loss" or callable
        A callable takes an estimator, X, y and maybe sample_weight; higher is better.
    n_iter_no_change, tol
        Stop once none of the last ``n_iter_no_change`` scores beats the one before them by more than ``tol``.
    """

    scoring: object
    n_iter_no_change: int
    tol: float

    def is_due(self, scores):
        if len(scores) <= self.n_iter_no_change:
            return False
        reference = scores[-self.n_iter_no_change - 1] + self.tol
        return not any(score > reference for score in scores[-self.n_iter_no_change :])


@dataclass
class Boosting:
    """State of a fit in progress.

    Attributes
    ----------
    train, validation : Rows
        validation may be None.
    loss : LossSpec
    start : array of shape (n_outputs,)
    parts : list of dict
        Trees so far, in the order they were grown.
    """

    train: object
    validation: object
    loss: object
    booster: object
    start: np.ndarray
    parts: list
    stopping: Stopping | None = None
    estimator_with: object = None  # (trees, start) -> estimator that predicts with them, for scorers
    target_of: object = None  # encoded y -> y as users see it
    control: Control | None = None
    copy_of: object = None  # this -> a fitted estimator as it stands
    verbose: int = 0
    train_score: list = field(default_factory=list)
    validation_score: list = field(default_factory=list)
    scored_rows: object = None
    stopped: bool = False
    _raw_validation: np.ndarray | None = None
    _n_trees: int = field(init=False)

    def __post_init__(self):
        self._n_trees = sum(map(_n_trees, self.parts))

    @property
    def n_iterations(self):
        return self._n_trees // self.loss.trees_per_iteration

    def _grow(self, n_iterations):
        part = self.booster.grow(n_iterations)
        self.parts.append(part)
        self._n_trees += _n_trees(part)
        return part

    def raw_of(self, X, trees):
        return Forest(trees, self.start, X.shape[1]).predict_raw(X)

    def begin(self):
        """Scores of the model as it stands: of the start values, or of the trees a warm start brought."""
        if self.parts:
            self.booster.set_raw(self.raw_of(self.train.X, self.trees).ravel())
        else:
            self.booster.set_start(self.start)
        if self.stopping is not None and self.validation is not None and self.stopping.scoring == "loss":
            self._raw_validation = self.raw_of(self.validation.X, self.trees)
        if self.stopping is not None and not self.train_score:
            self._score()
        if self.control is not None:
            self.control.score(self)

    @property
    def trees(self):
        """All trees so far, as one."""
        if len(self.parts) > 1:
            self.parts = [join_trees(self.parts)]
        return self.parts[0] if self.parts else join_trees([])

    def run(self, max_iter):
        """Grow until ``max_iter`` iterations, or until stopping is due."""
        begun = perf_counter()
        progress = Reporter("boosting", max_iter)
        if self.stopping is None and self.control is None and self.verbose < 2 and not progress.watched:
            self._grow(max_iter - self.n_iterations)
        else:
            while self.n_iterations < max_iter and not self.stopped:
                self.stopped = self._step()
                progress.report(self.n_iterations, **self.newest_scores())
        if self.verbose:
            trees = self.trees
            leaves = int(np.count_nonzero(trees["feature"] < 0))
            print(f"Fit {self._n_trees} trees in {perf_counter() - begun:.3f} s, ({leaves} total leaves)")

    def _step(self):
        part = self._grow(1)
        if self._raw_validation is not None:
            Forest(part, self.start, self.validation.X.shape[1]).add_to(self._raw_validation, self.validation.X)
        stop = self.stopping is not None and self._score()
        if self.control is not None:
            stop |= self.control.after_iteration(self)
        if self.verbose >= 2:
            self._report(part)
        return stop

    def newest_scores(self):
        scores = {"train_score": self.train_score, "validation_score": self.validation_score}
        return {name: values[-1] for name, values in scores.items() if values}

    def _score(self):
        if self.stopping.scoring == "loss":
            self.train_score.append(-self.booster.loss())
            if self.validation is not None:
                rows = self.validation
                self.validation_score.append(-self.loss.mean(rows.y, self._raw_validation, rows.weight))
        else:
            estimator = self.estimator_with(join_trees(self.parts), self.start)
            self.train_score.append(self.ask_scorer(self.stopping.scoring, estimator, self.scored_rows))
            if self.validation is not None:
                self.validation_score.append(self.ask_scorer(self.stopping.scoring, estimator, self.validation))
        return self.stopping.is_due(self.validation_score if self.validation is not None else self.train_score)

    def ask_scorer(self, scorer, estimator, rows):
        weight = {"sample_weight": rows.weight} if rows.weight is not None and takes_weight(scorer) else {}
        return float(scorer(estimator, rows.X, self.target_of(rows.y), **weight))

    def _report(self, part):
        leaves = int(np.count_nonzero(part["feature"] < 0))
        line = f"[{self.n_iterations}] {_n_trees(part)} tree(s), {leaves} leaves"
        if self.train_score:
            line += f", train score: {self.train_score[-1]:.5f}"
        if self.validation_score:
            line += f", validation score: {self.validation_score[-1]:.5f}"
        print(line)


def _n_trees(part):
    return len(part["offsets"]) - 1


def scored_sample(rows, stratify, seed):
    """The training rows that scorers see."""
    return rows.sample(_SCORED_ROWS, stratify, seed)
