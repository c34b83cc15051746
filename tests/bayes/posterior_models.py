"""The models of the reference posteriors (`shared/data/posteriors`), as a user would write them.

Each entry of ``MODELS`` is a density, how its data follow from the file's, and how the reference's numbers follow from
draws and data.
"""

import math

import numpy as np

from mlwright.extend import densities, interval, log_density, ordered, positive, real


@log_density(mu=real(), tau=positive(), z=real("y"))
def eight_schools(mu, tau, z, y, sigma):
    total = densities.normal(mu, 0.0, 5.0) + densities.cauchy(tau, 0.0, 5.0)
    for j in range(len(y)):
        total += densities.normal(z[j], 0.0, 1.0) + densities.normal(y[j], mu + tau * z[j], sigma[j])
    return total


@log_density(beta=real("columns"), sigma=positive())
def regression(beta, sigma, X, y, columns, beta_scale, cauchy_scale, normal_scale):
    """Normal errors; a scale of zero leaves that prior flat."""
    total = 0.0 * sigma
    if beta_scale > 0.0:
        for j in range(len(beta)):
            total += densities.normal(beta[j], 0.0, beta_scale)
    if cauchy_scale > 0.0:
        total += densities.cauchy(sigma, 0.0, cauchy_scale)
    if normal_scale > 0.0:
        total += densities.normal(sigma, 0.0, normal_scale)
    for i in range(len(y)):
        total += densities.normal(y[i], densities.dot(X[i], beta), sigma)
    return total


@log_density(mu=real(), alpha0=positive(), alpha1=interval(0.0, 1.0), share=interval(0.0, 1.0))
def garch(mu, alpha0, alpha1, share, y, sigma1):
    """beta1 is a share of 1 - alpha1, so the Jacobian of that is part of the density."""
    beta1 = share * (1.0 - alpha1)
    variance = sigma1 * sigma1 + 0.0 * mu
    total = math.log(1.0 - alpha1) + densities.normal(y[0], mu, sigma1)
    for t in range(1, len(y)):
        shock = y[t - 1] - mu
        variance = alpha0 + alpha1 * shock * shock + beta1 * variance
        total += densities.normal(y[t], mu, math.sqrt(variance))
    return total


@log_density(rho=positive(), alpha=positive(), z=real("x"))
def gaussian_process(rho, alpha, z, x, k):
    n = len(x)
    total = densities.gamma(rho, 25.0, 4.0) + densities.normal(alpha, 0.0, 2.0)
    factor = [0.0 * rho] * (n * n)
    for i in range(n):
        f = 0.0 * rho
        for j in range(i + 1):
            distance = x[i] - x[j]
            entry = alpha * alpha * math.exp(-0.5 * distance * distance / (rho * rho))
            if i == j:
                entry += 1e-10
            for m in range(j):
                entry -= factor[i * n + m] * factor[j * n + m]
            factor[i * n + j] = math.sqrt(entry) if i == j else entry / factor[j * n + j]
            f += factor[i * n + j] * z[j]
        total += densities.normal(z[i], 0.0, 1.0) + densities.poisson_log(k[i], f)
    return total


@log_density(mu=ordered(2), sigma=positive(2), theta=interval(0.0, 1.0))
def mixture(mu, sigma, theta, y):
    total = densities.beta(theta, 5.0, 5.0)
    for c in range(2):
        total += densities.normal(mu[c], 0.0, 2.0) + densities.normal(sigma[c], 0.0, 2.0)
    for i in range(len(y)):
        first = math.log(theta) + densities.normal(y[i], mu[0], sigma[0])
        second = math.log(1.0 - theta) + densities.normal(y[i], mu[1], sigma[1])
        total += densities.log_sum_exp(first, second)
    return total


