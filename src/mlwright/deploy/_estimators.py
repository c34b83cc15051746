"""Imported models as scikit-learn's regressors and classifiers."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if

from mlwright._kernels.forest import Forest, kept_forest
from mlwright._runtime.errors import ModelFormatError
from mlwright.deploy import _links
from mlwright.deploy._features import features
from mlwright.ensemble._forest_state import TREES
from mlwright.io.composite import AnyOf, ListOf, Maybe, Record, State
from mlwright.io.schema import Choice, Labels, Number, Size, Strings, Tensor, Text

_STATE = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "source_": Text(),
    "_link": Choice(*_links.LINKS),
    "_scale": Number(low=0.0),
    "_input_dtype": Choice("float64", "float32"),
    "_sum_dtype": Choice("float64", "float32"),
    "_divide_by": Number(1, 1 << 40, integer=True),
    "_accepts": Choice("any", "nan", "finite"),
    "_decision": Choice("probability", "positive", "not_negative"),
    "_categories": ListOf(
        Record(column=Number(0, integer=True), values=AnyOf(Tensor("f8", "*"), Strings("*"))),
    ),
    "_table_categories": ListOf(AnyOf(Tensor("f8", "*"), Strings("*"))),
    "_foreign_categories": Maybe(Choice("missing", "refused")),  # absent in files of earlier builds
    "_absent": Maybe(Choice("refused", "zero", "missing")),  # likewise
    "_start": Tensor("f8", "k"),
    "_trees": TREES,
}


class _Imported(BaseEstimator):
    """What both share: a forest that is there from the start and that nothing changes."""

    _parameter_constraints: ClassVar[dict] = {}

    @classmethod
    def _of(cls, model):
        """The estimator of an ImportedModel; ModelFormatError if its arrays are no valid forest."""
        self = cls()
        self.n_features_in_ = model.n_features
        if model.feature_names is not None:
            self.feature_names_in_ = np.array(model.feature_names, dtype=object)
        if cls is ImportedClassifier:
            self.classes_ = model.classes
        self.source_ = model.source
        self._link, self._scale = model.link, float(model.scale)
        self._input_dtype, self._sum_dtype = model.input_dtype, model.sum_dtype
        self._divide_by, self._accepts, self._decision = int(model.divide_by), model.accepts, model.decision
        self._categories = [{"column": j, "values": values} for j, values in model.categories.items()]
        self._table_categories = list(model.table_categories)
        self._foreign_categories, self._absent = model.foreign_categories, model.absent
        self._start, self._trees = model.start, model.trees
        self._validate_state()
        return self

    def fit(self, X=None, y=None, **fit_params):
        """Nothing: an imported model is fitted, and stays as it is (as in ``sklearn.frozen.FrozenEstimator``).

        Parameters
        ----------
        X, y, **fit_params : ignored

        Returns
        -------
        self : object
        """
        self._require_model()
        return self

    def predict_raw(self, X):
        """The forest's sums, before any link.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        raw : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            float32 where the source sums in float32, else float64.
        """
        return _columns(self._raw(X).astype(self._sum_dtype, copy=False))

    @property
    def n_trees_(self):
        """Number of trees."""
        return len(self._trees["offsets"]) - 1

    def _forest(self):
        """The trees as the engine and explanations read them."""
        trees = vars(self).get("_trees")
        if trees is None:
            self._require_model()
        return kept_forest(self, trees, self._new_forest)

    def _rows(self, X):
        """X as the trees see it."""
        return features(self, X)

    def _new_forest(self):
        return Forest(
            trees=self._trees,
            start=self._start,
            n_features=self.n_features_in_,
            input_dtype=self._input_dtype,
            sum_dtype=self._sum_dtype,
            divide_by=self._divide_by,
            accepts=self._accepts,
        )

    def _raw(self, X):
        """float64 sums of shape (n_outputs, n)."""
        forest = self._forest()
        if type(X) is np.ndarray and not self._categories and not hasattr(self, "feature_names_in_"):
            raw = forest.briefly(X)
            if raw is not None:
                return raw
        return forest.predict_raw(self._rows(X))

    def _linked(self, X):
        raw, dtype = self._raw(X), self._sum_dtype
        if self._link == "identity" and self._scale == 1.0 and dtype == "float64":
            return raw
        return _links.apply(self._link, self._scale, raw, dtype)

    def _require_model(self):
        if not hasattr(self, "_trees"):
            raise NotFittedError(
                f"This {type(self).__name__} holds no model; make one with mlwright.deploy.from_file or from_model."
            )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_trees")

    def __sklearn_clone__(self):
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = getattr(self, "_accepts", "any") != "finite"
        tags.input_tags.sparse = getattr(self, "_absent", "refused") != "refused"
        return tags

    def _validate_state(self):
        """Raise ModelFormatError unless the arrays, maybe from a stranger's file, fit together."""
        self._new_forest().check()
        columns = [part["column"] for part in self._categories]
        if len(set(columns)) != len(columns) or any(column >= self.n_features_in_ for column in columns):
            raise ModelFormatError(f"{type(self).__name__}: its columns of categories are not distinct; it is damaged")
        for part in self._categories:
            values = part["values"]
            if values.dtype.kind == "f" and (values[1:] <= values[:-1]).any():
                raise ModelFormatError(f"{type(self).__name__}: its categories are not sorted; it is damaged")


