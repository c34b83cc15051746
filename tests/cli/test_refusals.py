"""What users do wrong ends as one clear line on stderr and exit code 2."""

import gzip

import polars as pl
import pytest
from typer.testing import CliRunner

import mlwright
from mlwright.cli._app import app
from mlwright.linear_model import Ridge

RUNNER = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
GOOD = pl.DataFrame({"x": [float(i) for i in range(60)], "c": ["a", "b", "c"] * 20, "y": [i * 0.5 for i in range(60)]})


def refused(*arguments):
    """The line that was said."""
    done = RUNNER.invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit)
    assert done.stderr.startswith("mlwright: error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    GOOD.write_csv(folder / "good.csv")
    GOOD.with_columns(y=pl.Series(["lo", "hi"]).gather([int(i > 30) for i in range(60)])).write_csv(folder / "c.csv")
    for name, table in (("numbers", "good.csv"), ("classes", "c.csv")):
        done = RUNNER.invoke(app, ["fit", str(folder / table), "--target", "y", "--out", str(folder / f"{name}.mlw")])
        assert done.exit_code == 0, done.output
    mlwright.save(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]), folder / "ridge.mlw")
    (folder / "damaged.mlw").write_bytes((folder / "numbers.mlw").read_bytes()[:-7])
    (folder / "text.mlw").write_text("no model")
    return folder


def test_what_is_no_model_file_is_named(tmp_path):
    table, foreign = tmp_path / "table.csv", tmp_path / "model.txt"
    GOOD.write_csv(table)
    foreign.write_text("tree\nversion=v4\n")
    assert "table.csv: is a table; the model comes first" in refused("predict", table, table)
    assert "table.csv: is a table; the model comes first" in refused("info", table)
    assert "makes a .mlw file of it" in refused("info", foreign)
    assert "its header lacks" in refused("import", foreign) or "was cut short" in refused("import", foreign)
    assert "is neither a text model of LightGBM" in refused("import", table)
    assert "no such file" in refused("import", tmp_path / "absent")


