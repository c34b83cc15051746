"""Linear quantile regression."""

import warnings
from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._runtime.errors import ModelFormatError, NumericalError
from mlwright._validation import rows_for_fit
from mlwright.base import as_fitted, check_coverage, fit_context
from mlwright.io.composite import AnyOf, ListOf, Maybe, Optional, State
from mlwright.io.schema import Number, Size, Strings, Tensor
from mlwright.linear_model._base import linear_predict
from mlwright.linear_model._certificate import certificate_fields, keep_certificate
from mlwright.linear_model._inference.kept import KEPT
from mlwright.linear_model._residual_law import N_LEVELS, between_levels, require_rising, residual_levels
from mlwright.linear_model._robust.quantile_fit import fit_quantiles
from mlwright.linear_model._robust.quantile_inference import QuantileInferenceMixin
from mlwright.linear_model._scaled_rows import ScaledRows

_SOLVERS = {"highs-ds", "highs-ipm", "highs", "interior-point", "revised simplex"}
_OPTIONS = {"tol": 1e-11, "max_iter": 100}
_CERTIFIED = 1e-8  # of the objective: a larger gap is warned of


class QuantileRegressor(QuantileInferenceMixin, RegressorMixin, BaseEstimator):
    """Linear regression of one or several conditional quantiles, by an exact interior point method.

    Minimises ``sum_i w_i rho(y_i - x_i coef - intercept) / sum_i w_i + alpha |coef|_1``, where ``rho(r)`` is
    ``quantile * r`` above zero and ``(quantile - 1) * r`` below.

    Parameters
    ----------
    quantile : float or array-like of shape (n_quantiles,), default=0.5
        Levels between 0 and 1, exclusive. Several are fitted side by side.
    alpha : float, default=1.0
        Strength of the L1 penalty.
    fit_intercept : bool, default=True
    solver : {"highs-ds", "highs-ipm", "highs", "interior-point", "revised simplex"}, default="highs"
        scikit-learn's names; all stand for the one method here, whose answers are exact.
    solver_options : dict, default=None
        ``"tol"``, the gap between primal and dual relative to the objective at which the interior point method ends
        (1e-11), and ``"max_iter"`` (100).
    non_crossing : bool, default=False
        Whether ``predict`` sorts the quantiles of a row, so that a higher level is never predicted lower. Sorting takes
        no prediction farther from the true quantiles (Chernozhukov, Fernández-Val and Galichon 2010).

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_quantiles, n_features)
    intercept_ : float or ndarray of shape (n_quantiles,)
    n_iter_ : int or ndarray of shape (n_quantiles,)
        Iterations of the interior point method.
    objective_ : float or ndarray of shape (n_quantiles,)
    dual_gap_ : float or ndarray of shape (n_quantiles,)
        Certificate: the objective is at most that far above the minimum.
    converged_ : bool
        Whether every gap is below 1e-8 of its objective, or below what rounding allows for a perfect fit.
    n_passes_ : int or ndarray of shape (n_quantiles,)
        How often the rows were read.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    Where the answer is a single point, it is the vertex that fits as many rows exactly as there are coefficients, and
    coefficients that the penalty makes zero are exactly that. Where several answers are equally good, this one lies
    among them, away from the corners; columns that depend on others get zero. Weights count as repetitions.

    Many rows are met with Portnoy and Koenker's preprocessing: only those near the plane take part in the iteration.
    Memory: 13 numbers a row that takes part, and the square of the number of features.

    References
    ----------
    Koenker and Bassett (1978), Regression quantiles. Econometrica 46.
    Portnoy and Koenker (1997), The Gaussian hare and the Laplacian tortoise. Statistical Science 12.
    Chernozhukov, Fernández-Val and Galichon (2010), Quantile and probability curves without crossing. Econometrica 78.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import QuantileRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(1000, 1))
    >>> y = X[:, 0] * rng.exponential(size=1000)
    >>> model = QuantileRegressor(quantile=[0.05, 0.5, 0.95], alpha=0.0).fit(X, y)
    >>> model.coef_.shape
    (3, 1)
    >>> lower, upper = model.predict_interval(X, coverage=0.9).T
    >>> round(float(np.mean((lower <= y) & (y <= upper))), 2)
    0.9
    """

    _number_per_level = AnyOf(Number(0.0), Tensor("f8", "k"))
    _count_per_level = AnyOf(Number(0, integer=True), Tensor("i8", "k"))
    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        coef_=Tensor("f4 f8", "p", "k p"),
        intercept_=AnyOf(Number(), Tensor("f4 f8", "k")),
        n_iter_=_count_per_level,
        **certificate_fields("dual_gap_", value=_number_per_level, n_passes=_count_per_level),
        _inference=Maybe(Optional(ListOf(KEPT))),
        _residual_levels=Maybe(Optional(Tensor("f8", str(N_LEVELS)))),
    )
    _read_later = ("quantile", "alpha", "fit_intercept")
    _parameter_constraints: ClassVar[dict] = {
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions(_SOLVERS)],
        "solver_options": [dict, None],
        "non_crossing": ["boolean"],
    }

    def __init__(
        self,
        *,
        quantile=0.5,
        alpha=1.0,
        fit_intercept=True,
        solver="highs",
        solver_options=None,
        non_crossing=False,
    ):
        self.quantile = quantile
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.solver_options = solver_options
        self.non_crossing = non_crossing

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For levels outside (0, 1) or unknown solver options, besides scikit-learn's errors for bad data.

        Warns
        -----
        ConvergenceWarning
            If the gap is still above 1e-8 of the objective.
        """
        levels, options = self._levels(), self._options()
        given = rows_for_fit(self, X, y, sample_weight, multi_output=False)
        rows = ScaledRows.of(self, given, self.fit_intercept)
        fit = fit_quantiles(rows, levels, self._penalty(rows), options["tol"], int(options["max_iter"]))
        coef, intercept = rows.to_coef(fit.b)
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise NumericalError(
                "QuantileRegressor: coefficients overflow float64; expected y / X within 1e300; rescale X or y."
            )
        unit = rows.total * rows.y_scale
        converged = (fit.gap <= _CERTIFIED * fit.objective + 1e-12 * np.abs(rows.y).sum()).all()
        if not converged:
            warnings.warn(
                f"QuantileRegressor: after {int(fit.n_iter.max())} iterations the objective may be up to "
                f"{float((fit.gap / unit).max()):.3g} above the minimum; raise solver_options['max_iter'].",
                ConvergenceWarning,
                stacklevel=3,
            )
        dtype = np.float32 if given.dtype == np.float32 else np.float64
        self.coef_, self.intercept_ = self._each(coef.astype(dtype)), self._each(intercept.astype(dtype))
        if not self.fit_intercept:
            self.intercept_ = 0.0
        objective, gap = self._each(fit.objective / unit), self._each(fit.gap / unit)
        keep_certificate(
            self, objective=objective, dual_gap=gap, converged=converged, n_passes=self._each(fit.n_passes)
        )
        self.n_iter_ = self._each(fit.n_iter)
        self._residual_levels = None
        if len(levels) == 1 and rows.total > np.count_nonzero(fit.b):
            residuals, weight = rows.residuals(fit.b)[0] / rows.y_scale, rows.total / rows.weight_unit
            self._residual_levels = residual_levels(residuals, rows.w, weight, np.count_nonzero(fit.b))
        self._keep_inference(given)
        return self

    def _penalty(self, rows):
        """Of the scaled coefficients. A strength from which on all are zero is as good as any above it."""
        if self.alpha == 0.0:
            return None
        with np.errstate(over="ignore"):
            penalty = self.alpha * rows.total * np.where(rows.scale > 0.0, rows.scale, 1.0)
        return np.clip(penalty, 1e-12 * rows.total, 8.0 * rows.total)

    def _each(self, values):
        """An array of one entry a level, or the entry itself where there is one level without an axis."""
        if np.ndim(as_fitted(self, "quantile")):
            return values
        return values[0] if values.ndim > 1 else values[0].item() if values.dtype.kind == "i" else values[0]

    def _levels(self):
        given = as_fitted(self, "quantile")
        levels = np.asarray(given)
        if levels.ndim > 1 or levels.size == 0 or levels.dtype.kind not in "fiu":
            raise ValueError(f"quantile: got {given!r}, expected a number or a sequence of numbers in (0, 1).")
        levels = np.atleast_1d(levels).astype(np.float64)
        if not ((levels > 0.0) & (levels < 1.0)).all():
            raise ValueError(f"quantile: got {given!r}, expected levels between 0 and 1, exclusive.")
        return levels

    def _options(self):
        given = {} if self.solver_options is None else self.solver_options
        unknown = sorted(set(given) - set(_OPTIONS))
        if unknown:
            raise ValueError(
                f"solver_options: got {', '.join(map(repr, unknown))}, expected 'tol' or 'max_iter'; options of other "
                "solvers have no meaning here and can be left out."
            )
        options = {**_OPTIONS, **given}
        if not (isinstance(options["tol"], Real) and options["tol"] >= 0.0 and options["max_iter"] >= 1):
            raise ValueError(f"solver_options: got {given!r}, expected tol of at least 0 and max_iter of at least 1.")
        return options

    def predict(self, X):
        """Predict the quantiles.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_quantiles)
            One column a level, in the order of `quantile`.
        """
        out = linear_predict(self, X)
        if not self.non_crossing or out.ndim == 1:
            return out
        rank = np.argsort(np.argsort(self._levels(), kind="stable"), kind="stable")
        return np.sort(out, axis=1)[:, rank]

    def predict_interval(self, X, coverage=0.9):
        """Central interval between two of the fitted quantiles; around a single one by the residuals of its fit.

        Of several levels, ``(1 - coverage) / 2`` and ``(1 + coverage) / 2`` must be among them. A model of one level
        has no second plane: its residuals' own quantiles, widened for the coefficients that were fitted, are taken to
        be alike at every x.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
            Lower and upper ends; in order even where the quantiles cross.

        Raises
        ------
        ValueError
            If the model was fitted at several levels, but not at both of these; or at one, on no more rows than there
            are coefficients.
        """
        coverage = check_coverage(coverage)
        out, levels = linear_predict(self, X), self._levels()
        if len(levels) == 1:
            return out.reshape(-1, 1) + self._between_residuals(coverage)
        wanted = (0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage)
        at = [int(np.argmin(np.abs(levels - level))) for level in wanted]
        if max(abs(levels[i] - level) for i, level in zip(at, wanted, strict=True)) > 1e-9:
            ends = ", ".join(f"{level:g}" for level in wanted)
            raise ValueError(
                f"predict_interval: coverage={coverage:g} needs the levels {ends}, but the model has "
                f"{', '.join(f'{level:g}' for level in levels)}; fit QuantileRegressor(quantile=[{ends}])."
            )
        return np.sort(out[:, at], axis=1)

    def _between_residuals(self, coverage):
        if getattr(self, "_residual_levels", None) is None:
            ends = f"{0.5 - 0.5 * coverage:g}, {0.5 + 0.5 * coverage:g}"
            raise ValueError(
                "predict_interval: the model has no fewer coefficients than rows, whose residuals say nothing of new "
                f"ones; expected more rows, a larger alpha, or the levels themselves; fit "
                f"QuantileRegressor(quantile=[{ends}])."
            )
        return between_levels(self._residual_levels, coverage)

    def score(self, X, y, sample_weight=None):
        """R2 of one quantile, as in scikit-learn; of several, the mean of their D2 pinball scores.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        if not np.ndim(as_fitted(self, "quantile")):
            return super().score(X, y, sample_weight)
        from sklearn.metrics import d2_pinball_score

        pairs = zip(self._levels(), self.predict(X).T, strict=True)
        return float(np.mean([d2_pinball_score(y, p, sample_weight=sample_weight, alpha=a) for a, p in pairs]))

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        coef, k = self.coef_, None if np.ndim(as_fitted(self, "quantile")) == 0 else len(self._levels())
        shapes = (self.n_features_in_,) if k is None else (k, self.n_features_in_)
        others = (self.n_iter_, self.n_passes_, self.objective_, self.dual_gap_)
        each = () if k is None else (k,)
        sound = coef.shape == shapes and all(np.shape(value) == each for value in others)
        if not sound or np.shape(self.intercept_) not in ((each,) if as_fitted(self, "fit_intercept") else ((),)):
            raise ModelFormatError(
                "QuantileRegressor: its arrays do not fit its levels; the file is damaged or not written by mlwright."
            )
        require_rising(self, getattr(self, "_residual_levels", None))
        self._require_sound_inference()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
