"""README, Markdown, picture and JSON: written from the records and from nothing else."""

from xml.etree import ElementTree

import pytest

from benchmarks import picture, readme, record, table


@pytest.fixture
def records():
    spread = {"median": 1.0, "lower": 0.9, "upper": 1.2}
    own = {"library": "mlwright", "seconds": spread, "rounds": 5, "peak_mb": 10.0, "answers": {"loss": 0.5}}
    judged = {"ratio": 3.21, "ratio_spread": spread, "goal": {"must": 2, "aim": 4}, "verdict": "must met"}
    faster = own | {"library": "sklearn"} | judged
    differing = own | {"library": "xgboost", "differs": ["loss: 0.5 against 0.6, allowed distance 0.001"]}
    broken = {"library": "lightgbm", "error": "ImportError: <none>"}
    machine = {"processor": "Toy", "cores": 2, "system": "Linux", "python": "3.11", "versions": {"numpy": "2"}}
    common = {"timed": "fit", "threads": 2, "when": "2026-01-01 00:00 UTC", "machine": machine}
    return [common | {"name": "toy", "title": "Toy & Co", "rows": [own, faster, differing, broken]}]


def test_headline_has_a_line_a_peer_and_no_ratio_without_equal_answers(records):
    lines = table.headline(records).splitlines()
    assert "**3.21**" in lines[2]
    assert "must met" in lines[2]
    assert "answers differ" in lines[3]
    assert "**" not in lines[3] + lines[4]
    assert "failed: ImportError" in lines[4]
    assert "2 threads each" in lines[-1]


def test_problems_of_another_machine_are_named(records):
    moved = records[0] | {"name": "moved", "machine": records[0]["machine"] | {"processor": "Fast"}}
    assert "; Toy; for moved: Fast; 2 cores" in table.conditions([*records, moved, records[0] | {"name": "third"}])
    assert "; Toy; 2 cores" in table.conditions(records)


def test_every_line_of_a_table_has_as_many_cells(records):
    for text in (table.headline(records), table.document(records)):
        cells = {line.count("|") for line in text.splitlines() if line.startswith("|")}
        assert len(cells) == 1


def test_details_show_answers_and_differences(records):
    text = table.details(records)
    assert "loss: 0.5 against 0.6" in text
    assert "- loss: mlwright 0.5, scikit-learn 0.5" in text


def test_picture_is_xml_with_a_bar_for_each_ratio(records):
    root = ElementTree.fromstring(picture.draw(records))
    texts = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any(text.startswith("3.21×") for text in texts)
    assert {"answers differ", "failed"} <= set(texts)
    assert "Toy & Co" in texts


def test_picture_of_nothing_is_still_a_picture():
    ElementTree.fromstring(picture.draw([]))


def test_readme_keeps_everything_outside_the_markers():
    text = f"# A\nabove\n{readme.BEGIN}\nold | table\n{readme.END}\nbelow\n"
    once = readme.replaced(text, "new\n")
    assert once == f"# A\nabove\n{readme.BEGIN}\nnew\n{readme.END}\nbelow\n"
    assert readme.replaced(once, "new") == once


@pytest.mark.parametrize("text", ["", readme.BEGIN, f"{readme.END}{readme.BEGIN}", f"{readme.BEGIN}{readme.END}" * 2])
def test_readme_without_its_markers_is_refused(text):
    with pytest.raises(ValueError, match="expected the markers"):
        readme.replaced(text, "new")


def test_merge_replaces_by_name_keeps_order_and_drops_what_is_gone(tmp_path):
    path = tmp_path / "deep" / "results.json"
    for name in ("gone", "b", "a"):
        record.merge(path, {"name": name, "run": 1}, order=["gone", "a", "b"])
    merged = record.merge(path, {"name": "b", "run": 2}, order=["a", "b"])
    assert merged == [{"name": "a", "run": 1}, {"name": "b", "run": 2}]
    assert record.read(path) == merged
