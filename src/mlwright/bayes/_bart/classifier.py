"""Classification by Bayesian additive regression trees."""

from typing import ClassVar

import numpy as np
from scipy.special import ndtri
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length

from mlwright._bayesian.chains import Chains
from mlwright._bayesian.contract import check_levels
from mlwright._kernels.rng import uniform
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.rng import seed_from
from mlwright._validation import rows_that_weigh
from mlwright.base import check_coverage, fit_context
from mlwright.bayes._bart.base import BASE_STATE, BaseBART
from mlwright.bayes._bart.different_rows import different_rows
from mlwright.bayes._bart.stages import ProbabilityLaw, log_likelihood, probabilities
from mlwright.io.composite import State
from mlwright.io.schema import Labels

_UNIT = 2.0**-20  # of latent variables
_REACH = 3.0  # f lies within this of its prior's middle, at k standard deviations
_CLASS_STREAM = 7102
_STAGE_SEED = 0x9E3779B97F4A7C15
_SEEDS = 1 << 64


class BARTClassifier(ClassifierMixin, BaseBART):
    """Bayesian additive regression trees for classes, by probit regression with latent normal variables.

    Two classes: ``P(y = second class) = Phi(f(x))``, f a sum of trees as of :class:`BARTRegressor`. More classes are
    told apart one after another, in the order of ``classes_``: ``P(y = c | none of those before) = Phi(f_c(x))``. The
    likelihood is then the product of those of probit models, each of the rows that are left, so the draws are exact.

    Parameters
    ----------
    n_trees : int, default=200
        Of each sum of trees.
    burn_in : int, default=500
        Sweeps of each chain that are not kept.
    draws : int, default=1000
        Kept sweeps of each chain. 0: those grown from the root are kept, after `burn_in` of them (XBART): soon near to
        the posterior, not draws of it.
    chains : int, default=4
        Run side by side, one a thread.
    thin : int, default=1
        Sweeps from one kept draw to the next.
    grow_from_root : int, default=0
        Sweeps before the burn-in that grow each tree anew from its root, as of :class:`BARTRegressor`.
    k : float, default=2.0
        The prior of f at any x has this many standard deviations within 3.
    alpha, beta : float, default=0.95, 2.0
        A node of depth d is split with prior probability ``alpha * (1 + d) ** -beta``.
    max_depth : int, default=None
    min_samples_leaf : float, default=5
        Trees with a leaf of less weight have no prior probability.
    sparse : bool, default=False
        Whether few features are thought to matter, see :class:`BARTRegressor`.
    max_bins : int, default=255
        A numeric column is cut between its distinct values, or at so many quantiles if it has more.
    compute_loo : bool, default=False
        Whether to keep scores by leaving one row out.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        As of :class:`mlwright.ensemble.HistGradientBoostingClassifier`.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads, instruction set and order of rows.
    n_jobs : int, default=None
        Threads; None is all of them.
    verbose : int, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    variable_inclusion_, inclusion_probability_ : ndarray of shape (n_features,)
        Splits by each feature on average over draws, and share of draws with any.
    diagnostics_ : dict of str to dict
        R-hat, effective sample sizes and Monte Carlo errors of the ``probability`` of each class at up to 100 rows of
        the fit (of two classes, of the second).
    score_loo_, loo_log_density_, loo_k_hat_ : float, ndarray, ndarray
        With `compute_loo`: log probabilities of the classes of rows left out, by Pareto-smoothed importance sampling.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    is_categorical_ : ndarray of shape (n_features_in_,), or None

    References
    ----------
    .. [1] H. Chipman, E. George, R. McCulloch, "BART: Bayesian additive regression trees", Annals of Applied
       Statistics 4 (2010).
    .. [2] J. Albert, S. Chib, "Bayesian analysis of binary and polychotomous response data", JASA 88 (1993).
    .. [3] J. Albert, S. Chib, "Sequential ordinal modeling", Biometrics 57 (2001): classes one after another.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import BARTClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(300, 2))
    >>> y = np.where(X[:, 0] + 0.1 * rng.normal(size=300) > 0.5, "high", "low")
    >>> model = BARTClassifier(n_trees=50, draws=500, chains=2, random_state=0).fit(X, y)
    >>> model.predict([[0.9, 0.5], [0.1, 0.5]]).tolist()
    ['high', 'low']
    >>> model.predict_interval(X[:4]).shape
    (4, 2, 2)
    """

    _parameter_constraints: ClassVar[dict] = BaseBART._parameter_constraints
    _model_state = State(**BASE_STATE, classes_=Labels("c"))

    def __init__(
        self,
        n_trees=200,
        *,
        burn_in=500,
        draws=1000,
        chains=4,
        thin=1,
        grow_from_root=0,
        k=2.0,
        alpha=0.95,
        beta=2.0,
        max_depth=None,
        min_samples_leaf=5,
        sparse=False,
        max_bins=255,
        compute_loo=False,
        categorical_features="from_dtype",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_trees = n_trees
        self.burn_in = burn_in
        self.draws = draws
        self.chains = chains
        self.thin = thin
        self.grow_from_root = grow_from_root
        self.k = k
        self.alpha = alpha
        self.beta = beta
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.sparse = sparse
        self.max_bins = max_bins
        self.compute_loo = compute_loo
        self.categorical_features = categorical_features
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Draw from the posterior of trees.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            NaN is a missing value.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Whole numbers: a row of weight w is w rows.

        Returns
        -------
        self : BARTClassifier
        """
        X = self._read(X)
        y = _check_y(y, estimator=self)
        check_classification_targets(y)
        check_consistent_length(X, y)
        every = X, y
        X, y, weight = rows_that_weigh(X, y, sample_weight)
        if weight is not None and (weight != np.floor(weight)).any():
            raise ValueError(
                "sample_weight: got a weight that is no whole number, expected repetitions of rows: a row has as many "
                "latent variables; scale and round the weights"
            )
        self.classes_, places = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y: got 1 class, {self.classes_[0]!r}, expected at least 2")
        seed = seed_from(self.random_state)
        codes = self._learn_codes(X, weight, seed)
        different, *counts = different_rows(codes, places, weight)
        stages = [self._draw_stage(c, different, *counts, seed) for c in range(len(self.classes_) - 1)]
        trees, offsets = zip(*stages, strict=True)
        self._keep(different, list(trees), offsets, _UNIT)
        self._keep_loo_of_classes(*every, sample_weight)
        self._warn()
        return self

    def _keep_loo_of_classes(self, X, y, weight):
        """A class of rows without weight alone has no probability."""
        places = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        self._keep_loo(X, weight, lambda rows, _, sums: log_likelihood(sums, places[rows]))
        if self.compute_loo:
            self.loo_log_density_[self.classes_[places] != y] = -np.inf

    def _draw_stage(self, c, codes, places, weight, seed):
        """Trees and offset of class c against those after it."""
        left = places >= c
        positive, w = places[left] == c, weight[left]
        # Of two classes the second is the one that f speaks for, as everywhere.
        if len(self.classes_) == 2:
            positive = ~positive
        share = (w @ positive + 0.5) / (w.sum() + 1.0)
        offset = float(ndtri(share))
        trees, _, _ = self._draw(
            codes[left],
            np.where(positive, 1, -1),
            w if (w > 1).any() else w[:0],
            1.0,
            (seed + c * _STAGE_SEED) % _SEEDS,
            tau2=(_REACH / self.k) ** 2 / self.n_trees,
            sigma_is_fixed=True,
            is_probit=True,
            offset=offset,
            unit=_UNIT,
        )
        return trees, offset

    def _each_probability(self, X):
        codes = self._coded(X)
        return len(codes), ((rows, probabilities(sums)) for rows, sums in self._blocks(codes))

    def predict_proba(self, X, return_std=False):
        """Probabilities of classes, on average over the posterior.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the posterior standard deviations of the probabilities too.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        p_std : ndarray of shape (n_samples, n_classes)
            Only with `return_std`.
        """
        n, blocks = self._each_probability(X)
        mean, std = np.empty((n, len(self.classes_))), np.empty((n, len(self.classes_)))
        for rows, p in blocks:
            mean[rows] = p.mean(axis=0)
            if return_std:
                std[rows] = p.std(axis=0)
        mean /= mean.sum(axis=1, keepdims=True)
        return (mean, std) if return_std else mean

    def predict_log_proba(self, X):
        """Logarithms of :meth:`predict_proba`, of shape (n_samples, n_classes); minus infinity where one is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X):
        """The class that is likeliest on average over the posterior.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]

    def predict_draws(self, X):
        """Probabilities of classes under every draw of every chain.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_chains, n_draws, n_samples, n_classes)
        """
        _, blocks = self._each_probability(X)
        return self._by_chain(np.concatenate([p for _, p in blocks], axis=1))

    def predict_interval(self, X, coverage=0.9):
        """Central credible intervals of the probabilities of classes.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        coverage : float, default=0.9
            Posterior probability that a class's probability is inside, between 0 and 1, exclusive.

        Returns
        -------
        interval : ndarray of shape (n_samples, n_classes, 2)
            Lower and upper ends.
        """
        coverage = check_coverage(coverage)
        return self._predictive_law(X).quantiles(np.array([0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage]))

    def predict_quantiles(self, X, quantiles=(0.05, 0.5, 0.95)):
        """Posterior quantiles of the probabilities of classes.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        quantiles : float or array-like of shape (n_quantiles,), default=(0.05, 0.5, 0.95)
            Levels between 0 and 1, exclusive.

        Returns
        -------
        values : ndarray of shape (n_samples, n_classes, n_quantiles)
            Or (n_samples, n_classes) for a single level.
        """
        levels = check_levels(quantiles)
        values = self._predictive_law(X).quantiles(np.atleast_1d(levels))
        return values[..., 0] if levels.ndim == 0 else values

    def _predictive_law(self, X):
        return ProbabilityLaw(*self._each_probability(X), len(self.classes_))

    def _posterior_draws(self, n_samples, seed):
        return self._chains().pick(n_samples, seed)

    def _predictive_draws(self, X, n_samples, seed):
        n, blocks = self._each_probability(X)
        picked = Chains({"at": self._by_chain(np.arange(self._n_draws))}).pick(n_samples, seed)["at"]
        u = uniform(seed, _CLASS_STREAM, n_samples * n).reshape(n_samples, n)
        out = np.empty((n_samples, n), dtype=self.classes_.dtype)
        for rows, p in blocks:
            above = u[:, rows, None] >= np.cumsum(p[picked], axis=-1)[..., :-1]
            out[:, rows] = self.classes_[above.sum(axis=-1)]
        return out

    def _chains(self):
        p = np.concatenate([probabilities(sums) for _, sums in self._blocks(self._watched)], axis=1)
        p = p[..., 1] if len(self.classes_) == 2 else p
        return Chains({"probability": self._by_chain(p)})

    def _validate_state(self):
        super()._validate_state()
        if len(self._trees) != max(len(self.classes_) - 1, 1) or len(self.classes_) < 2:
            raise ModelFormatError(f"{type(self).__name__}: its classes do not fit its trees; the model is damaged")
