"""Ridge regression of classes that chooses its penalty by cross-validation."""

from numbers import Real
from typing import ClassVar

from sklearn.metrics import get_scorer_names
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _is_fitted

from mlwright.base import fit_context
from mlwright.io.composite import ListOf, Maybe, Optional, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._content_folds import ContentFolds
from mlwright.linear_model._ridge.choice import PenaltyChoice, checked_alphas
from mlwright.linear_model._ridge.class_folds import ClassFolds
from mlwright.linear_model._ridge.class_targets import ClassStatistics, LinearClasses, ScoresAsClassifier
from mlwright.linear_model._ridge.classifier import CLASS_FIELDS, RidgeClassifier
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._stationary import STATIONARY
from mlwright.linear_model._streamed_choice import FOLD_FIELDS, OfSums, StreamedChoice


class RidgeClassifierCV(StreamedChoice, PenaltyChoice, LinearClasses):
    """Classes by ridge regression on 1 and -1, with the penalty chosen by exact leave-one-out or by folds.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=(0.1, 1.0, 10.0)
        Penalties to try; positive, or not negative with `cv`.
    fit_intercept : bool, default=True
    scoring : str, callable or None, default=None
        None is the negative mean squared error of 1 and -1 for leave-one-out, accuracy for folds.
    cv : int, cross-validation generator, iterable or None, default=None
        None is leave-one-out.
    class_weight : dict or "balanced", default=None
        Weights of classes, times those of rows; "balanced" makes all classes weigh the same.
    store_cv_results : bool, default=False
        Keep the leave-one-out errors, or scores of the classes where `scoring` is given, in ``cv_results_``.

    Attributes
    ----------
    cv_results_ : ndarray of shape (n_samples, n_targets, n_alphas)
        With ``store_cv_results=True``: squared errors times weights, or predictions where `scoring` is given.
    coef_ : ndarray of shape (n_features,) or (n_classes, n_features)
        One row for each class, or one vector for the second of two.
    intercept_ : float or ndarray of shape (n_classes,)
    alpha_ : float
    best_score_ : float
    objective_ : float or ndarray of shape (n_classes,)
        What `RidgeClassifier` minimises with the penalty chosen.
    kkt_violation_, converged_, n_passes_
        Of the fit with the penalty chosen, see :class:`RidgeClassifier`.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    RidgeClassifier : with a given penalty.
    RidgeCV : of numbers.

    Notes
    -----
    Where `scoring` is given, leave-one-out is scored by the classes that it predicts. (scikit-learn 1.9 scores two
    classes as if there were one, so that any penalty has an accuracy of 1.) Folds cost one pass over X and one
    eigendecomposition each, whatever the number of penalties.

    ``partial_fit``, ``merge``, ``forget`` and ``fit_stream`` take a number for `cv` and divide rows into folds by a
    hash of their values and labels, whatever their order. Sums do not tell which rows are classified rightly: the score
    is then the negative mean squared error of 1 and -1, as for leave-one-out. A model fitted by ``fit``, whose folds go
    by position, does not go on. Classes come and go with their rows.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from mlwright.linear_model import RidgeClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = RidgeClassifierCV(alphas=[1e-3, 1e-2, 1e-1, 1], scoring="accuracy").fit(X, y)
    >>> round(model.best_score_, 3), round(model.score(X, y), 3)
    (0.958, 0.961)
    """

    _flat_if_one_target = True
    _own_metric = "accuracy"
    _also_of_the_best = tuple(CLASS_FIELDS)
    _model_state = State(
        **LINEAR_FIELDS,
        **STATIONARY,
        **CLASS_FIELDS,
        **FOLD_FIELDS,
        _fold_counts=Maybe(ListOf(Optional(Tensor("i8", "k")))),
        alpha_=Number(0.0),
        best_score_=Number(),
        cv_results_=Maybe(Tensor("f4 f8", "n t m")),
    )
    _parameter_constraints: ClassVar[dict] = {
        "alphas": ["array-like", Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "store_cv_results": ["boolean"],
    }

    def __init__(
        self,
        alphas=(0.1, 1.0, 10.0),
        *,
        fit_intercept=True,
        scoring=None,
        cv=None,
        class_weight=None,
        store_cv_results=False,
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.class_weight = class_weight
        self.store_cv_results = store_cv_results

    @fit_context
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty and fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        sample_weight : float or array-like of shape (n_samples,), default=None
        **params : dict
            For the scorer and the splitter, with metadata routing.

        Returns
        -------
        self : object
        """
        _raise_for_params(params, self, "fit")
        alphas = checked_alphas(self.alphas, self.cv is None)
        vars(self).pop("cv_results_", None)
        self._drop_folds()
        rows, labels = self._labelled_rows(X, y, sample_weight)
        if self.cv is not None:
            model = RidgeClassifier(fit_intercept=self.fit_intercept)
            return self._fit_folds(model, X, labels.given, rows.w, alphas, params)
        self._remember_kind(rows)
        self._single_target = False
        self._remember_classes(labels.classes, labels.counts, labels.codes is None)
        self._choose_by_leave_one_out(rows, alphas, self._score_of_rows(rows, labels, params))
        return self

    @OfSums
    @fit_context
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Add rows to what the model was fitted on, and choose the penalty anew.

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
            If the rows seen fall into one fold only.
        """
        seen = self._sums_so_far("partial_fit") if _is_fitted(self) else None
        new = self._statistics_of(X, y, sample_weight, reset=seen is None, classes=classes)
        return self._fit_statistics(new if seen is None else seen.merged(new))

    def _statistics_of(self, X, y, sample_weight, *, reset, classes=None):
        rows, labels = self._labelled_rows(X, y, sample_weight, reset=reset, classes=classes, batch=True)
        if reset:
            self._remember_kind(rows)
            self._single_target = False
        return ClassFolds.of_labels(self, rows, labels, int(self._n_folds()))

    def _fit_statistics(self, folds):
        """Choose the penalty by folds of the rows' own content, and fit on all rows."""
        folds = folds.aligned()
        test = [part.sums for part in folds.enough(self)]
        self._choose_by_sums(RidgeClassifier, test, folds.whole, "neg_mean_squared_error")
        self._keep_folds(folds)
        return self

    def _why_not_streamed(self):
        if self.store_cv_results:
            return "got store_cv_results=True, which needs leave-one-out of rows; expected False and cv=5."
        if self.scoring is not None:
            return (
                f"got scoring={self.scoring!r:.80}, which sums over rows do not tell; expected None: the squared "
                "errors of 1 and -1."
            )
        if self.class_weight == "balanced":
            return (
                "got class_weight='balanced', by which every row changes the weight of all others; expected a dict of "
                "weights, e.g. of compute_class_weight on a sample of the rows."
            )
        return super()._why_not_streamed()

    def _sums_so_far(self, verb):
        sums = super()._sums_so_far(verb).parts
        parts = (
            None if part is None else ClassStatistics(self.classes_, counts, self._multilabel, part)
            for part, counts in zip(sums, self._fold_counts, strict=True)
        )
        return ClassFolds(tuple(parts))

    def _keep_folds(self, folds):
        sums = (None if part is None else part.sums for part in folds.parts)
        super()._keep_folds(ContentFolds(tuple(sums)))
        if hasattr(self, "_fold_statistics"):
            self._fold_counts = [None if part is None else part.counts for part in folds.parts]

    def _drop_folds(self):
        super()._drop_folds()
        vars(self).pop("_fold_counts", None)

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        super()._validate_state()
        sums, counts = (getattr(self, name, []) for name in ("_fold_statistics", "_fold_counts"))
        if [part is None for part in sums] != [part is None for part in counts]:
            self._refuse_state("rows of classes are not counted for the folds that it has sums of")
        if any((part < 0).any() for part in counts if part is not None):
            self._refuse_state("a number of rows of a class is negative")

    def _score_of_rows(self, rows, labels, params):
        """A function from leave-one-out predictions to a score, or None for squared errors."""
        scorer, score_params = self._scorer_of_rows(rows, rows.w, params)
        if scorer is None:
            return None
        stands_for_model = ScoresAsClassifier(labels.classes, labels.codes is None)
        flat = labels.targets.shape[1] == 1 and labels.codes is not None

        def score(predictions):
            return scorer(stands_for_model, predictions[:, 0] if flat else predictions, labels.given, **score_params)

        return score

    def _keep_statistics(self, statistics):
        self._statistics = None  # nothing of this class goes on from them
