"""Code of your own inside the native loops: compiled by Numba, or called on whole arrays."""

from mlwright.extend._array_loss import ArrayLoss, array_loss
from mlwright.extend._loss import Loss, loss

__all__ = ["ArrayLoss", "Loss", "array_loss", "loss"]
