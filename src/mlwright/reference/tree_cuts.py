"""Twin of how the grower of ``mlwright._kernels.tree`` finds the best cut of a node, and where rows then go."""

import copy
import math
from dataclasses import dataclass, field, replace

import numpy as np

from mlwright.reference.tree_sampling import draw_cut, draw_share

_EVIDENCE_ROWS = 10  # of categories: those of fewer rows are evidence of nothing


@dataclass
class Rules:
    """How trees grow, by scikit-learn's names."""

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
class Node:
    """A node, its rows, and the cut that it has or may get."""

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
class Problem:
    """One tree's data. q_g and q_h are integers in units of g_unit, h_unit, as in histogram.hpp."""

    codes: np.ndarray
    n_bins: np.ndarray
    has_missing: np.ndarray
    g: np.ndarray
    h: np.ndarray
    weight: np.ndarray
    repetitions: bool
    sample: np.ndarray  # the rows that the tree is grown on
    rules: Rules
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


def goes_left(problem, rows, j, code, missing_left):
    """Whether each of the rows does, by a cut of feature j."""
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
        left = goes_left(problem, node.rows, j, code, missing_left)
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


def best_split(problem, node, i):
    """Gain, feature, code and way of missing values of the best cut of node i, or None."""
    best = None
    for j in _features(problem, node, i):
        split = _best_of_feature(problem, node, i, j)
        if split is not None and (best is None or split[0] > best[0]):
            best = split
    return best


def may_be_cut(problem, node):
    """Whether depth and rows allow a cut at all."""
    deep = problem.rules.max_depth is not None and node.depth >= problem.rules.max_depth
    return not deep and problem.count[node.rows].sum() // 2 >= problem.rules.min_samples_leaf
