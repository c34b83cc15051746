"""Ours, at its defaults."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from benchmarks.cold import started_anew

Settings = Mapping[str, Any]


def least_squares(settings: Settings):
    from mlwright.linear_model import LinearRegression

    return LinearRegression()


def ols_inference(settings: Settings):
    """The model's own covariance comes from the sums that the fit kept, robust ones from the rows."""
    from benchmarks.inference import WithErrors, clusters
    from mlwright.linear_model import LinearRegression

    def errors_of(X, y):
        model, kind = LinearRegression().fit(X, y), settings["cov_type"]
        if kind == "nonrobust":
            result = model.inference()
        else:
            groups = clusters(len(y), settings["n_groups"]) if kind == "cluster" else None
            result = model.inference(X, y, cov_type=kind, groups=groups)
        return result.params, result.std_errors

    return WithErrors(errors_of)


def ridge(settings: Settings):
    from mlwright.linear_model import Ridge

    return Ridge(alpha=settings["alpha"])


def ridge_cv(settings: Settings):
    from mlwright.linear_model import RidgeCV

    return RidgeCV(**settings)


def ridge_search(settings: Settings):
    from mlwright.linear_model import Ridge
    from mlwright.model_selection import SharedSearchCV

    return SharedSearchCV(Ridge(), settings["grid"], cv=settings["cv"])


def multi_task_lasso_cv(settings: Settings):
    from mlwright.linear_model import MultiTaskLassoCV

    return MultiTaskLassoCV(**settings)


def logistic(settings: Settings):
    from mlwright.linear_model import LogisticRegression

    return LogisticRegression(C=settings["C"], l1_ratio=settings.get("l1_ratio", 0.0))


def elastic_net_classes(settings: Settings):
    return logistic(settings).set_params(tol=1e-5)  # by default it is right to 2e-6, and a millionth is asked for


def logistic_cv(settings: Settings):
    from mlwright.linear_model import LogisticRegressionCV

    return LogisticRegressionCV()


def poisson(settings: Settings):
    from mlwright.linear_model import PoissonRegressor

    return PoissonRegressor(alpha=settings["alpha"])


def policies(settings: Settings):
    """A data frame with its categories as they are."""
    from mlwright.linear_model import GeneralizedLinearRegressor

    family = "poisson" if settings["power"] == 1.0 else "tweedie"
    return GeneralizedLinearRegressor(family, power=settings["power"], alpha=settings["alpha"])


def bart(settings: Settings):
    """One chain, as the peers run: several are our default. Leaves' variance is drawn along, as stochtree does."""
    import warnings

    from mlwright.bayes import BARTRegressor

    class Draws:
        def __init__(self):
            self._model = BARTRegressor(**settings, draw_leaf_scale=True, chains=1, random_state=1)

        def fit(self, X, y):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of one chain's R-hat: the metrics judge its draws
                self._model.fit(X, y)
            return self

        def draws(self, X):
            return self._model.predict_draws(X)[0]

        def noise(self, X):
            return self._model.predict_sigma_draws(X)[0]

    return Draws()


def density(settings: Settings):
    from benchmarks.density import CHAINS, DRAWS, Drawn, Draws
    from benchmarks.logistic_density import data_of, logistic
    from mlwright.bayes import sample

    def draws(X, y):
        posterior = sample(logistic, data_of(X, y), chains=CHAINS, draws=DRAWS, random_state=1)
        return Drawn(posterior["b"], float(posterior.statistics["n_steps"].sum()))

    return Draws(draws)


def diagnostics(settings: Settings):
    from benchmarks.told import Told
    from mlwright.bayes import diagnose

    return Told(diagnose)


class _PosteriorDraws:
    """A model whose draws of coefficients the metrics ask for: of shape (chains, draws, parameters)."""

    def __init__(self, model):
        self._model = model

    def fit(self, X, y):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of R-hat: the metrics judge the draws
            self._model.fit(X, y)
        return self

    def draws(self):
        return self._model._chains().draws["coef"]


