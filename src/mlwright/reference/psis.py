"""Twin of ``mlwright._kernels.sampler.pareto_smoothed``: Vehtari et al. (2024), written down as in ArviZ."""

import math

import numpy as np


def log_sum_exp(x):
    top = x.max()
    return top + np.log(np.exp(x - top).sum())


def fit_pareto(x):
    """Shape and scale of a generalised Pareto law of sorted excesses: Zhang and Stephens (2009)."""
    n = len(x)
    m = 30 + int(math.sqrt(n))
    b = (1 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))) / (3 * x[int(n / 4 + 0.5) - 1]) + 1 / x[-1]
    k = np.log1p(-b[:, None] * x).mean(axis=1)
    profile = n * (np.log(-(b / k)) - k - 1)
    weight = 1 / np.exp(profile - profile[:, None]).sum(axis=1)
    weight = np.where(weight >= 10 * np.finfo(float).eps, weight, 0.0)
    b = (b * weight).sum() / weight.sum()
    k = np.log1p(-b * x).mean()
    return (n * k + 5) / (n + 10), -k / b


def pareto_smoothed(log_likelihood, efficiency=1.0):
    """Columns log density left out, log mean density, k-hat; one row for each row of log likelihoods."""
    out = [_row(np.asarray(row, dtype=np.float64), efficiency) for row in log_likelihood]
    return np.array(out).reshape(-1, 3)


def _row(log_likelihood, efficiency):
    n = len(log_likelihood)
    log_mean = log_sum_exp(log_likelihood) - math.log(n)
    x = -log_likelihood - (-log_likelihood).max()
    largest_tail = math.ceil(min(n / 5, 3 * math.sqrt(n / efficiency)))
    cutoff = max(np.sort(x)[max(n - largest_tail - 1, 0)], math.log(np.finfo(float).tiny))
    (tail,) = np.nonzero(x > cutoff)
    tail = tail[np.argsort(x[tail], kind="stable")]
    k = math.inf
    if len(tail) > 4:
        k, sigma = fit_pareto(np.exp(x[tail]) - math.exp(cutoff))
        if math.isfinite(k):
            rate = -np.log1p(-(np.arange(len(tail)) + 0.5) / len(tail))
            smoothed = sigma * (rate if abs(k) < np.finfo(float).eps else np.expm1(k * rate) / k)
            x[tail] = np.minimum(np.log(smoothed + math.exp(cutoff)), 0.0)
    return log_sum_exp(x + log_likelihood) - log_sum_exp(x), log_mean, k
