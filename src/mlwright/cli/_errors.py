"""What users did wrong ends as one clear line and exit code 2, never as a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from mlwright._runtime.errors import ModelFormatError


class CommandError(Exception):
    """A message for the user: what it is about, what was found, what to do."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn the errors that input can cause into a line on stderr and exit code 2."""
    try:
        yield
    except (CommandError, ModelFormatError) as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _stop(message):
    line = " ".join(message.split())
    Console(stderr=True, highlight=False, soft_wrap=True).print("[bold red]mlwright: error:[/]", line, markup=True)
    raise typer.Exit(2)
