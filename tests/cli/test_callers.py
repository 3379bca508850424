"""The one command line, called by each of its names."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from nextapi.__main__ import main
from tests.cli.commands import FLASK, MANAGE, NEXTAPI, call

_APP = """
from flask import Flask
from nextapi.adapters.flask import create_blueprint

app = Flask(__name__)
app.register_blueprint(create_blueprint("web"), url_prefix="/v2")
app.register_blueprint(create_blueprint("admin", name="admin"), url_prefix="/<lang>/admin")


@app.get("/v2/api/health")
def health():
    return "the app's own"
"""

_URLS = """
from django.http import HttpResponse
from django.urls import include, path
from nextapi.adapters.django import create_urlpatterns

urlpatterns = [
    path("v2/api/health", lambda request: HttpResponse("the project's own"), name="health"),
    path("v2/", include("nextapi.adapters.django.urls")),
    path("<lang>/admin/", include(create_urlpatterns("admin", name="admin"))),
]
"""


@pytest.fixture(params=["nextapi", "flask", "django"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """How the command is called in `tmp_path`, where a first tree lies, and what mounts it."""
    kind: str = request.param
    code, said = call(tmp_path, *NEXTAPI, "init", "wsgi" if kind == "nextapi" else kind)
    assert code == 0, said
    (tmp_path / "admin/pages/api").mkdir(parents=True)
    (tmp_path / "admin/pages/api/ban.py").write_text("def handler(req, res):\n    res.end()\n")
    if kind == "flask":
        (tmp_path / "app.py").write_text(_APP)
    elif kind == "django":
        (tmp_path / "mysite/urls.py").write_text(_URLS)
    return {"nextapi": NEXTAPI, "flask": [*FLASK, "nextapi"], "django": [*MANAGE, "nextapi"]}[kind]


def test_routes(command: list[str], tmp_path: Path) -> None:
    """The routes of all mounted trees are listed, with their prefixes and the names that the host knows them by."""
    code, said = call(tmp_path, *command, "routes", "--json")
    assert code == 0, said
    found = [(entry["prefix"], entry["pattern"], entry["name"]) for entry in json.loads(said)["routes"]]
    if command == NEXTAPI:
        assert found == [("", "/api/hello", "hello"), ("", "/api/post/[pid]", "post/[pid]")]
    else:
        separator = "." if "flask" in command else ":"
        assert found == [
            ("/v2", "/api/hello", f"nextapi{separator}hello"),
            ("/v2", "/api/post/[pid]", f"nextapi{separator}post/[pid]"),
            ("/<lang>/admin", "/api/ban", f"admin{separator}ban"),
        ]
        _, said = call(tmp_path, *command, "routes")
        assert "admin, mounted at /<lang>/admin" in said


def test_explain(command: list[str], tmp_path: Path) -> None:
    """A path is explained as the host has it, its own rules included."""
    prefix = "" if command == NEXTAPI else "/v2"
    code, said = call(tmp_path, *command, "explain", "GET", f"{prefix}/api/post/a%20b")
    assert code == 0, said
    assert "pid = 'a b'" in said
    code, said = call(tmp_path, *command, "explain", "GET", f"{prefix}/api/health")
    if command == NEXTAPI:
        assert (code, "none: 404" in said) == (1, True)
    else:
        assert code == 0, said
        assert "(health) answers, before nextapi" in said
        assert call(tmp_path, *command, "explain", "GET", "/de/admin/api/ban")[0] == 0


def test_check(command: list[str], tmp_path: Path) -> None:
    """Faults are told also where they keep the host's app from being built, with the findings of all trees."""
    assert call(tmp_path, *command, "check") == (0, "No faults and no findings.\n")
    (tmp_path / "web/pages/api/faulty.py").write_text("1 / 0\n")
    (tmp_path / "web/pages/api/half.py").write_text("def handler(req, res):\n    return\n")
    code, said = call(tmp_path, *command, "check")
    assert code == 1, said
    assert "web/pages/api/faulty.py: E004 ZeroDivisionError: division by zero\n" in said
    assert "web/pages/api/half.py:2: W001" in said
    code, said = call(tmp_path, *command, "routes")
    assert (code, "E004" in said, "Traceback" in said) == (1, True, False)


def test_wrong_use(command: list[str], tmp_path: Path) -> None:
    """An unknown command is the exit code 2, and the usage line has the name that was called."""
    code, said = call(tmp_path, *command, "rotes")
    assert code == 2
    assert f"{' '.join(command[-2:]) if command != NEXTAPI else 'nextapi'}: error: argument COMMAND" in said


@pytest.mark.parametrize(("kind", "file"), [("flask", "app.py"), ("django", "mysite/urls.py")], ids=["flask", "django"])
def test_an_app_without_a_tree(kind: str, file: str, tmp_path: Path) -> None:
    """Where no tree is mounted, it is said how to mount one."""
    call(tmp_path, *NEXTAPI, "init", kind)
    bare = {"flask": "from flask import Flask\n\napp = Flask(__name__)\n", "django": "urlpatterns = []\n"}
    (tmp_path / file).write_text(bare[kind])
    command = {"flask": FLASK, "django": MANAGE}[kind]
    code, said = call(tmp_path, *command, "nextapi", "routes")
    assert code == 2
    assert "no tree is mounted" in said


def test_an_app_that_is_not_there(tmp_path: Path) -> None:
    """An app that Flask cannot find is wrong use, not a traceback."""
    code, said = call(tmp_path, *FLASK, "--app", "nowhere", "nextapi", "routes")
    assert (code, said) == (2, "flask nextapi: error: Could not import 'nowhere'.\n")


