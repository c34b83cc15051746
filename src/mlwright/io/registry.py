"""The closed registry: the only classes that a model file can name.

A file says a name from this table and nothing else, so reading one never imports or calls what a stranger chose. A
class joins by a line here and by declaring its fitted state (``_model_state``, see `mlwright.io.schema`) and checking
what that declaration cannot say (``_validate_state(self)``, raising ModelFormatError).
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mlwright._runtime.errors import ModelFormatError
from mlwright.io.composite import State

# Name in the file -> where the class is.
CLASSES: dict[str, str] = {
    "bayes.BARTClassifier": "mlwright.bayes:BARTClassifier",
    "bayes.BARTRegressor": "mlwright.bayes:BARTRegressor",
    "bayes.BayesianGLM": "mlwright.bayes:BayesianGLM",
    "bayes.BayesianLinearRegression": "mlwright.bayes:BayesianLinearRegression",
    "bayes.BayesianLogisticRegression": "mlwright.bayes:BayesianLogisticRegression",
    "bayes.BayesianPoissonRegressor": "mlwright.bayes:BayesianPoissonRegressor",
    "bayes.HorseshoeRegressor": "mlwright.bayes:HorseshoeRegressor",
    "bayes.NormalInverseGammaRegressor": "mlwright.bayes:NormalInverseGammaRegressor",
    "bayes.SpikeSlabRegressor": "mlwright.bayes:SpikeSlabRegressor",
    "cluster.KMeans": "mlwright.cluster:KMeans",
    "cluster.MiniBatchKMeans": "mlwright.cluster:MiniBatchKMeans",
    "decomposition.PCA": "mlwright.decomposition:PCA",
    "decomposition.TruncatedSVD": "mlwright.decomposition:TruncatedSVD",
    "deploy.ImportedClassifier": "mlwright.deploy:ImportedClassifier",
    "deploy.ImportedRegressor": "mlwright.deploy:ImportedRegressor",
    "ensemble.HistGradientBoostingClassifier": "mlwright.ensemble:HistGradientBoostingClassifier",
    "ensemble.HistGradientBoostingDistributionRegressor": (
        "mlwright.ensemble:HistGradientBoostingDistributionRegressor"
    ),
    "ensemble.HistGradientBoostingQuantileRegressor": "mlwright.ensemble:HistGradientBoostingQuantileRegressor",
    "ensemble.HistGradientBoostingRegressor": "mlwright.ensemble:HistGradientBoostingRegressor",
    "gaussian_process.GaussianProcessRegressor": "mlwright.gaussian_process:GaussianProcessRegressor",
    "linear_model.ARDRegression": "mlwright.linear_model:ARDRegression",
    "linear_model.BayesianRidge": "mlwright.linear_model:BayesianRidge",
    "linear_model.ElasticNet": "mlwright.linear_model:ElasticNet",
    "linear_model.ElasticNetCV": "mlwright.linear_model:ElasticNetCV",
    "linear_model.GammaRegressor": "mlwright.linear_model:GammaRegressor",
    "linear_model.GeneralizedLinearRegressor": "mlwright.linear_model:GeneralizedLinearRegressor",
    "linear_model.HuberRegressor": "mlwright.linear_model:HuberRegressor",
    "linear_model.Lasso": "mlwright.linear_model:Lasso",
    "linear_model.LassoCV": "mlwright.linear_model:LassoCV",
    "linear_model.LassoLarsIC": "mlwright.linear_model:LassoLarsIC",
    "linear_model.LinearRegression": "mlwright.linear_model:LinearRegression",
    "linear_model.QuantileRegressor": "mlwright.linear_model:QuantileRegressor",
    "linear_model.LogisticRegressionCV": "mlwright.linear_model:LogisticRegressionCV",
    "linear_model.LogisticRegression": "mlwright.linear_model:LogisticRegression",
    "linear_model.MultiTaskElasticNet": "mlwright.linear_model:MultiTaskElasticNet",
    "linear_model.MultiTaskElasticNetCV": "mlwright.linear_model:MultiTaskElasticNetCV",
    "linear_model.MultiTaskLasso": "mlwright.linear_model:MultiTaskLasso",
    "linear_model.MultiTaskLassoCV": "mlwright.linear_model:MultiTaskLassoCV",
    "linear_model.PenalizedRegression": "mlwright.linear_model:PenalizedRegression",
    "linear_model.PenalizedRegressionCV": "mlwright.linear_model:PenalizedRegressionCV",
    "linear_model.PoissonRegressor": "mlwright.linear_model:PoissonRegressor",
    "linear_model.Ridge": "mlwright.linear_model:Ridge",
    "linear_model.SGDClassifier": "mlwright.linear_model:SGDClassifier",
    "linear_model.SGDRegressor": "mlwright.linear_model:SGDRegressor",
    "linear_model.RidgeClassifier": "mlwright.linear_model:RidgeClassifier",
    "linear_model.RidgeClassifierCV": "mlwright.linear_model:RidgeClassifierCV",
    "linear_model.RidgeCV": "mlwright.linear_model:RidgeCV",
    "linear_model.TweedieRegressor": "mlwright.linear_model:TweedieRegressor",
    "mixture.BayesianGaussianMixture": "mlwright.mixture:BayesianGaussianMixture",
    "mixture.GaussianMixture": "mlwright.mixture:GaussianMixture",
    "preprocessing.StandardScaler": "mlwright.preprocessing:StandardScaler",
    "preprocessing.TableEncoder": "mlwright.preprocessing:TableEncoder",
    "tabular.BaselineClassifier": "mlwright.tabular:BaselineClassifier",
    "tabular.BaselineRegressor": "mlwright.tabular:BaselineRegressor",
    "tabular.IRLSClassifier": "mlwright.tabular:IRLSClassifier",
    "tabular.TabularClassifier": "mlwright.tabular:TabularClassifier",
    "tabular.TabularRegressor": "mlwright.tabular:TabularRegressor",
    "sklearn.pipeline.Pipeline": "sklearn.pipeline:Pipeline",
}


def name_of(model: Any) -> str:
    """The registered name of a model's exact class; TypeError for every other class, subclasses included."""
    for name, place in CLASSES.items():
        module, _, attribute = place.partition(":")
        # A class that exists has its module loaded, so nothing needs to be imported to look.
        if type(model) is getattr(sys.modules.get(module), attribute, None):
            return name
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    raise TypeError(
        f"save: got a model of class {kind}; a model file holds mlwright's own classes and pipelines of them only: "
        f"{', '.join(sorted(CLASSES))}; use pickle or joblib for others"
    )


