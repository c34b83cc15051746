"""Hypothesis strategies and checks, public for people who add losses, kernels and estimators of their own."""
