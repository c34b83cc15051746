"""Twins of ``mlwright._kernels.blas``."""

import numpy as np


def _double(*arrays):
    return [np.asarray(a, dtype=np.float64) for a in arrays]


def _symmetric(a):
    (a,) = _double(a)
    return np.tril(a) + np.tril(a, -1).T


def _signs_of_columns(v):
    return np.array([np.copysign(1.0, column[np.argmax(np.abs(column))]) for column in v.T])


def solve_spd(a, b):
    return np.linalg.solve(_symmetric(a), *_double(b))


def invert_spd(a):
    return np.linalg.inv(_symmetric(a))


def eigh(a):
    values, vectors = np.linalg.eigh(_symmetric(a))
    return values, vectors * _signs_of_columns(vectors)


def svd(a):
    u, s, vt = np.linalg.svd(*_double(a), full_matrices=False)
    signs = _signs_of_columns(u)
    return u * signs, s, vt * signs[:, None]


def lstsq(a, b):
    x, _, rank, s = np.linalg.lstsq(*_double(a, b), rcond=None)
    return x, rank, s


def qr(a):
    q, r = np.linalg.qr(*_double(a))
    signs = np.where(np.diag(r) < 0, -1.0, 1.0)
    return q * signs, r * signs[:, None]


def matmul(a, b):
    a, b = _double(a, b)
    return a @ b


def matvec(a, x):
    a, x = _double(a, x)
    return a @ x


def gram(a):
    (a,) = _double(a)
    return np.tril(a.T @ a)


def solve_lower(lower, b):
    return np.linalg.solve(np.tril(*_double(lower)), *_double(b))
