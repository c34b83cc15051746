"""Choosing between models."""

from mlwright.model_selection._search import SharedSearchCV

__all__ = ["SharedSearchCV"]
