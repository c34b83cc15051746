"""Bayesian inference: draws from a posterior, and what tells how far to trust them."""

from mlwright.bayes._posterior import Posterior
from mlwright.bayes._sample import sample
from mlwright.bayes.diagnostics import bfmi, diagnose

__all__ = ["Posterior", "bfmi", "diagnose", "sample"]
