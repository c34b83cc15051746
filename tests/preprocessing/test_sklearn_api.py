"""scikit-learn's own checks, none of them expected to fail."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from mlwright.preprocessing import TableEncoder


@parametrize_with_checks(
    [
        TableEncoder(),
        TableEncoder(categories="ordinal", missing="keep", scale=False, datetimes="parts"),
        TableEncoder(categories="target", target_type="continuous", dtype="float32"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
