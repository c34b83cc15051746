"""Linear regression with the conjugate prior: the posterior in closed form, row by row if need be."""

from numbers import Real
from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.utils._param_validation import Interval

from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.laws import StudentLaw
from mlwright._bayesian.loo import LOO_FIELDS, keep_loo
from mlwright._bayesian.noise import drawn_variances
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.rng import normal
from mlwright._validation import require_finite, rows_for_predict
from mlwright.base import fit_context
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._base import LeastSquaresModel
from mlwright.linear_model._evidence.evidence import residual_square
from mlwright.linear_model._interval import quadratic
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._system import Factor, Problem

_COEF, _INTERCEPT, _PRECISION, _NOISE = 7201, 7202, 7203, 7204  # streams
_CANCELLED = 1e-6
_SINGULAR = 1e14
_HELD = 1e250  # of a penalty in scaled columns: the rows say nothing of the coefficient beside its prior


class NormalInverseGammaRegressor(BayesianMixin, LeastSquaresModel):
    """Linear regression with a normal-inverse-gamma prior: an exact posterior that rows can be added to and taken from.

    ``y ~ N(b0 + X b, s2)``, ``b ~ N(prior_mean, s2 / prior_precision)``, ``s2 ~ InverseGamma(noise_shape,
    noise_rate)``, and a flat prior for the intercept b0.

    Parameters
    ----------
    prior_mean : float or array-like of shape (n_features,), default=0.0
    prior_precision : float or array-like of shape (n_features,), default=1.0
        In units of the noise's: 5 weighs as much as five rows with a 1 in that column. 0 is a flat prior.
    noise_shape, noise_rate : float, default=1e-3
        Of the inverse gamma prior of the noise's variance. 0 and 0 is the improper prior ``1 / s2``.
    fit_intercept : bool, default=True
    compute_loo : bool, default=False
        Whether `fit` scores each row by the model without it; one more pass over X.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Posterior mean.
    intercept_ : float
    noise_shape_, noise_rate_ : float
        Of the posterior of the noise's variance.
    sigma_ : ndarray of shape (n_features, n_features)
        Posterior covariance of the coefficients, the noise's variance integrated out; formed when it is asked for.
    log_evidence_ : float
        Log marginal likelihood of y. Absent under an improper prior of coefficients or noise.
    score_loo_ : float
        With ``compute_loo=True``: the sum over rows of ``log p(y_i | all other rows)``, exactly.
    loo_log_density_ : ndarray of shape (n_samples,)
        Its terms.
    X_offset_ : ndarray of shape (n_features,)
        Means of the columns, or zeros.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    ``partial_fit``, ``merge`` and ``forget`` are exact in any order: a window over a stream is ``partial_fit`` of the
    new rows and ``forget`` of the oldest. Weights count as repetitions. New observations follow Student's t.

    References
    ----------
    O'Hagan and Forster (2004), Kendall's Advanced Theory of Statistics 2B: Bayesian Inference, chapter 11.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import NormalInverseGammaRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> y = X @ [1.0, -1.0] + 0.3 * rng.normal(size=300)
    >>> window = NormalInverseGammaRegressor().fit(X[:100], y[:100])
    >>> window = window.partial_fit(X[100:], y[100:]).forget(X[:200], y[:200])
    >>> bool(np.allclose(window.coef_, NormalInverseGammaRegressor().fit(X[200:], y[200:]).coef_))
    True
    """

    _multi_output = False
    _accept_sparse = False
    _model_state = State(
        **LINEAR_FIELDS,
        **LOO_FIELDS,
        noise_shape_=Number(0.0),
        noise_rate_=Number(0.0),
        log_evidence_=Maybe(Number()),
        X_offset_=Tensor("f8", "p"),
        _root=Tensor("f8", "p p"),
        _intercept_variance=Number(0.0),
    )
    _parameter_constraints: ClassVar[dict] = {
        "prior_mean": [Real, "array-like"],
        "prior_precision": [Interval(Real, 0, None, closed="left"), "array-like"],
        "noise_shape": [Interval(Real, 0, None, closed="left")],
        "noise_rate": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "compute_loo": ["boolean"],
    }

    def __init__(
        self,
        *,
        prior_mean=0.0,
        prior_precision=1.0,
        noise_shape=1e-3,
        noise_rate=1e-3,
        fit_intercept=True,
        compute_loo=False,
    ):
        self.prior_mean = prior_mean
        self.prior_precision = prior_precision
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
        return self._fit_statistics(self._sums(rows), rows)

    def _fit_statistics(self, statistics, rows=None):
        p, flat = statistics.n_features, bool(self.fit_intercept)
        problem = Problem.of(statistics, self.fit_intercept)
        x_scale, y_scale = problem.x_scale, problem.y_scale[0]
        start = self._per_feature("prior_mean", p, -np.inf)
        precision = self._per_feature("prior_precision", p, 0.0)
        with np.errstate(over="ignore", under="ignore"):
            penalty = np.minimum(precision * x_scale**2, 1e3 * _HELD)
            start_scaled = start / x_scale * y_scale
        factor = Factor.of(problem.gram, problem.active | (penalty > 0.0), penalty)
        if not (factor.condition < _SINGULAR and (factor.d > 0.0).all()):
            self._refuse_improper(penalty)
        gap = problem.cross[:, 0] - problem.gram @ start_scaled
        held = penalty > _HELD
        step = np.where(held, 0.0, factor.solve(gap[:, None])[:, 0])
        rest = problem.square[0] - 2.0 * start_scaled @ problem.cross[:, 0] + start_scaled @ problem.gram @ start_scaled
        rest = self._rest(statistics, rows, problem, start_scaled, step, penalty, rest - step @ gap, rest)
        mean = statistics.mean if self.fit_intercept else np.zeros(p + 1)
        self.noise_shape_ = float(self.noise_shape) + 0.5 * (statistics.weight - flat)
        with np.errstate(over="ignore"):
            self.noise_rate_ = float(self.noise_rate + np.float64(0.5 * rest) / y_scale / y_scale)
        if not (self.noise_shape_ > 0.0 and 0.0 < self.noise_rate_ < np.inf):
            self._refuse_noise(statistics)
        self._intercept_variance, self.X_offset_ = flat / statistics.weight, mean[:p].copy()
        self._root = np.where(held[:, None] | held, 0.0, factor.inverse_root() * x_scale[:, None])
        self._root[held, held] = 1.0 / np.sqrt(precision[held])
        self._keep_statistics(statistics)
        self._set_linear(((start_scaled + step) * x_scale / y_scale)[None, :], mean[:p], mean[p:])
        self._set_evidence(factor, penalty, statistics.weight)
        keep_loo(self)
        if self.compute_loo and rows is not None:
            self._score_loo(rows)
        return self

    def _per_feature(self, name, p, low):
        value = np.asarray(getattr(self, name), dtype=np.float64)
        if value.shape not in ((), (p,)) or not (np.isfinite(value).all() and (value >= low).all()):
            kind = "finite numbers" if low < 0.0 else "finite numbers that are not negative"
            raise ValueError(f"{name}: got {getattr(self, name)!r}, expected one number or {p} of them, {kind}.")
        return np.broadcast_to(value, (p,))

    def _rest(self, statistics, rows, problem, start, step, penalty, rest, whole):
        """Squared residuals and squared distance from the prior mean, in the scale of y; not by cancelling sums if rows
        are at hand."""
        if rows is None or rest > _CANCELLED * whole:
            return max(float(rest), 0.0)
        coef = (start + step) * problem.x_scale
        return residual_square(rows, statistics, self.fit_intercept, coef, problem.y_scale[0]) + penalty @ (step * step)

    def _set_evidence(self, factor, penalty, weight):
        vars(self).pop("log_evidence_", None)
        if not (self.noise_shape > 0.0 and self.noise_rate > 0.0 and (penalty > 0.0).all()):
            return
        a, b, flat = self.noise_shape_, self.noise_rate_, bool(self.fit_intercept)
        log_det = 2.0 * np.log(factor.lower.diagonal() / factor.d).sum()
        self.log_evidence_ = float(
            0.5 * (np.log(penalty).sum() - log_det - (weight - flat) * np.log(2.0 * np.pi))
            - 0.5 * flat * np.log(weight)
            + special.gammaln(a) - special.gammaln(self.noise_shape)
            + self.noise_shape * np.log(self.noise_rate) - a * np.log(b)
        )  # fmt: skip

    def _refuse_improper(self, penalty):
        flat = int((penalty == 0.0).sum())
        raise ValueError(
            f"{type(self).__name__}: the posterior is improper or too close to it: {flat} of {len(penalty)} "
            "coefficients have a flat prior, and the rows do not determine them; expected prior_precision above 0 for "
            "columns that are constant or depend on others."
        )

    def _refuse_noise(self, statistics):
        raise ValueError(
            f"{type(self).__name__}: the posterior of the noise is improper: shape {self.noise_shape_:g}, rate "
            f"{self.noise_rate_:g} after rows of weight {statistics.weight:g}; expected noise_shape and noise_rate "
            "above 0, more rows that do not fit exactly, and y within 1e150."
        )

    @property
    def sigma_(self):
        if not hasattr(self, "_root"):
            raise AttributeError("sigma_: the model is not fitted")
        if self.noise_shape_ <= 1.0:
            return np.full_like(self._root, np.nan)
        return (self._root @ self._root.T) * (self.noise_rate_ / (self.noise_shape_ - 1.0))

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
            With ``return_std=True``. Infinite where their law has two degrees of freedom or fewer.
        """
        if not return_std:
            return super().predict(X)
        law = self._predictive_law(X)
        f = law.freedom
        return law.mean, law.scale * (np.sqrt(f / (f - 2.0)) if f > 2.0 else np.inf)

    def _leverage(self, X):
        return quadratic(X, self.X_offset_, self._root) + self._intercept_variance

    def _checked(self, X):
        X, finite = rows_for_predict(self, X, accept_sparse=False)
        if not finite:
            require_finite(self, X)
        return X

    def _predictive_law(self, X):
        X = self._checked(X)
        variance = self.noise_rate_ / self.noise_shape_ * (1.0 + self._leverage(X))
        return StudentLaw(super().predict(X), np.sqrt(variance), 2.0 * self.noise_shape_)

    def _posterior_draws(self, n_samples, seed):
        p = len(self._root)
        variance = drawn_variances(seed, _PRECISION, self.noise_shape_, self.noise_rate_, n_samples)
        steps = affine_map(normal(seed, _COEF, n_samples * p).reshape(n_samples, p), self._root, np.zeros(p))
        steps *= np.sqrt(variance)[:, None]
        around = normal(seed, _INTERCEPT, n_samples) * np.sqrt(variance * self._intercept_variance)
        intercept = float(self.intercept_) + around - (steps * self.X_offset_).sum(axis=1)
        return {"coef": steps + self.coef_.astype(np.float64), "intercept": intercept, "noise_variance": variance}

    def _predictive_draws(self, X, n_samples, seed):
        X, draws = self._checked(X), self._posterior_draws(n_samples, seed)
        noise = normal(seed, _NOISE, n_samples * len(X)).reshape(n_samples, len(X))
        mean = affine_map(as_design(X), draws["coef"], draws["intercept"]).T
        return mean + noise * np.sqrt(draws["noise_variance"])[:, None]

    def _score_loo(self, rows):
        """The posterior without one repetition of a row, or what there is of it, is in closed form too."""
        once = 1.0 if rows.w is None else np.minimum(rows.w, 1.0)
        leverage = self._leverage(np.asarray(rows.X))
        left = np.maximum(1.0 - once * leverage, np.finfo(np.float64).eps)
        residual = rows.y[:, 0] - super().predict(rows.X)
        shape = self.noise_shape_ - 0.5 * once
        rate = self.noise_rate_ - 0.5 * once * residual * residual / left
        tiny, eps = np.finfo(np.float64).tiny, np.finfo(np.float64).eps
        with np.errstate(over="ignore"):  # nothing is known without the row
            scale = np.sqrt(
                np.maximum(rate, eps * self.noise_rate_)
                / np.maximum(shape, tiny)
                / left
                * (1.0 + (1.0 - once) * leverage)
            )
        law = StudentLaw(np.zeros(len(left)), scale, 2.0 * np.maximum(shape, tiny))
        keep_loo(self, law.log_density(residual / left), w=rows.w)

    def _validate_state(self):
        super()._validate_state()
        p = self.n_features_in_
        shapes = np.shape(self._root) == (p, p) and np.shape(self.X_offset_) == (p,)
        if not (shapes and np.isfinite(self._root).all() and np.isfinite(self.X_offset_).all()):
            self._refuse_state("its posterior is not that of its coefficients")
        if not (self.noise_shape_ > 0.0 and self.noise_rate_ > 0.0):
            self._refuse_state("its noise has no posterior")
