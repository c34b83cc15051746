"""The number of threads: who decides it, and how far a decision reaches."""

import importlib
import json
import os
import subprocess
import sys
import threading

import pytest
import threadpoolctl

import mlwright
from mlwright._runtime import threads
from mlwright._runtime.threadpool import blas_of_one_thread


@pytest.fixture(autouse=True)
def default_threads():
    yield
    mlwright.set_num_threads(None)


def count_in_a_new_process(environment=None, code="import mlwright; print(mlwright.get_num_threads())", prepare=""):
    inherited = {k: v for k, v in os.environ.items() if k not in ("MLWRIGHT_NUM_THREADS", "OMP_NUM_THREADS")}
    run = subprocess.run(
        [sys.executable, "-c", f"{prepare}\n{code}"],
        env=inherited | (environment or {}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(run.stdout)


def test_set_num_threads_is_for_the_whole_process():
    mlwright.set_num_threads(5)
    seen = []
    other = threading.Thread(target=lambda: seen.append(mlwright.get_num_threads()))
    other.start()
    other.join()
    assert [mlwright.get_num_threads(), *seen] == [5, 5]


@pytest.mark.parametrize("bad", [0, -1, 1.5, "2", True])
def test_set_num_threads_refuses(bad):
    with pytest.raises(ValueError, match=r"set_num_threads: got .*, expected an integer of at least 1"):
        mlwright.set_num_threads(bad)


def test_limit_is_for_this_thread_and_nests():
    mlwright.set_num_threads(4)
    seen = []
    with threads.limit(3):
        other = threading.Thread(target=lambda: seen.append(threads.get_num_threads()))
        other.start()
        other.join()
        with threads.limit(8):
            assert threads.get_num_threads() == 8
        with threads.limit(None):
            assert threads.get_num_threads() == 3
        assert threads.get_num_threads() == 3
    assert seen == [4]
    assert threads.get_num_threads() == 4


def test_limit_ends_with_an_exception():
    mlwright.set_num_threads(4)
    with pytest.raises(RuntimeError), threads.limit(2):
        raise RuntimeError
    assert threads.get_num_threads() == 4


N_JOBS = [(None, 6), (1, 1), (2, 2), (40, 40), (-1, 6), (-2, 5), (-6, 1), (-99, 1)]


@pytest.mark.parametrize(("n_jobs", "expected"), N_JOBS)
def test_n_jobs_follows_joblib(n_jobs, expected):
    mlwright.set_num_threads(6)
    with threads.limit(n_jobs):
        assert threads.get_num_threads() == expected


@pytest.mark.parametrize("bad", [0, 1.5, "2", True])
def test_n_jobs_refuses(bad):
    with pytest.raises(ValueError, match=r"n_jobs: got .*, expected None"), threads.limit(bad):
        pass


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"MLWRIGHT_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": "4,2,1"}, 4),
        ({"MLWRIGHT_NUM_THREADS": "3", "OMP_NUM_THREADS": "5"}, 3),
        ({"MLWRIGHT_NUM_THREADS": "many", "OMP_NUM_THREADS": "5"}, 5),
        ({"MLWRIGHT_NUM_THREADS": "9999999999999"}, 1024),
    ],
)
def test_environment(environment, expected):
    assert count_in_a_new_process(environment) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no CPU affinity")
def test_affinity():
    one_cpu = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    assert count_in_a_new_process(prepare=one_cpu) == 1


def test_none_reads_the_environment_anew(monkeypatch):
    monkeypatch.setenv("MLWRIGHT_NUM_THREADS", "7")
    mlwright.set_num_threads(None)
    assert mlwright.get_num_threads() == 7
    monkeypatch.undo()
    mlwright.set_num_threads(None)
    assert mlwright.get_num_threads() <= (os.cpu_count() or 1) or "OMP_NUM_THREADS" in os.environ


def ours():
    return [row for row in threadpoolctl.threadpool_info() if row["user_api"] == "mlwright"]


def test_threadpoolctl_sees_and_limits_the_pool():
    mlwright.set_num_threads(6)
    (row,) = ours()
    assert row["num_threads"] == 6
    assert row["version"] == mlwright.__version__
    with threadpoolctl.threadpool_limits(limits=2):
        assert mlwright.get_num_threads() == 2
    with threadpoolctl.threadpool_limits(limits={"mlwright": 3}):
        assert mlwright.get_num_threads() == 3
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        assert mlwright.get_num_threads() == 6
    assert mlwright.get_num_threads() == 6


def test_threadpoolctl_restores_the_process_not_a_threads_own_limit():
    mlwright.set_num_threads(6)
    with threads.limit(2), threadpoolctl.threadpool_limits(limits=1):
        assert threads.get_num_threads() == 2  # n_jobs was asked for explicitly
    assert mlwright.get_num_threads() == 6


def test_importing_mlwright_does_not_import_threadpoolctl():
    code = "import sys, mlwright, json; print(json.dumps(sorted({'threadpoolctl', 'numpy'} & set(sys.modules))))"
    assert count_in_a_new_process(code=code) == []


def blas_threads():
    return [row["num_threads"] for row in threadpoolctl.threadpool_info() if row["user_api"] == "blas"]


def test_blas_gets_its_threads_back_whoever_leaves_last():
    importlib.import_module("scipy.linalg")  # loads it
    with threadpoolctl.threadpool_limits(limits=2, user_api="blas"):
        first, second = blas_of_one_thread(), blas_of_one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert set(blas_threads()) == {1}
        second.__exit__(None, None, None)
        assert set(blas_threads()) == {2}
