"""Twins of the losses that ``mlwright._kernels.tree`` boosts: of numbers, and of one or more scores of classes."""

import numpy as np

from mlwright.reference import loss as losses


def _sigmoid(eta):
    return 1 / (1 + np.exp(-eta))


def _softmax(raw):
    e = np.exp(raw - raw.max(axis=0))
    return e / e.sum(axis=0)


def probabilities(raw):
    """Class probabilities, one row an observation."""
    raw = np.asarray(raw, dtype=np.float64)
    if len(raw) > 1:
        return _softmax(raw).T
    p = _sigmoid(raw[0])
    return np.stack([1 - p, p], axis=1)


def mean_loss(loss, y, raw, weight=None):
    """Weighted mean of the loss of all outputs."""
    if loss.name not in ("log_loss", "one_vs_rest"):
        value = losses.value(loss.name, y, raw[0], loss.parameter)
    elif loss.n_outputs == 1:
        value = losses.value("binary_log_loss", y, raw[0])
    elif loss.name == "one_vs_rest":
        value = sum(losses.value("binary_log_loss", (y == k) * 1.0, raw[k]) for k in range(len(raw)))
    else:
        top = raw.max(axis=0)
        value = top + np.log(np.exp(raw - top).sum(axis=0)) - raw[y.astype(int), np.arange(len(y))]
    return np.average(value, weights=weight)


def gradients(loss, y, raw, parameter):
    """Gradient and Hessian of every output, each of the shape of raw."""
    if loss == "log_loss" and len(raw) > 1:
        mu = _softmax(raw)
        return mu - (np.arange(len(raw))[:, None] == y[None, :]), mu * (1 - mu)
    if loss == "one_vs_rest" and len(raw) > 1:
        return losses.grad_hess("binary_log_loss", (np.arange(len(raw))[:, None] == y[None, :]) * 1.0, raw)
    return losses.grad_hess(of_one_score(loss), y, raw, parameter)


def of_one_score(loss):
    """The name among ``reference.loss`` of a loss that has one score a row."""
    return "binary_log_loss" if loss in ("log_loss", "one_vs_rest") else loss


def start_values(loss, n_outputs, y, weight, parameter):
    """Scores before the first tree, one an output."""
    if n_outputs == 1:
        return np.array([losses.best_constant(of_one_score(loss), y, weight, parameter)])
    share = np.array([np.average(y == k, weights=weight) for k in range(n_outputs)])
    if loss == "one_vs_rest":
        return losses.LOSSES["binary_log_loss"].link(share)
    logs = np.log(np.maximum(share, np.finfo(np.float64).eps))
    return logs - logs.mean()
