"""Inference for unpenalised quantile regression, in the terms of statsmodels' QuantReg.

The estimates' covariance is ``D^-1 M D^-1 / f^2``, with D the sum of ``x x'`` and f the density of the residuals at
zero, by a kernel of a bandwidth that the level and the number of rows set. M is ``q (1 - q) D`` for errors of one law
(the non-robust covariance, statsmodels' ``vcov="iid"``), or the covariance of the scores ``(q - [e < 0]) x`` (HC0,
statsmodels' ``vcov="robust"``). Rows that the plane goes through count as below it.

References
----------
Koenker (2005), Quantile Regression, sections 3.4 and 4.10.
Hall and Sheather (1988), On the distribution of the Studentized quantile. J. of the Royal Statistical Society B 50.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import affine_map, as_design
from mlwright.base import as_fitted
from mlwright.linear_model._inference.bread import bread as bread_of
from mlwright.linear_model._inference.columns import Columns
from mlwright.linear_model._inference.meat import Scores
from mlwright.linear_model._inference.result import Inference
from mlwright.linear_model._inference.rows import require_fitted_on

_ON_THE_PLANE = 1e3  # epsilons of the size of targets and predictions, below which a residual is rounding

KERNELS = {
    "epanechnikov": lambda u: 0.75 * np.maximum(1.0 - u * u, 0.0),
    "biweight": lambda u: 15.0 / 16.0 * np.maximum(1.0 - u * u, 0.0) ** 2,
    "cosine": lambda u: np.where(np.abs(u) <= 0.5, 1.0 + np.cos(2.0 * np.pi * u), 0.0),
    "gaussian": lambda u: np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi),
    "parzen": lambda u: np.where(
        np.abs(u) <= 0.5,
        4.0 / 3.0 - 8.0 * u * u + 8.0 * np.abs(u) ** 3,
        8.0 * np.maximum(1.0 - np.abs(u), 0.0) ** 3 / 3.0,
    ),
}


def _density(z):
    return np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)


def _hall_sheather(n, z, q):
    reach = special.ndtri(0.975) ** (2.0 / 3.0)
    return n ** (-1.0 / 3.0) * reach * (1.5 * _density(z) ** 2 / (2.0 * z * z + 1.0)) ** (1.0 / 3.0)


def _bofinger(n, z, q):
    return n**-0.2 * (4.5 * _density(2.0 * z) ** 4 / (2.0 * z * z + 1.0) ** 2) ** 0.2


def _chamberlain(n, z, q):
    return special.ndtri(0.975) * np.sqrt(q * (1.0 - q) / n)


BANDWIDTHS = {"hall-sheather": _hall_sheather, "bofinger": _bofinger, "chamberlain": _chamberlain}


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How the density of the residuals at zero is estimated."""

    kernel: str = "epanechnikov"
    bandwidth: str = "hall-sheather"

    def __post_init__(self):
        for name, known in (("kernel", KERNELS), ("bandwidth", BANDWIDTHS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: got {getattr(self, name)!r}, expected one of {', '.join(map(repr, known))}.")

    def sparsity(self, residual, y, w, n, q):
        """One over the density at zero, and the bandwidth.

        Raises
        ------
        ValueError
            For levels so near 0 or 1 that the bandwidth leaves the unit interval, and residuals without spread.
        """
        z = special.ndtri(q)
        h = BANDWIDTHS[self.bandwidth](n, z, q)
        if not 0.0 < q - h < q + h < 1.0:
            raise ValueError(
                f"QuantileRegressor: level {q:g} is within the bandwidth {h:.3g} of the end of the range for {n:g} "
                "observations, where the residuals' density cannot be told; expected more rows or a level nearer 0.5; "
                "for intervals resample the rows."
            )
        low, high = _percentiles(residual, w, (0.25, 0.75))
        mean = np.average(y, weights=w)
        spread = min(np.sqrt(np.average((y - mean) ** 2, weights=w)), (high - low) / 1.34)
        width = spread * (special.ndtri(q + h) - special.ndtri(q - h))
        if not width > 0.0:
            raise ValueError(
                "QuantileRegressor: half of the rows are fitted exactly, so the residuals' density at zero is infinite "
                "and there are no standard errors; expected residuals with a spread."
            )
        each = KERNELS[self.kernel](residual / width)
        total = float(each.sum() if w is None else (w * each).sum())
        if not total > 0.0:
            raise ValueError("QuantileRegressor: no residuals near zero; expected more rows, or kernel='gaussian'.")
        return n * width / total, float(width)


def _percentiles(values, w, shares):
    """With linear interpolation; a weight of 2 is the value twice."""
    if w is None:
        return np.quantile(values, shares)
    order = np.argsort(values, kind="stable")
    last = np.cumsum(w[order]) - 1.0  # position of the last repetition of a value
    at = np.asarray(shares) * last[-1]
    pick = [values[order][np.searchsorted(last, np.floor(at) + step - 1e-9, side="left").clip(max=len(order) - 1)]
            for step in (0, 1)]  # fmt: skip
    return pick[0] + (at - np.floor(at)) * (pick[1] - pick[0])


@dataclass(frozen=True, slots=True)
class QuantileRows:
    """Rows of a fitted model: X, what the kernels read, y of shape (n, 1), weights, and how to smooth residuals."""

    X: object
    design: object
    y: np.ndarray
    w: np.ndarray | None
    smoothing: Smoothing

    @classmethod
    def of(cls, rows, w, smoothing=Smoothing()):
        X = rows.X.tocsr() if rows.is_sparse else rows.X
        return cls(X, as_design(X), rows.y, w, smoothing)


def infer(model, levels, params, rows, kind, use_t):
    """The :class:`Inference` of each level of a fitted model, with weights as frequencies; `params` (levels, k)."""
    subject, k = type(model).__name__, params.shape[1]
    n = float(len(rows.y) if rows.w is None else rows.w.sum())
    if not n > k:
        raise ValueError(
            f"{subject}: {n:g} observations and {k} parameters leave no degrees of freedom for standard errors; "
            "expected more observations, or fewer features."
        )
    statistics = FoldStatistics.of_rows(rows.design, np.empty((len(rows.y), 0)), rows.w)
    intercept = bool(as_fitted(model, "fit_intercept"))
    bread = bread_of(statistics, intercept, model._parameter_names(), rows.X, rows.w, subject=subject)
    fit = _Fit(model, rows, statistics, bread, kind, True if use_t is None else bool(use_t), n, k)
    return [fit.level(q, b) for q, b in zip(levels, params, strict=True)]


@dataclass(frozen=True, slots=True)
class _Fit:
    """What all levels have in common."""

    model: object
    rows: QuantileRows
    statistics: object
    bread: object
    kind: object
    use_t: bool
    n: float
    k: int

    def level(self, q, params):
        y, w, kind, a = self.rows.y[:, 0], self.rows.w, self.kind, int(as_fitted(self.model, "fit_intercept"))
        residual = self._residuals(params[a:], params[0] if a else 0.0)
        self._require_optimum(q, residual)
        sparsity, bandwidth = self.rows.smoothing.sparsity(residual, y, w, self.n, q)
        if kind.cov_type == "nonrobust":
            covariance = self.bread.inverse() * (q * (1.0 - q))
        else:
            scores = Scores(self.bread.X, np.where(residual > 0.0, q, q - 1.0), w)
            covariance = kind.robust(self.bread, scores, self.n, self.k, self.bread.leverages)
        cov_params, std_errors = self.bread.to_original(covariance)
        kind.require_variances(std_errors)
        return Inference(
            names=("intercept",) * a + tuple(self.model._parameter_names()),
            slopes=np.arange(self.k) >= a,
            params=params,
            std_errors=std_errors * sparsity,
            cov_params=cov_params * sparsity**2,
            model=f"{type(self.model).__name__} (level {q:g})",
            cov_type=kind.cov_type,
            description=kind.description,
            use_t=self.use_t,
            df_tests=kind.freedom(self.n - self.k),
            n_obs=self.n,
            df_model=self.k - a,
            df_resid=self.n - self.k,
            dispersion=1.0,
            log_likelihood=None,
            n_estimated=self.k,
            figures={
                "pseudo_r_squared": self._pseudo_r_squared(q, residual),
                "sparsity": sparsity,
                "bandwidth": bandwidth,
            },
        )

    def _residuals(self, coef, intercept):
        """Zero where they are rounding."""
        y = self.rows.y[:, 0]
        fitted = affine_map(self.rows.design, coef[None, :], np.array([intercept]))[:, 0]
        size = np.abs(affine_map(self.rows.design, coef[None, :], np.zeros(1))[:, 0]) + abs(intercept) + np.abs(y)
        rounding = _ON_THE_PLANE * np.finfo(self.model.coef_.dtype).eps * size.max()
        residual = y - fitted
        residual[np.abs(residual) <= rounding] = 0.0
        return residual

    def _require_optimum(self, q, residual):
        """The scores of the rows off the plane are what those on it can make up for."""
        a, w = int(as_fitted(self.model, "fit_intercept")), self.rows.w
        on = np.flatnonzero(residual == 0.0)
        score = np.where(residual > 0.0, q, q - 1.0)
        score[on] = 0.0
        part = self.rows.X[on]
        part = part.toarray() if sparse.issparse(part) else part
        reach = np.abs(Columns.of(self.statistics, a).of_rows(part))
        loose = max(q, 1.0 - q) * (reach if w is None else reach * w[on, None]).sum(axis=0)
        total, size = score if w is None else w * score, np.ones(len(score))
        require_fitted_on(self.model, self.rows, total, self.statistics, a, size, loose)

    def _pseudo_r_squared(self, q, residual):
        """Koenker and Machado's: against the quantile of the targets alone."""
        y, w = self.rows.y[:, 0], self.rows.w
        null = y - _percentiles(y, w, (q,))[0]
        full, alone = (np.average(np.maximum(q * e, (q - 1.0) * e), weights=w) for e in (residual, null))
        return float(1.0 - full / alone) if alone > 0.0 else float(full == 0.0)
