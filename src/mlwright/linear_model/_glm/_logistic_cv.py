"""Logistic regression with its penalty chosen by cross-validation."""

from dataclasses import replace
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Hidden, Interval, StrOptions

from mlwright._runtime import threads
from mlwright.base import fit_context
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Labels, Number, Tensor
from mlwright.linear_model._glm._alo import error_of, left_out
from mlwright.linear_model._glm._base import COMMON_FIELDS, certify
from mlwright.linear_model._glm._folds_together import FoldsTogether, fold_numbers, shares_passes
from mlwright.linear_model._glm._logistic import SOLVERS, LogisticModel, LogisticRegression
from mlwright.linear_model._glm._logistic_fit import LogisticFitter
from mlwright.linear_model._glm._penalty import check_solver


class _Scored(LogisticModel):
    """Scores that are there already, for scikit-learn's scorers."""

    def __init__(self, classes, scores):
        self.classes_, self._scores = classes, scores[:, 0] if scores.shape[1] == 1 else scores

    def decision_function(self, X):
        return self._scores


class LogisticRegressionCV(LogisticModel):
    """Logistic regression with ``C`` and ``l1_ratio`` chosen by cross-validation.

    Each fold goes along its path of penalties, every fit started from the one before. Of two classes under an L2
    penalty and with many rows, all folds are fitted side by side from the same reads of the rows. Where there are fewer
    rows than columns, ``X X'`` is formed once and all folds and penalties are fitted on its parts.

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
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    Cs_ : ndarray of shape (n_cs,)
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
    C_, l1_ratio_ : ndarray of shape (1,) or (n_classes,); float
    scores_ : dict of ndarray of shape (n_folds, n_cs[, n_l1_ratios]); ndarray of shape (n_folds, n_l1_ratios, n_cs)
    coefs_paths_ : dict of ndarray of shape (n_folds, n_cs[, n_l1_ratios], n_features + 1); \
ndarray of shape (n_folds, n_l1_ratios, n_cs, n_classes, n_features + 1)
    n_iter_ : ndarray of shape (1, n_folds, n_cs[, n_l1_ratios]); (n_folds, n_l1_ratios, n_cs)
    objective_, kkt_violation_, converged_, n_passes_
        Of the last fit, see :class:`LogisticRegression`; `n_passes_` are those of all fits.
    loo_decision_function_ : ndarray of shape (n_samples,) or (n_samples, n_classes)
        With ``cv="alo"``: approximate scores of each row under a fit to all others, at the penalty chosen.
    alo_error_ : float
        With ``cv="alo"``: the largest difference of those scores from exact ones, over the ten rows that leaving out
        moves most, for each of which a fit without it is made.
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
        classes_=Labels("k"),
        coef_=Tensor("f4 f8", "* p"),
        intercept_=Tensor("f4 f8", "*"),
        Cs_=Tensor("f8", "c"),
        l1_ratios_=Tensor("f8", "r"),
        _best_C=Number(0.0, finite=False),
        _best_l1_ratio=Number(0.0, 1.0),
        _fold_scores=Tensor("f8", "f c r", finite=False),
        _fold_steps=Tensor("i4", "f c r"),
        _fold_paths=Tensor("f8", "f c r * *"),
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
    def fit(self, X, y, sample_weight=None):
        """Fit the folds along their paths, then all rows at the best penalty.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        self.Cs_, self.l1_ratios_ = self._candidates()
        rows, codes, w = self._labelled_rows(X, y, sample_weight)
        with threads.limit(self.n_jobs):
            l1 = float(self.l1_ratios_.max())
            whole = LogisticFitter.of_rows(rows, codes, w, len(self.classes_), self.fit_intercept, l1)
            vars(self).pop("alo_error_", None)
            vars(self).pop("loo_decision_function_", None)
            known = {}
            if isinstance(self.cv, str):
                self._fit_left_out(whole, rows)
            else:
                folds = list(check_cv(self.cv, codes, classifier=True).split(rows.X, codes))
                known = self._fit_folds(whole, folds, rows)
            self._finish(whole, rows, known)
        return self

    def score(self, X, y, sample_weight=None):
        """The score that ``scoring`` names.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        scorer = get_scorer(self.scoring or "accuracy")
        return scorer(self, X, y) if sample_weight is None else scorer(self, X, y, sample_weight=sample_weight)

    def _candidates(self):
        Cs = np.logspace(-4, 4, self.Cs) if isinstance(self.Cs, Integral) else np.asarray(self.Cs, dtype=np.float64)
        ratios = np.asarray([0.0] if self.l1_ratios is None else self.l1_ratios, dtype=np.float64)
        if self.penalty in ("l1", "l2") and self.l1_ratios is None:
            ratios = np.array([1.0 if self.penalty == "l1" else 0.0])
        if Cs.ndim != 1 or len(Cs) == 0 or not (Cs > 0).all():
            raise ValueError(f"Cs: got {self.Cs!r}, expected positive numbers, or how many of them.")
        if ratios.ndim != 1 or len(ratios) == 0 or not ((ratios >= 0) & (ratios <= 1)).all():
            raise ValueError(f"l1_ratios must be an array-like of numbers between 0 and 1; got {self.l1_ratios!r}.")
        check_solver(self.solver, 1.0, float(ratios.max()), self.dual)
        return Cs, ratios

    def _begin(self, n_folds, whole, p):
        shape, k = (n_folds, len(self.Cs_), len(self.l1_ratios_)), whole.n_rows_of_coef
        self._fold_scores, self._fold_steps = np.empty(shape), np.empty(shape, dtype=np.int32)
        self._fold_paths = np.empty((*shape, k, p + bool(self.fit_intercept)))
        self.n_passes_ = 0.0

    def _fit_left_out(self, whole, rows):
        """Scores of rows left out, approximately, from one path on all rows."""
        self._begin(1, whole, rows.X.shape[1])
        everyone, best = np.arange(len(whole.codes)), -np.inf
        for r, ratio in enumerate(self.l1_ratios_):
            path = self._path(whole, ratio)
            self._fold_steps[0, :, r] = [solution.n_iter for solution in path]
            self._keep_paths(whole, path, 0, r)
            self.n_passes_ += sum(solution.n_passes for solution in path)
            for c, solution in enumerate(path):
                penalties = ratio / self.Cs_[c], (1.0 - ratio) / self.Cs_[c]
                guess = left_out(whole, solution, *penalties)
                score = self._score_of(whole, guess.scores, everyone, rows, None)
                self._fold_scores[0, c, r] = score
                if score > best:  # as argmax: the first of the best along Cs, then along l1_ratios
                    best, chosen = score, (whole, solution, *penalties, guess)
        self.alo_error_ = error_of(*chosen, self.tol, self.max_iter)
        scores = chosen[-1].scores
        self.loo_decision_function_ = scores[:, 0] if scores.shape[1] == 1 else scores

    def _fit_folds(self, whole, folds, rows):
        """Scores of the folds; the fits to all rows that were made on the way, by penalty."""
        self._begin(len(folds), whole, rows.X.shape[1])
        for f, (train, _) in enumerate(folds):
            self._require_classes(whole, train, f)
        problem = whole.problem()
        if shares_passes(whole, problem, self.l1_ratios_.max()):
            fold = fold_numbers(folds, len(whole.codes))
            if fold is not None:
                return self._fit_folds_together(whole, problem, folds, fold, rows)
        self._fit_folds_apart(whole, folds, rows)
        return {}

    def _fit_folds_together(self, whole, problem, folds, fold, rows):
        order = np.argsort(self.Cs_, kind="stable")
        penalties = [(0.0, 1.0 / self.Cs_[c]) for c in order]
        path = whole.solve_path(problem, penalties, whole.start(), self.tol, self.max_iter)
        together = FoldsTogether(problem, fold, len(folds), self.tol)
        for c, solution in zip(order, path, strict=True):
            found = together.fit(1.0 / self.Cs_[c], solution)
            for f, (train, test) in enumerate(folds):
                one, scores = found.solutions[f], found.scores[test, None]
                if one is None:
                    fitter, start = whole.part(train), (solution.coef, solution.intercept)
                    one = fitter.solve(fitter.problem(), 0.0, 1.0 / self.Cs_[c], start, self.tol, self.max_iter)
                    scores = fitter.scores([one], rows.X, test)[0]
                    self.n_passes_ += one.n_passes * len(train) / len(fold)
                self._fold_steps[f, c] = one.n_iter
                self._fold_paths[f, c, ..., : one.coef.shape[1]] = one.coef
                if self.fit_intercept:
                    self._fold_paths[f, c, ..., -1] = one.intercept
                self._fold_scores[f, c] = self._score_of(whole, scores, test, rows, self._fold_paths[f, c, 0])
        self.n_passes_ += together.n_passes + sum(solution.n_passes for solution in path)
        return {self.Cs_[c]: replace(solution, n_passes=0.0) for c, solution in zip(order, path, strict=True)}

    def _fit_folds_apart(self, whole, folds, rows):
        for f, (train, test) in enumerate(folds):
            fitter = whole.part(train)
            for r, ratio in enumerate(self.l1_ratios_):
                path = self._path(fitter, ratio)
                self._fold_steps[f, :, r] = [solution.n_iter for solution in path]
                self._keep_paths(fitter, path, f, r)
                for c, scores in enumerate(fitter.scores(path, rows.X, test)):
                    self._fold_scores[f, c, r] = self._score_of(whole, scores, test, rows, self._fold_paths[f, c, r])
                self.n_passes_ += sum(solution.n_passes for solution in path) * len(train) / len(whole.codes)

    def _require_classes(self, whole, train, fold):
        missing = np.flatnonzero(np.bincount(whole.codes[train].astype(np.intp), minlength=whole.n_classes) == 0)
        if len(missing):
            raise ValueError(
                f"cv: the training rows of fold {fold} have no row of class {self.classes_[missing[0]]!r}, expected "
                "all classes in each; use stratified or fewer folds."
            )

    def _path(self, fitter, ratio):
        order = np.argsort(self.Cs_, kind="stable")
        penalties = [(ratio / self.Cs_[c], (1.0 - ratio) / self.Cs_[c]) for c in order]
        path = fitter.solve_path(fitter.problem(), penalties, fitter.start(), self.tol, self.max_iter)
        return [path[i] for i in np.argsort(order, kind="stable")]

    def _keep_paths(self, fitter, path, f, r):
        k = fitter.n_rows_of_coef
        coef, intercept = (np.concatenate([getattr(s, name) for s in path]) for name in ("coef", "intercept"))
        stacked, shift = fitter.original(coef, intercept)
        for c in range(len(path)):
            here = slice(c * k, (c + 1) * k)
            self._fold_paths[f, c, r, :, : stacked.shape[1]] = stacked[here]
            if self.fit_intercept:
                self._fold_paths[f, c, r, :, -1] = shift[here]

    def _score_of(self, whole, scores, test, rows, path):
        """Of held-out rows, by the weights that `fit` was given."""
        w = None if rows.w is None else rows.w[test]
        if w is not None and not w.any():
            raise ValueError("cv: the held-out rows of a fold all have weight 0, expected some above 0 in each.")
        if self.scoring is None:
            guess = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
            return float(np.average(guess == whole.codes[test], weights=w))
        p = rows.X.shape[1]
        if path is None:
            model = _Scored(self.classes_, scores)
        else:
            model = LogisticRegression()
            model.classes_, model.n_features_in_ = self.classes_, p
            model.coef_, model.intercept_ = path[:, :p], path[:, p] if self.fit_intercept else np.zeros(len(path))
        X = rows.X.tocsr()[test] if rows.is_sparse else rows.X[test]
        weight = {} if w is None else {"sample_weight": w}
        return float(get_scorer(self.scoring)(model, X, self.classes_[whole.codes[test].astype(np.intp)], **weight))

    def _finish(self, whole, rows, known):
        n_passes = self.n_passes_
        if self.refit:
            best = np.unravel_index(np.argmax(self._fold_scores.sum(axis=0)), self._fold_scores.shape[1:])
            self._best_C, self._best_l1_ratio = float(self.Cs_[best[0]]), float(self.l1_ratios_[best[1]])
            solution = known.get(self._best_C) or self._fit_best(whole)
            coef, intercept = solution.coef, solution.intercept
        else:
            best = [np.unravel_index(np.argmax(s), s.shape) for s in self._fold_scores]
            self._best_C = float(np.mean([self.Cs_[c] for c, _ in best]))
            self._best_l1_ratio = float(np.mean([self.l1_ratios_[r] for _, r in best]))
            mean = np.mean([self._fold_paths[f, c, r] for f, (c, r) in enumerate(best)], axis=0)
            solution = self._fit_best(whole)  # certifies the penalty; the coefficients are the folds'
            coef = mean[:, : rows.X.shape[1]]
            intercept = mean[:, -1] if self.fit_intercept else np.zeros(len(mean))
        certify(self, solution, rows)
        self.n_passes_ += n_passes
        self.coef_, self.intercept_ = coef.astype(rows.dtype), intercept.astype(rows.dtype)

    def _fit_best(self, whole):
        l1, l2 = self._best_l1_ratio / self._best_C, (1.0 - self._best_l1_ratio) / self._best_C
        return whole.in_columns(whole.solve(whole.problem(), l1, l2, whole.start(), self.tol, self.max_iter))

    # ---- scikit-learn's shapes of what was seen

    @property
    def _squeezes(self):
        return self.use_legacy_attributes and self.l1_ratios is None

    @property
    def _keys(self):
        return self.classes_[1:] if len(self.classes_) == 2 else self.classes_

    @property
    def C_(self):
        return np.full(len(self._keys), self._best_C) if self.use_legacy_attributes else self._best_C

    @property
    def l1_ratio_(self):
        return np.full(len(self._keys), self._best_l1_ratio) if self.use_legacy_attributes else self._best_l1_ratio

    @property
    def scores_(self):
        if not self.use_legacy_attributes:
            return self._fold_scores.swapaxes(1, 2)
        scores = self._fold_scores[:, :, 0] if self._squeezes else self._fold_scores
        return {key: scores.copy() for key in self._keys}

    @property
    def coefs_paths_(self):
        if not self.use_legacy_attributes:
            return self._fold_paths.swapaxes(1, 2)
        paths = self._fold_paths[:, :, 0] if self._squeezes else self._fold_paths
        return {key: paths[..., k, :] for k, key in enumerate(self._keys)}

    @property
    def n_iter_(self):
        if not self.use_legacy_attributes:
            return self._fold_steps.swapaxes(1, 2)
        return (self._fold_steps[:, :, 0] if self._squeezes else self._fold_steps)[None]
