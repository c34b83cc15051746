"""What estimators share: the fit context, the state algebra and predictive intervals."""

import copy
import functools
from numbers import Real

from sklearn import get_config
from sklearn.utils.validation import _is_fitted, check_is_fitted

__all__ = [
    "IntervalMixin",
    "StateAlgebraMixin",
    "UnsupervisedStateAlgebraMixin",
    "as_fitted",
    "check_parameters",
    "fit_context",
]

_KNOWN_GOOD: set[tuple] = set()  # parameter values that passed validation, with their types
_MOST_KNOWN = 1024
_PLAIN = (bool, int, float, str, type(None))


def check_parameters(estimator):
    """scikit-learn's parameter validation, remembered for plain values: it costs more than a small fit does."""
    if get_config()["skip_parameter_validation"]:
        return
    values = tuple(vars(estimator)[name] for name in _parameter_names(type(estimator)))
    if any(type(value) not in _PLAIN for value in values):
        estimator._validate_params()
        return
    key = (type(estimator), values, tuple(map(type, values)))
    if key in _KNOWN_GOOD:
        return
    estimator._validate_params()
    if len(_KNOWN_GOOD) >= _MOST_KNOWN:
        _KNOWN_GOOD.clear()
    _KNOWN_GOOD.add(key)


@functools.cache
def _parameter_names(cls):
    return tuple(cls._get_param_names())


def fit_context(method):
    """Around ``fit``, ``partial_fit``, ``merge`` and ``forget``: valid parameters, and all or nothing.

    Whatever ends the call early (bad data, Ctrl-C) leaves the estimator as it was before it. The values of the
    parameters that a class names in ``_read_later`` are kept for :func:`as_fitted`.
    """

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        check_parameters(self)
        before = dict(vars(self))
        later = getattr(self, "_read_later", ())
        if later:
            self._as_fitted = {name: _own(getattr(self, name)) for name in later}
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return wrapper


def _own(value):
    """The value, or a copy where its owner may write to it."""
    return copy.copy(value) if isinstance(value, list) or hasattr(value, "__array_interface__") else value


def as_fitted(estimator, name):
    """The value that a parameter had in the fit that made the model; before any fit the present one.

    ``set_params`` is for the next fit: what is asked of a fitted model goes through this door.
    """
    kept = getattr(estimator, "_as_fitted", {})
    return kept[name] if name in kept else getattr(estimator, name)


class StateAlgebraMixin:
    """Exact ``partial_fit``, ``merge`` and ``forget`` for estimators whose data enter through sums.

    The laws, up to rounding: ``fit(A + B) == fit(A).merge(fit(B)) == fit(A).partial_fit(B)`` and
    ``fit(A + B).forget(B) == fit(A)``.

    A subclass gives ``_statistics_of(X, y, sample_weight, reset)``, ``_get_statistics()`` (None before the first fit)
    and ``_fit_statistics(statistics)``.
    """

    @fit_context
    def partial_fit(self, X, y, sample_weight=None):
        """Add rows to what the model was fitted on.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If the model was fitted by a route that keeps no sums (very many features): going on would drop those rows.
        """
        seen = self._sums_so_far("partial_fit") if _is_fitted(self) else None
        new = self._statistics_of(X, y, sample_weight, reset=seen is None)
        return self._fit_statistics(new if seen is None else seen.merged(new))

    @fit_context
    def fit_stream(self, batches, *, target=None, sample_weight=None):
        """Fit on batches of rows, of which one is in memory at a time: exactly ``fit`` on all of them.

        Where a penalty is chosen by folds, ``cv`` folds are made by the values of the rows and not by their position:
        exactly ``fit`` on all of them with these folds.

        Parameters
        ----------
        batches : iterable, path, or pyarrow table, dataset or reader
            Of tuples (X, y) or (X, y, sample_weight); with `target` of tables of pandas, polars or pyarrow, all of
            whose other columns are features. A path is that of a Parquet file. Batches without rows, which filters
            leave, count for nothing; so do those whose rows all have weight zero.
        target : str or list of str, default=None
            The column of y, or the columns of several targets.
        sample_weight : str, default=None
            The column of weights.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there is no batch, or one has other columns than the first; the model is then as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from mlwright.linear_model import Ridge
        >>> rng = np.random.default_rng(0)
        >>> X, y = rng.standard_normal((1000, 3)), rng.standard_normal(1000)
        >>> model = Ridge().fit_stream((X[i : i + 100], y[i : i + 100]) for i in range(0, 1000, 100))
        >>> bool(np.allclose(model.coef_, Ridge().fit(X, y).coef_))
        True
        """
        from mlwright._batches import batches_of, parts_of

        return self._fit_parts(parts_of(batch, i, target, sample_weight) for i, batch in enumerate(batches_of(batches)))

    def _fit_parts(self, parts):
        from mlwright._batches import has_no_rows

        seen = None
        for X, y, w in parts:
            if has_no_rows(X, y, w):
                continue
            new = self._statistics_of(X, y, w, reset=seen is None)
            seen = new if seen is None else seen.merged(new)
        if seen is None:
            raise ValueError("fit_stream: got no batch that has rows that weigh something, expected at least one.")
        return self._fit_statistics(seen)

    @fit_context
    def merge(self, other):
        """Take over what another fitted model of the same class was fitted on.

        Parameters
        ----------
        other : object
            A fitted estimator of this class with the same features and targets. It is left alone.

        Returns
        -------
        self : object
        """
        if type(other) is not type(self):
            raise TypeError(
                f"merge: got {type(other).__name__}, expected a fitted {type(self).__name__}; fit both with one class."
            )
        self._require_same_columns(other)
        return self._fit_statistics(self._sums_so_far("merge").merged(other._sums_so_far("merge")))

    def _require_same_columns(self, other):
        ours, theirs = (getattr(model, "feature_names_in_", None) for model in (self, other))
        if ours is not None and theirs is not None and ours.tolist() != theirs.tolist():
            raise ValueError(
                f"merge: got a {type(other).__name__} fitted on the columns {_listed(theirs)}; expected "
                f"{_listed(ours)} in this order; order the columns alike before fitting."
            )

    @fit_context
    def forget(self, X, y, sample_weight=None):
        """Take rows out of what the model was fitted on: exact unlearning, sliding windows, folds left out.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows that the model was fitted on.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None
            The weights they were fitted with.

        Returns
        -------
        self : object

        Warns
        -----
        LossOfPrecisionWarning
            Where what is left of a column's spread is so small beside what was there that fewer than half of its digits
            are right; fit anew on the remaining rows.
        """
        seen = self._sums_so_far("forget")
        return self._fit_statistics(seen.without(self._statistics_of(X, y, sample_weight, reset=False)))

    def _sums_so_far(self, verb):
        """What the three go on from: that which ``_statistics_of`` gives, of all rows seen."""
        return self._required_statistics(verb)

    def _required_statistics(self, verb):
        statistics = self._get_statistics()
        if statistics is None:
            raise ValueError(
                f"{verb}: this {type(self).__name__} keeps no statistics of its rows: it is not fitted, or was fitted "
                "by a route that does not form them (very many features); expected a model built by partial_fit."
            )
        return statistics


