"""From whatever holds a forest to what explanations read: the forest, rows as it reads them, names."""

from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_array

from mlwright._kernels.forest import Forest
from mlwright.ensemble._boosting.features import features_for_predict

_FLOATS = [np.float64, np.float32]


@dataclass(frozen=True)
class TreeModel:
    """A model of trees.

    Attributes
    ----------
    forest : Forest
    estimator : object or None
        What turns users' rows into numbers; None for a bare forest.
    """

    forest: Forest
    estimator: object = None

    @classmethod
    def of(cls, model):
        """From a fitted boosted estimator, an imported one, or a Forest; TypeError for others."""
        if isinstance(model, Forest):
            model.check()
            return cls(model)
        make = getattr(model, "_forest", None)
        if make is None:
            raise TypeError(
                f"model: got {type(model).__name__}, expected a boosted estimator of mlwright.ensemble, what "
                "mlwright.deploy.from_model or from_file returns, or a Forest; models of other packages go through "
                "mlwright.deploy.from_model first"
            )
        if not hasattr(model, "_trees"):
            raise NotFittedError(f"model: got a {type(model).__name__} that is not fitted; call fit first")
        return cls(make(), model)

    def rows(self, X, what="X"):
        """X as float64 or float32 numbers of n_features columns; checks counts and names as ``predict`` does."""
        if self.estimator is not None:
            own = getattr(self.estimator, "_rows", None)  # imported models look categories up
            return _dense(features_for_predict(self.estimator, X) if own is None else own(X), what)
        X = check_array(X, dtype=_FLOATS, ensure_all_finite=False)
        if X.shape[1] != self.forest.n_features:
            raise ValueError(f"{what}: got {X.shape[1]} features, expected {self.forest.n_features}, as the model has")
        return X

    @property
    def feature_names(self):
        names = getattr(self.estimator, "feature_names_in_", None)
        return None if names is None else [str(name) for name in names]

    @property
    def category_names(self):
        """For a feature's number, its categories in the order of their codes, where the model has them."""
        mask = getattr(self.estimator, "is_categorical_", None)
        if mask is not None:
            return dict(zip(np.flatnonzero(mask).tolist(), self.estimator._levels, strict=True))
        return {part["column"]: part["values"] for part in getattr(self.estimator, "_categories", ())}

    @property
    def output_names(self):
        """Names of the classes where each class has an output."""
        classes = getattr(self.estimator, "classes_", None)
        if classes is None or len(classes) != self.forest.n_outputs:
            return None
        return [str(label) for label in classes]


def _dense(rows, what):
    """Sparse rows in full; a binned matrix has no values to explain."""
    if hasattr(rows, "toarray"):
        return rows.toarray()
    if not isinstance(rows, np.ndarray):
        raise TypeError(f"{what}: got {type(rows).__name__}, expected the table itself: explanations read its values")
    return rows
