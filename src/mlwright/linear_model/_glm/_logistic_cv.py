"""Logistic regression with its penalty chosen by cross-validation."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _manual_routing,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from mlwright._runtime import threads
from mlwright.base import fit_context
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Labels, Number, Tensor
from mlwright.linear_model._folds import Splits
from mlwright.linear_model._glm._base import COMMON_FIELDS, certify, explain
from mlwright.linear_model._glm._categories import CATEGORY_FIELDS, CategoricalMixin
from mlwright.linear_model._glm._fold_fits import FoldFits, Grid, best_place
from mlwright.linear_model._glm._fold_shapes import SHAPES, FoldShapes
from mlwright.linear_model._glm._held_out import Judge, Scored
from mlwright.linear_model._glm._logistic import SOLVERS, LogisticModel
from mlwright.linear_model._glm._logistic_fit import LogisticFitter
from mlwright.linear_model._glm._penalty import check_solver, strength_of


class LogisticRegressionCV(CategoricalMixin, FoldShapes, LogisticModel):
    """Logistic regression with ``C`` and ``l1_ratio`` chosen by cross-validation.

    Each fold goes along its path of penalties, every fit started from the one before. Of two classes and with many
    rows, all folds are fitted side by side from the same reads of the rows; of more under an L1 penalty, folds start
    from the fit to all rows and with its Hessian. Where there are fewer rows than columns, ``X X'`` is formed once and
    all folds and penalties are fitted on its parts. Columns of categories and offsets are as in
    :class:`LogisticRegression`; a level counts where it occurs in any row, whichever fold has it.

    Parameters
    ----------
    Cs : int or array-like of float, default=10
        Inverse strengths of the penalty; a number of them from 1e-4 to 1e4.
    l1_ratios : array-like of float, default=None
        Candidates between 0 (L2) and 1 (L1); None is L2 alone.
    fit_intercept : bool, default=True
    cv : int, cross-validation generator, iterable or "alo", default=None
        None is stratified and of 5 folds. "alo" leaves out every row in turn, approximately, for the cost of fitting
        all rows once along the path and a Hessian for each penalty.
    dual : bool, default=False
        For compatibility.
    penalty : {"l1", "l2", "elasticnet"}, default="deprecated"
        As in scikit-learn, deprecated there for `l1_ratios`.
    scoring : str or callable, default=None
        None is the accuracy.
    solver : str, default="auto"
        As in :class:`LogisticRegression`.
    tol : float, default=1e-4
    max_iter : int, default=100
    class_weight : dict or "balanced", default=None
    n_jobs : int, default=None
        Threads.
    verbose : int, default=0
        For compatibility.
    refit : bool, default=True
        Fit all rows at the best penalty; otherwise average the folds' best coefficients.
    intercept_scaling : float, default=1.0
        For compatibility.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    use_legacy_attributes : bool, default=True
        Shapes of `scores_`, `coefs_paths_`, `n_iter_`, `C_` and `l1_ratio_`: scikit-learn's until 1.9, or those since.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_coefficients) or (n_classes, n_coefficients)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    coef_names_, is_categorical_
        As in :class:`LogisticRegression`.
    Cs_ : ndarray of shape (n_cs,)
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
    C_, l1_ratio_ : ndarray of shape (1,) or (n_classes,); float
    scores_ : dict of ndarray of shape (n_folds, n_cs[, n_l1_ratios]); ndarray of shape (n_folds, n_l1_ratios, n_cs)
    coefs_paths_ : dict of ndarray of shape (n_folds, n_cs[, n_l1_ratios], n_coefficients + 1); \
