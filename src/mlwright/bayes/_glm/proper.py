"""Whether the posterior of a generalized linear model is proper, where the prior of its intercept is flat."""

import numpy as np

from mlwright._kernels import glm_density as gd


def require_proper(problem, name):
    """ValueError where the posterior is improper."""
    if not problem.fit_intercept:
        return
    rows = slice(None) if problem.w is None else problem.w > 0.0
    y = problem.y[rows]
    low, high = float(y.min()), float(y.max())
    if problem.law.name in ("poisson", "negative_binomial") and high <= 0.0:
        raise ValueError(
            f"{name}: got y from {low:g} to {high:g}, expected counts that are not negative, not all of them 0: else "
            "the posterior of the intercept is improper."
        )
    if problem.law.name != "binomial":
        return
    if low == high and low in (0.0, 1.0):
        raise ValueError(
            f"{name}: got y that is {low:g} in every row, expected some of each class (1 class makes the posterior of "
            "the intercept improper)."
        )
    _require_no_separation(problem, rows, y, name)


def _require_no_separation(problem, rows, y, name):
    """A coefficient b of a column with a gap between the classes leaves the intercept a range that grows with b.

    The integral of b's prior times b must be finite: it is not where tails are as heavy as Cauchy's. Of several columns
    that separate only together, the product of priors is light enough. So with effects of groups and their scale.
    """
    prior = problem.prior
    heavy = prior.shape == gd.STUDENT_T and prior.freedom <= 1.0
    heavy = heavy or (prior.shape == gd.HORSESHOE and prior.slab == 0.0)
    if heavy and (separating := _separating_column(problem.X[rows], y)) is not None:
        raise ValueError(
            f"{name}: column {separating} of the coefficients' columns separates the classes, and with a prior whose "
            "tails are as heavy as Cauchy's the posterior is improper; expected prior='normal', 'laplace', or "
            "'student_t' with more than 1 degree of freedom; a horseshoe needs slab_scale."
        )
    for t, term in enumerate(problem.terms):
        if term.column is None and term.freedom <= 1.0 and _levels_are_pure(term.level[rows], y):
            raise ValueError(
                f"{name}: every level of the groups of effect {t} is of one class, and with "
                "group_prior='half_cauchy' the posterior is improper; expected group_prior='half_student_t' or "
                "'half_normal'."
            )


def _separating_column(X, y):
    """The first whose values where y is below 1 end before those where it is above 0 begin, or the other way round."""
    without, having = X[y < 1.0], X[y > 0.0]
    apart = (without.max(axis=0) < having.min(axis=0)) | (having.max(axis=0) < without.min(axis=0))
    return int(apart.argmax()) if apart.any() else None


def _levels_are_pure(level, y):
    return not np.intersect1d(level[y < 1.0], level[y > 0.0]).size
