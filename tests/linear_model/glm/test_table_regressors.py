"""Offsets, exposures and categories of scikit-learn's regressors: what the generalized one makes of them."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import mlwright
from mlwright.linear_model import GammaRegressor, GeneralizedLinearRegressor, PoissonRegressor, TweedieRegressor
from mlwright.preprocessing import StandardScaler

PAIRS = [
    (PoissonRegressor(alpha=0.1, tol=1e-9), GeneralizedLinearRegressor("poisson", alpha=0.1, tol=1e-9)),
    (GammaRegressor(alpha=0.1, tol=1e-9), GeneralizedLinearRegressor("gamma", link="log", alpha=0.1, tol=1e-9)),
    (
        TweedieRegressor(power=1.5, alpha=0.1, tol=1e-9),
        GeneralizedLinearRegressor("tweedie", power=1.5, alpha=0.1, tol=1e-9),
    ),
]
IDS = [type(own).__name__ for own, _ in PAIRS]
RNG = np.random.default_rng(0)
YEARS = RNG.uniform(0.1, 2.0, 300)
POLICIES = pd.DataFrame(
    {"age": RNG.standard_normal(300), "region": pd.Categorical(RNG.choice(["north", "south", "west"], 300))}
)
CLAIMS = 1.0 + RNG.poisson(YEARS * np.exp(0.5 * POLICIES["age"]))


@pytest.mark.parametrize(("own", "general"), PAIRS, ids=IDS)
def test_offsets_exposures_and_categories_are_those_of_the_generalized_regressor(own, general):
    more = {"exposure": YEARS, "offset": 0.1 * YEARS}
    own, general = (sklearn.clone(model).fit(POLICIES, CLAIMS, YEARS, **more) for model in (own, general))
    assert own.coef_.tobytes() == general.coef_.tobytes()
    assert own.coef_names_.tolist() == ["age", "region=north", "region=south", "region=west"]
    assert own.predict(POLICIES, **more).tobytes() == general.predict(POLICIES, **more).tobytes()
    assert own.score(POLICIES, CLAIMS, **more) == general.score(POLICIES, CLAIMS, **more)
    interval = own.predict_interval(POLICIES[:5], exposure=YEARS[:5])
    assert interval.tobytes() == general.predict_interval(POLICIES[:5], exposure=YEARS[:5]).tobytes()


def test_an_exposure_scales_the_mean_and_belongs_to_the_log_link():
    model = PoissonRegressor(alpha=0.0).fit(POLICIES[["age"]], CLAIMS, exposure=YEARS)
    twice = model.predict(POLICIES[["age"]], exposure=2 * YEARS)
    np.testing.assert_allclose(twice, 2 * model.predict(POLICIES[["age"]], exposure=YEARS))
    inference = model.inference(POLICIES[["age"]], CLAIMS, exposure=YEARS)
    np.testing.assert_allclose(inference.std_errors, model.std_errors_, rtol=1e-6)
    with pytest.raises(ValueError, match="expected the log link"):
        TweedieRegressor(power=0.0).fit(POLICIES[["age"]], CLAIMS, exposure=YEARS)
    with pytest.raises(ValueError, match="exposure: row 1 is 0"):
        PoissonRegressor().fit(POLICIES[["age"]], CLAIMS, exposure=np.where(np.arange(300) == 1, 0.0, YEARS))


def test_exposures_are_routed_and_categories_survive_a_file(tmp_path):
    with sklearn.config_context(enable_metadata_routing=True):
        model = PoissonRegressor().set_fit_request(exposure=True).set_score_request(exposure=True)
        search = GridSearchCV(make_pipeline(StandardScaler(), model), {"poissonregressor__alpha": [0.0, 1.0]}, cv=3)
        search.fit(POLICIES[["age"]].to_numpy(), CLAIMS, exposure=YEARS)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    model = PoissonRegressor().fit(POLICIES, CLAIMS)
    mlwright.save(model, tmp_path / "model.mlw")
    again = mlwright.load(tmp_path / "model.mlw")
    assert again.predict(POLICIES).tobytes() == model.predict(POLICIES).tobytes()