class ImportedRegressor(RegressorMixin, _Imported):
    """A model of another library that predicts numbers; :func:`from_file` and :func:`from_model` make it.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the source has names.
    source_ : str
        Library, version of the format and objective.
    n_trees_ : int

    Notes
    -----
    It is fitted, and stays so: `fit` does nothing and `sklearn.base.clone` returns the model itself, as for
    ``sklearn.frozen.FrozenEstimator``, so that it takes part in pipelines, stacking and calibration as it is.
    """

    _model_state = State(**_STATE)

    def predict(self, X):
        """What the source predicts.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return _columns(self._linked(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = len(getattr(self, "_start", ())) > 1
        return tags


class ImportedClassifier(ClassifierMixin, _Imported):
    """A model of another library that predicts classes; :func:`from_file` and :func:`from_model` make it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The source's labels; 0, 1, ... where it has none, as in files.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the source has names.
    source_ : str
        Library, version of the format and objective.
    n_trees_ : int

    Notes
    -----
    As of :class:`ImportedRegressor`.
    """

    _model_state = State(classes_=Labels("c"), **_STATE)

    def predict(self, X):
        """The class of each row, as the source decides.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        if self._decided_by_sums:
            raw = self._raw(X)
            if len(raw) > 1:
                chosen = raw.argmax(axis=0)
            else:
                chosen = (raw[0] > 0 if self._decision == "positive" else raw[0] >= 0).astype(np.intp)
        else:
            chosen = self.predict_proba(X).argmax(axis=1)
        return self.classes_[np.minimum(chosen, len(self.classes_) - 1)]  # where the source saw one class, always that

    def predict_proba(self, X):
        """Probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        p = self._linked(X)
        if len(p) == 1 and self._link != "identity":  # of the second class, also where the source saw one only
            return np.stack([1 - p[0], p[0]], axis=1)
        return p.T

    @available_if(lambda self: self._link != "identity")
    def decision_function(self, X):
        """The sums before they become probabilities; forests that average probabilities have none.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self.predict_raw(X)

    @property
    def _decided_by_sums(self):
        return self._decision != "probability"

    def _validate_state(self):
        super()._validate_state()
        n_outputs, n_classes = len(self._start), len(self.classes_)
        if n_classes != n_outputs and not (n_outputs == 1 and n_classes == 2 and self._link != "identity"):
            raise ModelFormatError(f"{type(self).__name__}: has {n_classes} classes for {n_outputs} outputs")


def estimator_of(model):
    """The estimator of an ImportedModel."""
    return (ImportedClassifier if model.is_classifier else ImportedRegressor)._of(model)


def _columns(outputs):
    return outputs[0] if len(outputs) == 1 else outputs.T
