"""Twins of ``mlwright._kernels.tree``: binning, histograms, the grower, boosting; slow and readable."""

import copy
import math
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from mlwright.reference import loss as losses
from mlwright.reference.tree_sampling import draw_by_gradient, draw_cut, draw_rows, draw_share

_LARGEST = float(np.finfo(np.float64).max)
_EVIDENCE_ROWS = 10  # of categories: those of fewer rows are evidence of nothing


# Binning


def _between(a, b):
    """A number t with a <= t < b: the mean if it is one."""
    with np.errstate(over="ignore", invalid="ignore"):
        middle = (a + b) / 2
        if not np.isfinite(middle) and np.isfinite(a) and np.isfinite(b):
            middle = a / 2 + b / 2
    if not a <= middle < b:
        middle = a
    return min(max(middle, -_LARGEST), _LARGEST)


def _quantiles(values, weight, max_bins):
    cumulative = np.cumsum(weight)
    cuts = []
    for k in range(1, max_bins):
        target = cumulative[-1] * k / max_bins
        i = min(int(np.searchsorted(cumulative, target, side="left")), len(values) - 1)
        on_the_step = cumulative[i] == target and i + 1 < len(values) and values[i] != values[i + 1]
        cuts.append(_between(values[i], values[i + 1]) if on_the_step else min(max(values[i], -_LARGEST), _LARGEST))
    cuts = sorted(set(cuts))
    return cuts[:-1] if cuts and cuts[-1] >= values[-1] else cuts


def _cuts(values, weight, max_bins):
    kept = ~np.isnan(values) & (weight > 0)
    values, weight = values[kept] + 0.0, weight[kept]
    order = np.argsort(values, kind="stable")
    values, weight = values[order], weight[order]
    distinct = np.unique(values)
    if len(distinct) <= max_bins:
        return [_between(a, b) for a, b in pairwise(distinct)]
    return _quantiles(values, weight, max_bins)


def find_thresholds(x, weight=None, max_bins=255, seed=0):
    """Weighted quantiles, or midpoints where there are few distinct values."""
    x = np.asarray(x, dtype=np.float64)
    weight = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=np.float64)
    cuts = [_cuts(x[:, j], weight, max_bins) for j in range(x.shape[1])]
    offsets = np.cumsum([0] + [len(c) for c in cuts])
    return np.concatenate([np.asarray(c, dtype=np.float64) for c in cuts] or [np.empty(0)]), offsets


def bin_codes(x, values, offsets):
    """Code = number of thresholds below the value; one more than all of them for NaN."""
    x = np.asarray(x, dtype=np.float64)
    codes = np.empty(x.shape, dtype=np.uint8)
    for j in range(x.shape[1]):
        cuts = values[offsets[j] : offsets[j + 1]]
        codes[:, j] = np.where(np.isnan(x[:, j]), len(cuts) + 1, np.searchsorted(cuts, x[:, j], side="left"))
    return codes


def _n_codes(x, offsets):
    return np.diff(offsets) + 1 + np.isnan(np.asarray(x, dtype=np.float64)).any(axis=0)


def histogram(x, values, offsets, rows, g, h):
    """Sums of g, sums of h and counts, feature after feature, code after code."""
    codes = bin_codes(x, values, offsets)[rows]
    h = np.ones_like(g) if h is None else h
    g, h = np.asarray(g, dtype=np.int64)[rows], np.asarray(h, dtype=np.int64)[rows]
    sums = ([], [], [])
    for j, n_codes in enumerate(_n_codes(x, offsets)):
        for code in range(n_codes):
            here = codes[:, j] == code
            for total, part in zip(sums, (g[here], h[here], here), strict=True):
                total.append(int(part.sum()))
    return tuple(np.asarray(total, dtype=np.int64) for total in sums)


# Losses


def _sigmoid(eta):
    return 1 / (1 + np.exp(-eta))


def _softmax(raw):
    e = np.exp(raw - raw.max(axis=0))
    return e / e.sum(axis=0)