TABLES = {
    "empty.csv": (b"", "the file is empty"),
    "blank.csv": (b"\n\n", "the file is empty"),
    "header.csv": (b"x,c,y\n", r"the table is empty (0 rows, 3 columns)"),
    "ragged.csv": (b"x,y\n1,2\n3,4,5,6\n", "cannot be read as a table"),
    "binary.csv": (b"\x00\x01\x02,\x00", "is no text"),
    "latin.csv": ("häuser,y\n1,2\n".encode("latin-1"), "cannot be read as a table"),
    "short.csv.gz": (gzip.compress(b"x,y\n1,2\n" * 1000)[:-20], "cannot be read as a table"),
    "not.parquet": (b"PAR1 but no more", "cannot be read as a table"),
    "table.xlsx": (b"PK", "unknown kind of table; expected a name that ends in .csv"),
    "one.csv": (b"y\n1\n2\n", "the table has no other column"),
    "target_gone.csv": (b"x,z\n1,2\n", "no such column; the table has x, z"),
    "all_missing.csv": (b"x,y\n1,\n2,\n", "every cell is missing"),
    "constant.csv": (b"x,y\n" + b"1,0.5\n" * 20, "has the same value 0.5 in every row"),
    "one_class.csv": (b"x,y\n" + b"1,no\n" * 20, "has only one class, 'no'"),
    "rare_class.csv": (b"x,y\n" + b"1,no\n" * 20 + b"2,yes\n", "fewer than two classes with at least 3 rows each"),
    "rare_numbers.csv": (b"x,y\n" + b"".join(b"1,%d\n" % i for i in range(9)), "is --task regression meant?"),
    "few.csv": (b"x,y\n1,0.5\n2,1.5\n", "has 2 rows with a target; at least 10 are needed"),
    "many.csv": (b"x,y\n" + b"".join(b"1,n%d\n" % i for i in range(200)), "has 200 classes in 200 rows"),
    "infinite.csv": (b"x,y\n" + b"1,0.5\n2,inf\n" * 9, "holds infinite numbers"),
    "infinite_x.csv": (b"x,y\n" + b"1,0.5\ninf,2.5\n3,3.5\n" * 9, "column 'x' contains infinity"),
    "dates.csv": (b"x,y\n" + b"1,2024-01-01\n" * 20, "holds Date; expected numbers, text"),
    "void.csv": (b"x,y\n" + b",0.5\n,1.5\n,2.5\n" * 9, "no cell that is not missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_cannot_be_fitted(name, tmp_path):
    content, message = TABLES[name]
    (tmp_path / name).write_bytes(content)
    assert message in refused("fit", tmp_path / name, "--target", "y", "--out", tmp_path / "m.mlw")
    assert not (tmp_path / "m.mlw").exists()


def test_paths(models, tmp_path):
    assert "nowhere.csv: no such file" in refused("fit", tmp_path / "nowhere.csv", "--target", "y")
    assert "is no file" in refused("fit", tmp_path, "--target", "y")
    fit = ["fit", models / "good.csv", "--target", "y"]
    assert "does not exist; create it first" in refused(*fit, "--out", tmp_path / "none" / "m.mlw")
    assert f"--report {tmp_path}: is a folder" in refused(*fit, "--out", tmp_path / "m.mlw", "--report", tmp_path)
    assert "not numbers" in refused("fit", models / "c.csv", "--target", "y", "--task", "regression")


def test_models(models, tmp_path):
    table = models / "good.csv"
    assert "no such file" in refused("predict", tmp_path / "m.mlw", table)
    assert "no such file" in refused("predict", models / "numbers.mlw", tmp_path / "t.csv")
    assert "holds a Ridge" in refused("info", models / "ridge.mlw")
    refused("info", models / "damaged.mlw")
    refused("info", models / "text.mlw")
    refused("predict", models / "text.mlw", table)


def test_intervals(models, tmp_path):
    table, out = models / "good.csv", ["--out", tmp_path / "p.csv"]
    classes = refused("predict", models / "classes.mlw", table, *out, "--interval", "0.9")
    assert "predicts classes, which have probabilities and no interval; leave --interval out" in classes
    too_large = refused("predict", models / "numbers.mlw", table, *out, "--interval", "90")
    assert "--interval 90: must be between 0 and 1, exclusive; for 90 % give 0.9" in too_large
    few = refused("predict", models / "numbers.mlw", table, *out, "--interval", "0.999")
    assert "errors of at least 1999 rows are needed" in few


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (GOOD.drop("c"), "lacks 1 of the columns that TableEncoder was fitted on: 'c'"),
        (GOOD.with_columns(x=pl.lit("large")), "column 'x' is categorical, but"),
    ],
)
def test_tables_that_do_not_match_the_model(models, tmp_path, bad, message):
    bad.write_csv(tmp_path / "bad.csv")
    line = refused("predict", models / "numbers.mlw", tmp_path / "bad.csv", "--out", tmp_path / "p.csv")
    assert "bad.csv: does not match" in line
    assert message in line
    assert not (tmp_path / "p.csv").exists()


def test_usage_errors_have_code_2():
    for arguments in (["fit"], ["fit", "t.csv"], ["nonsense"], ["predict", "--depth"]):
        done = RUNNER.invoke(app, arguments)
        assert done.exit_code == 2
        assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("name", "cells", "message"),
    [
        ("none", "1", "--weight none: no such column"),
        ("y", "1", "--weight y: is the target"),
        ("w", "a", "--weight w: holds String; expected numbers"),
        ("w", "-1", "--weight w: has cells that are missing, infinite or below 0"),
        ("w", "", "--weight w:"),
        ("w", "0", "--weight w: is 0 in every row"),
    ],
)
def test_weights(name, cells, message, tmp_path):
    rows = "".join(f"{i},{i % 7},{cells}\n" for i in range(30))
    (tmp_path / "table.csv").write_text(f"x,y,w\n{rows}")
    assert message in refused("fit", tmp_path / "table.csv", "--target", "y", "--weight", name)
