"""Columns brought to mean 0 and variance 1, from sums that add up."""

from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.sparsefuncs import inplace_column_scale
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from mlwright._kernels.column_moments import ColumnMoments, standardise
from mlwright._runtime.errors import ModelFormatError, NumericalError
from mlwright._validation import checked_weights
from mlwright.base import UnsupervisedStateAlgebraMixin, fit_context
from mlwright.io.composite import AnyOf, Maybe, Optional, Record, State
from mlwright.io.schema import Choice, Number, Size, Strings, Tensor

_FLOATS = [np.float64, np.float32]
_MOST_TERMS = 1e7
_EPS = np.finfo(np.float64).eps


class StandardScaler(UnsupervisedStateAlgebraMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise columns by removing the mean and scaling to unit variance.

    scikit-learn's class, with sums that add up: ``partial_fit`` and ``merge`` give what ``fit`` on all rows gives, and
    ``forget`` takes rows out again. Entries that are NaN are left out in ``fit`` and stay NaN in ``transform``.

    Parameters
    ----------
    copy : bool, default=True
        False standardises a float array in place, where it can be written to.
    with_mean : bool, default=True
        Centre the columns. Sparse matrices cannot be centred; pass False for them.
    with_std : bool, default=True
        Scale the columns to unit variance.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,) or None
        Standard deviation of each column (divided by n, not n - 1); 1 for columns that are constant up to rounding.
        None when ``with_std=False``.
    mean_ : ndarray of shape (n_features,) or None
        None when neither mean nor deviation is wanted. NaN for a column without an entry.
    var_ : ndarray of shape (n_features,) or None
    n_samples_seen_ : int, float or ndarray of shape (n_features,)
        Rows seen, or their weight; one number for each column where entries are missing.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    The rows are read once. Blocks of rows are summed about their own means, so a mean of 1e8 beside a deviation of 1
    costs no digits. A weight counts as a repetition.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance. The American Statistician 37.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.preprocessing import StandardScaler
    >>> X = np.array([[0.0, 10.0], [2.0, 10.0], [4.0, np.nan]])
    >>> scaler = StandardScaler().fit(X)
    >>> scaler.mean_, scaler.n_samples_seen_
    (array([ 2., 10.]), array([3, 2]))
    >>> scaler.transform(X).round(2)
    array([[-1.22,  0.  ],
           [ 0.  ,  0.  ],
           [ 1.22,   nan]])
    >>> scaler.forget(X[2:]).mean_
    array([ 1., 10.])
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        scale_=Optional(Tensor("f8", "p", finite=False)),
        mean_=Optional(Tensor("f8", "p", finite=False)),
        var_=Optional(Tensor("f8", "p", finite=False)),
        n_samples_seen_=AnyOf(Number(0), Tensor("i8 f8", "p")),
        _counted=Choice(True, False),
        _moments=Record(weight=Tensor("f8", "p"), mean=Tensor("f8", "p"), scatter=Tensor("f8", "p")),
    )
    _parameter_constraints: ClassVar[dict] = {"copy": ["boolean"], "with_mean": ["boolean"], "with_std": ["boolean"]}

    def __init__(self, *, copy=True, with_mean=True, with_std=True):
        self.copy = copy
        self.with_mean = with_mean
        self.with_std = with_std

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Compute the means and standard deviations.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For infinite entries, weights that are negative or all zero, and sparse matrices unless
            ``with_mean=False``.
        """
        return self._fit_statistics(self._statistics_of(X, y, sample_weight, reset=True))

    def _statistics_of(self, X, y, sample_weight, *, reset):
        given = X
        X = validate_data(self, X, reset=reset, accept_sparse=("csr", "csc"), dtype=_FLOATS, ensure_all_finite=False)
        self._refuse_centring(X, "center")
        w = checked_weights(sample_weight, X)
        if w is not None and not w.any():
            raise ValueError("StandardScaler: got sample weights that are all zero, expected a positive one.")
        self._counted = w is None and (reset or self._counted)
        moments = ColumnMoments.of_rows(X, w)
        if not (np.isfinite(moments.mean).all() and np.isfinite(moments.scatter).all()):
            validate_data(self, given, reset=False, accept_sparse=True, dtype=_FLOATS, ensure_all_finite="allow-nan")
            raise NumericalError(
                "StandardScaler: finite data whose sums of squares overflow float64; expected magnitudes below 1e150; "
                "divide X by a constant."
            )
        return moments

    def _get_statistics(self):
        kept = getattr(self, "_moments", None)
        return None if kept is None else ColumnMoments(**kept)

    def _fit_statistics(self, moments):
        self._moments = {"weight": moments.weight, "mean": moments.mean, "scatter": moments.scatter}
        seen = moments.weight.astype(np.int64) if self._counted else moments.weight
        self.n_samples_seen_ = seen[0] if seen.min() == seen.max() else seen
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(moments.weight > 0.0, moments.mean, np.nan)
            variance = moments.scatter / moments.weight
        self.mean_ = mean if self.with_mean or self.with_std else None
        self.var_ = self.scale_ = None
        if self.with_std:
            self.var_ = variance
            # A variance that rounding alone could have made counts as none: scikit-learn's bound, of no more rows than
            # there may be, whatever they weigh.
            terms = np.minimum(moments.weight, _MOST_TERMS)
            rounding = terms * _EPS * variance + (terms * moments.mean * _EPS) ** 2
            scale = np.sqrt(variance)
            self.scale_ = np.where((variance <= rounding) | (scale == 0.0), 1.0, scale)
        return self

    def merge(self, other):
        """Take over what another fitted scaler was fitted on.

        Parameters
        ----------
        other : StandardScaler
            Fitted on the same columns; left alone.

        Returns
        -------
        self : object
        """
        counted = getattr(other, "_counted", True)
        super().merge(other)
        if self._counted and not counted:
            self._counted = False
            self._fit_statistics(self._get_statistics())
        return self

    def transform(self, X, copy=None):
        """Centre and scale.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        copy : bool, default=None
            Instead of the parameter of that name.

        Returns
        -------
        X_tr : {ndarray, sparse matrix} of shape (n_samples, n_features)
            float32 for float32 X.
        """
        check_is_fitted(self)
        X, owned = self._to_change(X, copy, check_features=True)
        self._refuse_centring(X, "center")
        if sparse.issparse(X):
            if self.scale_ is not None:
                inplace_column_scale(X, 1.0 / self.scale_)
            return X
        return standardise(X, self._shift, self.scale_, out=X if owned else None)

    def inverse_transform(self, X, copy=None):
        """From standardised columns to the original ones.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        copy : bool, default=None

        Returns
        -------
        X_original : {ndarray, sparse matrix} of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        X, owned = self._to_change(X, copy, check_features=False)
        self._refuse_centring(X, "uncenter")
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but StandardScaler is expecting {self.n_features_in_} features as input."
            )
        if sparse.issparse(X):
            if self.scale_ is not None:
                inplace_column_scale(X, self.scale_)
            return X
        return standardise(X, self._shift, self.scale_, back=True, out=X if owned else None)

    @property
    def _shift(self):
        return self.mean_ if self.with_mean else None

    def _to_change(self, X, copy, *, check_features):
        """X as checked floats, and whether it may be written to: it is in place where the user asked for that."""
        in_place = not (self.copy if copy is None else copy)
        checks = {
            "accept_sparse": "csr",
            "dtype": _FLOATS,
            "ensure_all_finite": "allow-nan",
            "force_writeable": in_place,
        }
        given = X
        X = validate_data(self, X, reset=False, **checks) if check_features else check_array(X, **checks)
        if sparse.issparse(X):
            return (X if in_place else X.copy()), True
        return X, in_place and X is given

    def _refuse_centring(self, X, verb):
        if self.with_mean and sparse.issparse(X):
            raise ValueError(
                f"Cannot {verb} sparse matrices: pass `with_mean=False` instead. See docstring for motivation and "
                "alternatives."
            )

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        if (self.scale_ is None) != (self.var_ is None) or (self.mean_ is None and self.scale_ is not None):
            raise ModelFormatError("StandardScaler: mean_, scale_ and var_ do not go together; the file is damaged.")
        if any((self._moments[name] < 0.0).any() for name in ("weight", "scatter")):
            raise ModelFormatError("StandardScaler: a weight or a scatter is negative; the file is damaged.")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = not self.with_mean
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
