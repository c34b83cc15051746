"""Ctrl-C ends any native call within 0.3 seconds."""

import pytest

pytestmark = pytest.mark.alone
SETUP = "from mlwright._native import core; from mlwright._runtime import threads; import threading"
LONG = "core.runtime.exercise(chunks=1_000_000, seconds=2e-3)"


@pytest.mark.parametrize("n_threads", ["1", "2", "8"])
def test_parallel_region(seconds_to_interrupt, n_threads):
    after = "assert core.runtime.exercise(chunks=2) == (1.5, core.runtime.exercise(chunks=2)[1])"
    assert seconds_to_interrupt(SETUP, LONG, after, MLWRIGHT_NUM_THREADS=n_threads) < 0.3


def test_many_short_regions(seconds_to_interrupt):
    assert seconds_to_interrupt(SETUP, "core.runtime.exercise(rounds=10_000_000, chunks=4)") < 0.3


def test_while_other_threads_compute(seconds_to_interrupt):
    setup = f"""
    {SETUP}
    for _ in range(3):
        threading.Thread(target=lambda: core.runtime.exercise(chunks=1500, seconds=2e-3), daemon=True).start()
    """
    assert seconds_to_interrupt(setup, LONG) < 0.3


def test_a_handler_of_the_users_own(seconds_to_interrupt):
    setup = f"""
    {SETUP}
    class Stopped(KeyboardInterrupt): pass
    def handler(*_): raise Stopped
    signal.signal(signal.SIGINT, handler)
    """
    assert seconds_to_interrupt(setup, LONG) < 0.3


def test_a_handler_that_goes_on_does_not_end_the_call(run_script):
    out = run_script("""
        import os, signal, threading, time
        from mlwright._native import core
        heard = []
        signal.signal(signal.SIGINT, lambda *_: heard.append(time.monotonic()))
        threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        core.runtime.exercise(chunks=300, seconds=2e-3)
        print(len(heard))
    """)
    assert out == "1\n"


def test_other_signals_reach_the_main_thread(run_script):
    """Workers block signals: a blocking call of the main thread is woken even when workers exist."""
    out = run_script("""
        import os, signal, subprocess, sys, time
        from mlwright._native import core
        core.runtime.exercise(chunks=8, seconds=1e-3)
        class Heard(Exception): pass
        def handler(*_): raise Heard
        signal.signal(signal.SIGTERM, handler)
        code = f"import os, time; time.sleep(0.3); os.kill({os.getpid()}, 15)"
        sender = subprocess.Popen([sys.executable, "-c", code])
        start = time.monotonic()
        try:
            time.sleep(20)
        except Heard:
            print(time.monotonic() - start < 10)
        sender.wait()
    """)
    assert out == "True\n"


# In processes of their own, with a time limit and Ctrl-C's default handler: a test process that a shell started in the
# background ignores Ctrl-C, and a fit this long then never ends.
@pytest.mark.parametrize("delay", [0.05, 0.4])
def test_ctrl_c_ends_boosting_and_leaves_the_estimator_as_it_was(seconds_to_interrupt, delay):
    setup = """
        import pickle
        import numpy as np
        from mlwright.ensemble import HistGradientBoostingRegressor
        X = np.random.default_rng(0).normal(size=(100_000, 20))
        model = HistGradientBoostingRegressor(max_iter=2, early_stopping=False).fit(X[:500], X[:500, 0])
        before = pickle.dumps(model)
        model.set_params(max_iter=100_000)
    """
    after = "assert pickle.dumps(model.set_params(max_iter=2)) == before"
    assert seconds_to_interrupt(setup, "model.fit(X, X[:, 0])", after, delay=delay) < 0.3


def test_ctrl_c_ends_a_ridge_fit_and_leaves_the_model_alone(seconds_to_interrupt):
    setup = """
        import numpy as np
        from mlwright.linear_model import Ridge
        X = np.random.default_rng(0).normal(size=(300_000, 300))
        y = X[:, 0].copy()
        model = Ridge().fit(X[:1000], y[:1000])
        before = model.coef_.copy()
    """
    after = "assert (model.coef_ == before).all()"
    assert seconds_to_interrupt(setup, "model.fit(X, y)", after, delay=0.03) < 0.3


