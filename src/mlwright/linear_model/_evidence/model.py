"""What linear models share whose variances come from the evidence and whose coefficients have a normal posterior."""

import warnings

import numpy as np

from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.laws import StudentLaw
from mlwright._bayesian.loo import keep_loo
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.rng import chi_square, normal
from mlwright._validation import explain_not_finite, require_finite, rows_for_predict
from mlwright.base import fit_context
from mlwright.linear_model._base import LeastSquaresModel, column_means, finite, plan

_NOISE, _PRECISION = 7101, 7102  # streams
UNEXPLAINED = 0.01  # coefficients that data determine, below which they say nothing of y
_GAIN = 3.0  # of log evidence that is no chance
_ROUNDING = 4 * float(np.finfo(np.float64).eps)


class EvidenceModel(BayesianMixin, LeastSquaresModel):
    """Base of ``BayesianRidge`` and ``ARDRegression``.

    A subclass gives ``_fit_rows(rows, x_mean, y_mean)``, which fits to rows of which no sums are kept, and
    ``_fit_statistics``; ``_spread(X)``, variances of ``x' coef`` at checked rows, and ``_steps(n_samples, seed)``,
    draws of ``coef - coef_`` of shape (n_samples, n_features); and sets ``alpha_``, ``X_offset_`` and ``_freedom``.
    """

    _multi_output = False

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
        """
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        n, p = rows.X.shape
        if n >= p or plan(rows) == "gram":  # of sparse rows too: there is no iterative route
            return self._fit_statistics(self._sums(rows), rows)
        x_mean, y_mean = column_means(rows, self.fit_intercept)
        if not finite(rows):
            explain_not_finite(self, rows)
        self._keep_statistics(None)
        return self._fit_rows(rows, x_mean, y_mean)

    def _warn_of_noise(self, weight, square, mean):
        """Where the rows do not tell the noise; `square` is the sum of squares of y, centred for an intercept."""
        constant = square <= weight * (_ROUNDING * mean) ** 2
        if weight > 1.0 and not constant and square > 2.0 * self.alpha_2:
            return
        reason, remedy = f"the rows weigh {weight:g} in all", "give more rows, whose y differ"
        if weight > 1.0:
            reason = "y does not vary"
            if not constant:
                reason = f"y varies by {np.sqrt(square / weight):.2g}, by less than the prior of its noise does"
                remedy = "use scale_invariant=True, multiply y, or lower alpha_2"
        warnings.warn(
            f"{type(self).__name__}: {reason}, so that the noise, of standard deviation "
            f"{1.0 / np.sqrt(float(self.alpha_)):.2g}, and the widths of intervals say more of the prior (alpha_1, "
            f"alpha_2) than of the data; {remedy}.",
            UserWarning,
            stacklevel=6,
        )

    def _warn_of_start(self, gain):
        """Where the iteration ended at the mean; `gain` is of the log evidence, elsewhere."""
        if gain > _GAIN:
            warnings.warn(
                f"{type(self).__name__}: the columns explain y (with them the log evidence is higher by {gain:.3g}), "
                "but the iteration, which starts at precisions in the units of X and y, ended at the mean; use "
                "scale_invariant=True, or divide y by its standard deviation.",
                UserWarning,
                stacklevel=6,
            )

    def _told(self, rows, report):
        """The fitted model, its rows left out one by one if that is asked for, and a line about it if that is."""
        keep_loo(self)
        if self.compute_loo and rows is not None:
            self._score_loo(rows)
        if self.verbose:
            print(f"{type(self).__name__}: {report}")
        return self

    def predict(self, X, return_std=False):
        """Predict with the posterior mean.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of the predictive distribution too.

        Returns
        -------
        y_mean : ndarray of shape (n_samples,)
        y_std : ndarray of shape (n_samples,)
            With ``return_std=True``.
        """
        if not return_std:
            return super().predict(X)
        law = self._predictive_law(X)
        return law.mean, law.scale.astype(law.mean.dtype, copy=False)

    def _predictive_law(self, X):
        X = self._checked(X)
        return StudentLaw(super().predict(X), np.sqrt(self._spread(X) + 1.0 / float(self.alpha_)), self._freedom)

    def _checked(self, X):
        X, finite = rows_for_predict(self, X)
        if not finite:
            require_finite(self, X)
        return X if isinstance(X, np.ndarray) else X.tocsr()

    def _posterior_draws(self, n_samples, seed):
        steps = self._steps(n_samples, seed)
        coef = steps + self.coef_.astype(np.float64)
        return {"coef": coef, "intercept": float(self.intercept_) - (steps * self.X_offset_).sum(axis=1)}

    def _predictive_draws(self, X, n_samples, seed):
        """The noise's precision, of which the evidence leaves `_freedom` degrees, is drawn too: Student's t."""
        X = self._checked(X)
        mean, n = super().predict(X).astype(np.float64), X.shape[0]
        steps = self._steps(n_samples, seed)
        moved = affine_map(as_design(X), steps, -(steps * self.X_offset_).sum(axis=1)).T
        noise = normal(seed, _NOISE, n_samples * n).reshape(n_samples, n) / np.sqrt(float(self.alpha_))
        stretch = np.sqrt(self._freedom / chi_square(seed, _PRECISION, self._freedom, n_samples))
        return mean + stretch[:, None] * (moved + noise)

    def _score_loo(self, rows):
        """Leave one repetition of each row out, or what there is of it, the variances held."""
        alpha, w = float(self.alpha_), rows.w
        weight = float(len(rows.y)) if w is None else float(w.sum())
        X = rows.X.tocsr() if rows.is_sparse else rows.X
        leverage = alpha * self._spread(X) + (1.0 / weight if self.fit_intercept else 0.0)
        once = 1.0 if w is None else np.minimum(w, 1.0)
        left = np.maximum(1.0 - once * leverage, np.finfo(np.float64).eps)
        residual = rows.y[:, 0] - super().predict(rows.X)
        law = StudentLaw(np.zeros(len(left)), np.sqrt((1.0 + (1.0 - once) * leverage) / (alpha * left)))
        keep_loo(self, law.log_density(residual / left), w=w)
