"""Principal component analysis on the statistics that linear models use."""

import numpy as np
from scipy import sparse
from sklearn import decomposition as peer
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from mlwright._kernels.blas import eigh
from mlwright._kernels.column_moments import ColumnMoments
from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.sparse_product import sparse_product
from mlwright._runtime.errors import ModelFormatError, NumericalError
from mlwright._runtime.rng import seed_from
from mlwright._validation import checked_weights
from mlwright.base import UnsupervisedStateAlgebraMixin, fit_context
from mlwright.decomposition import _singular_values
from mlwright.decomposition._operators import Rows
from mlwright.decomposition._routes import required_count, route
from mlwright.decomposition._selection import Spectrum
from mlwright.io.composite import Maybe, Optional, State
from mlwright.io.schema import Choice, Number, Size, Strings, Tensor
from mlwright.linear_model._state import STATISTICS

_FLOATS = [np.float64, np.float32]
_FORMATS = ("csr", "csc")
_LARGEST_KEPT = 2048


class PCA(UnsupervisedStateAlgebraMixin, peer.PCA):
    """Principal components from one pass over the rows, and models that rows can be added to and taken from.

    scikit-learn's class with its parameters, attributes and signs. Where rows are at least ten times as many as
    columns, up to 1000 columns, every solver but "full" is answered from the scatter matrix of one pass, exactly;
    such a model goes on learning: ``partial_fit``, ``merge`` and ``forget`` give what ``fit`` on the rows together (or
    on those left) gives.

    Parameters
    ----------
    n_components : int, float, "mle" or None, default=None
        How many; how much variance, between 0 and 1, they should explain at least; Minka's choice; or all.
    copy : bool, default=True
        Has no effect: X is never changed.
    whiten : bool, default=False
        Scale what ``transform`` gives to unit variance.
    svd_solver : {"auto", "full", "covariance_eigh", "arpack", "randomized"}, default="auto"
    tol : float, default=0.0
        Of "arpack".
    iterated_power : int or "auto", default="auto"
        Power iterations of "randomized".
    n_oversamples : int, default=10
        Of "randomized", at least: columns are taken eight at a time.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default="auto"
        Has no effect: iterates are orthonormalised.
    random_state : int, RandomState instance or None, default=None
        Of "arpack" and "randomized".

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        By falling variance; the entry of largest magnitude in each is positive.
    explained_variance_, explained_variance_ratio_, singular_values_ : ndarray of shape (n_components,)
    mean_ : ndarray of shape (n_features,)
    n_components_ : int
    n_samples_ : int or float
        Rows, or their weight where ``partial_fit`` was given weights.
    noise_variance_ : float
        Mean variance of the components left out (Tipping and Bishop, 1999).
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Halko, Martinsson and Tropp (2011), Finding structure with randomness. SIAM Review 53.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.decomposition import PCA
    >>> X = np.array([[-1.0, -1.0], [-2.0, -1.0], [-3.0, -2.0], [1.0, 1.0], [2.0, 1.0], [3.0, 2.0]])
    >>> pca = PCA(n_components=2).fit(X)
    >>> pca.explained_variance_ratio_.round(4)
    array([0.9924, 0.0076])
    >>> pca.transform([[1.0, 1.0]]).round(3)
    array([[1.383, 0.294]])
    >>> parts = PCA(2, svd_solver="covariance_eigh").fit(X[:3]).partial_fit(X[3:])
    >>> bool(np.allclose(parts.components_, pca.components_))
    True
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        components_=Tensor("f4 f8", "k p"),
        explained_variance_=Tensor("f4 f8", "k"),
        explained_variance_ratio_=Tensor("f4 f8", "k", finite=False),
        singular_values_=Tensor("f4 f8", "k"),
        mean_=Tensor("f4 f8", "p"),
        n_components_=Number(0, integer=True),
        n_samples_=Number(0),
        noise_variance_=Number(0.0),
        _dtype=Choice("float64", "float32"),
        _counted=Choice(True, False),
        _statistics=Optional(STATISTICS),
    )

    @fit_context
    def fit(self, X, y=None):
        """Find the components.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        X, _ = self._rows(X, None, reset=True)
        self._require_freedom(X.shape[0], float(X.shape[0]))
        solver = route(X.shape, sparse.issparse(X), self.n_components, self.svd_solver)
        if solver == "covariance_eigh":
            return self._fit_statistics(self._sums(X, None))
        self._require_finite(X)
        self._statistics = None
        return self._set(self._from_rows(X, solver))

    def fit_transform(self, X, y=None):
        """Fit, and the rows in the components; as ``fit(X).transform(X)``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_components)
        """
        return self.fit(X).transform(X)

    def _rows(self, X, sample_weight, *, reset):
        if sparse.issparse(X) and self.svd_solver not in ("auto", "arpack", "covariance_eigh"):
            raise TypeError(
                'PCA only support sparse inputs with the "arpack" and "covariance_eigh" solvers, while '
                f'"{self.svd_solver}" was passed. See TruncatedSVD for a possible alternative.'
            )
        X = validate_data(self, X, reset=reset, dtype=_FLOATS, accept_sparse=_FORMATS, ensure_all_finite=False)
        w = checked_weights(sample_weight, X)
        if reset:
            self._dtype, self._counted = str(X.dtype), True
        self._counted = self._counted and w is None
        return X, w

    @staticmethod
    def _require_freedom(n_rows, weight):
        if not weight > 1.0:
            raise ValueError(
                f"PCA: got {n_rows} sample(s) of weight {weight:g}; n_samples=1 or less leaves no variance; expected a "
                "weight above one."
            )

    def _require_finite(self, X):
        assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")

    # The scatter matrix

    def _sums(self, X, w):
        statistics = FoldStatistics.of_rows(as_design(X), np.empty((X.shape[0], 0)), w)
        if statistics is None:  # sums tell what is not finite: no pass of its own looks for it
            self._require_finite(X)
            raise NumericalError("PCA: finite data that overflow float64 when summed; divide X by a constant.")
        return statistics

    def _statistics_of(self, X, y, sample_weight, *, reset):
        return self._sums(*self._rows(X, sample_weight, reset=reset))

    def _get_statistics(self):
        kept = getattr(self, "_statistics", None)
        return None if kept is None else FoldStatistics(**kept)

    def _fit_statistics(self, statistics):
        self._require_freedom(statistics.n_rows, statistics.weight)
        self._statistics = None
        if len(statistics.mean) <= _LARGEST_KEPT:
            self._statistics = {name: getattr(statistics, name) for name in FoldStatistics.__dataclass_fields__}
        unit = statistics.scale.min()
        with np.errstate(under="ignore"):
            factor = unit / statistics.scale
            values, vectors = eigh(statistics.scatter * np.multiply.outer(factor, factor))
        values = np.sqrt(np.maximum(values[::-1], 0.0)) / unit
        kept = min(statistics.n_rows, len(values))
        vectors = np.ascontiguousarray(_singular_values.fix_signs(vectors.T[::-1]))
        return self._set(
            Spectrum(values[:kept], vectors[:kept], statistics.mean, statistics.weight, statistics.n_rows, None)
        )

    def merge(self, other):
        """Take over what another fitted PCA was fitted on.

        Parameters
        ----------
        other : PCA
            Fitted on the same columns; left alone.

        Returns
        -------
        self : object
        """
        counted = getattr(other, "_counted", True)
        super().merge(other)
        if self._counted and not counted:
            self._counted, self.n_samples_ = False, float(self._statistics["weight"])
        return self

    # The rows themselves

    def _from_rows(self, X, solver):
        n, p = X.shape
        moments = ColumnMoments.of_rows(X)
        rows = Rows(X, moments.mean)
        if solver == "full":
            values, vectors = _singular_values.full(rows)
            return Spectrum(values, vectors, moments.mean, float(n), n, None)
        k = required_count(n, p, self.n_components, solver)
        seed = seed_from(check_random_state(self.random_state))
        if solver == "arpack":
            values, vectors = _singular_values.arpack(rows, k, self.tol, seed)
        else:
            n_iter = self.iterated_power
            if n_iter == "auto":
                n_iter = 7 if k < 0.1 * min(n, p) else 4
            values, vectors = _singular_values.randomised(rows, k, self.n_oversamples, n_iter, seed)
        return Spectrum(values, vectors, moments.mean, float(n), n, moments.scatter.sum())

    def _set(self, spectrum):
        variance, total = spectrum.variances()
        dtype = np.dtype(self._dtype)
        with np.errstate(over="ignore"):
            if not np.isfinite(variance.astype(dtype)).all() or not np.isfinite(total):
                raise NumericalError(f"PCA: variances overflow {dtype}; divide X by a constant.")
        solver = "full" if spectrum.total is None else self.svd_solver
        wanted = self.n_components
        if wanted is None and self.svd_solver == "arpack" and spectrum.total is None:
            wanted = spectrum.most - 1  # what the solver could find
        k = spectrum.count(wanted, solver)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.explained_variance_ratio_ = (variance / total)[:k].astype(dtype)
        self.noise_variance_ = dtype.type(spectrum.noise(k))
        self.components_ = spectrum.vectors[:k].astype(dtype)
        self.explained_variance_ = variance[:k].astype(dtype)
        self.singular_values_ = spectrum.values[:k].astype(dtype)
        self.mean_ = spectrum.mean.astype(dtype)
        self.n_components_ = k
        self.n_samples_ = spectrum.n_rows if self._counted else float(spectrum.weight)
        return self

    def transform(self, X):
        """The rows in the components.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_components)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, accept_sparse=_FORMATS, reset=False)
        components = self.components_.astype(np.float64)
        if self.whiten:
            scale = np.sqrt(self.explained_variance_.astype(np.float64))
            # A variance that is nothing but rounding must not blow up what is left of it, in whatever unit X is.
            least = np.finfo(self.explained_variance_.dtype).eps * min(1.0, scale.max(initial=0.0))
            components = components / np.where(scale > least, scale, least or 1.0)[:, None]
        start = -(components @ self.mean_.astype(np.float64))
        if sparse.issparse(X):
            out = sparse_product(as_design(X), components.T) + start
        else:
            out = affine_map(as_design(X), components, start)
        return out.astype(X.dtype, copy=False)

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        if self.n_components_ != len(self.components_) or (self.explained_variance_ < 0.0).any():
            raise ModelFormatError("PCA: the number of components or a variance is wrong; the file is damaged.")
        kept = self._statistics
        if kept is None:
            return
        p = self.n_features_in_
        shapes = {"mean": (p,), "scale": (p,), "scatter": (p, p)}
        if kept["n_features"] != p or any(kept[name].shape != shape for name, shape in shapes.items()):
            raise ModelFormatError("PCA: its statistics are of another number of columns; the file is damaged.")
        if not ((kept["scale"] > 0.0).all() and (kept["scatter"].diagonal() >= 0.0).all()):
            raise ModelFormatError("PCA: a scale or a spread of its statistics is negative; the file is damaged.")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = False
        return tags
