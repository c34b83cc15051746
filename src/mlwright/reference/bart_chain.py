"""Twin of the native chains of BART: the same moves by the same random numbers, one row at a time.

Trees and the ratios of their moves are those of :mod:`mlwright.reference.bart`, which is held against exact posteriors.
"""

import math

import numpy as np

from mlwright.reference.bart import Column, log_marginal, log_marginal_of_variance
from mlwright.reference.bart_forest import SET_WORDS, Forest
from mlwright.reference.rng import Rng

TREES, SCALE, WEIGHTS, LATENTS, _, LEAVES, NOISE_TREES, NOISE_WEIGHTS = range(8)
LATENT_ROWS = 256
SET_RULE = 2
LOG_UNIT = 2.0**-20


def stream(purpose, iteration=0):
    return purpose << 32 | iteration


class Chain:
    def __init__(self, codes, columns, target, weight, options, number):
        self.number, self.o = number, options
        self.residual = [int(t) for t in target]
        self.weight = [1] * len(target) if not len(weight) else [int(w) for w in weight]
        columns = [Column(int(cuts), bool(missing), int(levels)) for cuts, missing, levels in columns]
        self.forest = Forest(codes.tolist(), self.weight, columns, options, options["n_trees"])
        self.sigma2, self.tau2, self.iteration = options["sigma2"], options["tau2"], 0
        self.precision, self.noise = self.weight, None  # of rows, over sigma2
        if options["n_variance_trees"]:
            self.noise = Noise(codes.tolist(), self.weight, columns, options)
            self.sigma2, self.precision = 1.0, self.noise.precisions()
        if options["is_probit"]:
            self.classes, self.residual, self.latent = self.residual, [0] * len(target), [0] * len(target)
            self.draw_latents()

    def rng(self, purpose, part=0):
        return Rng(self.o["seed"], stream(purpose, self.iteration), self.number << 32 | part)

    def sweep(self):
        for number, state in enumerate(self.forest.states):
            self.step(state, self.rng(TREES, number))
        if self.o["is_probit"]:
            self.draw_latents()
        elif self.noise:
            self.noise.sweep([r * self.o["unit"] for r in self.residual], self.rng)
            self.precision = self.noise.precisions()
        elif not self.o["sigma_is_fixed"]:
            self.draw_sigma()
        if self.o["leaf_freedom"]:
            self.draw_leaf_variance()
        if self.iteration >= self.o["burn_in"] // 2:
            self.forest.draw_weights(self.rng(WEIGHTS))
            if self.noise:
                self.noise.forest.draw_weights(self.rng(NOISE_WEIGHTS))
        self.iteration += 1

    def step(self, state, rng):
        places = self.forest.places(state)
        partial = [r + state.value[path] for r, path in zip(self.residual, places, strict=True)]
        self.forest.step(state, lambda rows: log_marginal(*self.sums(partial, rows), self.tau2, self.sigma2), rng)
        self.draw_values(state, partial, rng)

    def sums(self, partial, rows):
        """Weight and weighted sum in the scale of y."""
        unit = self.o["weight_unit"]
        total = sum(self.precision[i] * partial[i] for i in rows)
        return sum(self.precision[i] for i in rows) * unit, total * unit * self.o["unit"]

    def draw_values(self, state, partial, rng):
        places = self.forest.places(state)
        state.value = {}
        for path in state.by_slot():
            weight, total = self.sums(partial, [i for i, place in enumerate(places) if place == path])
            variance = 1 / (weight / self.sigma2 + 1 / self.tau2)
            drawn = variance * (total / self.sigma2) + math.sqrt(variance) * rng.normal()
            state.value[path] = round(drawn / self.o["unit"])
        self.residual = [r - state.value[path] for r, path in zip(partial, places, strict=True)]

    def mean_variance(self):
        """Of rows, by weight."""
        if not self.noise:
            return self.sigma2
        return sum(w * math.exp(v) for w, v in zip(self.weight, self.noise.logs(), strict=True)) / sum(self.weight)

    def draw_sigma(self):
        o = self.o
        squares = sum(w * r * r for w, r in zip(self.weight, self.residual, strict=True)) * o["unit"] ** 2
        chi = self.rng(SCALE).chi_square(o["nu"] + sum(self.weight) * o["weight_unit"])
        self.sigma2 = (o["nu"] * o["lam"] + squares * o["weight_unit"]) / chi

    def draw_leaf_variance(self):
        m = self.o["leaf_freedom"]
        values = [v * self.o["unit"] for state in self.forest.states for v in state.value.values()]
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


