"""README.md, CONTRIBUTING.md and docs/ say what is so: their examples run, their links lead somewhere."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, REPOSITORY, Block, Project, blocks

page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@page
def test_examples_do_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    """Every fenced block of a page is run, or compared, or known to be shown only."""
    with Project(tmp_path) as project:
        for block in blocks(page):
            project.run(block)


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
        Block("python", "assert 1 + 1 == 3\n", "here:1"),
        Block("html", "<p>\n", "here:1"),
        Block("sh", "rm --everything\n", "here:1"),
        Block("text", "web/\n  nowhere.py\n", "here:1"),
        Block("ini", "# setup.cfg\n[nothing]\n", "here:1"),
        Block("mermaid", "graph TD; nowhere.py\n", "here:1"),
        Block("console", "$ python -c 'print(1)'\n2\n", "here:1"),
    ],
    ids=lambda block: block.kind,
)
def test_a_wrong_example_fails(block: Block, tmp_path: Path) -> None:
    """A block that raises, shows something else, or is of no known kind is noticed."""
    with pytest.raises(AssertionError, match="here:1"), Project(tmp_path) as project:
        project.run(block)
