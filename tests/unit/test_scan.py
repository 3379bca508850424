"""Which files below pages/api and app are routes, and at which URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextapi.errors import ConflictError, SegmentError
from nextapi.routing.scan import scan_root
from nextapi.routing.segments import pattern_text


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / "pages" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def _scanned(folder: Path, extensions: tuple[str, ...] = ("py",)) -> dict[str, str]:
    """Return the patterns of the routes by their files' names."""
    scan = scan_root(folder, extensions)
    assert not scan.faults
    return {str(route.file.relative_to(folder / "pages")): pattern_text(route.pattern) for route in scan.routes}


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
    found = [route.file for route in scan_root(tmp_path, ("py",)).routes]
    assert found == sorted(tmp_path / "pages" / name for name in names)


def test_name_that_is_no_segment_is_a_fault_of_its_file(tmp_path: Path) -> None:
    """Every file with a bad name in its path is told, and the others are routes all the same."""
    _touch(tmp_path, "api/[a]b.py", "api/c[d]/x.py", "api/ok.py")
    scan = scan_root(tmp_path, ("py",))
    pages = tmp_path / "pages"
    assert [pattern_text(route.pattern) for route in scan.routes] == ["/api/ok"]
    assert all(isinstance(fault, SegmentError) for fault in scan.faults)
    assert [fault.files for fault in scan.faults] == [(pages / "api/[a]b.py",), (pages / "api/c[d]/x.py",)]
    assert [str(fault).split(": ")[:2] for fault in scan.faults] == [
        [str(pages / "api/[a]b.py"), "'[a]b' is not wholly in brackets"],
        [str(pages / "api/c[d]/x.py"), "'c[d]' is not wholly in brackets"],
    ]


def test_pages_without_api_has_no_routes(tmp_path: Path) -> None:
    """A folder `pages` without `api` is empty, not wrong."""
    (tmp_path / "pages").mkdir()
    assert scan_root(tmp_path, ("py",)) == ([], [], [])


def test_folders_that_link_to_each_other(tmp_path: Path) -> None:
    """A link to a folder that the way led through has no end either; each file is found by every way that has one."""
    api = tmp_path / "pages" / "api"
    for name, other in ("xy", "yx"):
        (api / name).mkdir(parents=True)
        (api / name / "one").symlink_to(f"../{other}")
        (api / name / "two").symlink_to(f"../{other}")
    (api / "x" / "file.py").write_text("")
    found = scan_root(tmp_path, ("py",))
    files = [str(route.file.relative_to(api)) for route in found.routes]
    assert files == ["x/file.py", "y/one/file.py", "y/two/file.py"]
    assert {entry.reason for entry in found.ignored} == {"is a link upwards, which has no end"}


# app


def _scan_app(root: Path, *names: str) -> dict[str, str]:
    for name in names:
        file = root / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    scan = scan_root(root, ("py",))
    assert not scan.faults
    assert all(route.is_app for route in scan.routes)
    return {str(route.file.relative_to(root / "app")): pattern_text(route.pattern) for route in scan.routes}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("route.py", "/"),
        ("api/a/route.py", "/api/a"),
        ("feed.xml/route.py", "/feed.xml"),
        ("(group)/a/(inner)/route.py", "/a"),
        ("(group)/route.py", "/"),
        ("a/[id]/[...rest]/route.py", "/a/[id]/[...rest]"),
        ("%5Fescaped/route.py", "/_escaped"),
        ("index/route.py", "/index"),
    ],
)
def test_route_below_app(tmp_path: Path, name: str, pattern: str) -> None:
    """A folder with a `route.py` is a route; groups have no part in the path, and %5F begins a name with `_`."""
    assert _scan_app(tmp_path, name) == {name: pattern}


@pytest.mark.parametrize(
    "name", ["a/page.py", "a/index.py", "a.py", "_a/route.py", "a/_b/c/route.py", "a/test_route.py"]
)
def test_no_route_below_app(tmp_path: Path, name: str) -> None:
    """Only `route.py` is a route, and nothing below a private folder."""
    assert _scan_app(tmp_path, name) == {}


@pytest.mark.parametrize("name", ["@slot/route.py", "(.)a/route.py", "(..)a/route.py", "(...)a/b/route.py"])
def test_folder_for_pages_is_a_fault(tmp_path: Path, name: str) -> None:
    """Parallel and intercepting routes are for pages: a route there is told, not served at an odd path."""
    file = tmp_path / "app" / name
    file.parent.mkdir(parents=True)
    file.touch()
    (fault,) = scan_root(tmp_path, ("py",)).faults
    assert isinstance(fault, SegmentError)
    assert fault.files == (file,)


@pytest.mark.parametrize("page", ["a/page.py", "a/page.tsx", "(group)/a/page.py", "(one)/(two)/a/page.js"])
def test_page_beside_a_route_is_a_fault(tmp_path: Path, page: str) -> None:
    """One path has one answer, as in Next, also where groups lead to it."""
    route, other = tmp_path / "app" / "a" / "route.py", tmp_path / "app" / page
    for file in (route, other):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (fault,) = scan_root(tmp_path, ("py",)).faults
    assert isinstance(fault, ConflictError)
    assert fault.files == (route, other)


def test_pages_of_other_paths(tmp_path: Path) -> None:
    """A page is no fault where no route has its path."""
    for name in ("a/route.py", "page.py", "a/b/page.py", "_x/a/page.py", "(group)/c/page.py", "[a]/page.py"):
        file = tmp_path / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert scan_root(tmp_path, ("py",)).faults == []
