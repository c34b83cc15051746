"""The gate before every ratio, and the statistics behind it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.answers import differences
from benchmarks.problem import Goal, Metric, Problem
from benchmarks.summary import Spread, compare

LOSS = Metric("loss", of=None, rtol=1e-3)
SECONDS = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=9)


def problem(**changes):
    fields = {
        "name": "toy",
        "title": "Toy",
        "task": "toy",
        "data": dict,
        "timed": "fit",
        "libraries": ("mlwright", "sklearn"),
        "metrics": (LOSS,),
        "goals": {"sklearn": Goal(must=2, aim=4)},
    }
    return Problem(**(fields | changes))


def result(seconds, loss=0.5):
    return {"seconds": list(seconds), "answers": {"loss": loss}, "peak_mb": 1.0}


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1), st.floats(0, 1))
def test_gate_is_the_stated_inequality(ours, theirs, rtol, atol):
    metric = Metric("m", of=None, rtol=rtol, atol=atol)
    equal = not differences({"m": ours}, {"m": theirs}, [metric])
    assert equal == (abs(ours - theirs) <= atol + rtol * abs(theirs))


@pytest.mark.parametrize(("ours", "theirs"), [(math.nan, 0.5), (0.5, math.nan), (math.nan, math.nan), (math.inf, 0.5)])
def test_a_value_that_is_not_finite_never_passes(ours, theirs):
    assert differences({"loss": ours}, {"loss": theirs}, [LOSS])


def test_a_missing_metric_never_passes():
    assert differences({}, {"loss": 0.5}, [LOSS])
    assert differences({"loss": 0.5}, {}, [LOSS])


def test_one_metric_apart_is_enough():
    metrics = [LOSS, Metric("R2", of=None, atol=1e-6)]
    (found,) = differences({"loss": 0.5, "R2": 0.9}, {"loss": 0.5, "R2": 0.8}, metrics)
    assert found.startswith("R2: 0.9 against 0.8")


def test_no_ratio_where_answers_differ():
    _, row = compare(problem(), {"mlwright": result([1.0]), "sklearn": result([9.0], loss=0.51)})
    assert "ratio" not in row
    assert "verdict" not in row
    assert row["differs"]


@given(SECONDS, st.floats(0.01, 100))
def test_ratio_is_the_peers_median_over_ours(seconds, factor):
    own, row = compare(problem(), {"mlwright": result(seconds), "sklearn": result([s * factor for s in seconds])})
    assert "ratio" not in own
    assert row["ratio"] == pytest.approx(factor)
    assert row["ratio_spread"] == pytest.approx({"median": factor, "lower": factor, "upper": factor})


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.9, "not met"), (2.0, "must met"), (3.9, "must met"), (4.0, "aim met")]
)
def test_verdict(ratio, verdict):
    _, row = compare(problem(), {"mlwright": result([1.0]), "sklearn": result([ratio])})
    assert row["verdict"] == verdict


def test_a_failed_library_has_a_row_without_figures():
    own, row = compare(problem(), {"mlwright": result([1.0]), "sklearn": {"error": "ImportError: no"}})
    assert row == {"library": "sklearn", "error": "ImportError: no"}
    own, row = compare(problem(), {"mlwright": {"error": "broken"}, "sklearn": result([1.0])})
    assert own == {"library": "mlwright", "error": "broken"}
    assert row["seconds"]["median"] == 1.0
    assert "ratio" not in row


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=20))
def test_spread_is_ordered_within_the_values_and_ignores_their_order(values):
    spread = Spread.of(values)
    assert min(values) <= spread.lower <= spread.median <= spread.upper <= max(values)
    assert Spread.of(sorted(values, reverse=True)) == spread
