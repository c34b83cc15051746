"""Makes ``references.npz``: what statsmodels says of small designs, with the designs.

Run in the benchmarks' environment: ``.venv-bench/bin/python tests/linear_model/inference/make_references.py``.
"""

from pathlib import Path

import numpy as np
import statsmodels.api as sm

COVARIANCES = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "two-way", "HAC")


def design(seed, n=90, p=4, shift=0.0, spread=1.0, mixed=0.0):
    """Columns of several scales about `shift`, the last one near a combination of the first two."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * spread ** rng.uniform(-1, 1, p) + shift
    if mixed:
        X[:, -1] = X[:, 0] - 2 * X[:, 1] + mixed * X[:, -1]
    y = 1.5 + ((X - shift) / X.std(axis=0)) @ rng.standard_normal(p) + rng.standard_normal(n) * (0.5 + rng.random(n))
    groups = np.column_stack([rng.integers(0, 9, n), rng.integers(0, 7, n)])
    return {"X": X, "y": y, "w": rng.random(n) + 0.2, "groups": groups}


DESIGNS = {
    "plain": design(0),
    "wide scales": design(1, shift=5.0, spread=1e3),
    "nearly collinear": design(2, mixed=1e-2),
    "one column": design(3, n=40, p=1),
    "few rows": design(4, n=9, p=3),
}


def settings(kind, groups):
    if kind == "cluster":
        return kind, {"groups": groups[:, 0]}
    if kind == "two-way":
        return "cluster", {"groups": groups}
    return kind, {"maxlags": 3} if kind == "HAC" else None


def figures(result):
    """Everything that is compared, one after another: see ``expected`` in the tests."""
    fit = [result.llf, result.aic, result.bic, result.df_resid]
    parts = [result.params, result.bse, result.pvalues, result.conf_int(0.1), result.cov_params(), fit]
    return np.concatenate([np.ravel(part) for part in parts])


def least_squares():
    for name, data in DESIGNS.items():
        for intercept in (True, False):
            A = sm.add_constant(data["X"], has_constant="add") if intercept else data["X"]
            for weights in (None, "w"):
                model = sm.OLS(data["y"], A) if weights is None else sm.WLS(data["y"], A, weights=data["w"])
                for kind in COVARIANCES:
                    cov_type, keywords = settings(kind, data["groups"])
                    result = model.fit(cov_type=cov_type, cov_kwds=keywords)
                    key = f"ols/{name}/{intercept}/{weights}/{kind}"
                    last = result.wald_test(np.eye(A.shape[1])[-1:], scalar=True)
                    more = [result.rsquared, result.rsquared_adj, last.statistic, last.pvalue]
                    more += [result.fvalue, result.f_pvalue] if intercept and kind != "two-way" else []
                    yield key, np.concatenate([figures(result), more])


def main():
    out = {f"design/{name}/{part}": values for name, data in DESIGNS.items() for part, values in data.items()}
    out |= dict(least_squares())
    np.savez_compressed(Path(__file__).with_name("references.npz"), **out)


if __name__ == "__main__":
    main()
