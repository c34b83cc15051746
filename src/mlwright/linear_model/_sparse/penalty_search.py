"""Penalties and their ratios chosen by cross-validation: the search, and the fit on all rows that follows it."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _manual_routing,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from mlwright._kernels.fold_statistics import all_but_one, merged
from mlwright._runtime.threads import limit
from mlwright.base import fit_context
from mlwright.linear_model._base import StatisticsModel
from mlwright.linear_model._certificate import take_certificate
from mlwright.linear_model._folds import Splits
from mlwright.linear_model._sparse.leave_one_out import judged, left_out
from mlwright.linear_model._sparse.paths import alpha_grid, checked_alphas, require_l1
from mlwright.linear_model._sparse.search import errors_of_targets, gram_search, rows_search, search_of_sums
from mlwright.linear_model._sparse.working_set import wants_rows
from mlwright.linear_model._streamed_choice import StreamedChoice


class PenaltySearch(StreamedChoice, StatisticsModel):
    """A subclass gives ``_model()``, which is fitted at the penalties chosen, and the parameters that are read here."""

    _usual_folds = 5

    @fit_context
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalties and fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the fits and of the mean squared error of each fold; the mean over folds is not weighted.
        **params : dict
            Metadata for the splitter, where scikit-learn's metadata routing is enabled.

        Returns
        -------
        self : object
        """
        _raise_for_params(params, self, "fit")
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        routed = process_routing(self, "fit", sample_weight=sample_weight, **params) if _routing_enabled() else None
        routed = routed or _manual_routing({"splitter": {}})
        self._drop_of_rows()
        self._drop_folds()
        with limit(self.n_jobs):
            if isinstance(self.cv, str):
                self._leave_out(rows)
            else:
                splits = Splits.of(self.cv, rows.X, rows.y[:, 0], **routed.splitter.split)
                self._choose(*self._search(rows)(self, rows, splits))
            self._refit(X, y, sample_weight)
        return self

    def _fit_statistics(self, folds):
        """Choose the penalties by folds of the rows' own content, and fit on all rows."""
        test = folds.enough(self)
        self._drop_of_rows()
        with limit(self.n_jobs):
            self._choose(*search_of_sums(self, all_but_one(test), test, merged(test)))
            self._refit()
        self._keep_folds(folds)
        return self

    def _remember_kind(self, rows):
        super()._remember_kind(rows)
        self._single_target = not self._multi_output

    def _drop_of_rows(self):
        for name in ("loo_predictions_", "alo_error_"):
            vars(self).pop(name, None)

    def _search(self, rows):
        return rows_search if wants_rows(rows) else gram_search

    def _leave_out(self, rows):
        """Choose by errors of rows left out, approximately; one fold of them all."""
        guess = left_out(self, rows)
        r, a = self._choose(guess.mse[:, None, :], guess.alphas)
        self.mse_path_ = np.atleast_1d(self.mse_path_)[..., None]  # the axis of folds stays
        self.loo_predictions_, self.alo_error_ = judged(self, rows, guess, r, a)

    def _ratios(self):
        return np.atleast_1d(np.asarray(self.l1_ratio, dtype=np.float64))

    def _grids(self, problem):
        """Penalties of each ratio, largest first."""
        ratios = self._ratios()
        if not isinstance(self.alphas, Integral):
            return np.tile(checked_alphas(self.alphas), (len(ratios), 1))
        for ratio in ratios:
            require_l1(ratio)
        largest = problem.largest_alpha(1.0, self.positive)
        return np.array([alpha_grid(largest / ratio, self.eps, int(self.alphas)) for ratio in ratios])

    def _gram_errors(self, train, test, alphas):
        return errors_of_targets(self, train, test, alphas)

    def _coefficients(self, problem, alphas, ratio):
        """Of a path on rows: shape (s, t, p)."""
        return np.swapaxes(problem.solve(alphas[None], ratio, **self._options()).coef, 0, 1)

    def _options(self):
        return {"positive": self.positive, "tol": self.tol, "max_iter": self.max_iter}

    def _choose(self, mse, alphas):
        """The best of the mean squared errors (n_ratios, n_folds, n_alphas), the first where several are."""
        mean = mse.mean(axis=1)
        ratio, step = np.unravel_index(np.argmin(mean), mean.shape)
        self.alpha_, self.l1_ratio_ = float(alphas[ratio, step]), float(self._ratios()[ratio])
        self.mse_path_ = np.squeeze(np.moveaxis(mse, 2, 1))
        self.alphas_ = alphas if isinstance(self.alphas, Integral) and len(alphas) > 1 else alphas[0]
        return ratio, step

    def _refit(self, X=None, y=None, sample_weight=None):
        model = self._model()
        if self._whole is not None:
            model.n_features_in_, model._dtype, model._single_target = (
                self.n_features_in_,
                self._dtype,
                self._single_target,
            )
            model._fit_statistics(self._whole)
        else:
            model.fit(X, y if self._multi_output else np.ravel(y), sample_weight)
        del self._whole
        take_certificate(self, model)
        for name in ("coef_", "intercept_", "n_iter_", "_statistics"):
            setattr(self, name, getattr(model, name))
        vars(self).pop("_left_out_levels", None)
        if hasattr(model, "_left_out_levels"):
            self._left_out_levels = model._left_out_levels

    def get_metadata_routing(self):
        """How metadata is routed: the splitter of `cv` may ask for groups.

        Returns
        -------
        routing : MetadataRouter
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(None if isinstance(self.cv, str) else self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )
