"""README.md, CONTRIBUTING.md, docs/, integrations/ say what is so: their examples run, their links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, REPOSITORY, RUNS, Block, Project, run_page

page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


@pytest.mark.parametrize(
    ("page", "host"), RUNS, ids=[f"{page.relative_to(REPOSITORY)} {host or ''}".strip() for page, host in RUNS]
)
def test_examples_do_what_the_page_shows(page: Path, host: str | None, tmp_path: Path) -> None:
    """Every fenced block of a page is run, or compared, or known to be shown only."""
    run_page(page, tmp_path, host)


@page
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and a heading of it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file), target


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_links_to_every_page() -> None:
    """Whoever starts at README.md can find all of docs/."""
    readme = (REPOSITORY / "README.md").read_text()
    assert [page.name for page in PAGES if page.parent.name == "docs" and f"(docs/{page.name})" not in readme] == []


def test_the_changelog_begins_with_this_version() -> None:
    """The newest entry of CHANGELOG.md is about the version that is installed."""
    headings = re.findall(r"^## (\S+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == version("nextapi-wsgi")


@pytest.mark.parametrize(
    "block",
    [
        Block("python", "assert 1 + 1 == 3\n", "here", 1),
        Block("html", "<p>\n", "here", 1),
        Block("sh", "rm --everything\n", "here", 1),
        Block("text", "web/\n  nowhere.py\n", "here", 1),
        Block("ini", "# setup.cfg\n[nothing]\n", "here", 1),
        Block("diff", "--- ran.py\n+++ ran.py\n@@\n+nothing\n", "here", 1),
        Block("mermaid", "graph TD; nowhere.py\n", "here", 1),
        Block("console", "$ python -c 'print(1)'\n2\n", "here", 1),
    ],
    ids=lambda block: block.kind,
)
def test_a_wrong_example_fails(block: Block, tmp_path: Path) -> None:
    """A block that raises, shows something else, or is of no known kind is noticed."""
    (tmp_path / "ran.py").write_text("something\n")
    with pytest.raises(AssertionError, match=r"here:[12]\b"), Project(tmp_path) as project:
        project.run(block)


def test_a_wrong_page_ends_the_command(tmp_path: Path) -> None:
    """As a command, what reads the pages names the line that is not as it shows, and ends with 1."""
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```console\n$ python -c 'print(1)'\n1\n$ python -c 'print(2)'\n3\n```\n")
    command = [sys.executable, "-m", "tests.docs.pages", str(page), "--project", str(tmp_path / "x"), "--wheel", "none"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "page.md:6 shows\n3\n\nbut there is\n2\n\n")
