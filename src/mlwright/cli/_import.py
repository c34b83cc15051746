"""The work of ``mlwright import``."""

from rich.markup import escape

import mlwright
from mlwright import deploy
from mlwright.cli import _show
from mlwright.cli._errors import CommandError


def import_model(path, out, console):
    """Turn a model of another library into a ``.mlw`` file."""
    if not path.exists():
        raise CommandError(f"{path}: no such file; give the path of a model that LightGBM or XGBoost saved")
    model = deploy.from_file(path)
    try:
        mlwright.save(model, out)
    except ValueError as error:
        raise CommandError(str(error)) from None
    kind = f"{len(model.classes_)} classes" if hasattr(model, "classes_") else "a number"
    console.print(
        f"{escape(model.source_)}: {model.n_trees_:,} trees on {model.n_features_in_:,} features, predicts {kind}"
    )
    console.print(f"Saved: [bold]{escape(str(out))}[/], {_show.size(out.stat().st_size)}; mlwright.load reads it")
