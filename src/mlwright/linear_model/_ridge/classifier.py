"""Ridge regression of classes."""

from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _is_fitted

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright.base import StateAlgebraMixin, fit_context
from mlwright.io.composite import State
from mlwright.io.schema import Choice, Labels, Tensor
from mlwright.linear_model._ridge.class_path import class_scores_on_splits
from mlwright.linear_model._ridge.class_targets import ClassStatistics, LinearClasses
from mlwright.linear_model._ridge.solver import RIDGE_FIELDS, RidgeSolver

CLASS_FIELDS = {"classes_": Labels("k"), "_class_counts": Tensor("i8", "k"), "_multilabel": Choice(True, False)}


class RidgeClassifier(RidgeSolver, StateAlgebraMixin, LinearClasses):
    """Classes by ridge regression on 1 and -1: the class of the highest prediction.

    Parameters
    ----------
    alpha : {float, ndarray of shape (n_classes,)}, default=1.0
        Strength of the penalty, of all classes or of each; of two classes there is one.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised. If False, X is taken to be centred.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    max_iter : int, default=None
        Most iterations of the iterative route for very many sparse columns.
    tol : float, default=1e-4
        For compatibility: every route goes to full precision.
    class_weight : dict or "balanced", default=None
        Weights of classes, times those of rows; "balanced" makes all classes weigh the same. Where rows have several
        labels, "balanced" multiplies the weights that each label asks for, and a dict is refused.
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}, default="auto"
        As of `Ridge`: all have the same answer.
    positive : bool, default=False
        Restrict the coefficients to be nonnegative.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_classes, n_features)
        One row for each class, or one vector for the second of two.
    intercept_ : float or ndarray of shape (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : ndarray of shape (n_classes,)
        Iterations of LSQR; 1 for the other routes, which do not iterate.
    solver_ : {"cholesky", "svd", "lsqr", "nnls"}
        What was used.
    objective_ : float or ndarray of shape (n_classes,)
        Sum of squares of the residuals from 1 and -1 plus the penalty, of each class.
    kkt_violation_ : float
        Largest violation of the optimality conditions, relative to the norms of columns and y.
    converged_ : bool
        Whether that is below 1e-6.
    n_passes_ : int
        Reads of the rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    RidgeClassifierCV : chooses the penalty.
    Ridge : of numbers, and how the fit is made.

    Notes
    -----
    ``partial_fit``, ``merge`` and ``forget`` are exact, and classes need not be named beforehand: the column of a class
    that rows do not have is -1, which is what statistics of them hold for it. With ``class_weight="balanced"`` there is
    nothing to add up, since every row changes the weight of all others. Balanced weights count rows by their weights:
    a weight of 2 is the same as the row twice, which it is not in scikit-learn.

    y of 0 and 1 in several columns is several labels a row.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from mlwright.linear_model import RidgeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RidgeClassifier().fit(X[:80], y[:80])
    >>> model.partial_fit(X[80:], y[80:]).classes_.tolist()
    [0, 1, 2]
    >>> bool((model.coef_ - RidgeClassifier().fit(X, y).coef_ < 1e-10).all())
    True
    """

    _model_state = State(**RIDGE_FIELDS, **CLASS_FIELDS)
    _parameter_constraints: ClassVar[dict] = {
        **RidgeSolver._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=None,
        tol=1e-4,
        class_weight=None,
        solver="auto",
        positive=False,
        random_state=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.class_weight = class_weight
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        self._require_solver()
        rows, labels = self._labelled_rows(X, y, sample_weight)
        self._remember_kind(rows)
        self._remember_classes(labels.classes, labels.counts, labels.codes is None)
        return self._fit_by_plan(rows)

    @fit_context
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Add rows to what the model was fitted on.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        classes : array-like of shape (n_classes,), default=None
            Classes that there are even if no row has them yet. May be left out: a class joins with its first row.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            With ``class_weight="balanced"``, or if the model was fitted by a route that keeps no sums.
        """
        seen = self._required_statistics("partial_fit") if _is_fitted(self) else None
        new = self._statistics_of(X, y, sample_weight, reset=seen is None, classes=classes)
        return self._fit_statistics(new if seen is None else seen.merged(new))

    @staticmethod
    def _shared_columns(X):
        return {}

    @staticmethod
    def _score_all(candidates, task, splits):
        return class_scores_on_splits(candidates, task, splits)

    def _statistics_of(self, X, y, sample_weight, *, reset, classes=None):
        self._require_solver()
        self._refuse_balance("partial_fit")
        rows, labels = self._labelled_rows(X, y, sample_weight, reset=reset, classes=classes, batch=True)
        if reset:
            self._remember_kind(rows)
        return ClassStatistics(labels.classes, labels.counts, labels.codes is None, self._sums(rows))

    def _fit_statistics(self, statistics, rows=None):
        if isinstance(statistics, FoldStatistics):
            return super()._fit_statistics(statistics, rows)
        self._remember_classes(statistics.classes, statistics.counts, statistics.multilabel)
        return super()._fit_statistics(statistics.sums, rows)

    def _required_statistics(self, verb):
        self._refuse_balance(verb)
        sums = super()._required_statistics(verb)
        return ClassStatistics(self.classes_, self._class_counts, self._multilabel, sums)

    def _remember_kind(self, rows):
        super()._remember_kind(rows)
        self._single_target = False

    def _refuse_balance(self, verb):
        if self.class_weight == "balanced":
            raise ValueError(
                f"class_weight 'balanced' is not supported for {verb}: every row changes the weight of all others. "
                "Compute weights by compute_class_weight('balanced', classes=classes, y=y) on a sample of the rows and "
                "pass them as the class_weight parameter."
            )

    def _validate_state(self):
        super()._validate_state()
        if (np.asarray(self._class_counts) < 0).any():
            self._refuse_state("a number of rows of a class is negative")
