"""Route files as modules of one package, which is their root."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nextapi.errors import LoadError
from nextapi.loading import load_module, unload

pytestmark = pytest.mark.usefixtures("forget_modules")


def _write(root: Path, **sources: str) -> None:
    for name, source in sources.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, "utf-8")


def _loaded(file: Path) -> list[str]:
    """Return the names of the modules in this process that are `file`."""
    return [name for name, module in list(sys.modules.items()) if getattr(module, "__file__", None) == str(file)]


def test_relative_imports_reach_the_whole_root(tmp_path: Path) -> None:
    """A route file imports what is beside it and above it, up to the root, by relative imports."""
    _write(
        tmp_path,
        **{
            "lib/auth.py": "from .names import user",
            "lib/names.py": "user = 'ada'",
            "pages/api/shared.py": "word = 'x'",
            "pages/api/post/[pid].py": "from ....lib.auth import user\nfrom ..shared import word\nfrom .... import lib",
        },
    )
    module = load_module(tmp_path, tmp_path / "pages/api/post/[pid].py")
    assert (module.user, module.word, module.lib.auth.user) == ("ada", "x", "ada")


def test_relative_imports_work_below_names_with_dots(tmp_path: Path) -> None:
    """A dot in a file or folder name does not get between a module and its package."""
    _write(
        tmp_path,
        **{
            "lib.py": "x = 1",
            "pages/api/v1.0/near.py": "y = 2",
            "pages/api/v1.0/dot.json.py": "from .near import y\nfrom ....lib import x",
        },
    )
    module = load_module(tmp_path, tmp_path / "pages/api/v1.0/dot.json.py")
    assert (module.x, module.y) == (1, 2)
    assert module.__file__ == str(tmp_path / "pages/api/v1.0/dot.json.py")


def test_module_is_loaded_once(tmp_path: Path) -> None:
    """The second load gives the same module, and so does an import of it by another."""
    sources = {"pages/api/a.py": "token = object()", "pages/api/b.py": "from . import a\nfrom .a import token"}
    _write(tmp_path, **sources)
    a, b = tmp_path / "pages/api/a.py", tmp_path / "pages/api/b.py"
    importer = load_module(tmp_path, b)
    module = load_module(tmp_path, a)
    assert load_module(tmp_path, a) is module is importer.a
    assert importer.token is module.token
    assert _loaded(a) == [module.__name__]


def test_threads_load_one_module(tmp_path: Path) -> None:
    """Many threads that load a file at once get one module."""
    _write(tmp_path, **{"pages/api/a.py": "token = object()"})
    with ThreadPoolExecutor(8) as pool:
        modules = list(pool.map(lambda _: load_module(tmp_path, tmp_path / "pages/api/a.py"), range(32)))
    assert len({id(module) for module in modules}) == 1


@pytest.mark.parametrize("first", ["pages/api/mix/[id].py", "pages/api/mix/[id]/detail.py"])
def test_file_and_folder_of_one_name_are_one_package(tmp_path: Path, first: str) -> None:
    """`[id].py` is the package of what is in `[id]/` beside it, whichever is loaded first."""
    sources = {"pages/api/mix/[id].py": "name = 'id'", "pages/api/mix/[id]/detail.py": "from . import name"}
    _write(tmp_path, **sources)
    load_module(tmp_path, tmp_path / first)
    page, detail = (load_module(tmp_path, tmp_path / name) for name in sources)
    assert (page.name, detail.name) == ("id", "id")
    assert page is not detail
    assert page is load_module(tmp_path, tmp_path / "pages/api/mix/[id].py")
    assert detail.__package__ == page.__name__
    assert [_loaded(tmp_path / name) for name in sources] == [[page.__name__], [detail.__name__]]


def test_init_file_is_the_package(tmp_path: Path) -> None:
    """A folder's `__init__.py` is run once, before what is in the folder."""
    sources = {"pages/api/__init__.py": "word = ['x']", "pages/api/a.py": "from . import word\nword.append('y')"}
    _write(tmp_path, **sources)
    load_module(tmp_path, tmp_path / "pages/api/a.py")
    assert load_module(tmp_path, tmp_path / "pages/api/a.py").word == ["x", "y"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("pages/api/post/__init__.py", "pages/api/post.py"), ("pages/api/a:b.py", "pages/api/a.b.py")],
)
def test_two_files_of_one_module_are_told_apart(tmp_path: Path, one: str, other: str) -> None:
    """Two files that are one module to Python are an error that names both, never one in place of the other."""
    _write(tmp_path, **{one: "", other: "", "pages/api/post/x.py": ""})
    load_module(tmp_path, tmp_path / ("pages/api/post/x.py" if "post" in one else one))
    with pytest.raises(LoadError, match="one module to Python") as raised:
        load_module(tmp_path, tmp_path / other)
    assert str(tmp_path / one) in str(raised.value)
    assert raised.value.files[0] == tmp_path / other


