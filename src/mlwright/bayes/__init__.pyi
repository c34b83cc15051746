from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.diagnostics import bfmi, diagnose
from mlwright._bayesian.loo import psis_loo
from mlwright.bayes._bart.classifier import BARTClassifier
from mlwright.bayes._bart.regressor import BARTRegressor
from mlwright.bayes._elliptical import sample_elliptical
from mlwright.bayes._glm.generalized import BayesianGLM
from mlwright.bayes._glm.logistic import BayesianLogisticRegression
from mlwright.bayes._glm.poisson import BayesianPoissonRegressor
from mlwright.bayes._horseshoe import HorseshoeRegressor
from mlwright.bayes._laplace import LaplaceApproximation, laplace
from mlwright.bayes._linear import BayesianLinearRegression
from mlwright.bayes._normal_inverse_gamma import NormalInverseGammaRegressor
from mlwright.bayes._posterior import Posterior
from mlwright.bayes._sample import sample
from mlwright.bayes._spike_slab import SpikeSlabRegressor

__all__ = [
    "BARTClassifier",
    "BARTRegressor",
    "BayesianGLM",
    "BayesianLinearRegression",
    "BayesianLogisticRegression",
    "BayesianMixin",
    "BayesianPoissonRegressor",
    "HorseshoeRegressor",
    "LaplaceApproximation",
    "NormalInverseGammaRegressor",
    "Posterior",
    "SpikeSlabRegressor",
    "bfmi",
    "diagnose",
    "laplace",
    "psis_loo",
    "sample",
    "sample_elliptical",
]
