"""From a forest's sums to predictions, in the precision of the source.

exp and log are this package's own: the same bits on every machine, within an ulp of the C library's. In float32, exp is
taken in float64 and rounded.
"""

import numpy as np

from mlwright._kernels import simd


def _exp(x):
    with np.errstate(over="ignore"):
        return simd.exp(x).astype(x.dtype, copy=False)


def _expit(x):
    if x.dtype == np.float64:
        return 1.0 / (1.0 + _exp(-x))
    # XGBoost: the argument of exp is bounded, and a constant keeps the divisor from ever being zero.
    return np.float32(1) / (_exp(np.minimum(-x, np.float32(88.7))) + np.float32(1) + np.float32(1e-16))


def _softmax(x):
    powers = _exp(x - x.max(axis=0))
    total = np.zeros(x.shape[1])
    for row in powers:  # in order, in float64
        total += row
    return powers / total.astype(x.dtype)


def _softplus(x):
    return simd.log1p(_exp(x))


def _signed_square(x):
    return np.sign(x) * x * x


def _step(x):
    return (x > 0).astype(x.dtype)


#: Name -> function of sums of shape (n_outputs, n).
LINKS = {
    "identity": lambda x: x,
    "exp": _exp,
    "expit": _expit,
    "softmax": _softmax,
    "softplus": _softplus,
    "signed_square": _signed_square,
    "step": _step,
}


def apply(link, scale, raw, dtype):
    """Predictions of `dtype` from float64 sums of shape (n_outputs, n)."""
    if dtype != "float64":
        raw = raw.astype(dtype)
    return LINKS[link](raw if scale == 1 else raw * raw.dtype.type(scale))


def intercept(base_score, link):
    """XGBoost's float32 intercept of the sums from its float32 ``base_score``, which is on the scale of predictions."""
    one = np.float32(1)
    with np.errstate(all="ignore"):
        if link == "expit":
            return -simd.log((one / base_score - one).astype(np.float64)).astype(np.float32)
        if link == "exp":
            return simd.log(base_score.astype(np.float64)).astype(np.float32)
    return base_score
