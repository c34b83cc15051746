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


F, L = sm.families, sm.families.links
GLMS = {
    "binomial/logit": (F.Binomial(L.Logit()), lambda rng, eta: rng.random(len(eta)) < 1 / (1 + np.exp(-eta))),
    "binomial/probit": (F.Binomial(L.Probit()), lambda rng, eta: rng.random(len(eta)) < 1 / (1 + np.exp(-eta))),
    "binomial/cloglog": (F.Binomial(L.CLogLog()), lambda rng, eta: rng.random(len(eta)) < 1 / (1 + np.exp(-eta))),
    "poisson/log": (F.Poisson(), lambda rng, eta: rng.poisson(np.exp(eta))),
    "gamma/log": (F.Gamma(L.Log()), lambda rng, eta: np.exp(eta) * rng.gamma(3.0, 1 / 3, len(eta))),
    "gamma/inverse": (
        F.Gamma(L.InversePower()),
        lambda rng, eta: (3.0 + 0.5 * eta) ** -1 * rng.gamma(9, 1 / 9, len(eta)),
    ),
    "inverse_gaussian/log": (F.InverseGaussian(L.Log()), lambda rng, eta: rng.wald(np.exp(eta), 4.0)),
    "negative_binomial/log": (
        F.NegativeBinomial(alpha=0.5),
        lambda rng, eta: rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, len(eta))),
    ),
    "normal/log": (F.Gaussian(L.Log()), lambda rng, eta: np.exp(eta) + 0.2 * rng.standard_normal(len(eta))),
    "normal/identity": (F.Gaussian(), lambda rng, eta: eta + rng.standard_normal(len(eta))),
}


def glms():
    rng = np.random.default_rng(7)
    X = rng.standard_normal((150, 3)) * [0.5, 5.0, 0.05] + [0.0, 10.0, 0.0]
    eta = 0.3 + (X - [0.0, 10.0, 0.0]) @ [0.6, 0.08, -6.0]
    groups, often = rng.integers(0, 12, 150), rng.integers(1, 4, 150).astype(float)
    yield from {"glm/X": X, "glm/groups": groups, "glm/often": often}.items()
    A = sm.add_constant(X)
    for name, (family, draw) in GLMS.items():
        y = np.asarray(draw(rng, eta), dtype=np.float64)
        yield f"glm/{name}/y", y
        for weights in (None, "often"):
            model = sm.GLM(y, A, family=family, freq_weights=None if weights is None else often)
            for kind in ("nonrobust", "HC0", "cluster"):
                if kind == "cluster" and weights:
                    continue  # its correction does not count repetitions
                keywords = {"groups": groups} if kind == "cluster" else None
                result = model.fit(cov_type=kind, cov_kwds=keywords, tol=1e-14, maxiter=200)
                yield f"glm/{name}/{weights}/{kind}", np.append(figures(result), result.scale)


def classes():
    """Three classes; statsmodels' MNLogit, whose parameters are those of each class less the first's."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((200, 3)) * [0.5, 5.0, 0.05] + [0.0, 10.0, 0.0]
    score = np.column_stack([np.zeros(200), (X - [0.0, 10.0, 0.0]) @ [1.0, 0.1, -8.0] + 0.5, X[:, 0] - X[:, 2] * 9.0])
    y, groups = (score + rng.gumbel(size=score.shape)).argmax(axis=1), rng.integers(0, 15, 200)
    yield from {"classes/X": X, "classes/y": y, "classes/groups": groups}.items()
    more_of = {"cluster": {"groups": groups}, "HAC": {"maxlags": 3, "use_correction": False}}
    for intercept in (True, False):
        model = sm.MNLogit(y, sm.add_constant(X) if intercept else X)
        for kind in ("nonrobust", "HC0", "cluster", "HAC"):
            found = model.fit(cov_type=kind, cov_kwds=more_of.get(kind), method="newton", tol=1e-14, disp=0)
            parts = [found.params.T, found.bse.T, found.pvalues.T, np.asarray(found.conf_int(0.1)), found.cov_params()]
            more = [found.llf, found.aic if intercept else np.nan, found.llnull, found.prsquared]
            yield f"classes/{intercept}/{kind}", np.concatenate([np.ravel(part) for part in [*parts, more]])


def quantiles():
    """statsmodels' iteration leaves residuals of 1e-6 where the plane meets a row: beside targets of 1e6, rounding."""
    rng = np.random.default_rng(12)
    X = rng.standard_normal((151, 3)) * [0.5, 5.0, 0.05] + [0.0, 10.0, 0.0]
    y = 1e6 * (1.0 + X @ [1.0, 0.1, -8.0] + rng.standard_normal(151) * (1.0 + 0.5 * np.abs(X[:, 0])))
    yield from {"quantile/X": X, "quantile/y": y}.items()
    model = sm.QuantReg(y, sm.add_constant(X))
    settings = [(kernel, "hsheather") for kernel in ("epa", "gau", "biw", "cos", "par")]
    settings += [("epa", "bofinger"), ("epa", "chamberlain")]
    for level in (0.25, 0.5, 0.9):
        for vcov in ("iid", "robust"):
            for kernel, bandwidth in settings:
                found = model.fit(q=level, vcov=vcov, kernel=kernel, bandwidth=bandwidth, max_iter=3000)
                parts = [found.params, found.bse, found.pvalues, found.conf_int(0.1), found.cov_params()]
                more = [found.prsquared, found.sparsity, found.bandwidth, found.df_resid]
                key = f"quantile/{level}/{vcov}/{kernel}/{bandwidth}"
                yield key, np.concatenate([np.ravel(part) for part in [*parts, more]])


def main():
    out = {f"design/{name}/{part}": values for name, data in DESIGNS.items() for part, values in data.items()}
    out |= dict(least_squares())
    out |= dict(glms())
    out |= dict(classes())
    out |= dict(quantiles())
    np.savez_compressed(Path(__file__).with_name("references.npz"), **out)


if __name__ == "__main__":
    main()
