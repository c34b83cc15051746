"""Gradient boosted trees of numbers, with scikit-learn's parameters and attributes."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import HasMethods, Interval

from mlwright._kernels import simd
from mlwright.ensemble._boosting.base import BASE_STATE, BaseHistGradientBoosting
from mlwright.ensemble._boosting.intervals import ConformalIntervalMixin
from mlwright.ensemble._boosting.losses import LOSSES, check_domain, native_spec, spread_of, user_spec
from mlwright.ensemble._boosting.parameters import ALL, set_parameters
from mlwright.io.composite import Optional, State
from mlwright.io.schema import Choice, Number, Tensor


class HistGradientBoostingRegressor(RegressorMixin, ConformalIntervalMixin, BaseHistGradientBoosting):
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
        1.
    train_score_, validation_score_ : ndarray of shape (n_iter_ + 1,) or (0,)
        Scores before each iteration and after the last, if early stopping was on.
    is_categorical_ : ndarray of bool of shape (n_features,) or None
        Which features are categories; None if none is.
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
        **ALL,
        "loss": [str, HasMethods(["compile", "start_of", "first_outside"])],
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
        set_parameters(self, locals())

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

    def staged_predict(self, X):
        """Predicted targets after each iteration, one array at a time."""
        for raw in self._staged_raw_predict(X):
            yield self._mean_of(raw[0].copy())

    def _encode_targets(self, y):
        self.n_trees_per_iteration_ = 1
        y = y.astype(np.float64, copy=False)
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
            spec = user_spec(self.loss, rows, continuing)
        if continuing and spec.link != self._link:
            raise ValueError(
                f"loss: got one of link {spec.link!r}, expected one of link {self._link!r} as before: the trees that "
                "stand add up on that scale; fit a new model"
            )
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
