"""Code of your own inside the native loops, compiled by Numba."""

from mlwright.extend._loss import Loss, loss

__all__ = ["Loss", "loss"]
