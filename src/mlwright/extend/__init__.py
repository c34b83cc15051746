"""Code of your own inside the native loops: compiled by Numba, or called on whole arrays."""

from mlwright.extend._array_loss import ArrayLoss, array_loss
from mlwright.extend._log_density import LogDensity, log_density
from mlwright.extend._loss import Loss, loss
from mlwright.extend._parameters import interval, lower_bounded, ordered, positive, real, simplex, upper_bounded

__all__ = [
    "ArrayLoss",
    "LogDensity",
    "Loss",
    "array_loss",
    "interval",
    "log_density",
    "loss",
    "lower_bounded",
    "ordered",
    "positive",
    "real",
    "simplex",
    "upper_bounded",
]
