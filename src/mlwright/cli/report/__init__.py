"""The report of ``mlwright fit``: one HTML file that needs nothing else, in light and dark."""

from mlwright.cli.report._page import render_page, write_report

__all__ = ["render_page", "write_report"]