ndarray of shape (n_folds, n_l1_ratios, n_cs, n_classes, n_coefficients + 1)
    n_iter_ : ndarray of shape (1, n_folds, n_cs[, n_l1_ratios]); (n_folds, n_l1_ratios, n_cs)
    objective_, kkt_violation_, converged_, n_passes_
        Of the last fit, see :class:`LogisticRegression`; `n_passes_` are those of all fits.
    loo_decision_function_ : ndarray of shape (n_samples,) or (n_samples, n_classes)
        With ``cv="alo"``: approximate scores of each row under a fit to all others, at the penalty chosen.
    alo_error_ : float
        With ``cv="alo"``: the largest difference of those scores from exact ones, over ten rows for each of which a fit
        without it is made: those that leaving out moves most and, under an L1 penalty, those whose absence is
        predicted to matter most by changing which coefficients are zero. Other rows may be off by more.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from mlwright.linear_model import LogisticRegressionCV
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegressionCV(Cs=5, scoring="neg_log_loss", use_legacy_attributes=False).fit(X, y)
    >>> model.scores_.shape, bool(model.score(X, y) < 0.0)
    ((5, 1, 5), True)
    """

    _model_state = State(
        **COMMON_FIELDS,
        **CATEGORY_FIELDS,
        classes_=Labels("k"),
        coef_=Tensor("f4 f8", "* q"),
        intercept_=Tensor("f4 f8", "*"),
        Cs_=Tensor("f8", "c"),
        l1_ratios_=Tensor("f8", "r"),
        _best_C=Number(0.0, finite=False),
        _best_l1_ratio=Number(0.0, 1.0),
        _fold_scores=Tensor("f8", "f c r", finite=False),
        _fold_steps=Tensor("i4", "f c r"),
        _fold_paths=Tensor("f8", "f c r * *"),
        _shapes=Maybe(SHAPES),
        loo_decision_function_=Maybe(Tensor("f8", "*", "* *")),
        alo_error_=Maybe(Number(0.0)),
    )
    _parameter_constraints: ClassVar[dict] = {
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "l1_ratios": ["array-like", None],
        "fit_intercept": ["boolean"],
        "cv": ["cv_object", StrOptions({"alo"})],
        "dual": ["boolean"],
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), Hidden(StrOptions({"deprecated"}))],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "solver": [StrOptions(SOLVERS)],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
        "refit": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "use_legacy_attributes": ["boolean"],
    }

    def __init__(
        self,
        *,
        Cs=10,
        l1_ratios=None,
        fit_intercept=True,
        cv=None,
        dual=False,
        penalty="deprecated",
        scoring=None,
        solver="auto",
        tol=1e-4,
        max_iter=100,
        class_weight=None,
        n_jobs=None,
        verbose=0,
        refit=True,
        intercept_scaling=1.0,
        random_state=None,
        use_legacy_attributes=True,
    ):
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes

    @fit_context
    def fit(self, X, y, sample_weight=None, *, offset=None, **params):
        """Fit the folds along their paths, then all rows at the best penalty.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Of the fits, and of the scores of held-out rows.
        offset : array-like of shape (n_samples,), or (n_samples, n_classes) with more than two classes, default=None
            Added to the scores, as in :class:`LogisticRegression`, of fits and of held-out rows.
        **params : dict
            Metadata for the splitter and the scorer, where scikit-learn's metadata routing is enabled.

        Returns
        -------
        self : object
        """
        _raise_for_params(params, self, "fit")
        grid = Grid(*self._candidates(), self.tol, self.max_iter)
        rows, codes, w = self._rows(X, y, sample_weight)
        offset = self._offset(offset, len(codes))
        self._require_two_classes_for_liblinear()
        if sample_weight is not None:
            params = {**params, "sample_weight": rows.w}
        routed = self._routed(params)
        coded = self.is_categorical_ is not None
        own = X if coded or offset is not None else None
        judge = Judge(rows, codes, self.classes_, self.scoring, routed.scorer.score, own)
        for name in ("alo_error_", "loo_decision_function_"):
            vars(self).pop(name, None)
        with threads.limit(self.n_jobs):
            l1 = float(grid.ratios.max())
            whole = LogisticFitter.of_rows(rows, codes, w, len(self.classes_), self.fit_intercept, l1, offset)
            if isinstance(self.cv, str):
                fits = FoldFits(whole, rows, grid, judge, 1, lambda: explain(self, rows))
                scores, self.alo_error_ = fits.fit_left_out()
                self.loo_decision_function_ = scores[:, 0] if scores.shape[1] == 1 else scores
            else:
                splits = Splits.of(self.cv, X if coded else rows.X, codes, classifier=True, **routed.splitter.split)
                self._require_classes(whole, splits)
                fits = FoldFits(whole, rows, grid, judge, len(splits), lambda: explain(self, rows)).fit(splits)
            self._finish(fits)
        self._remember_features(X)
        return self

    def score(self, X, y, sample_weight=None, *, offset=None, **score_params):
        """The score that ``scoring`` names.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        offset : array-like of shape (n_samples,), or (n_samples, n_classes) with more than two classes, default=None
            As in ``fit``.
        **score_params : dict
            Metadata for the scorer, where scikit-learn's metadata routing is enabled.

        Returns
        -------
        score : float
        """
        _raise_for_params(score_params, self, "score")
        if sample_weight is not None:
            score_params["sample_weight"] = sample_weight
        if _routing_enabled():
            score_params = process_routing(self, "score", **score_params).scorer.score
        scored = self if offset is None else Scored(self.classes_, self._scores_at(X, offset))
        return self._scorer()(scored, X, y, **score_params)

    def get_metadata_routing(self):
        """How metadata is routed: to the scorer and to the splitter of `cv`.

        Returns
        -------
        routing : MetadataRouter
        """
        splitter = check_cv(None if isinstance(self.cv, str) else self.cv)
        scores = MethodMapping().add(caller="fit", callee="score").add(caller="score", callee="score")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(splitter=splitter, method_mapping=MethodMapping().add(caller="fit", callee="split"))
            .add(scorer=self._scorer(), method_mapping=scores)
        )

    def _uses_l1(self):
        return float(self._candidates()[1].max()) > 0.0

    def _scorer(self):
        return get_scorer(self.scoring or "accuracy")

    def _routed(self, params):
        if _routing_enabled():
            return process_routing(self, "fit", **params)
        return _manual_routing({"splitter": {"split": {}}, "scorer": {"score": params}})

    def _candidates(self):
        Cs = np.logspace(-4, 4, self.Cs) if isinstance(self.Cs, Integral) else np.asarray(self.Cs, dtype=np.float64)
        ratios = np.asarray([0.0] if self.l1_ratios is None else self.l1_ratios, dtype=np.float64)
        if self.penalty in ("l1", "l2") and self.l1_ratios is None:
            ratios = np.array([1.0 if self.penalty == "l1" else 0.0])
        if self.penalty == "elasticnet" and self.l1_ratios is None:
            raise ValueError("l1_ratios must be an array-like of numbers between 0 and 1; got None, expected a list.")
        if Cs.ndim != 1 or len(Cs) == 0 or not (Cs > 0).all():
            raise ValueError(f"Cs: got {self.Cs!r}, expected positive numbers, or how many of them.")
        if ratios.ndim != 1 or len(ratios) == 0 or not ((ratios >= 0) & (ratios <= 1)).all():
            raise ValueError(f"l1_ratios must be an array-like of numbers between 0 and 1; got {self.l1_ratios!r}.")
        check_solver(self.solver, 1.0, float(ratios.max()), self.dual)
        return Cs, ratios

    def _require_classes(self, whole, splits):
        """All of them among the training rows (of positive weight) of every fold."""
        for f, train in enumerate(splits.train):
            w = None if whole.w is None else whole.w[train] > 0
            missing = np.flatnonzero(np.bincount(whole.codes[train].astype(np.intp), w, whole.n_classes) == 0)
            if len(missing):
                label = self.classes_.tolist()[missing[0]]
                raise ValueError(
                    f"cv: the training rows of fold {f} have no row of class {label!r}, expected all classes in each; "
                    "use stratified or fewer folds."
                )

    def _finish(self, fits):
        grid, whole, p = fits.grid, fits.whole, fits.p
        self.Cs_, self.l1_ratios_ = grid.Cs, grid.ratios
        self._fold_scores, self._fold_steps, self._fold_paths = fits.scores, fits.steps, fits.paths
        self._shapes = {"legacy": bool(self.use_legacy_attributes), "ratios": self.l1_ratios is not None}
        if self.refit:
            best = best_place(fits.scores.sum(axis=0))
            self._best_C, self._best_l1_ratio = float(grid.Cs[best[0]]), float(grid.ratios[best[1]])
            solution = fits.known.get(best) or self._fit_best(whole, grid)
            coef, intercept = solution.coef, solution.intercept
        else:
            best = [best_place(scores) for scores in fits.scores]
            self._best_C = float(np.mean([grid.Cs[c] for c, _ in best]))
            self._best_l1_ratio = float(np.mean([grid.ratios[r] for _, r in best]))
            mean = np.mean([fits.paths[f, c, r] for f, (c, r) in enumerate(best)], axis=0)
            solution = self._fit_best(whole, grid)  # certifies the penalty; the coefficients are the folds'
            coef = mean[:, :p]
            intercept = mean[:, -1] if whole.fit_intercept else np.zeros(len(mean))
        certify(self, solution, fits.rows)
        self.n_passes_ += fits.n_passes
        self.coef_, self.intercept_ = coef.astype(fits.rows.dtype), intercept.astype(fits.rows.dtype)

    def _fit_best(self, whole, grid):
        strength = strength_of(self._best_C)
        l1, l2 = self._best_l1_ratio * strength, (1.0 - self._best_l1_ratio) * strength
        return whole.in_columns(whole.solve(whole.problem(), l1, l2, whole.start(), grid.tol, grid.max_iter))
