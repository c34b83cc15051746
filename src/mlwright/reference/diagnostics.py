"""Twin of ``mlwright._kernels.sampler.diagnose``: Vehtari et al. (2021), written down as in the paper and in ArviZ."""

import math
from statistics import NormalDist

import numpy as np


def split(x):
    """Every chain in two halves, without the middle draw of an odd number."""
    half = x.shape[1] // 2
    return np.concatenate([x[:, :half], x[:, -half:]])


def average_ranks(x):
    """Ranks from 1 on; ties share their mean."""
    flat = x.ravel()
    below = (flat[:, None] > flat[None, :]).sum(axis=1)
    ties = (flat[:, None] == flat[None, :]).sum(axis=1)
    return (below + (ties + 1) / 2).reshape(x.shape)


def normal_scores(x):
    p = (average_ranks(x) - 0.375) / (x.size + 0.25)
    return np.vectorize(NormalDist().inv_cdf)(p)


def rhat(x):
    n = x.shape[1]
    within = x.var(axis=1, ddof=1).mean()
    between = n * x.mean(axis=1).var(ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return math.sqrt((between / within + n - 1) / n)


def ess(x):
    """Effective sample size by Geyer's initial monotone sequence."""
    chains, n = x.shape
    if x.max() - x.min() < 1e-15:
        return float(x.size)
    centred = x - x.mean(axis=1, keepdims=True)
    covariance = np.array([(centred[:, : n - t] * centred[:, t:]).sum(axis=1).mean() / n for t in range(n)])
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (x.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    rho = np.zeros(n + 2)
    rho[0], rho[1] = 1.0, 1 - (within - covariance[1]) / total
    even, odd = rho[0], rho[1]
    t = 1
    while t < n - 3 and even + odd > 0:
        even, odd = 1 - (within - covariance[t + 1]) / total, 1 - (within - covariance[t + 2]) / total
        if even + odd >= 0:
            rho[t + 1], rho[t + 2] = even, odd
        t += 2
    last = t - 2
    if even > 0:
        rho[last + 1] = even
    for i in range(1, last - 1, 2):
        if rho[i + 1] + rho[i + 2] > rho[i - 1] + rho[i]:
            rho[i + 1] = rho[i + 2] = (rho[i - 1] + rho[i]) / 2
    tau = -1 + 2 * rho[: last + 1].sum() + rho[last + 1]
    return x.size / max(tau, 1 / math.log10(x.size))


def quantile(x, p):
    """Hyndman and Fan's type 7 as ArviZ rounds it: at a draw, the last bit says whether that draw lies below."""
    x = np.sort(x, axis=None)
    at = x.size * p + (1 - p)
    k = int(np.clip(at, 1, x.size - 1))
    part = np.clip(at - k, 0, 1)
    return (1 - part) * x[k - 1] + part * x[k]


def diagnose_column(x):
    mean, sd = x.mean(), x.std(ddof=1)
    if not np.isfinite(x).all():
        return [mean, sd, *[np.nan] * 7]
    halves = split(x)
    scores = normal_scores(halves)
    value = np.nan
    if len(x) > 1:
        value = max(rhat(scores), rhat(normal_scores(abs(halves - np.median(halves)))))
    tail = min(ess((halves <= quantile(x, p)).astype(float)) for p in (0.05, 0.95))
    of_mean = ess(halves)
    squares = (x - mean) ** 2
    of_sd, square = ess(split(squares)), squares.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        mcse_sd = np.sqrt(((squares**2).mean() - square**2) / of_sd / square / 4)
    return [mean, sd, value, ess(scores), tail, of_mean, of_sd, sd / math.sqrt(of_mean), mcse_sd]


def diagnose(draws):
    if draws.shape[1] < 4:
        return np.full((draws.shape[2], 9), np.nan)
    with np.errstate(invalid="ignore"):
        return np.array([diagnose_column(draws[:, :, j]) for j in range(draws.shape[2])]).reshape(-1, 9)
