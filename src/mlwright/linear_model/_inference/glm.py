"""Inference for unpenalised generalized linear models of one score, from their rows.

With m the mean, m' and m'' its derivatives in the score and V the variance function, a row's score is
``(y - m) m' / V``; its expected information is ``m'^2 / V``, from which the model's own covariance comes, and its
observed information adds ``-(y - m) (m' / V)'``, from which robust ones do: statsmodels' choices.

Reference: McCullagh and Nelder (1989), Generalized Linear Models, chapter 2.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright.base import as_fitted
from mlwright.linear_model._glm._laws import pearson_dispersion
from mlwright.linear_model._inference.bread import bread as bread_of
from mlwright.linear_model._inference.meat import Scores
from mlwright.linear_model._inference.result import Inference
from mlwright.linear_model._inference.rows import require_fitted_on


@dataclass(frozen=True, slots=True)
class GlmRows:
    """Rows of a fitted model: X, what the kernels read, y of shape (n, 1), weights, scores (n,) or (n, n_classes)."""

    X: object
    design: object
    y: np.ndarray
    w: np.ndarray | None
    eta: np.ndarray
    has_offset: bool = False


def mean_and_slopes(link, eta):
    """The mean and its first and second derivative in the score."""
    if link == "identity":
        return eta, np.ones_like(eta), np.zeros_like(eta)
    if link == "log":
        mean = np.exp(eta)
        return mean, mean, mean
    if link == "logit":
        mean, other = special.expit(eta), special.expit(-eta)
        return mean, mean * other, mean * other * (other - mean)
    if link == "probit":
        density = np.exp(-0.5 * eta * eta) / np.sqrt(2.0 * np.pi)
        return special.ndtr(eta), density, -eta * density
    if link == "cloglog":
        slope = np.exp(eta - np.exp(eta))
        return -np.expm1(-np.exp(eta)), slope, slope * (1.0 - np.exp(eta))
    if link == "inverse_squared":
        mean = eta**-0.5
        return mean, -0.5 * mean**3, 0.75 * mean**5
    return 1.0 / eta, -1.0 / eta**2, 2.0 / eta**3  # inverse


def _variance_and_slope(law, mean, eta):
    """The variance function and its derivative in the mean."""
    name, parameter = law.name, law.parameter
    if name == "binomial":
        other = special.ndtr(-eta) if law.link == "probit" else 1.0 - mean
        other = special.expit(-eta) if law.link == "logit" else other
        return mean * (np.exp(-np.exp(eta)) if law.link == "cloglog" else other), 1.0 - 2.0 * mean
    slope = {
        "normal": lambda: np.zeros_like(mean),
        "poisson": lambda: np.ones_like(mean),
        "gamma": lambda: 2.0 * mean,
        "inverse_gaussian": lambda: 3.0 * mean**2,
        "negative_binomial": lambda: 1.0 + 2.0 * parameter * mean,
        "tweedie": lambda: parameter * mean ** (parameter - 1.0),
    }[name]()
    return law.family.variance(mean, parameter), slope


def expected_information(law, eta):
    """Of each row, on its score."""
    mean, slope, _ = mean_and_slopes(law.link, eta)
    return slope**2 / _variance_and_slope(law, mean, eta)[0]


def log_likelihood(law, y, mean, dispersion, repeats):
    """Of independent rows; None for Tweedie laws, whose density has no closed form, and for perfect fits."""
    a, dispersion = law.parameter, np.float64(dispersion)
    each = {
        "normal": lambda: -0.5 * ((y - mean) ** 2 / dispersion + np.log(2.0 * np.pi * dispersion)),
        "binomial": lambda: special.xlogy(y, mean) + special.xlog1py(1.0 - y, -mean),
        "poisson": lambda: special.xlogy(y, mean) - mean - special.gammaln(y + 1.0),
        "gamma": lambda: (
            np.log(y / mean / dispersion) / dispersion
            - y / mean / dispersion
            - special.gammaln(1.0 / dispersion)
            - np.log(y)
        ),
        "inverse_gaussian": lambda: (
            -0.5 * ((y - mean) ** 2 / (dispersion * y * mean**2) + np.log(2 * np.pi * dispersion * y**3))
        ),
        "negative_binomial": lambda: (
            special.xlogy(y, a * mean / (1.0 + a * mean))
            - np.log1p(a * mean) / a
            + special.gammaln(y + 1.0 / a)
            - special.gammaln(y + 1.0)
            - special.gammaln(1.0 / a)
        ),
    }
    if law.name not in each:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        values = each[law.name]()
        total = float(values.sum() if repeats is None else (repeats * values)[repeats > 0.0].sum())
    return total if np.isfinite(total) else None  # no dispersion: a density at every row


def infer(model, law, rows, kind, use_t, *, more_parameters=0, check=True):
    """The :class:`Inference` of a fitted model, with weights as frequencies; `check` that it was fitted on the rows."""
    subject, a = type(model).__name__, int(as_fitted(model, "fit_intercept"))
    y, w, (names, params) = rows.y[:, 0], rows.w, model._names_and_params()
    k = len(params)
    n = float(len(y) if w is None else w.sum())
    if not n > k:
        raise ValueError(
            f"{subject}: {n:g} observations and {k} parameters leave no degrees of freedom for standard errors; "
            "expected more observations, or fewer features."
        )
    mean, slope, bend = mean_and_slopes(law.link, rows.eta)
    variance, variance_slope = _variance_and_slope(law, mean, rows.eta)
    score = (y - mean) * slope / variance
    information = slope**2 / variance
    if kind.cov_type != "nonrobust":
        information = information - (y - mean) * (bend / variance - slope**2 * variance_slope / variance**2)
    bread = _bread(subject, bool(a), names[a:], rows, information)
    if check:
        statistics = FoldStatistics.of_rows(rows.design, np.ones((len(y), 0)), w)
        require_fitted_on(model, rows, score if w is None else w * score, statistics, a, y)
    dispersion = pearson_dispersion(law, y, mean, w, n - k)
    if kind.cov_type == "nonrobust":
        covariance = bread.inverse() * dispersion
    else:
        scores = Scores(bread.X, score, w)
        covariance = kind.robust(bread, scores, n, k, lambda: bread.leverages() * information)
    cov_params, std_errors = bread.to_original(covariance)
    kind.require_variances(std_errors)
    spread = dispersion * (n - k) / n if (law.name, law.link) == ("normal", "identity") else dispersion
    return Inference(
        names=names,
        slopes=np.arange(k) >= a,
        params=params.astype(np.float64),
        std_errors=std_errors,
        cov_params=cov_params,
        model=f"{subject} ({law.name}, {law.link})",
        cov_type=kind.cov_type,
        description=kind.description,
        use_t=bool(use_t),
        df_tests=kind.freedom(n - k),
        n_obs=n,
        df_model=k - a,
        df_resid=n - k,
        dispersion=dispersion,
        log_likelihood=log_likelihood(law, y, mean, spread, w),
        n_estimated=k + more_parameters,
        fingerprint=(n, *_moments(y, w)),
    )


def _moments(y, w):
    return (float((y if w is None else w * y).sum()), float((y * y if w is None else w * y * y).sum()))


def _bread(subject, intercept, names, rows, information):
    weight = information if rows.w is None else rows.w * information
    if not np.isfinite(weight).all() or weight.max(initial=0.0) <= 0.0:
        raise ValueError(
            f"{subject}: the information of the rows is not finite or zero: means are at the end of their range, as "
            "where classes are separable; expected a fit with a finite optimum; penalise, or drop what separates."
        )
    statistics = _signed_statistics(rows.design, weight, intercept)
    X = rows.X if (weight >= 0.0).all() else None  # a negative information has no square root
    bread = bread_of(statistics, intercept, names, X, weight, subject=subject)
    return bread if X is not None else bread.with_rows(rows.X)


def _signed_statistics(design, weight, intercept):
    """Statistics of rows of which some have a negative weight.

    Moments about the mean stay those of a matrix that is positive definite with its intercept. Without one they may
    be negative where those about zero are not, which sums over rows do not look for: so they are taken about zero.
    """
    empty = np.empty((len(weight), 0))
    if intercept or (weight >= 0.0).all():
        return FoldStatistics.of_rows(design, empty, weight)
    above, below = (FoldStatistics.of_rows(design, empty, np.maximum(sign * weight, 0.0)) for sign in (1.0, -1.0))
    (more, scale), (less, other) = above.moments(False), below.moments(False)
    second = more - less * np.multiply.outer(scale / other, scale / other)
    return FoldStatistics(above.n_features, above.n_rows, above.weight, np.zeros_like(above.mean), second, scale)