def probabilities(raw):
    """Class probabilities, one row an observation."""
    raw = np.asarray(raw, dtype=np.float64)
    if len(raw) > 1:
        return _softmax(raw).T
    p = _sigmoid(raw[0])
    return np.stack([1 - p, p], axis=1)


def mean_loss(loss, y, raw, weight=None):
    """Weighted mean of the loss of all outputs."""
    if loss.name not in ("log_loss", "one_vs_rest"):
        value = losses.value(loss.name, y, raw[0], loss.parameter)
    elif loss.n_outputs == 1:
        value = losses.value("binary_log_loss", y, raw[0])
    elif loss.name == "one_vs_rest":
        value = sum(losses.value("binary_log_loss", (y == k) * 1.0, raw[k]) for k in range(len(raw)))
    else:
        top = raw.max(axis=0)
        value = top + np.log(np.exp(raw - top).sum(axis=0)) - raw[y.astype(int), np.arange(len(y))]
    return np.average(value, weights=weight)


def _gradients(loss, y, raw, parameter):
    """Gradient and Hessian of every output, each of the shape of raw."""
    if loss == "log_loss" and len(raw) > 1:
        mu = _softmax(raw)
        return mu - (np.arange(len(raw))[:, None] == y[None, :]), mu * (1 - mu)
    if loss == "one_vs_rest" and len(raw) > 1:
        return losses.grad_hess("binary_log_loss", (np.arange(len(raw))[:, None] == y[None, :]) * 1.0, raw)
    return losses.grad_hess(_scalar(loss), y, raw, parameter)


def _scalar(loss):
    return "binary_log_loss" if loss in ("log_loss", "one_vs_rest") else loss


def _start(loss, n_outputs, y, weight, parameter):
    if n_outputs == 1:
        return np.array([losses.best_constant(_scalar(loss), y, weight, parameter)])
    share = np.array([np.average(y == k, weights=weight) for k in range(n_outputs)])
    if loss == "one_vs_rest":
        return losses.LOSSES["binary_log_loss"].link(share)
    logs = np.log(np.maximum(share, np.finfo(np.float64).eps))
    return logs - logs.mean()


# The grower


@dataclass
class _Rules:
    learning_rate: float = 0.1
    max_leaf_nodes: int | None = 31
    max_depth: int | None = None
    min_samples_leaf: int = 20
    l2_regularization: float = 0.0
    l1_regularization: float = 0.0
    min_child_weight: float = 1e-3
    max_features: float = 1.0
    colsample_bytree: float = 1.0
    extra_trees: bool = False
    subsample: float = 1.0
    subsample_freq: int = 1
    sampling: str = "uniform"
    top_rate: float = 0.2
    other_rate: float = 0.1
    seed: int = 0
    monotonic: tuple = ()
    categorical: tuple = ()
    interaction: tuple = ()


@dataclass
class _Node:
    rows: np.ndarray
    out: np.ndarray  # rows outside the sample
    depth: int = 0
    low: float = -math.inf
    high: float = math.inf
    groups: tuple = ()
    feature: int = -1
    threshold: float = 0.0
    missing_left: bool = False
    value: float = 0.0
    left: int = -1  # its left child; the right one comes next
    split: tuple | None = None  # gain, feature, code, missing_left


