"""Twins of ``mlwright._kernels.glm_density``: the log posterior density written down term by term."""

import math

import numpy as np

from mlwright.reference.glm import rows as losses
from mlwright.reference.linalg import dense

NORMAL, STUDENT_T, LAPLACE, HORSESHOE = range(4)
NO_DISPERSION, NORMAL_FAMILY, GAMMA, INVERSE_GAUSSIAN, NEGATIVE_BINOMIAL = range(5)

_log_gamma = np.vectorize(math.lgamma, otypes=[float])


class Parts:
    """A point, cut into its parts."""

    def __init__(self, model, point):
        sizes = [
            len(model.prior_scale),
            int(model.fit_intercept),
            *(term.levels for term in model.terms),
            len(model.terms),
            int(model.dispersion != NO_DISPERSION),
            (len(model.prior_scale) + 1) * (model.prior == HORSESHOE),
        ]
        self.z, intercept, *self.effects, self.log_scales, log_dispersion, self.hyper = np.split(
            np.asarray(point, dtype=float), np.cumsum(sizes)[:-1]
        )
        self.intercept = intercept[0] if len(intercept) else 0.0
        self.s = log_dispersion[0] if len(log_dispersion) else 0.0
        self.coef = self.z
        if model.prior == HORSESHOE:
            product = np.exp(self.hyper[:-1] + self.hyper[-1])
            shrunk = product if model.slab == 0 else product / np.sqrt(1 + (product / model.slab) ** 2)
            self.coef = self.z * model.prior_scale * shrunk

    def scores(self, model):
        eta = ((dense(model.X) - model.shift) * model.scale) @ self.coef + self.intercept
        eta = eta + (0.0 if model.offset is None else model.offset)
        for term, z, log_scale in zip(model.terms, self.effects, self.log_scales, strict=True):
            effect = z if term.centred else np.exp(log_scale) * z
            eta = eta + effect[term.level] * (1.0 if term.slope is None else term.slope)
        return eta


def half_t(log_value, scale, freedom):
    """Of a positive number's logarithm, Jacobian included."""
    unit = (np.exp(log_value) / scale) ** 2
    if np.isinf(freedom):
        return np.sum(log_value - unit / 2)
    return np.sum(log_value - (freedom + 1) / 2 * np.log1p(unit / freedom))


def log_prior(model, parts):
    unit = parts.z / model.prior_scale
    value = {
        NORMAL: lambda: -np.sum(unit**2) / 2,
        STUDENT_T: lambda: -(model.prior_freedom + 1) / 2 * np.sum(np.log1p(unit**2 / model.prior_freedom)),
        LAPLACE: lambda: -np.abs(unit).sum(),
        HORSESHOE: lambda: (
            -np.sum(parts.z**2) / 2
            + half_t(parts.hyper[:-1], 1.0, 1.0)
            + half_t(parts.hyper[-1], model.global_scale, 1.0)
        ),
    }[model.prior]()
    if model.fit_intercept and model.intercept_scale > 0.0:
        value -= ((parts.intercept - model.intercept_centre) / model.intercept_scale) ** 2 / 2
    for term, z, log_scale in zip(model.terms, parts.effects, parts.log_scales, strict=True):
        value += half_t(log_scale, term.scale, term.freedom)
        value -= np.sum((z / np.exp(log_scale)) ** 2) / 2 + len(z) * log_scale if term.centred else np.sum(z**2) / 2
    if model.dispersion != NO_DISPERSION:
        value += half_t(parts.s / 2, model.dispersion_scale, 3.0)
    return value


def log_likelihood(model, parts):
    eta, y, s = parts.scores(model), model.y, parts.s
    w = np.ones(len(y)) if model.w is None else model.w
    loss = losses(model.loss, y, eta, np.exp(s))[0]
    v = np.exp(-s)
    with np.errstate(divide="ignore"):
        each = {
            NO_DISPERSION: lambda: -loss,
            NORMAL_FAMILY: lambda: -v * loss - s / 2,
            GAMMA: lambda: -v * loss - v * s - math.lgamma(v) + (v - 1) * np.log(y),
            INVERSE_GAUSSIAN: lambda: -v * (loss + 0.5 / y) - s / 2,
            NEGATIVE_BINOMIAL: lambda: -loss + _log_gamma(y + v) - math.lgamma(v) + y * s,
        }[model.dispersion]()
    least = 0.0 if model.dispersion in (NO_DISPERSION, NEGATIVE_BINOMIAL) else model.least
    return float(np.sum(np.where(w == 0, 0.0, w * each))) - v * least


def log_density(model, point):
    parts = Parts(model, point)
    return log_likelihood(model, parts) + log_prior(model, parts)


def evaluate(model, point):
    """The gradient by differences of four values a coordinate."""
    gradient = np.empty(len(point))
    for i in range(len(point)):
        e = np.zeros(len(point))
        e[i] = 1e-3
        far, near = (
            (log_density(model, point + k * e) - log_density(model, point - k * e)) / (2e-3 * k) for k in (1.0, 0.5)
        )
        gradient[i] = (4 * near - far) / 3
    return log_density(model, point), gradient


def evaluate_many(model, points):
    values, gradients = zip(*(evaluate(model, point) for point in points), strict=True)
    return np.array(values), np.array(values), np.array(gradients)


def evaluate_mapped(model, centre, root, point):
    whole = np.eye(len(point))
    whole[: len(root), : len(root)] = root
    value, gradient = evaluate(model, centre + whole @ point)
    return value, whole.T @ gradient
