"""Gradient boosted trees of classes, with scikit-learn's parameters and attributes."""

from typing import ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_class_weight

from mlwright._kernels import simd
from mlwright._kernels import tree as kernels
from mlwright._runtime.errors import ModelFormatError
from mlwright._validation import class_codes
from mlwright.ensemble._boosting.base import BASE_STATE, BaseHistGradientBoosting
from mlwright.ensemble._boosting.parameters import ALL, set_parameters
from mlwright.ensemble._boosting.rows import as_codes
from mlwright.ensemble._boosting.sets import ConformalSetMixin
from mlwright.io.composite import Maybe, Optional, State
from mlwright.io.schema import Choice, Labels, Tensor


class HistGradientBoostingClassifier(ClassifierMixin, ConformalSetMixin, BaseHistGradientBoosting):
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
        **ALL,
        "loss": [StrOptions({"log_loss", "one_vs_rest"})],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _model_state = State(
        classes_=Labels("c"),
        _fitted_loss=Maybe(Choice("log_loss", "one_vs_rest")),  # absent in files of earlier builds
        _residuals=Optional(Tensor("f8", "2 r")),
        **BASE_STATE,
    )
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
        set_parameters(self, locals())

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
        if self._loss_fitted == "log_loss" or len(raw) == 1:
            return kernels.probabilities(raw)
        # Of each class against the rest, to a sum of 1; scores so low that all are zero leave the ranking by score.
        each = simd.expit(raw)
        total = each.sum(axis=0)
        return np.where(total > 0, each / np.where(total > 0, total, 1.0), kernels.probabilities(raw).T).T

    def _class_of(self, raw):
        index = (raw[0] > 0).astype(np.intp) if len(raw) == 1 else raw.argmax(axis=0)
        return self.classes_[np.minimum(index, len(self.classes_) - 1)]

    def _encode_targets(self, y):
        try:
            self.classes_, codes = class_codes(y)
        except TypeError:  # they cannot be sorted
            kinds = ", ".join(sorted({type(label).__name__ for label in y}))
            raise TypeError(
                f"y: got labels of the types {kinds}, expected labels of one kind; convert them, or drop such rows"
            ) from None
        n_classes = len(self.classes_)
        self.n_trees_per_iteration_ = 1 if n_classes <= 2 else n_classes
        return as_codes(codes, n_classes)

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
        return as_codes(np.searchsorted(self.classes_, y), len(self.classes_))

    def _decode_targets(self, y):
        return self.classes_[y.astype(np.intp)]

    def _final_weight(self, sample_weight, y):
        if self.class_weight is None:
            return sample_weight
        labels = self._decode_targets(y)
        with np.errstate(divide="ignore"):
            weight = compute_class_weight(
                self.class_weight, classes=self.classes_, y=labels, sample_weight=sample_weight
            )
        if isinstance(self.class_weight, str):
            weight = np.where(np.isinf(weight), 0.0, weight)  # of a class whose rows weigh nothing
        if not (np.isfinite(weight).all() and (weight >= 0).all()):
            raise ValueError(
                f"class_weight: got {self.class_weight!r:.100}, expected finite numbers that are not negative"
            )
        of_rows = weight[y.astype(np.intp)]
        return of_rows if sample_weight is None else sample_weight * of_rows

    @property
    def _loss_fitted(self):
        return getattr(self, "_fitted_loss", self.loss)

    def _loss_spec(self, rows, continuing):
        if continuing and self.loss != self._loss_fitted and self.n_trees_per_iteration_ > 1:
            raise ValueError(
                f"loss: got {self.loss!r}, expected {self._loss_fitted!r} as before: the trees that stand add up to "
                "scores of that loss; fit a new model"
            )
        self._fitted_loss = self.loss
        return kernels.LossSpec(self.loss, self.n_trees_per_iteration_)

    def _validate_state(self):
        super()._validate_state()
        n_classes = len(self.classes_)
        if n_classes == 0 or self.n_trees_per_iteration_ != (1 if n_classes <= 2 else n_classes):
            raise ModelFormatError(
                f"{type(self).__name__}: got {n_classes} classes for {self.n_trees_per_iteration_} trees an iteration; "
                "the model is damaged"
            )


def _as_decision(raw):
    return raw[0] if len(raw) == 1 else raw.T
