"""Bayesian Poisson regression."""

from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import validate_data

from mlwright.base import fit_context
from mlwright.bayes._glm.base import CONSTRAINTS, FIELDS, WARM_UP, NormalPriorGlm
from mlwright.bayes._glm.families import Law
from mlwright.io.composite import State
from mlwright.io.schema import Number, Tensor


class BayesianPoissonRegressor(RegressorMixin, NormalPriorGlm):
    """Poisson regression with log link and normal priors, and its whole posterior.

    Parameters
    ----------
    prior_scale : float, default=2.5
        Standard deviation of the normal priors of the coefficients of standardised columns. The intercept's is flat.
    method : {"sample", "laplace"}, default="sample"
        Exact draws by Markov chains that take candidates from the normal law nearest to the posterior, or by
        Hamiltonian ones where that is too far off; or draws from the normal approximation at the mode.
    fit_intercept : bool, default=True
    chains : int, default=4
    draws : int, default=1000
        Of each chain.
    compute_loo : bool, default=True
        Whether `score_loo_` and what it is made of are there; it takes as long as a thousand draws.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Posterior mean.
    intercept_ : float
    k_hat_ : float
        How far the posterior is from the law of candidates, or with ``method="laplace"`` from the normal approximation
        at the mode: below 0.5 near; above 0.7 too far to trust `log_evidence_`, or draws with ``method="laplace"``.
    acceptance_rate_ : float
        Of the chains' candidates or trajectories.
    log_evidence_ : float
        Log marginal likelihood of y, by importance sampling.
    score_loo_ : float
        The sum over rows of ``log p(y_i | all other rows)``, by importance sampling over up to
        1000 draws.
    loo_log_density_, loo_k_hat_ : ndarray of shape (n_samples,)
        Its terms, and how far to trust them: above 0.7, not.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    ``predict`` is the posterior mean of the mean count; ``predict_interval``, ``predict_quantiles`` and
    ``sample_predictive`` are about new counts. A quantile is the least count whose distribution function, averaged over
    4000 draws of the posterior, is at least the level; it is computed, not drawn.

    References
    ----------
    Tierney (1994), Markov chains for exploring posterior distributions. Annals of Statistics 22.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import BayesianPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = rng.poisson(np.exp(1.0 + 0.5 * X[:, 0]))
    >>> model = BayesianPoissonRegressor(random_state=0).fit(X, y)
    >>> bool(abs(model.coef_[0] - 0.5) < 0.15)
    True
    """

    _law = Law("poisson", "log")
    _model_state = State(coef_=Tensor("f8", "p"), intercept_=Number(), **FIELDS)
    _parameter_constraints: ClassVar[dict] = {**CONSTRAINTS, "method": [StrOptions({"sample", "laplace"})]}

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Counts.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights count as repetitions.

        Returns
        -------
        self : object
        """
        X, y = validate_data(self, X, y, dtype=np.float64, order="C", y_numeric=True)
        y = y.astype(np.float64)
        if (y < 0.0).any():
            raise ValueError(
                f"BayesianPoissonRegressor: got y from {y.min():g} to {y.max():g}, expected counts that are not "
                "negative, not all of them 0."
            )
        self._fit_problem(self._problem(X, y, sample_weight), self._method, WARM_UP)
        draws = self._all_draws()
        self.coef_, self.intercept_ = draws["coef"].mean(axis=0), float(draws["intercept"].mean())
        return self

    def predict(self, X, return_std=False):
        """Posterior means of the mean counts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of new counts too.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        y_std : ndarray of shape (n_samples,)
            With ``return_std=True``.
        """
        return self._mean_and_deviation(X) if return_std else self._posterior_mean(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags
