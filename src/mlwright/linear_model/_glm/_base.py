"""What generalized linear models share: rows, certificates, scores of new rows, declared state."""

import warnings
from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from mlwright._kernels import glm
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._runtime.errors import ModelFormatError, NumericalError
from mlwright._validation import explain_not_finite, require_finite, rows_for_predict
from mlwright.io.composite import Maybe
from mlwright.io.schema import Number, Size, Strings
from mlwright.linear_model._certificate import certificate_fields, keep_certificate
from mlwright.linear_model._glm._coded_table import CodedTable
from mlwright.linear_model._sparse_coef import dense_coef

#: Certificates, and what every model here is described by in a file.
COMMON_FIELDS = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    **certificate_fields("kkt_violation_", value=Number(0.0, finite=False), objective=Number(), n_passes=Number(0.0)),
}


def usable_weights(sample_weight, X):
    """Weights as float64, or None; ValueError where all are zero."""
    if sample_weight is None:
        return None
    w = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not w.any():
        raise ValueError("sample_weight: all weights are zero, expected one row or more of positive weight.")
    return w


def checked_offset(offset, n, name="offset", n_classes=2):
    """An offset of the scores as float64, or None; with more than two classes, of the score of each."""
    if offset is None:
        return None
    offset = _as_numbers(offset, name)
    if n_classes > 2 and offset.shape != (n, n_classes):
        raise ValueError(
            f"{name}: got shape {offset.shape}, expected one number a row and class, ({n}, {n_classes}), in the order "
            "of classes_; zeros where a class has none."
        )
    if n_classes <= 2 and offset.shape != (n,):
        raise ValueError(f"{name}: got shape {offset.shape}, expected one number a row, ({n},).")
    if not np.isfinite(offset).all():
        row = int(np.argwhere(~np.isfinite(offset))[0, 0])
        raise ValueError(f"{name}: row {row} is {offset[row]}, expected finite numbers; remove or correct such rows.")
    return offset


def _as_numbers(values, name):
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "biufO":  # text, dates and complex numbers would become numbers
            raise TypeError
        return given.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: got {type(values).__name__} of what is no number, expected numbers.") from None


def scores_of(model, X):
    """``X coef_' + intercept_`` of new rows; float64 of shape (n, rows of ``coef_``)."""
    if not hasattr(model, "coef_"):
        check_is_fitted(model)
    coef, intercept = np.atleast_2d(dense_coef(model)), model.intercept_
    X, finite = rows_for_predict(model, X)
    if sparse.issparse(X):
        return np.asarray(X @ coef.T.astype(np.float64)) + intercept
    out = affine_map(as_design(X), coef, np.broadcast_to(np.asarray(intercept, dtype=np.float64), (len(coef),)))
    if not finite and not np.isfinite(out).all():
        require_finite(model, X)
    return out


def scores_of_fitted(model, rows):
    """The scores of the rows that a fit has validated; float64 of shape (n, rows of ``coef_``)."""
    coef, intercept = np.atleast_2d(model.coef_), np.asarray(model.intercept_, dtype=np.float64)
    if rows.is_sparse:
        return np.asarray(rows.X @ coef.T.astype(np.float64)) + intercept
    return affine_map(rows.design, coef, np.broadcast_to(intercept, (len(coef),)))


def certify(model, solution, rows):
    """Certificates of a fit, set on the model; an error for data that are not finite, a warning without certificate."""
    keep_solution(model, solution, rows)
    warn_unless_certified(model, solution, stacklevel=5)


def keep_solution(model, solution, rows):
    """Certificates of a fit, set on the model; an error for data that are not finite."""
    if solution.status == glm.NOT_FINITE:
        explain(model, rows)
    keep_certificate(
        model,
        objective=float(solution.objective),
        kkt_violation=solution.violation,
        converged=solution.converged,
        n_passes=float(solution.n_passes),
    )


def warn_unless_certified(model, solution, stacklevel=4):
    """A ConvergenceWarning that says why, where there is no certificate."""
    if not model.converged_:
        warnings.warn(_reason(model, solution), ConvergenceWarning, stacklevel=stacklevel)


def explain(model, rows):
    """Raise the error of rows whose objective is not finite."""
    if isinstance(rows.X, CodedTable):  # what is wrong with rows is seen in the numbers
        numbers = rows.X.numbers
        rows = replace(rows, X=numbers if numbers.shape[1] else np.zeros((len(numbers), 1)))
    try:
        explain_not_finite(model, rows)
    except NumericalError as error:
        raise NumericalError(
            f"{type(model).__name__}: the objective is not finite although the data are; expected scores within the "
            "domain of the link and magnitudes below 1e150; use the log link, fit an intercept, or rescale X or y."
        ) from error


def _reason(model, solution):
    name, violation = type(model).__name__, f"kkt_violation_ is {solution.violation:.1e}"
    if solution.status == glm.DIVERGING:
        return (
            f"{name}: there is no finite optimum: some direction of the coefficients lowers the loss without end, as "
            "where classes are separable by the features or a category has only zero counts; the coefficients are "
            "those where the loss stopped to change. Penalise (a smaller C, alpha above 0), or drop the features that "
            "separate."
        )
    if solution.converged:
        return f"{name}: the dispersion has not settled; give one by dispersion=..., or the family 'poisson' for none."
    if solution.status == glm.ITERATIONS:
        return f"{name}: max_iter reached with the optimum not certified, {violation}; increase max_iter or tol."
    return (
        f"{name}: no step lowers the objective although {violation}; the limit of float64 is reached (increase tol), "
        "or the best means are at the end of the family's range (use a link that keeps them inside, as the logarithm)."
    )


def refuse(model, problem):
    """ModelFormatError for a state that does not fit."""
    raise ModelFormatError(f"{type(model).__name__}: {problem}; the file is damaged or not written by mlwright.")
