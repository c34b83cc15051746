"""Linear regression by stochastic gradient descent."""

from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import StrOptions

from mlwright._kernels.linalg import affine_map, as_design
from mlwright._runtime.errors import ModelFormatError
from mlwright.base import check_coverage, fit_context
from mlwright.io.composite import Maybe, Optional, Record, State
from mlwright.io.schema import Number, Size, Strings, Tensor
from mlwright.linear_model._base import linear_predict
from mlwright.linear_model._residual_law import N_LEVELS, between_levels, require_rising, residual_levels
from mlwright.linear_model._sgd.base import REGRESSION_LOSSES, BaseSGD
from mlwright.linear_model._sgd.residuals import latest, most_coverage
from mlwright.linear_model._sparse_coef import dense_coef


class SGDRegressor(RegressorMixin, BaseSGD):
    """Linear regression by stochastic gradient descent.

    Parameters
    ----------
    loss : str, default="squared_error"
        ``"squared_error"``, ``"huber"``, ``"epsilon_insensitive"`` or ``"squared_epsilon_insensitive"``.
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
        Where the loss changes its shape; for ``"squared_error"`` without meaning.
    random_state : int, RandomState instance, default=None
    learning_rate : {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}, default="invscaling"
        Step of visit t: `eta0`; ``1 / (alpha (t0 + t))``; ``eta0 / t^power_t``; `eta0`, divided by 5 whenever nothing
        gets better; and the passive-aggressive steps with `eta0` as their aggressiveness.
    eta0 : float, default=0.01
    power_t : float, default=0.25
    early_stopping : bool, default=False
        Whether to hold out rows, and to stop by the score on them.
    validation_fraction : float, default=0.1
    n_iter_no_change : int, default=5
    warm_start : bool, default=False
    average : bool or int, default=False
        Whether ``coef_`` is the average over all visits, or over those from that number on.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : ndarray of shape (1,)
    n_iter_ : int
        Epochs.
    t_ : float
        Number of visits so far, plus one.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    Weights count as repetitions, and dense and sparse rows are treated alike: see the notes of ``SGDClassifier``.

    References
    ----------
    Bottou (2012), Stochastic gradient descent tricks. Neural Networks: Tricks of the Trade.
    Blum, Kalai and Langford (1999), Beating the hold-out: bounds for k-fold and progressive cross-validation. COLT.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import SGDRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = X @ [1.0, -2.0] + 0.1 * rng.normal(size=1000)
    >>> model = SGDRegressor(random_state=0).fit(X, y)
    >>> model.coef_.round(1)
    array([ 1., -2.])
    >>> model.partial_fit(X[:10], y[:10]).predict_interval(X[:3]).shape
    (3, 2)
    """

    _classifies = False
    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        coef_=Tensor("f4 f8", "p"),
        intercept_=Tensor("f4 f8", "1"),
        n_iter_=Number(0, integer=True),
        t_=Number(1.0),
        _plain=Optional(Record(coef=Tensor("f8", "1 p"), intercept=Tensor("f8", "1"))),
        _residual_levels=Optional(Tensor("f8", str(N_LEVELS))),
        _latest=Maybe(Optional(Record(residual=Tensor("f8", "m"), weight=Tensor("f8", "m")))),
    )
    _parameter_constraints: ClassVar[dict] = {
        **BaseSGD._parameter_constraints,
        "loss": [StrOptions(REGRESSION_LOSSES)],
    }

    def __init__(
        self,
        loss="squared_error",
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
        random_state=None,
        learning_rate="invscaling",
        eta0=0.01,
        power_t=0.25,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
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
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average

    @fit_context
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        coef_init : ndarray of shape (n_features,), default=None
            Where to start.
        intercept_init : ndarray of shape (1,), default=None
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
        X, y, w = self._rows(X, y, sample_weight, reset=True, y_numeric=True)
        y = np.asarray(y, dtype=np.float64)
        state = self._start((1, X.shape[1]), coef_init, intercept_init)
        chosen = held = None
        if self.early_stopping:
            from sklearn.model_selection import ShuffleSplit

            chosen, held = self._held_out(ShuffleSplit, y, w)
        return self._learn(X, y, w, state, self.max_iter, chosen, held)

    @fit_context
    def partial_fit(self, X, y, sample_weight=None):
        """One epoch over these rows, going on from what has been learnt.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        self._check_settings(for_partial_fit=True)
        first = not hasattr(self, "coef_")
        X, y, w = self._rows(X, y, sample_weight, reset=first, y_numeric=True)
        y = np.asarray(y, dtype=np.float64)
        if first:
            return self._learn(X, y, w, self._start((1, X.shape[1]), None, None), None)
        new, share = _counted(y - self._at(X), w)  # of rows that the model has not seen
        seen, levels = getattr(self, "_latest", None), self._residual_levels
        self._learn(X, y, w, self._resume(), None)
        self._latest, self._residual_levels = seen, levels
        if len(new):
            self._latest = latest(seen, levels, new, share)
            self._residual_levels = residual_levels(self._latest["residual"], self._latest["weight"])
        return self

    def _learn(self, X, y, w, state, max_iter, chosen=None, held=None):
        validate = None
        if held is not None:
            from sklearn.metrics import r2_score

            rows, share = X[held], None if w is None else w[held]

            def validate(_, coef, intercept):
                return r2_score(y[held], rows @ coef + intercept, sample_weight=share)

        coef, intercept = self._descend(X, y[None, :], y, w, np.ones((1, 2)), state, max_iter, chosen, validate)
        dtype = np.float32 if X.dtype == np.float32 else np.float64
        self.coef_, self.intercept_ = coef[0].astype(dtype), intercept.astype(dtype)
        self._latest, self._residual_levels = None, self._levels_of(X, y, w, held)
        return self

    def _at(self, X):
        """Predictions at checked rows."""
        coef = dense_coef(self).astype(np.float64)
        return affine_map(as_design(X), coef[None, :], self.intercept_.astype(np.float64))[:, 0]

    def _levels_of(self, X, y, w, held):
        """Of the rows held out, or else of all, widened for the coefficients; None where those fit any row."""
        if held is not None:
            share = None if w is None else w[held]
            return residual_levels(*_counted(y[held] - self._at(X[held]), share))
        total, q = float(len(y)) if w is None else float(w.sum()), X.shape[1] + bool(self.fit_intercept)
        if total <= q:
            return None
        residuals, w = _counted(y - self._at(X), w)
        return residual_levels(residuals, w, total, q)

    def predict(self, X):
        """Predict with the linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return linear_predict(self, X)

    def predict_interval(self, X, coverage=0.9):
        """Central interval for new observations, from residuals.

        Those of the rows held out with ``early_stopping=True``; after ``partial_fit`` those of the latest rows, a
        thousand of them, before the model learnt from them; or else of the training rows, widened for the number of
        coefficients. They are taken to be alike at every x.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)

        Raises
        ------
        ValueError
            If the model saw no more rows than it has coefficients, all of them in training: such residuals say nothing;
            or if ``partial_fit`` has seen too few for the coverage.
        """
        coverage = check_coverage(coverage)
        mean = self.predict(X)
        if self._residual_levels is None:
            raise ValueError(
                f"predict_interval: the model has {self.coef_.size} coefficients and was fitted on no more rows, whose "
                "residuals say little of new ones; expected rows held out; fit with early_stopping=True, or go on by "
                "partial_fit."
            )
        most = 1.0 if getattr(self, "_latest", None) is None else most_coverage(self._latest)
        if coverage > most:
            raise ValueError(
                f"predict_interval: coverage={coverage:g}, but the {len(self._latest['weight'])} rows that came after "
                f"the first partial_fit cover {most:.2g} at most; expected more rows, or a smaller coverage."
            )
        return mean[:, None] + between_levels(self._residual_levels, coverage)

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        require_rising(self, self._residual_levels)
        kept = getattr(self, "_latest", None)
        if kept is not None and not (len(kept["weight"]) and (kept["weight"] > 0.0).all()):
            raise ModelFormatError("SGDRegressor: weights of its residuals are not positive; the file is damaged.")


def _counted(residuals, w):
    """Residuals of positive weight, and the weights."""
    residuals = np.asarray(residuals, dtype=np.float64)
    return (residuals, None) if w is None else (residuals[w > 0.0], w[w > 0.0])
