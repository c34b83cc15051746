"""The state algebra of estimators that choose a penalty by folds: sums are kept of each fold."""

from numbers import Integral
from types import MethodType

from sklearn.utils.validation import _is_fitted

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._runtime.threads import limit
from mlwright.base import StateAlgebraMixin
from mlwright.io.composite import ListOf, Maybe, Optional
from mlwright.linear_model._base import MOST_KEPT
from mlwright.linear_model._content_folds import ContentFolds, content_keys, fold_numbers
from mlwright.linear_model._state import STATISTICS, statistics_problem

FOLD_FIELDS = {"_fold_statistics": Maybe(ListOf(Optional(STATISTICS)))}


class OfSums:
    """A method that is there only where sums will do; else the error says why not, and what would do."""

    def __init__(self, function, *, goes_on=True):
        self._function, self._goes_on = function, goes_on

    def __get__(self, instance, owner):
        if instance is None:
            return self._function
        why = instance._why_not_streamed() or (instance._why_not_on() if self._goes_on else None)
        if why is not None:
            raise AttributeError(f"{owner.__name__}.{self._function.__name__}: {why}")
        return MethodType(self._function, instance)


class StreamedChoice(StateAlgebraMixin):
    """Mixin: a subclass gives ``_fit_statistics(folds)``, ending with ``_keep_folds``, and drops folds in ``fit``."""

    _usual_folds = None  # how many where cv is None
    n_jobs = None

    partial_fit = OfSums(StateAlgebraMixin.partial_fit)
    fit_stream = OfSums(StateAlgebraMixin.fit_stream, goes_on=False)
    merge = OfSums(StateAlgebraMixin.merge)
    forget = OfSums(StateAlgebraMixin.forget)

    def _n_folds(self):
        return self._usual_folds if self.cv is None else self.cv

    def _why_not_streamed(self):
        """What in the parameters sums over folds cannot do, or None."""
        n_folds = self._n_folds()
        if isinstance(n_folds, Integral) and n_folds >= 2:
            return None
        return (
            f"got cv={self.cv!r:.80}, of which sums over rows do not tell the errors; expected a number of folds, "
            "among which rows are divided by their values; set cv=5."
        )

    def _why_not_on(self):
        """Why a fitted model cannot take rows in or out, or None."""
        if not _is_fitted(self) or hasattr(self, "_fold_statistics"):
            return None
        return (
            "this model keeps no sums of folds that follow from the values of rows: it was fitted by fit, whose folds "
            f"go by position, or on more than {MOST_KEPT} columns; expected one built by partial_fit or fit_stream "
            "from its first rows on; begin with sklearn.base.clone."
        )

    def _statistics_of(self, X, y, sample_weight, *, reset):
        rows = self._rows(X, y, sample_weight, reset=reset)
        if reset:
            self._remember_kind(rows)
        n_folds = int(self._n_folds())
        with limit(self.n_jobs):
            number = fold_numbers(content_keys(rows.X) + content_keys(rows.y), n_folds, rows.w)
            return ContentFolds.of_rows(self, rows, number, n_folds)

    def _sums_so_far(self, verb):
        kept = getattr(self, "_fold_statistics", None)
        if kept is None:
            why = self._why_not_on() or "this model is not fitted; expected one built by partial_fit or fit_stream."
            raise ValueError(f"{verb}, {type(self).__name__}: {why}")
        return ContentFolds(tuple(None if part is None else FoldStatistics(**part) for part in kept))

    def _keep_folds(self, folds):
        self._drop_folds()
        if all(part is None or len(part.mean) <= MOST_KEPT for part in folds.parts):
            names = FoldStatistics.__dataclass_fields__
            self._fold_statistics = [
                None if part is None else {name: getattr(part, name) for name in names} for part in folds.parts
            ]

    def _drop_folds(self):
        vars(self).pop("_fold_statistics", None)

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        super()._validate_state()
        targets = 1 if self.coef_.ndim == 1 else len(self.coef_)
        for part in getattr(self, "_fold_statistics", []):
            problem = None if part is None else statistics_problem(part, self.n_features_in_, targets)
            if problem:
                self._refuse_state(problem)
