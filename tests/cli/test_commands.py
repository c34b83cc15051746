"""The commands on small tables, in this process; a few in processes of their own."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import mlwright
from mlwright.cli._app import app

RUNNER = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


def run(*arguments, code=0):
    done = RUNNER.invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, f"{done.output}\n{done.exception!r}"
    return done


def table(n=300, seed=0):
    rng = np.random.default_rng(seed)
    size, group = rng.normal(50, 10, n), rng.choice(["a", "b", "c"], n)
    price = 2 * size + 20.0 * (group == "b") + rng.normal(size=n)
    return pl.DataFrame(
        {
            "size": [None if i % 19 == 0 else float(x) for i, x in enumerate(size)],
            "group": group,
            "sold": pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 12, 31), "1d", eager=True).head(n),
            "price": price,
            "dear": np.where(price > 105, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table in three formats, a fitted regression and a fitted classification."""
    folder = tmp_path_factory.mktemp("cli")
    frame = table()
    numbers, classes = frame.drop("dear"), frame.drop("price")
    numbers.write_csv(folder / "numbers.csv")
    numbers.write_parquet(folder / "numbers.parquet")
    classes.write_csv(folder / "classes.csv")
    subprocess.run(["gzip", "-k", "numbers.csv", "classes.csv"], cwd=folder, check=True)
    run("fit", folder / "numbers.csv", "--target", "price", "--out", folder / "numbers.mlw", "--report",
        folder / "numbers.html")  # fmt: skip
    run("fit", folder / "classes.csv.gz", "--target", "dear", "--out", folder / "classes.mlw", "--report",
        folder / "classes.html")  # fmt: skip
    return folder


def test_import(tmp_path):
    source = Path(__file__).parents[1] / "deploy" / "models" / "xgb-softmax.json"
    done = RUNNER.invoke(app, ["import", str(source), "--out", str(tmp_path / "model.mlw")])
    assert done.exit_code == 0, done.output
    assert "multi:softmax: 12 trees on 5 features, predicts 4 classes" in done.stdout
    assert np.array_equal(mlwright.load(tmp_path / "model.mlw").classes_, [0, 1, 2, 3])


def test_fit_says_what_it_found_and_did(folder, tmp_path):
    done = run("fit", folder / "numbers.parquet", "--target", "price", "--out", tmp_path / "m.mlw")
    for said in (
        "300 rows, 4 columns",
        r"size +numeric +16 \(5\.3%\)",
        r"group +categorical",
        r"sold +datetime",
        "Target: price, a number from",
        "Leaderboard",
        r"Mean of the target +-0\.0\d\d\d",
        "Nadeau and Bengio",
        "On 60 held-out rows",
        "Naive baseline there",
    ):
        assert re.search(said, done.output), said
    assert (tmp_path / "m.mlw").stat().st_size > 1000


def test_the_same_table_gives_the_same_model_whatever_its_format(folder, tmp_path):
    for name in ("numbers.csv.gz", "numbers.parquet"):
        run("fit", folder / name, "--target", "price", "--out", tmp_path / "m.mlw")
        again, first = mlwright.load(tmp_path / "m.mlw"), mlwright.load(folder / "numbers.mlw")
        frame = pl.read_parquet(folder / "numbers.parquet")
        assert again.predict(frame).tobytes() == first.predict(frame).tobytes()


def test_predictions_of_numbers_with_intervals(folder, tmp_path):
    out = tmp_path / "predictions.csv"
    run("predict", folder / "numbers.mlw", folder / "numbers.csv", "--out", out, "--interval", "0.8")
    predictions = pl.read_csv(out)
    assert predictions.columns == ["prediction", "lower", "upper"]
    assert predictions.height == 300
    y = table()["price"]
    inside = (predictions["lower"] <= y) & (y <= predictions["upper"])
    assert 0.7 < inside.mean() < 0.95
    run("predict", folder / "numbers.mlw", folder / "numbers.csv", "--out", tmp_path / "plain.parquet")
    plain = pl.read_parquet(tmp_path / "plain.parquet")
    assert plain.columns == ["prediction"]
    assert plain["prediction"].to_list() == predictions["prediction"].to_list()


def test_predictions_of_classes_with_probabilities(folder, tmp_path):
    out = tmp_path / "predictions.csv"
    run("predict", folder / "classes.mlw", folder / "classes.csv", "--out", out)
    predictions = pl.read_csv(out)
    assert predictions.columns == ["prediction", "probability_no", "probability_yes"]
    np.testing.assert_allclose(predictions["probability_no"] + predictions["probability_yes"], 1.0, rtol=1e-9)
    assert (predictions["prediction"] == table()["dear"]).mean() > 0.9


def test_a_text_column_of_digits_is_still_text(folder, tmp_path):
    frame = pl.DataFrame({"code": ["1a", "22", "22", "3"] * 30, "y": [1.5, 2.5, 2.25, 3.5] * 30})
    frame.write_csv(tmp_path / "train.csv")
    frame.filter(pl.col("code") != "1a").drop("y").write_csv(tmp_path / "digits.csv")
    run("fit", tmp_path / "train.csv", "--target", "y", "--out", tmp_path / "m.mlw")
    run("predict", tmp_path / "m.mlw", tmp_path / "digits.csv", "--out", tmp_path / "p.csv")


def test_info(folder):
    done = run("info", folder / "classes.mlw")
    for said in ("Predicts dear: 2 classes: no, yes", "fitted on 240 rows", "On held-out rows: Log loss", "sha256"):
        assert said in done.output


