"""The whole distribution of the target by boosted trees: normal or lognormal, by natural gradients."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_y

from mlwright._kernels import simd
from mlwright._kernels import tree as kernels
from mlwright._runtime.errors import ModelFormatError
from mlwright.base import check_coverage
from mlwright.ensemble._boosting.base import BASE_STATE, BaseHistGradientBoosting
from mlwright.ensemble._boosting.distributions import LAWS
from mlwright.ensemble._boosting.parameters import WITHOUT_DIRECTIONS, set_parameters
from mlwright.ensemble._boosting.rows import weights_for_fit
from mlwright.io.composite import State
from mlwright.io.schema import Choice, Number

_LEAST_LOG_SCALE = -14.0  # of loss/normal.hpp, in units of the targets' standard deviation


class HistGradientBoostingDistributionRegressor(RegressorMixin, BaseHistGradientBoosting):
    """A normal or lognormal distribution of the target for every row, from boosted trees.

    Two trees an iteration, for the mean and for the logarithm of the standard deviation, minimise the negative log
    likelihood by natural gradient steps [1]_, shortened where targets lie far out. Targets (their
    logarithms, for the lognormal) are standardised inside. Same bits for any number of threads; integer weights are
    repetitions.

    Parameters
    ----------
    distribution : {'normal', 'lognormal'}, default='normal'
        'lognormal' is for positive targets: their logarithm is normal.
    learning_rate, max_iter, max_leaf_nodes, max_depth, min_samples_leaf, l2_regularization, max_features, max_bins, \
