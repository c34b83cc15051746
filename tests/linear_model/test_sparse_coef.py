"""``sparsify`` and ``densify``: another format of the same coefficients."""

import copy

import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import sparse

import mlwright
from mlwright.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier, SGDRegressor

MODELS = [
    LogisticRegression(l1_ratio=1.0, C=0.1),
    LogisticRegressionCV(Cs=[0.1, 1.0], cv=2, l1_ratios=(1.0,), use_legacy_attributes=False),
    SGDClassifier(penalty="l1", alpha=0.05, random_state=0),
    SGDRegressor(penalty="l1", alpha=0.05, random_state=0),
]


def data(model, n_classes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 8))
    score = 2 * X[:, 0] - X[:, 1] + rng.standard_normal(120)
    return X, score if isinstance(model, SGDRegressor) else np.digitize(score, [0.0] if n_classes == 2 else [-1.0, 1.0])


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_answers_stay(model, n_classes):
    X, y = data(model, n_classes)
    dense, thin = model.fit(X, y), copy.deepcopy(model)
    assert thin.sparsify() is thin
    assert sparse.issparse(thin.coef_)
    assert thin.coef_.nnz < dense.coef_.size
    names = ("predict",) if isinstance(model, SGDRegressor) else ("predict", "decision_function")
    for name in names:
        for rows in (X, sparse.csr_array(X)):
            assert getattr(thin, name)(rows).tobytes() == getattr(dense, name)(rows).tobytes()
    theirs = getattr(peer, type(model).__name__)
    assert type(thin.coef_) is type(theirs.sparsify(copy.deepcopy(model)).coef_)
    np.testing.assert_array_equal(thin.densify().densify().coef_, dense.coef_)


@pytest.mark.parametrize("model", MODELS[2:], ids=lambda model: type(model).__name__)
def test_learning_goes_on(model):
    X, y = data(model, 3)
    dense = copy.deepcopy(model).fit(X, y)
    thin = copy.deepcopy(dense).sparsify()
    np.testing.assert_array_equal(thin.partial_fit(X, y).coef_, dense.partial_fit(X, y).coef_)


def test_warm_start_and_inference():
    X, y = data(None, 3)
    model = LogisticRegression(C=np.inf, warm_start=True).fit(X, y)
    errors = model.conf_int()
    np.testing.assert_array_equal(model.sparsify().conf_int(), errors)
    assert model.fit(X, y).n_iter_[0] <= 2
    assert isinstance(model.coef_, np.ndarray)


def test_files_take_arrays(tmp_path):
    X, y = data(None, 3)
    model = LogisticRegression().fit(X, y).sparsify()
    with pytest.raises(TypeError, match=r"call densify\(\) first"):
        mlwright.save(model, tmp_path / "model.mlw")
    mlwright.save(model.densify(), tmp_path / "model.mlw")
    np.testing.assert_array_equal(mlwright.load(tmp_path / "model.mlw").predict(X), model.predict(X))
    with pytest.raises(ValueError, match="must be fitted before sparsifying"):
        LogisticRegression().sparsify()
