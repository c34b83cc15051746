"""The line ``pandas_categorical:`` that LightGBM's Python package adds to a text model."""

import json

import numpy as np

from mlwright._runtime.errors import ModelFormatError

_KEY = b"\npandas_categorical:"


def table_categories(tail):
    """The categories of a table's category columns, from the left, from what follows the trees; [] without tables.

    The line says which values there were, but not in which columns. Lists that are neither of numbers nor of strings
    are not kept: the model then knows codes only.
    """
    _, key, line = tail.partition(_KEY)
    try:
        lists = json.loads(line.partition(b"\n")[0]) if key else None
    except (ValueError, RecursionError):
        raise ModelFormatError("LightGBM model: its line pandas_categorical is not JSON; the file is damaged") from None
    if lists is None:
        return []
    if not isinstance(lists, list) or not all(isinstance(values, list) for values in lists):
        raise ModelFormatError("LightGBM model: its line pandas_categorical is no list of lists; the file is damaged")
    arrays = [_array(values) for values in lists]
    return [] if any(array is None for array in arrays) else arrays


def _array(values):
    if all(isinstance(value, str) for value in values):
        if any("\ud800" <= letter <= "\udfff" for value in values for letter in value):
            return None
        return np.array(values, dtype=object)
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return array if array.ndim == 1 and np.isfinite(array).all() else None
