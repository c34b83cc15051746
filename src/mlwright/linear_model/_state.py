"""How the fitted state of the least-squares family is declared for model files, and what shapes alone cannot say."""

import numpy as np

from mlwright.io.composite import AnyOf, Maybe, Optional, Record
from mlwright.io.schema import Choice, Number, Size, Strings, Tensor

STATISTICS = Record(
    n_features=Size("p"),
    n_rows=Number(1, integer=True),
    weight=Number(0.0),
    mean=Tensor("f8", "q"),
    scatter=Tensor("f8", "q q"),
    scale=Tensor("f8", "q"),
)

LINEAR_FIELDS = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "coef_": Tensor("f4 f8", "p", "t p"),
    "intercept_": AnyOf(Number(), Tensor("f4 f8", "t", "1")),
    "_dtype": Choice("float64", "float32"),
    "_single_target": Choice(True, False),
    "_statistics": Optional(STATISTICS),
}


def state_problem(model):
    """What is wrong with the fitted arrays of a model, or None."""
    coef, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
    p = model.n_features_in_
    if coef.ndim not in (1, 2) or coef.shape[-1] != p or coef.dtype.char not in "df":
        return f"coef_ has shape {coef.shape} and dtype {coef.dtype}, expected {p} floats a target"
    targets = 1 if coef.ndim == 1 else len(coef)
    if intercept.shape not in ((), (targets,)):
        return f"intercept_ has shape {intercept.shape}, expected one number a target ({targets})"
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        return "coef_ or intercept_ is not finite"
    if model._single_target and coef.ndim != 1:
        return "coef_ is of several targets where y was a vector"
    return None if model._statistics is None else statistics_problem(model._statistics, p, targets)


def statistics_problem(kept, p, targets):
    """What is wrong with kept statistics of p features, or None."""
    q = p + targets
    shapes = {"mean": (q,), "scale": (q,), "scatter": (q, q)}
    if kept["n_features"] != p or any(np.shape(kept[name]) != shape for name, shape in shapes.items()):
        return f"its statistics are not of {p} features and {targets} targets"
    if not all(np.isfinite(kept[name]).all() for name in shapes) or not 0.0 <= kept["weight"] < np.inf:
        return "its statistics are not finite"
    if not ((kept["scale"] > 0.0).all() and (kept["scatter"].diagonal() >= 0.0).all()):
        return "a scale of its statistics is not positive, or a spread is negative"
    return None if (kept["scatter"] == kept["scatter"].T).all() else "the scatter of its statistics is not symmetric"
