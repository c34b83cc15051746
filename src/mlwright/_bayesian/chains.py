"""Markov chains of a posterior: their draws by name, diagnostics, and what makes them doubtful."""

import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from mlwright._bayesian.diagnostics import bfmi, diagnose
from mlwright._kernels.rng import integers, sample_without_replacement

_RHAT, _ESS_A_CHAIN, _BFMI = 1.01, 100, 0.3
_PICK = 7001  # stream


@dataclass(frozen=True)
class Chains:
    """Draws of several chains.

    Attributes
    ----------
    draws : dict of str to ndarray of shape (n_chains, n_draws, ...)
    statistics : dict of str to ndarray of shape (n_chains, n_draws)
        ``diverging`` and ``energy`` among them, where the sampler has them.
    """

    draws: dict
    statistics: dict = field(default_factory=dict)

    def diagnostics(self):
        """By parameter, a dict of arrays of its shape: mean, sd, R-hat, effective sample sizes, Monte Carlo errors."""
        return {name: diagnose(x) for name, x in self.draws.items()}

    def pick(self, n_samples, seed):
        """That many draws of all chains together, in random order; none twice unless more are asked for than there are.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, ...)
        """
        chains, n = next(iter(self.draws.values())).shape[:2]
        total = chains * n
        at = (sample_without_replacement if n_samples <= total else integers)(seed, _PICK, total, n_samples)
        return {name: x.reshape(total, *x.shape[2:])[at] for name, x in self.draws.items()}

    def warn(self, subject, stacklevel=3):
        """Warn, with one of sklearn's ConvergenceWarning, of everything that makes the draws doubtful."""
        complaints = list(self.complaints())
        if complaints:
            warnings.warn(f"{subject}: " + ". ".join(complaints), ConvergenceWarning, stacklevel=stacklevel)

    def complaints(self):
        """Sentences: what was seen, what was expected, what to do."""
        chains, n = next(iter(self.draws.values())).shape[:2]
        diverging = int(np.sum(self.statistics.get("diverging", 0)))
        if diverging:
            yield (
                f"{diverging} of {chains * n} transitions diverged: the density bends more sharply somewhere than "
                "the step size follows; raise target_acceptance, or write the model with less dependent parameters"
            )
        if n < 4:
            return
        table = self.diagnostics()
        name, value = _worst(table, "rhat")
        if value > _RHAT:
            yield f"R-hat of {name} is {value:.3f}, expected at most {_RHAT}: chains do not agree yet; run them longer"
        for key, words in (("ess_bulk", "bulk"), ("ess_tail", "tail")):
            name, value = _worst(table, key)
            if value < _ESS_A_CHAIN * chains:
                yield (
                    f"effective sample size ({words}) of {name} is {value:.0f}, expected {_ESS_A_CHAIN * chains}: "
                    "means and quantiles are uncertain; draw more"
                )
        low = np.nanmin(bfmi(self.statistics["energy"]), initial=np.inf) if "energy" in self.statistics else np.inf
        if low < _BFMI:
            yield f"the fraction of missing information is {low:.2f}, expected {_BFMI}: heavy tails are explored slowly"


def label(name, at):
    """Of one number of a parameter: ``tau``, ``theta[3]``."""
    return name + (f"[{', '.join(map(str, at))}]" if at else "")


def _worst(table, key):
    """Name and value of the number that looks worst; one that is NaN, as of what is constant, tells nothing."""
    sign = -1 if key == "rhat" else 1
    rows = (
        (label(name, at), float(value))
        for name, told in table.items()
        for at, value in np.ndenumerate(np.asarray(told[key]))
        if not np.isnan(value)
    )
    return min(rows, key=lambda row: sign * row[1], default=("none", -np.inf if sign < 0 else np.inf))
