"""Search over parameters that lets fits share their work where an estimator knows how."""

import time
from copy import deepcopy
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _insert_error_scores, _warn_or_raise_about_fit_failures
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_method_params, indexable

from mlwright._shared_fits import shares_fits, shares_scores
from mlwright.base import fit_context
from mlwright.model_selection._folds_and_fits import Task, evaluate, score_all


class SharedSearchCV(BaseSearchCV):
    """Search over parameters with cross-validation, many fits at once.

    A drop-in for scikit-learn's ``GridSearchCV`` (with `param_grid`) and ``RandomizedSearchCV`` (with
    `param_distributions`). An estimator with a shared fit path, as mlwright's boosting has, answers many candidates
    from one pass over each training set: rows are checked and binned once, candidates that differ only in ``max_iter``
    come from one fit, and fits run side by side, one a thread. Scores are to the bit those of separate fits. Ridge
    regression answers all penalties and folds from one pass over X, with the scores of separate fits up to rounding
    (scored by R2 or squared errors, where its answer is well-conditioned). Every other estimator is cloned and
    fitted through joblib, exactly as scikit-learn does.

    Parameters
    ----------
    estimator : estimator object
    param_grid : dict or list of dict, default=None
        Parameters and the values to try, all combinations of them; a list of dicts is a list of grids.
    param_distributions : dict or list of dict, default=None
        In place of `param_grid`: parameters and lists, or distributions with a method ``rvs``, to draw `n_iter`
        candidates from.
    n_iter : int, default=10
        Candidates drawn from `param_distributions`.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in scikit-learn: one metric or several; None is the estimator's ``score``.
    n_jobs : int or None, default=None
        Threads of the shared path, None for all that the process may use; else joblib's processes, None for one.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all rows; with several metrics the name of the one that decides; or a
        function from ``cv_results_`` to an index.
    cv : int, cross-validation generator, iterable or None, default=None
        None is 5 folds, stratified for classifiers.
    verbose : int, default=0
    pre_dispatch : int or str, default='2*n_jobs'
        Of joblib's processes.
    random_state : int, RandomState instance or None, default=None
        Of the draws from `param_distributions`.
    error_score : 'raise' or number, default=np.nan
        Score of a fit that failed.
    return_train_score : bool, default=False

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As in scikit-learn: ``params``, ``param_*`` (masked arrays), ``split0_test_score``, ``mean_test_score``,
        ``std_test_score``, ``rank_test_score``, ``mean_fit_time`` and so on. Where fits were shared, also ``binning``:
        the rows that the thresholds of the bins came from ("training fold"; "given" where X is ``BinnedData``, whose
        bins have seen the rows that scores are made on, too). A fit time is then the time that the
        shared fit took until it was this candidate's; what is made once counts for the candidate that came first.
    best_estimator_, best_params_, best_score_, best_index_, scorer_, n_splits_, refit_time_, multimetric_, classes_, \
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    scikit-learn's callbacks are told of separate fits only: an estimator or search that has some does not share.

    With ``random_state=None`` of the estimator, candidates of one fold share their draws too.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from mlwright.ensemble import HistGradientBoostingRegressor
    >>> from mlwright.model_selection import SharedSearchCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> grid = {"learning_rate": [0.05, 0.1], "max_iter": [20, 40, 80]}
    >>> search = SharedSearchCV(HistGradientBoostingRegressor(), grid, cv=3).fit(X, y)
    >>> search.best_params_
    {'learning_rate': 0.05, 'max_iter': 40}
    >>> search.cv_results_["mean_test_score"].shape
    (6,)
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list, None],
        "param_distributions": [dict, list, None],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        param_grid=None,
        *,
        param_distributions=None,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
    ):
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.random_state = random_state

    @fit_context
    def fit(self, X, y=None, **params):
        """Evaluate all candidates, and fit the best one on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        **params : dict of str -> object
            For the estimator's ``fit``, the scorer and the splitter, as in scikit-learn: what is as long as X is split
            with it; ``groups`` goes to the splitter.

        Returns
        -------
        self : object
        """
        candidates = self._candidates()
        if y is None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"{type(self).__name__} of a {type(self.estimator).__name__} requires y to be passed, but the target y "
                "is None"
            )
        has_callbacks = hasattr(self, "_skl_callbacks") or hasattr(self.estimator, "_skl_callbacks")
        scores_too = shares_scores(self.estimator)
        if y is None or has_callbacks or not (scores_too or shares_fits(self.estimator)):
            return super().fit(X, y, **params)
        given = X, y
        scorers, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        assert_all_finite(y, input_name="y")
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        splits = self._splits(X, y, routed.splitter.split)
        task = Task(
            X, y, scorers, routed.estimator.fit, routed.scorer.score, self.return_train_score, self.error_score
        )  # fmt: skip
        out = self._evaluated(task, candidates, splits, scores_too)
        if out is None:
            return super().fit(*given, **params)
        self._conclude(X, candidates, out, scorers, refit_metric)
        if self.refit:
            self._refit(X, y, routed.estimator.fit)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        of_estimator = get_tags(self.estimator)
        tags.input_tags.allow_nan = of_estimator.input_tags.allow_nan
        tags.target_tags = deepcopy(of_estimator.target_tags)
        return tags

    def _run_search(self, evaluate_candidates, *, callback_ctx):
        """What scikit-learn's ``fit`` calls where nothing is shared."""
        candidates = self._candidates()
        context = callback_ctx.subcontext(
            task_name="search", max_subtasks=len(candidates) * self.n_splits_, sequential_subtasks=False
        )
        context.call_on_fit_task_begin(estimator=self)
        evaluate_candidates(candidates, callback_ctx=context)
        context.call_on_fit_task_end(estimator=self)

    def _candidates(self):
        if (self.param_grid is None) == (self.param_distributions is None):
            got = "neither" if self.param_grid is None else "both"
            raise ValueError(
                f"SharedSearchCV: got {got} of param_grid and param_distributions, expected one of them: "
                "param_grid tries all combinations, param_distributions draws n_iter candidates"
            )
        if self.param_grid is not None:
            return list(ParameterGrid(self.param_grid))
        return list(ParameterSampler(self.param_distributions, self.n_iter, random_state=self.random_state))

    def _splits(self, X, y, split_params):
        cv = self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = cv.get_n_splits(X, y, **split_params)
        splits = list(cv.split(X, y, **split_params))
        if len(splits) != self.n_splits_:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. "
                f"Expected {self.n_splits_} splits, got {len(splits)}"
            )
        return splits

    def _evaluated(self, task, candidates, splits, scores_too):
        """Results in scikit-learn's order; None where scores have no shared path for these rows and parameters."""
        if scores_too:
            out = score_all(task, self.estimator, candidates, splits)
            if out is not None:
                self._announce(len(candidates))
            return out
        self._announce(len(candidates))
        estimator = clone(self.estimator)
        return evaluate(task, estimator, candidates, splits, n_jobs=self.n_jobs, verbose=self.verbose)

    def _announce(self, n_candidates):
        if self.verbose > 0:
            print(
                f"Fitting {self.n_splits_} folds for each of {n_candidates} candidates, "
                f"totalling {n_candidates * self.n_splits_} fits"
            )

    def _conclude(self, X, candidates, out, scorers, refit_metric):
        """All attributes but those of the refit."""
        if not out:
            raise ValueError("No fits were performed. Was the CV iterator empty? Were there no candidates?")
        _warn_or_raise_about_fit_failures(out, self.error_score)
        if callable(self.scoring):
            _insert_error_scores(out, self.error_score)
        columns = {name: [value] * len(candidates) for name, value in self.estimator._shared_columns(X).items()}
        results = self._format_results(candidates, self.n_splits_, out, columns)
        first = out[0]["test_scores"]
        self.multimetric_ = isinstance(first, dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(first)
            refit_metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]
        self.scorer_ = scorers._scorers if isinstance(scorers, _MultimetricScorer) else scorers
        self.cv_results_ = results

    def _refit(self, X, y, fit_params):
        self.best_estimator_ = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        begun = time.time()
        self.best_estimator_.fit(X, y, **fit_params)
        self.refit_time_ = time.time() - begun
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_
