"""Logistic regression."""

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite, compute_class_weight
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from mlwright._validation import rows_for_fit
from mlwright.base import fit_context
from mlwright.io.composite import Maybe, Optional, State
from mlwright.io.schema import Labels, Tensor
from mlwright.linear_model._glm._base import (
    COMMON_FIELDS,
    certify,
    checked_offset,
    refuse,
    scores_of,
    scores_of_fitted,
    usable_weights,
)
from mlwright.linear_model._glm._categories import CATEGORY_FIELDS, CategoricalMixin
from mlwright.linear_model._glm._logistic_fit import LogisticFitter
from mlwright.linear_model._glm._logistic_inference import LogisticInferenceMixin
from mlwright.linear_model._glm._penalty import check_solver, penalty_of
from mlwright.linear_model._inference.kept import KEPT
from mlwright.linear_model._sparse_coef import SparseCoefMixin, dense_coef

SOLVERS = {"auto", "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}


class LogisticModel(ClassifierMixin, SparseCoefMixin, BaseEstimator):
    """Classes from linear scores: what LogisticRegression and its cross-validated form share."""

    def decision_function(self, X, *, offset=None):
        """Scores: log odds of the second of two classes, or one column a class.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,), or (n_samples, n_classes) with more than two classes, default=None
            As in ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._as_scores(self._scores_at(X, offset).astype(self.coef_.dtype, copy=False))

    def predict(self, X, *, offset=None):
        """The likeliest class.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,), or (n_samples, n_classes) with more than two classes, default=None
            As in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X, offset=offset)
        return self.classes_[(scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)]

    def predict_proba(self, X, *, offset=None):
        """Probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,), or (n_samples, n_classes) with more than two classes, default=None
            As in ``fit``.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        scores = self.decision_function(X, offset=offset)
        if scores.ndim == 1:
            return np.stack([special.expit(-scores), special.expit(scores)], axis=1)
        return special.softmax(scores, axis=1)

    def predict_log_proba(self, X, *, offset=None):
        """Logarithm of the probabilities, exact where they round to zero.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,), or (n_samples, n_classes) with more than two classes, default=None
            As in ``fit``.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
        """
        scores = self.decision_function(X, offset=offset)
        if scores.ndim == 1:
            return np.stack([special.log_expit(-scores), special.log_expit(scores)], axis=1)
        return special.log_softmax(scores, axis=1)

    def _scores(self, X):
        """Of shape (n, rows of ``coef_``)."""
        return scores_of(self, X)

    def _scores_at(self, X, offset):
        scores = self._scores(X)
        return _with_offset(scores, self._offset(offset, len(scores)))

    def _as_scores(self, scores):
        """In the shape of scikit-learn."""
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def _offset(self, offset, n):
        return checked_offset(offset, n, n_classes=len(self.classes_))

    def _rows(self, X, y, sample_weight):
        """Validated rows with their weights, numbers of classes, weights times those of classes; sets ``classes_``."""
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        labels = column_or_1d(y, warn=True)
        if labels.dtype.kind in "fO":
            assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        codes = codes.astype(np.float64)
        rows = rows_for_fit(self, X, codes, None, multi_output=False)
        w = usable_weights(sample_weight, rows.X)
        rows = replace(rows, w=w)
        if len(self.classes_) < 2:
            raise ValueError(
                f"This solver needs samples of at least 2 classes in the data, but the data contains only one class: "
                f"{self.classes_.tolist()[0]!r}; add rows of another class."
            )
        self._require_two_weighted(codes, w)
        if self.class_weight is not None:
            of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=labels, sample_weight=w)
            of_class = np.asarray(of_class, dtype=np.float64)
            if not (np.isfinite(of_class) & (of_class >= 0.0)).all():
                raise ValueError(f"class_weight: got {self.class_weight!r}, expected finite weights of 0 or more.")
            of_row = of_class[codes.astype(np.intp)]
            w = of_row if w is None else w * of_row
            self._require_two_weighted(codes, w)
        return rows, codes, w

    def _require_two_classes_for_liblinear(self):
        if self.solver == "liblinear" and len(self.classes_) > 2:
            raise ValueError(
                "solver: 'liblinear' does not support multiclass classification, expected another solver, e.g. 'auto'."
            )

    def _require_two_weighted(self, codes, w):
        if w is not None and len(np.unique(codes[w > 0])) < 2:
            raise ValueError(
                f"{type(self).__name__}: rows of positive weight are of one class only, expected at least 2 classes."
            )

    def _validate_state(self):
        n_classes = len(self.classes_)
        rows = 1 if n_classes == 2 else n_classes
        if n_classes < 2 or len(self.coef_) != rows or self.intercept_.shape != (rows,):
            refuse(self, f"coef_ and intercept_ are not of {n_classes} classes")
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_).all()):
            refuse(self, "coef_ or intercept_ is not finite")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _with_offset(scores, offset):
    """Scores (n, k) with their offsets (n,) or (n, k)."""
    return scores if offset is None else scores + offset.reshape(scores.shape)


class LogisticRegression(CategoricalMixin, LogisticInferenceMixin, LogisticModel):
    """Logistic regression: minimises ``sum_i s_i loss_i + (1 / C) r(coef)``.

    The loss is the log loss of the classes, multinomial where there are more than two; ``r`` is
    ``(1 - l1_ratio) / 2 |coef|^2 + l1_ratio |coef|_1``; the intercept has no penalty. The optimum is scikit-learn's.
    Columns are standardised within the solver, so unscaled tables converge. Columns of categories in a data frame need
    no encoder: each level has a coefficient, the same as of one-hot columns, which are not made. Offsets of the scores
    are given to ``fit`` and to predictions.

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet", None}, default="deprecated"
        As in scikit-learn: deprecated there for `C` and `l1_ratio`.
    C : float, default=1.0
        Inverse strength of the penalty; ``numpy.inf`` for none.
    l1_ratio : float, default=0.0
        0 is the L2 penalty, 1 the L1 penalty.
    dual : bool, default=False
        For compatibility, with ``solver="liblinear"``.
    tol : float, default=1e-4
        The fit is certified when what is left to gain is below ``tol**2 / 10`` of the deviance.
    fit_intercept : bool, default=True
    intercept_scaling : float, default=1
        For compatibility: the intercept is never penalised here.
    class_weight : dict or "balanced", default=None
        Weights of classes, times those of rows; "balanced" makes all classes weigh the same.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    solver : {"auto", "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}, default="auto"
        scikit-learn's names with their restrictions on penalties; "auto" takes every penalty. The method follows from
        the table, since all have the same answer.
    max_iter : int, default=100
    verbose : int, default=0
        For compatibility.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    n_jobs : int, default=None
        Deprecated, as in scikit-learn.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_coefficients) or (n_classes, n_coefficients)
        One a feature, or a level of a categorical one.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    coef_names_ : ndarray of str of shape (n_coefficients,)
        Names of the features, and ``feature=level`` for the levels of categorical ones, which stand one after another,
        ascending, in the feature's place.
    is_categorical_ : ndarray of bool of shape (n_features_in_,), or None
        Which columns of a data frame were categories; None where there were none.
    n_iter_ : ndarray of shape (1,)
    objective_ : float
        Value of the sum above.
    kkt_violation_ : float
        Largest distance of a coordinate's gradient from optimality, over ``sqrt(hessian_jj * deviance)``.
    converged_ : bool
        Whether the optimum is certified; a ConvergenceWarning says where it is not.
    n_passes_ : float
        Reads of the table.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Nocedal and Wright, Numerical Optimization, 2006. Boehning, Annals of the Institute of Statistical Mathematics 44
    (1992), 197-200, for the bound behind the multinomial preconditioner.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import LogisticRegression
    >>> X = np.array([[-2e6, 1e-3], [-1e6, 3e-3], [5e5, 2e-3], [1e6, 5e-3], [2e6, 4e-3], [-3e6, 2e-3]])
    >>> model = LogisticRegression().fit(X, ["no", "no", "yes", "yes", "yes", "no"])
    >>> model.predict(X).tolist()
    ['no', 'no', 'yes', 'yes', 'yes', 'no']
    >>> model.converged_
    True
    """

    _model_state = State(
        **COMMON_FIELDS,
        **CATEGORY_FIELDS,
        classes_=Labels("k"),
        coef_=Tensor("f4 f8", "* q"),
        intercept_=Tensor("f4 f8", "*"),
        n_iter_=Tensor("i4", "*"),
        _inference=Maybe(Optional(KEPT)),
    )
    _read_later = ("penalty", "C", "fit_intercept", "class_weight")
    _parameter_constraints: ClassVar[dict] = {
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), None, Hidden(StrOptions({"deprecated"}))],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "dual": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "solver": [StrOptions(SOLVERS)],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        penalty="deprecated",
        *,
        C=1.0,
        l1_ratio=0.0,
        dual=False,
        tol=1e-4,
        fit_intercept=True,
        intercept_scaling=1,
        class_weight=None,
        random_state=None,
        solver="auto",
        max_iter=100,
        verbose=0,
        warm_start=False,
        n_jobs=None,
    ):
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    @fit_context
    def fit(self, X, y, sample_weight=None, *, offset=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Columns of categories, enumerations or text in a data frame of any library have a coefficient for each level
            that occurs.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        offset : array-like of shape (n_samples,), or (n_samples, n_classes) with more than two classes, default=None
            Added to the scores: to the log odds of the second of two classes, or to the score of each class in the
            order of ``classes_``.

        Returns
        -------
        self : object
        """
        strength, l1_ratio = penalty_of(self)
        check_solver(self.solver, strength, l1_ratio, self.dual)
        if self.n_jobs is not None:
            warnings.warn(
                f"n_jobs={self.n_jobs!r} has no effect and goes with scikit-learn 1.10; leave it out.",
                FutureWarning,
                stacklevel=3,
            )
        before = (dense_coef(self), self.intercept_) if self.warm_start and hasattr(self, "coef_") else None
        rows, codes, w = self._rows(X, y, sample_weight)
        offset = self._offset(offset, len(codes))
        self._require_two_classes_for_liblinear()
        l1, l2 = strength * l1_ratio, strength * (1.0 - l1_ratio)
        fitter = LogisticFitter.of_rows(rows, codes, w, len(self.classes_), self.fit_intercept, l1, offset)
        start = fitter.start()
        if before is not None and fitter.basis is None and before[0].shape == start[0].shape:
            start = tuple(part.astype(np.float64) for part in before)
        solution = fitter.in_columns(fitter.solve(fitter.problem(), l1, l2, start, self.tol, self.max_iter))
        certify(self, solution, rows)
        self._remember_features(X)
        self.coef_, self.intercept_ = solution.coef.astype(rows.dtype), solution.intercept.astype(rows.dtype)
        self.n_iter_ = np.array([solution.n_iter], dtype=np.int32)
        self._keep_inference(rows, codes, w, lambda: self._fitted_scores(rows, offset), offset is not None)
        return self

    def score(self, X, y, sample_weight=None, *, offset=None):
        """The accuracy.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        offset : array-like of shape (n_samples,), or (n_samples, n_classes) with more than two classes, default=None
            As in ``fit``.

        Returns
        -------
        score : float
        """
        from sklearn.metrics import accuracy_score

        return float(accuracy_score(y, self.predict(X, offset=offset), sample_weight=sample_weight))

    def _fitted_scores(self, rows, offset):
        return self._as_scores(_with_offset(scores_of_fitted(self, rows), offset))

    def _uses_l1(self):
        return self.penalty in ("l1", "elasticnet") or bool(self.l1_ratio)

    def _validate_state(self):
        super()._validate_state()
        self._require_sound_inference()
