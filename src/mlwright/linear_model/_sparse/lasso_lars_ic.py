"""The lasso with the penalty chosen by an information criterion."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._kernels.linalg import affine_map, as_design
from mlwright.base import fit_context
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._base import LeastSquaresModel
from mlwright.linear_model._certificate import CERTIFIED, certificate_fields, keep_certificate, largest_violation
from mlwright.linear_model._least_squares import least_squares
from mlwright.linear_model._nonnegative import nonnegative_least_squares
from mlwright.linear_model._sparse.homotopy import Homotopy
from mlwright.linear_model._sparse.quadratic import Quadratics
from mlwright.linear_model._sparse_interval import sparse_predictive
from mlwright.linear_model._state import LINEAR_FIELDS

_EPS = float(np.finfo(float).eps)
_RANK = 1e-10  # relative, of singular values in the estimate of the noise
_FROM_ROWS = 1e-7  # of the targets' squares: smaller residuals are asked of the rows, where there are any
_LEAST = 4e-16  # of the targets' squares: what rounding leaves of a perfect fit
_SINCE = {name: Maybe(field) for name, field in certificate_fields().items()}  # which models of older files have not


class LassoLarsIC(LeastSquaresModel):
    """The lasso at the knot of its path where Akaike's or Bayes' information criterion is least.

    The criterion is ``n log(2 pi noise) + |y - X b|^2 / noise + factor k``, k the number of coefficients that are not
    zero, factor 2 for AIC and ``log(n)`` for BIC. The path is exact: every knot, from second moments alone.

    Parameters
    ----------
    criterion : {"aic", "bic"}, default="aic"
    fit_intercept : bool, default=True
    verbose : bool or int, default=False
        For compatibility.
    precompute : bool, "auto" or array-like, default="auto"
        For compatibility: the path is followed in the Gram matrix.
    max_iter : int, default=500
        Most steps of the path.
    eps : float, default=np.finfo(float).eps
        For compatibility: columns that depend on others are recognised and left out.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    positive : bool, default=False
        Restrict the coefficients to be nonnegative.
    noise_variance : float, default=None
        Variance of the noise; None estimates it by least squares on all columns, which needs more rows than columns.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    alpha_ : float
        The penalty chosen, as of `Lasso`.
    alphas_ : ndarray of shape (n_knots,)
        Penalties of the knots, falling.
    criterion_ : ndarray of shape (n_knots,)
    noise_variance_ : float
    n_iter_ : int
        Steps of the path.
    kkt_violation_ : float
        Largest violation of the lasso's optimality conditions by the answer, relative to the norms of columns and y.
    objective_ : float
        What `Lasso` minimises, at the penalty chosen.
    converged_ : bool
        Whether the violation is below 1e-6.
    n_passes_ : int
        Reads of the rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    LassoCV : chooses by cross-validation.

    Notes
    -----
    ``partial_fit``, ``merge`` and ``forget`` are exact. Weights are repetitions: n is their sum. The Gram matrix of all
    columns is formed however many they are.

    References
    ----------
    Zou, Hastie and Tibshirani (2007), On the degrees of freedom of the lasso. Annals of Statistics 35.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import LassoLarsIC
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 8))
    >>> model = LassoLarsIC(criterion="bic").fit(X, 3.0 * X[:, 2] - X[:, 5] + rng.standard_normal(200))
    >>> np.flatnonzero(model.coef_)
    array([2, 5])
    >>> len(model.alphas_) == len(model.criterion_) == model.n_iter_ + 1
    True
    """

    _multi_output = False
    _model_state = State(
        **LINEAR_FIELDS,
        alpha_=Number(0.0),
        alphas_=Tensor("f8", "k"),
        criterion_=Tensor("f8", "k", finite=False),
        noise_variance_=Number(0.0),
        n_iter_=Number(0, integer=True),
        kkt_violation_=Number(0.0),
        **_SINCE,
    )
    _read_later = ("fit_intercept",)
    _parameter_constraints: ClassVar[dict] = {
        "criterion": [StrOptions({"aic", "bic"})],
        "fit_intercept": ["boolean"],
        "verbose": ["verbose"],
        "precompute": ["boolean", StrOptions({"auto"}), np.ndarray, None],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "eps": [Interval(Real, 0, None, closed="left")],
        "copy_X": ["boolean"],
        "positive": ["boolean"],
        "noise_variance": [Interval(Real, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        criterion="aic",
        *,
        fit_intercept=True,
        verbose=False,
        precompute="auto",
        max_iter=500,
        eps=_EPS,
        copy_X=True,
        positive=False,
        noise_variance=None,
    ):
        self.criterion = criterion
        self.fit_intercept = fit_intercept
        self.verbose = verbose
        self.precompute = precompute
        self.max_iter = max_iter
        self.eps = eps
        self.copy_X = copy_X
        self.positive = positive
        self.noise_variance = noise_variance

    @fit_context
    def fit(self, X, y, copy_X=None, sample_weight=None):
        """Follow the path and keep its best knot.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        copy_X : bool, default=None
            For compatibility: X is never written to.
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        return self._fit_statistics(self._sums(rows), rows)

    def _fit_statistics(self, statistics, rows=None):
        p = statistics.n_features
        problem = Quadratics.of([statistics], self.fit_intercept)
        gram, linear, square, u = problem.gram[0], problem.linear[0, 0], float(problem.square[0, 0]), problem.scale[:p]
        y_scale = float(problem.scale[p])
        lams, scaled = Homotopy(gram, linear, u, self.positive).knots(self.max_iter)
        coefs = scaled * (u / y_scale)
        squares = self._residual_squares(statistics, rows, coefs, _quadratic(gram, linear, square, scaled) / y_scale**2)
        self.noise_variance_ = self._noise(statistics, rows, square / y_scale**2)
        self.criterion_ = self._criteria(statistics.weight, squares, (scaled != 0.0).sum(axis=1))
        best = int(np.where(np.isnan(self.criterion_), np.inf, self.criterion_).argmin())
        self.alphas_ = lams / (statistics.weight * y_scale)
        self.alpha_, self.n_iter_ = float(self.alphas_[best]), len(lams) - 1
        self._keep_statistics(statistics)
        self._set_linear(coefs[best][None], statistics.mean[:p], statistics.mean[p:])
        violation = _violation(gram, linear, square, u, lams[best], scaled[best], self.positive)
        keep_certificate(
            self,
            objective=float(squares[best] / (2.0 * statistics.weight) + self.alpha_ * np.abs(coefs[best]).sum()),
            kkt_violation=violation,
            converged=violation <= CERTIFIED,
            n_passes=1,
        )
        return self

    def _residual_squares(self, statistics, rows, coefs, squares):
        """Of every knot, from the rows where the moments would not tell."""
        p = statistics.n_features
        total = squares.max(initial=0.0)
        if rows is None or not (squares < _FROM_ROWS * total).any():
            return np.maximum(squares, _LEAST * total)
        mean = statistics.mean if self.fit_intercept else np.zeros(p + 1)
        near = np.flatnonzero(squares < _FROM_ROWS * total)
        b = coefs[near]
        residuals = rows.y - affine_map(as_design(rows.X), b, mean[p] - b @ mean[:p])
        w = np.ones(len(residuals)) if rows.w is None else rows.w
        squares = squares.copy()
        squares[near] = w @ (residuals * residuals)
        return squares

    def _noise(self, statistics, rows, total):
        if self.noise_variance is not None:
            return float(self.noise_variance)
        p, n = statistics.n_features, statistics.weight
        freedom = n - p - bool(self.fit_intercept)
        if freedom <= 0:
            raise ValueError(
                f"You are using {type(self).__name__} in the case where the number of samples is smaller than the "
                "number of features. In this setting, getting a good estimate for the variance of the noise is not "
                "possible. Provide an estimate of the noise variance in the constructor."
            )
        if self.positive:
            coef, _ = nonnegative_least_squares(statistics, self.fit_intercept, 0.0, rows)
        else:
            solution = least_squares(statistics, self.fit_intercept, _RANK, rows)
            coef = solution.coef if solution is not None else least_squares(statistics, self.fit_intercept, _RANK).coef
        errors, _ = statistics.squared_errors(coef, self._intercepts(statistics, coef))
        nothing_and_all = np.vstack([0.0 * coef, coef])
        squares = self._residual_squares(statistics, rows, nothing_and_all, np.append(total, errors))
        return float(squares[1] / freedom)

    def _intercepts(self, statistics, coef):
        p = statistics.n_features
        return statistics.mean[p] - coef @ statistics.mean[:p] if self.fit_intercept else np.zeros(len(coef))

    def _criteria(self, n, squares, n_used):
        factor = 2.0 if self.criterion == "aic" else np.log(n)
        with np.errstate(divide="ignore", invalid="ignore"):
            likelihood = n * np.log(2.0 * np.pi * self.noise_variance_) + squares / self.noise_variance_
        return likelihood + factor * n_used

    def _predictive(self, X):
        return sparse_predictive(self, X, 0.0)


def _quadratic(gram, linear, square, b):
    """``|y - X b|^2`` for every row of b."""
    return np.maximum(square - 2.0 * b @ linear + ((b @ gram) * b).sum(axis=1), 0.0)


def _violation(gram, linear, square, weight, lam, b, positive):
    """Distance of the correlations from where they should be, over the norms of columns and y."""
    size = np.sqrt(gram.diagonal() * square)
    return largest_violation(linear - gram @ b, b, size, l1=lam * weight, positive=positive)
