"""Bayesian generalized linear models: normal approximation, chains that take it for a candidate, Hamiltonian ones."""
