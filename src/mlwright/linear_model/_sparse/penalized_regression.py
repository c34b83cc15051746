"""Least squares with penalties of one's own composition."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _is_fitted

from mlwright.base import as_fitted, fit_context
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number
from mlwright.linear_model._base import LeastSquaresModel
from mlwright.linear_model._certificate import certificate_fields, keep_certificate
from mlwright.linear_model._sparse.concave_groups import ConcaveGroups
from mlwright.linear_model._sparse.elastic_net import warn_not_converged
from mlwright.linear_model._sparse.penalty_terms import (
    Concave,
    Grouped,
    Separable,
    bounds_of,
    default_gamma,
    groups_of,
    vector_of,
)
from mlwright.linear_model._sparse_interval import sparse_predictive
from mlwright.linear_model._state import LINEAR_FIELDS

_MOST_COLUMNS = 8192  # of a Gram matrix: half a gigabyte
_OF_KIND = {  # the parameters, besides alpha, weights and bounds, that each kind of penalty takes
    "elastic_net": {"l1_ratio"},
    "group_lasso": {"l1_ratio", "groups", "group_weights"},
    "sparse_group_lasso": {"l1_ratio", "groups", "group_weights", "sparsity"},
    "mcp": {"gamma", "groups", "group_weights"},
    "scad": {"gamma", "groups", "group_weights"},
}
_BY_COLUMNS = "columns divided by their weights, which makes the norm that of weight times coefficient"
_UNSET = {"l1_ratio": 1.0, "groups": None, "group_weights": None, "sparsity": 0.5, "gamma": None}


class PenalizedRegression(LeastSquaresModel):
    """Least squares with a penalty composed of a kind, weights, groups and bounds, with a certificate.

    Minimises ``||y - X b||^2 / (2 n_samples) + P(b)``, where P is, by `penalty`,

    * ``"elastic_net"``: ``alpha sum_j w_j (l1_ratio |b_j| + (1 - l1_ratio) b_j^2 / 2)``;
    * ``"group_lasso"``: ``alpha sum_g v_g (l1_ratio ||b_g|| + (1 - l1_ratio) ||b_g||^2 / 2)``;
    * ``"sparse_group_lasso"``: `sparsity` times the first (its L1 part) plus ``1 - sparsity`` times the second;
    * ``"mcp"``: ``alpha w |b| - b^2 / (2 gamma)`` up to ``|b| = gamma alpha w``, constant beyond (minimax concave);
    * ``"scad"``: slope ``alpha w`` up to ``|b| = alpha w``, falling to zero at ``gamma alpha w`` (smoothly clipped).

    With `groups`, MCP and SCAD are penalties of ``||b_g||`` of strength ``alpha v_g``. Under every kind, coefficients
    may be restricted to `bounds`.

    Weights of rows count as repetitions. What a kind does not have is refused, not ignored.

    Parameters
    ----------
    penalty : {"elastic_net", "group_lasso", "sparse_group_lasso", "mcp", "scad"}, default="elastic_net"
    alpha : float, default=1.0
        Strength.
    l1_ratio : float, default=1.0
        Share of the penalty that is not ridge.
    sparsity : float, default=0.5
        Share of the penalty on single coefficients in the sparse group lasso.
    gamma : float, default=None
        Where concave penalties end; None is 3 for MCP and 3.7 for SCAD.
    groups : array-like of shape (n_features,), default=None
        A label for each feature; features of one label are in or out together. None is each feature for itself.
    weights : float or array-like of shape (n_features,), default=None
        Of the features in the penalty; 0 leaves a coefficient free. None is 1. The norm of a group has none: there
        weigh groups, or divide columns by weights (see Notes).
    group_weights : float or array-like of shape (n_groups,), default=None
        Of the groups, in the order of their sorted labels. None is the root of a group's size.
    bounds : pair, default=None
        Lower and upper bound of coefficients, each None, a number or one for each feature, around 0: ``(0, None)``
        keeps them from being negative.
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Most sweeps over the coefficients (for each step of the path, of concave penalties).
    tol : float, default=1e-4
        The duality gap, relative to the (weighted) sum of squares of y about its mean, at which the fit ends; of
        concave penalties, and where a coefficient is free, the largest violation of the optimality conditions.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    objective_ : float
    dual_gap_ : float
        Of convex penalties that every coefficient has a part in: no coefficients have an objective lower than
        ``objective_ - dual_gap_``. Where some have none (a weight of zero), ``kkt_violation_`` decides alone.
    kkt_violation_ : float
        Largest distance of a correlation to where it should be, relative to the norms of columns and y.
    converged_ : bool
    n_iter_ : int
        Sweeps.
    n_passes_ : int
        Passes over the rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    ElasticNet : without weights, for any number of columns.

    Notes
    -----
    The fit is one pass over the rows and descent in the Gram matrix, which is formed of all columns: up to 8192.
    ``partial_fit``, ``merge`` and ``forget`` are exact. Concave penalties have no certificate of a global minimum; a
    stationary point is reached down a path of strengths, from where all coefficients are zero.

    Weights of features within the norm of a group have no one meaning under MCP and SCAD: as strengths (what `weights`
    are without groups) the features of a group would need one each where its norm has one; as factors of coefficients,
    ``sqrt(sum_j (w_j b_j)^2)``, they would move the point where the penalty ends, and a group of one feature would no
    longer be that feature alone. The second is what columns divided by their weights give: coefficients of those,
    divided by the weights again, are the answer.

    References
    ----------
    Yuan and Lin (2006), JRSS B 68. Simon, Friedman, Hastie and Tibshirani (2013), JCGS 22. Zhang (2010), Annals of
    Statistics 38. Fan and Li (2001), JASA 96. Breheny and Huang (2015), Statistics and Computing 25.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import PenalizedRegression
    >>> X = np.random.default_rng(0).standard_normal((100, 6))
    >>> y = X @ [3.0, -1.0, 0.0, 0.0, 0.0, 0.0]
    >>> model = PenalizedRegression("group_lasso", alpha=0.1, groups=[0, 0, 1, 1, 2, 2]).fit(X, y)
    >>> np.flatnonzero(model.coef_)
    array([0, 1])
    >>> PenalizedRegression("mcp", alpha=0.1).fit(X, y).coef_[:2].round(2)
    array([ 3., -1.])
    """

    _multi_output = False
    _model_state = State(
        **LINEAR_FIELDS,
        **certificate_fields("kkt_violation_", objective=Number()),
        dual_gap_=Maybe(Number(0.0)),
        n_iter_=Number(0, integer=True),
    )
    _read_later = ("fit_intercept", "alpha", "l1_ratio")
    _parameter_constraints: ClassVar[dict] = {
        "penalty": [StrOptions(set(_OF_KIND))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "sparsity": [Interval(Real, 0, 1, closed="both")],
        "gamma": [Interval(Real, 0, None, closed="neither"), None],
        "groups": ["array-like", None],
        "weights": ["array-like", Interval(Real, 0, None, closed="left"), None],
        "group_weights": ["array-like", Interval(Real, 0, None, closed="left"), None],
        "bounds": [tuple, list, None],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        penalty="elastic_net",
        alpha=1.0,
        *,
        l1_ratio=1.0,
        sparsity=0.5,
        gamma=None,
        groups=None,
        weights=None,
        group_weights=None,
        bounds=None,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
    ):
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.sparsity = sparsity
        self.gamma = gamma
        self.groups = groups
        self.weights = weights
        self.group_weights = group_weights
        self.bounds = bounds
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        start = self.coef_ if self.warm_start and _is_fitted(self) else None
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        return self._fit_statistics(self._sums(rows), start)

    def _sums(self, rows):
        require_gram(self, rows)
        return super()._sums(rows)

    def _fit_statistics(self, statistics, start=None):
        p = statistics.n_features
        terms = self._terms(p)
        start = np.asarray(start, dtype=np.float64) if start is not None and np.shape(start) == (p,) else None
        if start is not None and terms.low is not None:  # the fit before may have had other bounds
            start = np.clip(start, terms.low, terms.high)
        found = terms.solve(statistics, self.fit_intercept, start, self.tol, self.max_iter)
        self._keep_statistics(statistics)
        self._set_linear(found.coef[None], statistics.mean[:p], statistics.mean[p:])
        keep_certificate(
            self,
            objective=float(found.objective),
            dual_gap=found.gap,
            kkt_violation=found.violation,
            converged=found.converged,
            n_passes=1,
        )
        self.n_iter_ = found.n_iter
        if not self.converged_:
            warn_not_converged(self, found.gap, found.violation)
        return self

    def _terms(self, p):
        """The penalty of p features; ValueError for what its kind does not have."""
        takes = _OF_KIND[self.penalty]
        for name, unset in _UNSET.items():
            given = getattr(self, name)
            if name not in takes and not (given is unset or (isinstance(given, Real) and given == unset)):
                kinds = " or ".join(repr(kind) for kind, names in _OF_KIND.items() if name in names)
                raise ValueError(
                    f"{name}: penalty={self.penalty!r} has none, got {given!r}; expected it left out, or "
                    f"penalty={kinds}."
                )
        weights, bounds = vector_of("weights", self.weights, p, np.ones(p)), bounds_of(self.bounds, p)
        if self.penalty == "elastic_net":
            return Separable(float(self.alpha), float(self.l1_ratio), weights, *bounds)
        concave = self.penalty in ("mcp", "scad")
        if concave and self.groups is None:
            self._refuse("group_weights", "there are no groups", "groups, or weights of features")
            gamma = default_gamma(self.penalty, self.gamma)
            return Concave(self.penalty, float(self.alpha), gamma, weights, *bounds)
        groups = groups_of(self.groups, p)
        sizes = np.diff(groups[0])
        group_weights = vector_of("group_weights", self.group_weights, len(sizes), np.sqrt(sizes))
        if concave:
            self._refuse(
                "weights",
                "a concave penalty of a group's norm has one strength, of which features have no shares",
                f"group_weights, or {_BY_COLUMNS}",
            )
            gamma = default_gamma(self.penalty, self.gamma)
            return ConcaveGroups(self.penalty, float(self.alpha), gamma, groups, group_weights, *bounds)
        share = float(self.sparsity) if self.penalty == "sparse_group_lasso" else 0.0
        if share == 0.0 and self.weights is not None:
            raise ValueError(
                "weights: penalty='group_lasso' weighs groups, not features; expected group_weights, "
                f"penalty='sparse_group_lasso', or {_BY_COLUMNS}."
            )
        return Grouped(float(self.alpha), float(self.l1_ratio), share, weights, groups, group_weights, *bounds)

    def _refuse(self, name, why, expected):
        given = getattr(self, name)
        if given is not None:
            raise ValueError(f"{name}: {why} (penalty={self.penalty!r}), got {given!r}; expected {expected}.")

    def _predictive(self, X):
        ridge = as_fitted(self, "alpha") * (1.0 - as_fitted(self, "l1_ratio"))
        return sparse_predictive(self, X, ridge)


def require_gram(model, rows):
    """ValueError for more columns than a Gram matrix of all may have."""
    if rows.X.shape[1] > _MOST_COLUMNS:
        raise ValueError(
            f"{type(model).__name__}: got {rows.X.shape[1]} features, expected up to {_MOST_COLUMNS}: their Gram "
            "matrix is formed; use ElasticNet, which works on sets of them, or leave some out."
        )
