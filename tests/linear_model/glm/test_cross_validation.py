"""LogisticRegressionCV: scikit-learn's scores, choices and shapes, also through the dual."""

import numpy as np
import pytest
import sklearn
import sklearn.linear_model as peer
from scipy import sparse
from sklearn.metrics import get_scorer
from sklearn.model_selection import GroupKFold, ShuffleSplit, StratifiedKFold

from mlwright._runtime import threads
from mlwright.linear_model import LogisticRegression, LogisticRegressionCV


def table(n, p, n_classes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + 1.0
    score = (X[:, :3] - 1.0) @ rng.standard_normal((3, n_classes)) + rng.gumbel(size=(n, n_classes))
    return X, score.argmax(axis=1)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("n", "p"), [(240, 6), (80, 700)])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_scores_are_scikit_learns(n, p, n_classes, scoring):
    X, y = table(n, p, n_classes)
    cv = StratifiedKFold(3)
    common = {"Cs": [1e-3, 1e-2, 0.1], "cv": cv, "scoring": scoring or "accuracy", "use_legacy_attributes": False}
    theirs = peer.LogisticRegressionCV(l1_ratios=(0,), tol=1e-8, max_iter=10000, **common).fit(X, y)
    ours = LogisticRegressionCV(tol=1e-6, **(common | {"scoring": scoring})).fit(X, y)
    np.testing.assert_allclose(ours.scores_, theirs.scores_, atol=1e-4)
    np.testing.assert_allclose(ours.coefs_paths_, theirs.coefs_paths_, atol=1e-3)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    assert ours.C_ == theirs.C_
    assert ours.converged_


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_weights_count_in_the_scores_of_folds(n_classes, scoring):
    """As in scikit-learn, and as rows that are there so many times."""
    X, y = table(150, 4, n_classes)
    w = np.random.default_rng(1).integers(0, 4, len(y))
    fold = np.arange(len(y)) % 3
    common = {"Cs": [1e-3, 1e-2, 0.1], "scoring": scoring or "accuracy", "use_legacy_attributes": False}
    given = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(3)]
    theirs = peer.LogisticRegressionCV(l1_ratios=(0,), tol=1e-8, max_iter=10000, cv=given, **common)
    theirs.fit(X, y, sample_weight=w)
    common["scoring"] = scoring
    ours = LogisticRegressionCV(tol=1e-6, cv=given, **common).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(ours.scores_, theirs.scores_, atol=1e-4)
    assert ours.C_ == theirs.C_
    fold = np.repeat(fold, w)
    given = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(3)]
    repeated = LogisticRegressionCV(tol=1e-6, cv=given, **common).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(ours.scores_, repeated.scores_, atol=1e-6)


def test_a_fold_of_no_weight_is_refused():
    X, y = table(90, 3, 2)
    given = [(np.arange(30, 90), np.arange(30)), (np.arange(60), np.arange(60, 90))]
    with pytest.raises(ValueError, match="all have weight 0"):
        LogisticRegressionCV(cv=given).fit(X, y, sample_weight=(np.arange(90) < 60) * 1.0)


def test_legacy_shapes():
    X, y = table(120, 4, 3)
    model = LogisticRegressionCV(Cs=4, cv=2).fit(X, y)
    assert model.scores_[0].shape == (2, 4)
    assert model.coefs_paths_[2].shape == (2, 4, 5)
    assert model.n_iter_.shape == (1, 2, 4)
    assert model.C_.shape == model.l1_ratio_.shape == (3,)
    mixed = LogisticRegressionCV(Cs=2, cv=2, l1_ratios=[0.0, 0.5]).fit(X, y == 0)
    assert mixed.scores_[True].shape == (2, 2, 2)
    assert mixed.C_.shape == (1,)


