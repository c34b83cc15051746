"""`bayes.sample` and `extend.log_density`: closed forms, clear errors, and what they promise."""

import math
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

import mlwright
from mlwright import bayes
from mlwright.extend import densities, interval, log_density, positive, real, simplex, upper_bounded


@log_density(rate=positive(), share=simplex(3), low=upper_bounded(2.0))
def conjugate(rate, share, low, counts, total, n):
    """Gamma-Poisson, Dirichlet-multinomial, and an exponential tail below 2: three closed forms side by side."""
    value = densities.gamma(rate, 2.0, 1.0) + total * math.log(rate) - n * rate + low
    for k in range(3):
        value += counts[k] * math.log(share[k])
    return value


@log_density(x=real(2), gradient="own")
def own_gradient(x, gradient):
    gradient[:] = -x
    return -0.5 * (x * x).sum()


@log_density(x=real(), gradient="own")
def own_gradient_of_one(x, gradient):
    gradient[0] = -x
    return -0.5 * x * x


@log_density(x=real(2), gradient="own")
def wrong_gradient(x, gradient):
    gradient[0] = -x[0]
    gradient[1] = -0.5 * x[1]
    return -0.5 * (x * x).sum()


@log_density(x=real())
def raises(x):
    if x > -5.0:
        raise ValueError("no")
    return -x * x


@log_density(x=real())
def nowhere(x):
    return math.nan * x


@log_density(x=real())
def improper_start(x):
    return math.log(x - 100.0) - x


@log_density(width=positive(), centre=real())
def normal(width, centre, y):
    total = -math.log(width)
    for i in range(len(y)):
        z = (y[i] - centre) / width
        total -= 0.5 * z * z + math.log(width)
    return total


def imports(x):
    import math as other  # what Numba has no word for

    return -other.fabs(x)


@log_density(x=real())
def beside_the_data(x, y):
    return -0.5 * (x - y[4]) ** 2


@log_density(x=real(2), gradient="own")
def beside_the_gradient(x, gradient):
    gradient[0] = -x[0]
    gradient[10**6] = -x[1]
    return -0.5 * (x * x).sum()


DATA = {"counts": np.array([3, 5, 12]), "total": 31, "n": 10.0}


def test_conjugate_posteriors_have_their_moments():
    posterior = bayes.sample(conjugate, DATA, draws=2000, target_acceptance=0.95, random_state=1)
    alpha = DATA["counts"] + 1.0
    want = {"rate": 33 / 11, "share": alpha / alpha.sum(), "low": 2.0 - 1.0}
    for name, mean in want.items():
        told = posterior.diagnostics_[name]
        assert (abs(told["mean"] - mean) < 4 * told["mcse_mean"]).all(), name
    want_sd = {"rate": math.sqrt(33) / 11, "low": 1.0}
    for name, sd in want_sd.items():
        told = posterior.diagnostics_[name]
        assert abs(told["sd"] - sd) < 4 * told["mcse_sd"], name
    np.testing.assert_allclose(posterior["share"].sum(axis=-1), 1.0, rtol=1e-12)


def test_the_same_bits_for_any_number_of_threads_and_when_extended():
    once = bayes.sample(conjugate, DATA, draws=400, warm_up=200, target_acceptance=0.95, random_state=5)
    for n_jobs in (1, 2, 3, 8):
        again = bayes.sample(
            conjugate, DATA, draws=400, warm_up=200, target_acceptance=0.95, random_state=5, n_jobs=n_jobs
        )
        assert again["share"].tobytes() == once["share"].tobytes()
    with pytest.warns(ConvergenceWarning, match="effective sample size"):
        short = bayes.sample(conjugate, DATA, draws=50, warm_up=200, target_acceptance=0.95, random_state=5)
    whole = short.extend(350)
    assert whole["rate"].tobytes() == once["rate"].tobytes()
    assert whole.statistics["energy"].tobytes() == once.statistics["energy"].tobytes()
    assert pickle.loads(pickle.dumps(short)).extend(350)["rate"].tobytes() == once["rate"].tobytes()


def test_an_own_gradient_serves_and_a_wrong_one_is_named():
    posterior = bayes.sample(own_gradient, draws=1000, random_state=0)
    assert abs(posterior["x"].std() - 1.0) < 0.05
    with pytest.raises(ValueError, match=r"gradient with respect to x\[1\]"):
        bayes.sample(wrong_gradient, random_state=0)


def test_init_is_taken_on_the_parameters_own_scale():
    init = {"rate": 3.0, "share": [0.2, 0.3, 0.5], "low": [1.0, 0.0, -1.0, 1.5]}
    posterior = bayes.sample(conjugate, DATA, init=init, draws=400, target_acceptance=0.95, random_state=0)
    assert posterior["rate"].shape == (4, 400)
    with pytest.raises(ValueError, match="does not satisfy"):
        bayes.sample(conjugate, DATA, init={**init, "rate": -1.0}, random_state=0)
    with pytest.raises(ValueError, match="init: got rate"):
        bayes.sample(conjugate, DATA, init={"rate": 1.0}, random_state=0)


@pytest.mark.parametrize(
    ("density", "message"),
    [(raises, "your function raised an exception"), (nowhere, "has no start"), (improper_start, "pass init=")],
)
def test_a_density_without_a_start_is_refused(density, message):
    with pytest.raises(mlwright.NumericalError, match=message):
        bayes.sample(density, random_state=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"chains": 0}, "chains: got 0"),
        ({"draws": 0}, "draws: got 0"),
        ({"warm_up": -1}, "warm_up: got -1"),
        ({"max_depth": 0}, "max_depth: got 0"),
        ({"target_acceptance": 1.0}, "target_acceptance: got 1.0"),
        ({"data": {"counts": DATA["counts"]}}, "missing: n, total"),
        ({"data": {**DATA, "m": 1}}, "not known: m"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        bayes.sample(conjugate, **{"data": DATA, "random_state": 0, **arguments})


@log_density(x=real())
def beyond_a_millionth(x):
    if x > 2e-7:
        raise ValueError("no")
    return -0.5 * (x * 1e7) ** 2


def test_points_in_messages_have_their_digits():
    with pytest.raises(mlwright.NumericalError, match="at parameters") as refused:
        bayes.sample(beyond_a_millionth, init={"x": 1e-7}, random_state=0)
    (point,) = re.findall(r"\[(.*)\]", str(refused.value))
    assert math.isfinite(float(point))
    with pytest.raises(ValueError, match="no"):
        beyond_a_millionth(float(point))
    with pytest.raises(mlwright.NumericalError, match=r"at the given one .* not finite, at parameters \[1e\+200\]"):
        bayes.sample(own_gradient_of_one, init={"x": 1e200}, random_state=0)


@pytest.mark.parametrize("draws", [0, -1, 1.5, None, True])
def test_a_run_is_extended_by_whole_draws(draws):
    posterior = bayes.sample(own_gradient, draws=500, random_state=0)
    with pytest.raises(ValueError, match="draws: got"):
        posterior.extend(draws)


def test_a_posterior_is_read_as_a_dict_is():
    posterior = bayes.sample(conjugate, DATA, draws=400, target_acceptance=0.95, random_state=0)
    assert list(posterior) == ["rate", "share", "low"]
    assert len(posterior) == 3
    assert "share" in posterior
    assert "shore" not in posterior
    assert dict(posterior)["low"] is posterior["low"]
    with pytest.raises(TypeError, match=r"draws: got Posterior, expected .* posterior\['name'\]"):
        bayes.diagnose(posterior)


def test_few_draws_more_are_warned_of_too():
    with pytest.warns(ConvergenceWarning, match="effective sample size") as told:
        bayes.sample(own_gradient, draws=20, random_state=0).extend(20)
    assert len(told) == 2
    assert {warning.filename for warning in told} == {__file__}


@log_density(x=real())
def around(x, k):
    return -0.5 * (x - k) ** 2


@pytest.mark.parametrize("k", [3, 3.0, np.array(3), np.array(3.0), np.float32(3), np.int8(3), True, np.array(True)])
def test_numbers_are_data_in_every_dress(k):
    plain = bayes.sample(around, {"k": float(k)}, draws=500, random_state=0)
    assert bayes.sample(around, {"k": k}, draws=500, random_state=0)["x"].tobytes() == plain["x"].tobytes()


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (2**63, ValueError, "data: y has 9223372036854775808, expected whole numbers of 64 bits"),
        (np.array([1, 2**63 + 5], dtype=np.uint64), ValueError, "data: y has 9223372036854775813"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), TypeError, "data: y is a masked array"),
        ([[1.0], [1.0, 2.0]], TypeError, "data: y is no array of numbers"),
    ],
)
def test_data_that_would_be_misread_are_refused(value, error, message):
    with pytest.raises(error, match=message):
        bayes.sample(beside_the_data, {"y": value}, random_state=0)


