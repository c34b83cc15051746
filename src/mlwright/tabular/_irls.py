"""Logistic regression from any weighted least-squares regressor."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone, is_regressor
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from mlwright._runtime.errors import ModelFormatError
from mlwright._validation import rows_that_weigh
from mlwright.io.composite import ListOf, Maybe, Nested, State
from mlwright.io.schema import Labels, Number, Size, Strings
from mlwright.tabular._models import Ridge, expit, softplus

# Working weights p(1 - p) below this say nothing about the fit, but would blow up the working response.
_SMALLEST_WEIGHT = 1e-6


class IRLSClassifier(ClassifierMixin, BaseEstimator):
    """Classify by iteratively reweighted least squares over a regressor.

    Newton's method for the logistic likelihood is a sequence of weighted least-squares fits to the working response
    ``eta + (y - p) / (p (1 - p))`` with weights ``p (1 - p)``. Each fit is done by a clone of `regressor`, whose
    penalty or prior thereby becomes that of the logistic model: ``Ridge(alpha)`` gives the maximum of
    ``loglik - alpha/2 |coef|^2``. ``BayesianRidge`` chooses the strength of the prior by the evidence of the working
    response in every step (penalised quasi-likelihood); as it also knows the variance of ``eta``, probabilities are
    moderated towards one half where the posterior is wide. More than two classes are fitted one against the rest and
    the probabilities normalised.

    Parameters
    ----------
    regressor : regressor or None, default=None
        Must take ``sample_weight``; None is ``Ridge(alpha=1.0)``.
    max_iter : int, default=30
        Newton steps for each class.
    tol : float, default=1e-6
        Stop when the mean deviance falls by less than this.

    Attributes
    ----------
    classes_ : ndarray (n_classes,)
    regressors_ : list of regressors
        One for each class, or one for the second of two classes; ``predict`` of each gives ``eta``.
    n_iter_ : int
        Most Newton steps that any class took.
    n_features_in_ : int
    feature_names_in_ : ndarray of str (n_features_in_,)
        Only when X has names.

    References
    ----------
    McCullagh, Nelder: Generalized Linear Models (1989), section 2.5. Breslow, Clayton: Approximate inference in
    generalized linear mixed models, JASA 88 (1993). MacKay: The evidence framework applied to classification networks,
    Neural Computation 4 (1992), for the moderated probability.

    Examples
    --------
    >>> from mlwright.tabular import IRLSClassifier
    >>> X = [[-2.0], [-1.0], [-0.5], [0.5], [1.0], [2.0]]
    >>> model = IRLSClassifier().fit(X, ["no", "no", "yes", "no", "yes", "yes"])
    >>> model.predict([[-3.0], [3.0]]).tolist()
    ['no', 'yes']
    """

    _parameter_constraints: ClassVar = {
        "regressor": [HasMethods(["fit", "predict"]), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }
    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        classes_=Labels("k"),
        regressors_=ListOf(Nested("linear_model.Ridge", "linear_model.BayesianRidge", "linear_model.LinearRegression")),
        n_iter_=Number(low=1, integer=True),
    )

    def __init__(self, regressor=None, *, max_iter=30, tol=1e-6):
        self.regressor = regressor
        self.max_iter = max_iter
        self.tol = tol

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Fit one regressor for each class, or one for two classes.

        Parameters
        ----------
        X : array-like (n, p)
        y : array-like (n,)
        sample_weight : array-like (n,), default=None
            A class whose rows weigh nothing is none.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y has one class only, or `regressor` is none.
        """
        if self.regressor is not None and not is_regressor(self.regressor):
            raise ValueError(
                f"regressor: got {type(self.regressor).__name__}, expected a regressor such as Ridge; a "
                "classifier needs no IRLSClassifier around it"
            )
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        X, y, weight = rows_that_weigh(X, y, sample_weight)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"IRLSClassifier needs at least two classes, got 1 class: {self.classes_.item(0)!r}; "
                "add rows of another class."
            )
        positives = [1] if len(self.classes_) == 2 else range(len(self.classes_))
        fits = [self._fit_one(X, (codes == positive).astype(np.float64), weight) for positive in positives]
        self.regressors_ = [regressor for regressor, _ in fits]
        self.n_iter_ = max(n_iter for _, n_iter in fits)
        return self

    def _fit_one(self, X, target, row_weight):
        """Newton steps for a target of zeros and ones, until the deviance stops falling."""
        share = np.average(target, weights=row_weight)
        eta = np.full(len(target), np.log(share / (1 - share)))
        deviance, best, n_iter = np.inf, None, 0
        while n_iter < self.max_iter:
            p = expit(eta)
            weight = np.maximum(p * (1 - p), _SMALLEST_WEIGHT)
            step = Ridge(alpha=1.0) if self.regressor is None else clone(self.regressor)
            step.fit(
                X, eta + (target - p) / weight, sample_weight=weight if row_weight is None else weight * row_weight
            )
            n_iter += 1
            eta = step.predict(X)
            # From eta, not from p: exact where p rounds to 0 or 1.
            new = np.average(softplus(eta) - target * eta, weights=row_weight)
            if best is not None and not new < deviance - self.tol:
                return (step if new < deviance else best), n_iter
            deviance, best = new, step
        return best, n_iter

    def decision_function(self, X):
        """Log odds: of the second of two classes (n,), or of each class against the rest (n, n_classes).

        Moderated as the probabilities are: ``eta / sqrt(1 + pi/8 var(eta))``.

        Parameters
        ----------
        X : array-like (n, p)

        Returns
        -------
        ndarray
        """
        log_odds = self._log_odds(X)
        return log_odds[:, 0] if len(self.classes_) == 2 else log_odds

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like (n, p)

        Returns
        -------
        float64 ndarray (n, n_classes)
        """
        p = expit(self._log_odds(X))
        if len(self.classes_) == 2:
            return np.hstack([1 - p, p])
        p = np.maximum(p, np.finfo(np.float64).tiny)
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, X):
        """The class with the largest probability.

        Parameters
        ----------
        X : array-like (n, p)

        Returns
        -------
        ndarray (n,)
        """
        etas = self.decision_function(X)
        return self.classes_[(etas > 0).astype(np.intp) if etas.ndim == 1 else etas.argmax(axis=1)]

    def _log_odds(self, X):
        """Linear predictors, moderated where the regressor knows their posterior variance: (n, n_regressors)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        log_odds = np.empty((len(X), len(self.regressors_)))
        for j, regressor in enumerate(self.regressors_):
            if hasattr(regressor, "sigma_"):
                eta, std = regressor.predict(X, return_std=True)
                # That std is of an observation; its noise is the working response's, not eta's.
                variance = np.maximum(np.square(std) - 1 / regressor.alpha_, 0.0)
                log_odds[:, j] = eta / np.sqrt(1 + np.pi / 8 * variance)
            else:
                log_odds[:, j] = regressor.predict(X)
        return log_odds

    def _validate_state(self):
        n_classes = len(self.classes_)
        if n_classes < 2 or len(self.regressors_) != (1 if n_classes == 2 else n_classes):
            raise ModelFormatError(f"IRLSClassifier: {len(self.regressors_)} regressors for {n_classes} classes")
        if any(getattr(regressor, "n_features_in_", None) != self.n_features_in_ for regressor in self.regressors_):
            raise ModelFormatError("IRLSClassifier: a regressor has another number of features than the classifier")
