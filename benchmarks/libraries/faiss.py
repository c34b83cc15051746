"""faiss on the CPU, in single precision, which is all it has; every row takes part (by default it samples)."""

import faiss
import numpy as np

from benchmarks.clusters import FromFirstRows
from benchmarks.machine import THREADS

faiss.omp_set_num_threads(THREADS)


def k_means(X, start, settings):
    n, p = X.shape
    model = faiss.Kmeans(
        p,
        settings["n_clusters"],
        niter=settings["max_iter"],
        max_points_per_centroid=n,
        min_points_per_centroid=1,
        seed=0,
    )
    model.train(X, init_centroids=start)
    return model.centroids


def as_float32(data):
    return data | {"X": np.ascontiguousarray(data["X"], dtype=np.float32)}


MODELS = {"k_means": lambda settings: FromFirstRows(settings, k_means)}
PREPARE = {"k_means": as_float32}
