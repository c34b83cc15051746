"""scikit-learn's own checks, none of them expected to fail."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from mlwright.tabular import (
    BaselineClassifier,
    BaselineRegressor,
    IRLSClassifier,
    TabularClassifier,
    TabularRegressor,
)


@parametrize_with_checks(
    [
        BaselineClassifier(),
        BaselineRegressor(),
        IRLSClassifier(),
        TabularClassifier(candidates=["linear"], cv=3),
        TabularRegressor(candidates=["linear"], cv=3),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
