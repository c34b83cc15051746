"""What is uncertain of the scores of new rows, where there are few rows for the coefficients.

The coefficients have about the covariance ``phi (X' W X + l2)^-1``, W the rows' expected information and phi the
dispersion; under a penalty that is the posterior's, of the prior that the penalty stands for. A new observation of mean
m then has the variance ``phi V(m) + (m' s)^2``, s^2 that of its score, and its law is taken to be the family's with the
dispersion that has this variance; of counts the negative binomial, of the normal law Student's t, whose longer tails an
estimated dispersion gives other laws, too; with the degrees of freedom that the dispersion is known to.

Reference: Gelman and others (2013), Bayesian Data Analysis, third edition, sections 4.1 and 14.2.
"""

import numpy as np
from scipy import special

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import as_design
from mlwright.io.composite import Maybe, Optional, Record
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._glm._families import law_of
from mlwright.linear_model._glm._laws import quantile
from mlwright.linear_model._inference.glm import expected_information, mean_and_slopes
from mlwright.linear_model._interval import effective_parameters, inverse_root, quadratic
from mlwright.linear_model._system import Problem

FEW = 30  # rows a coefficient: from there on a thirtieth of the variance, worth less than another pass of a small fit
MOST_PARAMETERS = 512  # of a covariance that a model keeps
_NONE = 1e-9  # of the variance

#: To stand in the ``_model_state`` of an estimator that keeps what :func:`uncertainty_of` finds.
UNCERTAINTY = {
    "_uncertainty": Maybe(
        Optional(
            Record(
                root=Tensor("f8", "u *"), centre=Tensor("f8", "u"), of_mean=Number(0.0), freedom=Number(finite=False)
            )
        )
    )
}


def uncertainty_of(law, X, eta, w, coef, l2, intercept):
    """What a fit keeps, as a fitted attribute; None for many rows a coefficient, or too many coefficients.

    `freedom` are the rows less what the coefficients under the penalty count as, of which a dispersion may leave fewer.
    """
    used = np.flatnonzero(coef)
    total, count = float(len(eta) if w is None else w.sum()), len(used) + bool(intercept)
    if total >= FEW * count or count > MOST_PARAMETERS:
        return None
    information = expected_information(law, eta)
    weight = information if w is None else w * information
    X = X.tocsr() if hasattr(X, "tocsr") else X
    sums = FoldStatistics.of_rows(as_design(X[:, used]), np.empty((len(eta), 0)), weight)
    if sums is None or not sums.weight > 0.0:  # means at the end of their range
        return None
    problem = Problem.of(sums, intercept)
    own = inverse_root(problem, l2) if len(used) else np.zeros((0, 1))
    root, centre = np.zeros((len(coef), own.shape[1])), np.zeros(len(coef))
    root[used], centre[used] = own, sums.mean if intercept else 0.0
    freedom = total - effective_parameters(problem, own) - bool(intercept)
    return {"root": root, "centre": centre, "of_mean": 1.0 / sums.weight if intercept else 0.0, "freedom": freedom}


def uncertain_quantile(law, eta, dispersion, level, X, kept):
    """The quantile of new observations at scores `eta` of the rows X."""
    mean, slope, _ = mean_and_slopes(law.link, eta)
    spread = quadratic(X, kept["centre"], kept["root"]) + kept["of_mean"]
    if law.family.dispersed:
        spread *= dispersion
    more = slope * slope * spread
    if law.name == "normal":
        return mean + special.stdtrit(kept["freedom"], level) * np.sqrt(dispersion + more)
    if law.family.dispersed:  # at the normal law's level of Student's quantile: the dispersion is estimated, too
        level = special.ndtr(special.stdtrit(kept["freedom"], level))
        return quantile(law, mean, dispersion + more / law.family.variance(mean, law.parameter), level)
    if law.name == "binomial":
        return quantile(law, mean, dispersion, level)
    alpha = more / (mean * mean) + (law.parameter if law.name == "negative_binomial" else 0.0)
    counts = law_of("negative_binomial", "log", dispersion=1.0)
    out = quantile(law, mean, dispersion, level)
    at = alpha * mean > _NONE
    if at.any():
        out[at] = quantile(counts.with_parameter(alpha[at]), mean[at], dispersion, level)
    return out
