"""Epochs of stochastic gradient descent until nothing gets better."""

from dataclasses import dataclass, field

import numpy as np

from mlwright._kernels.sgd import descend

_FAR = 1e6  # times what zeros have: the first steps of a schedule may be long, and come to nothing


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
        Those of the kernel but for ``t``.
    validate : callable or None
        ``validate(k, coef, intercept)`` scores problem k on rows that are not visited.
    report : callable
        ``report(number, losses, coef, t)`` after each epoch.
    """

    design: object
    y: np.ndarray
    visits: object
    class_weight: np.ndarray
    settings: dict
    validate: object = None
    report: object = None
    overflowed: int | None = field(init=False)  # the epoch in which a parameter or a prediction was not finite
    objective: np.ndarray = field(init=False)  # of each problem's last epoch; NaN where nothing asks for it

    def run(self, state):
        """Epochs until every problem has stopped; changes `state` and returns the number of epochs of each problem."""
        visits, first = self.visits, state.t
        watched = self.validate is not None or self.report is not None

        def after(number, going, losses, coef, intercept):
            if self.report is not None:
                self.report(number, losses, coef, first + (number + 1) * len(visits.row))
            if self.validate is None:
                return None
            return [-self.validate(k, coef[k], intercept[k]) for k in going]

        overflowed, n_iter, values, state.coef, state.intercept, *sums = descend(
            self.design, self.y, visits.row, visits.weight, self.class_weight,
            (state.coef, state.intercept, state.coef_sum, state.intercept_sum), {**self.settings, "t": first},
            after if watched else None,
        )  # fmt: skip
        self.overflowed = overflowed if overflowed >= 0 else None
        self.objective = np.full(len(self.y), np.nan) if self.validate is not None else values
        if sums:
            state.coef_sum, state.intercept_sum = sums
        state.t = first + int(n_iter.max(initial=0)) * len(visits.row)
        return n_iter

    def diverged(self):
        """The largest objective that is far above what zeros have at most, or None."""
        if np.isnan(self.objective).all():
            return None
        with np.errstate(over="ignore"):
            loss = np.maximum(self.y * self.y, np.abs(self.y))  # of any of the losses, at zero
        mean = np.average(loss[:, self.visits.row], axis=1, weights=self.visits.weight)
        far = self.objective > _FAR * mean * self.class_weight.max(axis=1)
        return float(self.objective[far].max()) if far.any() else None
