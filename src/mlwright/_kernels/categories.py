"""Categorical features of many levels as columns of codes ordered by the target."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import kernel

__all__ = ["MISSING_CODE", "target_codes"]

MISSING_CODE = 255


@kernel(native="tree.target_codes", twin="categories:target_codes", strategy="categories:levels_and_gradients")
def target_codes(levels, n_levels, g, h, fold):
    """Cross-fitted codes; see ``tree/target_codes.hpp``.

    Parameters
    ----------
    levels : int32 array of shape (n_features, n)
        The level of each row, -1 where missing.
    n_levels : int array of shape (n_features,)
    g, h : arrays of shape (n_outputs, n)
        Gradients and Hessians, weights multiplied in.
    fold : uint8 array of shape (n,)

    Returns
    -------
    rows : uint8 array of shape (n_columns, n)
        The code of each row (``MISSING_CODE`` where missing); a column a feature and output, outputs within features.
    levels : uint8 array
        The code of each level, column after column.
    """
    columns = core.tree.target_codes(
        np.require(levels, np.int32, "C"),
        np.ascontiguousarray(n_levels, dtype=np.int64),
        layout.vector(g),
        layout.vector(h),
        np.ascontiguousarray(fold, dtype=np.uint8),
    )
    return np.stack([rows for rows, _ in columns]), np.concatenate([levels for _, levels in columns])
