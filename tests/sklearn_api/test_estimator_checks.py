"""scikit-learn's own checks of every estimator and transformer, with no expected failure.

To add one, add a line to ESTIMATORS, with settings that keep a check under a second.
"""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlwright.bayes import (
    BARTClassifier,
    BARTRegressor,
    BayesianGLM,
    BayesianLinearRegression,
    BayesianLogisticRegression,
    BayesianPoissonRegressor,
    HorseshoeRegressor,
    NormalInverseGammaRegressor,
    SpikeSlabRegressor,
)
from mlwright.cluster import KMeans, MiniBatchKMeans
from mlwright.decomposition import PCA, TruncatedSVD
from mlwright.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingDistributionRegressor,
    HistGradientBoostingQuantileRegressor,
    HistGradientBoostingRegressor,
)
from mlwright.gaussian_process import GaussianProcessRegressor
from mlwright.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    GeneralizedLinearRegressor,
    HuberRegressor,
    Lasso,
    LassoCV,
    LassoLarsIC,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    PenalizedRegression,
    PenalizedRegressionCV,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from mlwright.mixture import BayesianGaussianMixture, GaussianMixture
from mlwright.model_selection import SharedSearchCV
from mlwright.preprocessing import StandardScaler, TableEncoder
from mlwright.tabular import (
    BaselineClassifier,
    BaselineRegressor,
    IRLSClassifier,
    TabularClassifier,
    TabularRegressor,
)

