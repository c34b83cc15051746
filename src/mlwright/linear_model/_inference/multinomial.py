"""Inference for unpenalised multinomial logistic regression, in the terms of statsmodels' MNLogit.

The scores of classes matter only by their differences, so the parameters here are those of each class less those of
the first. With p the probabilities of a row, the score of class a is ``(y_a - p_a) x`` and the information of classes a
and b ``p_a (delta_ab - p_b) x x'``: expected and observed information are the same.

Reference: McCullagh and Nelder (1989), Generalized Linear Models, chapter 5.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._runtime.lapack import eigh
from mlwright.base import as_fitted
from mlwright.linear_model._inference.bread import bread as bread_of
from mlwright.linear_model._inference.meat import ClassScores, second_moment
from mlwright.linear_model._inference.result import Inference
from mlwright.linear_model._inference.rows import require_fitted_on
from mlwright.linear_model._sparse_coef import dense_coef

_LEAST_PIVOT = 1e-11  # of the information in units of its diagonal: below it is rounding


@dataclass(frozen=True, slots=True)
class ClassBread:
    """The inverse of the joint information, in the columns of `design`, the bread of the design alone."""

    design: object
    root: np.ndarray

    @property
    def columns(self):
        return self.design.columns

    def inverse(self):
        return self.root @ self.root.T

    def sandwich(self, meat):
        inverse = self.inverse()
        return inverse @ meat @ inverse

    def to_original(self, covariance):
        columns = self.design.outer or self.design.columns
        return columns.several_to_original(covariance, self.design.rotation)


def infer(model, rows, kind, use_t, *, check=True):
    """The :class:`Inference` of all classes but the first; ``rows.y`` are numbers of classes."""
    subject, a = type(model).__name__, int(as_fitted(model, "fit_intercept"))
    codes, w = rows.y[:, 0].astype(np.intp), rows.w
    others = len(model.classes_) - 1
    k = (rows.X.shape[1] + a) * others
    n = float(len(codes) if w is None else w.sum())
    _require(subject, n, k, kind)
    p = special.softmax(rows.eta, axis=1)
    score = -p[:, 1:]
    score[np.flatnonzero(codes), codes[codes > 0] - 1] += 1.0
    statistics = FoldStatistics.of_rows(rows.design, np.empty((len(codes), 0)), w)
    for c in range(others if check else 0):
        total = score[:, c] if w is None else w * score[:, c]
        require_fitted_on(model, rows, np.ascontiguousarray(total), statistics, a, np.ones(len(codes)))
    of_class, _ = _of_classes(model)
    design = bread_of(statistics, bool(a), of_class[a:], rows.X, w, subject=subject)
    bread = ClassBread(design, _root(_information(design, p[:, 1:], w), subject))
    scores = ClassScores(design.X, score, w)
    covariance = bread.inverse() if kind.cov_type == "nonrobust" else kind.robust(bread, scores, n, k)
    cov_params, std_errors = bread.to_original(covariance)
    kind.require_variances(std_errors)
    names, params = names_and_params(model)
    log_p = special.log_softmax(rows.eta, axis=1)[np.arange(len(codes)), codes]
    log_likelihood = float(log_p.sum() if w is None else (w * log_p)[w > 0.0].sum())
    return Inference(
        names=names,
        slopes=np.tile(np.arange(k // others) >= a, others),
        params=params,
        std_errors=std_errors,
        cov_params=cov_params,
        model=f"{subject} (multinomial, against {model.classes_[0]})",
        cov_type=kind.cov_type,
        description=kind.description,
        use_t=bool(use_t),
        df_tests=kind.freedom(n - k),
        n_obs=n,
        df_model=k - a * others,
        df_resid=n - k,
        dispersion=1.0,
        log_likelihood=log_likelihood,
        n_estimated=k,
        n_sets=others,
        fingerprint=(n, *_shares(codes, w, others + 1)),
        # Of nothing but intercepts beside an offset the likelihood is that of another fit, which is not made.
        figures={} if rows.has_offset else _pseudo_r_squared(log_likelihood, _shares(codes, w, others + 1), a),
    )


def _require(subject, n, k, kind):
    if kind.cov_type in ("HC2", "HC3"):
        raise ValueError(
            f"cov_type={kind.cov_type!r}: a row of several classes has no single leverage; expected 'HC0' or 'HC1'."
        )
    if not n > k:
        raise ValueError(
            f"{subject}: {n:g} observations and {k} parameters leave no degrees of freedom for standard errors; "
            "expected more observations, or fewer features or classes."
        )


def names_and_params(model):
    """Of every class but the first: its coefficients less the first's."""
    names, each = _of_classes(model)
    return tuple(f"{label}: {name}" for label in model.classes_[1:] for name in names), (each[1:] - each[0]).ravel()


def _of_classes(model):
    """Names of the parameters of one class, and the parameters of all, (n_classes, k)."""
    a = bool(as_fitted(model, "fit_intercept"))
    names = ("intercept",) * a + tuple(model._parameter_names())
    coef, intercept = np.asarray(dense_coef(model), dtype=np.float64), np.asarray(model.intercept_, dtype=np.float64)
    return model._identified(names, np.column_stack([intercept, coef]) if a else coef)


def _information(design, p, w):
    """Of all classes but the first, whose probabilities are `p`, in the columns of the design."""
    others = p.shape[1]
    k = len(design.columns.scale) + design.columns.intercept
    out = np.empty((others, k, others, k))
    for a in range(others):
        for b in range(a, others):
            weight = p[:, a] * (1.0 - p[:, a]) if a == b else p[:, a] * p[:, b]
            block = second_moment(design.X, weight if w is None else w * weight, design.columns)
            out[a, :, b] = out[b, :, a] = block if a == b else -block
    return out.reshape(others * k, others * k)


def _root(information, subject):
    """R with ``R R'`` the inverse."""
    diagonal = information.diagonal()
    if np.isfinite(information).all() and (diagonal > 0.0).all():
        unit = 1.0 / np.sqrt(diagonal)
        values, vectors = eigh(information * np.multiply.outer(unit, unit))
        if values[0] > _LEAST_PIVOT * values[-1]:
            return vectors / np.sqrt(values) * unit[:, None]
    raise ValueError(
        f"{subject}: the information of the rows is zero or singular: probabilities are at the end of their range, as "
        "where classes are separable; expected a fit with a finite optimum; penalise, or drop what separates."
    )


def _shares(codes, w, n_classes):
    return tuple(np.bincount(codes, w, n_classes).astype(np.float64).tolist())


def _pseudo_r_squared(log_likelihood, counts, a):
    """McFadden's, against the model of nothing but intercepts."""
    counts = np.array(counts)
    null = float(special.xlogy(counts, counts / counts.sum()).sum()) if a else -counts.sum() * np.log(len(counts))
    return {"pseudo_r_squared": 1.0 - log_likelihood / null, "log_likelihood_null": null} if null < 0.0 else {}
