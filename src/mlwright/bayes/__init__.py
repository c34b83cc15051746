"""Bayesian inference: estimators with a posterior, draws from it, and what tells how far to trust them."""

from mlwright._lazy import front

__all__, __getattr__, __dir__ = front(
    __name__,
    {
        "BARTClassifier": "mlwright.bayes._bart.classifier",
        "BARTRegressor": "mlwright.bayes._bart.regressor",
        "BayesianGLM": "mlwright.bayes._glm.generalized",
        "BayesianLinearRegression": "mlwright.bayes._linear",
        "BayesianLogisticRegression": "mlwright.bayes._glm.logistic",
        "BayesianMixin": "mlwright._bayesian.contract",
        "BayesianPoissonRegressor": "mlwright.bayes._glm.poisson",
        "HorseshoeRegressor": "mlwright.bayes._horseshoe",
        "LaplaceApproximation": "mlwright.bayes._laplace",
        "NormalInverseGammaRegressor": "mlwright.bayes._normal_inverse_gamma",
        "Posterior": "mlwright.bayes._posterior",
        "SpikeSlabRegressor": "mlwright.bayes._spike_slab",
        "bfmi": "mlwright._bayesian.diagnostics",
        "diagnose": "mlwright._bayesian.diagnostics",
        "laplace": "mlwright.bayes._laplace",
        "psis_loo": "mlwright._bayesian.loo",
        "sample": "mlwright.bayes._sample",
        "sample_elliptical": "mlwright.bayes._elliptical",
    },
)
