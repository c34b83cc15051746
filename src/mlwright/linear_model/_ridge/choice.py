"""How a penalty of ridge regression is chosen: by exact leave-one-out, or by folds."""

from numbers import Real

import numpy as np
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils import check_scalar
from sklearn.utils._metadata_requests import _routing_enabled, process_routing
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._validation import explain_not_finite
from mlwright.linear_model._base import column_means, finite
from mlwright.linear_model._certificate import take_certificate
from mlwright.linear_model._leave_one_out import decompose, decompose_dual
from mlwright.linear_model._ridge.streamed import scores_of_folds
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._stationary import certify

_READS = 2  # of the rows: for the eigenvectors, and for the predictions
_GRAM_ROWS = 512  # up to as many columns the Gram matrix is used, however few the rows


class PenaltyChoice:
    """Mixin: scores of all penalties, and the best of them."""

    _own_metric = "r2"  # what ``score`` is, for metadata routing
    _also_of_the_best: tuple[str, ...] = ()  # attributes taken from the best of a search by folds

    def _choose_by_leave_one_out(self, rows, alphas, score):
        """Fit; `score` takes leave-one-out predictions (n, t) and is None for the mean of weighted squared errors."""
        statistics, fit = self._decomposed(rows, alphas.min())
        kept = None
        if score is not None or self.store_cv_results:
            kept = np.empty((len(rows.y), len(alphas), rows.y.shape[1]))
        errors = np.zeros((len(alphas), rows.y.shape[1]))
        for begin, end, predictions in fit.predictions(alphas):
            squares = (predictions - rows.y[begin:end, None]) ** 2
            if rows.w is not None:
                squares *= rows.w[begin:end, None, None]
            errors += squares.sum(axis=0)
            if kept is not None:
                kept[begin:end] = squares if score is None else predictions
        if score is None:
            scores = -errors / len(rows.y)
            if not self._one_penalty_a_target(rows):
                scores = scores.mean(axis=1)
        else:
            scores = np.array([score(kept[:, k]) for k in range(len(alphas))])
        if not np.isfinite(scores).all():
            raise FloatingPointError(
                f"{type(self).__name__}: a leave-one-out score is not finite: got {scores.tolist()}; raise the "
                "smallest of alphas, or rescale X or y."
            )
        best = scores.argmax(axis=0)
        coef = self._take_best(fit, alphas, scores, best, rows)
        if self.store_cv_results:
            shape = (len(rows.y), len(alphas)) if rows.single_target else (len(rows.y), rows.y.shape[1], len(alphas))
            self.cv_results_ = kept.transpose(0, 2, 1).reshape(shape).astype(self._dtype, copy=False)
        self._keep_statistics(statistics)
        self._keep_intervals(fit, rows)
        certify(self, coef, np.broadcast_to(self.alpha_, len(coef)), _READS, statistics=statistics, rows=rows)

    def _keep_intervals(self, fit, rows):
        """Nothing, of classes."""

    def _decomposed(self, rows, smallest):
        n, p = rows.X.shape
        seen = n if rows.w is None else np.count_nonzero(rows.w)
        if seen < 2 and self.fit_intercept:
            counted = "1 sample" if rows.w is None else "1 sample of positive weight"
            raise ValueError(
                f"{type(self).__name__}: got {counted}, expected at least 2: leave-one-out leaves none to fit an "
                "intercept to; weigh more samples, or choose the penalty yourself."
            )
        if p <= max(n, _GRAM_ROWS):
            statistics = FoldStatistics.of_rows(rows.design, rows.y, rows.w)
            if statistics is None:
                explain_not_finite(self, rows)
            if n > p:
                return statistics, decompose(
                    rows, statistics, self.fit_intercept, smallest, getattr(self, "gcv_mode", None)
                )
        else:
            statistics = None
            if not finite(rows):
                explain_not_finite(self, rows)
        means = column_means(rows, self.fit_intercept)
        return statistics, decompose_dual(rows, *means, self.fit_intercept)

    def _one_penalty_a_target(self, rows):
        return getattr(self, "alpha_per_target", False) and rows.y.shape[1] > 1

    def _take_best(self, fit, alphas, scores, best, rows):
        if self._one_penalty_a_target(rows):
            self.alpha_, self.best_score_ = alphas[best], scores[best, np.arange(len(best))]
            coef = np.array([fit.coefficients(alphas[a])[k] for k, a in enumerate(best)])
        else:
            if scores.ndim == 2:  # alpha_per_target of one target
                scores, best = scores[:, 0], best[0]
            self.alpha_, self.best_score_ = float(alphas[best]), float(scores[best])
            coef = fit.coefficients(alphas[best])
        self._set_linear(coef, fit.x_mean, fit.y_mean)
        return coef

    def _fit_folds(self, model, X, y, sample_weight, alphas, params):
        from mlwright.model_selection import SharedSearchCV

        for name in ("store_cv_results", "alpha_per_target"):
            if getattr(self, name, False):
                raise ValueError(f"cv!=None and {name}=True are incompatible")
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if _routing_enabled():
            model.set_fit_request(sample_weight=True)
        folds = {"cv": self.cv, "scoring": self._get_scorer(), "error_score": "raise"}
        search = SharedSearchCV(model, {"alpha": alphas}, **folds).fit(X, y, **params)
        self._take_model(search.best_estimator_, search.best_score_)
        return self

    def _choose_by_sums(self, new, test, whole, metric):
        """Fit by the statistics of folds, and of all rows in the form that a model ``new(alpha)`` takes."""
        alphas = checked_alphas(self.alphas, False)
        scores = scores_of_folds(self, test, alphas, metric).mean(axis=1)
        best = int(scores.argmax())
        model = new(float(alphas[best]), fit_intercept=self.fit_intercept)
        for name in ("n_features_in_", "feature_names_in_", "_dtype", "_single_target"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        model._fit_statistics(whole)
        vars(self).pop("cv_results_", None)
        self._take_model(model, scores[best])

    def _take_model(self, best, score):
        """Become the fitted model of the penalty chosen."""
        self.alpha_, self.best_score_ = float(best.alpha), float(score)
        for name in ("feature_names_in_", "_left_out_levels"):
            vars(self).pop(name, None)
        for name in (*LINEAR_FIELDS, *self._also_of_the_best):
            if hasattr(best, name):
                setattr(self, name, getattr(best, name))
        take_certificate(self, best)

    def _scorer_of_rows(self, rows, sample_weight, params):
        """The scorer, None for squared errors, and what it is given besides predictions."""
        scorer = self._get_scorer()
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if _routing_enabled():
            score_params = process_routing(self, "fit", **params).scorer.score
        else:
            score_params = {} if sample_weight is None else {"sample_weight": rows.w}
        return (None if self.scoring is None else scorer), score_params

    def _get_scorer(self):
        if _routing_enabled() and self.scoring is None:
            return get_scorer(self._own_metric).set_score_request(sample_weight=True)
        return check_scoring(estimator=self, scoring=self.scoring, allow_none=True)

    def get_metadata_routing(self):
        """What goes where with metadata routing: to the scorer and to the splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(scorer=self._get_scorer(), method_mapping=MethodMapping().add(caller="fit", callee="score"))
        return router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))


def checked_alphas(alphas, leave_one_out):
    """Penalties as an array, by scikit-learn's rules: positive for leave-one-out, not negative for folds."""
    values = np.atleast_1d(np.asarray(alphas))
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"alphas: got an array of shape {values.shape}, expected one number or a vector of them.")
    bounds = "neither" if leave_one_out else "left"
    for i, alpha in enumerate(values.tolist()):
        name = "alphas" if len(values) == 1 else f"alphas[{i}]"
        check_scalar(alpha, name, target_type=Real, min_val=0.0, include_boundaries=bounds)
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"alphas: got {alphas!r}, expected finite numbers.")
    return values
