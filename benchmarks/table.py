"""The Markdown of the results: the README's table, and a page with every figure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

DISPLAY = {
    "sklearn": "scikit-learn",
    "sklearnex": "scikit-learn-intelex",
    "lightgbm": "LightGBM",
    "lightgbm_quantised": "LightGBM, quantised gradients",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
}

Record = Mapping[str, Any]


def duration(seconds: float) -> str:
    """Three figures and the unit a reader expects.

    Examples
    --------
    >>> duration(12.345), duration(0.0312), duration(0.000217)
    ('12.3 s', '31.2 ms', '217 µs')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1 or unit == "µs":
            return f"{figures(seconds * scale)} {unit}"
    raise AssertionError("unreachable: the last unit takes everything")


def figures(value: float) -> str:
    """Three significant figures without an exponent.

    Examples
    --------
    >>> figures(12.345), figures(217.4), figures(1234.5), figures(0.98765)
    ('12.3', '217', '1234', '0.988')
    """
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def name_of(library: str) -> str:
    return DISPLAY.get(library, library)


def headline(records: Sequence[Record]) -> str:
    """The README's table: one line for each peer of each problem, and under what conditions."""
    lines = [
        "| problem | mlwright | peer | its time | its time / ours | must / aim | |",
        "|---|--:|---|--:|--:|--:|---|",
    ]
    for record in records:
        own, *peers = record["rows"]
        for index, row in enumerate(peers):
            title = record["title"] if index == 0 else ""
            own_time = duration(own["seconds"]["median"]) if "seconds" in own and index == 0 else ""
            lines.append(_line([title, own_time, name_of(row["library"]), *_outcome(row)]))
            if "peak" in row:
                memory = [f"{own['peak_mb']:.0f} MB", name_of(row["library"]), f"{row['peak_mb']:.0f} MB"]
                lines.append(_line(["... its peak memory beyond the data", *memory, *_peak(row["peak"])]))
    return "\n".join([*lines, "", conditions(records)])


def _outcome(row: Record) -> list[str]:
    """Its time, the ratio, the goal and what became of it."""
    if "error" in row:
        return ["", "", "", f"failed: {row['error'][:60]}"]
    time = duration(row["seconds"]["median"])
    if "differs" in row:
        return [time, "", "", "answers differ"]
    if "ratio" not in row:
        return [time, "", "", ""]
    goal = f"{row['goal']['must']:g} / {row['goal']['aim']:g}" if "goal" in row else ""
    return [time, f"**{figures(row['ratio'])}**", goal, row.get("verdict", "")]


def _peak(peak: Record) -> list[str]:
    goal = f"{peak['goal']['must']:g} / {peak['goal']['aim']:g}"
    return [f"**{figures(peak['ratio'])}**", goal, peak["verdict"]]


def conditions(records: Sequence[Record]) -> str:
    """Threads, repeats, machine and versions: what a figure means nothing without."""
    if not records:
        return ""
    newest = max(records, key=lambda record: record["when"])
    machine = newest["machine"]
    rounds = _span(row["rounds"] for record in records for row in record["rows"] if "rounds" in row)
    threads = _span(record["threads"] for record in records)
    days = _span(record["when"][:10] for record in records)
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return (
        f"Medians of {rounds} interleaved rounds, {threads} threads each, ratios only where the answers were "
        f"checked to be equal; {_processors(records)}; {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}; {versions}; {days}."
    )


def _processors(records: Sequence[Record]) -> str:
    """The processor of most problems, and of which problems another."""
    names: dict[str, list[str]] = {}
    for record in records:
        names.setdefault(record["machine"]["processor"], []).append(record["name"])
    most, *others = sorted(names, key=lambda processor: -len(names[processor]))
    return "; ".join([most, *(f"for {', '.join(names[other])}: {other}" for other in others)])


def _span(values: Iterable[Any]) -> str:
    """``lowest to highest``, or the only value."""
    found = sorted(set(values))
    return " to ".join(str(value) for value in (found if len(found) < 2 else (found[0], found[-1])))


def details(records: Iterable[Record]) -> str:
    """Every figure: median, quartiles, memory, ratio with its quartiles, answers, remarks."""
    lines = []
    for record in records:
        lines += [f"### {record['title']}", ""]
        lines += [f"`{record['name']}`, {record['threads']} threads, {record['when']}", ""]
        lines += [
            "| library | median | quartiles | rounds | peak memory | its time / ours | must / aim | |",
            "|---|--:|--:|--:|--:|--:|--:|---|",
        ]
        lines += [_detail(row) for row in record["rows"]]
        lines += ["", *_remarks(record), *_answers(record), ""]
    return "\n".join(lines)


def _detail(row: Record) -> str:
    if "error" in row:
        return _line([name_of(row["library"]), "", "", "", "", "", "", f"failed: {row['error']}"])
    seconds = row["seconds"]
    _, ratio, goal, verdict = _outcome(row)
    if "ratio_spread" in row:
        ratio += f" ({figures(row['ratio_spread']['lower'])} to {figures(row['ratio_spread']['upper'])})"
    quartiles = f"{duration(seconds['lower'])} to {duration(seconds['upper'])}"
    measured = [duration(seconds["median"]), quartiles, str(row["rounds"]), f"{row['peak_mb']:.0f} MB"]
    return _line([name_of(row["library"]), *measured, ratio, goal, verdict])


def _remarks(record: Record) -> list[str]:
    """Which metrics differ, and what a library said about its run."""
    return [
        f"- {name_of(row['library'])}: {text}"
        for row in record["rows"]
        for text in [*row.get("differs", []), *row.get("notes", []), *_peak_remark(row)]
    ]


def _peak_remark(row: Record) -> list[str]:
    if "peak" not in row:
        return []
    ratio, goal, verdict = _peak(row["peak"])
    return [f"peak memory over ours {ratio}, must / aim {goal}: {verdict}"]


def _answers(record: Record) -> list[str]:
    """The metrics by library, so that a reader can see that they are equal."""
    rows = [row for row in record["rows"] if row.get("answers")]
    return [
        f"- {metric}: " + ", ".join(f"{name_of(row['library'])} {row['answers'][metric]:.9g}" for row in rows)
        for metric in (rows[0]["answers"] if rows else ())
    ]


def document(records: Sequence[Record]) -> str:
    """The page ``results.md``."""
    head = ["# Benchmark results", "", "Written by `make bench`.", "", conditions(records), ""]
    return "\n".join([*head, details(records)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
