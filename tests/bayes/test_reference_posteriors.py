"""The sampler against long runs of Stan: means and mean squares of every number within their Monte Carlo errors."""

import numpy as np
import pytest

from mlwright import bayes
from tests.bayes.posterior_models import MODELS

QUICK = {"eight_schools-eight_schools_noncentered", "sblri-blr", "arK-arK"}
BY_NAME = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in MODELS]


# gp_pois_regr: 2 of 16,000 transitions diverge.
@pytest.mark.filterwarnings("ignore:posterior:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", BY_NAME)
def test_moments_are_those_of_the_reference(name, data_posterior):
    known = data_posterior(name)
    density, data_of, numbers_of = MODELS[name]
    data = data_of(known["data"])
    draws = 2000 if name in QUICK else 4000
    posterior = bayes.sample(density, data, draws=draws, target_acceptance=0.95, random_state=0)
    numbers, reference = numbers_of({**data, **posterior.draws}), known["reference"]
    for power, mean, error in ((1, "mean", "mcse_mean"), (2, "mean_square", "mcse_mean_square")):
        told = bayes.diagnose(numbers**power)
        z = (told["mean"] - reference[mean]) / np.hypot(told["mcse_mean"], reference[error])
        assert abs(z).max() < 4.5, dict(zip(reference["names"], z.round(1), strict=True))
