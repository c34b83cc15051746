"""Histogram-based gradient boosting, with scikit-learn's parameters and attributes."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted

from mlwright._kernels import simd
from mlwright._kernels import tree as kernels
from mlwright._runtime.errors import ModelFormatError
from mlwright.base import check_coverage
from mlwright.ensemble._boosting_categories import features_for_predict
from mlwright.ensemble._boosting_data import Rows, weights_for_fit
from mlwright.ensemble._boosting_intervals import (
    check_residuals,
    conformal_interval,
    residuals_of,
    sample_for_residuals,
)
from mlwright.ensemble._boosting_losses import LOSSES, check_domain, native_spec, spread_of
from mlwright.ensemble._hist_gradient_boosting_base import BASE_STATE, BaseHistGradientBoosting
from mlwright.io.composite import Optional, State
from mlwright.io.schema import Choice, Labels, Number, Tensor


class HistGradientBoostingRegressor(RegressorMixin, BaseHistGradientBoosting):
    """Gradient boosted regression trees on binned features.

    A drop-in for scikit-learn's class of that name. Fits and predictions have the same bits for any number of threads
    and any instruction set. Integer weights are repetitions, to the bit.

    Parameters
    ----------
    loss : str or loss object, default='squared_error'
        What is minimised: 'squared_error', 'absolute_error', 'huber', 'quantile', 'expectile', 'poisson', 'gamma' or
        'tweedie'. 'poisson', 'gamma' and 'tweedie' predict ``exp(score)``; the others the score itself. Leaves of
        'absolute_error', 'huber' and 'quantile' hold the exact best constants of their residuals, without
        `l2_regularization`. A loss of your own comes from :func:`mlwright.extend.loss`.
    quantile : float, default=None
        Level of 'quantile', from 0 to 1.
    expectile : float, default=0.5
        Level of 'expectile', the asymmetric squared error, between 0 and 1.
    power : float, default=1.5
        Power of the mean that the variance of 'tweedie' goes with, from 1 (Poisson) to 2 (gamma).
    delta : float, default=None
        Residual beyond which 'huber' is linear. None: the 0.9-quantile of the targets' distances from their median.
    learning_rate : float, default=0.1
        Factor of every leaf's value.
    max_iter : int, default=100
        Most iterations, that is trees.
    max_leaf_nodes : int or None, default=31
    max_depth : int or None, default=None
    min_samples_leaf : int, default=20
        Fewest rows (repetitions, if weights are integers) of a leaf.
    l2_regularization : float, default=0
        Penalty on leaf values.
    max_features : float, default=1.0
        Share of the features that each node looks at.
    max_bins : int, default=255
        Most bins a feature; missing values have one more.
    categorical_features : array-like of {bool, int, str} or None or 'from_dtype', default='from_dtype'
        Which features are categories: a mask, indices, names, none, or those columns of a data frame that hold text,
        categories or enumerations. Levels are text or numbers, as many as there are; the model keeps them and codes
        new tables by them, whatever library they come from. An unknown level counts as missing.

        Up to 255 levels, a split sends any set of levels left, in the order of their smoothed gradients; how levels
        are called or ordered makes no difference. More levels are ordered once, by how far they move the target,
        shrunk towards the mean and cross-fitted: a row sees an estimate made without its own fifth of the rows,
        drawn by ``random_state``. For such features, and only for them, integer weights are not exactly repetitions:
        repeated rows are drawn apart.
    monotonic_cst : array-like of int or dict, default=None
        -1, 0 or 1 a feature: decreasing, free, increasing.
    interaction_cst : {'pairwise', 'no_interactions'} or sequence of lists of int, default=None
        Groups of features that may meet in one branch.
    warm_start : bool, default=False
        Whether `fit` adds trees to those of the former call.
    early_stopping : 'auto' or bool, default='auto'
        'auto' is True for more than 10,000 rows.
    scoring : str, callable or None, default='loss'
        What early stopping looks at.
    validation_fraction : int, float or None, default=0.1
        Share (or number) of rows held out for early stopping; None looks at the training rows.
    n_iter_no_change : int, default=10
    tol : float, default=1e-7
    verbose : int, default=0
    random_state : int, RandomState instance or None, default=None
        Of the validation split, the rows that bins are found from, ``max_features``, and all samples below.
    max_leaves : int, default=None
        Another name of ``max_leaf_nodes``; giving both is an error unless they agree or ``max_leaf_nodes`` is 31.
    min_child_weight : float, default=1e-3
        Least sum of Hessians of a leaf, for a mean weight of 1.
    l1_regularization : float, default=0
        Penalty on the absolute values of leaves: their sums of gradients move towards 0 by it, and to 0 at most.
    colsample_bytree : float, default=1.0
        Share of the features that each tree may use; ``max_features`` is the share of those that each node looks at.
    extra_trees : bool, default=False
        Whether each node looks at one cut a feature, drawn from those between its lowest and its highest value.
    subsample : float, default=1.0
        Share of the rows that each tree is grown on, drawn without replacement. Counts and ``min_samples_leaf`` are of
        the rows drawn.
    subsample_freq : int, default=1
        How many iterations share a sample.
    sampling : {'uniform', 'goss'}, default='uniform'
        'goss' grows each tree on the rows of the largest gradients, and some of the others with larger weights [2]_.
    top_rate, other_rate : float, default=0.2, 0.1
        Of 'goss': share of all rows taken for their gradients, and share of all rows drawn from the others.

    Attributes
    ----------
    n_iter_ : int
    do_early_stopping_ : bool
    feature_importances_ : ndarray of shape (n_features,)
        Gain of each feature's splits, as shares of all.
    n_trees_per_iteration_ : int
    feature_importances_ : ndarray of shape (n_features,)
        Gain of each feature's splits, as shares of all.
        1.
    train_score_, validation_score_ : ndarray of shape (n_iter_ + 1,) or (0,)
        Scores before each iteration and after the last, if early stopping was on.
    is_categorical_ : None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    Above 200,000 rows, bins come from one random row of each of 200,000 equal strata, if there are no weights.

    References
    ----------
    .. [1] J. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29 (2001).
    .. [2] G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingRegressor
    >>> X = np.arange(200.0).reshape(-1, 1)
    >>> y = np.where(X[:, 0] < 100, 1.0, 3.0)
    >>> model = HistGradientBoostingRegressor(max_iter=100).fit(X, y)
    >>> model.predict([[10.0], [150.0]]).round(3)
    array([1., 3.])
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseHistGradientBoosting._parameter_constraints,
        "loss": [str, HasMethods(["compile"])],
        "quantile": [Interval(Real, 0, 1, closed="both"), None],
        "expectile": [Interval(Real, 0, 1, closed="neither")],
        "power": [Interval(Real, 1, 2, closed="both")],
        "delta": [Interval(Real, 0, None, closed="neither"), None],
    }
    _model_state = State(
        _link=Choice("identity", "log", "logit"),
        _loss_parameter=Optional(Number()),
        _spread=Number(0, 1),
        _residuals=Optional(Tensor("f8", "2 r")),
        **BASE_STATE,
    )
    _is_classifier = False

    def __init__(
        self,
        loss="squared_error",
        *,
        quantile=None,
        expectile=0.5,
        power=1.5,
        delta=None,
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
        self.loss = loss
        self.quantile = quantile
        self.expectile = expectile
        self.power = power
        self.delta = delta
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.max_leaves = max_leaves
        self.min_child_weight = min_child_weight
        self.l1_regularization = l1_regularization
        self.colsample_bytree = colsample_bytree
        self.extra_trees = extra_trees
        self.subsample = subsample
        self.subsample_freq = subsample_freq
        self.sampling = sampling
        self.top_rate = top_rate
        self.other_rate = other_rate

    def predict(self, X):
        """Predicted targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._mean_of(self._raw_predict(X)[0])

    def predict_interval(self, X, coverage=0.9):
        """Intervals that new targets lie in with the given probability, by split conformal prediction.

        Held-out rows are those of early stopping (``validation_fraction``, or X_val of `fit`), or those of
        `calibrate_interval`; at most 10,000 of them are used. If they and the new rows are exchangeable, the share of
        new targets inside is at least `coverage`, on average; for a particular row nothing is promised. Stopping early
        on the same rows favours them a little. Residuals of 'poisson', 'gamma' and 'tweedie' are compared in units of
        the standard deviation that goes with the prediction. Integer weights count as repetitions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1, exclusive.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
            Lower and upper ends.

        Raises
        ------
        ValueError
            If no rows were held out, or too few for the coverage.
        """
        coverage = check_coverage(coverage)
        interval = conformal_interval(self.predict(X), self._spread, self._residuals, coverage)
        return np.maximum(interval, 0.0) if self._link == "log" else interval

    def calibrate_interval(self, X, y, sample_weight=None):
        """Take the residuals that `predict_interval` reads from these rows, which the model was not fitted on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        check_is_fitted(self)
        X = features_for_predict(self, X)
        y = self._encode_again(_check_y(y, estimator=self), "y")
        check_consistent_length(X, y)
        self._residuals = self._residuals_on(Rows(X, y, weights_for_fit(sample_weight, X)))
        return self

    def _keep(self, fit):
        super()._keep(fit)
        self._residuals = None if fit.validation is None else self._residuals_on(fit.validation)

    def _residuals_on(self, rows):
        rows = sample_for_residuals(rows, self._seed)
        predictions = self._mean_of(self._forest().predict_raw(rows.X)[0])
        return residuals_of(rows.y, predictions, self._spread, rows.weight)

    def _validate_state(self):
        super()._validate_state()
        check_residuals(type(self).__name__, self._residuals)

    def staged_predict(self, X):
        """Predicted targets after each iteration, one array at a time."""
        for raw in self._staged_raw_predict(X):
            yield self._mean_of(raw[0].copy())

    def _encode_targets(self, y):
        self.n_trees_per_iteration_ = 1
        y = y.astype(np.float64, copy=False)
        if isinstance(self.loss, str):
            check_domain(self.loss, y)
        return y

    def _encode_again(self, y, subject):
        return self._encode_targets(y)

    def _decode_targets(self, y):
        return y

    def _final_weight(self, sample_weight, y):
        return sample_weight

    def _loss_spec(self, rows, continuing):
        # "user:..." comes from a model file: it predicts, but has no code to fit by.
        if isinstance(self.loss, str):
            spec = native_spec(self, rows, self._loss_parameter if continuing else None)
        else:
            spec = self.loss.compile()
            if not isinstance(spec, kernels.LossSpec):
                spec = kernels.LossSpec("user", 1, spec.address, spec.start, spec.link)
        self._link, self._loss_parameter = spec.link, spec.parameter
        self._spread = spread_of(self)
        return spec

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss in LOSSES and LOSSES[self.loss].link == "log"
        return tags

    def _mean_of(self, raw):
        """Predictions from scores; needs no loss object, only the name of its link."""
        if self._link == "identity":
            return raw
        return simd.exp(raw) if self._link == "log" else simd.expit(raw)

    def _params_for_file(self):
        """A model file holds no code: of a loss of the user's it says the name, which predicts but does not fit."""
        parameters = self.get_params(deep=False)
        if not isinstance(self.loss, str):
            parameters["loss"] = f"user:{self.loss.name}"
        return parameters


class HistGradientBoostingClassifier(ClassifierMixin, BaseHistGradientBoosting):
    """Gradient boosted classification trees on binned features.

    A drop-in for scikit-learn's class of that name: one tree an iteration for two classes, else one a class. Fits and
    predictions have the same bits for any number of threads and any instruction set. Integer weights are repetitions,
    to the bit.

    Parameters
    ----------
    loss : {'log_loss', 'one_vs_rest'}, default='log_loss'
        Log loss of the classes together (softmax), or of each class against all others; the same for two classes.
    learning_rate, max_iter, max_leaf_nodes, max_depth, min_samples_leaf, l2_regularization, max_features, max_bins,
    categorical_features, monotonic_cst, interaction_cst, warm_start, early_stopping, scoring, validation_fraction,
    n_iter_no_change, tol, verbose, random_state, max_leaves, min_child_weight, l1_regularization, colsample_bytree,
    extra_trees, subsample, subsample_freq, sampling, top_rate, other_rate
        As of :class:`HistGradientBoostingRegressor`.
    class_weight : dict or 'balanced', default=None
        Multiplies into the weights of a class's rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_trees_per_iteration_ : int
        1 for two classes, else their number.
    n_iter_, do_early_stopping_, train_score_, validation_score_, is_categorical_, n_features_in_, feature_names_in_
        As of :class:`HistGradientBoostingRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingClassifier
    >>> X = np.arange(200.0).reshape(-1, 1)
    >>> y = np.where(X[:, 0] < 100, "low", "high")
    >>> model = HistGradientBoostingClassifier(max_iter=20).fit(X, y)
    >>> model.predict([[10.0], [150.0]])
    array(['low', 'high'], dtype='<U4')
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseHistGradientBoosting._parameter_constraints,
        "loss": [StrOptions({"log_loss", "one_vs_rest"})],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _model_state = State(classes_=Labels("c"), **BASE_STATE)
    _is_classifier = True

    def __init__(
        self,
        loss="log_loss",
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
        class_weight=None,
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
        self.loss = loss
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.class_weight = class_weight
        self.max_leaves = max_leaves
        self.min_child_weight = min_child_weight
        self.l1_regularization = l1_regularization
        self.colsample_bytree = colsample_bytree
        self.extra_trees = extra_trees
        self.subsample = subsample
        self.subsample_freq = subsample_freq
        self.sampling = sampling
        self.top_rate = top_rate
        self.other_rate = other_rate

    def predict(self, X):
        """The likeliest class of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._class_of(self._raw_predict(X))

    def predict_proba(self, X):
        """Probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        return self._probabilities_of(self._raw_predict(X))

    def decision_function(self, X):
        """Scores: log odds of the second of two classes, else one score a class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return _as_decision(self._raw_predict(X))

    def staged_predict(self, X):
        """Predicted classes after each iteration, one array at a time."""
        for raw in self._staged_raw_predict(X):
            yield self._class_of(raw)

    def staged_predict_proba(self, X):
        """Probabilities after each iteration, one array at a time."""
        for raw in self._staged_raw_predict(X):
            yield self._probabilities_of(raw)

    def staged_decision_function(self, X):
        """Scores after each iteration, one array at a time."""
        for raw in self._staged_raw_predict(X):
            yield _as_decision(raw.copy())

    def _probabilities_of(self, raw):
        if self.loss == "log_loss" or len(raw) == 1:
            return kernels.probabilities(raw)
        # Of each class against the rest, to a sum of 1; scores so low that all are zero leave the ranking by score.
        each = simd.expit(raw)
        total = each.sum(axis=0)
        return np.where(total > 0, each / np.where(total > 0, total, 1.0), kernels.probabilities(raw).T).T

    def _class_of(self, raw):
        index = (raw[0] > 0).astype(np.intp) if len(raw) == 1 else raw.argmax(axis=0)
        return self.classes_[index]

    def _encode_targets(self, y):
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        n_classes = len(self.classes_)
        self.n_trees_per_iteration_ = 1 if n_classes <= 2 else n_classes
        return codes.astype(np.float64)

    def _encode_as(self, y, classes):
        """Codes of y among classes that are known beforehand."""
        self._encode_targets(np.asarray(classes))
        return self._encode_again(y, "y")

    def _encode_again(self, y, subject):
        unseen = np.setdiff1d(y, self.classes_)
        if unseen.size:
            raise ValueError(
                f"{subject}: got classes that the model does not have: {unseen[:5]}; expected some of "
                f"{self.classes_[:5]}"
            )
        return np.searchsorted(self.classes_, y).astype(np.float64)

    def _decode_targets(self, y):
        return self.classes_[y.astype(np.intp)]

    def _final_weight(self, sample_weight, y):
        if self.class_weight is None:
            return sample_weight
        labels = self._decode_targets(y)
        weight = compute_class_weight(self.class_weight, classes=self.classes_, y=labels, sample_weight=sample_weight)
        of_rows = weight[y.astype(np.intp)]
        return of_rows if sample_weight is None else sample_weight * of_rows

    def _loss_spec(self, rows, continuing):
        return kernels.LossSpec(self.loss, self.n_trees_per_iteration_)

    def _validate_state(self):
        super()._validate_state()
        n_classes = len(self.classes_)
        if self.n_trees_per_iteration_ != (1 if n_classes <= 2 else n_classes):
            raise ModelFormatError(
                f"{type(self).__name__}: got {n_classes} classes for {self.n_trees_per_iteration_} trees an iteration; "
                "the model is damaged"
            )


def _as_decision(raw):
    return raw[0] if len(raw) == 1 else raw.T
