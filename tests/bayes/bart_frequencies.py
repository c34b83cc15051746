"""How often a native chain of BART is at each tree, and problems small enough for their exact posteriors."""

from collections import defaultdict

import numpy as np

from mlwright._kernels import bart
from mlwright.reference.bart import Column, Rule, TreeSpace

UNIT = 2.0**-24
PROBIT_UNIT = 2.0**-20  # of latent variables
SPACES = {
    "one column": TreeSpace([Column(3)], alpha=0.9, beta=0.5, max_depth=3),
    "missing": TreeSpace([Column(1, True), Column(1)], alpha=0.8, beta=0.7, max_depth=2),
    "categories": TreeSpace([Column(n_codes=3), Column(1)], max_depth=2),
}
ROWS = {
    "one column": [[0], [1], [2], [3], [1], [2]],
    "missing": [[0, 0], [255, 1], [1, 1], [0, 1], [1, 0], [255, 0]],
    "categories": [[0, 0], [1, 1], [2, 1], [0, 1], [1, 0], [2, 0]],
}


def target_of(y):
    """Residuals as the chains count them, and what they stand for."""
    target = np.round(np.asarray(y) / UNIT).astype(np.int64)
    return target, target * UNIT


def draw(space, X, y, weight=(), **options):
    """Trees of chains over a TreeSpace's columns, with ``sigma2`` and ``variance_trees``; of probit, y are signs."""
    columns = [(c.n_cuts, c.has_missing, c.n_codes) for c in space.columns]
    how = bart.options(
        alpha=space.alpha, beta=space.beta, max_depth=space.max_depth,
        **{"unit": PROBIT_UNIT if options.get("is_probit") else UNIT, **options},
    )  # fmt: skip
    target = y if options.get("is_probit") else target_of(y)[0]
    trees, variance_trees, sigma2 = bart.run(X, columns, target, np.asarray(weight, dtype=np.int64), how)
    return trees | {"variance_trees": variance_trees, "sigma2": sigma2}


def frequencies(trees, n_trees=1, columns=()):
    """``{tree, or tuple of trees: share of draws}``; sets of codes without the bits of codes that never come."""
    sizes = np.diff(trees["ends"], prepend=0)
    place = np.arange(sizes.sum()) - np.repeat(trees["ends"] - sizes, sizes)
    rows = np.full((len(sizes), sizes.max(), 4), 255, dtype=np.int64)
    which = np.repeat(np.arange(len(sizes)), sizes)
    nodes = (trees["variable"], trees["kind"], trees["bound"], _sets(trees, columns))
    rows[which, place] = np.stack(nodes, axis=1)
    rows = np.ascontiguousarray(rows.reshape(len(sizes) // n_trees, -1).astype(np.uint8))
    keys, counts = np.unique(rows.view(f"V{rows.shape[1]}").ravel(), return_counts=True)
    whole = {j: (1 << column.n_codes) - 1 for j, column in enumerate(columns)}
    found = defaultdict(float)
    for key, count in zip(keys, counts, strict=True):
        parts = np.frombuffer(key.tobytes(), dtype=np.uint8).reshape(n_trees, -1, 4)
        drawn = tuple(_tree(iter(part.tolist()), whole) for part in parts)
        found[drawn if n_trees > 1 else drawn[0]] += count / len(rows)
    return found


def _sets(trees, columns):
    of_node = np.zeros(len(trees["variable"]), dtype=np.int64)
    for j, column in enumerate(columns):
        if column.n_codes:
            here = trees["variable"] == j
            of_node[here] = trees["sets"].reshape(-1, 4)[trees["value"][here], 0] & ((1 << column.n_codes) - 1)
    return of_node


def _tree(nodes, reach):
    """One tree of rows of nodes; `reach` holds the codes of each column of categories that come to it."""
    variable, kind, bound, codes = next(nodes)
    if variable == 255:
        return None
    if kind != 2:
        return Rule(variable, kind, bound), _tree(nodes, reach), _tree(nodes, reach)
    within = reach[variable]
    rule = Rule(variable, codes=codes & within, is_set=True)
    left = _tree(nodes, reach | {variable: within & codes})
    return rule, left, _tree(nodes, reach | {variable: within & ~codes})


def total_variation(found, exact):
    assert set(found) <= set(exact)
    return 0.5 * sum(abs(found.get(tree, 0.0) - p) for tree, p in exact.items())