def test_without_refit_the_folds_are_averaged():
    X, y = table(120, 4, 2)
    model = LogisticRegressionCV(Cs=[0.1], cv=2, refit=False).fit(X, y)
    np.testing.assert_allclose(model.coef_[0], model.coefs_paths_[1][:, 0, :-1].mean(axis=0))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_dual_has_the_primal_optimum(fit_intercept, n_classes):
    X, y = table(60, 400, n_classes)
    w = np.random.default_rng(1).integers(0, 3, 60)
    settings = {"C": 0.05, "fit_intercept": fit_intercept, "tol": 1e-7}
    dual = LogisticRegression(**settings).fit(X, y, w)
    theirs = peer.LogisticRegression(C=0.05, fit_intercept=fit_intercept, tol=1e-9, max_iter=10000).fit(X, y, w)
    np.testing.assert_allclose(dual.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(dual.intercept_, theirs.intercept_, atol=1e-3)


WIDE = [
    "dense",
    "sparse",
    "single",
    "columns",
    "weights",
    "no intercept",
    "classes",
    "far means",
    "few directions",
    "twins",
]


@pytest.mark.parametrize("form", WIDE)
def test_folds_of_few_rows_have_the_optimum_of_fits_apart(form):
    n_classes = 3 if form == "classes" else 2
    X, y = table(60, 400, n_classes)
    rng = np.random.default_rng(2)
    if form == "few directions":
        X = rng.standard_normal((60, 4)) @ rng.standard_normal((4, 400)) + 0.01 * X
    if form == "twins":
        X[30:] = X[:30]
    if form == "far means":
        X = X + 1e6 * rng.standard_normal(400)
    X = X.astype(np.float32) if form == "single" else np.asfortranarray(X) if form == "columns" else X
    w = rng.integers(1, 4, 60).astype(float) if form == "weights" else None
    settings = {"fit_intercept": form != "no intercept", "tol": 1e-7, "max_iter": 1000}
    cv, Cs = StratifiedKFold(3), [1e-3, 1.0, 0.03]
    given = sparse.csr_matrix(X) if form == "sparse" else X
    model = LogisticRegressionCV(Cs=Cs, cv=cv, l1_ratios=[0.0, 0.0], use_legacy_attributes=False, **settings)
    model.fit(given, y, w)
    for f, (train, test) in enumerate(cv.split(X, y)):
        for c, C in enumerate(Cs):
            alone = LogisticRegression(C=C, **settings).fit(X[train], y[train], None if w is None else w[train])
            for r in (0, 1):
                path = model.coefs_paths_[f, r, c]
                np.testing.assert_allclose(path[:, :400], alone.coef_, atol=2e-5)
                if settings["fit_intercept"] and form != "far means":
                    np.testing.assert_allclose(path[:, 400], alone.intercept_, atol=2e-3)
                scores = np.average(alone.predict(X[test]) == y[test], weights=None if w is None else w[test])
                assert model.scores_[f, r, c] == pytest.approx(scores)
    assert model.converged_


@pytest.mark.parametrize("n_classes", [2, 3])
def test_folds_of_few_rows_are_the_same_bits_by_any_number_of_threads(n_classes):
    X, y = table(90, 300, n_classes)
    once = LogisticRegressionCV(cv=4).fit(X, y)
    for n_jobs in (1, 2, 3, 8):
        again = LogisticRegressionCV(cv=4, n_jobs=n_jobs).fit(X, y)
        assert all(np.array_equal(again.coefs_paths_[k], once.coefs_paths_[k]) for k in once.coefs_paths_)
        assert np.array_equal(again.coef_, once.coef_)


def test_a_fold_without_a_class_is_named():
    X, y = table(40, 3, 2)
    with pytest.raises(ValueError, match="fold 0 have no row of class"):
        LogisticRegressionCV(cv=[(np.flatnonzero(y == 0), np.flatnonzero(y == 1))]).fit(X, y)


@pytest.mark.parametrize("form", ["dense", "sparse", "weights", "no intercept", "units"])
def test_folds_side_by_side_have_the_optimum_of_fits_apart(form):
    X, y = table(3000, 6, 2)
    X[:, 5] = X[:, 5] > 2.5  # rare
    if form == "units":
        X = X * 10.0 ** np.arange(-6, 6, 2) + 100.0
    w = np.random.default_rng(1).integers(0, 4, 3000).astype(float) if form == "weights" else None
    settings = {"fit_intercept": form != "no intercept", "tol": 1e-6}
    cv, Cs = StratifiedKFold(4), [1e-3, 10.0, 0.3]
    given = sparse.csr_matrix(X) if form == "sparse" else X
    model = LogisticRegressionCV(Cs=Cs, cv=cv, use_legacy_attributes=False, **settings).fit(given, y, w)
    for f, (train, test) in enumerate(cv.split(X, y)):
        for c, C in enumerate(Cs):
            alone = LogisticRegression(C=C, **settings).fit(X[train], y[train], None if w is None else w[train])
            path = model.coefs_paths_[f, 0, c, 0]
            spread = X.std(axis=0)
            np.testing.assert_allclose(path[:6] * spread, alone.coef_[0] * spread, atol=2e-5)
            counts = np.ones(len(test)) if w is None else w[test]
            score = np.average(alone.predict(X[test]) == y[test], weights=counts)
            assert abs(model.scores_[f, 0, c] - score) <= 2 * counts.max() / counts.sum()
    best = LogisticRegression(C=model.C_, **settings).fit(X, y, w)
    np.testing.assert_allclose(model.coef_ * X.std(axis=0), best.coef_ * X.std(axis=0), atol=2e-5)
    assert model.converged_
    assert model.objective_ == pytest.approx(best.objective_, rel=1e-9)


def test_folds_side_by_side_read_the_rows_less_often_with_the_same_bits():
    X, y = table(6000, 8, 2)
    together = LogisticRegressionCV(cv=5).fit(X, y)
    apart = LogisticRegressionCV(cv=ShuffleSplit(5, test_size=0.2, random_state=0)).fit(X, y)
    assert together.n_passes_ < 0.6 * apart.n_passes_
    for n_threads in (1, 3, 8):
        with threads.limit(n_threads):
            again = LogisticRegressionCV(cv=5).fit(X, y)
        assert np.array_equal(again.coefs_paths_[1], together.coefs_paths_[1])
        assert np.array_equal(again.coef_, together.coef_)


def test_a_fold_that_the_common_hessian_does_not_fit_is_fitted_alone():
    """Rows in order of a column that one fold has nothing of: its own fit is far from that of all rows."""
    X, y = table(4000, 4, 2)
    X[:1000, 3] = 50.0 * (y[:1000] - 0.5)
    X[1000:, 3] = 0.0
    folds = [(np.setdiff1d(np.arange(4000), test), test) for test in np.array_split(np.arange(4000), 4)]
    model = LogisticRegressionCV(Cs=[1e3], cv=folds, use_legacy_attributes=False).fit(X, y)
    for f, (train, _) in enumerate(folds):
        alone = LogisticRegression(C=1e3).fit(X[train], y[train])
        np.testing.assert_allclose(model.coefs_paths_[f, 0, 0, 0, :3], alone.coef_[0, :3], atol=2e-3)


@pytest.mark.parametrize("form", ["dense", "sparse", "weights", "no intercept", "units"])
def test_folds_side_by_side_under_an_l1_penalty(form):
    X, y = table(3000, 8, 2)
    if form == "units":
        X = X * 10.0 ** np.arange(-6, 10, 2) + 100.0
    w = np.random.default_rng(1).integers(0, 4, 3000).astype(float) if form == "weights" else None
    settings = {"fit_intercept": form != "no intercept", "tol": 1e-6}
    cv, Cs, ratios = StratifiedKFold(4), [3e-3, 10.0, 0.03], [0.5, 1.0]
    given = sparse.csr_matrix(X) if form == "sparse" else X
    model = LogisticRegressionCV(
        Cs=Cs, cv=cv, l1_ratios=ratios, scoring="neg_log_loss", use_legacy_attributes=False, **settings
    ).fit(given, y, w)
    spread = X.std(axis=0)
    for f, (train, test) in enumerate(cv.split(X, y)):
        for c, C in enumerate(Cs):
            for r, ratio in enumerate(ratios):
                alone = LogisticRegression(C=C, l1_ratio=ratio, **settings)
                alone.fit(X[train], y[train], None if w is None else w[train])
                path = model.coefs_paths_[f, r, c, 0]
                np.testing.assert_allclose(path[:8] * spread, alone.coef_[0] * spread, atol=3e-5)
                p = np.log(alone.predict_proba(X[test]))[np.arange(len(test)), y[test]]
                assert abs(model.scores_[f, r, c] - np.average(p, weights=None if w is None else w[test])) <= 1e-5
    best = LogisticRegression(C=model.C_, l1_ratio=model.l1_ratio_, **settings).fit(X, y, w)
    assert model.converged_
    assert model.objective_ == pytest.approx(best.objective_, rel=1e-9)


def test_folds_side_by_side_under_an_l1_penalty_save_reads_and_keep_bits():
    X, y = table(4000, 10, 2)
    settings = {"l1_ratios": [1.0], "Cs": 5, "tol": 1e-5}
    together = LogisticRegressionCV(cv=5, **settings).fit(X, y)
    apart = LogisticRegressionCV(cv=ShuffleSplit(5, test_size=0.2, random_state=0), **settings).fit(X, y)
    assert together.n_passes_ < 0.8 * apart.n_passes_
    assert (together.coefs_paths_[1][:, 0] == 0.0).any()
    for n_threads in (1, 3, 8):
        with threads.limit(n_threads):
            again = LogisticRegressionCV(cv=5, **settings).fit(X, y)
        assert np.array_equal(again.coefs_paths_[1], together.coefs_paths_[1])


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([(np.arange(90), np.arange(0))], "split 0 has 90 training and 0 test rows"),
        ([(np.arange(0), np.arange(90))], "split 0 has 0 training and 90 test rows"),
        ([], "got no split"),
        ([(np.arange(30, 91), np.arange(30))], "30 to 90; expected numbers of the 90 rows"),
    ],
)
def test_folds_that_cannot_be(cv, message):
    X, y = table(90, 3, 2)
    with pytest.raises(ValueError, match=message):
        LogisticRegressionCV(Cs=2, cv=cv).fit(X, y)


