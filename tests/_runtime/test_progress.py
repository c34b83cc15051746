"""Progress: every watcher hears of it, on the calling thread, not too often."""

import io
import logging
import threading

import pytest

import mlwright
from mlwright._native import core
from mlwright._runtime import progress, threads
from mlwright._runtime.progress import ProgressEvent, Reporter, watch_progress


def heard_of(reports, *, total=3, verbose=0):
    heard = []
    with watch_progress(heard.append):
        reporter = Reporter("counting", total, verbose=verbose)
        for done in reports:
            reporter.report(done, square=done * done)
    return heard


def test_events_say_what_was_done():
    first, last = heard_of([1, 3])
    assert first == ProgressEvent("counting", 1, 3, {"square": 1})
    assert last == ProgressEvent("counting", 3, 3, {"square": 9})
    assert str(last) == "[mlwright] counting 3/3 square=9"


def test_quick_steps_are_told_first_and_last_only():
    assert [event.done for event in heard_of(range(1, 10_001), total=10_000)] == [1, 10_000]


def test_slow_steps_are_all_told(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    assert [event.done for event in heard_of(range(1, 6), total=5)] == [1, 2, 3, 4, 5]


def test_unknown_total():
    (event,) = heard_of([7], total=None)
    assert event.total is None
    assert str(event) == "[mlwright] counting 7 square=49"


def test_watchers_nest_and_end():
    outer, inner = [], []
    with watch_progress(outer.append):
        with watch_progress(inner.append):
            Reporter("a", 1).report(1)
        Reporter("b", 1).report(1)
    Reporter("c", 1).report(1)
    assert [event.stage for event in outer] == ["a", "b"]
    assert [event.stage for event in inner] == ["a"]


def test_nobody_watching():
    reporter = Reporter("counting", 3)
    assert not reporter.watched
    assert reporter.native is None
    reporter.report(1)


def test_watching_is_the_threads_own():
    heard = []
    with watch_progress(heard.append):
        other = threading.Thread(target=lambda: Reporter("elsewhere", 1).report(1))
        other.start()
        other.join()
    assert heard == []


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (1, 2), (True, 2), (2, 100)])
def test_verbose_prints_to_stdout(verbose, lines, capsys):
    reporter = Reporter("counting", 100, verbose=verbose)
    for done in range(1, 101):
        reporter.report(done)
    assert capsys.readouterr().out.count("\n") == lines


def test_to_stream():
    file = io.StringIO()
    progress.to_stream(file)(ProgressEvent("fit", 1, 2, {"loss": 0.123456789}))
    assert file.getvalue() == "[mlwright] fit 1/2 loss=0.123457\n"


def test_to_logger(caplog):
    with caplog.at_level(logging.INFO, logger="mine"):
        progress.to_logger(logging.getLogger("mine"))(ProgressEvent("fit", 1, 2))
        progress.to_logger(logging.getLogger("mine"), logging.DEBUG)(ProgressEvent("fit", 2, 2))
    assert caplog.messages == ["[mlwright] fit 1/2"]


class Bar:
    """What tqdm's bars do, as far as the adapter needs."""

    def __init__(self, total, desc):
        self.total, self.desc, self.n, self.closed = total, desc, 0, False

    def update(self, n):
        self.n += n

    def set_postfix(self, values):
        self.values = values

    def close(self):
        self.closed = True


def test_to_tqdm():
    bars = []

    def make_bar(**how):
        bars.append(Bar(**how))
        return bars[-1]

    watcher = progress.to_tqdm(make_bar)
    for done in (1, 4, 5):
        watcher(ProgressEvent("fit", done, 5, {"loss": 1.0}))
    watcher(ProgressEvent("fit", 2, 5))
    first, second = bars
    assert (first.n, first.closed, first.desc) == (5, True, "fit")
    assert (second.n, second.closed) == (2, False)


def test_to_rich():
    rich_progress = pytest.importorskip("rich.progress")
    bar = rich_progress.Progress(disable=True)
    watcher = progress.to_rich(bar)
    watcher(ProgressEvent("fit", 1, None))
    watcher(ProgressEvent("fit", 2, 5, {"loss": 1.0}))
    (task,) = bar.tasks
    assert (task.description, task.completed, task.total, task.fields) == ("fit", 2, 5, {"loss": 1.0})


def native(reporter, **how):
    return core.runtime.exercise(watcher=reporter.native, interval=reporter.interval, **how)


def test_native_core_reports_on_the_calling_thread():
    heard = []
    with watch_progress(lambda event: heard.append((event, threading.get_ident()))), threads.limit(3):
        native(Reporter("unused"), rounds=200, chunks=6)
    assert {thread for _, thread in heard} == {threading.get_ident()}
    assert [event.done for event, _ in heard] == [1, 200]
    assert heard[-1][0] == ProgressEvent("exercise", 200, 200, {"sum": pytest.approx(7.667, abs=1e-3)})


def test_native_core_tells_slow_steps():
    heard = []
    with watch_progress(heard.append):
        native(Reporter("unused"), rounds=3, seconds=0.11)
    assert [event.done for event in heard] == [1, 2, 3]


def test_what_a_watcher_raises_ends_the_native_work():
    def watcher(event):
        raise LookupError(f"enough after {event.done}")

    with watch_progress(watcher), pytest.raises(LookupError, match="enough after 1"):
        native(Reporter("unused"), rounds=1000, chunks=4, seconds=1e-3)


def test_public_names():
    assert mlwright.watch_progress is watch_progress
    assert mlwright.ProgressEvent is ProgressEvent
