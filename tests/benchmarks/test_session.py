"""The suite's own problems, and one that really runs: processes, rounds, checksums, failures."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import session, worker
from benchmarks.__main__ import select
from benchmarks.problems import PROBLEMS


def test_every_problem_is_fair_and_says_what_it_is():
    for name, problem in PROBLEMS.items():
        assert problem.name == name
        assert problem.libraries[0] == "mlwright"
        assert problem.metrics, "a problem without metrics could never refuse a ratio"
        # By chains: means scatter, and a chain of minutes is itself an average.
        drawn = problem.per is not None or problem.task == "bart"
        loosest = 0.1 if drawn else 0.01
        assert all(metric.rtol <= loosest and metric.atol <= loosest for metric in problem.metrics)
        assert problem.rounds >= (1 if drawn else 3)
        assert problem.timed in {"fit", "fit_predict", "predict"}
        assert set(problem.goals) <= set(problem.libraries[1:])


def test_checksum_sees_one_flipped_value_and_not_the_layout():
    X = np.arange(12.0).reshape(3, 4)
    same = worker.checksum({"X": np.asfortranarray(X)})
    assert worker.checksum({"X": X}) == same
    X[1, 1] += 1e-9
    assert worker.checksum({"X": X}) != same


def test_peak_memory_sees_what_was_held_for_a_moment():
    worker.reset_peak()
    before = worker.memory_mb("VmRSS")
    np.ones(8_000_000)
    assert worker.memory_mb("VmHWM") - before > 50


def test_selection():
    assert [problem.name for problem in select([])] == list(PROBLEMS)
    assert select(["ols", "sklearn"])[0].libraries == ("mlwright", "sklearn")
    with pytest.raises(SystemExit, match="ONLY=nonsense: expected problems"):
        select(["nonsense"])


def test_rounds_of_a_library_against_itself_have_equal_answers_and_a_failure_stays_in_its_row():
    problem = replace(PROBLEMS["ridge_small"], libraries=("sklearn", "nowhere"), rounds=3)
    said = []
    results = session.run(problem, quick=True, say=said.append)
    assert len(results["sklearn"]["seconds"]) == 3
    assert results["sklearn"]["answers"]["R2"] > 0.9
    assert results["sklearn"]["calls_per_round"] > 1
    assert "ModuleNotFoundError" in results["nowhere"]["error"]
    assert len(said) == 1


def test_the_first_call_of_a_long_problem_has_rows():
    """Of four chains, too, which are the rows of that problem."""
    assert PROBLEMS["diagnostics"].warm_up is False
    assert "checksum" in worker.Worker(PROBLEMS["diagnostics"], "mlwright", quick=True).warm_up()