def logistic_posterior(settings: Settings):
    """Without scores of rows left out, which the peers do not make either."""
    from mlwright.bayes import BayesianLogisticRegression

    s = settings
    return _PosteriorDraws(
        BayesianLogisticRegression(
            prior_scale=s["scale"], chains=s["chains"], draws=s["draws"], compute_loo=False, random_state=1
        )
    )


def horseshoe_posterior(settings: Settings):
    from mlwright.bayes import HorseshoeRegressor

    s = settings
    return _PosteriorDraws(
        HorseshoeRegressor(
            global_scale=s["scale"], chains=s["chains"], draws=s["draws"], warm_up=s["warm_up"], random_state=1
        )
    )


def bayesian_ridge(settings: Settings):
    from mlwright.linear_model import BayesianRidge

    return BayesianRidge(tol=settings["tol"])


def ard(settings: Settings):
    from mlwright.linear_model import ARDRegression

    return ARDRegression()


def gaussian_process(settings: Settings):
    from mlwright.gaussian_process import GaussianProcessRegressor

    return GaussianProcessRegressor(**settings)


def gaussian_process_by_neighbours(settings: Settings):
    return gaussian_process(settings).set_params(solver="vecchia")


def gaussian_mixture(settings: Settings):
    from mlwright.mixture import GaussianMixture

    return GaussianMixture(**settings)


def bayesian_gaussian_mixture(settings: Settings):
    from mlwright.mixture import BayesianGaussianMixture

    return BayesianGaussianMixture(**settings)


def linear_quantiles(settings: Settings):
    from mlwright.linear_model import QuantileRegressor

    return QuantileRegressor(quantile=settings["quantiles"], alpha=0.0)


def huber(settings: Settings):
    from mlwright.linear_model import HuberRegressor

    return HuberRegressor(**settings)


def sgd_classifier(settings: Settings):
    from mlwright.linear_model import SGDClassifier

    return SGDClassifier(max_iter=1, tol=None, random_state=0, **settings)


def trees(settings: Settings) -> dict[str, Any]:
    """The same settings as scikit-learn's."""
    return {
        "max_iter": settings["n_trees"],
        "max_leaf_nodes": settings["n_leaves"],
        "learning_rate": settings["learning_rate"],
        "max_bins": 255,
        "early_stopping": False,
        "random_state": 0,
    }


def boosted_classifier(settings: Settings):
    from mlwright.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**trees(settings))


def boosted_regressor(settings: Settings):
    from mlwright.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**trees(settings))


@cache
def loss_in_numba(name: str):
    """A loss as a user writes it, once: what is compiled belongs to its functions."""
    import numpy as np

    from mlwright.extend import loss

    if name == "squared_error":
        return loss(lambda y, raw: 0.5 * (raw - y) ** 2, lambda y, raw: (raw - y, 1.0))
    return loss(lambda y, raw: np.exp(raw) - y * raw, lambda y, raw: (np.exp(raw) - y, np.exp(raw)), link="log")


def own_loss(settings: Settings):
    """Compiled in the round that is not counted."""
    return boosted_regressor(settings).set_params(loss=loss_in_numba(settings["loss"]))


class Validated:
    """A fit on the first rows that scores the last ``settings["n_validation"]`` after each tree, and stops for none."""

    def __init__(self, settings: Settings):
        self.n = settings["n_validation"]
        self.model = boosted_classifier(settings)
        self.model.set_params(early_stopping=True, scoring="loss", n_iter_no_change=settings["n_trees"] + 1)

    def fit(self, X, y):
        self.model.fit(X[: -self.n], y[: -self.n], X_val=X[-self.n :], y_val=y[-self.n :])

    def predict_proba(self, X):
        return self.model.predict_proba(X)


def explained(settings: Settings):
    """LightGBM's trees, as shap and daal4py have them; imported outside the clock, as theirs are converted."""
    from lightgbm import LGBMRegressor

    from benchmarks.explained import Explained
    from benchmarks.libraries.lightgbm import trees as lightgbm_trees
    from mlwright.deploy import from_model
    from mlwright.explain import TreeExplainer

    return Explained(
        LGBMRegressor(**lightgbm_trees(settings)), lambda model: TreeExplainer(from_model(model)).shap_values
    )


