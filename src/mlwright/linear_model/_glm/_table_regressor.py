"""What every generalized linear regressor takes beside numbers: offsets, exposures, columns of categories."""

import numpy as np

from mlwright.base import fit_context
from mlwright.io.schema import Tensor
from mlwright.linear_model._glm._base import checked_offset, warn_unless_certified
from mlwright.linear_model._glm._categories import CATEGORY_FIELDS, CategoricalMixin
from mlwright.linear_model._glm._regressor import REGRESSOR_FIELDS, GlmRegressor

TABLE_FIELDS = REGRESSOR_FIELDS | CATEGORY_FIELDS | {"coef_": Tensor("f4 f8", "q")}


class TableRegressor(CategoricalMixin, GlmRegressor):
    """A subclass gives ``_law()``."""

    _rows_come_with = ("offset", "exposure")

    @fit_context
    def fit(self, X, y, sample_weight=None, *, offset=None, exposure=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Columns of categories, enumerations or text in a data frame of any library have a coefficient for each level
            that occurs: the same as one-hot columns, which are not made.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        offset : array-like of shape (n_samples,), default=None
            Added to the scores.
        exposure : array-like of shape (n_samples,), default=None
            Positive; its logarithm is added to the scores, so the mean is proportional to it. For the log link.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For a family and link that do not go together, targets outside the domain (the message names the row), and
            exposures that are not positive.
        """
        warn_unless_certified(self, self._fit(X, y, sample_weight, offset, exposure))
        return self

    def _fit(self, X, y, sample_weight, offset, exposure):
        rows, y, w = self._rows(X, y, sample_weight)
        offset = self._offset(offset, exposure, len(y))
        solution = self._solution(rows, y, w, offset)
        self._remember_features(X)
        self._keep_laws(rows, y, w, offset)
        return solution

    def _solution(self, rows, y, w, offset):
        return self._fit_rows(rows, y, w, offset)

    def predict(self, X, *, offset=None, exposure=None):
        """The mean of y at new rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._mean(self._scores_at(X, offset, exposure))

    def score(self, X, y, sample_weight=None, *, offset=None, exposure=None):
        """D², the share of the deviance that the model explains beyond a constant mean.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight, offset, exposure : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        return self._explained(self._scores_at(X, offset, exposure), X, y, sample_weight)

    def predict_interval(self, X, coverage=0.9, *, offset=None, exposure=None):
        """Central interval of the law of new observations.

        Where there are fewer than 30 rows a coefficient, the uncertainty of the coefficients widens the law; with more
        they are taken as known.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Least probability that a new observation falls inside.
        offset, exposure : array-like of shape (n_samples,), default=None

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)

        Raises
        ------
        ValueError
            For Tweedie laws below a power of 0 or above 2 (but 3), whose quantiles have no form here; and where no
            degrees of freedom were left for the dispersion.
        """
        return self._interval(X, lambda: self._scores_at(X, offset, exposure), coverage)

    def _scores_for(self, X, offset=None, exposure=None):
        return self._scores_at(X, offset, exposure)

    def _offset(self, offset, exposure, n):
        offset = checked_offset(offset, n)
        if exposure is None:
            return offset
        if self._law().link != "log":
            raise ValueError(f"exposure: got one with link {self._law().link!r}, expected the log link; use offset.")
        exposure = checked_offset(exposure, n, "exposure")
        if not (exposure > 0).all():
            row = int(np.flatnonzero(~(exposure > 0))[0])
            raise ValueError(f"exposure: row {row} is {exposure[row]}, expected numbers > 0; remove such rows.")
        return np.log(exposure) if offset is None else offset + np.log(exposure)

    def _scores_at(self, X, offset, exposure):
        eta = self._scores(X)
        return eta if offset is None and exposure is None else eta + self._offset(offset, exposure, len(eta))
