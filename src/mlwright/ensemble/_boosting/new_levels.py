"""Fitted trees whose categorical features get more levels: every row is sent where it was sent before.

A level that the trees have not seen counted as missing; it goes on going where missing values go, cut by cut, until
trees that know it are added.
"""

import numpy as np


def with_levels(trees, places, n_levels):
    """The trees, with their sets of levels renumbered.

    Parameters
    ----------
    trees : dict of arrays
        See :mod:`mlwright._kernels.forest`.
    places : dict of int to array
        For each feature that gets levels: where each old level is among the new.
    n_levels : dict of int to int
        For those features: how many levels there are now.
    """
    if "category_set" not in trees or not places:
        return trees
    sets = trees["category_set"].copy()
    old = np.split(trees["set_words"], trees["set_offsets"][1:-1])
    words, known = list(old), {}
    for node in np.flatnonzero((sets >= 0) & np.isin(trees["feature"], list(places))):
        feature, missing_left = int(trees["feature"][node]), bool(trees["missing_left"][node])
        key = int(sets[node]), feature, missing_left
        if key not in known:
            known[key] = len(words)
            words.append(_moved(old[key[0]], places[feature], n_levels[feature], missing_left))
        sets[node] = known[key]
    used, numbers = np.unique(sets[sets >= 0], return_inverse=True)
    sets[sets >= 0] = numbers
    words = [words[number] for number in used]
    offsets = np.cumsum([0] + [len(w) for w in words]).astype(np.int64)
    return {
        **trees,
        "category_set": sets,
        "set_offsets": offsets,
        "set_words": np.concatenate([np.empty(0, np.uint32), *words]),
    }


def _moved(words, places, n_levels, fresh):
    """A set of old levels as one of new ones; levels between them are in it if ``fresh``."""
    inside = np.full(-(-n_levels // 32) * 32, False)
    inside[:n_levels] = fresh
    bits = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little").astype(bool)
    inside[places] = np.append(bits, np.zeros(max(0, len(places) - len(bits)), dtype=bool))[: len(places)]
    return np.packbits(inside, bitorder="little").view("<u4").astype(np.uint32)
