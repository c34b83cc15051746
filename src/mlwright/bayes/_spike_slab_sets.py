"""Sets of columns under a spike-and-slab prior: the conjugate posterior, its evidence, and draws by enumerated sets."""

import numpy as np
from scipy import special

from mlwright._bayesian.noise import drawn_variances
from mlwright._kernels.rng import normal, uniform
from mlwright.linear_model._scales import Scales
from mlwright.linear_model._system import Problem

_PICK, _VARIANCE, _COEF = 7301, 7302, 7303  # streams
_LEFT_OUT = 1e-12  # share of the least probable sets that are not kept
_MOST_ROWS = 1 << 14  # that are looked through for equal ones
_WELL_CONDITIONED = 1e6  # ratios of rows to slab precision and back, that leave sums over rows their digits


def conjugate_posterior(statistics, fit_intercept, slab_precision, noise_shape, noise_rate):
    """In standardised columns and y, with what leads back; a dict of arrays and numbers as the model keeps it."""
    p, flat = statistics.n_features, bool(fit_intercept)
    problem = Problem.of(statistics, fit_intercept)
    scales = Scales.of_problem(problem, statistics.weight)
    x, y = 1.0 / (problem.x_scale * scales.x), 1.0 / (problem.y_scale[0] * scales.y)
    matrix = np.empty((p + 1, p + 1))
    matrix[:p, :p] = problem.gram * np.multiply.outer(x, x)
    matrix[:p, p] = matrix[p, :p] = problem.cross[:, 0] * x * y
    matrix[p, p] = problem.square[0] * y * y
    matrix[:, [*np.flatnonzero(~problem.active)]] = 0.0
    matrix[~np.append(problem.active, True), :] = 0.0
    matrix[np.arange(p), np.arange(p)] += slab_precision
    return {
        "mean": statistics.mean if flat else np.zeros(p + 1),
        "intercept_variance": float(flat / statistics.weight),
        "matrix": matrix,
        "unit": scales.of_coef,
        "variance_unit": scales.y**2,
        "shape": float(noise_shape) + 0.5 * max(statistics.weight - flat, 0.0),
        "rate": float(noise_rate),
    }


def rows_of(posterior, rows, slab_precision):
    """X and y behind the matrix of `posterior`; None where rows are as many as columns, or would lose digits.

    Equal rows are one row of their weight: draws do not depend on how rows are counted.
    """
    w, p = np.ones(len(rows.y)) if rows.w is None else rows.w, len(posterior["unit"])
    if len(w) > _MOST_ROWS or not 1.0 / _WELL_CONDITIONED < slab_precision / w.sum() < _WELL_CONDITIONED:
        return None
    table = np.column_stack([rows.X, rows.y[:, 0]]).astype(np.float64)[w > 0.0]
    table, place = np.unique(table, axis=0, return_inverse=True)
    if len(table) >= p:
        return None
    table = (table - posterior["mean"]) * np.sqrt(np.bincount(place.ravel(), w[w > 0.0]))[:, None]
    deviation = np.sqrt(posterior["variance_unit"])
    X = table[:, :p] / (deviation / posterior["unit"])
    X[:, posterior["matrix"].diagonal()[:p] <= slab_precision] = 0.0  # constant columns say nothing
    return X, table[:, p] / deviation * bool(posterior["matrix"][p, p] > 0.0)


def log_prior_of_sizes(p, inclusion, a, b):
    """Log prior probability of a set, by its number of columns."""
    k = np.arange(p + 1)
    if inclusion == "beta":
        return special.betaln(a + k, b + p - k) - special.betaln(a, b)
    return k * np.log(inclusion) + (p - k) * np.log1p(-inclusion)


def enumerated(log_weight, p):
    """Inclusion probabilities, the sets that matter, their probabilities, and the log of the sum of all weights."""
    top = log_weight.max()
    weight = np.exp(log_weight - top)
    total = weight.sum()
    code = np.arange(len(weight))
    inclusion = np.array([weight[(code >> j & 1).astype(bool)].sum() for j in range(p)]) / total
    order = np.argsort(-weight, kind="stable")
    share = np.cumsum(weight[order]) / total
    kept = order[: np.searchsorted(share, 1.0 - _LEFT_OUT) + 1]
    sets = np.empty((len(kept), p), dtype=bool)
    for j in range(p):  # there may be millions of them
        sets[:, j] = kept >> j & 1
    return inclusion, sets, weight[kept] / total, top + np.log(total)


def log_evidence(posterior, log_total, weight, flat, noise_shape):
    """Log marginal likelihood of y, of rows of that weight; `flat` is whether there is an intercept."""
    prior = noise_shape * np.log(posterior["rate"]) - special.gammaln(noise_shape)
    constant = prior + special.gammaln(posterior["shape"]) - 0.5 * (weight - flat) * np.log(2.0 * np.pi)
    constant -= 0.5 * flat * np.log(weight) + 0.5 * (weight - flat) * np.log(posterior["variance_unit"])
    return float(log_total + constant)


def draw_from_sets(posterior, sets, probabilities, n_samples, seed):
    """Independent draws: a set by its probability, then variance and coefficients from their conjugate posterior."""
    p = sets.shape[1]
    share = np.cumsum(probabilities)
    drawn = np.searchsorted(share[:-1], uniform(seed, _PICK, n_samples) * share[-1], side="right")
    unit = drawn_variances(seed, _VARIANCE, posterior["shape"], 1.0, n_samples)
    z = normal(seed, _COEF, n_samples * p).reshape(n_samples, p)
    coef, variance, matrix = np.zeros((n_samples, p)), np.empty(n_samples), posterior["matrix"]
    for number in np.unique(drawn):
        at, inside = np.flatnonzero(drawn == number), np.flatnonzero(sets[number])
        lower = np.linalg.cholesky(matrix[np.ix_(inside, inside)])
        half = np.linalg.solve(lower, matrix[inside, p])
        variance[at] = (posterior["rate"] + 0.5 * max(matrix[p, p] - half @ half, 0.0)) * unit[at]
        steps = half[:, None] + np.sqrt(variance[at]) * z[np.ix_(at, inside)].T
        coef[np.ix_(at, inside)] = np.linalg.solve(lower.T, steps).T
    return coef, variance
