"""The README's table is written here from the JSON, never by hand."""

from pathlib import Path

BEGIN = "<!-- benchmarks: written by `make bench`, do not edit -->"
END = "<!-- /benchmarks -->"


def replaced(text: str, content: str) -> str:
    """``text`` with everything between the markers replaced by ``content``; all else to the byte as it was.

    Examples
    --------
    >>> print(replaced(f"a\\n{BEGIN}\\nold\\n{END}\\nb", "new"))
    a
    <!-- benchmarks: written by `make bench`, do not edit -->
    new
    <!-- /benchmarks -->
    b
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise ValueError(f"README: expected the markers {BEGIN!r} and {END!r} once each, in this order")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{content.strip()}\n{END}{rest.split(END)[1]}"


def rewrite(path: Path, content: str) -> None:
    """Rewrite the file in place."""
    path.write_text(replaced(path.read_text(), content))