def test_the_console_script_is_main() -> None:
    """`nextapi` is `nextapi.__main__:main`, as installed."""
    (script,) = entry_points(group="console_scripts", name="nextapi")
    assert script.load() is main


def test_who_reads_may_stop(tmp_path: Path) -> None:
    """A reader that has enough, such as `head`, leaves no traceback."""
    call(tmp_path, *NEXTAPI, "init")
    for number in range(2000):
        (tmp_path / f"web/pages/api/route{number}.py").write_text("def handler(req, res): res.end()\n")
    program = "import subprocess, sys; piped = subprocess.Popen([sys.executable, '-m', 'nextapi', 'routes'], "
    program += "stdout=subprocess.PIPE); piped.stdout.readline(); piped.stdout.close(); sys.exit(piped.wait())"
    assert call(tmp_path, "-c", program) == (1, "")


# Django's checks


def _project(folder: Path) -> None:
    code, said = call(folder, *NEXTAPI, "init", "django")
    assert code == 0, said


def test_djangos_checks_report_faults_and_findings(tmp_path: Path) -> None:
    """`manage.py check` reports all of it by id, with file and hint, and is not ended by the first fault."""
    _project(tmp_path)
    assert call(tmp_path, *MANAGE, "check") == (0, "System check identified no issues (0 silenced).\n")
    (tmp_path / "web/pages/api/[a]b.py").write_text("")
    (tmp_path / "web/pages/api/half.py").write_text("def handler(req, res):\n    return\n")
    code, said = call(tmp_path, *MANAGE, "check")
    assert code == 1, said
    assert "web/pages/api/[a]b.py: (nextapi.E002) '[a]b' is not wholly in brackets" in said
    assert "web/pages/api/half.py:2: (nextapi.W001) this `return` leaves the handler without an answer" in said
    assert said.count("HINT: ") == 2
    assert "Traceback" not in said


def test_a_finding_is_a_warning_to_django(tmp_path: Path) -> None:
    """Findings alone let `manage.py check` pass, and SILENCED_SYSTEM_CHECKS silences them by id."""
    _project(tmp_path)
    (tmp_path / "web/pages/api/half.py").write_text("def handler(req, res):\n    return\n")
    code, said = call(tmp_path, *MANAGE, "check", "--tag", "nextapi")
    assert code == 0, said
    assert "nextapi.W001" in said
    with (tmp_path / "mysite/settings.py").open("a") as settings:
        settings.write('SILENCED_SYSTEM_CHECKS = ["nextapi.W001"]\n')
    assert call(tmp_path, *MANAGE, "check") == (0, "System check identified no issues (1 silenced).\n")


def test_without_the_app_django_has_neither_command_nor_checks(tmp_path: Path) -> None:
    """INSTALLED_APPS may leave nextapi out: the tree is served, and its faults are raised as it is mounted."""
    _project(tmp_path)
    settings = tmp_path / "mysite/settings.py"
    settings.write_text(settings.read_text().replace('INSTALLED_APPS = ["nextapi.adapters.django"]', ""))
    ask = "import django.test as t; django = __import__('django'); django.setup(); "
    ask += "print(t.Client(headers={'host': 'localhost'}).get('/api/hello').content)"
    program = f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'; {ask}"
    assert call(tmp_path, "-c", program) == (0, """b'{"name":"John Doe"}'\n""")
    (tmp_path / "web/pages/api/[a]b.py").write_text("")
    code, said = call(tmp_path, *MANAGE, "check")
    assert code == 1
    assert "nextapi.errors.TreeError: 1 fault" in said


def test_a_faulty_tree_is_raised_to_who_asks_it(tmp_path: Path) -> None:
    """With the app installed, a request that comes to a faulty tree raises its faults; the others are answered."""
    _project(tmp_path)
    (tmp_path / "mysite/urls.py").write_text(_URLS)
    (tmp_path / "admin/pages/api").mkdir(parents=True)
    (tmp_path / "admin/pages/api/[a]b.py").write_text("")
    (tmp_path / "ask.py").write_text(
        "import os\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
        "import django\n"
        "django.setup()\n"
        "from django.test import Client\n"
        "from nextapi import TreeError\n"
        "client = Client(headers={'host': 'localhost'})\n"
        "print(client.get('/v2/api/health').content, client.get('/v2/api/hello').content)\n"
        "try:\n"
        "    client.get('/de/admin/api/ban')\n"
        "except TreeError as error:\n"
        "    print(error.exceptions[0])\n"
    )
    code, said = call(tmp_path, "ask.py")
    assert code == 0, said
    assert """b"the project's own" b'{"name":"John Doe"}'\n""" in said
    assert "'[a]b' is not wholly in brackets" in said


def test_a_mended_fault_restarts_the_development_server(tmp_path: Path) -> None:
    """`runserver` watches the whole tree: a file that could not be imported is no module that it knows."""
    _project(tmp_path)
    (tmp_path / "web/pages/api/faulty.py").write_text("1 / 0\n")
    (tmp_path / "watched.py").write_text(
        "import os\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
        "import django\n"
        "django.setup()\n"
        "from django.utils.autoreload import StatReloader, autoreload_started\n"
        "reloader = StatReloader()\n"
        "autoreload_started.send(sender=reloader)\n"
        "print(any(file.name == 'faulty.py' for file in reloader.watched_files(include_globs=True)))\n"
    )
    assert call(tmp_path, "watched.py") == (0, "True\n")
