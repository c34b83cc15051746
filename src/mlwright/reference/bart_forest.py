"""Twin of the trees of one sum in a native chain of BART: what they are, how they are moved, what their rules weigh.

Trees and the ratios of their moves are those of :mod:`mlwright.reference.bart`, which is held against exact posteriors.
"""

import math
from bisect import bisect_right
from itertools import accumulate

import numpy as np

from mlwright.reference.bart import (
    CHANGE,
    GROW,
    PRUNE,
    Rule,
    TreeSpace,
    inner_nodes,
    leaf_of,
    leaf_parents,
    replaced,
    subtree,
)

SET_WORDS = 4


class State:
    """A tree with slots and values of its leaves, by path."""

    def __init__(self):
        self.tree, self.slot, self.value = None, {"": 0}, {"": 0}

    def by_slot(self):
        return sorted(self.slot, key=self.slot.get)

    def leaf_parents(self):
        return sorted(leaf_parents(self.tree), key=lambda path: self.slot[path + "l"])

    def grow(self, path, rule):
        self.tree = replaced(self.tree, path, (rule, None, None))
        kept = self.slot.pop(path)
        self.slot |= {path + "l": kept, path + "r": len(self.slot) + 1}

    def prune(self, path):
        self.tree = replaced(self.tree, path, None)
        self.slot[path], freed = self.slot.pop(path + "l"), self.slot.pop(path + "r")
        for other, slot in self.slot.items():
            if slot == len(self.slot):
                self.slot[other] = freed


class Forest:
    """Trees over the same rows; `weight` holds those of the rows, `o` the options of the chain."""

    def __init__(self, codes, weight, columns, o, n_trees, start=0):
        self.codes, self.weight, self.o = codes, weight, o
        self.space = TreeSpace(columns, o["alpha"], o["beta"], o["max_depth"])
        self.states = [State() for _ in range(n_trees)]
        for state in self.states:
            state.value[""] = start
        self.sparsity = Sparsity(len(self.space.usable)) if o["is_sparse"] and self.space.usable else None
        self.even = True

    def places(self, state):
        return [leaf_of(state.tree, row) for row in self.codes]

    def step(self, state, marginal, rng):
        """Propose a move, and make it if it is accepted; ``marginal(rows)``: log likelihood of a leaf of these."""
        move, path, rule, ratio = self.propose(state, rng)
        if move and math.log(rng.uniform_open()) < ratio + self.gain(state, marginal, move, path, rule):
            if move == PRUNE:
                state.prune(path)
            elif move == GROW:
                state.grow(path, rule)
            else:
                state.tree = replaced(state.tree, path, (rule, None, None))

    def propose(self, state, rng):
        tree, space = state.tree, self.space
        growing = [path for path in state.by_slot() if space.splittable(tree, path)]
        parents = state.leaf_parents()
        u = rng.uniform()
        if not growing and not parents:
            return None, None, None, 0.0
        grow = space.move_probability(tree, GROW)
        if u < grow:
            path = growing[rng.below(len(growing))]
            rule = self.draw_rule(tree, path, rng)
            return GROW, path, rule, space.grow_ratio(tree, path, rule)
        path = parents[rng.below(len(parents))]
        if u < grow + space.move_probability(tree, PRUNE):
            return PRUNE, path, None, space.prune_ratio(tree, path)
        rule = self.draw_rule(tree, path, rng)
        return CHANGE, path, rule, space.change_ratio(tree, path, rule)

    def draw_rule(self, tree, path, rng):
        space = self.space
        variables = space.available(tree, path)
        if self.even:
            variable = variables[rng.below(len(variables))]
        else:
            sums = list(accumulate(space.weights[variables]))
            variable = variables[min(bisect_right(sums, rng.uniform() * sums[-1]), len(variables) - 1)]
        reach = space.reach(tree, path, variable)
        if not space.columns[variable].n_codes:
            return space.rule(variable, reach, rng.below(space.n_rules(variable, reach)))
        while True:
            codes = sum(rng.next() << 64 * word for word in range(SET_WORDS))
            rule = Rule(variable, codes=codes, is_set=True)
            if len({rule.goes_left(code) for code in reach}) == 2:
                return rule

    def gain(self, state, marginal, move, path, rule):
        def rows_below(path):
            return [i for i, row in enumerate(self.codes) if leaf_of(state.tree, row).startswith(path)]

        inside = rows_below(path)
        old = [inside] if move == GROW else [rows_below(path + "l"), rows_below(path + "r")]
        new = [inside]
        if move != PRUNE:
            left = [i for i in inside if rule.goes_left(self.codes[i][rule.variable])]
            new = [left, [i for i in inside if i not in set(left)]]
            if min(sum(self.weight[i] for i in rows) for rows in new) < self.o["min_weight"]:
                return -math.inf
        return sum(marginal(rows) for rows in new) - sum(marginal(rows) for rows in old)

    def draw_weights(self, rng):
        if not self.sparsity:
            return
        space = self.space
        self.sparsity.counts[:] = 0
        for state in self.states:
            for path in inner_nodes(state.tree):
                variable = subtree(state.tree, path)[0].variable
                available = set(space.available(state.tree, path))
                exhausted = [i for i, j in enumerate(space.usable) if j not in available]
                self.sparsity.count(space.usable.index(variable), exhausted, rng)
        self.sparsity.draw(rng)
        space.weights[space.usable] = self.sparsity.weights
        self.even = False


class Sparsity:
    """Weights of variables, drawn by how often rules use them: Linero (2018), JASA 113."""

    GRID, ONE_BY_ONE = 1000, 1000

    def __init__(self, n):
        self.counts, self.weights, self.theta = np.zeros(n), np.full(n, 1 / n), 1.0
        share = np.arange(1, self.GRID + 1) / (self.GRID + 1)
        self.thetas = n * share / (1 - share)
        lgamma = np.vectorize(math.lgamma)
        self.log_prior = -0.5 * np.log(share) + lgamma(self.thetas) - n * lgamma(self.thetas / n)

    def count(self, place, exhausted, rng):
        """One rule; with it the draws that came to a variable without rules and were repeated."""
        self.counts[place] += 1
        if not exhausted:
            return
        missed = self.weights[exhausted].sum()
        share = min(missed / self.weights.sum(), 1 - 2.0**-53)
        repeats = left = min(math.floor(math.log(rng.uniform_open()) / math.log(share)), 1e15)
        while len(exhausted) > 1 and left > 0 and repeats - left < self.ONE_BY_ONE:
            below = np.cumsum(self.weights[exhausted]) <= rng.uniform() * missed
            self.counts[exhausted[min(int(below.sum()), len(exhausted) - 1)]] += 1
            left -= 1
        self.counts[exhausted] += left * self.weights[exhausted] / missed

    def draw(self, rng):
        p = len(self.weights)
        logs = np.array([rng.log_gamma(self.theta / p + count) for count in self.counts])
        logs -= logs.max() + math.log(np.exp(logs - logs.max()).sum())
        self.weights = np.maximum(np.exp(logs), 1e-300)
        density = self.log_prior + self.thetas / p * logs.sum()
        density = np.exp(density - density.max())
        below = np.cumsum(density) <= rng.uniform() * density.sum()
        self.theta = self.thetas[min(int(below.sum()), len(below) - 1)]
