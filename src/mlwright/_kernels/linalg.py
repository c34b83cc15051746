"""Weighted Gram matrices, fold statistics and linear maps, in one pass over the rows.

``X`` is a float64 or float32 array of any strides, or the tuple ``(indptr, indices, data, n_columns)`` of a CSR matrix
with 32- or 64-bit indices; :func:`as_design` makes either from what users bring.
"""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.linalg


def as_design(X):
    """What the kernels read: the array itself or the parts of a CSR matrix; copied only where the layout needs it."""
    if isinstance(X, np.ndarray):
        return layout.floats(X)
    csr = X.tocsr()
    data = csr.data if csr.data.dtype.char in "df" else csr.data.astype(np.float64)
    index = np.int64 if np.int64 in (csr.indptr.dtype, csr.indices.dtype) else np.int32
    return (
        np.ascontiguousarray(csr.indptr, dtype=index),
        np.ascontiguousarray(csr.indices, dtype=index),
        np.ascontiguousarray(data),
        csr.shape[1],
    )


def _vector(a):
    return None if a is None else layout.vector(a)


def _integers(a):
    return np.ascontiguousarray(a, dtype=np.int64)


@kernel(
    native="linalg.fold_statistics",
    twin="linalg:fold_statistics",
    strategy="linalg:rows_and_weights",
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
)
def fold_statistics(X, y, w=None):
    """Weight, means, scaled scatter about the means and scales of the columns ``(X, y)``.

    Parameters
    ----------
    X : array of shape (n, p) or CSR tuple
    y : float64 array of shape (n, t)
    w : float64 array of shape (n,), optional
        Weights, none negative; all ones when left out.

    Returns
    -------
    weight : float
    mean : array of shape (p + t,)
    scatter : array of shape (p + t, p + t)
        ``sum_r w_r (z_r - mean) (z_r - mean)'`` times ``scale`` on both sides.
    scale : array of shape (p + t,)
        Powers of two that bring each column near one.

    None instead of the tuple where X, y or w holds a NaN or an infinity.
    """
    return _core.fold_statistics(X, layout.doubles(y), _vector(w))


@kernel(
    native="linalg.single_statistics",
    twin="linalg:single_statistics",
    strategy="linalg:single_rows",
    tolerance=Tolerance(rtol=1e-5, atol=1e-4),
)
def single_statistics(X, y):
    """:func:`fold_statistics` by products in single precision, their sums over blocks of rows in double.

    Parameters
    ----------
    X : float32 array of shape (n, p)
    y : float64 array of shape (n, t)

    Returns
    -------
    weight, mean, scatter, scale : as those of :func:`fold_statistics`
        Sums are off by at most 4e-6 of the sum of the sizes of their terms; of many rows by far less.

    None instead of the tuple where single precision will not do: numbers that are not finite, constant columns,
    outliers or means that a few rows did not tell of.
    """
    return _core.single_statistics(X, layout.doubles(y))


@kernel(
    native="linalg.fold_statistics_of_sets",
    twin="linalg:fold_statistics_of_sets",
    strategy="linalg:sets_of_rows",
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
)
def fold_statistics_of_sets(X, y, w, numbers, starts):
    """:func:`fold_statistics` of several sets of rows, stacked along a first axis; X is read where it lies.

    Parameters
    ----------
    X : array of shape (n, p) or CSR tuple
    y : float64 array of shape (m, t)
        Targets in the order of `numbers`.
    w : float64 array of shape (m,), or None
        Weights in the order of `numbers`.
    numbers : int64 array of shape (m,)
        Row numbers of X, set after set.
    starts : int64 array of shape (K + 1,)
        Set k is ``numbers[starts[k]:starts[k + 1]]``; none is empty.

    Returns
    -------
    weight, mean, scatter, scale : arrays of shape (K,), (K, p + t), (K, p + t, p + t), (K, p + t)
        None instead of the tuple where a number of a set is a NaN or an infinity.
    """
    return _core.fold_statistics_of_sets(X, layout.doubles(y), _vector(w), _integers(numbers), _integers(starts))


@kernel(
    native="linalg.residual_gradient",
    twin="linalg:residual_gradient",
    strategy="linalg:rows_and_coefficients",
    tolerance=Tolerance(rtol=1e-10, atol=1e-9),
)
def residual_gradient(X, y, w, mean, scale, b):
    """``sum_r w_r x_r (y_r - x_r b)'`` in columns shifted by `mean` and multiplied by `scale`; shape (p, t)."""
    return _core.residual_gradient(X, layout.doubles(y), _vector(w), _vector(mean), _vector(scale), _vector(b))


@kernel(
    native="linalg.gram",
    twin="linalg:gram",
    strategy="linalg:rows_and_row_shift",
    tolerance=Tolerance(rtol=1e-10, atol=1e-9),
)
def gram(X, w, row_shift, scale):
    """``Z' diag(w) Z``, ``Z = (X - row_shift[:, None]) * scale``; of the transpose, the Gram of the dual problem."""
    return _core.gram(X, _vector(w), _vector(row_shift), _vector(scale))


@kernel(
    native="linalg.affine_map",
    twin="linalg:affine_map",
    strategy="linalg:rows_and_maps",
    tolerance=Tolerance(rtol=1e-10, atol=1e-10),
)
def affine_map(X, coef, start):
    """``X @ coef.T + start``, of shape (n, t), summed in an order fixed by the number of columns."""
    return _core.affine_map(X, layout.doubles(coef), _vector(start))
