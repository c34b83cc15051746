"""Linear regression that is unsure which columns belong into it."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._bayesian.chains import Chains
from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.laws import DrawnLaw
from mlwright._bayesian.loo import LOO_FIELDS, keep_loo, loo_by_importance
from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.rng import gamma, normal, uniform
from mlwright._kernels.selection import Selection, enumerate_sets, sample_sets
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.progress import Reporter
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright._validation import explain_not_finite, require_finite, rows_for_fit, rows_for_predict
from mlwright.base import fit_context
from mlwright.io.composite import Maybe, Record, State
from mlwright.io.schema import Number, Size, Strings, Tensor
from mlwright.linear_model._base import linear_predict
from mlwright.linear_model._scales import Scales
from mlwright.linear_model._system import Problem

_ENUMERATED = 20
_MOST_COLUMNS = 4096
_PICK, _VARIANCE, _COEF, _INTERCEPT, _NOISE = 7301, 7302, 7303, 7304, 7305  # streams
_LAW_DRAWS, _LOO_DRAWS = 4000, 1000


class SpikeSlabRegressor(BayesianMixin, RegressorMixin, BaseEstimator):
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
            weight=Number(0.0),
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
                coef = self._enumerate(selection)
            else:
                coef = self._sample(selection)
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
        """The problem in standardised columns and y, and what leads back."""
        p, flat = statistics.n_features, bool(self.fit_intercept)
        problem = Problem.of(statistics, self.fit_intercept)
        scales = Scales.of_problem(problem, statistics.weight)
        x, y = 1.0 / (problem.x_scale * scales.x), 1.0 / (problem.y_scale[0] * scales.y)
        matrix = np.empty((p + 1, p + 1))
        matrix[:p, :p] = problem.gram * np.multiply.outer(x, x)
        matrix[:p, p] = matrix[p, :p] = problem.cross[:, 0] * x * y
        matrix[p, p] = problem.square[0] * y * y
        matrix[:, [*np.flatnonzero(~problem.active)]] = 0.0
        matrix[~np.append(problem.active, True), :] = 0.0
        matrix[np.arange(p), np.arange(p)] += self.slab_precision
        self._posterior = {
            "mean": statistics.mean if flat else np.zeros(p + 1),
            "weight": float(statistics.weight),
            "matrix": matrix,
            "unit": scales.of_coef,
            "variance_unit": scales.y**2,
            "shape": float(self.noise_shape) + 0.5 * max(statistics.weight - flat, 0.0),
            "rate": float(self.noise_rate),
        }
        slab = 0.5 * np.log(self.slab_precision)
        return Selection(matrix, self._log_prior(p), slab, self._posterior["shape"], self._posterior["rate"])

    def _log_prior(self, p):
        k = np.arange(p + 1)
        if self.inclusion == "beta":
            return special.betaln(self.inclusion_a + k, self.inclusion_b + p - k) - special.betaln(
                self.inclusion_a, self.inclusion_b
            )
        return k * np.log(self.inclusion) + (p - k) * np.log1p(-self.inclusion)

    def _enumerate(self, selection):
        log_weight, coef = enumerate_sets(selection)
        top = log_weight.max()
        weight = np.exp(log_weight - top)
        total = weight.sum()
        p, shape, post = len(coef), selection.shape, self._posterior
        code = np.arange(len(weight))
        self.inclusion_probabilities_ = np.array([weight[(code >> j & 1).astype(bool)].sum() for j in range(p)]) / total
        order = np.argsort(-weight, kind="stable")
        share = np.cumsum(weight[order]) / total
        kept = order[: np.searchsorted(share, 1.0 - 1e-12) + 1]
        self.sets_ = (kept[:, None] >> np.arange(p) & 1).astype(bool)
        self.set_probabilities_ = weight[kept] / total
        prior = self.noise_shape * np.log(self.noise_rate) - special.gammaln(self.noise_shape)
        flat = bool(self.fit_intercept)
        constant = prior + special.gammaln(shape) - 0.5 * (post["weight"] - flat) * np.log(2.0 * np.pi)
        constant -= 0.5 * flat * np.log(post["weight"]) + 0.5 * (post["weight"] - flat) * np.log(post["variance_unit"])
        self.log_evidence_ = float(top + np.log(total) + constant)
        return coef

    def _sample(self, selection):
        p = len(selection.log_prior) - 1
        reporter = Reporter("sampling", (self.warm_up + self.draws) * self.chains, verbose=self.verbose)
        coef, variance = sample_sets(
            selection, seed_from(self.random_state), self.chains, self.warm_up, self.draws, reporter
        )
        self._coef_draws, self._variance_draws = coef, variance
        inside = coef.reshape(-1, p) != 0.0
        self.inclusion_probabilities_ = inside.mean(axis=0)
        sets, count = np.unique(inside, axis=0, return_counts=True)
        order = np.argsort(-count, kind="stable")
        self.sets_, self.set_probabilities_ = sets[order], count[order] / len(inside)
        told = {"noise_variance": variance, "number of columns": (coef != 0.0).sum(axis=2).astype(np.float64)}
        Chains(told).warn("SpikeSlabRegressor", stacklevel=6)
        return coef.reshape(-1, p).mean(axis=0)

    def predict(self, X, return_std=False):
        """Predict with the posterior mean.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of new observations too.

        Returns
        -------
        y_mean : ndarray of shape (n_samples,)
        y_std : ndarray of shape (n_samples,)
            With ``return_std=True``; from 4000 draws.
        """
        mean = linear_predict(self, X, accept_sparse=False)
        return (mean, self._predictive_law(X).draws.std(axis=0)) if return_std else mean

    def _chains(self):
        if not hasattr(self, "_coef_draws"):
            return None
        coef = self._coef_draws * self._posterior["unit"]
        variance = self._variance_draws * self._posterior["variance_unit"]
        return Chains({"coef": coef, "noise_variance": variance})

    def _posterior_draws(self, n_samples, seed):
        chains = self._chains()
        draws = self._exact_draws(n_samples, seed) if chains is None else chains.pick(n_samples, seed)
        intercept = np.zeros(n_samples)
        if self.fit_intercept:
            mean, weight = self._posterior["mean"], self._posterior["weight"]
            around = normal(seed, _INTERCEPT, n_samples) * np.sqrt(draws["noise_variance"] / weight)
            intercept = mean[-1] + around - (draws["coef"] * mean[:-1]).sum(axis=1)
        return {"coef": draws["coef"], "intercept": intercept, "noise_variance": draws["noise_variance"]}

    def _exact_draws(self, n_samples, seed):
        """Independent ones: a set by its probability, then variance and coefficients from their conjugate posterior."""
        post, p = self._posterior, len(self.coef_)
        share = np.cumsum(self.set_probabilities_)
        drawn = np.searchsorted(share, uniform(seed, _PICK, n_samples) * share[-1], side="right")
        chance = np.maximum(gamma(seed, _VARIANCE, post["shape"], n_samples), np.finfo(np.float64).tiny)
        z = normal(seed, _COEF, n_samples * p).reshape(n_samples, p)
        coef, variance = np.zeros((n_samples, p)), np.empty(n_samples)
        for number in np.unique(drawn):
            at, inside = np.flatnonzero(drawn == number), np.flatnonzero(self.sets_[number])
            lower = np.linalg.cholesky(post["matrix"][np.ix_(inside, inside)])
            half = np.linalg.solve(lower, post["matrix"][inside, p])
            variance[at] = (post["rate"] + 0.5 * max(post["matrix"][p, p] - half @ half, 0.0)) / chance[at]
            steps = half[:, None] + np.sqrt(variance[at]) * z[np.ix_(at, inside)].T
            coef[np.ix_(at, inside)] = np.linalg.solve(lower.T, steps).T
        return {"coef": coef * post["unit"], "noise_variance": variance * post["variance_unit"]}

    def _predictive_law(self, X):
        return DrawnLaw(self._predictive_draws(X, _LAW_DRAWS, 0))

    def _predictive_draws(self, X, n_samples, seed):
        X, finite = rows_for_predict(self, X, accept_sparse=False)
        if not finite:
            require_finite(self, X)
        draws = self._posterior_draws(n_samples, seed)
        noise = normal(seed, _NOISE, n_samples * len(X)).reshape(n_samples, len(X))
        return affine_map(as_design(X), draws["coef"], draws["intercept"]).T + noise * np.sqrt(
            draws["noise_variance"][:, None]
        )

    def _score_loo(self, rows):
        draws = self._posterior_draws(_LOO_DRAWS, 0)
        variance = draws["noise_variance"]

        def log_likelihood(begin, end):
            mean = affine_map(as_design(rows.X[begin:end]), draws["coef"], draws["intercept"])
            return -0.5 * ((rows.y[begin:end] - mean) ** 2 / variance + np.log(2.0 * np.pi * variance))

        keep_loo(self, *loo_by_importance(len(rows.y), _LOO_DRAWS, log_likelihood), w=rows.w)

    def _validate_state(self):
        p, post = self.n_features_in_, self._posterior
        fits = np.shape(post["matrix"]) == (p + 1, p + 1) and np.shape(post["mean"]) == (p + 1,)
        fits = fits and (post["matrix"] == post["matrix"].T).all() and (post["unit"] > 0.0).all()
        fits = fits and post["shape"] > 0.0 and post["rate"] > 0.0 and len(self.sets_) > 0
        fits = fits and (self.set_probabilities_ > 0.0).all()
        fits = fits and hasattr(self, "_coef_draws") == hasattr(self, "_variance_draws")
        if not fits:
            raise ModelFormatError(
                "SpikeSlabRegressor: its arrays do not fit each other; the file is damaged or not written by mlwright."
            )
        if not hasattr(self, "_coef_draws") and (p > 25 or np.linalg.eigvalsh(post["matrix"][:p, :p])[0] <= 0.0):
            raise ModelFormatError(
                "SpikeSlabRegressor: its matrix is that of no rows; the file is damaged or not written by mlwright."
            )
