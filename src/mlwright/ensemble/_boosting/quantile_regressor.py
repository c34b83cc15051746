"""Several quantiles of one target by boosted trees that they share; they never cross."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.utils.validation import _check_y, check_consistent_length

from mlwright._kernels import loss as losses
from mlwright._kernels import tree as kernels
from mlwright._runtime.errors import ModelFormatError
from mlwright.base import check_coverage
from mlwright.ensemble._boosting.base import BASE_STATE, BaseHistGradientBoosting
from mlwright.ensemble._boosting.parameters import ALL, set_parameters
from mlwright.ensemble._boosting.rows import weights_for_fit
from mlwright.io.composite import State
from mlwright.io.schema import Choice, Tensor


class HistGradientBoostingQuantileRegressor(BaseHistGradientBoosting):
    """Several quantiles of the target, given the features, in one model; never crossing.

    One tree an iteration serves all levels: its cuts follow the gradients of all pinball losses together, two trees
    by where the target lies and every third by how far it spreads; each leaf holds the exact weighted quantile of its
    residuals for every level. Predictions are sorted by level, which cannot raise the mean pinball loss. Same bits for
    any number of threads; integer weights are repetitions.

    Predictions have a column a level, so this is no regressor in scikit-learn's sense; it has a `score` of its own.

    Parameters
    ----------
    quantiles : float or sequence of float, default=0.5
        Levels between 0 and 1, exclusive, strictly increasing. Predictions for one number have no axis of levels.
    learning_rate, max_iter, max_leaf_nodes, max_depth, min_samples_leaf, l2_regularization, max_features, max_bins, \
