"""NumPyro: the no-U-turn sampler at its defaults, four chains side by side in one vectorised program."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from benchmarks.cold import started_anew

Settings = Mapping[str, Any]


def _model(n_columns: int, prior_scale: float):
    import numpyro
    import numpyro.distributions as dist

    def model(X, y):
        coef = numpyro.sample("coef", dist.Normal(0.0, prior_scale).expand([n_columns]).to_event(1))
        intercept = numpyro.sample("intercept", dist.ImproperUniform(dist.constraints.real, (), ()))
        numpyro.sample("y", dist.Bernoulli(logits=X @ coef + intercept), obs=y)

    return model


def _horseshoe(n_columns: int, global_scale: float):
    """As ours is written: scales of coefficients in units of the noise, which has an inverse gamma prior."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    def model(X, y):
        tau = numpyro.sample("tau", dist.HalfCauchy(global_scale))
        local = numpyro.sample("local", dist.HalfCauchy(1.0).expand([n_columns]).to_event(1))
        variance = numpyro.sample("variance", dist.InverseGamma(1e-3, 1e-3))
        z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([n_columns]).to_event(1))
        intercept = numpyro.sample("intercept", dist.ImproperUniform(dist.constraints.real, (), ()))
        coef = numpyro.deterministic("coef", z * local * tau * jnp.sqrt(variance))
        numpyro.sample("y", dist.Normal(X @ coef + intercept, jnp.sqrt(variance)), obs=y)

    return model


@cache
def _sampler(kind: str, shape: tuple[int, int], scale: float, chains: int, warm_up: int, draws: int):
    """Compiled once for data of a shape: warm rounds do not pay for it, and other data would make it fail."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from numpyro.infer import MCMC, NUTS

    make = {"logistic": _model, "horseshoe": _horseshoe}[kind]
    return MCMC(
        NUTS(make(shape[1], scale)),
        num_warmup=warm_up,
        num_samples=draws,
        num_chains=chains,
        chain_method="vectorized",
        progress_bar=False,
    )


class _Draws:
    def __init__(self, kind: str, settings: Settings):
        self._kind, self._settings = kind, settings

    def fit(self, X, y):
        s = self._settings
        sampler = _sampler(self._kind, X.shape, s["scale"], s["chains"], s["warm_up"], s["draws"])
        import jax

        sampler.run(jax.random.PRNGKey(0), X, y)
        samples = jax.device_get(sampler.get_samples(group_by_chain=True))
        self._draws = np.asarray(samples["coef"], dtype=np.float64)
        return self

    def draws(self):
        return self._draws


MODELS = {
    "logistic_posterior": lambda settings: _Draws("logistic", settings),
    "logistic_posterior_cold": started_anew("numpyro", "logistic_posterior"),
    "horseshoe_posterior": lambda settings: _Draws("horseshoe", settings),
}
