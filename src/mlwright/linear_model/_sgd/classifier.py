"""Linear classification by stochastic gradient descent."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
from sklearn.utils.validation import check_is_fitted

from mlwright._runtime.errors import ModelFormatError
from mlwright._validation import class_codes
from mlwright.base import as_fitted, fit_context
from mlwright.io.composite import Maybe, Optional, Record, State
from mlwright.io.schema import Labels, Number, Size, Strings, Tensor
from mlwright.linear_model._base import linear_predict
from mlwright.linear_model._sgd.base import REGRESSION_LOSSES, BaseSGD
from mlwright.linear_model._sparse_coef import dense_coef


def _has_probabilities(model):
    loss = as_fitted(model, "loss")
    if loss not in ("log_loss", "modified_huber"):
        raise AttributeError(f"probability estimates are not available for loss={loss!r}")
    return True


class SGDClassifier(ClassifierMixin, BaseSGD):
    """Linear classifiers (SVM, logistic regression, perceptron and others) by stochastic gradient descent.

    Parameters
    ----------
    loss : str, default="hinge"
        ``"hinge"``, ``"log_loss"``, ``"modified_huber"``, ``"squared_hinge"``, ``"perceptron"``, or one of the losses
        of ``SGDRegressor`` on targets -1 and 1.
    penalty : {"l2", "l1", "elasticnet"} or None, default="l2"
    alpha : float, default=0.0001
        Strength of the penalty; ``learning_rate="optimal"`` takes its steps from it.
    l1_ratio : float, default=0.15
        Share of L1 in the elastic net.
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Most epochs of ``fit``.
    tol : float or None, default=1e-3
        Epochs end when the objective has not fallen by `tol` for `n_iter_no_change` epochs; None goes on to `max_iter`.
    shuffle : bool, default=True
        Whether to visit the rows in a new order each epoch.
    verbose : int, default=0
    epsilon : float, default=0.1
        Of the losses ``"huber"``, ``"epsilon_insensitive"`` and ``"squared_epsilon_insensitive"``.
    n_jobs : int, default=None
        Threads for the problems of several classes; None leaves it to the process. The result does not depend on it.
    random_state : int, RandomState instance, default=None
    learning_rate : {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}, default="optimal"
        Step of visit t: `eta0`; ``1 / (alpha (t0 + t))``; ``eta0 / t^power_t``; `eta0`, divided by 5 whenever nothing
        gets better; and the passive-aggressive steps with `eta0` as their aggressiveness.
    eta0 : float, default=0.01
    power_t : float, default=0.5
    early_stopping : bool, default=False
        Whether to hold out rows, and to stop by the score on them.
    validation_fraction : float, default=0.1
    n_iter_no_change : int, default=5
    class_weight : dict, "balanced" or None, default=None
    warm_start : bool, default=False
    average : bool or int, default=False
        Whether ``coef_`` is the average over all visits, or over those from that number on.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int
        Epochs; of several classes the most.
    t_ : float
        Number of visits so far, plus one.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    A row of weight k is visited k times in an epoch, so a weight is exactly a repetition; a weight below one, or what
    is left of one beyond a whole number, is a visit with a smaller step, as in scikit-learn. Where weights average more
    than 16, a visit stands for a power of two of repetitions. ``t_`` counts visits. The order of the visits depends on
    the content of the rows and on `random_state`, not on where the rows stand.

    Dense and sparse rows are treated alike, up to rounding: scikit-learn's smaller intercept steps for sparse data are
    not taken over.

    References
    ----------
    Bottou (2012), Stochastic gradient descent tricks. Neural Networks: Tricks of the Trade.
    Zadrozny and Elkan (2002), Transforming classifier scores into multiclass probability estimates. KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import SGDClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = np.where(X[:, 0] > X[:, 1], "right", "left")
    >>> model = SGDClassifier(loss="log_loss", random_state=0).fit(X, y)
    >>> model.predict([[2.0, -2.0]]), model.predict_proba([[2.0, -2.0]]).shape
    (array(['right'], dtype='<U5'), (1, 2))
    """

    _classifies = True
    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        coef_=Tensor("f4 f8", "k p"),
        intercept_=Tensor("f4 f8", "k"),
        classes_=Labels("c"),
        n_iter_=Number(0, integer=True),
        t_=Number(1.0),
        _plain=Optional(Record(coef=Tensor("f8", "k p"), intercept=Tensor("f8", "k"))),
    )
    _read_later = ("loss",)
    _parameter_constraints: ClassVar[dict] = {
        **BaseSGD._parameter_constraints,
        "loss": [
            StrOptions(REGRESSION_LOSSES | {"hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"})
        ],
        "n_jobs": [Integral, None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(
        self,
        loss="hinge",
        *,
        penalty="l2",
        alpha=0.0001,
        l1_ratio=0.15,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-3,
        shuffle=True,
        verbose=0,
        epsilon=0.1,
        n_jobs=None,
        random_state=None,
        learning_rate="optimal",
        eta0=0.01,
        power_t=0.5,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        class_weight=None,
        warm_start=False,
        average=False,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average

    @fit_context
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        coef_init : ndarray of shape (n_classes, n_features), default=None
            Where to start; for two classes one row, or none around it.
        intercept_init : ndarray of shape (n_classes,), default=None
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If coefficients overflow, besides scikit-learn's errors.
        """
        self._check_settings(for_partial_fit=False)
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = dense_coef(self) if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        X, y, w = self._rows(X, y, sample_weight, reset=True)
        self.classes_, codes = class_codes(y)
        if len(self.classes_) < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {len(self.classes_)} class")
        state = self._start(self._shape(X), coef_init, intercept_init)
        chosen = held = None
        if self.early_stopping:
            from sklearn.model_selection import StratifiedShuffleSplit

            chosen, held = self._held_out(StratifiedShuffleSplit, codes, w)
        return self._learn(X, codes, y, w, state, self.max_iter, chosen, held)

    @fit_context
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """One epoch over these rows, going on from what has been learnt.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), default=None
            All classes that there will be; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        self._check_settings(for_partial_fit=True)
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, use "
                "compute_class_weight('balanced', classes=classes, y=y) on a sample of the data and pass the result as "
                "the class_weight parameter."
            )
        first = not hasattr(self, "classes_")
        X, y, w = self._rows(X, y, sample_weight, reset=first)
        check_classification_targets(y)
        _check_partial_fit_first_call(self, classes)
        if len(self.classes_) < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {len(self.classes_)} class")
        codes = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        strange = self.classes_[codes] != y
        if strange.any():
            raise ValueError(
                f"partial_fit: y has the label {y[strange][0]}, which is none of the classes of the first call; name "
                "all classes there."
            )
        state = self._start(self._shape(X), None, None) if first else self._resume()
        return self._learn(X, codes, y, w, state, None)

    def _shape(self, X):
        return (1 if len(self.classes_) == 2 else len(self.classes_)), X.shape[1]

    def _learn(self, X, codes, y, w, state, max_iter, chosen=None, held=None):
        k = len(state.coef)
        positive = np.array([1]) if k == 1 else np.arange(k)
        targets = np.where(codes == positive[:, None], 1.0, -1.0)
        weights = self._weights_of_classes(y, w)
        balance = weights[[[1, 0]]] if k == 1 else np.column_stack([weights, np.ones(k)])
        validate = None
        if held is not None:
            rows, share = X[held], None if w is None else w[held]

            def validate(number, coef, intercept):
                right = ((rows @ coef + intercept) > 0.0) == (targets[number][held] > 0.0)
                return np.average(right, weights=share)

        coef, intercept = self._descend(
            X, targets, codes.astype(np.float64), w, balance, state, max_iter, chosen, validate
        )
        dtype = np.float32 if X.dtype == np.float32 else np.float64
        self.coef_, self.intercept_ = coef.astype(dtype), intercept.astype(dtype)
        return self

    def _weights_of_classes(self, y, w):
        if self.class_weight is None:
            return np.ones(len(self.classes_))
        balanced = self.class_weight == "balanced"
        return compute_class_weight(
            self.class_weight,
            classes=self.classes_,
            y=y if balanced else self.classes_,  # which is looked at for strange labels: there are none
            sample_weight=w if balanced else None,
        )

    def decision_function(self, X):
        """Scores of the classes: distances from the separating planes, up to the length of ``coef_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        check_is_fitted(self)
        scores = linear_predict(self, X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X):
        """The class of the highest score.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X)
        return self.classes_[(scores > 0.0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    @available_if(_has_probabilities)
    def predict_proba(self, X):
        """Probabilities of the classes, for ``loss="log_loss"`` and ``"modified_huber"``.

        Of several classes those of each against the rest, divided by their sum.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        scores = self.decision_function(X)
        p = special.expit(scores) if as_fitted(self, "loss") == "log_loss" else (np.clip(scores, -1.0, 1.0) + 1.0) / 2.0
        if p.ndim == 1:
            return np.column_stack([1.0 - p, p])
        p[p.sum(axis=1) == 0.0] = 1.0
        return p / p.sum(axis=1, keepdims=True)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X):
        """Logarithms of the probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        c = len(self.classes_)
        if c < 2 or len(self.coef_) != (1 if c == 2 else c):
            raise ModelFormatError(
                f"SGDClassifier: {len(self.coef_)} rows of coefficients for {c} classes; the file is damaged or not "
                "written by mlwright."
            )
