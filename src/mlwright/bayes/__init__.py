"""Bayesian inference: draws from a posterior, and what tells how far to trust them."""

from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.diagnostics import bfmi, diagnose
from mlwright._bayesian.loo import psis_loo
from mlwright.bayes._bart.classifier import BARTClassifier
from mlwright.bayes._bart.regressor import BARTRegressor
from mlwright.bayes._posterior import Posterior
from mlwright.bayes._sample import sample

__all__ = ["BARTClassifier", "BARTRegressor", "BayesianMixin", "Posterior", "bfmi", "diagnose", "psis_loo", "sample"]
