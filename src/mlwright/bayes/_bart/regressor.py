"""Regression by Bayesian additive regression trees."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted

from mlwright._kernels import bart
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.rng import seed_from
from mlwright._validation import rows_that_weigh
from mlwright.base import fit_context
from mlwright.bayes._bart.base import BASE_STATE, BaseBART
from mlwright.bayes._bart.draws import TREES, split_counts
from mlwright.bayes._bart.normal_answers import NormalAnswers
from mlwright.bayes._bart.target import UNIT, Target, integer_weights, noise_guess, noise_options
from mlwright.io.composite import Optional, State
from mlwright.io.schema import Tensor

_LEAF_FREEDOM = 3.0  # of the prior of the leaves' variance


class BARTRegressor(RegressorMixin, NormalAnswers, BaseBART):
    """Bayesian additive regression trees: a sum of small trees with the posterior of everything.

    ``y = f(x) + noise``, f the sum of `n_trees` trees whose prior keeps each of them shallow and its leaves near zero,
    and ``noise ~ N(0, sigma2 / w)``. Chains propose to grow, prune or change every tree in every sweep, accepted by
    exact Metropolis-Hastings ratios with leaf means integrated out; sigma follows. With `n_variance_trees` the noise
    differs from row to row: sigma2 is then a product of trees itself (heteroscedastic BART [5]_). Missing values have a
    direction of their own in every rule, categories are split by sets, and only the order of a numeric column's values
    matters.

    Parameters
    ----------
    n_trees : int, default=200
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
        Sweeps before the burn-in that grow each tree anew from its root, cut by cut, by how well cuts explain the rows:
        a good place to start from for many rows, of which the draws that follow are as exact as from any other.
    k : float, default=2.0
        The prior of f at any x has this many standard deviations between the middle of y and its ends.
    draw_leaf_scale : bool, default=False
        Whether the variance of leaves is drawn along, from a scaled inverse chi-squared law with 3 degrees of freedom
        about the one that `k` means.
    alpha, beta : float, default=0.95, 2.0
        A node of depth d is split with prior probability ``alpha * (1 + d) ** -beta``.
    nu, q : float, default=3.0, 0.9
        Prior of the noise: ``sigma2 ~ nu * lambda / chi2(nu)``, lambda such that sigma is below what least squares
        leaves with probability q.
    n_variance_trees : int, default=0
        Trees whose product is the variance of the noise at x, as exact as those of f; 40 are usually enough. 0: the
        noise is the same everywhere. Their prior is that of `nu` and `q`: at any x the logarithm of the variance has
        the mean and the standard deviation that it has under that of a common sigma2.
    max_depth : int, default=None
    min_samples_leaf : float, default=5
        Trees with a leaf of less weight have no prior probability.
    sparse : bool, default=False
        Whether few features are thought to matter: how likely each is to be split by is drawn along, from a Dirichlet
        prior that is sparse; for trees of the variance, from another one.
    max_bins : int, default=255
        A numeric column is cut between its distinct values, or at so many quantiles if it has more.
    compute_loo : bool, default=False
        Whether to keep scores by leaving one row out.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        As of :class:`mlwright.ensemble.HistGradientBoostingRegressor`. Of more than 254 levels the rarest share a code.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads and instruction set.
    n_jobs : int, default=None
        Threads; None is all of them.
    verbose : int, default=0

    Attributes
    ----------
    sigma_ : ndarray of shape (n_chains, n_draws)
        Standard deviation of the noise; with `n_variance_trees` the root of its mean variance over the rows of the fit
        (see :meth:`predict_sigma_draws` for the noise at each row).
    variable_inclusion_, inclusion_probability_ : ndarray of shape (n_features,)
        Splits by each feature on average over draws, and share of draws with any: of the trees of f.
    variance_inclusion_ : ndarray of shape (n_features,)
        Splits by each feature in the trees of the variance, on average over draws; zeros without any.
    diagnostics_ : dict of str to dict
        R-hat, effective sample sizes and Monte Carlo errors of ``sigma`` and of ``f`` at up to 100 rows of the fit;
        with `n_variance_trees` of ``sigma`` at those rows, too.
    score_loo_, loo_log_density_, loo_k_hat_ : float, ndarray, ndarray
        With `compute_loo`: log densities of rows left out, by Pareto-smoothed importance sampling.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    is_categorical_ : ndarray of shape (n_features_in_,), or None

    See Also
    --------
    BARTClassifier : The same for classes.

    References
    ----------
    .. [1] H. Chipman, E. George, R. McCulloch, "BART: Bayesian additive regression trees", Annals of Applied
       Statistics 4 (2010).
    .. [2] A. Linero, "Bayesian regression trees for high-dimensional prediction and variable selection", JASA 113
       (2018).
    .. [3] J. He, P. R. Hahn, "Stochastic tree ensembles for regularized nonlinear regression", JASA 118 (2023):
       growing from the root.
    .. [4] A. Kapelner, J. Bleich, "Prediction with missing data via Bayesian additive regression trees", Canadian
       Journal of Statistics 43 (2015).
    .. [5] M. Pratola, H. Chipman, E. George, R. McCulloch, "Heteroscedastic BART via multiplicative regression trees",
       Journal of Computational and Graphical Statistics 29 (2020).

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import BARTRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(300, 3))
    >>> y = np.sin(6 * X[:, 0]) + 0.2 * rng.normal(size=300)
    >>> model = BARTRegressor(n_trees=50, draws=500, chains=2, random_state=0).fit(X, y)
    >>> bool(abs(model.sigma_.mean() - 0.2) < 0.03)
    True
    >>> int(model.variable_inclusion_.argmax())
    0
    >>> model.predict_interval(X[:2], coverage=0.8).shape
    (2, 2)
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseBART._parameter_constraints,
        "nu": [Interval(Real, 0, None, closed="neither")],
        "draw_leaf_scale": ["boolean"],
        "q": [Interval(Real, 0, 1, closed="neither")],
        "n_variance_trees": [Interval(Integral, 0, 1 << 16, closed="both")],
    }
    _model_state = State(**BASE_STATE, sigma_=Tensor("f8", "c d"), _variance_trees=Optional(TREES))

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
        draw_leaf_scale=False,
        alpha=0.95,
        beta=2.0,
        nu=3.0,
        q=0.9,
        n_variance_trees=0,
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
        self.draw_leaf_scale = draw_leaf_scale
        self.alpha = alpha
        self.beta = beta
        self.nu = nu
        self.q = q
        self.n_variance_trees = n_variance_trees
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
        """Draw from the posterior of trees and noise.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            NaN is a missing value.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            A row of whole weight w is w rows.

        Returns
        -------
        self : BARTRegressor

        Warns
        -----
        UserWarning
            If all y are equal, which says nothing of the noise: predictions are that number, intervals have no width.
        ConvergenceWarning
            If chains do not agree.
        """
        if self.n_variance_trees and not self.draws:
            raise ValueError(
                f"n_variance_trees: got {self.n_variance_trees} with draws=0, which keeps sweeps grown from the root: "
                "these have the same noise everywhere; set draws, or n_variance_trees=0"
            )
        X = self._read(X)
        y = _check_y(y, y_numeric=True, estimator=self).astype(np.float64)
        check_consistent_length(X, y)
        every = X, y
        X, y, weight = rows_that_weigh(X, y, sample_weight, any_size=True)
        seed = seed_from(self.random_state)
        target = Target.of(y)
        codes = self._learn_codes(X, weight, seed)
        integers, weight_unit = integer_weights(weight)
        trees, variance_trees, sigma2 = self._draw(
            codes,
            target.units,
            integers,
            weight_unit,
            seed,
            tau2=(0.5 / self.k) ** 2 / self.n_trees,
            leaf_freedom=_LEAF_FREEDOM if self.draw_leaf_scale else 0.0,
            unit=UNIT,
            **noise_options(self, noise_guess(codes, self._codes["columns"], target.units, weight)),
        )
        self.sigma_ = np.sqrt(sigma2) * target.scale
        self._variance_trees = variance_trees if self.n_variance_trees else None
        self._keep(codes, [trees], [target.offset], target.scale * UNIT)
        X, y = every
        self._keep_loo(X, sample_weight, lambda rows, codes, sums: self._log_likelihood(codes, y[rows], *sums))
        if target.is_constant:
            warnings.warn(
                f"BARTRegressor: y is constant ({target.offset:g} in every row), which says nothing of the noise: "
                "intervals have no width",
                UserWarning,
                stacklevel=3,
            )
        self._warn()
        return self

    @property
    def variance_inclusion_(self):
        """Splits by each feature in the trees of the variance, on average over draws."""
        check_is_fitted(self)
        if self._variance_trees is None:
            return np.zeros(self.n_features_in_)
        n_trees = len(self._variance_trees["ends"]) // self._n_draws
        return split_counts(self._variance_trees, n_trees, self.n_features_in_).mean(axis=0)

    def _validate_state(self):
        super()._validate_state()
        shape = (self._n_chains, self._n_draws // self._n_chains)
        if self.sigma_.shape != shape or len(self._trees) != 1 or not (self.sigma_ > 0).all():
            raise ModelFormatError(f"{type(self).__name__}: its noise does not fit its trees; the model is damaged")
        if self._variance_trees is not None:
            n_trees, rest = divmod(len(self._variance_trees["ends"]), self._n_draws)
            if n_trees < 1 or rest:
                raise ModelFormatError(
                    f"{type(self).__name__}: the trees of its variance are no whole draws; the model is damaged"
                )
            bart.check_trees(self._variance_trees, self._codes["columns"], n_trees)
