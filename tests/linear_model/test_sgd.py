"""Stochastic gradient descent: its laws to the bit, scikit-learn's answers in quality, and clear refusals."""

import copy

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as peer
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from mlwright._native import core
from mlwright._runtime import simd
from mlwright.linear_model import SGDClassifier, SGDRegressor
from mlwright.linear_model._sgd.visits import visits_of

LOSSES = ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]
CLASS_LOSSES = ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"]
SCHEDULES = ["constant", "optimal", "invscaling", "adaptive"]


def regression(n=300, p=5):
    X, y = make_regression(n, p, noise=5.0, random_state=0)
    return X, y / y.std()


def classes(k=3, n=300):
    return make_classification(n, 8, n_informative=5, n_classes=k, random_state=1)


def arrays(model):
    return [np.asarray(a).tobytes() for a in (model.coef_, model.intercept_)]


@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
@pytest.mark.parametrize("average", [False, 20])
def test_a_weight_is_a_repetition(penalty, average):
    """To the bit, whatever the order of the rows."""
    X, y = classes()
    rng = np.random.default_rng(0)
    w = rng.integers(0, 4, len(y))
    order = rng.permutation(len(y))
    for loss, schedule in [("hinge", "optimal"), ("log_loss", "adaptive"), ("hinge", "pa1")]:
        new = SGDClassifier(
            loss=loss, learning_rate=schedule, penalty=penalty, average=average, random_state=0, tol=1e-2
        )
        weighted = copy.deepcopy(new).fit(X[order], y[order], sample_weight=w[order])
        repeated = copy.deepcopy(new).fit(X.repeat(w, axis=0), y.repeat(w))
        assert arrays(weighted) == arrays(repeated)
        assert weighted.t_ == repeated.t_
        streamed = copy.deepcopy(new).partial_fit(X[order], y[order], np.unique(y), w[order])
        assert arrays(streamed) == arrays(
            copy.deepcopy(new).partial_fit(X.repeat(w, axis=0), y.repeat(w), np.unique(y))
        )


def test_visits():
    X, y = np.arange(8.0).reshape(4, 2), np.arange(4.0)
    plain = visits_of(X, y, None, shuffle=False)
    assert plain.row.tolist() == [0, 1, 2, 3]
    assert plain.weight is None
    part = visits_of(X, y, np.array([2.5, 0.0, 1.0, 0.25]), shuffle=False)
    assert sorted(zip(part.row.tolist(), part.weight.tolist(), strict=True)) == [
        (0, 0.5), (0, 1.0), (0, 1.0), (2, 1.0), (3, 0.25),
    ]  # fmt: skip
    large = visits_of(X, y, np.array([1e12, 3.0, 1.0, 1.0]), shuffle=True)
    assert len(large.row) <= 1100
    assert large.total == pytest.approx(1e12 + 5.0, rel=1e-12)
    csr = visits_of((*(a.astype(np.int64) for a in _csr(X)[:2]), _csr(X)[2], 2), y, None, shuffle=True)
    assert csr.row.tolist() == visits_of(X, y, None, shuffle=True).row.tolist()


