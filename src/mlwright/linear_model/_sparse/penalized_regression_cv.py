"""Penalties of one's own composition, their strength chosen by cross-validation."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._certificate import certificate_fields
from mlwright.linear_model._sparse.elastic_net_cv import ElasticNetCV
from mlwright.linear_model._sparse.paths import alpha_grid, checked_alphas, require_l1
from mlwright.linear_model._sparse.penalized_regression import PenalizedRegression, require_gram
from mlwright.linear_model._sparse.quadratic import Quadratics
from mlwright.linear_model._sparse.search import gram_search
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._streamed_choice import FOLD_FIELDS

_SHARED = ("penalty", "sparsity", "gamma", "groups", "weights", "group_weights", "bounds", "fit_intercept")
_DOUBLINGS = 60  # of a strength, until all penalised coefficients are zero


class PenalizedRegressionCV(ElasticNetCV):
    """`PenalizedRegression` with `alpha` and `l1_ratio` chosen by cross-validation, all folds from one pass.

    Parameters
    ----------
    penalty : {"elastic_net", "group_lasso", "sparse_group_lasso", "mcp", "scad"}, default="elastic_net"
        See :class:`PenalizedRegression`, as of all that follow up to `bounds`.
    l1_ratio : float or list of float, default=1.0
        Share of the penalty that is not ridge; the best of a list is chosen.
    sparsity : float, default=0.5
    gamma : float, default=None
    groups : array-like of shape (n_features,), default=None
    weights : float or array-like of shape (n_features,), default=None
    group_weights : float or array-like of shape (n_groups,), default=None
    bounds : pair, default=None
    eps : float, default=1e-3
        The smallest strength over the largest.
    alphas : int or array-like, default=100
        How many strengths, or which. The largest of a grid is the least at which all penalised coefficients are zero.
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Most sweeps over the coefficients for each strength.
    tol : float, default=1e-4
        As of :class:`PenalizedRegression`, for each fit.
    cv : int, cross-validation generator or iterable, default=None
        scikit-learn's; None is five folds.
    n_jobs : int, default=None
        Threads; None is all that the process is given.

    Attributes
    ----------
    alpha_ : float
        The strength chosen: least mean over folds of the (weighted) mean squared errors.
    l1_ratio_ : float
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratios, n_alphas, n_folds)
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    objective_, dual_gap_, kkt_violation_, converged_, n_iter_, n_passes_
        Of the fit on all rows, see :class:`PenalizedRegression`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    PenalizedRegression : with a given strength, and what the penalties are.
    ElasticNetCV : without weights, for any number of columns.

    Notes
    -----
    Each fold goes down the strengths, every fit from the one before: of concave penalties the minimum that is followed
    from where all coefficients are zero. Training sets are sums of the other folds' moments, and errors come from those
    of the fold, so that no row is read twice.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import PenalizedRegressionCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 6))
    >>> y = X @ [3.0, -1.0, 0.0, 0.0, 0.0, 0.0] + rng.standard_normal(200)
    >>> model = PenalizedRegressionCV("group_lasso", groups=[0, 0, 1, 1, 2, 2], alphas=30).fit(X, y)
    >>> model.coef_[:2].round(1), model.converged_
    (array([ 3., -1.]), True)
    """

    _model_state = State(
        **LINEAR_FIELDS,
        **FOLD_FIELDS,
        **certificate_fields("kkt_violation_", objective=Number()),
        dual_gap_=Maybe(Number(0.0)),
        alpha_=Number(0.0),
        alphas_=Tensor("f8", "a", "r a"),
        mse_path_=Tensor("f8", "*", "* *", "* * *", finite=True),
        l1_ratio_=Number(0.0, 1.0),
        n_iter_=Number(0, integer=True),
    )
    _read_later = ("fit_intercept",)
    _parameter_constraints: ClassVar[dict] = {
        **{
            name: rule
            for name, rule in PenalizedRegression._parameter_constraints.items()
            if name not in ("alpha", "warm_start")
        },
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like"],
        "eps": [Interval(Real, 0, None, closed="neither")],
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        penalty="elastic_net",
        *,
        l1_ratio=1.0,
        sparsity=0.5,
        gamma=None,
        groups=None,
        weights=None,
        group_weights=None,
        bounds=None,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        cv=None,
        n_jobs=None,
    ):
        self.penalty = penalty
        self.l1_ratio = l1_ratio
        self.sparsity = sparsity
        self.gamma = gamma
        self.groups = groups
        self.weights = weights
        self.group_weights = group_weights
        self.bounds = bounds
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.n_jobs = n_jobs

    def _search(self, rows):
        require_gram(self, rows)
        return gram_search

    def _model_of(self, alpha, ratio):
        shared = {name: getattr(self, name) for name in _SHARED}
        return PenalizedRegression(
            alpha=float(alpha), l1_ratio=float(ratio), tol=self.tol, max_iter=self.max_iter, **shared
        )

    def _model(self):
        return self._model_of(self.alpha_, self.l1_ratio_)

    def _grids(self, problem):
        ratios = self._ratios()
        if not isinstance(self.alphas, Integral):
            return np.tile(checked_alphas(self.alphas), (len(ratios), 1))
        for ratio in ratios:
            require_l1(ratio)
        largest = [self._largest_alpha(float(ratio)) for ratio in ratios]
        return np.array([alpha_grid(most, self.eps, int(self.alphas)) for most in largest])

    def _largest_alpha(self, ratio):
        """The least strength at which every penalised coefficient is zero."""
        quadratic = Quadratics.of([self._whole], self.fit_intercept)
        p, n = quadratic.n_features, quadratic.weight[0]
        to_user = quadratic.scale[:p] / quadratic.scale[p]
        gram, linear = quadratic.gram[0], quadratic.linear[0, 0]
        terms = self._model_of(1.0, ratio)._terms(p)

        def largest(b):
            return terms.largest_alpha((linear - gram @ b) / quadratic.scale[:p] / quadratic.scale[p] / n)

        most = largest(np.zeros(p))
        if terms.held.all():
            return most
        for _ in range(_DOUBLINGS):  # coefficients without a penalty change what is left for the others
            found = self._model_of(most, ratio)._terms(p)
            coef = found.solve(self._whole, self.fit_intercept, None, self.tol, self.max_iter).coef
            if not coef[terms.held].any():
                return largest(coef / to_user)
            most *= 2.0
        return most

    def _gram_errors(self, train, test, alphas):
        test = Quadratics.of(test, True)
        errors = np.empty((len(alphas), len(train), alphas.shape[1]))
        for f, statistics in enumerate(train):
            p = statistics.n_features
            for r, ratio in enumerate(self._ratios()):
                coef = self._path(statistics, alphas[r], ratio)
                intercept = (
                    statistics.mean[p] - coef @ statistics.mean[:p] if self.fit_intercept else np.zeros(len(coef))
                )
                errors[r, f] = test.squared_errors(f, 0, coef, intercept)
        return errors

    def _path(self, statistics, alphas, ratio):
        """Coefficients (s, p), each found from those before."""
        p, start, out = statistics.n_features, None, []
        for alpha in alphas:
            terms = self._model_of(alpha, ratio)._terms(p)
            start = terms.solve(statistics, self.fit_intercept, start, self.tol, self.max_iter).coef
            out.append(start)
        return np.array(out)