def test_declarations_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match="parameter z is no argument"):
        log_density(lambda x: x, z=real())
    with pytest.raises(ValueError, match="no parameter"):
        log_density(lambda x: x)
    with pytest.raises(ValueError, match="rising"):
        log_density(lambda x: x, x=interval(1.0, 1.0))
    with pytest.raises(TypeError, match="last argument"):
        log_density(lambda x: x, x=real(), gradient="own")
    with pytest.raises(TypeError, match="Numba cannot compile"):
        log_density(lambda x: x.nonsense, x=real()).compile()
    with pytest.raises(TypeError, match="Numba cannot compile"):
        log_density(imports, x=real()).compile()


@pytest.mark.parametrize("data", [np.ones(3), np.empty(0), pd.DataFrame({"y": [1.0, 2.0]}), [1.0]])
def test_data_without_names_are_refused(data):
    with pytest.raises(TypeError, match=rf"data: got {type(data).__name__}, expected .* \{{'y': \.\.\.\}}"):
        bayes.sample(beside_the_data, data)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_units_that_no_step_size_bridges_are_warned_of(scale):
    """The squares of what the chains remember overflow; the answer is poor and says so."""
    with pytest.warns(ConvergenceWarning, match="diverged|R-hat"):
        posterior = bayes.sample(normal, {"y": scale * np.arange(1.0, 9.0)}, draws=100, random_state=0)
    assert np.isfinite(posterior["centre"]).all()


def test_a_density_pickles_by_name_and_runs_as_python():
    assert pickle.loads(pickle.dumps(conjugate)) is conjugate
    assert isinstance(conjugate(1.0, [0.2, 0.3, 0.5], 0.0, [1, 2, 3], 4, 5), float)


@pytest.mark.parametrize(("density", "data"), [(beside_the_data, {"y": np.ones(3)}), (beside_the_gradient, None)])
def test_an_index_beside_an_array_is_an_exception_as_in_python(density, data):
    with pytest.raises(mlwright.NumericalError, match="your function raised an exception"):
        bayes.sample(density, data, random_state=0)


def test_draws_of_a_density_that_has_no_name_in_a_module_pickle_and_go_on():
    scale = 2.0

    @log_density(x=real())
    def inner(x):
        return densities.normal(x, 0.0, scale)

    with pytest.warns(ConvergenceWarning):
        short = bayes.sample(inner, draws=50, warm_up=100, random_state=0)
    with pytest.warns(ConvergenceWarning):
        whole = bayes.sample(inner, draws=90, warm_up=100, random_state=0)
    with pytest.warns(ConvergenceWarning):
        again = pickle.loads(pickle.dumps(short)).extend(40)
    assert again["x"].tobytes() == whole["x"].tobytes()


def test_a_density_of_a_script_goes_to_other_processes_whole(monkeypatch):
    monkeypatch.setattr(own_gradient, "__module__", "__main__")
    again = pickle.loads(pickle.dumps(own_gradient))
    assert again is not own_gradient
    assert (again.parameters, again.gradient) == (own_gradient.parameters, "own")
    assert again(np.ones(2), np.empty(2)) == -1.0


@pytest.mark.parametrize("draw", [bayes.sample, bayes.laplace, bayes.sample_elliptical])
def test_a_plain_function_is_told_what_it_lacks(draw):
    with pytest.raises(TypeError, match="expected a density made by"):
        draw(lambda x: -x * x)


def test_chains_that_do_not_mix_are_warned_of():
    @log_density(x=real())
    def two_modes(x):
        return densities.log_sum_exp(densities.normal(x, -50.0, 1.0), densities.normal(x, 50.0, 1.0))

    with pytest.warns(ConvergenceWarning, match="R-hat of x"):
        bayes.sample(two_modes, init={"x": [-50.0, 50.0, -50.0, 50.0]}, draws=200, random_state=0)


def test_summary_names_every_number():
    posterior = bayes.sample(conjugate, DATA, draws=400, target_acceptance=0.95, random_state=0)
    table = posterior.summary()
    assert list(table) == ["rate", "share[0]", "share[1]", "share[2]", "low"]
    assert set(table["rate"]) == {"mean", "sd", "5%", "95%", "mcse_mean", "ess_bulk", "ess_tail", "rhat"}
    assert table["share[1]"]["mean"] == pytest.approx(posterior["share"][..., 1].mean())
