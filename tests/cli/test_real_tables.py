"""The figures promised on real tables: quality, time, and the same bits in a new process."""

import subprocess
import sys
from time import monotonic

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

import mlwright

pytestmark = pytest.mark.slow

MLWRIGHT = [sys.executable, "-m", "mlwright"]


@pytest.mark.parametrize(
    ("name", "target", "metric", "least"),
    [
        ("adult_train", "income", "auc", 0.92),
        ("california", "median_house_value", "r2", 0.82),
        ("diamonds", "price", "r2", 0.975),
    ],
)
def test_fit_and_predict(data_table, tmp_path, name, target, metric, least):
    path = data_table(name)
    start = monotonic()
    fit = [*MLWRIGHT, "fit", path, "--target", target, "--out", "m.mlw", "--report", "r.html"]
    subprocess.run(fit, cwd=tmp_path, check=True, capture_output=True)
    assert monotonic() - start < 60
    model = mlwright.load(tmp_path / "m.mlw")
    assert model.held_out_[metric] >= least
    test = data_table("adult_test") if name == "adult_train" else path
    subprocess.run([*MLWRIGHT, "predict", "m.mlw", test, "--out", "p.parquet"], cwd=tmp_path, check=True)
    predictions = pl.read_parquet(tmp_path / "p.parquet")
    frame = pl.read_csv(test, null_values=[""])
    if name == "adult_train":
        assert roc_auc_score(frame[target] == ">50K", predictions["probability_>50K"]) >= 0.925
        np.testing.assert_array_equal(model.predict_proba(frame), predictions.drop("prediction").to_numpy())
    else:
        assert model.predict(frame).tobytes() == predictions["prediction"].to_numpy().tobytes()
