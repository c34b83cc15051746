"""The command ``mlwright``: fit, predict, info and bench, from tables in files."""

import sys

__all__ = ["main"]


def main():
    """Run the command line; the console script ``mlwright`` and ``python -m mlwright`` end here."""
    try:
        from mlwright.cli._app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "polars"):
            raise
        print(f"mlwright: error: the command line needs {error.name}; pip install 'mlwright[cli]'", file=sys.stderr)
        raise SystemExit(2) from None
    app(prog_name="mlwright")