class UnsupervisedStateAlgebraMixin(StateAlgebraMixin):
    """The same for estimators that learn from X alone."""

    def partial_fit(self, X, y=None, sample_weight=None):
        """Add rows to what the model was fitted on.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        return super().partial_fit(X, y, sample_weight)

    @fit_context
    def fit_stream(self, batches, *, sample_weight=None):
        """Fit on batches of rows, of which one is in memory at a time: exactly ``fit`` on all of them.

        Parameters
        ----------
        batches : iterable, path, or pyarrow table, dataset or reader
            Of arrays, of tables of pandas, polars or pyarrow, or of tuples (X, y) or (X, y, sample_weight), whose y is
            ignored. A path is that of a Parquet file.
        sample_weight : str, default=None
            The column of weights, where batches are tables.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there is no batch, or one has other columns than the first; the model is then as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from mlwright.preprocessing import StandardScaler
        >>> X = np.random.default_rng(0).standard_normal((1000, 3))
        >>> scaler = StandardScaler().fit_stream(X[i : i + 100] for i in range(0, 1000, 100))
        >>> bool(np.allclose(scaler.scale_, X.std(axis=0)))
        True
        """
        from mlwright._batches import batches_of, rows_of

        parts = (rows_of(batch, number, sample_weight) for number, batch in enumerate(batches_of(batches)))
        return self._fit_parts((X, None, w) for X, w in parts)

    def forget(self, X, y=None, sample_weight=None):
        """Take rows out of what the model was fitted on: exact unlearning, sliding windows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows that the model was fitted on.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights they were fitted with.

        Returns
        -------
        self : object

        Warns
        -----
        LossOfPrecisionWarning
            Where so little of a column's spread is left that fewer than half of its digits are right; fit anew.
        """
        return super().forget(X, y, sample_weight)


def _listed(names):
    return ", ".join(map(repr, names[:5].tolist())) + (", ..." if len(names) > 5 else "")


def check_coverage(coverage):
    """A coverage as float; ValueError unless it is a number between 0 and 1, exclusive."""
    if isinstance(coverage, bool) or not isinstance(coverage, Real) or not 0.0 < coverage < 1.0:
        raise ValueError(f"coverage: got {coverage!r}, expected a number between 0 and 1, exclusive; e.g. 0.9.")
    return float(coverage)


class IntervalMixin:
    """``predict_interval`` from a predictive mean, standard deviation and quantile.

    A subclass gives ``_predictive(X)``: mean, standard deviation and degrees of freedom (None for the normal law).
    """

    def predict_interval(self, X, coverage=0.9):
        """Central predictive interval for new observations.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Probability that a new observation falls inside, between 0 and 1, exclusive.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, n_targets, 2)
            Lower and upper ends, in the last axis.
        """
        from scipy import special

        check_is_fitted(self)
        coverage = check_coverage(coverage)
        mean, deviation, freedom = self._predictive(X)
        upper = 0.5 + 0.5 * coverage
        half = special.ndtri(upper) if freedom is None else special.stdtrit(freedom, upper)
        reach = half * deviation
        return _pair(mean, reach)


def _pair(mean, reach):
    import numpy as np

    return np.stack([mean - reach, mean + reach], axis=-1)
