"""Draws of a generalized linear model's posterior, and what they say of themselves."""

from dataclasses import dataclass, field

import numpy as np

from mlwright._bayesian.chains import Chains


@dataclass(frozen=True)
class Draws:
    """Points as the native density has them.

    Attributes
    ----------
    theta : array of shape (chains, draws, d)
    acceptance : float
    k_hat : float
        Of the normal approximation; NaN where there was none.
    log_evidence : float or None
    statistics : dict of arrays of shape (chains, draws)
    """

    theta: np.ndarray
    acceptance: float
    k_hat: float = np.nan
    log_evidence: float | None = None
    statistics: dict = field(default_factory=dict)

    def warn(self, name, places, stacklevel):
        """Of what makes them doubtful; `places` are the slices of a point, by part."""
        parts = {part: self.theta[:, :, place] for part, place in places.items() if place.stop > place.start}
        Chains(parts, self.statistics).warn(name, stacklevel=stacklevel + 1)
