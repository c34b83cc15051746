"""Epochs of stochastic gradient descent until nothing gets better: when each of k problems stops."""

from dataclasses import dataclass, field

import numpy as np

from mlwright._kernels.sgd import epoch

_FAR = 1e6  # times what zeros have: the first steps of a schedule may be long, and come to nothing
_LEAST_ETA = 1e-6  # below which an adaptive step is not divided any more


@dataclass
class SGDState:
    """Parameters of k problems; the sums of averaged ones are None without averaging.

    Attributes
    ----------
    coef : array of shape (k, p)
    intercept : array of shape (k,)
    coef_sum, intercept_sum : arrays of those shapes, or None
    t : int
        Number of the next visit, from 1.
    """

    coef: np.ndarray
    intercept: np.ndarray
    coef_sum: np.ndarray | None = None
    intercept_sum: np.ndarray | None = None
    t: int = 1

    def best(self, average):
        """The averages, where there are any yet, else the parameters as they stand."""
        count = self.t - average
        if not average or count < 1:
            return self.coef, self.intercept
        return self.coef_sum / count, self.intercept_sum / count


@dataclass
class Descent:
    """One call of ``fit`` or ``partial_fit``.

    Attributes
    ----------
    design : as :func:`mlwright._kernels.sgd.as_rows` returns it
    y : array of shape (k, n)
        -1 and 1 for classes.
    visits : Visits
    class_weight : array of shape (k, 2)
    settings : dict
        Those of the kernel but for ``t`` and ``number``.
    penalised : bool
    max_iter, patience : int
    tol : float or None
    validate : callable or None
        ``validate(k, coef, intercept)`` scores problem k on rows that are not visited.
    report : callable
        ``report(number, losses, state)`` after each epoch.
    """

    design: object
    y: np.ndarray
    visits: object
    class_weight: np.ndarray
    settings: dict
    penalised: bool
    max_iter: int
    tol: float | None
    patience: int
    validate: object = None
    report: object = None
    eta: np.ndarray = field(init=False)
    objective: np.ndarray = field(init=False)  # of each problem's last epoch; NaN where nothing asks for it

    def run(self, state):
        """Epochs until every problem has stopped; changes `state` and returns the number of epochs of each problem."""
        k = len(self.y)
        self.eta, self.objective = np.full(k, float(self.settings["eta0"])), np.full(k, np.nan)
        best, waited, n_iter = np.full(k, np.inf), np.zeros(k, dtype=int), np.zeros(k, dtype=int)
        paid = (
            (np.zeros_like(state.coef), np.zeros(k)) if self.penalised and self.settings["l1_ratio"] else (None, None)
        )
        going, first = np.arange(k), state.t
        for number in range(self.max_iter):
            losses = self._epoch(going, state, paid, first + number * len(self.visits.row), number)
            n_iter[going] = number + 1
            if self.report is not None:
                self.report(number, losses, state)
            if self.tol is None and self.validate is None:
                continue
            values, slack = self._values(going, losses, state)
            waited[going] = np.where(values > best[going] - slack, waited[going] + 1, 0)
            best[going] = np.minimum(best[going], values)
            stopping = waited >= self.patience
            if self.settings["schedule"] == "adaptive":
                smaller = stopping & (self.eta > _LEAST_ETA)
                self.eta[smaller] /= 5.0
                waited[smaller] = 0
                stopping &= ~smaller
            going = going[~stopping[going]]
            if not len(going):
                break
        state.t = first + int(n_iter.max(initial=0)) * len(self.visits.row)
        return n_iter

    def _epoch(self, going, state, paid, t, number):
        arrays = [state.coef, state.intercept, *paid, state.coef_sum, state.intercept_sum]
        at = slice(None) if len(going) == len(self.y) else going  # no copies while all go on
        losses, *new = epoch(
            self.design, self.y[at], self.visits.row, self.visits.weight, self.class_weight[at], self.eta[at],
            tuple(None if a is None else a[at] for a in arrays), {**self.settings, "t": t, "number": number},
        )  # fmt: skip
        for old, values in zip([a for a in arrays if a is not None], new, strict=True):
            old[at] = values
        if not all(np.isfinite(values).all() for values in new):
            raise ValueError(
                f"Floating-point under-/overflow occurred at epoch #{number + 1}. Scaling input data with "
                "StandardScaler or MinMaxScaler might help; a smaller eta0 or a larger alpha might, too."
            )
        return losses

    def _values(self, going, losses, state):
        """What should fall: the objective, or the negative score of the rows held out; and by how much it should."""
        slack = -np.inf if self.tol is None else self.tol
        if self.validate is not None:
            scores = [self.validate(k, state.coef[k], state.intercept[k]) for k in going]
            return -np.array(scores), slack
        values = losses / self.visits.total
        if self.penalised and not self.settings["schedule"].startswith("pa"):
            coef, ratio = state.coef[going], self.settings["l1_ratio"]
            with np.errstate(over="ignore"):  # the objective may, where the coefficients do not
                squares = (coef * coef).sum(axis=1)
            norms = 0.5 * (1.0 - ratio) * squares + ratio * np.abs(coef).sum(axis=1)
            values = values + self.settings["alpha"] * norms
        self.objective[going] = values
        return values, slack

    def diverged(self):
        """The largest objective that is far above what zeros have at most, or None."""
        if np.isnan(self.objective).all():
            return None
        with np.errstate(over="ignore"):
            loss = np.maximum(self.y * self.y, np.abs(self.y))  # of any of the losses, at zero
        mean = np.average(loss[:, self.visits.row], axis=1, weights=self.visits.weight)
        far = self.objective > _FAR * mean * self.class_weight.max(axis=1)
        return float(self.objective[far].max()) if far.any() else None
