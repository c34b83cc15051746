"""From y and weights to the integers that chains count in, and the prior's scales."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, digamma, polygamma

from mlwright._kernels.linalg import gram as gram_of

UNIT = 2.0**-24  # of the range of y: the least that residuals and leaf means differ by
_LEAST_SD = 2.0**-16  # of the range of y, that the noise is thought to have
_MOST_BITS = 32  # of the sum of weights: sums of weights times residuals then stay within 64
_SMALLEST_BITS = 1000  # the unit of weights is a power of two that is no less
_LARGEST, _LEAST = 1e153, 1e-153  # |y|, and the range of a y that varies: squares of its range are summed
_SMALLEST = 2.0**-1042  # of scales: the unit is then a number of several bits
_ROWS_AT_ONCE = 4096
_MOST_COLUMNS = 1000  # of the least squares fit that the noise is guessed by


@dataclass(frozen=True)
class Target:
    """y as integers.

    Attributes
    ----------
    units : int32 array of shape (n,)
        ``(y - offset) / scale / UNIT``, rounded.
    offset, scale : float
        Middle and range of y.
    is_constant : bool
        But for rounding; `scale` is then next to nothing.
    """

    units: np.ndarray
    offset: float
    scale: float
    is_constant: bool

    @classmethod
    def of(cls, y):
        low, high = y.min(), y.max()
        offset = 0.5 * low + 0.5 * high
        if not max(abs(low), abs(high)) < _LARGEST:
            raise ValueError(
                f"y: got values from {low:g} to {high:g}, expected magnitudes below {_LARGEST:g}, whose "
                "squares fit in float64; divide y by a constant"
            )
        scale = high - low
        is_constant = bool(scale <= abs(offset) * 2.0**-48)
        if is_constant:
            scale = abs(offset) * 2.0**-20
        elif not scale > _LEAST:
            raise ValueError(
                f"y: got values from {low:g} to {high:g}, expected a range above {_LEAST:g}, whose square does not "
                "vanish in float64; multiply y by a constant"
            )
        scale = max(scale, _SMALLEST)
        units = np.rint((y - offset) / scale / UNIT).astype(np.int32)
        return cls(units, float(offset), float(scale), is_constant)


def integer_weights(weight):
    """``(integers, unit)``: exact where weights are whole numbers, else to 2**-32 of their sum."""
    if weight is None:
        return np.empty(0, dtype=np.int64), 1.0
    with np.errstate(over="ignore"):
        total = float(weight.sum())
    if not total < np.inf:
        raise ValueError(
            f"sample_weight: got weights up to {weight.max():g}, whose sum is infinite; divide them by a constant"
        )
    bits = min(int(np.floor(_MOST_BITS - np.log2(total))), _SMALLEST_BITS)
    if bits >= 0 and (weight == np.floor(weight)).all():
        bits = 0
    return np.maximum(np.rint(np.ldexp(weight, bits)), 1).astype(np.int64), 2.0**-bits


def noise_guess(codes, columns, units, weight):
    """Standard deviation, of the range of y, of what least squares on the codes of numbers leaves; rounded.

    It sets the prior's scale only; missing numbers lie in the middle. Rounding hides in which order rows are summed.
    """
    n, at = len(units), np.flatnonzero(columns[:, 2] == 0)
    total = float(n) if weight is None else float(weight.sum())
    one = np.ldexp(1.0, -max(np.frexp(total)[1], -1000))  # what a weight of one counts for: sums stay moderate
    with_columns = 0 < len(at) < min(total - 1, _MOST_COLUMNS)
    middles = 0.5 * columns[at if with_columns else at[:0], 0]
    gram = np.zeros((len(middles) + 2, len(middles) + 2))  # of 1, y and the columns
    of_rows = np.broadcast_to(one, n) if weight is None else weight * one
    for begin in range(0, n, _ROWS_AT_ONCE):
        rows = slice(begin, begin + _ROWS_AT_ONCE)
        y = units[rows] * UNIT
        block = np.empty((len(y), len(gram)))
        block[:, 0], block[:, 1] = 1.0, y
        if with_columns:
            numbers = codes[rows][:, at]
            block[:, 2:] = np.where(numbers > 2.0 * middles, middles, numbers) - middles
        gram += gram_of(block, of_rows[rows], np.zeros(len(y)), np.ones(len(gram)))
    centred = gram[1:, 1:] - np.outer(gram[1:, 0], gram[0, 1:]) / (total * one)
    left, rank = max(centred[0, 0], 0.0), 0
    if with_columns:
        values, vectors = np.linalg.eigh(centred[1:, 1:])
        kept = values > max(values[-1], 0.0) * 1e-10
        rotated, rank = vectors[:, kept].T @ centred[1:, 0], kept.sum()
        left = max(left - (rotated**2 / values[kept]).sum(), 0.0)
    sd = max(float(np.sqrt(left / (max(total - 1 - rank, 1) * one))), _LEAST_SD)
    mantissa, exponent = np.frexp(sd)
    return float(np.ldexp(np.rint(mantissa * 2.0**20), exponent - 20))


def noise_prior(sd, nu, q):
    """lambda of ``sigma2 ~ nu lambda / chi2(nu)`` for which sigma is below `sd` with probability q."""
    return sd**2 * float(chdtri(nu, q)) / nu


def noise_options(model, sd):
    """Of a chain: the prior of noise whose standard deviation is thought to be below `sd`, of the range of y."""
    lam = noise_prior(sd, model.nu, model.q)
    options = {"nu": float(model.nu), "lam": lam, "sigma2": sd**2}
    if not model.n_variance_trees:
        return options
    nu, lam = variance_prior(model.nu, lam, model.n_variance_trees)
    return options | {"n_variance_trees": int(model.n_variance_trees), "variance_nu": nu, "variance_lam": lam}


def variance_prior(nu, lam, n_trees):
    """``(nu, lambda)`` of each of trees whose product is a variance of about that prior.

    The logarithm of the product has the mean and the variance of ``log(nu lambda / chi2(nu))``; of one tree it is that.
    """
    spread = float(polygamma(1, 0.5 * nu)) / n_trees
    # 1 / a < polygamma(1, a) < 1 / a + 1 / a^2
    most = (1.0 + np.sqrt(1.0 + 4.0 * spread)) / (2.0 * spread)
    half = brentq(lambda a: float(polygamma(1, a)) - spread, 1.0 / spread, most, rtol=1e-14)
    mean = (np.log(0.5 * nu * lam) - digamma(0.5 * nu)) / n_trees
    return 2.0 * half, float(np.exp(mean + digamma(half)) / half)
