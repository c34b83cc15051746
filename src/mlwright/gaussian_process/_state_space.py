"""Exact O(n) posteriors of one-dimensional inputs: kernels that are sums of Matern, constant and white terms.

A product of sums is multiplied out, so that constants may stand anywhere; a product of two Matern kernels is no term.
"""

from dataclasses import dataclass, replace

import numpy as np

from mlwright._kernels.gp_series import (
    MOST_TERMS,
    series_covariance,
    series_left_out,
    series_likelihood,
    series_moments,
)
from mlwright.gaussian_process._failures import least_likelihood, not_positive_definite, unsuited

_STATES = {"constant": 0, "matern12": 1, "matern32": 2, "matern52": 3}


@dataclass(frozen=True)
class Term:
    """Part of a sum.

    Attributes
    ----------
    factors : tuple of int
        Parameters whose product is its variance.
    states : int
        As in ``mlwright._kernels.gp_series``, or -1 for white noise.
    scale : int or None
        The parameter that is its length.
    """

    factors: tuple
    states: int
    scale: int | None = None


def terms_of(program):
    """The terms of a program, or None where it is no sum of terms that a state-space model has."""
    stack, used = [], 0
    for name, n in program.steps:
        if name in ("add", "multiply"):
            right, left = stack.pop(), stack.pop()
            stack.append(left + right if name == "add" else [_product(a, b) for a in left for b in right])
        elif name == "white":
            stack.append([Term((used,), -1)])
        elif name == "constant":
            stack.append([Term((used,), 0)])
        else:
            stack.append([Term((), _STATES[name], used) if name in _STATES else None])
        if None in stack[-1]:
            return None
        used += n
    terms = stack[0]
    smooth = [term for term in terms if term.states >= 0]
    return terms if len(smooth) <= MOST_TERMS and any(term.states > 0 for term in smooth) else None


def _product(a, b):
    """Of two terms; None for two Matern ones."""
    if a.states > 0 and b.states > 0:
        return None
    factors = a.factors + b.factors
    if -1 in (a.states, b.states):
        return Term(factors, -1)
    return replace(a if a.states > 0 else b, factors=factors)


class StateSpaceSolver:
    """See :mod:`mlwright.gaussian_process._solvers` for what a solver offers."""

    def __init__(self, observed, settings=None):
        self.observed = observed
        self._t = np.asarray(observed.X, dtype=np.float64)[:, 0]
        self._order = np.argsort(self._t, kind="stable")

    @staticmethod
    def fits(observed, kernel):
        return _model_of(observed, kernel) is not None

    def _model(self, kernel):
        model = _model_of(self.observed, kernel)
        if model is None:
            raise unsuited("state_space", kernel)
        return model

    def _series(self, white):
        order, data = self._order, self.observed
        return self._t[order], data.y[order], data.noise[order] + white, np.ones(len(order), dtype=bool)

    def likelihood(self, kernel, gradient=False):
        model = _model_of(self.observed, kernel)
        if model is None:
            return least_likelihood(kernel, gradient)
        known, terms, smooth = model
        series = self._series(known.parts.white)
        definite, value, slopes = series_likelihood(smooth, *series, with_gradient=gradient)
        if not (definite and np.isfinite(value)):
            return least_likelihood(kernel, gradient)
        return (value, _by_parameter(known, terms, slopes)) if gradient else value

    def state(self, kernel):
        return {"_weights": self.left_out(None, kernel)[0]}

    def extended(self, state, n_old, kernel):
        return self.state(kernel)

    def likelihood_of(self, state, kernel):
        return self.likelihood(kernel)

    def left_out(self, state, kernel):
        known, _, smooth = self._model(kernel)
        definite, weights, precision = series_left_out(smooth, *self._series(known.parts.white))
        if not definite:
            raise not_positive_definite(kernel)
        back = np.empty_like(self._order)
        back[self._order] = np.arange(len(back))
        return weights[back], precision[back]

    def predict(self, state, kernel, X, want):
        known, _, smooth = self._model(kernel)
        data, n, m = self.observed, len(self._t), len(X)
        t = np.concatenate([self._t, np.asarray(X, dtype=np.float64)[:, 0]])
        order = np.argsort(t, kind="stable")
        y = np.concatenate([data.y, np.zeros((m, data.y.shape[1]))])[order]
        noise = np.concatenate([data.noise + known.parts.white, np.zeros(m)])[order]
        series = smooth, t[order], y, noise, order < n
        new = order[order >= n] - n  # where each new row comes from, in the order of the series
        definite, means, variances = series_moments(*series)
        if not definite:
            raise not_positive_definite(kernel)
        mean, second = np.empty((m, y.shape[1])), None
        mean[new] = means[order >= n]
        if want == "variance":
            second = np.empty(m)
            second[new] = variances[order >= n]
        elif want == "covariance":
            second = np.empty((m, m))
            second[np.ix_(new, new)] = series_covariance(*series)[1]
        return mean, second


def _model_of(observed, kernel):
    """The kernel's program, its terms, and those that are processes as numbers; None where it has no such terms."""
    known = observed.program(kernel)
    terms = terms_of(known.program) if known is not None and observed.X.shape[1] == 1 else None
    if terms is None:
        return None
    return known, terms, [_as_numbers(term, known.program.parameters) for term in terms if term.states >= 0]


def _as_numbers(term, value):
    length = 1.0 if term.scale is None else float(value[term.scale])
    variance = np.prod(value[list(term.factors)])
    return term.states, float(max(variance, np.finfo(np.float64).tiny)), length


def _by_parameter(known, terms, slopes):
    """The gradient by the free parameters' logarithms, from that by each term's variance and length and by noise."""
    value = known.program.parameters
    out, place = np.zeros(len(value)), 0
    for term in terms:
        if term.states < 0:
            by_variance = slopes[-1] * np.prod(value[list(term.factors)])
        else:
            by_variance, by_length = slopes[2 * place], slopes[2 * place + 1]
            place += 1
            if term.scale is not None:
                out[term.scale] += by_length
        np.add.at(out, list(term.factors), by_variance)
    return out[known.free]