@dataclass
class _Problem:
    """One tree's data. q_g and q_h are integers in units of g_unit, h_unit, as in histogram.hpp."""

    codes: np.ndarray
    n_bins: np.ndarray
    has_missing: np.ndarray
    g: np.ndarray
    h: np.ndarray
    weight: np.ndarray
    repetitions: bool
    sample: np.ndarray  # the rows that the tree is grown on
    rules: _Rules
    tree: int
    largest_g: float  # bounds of magnitudes
    largest_h: float
    q_g: np.ndarray = field(init=False)
    q_h: np.ndarray = field(init=False)
    count: np.ndarray = field(init=False)

    def __post_init__(self):
        self.count = self.weight.astype(np.int64) if self.repetitions else np.ones(len(self.g), dtype=np.int64)
        factor = 1 if self.repetitions else self.weight
        bits = int(self.count.sum()).bit_length()
        g, h = self.g * factor, self.h * factor
        self.g_unit = math.ldexp(1, math.frexp(self.largest_g)[1] - min(61 - bits, 50))
        self.h_unit = math.ldexp(1, math.frexp(self.largest_h)[1] - min(63 - 2 * bits, 50))
        self.q_g = np.rint(g / self.g_unit).astype(np.int64) * self.count
        self.q_h = np.rint(h / self.h_unit).astype(np.int64) * self.count
        self.min_hessian = self.rules.min_child_weight * (1 if self.repetitions else self.weight.mean())

    def sums(self, rows):
        return self.q_g[rows].sum() * self.g_unit, self.q_h[rows].sum() * self.h_unit, self.count[rows].sum()

    def value(self, g, h, node):
        size = h + self.rules.l2_regularization
        return min(max(-_soft(g, self.rules.l1_regularization) / size if size > 0 else 0.0, node.low), node.high)


def _soft(g, l1):
    return math.copysign(max(abs(g) - l1, 0.0), g)


def _part(g, h, v, rules):
    return -(2 * g * v + (h + rules.l2_regularization) * v * v + 2 * rules.l1_regularization * abs(v))


def _whole(problem, node):
    """What the objective loses by the node's own constant: a cut must beat it."""
    g, h, _ = problem.sums(node.rows)
    return _part(g, h, problem.value(g, h, node), problem.rules)


def _two_parts(problem, node, left, right, direction):
    """What it loses by the constants of both sides; None if rows may not go these ways."""
    rules = problem.rules
    sides = [problem.sums(left), problem.sums(right)]
    if any(count < rules.min_samples_leaf or h < problem.min_hessian for _, h, count in sides):
        return None
    if not len(rules.monotonic):
        return sum(_soft(g, rules.l1_regularization) ** 2 / (h + rules.l2_regularization) for g, h, _ in sides)
    values = [problem.value(g, h, node) for g, h, _ in sides]
    if direction * (values[0] - values[1]) > 0:
        return None
    return sum(_part(g, h, v, rules) for (g, h, _), v in zip(sides, values, strict=True))


def _candidates(problem, node, i, j):
    """The cuts of one feature to look at: the codes that go left, and whether missing values do.

    The codes are given by the last of them, or as a set where they are categories.
    """
    rules, is_set = problem.rules, _is_set(problem, j)
    place = _places_by_evidence(problem, node, j) if is_set else np.arange(problem.n_bins[j])
    if not len(place):
        return
    n_places = place.max() + 1
    places = np.append(place, n_places)[problem.codes[node.rows, j]]
    one = draw_cut(places, n_places, rules.seed, problem.tree, i, j) if rules.extra_trees else None
    for missing_left in (False, True)[: 1 + problem.has_missing[j]]:
        for cut in range(n_places - 1 + (problem.has_missing[j] and not missing_left)):
            if one is None or cut == one:
                yield frozenset(np.flatnonzero(place <= cut).tolist()) if is_set else cut, missing_left


def _is_set(problem, j):
    return len(problem.rules.categorical) > 0 and bool(problem.rules.categorical[j])


def _places_by_evidence(problem, node, j):
    """The place of each category in the order of its evidence; equals share one."""
    g, h, count = problem.sums(node.rows)
    if h <= 0:
        return np.empty(0, dtype=int)
    codes = problem.codes[node.rows, j]
    evidence = []
    for code in range(problem.n_bins[j]):
        g_code, h_code, count_code = problem.sums(node.rows[codes == code])
        few = count_code < _EVIDENCE_ROWS
        evidence.append(0.0 if few else (g_code - g / h * h_code) / (h_code + _EVIDENCE_ROWS * h / count))
    return np.unique(evidence, return_inverse=True)[1]