categorical_features, monotonic_cst, interaction_cst, warm_start, early_stopping, scoring, validation_fraction, \
n_iter_no_change, tol, verbose, random_state, max_leaves, min_child_weight, l1_regularization, colsample_bytree, \
extra_trees, subsample, subsample_freq, sampling, top_rate, other_rate
        As of :class:`HistGradientBoostingRegressor`; the penalties bear on the choice of cuts, not on leaves, and
        monotonic constraints on every level.

    Attributes
    ----------
    quantiles_ : ndarray of shape (n_quantiles,)
    n_iter_, do_early_stopping_, train_score_, validation_score_, is_categorical_, n_features_in_, feature_names_in_
        As of :class:`HistGradientBoostingRegressor`; scores are minus the mean pinball loss over levels.

    References
    ----------
    .. [1] R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46 (1978).
    .. [2] V. Chernozhukov, I. Fernandez-Val and A. Galichon, "Quantile and probability curves without crossing",
       Econometrica 78 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingQuantileRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(4000, 1))
    >>> y = X[:, 0] * rng.normal(size=4000)
    >>> model = HistGradientBoostingQuantileRegressor([0.05, 0.5, 0.95]).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2, 3)
    >>> lower, upper = model.predict_interval(X, coverage=0.9).T
    >>> bool(0.87 < np.mean((lower <= y) & (y <= upper)) < 0.93)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **ALL,
        "quantiles": ["array-like", Real],
    }
    _model_state = State(quantiles_=Tensor("f8", "k"), _is_single=Choice(False, True), **BASE_STATE)
    _is_classifier = False
    _refits_leaves = False
    loss = "quantiles"  # what the engine minimises; no parameter

    def __init__(
        self,
        quantiles=0.5,
        *,
        learning_rate=0.1,
        max_iter=100,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        l2_regularization=0.0,
        max_features=1.0,
        max_bins=255,
        categorical_features="from_dtype",
        monotonic_cst=None,
        interaction_cst=None,
        warm_start=False,
        early_stopping="auto",
        scoring="loss",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-7,
        verbose=0,
        random_state=None,
        max_leaves=None,
        min_child_weight=1e-3,
        l1_regularization=0.0,
        colsample_bytree=1.0,
        extra_trees=False,
        subsample=1.0,
        subsample_freq=1,
        sampling="uniform",
        top_rate=0.2,
        other_rate=0.1,
    ):
        set_parameters(self, locals())

    def predict(self, X):
        """Predicted quantiles, rising from left to right.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        q : ndarray of shape (n_samples, n_quantiles), or (n_samples,) if `quantiles` was one number
        """
        return self._sorted(self._raw_predict(X))

    def staged_predict(self, X):
        """Predicted quantiles after each iteration, one array at a time."""
        for raw in self._staged_raw_predict(X):
            yield self._sorted(raw)

    def _sorted(self, raw):
        return raw[0].copy() if self._is_single else np.sort(raw.T, axis=1)

    def predict_interval(self, X, coverage=0.9):
        """The quantiles at both ends of a central interval, which must be among the levels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1, exclusive; (1 - coverage) / 2 and (1 + coverage) / 2 must be levels.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
        """
        coverage = check_coverage(coverage)
        wanted = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
        distance = np.abs(self.quantiles_[:, None] - wanted)
        if (distance.min(axis=0) > 1e-9).any():
            raise ValueError(
                f"coverage: got {coverage}, whose ends are the quantiles {wanted[0]:g} and {wanted[1]:g}; expected "
                f"both among the levels {self.quantiles_.tolist()}; fit with them"
            )
        return np.sort(self._raw_predict(X).T, axis=1)[:, distance.argmin(axis=0)]

    def score(self, X, y, sample_weight=None):
        """Share of the pinball loss of constant quantiles (those of y) that the model saves; 1 is best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        predicted = np.sort(self._raw_predict(X).T, axis=1)
        y = _check_y(y, estimator=self).astype(np.float64, copy=False)
        check_consistent_length(predicted, y)
        sample_weight = weights_for_fit(sample_weight, y)
        total = base = 0.0
        for level, q in zip(self.quantiles_, predicted.T, strict=True):
            constant = np.full(len(y), losses.best_constant("quantile", y, sample_weight, level))
            total += np.average(losses.value("quantile", y, q, level), weights=sample_weight)
            base += np.average(losses.value("quantile", y, constant, level), weights=sample_weight)
        return 1.0 - total / base if base > 0 else float(total == 0)

    def _encode_targets(self, y):
        self.n_trees_per_iteration_ = 1
        return y.astype(np.float64, copy=False)

    def _encode_again(self, y, subject):
        return self._encode_targets(y)

    def _decode_targets(self, y):
        return y

    def _final_weight(self, sample_weight, y):
        return sample_weight

    def _loss_spec(self, rows, continuing):
        levels = _checked_levels(self.quantiles)
        if continuing and not np.array_equal(levels, self.quantiles_):
            raise ValueError(
                f"quantiles: got {levels.tolist()}, expected {self.quantiles_.tolist()} as before: warm_start goes on "
                "with one model; fit a new one"
            )
        self.quantiles_, self._is_single = levels, np.ndim(self.quantiles) == 0
        return kernels.LossSpec("quantiles", len(levels), levels=tuple(levels.tolist()))

    def _validate_state(self):
        super()._validate_state()
        levels = self.quantiles_
        if levels.shape != self._start.shape or (self._is_single and len(levels) > 1) or not _are_levels(levels):
            raise ModelFormatError(f"{type(self).__name__}: its levels do not fit its trees; the model is damaged")


def _are_levels(levels):
    return bool(len(levels) and (np.diff(levels) > 0).all() and levels[0] > 0 and levels[-1] < 1)


def _checked_levels(quantiles):
    levels = np.atleast_1d(np.asarray(quantiles, dtype=object))
    if levels.ndim == 1 and all(isinstance(level, Real) and not isinstance(level, bool) for level in levels):
        levels = levels.astype(np.float64)
        if _are_levels(levels):
            return levels
    raise ValueError(
        f"quantiles: got {quantiles!r}, expected levels between 0 and 1, exclusive, each above the one before; e.g. "
        "[0.1, 0.5, 0.9]"
    )
