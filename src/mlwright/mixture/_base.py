"""What both mixtures share: the start and the iteration; ``_answers.py`` has what is asked of a fitted mixture."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from mlwright._runtime.errors import ModelFormatError, NumericalError
from mlwright._runtime.progress import Reporter
from mlwright.base import fit_context
from mlwright.io.composite import ListOf, Maybe
from mlwright.io.schema import Choice, Number, Size, Strings, Tensor
from mlwright.mixture._answers import MixtureAnswers
from mlwright.mixture._covariances import TYPES, log_determinants, shape_of
from mlwright.mixture._moments import Moments
from mlwright.mixture._rows import FLOATS, rows_of

_LARGEST = 1e150
_LEAST_TOTAL = 1e-6  # of weights


@dataclass(frozen=True)
class Run:
    """One run of the iteration from one start.

    Attributes
    ----------
    parameters : object
        The estimator's own.
    moments : Moments
        That they were estimated from.
    bounds : list of float
        The lower bound after each iteration.
    converged : bool
    """

    parameters: Any
    moments: Moments
    bounds: list
    converged: bool

    @property
    def bound(self):
        return self.bounds[-1] if self.bounds else -np.inf


class BaseMixture(MixtureAnswers, BaseEstimator):
    """A subclass gives what depends on its model:

    ``_prior(rows)`` checks parameters against the rows; ``_start(moments, prior, total)`` and
    ``_maximised(moments, prior)`` return its parameters, ``_gaussians_of(parameters)`` the components that a pass over
    rows needs, ``_bound(moments, parameters, total)`` what the iteration raises; ``_set(parameters, prior, dtype)`` and
    ``_parameters()`` move parameters to fitted attributes, of rows of that dtype, and back.
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [StrOptions(set(TYPES))],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions({"kmeans", "random", "random_from_data", "k-means++"})],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
    }
    _shared_state: ClassVar[dict] = {
        "n_features_in_": Size("d"),
        "feature_names_in_": Maybe(Strings("d")),
        "weights_": Tensor("f8", "k"),
        "means_": Tensor("f8", "k d"),
        "covariances_": Tensor("f8", "k d d", "d d", "k d", "k"),
        "precisions_cholesky_": Tensor("f8", "k d d", "d d", "k d", "k"),
        "n_iter_": Number(0, integer=True),
        "converged_": Choice(True, False),
        "lower_bound_": Number(finite=False),
        "lower_bounds_": ListOf(Number()),
        "n_samples_seen_": Number(0.0),
        "_mass": Tensor("f8", "k"),
        "_sums": Tensor("f8", "k d"),
        "_squares": Tensor("f8", "k d d", "d d", "k d"),
        "_centres": Tensor("f8", "k d"),
        "_type": Choice(*TYPES),
    }

    def fit(self, X, y=None, sample_weight=None):
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN stands for what is missing: it is integrated out, on the assumption that values are missing at random.
        y : Ignored
        sample_weight : array-like of shape (n_samples,), default=None
            A weight counts as repetitions in the iteration; the start of ``init_params="kmeans"`` is weighted too.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there are fewer rows than components or a component collapses.

        Warns
        -----
        ConvergenceWarning
            If the bound still rose by `tol` or more at the end.
        """
        self._fit(X, sample_weight)
        return self

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit the mixture and tell the most probable component of each row; see ``fit``.

        Returns
        -------
        labels : int ndarray of shape (n_samples,)
        """
        rows = self._fit(X, sample_weight)
        return rows.answers(self._gaussians())[1].argmax(axis=1)

    @fit_context
    def _fit(self, X, sample_weight, stacklevel=4):
        rows = self._rows(X, sample_weight)
        prior = self._prior(rows)
        best = max(self._runs(rows, prior), key=lambda run: run.bound)
        if not best.converged and self.max_iter > 0:
            warnings.warn(
                f"{type(self).__name__}: the bound still rose by tol={self.tol:g} or more after {self.max_iter} "
                "iterations; raise max_iter or tol, try other init_params, or check for degenerate data.",
                ConvergenceWarning,
                stacklevel=stacklevel,
            )
        self._keep(best, prior, rows.dtype)
        self.n_samples_seen_ = rows.total
        self.n_iter_, self.converged_ = len(best.bounds), best.converged
        self.lower_bound_, self.lower_bounds_ = best.bound, best.bounds
        return rows

    @fit_context
    def partial_fit(self, X, y=None, sample_weight=None):
        """Learn from more rows, looking at each once.

        The rows are divided among the components as the mixture stands, their moments are added to those of all rows
        before, and the parameters estimated anew: incremental expectation-maximization (Neal and Hinton 1998, A view of
        the EM algorithm that justifies incremental, sparse, and other variants). A prior that `fit` took from data
        stays. The first call is ``fit``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        if not hasattr(self, "converged_"):
            self._fit(X, sample_weight, stacklevel=5)
            return self
        rows = self._rows(X, sample_weight, reset=False)
        self._require_last_shape("partial_fit", self.n_features_in_, "call fit")
        gaussians, prior = self._gaussians(), self._kept_prior()
        moments = self._moments().about(gaussians.means, self._type)
        moments = moments.plus(self._expected(rows, gaussians))
        run = Run(self._maximised(moments, prior), moments, [], False)
        self._keep(run, prior, self.means_.dtype)
        self.n_samples_seen_ += rows.total
        return self

    def _rows(self, X, sample_weight, *, reset=True):
        least = {"ensure_min_samples": 2} if reset else {}
        X = validate_data(self, X, reset=reset, dtype=FLOATS, order="C", ensure_all_finite="allow-nan", **least)
        dtype, X = X.dtype, X.astype(np.float64, copy=False)
        if np.nanmax(np.abs(X), initial=0.0) > _LARGEST:
            raise NumericalError(
                f"{type(self).__name__}: X has entries beyond {_LARGEST:g}, whose squares overflow; expected smaller "
                "ones; scale the columns."
            )
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            X, sample_weight = X[sample_weight > 0.0], sample_weight[sample_weight > 0.0]
            self._check_total(sample_weight, reset)
        if reset and len(X) < self.n_components:
            raise ValueError(
                f"Expected n_samples >= n_components but got n_components = {self.n_components}, n_samples = {len(X)}"
                " (rows of positive weight)"
            )
        if reset and (unknown := np.flatnonzero(np.isnan(X).all(axis=0))).size:
            raise ValueError(
                f"{type(self).__name__}: column {unknown[0]} of X has no value that is not NaN; expected at least one; "
                "leave the column out."
            )
        return rows_of(X, sample_weight, dtype)

    def _check_total(self, sample_weight, reset):
        with np.errstate(over="ignore"):
            total = sample_weight.sum()
        if not (_LEAST_TOTAL if reset else 0.0) <= total < np.inf:
            raise ValueError(
                f"sample_weight: got a sum of {total:g}, expected a number from {_LEAST_TOTAL:g} on, beside which what "
                "keeps empty components from dividing by zero is nothing; multiply the weights by a constant."
            )

    def _runs(self, rows, prior):
        if self.warm_start and hasattr(self, "converged_"):
            self._require_last_shape("warm_start=True", rows.X.shape[1], "set warm_start=False")
            yield self._run(rows, prior, self._parameters(), self._moments(), self.lower_bound_)
            return
        random_state = check_random_state(self.random_state)
        for _ in range(self.n_init):
            moments = rows.moments_of(self._first_responsibility(rows, random_state), self.covariance_type)
            yield self._run(rows, prior, self._start(moments, prior, rows.total), moments, -np.inf)

    def _require_last_shape(self, what, n_features, remedy):
        """ValueError where parameters ask for another mixture than the one that is to go on."""
        if (*self.means_.shape, self._type) != (self.n_components, n_features, self.covariance_type):
            raise ValueError(
                f"{type(self).__name__}: {what}, but the last fit had other components, features or another "
                f"covariance_type; expected the same; {remedy}."
            )

    def _run(self, rows, prior, parameters, moments, bound):
        progress = Reporter("mixture", self.max_iter, verbose=self.verbose)
        bounds, converged = [], False
        while len(bounds) < self.max_iter and not converged:
            moments = self._expected(rows, self._gaussians_of(parameters))
            parameters = self._maximised(moments, prior)
            previous, bound = bound, self._bound(moments, parameters, rows.total)
            bounds.append(bound)
            converged = abs(bound - previous) < self.tol
            if converged or len(bounds) % self.verbose_interval == 0:
                progress.report(len(bounds), lower_bound=bound)
        return Run(parameters, moments, bounds, converged)

    def _expected(self, rows, gaussians):
        moments = rows.expect(gaussians)
        if not np.isfinite(moments.log_likelihood):
            raise NumericalError(
                f"{type(self).__name__}: the log-likelihood is {moments.log_likelihood}; expected a finite number; "
                "scale the columns of X to a like size, or leave out rows that lie absurdly far away."
            )
        return moments

    def _first_responsibility(self, rows, random_state):
        """Shape (n, k); scikit-learn's, from the same random numbers."""
        X, k = rows.filled, self.n_components
        if self.init_params == "random":
            responsibility = random_state.uniform(size=(len(X), k))
            return responsibility / responsibility.sum(axis=1, keepdims=True)
        responsibility = np.zeros((len(X), k))
        if self.init_params == "kmeans":
            start = KMeans(n_clusters=k, n_init=1, random_state=random_state).fit(X, sample_weight=rows.w)
            responsibility[np.arange(len(X)), start.labels_] = 1.0
        elif self.init_params == "random_from_data":
            responsibility[random_state.choice(len(X), size=k, replace=False), np.arange(k)] = 1.0
        else:
            chosen = kmeans_plusplus(X, k, sample_weight=rows.w, random_state=random_state)[1]
            responsibility[chosen, np.arange(k)] = 1.0
        return responsibility

    def _keep(self, run, prior, dtype):
        self._set(run.parameters, prior, dtype)
        moments = run.moments
        self._mass, self._sums, self._squares = moments.mass, moments.sums, np.ascontiguousarray(moments.squares)
        self._centres, self._type = np.ascontiguousarray(moments.centres), self.covariance_type

    def _moments(self):
        return Moments(self._centres, self._mass, self._sums, self._squares)

    def _gaussians(self):
        return self._gaussians_of(self._parameters())

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        k, d = self.means_.shape
        shape = shape_of(self._type, k, d)
        squares = (k, d) if self._type == "spherical" else shape
        with np.errstate(invalid="ignore", divide="ignore"):
            fits = (
                self.covariances_.shape == self.precisions_cholesky_.shape == shape
                and self._squares.shape == squares
                and np.isfinite(log_determinants(self.precisions_cholesky_, self._type, d)).all()
                and (self.weights_ >= 0.0).all()
                and abs(self.weights_.sum() - 1.0) < 1e-6
            )
        if not fits:
            raise ModelFormatError(
                f"{type(self).__name__}: the weights, or the shapes or signs of the covariances, do not fit "
                f"covariance_type={self._type!r}; the file is damaged."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
