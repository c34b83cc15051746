"""Linear regression that is unsure which columns belong into it."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._bayesian.chains import Chains
from mlwright._bayesian.loo import LOO_FIELDS
from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.selection import Selection, enumerate_sets, sample_sets
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.progress import Reporter
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright._validation import explain_not_finite, rows_for_fit
from mlwright.base import fit_context
from mlwright.bayes._drawn_regression import DrawnRegression, drawn_intercepts
from mlwright.bayes._spike_slab_sets import (
    conjugate_posterior,
    draw_from_sets,
    enumerated,
    log_evidence,
    log_prior_of_sizes,
    rows_of,
)
from mlwright.io.composite import Maybe, Record, State
from mlwright.io.schema import Number, Size, Strings, Tensor

_ENUMERATED = 20
_MOST_COLUMNS = 4096


class SpikeSlabRegressor(DrawnRegression, RegressorMixin, BaseEstimator):
    """Linear regression with a spike-and-slab prior: averages over sets of columns, and tells how likely each matters.

    ``y ~ N(b0 + X b, s2)``; a coefficient is zero, or, with the inclusion probability, ``N(0, s2 / slab_precision)`` in
    the standardised columns. The intercept's prior is flat; coefficients and noise are integrated out. Up to 20 columns
    all sets of columns are enumerated, and every answer is exact; beyond, Markov chains add, drop and swap columns.

    Parameters
    ----------
    inclusion : float or "beta", default="beta"
        Prior probability of each column to be in. ``"beta"``: unknown itself, with the prior Beta(`inclusion_a`,
        `inclusion_b`), which corrects for the number of columns tried.
    inclusion_a, inclusion_b : float, default=1.0
    slab_precision : float, default=1.0
        Of the coefficients that are in, in units of rows: 1 knows as much as one row does.
    noise_shape, noise_rate : float, default=1e-3
        Of the inverse gamma prior of the noise's variance, in units of the variance of y for the rate.
    method : {"auto", "enumerate", "sample"}, default="auto"
        ``"auto"`` enumerates up to 20 columns; ``"enumerate"`` does up to 25.
    fit_intercept : bool, default=True
    chains : int, default=4
    draws, warm_up : int, default=1000
        Of each chain. In an iteration as many changes are proposed as there are columns.
    random_state : int, RandomState instance, Generator or None, default=None
        Of the chains. An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.
    verbose : int, default=0

    Attributes
    ----------
    inclusion_probabilities_ : ndarray of shape (n_features,)
        Posterior probability of each column to be in.
    coef_ : ndarray of shape (n_features,)
        Posterior mean, over sets of columns too.
    intercept_ : float
    sets_ : ndarray of shape (n_sets, n_features)
        Which columns are in (bool), the most probable set first; enumerated ones down to a share of 1e-12, or those
        that the chains saw.
    set_probabilities_ : ndarray of shape (n_sets,)
        Posterior probabilities of them.
    log_evidence_ : float
        Log marginal likelihood of y over all sets. Where they were enumerated.
    score_loo_ : float
        The sum over rows of ``log p(y_i | all other rows)``, by importance sampling over 1000
        draws.
    loo_log_density_, loo_k_hat_ : ndarray of shape (n_samples,)
        Its terms, and how far to trust them: above 0.7, not.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    George and McCulloch (1997), Approaches for Bayesian variable selection. Statistica Sinica 7. Scott and Berger
    (2010), Bayes and empirical-Bayes multiplicity adjustment in the variable-selection problem. Annals of Statistics
    38.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import SpikeSlabRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 8))
    >>> y = 2.0 * X[:, 1] - X[:, 6] + rng.normal(size=100)
    >>> model = SpikeSlabRegressor().fit(X, y)
    >>> np.flatnonzero(model.inclusion_probabilities_ > 0.9)
    array([1, 6])
    >>> np.flatnonzero(model.sets_[0])
    array([1, 6])
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        coef_=Tensor("f8", "p"),
        intercept_=Number(),
        inclusion_probabilities_=Tensor("f8", "p"),
        sets_=Tensor("?", "m p"),
        set_probabilities_=Tensor("f8", "m"),
        log_evidence_=Maybe(Number()),
        _posterior=Record(
            mean=Tensor("f8", "q"),
            intercept_variance=Number(0.0),
            matrix=Tensor("f8", "q q"),
            unit=Tensor("f8", "p"),
            variance_unit=Number(0.0),
            shape=Number(0.0),
            rate=Number(0.0),
        ),
        _coef_draws=Maybe(Tensor("f8", "c d p")),
        _variance_draws=Maybe(Tensor("f8", "c d")),
        **LOO_FIELDS,
    )
    _parameter_constraints: ClassVar[dict] = {
        "inclusion": [Interval(Real, 0, 1, closed="neither"), StrOptions({"beta"})],
        "inclusion_a": [Interval(Real, 0, None, closed="neither")],
        "inclusion_b": [Interval(Real, 0, None, closed="neither")],
        "slab_precision": [Interval(Real, 0, None, closed="neither")],
        "noise_shape": [Interval(Real, 0, None, closed="neither")],
        "noise_rate": [Interval(Real, 0, None, closed="neither")],
        "method": [StrOptions({"auto", "enumerate", "sample"})],
        "fit_intercept": ["boolean"],
        "chains": [Interval(Integral, 1, None, closed="left")],
        "draws": [Interval(Integral, 1, None, closed="left")],
        "warm_up": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        inclusion="beta",
        inclusion_a=1.0,
        inclusion_b=1.0,
        slab_precision=1.0,
        noise_shape=1e-3,
        noise_rate=1e-3,
        method="auto",
        fit_intercept=True,
        chains=4,
        draws=1000,
        warm_up=1000,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.inclusion = inclusion
        self.inclusion_a = inclusion_a
        self.inclusion_b = inclusion_b
        self.slab_precision = slab_precision
        self.noise_shape = noise_shape
        self.noise_rate = noise_rate
        self.method = method
        self.fit_intercept = fit_intercept
        self.chains = chains
        self.draws = draws
        self.warm_up = warm_up
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights count as repetitions.

        Returns
        -------
        self : object
        """
        rows = rows_for_fit(self, X, y, sample_weight, accept_sparse=False, multi_output=False)
        statistics = FoldStatistics.of_rows(rows.design, rows.y, rows.w)
        if statistics is None:
            explain_not_finite(self, rows)
        p = statistics.n_features
        self._require_columns(p)
        selection = self._selection(statistics)
        for name in ("log_evidence_", "_coef_draws", "_variance_draws"):
            vars(self).pop(name, None)
        with limit(self.n_jobs):
            if self.method == "enumerate" or (self.method == "auto" and p <= _ENUMERATED):
                coef = self._enumerate(selection, statistics.weight)
            else:
                coef = self._sample(selection, rows_of(self._posterior, rows, self.slab_precision))
        self.coef_ = coef * self._posterior["unit"]
        self.intercept_ = float(self._posterior["mean"][p] - self.coef_ @ self._posterior["mean"][:p])
        self._score_loo(rows)
        return self

    def _require_columns(self, p):
        most = 25 if self.method == "enumerate" else _MOST_COLUMNS
        if p > most:
            raise ValueError(
                f"SpikeSlabRegressor: got {p} features, expected at most {most} with method={self.method!r}; "
                + ("use method='sample'." if most == 25 else "choose columns first, e.g. with Lasso or ARDRegression.")
            )

    def _selection(self, statistics):
        self._posterior = conjugate_posterior(
            statistics, self.fit_intercept, self.slab_precision, self.noise_shape, self.noise_rate
        )
        prior = log_prior_of_sizes(statistics.n_features, self.inclusion, self.inclusion_a, self.inclusion_b)
        slab = 0.5 * np.log(self.slab_precision)
        return Selection(self._posterior["matrix"], prior, slab, self._posterior["shape"], self._posterior["rate"])

    def _enumerate(self, selection, weight):
        log_weight, coef = enumerate_sets(selection)
        *kept, log_total = enumerated(log_weight, len(coef))
        self.inclusion_probabilities_, self.sets_, self.set_probabilities_ = kept
        self.log_evidence_ = log_evidence(
            self._posterior, log_total, weight, bool(self.fit_intercept), self.noise_shape
        )
        return coef

    def _sample(self, selection, rows):
        p = len(selection.log_prior) - 1
        reporter = Reporter("sampling", (self.warm_up + self.draws) * self.chains, verbose=self.verbose)
        coef, variance = sample_sets(
            selection, seed_from(self.random_state), self.chains, self.warm_up, self.draws, reporter, rows
        )
        self._coef_draws, self._variance_draws = coef, variance
        inside = coef.reshape(-1, p) != 0.0
        self.inclusion_probabilities_ = inside.mean(axis=0)
        sets, count = np.unique(inside, axis=0, return_counts=True)
        order = np.argsort(-count, kind="stable")
        self.sets_, self.set_probabilities_ = sets[order], count[order] / len(inside)
        told = {"noise_variance": variance, "number of columns": (coef != 0.0).sum(axis=2).astype(np.float64)}
        Chains(told).warn("SpikeSlabRegressor", stacklevel=5)
        return coef.reshape(-1, p).mean(axis=0)

    def _chains(self):
        if not hasattr(self, "_coef_draws"):
            return None
        coef = self._coef_draws * self._posterior["unit"]
        variance = self._variance_draws * self._posterior["variance_unit"]
        return Chains({"coef": coef, "noise_variance": variance})

    def _posterior_draws(self, n_samples, seed):
        chains = self._chains()
        draws = self._exact_draws(n_samples, seed) if chains is None else chains.pick(n_samples, seed)
        intercept = drawn_intercepts(draws, self._posterior["mean"], self._posterior["intercept_variance"], seed)
        return {"coef": draws["coef"], "intercept": intercept, "noise_variance": draws["noise_variance"]}

    def _exact_draws(self, n_samples, seed):
        coef, variance = draw_from_sets(self._posterior, self.sets_, self.set_probabilities_, n_samples, seed)
        return {
            "coef": coef * self._posterior["unit"],
            "noise_variance": variance * self._posterior["variance_unit"],
        }

    def _validate_state(self):
        p, post = self.n_features_in_, self._posterior
        fits = np.shape(post["matrix"]) == (p + 1, p + 1) and np.shape(post["mean"]) == (p + 1,)
        fits = fits and (post["matrix"] == post["matrix"].T).all() and (post["unit"] > 0.0).all()
        fits = fits and post["shape"] > 0.0 and post["rate"] > 0.0 and len(self.sets_) > 0
        share = self.set_probabilities_
        fits = fits and (share > 0.0).all() and (share <= 1.0).all() and abs(share.sum() - 1.0) < 1e-6
        fits = fits and hasattr(self, "_coef_draws") == hasattr(self, "_variance_draws")
        if not fits:
            raise ModelFormatError(
                "SpikeSlabRegressor: its arrays do not fit each other; the file is damaged or not written by mlwright."
            )
        if not hasattr(self, "_coef_draws") and (p > 25 or np.linalg.eigvalsh(post["matrix"][:p, :p])[0] <= 0.0):
            raise ModelFormatError(
                "SpikeSlabRegressor: its matrix is that of no rows; the file is damaged or not written by mlwright."
            )
