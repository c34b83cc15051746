"""The output columns of a TableEncoder: how they are filled, scaled and named."""

import numpy as np

from mlwright._kernels.loss import weighted_quantile
from mlwright._kernels.units import unit_for

_EPS = np.finfo(np.float64).eps


def fill_center_scale(cells, fill, standardise, weight=None):
    """What one output column is filled with, moved and divided by.

    Parameters
    ----------
    cells : float64 array of shape (n,)
        NaN where missing.
    fill : float or None
        The fill; None for the median, NaN where cells stay missing.
    standardise : bool
    weight : float64 array of shape (n,) or None
        A cell of whole weight w is w cells.

    Returns
    -------
    fill, center, scale : float
    """
    is_present = ~np.isnan(cells)
    present = cells[is_present]
    unit = unit_for(np.abs(present).max(initial=0.0))
    if fill is None and weight is not None:
        fill = weighted_quantile(present * unit, weight[is_present], 0.5)
    else:
        fill = np.median(present * unit) if fill is None else fill * unit
    if not standardise:
        return fill / unit, 0.0, 1.0
    if np.isnan(fill):
        filled, weight = present * unit, None if weight is None else weight[is_present]
    else:
        filled = np.where(is_present, cells * unit, fill)
    mean = np.average(filled, weights=weight)
    deviation = np.sqrt(np.average(np.square(filled - mean), weights=weight))
    # A constant column comes out with a deviation of rounding size; it must become 0, not noise of size 1.
    varies = deviation > 10 * _EPS * np.abs(filled).max()
    return fill / unit, mean / unit, deviation / unit if varies else 1.0


def finished(blocks, fill, center, scale, indicators, dtype):
    """Blocks side by side, filled and scaled; then the indicators, each a bool array of shape (n,)."""
    n_values = len(fill)
    out = np.empty((len(blocks[0]), n_values + len(indicators)), dtype=dtype)
    at = 0
    for block in blocks:
        for cells in block.T:
            filled = np.where(np.isnan(cells), fill[at], cells)
            out[:, at] = (filled - center[at]) / scale[at]
            at += 1
    for indicator in indicators:
        out[:, at] = indicator
        at += 1
    return out


def unique_names(names):
    """Names told apart by a number where two are equal: column "a_b", and category "b" of column "a"."""
    given, used, unique = set(names), set(), []
    for name in names:
        candidate, number = name, 2
        while candidate in used or (number > 2 and candidate in given):
            candidate, number = f"{name}_{number}", number + 1
        used.add(candidate)
        unique.append(candidate)
    return unique
