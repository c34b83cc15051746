"""What is measured, on folds and held-out rows alike. The first metric of each list ranks the candidates."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score


@dataclass(frozen=True)
class Metric:
    name: str
    label: str
    higher_is_better: bool


REGRESSION = [
    Metric("r2", "R²", True),
    Metric("rmse", "RMSE", False),
    Metric("mae", "MAE", False),
]
CLASSIFICATION = [
    Metric("log_loss", "Log loss", False),
    Metric("auc", "AUC", True),
    Metric("accuracy", "Accuracy", True),
    Metric("brier", "Brier", False),
]


def regression_metrics(y, predictions, weight=None):
    """R², root mean squared error and mean absolute error; R² of a constant y is 0.

    Parameters
    ----------
    y, predictions : float64 ndarray (n,)
    weight : float64 ndarray (n,) or None

    Returns
    -------
    dict of str to float
    """
    errors = y - predictions
    squares, spread = np.square(errors), np.square(y - np.average(y, weights=weight))
    spread = np.average(spread, weights=weight)
    return {
        "r2": float(1 - np.average(squares, weights=weight) / spread) if spread > 0 else 0.0,
        "rmse": float(np.sqrt(np.average(squares, weights=weight))),
        "mae": float(np.average(np.abs(errors), weights=weight)),
    }


def classification_metrics(codes, probabilities, weight=None):
    """Log loss, AUC (each class against the rest, averaged over the classes present), accuracy and Brier score.

    Parameters
    ----------
    codes : int64 ndarray (n,)
        Place of each row's class.
    probabilities : float64 ndarray (n, n_classes)
    weight : float64 ndarray (n,) or None

    Returns
    -------
    dict of str to float
    """
    n_classes = probabilities.shape[1]
    truth = np.eye(n_classes)[codes]
    of_truth = np.maximum(probabilities[np.arange(len(codes)), codes], np.finfo(np.float64).eps)
    # Of two classes, one says it all; a class of which the part has all rows or none has no AUC.
    columns = [1] if n_classes == 2 else range(n_classes)
    aucs = [
        roc_auc_score(truth[:, j], probabilities[:, j], sample_weight=weight)
        for j in columns
        if 0 < truth[:, j].sum() < len(codes)
    ]
    right, squares = probabilities.argmax(axis=1) == codes, np.square(probabilities - truth).sum(axis=1)
    return {
        "log_loss": float(-np.average(np.log(of_truth), weights=weight)),
        "auc": float(np.mean(aucs)) if aucs else 0.5,
        "accuracy": float(np.average(right, weights=weight)),
        "brier": float(np.average(squares, weights=weight)),
    }
