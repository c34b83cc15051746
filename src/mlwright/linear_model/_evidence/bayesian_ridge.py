"""Bayesian ridge regression."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from mlwright._bayesian.loo import LOO_FIELDS
from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright.io.composite import AnyOf, ListOf, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._evidence.evidence import (
    gain_of_shrinking_less,
    maximise_evidence,
    rotate_dual,
    rotate_rows,
    rotate_statistics,
)
from mlwright.linear_model._evidence.model import UNEXPLAINED, EvidenceModel
from mlwright.linear_model._interval import quadratic
from mlwright.linear_model._sampling import gaussian_steps
from mlwright.linear_model._state import LINEAR_FIELDS

_LARGEST_ERROR = 1e-9  # of coefficients by rounding of the Gram matrix; beyond it the rows themselves are decomposed
_ROWS_AT_ONCE = 8192
_DENSE_AT_ONCE = 2**20  # entries of sparse rows
_SMALL_WHEN_DENSE = 2**20  # entries of sparse rows that are decomposed as dense ones


class BayesianRidge(EvidenceModel):
    """Ridge regression that finds its noise and penalty by the evidence, with the posterior of its coefficients.

    Parameters
    ----------
    max_iter : int, default=300
    tol : float, default=1e-3
        Ends the iteration when the absolute changes of the coefficients add up to less.
    alpha_1, alpha_2 : float, default=1e-6
        Shape and inverse scale of the Gamma prior of the noise precision.
    lambda_1, lambda_2 : float, default=1e-6
        Shape and inverse scale of the Gamma prior of the coefficients' precision.
    alpha_init : float, default=None
        Where the noise precision starts; None is one over the variance of y.
    lambda_init : float, default=None
        Where the coefficients' precision starts; None is 1.
    compute_score : bool, default=False
        Whether to keep the log marginal likelihood of each iteration.
    fit_intercept : bool, default=True
    copy_X : bool, default=True
        For compatibility: X is never written to.
    verbose : bool, default=False
        Print the number of iterations.
    scale_invariant : bool, default=False
        Whether the prior, and the precisions that it has, are of X and y divided by their standard deviations, so that
        units do not matter. False is scikit-learn's answer.
    compute_loo : bool, default=False
        Whether `fit` scores each row by the model without it; one more pass over X.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Posterior mean.
    intercept_ : float
    alpha_ : float
        Precision of the noise.
    lambda_ : float
        Precision of the coefficients; with ``scale_invariant=True`` of those of the scaled columns and y.
    sigma_ : ndarray of shape (n_features, n_features)
        Posterior covariance of the coefficients; formed when it is asked for.
    scores_ : ndarray of shape (n_iter_ + 1,)
        Log marginal likelihoods, with ``compute_score=True``.
    log_evidence_ : float
        Log marginal likelihood of the (centred) y at ``alpha_`` and ``lambda_``.
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

    Notes
    -----
    ``partial_fit``, ``merge`` and ``forget`` are exact for models with up to 2048 columns that were fitted on no fewer
    rows than columns, or on up to 512 columns. Weights count as repetitions.

    `fit` warns where y does not vary, or by less than the prior of the noise does, so that intervals are of the prior's
    width; and where the iteration, which starts in the units of y, ended at the mean though columns explain y.
    ``scale_invariant=True`` does not know units.

    Sparse X stays sparse: the Gram matrix of the columns, or of fewer rows, is dense, and the eigenvectors.

    ``predict_interval`` takes Student's t with as many degrees of freedom as the evidence leaves to the noise, since
    that is estimated too. The last of ``scores_`` belongs to the final coefficients; scikit-learn's mixes them with
    those of the iteration before.

    References
    ----------
    MacKay (1992), Bayesian interpolation. Neural Computation 4.
    Tipping (2001), Sparse Bayesian learning and the relevance vector machine. JMLR 1.

    Examples
    --------
    >>> from mlwright.linear_model import BayesianRidge
    >>> model = BayesianRidge().fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [0.0, 1.0, 2.0])
    >>> model.predict([[1.0, 1.0]]).round(3)
    array([1.])
    >>> model.predict_interval([[1.0, 1.0]], coverage=0.9).shape
    (1, 2)
    """

    _model_state = State(
        **LINEAR_FIELDS,
        **LOO_FIELDS,
        log_evidence_=Number(),
        alpha_=Number(0.0),
        lambda_=Number(0.0),
        n_iter_=Number(1, integer=True),
        scores_=AnyOf(ListOf(Number()), Tensor("f8", "*")),
        X_offset_=Tensor("f4 f8", "p"),
        X_scale_=Tensor("f4 f8", "p"),
        _basis=Tensor("f8", "p k"),
        _values=Tensor("f8", "k"),
        _freedom=Number(1.0),
        _y_scale=Number(0.0),
    )
    _parameter_constraints: ClassVar[dict] = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "alpha_1": [Interval(Real, 0, None, closed="left")],
        "alpha_2": [Interval(Real, 0, None, closed="left")],
        "lambda_1": [Interval(Real, 0, None, closed="left")],
        "lambda_2": [Interval(Real, 0, None, closed="left")],
        "alpha_init": [None, Interval(Real, 0, None, closed="left")],
        "lambda_init": [None, Interval(Real, 0, None, closed="left")],
        "compute_score": ["boolean"],
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
        alpha_init=None,
        lambda_init=None,
        compute_score=False,
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
        self.alpha_init = alpha_init
        self.lambda_init = lambda_init
        self.compute_score = compute_score
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.verbose = verbose
        self.scale_invariant = scale_invariant
        self.compute_loo = compute_loo

    def _fit_rows(self, rows, x_mean, y_mean):
        rotated = rotate_dual(rows, x_mean, y_mean, self.scale_invariant)
        return self._fit_rotated(rotated, x_mean, y_mean, rows)

    def _fit_statistics(self, statistics, rows=None):
        p = statistics.n_features
        mean = statistics.mean if self.fit_intercept else np.zeros(p + 1)
        self._keep_statistics(statistics)
        rotated = rotate_statistics(statistics, self.fit_intercept, rows, self.scale_invariant)
        return self._fit_rotated(rotated, mean[:p], mean[p:], rows)

    def _fit_rotated(self, rotated, x_mean, y_mean, rows):
        evidence = maximise_evidence(rotated, self)
        if evidence.error > _LARGEST_ERROR:
            if rows is not None and _may_be_dense(rows):
                rotated = rotate_rows(rows, x_mean, y_mean, self.scale_invariant)
                evidence = maximise_evidence(rotated, self)
            else:
                _warn_of_rounding(evidence.error, rows)
        dtype = np.dtype(self._dtype)
        scales = rotated.scales
        self.alpha_, self.lambda_ = dtype.type(evidence.alpha / scales.y**2), dtype.type(evidence.lam)
        self.n_iter_ = evidence.n_iter
        self.log_evidence_ = evidence.log_evidence - rotated.weight * float(np.log(scales.y))
        self.scores_ = np.array(evidence.scores) if self.compute_score else []
        self.X_offset_ = x_mean.astype(dtype)
        self.X_scale_, self._y_scale = scales.x.astype(dtype), scales.y
        self._basis, self._values = rotated.basis, rotated.values
        precision = evidence.alpha * rotated.values
        effective = float((precision / (evidence.lam + precision)).sum())
        self._freedom = max(1.0, rotated.weight - effective - bool(self.fit_intercept))
        self._warn_of_noise(rotated.weight, rotated.square, abs(y_mean[0]) / scales.y)
        if effective < UNEXPLAINED:
            self._warn_of_start(gain_of_shrinking_less(rotated))
        self._set_linear((evidence.coef * scales.of_coef)[None, :], x_mean, y_mean)
        return self._told(rows, f"{self.n_iter_} iterations")

    @property
    def sigma_(self):
        if not hasattr(self, "_basis"):
            raise AttributeError("sigma_: the model is not fitted")
        variance, lam = 1.0 / self._precisions, float(self.lambda_)
        if self._spans_everything:
            sigma = (self._basis * variance) @ self._basis.T
        else:
            sigma = (self._basis * (variance - 1.0 / lam)) @ self._basis.T
            sigma[np.diag_indices_from(sigma)] += 1.0 / lam
        back = self._y_scale / self.X_scale_.astype(np.float64)
        sigma *= np.multiply.outer(back, back)
        return sigma.astype(self.coef_.dtype, copy=False)

    @property
    def _precisions(self):
        """Posterior ones along the eigenvectors, of the coefficients of scaled columns and y."""
        return float(self.alpha_) * self._y_scale * self._y_scale * self._values + float(self.lambda_)

    @property
    def _spans_everything(self):
        return self._basis.shape[1] == len(self._basis)

    def _spread(self, X):
        centre, scale = self.X_offset_.astype(np.float64), self.X_scale_.astype(np.float64)
        basis = self._basis / scale[:, None]
        variance = quadratic(X, centre, basis / np.sqrt(self._precisions))
        if not self._spans_everything:
            across = _squared_norms(X, centre, scale) - quadratic(X, centre, basis)
            variance += np.maximum(across, 0.0) / float(self.lambda_)
        return variance * self._y_scale * self._y_scale

    def _steps(self, n_samples, seed):
        steps = gaussian_steps(self._basis, self._precisions, float(self.lambda_), n_samples, seed)
        return steps * (self._y_scale / self.X_scale_.astype(np.float64))

    def _validate_state(self):
        super()._validate_state()
        p, k = np.shape(self._basis)
        arrays = (self._basis, self._values, self.X_offset_, self.X_scale_)
        positive = 0.0 < self.alpha_ < np.inf and 0.0 < self.lambda_ < np.inf and (self._values >= 0.0).all()
        shapes = p == self.n_features_in_ and k <= p and self._values.shape == (k,)
        shapes = shapes and self.X_offset_.shape == self.X_scale_.shape == (p,)
        positive = positive and 0.0 < self._y_scale < np.inf and (np.asarray(self.X_scale_) > 0.0).all()
        if not (positive and shapes and all(np.isfinite(a).all() for a in arrays)):
            self._refuse_state("its posterior is not a covariance of its coefficients")


def _squared_norms(X, centre, scale):
    n, p = X.shape
    out, size = np.empty(n), _ROWS_AT_ONCE if isinstance(X, np.ndarray) else max(1, _DENSE_AT_ONCE // p)
    for begin in range(0, n, size):
        block = X[begin : begin + size]
        block = ((block if isinstance(X, np.ndarray) else block.toarray()) - centre) / scale
        out[begin : begin + size] = (block * block).sum(axis=1)
    return out


def _may_be_dense(rows):
    """Sparse rows only where they are no larger than their Gram matrix, or small."""
    n, p = rows.X.shape
    return not rows.is_sparse or n * p <= max(p * p, _SMALL_WHEN_DENSE)


def _warn_of_rounding(error, rows):
    remedy = "call fit on all rows" if rows is None else "pass X as an array"
    warnings.warn(
        f"BayesianRidge: the Gram matrix of the rows seen is so ill-conditioned that coefficients may be off by "
        f"{error:.0e}, relatively; for full precision {remedy}.",
        LossOfPrecisionWarning,
        stacklevel=5,
    )