def test_rows_without_target_and_rare_classes_are_left_out(tmp_path):
    frame = table().with_columns(
        dear=pl.Series([None if i < 7 else "odd" if i < 9 else dear for i, dear in enumerate(table()["dear"])])
    )
    frame.write_csv(tmp_path / "t.csv")
    done = run("fit", tmp_path / "t.csv", "--target", "dear", "--out", tmp_path / "m.mlw")
    assert "Note: 7 rows without a target are left out" in done.output
    assert "Note: class odd has fewer than 3 rows and is left out" in done.output
    assert mlwright.load(tmp_path / "m.mlw").classes_.tolist() == ["no", "yes"]


@pytest.mark.parametrize(
    ("cells", "task", "kind"),
    [
        ([0, 1] * 30, "auto", "TabularClassifier"),
        ([1.0, 0.0, None] * 20, "auto", "TabularClassifier"),
        ([True, False] * 30, "auto", "TabularClassifier"),
        (list(range(60)), "auto", "TabularRegressor"),
        ([0.5, 1.5] * 30, "auto", "TabularRegressor"),
        ([0, 1] * 30, "regression", "TabularRegressor"),
    ],
)
def test_kind_of_target(tmp_path, cells, task, kind):
    pl.DataFrame({"x": range(60), "t": cells}).write_csv(tmp_path / "t.csv")
    run("fit", tmp_path / "t.csv", "--target", "t", "--task", task, "--out", tmp_path / "m.mlw")
    model = mlwright.load(tmp_path / "m.mlw")
    assert type(model).__name__ == kind
    if kind == "TabularClassifier":
        assert model.classes_.tolist() in (["0", "1"], ["false", "true"])


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.references, self.pictures, self.headings = [], [], 0, 0

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.pictures += tag == "svg" and dict(attributes)["role"] == "img"
        self.headings += tag == "h2"
        self.references += [value for key, value in attributes if key in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["numbers", "classes"])
def test_report_is_one_sound_page_that_needs_nothing_else(folder, name):
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.references == []
    assert "url(" not in text
    assert "@import" not in text
    assert page.pictures == 3
    assert page.headings == 5
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower().split()


def test_report_escapes_what_the_table_says(tmp_path):
    frame = table(60).rename({"group": "<script>alert(1)</script>", "dear": "a & b"})
    frame.drop("price").write_csv(tmp_path / "t.csv")
    run("fit", tmp_path / "t.csv", "--target", "a & b", "--out", tmp_path / "m.mlw", "--report", tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_names_with_brackets_are_no_markup(tmp_path):
    frame = table(60).rename({"group": "[red]group[/]", "dear": "[b]dear"})
    frame.drop("price").write_csv(tmp_path / "t.csv")
    done = run("fit", tmp_path / "t.csv", "--target", "[b]dear", "--out", tmp_path / "m.mlw")
    assert "[red]group[/]" in done.output
    assert "Target: [b]dear" in done.output
    assert "[red]group[/]" in run("info", tmp_path / "m.mlw").output


@pytest.mark.parametrize("cases", [slice(0, 3), pytest.param(slice(3, None), marks=pytest.mark.slow)])
def test_bench_compares_equal_answers(monkeypatch, cases):
    from mlwright.cli import _bench

    monkeypatch.setattr(_bench, "CASES", _bench.CASES[cases])
    for case in _bench.CASES:
        monkeypatch.setitem(case.shapes, "quick", (2000, 8))
    done = run("bench", "--quick")
    assert done.output.count("equal") == len(_bench.CASES)
    assert "DIFFER" not in done.output


def test_as_a_program(folder, tmp_path):
    program = [sys.executable, "-m", "mlwright"]
    ask = [*program, "predict", folder / "numbers.mlw", folder / "numbers.csv", "--out", tmp_path / "p.csv"]
    subprocess.run(ask, check=True, capture_output=True)
    here = mlwright.load(folder / "numbers.mlw").predict(pl.read_parquet(folder / "numbers.parquet"))
    assert pl.read_csv(tmp_path / "p.csv")["prediction"].to_numpy().tobytes() == here.tobytes()
    missing = subprocess.run([*program, "info", "nowhere.mlw"], capture_output=True, text=True, check=False)
    assert missing.returncode == 2
    assert missing.stderr.count("\n") == 1
    assert missing.stderr.startswith("mlwright: error: nowhere.mlw: no such file; give the path")


def test_weights_are_those_of_the_search(tmp_path):
    """Rows of weight 0 are absent from fit and held-out scores, and the column is none to predict from."""
    frame = table(120).drop("dear", "sold")
    weight = np.arange(120) % 3
    strange = frame.with_columns(price=pl.when(pl.Series(weight == 0)).then(1e6).otherwise(pl.col("price")))
    strange.with_columns(n=pl.Series(weight)).write_csv(tmp_path / "weighted.csv")
    frame.filter(pl.Series(weight > 0)).with_columns(n=pl.Series(weight[weight > 0])).write_csv(tmp_path / "kept.csv")
    models = []
    for name in ("weighted", "kept"):
        out = tmp_path / f"{name}.mlw"
        done = run("fit", tmp_path / f"{name}.csv", "--target", "price", "--weight", "n", "--out", out)
        assert "rows count by n" in done.output
        models.append(mlwright.load(out))
    assert models[0].held_out_ == models[1].held_out_
    assert models[0].feature_names_in_.tolist() == ["size", "group"]
    np.testing.assert_array_equal(models[0].predict(frame), models[1].predict(frame))
    run("fit", tmp_path / "kept.csv", "--target", "price", "--out", tmp_path / "even.mlw")
    assert mlwright.load(tmp_path / "even.mlw").held_out_ != models[1].held_out_