def columns(X, y, *, beta_scale=0.0, cauchy_scale=0.0, normal_scale=0.0):
    X = np.column_stack([np.asarray(c, dtype=float) for c in X])
    return {
        "X": X,
        "y": np.asarray(y, dtype=float),
        "columns": np.zeros(X.shape[1]),
        "beta_scale": beta_scale,
        "cauchy_scale": cauchy_scale,
        "normal_scale": normal_scale,
    }


def ones(d):
    return np.ones(d["N"])


def kidiq(d):
    return columns([ones(d), d["mom_iq"]], d["kid_score"], cauchy_scale=2.5)


def kidiq_interaction(d):
    hs, iq = np.asarray(d["mom_hs"]), np.asarray(d["mom_iq"])
    return columns([ones(d), hs, iq, hs * iq], d["kid_score"], cauchy_scale=2.5)


def earnings(d):
    height, male = np.asarray(d["height"]), np.asarray(d["male"])
    return columns([ones(d), height, male, height * male], np.log(d["earn"]))


def nes(d):
    age = np.asarray(d["age_discrete"])
    names = ("educ1", "gender", "income")
    ages = [(age == k).astype(float) for k in (2, 3, 4)]
    return columns([ones(d), d["real_ideo"], d["race_adj"], *ages, *(d[n] for n in names)], d["partyid7"])


def autoregression(d):
    y, lags = np.asarray(d["y"], dtype=float), d["K"]
    X = [np.ones(len(y) - lags), *(y[lags - k : len(y) - k] for k in range(1, lags + 1))]
    return columns(X, y[lags:], beta_scale=10.0, cauchy_scale=2.5)


def sblri(d):
    return columns(np.asarray(d["X"]).T, d["y"], beta_scale=10.0, normal_scale=10.0)


def schools_data(d):
    return {"y": np.asarray(d["y"], float), "sigma": np.asarray(d["sigma"], float)}


def schools_numbers(draws):
    theta = draws["mu"][..., None] + draws["tau"][..., None] * draws["z"]
    return np.dstack([theta, draws["mu"], draws["tau"]])


def coefficients(draws):
    return np.dstack([draws["beta"], draws["sigma"]])


def garch_data(d):
    return {"y": np.asarray(d["y"], float), "sigma1": float(d["sigma1"])}


def garch_numbers(draws):
    beta1 = draws["share"] * (1 - draws["alpha1"])
    return np.dstack([draws["mu"], draws["alpha0"], draws["alpha1"], beta1])


def process_data(d):
    return {"x": np.asarray(d["x"], float), "k": np.asarray(d["k"])}


def process_numbers(draws):
    x = np.asarray(draws["x"])
    square = (x[:, None] - x[None, :]) ** 2
    rho, alpha = draws["rho"][..., None, None], draws["alpha"][..., None, None]
    kernel = alpha**2 * np.exp(-0.5 * square / rho**2) + 1e-10 * np.eye(len(x))
    f = np.einsum("...ij,...j->...i", np.linalg.cholesky(kernel), draws["z"])
    return np.dstack([draws["rho"], draws["alpha"], f])


def mixture_numbers(draws):
    return np.dstack([draws["mu"], draws["sigma"], draws["theta"]])


MODELS = {
    "eight_schools-eight_schools_noncentered": (eight_schools, schools_data, schools_numbers),
    "kidiq-kidscore_momiq": (regression, kidiq, coefficients),
    "kidiq-kidscore_interaction": (regression, kidiq_interaction, coefficients),
    "earnings-logearn_interaction": (regression, earnings, coefficients),
    "sblri-blr": (regression, sblri, coefficients),
    "nes1980-nes": (regression, nes, coefficients),
    "arK-arK": (regression, autoregression, coefficients),
    "garch-garch11": (garch, garch_data, garch_numbers),
    "gp_pois_regr-gp_pois_regr": (gaussian_process, process_data, process_numbers),
    "low_dim_gauss_mix-low_dim_gauss_mix": (mixture, lambda d: {"y": np.asarray(d["y"], float)}, mixture_numbers),
}
