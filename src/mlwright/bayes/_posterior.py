"""Draws of a posterior, with names, diagnostics and the state to go on from."""

import numpy as np

from mlwright._bayesian.chains import Chains, label
from mlwright._bayesian.export import to_arviz
from mlwright._kernels.sampler import STATISTICS

_WHOLE = {"depth": np.int64, "n_steps": np.int64, "diverging": bool}
#: Of what a method tells; all else means nothing there.
_TOLD = {
    "nuts": set(STATISTICS),
    "hmc": set(STATISTICS) - {"depth"},
    "independence": {"log_density", "acceptance"},
    "elliptical": {"log_density", "n_steps"},
}


class Posterior:
    """What :func:`mlwright.bayes.sample` and :func:`mlwright.bayes.sample_elliptical` return.

    ``posterior["name"]`` are the draws of a parameter, of shape (n_chains, n_draws, ...); ``in``, ``len`` and iteration
    are over the names, as of a dict.

    Attributes
    ----------
    draws : dict of str to ndarray
        By parameter.
    statistics : dict of str to ndarray of shape (n_chains, n_draws)
        ``log_density`` (of the free numbers, Jacobians included), ``acceptance``, ``energy``, ``step_size``, ``depth``,
        ``n_steps`` (gradients), ``diverging``; those of them that the method has.
    method : {"nuts", "hmc", "independence", "elliptical"}
        By which the draws were made.
    k_hat : float or None
        Where ``"independence"`` was asked for, how far the posterior's tails are from those of the normal law at its
        mode.
    diagnostics_ : dict of str to dict
        By parameter, what :func:`mlwright.bayes.diagnose` tells.
    """

    def __init__(self, names, shapes, draws, statistics, state):
        self._names, self._shapes, self._flat, self._state = names, shapes, draws, state
        self.draws = dict(zip(names, _cut(draws, shapes), strict=True))
        self.method, self.k_hat = state.settings.method, state.k_hat
        self.statistics = {
            name: statistics[:, :, i].astype(_WHOLE.get(name, np.float64))
            for i, name in enumerate(STATISTICS)
            if name in _TOLD[self.method]
        }
        self._told = statistics
        self.diagnostics_ = Chains(self.draws).diagnostics()

    def __getitem__(self, name):
        return self.draws[name]

    def __iter__(self):
        return iter(self.draws)

    def __len__(self):
        return len(self.draws)

    def keys(self):
        """Names of the parameters."""
        return self.draws.keys()

    def __repr__(self):
        chains, n = self._flat.shape[:2]
        return f"<mlwright posterior of {', '.join(self._names)}: {chains} chains of {n} draws>"

    def extend(self, draws):
        """More draws: the same, to the bit, as if they had been asked for at once.

        Parameters
        ----------
        draws : int
            How many more a chain.

        Returns
        -------
        Posterior
            Of all draws; this one stays as it is. Warns where its diagnostics are poor.
        """
        more, told, state = self._state.advance(draws)
        longer = Posterior(
            self._names,
            self._shapes,
            np.concatenate([self._flat, more], axis=1),
            np.concatenate([self._told, told], axis=1),
            state,
        )
        longer.warn(stacklevel=3)
        return longer

    def summary(self):
        """Mean, standard deviation, 90 % interval and diagnostics of every number.

        Returns
        -------
        dict of str to dict of str to float
            By number: ``tau``, ``theta[3]``.
        """
        table = {}
        for name, x in self.draws.items():
            told = self.diagnostics_[name]
            low, high = np.quantile(x, [0.05, 0.95], axis=(0, 1))
            for at in np.ndindex(x.shape[2:]):
                values = {"mean": told["mean"], "sd": told["sd"], "5%": low, "95%": high}
                values |= {key: told[key] for key in ("mcse_mean", "ess_bulk", "ess_tail", "rhat")}
                table[label(name, at)] = {key: float(np.asarray(value)[at]) for key, value in values.items()}
        return table

    def to_arviz(self):
        """As ArviZ's data, for its plots; ArviZ must be installed."""
        told = {("tree_depth" if name == "depth" else name): value for name, value in self.statistics.items()}
        told["lp"] = told.pop("log_density")
        if "acceptance" in told:
            told["acceptance_rate"] = told.pop("acceptance")
        return to_arviz(posterior=self.draws, sample_stats=told)

    def warn(self, stacklevel=2):
        """Warn, with one of sklearn's ConvergenceWarning, of everything that makes the draws doubtful."""
        Chains(self.draws, self.statistics).warn("posterior", stacklevel=stacklevel + 1)


def _cut(flat, shapes):
    at = 0
    for shape in shapes:
        size = int(np.prod(shape, dtype=int))
        yield flat[:, :, at : at + size].reshape(*flat.shape[:2], *shape)
        at += size
