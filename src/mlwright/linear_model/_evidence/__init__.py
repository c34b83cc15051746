"""Bayesian regression by the evidence: one precision for all coefficients, or one for each."""
