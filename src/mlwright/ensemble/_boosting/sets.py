"""Sets of classes that hold the true one with a stated probability."""

import numpy as np

from mlwright.base import check_coverage
from mlwright.ensemble._boosting.held_out import HeldOutMixin, held_out, held_out_statistics


class ConformalSetMixin(HeldOutMixin):
    """``predict_set`` of a classifier; its errors are 1 less the probability of the true class."""

    def predict_set(self, X, coverage=0.9):
        """Classes among which the true one is with the given probability, by split conformal prediction [1]_.

        A class is in the set if its probability is at least what as large a share of the held-out rows gave their true
        class; the likeliest class always is. Held-out rows are those of early stopping (``validation_fraction``, or
        X_val of `fit`), or those of `calibrate_set`; at most 10,000 of them are used. If they and the new rows are
        exchangeable, the true class is in the set for at least a share `coverage` of the rows, on average; for a
        particular row or class nothing is promised. Integer weights count as repetitions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1, exclusive.

        Returns
        -------
        in_set : ndarray of bool of shape (n_samples, n_classes)
            Whether each class, in the order of ``classes_``, is in the set of a row.

        Raises
        ------
        ValueError
            If no rows were held out, or too few for the coverage. With ``class_weight``, whose shares of classes are
            not those of new rows, only `calibrate_set` provides them.

        References
        ----------
        .. [1] M. Sadinle, J. Lei and L. Wasserman, "Least ambiguous set-valued classifiers with bounded error levels",
           JASA 114 (2019).
        """
        coverage = check_coverage(coverage)
        p = self.predict_proba(X)
        residuals = held_out(self._residuals, "predict_set", "calibrate_set")
        _, largest = held_out_statistics(residuals, coverage, None, 1 - coverage)
        in_set = 1 - p <= largest
        in_set[np.arange(len(p)), p.argmax(axis=1)] = True
        return in_set

    def calibrate_set(self, X, y, sample_weight=None):
        """Take the rows that `predict_set` learns from, which the model was not fitted on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        return self._calibrate(X, y, sample_weight)

    def _keep(self, fit):
        super()._keep(fit)
        if self.class_weight is not None:
            self._residuals = None

    def _errors_of(self, rows):
        p = self._probabilities_of(self._forest().predict_raw(rows.X))
        return 1 - p[np.arange(len(p)), rows.y.astype(np.intp)]