def test_rows_that_begin_alike_are_ordered_by_the_rest_and_equal_ones_by_weight():
    """So the order of visits never depends on where rows stand."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (300, 30)).astype(float)
    X[:, :20] = X[0, :20]  # eight ones and more, after which only some rows differ
    X[::3] = X[0]
    y, w, order = rng.integers(0, 2, 300).astype(float), rng.integers(1, 4, 300).astype(float), rng.permutation(300)
    assert (X[0, :20] != 0).sum() >= 8

    def visited(at):
        found = visits_of(X[at], y[at], w[at], shuffle=True)
        return np.column_stack([X[at][found.row], y[at][found.row]]).tolist()

    assert visited(np.arange(300)) == visited(order)


def _csr(X):
    csr = sparse.csr_matrix(X)
    return csr.indptr, csr.indices, csr.data


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_regression_is_as_good_as_scikit_learns(loss, schedule):
    X, y = regression()
    settings = {"loss": loss, "learning_rate": schedule, "random_state": 0, "eta0": 0.02, "alpha": 1e-3}
    ours, theirs = SGDRegressor(**settings).fit(X, y), peer.SGDRegressor(**settings).fit(X, y)
    assert ours.score(X, y) > theirs.score(X, y) - 0.01
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=0.3 if schedule == "optimal" else 0.08)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", CLASS_LOSSES)
@pytest.mark.parametrize("k", [2, 3])
def test_classification_is_as_good_as_scikit_learns(loss, k):
    X, y = classes(k, 1000)
    scores = []
    for cls in (SGDClassifier, peer.SGDClassifier):
        fits = [cls(loss=loss, alpha=1e-2, average=True, random_state=seed).fit(X, y) for seed in range(3)]
        scores.append(np.mean([fit.score(X, y) for fit in fits]))
    assert scores[0] > scores[1] - 0.02


def test_without_shuffling_the_path_is_scikit_learns():
    """The same visits in the same order: the same coefficients, weights below one included."""
    X, y = regression(80)
    w = np.random.default_rng(0).uniform(0.1, 1.0, 80)
    for schedule in [*SCHEDULES, "pa1", "pa2"]:
        for penalty in ("l2", "l1", "elasticnet", None):
            for average in (False, 50):
                if average and penalty in ("l1", "elasticnet"):
                    continue  # theirs averages before the penalty is paid
                settings = {
                    "loss": "epsilon_insensitive", "learning_rate": schedule, "penalty": penalty, "average": average,
                    "shuffle": False, "max_iter": 3, "tol": None, "alpha": 0.01,
                }  # fmt: skip
                ours = SGDRegressor(**settings).fit(X, y, sample_weight=w)
                theirs = peer.SGDRegressor(**settings).fit(X, y, sample_weight=w)
                np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6)
                np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6)
                assert ours.t_ == theirs.t_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_without_shuffling_classes_are_scikit_learns():
    X, y = classes(3, 90)
    for loss in CLASS_LOSSES:
        settings = {
            "loss": loss,
            "shuffle": False,
            "max_iter": 3,
            "tol": None,
            "class_weight": {0: 0.5, 1: 2.0, 2: 1.0},
        }
        ours, theirs = SGDClassifier(**settings).fit(X, y), peer.SGDClassifier(**settings).fit(X, y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6)
        if loss in ("log_loss", "modified_huber"):
            np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5, atol=1e-9)


def test_same_bits_for_any_thread_count_and_level():
    X, y = classes(4, 600)
    w = np.random.default_rng(0).uniform(0.0, 3.0, 600)

    def bits():
        model = SGDClassifier(loss="log_loss", penalty="elasticnet", average=True, random_state=0, max_iter=5, tol=None)
        return arrays(model.fit(X, y, sample_weight=w))

    want = bits()
    try:
        for level in simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    assert bits() == want
    finally:
        core.runtime.set_num_threads(0)


@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_containers_agree(penalty):
    """Layouts of dense rows to the bit, and formats of sparse ones; dense and sparse rows sum in another order.

    The steps are short: long ones, as the first of learning_rate="optimal", enlarge whatever differs.
    """
    X, y = classes(2)
    X[X < 0.3] = 0.0
    model = SGDClassifier(
        loss="log_loss", penalty=penalty, average=30, random_state=0, max_iter=4, tol=None, learning_rate="invscaling"
    )
    want = copy.deepcopy(model).fit(X, y)
    wide = np.zeros((len(X), 2 * X.shape[1]))
    wide[:, ::2] = X
    for other in (np.asfortranarray(X), wide[:, ::2]):
        assert arrays(copy.deepcopy(model).fit(other, y)) == arrays(want)
    csr = sparse.csr_matrix(X)
    rows = copy.deepcopy(model).fit(csr, y)
    np.testing.assert_allclose(rows.coef_, want.coef_, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(rows.intercept_, want.intercept_, rtol=1e-11, atol=1e-12)
    long = csr.copy()
    long.indices, long.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
    for other in (long, sparse.csc_matrix(X), sparse.coo_array(X)):
        assert arrays(copy.deepcopy(model).fit(other, y)) == arrays(rows)
    for container in (X, csr):
        single = copy.deepcopy(model).fit(container.astype(np.float32), y)
        assert single.coef_.dtype == np.float32
        widened = copy.deepcopy(model).fit(container.astype(np.float32).astype(np.float64), y)
        np.testing.assert_array_equal(single.coef_, widened.coef_.astype(np.float32))


def test_the_laws_hold_for_sparse_rows():
    """A weight is a repetition, rows in any order, any number of threads and any instruction set: to the bit."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((700, 900), density=0.05, format="csr", rng=rng)
    y, w, order = rng.integers(0, 3, 700), rng.integers(0, 4, 700), rng.permutation(700)
    again = np.repeat(np.arange(700), w)
    for settings in ({"loss": "log_loss", "average": True}, {"penalty": "l1"}):
        model = SGDClassifier(random_state=0, max_iter=4, tol=None, **settings)
        want = arrays(copy.deepcopy(model).fit(X, y, sample_weight=w))
        assert arrays(copy.deepcopy(model).fit(X[order], y[order], sample_weight=w[order])) == want
        assert arrays(copy.deepcopy(model).fit(X[again], y[again])) == want
        try:
            for level in simd.supported_levels():
                with simd.use_level(level):
                    for n_threads in (1, 2, 3, 8):
                        core.runtime.set_num_threads(n_threads)
                        assert arrays(copy.deepcopy(model).fit(X, y, sample_weight=w)) == want
        finally:
            core.runtime.set_num_threads(0)


