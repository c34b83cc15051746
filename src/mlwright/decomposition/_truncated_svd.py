"""Truncated singular value decomposition: latent semantic analysis of texts, and of anything not centred."""

import numpy as np
from scipy import sparse
from sklearn import decomposition as peer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from mlwright._kernels.blas import eigh
from mlwright._kernels.column_moments import ColumnMoments
from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.sparse_product import sparse_product
from mlwright._runtime.errors import ModelFormatError, NumericalError
from mlwright._runtime.rng import seed_from
from mlwright.base import fit_context
from mlwright.decomposition import _singular_values
from mlwright.decomposition._operators import Rows
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Size, Strings, Tensor

_FLOATS = [np.float64, np.float32]
_FORMATS = ("csr", "csc")
_LARGEST_GRAM = 512  # columns up to which one pass and all eigenvectors cost less than a few products
_ROWS_A_COLUMN = 10


class TruncatedSVD(peer.TruncatedSVD):
    """The leading singular vectors of a matrix as it is, not centred: dense or sparse.

    scikit-learn's class with its parameters, attributes and signs. Products with a sparse matrix run on all threads;
    up to 512 columns, where rows are at least ten times as many, the answer is exact and comes from one pass.

    Parameters
    ----------
    n_components : int, default=2
    algorithm : {"arpack", "randomized"}, default="randomized"
    n_iter : int, default=5
        Power iterations of "randomized".
    n_oversamples : int, default=10
        Of "randomized", at least: columns are taken eight at a time.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default="auto"
        Has no effect: iterates are orthonormalised.
    random_state : int, RandomState instance or None, default=None
    tol : float, default=0.0
        Of "arpack".

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
    explained_variance_, explained_variance_ratio_, singular_values_ : ndarray of shape (n_components,)
        Variances are those of the columns that ``transform`` gives.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Halko, Martinsson and Tropp (2011), Finding structure with randomness. SIAM Review 53.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from mlwright.decomposition import TruncatedSVD
    >>> X = sparse.random(200, 1000, density=0.05, random_state=0, format="csr")
    >>> svd = TruncatedSVD(5, random_state=0).fit(X)
    >>> svd.transform(X).shape
    (200, 5)
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        components_=Tensor("f4 f8", "k p"),
        explained_variance_=Tensor("f4 f8", "k"),
        explained_variance_ratio_=Tensor("f4 f8", "k", finite=False),
        singular_values_=Tensor("f4 f8", "k"),
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
        self._fit(X)
        return self

    @fit_context
    def fit_transform(self, X, y=None):
        """Fit, and the rows in the components.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_components)
        """
        return self._fit(X)

    def _fit(self, X):
        X = validate_data(self, X, accept_sparse=_FORMATS, dtype=_FLOATS, ensure_min_features=2)
        n, p = X.shape
        k = int(self.n_components)
        if self.algorithm == "randomized" and k > p:
            raise ValueError(f"n_components({k}) must be <= n_features({p}).")
        if self.algorithm == "arpack" and k >= min(n, p):
            raise ValueError(
                f"n_components={k} must be less than min(n_samples, n_features) with algorithm='arpack', got "
                f"n_samples={n} and n_features={p}"
            )
        values, vectors = self._decompose(X, min(k, n))
        self.components_ = vectors.astype(X.dtype)
        self.singular_values_ = values.astype(X.dtype)
        out = self._map(X)
        variance = ColumnMoments.of_rows(out).scatter / n  # before single precision rounds a large mean
        total = ColumnMoments.of_rows(X).scatter.sum() / n
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            self.explained_variance_ = variance.astype(X.dtype)
            self.explained_variance_ratio_ = (variance / total).astype(X.dtype)
        if not (np.isfinite(self.explained_variance_).all() and np.isfinite(total)):
            raise NumericalError(f"TruncatedSVD: variances overflow {X.dtype}; divide X by a constant.")
        return out.astype(X.dtype, copy=False)

    def _decompose(self, X, k):
        n, p = X.shape
        if p <= _LARGEST_GRAM and n >= _ROWS_A_COLUMN * p:
            statistics = FoldStatistics.of_rows(as_design(X), np.empty((n, 0)))
            if statistics is None:
                raise NumericalError(
                    "TruncatedSVD: finite data that overflow float64 when summed; divide X by a constant."
                )
            gram, scale = statistics.moments(about_mean=False)
            unit = scale.min()
            with np.errstate(under="ignore"):
                factor = unit / scale
                values, vectors = eigh(gram * np.multiply.outer(factor, factor))
            values = np.sqrt(np.maximum(values[::-1], 0.0)) / unit
            return values[:k], _singular_values.fix_signs(vectors.T[::-1][:k])
        seed = seed_from(check_random_state(self.random_state))
        if self.algorithm == "arpack":
            return _singular_values.arpack(Rows(X), k, self.tol, seed)
        return _singular_values.randomised(Rows(X), k, self.n_oversamples, self.n_iter, seed)

    def _map(self, X):
        if sparse.issparse(X):
            out = sparse_product(as_design(X), self.components_.T)
        else:
            out = affine_map(as_design(X), self.components_.astype(np.float64), np.zeros(len(self.components_)))
        return np.ascontiguousarray(out)

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
        X = validate_data(self, X, accept_sparse=_FORMATS, dtype=_FLOATS, reset=False)
        return self._map(X).astype(X.dtype, copy=False)

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        if (self.singular_values_ < 0.0).any() or (self.explained_variance_ < 0.0).any():
            raise ModelFormatError("TruncatedSVD: a singular value or a variance is negative; the file is damaged.")