def test_folds_by_masks_and_lists_are_those_by_numbers():
    X, y = table(90, 3, 2)
    test = np.arange(90) < 30
    expected = LogisticRegressionCV(Cs=3, cv=[(np.flatnonzero(~test), np.flatnonzero(test))]).fit(X, y)
    for pair in [(~test, test), (list(range(30, 90)), list(range(30))), (np.arange(-60, 0), np.arange(30))]:
        model = LogisticRegressionCV(Cs=3, cv=[pair]).fit(X, y)
        np.testing.assert_array_equal(model.coefs_paths_[1], expected.coefs_paths_[1])
        np.testing.assert_array_equal(model.scores_[1], expected.scores_[1])


def test_a_score_that_is_no_number_chooses_nothing():
    X, y = table(90, 3, 2)
    with pytest.raises(ValueError, match=r"scoring: .* is NaN"):
        LogisticRegressionCV(Cs=2, cv=2, scoring=lambda model, X, y: np.nan).fit(X, y)


def test_a_class_whose_training_rows_weigh_nothing_is_named():
    X, y = table(90, 3, 2)
    with pytest.raises(ValueError, match="fold 0 have no row of class 0"):
        LogisticRegressionCV(Cs=2, cv=3).fit(X, y, np.where((np.arange(90) >= 30) & (y == 0), 0.0, 1.0))


