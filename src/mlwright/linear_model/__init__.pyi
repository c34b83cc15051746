from mlwright.linear_model._evidence.ard import ARDRegression
from mlwright.linear_model._evidence.bayesian_ridge import BayesianRidge
from mlwright.linear_model._glm._generalized import GeneralizedLinearRegressor
from mlwright.linear_model._glm._logistic import LogisticRegression
from mlwright.linear_model._glm._logistic_cv import LogisticRegressionCV
from mlwright.linear_model._glm._tweedie import GammaRegressor, PoissonRegressor, TweedieRegressor
from mlwright.linear_model._linear_regression import LinearRegression
from mlwright.linear_model._ridge.classifier import RidgeClassifier
from mlwright.linear_model._ridge.classifier_cv import RidgeClassifierCV
from mlwright.linear_model._ridge.ridge import Ridge
from mlwright.linear_model._ridge.ridge_cv import RidgeCV
from mlwright.linear_model._robust.huber import HuberRegressor
from mlwright.linear_model._robust.quantile import QuantileRegressor
from mlwright.linear_model._sgd.classifier import SGDClassifier
from mlwright.linear_model._sgd.regressor import SGDRegressor
from mlwright.linear_model._sparse.elastic_net import ElasticNet, Lasso
from mlwright.linear_model._sparse.elastic_net_cv import ElasticNetCV, LassoCV
from mlwright.linear_model._sparse.lasso_lars_ic import LassoLarsIC
from mlwright.linear_model._sparse.multi_task import MultiTaskElasticNet, MultiTaskLasso
from mlwright.linear_model._sparse.multi_task_cv import MultiTaskElasticNetCV, MultiTaskLassoCV
from mlwright.linear_model._sparse.paths import enet_path, lasso_path
from mlwright.linear_model._sparse.penalized_regression import PenalizedRegression
from mlwright.linear_model._sparse.penalized_regression_cv import PenalizedRegressionCV

__all__ = [
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "GammaRegressor",
    "GeneralizedLinearRegressor",
    "HuberRegressor",
    "Lasso",
    "LassoCV",
    "LassoLarsIC",
    "LinearRegression",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "PenalizedRegression",
    "PenalizedRegressionCV",
    "PoissonRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "SGDRegressor",
    "TweedieRegressor",
    "enet_path",
    "lasso_path",
]
