"""README.md, CONTRIBUTING.md, docs/, integrations/ say what is so: their examples run, their links lead somewhere."""

from __future__ import annotations

import builtins
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import nextapi
from nextapi.testing import call
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


@pytest.mark.parametrize("page", ["README.md", "docs/from-next.md"])
def test_names_in_the_tables_are_there(page: str) -> None:
    """What a table of names gives for one of Next's can be imported from nextapi, or is what a handler is given has."""
    request = nextapi.NextRequest("http://localhost/")
    given: dict[str, object] = {
        "request": request,
        "headers": request.headers,
        "search_params": request.next_url.search_params,
        "response": nextapi.NextResponse(),
    }

    def handler(req: nextapi.NextApiRequest, res: nextapi.NextApiResponse) -> None:
        given.update(req=req, res=res)
        res.end()

    call(handler)
    rows = re.findall(r"^\|.*?[^\\]\|(.*?[^\\])\|", (REPOSITORY / page).read_text(), re.MULTILINE)
    spans = [span for row in rows for span in re.findall(r"`@?([^`]+)`", row)]
    calls = {match[1] for span in spans if (match := re.match(r"(\w+)\(", span))}
    attributes = {match.groups() for span in spans if (match := re.match(r"(\w+)\.(\w+)", span)) and match[1] in given}
    assert len(calls) > 10
    assert len(attributes) > 30
    own = {"handler", "middleware", "proxy", "GET"}
    assert [name for name in calls - own if not hasattr(nextapi, name) and not hasattr(builtins, name)] == []
    assert [f"{name}.{attribute}" for name, attribute in attributes if attribute not in dir(given[name])] == []


@pytest.mark.parametrize("name", nextapi.__all__)
def test_names_are_documented(name: str) -> None:
    """Every name that route files can import is on a page."""
    assert any(re.search(rf"\b{name}\b", page.read_text()) for page in PAGES)


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