ESTIMATORS = [
    KMeans(n_clusters=3),
    KMeans(n_clusters=2, init="random", n_init=2),
    MiniBatchKMeans(n_clusters=3),
    MiniBatchKMeans(n_clusters=2, init="random", batch_size=20),
    PCA(),
    PCA(n_components=1, svd_solver="covariance_eigh", whiten=True),
    PCA(n_components=1, svd_solver="randomized"),
    TruncatedSVD(n_components=1),
    TruncatedSVD(n_components=1, algorithm="arpack"),
    HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5),
    HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=5),
    HistGradientBoostingQuantileRegressor(max_iter=5, min_samples_leaf=5),
    HistGradientBoostingDistributionRegressor(learning_rate=0.3, max_iter=5, min_samples_leaf=5),
    HistGradientBoostingDistributionRegressor("lognormal", learning_rate=0.5, max_iter=5, min_samples_leaf=5),
    HistGradientBoostingClassifier(loss="one_vs_rest", max_iter=3, min_samples_leaf=5),
    HistGradientBoostingRegressor(loss="quantile", learning_rate=0.5, quantile=0.5, max_iter=5, min_samples_leaf=5),
    HistGradientBoostingRegressor(loss="huber", learning_rate=0.5, max_iter=5, min_samples_leaf=5),
    HistGradientBoostingRegressor(loss="gamma", learning_rate=0.5, max_iter=5, min_samples_leaf=5),
    SharedSearchCV(HistGradientBoostingClassifier(min_samples_leaf=5), {"max_iter": [2, 4]}, cv=2, error_score="raise"),
    SharedSearchCV(HistGradientBoostingRegressor(min_samples_leaf=5), {"max_iter": [2, 4]}, cv=2, error_score="raise"),
    SharedSearchCV(
        Ridge(), param_distributions={"alpha": [0.1, 1.0, 10.0]}, n_iter=2, cv=2, random_state=0, error_score="raise"
    ),
    ElasticNet(alpha=0.1),
    ElasticNet(alpha=0.1, positive=True, fit_intercept=False),
    ElasticNetCV(alphas=10, cv=3, l1_ratio=[0.5, 0.9], tol=1e-10),
    Lasso(alpha=0.1),
    Lasso(alpha=0.1, warm_start=True),
    LassoCV(alphas=10, cv=3, tol=1e-10),
    LassoLarsIC(noise_variance=1.0),
    LassoLarsIC(criterion="bic", noise_variance=1.0, positive=True, fit_intercept=False),
    LinearRegression(),
    LinearRegression(fit_intercept=False),
    LinearRegression(positive=True),
    MultiTaskElasticNet(alpha=0.1),
    MultiTaskElasticNetCV(alphas=5, cv=2, l1_ratio=[0.5, 0.9], tol=1e-10),
    MultiTaskLasso(alpha=0.1, warm_start=True),
    MultiTaskLassoCV(alphas=5, cv=2, tol=1e-10),
    PenalizedRegression(alpha=0.1, bounds=(-1.0, None)),
    PenalizedRegression("group_lasso", alpha=0.1, tol=1e-10, max_iter=5000),
    PenalizedRegression("scad", alpha=0.1),
    PenalizedRegressionCV(alphas=5, cv=2, tol=1e-10, max_iter=5000),
    PenalizedRegressionCV("group_lasso", alphas=5, cv=2, tol=1e-10, max_iter=5000),
    Ridge(),
    Ridge(positive=True),
    Ridge(solver="svd"),
    RidgeCV(),
    RidgeCV(fit_intercept=False),
    RidgeClassifier(),
    RidgeClassifier(solver="svd"),
    RidgeClassifierCV(cv=3, class_weight="balanced"),
    RidgeClassifierCV(),
    BayesianLinearRegression(),
    HorseshoeRegressor(chains=1, draws=150, warm_up=50, global_scale=1.0, random_state=0),
    BayesianGLM(chains=1, draws=1000, random_state=0),
    BayesianLogisticRegression(chains=1, draws=1000, random_state=0),
    BayesianPoissonRegressor(chains=1, draws=1000, random_state=0),
    SpikeSlabRegressor(draws=4000, random_state=0),
    NormalInverseGammaRegressor(),
    NormalInverseGammaRegressor(prior_mean=1.0, prior_precision=0.1, compute_loo=True),
    ARDRegression(),
    ARDRegression(scale_invariant=True, compute_loo=True),
    BayesianRidge(),
    BayesianRidge(compute_score=True, fit_intercept=False),
    BARTRegressor(n_trees=10, burn_in=30, draws=3, chains=2),
    BARTRegressor(n_trees=10, n_variance_trees=5, burn_in=30, draws=3, chains=2),
    BARTClassifier(n_trees=10, burn_in=30, draws=3, chains=2),
    GaussianProcessRegressor(),
    GaussianProcessRegressor(alpha=0.1, normalize_y=True, compute_loo=True),
    GaussianProcessRegressor(alpha=0.1, solver="vecchia", n_neighbors=5),
    GaussianMixture(max_iter=500, random_state=0),
    GaussianMixture(covariance_type="diag", max_iter=500, random_state=0),
    BayesianGaussianMixture(max_iter=500, random_state=0),
    HuberRegressor(),
    HuberRegressor(fit_intercept=False, epsilon=2.0, alpha=0.1),
    QuantileRegressor(),
    SGDClassifier(),
    SGDClassifier(loss="log_loss", penalty="elasticnet", average=True, learning_rate="adaptive", eta0=0.1),
    SGDClassifier(loss="modified_huber", learning_rate="adaptive"),
    SGDClassifier(loss="perceptron", learning_rate="constant", eta0=1.0, penalty=None, n_iter_no_change=2),
    SGDRegressor(),
    SGDRegressor(loss="epsilon_insensitive", penalty="l1", learning_rate="pa1", average=5),
    QuantileRegressor(quantile=0.3, alpha=0.01, fit_intercept=False),
    GeneralizedLinearRegressor(),
    GeneralizedLinearRegressor("poisson", alpha=0.1, l1_ratio=0.5, tol=1e-8),
    LogisticRegressionCV(Cs=[0.1, 1.0], cv=3, tol=1e-8),
    LogisticRegression(),
    LogisticRegression(l1_ratio=0.5, tol=1e-10),
    LogisticRegression(class_weight="balanced", C=10.0, tol=1e-8),
    PoissonRegressor(),
    GammaRegressor(),
    TweedieRegressor(),
    TweedieRegressor(power=1.5, alpha=0.1),
    StandardScaler(),
    StandardScaler(with_mean=False),
    TableEncoder(),
    TableEncoder(categories="ordinal", missing="keep", scale=False, datetimes="parts"),
    TableEncoder(categories="target", target_type="continuous", dtype="float32"),
    BaselineClassifier(),
    BaselineRegressor(),
    IRLSClassifier(),
    IRLSClassifier(BayesianRidge()),
    TabularClassifier(candidates=["linear"], cv=3),
    TabularRegressor(candidates=["linear"], cv=3),
]


# A check of class weights asks a thousand epochs of a problem that does not settle, of scikit-learn's class either.
@pytest.mark.filterwarnings("ignore:SGDClassifier. maximum number of iteration:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:HorseshoeRegressor. :sklearn.exceptions.ConvergenceWarning")
# One row, or random targets that are all equal.
@pytest.mark.filterwarnings("ignore:BARTRegressor. y is constant:UserWarning")
# Random targets, and a default kernel without noise: the search ends at a bound, that of scikit-learn's class too.
@pytest.mark.filterwarnings("ignore:The optimal value found for:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge:sklearn.exceptions.ConvergenceWarning")
# Columns about 100, to which the default steps are too long; scikit-learn's class says nothing.
@pytest.mark.filterwarnings("ignore:SGDRegressor. the steps diverged:sklearn.exceptions.ConvergenceWarning")
# Reweighted rows of a few, that weigh less than one.
@pytest.mark.filterwarnings("ignore:BayesianRidge. the rows weigh:UserWarning")
@parametrize_with_checks(ESTIMATORS)
def test_estimator(estimator, check):
    check(estimator)
