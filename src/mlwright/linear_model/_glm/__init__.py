"""Generalized linear models: families, the solvers' front, and the estimators."""
