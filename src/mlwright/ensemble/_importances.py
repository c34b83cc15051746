"""How much each feature did for a forest, from the arrays of its trees."""

import numpy as np

KINDS = ("gain", "split", "cover")


def forest_importances(trees, n_features, kind="gain", normalize=True):
    """Per feature: total gain, number of splits, or total cover of its splits; shares of the total if normalised."""
    inner = trees["feature"] >= 0
    if kind == "split":
        weight = np.ones(int(inner.sum()))
    elif kind == "cover":
        weight = (trees["cover"] if "cover" in trees else trees["count"])[inner].astype(np.float64)
    else:
        weight = trees["gain"][inner]
    importance = np.bincount(trees["feature"][inner], weights=weight, minlength=n_features)
    total = importance.sum()
    return importance / total if normalize and total > 0 else importance
