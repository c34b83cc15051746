"""Makes ``arviz_references.npz``: what ArviZ says of chains and of log likelihoods, with those.

Run in the benchmarks' environment: ``.venv-bench/bin/python tests/bayes/make_arviz_references.py``.
"""

from pathlib import Path

import arviz
import numpy as np

SHAPES = {"many": (4, 300, 3), "odd": (3, 257, 3), "few": (2, 64, 3)}
EFFICIENCIES = {"independent": 1.0, "slow": 0.4}


def chains(shape, seed=0):
    """Alike, with long tails, slow; the last chain off in the last column, as with chains that do not agree."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    x[..., 1] = np.exp(2.0 * x[..., 1])
    for at in range(1, shape[1]):
        x[:, at, 2] += 0.9 * x[:, at - 1, 2]
    x[-1, :, 2] += 1.5
    return x


def told(draws):
    of = {"rhat": arviz.rhat(draws), "mcse_mean": arviz.mcse(draws), "mcse_sd": arviz.mcse(draws, method="sd")}
    of |= {f"ess_{kind}": arviz.ess(draws, method=kind) for kind in ("bulk", "tail", "mean", "sd")}
    return {name: float(value) for name, value in of.items()}


def log_likelihoods():
    """Of a normal mean; one observation is so far away that its importance ratios have no mean."""
    rng = np.random.default_rng(1)
    y = np.append(rng.standard_normal(9), 12.0)
    mu = y.mean() + rng.standard_normal((2, 250)) / np.sqrt(len(y))
    return -0.5 * (y - mu[..., None]) ** 2 - 0.5 * np.log(2 * np.pi)


def main():
    arviz.utils.Numba.disable_numba()  # ArviZ 0.23's shortcut by Numba fails with NumPy 2.4
    out = {}
    for name, shape in SHAPES.items():
        x = chains(shape)
        columns = [told(x[..., j]) for j in range(shape[2])]
        out |= {f"{name} draws": x, f"{name} bfmi": arviz.bfmi(x[..., 0])}
        out |= {f"{name} {what}": np.array([column[what] for column in columns]) for what in columns[0]}
    out["log_likelihood"] = log_likelihoods()
    data = arviz.from_dict(posterior={"x": np.zeros((2, 250))}, log_likelihood={"y": out["log_likelihood"]})
    for name, efficiency in EFFICIENCIES.items():
        said = arviz.loo(data, pointwise=True, reff=efficiency)
        out |= {f"loo {name}": said.loo_i.to_numpy(), f"k_hat {name}": said.pareto_k.to_numpy()}
        out[f"sums {name}"] = np.array([said.elpd_loo, said.p_loo, said.se])
    np.savez_compressed(Path(__file__).with_name("arviz_references.npz"), **out)


if __name__ == "__main__":
    main()
