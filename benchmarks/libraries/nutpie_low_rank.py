"""nutpie with its low-rank metric."""

from functools import partial

from benchmarks.libraries.nutpie import density

MODELS = {"density": partial(density, low_rank=True)}
