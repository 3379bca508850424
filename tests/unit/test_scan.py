"""Which files below pages/api are routes, and at which URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextapi.errors import SegmentError
from nextapi.routing.scan import scan_pages
from nextapi.routing.segments import pattern_text


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def _scanned(folder: Path, extensions: tuple[str, ...] = ("py",)) -> dict[str, str]:
    """Return the patterns of the routes by their files' names."""
    scan = scan_pages(folder, extensions)
    assert not scan.faults
    return {str(file.relative_to(folder)): pattern_text(pattern) for pattern, file in scan.routes}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("api/a.py", "/api/a"),
        ("api/index.py", "/api"),
        ("api/nest/index.py", "/api/nest"),
        ("api/nest/index/index.py", "/api/nest/index"),
        ("api/post/[pid].py", "/api/post/[pid]"),
        ("api/[a]/[[...b]].py", "/api/[a]/[[...b]]"),
        ("api/dot.json.py", "/api/dot.json"),
        ("api/v1.0/x.py", "/api/v1.0/x"),
        ("api/x.py/y.py", "/api/x.py/y"),
        ("api/with space.py", "/api/with space"),
        ("api/Case.py", "/api/Case"),
        ("api/a.test.py", "/api/a.test"),
        *((f"api/{name}.py", f"/api/{name}") for name in ("test", "testing", "contest", "latest", "a_tests", "index_")),
    ],
)
def test_file_is_a_route(tmp_path: Path, name: str, pattern: str) -> None:
    """A file's place is its URL; `index` stands for its folder, and only where it is the file."""
    _touch(tmp_path, name)
    assert _scanned(tmp_path) == {name: pattern}


@pytest.mark.parametrize(
    "name",
    [
        *("api/_x.py", "api/_d/y.py", "api/__init__.py", "api/__pycache__/a.py", "api/[id]/_y.py"),
        *("api/.x.py", "api/.d/y.py"),
        *("api/test_a.py", "api/a_test.py", "api/conftest.py", "api/d/conftest.py"),
        *("api/data.json", "api/readme.md", "api/a.js", "api/a.pyc", "api/a.py.bak", "api/py", "api/a", "api/a.pyi"),
        *("user.py", "blog/post.py", "API/a.py"),
    ],
)
def test_file_is_no_route(tmp_path: Path, name: str) -> None:
    """Private and hidden names, tests, files that do not end in .py, and files outside of `api` are no routes."""
    _touch(tmp_path, name)
    assert _scanned(tmp_path) == {}


@pytest.mark.parametrize(
    ("extensions", "routes"),
    [
        (("py",), {"api/a.py": "/api/a", "api/b.api.py": "/api/b.api"}),
        (("api.py",), {"api/b.api.py": "/api/b"}),
        (("py", "api.py"), {"api/a.py": "/api/a", "api/b.api.py": "/api/b"}),
        (("api.py", "py"), {"api/a.py": "/api/a", "api/b.api.py": "/api/b"}),
    ],
    ids=str,
)
def test_page_extensions_say_what_routes_end_in(
    tmp_path: Path, extensions: tuple[str, ...], routes: dict[str, str]
) -> None:
    """Only files with one of the extensions are routes, and the longest that fits is cut off."""
    _touch(tmp_path, "api/a.py", "api/b.api.py", "api/c.other", "api/api.py.txt")
    assert _scanned(tmp_path, extensions) == routes


@pytest.mark.parametrize("name", ["test_a.api.py", "a_test.api.py", "conftest.api.py"])
def test_test_is_no_route_under_another_extension(tmp_path: Path, name: str) -> None:
    """Tests are told by their names without the extension, whichever that is."""
    _touch(tmp_path, f"api/{name}")
    assert _scanned(tmp_path, ("api.py",)) == {}


def test_routes_come_in_order_of_their_files(tmp_path: Path) -> None:
    """The order does not hang on the file system."""
    names = ["api/[z].py", "api/a.py", "api/a/b.py", "api/c/index.py", "api/z.py"]
    _touch(tmp_path, *reversed(names))
    assert sorted(_scanned(tmp_path)) == sorted(names)
    assert [file for _, file in scan_pages(tmp_path, ("py",)).routes] == sorted(tmp_path / name for name in names)


def test_name_that_is_no_segment_is_a_fault_of_its_file(tmp_path: Path) -> None:
    """Every file with a bad name in its path is told, and the others are routes all the same."""
    _touch(tmp_path, "api/[a]b.py", "api/c[d]/x.py", "api/ok.py")
    scan = scan_pages(tmp_path, ("py",))
    assert [pattern_text(pattern) for pattern, _ in scan.routes] == ["/api/ok"]
    assert all(isinstance(fault, SegmentError) for fault in scan.faults)
    assert [fault.files for fault in scan.faults] == [(tmp_path / "api/[a]b.py",), (tmp_path / "api/c[d]/x.py",)]
    assert [str(fault).split(": ")[:2] for fault in scan.faults] == [
        [str(tmp_path / "api/[a]b.py"), "'[a]b' is not wholly in brackets"],
        [str(tmp_path / "api/c[d]/x.py"), "'c[d]' is not wholly in brackets"],
    ]


def test_pages_without_api_has_no_routes(tmp_path: Path) -> None:
    """A folder `pages` without `api` is empty, not wrong."""
    assert scan_pages(tmp_path, ("py",)) == ([], [], [])


def test_folders_that_link_to_each_other(tmp_path: Path) -> None:
    """A link to a folder that the way led through has no end either; each file is found by every way that has one."""
    api = tmp_path / "api"
    for name, other in ("xy", "yx"):
        (api / name).mkdir(parents=True)
        (api / name / "one").symlink_to(f"../{other}")
        (api / name / "two").symlink_to(f"../{other}")
    (api / "x" / "file.py").write_text("")
    found = scan_pages(tmp_path, ("py",))
    files = [str(route.file.relative_to(api)) for route in found.routes]
    assert files == ["x/file.py", "y/one/file.py", "y/two/file.py"]
    assert {entry.reason for entry in found.ignored} == {"is a link upwards, which has no end"}
