"""Quantiles and Huber's loss."""