def test_damaged_sparse_rows_are_refused():
    X = sparse.csr_matrix(np.eye(4))
    y = np.array([0, 1, 0, 1])
    for damaged in (4, -1, np.iinfo(np.int32).min):
        bad = X.copy()
        bad.indices[2] = damaged
        bad.has_canonical_format = True  # else scipy finds some of them
        with pytest.raises(ValueError, match="column indices are out of range"):
            SGDClassifier().fit(bad, y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_in_scikit_learns_words(bad):
    X, y = classes(2, 50)
    X[7, 3] = bad
    name = "NaN" if np.isnan(bad) else "infinity"
    for container in (X, sparse.csr_matrix(X), X.astype(np.float32)):
        for shuffle in (True, False):
            model = SGDClassifier(shuffle=shuffle)
            for fit in (model.fit, lambda X, y, model=model: model.partial_fit(X, y, [0, 1])):
                with pytest.raises(ValueError, match=f"Input X contains {name}"):
                    fit(container, y)
            unvisited = np.arange(50) != 7  # where nothing but a look at all rows finds it
            with pytest.raises(ValueError, match=f"Input X contains {name}"):
                model.fit(container, y, sample_weight=unvisited)
            with pytest.raises(ValueError, match=f"Input X contains {name}"):
                SGDClassifier(shuffle=shuffle, early_stopping=True).fit(container, y)
            assert not hasattr(model, "classes_")


def test_epochs_of_partial_fit_go_on_where_the_last_one_ended():
    X, y = regression()
    for average in (False, 100):
        whole = SGDRegressor(max_iter=1, tol=None, random_state=0, average=average).fit(X, y)
        first = SGDRegressor(random_state=0, average=average).partial_fit(X, y)
        assert arrays(whole) == arrays(first)
        halves = (
            SGDRegressor(shuffle=False, average=average).partial_fit(X[:150], y[:150]).partial_fit(X[150:], y[150:])
        )
        np.testing.assert_allclose(
            halves.coef_, SGDRegressor(shuffle=False, average=average).partial_fit(X, y).coef_, rtol=1e-10
        )


def test_warm_start_and_initial_coefficients():
    X, y = regression()
    model = SGDRegressor(random_state=0, warm_start=True).fit(X, y)
    coef = model.coef_
    again = SGDRegressor(random_state=0, max_iter=1, tol=None).fit(
        X, y, coef_init=coef, intercept_init=model.intercept_
    )
    np.testing.assert_allclose(again.coef_, coef, atol=0.1)
    with pytest.raises(ValueError, match="coef_init does not match"):
        model.fit(X, y, coef_init=np.zeros(3))
    with pytest.raises(ValueError, match="intercept_init does not match"):
        SGDClassifier().fit(*classes(3), intercept_init=np.zeros(2))


def test_early_stopping_holds_rows_out():
    X, y = load_iris(return_X_y=True)
    model = SGDClassifier(early_stopping=True, random_state=0, n_iter_no_change=3).fit(X, y)
    assert model.n_iter_ < 100
    assert model.t_ == 1 + model.n_iter_ * 135
    with pytest.raises(ValueError, match="early_stopping should be False with partial_fit"):
        model.partial_fit(X, y)


def test_intervals_cover():
    X, y = regression(4000)
    for model in (SGDRegressor(random_state=0), SGDRegressor(random_state=0, early_stopping=True)):
        lower, upper = model.fit(X[:2000], y[:2000]).predict_interval(X[2000:]).T
        assert np.mean((lower <= y[2000:]) & (y[2000:] <= upper)) == pytest.approx(0.9, abs=0.05)
    model.set_params(early_stopping=False).partial_fit(X[:500], y[:500])
    assert model.predict_interval(X[:5], coverage=0.5).shape == (5, 2)
    with pytest.raises(ValueError, match=r"5 coefficients and was fitted on no more rows.*early_stopping=True"):
        SGDRegressor(max_iter=2, tol=None).fit(X[:4], y[:4]).predict_interval(X)


def test_overflow_is_an_error_and_leaves_the_model_alone():
    X, y = regression(100)
    model = SGDRegressor(learning_rate="constant", eta0=0.01, penalty=None, max_iter=5, tol=None).fit(X, y)
    before = model.coef_
    with pytest.raises(ValueError, match="Floating-point under-/overflow occurred at epoch #"):
        model.fit(X * 1e200, y)
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(np.full_like(X, np.nan), y)
    assert model.coef_ is before


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SGDClassifier(alpha=0.0), "alpha must be > 0 since learning_rate is 'optimal'"),
        (SGDClassifier(loss="log_loss", learning_rate="pa1"), "only works with loss 'hinge'"),
        (SGDClassifier(penalty="elasticnet", l1_ratio=None), "l1_ratio must be set"),
        (SGDClassifier(loss="nothing"), "'loss' parameter"),
        (SGDClassifier(eta0=0.0), "'eta0' parameter"),
    ],
)
def test_bad_parameters(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*classes())