categorical_features, interaction_cst, warm_start, early_stopping, scoring, validation_fraction, n_iter_no_change, \
tol, verbose, random_state, max_leaves, min_child_weight, l1_regularization, colsample_bytree, extra_trees, subsample, \
subsample_freq, sampling, top_rate, other_rate
        As of :class:`HistGradientBoostingRegressor`. Spread is overfitted sooner than location is: stop early.

    Attributes
    ----------
    n_iter_, do_early_stopping_, train_score_, validation_score_, is_categorical_, n_features_in_, feature_names_in_
        As of :class:`HistGradientBoostingRegressor`; scores are mean log likelihoods of the standardised targets.

    References
    ----------
    .. [1] T. Duan et al., "NGBoost: natural gradient boosting for probabilistic prediction", ICML 2020.
    .. [2] T. Gneiting and A. Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingDistributionRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(4000, 1))
    >>> y = X[:, 0] + (0.1 + X[:, 0]) * rng.normal(size=4000)
    >>> model = HistGradientBoostingDistributionRegressor(max_iter=50).fit(X, y)
    >>> mean, deviation = model.predict([[0.1], [0.9]], return_std=True)
    >>> bool(deviation[0] < 0.4 < 0.8 < deviation[1])
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **WITHOUT_DIRECTIONS,
        "distribution": [StrOptions(set(LAWS))],
    }
    _model_state = State(_law=Choice(*LAWS), _centre=Number(), _scale=Number(np.finfo(np.float64).tiny), **BASE_STATE)
    _is_classifier = False
    _refits_leaves = False
    loss = "normal"  # what the engine minimises; no parameter
    monotonic_cst = None

    def __init__(
        self,
        distribution="normal",
        *,
        learning_rate=0.1,
        max_iter=100,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        l2_regularization=0.0,
        max_features=1.0,
        max_bins=255,
        categorical_features="from_dtype",
        interaction_cst=None,
        warm_start=False,
        early_stopping="auto",
        scoring="loss",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-7,
        verbose=0,
        random_state=None,
        max_leaves=None,
        min_child_weight=1e-3,
        l1_regularization=0.0,
        colsample_bytree=1.0,
        extra_trees=False,
        subsample=1.0,
        subsample_freq=1,
        sampling="uniform",
        top_rate=0.2,
        other_rate=0.1,
    ):
        set_parameters(self, locals())

    def predict(self, X, return_std=False):
        """Means, and standard deviations if asked for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        return_std : bool, default=False

        Returns
        -------
        mean : ndarray of shape (n_samples,)
        std : ndarray of shape (n_samples,)
            Only if `return_std`.
        """
        law, m, s = self._parameters_at(X)
        return (law.mean(m, s), law.std(m, s)) if return_std else law.mean(m, s)

    def predict_distribution(self, X):
        """Parameters of the normal law of the target, or of its logarithm for 'lognormal'.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        location, scale : ndarray of shape (n_samples,)
            ``scipy.stats.norm(location, scale)``, or ``scipy.stats.lognorm(scale, scale=numpy.exp(location))``.
        """
        return self._parameters_at(X)[1:]

    def predict_quantiles(self, X, quantiles):
        """Quantiles of the targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        quantiles : array-like of shape (n_quantiles,)
            Levels between 0 and 1, exclusive.

        Returns
        -------
        q : ndarray of shape (n_samples, n_quantiles)
        """
        levels = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
        if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
            raise ValueError(
                f"quantiles: got {quantiles!r}, expected levels between 0 and 1, exclusive; e.g. [0.1, 0.9]"
            )
        law, m, s = self._parameters_at(X)
        return law.quantile(levels[None, :], m[:, None], s[:, None])

    def predict_interval(self, X, coverage=0.9):
        """Central intervals of the distributions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1, exclusive. It holds as far as the law does.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
        """
        coverage = check_coverage(coverage)
        return self.predict_quantiles(X, [(1 - coverage) / 2, (1 + coverage) / 2])

    def cdf(self, X, y):
        """Probability that the target is at most y, row by row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        p : ndarray of shape (n_samples,)
        """
        law, m, s = self._parameters_at(X)
        return law.cdf(_like(y, m), m, s)

    def crps(self, X, y, sample_weight=None):
        """Mean continuous ranked probability score, in units of y: smaller is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        crps : float
        """
        return self._mean_over_rows("crps", X, y, sample_weight)

    def log_likelihood(self, X, y, sample_weight=None):
        """Mean log density of the targets: larger is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        log_likelihood : float
        """
        return self._mean_over_rows("log_density", X, y, sample_weight)

    def _mean_over_rows(self, function, X, y, sample_weight):
        law, m, s = self._parameters_at(X)
        y = _like(_check_y(y, estimator=self), m)
        return float(np.average(getattr(law, function)(y, m, s), weights=weights_for_fit(sample_weight, m)))

    def _parameters_at(self, X):
        mean, log_scale = self._raw_predict(X)
        deviation = simd.exp(np.maximum(log_scale, _LEAST_LOG_SCALE)) * self._scale
        return LAWS[self._law], self._centre + self._scale * mean, deviation

    def _encode_targets(self, y):
        self.n_trees_per_iteration_ = 2
        return LAWS[self.distribution].to_normal(y.astype(np.float64, copy=False))

    def _training_rows(self, X, y, sample_weight):
        rows = super()._training_rows(X, y, sample_weight)
        if not (self.warm_start and hasattr(self, "_trees")):
            self._law = self.distribution
            self._centre, scale = _mean_and_deviation(rows.y, rows.weight)
            self._scale = scale if np.finfo(np.float64).tiny <= scale < np.inf else 1.0
        elif self._law != self.distribution:
            raise ValueError(
                f"distribution: got {self.distribution!r}, expected {self._law!r} as before: warm_start goes on with "
                "one model; fit a new one"
            )
        return replace(rows, y=(rows.y - self._centre) / self._scale)

    def _encode_again(self, y, subject):
        return (LAWS[self._law].to_normal(y.astype(np.float64, copy=False)) - self._centre) / self._scale

    def _decode_targets(self, y):
        return LAWS[self._law].from_normal(self._centre + self._scale * y)

    def _final_weight(self, sample_weight, y):
        return sample_weight

    def _loss_spec(self, rows, continuing):
        return kernels.LossSpec("normal", 2)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.distribution == "lognormal"
        return tags

    def _validate_state(self):
        super()._validate_state()
        if self.n_trees_per_iteration_ != 2:
            raise ModelFormatError(
                f"{type(self).__name__}: got {self.n_trees_per_iteration_} trees an iteration, expected 2; the model "
                "is damaged"
            )


def _mean_and_deviation(y, weight):
    """Weighted, in units of a power of two: no square leaves the range of floats, and no bit is another elsewhere."""
    exponent = int(np.frexp(np.abs(y).max())[1])
    y = np.ldexp(y, -exponent)
    mean = np.average(y, weights=weight)
    deviation = np.sqrt(np.average((y - mean) ** 2, weights=weight))
    return float(np.ldexp(mean, exponent)), float(np.ldexp(deviation, exponent))


def _like(y, m):
    y = np.asarray(y, dtype=np.float64)
    if y.shape != m.shape:
        raise ValueError(f"y: got shape {y.shape}, expected {m.shape}, a target for each row of X")
    return y
