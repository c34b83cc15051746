"""A loss of your own in NumPy, called with whole arrays once an iteration."""

import numpy as np

from mlwright._kernels.array_loss import ArrayLossSpec, LeafCallback, asked, numbers
from mlwright.extend._loss import Loss


class ArrayLoss(Loss):
    """A loss made by :func:`array_loss`. Immutable."""

    def compile(self):
        """What the engine is told; nothing is compiled."""
        callback = None if self.leaf_step is None else LeafCallback(self.leaf_step)
        return ArrayLossSpec(
            "given",
            link=self.link,
            leaf_address=0 if callback is None else callback.address,
            value=self.value,
            grad_hess=self.grad_hess,
            leaf=callback,
        )

    def first_outside(self, y):
        """The first row whose target is outside the loss's domain, or -1."""
        if self.domain is None:
            return -1
        outside = np.flatnonzero(numbers("domain", asked("domain", self.domain, y), len(y)) == 0)
        return int(outside[0]) if len(outside) else -1


def array_loss(value, grad_hess, *, link="identity", start=None, leaf_step=None, domain=None, name=None):
    """A loss of your own for :class:`mlwright.ensemble.HistGradientBoostingRegressor`, written in NumPy.

    The functions see all observations at once and are called by Python, once an iteration; nothing is compiled.
    :func:`loss` is the faster way where the loss is a formula of one observation.

    Parameters
    ----------
    value : callable
        ``value(y, raw) -> array``: the loss of every observation.
    grad_hess : callable
        ``grad_hess(y, raw) -> (array, array)``: its first two derivatives in ``raw``; a number stands for an array of
        it. Where the second is zero or negative, return a positive upper bound of it.
    link : {'identity', 'log', 'logit'}, default='identity'
        Predictions are ``raw``, ``exp(raw)`` or ``1 / (1 + exp(-raw))``.
    start : float or callable, default=None
        The score that boosting starts from, or ``start(y, weight) -> float`` of the training targets. None searches for
        the constant of least loss.
    leaf_step : callable, default=None
        ``leaf_step(y, raw, weight) -> float``: what is best added to the scores of the rows of a leaf, in place of the
        Newton step from `grad_hess`; see :func:`loss`.
    domain : callable, default=None
        ``domain(y) -> array of bool``: which targets may be. Fits refuse others, naming the row.
    name : str, default=None
        What the loss is called in messages and model files.

    Returns
    -------
    ArrayLoss
        Goes into ``HistGradientBoostingRegressor(loss=...)``; pickles and is saved as a loss of :func:`loss` is.

    Raises
    ------
    TypeError, ValueError
        For arguments that are no functions or links. ``fit`` raises NumericalError if they raise, or return NaN, arrays
        of another shape or negative Hessians.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingRegressor
    >>> from mlwright.extend import array_loss
    >>> log_cosh = array_loss(
    ...     lambda y, raw: np.log(np.cosh(raw - y)),
    ...     lambda y, raw: (np.tanh(raw - y), np.maximum(1 - np.tanh(raw - y) ** 2, 0.1)),
    ... )
    >>> X = np.arange(200.0).reshape(-1, 1)
    >>> y = np.where(X[:, 0] < 100, 1.0, 3.0)
    >>> HistGradientBoostingRegressor(loss=log_cosh).fit(X, y).predict([[10.0], [150.0]]).round(2)
    array([1., 3.])
    """
    return ArrayLoss(value, grad_hess, link, start, name, leaf_step, domain)
