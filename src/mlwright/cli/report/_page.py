"""The page: sections of text, tables and pictures, put together."""

from html import escape

import numpy as np

import mlwright
from mlwright.cli import _show
from mlwright.cli.report._charts import calibration_chart, importance_chart, leaderboard_chart, residual_chart
from mlwright.cli.report._style import STYLE

_MOST_CLASSES_IN_MATRIX = 12


def write_report(outcome, path):
    """Write the report of a fit to an HTML file."""
    path.write_text(render_page(outcome), encoding="utf-8")


def render_page(outcome):
    """The whole page as text; it refers to nothing outside itself."""
    sections = [
        _header(outcome),
        _leaderboard(outcome),
        _classes(outcome) if outcome.task.is_classification else _numbers(outcome),
        _importances(outcome),
        _columns(outcome),
        _use(outcome),
    ]
    title = escape(f"{outcome.task.y.name}: report of mlwright")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(sections)
        + f"\n<footer>Made by mlwright {mlwright.__version__} in {outcome.seconds:.0f} s.</footer>\n"
        + "</main>\n</body>\n</html>\n"
    )


def _header(outcome):
    model, task = outcome.model, outcome.task
    first = model._metrics[0]
    value = _show.metric_value(first, outcome.held_out[first.name])
    naive = _show.metric_value(first, outcome.baseline[first.name])
    cards = [
        _card(f"{first.label} on held-out rows", value, f"naive baseline {naive}", main=True),
        _card("Best candidate", model.leaderboard_[0]["label"], f"of {len(model.leaderboard_)} tried"),
    ]
    for metric in model._metrics[1:3]:
        naive = _show.metric_value(metric, outcome.baseline[metric.name])
        value = _show.metric_value(metric, outcome.held_out[metric.name])
        cards.append(_card(metric.label, value, f"naive baseline {naive}"))
    rows = f"{model.n_rows_:,} rows to fit on, {len(outcome.y_test):,} held out, {task.X.width} columns"
    notes = "".join(f'<p class="soft">Note: {escape(note)}.</p>' for note in task.notes)
    return (
        f'<header><p class="eyebrow">{escape(outcome.title)}</p><h1>{escape(task.y.name)}</h1>'
        f'<p class="soft">{escape(_show.target(task))}. {rows}.</p>{notes}</header>'
        f'<div class="cards">{"".join(cards)}</div>'
    )


def _card(label, value, remark, main=False):
    kind = "card main" if main else "card"
    return f'<div class="{kind}"><span>{escape(label)}</span><b>{escape(value)}</b><span>{escape(remark)}</span></div>'


def _section(heading, *content):
    return f"<section><h2>{escape(heading)}</h2>{''.join(content)}</section>"


def _figure(picture, caption):
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(headers, rows, row_classes=None):
    """Rows of text; the first cell of each names the row."""
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    classes = row_classes or [""] * len(rows)
    body = "".join(
        f'<tr class="{kind}"><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row, kind in zip(rows, classes, strict=True)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _leaderboard(outcome):
    model = outcome.model
    first = model._metrics[0]
    headers = ["Candidate", *(metric.label for metric in model._metrics), "95 % interval", "Time"]
    rows = []
    for row in model.leaderboard_:
        if not row["complete"]:
            rows.append([row["label"], "out of time", *[""] * (len(headers) - 2)])
            continue
        means = [_show.metric_value(metric, row["metrics"][metric.name][0]) for metric in model._metrics]
        low, high = (_show.metric_value(first, end) for end in row["metrics"][first.name][1:])
        rows.append([row["label"], *means, f"{low} to {high}", f"{outcome.times[row['label']]:.1f} s"])
    caption = (
        f"Means over {model.cv} folds of the {model.n_rows_:,} rows, small dots the folds. The intervals are "
        "Student t with the variance of Nadeau and Bengio, which allows for overlapping training parts."
    )
    chart = leaderboard_chart(model.leaderboard_, first, model.best_)
    return _section("Leaderboard", _figure(chart, caption), _table(headers, rows, ["best"] + [""] * (len(rows) - 1)))


def _classes(outcome):
    model = outcome.model
    probabilities = model.predict_proba(outcome.X_test)
    labels = outcome.y_test.to_numpy()
    if len(model.classes_) == 2:
        shares, truth, name = probabilities[:, 1], labels == model.classes_[1], str(model.classes_[1])
    else:
        places = probabilities.argmax(axis=1)
        shares, truth, name = probabilities.max(axis=1), model.classes_[places] == labels, "the class named"
    chart, said = calibration_chart(shares, truth, name)
    caption = f"Points on the dashed line are honest probabilities; bars are 95 % intervals. {said}"
    content = [_figure(chart, caption)]
    if len(model.classes_) <= _MOST_CLASSES_IN_MATRIX:
        content.append(_confusion(model.classes_, labels, model.classes_[probabilities.argmax(axis=1)]))
    return _section("Can its probabilities be believed?", *content)


def _confusion(classes, truth, predicted):
    head = "".join(f'<th scope="col" class="cell">said {escape(str(label))}</th>' for label in classes)
    body = ""
    for label in classes:
        counts = [int(((truth == label) & (predicted == other)).sum()) for other in classes]
        total = max(sum(counts), 1)
        cells = "".join(
            f'<td class="cell" style="--share:{count / total:.3f}">{count:,} ({count / total:.0%})</td>'
            for count in counts
        )
        body += f'<tr><th scope="row">is {escape(str(label))}</th>{cells}</tr>'
    return f'<div class="scroll"><table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _numbers(outcome):
    model = outcome.model
    y, predictions = outcome.y_test.to_numpy(), model.predict(outcome.X_test)
    chart, said = residual_chart(y, predictions, outcome.task.y.name)
    rows = []
    for coverage in (0.5, 0.8, 0.9, 0.95):
        try:
            low, high = model.predict_interval(outcome.X_test, coverage).T
        except ValueError:
            continue  # too few rows for such a coverage; the table then says nothing of it
        inside = np.average((low <= y) & (y <= high), weights=outcome.w_test)
        width = np.average(high - low, weights=outcome.w_test)
        rows.append([f"{coverage:.0%}", f"{inside:.1%}", _show.number(float(width))])
    intervals = _table(["Interval asked for", "Held-out rows inside", "Mean width"], rows) if rows else ""
    return _section("How far off is it?", _figure(chart, f"Points on the dashed line are exact. {said}"), intervals)


def _importances(outcome):
    classification = outcome.task.is_classification
    unit = "Rise of the log loss" if classification else "Fall of R²"
    caption = (
        f"{unit} on held-out rows when the cells of a column are shuffled: mean and range over three shuffles. Columns "
        "that say the same can stand in for each other and then each looks unimportant."
    )
    return _section("What does it look at?", _figure(importance_chart(outcome.importances, unit), caption))


def _columns(outcome):
    n_rows = outcome.task.X.height
    rows = [
        [
            column.name,
            column.kind,
            f"{column.n_missing:,} ({column.n_missing / n_rows:.1%})" if column.n_missing else "none",
            f"{column.n_different:,}",
            column.example,
        ]
        for column in outcome.columns
    ]
    return _section("What was in the table", _table(["Column", "Kind", "Missing", "Different", "For example"], rows))


def _use(outcome):
    name = outcome.out.name
    interval = "" if outcome.task.is_classification else " --interval 0.9"
    shell = f"mlwright predict {name} new_rows.csv --out predictions.csv{interval}"
    load = f'model = mlwright.load("{name}")'
    python = f'import mlwright, polars\n\n{load}\nmodel.predict(polars.read_csv("new_rows.csv"))'
    return _section(
        "Use it",
        '<p class="soft">The file holds the whole pipeline, no code, and predicts the same bits everywhere.</p>',
        f"<pre><code>{escape(shell)}</code></pre><pre><code>{escape(python)}</code></pre>",
    )
