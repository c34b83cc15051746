"""TabularClassifier: cross-validate candidates on a table of classes to predict, keep the best."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from mlwright._runtime.errors import ModelFormatError
from mlwright.base import check_coverage, fit_context
from mlwright.io.composite import Maybe, Optional, State
from mlwright.io.schema import Labels, Tensor
from mlwright.preprocessing._columns import is_missing
from mlwright.tabular._base import COMMON_STATE, TabularBase, check_weights
from mlwright.tabular._candidates import classification_candidates
from mlwright.tabular._folds import stratified_folds
from mlwright.tabular._intervals import conformal_sets, sorted_errors
from mlwright.tabular._metrics import CLASSIFICATION, classification_metrics

_ROUNDING = 1e-9  # of probabilities that add up to one


class TabularClassifier(ClassifierMixin, TabularBase):
    """Predict a class from a table: the best of linear, Bayesian and boosted candidates.

    Every candidate is a pipeline from :class:`~mlwright.preprocessing.TableEncoder` to a model and is cross-validated
    on the same stratified folds, beside the naive baseline. The one with the smallest mean log loss is refitted on all
    rows; all are fitted to the likelihood, so their probabilities are meant as such.

    Parameters
    ----------
    candidates : list of str or None, default=None
        Some of "linear", "bayesian", "boosted", "boosted_slow"; None is all. The baseline always takes part.
    cv : int, splitter or list of (train, test), default=5
        Folds, or scikit-learn's splits; these must test every row once and train on all others.
    time_limit : float or None, default=None
        Seconds. Candidates that cannot end in time are given up; the baseline and the cheapest candidate always end.
        With a limit, which candidates end depends on the machine.
    random_state : int, default=0
        Seed of the folds and of the rows that boosting sets aside to stop early.

    Attributes
    ----------
    classes_ : ndarray (n_classes,)
    pipeline_ : sklearn.pipeline.Pipeline
        The best candidate, fitted on all rows; its classes are places in ``classes_``.
    best_ : str
        Its name.
    leaderboard_ : list of dict
        As of :class:`TabularRegressor`.
    target_name_ : str or None
        The name of y if it has one.
    n_rows_ : int
    held_out_ : dict of str to float
        Empty; a place for metrics on held-out rows, which the model file keeps.
    n_features_in_ : int
    feature_names_in_ : ndarray of str (n_features_in_,)
        Only when X has names.

    Examples
    --------
    >>> import polars as pl
    >>> from mlwright.tabular import TabularClassifier
    >>> table = pl.DataFrame({"x": range(40)})
    >>> y = ["low" if x < 20 else "high" for x in range(40)]
    >>> model = TabularClassifier(candidates=["linear"]).fit(table, y)
    >>> model.predict(table).tolist() == y
    True
    >>> model.predict_set(table, coverage=0.9).shape  # which classes may be the true one
    (40, 2)
    """

    _metrics = CLASSIFICATION
    _known_candidates = staticmethod(classification_candidates)
    _model_state = State(
        **COMMON_STATE,
        classes_=Labels("k"),
        _set_errors=Maybe(Tensor("f8", "r")),  # files of older versions have none
        _set_weights=Maybe(Optional(Tensor("f8", "r"))),
    )

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Search, refit the best; `mlwright.watch_progress` sees each fold.

        Parameters
        ----------
        X : table or array-like (n, p)
        y : array-like (n,)
            At least two classes; if two, at least two rows of either.
        sample_weight : array-like (n,), default=None
            Weights of rows in every fit, in scores, intervals and the encoder's statistics. A row of whole weight w is
            w rows where the folds are the same and nothing is set aside to stop early; one of weight 0 is no row.

        Returns
        -------
        self
        """
        X, y = self._read_table(X, y)
        y = _labels(y)
        check_classification_targets(y)
        X, y, weight, folds = self._rows_and_folds(X, y, sample_weight, _stratified)
        self.classes_, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"TabularClassifier needs at least two classes, got 1 class: {self.classes_.item(0)!r}; "
                "add rows of another."
            )
        if len(self.classes_) == 2 and counts.min() < 2:
            raise ValueError(
                f"TabularClassifier needs at least two rows of either class to cross-validate, got one of "
                f"{self.classes_.item(counts.argmin())!r}; add rows."
            )
        predictions = self._search(X, codes, weight, folds)
        self._set_errors, self._set_weights = sorted_errors(1 - predictions[np.arange(len(codes)), codes], weight)
        return self

    def predict_proba(self, X):
        """Probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)

        Returns
        -------
        float64 ndarray (n, n_classes)
        """
        check_is_fitted(self)
        return self._predict_fold(self.pipeline_, self._checked(X))

    def predict(self, X):
        """The most probable class.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)

        Returns
        -------
        ndarray (n,)
        """
        places = self.predict_proba(X).argmax(axis=1)
        return self.classes_[places]

    def predict_set(self, X, coverage=0.9):
        """Classes among which the true one is with about the given probability.

        A class is in the set if its probability is at least what as large a share of the training rows gave their true
        class while they were out of fold; the likeliest class always is. On average over rows like the training rows,
        and up to the gain of refitting on all of them, the share of true classes inside is at least `coverage`; for a
        particular row or class nothing is promised.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)
        coverage : float, default=0.9
            Between 0 and 1.

        Returns
        -------
        bool ndarray (n, n_classes)
            Whether each class, in the order of ``classes_``, is in the set of a row.

        Raises
        ------
        ValueError
            If the training table had too few rows for the coverage, or if the model comes from the file of a version
            that kept no errors out of fold.

        References
        ----------
        Sadinle, Lei, Wasserman: Least ambiguous set-valued classifiers with bounded error levels, JASA 114 (2019).
        """
        check_is_fitted(self)
        coverage = check_coverage(coverage)
        errors = getattr(self, "_set_errors", None)
        if errors is None:
            raise ValueError(
                "predict_set: this model's file is of a version that kept no errors out of fold; fit again."
            )
        return conformal_sets(self.predict_proba(X), coverage, errors, getattr(self, "_set_weights", None))

    def _target(self, y):
        y = _labels(column_or_1d(y, warn=True))
        unknown = sorted(set(y.tolist()) - set(self.classes_.tolist()), key=str)
        if unknown:
            raise ValueError(
                f"y holds classes that TabularClassifier was not fitted on: {', '.join(map(repr, unknown[:5]))}; "
                "leave their rows out."
            )
        return np.searchsorted(self.classes_, y)

    def _predict_fold(self, model, X):
        """Probabilities of all classes; a class that a fold's training part lacks has probability 0."""
        probabilities = np.asarray(model.predict_proba(X), dtype=np.float64)
        whole = np.zeros((len(probabilities), len(self.classes_)))
        whole[:, model.classes_] = probabilities
        return whole

    _evaluate_predictions = staticmethod(classification_metrics)

    def _validate_state(self):
        self._validate_common_state()
        errors = getattr(self, "_set_errors", np.zeros(1))
        if not len(errors) or (np.diff(errors) < 0).any() or errors[0] < -_ROUNDING or errors[-1] > 1 + _ROUNDING:
            raise ModelFormatError("TabularClassifier: the errors out of fold are not sorted between 0 and 1")
        check_weights(self, "_set_weights")
        classes = getattr(self.pipeline_[-1], "classes_", None)
        if len(self.classes_) < 2 or not np.array_equal(classes, np.arange(len(self.classes_))):
            raise ModelFormatError("TabularClassifier: the classes of the pipeline are not places in classes_")


def _stratified(y, n_folds, random_state):
    return stratified_folds(np.unique(y, return_inverse=True)[1], n_folds, random_state)


def _labels(y):
    """Class labels as an array that can be sorted: text that came as objects stays Python strings."""
    y = np.asarray(y)
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity; leave these rows out.")
    if y.dtype == object and any(is_missing(label) for label in y):
        raise ValueError("Input y contains NaN or None; leave these rows out.")
    return y
