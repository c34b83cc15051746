"""The contract of a Bayesian estimator: whatever its posterior is known by, it is asked in the same words.

A subclass gives

    _predictive_law(X)                 of new observations at checked rows: ``quantiles(levels)`` of shape (n, n_levels)
    _posterior_draws(n_samples, seed)  dict of arrays whose first axis is n_samples long, by parameter
    _predictive_draws(X, n_samples, seed)  observations of shape (n_samples, n)

and, where its posterior is Markov chains, ``_chains()``: a :class:`~mlwright._bayesian.chains.Chains`.
Scores by leaving one out are set by :func:`mlwright._bayesian.loo.keep_loo`.
"""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mlwright._bayesian.export import to_arviz
from mlwright._bayesian.loo import kept_score
from mlwright._runtime.rng import seed_from
from mlwright.base import check_coverage

_CHAINS = 4  # that independent draws are cut into for ArviZ, whose R-hat needs several


class BayesianMixin:
    """What every Bayesian estimator offers besides ``fit`` and ``predict``: see the module's first lines."""

    def predict_interval(self, X, coverage=0.9):
        """Central predictive interval for new observations.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        coverage : float, default=0.9
            Probability that a new observation falls inside, between 0 and 1, exclusive.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
            Lower and upper ends.
        """
        coverage = check_coverage(coverage)
        self._require_fit()
        return self._predictive_law(X).quantiles(np.array([0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage]))

    def predict_quantiles(self, X, quantiles=(0.05, 0.5, 0.95)):
        """Quantiles of the predictive law of new observations.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        quantiles : float or array-like of shape (n_quantiles,), default=(0.05, 0.5, 0.95)
            Levels between 0 and 1, exclusive.

        Returns
        -------
        values : ndarray of shape (n_samples, n_quantiles)
            Or (n_samples,) for a single level.
        """
        levels = check_levels(quantiles)
        self._require_fit()
        values = self._predictive_law(X).quantiles(np.atleast_1d(levels))
        return values[..., 0] if levels.ndim == 0 else values

    def sample_posterior(self, n_samples=1000, random_state=None):
        """Draw parameters from their posterior.

        Parameters
        ----------
        n_samples : int, default=1000
        random_state : int, RandomState instance, Generator or None, default=None
            An integer gives the same draws, to the bit, for any number of threads.

        Returns
        -------
        draws : dict of str to ndarray of shape (n_samples, ...)
            By parameter.
        """
        self._require_fit()
        return self._posterior_draws(check_count("n_samples", n_samples), seed_from(random_state))

    def sample_predictive(self, X, n_samples=1000, random_state=None):
        """Draw new observations at rows: each draw has parameters of its own, shared by its rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
        n_samples : int, default=1000
        random_state : int, RandomState instance, Generator or None, default=None

        Returns
        -------
        y : ndarray of shape (n_samples, n_rows)
        """
        self._require_fit()
        return self._predictive_draws(X, check_count("n_samples", n_samples), seed_from(random_state))

    def _require_fit(self):
        check_is_fitted(self)

    def _chains(self):
        return None

    @property
    def diagnostics_(self):
        """By parameter, what :func:`mlwright.bayes.diagnose` tells of its chains; empty for a posterior without any."""
        self._require_fit()
        chains = self._chains()
        return {} if chains is None else chains.diagnostics()

    @property
    def score_loo_(self):
        """Sum over the rows of the fit of ``log p(y_i | all other rows)``; warns where it is not to be trusted."""
        return kept_score(self)

    def to_arviz(self, n_samples=4000, random_state=0):
        """The posterior as ArviZ's data, for its plots; ArviZ must be installed.

        Parameters
        ----------
        n_samples : int, default=4000
            Draws from a posterior that is not Markov chains, cut into four; chains are given as they are.
        random_state : int, RandomState instance, Generator or None, default=0

        Returns
        -------
        arviz.InferenceData
            From ArviZ 1.0 on, an ``xarray.DataTree``.
        """
        self._require_fit()
        chains = self._chains()
        if chains is not None:
            return to_arviz(posterior=chains.draws, sample_stats=chains.statistics)
        a_chain = -(-check_count("n_samples", n_samples) // _CHAINS)
        draws = self._posterior_draws(_CHAINS * a_chain, seed_from(random_state))
        return to_arviz(posterior={name: x.reshape(_CHAINS, a_chain, *x.shape[1:]) for name, x in draws.items()})


def check_count(name, value):
    """A count as int; ValueError unless it is an integer of at least 1."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: got {value!r}, expected an integer of at least 1.")
    return int(value)


def check_levels(quantiles):
    """Levels as a float array of one dimension or none; ValueError unless all are between 0 and 1, exclusive."""
    try:
        levels = np.asarray(quantiles, dtype=np.float64)
    except (TypeError, ValueError):
        levels = np.empty(0)
    if levels.ndim > 1 or levels.size == 0 or not ((levels > 0.0) & (levels < 1.0)).all():
        raise ValueError(
            f"quantiles: got {quantiles!r}, expected a level between 0 and 1, exclusive, or a list of them; e.g. 0.5."
        )
    return levels
