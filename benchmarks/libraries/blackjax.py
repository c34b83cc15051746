"""blackjax: the no-U-turn sampler after its window adaptation, four chains in one vectorised program."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from benchmarks.cold import started_anew

Settings = Mapping[str, Any]


@cache
def _sampler(n_columns: int, scale: float, chains: int, warm_up: int, draws: int):
    """Compiled once a process: warm rounds do not pay for it."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import blackjax
    import jax.numpy as jnp

    def chain(key, X, y):
        def log_density(point):
            eta = X @ point["coef"] + point["intercept"]
            return jnp.sum(y * eta - jax.nn.softplus(eta)) - 0.5 * jnp.sum((point["coef"] / scale) ** 2)

        warm_key, start_key, key = jax.random.split(key, 3)
        adaptation = blackjax.window_adaptation(blackjax.nuts, log_density)
        start = {"coef": 0.1 * jax.random.normal(start_key, (n_columns,)), "intercept": jnp.array(0.0)}
        (state, parameters), _ = adaptation.run(warm_key, start, num_steps=warm_up)
        kernel = blackjax.nuts(log_density, **parameters).step

        def step(state, key):
            state, _ = kernel(key, state)
            return state, state.position["coef"]

        return jax.lax.scan(step, state, jax.random.split(key, draws))[1]

    return jax.jit(jax.vmap(chain, in_axes=(0, None, None)))


class _Draws:
    def __init__(self, settings: Settings):
        self._settings = settings

    def fit(self, X, y):
        import jax

        s = self._settings
        run = _sampler(X.shape[1], s["scale"], s["chains"], s["warm_up"], s["draws"])
        keys = jax.random.split(jax.random.PRNGKey(0), s["chains"])
        self._draws = np.asarray(jax.device_get(run(keys, X, y)), dtype=np.float64)
        return self

    def draws(self):
        return self._draws


MODELS = {
    "logistic_posterior": _Draws,
    "logistic_posterior_cold": started_anew("blackjax", "logistic_posterior"),
}