class Noise:
    """The variance at rows as a product of trees, whose leaves ~ nu lam / chi2(nu); their values are logarithms."""

    def __init__(self, codes, weight, columns, o):
        n = o["n_variance_trees"]
        self.nu, self.lam, self.unit = o["variance_nu"], o["variance_lam"], o["weight_unit"]
        self.weight = weight
        self.forest = Forest(codes, weight, columns, o, n, round(math.log(o["sigma2"]) / n / LOG_UNIT))

    def logs(self):
        """Of the variance, at each row."""
        units = np.zeros(len(self.weight), dtype=np.int64)
        for state in self.forest.states:
            units += [state.value[path] for path in self.forest.places(state)]
        return units * LOG_UNIT

    def precisions(self):
        return [w * math.exp(-v) for w, v in zip(self.weight, self.logs(), strict=True)]

    def sweep(self, residual, rng):
        for number, state in enumerate(self.forest.states):
            self.step(state, residual, rng(NOISE_TREES, number))

    def step(self, state, residual, rng):
        own = [state.value[path] * LOG_UNIT for path in self.forest.places(state)]
        squares = [r * r * math.exp(v - s) for r, v, s in zip(residual, own, self.logs(), strict=True)]

        def sums(rows):
            weight, total = sum(self.weight[i] for i in rows), sum(self.weight[i] * squares[i] for i in rows)
            return weight * self.unit, total * self.unit

        self.forest.step(state, lambda rows: log_marginal_of_variance(*sums(rows), self.nu, self.lam), rng)
        places = self.forest.places(state)
        state.value = {}
        for path in state.by_slot():
            weight, total = sums([i for i, place in enumerate(places) if place == path])
            variance = (self.nu * self.lam + total) / rng.chi_square(self.nu + weight)
            state.value[path] = round(math.log(variance) / LOG_UNIT)


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


class Arrays:
    """Kept trees, flat."""

    def __init__(self):
        self.nodes, self.sets, self.ends = [], [], []

    def keep(self, states):
        for state in states:
            self.add(state, state.tree, "")
            self.ends.append(len(self.nodes))

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
        return out


def run(codes, columns, target, weight, options):
    """Kept draws of all chains, one chain after another: trees, trees of the variance, mean variances."""
    trees, variance_trees, sigma2 = Arrays(), Arrays(), []
    for number in range(options["chains"]):
        chain = Chain(codes, columns, target, weight, options, number)
        for sweep in range(1, options["burn_in"] + options["draws"] * options["thin"] + 1):
            chain.sweep()
            kept = sweep - options["burn_in"]
            if kept > 0 and kept % options["thin"] == 0:
                trees.keep(chain.forest.states)
                variance_trees.keep(chain.noise.forest.states if chain.noise else [])
                sigma2.append(chain.mean_variance())
    return trees.as_dict(), variance_trees.as_dict(), np.array(sigma2)


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
    """The arrays of :func:`run` in order, leaf values in the scale of the target and as logarithms."""
    trees, variance_trees, sigma2 = run(codes, columns, target, weight, options)
    return *in_scale(trees, options["unit"]), *in_scale(variance_trees, LOG_UNIT), sigma2


def in_scale(trees, unit):
    values = np.where(trees["variable"] < 0, trees["value"] * unit, trees["value"])
    return tuple(values if name == "value" else array for name, array in sorted(trees.items()))


def checked_sums(trees, columns, n_trees, codes, offset, scale):
    return predict(trees, n_trees, codes, offset, scale)
