"""What comes in: rows, targets in the units that the process is fitted in, and their noise."""

import numpy as np
from sklearn.utils.validation import validate_data


def checked(model, X, y, reset):
    """Rows and targets of a fit of ``model.kernel_``; numbers that are neither float32 nor float64 as float64.

    Raises
    ------
    ValueError
        If they are not finite, or do not fit each other or what the model was fitted on.
    """
    X, y = validate_data(model, X, y, reset=reset, multi_output=True, y_numeric=True, **_wanted(model.kernel_))
    X, y = _storable(X), _storable(y)
    n_targets = y.shape[1] if y.ndim > 1 else 1
    if model.n_targets is not None and n_targets != model.n_targets:
        raise ValueError(
            "The number of targets seen in `y` is different from the parameter `n_targets`. "
            f"Got {n_targets} != {model.n_targets}."
        )
    return X, y


def added(model, X, y):
    """Rows and targets that are added to a fitted model, in the units of the fit's.

    Raises
    ------
    ValueError
        Also where `alpha` is an array, which has no number for them.
    """
    if np.size(model.alpha) > 1:
        raise ValueError(
            "partial_fit: got alpha as an array, which has no number for the new rows; expected one number; or fit "
            "on all rows."
        )
    X, y = checked(model, X, y, reset=False)
    if y.shape[1:] != model.y_train_.shape[1:]:
        raise ValueError(
            f"partial_fit: got y of shape {y.shape}, expected the targets of the fit, whose y has the shape "
            f"{model.y_train_.shape}."
        )
    centre, scale = (a if y.ndim > 1 else a[0] for a in (model._centre, model._scale))
    return X, (y - centre) / scale


def checked_rows(model, kernel, X):
    """New rows, as a kernel takes them."""
    return validate_data(model, X, reset=False, **_wanted(kernel))


def _wanted(kernel):
    vectors = kernel is None or kernel.requires_vector_input
    return {"ensure_2d": vectors, "dtype": "numeric" if vectors else None}


def _storable(a):
    return a.astype(np.float64) if a.dtype.kind in "iubf" and a.dtype.char not in "fd" else a


def normalise(y, wanted):
    """Centre and scale of shape (t,), and y in their units; zero and one unless `wanted`."""
    n_targets = y.shape[1] if y.ndim > 1 else 1
    if not wanted:
        return np.zeros(n_targets), np.ones(n_targets), y
    table = y.reshape(len(y), -1).astype(np.float64)
    exponent = np.frexp(np.abs(table).max(axis=0, initial=0.0))[1] - 1
    unit = np.ldexp(1.0, np.maximum(exponent, -1000))  # in which no square is too large or too small
    table = table / unit
    centre, scale = table.mean(axis=0), table.std(axis=0)
    constant = scale <= 10.0 * np.finfo(np.float64).eps * np.abs(table).max(axis=0, initial=0.0)
    scale[constant] = 1.0 / unit[constant]
    return unit * centre, unit * scale, ((table - centre) / scale).reshape(y.shape).astype(y.dtype, copy=False)


def require_noise(alpha, n):
    """alpha as one number a row, and of observations to come: alpha where it is one number, else 0.

    Raises
    ------
    ValueError
        For another length than that of y, or numbers that are negative or not finite.
    """
    noise = np.asarray(alpha, dtype=np.float64)
    if noise.ndim > 1 or (noise.ndim == 1 and len(noise) not in (1, n)):
        raise ValueError(
            f"alpha must be a scalar or an array with same number of entries as y. ({noise.shape[0]} != {n})"
        )
    if not (np.isfinite(noise).all() and (noise >= 0.0).all()):
        raise ValueError("alpha: got numbers that are negative or not finite, expected variances of the noise.")
    return np.array(np.broadcast_to(noise, (n,))), float(noise.reshape(-1)[0]) if noise.size == 1 else 0.0