def test_roots_of_one_name_stay_apart(tmp_path: Path) -> None:
    """Two roots with the same folder name, and the same files in it, are two packages."""
    roots = [tmp_path / "one/web", tmp_path / "two/web"]
    for root in roots:
        _write(root, **{"lib.py": f"place = {str(root)!r}", "pages/api/a.py": "from ...lib import place"})
    modules = [load_module(root, root / "pages/api/a.py") for root in roots]
    assert [module.place for module in modules] == list(map(str, roots))


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module_at_all", ModuleNotFoundError),
        ("def handler(req, res:", SyntaxError),
        ("1 / 0", ZeroDivisionError),
        ("from ....lib.broken import x", KeyError),
        ("from .........lib import x", ImportError),
    ],
)
def test_module_that_fails_leaves_nothing(tmp_path: Path, source: str, error: type[Exception]) -> None:
    """A module that cannot be imported is a `LoadError` with file and cause, and is not half there afterwards."""
    file = tmp_path / "pages/api/d/a.py"
    _write(tmp_path, **{"pages/api/d/a.py": source, "lib/broken.py": "{}['x']"})
    for _ in range(2):
        with pytest.raises(LoadError) as raised:
            load_module(tmp_path, file)
        assert isinstance(raised.value.__cause__, error)
        assert raised.value.files == (file,)
        assert str(raised.value).startswith(f"{file}: {error.__name__}: ")
        assert _loaded(file) == _loaded(tmp_path / "lib/broken.py") == []


def test_module_that_exits_leaves_nothing(tmp_path: Path) -> None:
    """A module that ends the process, such as a script, is not half there for who stops that."""
    _write(tmp_path, **{"pages/api/a.py": "before = 1\nraise SystemExit(1)\n"})
    for _ in range(2):
        with pytest.raises((SystemExit, LoadError)):
            load_module(tmp_path, tmp_path / "pages/api/a.py")
        assert _loaded(tmp_path / "pages/api/a.py") == []


def test_mended_module_loads(tmp_path: Path) -> None:
    """After a failure the same file can be loaded once it is right."""
    file = tmp_path / "pages/api/a.py"
    _write(tmp_path, **{"pages/api/a.py": "1 / 0"})
    with pytest.raises(LoadError, match="ZeroDivisionError"):
        load_module(tmp_path, file)
    _write(tmp_path, **{"pages/api/a.py": "answer = 42  # longer, so that no cache takes it for the other"})
    assert load_module(tmp_path, file).answer == 42


def test_unloaded_root_is_executed_anew(tmp_path: Path) -> None:
    """After `unload` all modules of a root are made again, in their packages; another root's are left alone."""
    roots = [tmp_path / "web", tmp_path / "web.more"]
    for root in roots:
        _write(root, **{"lib.py": "token = object()", "pages/api/a.py": "from ...lib import token"})
    files = [root / "pages/api/a.py" for root in roots]
    before = [load_module(root, file) for root, file in zip(roots, files, strict=True)]
    unload(roots[0])
    after = [load_module(root, file) for root, file in zip(roots, files, strict=True)]
    assert [new.token is old.token for new, old in zip(after, before, strict=True)] == [False, True]
    assert after[0].token is load_module(roots[0], roots[0] / "lib.py").token
    assert list(map(_loaded, files)) == [[module.__name__] for module in after]
