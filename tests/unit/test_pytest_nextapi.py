"""`pytest_nextapi`: the fixtures that pytest finds where nextapi is installed, in runs of pytest of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

from tests.support.trees import write_tree

REPOSITORY = Path(__file__).parents[2]


def _pytest(folder: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run pytest in `folder`, where nextapi is installed as setup.cfg says, with warnings as errors.

    Nothing of this run's settings is in it. `before` is what Python runs before pytest starts.
    """
    setup = ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    info = folder / "site/nextapi_wsgi-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nextapi-wsgi\nVersion: 1\n")
    (info / "RECORD").write_text("nextapi/__init__.py,,\npytest_nextapi.py,,\n")
    (info / "entry_points.txt").write_text(f"[pytest11]{setup['options.entry_points']['pytest11']}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": f"{info.parent}{os.pathsep}{REPOSITORY}", "PYTHONWARNINGS": "error"}
    program = f"{before}\nimport pytest\nraise SystemExit(pytest.main({['-q', '-p', 'no:cacheprovider', *arguments]}))"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_fixtures_find_the_root(tmp_path: Path) -> None:
    """`nextapi_client` is a client of `web` below the rootdir; each test has its own."""
    write_tree(tmp_path / "web", {"a": "res.set_header('Set-Cookie', 'seen=1').json(req.cookies)"})
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (tmp_path / "test_a.py").write_text(
        "import pytest\n\n\n@pytest.mark.parametrize('turn', [1, 2])\ndef test_a(nextapi_client, turn):\n"
        "    assert [nextapi_client.get('/api/a').json for _ in range(2)] == [{}, {'seen': '1'}]\n"
    )
    done = _pytest(tmp_path)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_root_of_the_fixtures_may_be_another(tmp_path: Path) -> None:
    """The ini option `nextapi_root` names the root, or a fixture of that name does."""
    for name in ("one", "two"):
        write_tree(tmp_path / name, {"a": f"res.json({name!r})"})
    (tmp_path / "pytest.ini").write_text("[pytest]\nnextapi_root = one\n")
    test = "def test_a(nextapi_client):\n    assert nextapi_client.get('/api/a').json == {!r}\n"
    (tmp_path / "test_one.py").write_text(test.format("one"))
    override = "import pytest\n\n\n@pytest.fixture\ndef nextapi_root():\n    return 'two'\n\n\n"
    (tmp_path / "test_two.py").write_text(override + test.format("two"))
    done = _pytest(tmp_path)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_plugin_imports_nothing_before_it_is_used(tmp_path: Path) -> None:
    """A run of pytest that uses no fixture of nextapi's has not imported it, nor werkzeug."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_a.py").write_text(
        "import json\nimport sys\n\n\ndef test_a():\n"
        "    print(json.dumps([name for name in ('pytest_nextapi', 'nextapi', 'werkzeug') if name in sys.modules]))\n"
    )
    done = _pytest(tmp_path, "-s")
    assert json.loads(done.stdout[: done.stdout.index("]") + 1]) == ["pytest_nextapi"]


def test_pytest_may_start_after_nextapi(tmp_path: Path) -> None:
    """Where a program has imported nextapi, and runs pytest then, pytest has nothing to warn of."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (tmp_path / "test_a.py").write_text("def test_a():\n    pass\n")
    done = _pytest(tmp_path, before="import nextapi")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