def class_of(name: Any) -> type:
    """The class of a name that a file states."""
    if not isinstance(name, str) or name not in CLASSES:
        raise ModelFormatError(
            f"model file: names the class {name!r:.80}, which this version does not know; "
            "upgrade mlwright if a newer version wrote the file"
        )
    module, _, attribute = CLASSES[name].partition(":")
    return getattr(import_module(module), attribute)


def state_of(cls: type) -> State:
    """How the fitted state of a registered class is declared."""
    # A pipeline's state is that of its steps, which are a parameter.
    return _STATELESS if _is_pipeline(cls) else cls._model_state


def checks_of(cls: type, fitted: bool) -> list[Callable[[Any], None]]:
    """What to call on a model of a registered class to check what its declaration cannot say."""
    if _is_pipeline(cls):
        return [_check_pipeline]
    return [cls._validate_state] if fitted else []


_STATELESS = State()


def _is_pipeline(cls: type) -> bool:
    return cls.__module__ == "sklearn.pipeline"


def _check_pipeline(model: Any) -> None:
    # A cache is a directory of pickles: a file from a stranger must not be able to name one.
    if model.memory is not None:
        raise ModelFormatError("a pipeline with memory= is never stored; set_params(memory=None) before saving")
    for step in model.steps:
        if not isinstance(step, tuple) or len(step) != 2 or not isinstance(step[0], str):
            raise ModelFormatError(f"got the pipeline step {step!r:.80}; expected a pair of name and model")
        if isinstance(step[1], str) and step[1] != "passthrough":
            raise ModelFormatError(f"got the pipeline step {step[1]!r:.80}; expected a model, None or 'passthrough'")
    model._validate_steps()
