"""The settings of docs/typing.md, tried on the trees of `integrations/`, and on a tree with a fault in every file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import REPOSITORY, blocks
from tests.support.checkers import check

SETTINGS = next(block.text for block in blocks(REPOSITORY / "docs/typing.md") if block.kind == "toml")
WEBS = sorted(web for web in REPOSITORY.glob("integrations/**/web") if (web / "pages").is_dir())

# Paths of route files, and how they import from the root.
ROUTES = {
    "index.py": "...",
    "[pid].py": "...",
    "my-page.py": "...",
    "post/[pid]/index.py": ".....",
    "draft/[pid]/index.py": ".....",
}
DOTTED = {"docs/[...slug].py": "....", "shop/[[...slug]].py": "....", "report.json.py": "...", "v1.0/user.py": "...."}


@pytest.fixture(params=WEBS, ids=lambda web: web.relative_to(REPOSITORY).parts[1])
def integration(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a copy of an integration, with the settings of docs/typing.md."""
    _, name, package, *_ = request.param.relative_to(REPOSITORY).parts
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*")
    folder = shutil.copytree(REPOSITORY / "integrations" / name, tmp_path / "project", ignore=ignored)
    # A root inside a package is a part of that.
    (folder / "pyproject.toml").write_text(SETTINGS.replace('"web', f'"{package}'))
    return folder


def test_mypy_takes_an_integration(integration: Path) -> None:
    """mypy has nothing to say about its tree."""
    assert check(integration, "mypy").startswith("Success: no issues found in ")


def test_pyright_takes_an_integration(integration: Path) -> None:
    """pyright has nothing to say about its tree."""
    assert check(integration, "pyright").startswith("0 errors, 0 warnings")


def test_ruff_takes_an_integration(integration: Path) -> None:
    """ruff has nothing to say about its tree; the order of imports is as this repository's settings have it."""
    [web] = integration.glob("**/web")
    assert check(integration, "ruff", "check", "--ignore=I001", str(web)) == "All checks passed!\n"


@pytest.mark.parametrize("web", WEBS, ids=lambda web: web.relative_to(REPOSITORY).parts[1])
def test_no_route_file_suppresses_a_checker(web: Path) -> None:
    """There is no `type: ignore`, `noqa` or `pyright:` in the tree of an integration."""
    files = sorted(web.rglob("*.py"))
    assert files
    suppression = re.compile(r"#\s*(type:\s*ignore|noqa|ruff:|mypy:|pyright:)", re.IGNORECASE)
    assert [file.name for file in files if suppression.search(file.read_text("utf-8"))] == []


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Return a project whose route files send a text of the root where they promise a number."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "web/lib").mkdir(parents=True)
    (tmp_path / "web/lib/texts.py").write_text('TEXT: str = "a"\n')
    for route, dots in {**ROUTES, **DOTTED}.items():
        file = tmp_path / "web/pages/api" / route
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            "from nextapi import NextApiRequest, NextApiResponse\n\n"
            f"from {dots}lib.texts import TEXT\n\n\n"
            "def handler(req: NextApiRequest, res: NextApiResponse[int]) -> None:\n    res.json(TEXT)\n"
        )
    return tmp_path


def test_mypy_finds_faults_beside_dotted_names(faulty: Path) -> None:
    """mypy follows relative imports of files in bracket folders, and leaves out files with a dot in their path."""
    found = re.findall(r'^web/pages/api/(.*):7: error: .* "str"; expected "int"', check(faulty, "mypy"), re.MULTILINE)
    assert sorted(found) == sorted(ROUTES)


def test_pyright_finds_faults_in_every_file(faulty: Path) -> None:
    """pyright follows relative imports of files of every name."""
    found = re.findall(r"web/pages/api/(.*):7:\d+ - error: .*\"str\"", check(faulty, "pyright"))
    assert sorted(found) == sorted({**ROUTES, **DOTTED})


def test_ruff_looks_into_every_file(faulty: Path) -> None:
    """Without the settings, ruff reports relative imports of files of every name; with them it reports nothing."""
    assert check(faulty, "ruff", "check", "--ignore=I001") == "All checks passed!\n"
    found = check(faulty, "ruff", "check", "--isolated", "--select=TID252", "--output-format=concise")
    assert sorted(re.findall(r"^web/pages/api/(.*):3:1: TID252", found, re.MULTILINE)) == sorted({**ROUTES, **DOTTED})
