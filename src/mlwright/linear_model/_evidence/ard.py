"""Automatic relevance determination regression."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from mlwright._bayesian.loo import LOO_FIELDS
from mlwright._kernels.linalg import affine_map
from mlwright._kernels.rng import normal
from mlwright.io.composite import ListOf, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._evidence.columns import CentredColumns
from mlwright.linear_model._evidence.evidence import residual_square, weight_and_variance
from mlwright.linear_model._evidence.model import UNEXPLAINED, EvidenceModel
from mlwright.linear_model._evidence.relevance import (
    GramSystem,
    RowSystem,
    gain_of_one_column,
    maximise_relevance,
)
from mlwright.linear_model._interval import quadratic
from mlwright.linear_model._scales import Scales
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._system import Problem

_STEPS = 7111  # stream
_EXPLAINED = 2.0  # times the noise, of a variance of y that columns explain


class ARDRegression(EvidenceModel):
    """Linear regression that finds a precision for every coefficient by the evidence, and drops what is not needed.

    Parameters
    ----------
    max_iter : int, default=300
    tol : float, default=1e-3
        Ends the iteration when the absolute changes of the coefficients add up to less.
    alpha_1, alpha_2 : float, default=1e-6
        Shape and inverse scale of the Gamma prior of the noise precision.
    lambda_1, lambda_2 : float, default=1e-6
        Shape and inverse scale of the Gamma priors of the coefficients' precisions.
    compute_score : bool, default=False
        Whether to keep the objective of each iteration.
    threshold_lambda : float, default=1e4
        Coefficients of a larger precision are dropped: zero from then on.
    fit_intercept : bool, default=True
    copy_X : bool, default=True
        For compatibility: X is never written to.
    verbose : bool, default=False
        Print the number of iterations.
    scale_invariant : bool, default=False
        Whether precisions, `threshold_lambda` and `tol` are those of X and y divided by their standard deviations, so
        that units do not matter. False is scikit-learn's answer.
    compute_loo : bool, default=False
        Whether `fit` scores each row by the model without it; one more pass over X.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Posterior mean.
    intercept_ : float
    alpha_ : float
        Precision of the noise.
    lambda_ : ndarray of shape (n_features,)
        Precisions of the coefficients; with ``scale_invariant=True`` of those of the scaled columns and y.
    sigma_ : ndarray of shape (n_kept, n_kept)
        Posterior covariance of the coefficients kept; formed when it is asked for.
    scores_ : list of float
        Objectives, with ``compute_score=True``.
    log_evidence_ : float
        Log marginal likelihood of the (centred) y at the final precisions.
    score_loo_ : float
        With ``compute_loo=True``: the sum over rows of ``log p(y_i | all other rows)`` at these precisions, exactly.
    loo_log_density_ : ndarray of shape (n_samples,)
        Its terms.
    n_iter_ : int
    X_offset_ : ndarray of shape (n_features,)
        Means of the columns, or zeros.
    X_scale_ : ndarray of shape (n_features,)
        What columns were divided by: ones, unless ``scale_invariant=True``.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    BayesianRidge : one precision for all coefficients.

    Notes
    -----
    Rows are read once: iterations work on the Gram matrix of the columns that are left. ``partial_fit``, ``merge`` and
    ``forget`` are exact for models with up to 2048 columns that were fitted on no fewer rows than columns, or on up to
    512 columns. Weights count as repetitions. Where y is small in its units, precisions of coefficients are large, and
    all may be dropped; `alpha_` is then, as scikit-learn's, that of the fit before, so that intervals about the mean
    are too narrow: `fit` warns of it, and ``scale_invariant=True`` does not know units. It warns too where y does not
    vary, or by less than the prior of the noise does, so that intervals are of the prior's width; and where the
    iteration, which starts in the units of y, ended at the mean though columns explain y.

    Sparse X stays sparse: the Gram matrix of the columns, or of fewer rows, is dense, and a few columns at a time.

    References
    ----------
    MacKay (1994), Bayesian nonlinear modeling for the prediction competition. ASHRAE Transactions.
    Tipping (2001), Sparse Bayesian learning and the relevance vector machine. JMLR 1.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import ARDRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 20))
    >>> y = 3.0 * X[:, 4] - 2.0 * X[:, 7] + 0.1 * rng.standard_normal(100)
    >>> model = ARDRegression().fit(X, y)
    >>> np.flatnonzero(np.abs(model.coef_) > 0.5)
    array([4, 7])
    >>> model.predict_interval(X[:2], coverage=0.9).shape
    (2, 2)
    """

    _model_state = State(
        **LINEAR_FIELDS,
        **LOO_FIELDS,
        log_evidence_=Number(),
        alpha_=Number(0.0),
        lambda_=Tensor("f4 f8", "p", finite=False),
        n_iter_=Number(1, integer=True),
        scores_=ListOf(Number(finite=False)),
        X_offset_=Tensor("f4 f8", "p"),
        X_scale_=Tensor("f4 f8", "p"),
        _kept=Tensor("?", "p"),
        _root=Tensor("f8", "k k"),
        _freedom=Number(1.0),
    )
    _parameter_constraints: ClassVar[dict] = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "alpha_1": [Interval(Real, 0, None, closed="left")],
        "alpha_2": [Interval(Real, 0, None, closed="left")],
        "lambda_1": [Interval(Real, 0, None, closed="left")],
        "lambda_2": [Interval(Real, 0, None, closed="left")],
        "compute_score": ["boolean"],
        "threshold_lambda": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "verbose": ["verbose"],
        "scale_invariant": ["boolean"],
        "compute_loo": ["boolean"],
    }

    def __init__(
        self,
        *,
        max_iter=300,
        tol=1.0e-3,
        alpha_1=1.0e-6,
        alpha_2=1.0e-6,
        lambda_1=1.0e-6,
        lambda_2=1.0e-6,
        compute_score=False,
        threshold_lambda=1.0e4,
        fit_intercept=True,
        copy_X=True,
        verbose=False,
        scale_invariant=False,
        compute_loo=False,
    ):
        self.max_iter = max_iter
        self.tol = tol
        self.alpha_1 = alpha_1
        self.alpha_2 = alpha_2
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2
        self.compute_score = compute_score
        self.threshold_lambda = threshold_lambda
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.verbose = verbose
        self.scale_invariant = scale_invariant
        self.compute_loo = compute_loo

    def _fit_rows(self, rows, x_mean, y_mean):
        Z, y = CentredColumns.of_rows(rows, x_mean, y_mean)
        weight, y_variance = weight_and_variance(rows)
        scales = Scales.of_rows(rows, x_mean, y_mean, self.scale_invariant)
        units = _Units.of(scales, weight, np.ones(Z.shape[1]), 1.0)
        return self._finish(RowSystem(Z, y), units, y_variance, x_mean, y_mean, rows)

    def _fit_statistics(self, statistics, rows=None):
        p = statistics.n_features
        mean = statistics.mean if self.fit_intercept else np.zeros(p + 1)
        self._keep_statistics(statistics)
        problem = Problem.of(statistics, self.fit_intercept)
        square, y_scale = problem.square[0], problem.y_scale[0]
        scales = Scales.of_problem(problem, statistics.weight, self.scale_invariant)
        units = _Units.of(scales, statistics.weight, problem.x_scale, y_scale)

        def residuals(b):
            return residual_square(rows, statistics, self.fit_intercept, b * problem.x_scale, y_scale)

        system = GramSystem(problem.gram, problem.cross[:, 0], square, None if rows is None else residuals)
        y_variance = statistics.scatter[p, p] / statistics.scale[p] ** 2 / statistics.weight
        return self._finish(system, units, y_variance, mean[:p], mean[p:], rows)

    def _finish(self, system, units, y_variance, x_mean, y_mean, rows):
        scales, dtype = units.scales, np.dtype(self._dtype)
        fit, back = maximise_relevance(system, units, y_variance / scales.y**2, self), scales.of_coef
        square = system.square * units.of_noise
        if square > 0.0 and fit.effective < UNEXPLAINED and fit.keep.any():
            self._warn_of_start(gain_of_one_column(system, units.weight))
        if not fit.keep.any() and fit.alpha * y_variance > _EXPLAINED * scales.y**2:
            warnings.warn(
                "ARDRegression: every column was dropped (precisions above "
                f"threshold_lambda={self.threshold_lambda:g}), though they explain y: the mean is left, and intervals "
                "know the smaller noise of the fit before; use scale_invariant=True, or multiply y.",
                UserWarning,
                stacklevel=5,
            )
        self.alpha_, self.lambda_ = dtype.type(fit.alpha / scales.y**2), fit.lam.astype(dtype)
        if not 0.0 < self.alpha_ < np.inf:
            raise FloatingPointError(
                f"ARDRegression: the precision of the noise is {self.alpha_}: squares of y or of y / X overflow "
                "float64; expected y and y / X within 1e150; rescale X or y."
            )
        self._warn_of_noise(units.weight, square, abs(y_mean[0]) / scales.y)
        self.n_iter_, self.scores_ = fit.n_iter, fit.scores
        self.log_evidence_ = fit.log_evidence - units.weight * float(np.log(scales.y))
        self.X_offset_, self.X_scale_ = x_mean.astype(dtype), scales.x.astype(dtype)
        self._kept, self._root = fit.keep, fit.root * back[fit.keep, None]
        self._freedom = max(1.0, units.weight - fit.effective - bool(self.fit_intercept))
        self._set_linear((fit.coef * back)[None, :], x_mean, y_mean)
        return self._told(rows, f"{self.n_iter_} iterations, {int(fit.keep.sum())} of {len(fit.keep)} columns kept")

    @property
    def sigma_(self):
        if not hasattr(self, "_root"):
            raise AttributeError("sigma_: the model is not fitted")
        return (self._root @ self._root.T).astype(self.coef_.dtype, copy=False)

    def _spread(self, X):
        if not self._kept.any():
            return np.zeros(X.shape[0])
        return quadratic(X[:, self._kept], self.X_offset_[self._kept].astype(np.float64), self._root)

    def _steps(self, n_samples, seed):
        steps, k = np.zeros((n_samples, len(self._kept))), len(self._root)
        if k:
            z = normal(seed, _STEPS, n_samples * k).reshape(n_samples, k)
            steps[:, self._kept] = affine_map(z, self._root, np.zeros(k))
        return steps

    def _validate_state(self):
        super()._validate_state()
        p, k = self.n_features_in_, int(self._kept.sum())
        vectors = (self._kept, self.lambda_, self.X_offset_, self.X_scale_)
        shapes = all(np.shape(v) == (p,) for v in vectors) and np.shape(self._root) == (k, k)
        if not (shapes and 0.0 < self.alpha_ < np.inf and (self.lambda_ > 0.0).all() and (self.X_scale_ > 0.0).all()):
            self._refuse_state("its posterior is not a covariance of the coefficients kept")
        if not (np.isfinite(self._root).all() and np.isfinite(self.X_offset_).all()):
            self._refuse_state("its posterior is not finite")


@dataclass(frozen=True, slots=True)
class _Units:
    """What the model divides columns and y by, and how its numbers follow from those of a system.

    Attributes
    ----------
    scales : Scales
    weight : float
        Sum of weights.
    of_coef : array of shape (p,)
        A coefficient of the model is that of the system times this.
    of_noise : float
        A squared residual of the model is that of the system times this.
    """

    scales: Scales
    weight: float
    of_coef: np.ndarray
    of_noise: float

    @classmethod
    def of(cls, scales, weight, x_scale, y_scale):
        """Of a system whose columns and y are multiplied by `x_scale` and `y_scale`."""
        y = y_scale * scales.y
        with np.errstate(over="ignore", under="ignore"):
            return cls(scales, weight, x_scale * scales.x / y, 1.0 / y**2)
