"""What the k-means estimators share: parameters, first centres, prediction."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _is_arraylike_not_scalar, check_is_fitted, validate_data

from mlwright._kernels.cluster import assign, distances, plus_plus, random_rows
from mlwright._kernels.column_moments import ColumnMoments
from mlwright._kernels.sgd import as_rows, row_keys
from mlwright._kernels.units import unit_for
from mlwright._runtime.errors import ModelFormatError, NumericalError
from mlwright._runtime.rng import seed_from
from mlwright._validation import checked_weights

_FLOATS = [np.float64, np.float32]


@dataclass(frozen=True)
class Frame:
    """How single precision looks at points: ``(x - shift) * unit``, near one."""

    shift: np.ndarray
    unit: float

    @classmethod
    def of(cls, shift, variance):
        """`variance` of a coordinate, on average."""
        return cls(shift, unit_for(np.sqrt(variance)))

    @classmethod
    def of_centers(cls, centers):
        return cls(centers.mean(axis=0), unit_for(np.ptp(centers)))


@dataclass
class Problem:
    """Rows to cluster, as the kernels read them.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n, p)
    rows : what the kernels read
    w : float64 array of shape (n,), or None
    frame : Frame
    variance : float
        Mean over the columns.
    """

    X: object
    rows: object
    w: np.ndarray | None
    frame: Frame
    variance: float
    _keys: np.ndarray | None = None

    @property
    def keys(self):
        """A number for each row that depends on its content alone."""
        if self._keys is None:
            self._keys = row_keys(self.rows, np.zeros(self.X.shape[0]))
        return self._keys

    def part(self, numbers):
        """The problem of some rows, without weights."""
        return Problem(self.X[numbers], as_rows(self.X[numbers]), None, self.frame, self.variance)

    def take(self, numbers):
        """Rows as a dense float64 array."""
        rows = self.X[numbers]
        return np.asarray(rows.toarray() if sparse.issparse(rows) else rows, dtype=np.float64)


class KMeansBase(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Base of the k-means estimators."""

    _parameter_constraints: ClassVar[dict] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"}), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }
    _runs_by_default = 10  # of n_init="auto" for random and callable starts

    def _problem(self, X, sample_weight, *, reset=True, fewest=None):
        X = self._checked(X, reset=reset)
        fewest = self.n_clusters if fewest is None else fewest
        if X.shape[0] < fewest:
            raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={self.n_clusters}.")
        w = self._weights(sample_weight, X)
        rows = as_rows(X)
        moments = ColumnMoments.of_rows(X, w)
        if not (np.isfinite(moments.scatter).all() and np.isfinite(moments.mean).all()):
            raise NumericalError(
                f"{type(self).__name__}: finite data whose sums of squares overflow float64; expected magnitudes below "
                "1e150; divide X by a constant."
            )
        variance = float(np.mean(moments.scatter / moments.weight))
        shift = np.zeros(X.shape[1]) if sparse.issparse(X) else moments.mean
        return Problem(X, rows, w, Frame.of(shift, variance), variance)

    def _checked(self, X, *, reset):
        return validate_data(self, X, reset=reset, accept_sparse="csr", dtype=_FLOATS, order="C")

    @staticmethod
    def _weights(sample_weight, X):
        w = checked_weights(sample_weight, X)
        if w is not None and not w.any():
            raise ValueError("sample_weight: got zeros only, expected a positive weight.")
        return w

    def _given_centers(self, X):
        """The centres that `init` is, checked; None where it names or computes them."""
        if not _is_arraylike_not_scalar(self.init):
            return None
        centers = check_array(self.init, dtype=_FLOATS, copy=True, order="C")
        return self._as_start(centers, X)

    def _as_start(self, centers, X):
        """First centres checked, as float64 numbers of the precision of X."""
        self._require_shape(centers, X)
        if np.abs(centers).max() > np.finfo(X.dtype).max:
            raise ValueError(f"init: got a number beyond {X.dtype}, which X is of; expected centres among the rows.")
        return centers.astype(X.dtype).astype(np.float64)

    def _require_shape(self, centers, X):
        if centers.shape[0] != self.n_clusters:
            raise ValueError(
                f"The shape of the initial centers {centers.shape} does not match the number of clusters "
                f"{self.n_clusters}."
            )
        if centers.shape[1] != X.shape[1]:
            raise ValueError(
                f"The shape of the initial centers {centers.shape} does not match the number of features of the data "
                f"{X.shape[1]}."
            )

    def _n_runs(self):
        if _is_arraylike_not_scalar(self.init):
            if self.n_init not in ("auto", 1):
                warnings.warn(
                    "Explicit initial center position passed: performing only one init in "
                    f"{type(self).__name__} instead of n_init={self.n_init}.",
                    RuntimeWarning,
                    stacklevel=4,
                )
            return 1
        if self.n_init != "auto":
            return int(self.n_init)
        return 1 if isinstance(self.init, str) and self.init == "k-means++" else self._runs_by_default

    def _start(self, problem, random_state):
        """First centres (k, p) in float64, numbers of the precision of X."""
        k = int(self.n_clusters)
        given = self._given_centers(problem.X)
        if given is not None:
            return given
        if callable(self.init):
            centers = check_array(self.init(problem.X, k, random_state=random_state), dtype=_FLOATS, order="C")
            return self._as_start(centers, problem.X)
        seed = seed_from(random_state)
        if self.init == "random":
            return problem.take(random_rows(problem.w, problem.keys, k, seed))
        return problem.take(plus_plus(problem.rows, problem.w, problem.keys, k, 2 + int(np.log(k)), seed))

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit, and the label of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        labels : int32 ndarray of shape (n_samples,)
        """
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict(self, X):
        """The nearest centre of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        labels : int32 ndarray of shape (n_samples,)
            Exact: where rounding leaves a doubt in single precision, double precision decides.
        """
        return self._assigned(X, None)[0]

    def score(self, X, y=None, sample_weight=None):
        """Minus the inertia of the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        return -self._assigned(X, sample_weight)[1]

    def _assigned(self, X, sample_weight):
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        centers = self.cluster_centers_.astype(np.float64)
        frame = Frame.of_centers(centers)
        labels, inertia, *_ = assign(as_rows(X), self._weights(sample_weight, X), centers, frame.shift, frame.unit)
        self._require_distances(inertia)
        return labels, inertia

    def _require_distances(self, distances):
        if not np.isfinite(distances).all():
            raise NumericalError(
                f"{type(self).__name__}: finite data whose squared distances to the centres overflow float64; expected "
                "magnitudes below 1e150; leave such rows out or divide X by a constant before fitting."
            )

    def transform(self, X):
        """Euclidean distances to the centres.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_clusters)
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        out = distances(as_rows(X), self.cluster_centers_.astype(np.float64))
        self._require_distances(out)
        return out.astype(X.dtype, copy=False)

    def fit_transform(self, X, y=None, sample_weight=None):
        """Fit, and the distances of the rows to the centres; as ``fit(X).transform(X)``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_clusters)
        """
        return self.fit(X, sample_weight=sample_weight).transform(X)

    @property
    def _n_features_out(self):
        return self.cluster_centers_.shape[0]

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        labels = getattr(self, "labels_", np.zeros(0, dtype=np.int32))
        if len(labels) and not (labels.min() >= 0 and labels.max() < len(self.cluster_centers_)):
            raise ModelFormatError(f"{type(self).__name__}: a label names no centre; the file is damaged.")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
