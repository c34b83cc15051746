"""Twin of ``mlwright._kernels.selection.enumerate_sets``: a linear system for every set."""

import math

import numpy as np


def enumerate_sets(selection):
    """Log weights of all sets and posterior means of the coefficients."""
    matrix, log_prior, log_slab, shape, rate = selection
    matrix, p = np.asarray(matrix), len(log_prior) - 1
    log_weight, coef = np.empty(1 << p), np.zeros((1 << p, p))
    for code in range(1 << p):
        inside = [j for j in range(p) if code >> j & 1]
        gram, cross = matrix[np.ix_(inside, inside)], matrix[inside, p]
        coef[code, inside] = np.linalg.solve(gram, cross)
        rest = max(matrix[p, p] - cross @ coef[code, inside], 0.0)
        log_det = np.linalg.slogdet(gram)[1] if inside else 0.0
        log_weight[code] = log_prior[len(inside)] + len(inside) * log_slab - 0.5 * log_det
        log_weight[code] -= shape * math.log(rate + 0.5 * rest)
    weight = np.exp(log_weight - log_weight.max())
    return log_weight, weight @ coef / weight.sum()
