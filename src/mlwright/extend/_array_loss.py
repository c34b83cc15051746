"""A loss of your own in NumPy, called with whole arrays once an iteration."""

import math

from mlwright._kernels.array_loss import ArrayLossSpec
from mlwright.extend._loss import Loss


class ArrayLoss(Loss):
    """A loss made by :func:`array_loss`. Immutable."""

    def compile(self):
        """What the engine is told; nothing is compiled."""
        start = math.nan if self.start is None else float(self.start)
        return ArrayLossSpec("given", start=start, link=self.link, value=self.value, grad_hess=self.grad_hess)


def array_loss(value, grad_hess, *, link="identity", start=None, name=None):
    """A loss of your own for :class:`mlwright.ensemble.HistGradientBoostingRegressor`, written in NumPy.

    Both functions see all observations at once and are called by Python, once an iteration; nothing is compiled.
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
    start : float, default=None
        The score that boosting starts from. None searches for the constant of least loss.
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
    return ArrayLoss(value, grad_hess, link, start, name)
