"""The work of ``mlwright predict``."""

import polars as pl

import mlwright
from mlwright import ModelFormatError, deploy
from mlwright.cli._errors import CommandError
from mlwright.cli._tables import check_writable, is_table_name, read_table, write_table
from mlwright.tabular import TabularClassifier, TabularRegressor


def load_model(path):
    """A model file that ``mlwright fit`` wrote."""
    if not path.exists():
        raise CommandError(f"{path}: no such file; give the path of a model that 'mlwright fit' saved")
    try:
        model = mlwright.load(path)
    except ModelFormatError:
        _name_what_it_is(path)
        raise
    if not isinstance(model, TabularClassifier | TabularRegressor):
        raise CommandError(
            f"{path}: holds a {type(model).__name__}; the command line predicts with models that 'mlwright fit' saved, "
            "use mlwright.load in Python for others"
        )
    return model


def _name_what_it_is(path):
    """Of a file that is no model file: say so if it is a table or a model of another library."""
    with open(path, "rb") as file:
        start = file.read(256)
    if deploy.is_foreign(start):
        raise CommandError(f"{path}: is a model of another library; 'mlwright import {path}' makes a .mlw file of it")
    if is_table_name(path):
        raise CommandError(f"{path}: is a table; the model comes first: 'mlwright predict model.mlw table.csv'")


def predict(model_path, table_path, *, out, interval, console):
    """Write predictions for the rows of a table."""
    check_writable(out, "--out")
    model = load_model(model_path)
    is_classifier = isinstance(model, TabularClassifier)
    if interval is not None and is_classifier:
        raise CommandError(
            f"--interval {interval:g}: {model_path} predicts classes, which have probabilities and no interval; "
            "leave --interval out"
        )
    if interval is not None and not 0 < interval < 1:
        raise CommandError(f"--interval {interval:g}: must be between 0 and 1, exclusive; for 90 % give 0.9")
    table = read_table(table_path, text_columns=_text_columns(model, table_path))
    try:
        predictions = _classes(model, table) if is_classifier else _numbers(model, table, interval)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{table_path}: does not match {model_path}: {error}") from None
    write_table(predictions, out)
    console.print(f"{predictions.height:,} predictions: [bold]{out}[/] ({', '.join(predictions.columns)})")


def _text_columns(model, table_path):
    """Columns that were text in fit are read as text: a file in which all codes look like numbers is no other table."""
    if table_path.suffix.lower() in (".parquet", ".pq") or not hasattr(model, "feature_names_in_"):
        return []
    encoder = model.pipeline_[0]
    pairs = zip(encoder.feature_names_in_, encoder.kinds_, strict=True)
    return [name for name, kind in pairs if kind == "categorical"]


def _classes(model, table):
    probabilities = model.predict_proba(table)
    best = probabilities.argmax(axis=1)
    columns = {"prediction": model.classes_[best].tolist()}
    for j, label in enumerate(model.classes_):
        columns[f"probability_{label}"] = probabilities[:, j]
    return pl.DataFrame(columns)


def _numbers(model, table, interval):
    columns = {"prediction": model.predict(table)}
    if interval is not None:
        columns["lower"], columns["upper"] = model.predict_interval(table, interval).T
    return pl.DataFrame(columns)
