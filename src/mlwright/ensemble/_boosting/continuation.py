"""Going on with a fitted boosting model on new rows: more trees, or new values for the leaves it has."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted

from mlwright._kernels import tree_refit
from mlwright.base import fit_context
from mlwright.ensemble._boosting.binned_data import BinnedData
from mlwright.ensemble._boosting.category_tables import coded_with_new_levels
from mlwright.ensemble._boosting.columns import Columns
from mlwright.ensemble._boosting.new_levels import with_levels
from mlwright.ensemble._boosting.rows import Rows, weights_for_fit
from mlwright.ensemble._boosting.rules import tree_rules
from mlwright.preprocessing._category_levels import places_among


class ContinuationMixin:
    """``partial_fit`` and ``refit_leaves`` of the boosting estimators."""

    _refits_leaves = True  # whether a leaf holds one number

    @fit_context
    def partial_fit(self, X, y, sample_weight=None, *, classes=None, n_iter=None):
        """Grow more trees on new rows, from where the model stands.

        The scores that growth goes on from are the model's own for the new rows, and the bins are theirs: a stream may
        drift, and cuts of the new trees lie where the new values do, outside the old range too. Levels of categorical
        features that the model has not seen are added to those it knows; the trees it has go on treating them as
        missing, the new trees tell them apart. Nothing is held out, so nothing stops early. With ``n_iter`` on the rows
        of ``fit``, the trees are those that ``warm_start`` would add.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Of classes that the model knows.
        sample_weight : array-like of shape (n_samples,), default=None
        classes : array-like of shape (n_classes,), default=None
            All classes there will be; heeded by the first call, where y may lack some of them.
        n_iter : int, default=None
            Iterations to add; None is ``max_iter``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For data that do not fit the model.
        """
        if n_iter is not None and (not isinstance(n_iter, Integral) or isinstance(n_iter, bool) or n_iter < 1):
            raise ValueError(f"n_iter: got {n_iter!r}, expected a positive integer, or None for max_iter")
        self._refuse_balanced("partial_fit")
        known = hasattr(self, "_trees")
        self._check_classes(classes, known)
        if known:
            rows = self._further_rows(self._rows_with_new_levels(X), y, sample_weight)
            prepared = self._prepared(rows, None, continuing=True)
        else:
            prepared = self._prepare(X, y, sample_weight, classes=classes, holding_out=False)
        self.do_early_stopping_ = False
        fit = self._boosting(prepared, continuing=known)
        if not known and classes is not None:
            fit.start = _start_for_absent_classes(prepared.train, len(self.classes_), fit)
        fit.begin()
        fit.run(fit.n_iterations + int(self.max_iter if n_iter is None else n_iter))
        self._keep(fit)
        return self

    @fit_context
    def refit_leaves(self, X, y, sample_weight=None, *, decay=0.9):
        """Move the leaves' values towards what new rows say; the trees keep their shape.

        Iteration by iteration, a leaf's value becomes ``decay`` times what it was plus ``1 - decay`` times what the new
        rows in it would make it; a leaf without new rows stays as it is. Monotonic constraints hold afterwards too. The
        start values and the recorded scores stay.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        decay : float, default=0.9
            From 0 (forget the old values) to 1 (keep them).

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For data that do not fit the model.
        """
        if not self._refits_leaves:
            raise ValueError(
                f"refit_leaves: got a {type(self).__name__}, whose leaves hold several numbers; expected a "
                "model of one number a leaf; go on with partial_fit instead"
            )
        check_is_fitted(self)
        if not isinstance(decay, Real) or isinstance(decay, bool) or not 0 <= decay <= 1:
            raise ValueError(f"decay: got {decay!r}, expected a number from 0 to 1")
        self._refuse_balanced("refit_leaves")
        rows = self._further_rows(self._rows_to_predict(X), y, sample_weight)
        features = Columns(list(range(self.n_features_in_)), [False] * self.n_features_in_)
        loss, rules = self._loss_spec(rows, True), tree_rules(self, features)
        value = tree_refit.refit_leaves(
            rows.X, rows.y, rows.weight, loss, rules, self._trees, self._start, float(decay)
        )
        self._trees = {**self._trees, "value": value}
        if hasattr(self, "_residuals"):
            self._residuals = None  # those of the old leaves say nothing of the new ones
        return self

    def _rows_with_new_levels(self, X):
        """X for a model that learns the levels of categorical features that it has not seen."""
        if self.is_categorical_ is None or isinstance(X, BinnedData):
            return self._rows_to_predict(X)
        X, levels = coded_with_new_levels(self, X)
        more = [
            (j, known, now)
            for j, known, now in zip(np.flatnonzero(self.is_categorical_), self._levels, levels, strict=True)
            if len(now) > len(known)
        ]
        places = {int(j): places_among(known, now) for j, known, now in more}
        self._trees = with_levels(self._trees, places, {int(j): len(now) for j, _, now in more})
        self._levels = levels
        return X

    def _further_rows(self, X, y, sample_weight):
        """New rows, coded, for a model that knows its targets."""
        y = self._encode_again(_check_y(y, estimator=self), "y")
        check_consistent_length(X, y)
        weight = self._final_weight(weights_for_fit(sample_weight, X), y)
        return Rows(X, y, weight).without_zero_weights()

    def _refuse_balanced(self, method):
        if getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                f"{method}: got class_weight='balanced', expected None or a dict: the balance of some rows is not that "
                "of all; compute the weights once with sklearn.utils.class_weight.compute_class_weight"
            )

    def _check_classes(self, classes, known):
        if classes is None:
            return
        if not self._is_classifier:
            raise ValueError("classes: got some for a regressor, expected None")
        if known and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes: got {np.unique(classes)[:5]}, expected those of the first call, {self.classes_[:5]}, or None"
            )


def _start_for_absent_classes(rows, n_classes, fit):
    """The start values; if a class has no row yet, those of one more row of each class.

    The loss's own would say that the class is all but impossible, and the first trees that see it would overshoot.
    """
    counts = np.bincount(rows.y.astype(np.intp), rows.weight, minlength=n_classes)
    if (counts > 0).all():
        return fit.start
    share = (counts + 1) / (counts + 1).sum()
    if fit.loss.n_outputs == 1:
        return np.log(share[1:] / share[:1])
    if fit.loss.name == "one_vs_rest":
        return np.log(share / (1 - share))
    return np.log(share) - np.log(share).mean()
