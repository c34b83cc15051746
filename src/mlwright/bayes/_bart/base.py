"""What regression and classification by BART share: columns to codes, chains, draws, fitted state."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.loo import LOO_FIELDS, keep_loo, loo_by_importance
from mlwright._kernels import bart
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.progress import Reporter
from mlwright._runtime.threads import limit
from mlwright.bayes._bart import draws as drawn
from mlwright.bayes._bart.columns import CODES, Coding, check_coding, dense
from mlwright.ensemble._boosting.category_tables import check_levels
from mlwright.ensemble._boosting.features import features_for_fit, features_for_predict
from mlwright.io.composite import ListOf, Maybe, Optional
from mlwright.io.schema import Labels, Number, Size, Strings, Tensor

_DOUBTFUL = 1.1  # R-hat; trees move slowly, so that 1.01 is seldom reached and seldom needed for predictions
_WATCHED = 100  # rows of the fit whose fitted values are diagnosed
_NUMBERS_AT_ONCE = 1 << 22  # of rows times draws: 32 MiB
_MOST_WEIGHT = 1 << 62  # which no leaf has

BASE_STATE = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "is_categorical_": Optional(Tensor("?", "p")),
    "_levels": ListOf(Labels("*")),
    "_codes": CODES,
    "_watched": Tensor("u1", "v p"),
    "_trees": ListOf(drawn.TREES, "s"),
    "_n_trees": Number(low=1, high=1 << 20, integer=True),
    "_n_chains": Number(low=1, high=1 << 16, integer=True),
    "_offsets": Tensor("f8", "s"),
    "_scale": Number(low=0),
    **LOO_FIELDS,
}


class BaseBART(BayesianMixin, BaseEstimator):
    """Chains of BART on codes of columns; a subclass says what is drawn and what draws mean."""

    _parameter_constraints: ClassVar[dict] = {
        "n_trees": [Interval(Integral, 1, 1 << 16, closed="both")],
        "burn_in": [Interval(Integral, 0, 1 << 30, closed="both")],
        "grow_from_root": [Interval(Integral, 0, 1 << 30, closed="both")],
        "draws": [Interval(Integral, 0, 1 << 30, closed="both")],
        "chains": [Interval(Integral, 1, 1 << 16, closed="both")],
        "thin": [Interval(Integral, 1, 1 << 20, closed="both")],
        "k": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Real, 0, None, closed="left")],
        "sparse": ["boolean"],
        "max_bins": [Interval(Integral, 2, 255, closed="both")],
        "compute_loo": ["boolean"],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "random_state": ["random_state", np.random.Generator],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }
    warm_start = False  # what the reading of columns asks for; no parameter

    def _read(self, X):
        return dense(features_for_fit(self, X), self)

    def _learn_codes(self, X, weight, seed):
        sizes = [len(levels) for levels in self._levels]
        coding = Coding.learn(X, weight, self.is_categorical_, sizes, self.max_bins, seed)
        self._codes = coding.as_state()
        return coding.codes(X)

    def _coded(self, X):
        check_is_fitted(self)
        return Coding(**self._codes).codes(dense(features_for_predict(self, X), self))

    def _draw(self, codes, target, integers, weight_unit, seed, **law):
        """Run the chains: trees, trees of the variance, and sigma2 of every draw."""
        options = bart.options(
            seed=seed,
            n_trees=int(self.n_trees),
            alpha=float(self.alpha),
            beta=float(self.beta),
            max_depth=bart.MOST_LEAVES if self.max_depth is None else min(int(self.max_depth), bart.MOST_LEAVES),
            min_weight=int(min(np.ceil(self.min_samples_leaf / weight_unit), _MOST_WEIGHT)),
            weight_unit=weight_unit,
            is_sparse=bool(self.sparse),
            root_sweeps=int(self.grow_from_root),
            chains=int(self.chains),
            burn_in=int(self.burn_in),
            draws=int(self.draws),
            thin=int(self.thin),
            **law,
        )
        sweeps = self._n_sweeps()
        reporter = Reporter("sampling", options["chains"] * sweeps, verbose=self.verbose)
        with limit(self.n_jobs):
            trees, variance_trees, sigma2 = bart.run(codes, self._codes["columns"], target, integers, options, reporter)
        return trees, variance_trees, sigma2.reshape(options["chains"], -1)

    def _n_sweeps(self):
        """Of a chain. ValueError where none would be kept."""
        if self.draws > 0:
            return int(self.grow_from_root + self.burn_in + self.draws * self.thin)
        if self.grow_from_root < self.burn_in + self.thin:
            raise ValueError(
                f"draws: got 0, which keeps sweeps grown from the root, of which grow_from_root={self.grow_from_root} "
                f"leaves none after burn_in={self.burn_in}; raise grow_from_root or draws"
            )
        return int(self.grow_from_root)

    def _keep(self, codes, trees, offsets, scale):
        """Draws of one sum of trees, or of several, as fitted state."""
        self._trees, self._n_trees, self._n_chains = trees, int(self.n_trees), int(self.chains)
        self._offsets, self._scale = np.asarray(offsets, dtype=np.float64), float(scale)
        rows = np.unique(np.linspace(0, len(codes) - 1, _WATCHED).astype(np.int64))
        self._watched = codes[rows]

    def _blocks_of(self, n):
        """Slices of n rows, of which every draw is asked at once."""
        step = max(1, _NUMBERS_AT_ONCE // (self._n_draws * len(self._trees)))
        return (slice(begin, min(begin + step, n)) for begin in range(0, n, step))

    def _blocks(self, codes):
        """``(rows, sums of shape (n_sums, draws, rows))``, one block of rows after another."""
        for rows in self._blocks_of(len(codes)):
            with limit(self.n_jobs):
                sums = [
                    bart.sums(trees, self._n_trees, codes[rows], offset, self._scale)
                    for trees, offset in zip(self._trees, self._offsets, strict=True)
                ]
            yield rows, sums

    def _keep_loo(self, X, weight, log_likelihood):
        """Scores of rows left out, those of weight zero among them; ``log_likelihood(rows, codes, sums)`` has the shape
        (draws, rows).
        """
        if not self.compute_loo:
            return keep_loo(self)
        codes = Coding(**self._codes).codes(X)
        w = None if weight is None else np.broadcast_to(np.asarray(weight, dtype=np.float64), len(codes))

        def table(begin, end):
            blocks = self._blocks(codes[begin:end])
            at = ((slice(begin + rows.start, begin + rows.stop), sums) for rows, sums in blocks)
            return np.concatenate([log_likelihood(rows, codes[rows], sums) for rows, sums in at], axis=1).T

        return keep_loo(self, *loo_by_importance(len(codes), self._n_draws, table, w), w)

    @property
    def _n_draws(self):
        """Of all chains."""
        return len(self._trees[0]["ends"]) // self._n_trees

    def _by_chain(self, draws):
        """Draws along a first axis, chain by chain."""
        return draws.reshape(self._n_chains, -1, *draws.shape[1:])

    @property
    def variable_inclusion_(self):
        """Splits by each feature, on average over draws: ndarray of shape (n_features,)."""
        return self._split_counts().mean(axis=0)

    @property
    def inclusion_probability_(self):
        """Share of draws with any split by each feature: ndarray of shape (n_features,)."""
        return (self._split_counts() > 0).mean(axis=0)

    def _split_counts(self):
        check_is_fitted(self)
        return sum(drawn.split_counts(trees, self._n_trees, self.n_features_in_) for trees in self._trees)

    def _warn(self):
        """Warn where chains differ much: in the noise, or in what they say of the median row."""
        if self._n_draws < 4 * self._n_chains:
            return
        told = {name: float(np.median(of["rhat"])) for name, of in self.diagnostics_.items()}
        name = max(told, key=told.get)
        if told[name] > _DOUBTFUL:
            warnings.warn(
                f"{type(self).__name__}: R-hat of {name} is {told[name]:.2f} (the median of rows), expected at most "
                f"{_DOUBTFUL}: chains do not agree yet; raise burn_in and draws (see diagnostics_)",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _validate_state(self):
        check_levels(self)
        check_coding(Coding(**self._codes), self.is_categorical_, [len(levels) for levels in self._levels])
        for trees in self._trees:
            bart.check_trees(trees, self._codes["columns"], self._n_trees)
        sizes = {len(trees["ends"]) for trees in self._trees}
        if len(sizes) != 1 or self._n_draws % self._n_chains or not len(self._watched) or not self._scale > 0:
            raise ModelFormatError(f"{type(self).__name__}: its draws are no whole chains; the model is damaged")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags
