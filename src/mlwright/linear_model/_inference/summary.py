"""The summary of a fit as text and as HTML."""

from dataclasses import dataclass
from html import escape

import numpy as np

_WIDTH = 78


@dataclass(frozen=True, slots=True)
class Summary:
    """A title, pairs of labels and values, and a table of parameters; ``str()`` is text, notebooks show HTML."""

    title: str
    facts: tuple
    header: tuple
    rows: tuple
    notes: tuple

    def __str__(self):
        table = (self.header, *self.rows)
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        line = max(sum(widths) + 2 * (len(widths) - 1), _WIDTH)
        out = [self.title.center(line).rstrip(), "=" * line, *_two_columns(self.facts, line), "=" * line]
        out += [_cells(self.header, widths), "-" * line, *(_cells(row, widths) for row in self.rows), "=" * line]
        return "\n".join([*out, *self.notes])

    __repr__ = __str__

    def _repr_html_(self):
        facts = "".join(
            f"<tr>{''.join(f'<th>{escape(label)}</th><td>{escape(value)}</td>' for label, value in pair)}</tr>"
            for pair in _paired(self.facts)
        )
        header = "".join(f"<th>{escape(cell)}</th>" for cell in self.header)
        rows = "".join(
            f"<tr><th>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>"
            for row in self.rows
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"<table><caption>{escape(self.title)}</caption>{facts}</table>"
            f"<table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>{notes}"
        )


def summarise(result, alpha):
    """The :class:`Summary` of an :class:`Inference`."""
    interval = result.conf_int(alpha)
    letter = "t" if result.use_t else "z"
    header = ("", "coef", "std err", letter, f"P>|{letter}|", f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]")
    rows = tuple(
        (name, *(_number(x) for x in (b, e)), f"{s:.3f}", f"{p:.3f}", _number(low), _number(high))
        for name, b, e, s, p, (low, high) in zip(
            result.names, result.params, result.std_errors, result.statistics, result.p_values, interval, strict=True
        )
    )
    notes = [f"Covariance {result.description}."]
    if not np.isfinite(result.statistics).all():
        notes.append("Statistics are not finite where the standard error is zero: the fit leaves no residuals.")
    return Summary(f"{result.model}: summary", tuple(_facts(result)), header, rows, tuple(notes))


def _facts(result):
    yield "Observations", f"{result.n_obs:,.10g}"
    yield "Covariance", result.cov_type
    yield "Df residuals", f"{result.df_resid:,.10g}"
    yield "Df model", f"{result.df_model:g}"
    for name, value in result.figures.items():
        yield name.replace("_", " ").capitalize().replace("R squared", "R-squared"), _number(value)
    if result.log_likelihood is not None:
        yield "Log-likelihood", _number(result.log_likelihood)
        yield "AIC", _number(result.aic)
        yield "BIC", _number(result.bic)
    yield "Dispersion", _number(result.dispersion)
    if "r_squared" in result.figures and result.df_model > 0 and result.df_resid > 0:
        try:
            test = result.f_test()
        except ValueError:  # a perfect fit, or fewer clusters than coefficients
            return
        yield "F-statistic", _number(test.statistic)
        yield "P(F)", f"{test.p_value:.3g}"


def _number(x):
    return f"{x:.4f}" if 1e-3 <= abs(x) < 1e6 or x == 0 else f"{x:.4g}"


def _paired(facts):
    half = (len(facts) + 1) // 2
    left, right = facts[:half], facts[half:]
    return [(a, b) for a, b in zip(left, (*right, ("", ""))[:half], strict=True)]


def _two_columns(facts, line):
    half = line // 2 - 1
    for pair in _paired(facts):
        parts = [f"{label + ':' if label else '':<18}{value:>{half - 18}}" for label, value in pair]
        yield "  ".join(parts).rstrip()


def _cells(row, widths):
    rest = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([f"{row[0]:<{widths[0]}}", *rest]).rstrip()
