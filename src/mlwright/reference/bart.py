"""Twin of the tree space of BART: its prior, the ratios of its moves, and exact posteriors by enumeration.

A tree is None (a leaf) or ``(rule, left, right)``; a path is a string of "l" and "r" from the root. Columns hold codes:
``0 .. n_cuts`` and MISSING of numbers, ``0 .. n_codes - 1`` of categories, missing ones having a code of their own.

A rule of numbers sends a code left if ``(code + shift) mod 256 <= bound``: shift 0 sends missing values right, shift 1
left, bound VALUES sends all but missing ones left. A rule of categories is a set of codes (bits of an integer).

The prior: a node of depth d that has rules to choose from is split with probability ``alpha (1 + d)^-beta``, by a
variable drawn among those with rules (by their weights), by a rule drawn evenly among the variable's. Ancestors alone
decide what there is to choose from; data do not.

References
----------
Chipman, George, McCulloch (1998), Bayesian CART model search, JASA 93; (2010), BART, Annals of Applied Statistics 4.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

MISSING, VALUES = 255, 254
GROW, PRUNE, CHANGE = "grow", "prune", "change"
MOVES = {GROW: 0.3, PRUNE: 0.3, CHANGE: 0.4}


@dataclass(frozen=True)
class Column:
    """Of numbers with ``n_cuts`` cuts, or, with ``n_codes``, of categories."""

    n_cuts: int = 0
    has_missing: bool = False
    n_codes: int = 0


class Rule(NamedTuple):
    variable: int
    shift: int = 0
    bound: int = 0
    codes: int = 0
    is_set: bool = False

    def goes_left(self, code):
        return bool(self.codes >> code & 1) if self.is_set else ((code + self.shift) & 255) <= self.bound


def subtree(tree, path):
    for step in path:
        tree = tree[1] if step == "l" else tree[2]
    return tree


def replaced(tree, path, new):
    if not path:
        return new
    rule, left, right = tree
    if path[0] == "l":
        return rule, replaced(left, path[1:], new), right
    return rule, left, replaced(right, path[1:], new)


def leaves(tree, path=""):
    return [path] if tree is None else leaves(tree[1], path + "l") + leaves(tree[2], path + "r")


def leaf_parents(tree, path=""):
    """Paths of the nodes whose two children are leaves."""
    if tree is None:
        return []
    below = leaf_parents(tree[1], path + "l") + leaf_parents(tree[2], path + "r")
    return [path] if tree[1] is None and tree[2] is None else below


def leaf_of(tree, row):
    """The path of the leaf that a row of codes falls into."""
    path = ""
    while tree is not None:
        left = tree[0].goes_left(row[tree[0].variable])
        tree, path = (tree[1], path + "l") if left else (tree[2], path + "r")
    return path


class TreeSpace:
    """The trees over some columns, with their prior and the moves among them."""

    def __init__(self, columns, alpha=0.95, beta=2.0, max_depth=255, weights=None):
        self.columns, self.alpha, self.beta, self.max_depth = columns, alpha, beta, max_depth
        self.usable = [j for j in range(len(columns)) if self.n_rules(j, self._whole(j))]
        self.weights = np.ones(len(columns)) if weights is None else np.asarray(weights, dtype=float)

    def _whole(self, j):
        column = self.columns[j]
        if column.n_codes:
            return frozenset(range(column.n_codes))
        return 0, column.n_cuts, True

    def reach(self, tree, path, j):
        """What codes of column j come to a node: a set of categories, or (low, high, whether missing ones do)."""
        reach, node = self._whole(j), tree
        for step in path:
            rule = node[0]
            if rule.variable == j:
                reach = self._narrowed(reach, rule, step == "l")
            node = node[1] if step == "l" else node[2]
        return reach

    @staticmethod
    def _narrowed(reach, rule, left):
        if rule.is_set:
            return frozenset(code for code in reach if rule.goes_left(code) == left)
        low, high, missing = reach
        cut = rule.bound - rule.shift
        missing = missing and bool(rule.shift) == left
        return (low, min(high, cut), missing) if left else (max(low, cut + 1), high, missing)

    def n_rules(self, j, reach):
        if self.columns[j].n_codes:
            return 2 ** len(reach) - 2 if len(reach) > 1 else 0
        low, high, missing = reach
        cuts = max(high - low, 0)
        apart = missing and self.columns[j].has_missing and low <= high
        return cuts * (2 if missing else 1) + int(apart)

    def rule(self, j, reach, k):
        """The k-th rule of column j where this much of it is within reach."""
        if self.columns[j].n_codes:
            codes = sorted(reach)
            chosen = sum(1 << code for i, code in enumerate(codes) if (k + 1) >> i & 1)
            return Rule(j, codes=chosen, is_set=True)
        low, high, missing = reach
        cuts = high - low
        if not missing:
            return Rule(j, 0, low + k)
        if k < 2 * cuts:
            return Rule(j, k & 1, low + k // 2 + (k & 1))
        return Rule(j, 0, VALUES)

    def available(self, tree, path):
        """The variables that have rules at a node."""
        return [j for j in self.usable if self.n_rules(j, self.reach(tree, path, j))]

    def rules(self, tree, path):
        """Every rule of a node with its prior probability."""
        variables = self.available(tree, path)
        total = sum(self.weights[j] for j in variables)
        for j in variables:
            reach = self.reach(tree, path, j)
            n = self.n_rules(j, reach)
            for k in range(n):
                yield self.rule(j, reach, k), self.weights[j] / total / n

    def splittable(self, tree, path):
        return len(path) < self.max_depth and bool(self.available(tree, path))

    def split_probability(self, depth):
        return self.alpha * (1 + depth) ** -self.beta

    def log_not_split(self, tree, path):
        return math.log1p(-self.split_probability(len(path))) if self.splittable(tree, path) else 0.0

    def log_prior(self, tree):
        """Normalised over all trees."""
        total = sum(self.log_not_split(tree, path) for path in leaves(tree))
        for path in inner_nodes(tree):
            probability = dict(self.rules(tree, path))[subtree(tree, path)[0]]
            total += math.log(self.split_probability(len(path))) + math.log(probability)
        return total

    def all_trees(self, tree=None, path=""):
        """Every tree that extends a leaf of `tree`, by depth first."""
        yield tree
        if not self.splittable(tree, path):
            return
        for rule, _ in self.rules(tree, path):
            split = replaced(tree, path, (rule, None, None))
            for with_left in self.all_trees(split, path + "l"):
                yield from self.all_trees(with_left, path + "r")

    def n_splittable(self, tree):
        return sum(self.splittable(tree, path) for path in leaves(tree))

    def n_leaf_parents(self, tree):
        return len(leaf_parents(tree))

    def move_probability(self, tree, move):
        can = {GROW: self.n_splittable(tree) > 0, PRUNE: tree is not None, CHANGE: tree is not None}
        return MOVES[move] * can[move] / sum(weight for name, weight in MOVES.items() if can[name])

    def log_children(self, tree, path):
        return self.log_not_split(tree, path + "l") + self.log_not_split(tree, path + "r")

    def grow_ratio(self, tree, path, rule):
        """Log of prior and proposal ratios of growing; the rule cancels, being proposed from the prior."""
        grown = replaced(tree, path, (rule, None, None))
        p = self.split_probability(len(path))
        prior = math.log(p) - math.log1p(-p) + self.log_children(grown, path)
        there = math.log(self.move_probability(tree, GROW)) - math.log(self.n_splittable(tree))
        back = math.log(self.move_probability(grown, PRUNE)) - math.log(self.n_leaf_parents(grown))
        return prior + back - there

    def prune_ratio(self, tree, path):
        return -self.grow_ratio(replaced(tree, path, None), path, subtree(tree, path)[0])

    def change_ratio(self, tree, path, rule):
        changed = replaced(tree, path, (rule, None, None))
        there = self.log_children(tree, path) + math.log(self.move_probability(tree, CHANGE))
        return self.log_children(changed, path) + math.log(self.move_probability(changed, CHANGE)) - there

    def proposals(self, tree):
        """``(tree proposed, its probability, log ratio without the likelihood)`` of every move from a tree."""
        growing = [path for path in leaves(tree) if self.splittable(tree, path)]
        for path in growing:
            chance = self.move_probability(tree, GROW) / len(growing)
            for rule, probability in self.rules(tree, path):
                grown = replaced(tree, path, (rule, None, None))
                yield grown, chance * probability, self.grow_ratio(tree, path, rule)
        parents = leaf_parents(tree)
        for path in parents:
            yield (
                replaced(tree, path, None),
                self.move_probability(tree, PRUNE) / len(parents),
                self.prune_ratio(tree, path),
            )
            chance = self.move_probability(tree, CHANGE) / len(parents)
            for rule, probability in self.rules(tree, path):
                changed = replaced(tree, path, (rule, None, None))
                yield changed, chance * probability, self.change_ratio(tree, path, rule)


def inner_nodes(tree, path=""):
    if tree is None:
        return []
    return [path, *inner_nodes(tree[1], path + "l"), *inner_nodes(tree[2], path + "r")]


def log_marginal(weight, total, tau2, sigma2):
    """Of the residuals of one leaf, its mean integrated out; less what does not depend on the tree."""
    shrink = 1 + weight * tau2 / sigma2
    return -0.5 * math.log(shrink) + 0.5 * (tau2 / sigma2) * (total * total / sigma2) / shrink


def log_marginal_of_variance(weight, squares, nu, lam):
    """Of the residuals of one leaf, its variance ~ nu lam / chi2(nu) integrated out; less log(2 pi) / 2 a residual.

    `squares` is their sum of squares by weight, as multiples of what other trees say of the variance.
    """
    a, b = 0.5 * nu, 0.5 * nu * lam
    shape, rate = a + 0.5 * weight, b + 0.5 * squares
    return a * math.log(b) - math.lgamma(a) + math.lgamma(shape) - shape * math.log(rate)


def log_likelihood(tree, X, y, tau2, sigma2, min_weight=0, weight=None):
    """Of a single tree, leaf means integrated out; -inf where a leaf holds too little."""
    weight = np.ones(len(y)) if weight is None else weight
    places = np.array([leaf_of(tree, row) for row in X.tolist()])
    value = 0.0
    for path in leaves(tree):
        inside = places == path
        if weight[inside].sum() < min_weight:
            return -np.inf
        value += log_marginal(weight[inside].sum(), (weight * y)[inside].sum(), tau2, sigma2)
    return value


def log_likelihood_of_sum(trees, X, y, tau2, sigma2):
    """Of a sum of trees, leaf means integrated out."""
    covariance = sigma2 * np.eye(len(y))
    for tree in trees:
        places = np.array([leaf_of(tree, row) for row in X.tolist()])
        covariance = covariance + tau2 * (places[:, None] == places[None, :])
    _, log_determinant = np.linalg.slogdet(covariance)
    return -0.5 * (log_determinant + y @ np.linalg.solve(covariance, y))


def _normalised(log_weights):
    weights = np.exp(log_weights - np.max(log_weights))
    return weights / weights.sum()


def posterior(space, X, y, tau2, sigma2, min_weight=0):
    """``{tree: probability}`` of a single tree, exactly."""
    trees = list(space.all_trees())
    logs = [space.log_prior(tree) + log_likelihood(tree, X, y, tau2, sigma2, min_weight) for tree in trees]
    return dict(zip(trees, _normalised(np.array(logs)), strict=True))


def posterior_of_sum(space, X, y, tau2, sigma2, n_trees=2):
    """``{(tree, ..., tree): probability}`` of a sum of trees, exactly."""
    trees = list(space.all_trees())
    priors = {tree: space.log_prior(tree) for tree in trees}
    sums = list(product(trees, repeat=n_trees))
    logs = [sum(priors[t] for t in s) + log_likelihood_of_sum(s, X, y, tau2, sigma2) for s in sums]
    return dict(zip(sums, _normalised(np.array(logs)), strict=True))


def posterior_with_scale(space, X, y, tau2, nu, lam, n_points=400):
    """``({tree: probability}, mean of sigma2)`` of a single tree with sigma2 ~ nu lam / chi2(nu), by quadrature."""
    trees = list(space.all_trees())
    priors = np.array([space.log_prior(tree) for tree in trees])
    grid = np.linspace(math.log(lam) - 8, math.log(lam) + 12, n_points)  # of log sigma2: the measure is even in it
    logs = np.empty((len(trees), n_points))
    for k, s2 in enumerate(np.exp(grid)):
        of_scale = -0.5 * nu * grid[k] - 0.5 * nu * lam / s2
        of_data = -0.5 * len(y) * math.log(s2) - 0.5 * (y @ y) / s2
        logs[:, k] = priors + of_scale + of_data + [log_likelihood(t, X, y, tau2, s2) for t in trees]
    joint = _normalised(logs)
    return dict(zip(trees, joint.sum(axis=1), strict=True)), float(joint.sum(axis=0) @ np.exp(grid))


def posterior_with_leaf_variance(space, X, y, tau2, freedom, sigma2, n_points=400):
    """``{tree: probability}`` of a single tree whose leaves' variance ~ freedom tau2 / chi2(freedom), by quadrature."""
    trees = list(space.all_trees())
    grid = np.linspace(math.log(tau2) - 8, math.log(tau2) + 12, n_points)  # of its logarithm
    logs = np.array([[log_likelihood(tree, X, y, t2, sigma2) for t2 in np.exp(grid)] for tree in trees])
    logs += -0.5 * freedom * (grid + tau2 / np.exp(grid))
    joint = _normalised(logs + np.array([[space.log_prior(tree)] for tree in trees]))
    return dict(zip(trees, joint.sum(axis=1), strict=True))


def transition_matrix(space, trees, log_likelihoods):
    """Of one Metropolis-Hastings step on a single tree, leaf means integrated out."""
    place = {tree: i for i, tree in enumerate(trees)}
    matrix = np.zeros((len(trees), len(trees)))
    for tree, i in place.items():
        for proposed, chance, ratio in space.proposals(tree):
            j = place[proposed]
            accept = min(1.0, math.exp(min(ratio + log_likelihoods[j] - log_likelihoods[i], 0.0)))
            matrix[i, j] += chance * accept
        matrix[i, i] += 1 - matrix[i].sum()
    return matrix


def stationary(matrix):
    """The distribution that a transition matrix leaves as it is."""
    n = len(matrix)
    system = np.vstack([matrix.T - np.eye(n), np.ones(n)])
    return np.linalg.lstsq(system, np.append(np.zeros(n), 1.0), rcond=None)[0]