def _goes_left(problem, rows, j, code, missing_left):
    codes = problem.codes[rows, j]
    missing = problem.has_missing[j] & (codes == problem.n_bins[j])
    return np.where(missing, missing_left, np.isin(codes, list(code)) if isinstance(code, frozenset) else codes <= code)


def _penalised(problem, node, j):
    """The problem, with more L2 penalty where cuts of categories are compared."""
    if not _is_set(problem, j):
        return problem
    _, h, count = problem.sums(node.rows)
    l2 = problem.rules.l2_regularization + _EVIDENCE_ROWS * h / count
    penalised = copy.copy(problem)
    penalised.rules = replace(problem.rules, l2_regularization=l2)
    return penalised


def _best_of_feature(problem, node, i, j):
    problem = _penalised(problem, node, j)
    best, whole = None, _whole(problem, node)
    direction = problem.rules.monotonic[j] if len(problem.rules.monotonic) else 0
    for code, missing_left in _candidates(problem, node, i, j):
        left = _goes_left(problem, node.rows, j, code, missing_left)
        parts = _two_parts(problem, node, node.rows[left], node.rows[~left], direction)
        if parts is not None and parts > (best[0] if best else whole):
            best = parts, j, code, missing_left
    if best is None or best[0] - whole <= 1e-12 * abs(whole):
        return None
    return best[0] - whole, *best[1:]


def _features(problem, node, i):
    rules = problem.rules
    features = draw_share(rules.colsample_bytree, problem.codes.shape[1], rules.seed, problem.tree)
    if rules.interaction:
        allowed = set().union(*(rules.interaction[group] for group in node.groups))
        features = np.array([j for j in features if j in allowed], dtype=int)
    return features[draw_share(rules.max_features, len(features), rules.seed, problem.tree, i)]


def _best_split(problem, node, i):
    best = None
    for j in _features(problem, node, i):
        split = _best_of_feature(problem, node, i, j)
        if split is not None and (best is None or split[0] > best[0]):
            best = split
    return best


def _may_be_cut(problem, node):
    deep = problem.rules.max_depth is not None and node.depth >= problem.rules.max_depth
    return not deep and problem.count[node.rows].sum() // 2 >= problem.rules.min_samples_leaf


def _split_node(problem, node, cuts):
    """The node's two children; fills in the node."""
    _, j, code, missing_left = node.split
    left, out_left = (_goes_left(problem, rows, j, code, missing_left) for rows in (node.rows, node.out))
    children = []
    groups = tuple(i for i in node.groups if j in problem.rules.interaction[i])
    for rows, out in ((node.rows[left], node.out[out_left]), (node.rows[~left], node.out[~out_left])):
        children.append(_Node(rows, out, node.depth + 1, node.low, node.high, groups))
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
    nodes = [_Node(*inside, groups=tuple(range(len(rules.interaction))))]
    fresh, n_leaves = [0], 1
    while rules.max_leaf_nodes is None or n_leaves < rules.max_leaf_nodes:
        for i in fresh:
            if _may_be_cut(problem, nodes[i]):
                nodes[i].split = _best_split(problem, nodes[i], i)
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
    return _Problem(codes, n_bins, has_missing, g, h, weight, repetitions, sample, rules, tree, *largest)


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
    start = _start(loss, n_outputs, y, weight, parameter)
    raw = np.repeat(start[:, None], len(y), axis=1)
    all_nodes = []
    for iteration in range(n_iterations):
        g, h = _gradients(loss, y, raw, parameter)
        for k in range(n_outputs):
            data = codes, n_bins, has_missing, g[k], h[k], weight, repetitions
            problem = _sampled(*data, _Rules(**rules), iteration, iteration * n_outputs + k)
            nodes = _grow(problem, cuts)
            if n_outputs == 1 and losses.LOSSES[_scalar(loss)].renews_leaves:
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
