"""The one door to inference that estimators share."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mlwright.linear_model._inference.covariance import Kind

_WEIGHTS = ("frequency", "precision")


class InferenceMixin:
    """``inference``, ``std_errors_``, ``p_values_``, ``conf_int`` and ``summary`` of a fitted linear model.

    A subclass gives

    - ``_refuse_inference()``: raises ValueError where its parameters allow none (a penalty, say);
    - ``_rows_for_inference(X, y, sample_weight, ...)``: validated rows, with an attribute ``X``;
    - ``_infer(rows, kind, use_t, weights)``: the :class:`Inference`, or a list of one a target; rows may be None;
    - ``_rows_come_with``: what else its ``_rows_for_inference`` takes.
    """

    _rows_come_with: tuple[str, ...] = ()

    def inference(
        self,
        X=None,
        y=None,
        sample_weight=None,
        *,
        cov_type="nonrobust",
        groups=None,
        maxlags=None,
        use_t=None,
        weights="frequency",
        **of_rows,
    ):
        """Standard errors, tests and intervals of the coefficients.

        Parameters
        ----------
        X, y, sample_weight : as passed to ``fit``, default=None
            The rows that the model was fitted on. Robust covariances need them; the others take what the fit kept
            where they are left out, and are exact to the last digits where they are given.
        cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "HAC"}, default="nonrobust"
            Covariance of the estimates: the model's own; robust to heteroscedasticity; to dependence within groups
            (with the correction ``G / (G - 1) * (n - 1) / (n - k)``); or to autocorrelation of rows in order of time
            (Newey and West, Bartlett's weights, no correction).
        groups : array-like of shape (n_samples,) or (n_samples, 2), default=None
            Group of each row, for ``cov_type="cluster"``; two columns for two-way clustering.
        maxlags : int, default=None
            For ``cov_type="HAC"``; None is ``floor(4 (n / 100)^(2 / 9))``.
        use_t : bool, default=None
            Student's t and F rather than the normal law and chi-squared; None does so for the non-robust covariance of
            least squares. With clusters the degrees of freedom are one less than their number.
        weights : {"frequency", "precision"}, default="frequency"
            What ``sample_weight`` means: how often a row was seen, so that a weight of 2 is the row twice; or the
            inverse of its error's variance up to a factor, as in statsmodels' WLS, so that observations are the rows
            of positive weight. The coefficients are the same, their standard errors are not. "precision" is for least
            squares.
        **of_rows : arrays of shape (n_samples,)
            What else ``fit`` takes a row: ``offset`` and ``exposure`` of generalized linear regressors, ``offset`` of
            LogisticRegression.
            QuantileRegressor takes ``kernel`` and ``bandwidth`` of the density of its residuals, see there.

        Returns
        -------
        Inference, or list of Inference, one a target, where y has two dimensions

        Raises
        ------
        ValueError
            For penalised or constrained fits, columns that are linear combinations of others (by name), rows that the
            model was not fitted on, and no more observations than parameters.
        """
        check_is_fitted(self)
        self._refuse_inference()
        if weights not in _WEIGHTS:
            raise ValueError(f"weights: got {weights!r}, expected 'frequency' or 'precision'.")
        if (X is None) != (y is None):
            raise ValueError("inference: got one of X and y, expected both or neither.")
        if X is None and (sample_weight is not None or of_rows):
            raise ValueError("inference: got sample_weight or offsets without X and y, expected all of them.")
        unknown = [name for name in of_rows if name not in self._rows_come_with]
        if unknown:
            raise TypeError(f"inference: {type(self).__name__} takes no {', '.join(unknown)}; expected it left out.")
        rows = None if X is None else self._rows_for_inference(X, y, sample_weight, **of_rows)
        n, w = (None, None) if rows is None else (rows.X.shape[0], rows.w)
        kind = Kind.of(cov_type, n, groups, maxlags, w)
        if kind.cov_type == "HAC" and weights == "frequency" and sample_weight is not None:
            raise ValueError(
                "cov_type='HAC': got sample_weight as frequencies, but rows seen several times have no order in time; "
                "expected no weights, or weights='precision'."
            )
        return self._infer(rows, kind, use_t, weights)

    @property
    def std_errors_(self):
        """Non-robust standard errors of (intercept, coefficients): shape (k,), (n_targets, k) or (n_classes - 1, k)."""
        return self._from_fit("std_errors")

    @property
    def p_values_(self):
        """Two-sided p-values by the non-robust standard errors, of the shape of ``std_errors_``."""
        return self._from_fit("p_values")

    def conf_int(self, alpha=0.05):
        """Confidence intervals of (intercept, coefficients) by the non-robust standard errors.

        Parameters
        ----------
        alpha : float, default=0.05
            One less the confidence.

        Returns
        -------
        interval : ndarray of shape (k, 2), (n_targets, k, 2) or (n_classes - 1, k, 2)
        """
        return _stacked(self.inference(), lambda result: result.conf_int(alpha))

    def summary(self, alpha=0.05):
        """The usual page of the fit by the non-robust standard errors; for others ``inference(...).summary()``.

        Parameters
        ----------
        alpha : float, default=0.05
            One less the confidence of the intervals.

        Returns
        -------
        Summary, or list of Summary, one a target
        """
        results = self.inference()
        return [result.summary(alpha) for result in results] if isinstance(results, list) else results.summary(alpha)

    def _from_fit(self, name):
        try:
            return _stacked(self.inference(), lambda result: getattr(result, name))
        except ValueError as error:
            raise AttributeError(f"{name}_: {error}") from error

    def _parameter_names(self):
        """Names of the features."""
        return feature_names(self)


def feature_names(model):
    """Names of the features that a model was fitted on."""
    names = getattr(model, "feature_names_in_", None)
    return [f"x{j}" for j in range(model.n_features_in_)] if names is None else [str(name) for name in names]


def _stacked(results, get):
    if isinstance(results, list):
        return np.stack([get(result) for result in results])
    values = get(results)
    return values if results.n_sets == 1 else values.reshape(results.n_sets, -1, *values.shape[1:])
