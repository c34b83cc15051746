"""Clusters of rows."""

from mlwright.cluster._k_means import KMeans

__all__ = ["KMeans"]