def test_rows_left_out_are_those_of_the_penalty_chosen():
    """Also where several penalties have the same score."""
    X, y = table(120, 3, 2)
    model = LogisticRegressionCV(Cs=6, cv="alo", l1_ratios=[0.0, 0.5, 1.0], use_legacy_attributes=False).fit(X, y)
    chosen = LogisticRegressionCV(Cs=[model.C_], cv="alo", l1_ratios=[model.l1_ratio_]).fit(X, y)
    assert (model.scores_ == model.scores_.max()).sum() > 1
    np.testing.assert_allclose(model.loo_decision_function_, chosen.loo_decision_function_, rtol=1e-2, atol=1e-2)


def test_metadata_goes_to_the_splitter_and_the_scorer():
    X, y = table(120, 3, 2)
    groups, w = np.arange(120) % 6, np.random.default_rng(2).uniform(0.5, 2.0, 120)
    common = {"Cs": [1e-2, 1.0], "use_legacy_attributes": False}
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        LogisticRegressionCV(cv=GroupKFold(3), **common).fit(X, y, groups=groups)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
        ours = LogisticRegressionCV(cv=GroupKFold(3), scoring=scorer, tol=1e-7, **common)
        ours.fit(X, y, sample_weight=w, groups=groups)
        theirs = peer.LogisticRegressionCV(
            cv=GroupKFold(3), scoring=scorer, l1_ratios=(0,), tol=1e-9, max_iter=1000, **common
        ).fit(X, y, sample_weight=w, groups=groups)
        np.testing.assert_allclose(ours.scores_, theirs.scores_, atol=1e-6)
        assert ours.score(X, y, sample_weight=w) == pytest.approx(theirs.score(X, y, sample_weight=w), abs=1e-5)
        with pytest.raises(ValueError, match="sample_weight"):
            LogisticRegressionCV(cv=2, scoring="neg_log_loss", **common).fit(X, y, sample_weight=w)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("form", ["dense", "sparse", "weights", "no intercept", "few rows"])
def test_folds_of_several_classes_start_from_the_hessians_of_all_rows(form, l1_ratio):
    X, y = table(60 if form == "few rows" else 900, 8, 3)
    w = np.random.default_rng(1).integers(1, 4, len(y)).astype(float) if form == "weights" else None
    settings = {"fit_intercept": form != "no intercept", "tol": 1e-6}
    cv, Cs = StratifiedKFold(3), [0.03, 3.0]
    given = sparse.csr_matrix(X) if form == "sparse" else X
    model = LogisticRegressionCV(Cs=Cs, cv=cv, l1_ratios=[l1_ratio], use_legacy_attributes=False, **settings)
    model.fit(given, y, w)
    for f, (train, _) in enumerate(cv.split(X, y)):
        for c, C in enumerate(Cs):
            alone = LogisticRegression(C=C, l1_ratio=l1_ratio, **settings)
            alone.fit(X[train], y[train], None if w is None else w[train])
            np.testing.assert_allclose(model.coefs_paths_[f, 0, c, :, :8], alone.coef_, atol=3e-5)
    assert model.converged_
    best = LogisticRegression(C=model.C_, l1_ratio=l1_ratio, **settings).fit(X, y, w)
    assert model.objective_ == pytest.approx(best.objective_, rel=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_values_that_are_not_finite(n_classes, l1_ratio, value):
    X, y = table(3000, 4, n_classes)
    X[7, 2] = value
    with pytest.raises(ValueError, match="Input X contains"):
        LogisticRegressionCV(Cs=2, cv=2, l1_ratios=[l1_ratio], scoring="neg_log_loss").fit(X, y)
