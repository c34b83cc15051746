"""Linear models: scikit-learn's names and answers, one pass over the rows, exact updates."""

from mlwright._lazy import front

__all__, __getattr__, __dir__ = front(
    __name__,
    {
        "ARDRegression": "mlwright.linear_model._evidence.ard",
        "BayesianRidge": "mlwright.linear_model._evidence.bayesian_ridge",
        "ElasticNet": "mlwright.linear_model._sparse.elastic_net",
        "ElasticNetCV": "mlwright.linear_model._sparse.elastic_net_cv",
        "GammaRegressor": "mlwright.linear_model._glm._tweedie",
        "GeneralizedLinearRegressor": "mlwright.linear_model._glm._generalized",
        "HuberRegressor": "mlwright.linear_model._robust.huber",
        "Lasso": "mlwright.linear_model._sparse.elastic_net",
        "LassoCV": "mlwright.linear_model._sparse.elastic_net_cv",
        "LassoLarsIC": "mlwright.linear_model._sparse.lasso_lars_ic",
        "LinearRegression": "mlwright.linear_model._linear_regression",
        "LogisticRegression": "mlwright.linear_model._glm._logistic",
        "LogisticRegressionCV": "mlwright.linear_model._glm._logistic_cv",
        "MultiTaskElasticNet": "mlwright.linear_model._sparse.multi_task",
        "MultiTaskElasticNetCV": "mlwright.linear_model._sparse.multi_task_cv",
        "MultiTaskLasso": "mlwright.linear_model._sparse.multi_task",
        "MultiTaskLassoCV": "mlwright.linear_model._sparse.multi_task_cv",
        "PenalizedRegression": "mlwright.linear_model._sparse.penalized_regression",
        "PenalizedRegressionCV": "mlwright.linear_model._sparse.penalized_regression_cv",
        "PoissonRegressor": "mlwright.linear_model._glm._tweedie",
        "QuantileRegressor": "mlwright.linear_model._robust.quantile",
        "Ridge": "mlwright.linear_model._ridge.ridge",
        "RidgeCV": "mlwright.linear_model._ridge.ridge_cv",
        "RidgeClassifier": "mlwright.linear_model._ridge.classifier",
        "RidgeClassifierCV": "mlwright.linear_model._ridge.classifier_cv",
        "SGDClassifier": "mlwright.linear_model._sgd.classifier",
        "SGDRegressor": "mlwright.linear_model._sgd.regressor",
        "TweedieRegressor": "mlwright.linear_model._glm._tweedie",
        "enet_path": "mlwright.linear_model._sparse.paths",
        "lasso_path": "mlwright.linear_model._sparse.paths",
    },
)
