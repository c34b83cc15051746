"""Twin of the native chains of BART: the same moves by the same random numbers, one row at a time.

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
    Column,
    Rule,
    TreeSpace,
    inner_nodes,
    leaf_of,
    leaf_parents,
    log_marginal,
    replaced,
    subtree,
)
from mlwright.reference.rng import Rng

TREES, SCALE, WEIGHTS, LATENTS, _, LEAVES = range(6)
LATENT_ROWS = 256
SET_RULE, SET_WORDS = 2, 4


def stream(purpose, iteration=0):
    return purpose << 32 | iteration


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


class Chain:
    def __init__(self, codes, columns, target, weight, options, number):
        self.codes, self.number, self.o = codes.tolist(), number, options
        self.residual = [int(t) for t in target]
        self.weight = [1] * len(target) if not len(weight) else [int(w) for w in weight]
        self.space = TreeSpace(
            [Column(int(cuts), bool(missing), int(levels)) for cuts, missing, levels in columns],
            options["alpha"],
            options["beta"],
            options["max_depth"],
        )
        self.sparsity = Sparsity(len(self.space.usable)) if options["is_sparse"] and self.space.usable else None
        self.states = [State() for _ in range(options["n_trees"])]
        self.even = True
        self.sigma2, self.tau2, self.iteration = options["sigma2"], options["tau2"], 0
        if options["is_probit"]:
            self.classes, self.residual, self.latent = self.residual, [0] * len(target), [0] * len(target)
            self.draw_latents()

    def rng(self, purpose, part=0):
        return Rng(self.o["seed"], stream(purpose, self.iteration), self.number << 32 | part)

    def sweep(self):
        for number, state in enumerate(self.states):
            self.step(state, self.rng(TREES, number))
        if self.o["is_probit"]:
            self.draw_latents()
        elif not self.o["sigma_is_fixed"]:
            self.draw_sigma()
        if self.o["leaf_freedom"]:
            self.draw_leaf_variance()
        if self.sparsity and self.iteration >= self.o["burn_in"] // 2:
            self.draw_weights()
        self.iteration += 1

    def step(self, state, rng):
        places = [leaf_of(state.tree, row) for row in self.codes]
        partial = [r + state.value[path] for r, path in zip(self.residual, places, strict=True)]
        move, path, rule, ratio = self.propose(state, rng)
        if move and math.log(rng.uniform_open()) < ratio + self.gain(state, partial, move, path, rule):
            if move == PRUNE:
                state.prune(path)
            elif move == GROW:
                state.grow(path, rule)
            else:
                state.tree = replaced(state.tree, path, (rule, None, None))
        self.draw_values(state, partial, rng)

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

    def marginal(self, partial, rows):
        weight, total = self.sums(partial, rows)
        return log_marginal(weight, total, self.tau2, self.sigma2)

    def sums(self, partial, rows):
        """Weight and weighted sum in the scale of y."""
        unit = self.o["weight_unit"]
        total = sum(self.weight[i] * partial[i] for i in rows)
        return sum(self.weight[i] for i in rows) * unit, total * unit * self.o["unit"]

    def gain(self, state, partial, move, path, rule):
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
        return sum(self.marginal(partial, rows) for rows in new) - sum(self.marginal(partial, rows) for rows in old)

    def draw_values(self, state, partial, rng):
        places = [leaf_of(state.tree, row) for row in self.codes]
        state.value = {}
        for path in state.by_slot():
            weight, total = self.sums(partial, [i for i, place in enumerate(places) if place == path])
            variance = 1 / (weight / self.sigma2 + 1 / self.tau2)
            drawn = variance * (total / self.sigma2) + math.sqrt(variance) * rng.normal()
            state.value[path] = round(drawn / self.o["unit"])
        self.residual = [r - state.value[path] for r, path in zip(partial, places, strict=True)]

    def draw_sigma(self):
        o = self.o
        squares = sum(w * r * r for w, r in zip(self.weight, self.residual, strict=True)) * o["unit"] ** 2
        chi = self.rng(SCALE).chi_square(o["nu"] + sum(self.weight) * o["weight_unit"])
        self.sigma2 = (o["nu"] * o["lam"] + squares * o["weight_unit"]) / chi

    def draw_leaf_variance(self):
        m, values = self.o["leaf_freedom"], [v * self.o["unit"] for state in self.states for v in state.value.values()]
        squares = sum(v * v for v in values)
        self.tau2 = (m * self.o["tau2"] + squares) / self.rng(LEAVES).chi_square(m + len(values))

    def draw_latents(self):
        o = self.o
        for i, (latent, residual) in enumerate(zip(self.latent, self.residual, strict=True)):
            if i % LATENT_ROWS == 0:
                rng = self.rng(LATENTS, i // LATENT_ROWS)
            f = latent - residual
            mean = o["offset"] + f * o["unit"]
            sign = 1 if self.classes[i] > 0 else -1
            drawn = sum(sign * positive_normal(sign * mean, rng) for _ in range(self.weight[i]))
            self.latent[i] = round((drawn / self.weight[i] - o["offset"]) / o["unit"])
            self.residual[i] = self.latent[i] - f

    def draw_weights(self):
        rng, space = self.rng(WEIGHTS), self.space
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


def positive_normal(mean, rng):
    """z > 0 of N(mean, 1), by rejection: Robert (1995), Statistics and Computing 5."""
    bound = -mean
    if bound < 0.45:
        while (t := rng.normal()) <= bound:
            pass
        return mean + t
    rate = 0.5 * (bound + math.sqrt(bound * bound + 4))
    while True:
        beyond = rng.exponential() / rate
        if math.log(rng.uniform_open()) <= -0.5 * (bound + beyond - rate) ** 2:
            return beyond


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


class Arrays:
    """Kept trees, flat."""

    def __init__(self):
        self.nodes, self.sets, self.ends, self.sigma2 = [], [], [], []

    def keep(self, chain):
        for state in chain.states:
            self.add(state, state.tree, "")
            self.ends.append(len(self.nodes))
        self.sigma2.append(chain.sigma2)

    def add(self, state, tree, path):
        if tree is None:
            self.nodes.append([-1, 0, 0, 0, state.value[path]])
            return
        rule, left, right = tree
        at = len(self.nodes)
        kind, value = (SET_RULE, len(self.sets)) if rule.is_set else (rule.shift, 0)
        self.nodes.append([rule.variable, kind, rule.bound, 0, value])
        if rule.is_set:
            self.sets.append([rule.codes >> 64 * word & (1 << 64) - 1 for word in range(SET_WORDS)])
        self.add(state, left, path + "l")
        self.nodes[at][3] = len(self.nodes) - at
        self.add(state, right, path + "r")

    def as_dict(self):
        fields = zip(
            ("variable", "kind", "bound", "right", "value"),
            (np.int32, np.uint8, np.uint8, np.uint16, np.int32),
            np.array(self.nodes, dtype=np.int64).reshape(-1, 5).T,
            strict=True,
        )
        out = {name: column.astype(dtype) for name, dtype, column in fields}
        out["sets"] = np.array(self.sets, dtype=np.uint64).ravel()
        out["ends"] = np.array(self.ends, dtype=np.int64)
        out["sigma2"] = np.array(self.sigma2)
        return out


def run(codes, columns, target, weight, options):
    """Kept draws of all chains, one chain after another, as a dict of arrays."""
    arrays = Arrays()
    for number in range(options["chains"]):
        chain = Chain(codes, columns, target, weight, options, number)
        for sweep in range(1, options["burn_in"] + options["draws"] * options["thin"] + 1):
            chain.sweep()
            kept = sweep - options["burn_in"]
            if kept > 0 and kept % options["thin"] == 0:
                arrays.keep(chain)
    return arrays.as_dict()


def predict(trees, n_trees, codes, offset=0.0, scale=1.0):
    """Sums of every draw for every row: shape (draws, rows)."""
    begins = np.concatenate([[0], trees["ends"][:-1]])
    values = np.array([[_value(trees, begin, row) for row in codes.tolist()] for begin in begins], dtype=np.float64)
    return offset + scale * values.reshape(-1, n_trees, len(codes)).sum(axis=1)


def _value(trees, node, row):
    while trees["variable"][node] >= 0:
        code, kind = row[trees["variable"][node]], trees["kind"][node]
        if kind == SET_RULE:
            word = trees["sets"][SET_WORDS * trees["value"][node] + (code >> 6)]
            left = int(word) >> (code & 63) & 1
        else:
            left = (code + int(kind)) & 255 <= trees["bound"][node]
        node += 1 if left else trees["right"][node]
    return trees["value"][node]


def run_small(codes, columns, target, weight, options):
    """The arrays of :func:`run` in order, leaf values in the scale of the target."""
    trees = run(codes, columns, target, weight, options)
    trees["value"] = np.where(trees["variable"] < 0, trees["value"] * options["unit"], trees["value"])
    return tuple(trees[name] for name in sorted(trees))


def checked_sums(trees, columns, n_trees, codes, offset, scale):
    return predict(trees, n_trees, codes, offset, scale)
