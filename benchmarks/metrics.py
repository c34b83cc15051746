"""What an answer is worth, from a fitted model in float64 NumPy: the same code for every library."""

from collections.abc import Mapping
from typing import Any

import numpy as np

Data = Mapping[str, Any]


def penalised_squares(alpha: float):
    """``|y - X w - b|^2 + alpha |w|^2`` on the data that was fitted: the objective of (ridge) least squares."""

    def objective(model: Any, data: Data) -> float:
        w = np.ravel(np.asarray(model.coef_, dtype=np.float64))
        X, y = (np.asarray(data[name], dtype=np.float64) for name in ("X", "y"))
        residual = y - X @ w - float(np.ravel(model.intercept_)[0])
        return float(residual @ residual + alpha * (w @ w))

    return objective


def _elastic_net(w, residual: np.ndarray, alpha: float, l1_ratio: float) -> float:
    """scikit-learn's objective, averaged over rows."""
    penalty = l1_ratio * np.abs(w).sum() + 0.5 * (1.0 - l1_ratio) * (w @ w)
    return float(residual @ residual / (2 * len(residual)) + alpha * penalty)


def lasso_objective(alpha: float):
    """``|y - X w - b|^2 / (2 n) + alpha |w|_1`` on the data that was fitted."""

    def objective(model: Any, data: Data) -> float:
        w = np.ravel(model.coef_).astype(np.float64)
        return _elastic_net(w, data["y"] - data["X"] @ w - float(np.ravel(model.intercept_)[0]), alpha, 1.0)

    return objective


def chosen_alpha(model: Any, data: Data) -> float:
    """The penalty that cross-validation chose."""
    return float(model.alpha_)


def chosen_objective(model: Any, data: Data) -> float:
    """The elastic net's objective at the penalties that cross-validation chose."""
    ratio = float(getattr(model, "l1_ratio_", 1.0))
    w = np.ravel(model.coef_).astype(np.float64)
    return _elastic_net(w, data["y"] - data["X"] @ w - float(model.intercept_), float(model.alpha_), ratio)


def path_objective(model: Any, data: Data) -> float:
    """Sum over a path of penalties of the lasso's objective."""
    X, y = data["X"], data["y"]
    return sum(
        _elastic_net(w, y - X @ w, float(alpha), 1.0) for w, alpha in zip(model.coefs_.T, model.alphas_, strict=True)
    )


def penalised_log_loss(C: float, l1_ratio: float = 0.0):
    """The objective of logistic regression on the data that was fitted: sum of log losses plus the penalty over C."""

    def objective(model: Any, data: Data) -> float:
        b = np.asarray(model.coef_, dtype=np.float64)
        eta = np.asarray(data["X"] @ b.T) + np.asarray(model.intercept_, dtype=np.float64)
        if eta.shape[1] == 1:
            eta = np.hstack([np.zeros_like(eta), eta])
        loss = np.logaddexp.reduce(eta, axis=1) - eta[np.arange(len(eta)), data["y"]]
        penalty = l1_ratio * np.abs(b).sum() + (1 - l1_ratio) / 2 * np.square(b).sum()
        return float(loss.sum() + penalty / C)

    return objective


def penalised_poisson(alpha: float):
    """Mean Poisson loss plus penalty on the data that was fitted, up to a constant of y."""

    def objective(model: Any, data: Data) -> float:
        b = np.asarray(model.coef_, dtype=np.float64)
        eta = data["X"] @ b + float(model.intercept_)
        return float(np.mean(np.exp(eta) - data["y"] * eta) + alpha / 2 * (b @ b))

    return objective


def penalised_deviance(alpha: float, power: float):
    """Mean half Tweedie deviance of the fitted means plus penalty, up to a constant of y: whatever the design is."""

    def objective(model: Any, data: Data) -> float:
        b = np.ravel(np.asarray(model.coef_, dtype=np.float64))
        mu, y = np.asarray(model.predict(data["X"]), dtype=np.float64), data["y"]
        if power == 1.0:
            loss = mu - y * np.log(mu)
        else:
            loss = mu ** (2 - power) / (2 - power) - y * mu ** (1 - power) / (1 - power)
        return float(np.mean(loss) + alpha / 2 * (b @ b))

    return objective


def coefficient_norm(model: Any, data: Data) -> float:
    """Euclidean norm of the coefficients."""
    return float(np.linalg.norm(np.ravel(np.asarray(model.coef_, dtype=np.float64))))


def prediction_sum(model: Any, data: Data) -> float:
    """Sum of absolute predictions on the test part: one number that moves when any prediction does."""
    return float(np.abs(np.asarray(model.predict(data["X_test"]), dtype=np.float64)).sum())


def r2(model: Any, data: Data) -> float:
    """Share of the test part's variance explained."""
    y = np.asarray(data["y_test"], dtype=np.float64)
    residual = y - np.ravel(np.asarray(model.predict(data["X_test"]), dtype=np.float64))
    return float(1.0 - residual @ residual / ((y - y.mean()) @ (y - y.mean())))


def log_loss(model: Any, data: Data) -> float:
    """Mean negative log likelihood of the test part's binary labels."""
    probability = np.asarray(model.predict_proba(data["X_test"]), dtype=np.float64)[:, 1].clip(1e-15, 1 - 1e-15)
    positive = np.asarray(data["y_test"]) == np.asarray(model.classes_)[1]
    return float(-np.log(np.where(positive, probability, 1.0 - probability)).mean())


def accuracy(model: Any, data: Data) -> float:
    """Share of the test part whose class, 0 or 1, is the likelier one."""
    return float(np.mean((np.asarray(model.predict_proba(data["X_test"]))[:, 1] > 0.5) == (data["y_test"] == 1)))


def mean_pinball_loss(levels: tuple[float, ...]):
    """Mean pinball loss of predicted quantiles, over levels and the test part."""

    def loss(model: Any, data: Data) -> float:
        a = np.asarray(levels)
        predicted = np.asarray(model.predict(data["X_test"]), dtype=np.float64)
        residual = np.asarray(data["y_test"], dtype=np.float64)[:, None] - predicted
        return float(np.maximum(a * residual, (a - 1) * residual).mean())

    return loss


def noise_precision(model: Any, data: Data) -> float:
    """BayesianRidge's estimated precision of the noise."""
    return float(model.alpha_)


def weight_precision(model: Any, data: Data) -> float:
    """BayesianRidge's estimated precision of the weights."""
    return float(model.lambda_)


def mean_predictive_deviation(model: Any, data: Data) -> float:
    """Mean of BayesianRidge's predictive standard deviation over the test part."""
    return float(np.mean(model.predict(data["X_test"], return_std=True)[1]))