def test_bad_calls():
    X, y = classes()
    with pytest.raises(ValueError, match="greater than one; got 1 class"):
        SGDClassifier().fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        SGDClassifier().partial_fit(X, y)
    model = SGDClassifier().partial_fit(X, y, [0, 1, 2])
    with pytest.raises(ValueError, match="y has the label 7, which is none of the classes"):
        model.partial_fit(X, np.where(y == 0, 7, y))
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        SGDClassifier(class_weight="balanced").partial_fit(X, y, [0, 1, 2])
    with pytest.raises(AttributeError, match="predict_proba"):
        model.predict_proba(X)
    with pytest.raises(NotFittedError):
        SGDClassifier().predict(X)


def test_it_tells_when_the_epochs_were_too_few(capsys):
    X, y = regression()
    with pytest.warns(match="maximum number of iteration reached before convergence"):
        SGDRegressor(max_iter=2, verbose=1, random_state=0).fit(X, y)
    told = capsys.readouterr().out
    assert told.count("-- Epoch") == 2
    assert [line.split("T: ")[1] for line in told.splitlines() if "T: " in line] == [str(1 + 300), str(1 + 600)]


def test_intervals_of_a_stream_of_single_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1500, 3))
    y = X @ [1.0, -1.0, 0.5] + rng.standard_normal(1500)
    model = SGDRegressor(eta0=0.05)
    for i in range(900):
        model.partial_fit(X[i : i + 1], y[i : i + 1])
        if i == 5:
            with pytest.raises(ValueError, match=r"5 rows that came after .* cover 0\.67 at most"):
                model.predict_interval(X)
    low, high = model.predict_interval(X[900:]).T
    assert 0.86 < np.mean((low <= y[900:]) & (y[900:] <= high)) < 0.95
    for _ in range(3):
        model.partial_fit(X, y)
    assert len(model._latest["residual"]) == 1024


def test_averages_that_begin_late_begin_where_the_model_is():
    X = np.random.default_rng(0).standard_normal((200, 2))
    y = X @ [3.0, -2.0]
    model = SGDRegressor(random_state=0)
    for _ in range(30):
        model.partial_fit(X, y)
    before = model.coef_
    np.testing.assert_allclose(model.set_params(average=True).partial_fit(X, y).coef_, before, rtol=0.05)
    np.testing.assert_allclose(model.set_params(average=10**6).partial_fit(X, y).coef_, [3.0, -2.0], rtol=0.05)


@pytest.mark.parametrize(("unit", "weight"), [(1e8, None), (1.0, 1e40)])
def test_steps_that_diverge_are_told_of(unit, weight):
    X, y = regression()
    w = None if weight is None else np.full(len(y), weight)
    for model, target in ((SGDRegressor(random_state=0), y), (SGDClassifier(random_state=0), np.sign(y))):
        with pytest.warns(ConvergenceWarning, match="the steps diverged: the objective is .* scale X"):
            model.fit(unit * X, target, sample_weight=w)


@pytest.mark.filterwarnings("ignore:.*maximum number of iteration:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", LOSSES)
def test_noise_alone_is_no_divergence(loss):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 5)), rng.standard_normal(200)
    for unit in (1e-8, 1.0, 1e8):
        SGDRegressor(loss=loss, random_state=0).fit(X, unit * y)
