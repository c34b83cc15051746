"""What is tried on a table: pipelines by name, the cheap ones first."""

from dataclasses import dataclass

from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from mlwright.preprocessing import TableEncoder
from mlwright.tabular._baseline import BaselineClassifier, BaselineRegressor
from mlwright.tabular._irls import IRLSClassifier
from mlwright.tabular._models import (
    BayesianRidge,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    Ridge,
)

BASELINE = "baseline"


@dataclass(frozen=True)
class Candidate:
    """A pipeline to try; `label` is what people read."""

    name: str
    label: str
    pipeline: BaseEstimator

    def fitted(self, X, y, weight):
        """A clone of the pipeline, fitted; every step takes the weights of the rows."""
        pipeline = clone(self.pipeline)
        if weight is None:
            return pipeline.fit(X, y)
        with config_context(enable_metadata_routing=False):  # which names of steps are no part of
            return pipeline.fit(X, y, encoder__sample_weight=weight, model__sample_weight=weight)


def _pipeline(encoder, model):
    return Pipeline([("encoder", encoder), ("model", model)])


def _for_linear(model):
    return _pipeline(TableEncoder(), model)


def _for_trees(model):
    # Ranks by frequency, not target means: cross-fitted means differ between folds by about as much as near-by
    # categories do, and trees split on that (diamonds: R2 0.89 against 0.98).
    encoder = TableEncoder(categories="ordinal", missing="keep", scale=False, datetimes="parts", max_categories=None)
    return _pipeline(encoder, model)


def _boosting(cls, random_state, **parameters):
    return _for_trees(
        cls(early_stopping=True, n_iter_no_change=20, max_iter=1000, random_state=random_state, **parameters)
    )


def regression_candidates(random_state):
    """Candidates for a numeric target.

    Parameters
    ----------
    random_state : int
        For the rows that boosting sets aside for early stopping.

    Returns
    -------
    dict of str to Candidate
    """
    boosted = HistGradientBoostingRegressor
    return _by_name(
        Candidate(BASELINE, "Mean of the target", _for_trees(BaselineRegressor())),
        Candidate("linear", "Ridge regression", _for_linear(Ridge(alpha=1.0))),
        Candidate("bayesian", "Bayesian ridge", _for_linear(BayesianRidge())),
        Candidate("boosted", "Boosted trees", _boosting(boosted, random_state)),
        Candidate(
            "boosted_deep",
            "Boosted trees, deep",
            _boosting(boosted, random_state, learning_rate=0.05, max_leaf_nodes=63),
        ),
    )


def classification_candidates(random_state):
    """Candidates for a target of classes; parameters and result as in :func:`regression_candidates`."""
    boosted = HistGradientBoostingClassifier
    return _by_name(
        Candidate(BASELINE, "Shares of classes", _for_trees(BaselineClassifier())),
        Candidate("linear", "Logistic ridge", _for_linear(IRLSClassifier(Ridge(alpha=1.0)))),
        Candidate("bayesian", "Bayesian logistic", _for_linear(IRLSClassifier(BayesianRidge()))),
        Candidate("boosted", "Boosted trees", _boosting(boosted, random_state)),
        Candidate(
            "boosted_slow",
            "Boosted trees, slow",
            _boosting(boosted, random_state, learning_rate=0.05, max_leaf_nodes=16, l2_regularization=1.0),
        ),
    )


def _by_name(*candidates):
    return {candidate.name: candidate for candidate in candidates}
