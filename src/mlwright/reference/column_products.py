"""Twins of ``mlwright._kernels.column_products``."""

import numpy as np


def column_products(X, R):
    return np.asarray(X, dtype=np.float64).T @ R


def quadratic_forms(gram, B):
    return np.einsum("ip,pq,iq->i", B, gram, B)
