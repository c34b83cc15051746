"""The code on the README and on the pages of the guide runs and prints what the pages say."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(page):
    return [
        (found[1], found[2], page.read_text()[: found.start()].count("\n") + 2)
        for found in BLOCK.finditer(page.read_text())
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_of_the_page_runs(page, tmp_path, monkeypatch):
    """All blocks of a page share one namespace and one empty folder, from top to bottom.

    ``python`` blocks are programs; those with ``>>>`` must print what follows. In ``console`` blocks, every line that
    starts with ``$ mlwright`` must end with code 0.
    """
    monkeypatch.chdir(tmp_path)
    names = {}
    for language, code, line in blocks(page):
        if language == "python" and ">>>" in code:
            test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line)
            report = []
            runner = doctest.DocTestRunner(optionflags=OPTIONS)
            failures, _ = runner.run(test, out=report.append, clear_globs=False)
            names |= test.globs
            assert failures == 0, "".join(report)
        elif language == "python":
            exec(compile("\n" * line + code, str(page), "exec"), names)
        elif language == "console":
            for command in re.findall(r"^\$ mlwright (.*)$", code, re.MULTILINE):
                program = [sys.executable, "-m", "mlwright", *shlex.split(command)]
                done = subprocess.run(program, capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{page.name}: mlwright {command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "HACKING.md"], ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


def test_every_page_of_the_guide_is_in_its_index():
    listed = set(re.findall(r"\]\(([\w./-]+\.md)\)", (ROOT / "docs" / "index.md").read_text()))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"} <= listed
    decisions = (ROOT / "docs" / "decisions" / "index.md").read_text()
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        assert page.name == "index.md" or f"]({page.name})" in decisions, (
            f"docs/decisions/index.md does not name {page.name}"
        )
