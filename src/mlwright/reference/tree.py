"""Twin of the grower and the boosting loop of ``mlwright._kernels.tree``; slow and readable."""

import math

import numpy as np

from mlwright.reference import loss as losses
from mlwright.reference.tree_bins import bin_codes, find_thresholds
from mlwright.reference.tree_cuts import Node, Problem, Rules, best_split, goes_left, may_be_cut
from mlwright.reference.tree_losses import gradients, of_one_score, start_values
from mlwright.reference.tree_sampling import draw_by_gradient, draw_rows


def _split_node(problem, node, cuts):
    """The node's two children; fills in the node."""
    _, j, code, missing_left = node.split
    left, out_left = (goes_left(problem, rows, j, code, missing_left) for rows in (node.rows, node.out))
    children = []
    groups = tuple(i for i in node.groups if j in problem.rules.interaction[i])
    for rows, out in ((node.rows[left], node.out[out_left]), (node.rows[~left], node.out[~out_left])):
        children.append(Node(rows, out, node.depth + 1, node.low, node.high, groups))
    node.feature = j
    if not isinstance(code, frozenset):
        node.threshold = cuts[j][code] if code < len(cuts[j]) else math.inf
    n_left, n_right = (problem.count[child.rows].sum() for child in children)
    node.missing_left = missing_left if problem.has_missing[j] else n_left > n_right
    if len(problem.rules.monotonic) and problem.rules.monotonic[j]:
        middle = sum(problem.value(*problem.sums(child.rows)[:2], node) for child in children) / 2
        lower, upper = children if problem.rules.monotonic[j] > 0 else children[::-1]
        lower.high = upper.low = middle
    return children


def _grow(problem, cuts):
    """All nodes of one tree, the most useful cut first."""
    rules = problem.rules
    inside = np.flatnonzero(problem.sample), np.flatnonzero(~problem.sample)
    nodes = [Node(*inside, groups=tuple(range(len(rules.interaction))))]
    fresh, n_leaves = [0], 1
    while rules.max_leaf_nodes is None or n_leaves < rules.max_leaf_nodes:
        for i in fresh:
            if may_be_cut(problem, nodes[i]):
                nodes[i].split = best_split(problem, nodes[i], i)
        ready = [i for i, node in enumerate(nodes) if node.split is not None and node.feature < 0]
        if not ready:
            break
        chosen = max(ready, key=lambda i: (nodes[i].split[0], -i))
        fresh = [len(nodes), len(nodes) + 1]
        nodes[chosen].left = fresh[0]
        nodes.extend(_split_node(problem, nodes[chosen], cuts))
        n_leaves += 1
    for node in nodes:
        if node.feature < 0:
            w = problem.weight[node.rows]
            exact = (w * problem.g[node.rows]).sum(), (w * problem.h[node.rows]).sum()
            node.value = rules.learning_rate * problem.value(*exact, node)
    return nodes


def _sampled(codes, n_bins, has_missing, g, h, weight, repetitions, rules, iteration, tree):
    """One tree's problem, on the rows that it is grown on."""
    factor = 1 if repetitions else weight
    largest = np.abs(g * factor).max(), (h * factor).max()
    if rules.sampling == "goss":
        top, others, scale = draw_by_gradient(g * factor, rules.top_rate, rules.other_rate, rules.seed, tree)
        g, h = np.where(others, g * scale, g), np.where(others, h * scale, h)
        sample, largest = top | others, (largest[0] * scale, largest[1] * scale)
    elif rules.subsample < 1:
        sample = draw_rows(len(g), rules.subsample, rules.subsample_freq, rules.seed, iteration)
    else:
        sample = np.ones(len(g), dtype=bool)
    return Problem(codes, n_bins, has_missing, g, h, weight, repetitions, sample, rules, tree, *largest)


def _renew_leaves(problem, nodes, best):
    """Values of leaves from a rule over all their rows, kept apart by monotonic constraints as in the grower."""
    bests = [best(np.concatenate([node.rows, node.out])) for node in nodes]
    bounds = {0: (-math.inf, math.inf)}
    for i, node in enumerate(nodes):
        low, high = bounds[i]
        if node.feature < 0:
            node.value = problem.rules.learning_rate * min(max(bests[i], low), high)
            continue
        left = node.left
        bounds[left] = bounds[left + 1] = low, high
        direction = problem.rules.monotonic[node.feature] if len(problem.rules.monotonic) else 0
        if direction:
            middle = sum(min(max(bests[c], low), high) for c in (left, left + 1)) / 2
            lower, upper = (left, left + 1) if direction > 0 else (left + 1, left)
            bounds[lower], bounds[upper] = (low, middle), (middle, high)


def boost(x, y, weight=None, loss="squared_error", n_outputs=1, n_iterations=3, max_bins=255, parameter=0.0, **rules):
    """Start values; feature, threshold, missing_left and value of all nodes; final scores."""
    values, offsets = find_thresholds(x, weight, max_bins)
    cuts = [values[offsets[j] : offsets[j + 1]] for j in range(x.shape[1])]
    codes = bin_codes(x, values, offsets)
    n_bins = np.diff(offsets) + 1
    has_missing = (codes == n_bins).any(axis=0)
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    repetitions = bool((weight == np.floor(weight)).all())
    start = start_values(loss, n_outputs, y, weight, parameter)
    raw = np.repeat(start[:, None], len(y), axis=1)
    all_nodes = []
    for iteration in range(n_iterations):
        g, h = gradients(loss, y, raw, parameter)
        for k in range(n_outputs):
            data = codes, n_bins, has_missing, g[k], h[k], weight, repetitions
            problem = _sampled(*data, Rules(**rules), iteration, iteration * n_outputs + k)
            nodes = _grow(problem, cuts)
            if n_outputs == 1 and losses.LOSSES[of_one_score(loss)].renews_leaves:
                residual = y - raw[0]
                _renew_leaves(
                    problem,
                    nodes,
                    lambda rows: losses.best_constant(loss, residual[rows], weight[rows], parameter),  # noqa: B023
                )
            for node in nodes:
                if node.feature < 0:
                    raw[k, np.concatenate([node.rows, node.out])] += node.value
            all_nodes.extend(nodes)
    columns = (
        [getattr(node, name) for node in all_nodes] for name in ("feature", "threshold", "missing_left", "value")
    )
    return (start, *(np.asarray(column, dtype=np.float64) for column in columns), raw.ravel())
