"""Clusters of rows."""

from mlwright.cluster._k_means import KMeans
from mlwright.cluster._mini_batch import MiniBatchKMeans

__all__ = ["KMeans", "MiniBatchKMeans"]
