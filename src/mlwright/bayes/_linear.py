"""Bayesian linear regression with everything integrated out."""

from numbers import Real
from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.utils._param_validation import Interval

from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.laws import LawInParts
from mlwright._bayesian.loo import LOO_FIELDS, keep_loo
from mlwright._bayesian.mixtures import StudentMixture
from mlwright._bayesian.noise import drawn_variances
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.rng import normal, uniform
from mlwright._validation import explain_not_finite, require_finite, rows_for_predict
from mlwright.base import fit_context
from mlwright.bayes._integrated_ridge import integrate_penalty, rest_of, sparser
from mlwright.io.composite import State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._base import LeastSquaresModel, column_means, finite, plan
from mlwright.linear_model._evidence.evidence import rotate_dual, rotate_statistics
from mlwright.linear_model._state import LINEAR_FIELDS

_LAM, _PLACE, _VARIANCE, _ALONG, _ACROSS, _INTERCEPT, _NOISE = range(7501, 7508)  # streams
_ROWS_AT_ONCE = 2048
_WIDTH = 16  # numbers in memory at once, of a row and penalty: what their distribution functions take
_NEGLIGIBLE = 1e-9  # of weight, in predictions


class BayesianLinearRegression(BayesianMixin, LeastSquaresModel):
    """Ridge regression that is unsure of its penalty and its noise, and averages over both.

    ``y ~ N(b0 + X b, s2)``, ``b ~ N(0, s2 tau^2)`` in standardised columns, ``tau ~ HalfCauchy(prior_scale)``, ``s2 ~
    InverseGamma(noise_shape, noise_rate)`` in units of the variance of y, and a flat prior for the intercept.
    Coefficients and noise are integrated out in closed form, tau by quadrature: draws are independent, and intervals
    hold what :class:`~mlwright.linear_model.BayesianRidge`, which fixes both at their most likely values, leaves out.

    Parameters
    ----------
    prior_scale : float, default=1.0
        Median of tau.
    noise_shape, noise_rate : float, default=1e-3
    fit_intercept : bool, default=True
    compute_loo : bool, default=False
        Whether `fit` scores each row by the model without it; one more pass over X.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Posterior mean.
    intercept_ : float
    log_evidence_ : float
        Log marginal likelihood of y.
    penalty_ : ndarray of shape (257,)
        Grid of ridge penalties ``1 / tau^2`` (of standardised columns).
    penalty_probabilities_ : ndarray of shape (257,)
        Their posterior.
    score_loo_ : float
        With ``compute_loo=True``: the sum over rows of ``log p(y_i | all other rows)``, exactly.
    loo_log_density_ : ndarray of shape (n_samples,)
        Its terms.
    X_offset_, X_scale_ : ndarray of shape (n_features,)
        Means (or zeros) and standard deviations of the columns.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    ``partial_fit``, ``merge`` and ``forget`` are exact for models with up to 2048 columns that were fitted on no fewer
    rows than columns, or on up to 512 columns. Weights count as repetitions.

    References
    ----------
    Gelman (2006), Prior distributions for variance parameters in hierarchical models. Bayesian Analysis 1(3).

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import BayesianLinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 30))
    >>> y = X[:, 0] + rng.normal(size=50)
    >>> model = BayesianLinearRegression().fit(X, y)
    >>> model.predict_interval(X[:2], coverage=0.9).shape
    (2, 2)
    """

    _multi_output = False
    _accept_sparse = False
    _model_state = State(
        **LINEAR_FIELDS,
        **LOO_FIELDS,
        log_evidence_=Number(),
        penalty_=Tensor("f8", "m"),
        penalty_probabilities_=Tensor("f8", "m"),
        X_offset_=Tensor("f8", "p"),
        X_scale_=Tensor("f8", "p"),
        _y_scale=Number(0.0),
        _basis=Tensor("f8", "p k"),
        _values=Tensor("f8", "k"),
        _target=Tensor("f8", "k"),
        _intercept_variance=Number(0.0),
        _shape=Number(0.0),
        _least_rate=Number(0.0),
    )
    _parameter_constraints: ClassVar[dict] = {
        "prior_scale": [Interval(Real, 0, None, closed="neither")],
        "noise_shape": [Interval(Real, 0, None, closed="neither")],
        "noise_rate": [Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "compute_loo": ["boolean"],
    }

    def __init__(self, *, prior_scale=1.0, noise_shape=1e-3, noise_rate=1e-3, fit_intercept=True, compute_loo=False):
        self.prior_scale = prior_scale
        self.noise_shape = noise_shape
        self.noise_rate = noise_rate
        self.fit_intercept = fit_intercept
        self.compute_loo = compute_loo

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        if plan(rows) == "gram":
            return self._fit_statistics(self._sums(rows), rows)
        x_mean, y_mean = column_means(rows, self.fit_intercept)
        if not finite(rows):
            explain_not_finite(self, rows)
        self._keep_statistics(None)
        return self._fit_rotated(rotate_dual(rows, x_mean, y_mean, True), x_mean, y_mean, rows)

    def _fit_statistics(self, statistics, rows=None):
        p = statistics.n_features
        mean = statistics.mean if self.fit_intercept else np.zeros(p + 1)
        self._keep_statistics(statistics)
        rotated = rotate_statistics(statistics, self.fit_intercept, rows, True)
        return self._fit_rotated(rotated, mean[:p], mean[p:], rows)

    def _fit_rotated(self, rotated, x_mean, y_mean, rows):
        scales, known = rotated.scales, integrate_penalty(rotated, self)
        flat = bool(self.fit_intercept)
        self.log_evidence_ = known.log_evidence - (rotated.weight - flat) * float(np.log(scales.y))
        self.penalty_, self.penalty_probabilities_ = np.exp(known.log_lam), known.weight
        self.X_offset_, self.X_scale_, self._y_scale = x_mean.copy(), scales.x.copy(), scales.y
        self._basis, self._values, self._target = rotated.basis, rotated.values, rotated.target
        self._intercept_variance = flat / rotated.weight
        self._shape, self._least_rate = known.shape, known.rate + 0.5 * rotated.perpendicular
        shrunk = self.penalty_probabilities_ @ self._shrunk(self.penalty_)
        self._set_linear((rotated.coef(shrunk) * scales.of_coef)[None, :], x_mean, y_mean)
        keep_loo(self)
        if self.compute_loo and rows is not None:
            self._score_loo(rows)
        return self

    def _shrunk(self, lam):
        """Posterior means along the eigenvectors given each penalty, shape (m, k)."""
        return np.sqrt(self._values) * self._target / (self._values + lam[:, None])

    def _rate(self, lam):
        """Of the noise's inverse gamma posterior given each penalty."""
        return self._least_rate + 0.5 * rest_of(self._values, self._target, 0.0, lam)

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
            With ``return_std=True``. Infinite where their laws have two degrees of freedom or fewer.
        """
        mean = super().predict(X)
        return (mean, self._predictive_law(X).deviation()) if return_std else mean

    def _checked(self, X):
        X, is_finite = rows_for_predict(self, X, accept_sparse=False)
        if not is_finite:
            require_finite(self, X)
        return np.asarray(X, dtype=np.float64)

    def _given_penalties(self, X, lam):
        """Means and leverages of rows given each penalty, shape (n, m) both; in the model's scale, about the mean."""
        Z = (X - self.X_offset_) / self.X_scale_
        along = affine_map(as_design(Z), np.ascontiguousarray(self._basis.T), np.zeros(len(self._values)))
        reach = affine_map(as_design(along * along), 1.0 / (self._values + lam[:, None]), np.zeros(len(lam)))
        if self._basis.shape[1] < len(self._basis):
            across = np.maximum((Z * Z).sum(axis=1) - (along * along).sum(axis=1), 0.0)
            reach += across[:, None] / lam
        mean = affine_map(as_design(along), self._shrunk(lam), np.zeros(len(lam)))
        return mean, reach + self._intercept_variance

    def _centre(self):
        return float(self.intercept_) + float(self.coef_.astype(np.float64) @ self.X_offset_)

    def _predictive_law(self, X):
        X = self._checked(X)
        step = sparser(self.penalty_probabilities_)
        lam, weight = self.penalty_[::step], self.penalty_probabilities_[::step]
        kept = step * weight > _NEGLIGIBLE
        lam, weight = lam[kept], weight[kept]
        weight, variance = weight / weight.sum(), self._rate(lam) / self._shape

        def of_rows(begin, end):
            mean, reach = self._given_penalties(X[begin:end], lam)
            scale = np.sqrt(variance * (1.0 + reach)) * self._y_scale
            return StudentMixture(mean * self._y_scale + self._centre(), scale, weight, 2.0 * self._shape)

        return LawInParts(len(X), _WIDTH * len(lam), of_rows)

    def _posterior_draws(self, n_samples, seed):
        """Independent: a penalty, then the noise's variance, then coefficients and intercept."""
        share = np.cumsum(self.penalty_probabilities_)
        at = np.searchsorted(share, uniform(seed, _LAM, n_samples) * share[-1], side="right")
        step = np.log(self.penalty_[1] / self.penalty_[0])
        lam = self.penalty_[at] * np.exp(step * (uniform(seed, _PLACE, n_samples) - 0.5))
        variance = drawn_variances(seed, _VARIANCE, self._shape, self._rate(lam), n_samples)
        p, k = self._basis.shape
        z = normal(seed, _ALONG, n_samples * k).reshape(n_samples, k) * np.sqrt(variance)[:, None]
        along = self._shrunk(lam) + z / np.sqrt(self._values + lam[:, None])
        coef = affine_map(along, self._basis, np.zeros(p))
        if k < p:
            across = normal(seed, _ACROSS, n_samples * p).reshape(n_samples, p) * np.sqrt(variance / lam)[:, None]
            inside = affine_map(across, np.ascontiguousarray(self._basis.T), np.zeros(k))
            coef += across - affine_map(inside, self._basis, np.zeros(p))
        coef *= self._y_scale / self.X_scale_
        variance = variance * self._y_scale**2
        around = normal(seed, _INTERCEPT, n_samples) * np.sqrt(variance * self._intercept_variance)
        intercept = self._centre() + around - (coef * self.X_offset_).sum(axis=1)
        return {"coef": coef, "intercept": intercept, "noise_variance": variance, "penalty": lam}

    def _predictive_draws(self, X, n_samples, seed):
        X, draws = self._checked(X), self._posterior_draws(n_samples, seed)
        noise = normal(seed, _NOISE, n_samples * len(X)).reshape(n_samples, len(X))
        mean = affine_map(as_design(X), draws["coef"], draws["intercept"]).T
        return mean + noise * np.sqrt(draws["noise_variance"])[:, None]

    def _score_loo(self, rows):
        """Given a penalty in closed form; the penalties' posterior without a row by dividing by its share of the
        evidence.
        """
        lam, log_weight = self.penalty_, np.log(np.maximum(self.penalty_probabilities_, 1e-300))
        rate, out = self._rate(lam), np.empty(len(rows.y))
        for begin in range(0, len(out), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            mean, reach = self._given_penalties(np.asarray(rows.X[part], dtype=np.float64), lam)
            once = np.ones(len(mean)) if rows.w is None else np.minimum(rows.w[part], 1.0)
            y = (rows.y[part, 0] - self._centre()) / self._y_scale
            log_density, log_share = _log_left_out(y[:, None] - mean, reach, once[:, None], self._shape, rate)
            without = log_weight - log_share
            out[part] = special.logsumexp(without + log_density, axis=1) - special.logsumexp(without, axis=1)
        out -= np.log(self._y_scale)
        keep_loo(self, out, w=rows.w)

    def _validate_state(self):
        super()._validate_state()
        p, k = np.shape(self._basis)
        shapes = p == self.n_features_in_ and k <= p and self._values.shape == self._target.shape == (k,)
        shapes = shapes and self.X_offset_.shape == self.X_scale_.shape == (p,) and len(self.penalty_) > 1
        shapes = shapes and self.penalty_.shape == self.penalty_probabilities_.shape
        positive = (self.penalty_ > 0.0).all() and (self.penalty_probabilities_ >= 0.0).all()
        positive = positive and (self._values >= 0.0).all() and (self.X_scale_ > 0.0).all()
        if not (shapes and positive and min(self._y_scale, self._shape, self._least_rate) > 0.0):
            self._refuse_state("its posterior is not that of its coefficients")
        if not self.penalty_probabilities_.sum() > 0.5:
            self._refuse_state("its penalties have no probabilities")


def _log_left_out(residual, reach, once, shape, rate):
    """Log density of a row under the posterior without (`once` of) it, Student's t, and by how much the log evidence is
    greater with that; the same for a whole row.
    """
    tiny, eps = np.finfo(np.float64).tiny, np.finfo(np.float64).eps
    left = np.maximum(1.0 - once * reach, eps)
    whole_shape, whole_rate = shape, rate
    shape = np.maximum(shape - 0.5 * once, tiny)
    rate = np.maximum(rate - 0.5 * once * residual**2 / left, eps * rate)  # below, nothing but rounding is left
    spread = (1.0 + (1.0 - once) * reach) / left  # of a new observation's variance to the noise's
    square = (residual / left) ** 2 / spread / rate * 0.5  # z^2 / freedom
    with np.errstate(over="ignore"):  # nothing is known without the row
        log_scale = 0.5 * np.log(rate / shape * spread)
    constant = special.gammaln(shape + 0.5) - special.gammaln(shape) - 0.5 * np.log(2.0 * np.pi * shape)
    share = 0.5 * np.log(left) + shape * np.log(rate) - whole_shape * np.log(whole_rate)
    share += special.gammaln(whole_shape) - special.gammaln(shape) - 0.5 * once * np.log(2.0 * np.pi)
    return constant - log_scale - (shape + 0.5) * np.log1p(square), share