@pytest.mark.parametrize(
    ("setup", "call", "delay"),
    [
        ("n = 5000", "factorise(np.eye(n))", 0.1),
        ("n = 5000; upper = np.eye(n)", "inverse(upper)", 0.1),
        ("n = 5000; columns = np.ones((n, n), order='F')", "products(columns)", 0.3),
        ("n = 4000; upper = np.eye(n); columns = np.ones((n, 40_000), order='F')", "whiten(upper, columns)", 0.3),
    ],
)
def test_ctrl_c_ends_large_factors(seconds_to_interrupt, setup, call, delay):
    imports = """
        import numpy as np
        from mlwright.gaussian_process._factors import factorise, inverse, products, whiten
        {setup}
        for _ in range(2):
            factorise(np.eye(300))
    """.replace("{setup}", setup)
    assert seconds_to_interrupt(imports, f"for _ in range(50): {call}", delay=delay) < 0.3


@pytest.mark.parametrize(
    "call",
    ["Ridge(solver='svd').fit(X, X[:, 0])", "BayesianRidge().fit(X, X[:, 0])", "PCA(svd_solver='full').fit(X)"],
)
def test_ctrl_c_ends_large_decompositions(seconds_to_interrupt, call):
    setup = """
        import numpy as np
        from mlwright.decomposition import PCA
        from mlwright.linear_model import BayesianRidge, Ridge
        X = np.random.default_rng(0).normal(size=(1000, 1200))
    """
    assert seconds_to_interrupt(setup, f"for _ in range(100): {call}", delay=0.6) < 0.3


def test_ctrl_c_ends_maps_of_wide_rows_to_many_numbers(seconds_to_interrupt):
    """Intervals of more columns than rows: what a row takes may be a thousand times what it usually does."""
    setup = """
        import numpy as np
        from mlwright._kernels.linalg import affine_map, as_design
        X, maps, start = np.ones((2000, 8000)), np.ones((1000, 8000)), np.zeros(1000)
        affine_map(as_design(X[:10]), maps, start)
    """
    assert seconds_to_interrupt(setup, "for _ in range(20): affine_map(as_design(X), maps, start)") < 0.3


@pytest.mark.parametrize("n_threads", ["1", "2"])
def test_ctrl_c_ends_a_search_and_leaves_it_unfitted(seconds_to_interrupt, n_threads):
    setup = """
        import numpy as np
        from mlwright.ensemble import HistGradientBoostingRegressor
        from mlwright.model_selection import SharedSearchCV
        X = np.random.default_rng(0).normal(size=(50_000, 20))
        model = HistGradientBoostingRegressor(max_iter=10_000, early_stopping=False)
        search = SharedSearchCV(model, {"learning_rate": [0.1, 0.2, 0.3]}, cv=3)
    """
    after = "assert not hasattr(search, 'cv_results_')"
    assert seconds_to_interrupt(setup, "search.fit(X, X[:, 0])", after, MLWRIGHT_NUM_THREADS=n_threads) < 0.3


@pytest.mark.parametrize(
    "call",
    [
        "bayes.sample(density, draws=n, random_state=0)",
        pytest.param("bayes.sample(density, draws=n, method='independence', random_state=0)", marks=pytest.mark.slow),
        pytest.param("bayes.sample_elliptical(density, draws=n, random_state=0)", marks=pytest.mark.slow),
    ],
)
def test_chains_of_a_density_end_within_moments(seconds_to_interrupt, call):
    setup = """
    import warnings
    from mlwright import bayes
    from mlwright.extend import log_density, real
    warnings.simplefilter("ignore")  # of a chain of ten draws

    @log_density(x=real(2))
    def density(x):
        return -0.5 * (x[0] * x[0] + x[1] * x[1])

    n = 10
    {call}
    n = 2_000_000
    """.replace("{call}", call)
    assert seconds_to_interrupt(setup, call, MLWRIGHT_NUM_THREADS="3") < 0.3


@pytest.mark.parametrize(
    "model",
    [
        "BayesianLogisticRegression(method='polya_gamma', chains=2, draws=4, random_state=0)",
        pytest.param("BARTClassifier(n_trees=2, burn_in=0, draws=4, chains=1, random_state=0)", marks=pytest.mark.slow),
    ],
)
def test_rows_repeated_a_billion_times_can_be_interrupted(seconds_to_interrupt, model):
    setup = f"""
        import numpy as np
        from mlwright.bayes import *
        X = np.random.default_rng(0).normal(size=(50, 2))
        model = {model}
    """
    call = "model.fit(X, np.arange(50) % 2, sample_weight=np.full(50, 1e9))"
    assert seconds_to_interrupt(setup, call, "assert not hasattr(model, 'classes_')") < 0.3
