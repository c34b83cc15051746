"""Inference for least squares, from the sums that the fit kept and, where asked for, from the rows."""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import affine_map
from mlwright._validation import explain_not_finite
from mlwright.base import as_fitted
from mlwright.linear_model._inference.bread import bread as bread_of
from mlwright.linear_model._inference.meat import Scores
from mlwright.linear_model._inference.result import Inference
from mlwright.linear_model._inference.rows import require_fitted_on
from mlwright.linear_model._interval import residual_squares
from mlwright.linear_model._system import Problem


@dataclass(frozen=True, slots=True)
class _Fit:
    """What all targets have in common."""

    model: object
    statistics: FoldStatistics
    rows: object
    precision: bool
    bread: object
    n: float

    @property
    def intercept(self):
        return int(as_fitted(self.model, "fit_intercept"))

    @property
    def k(self):
        return self.statistics.n_features + self.intercept

    @property
    def repeats(self):
        return None if self.precision else self.rows.w

    def factor(self):
        """Of a residual in its score."""
        return self.rows.w if self.precision and self.rows.w is not None else 1.0

    def leverage(self):
        """Of one observation."""
        leverage = self.bread.leverages()
        return leverage * self.factor()


def infer(model, rows, kind, use_t, weights):
    """The :class:`Inference` of each target of a fitted least-squares model."""
    subject = type(model).__name__
    statistics = _statistics(model, rows)
    precision = weights == "precision"
    if precision and rows is None:
        raise ValueError(
            f"{subject}: weights='precision' counts rows, which the fit did not keep; expected inference(X, y, "
            "sample_weight, weights='precision')."
        )
    n = float(_count(rows) if precision else statistics.weight)
    names = model._parameter_names()
    a = bool(as_fitted(model, "fit_intercept"))
    k = statistics.n_features + a
    if not n > k:
        raise ValueError(
            f"{subject}: {n:g} observations and {k} parameters leave no degrees of freedom for standard errors; "
            "expected more observations; use a model with a penalty or a prior, as BayesianRidge."
        )
    X, w = (None, None) if rows is None else (rows.X, rows.w)
    bread = bread_of(statistics, a, names, X, w, subject=subject)
    _require_full_rank(model, statistics.n_features)
    fit = _Fit(model, statistics, rows, precision, bread, n)
    coef = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    intercept = np.broadcast_to(np.asarray(model.intercept_, dtype=np.float64), len(coef))
    residuals = None if rows is None else rows.y - affine_map(rows.design, coef, intercept)
    results = [
        _target(fit, t, coef[t], intercept[t], None if rows is None else residuals[:, t], kind, use_t)
        for t in range(len(coef))
    ]
    return results[0] if model._single_target else results


def _target(fit, t, coef, intercept, residual, kind, use_t):
    a, n, k = fit.intercept, fit.n, fit.k
    problem = Problem.of(fit.statistics, a)
    if residual is None:
        rss = residual_squares(problem, coef, t)
    else:
        w = fit.rows.w
        rss = float((residual * residual).sum() if w is None else (w * residual * residual).sum())
        total = residual if w is None else w * residual
        require_fitted_on(fit.model, fit.rows, total, fit.statistics, a, fit.rows.y[:, t])
    tss = problem.square[t] / problem.y_scale[t] ** 2
    if kind.cov_type == "nonrobust":
        covariance = fit.bread.inverse() * (rss / (n - k))
    else:
        scores = Scores(fit.bread.X, residual * fit.factor(), fit.repeats)
        covariance = kind.robust(fit.bread, scores, n, k, fit.leverage)
    cov_params, std_errors = fit.bread.to_original(covariance)
    kind.require_variances(std_errors)
    return Inference(
        names=("intercept",) * a + tuple(fit.model._parameter_names()),
        slopes=np.arange(k) >= a,
        params=np.concatenate([np.full(a, intercept), coef]),
        std_errors=std_errors,
        cov_params=cov_params,
        model=type(fit.model).__name__,
        cov_type=kind.cov_type,
        description=kind.description,
        use_t=kind.cov_type == "nonrobust" if use_t is None else bool(use_t),
        df_tests=kind.freedom(n - k),
        n_obs=n,
        df_model=k - a,
        df_resid=n - k,
        dispersion=rss / (n - k),
        log_likelihood=_log_likelihood(fit, rss),
        n_estimated=k,
        fingerprint=(n, fit.statistics.weight, _size_of_target(fit.statistics, t)),
        figures=_r_squared(rss, tss, n, k, a),
    )


def _size_of_target(statistics, t):
    """Root of the sum of squares of target t, about zero: the same whatever the model's columns and intercept."""
    q = statistics.n_features + t
    return float(np.hypot(np.sqrt(statistics.scatter[q, q]) / statistics.scale[q],
                          np.sqrt(statistics.weight) * statistics.mean[q]))  # fmt: skip


def _require_full_rank(model, p):
    if getattr(model, "rank_", p) < p:
        raise ValueError(
            f"{type(model).__name__}: fitted with rank {model.rank_} of {p} columns, since singular values below tol="
            f"{model.tol:g} times the largest count as zero, so the coefficients are not those of least squares; "
            "expected full rank; lower tol, or bring the columns to similar scales."
        )


def _statistics(model, rows):
    """Of the rows that the model was fitted on: those that it kept, else those of the rows given."""
    kept = model._get_statistics()
    if rows is None:
        return model._required_statistics("inference without X and y")
    if kept is None:
        made = FoldStatistics.of_rows(rows.design, rows.y, rows.w)
        if made is None:
            explain_not_finite(model, rows)
        return made
    weight = len(rows.y) if rows.w is None else rows.w.sum()
    if rows.y.shape[1] != kept.n_targets or abs(weight - kept.weight) > 1e-9 * kept.weight:
        raise ValueError(
            f"{type(model).__name__}: got {len(rows.y)} rows of weight {weight:g} and {rows.y.shape[1]} targets, "
            f"expected what the model was fitted on: weight {kept.weight:g} and {kept.n_targets} targets."
        )
    return kept


def _count(rows):
    return len(rows.y) if rows.w is None else int((rows.w > 0.0).sum())


def _log_likelihood(fit, rss):
    """Of normal errors, at the estimates and the variance ``rss / n``."""
    n = fit.n
    with np.errstate(divide="ignore"):
        value = -0.5 * n * (np.log(2.0 * np.pi * rss / n) + 1.0)
    if fit.precision and fit.rows.w is not None:
        value += 0.5 * np.log(fit.rows.w[fit.rows.w > 0.0]).sum()
    return float(value)


def _r_squared(rss, tss, n, k, a):
    with np.errstate(divide="ignore", invalid="ignore"):
        r_squared = 1.0 - np.float64(rss) / tss
    adjusted = 1.0 - (n - a) / (n - k) * (1.0 - r_squared)
    return {"r_squared": float(r_squared), "r_squared_adjusted": float(adjusted)}