def boosting_search(settings: Settings):
    """The defaults of the search: the shared path on all threads."""
    from mlwright.ensemble import HistGradientBoostingClassifier
    from mlwright.model_selection import SharedSearchCV

    model = HistGradientBoostingClassifier(early_stopping=False, random_state=0)
    return SharedSearchCV(model, settings["grid"], scoring="neg_log_loss")


def imported_regressor(settings: Settings):
    """LightGBM's model through :func:`mlwright.deploy.from_model`."""
    from benchmarks.libraries.lightgbm_source import importer
    from mlwright import deploy

    return importer(lambda model, _: deploy.from_model(model).predict)(settings)


def quantile_regressor(settings: Settings):
    from mlwright.ensemble import HistGradientBoostingQuantileRegressor

    return HistGradientBoostingQuantileRegressor(settings["quantiles"], **trees(settings))


def lasso(settings: Settings):
    from mlwright.linear_model import Lasso

    return Lasso(settings["alpha"], tol=settings["tol"])


def lasso_cv(settings: Settings):
    from mlwright.linear_model import LassoCV

    return LassoCV(tol=settings["tol"], cv=5)


def elastic_net_cv(settings: Settings):
    from mlwright.linear_model import ElasticNetCV

    return ElasticNetCV(**settings)


def path(settings: Settings):
    from benchmarks.paths import LassoPath
    from mlwright.linear_model import lasso_path

    return LassoPath(settings, lambda X, y, alphas: lasso_path(X, y, alphas=alphas, tol=settings["tol"])[1])


def k_means(settings: Settings):
    from benchmarks.clusters import FromFirstRows
    from mlwright.cluster import KMeans

    k, n_iter = settings["n_clusters"], settings["max_iter"]
    return FromFirstRows(
        settings, lambda X, start, _: KMeans(k, init=start, max_iter=n_iter, tol=0.0).fit(X).cluster_centers_
    )


def pca(settings: Settings):
    from mlwright.decomposition import PCA

    return PCA(settings["n_components"])


def truncated_svd(settings: Settings):
    from mlwright.decomposition import TruncatedSVD

    return TruncatedSVD(settings["n_components"], random_state=0)


MODELS = {
    "k_means": k_means,
    "pca": pca,
    "truncated_svd": truncated_svd,
    "lasso": lasso,
    "lasso_cv": lasso_cv,
    "elastic_net_cv": elastic_net_cv,
    "lasso_path": path,
    "quantile_regressor": quantile_regressor,
    "boosted_regressor": boosted_regressor,
    "own_loss": own_loss,
    "imported_regressor": imported_regressor,
    "boosting_search": boosting_search,
    "least_squares": least_squares,
    "logistic": logistic,
    "elastic_net_classes": elastic_net_classes,
    "logistic_cv": logistic_cv,
    "poisson": poisson,
    "policies": policies,
    "ols_inference": ols_inference,
    "ridge": ridge,
    "ridge_cv": ridge_cv,
    "ridge_search": ridge_search,
    "multi_task_lasso_cv": multi_task_lasso_cv,
    "bart": bart,
    "density": density,
    "diagnostics": diagnostics,
    "logistic_posterior": logistic_posterior,
    "logistic_posterior_cold": started_anew("mlwright", "logistic_posterior"),
    "horseshoe_posterior": horseshoe_posterior,
    "bayesian_ridge": bayesian_ridge,
    "bayesian_gaussian_mixture": bayesian_gaussian_mixture,
    "gaussian_mixture": gaussian_mixture,
    "gaussian_process": gaussian_process,
    "gaussian_process_by_neighbours": gaussian_process_by_neighbours,
    "ard": ard,
    "linear_quantiles": linear_quantiles,
    "huber": huber,
    "sgd_classifier": sgd_classifier,
    "boosted_classifier": boosted_classifier,
    "boosted_validated": Validated,
    "categorical_classifier": boosted_classifier,  # pandas categories are categorical features by default
    "explained_regressor": explained,
    "table_classifier": boosted_classifier,
    "table_regressor": boosted_regressor,
}
