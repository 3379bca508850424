"""`nextapi revalidate`: what the command line does to the pages of a server that runs."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from nextapi.__main__ import main
from nextapi.adapters.wsgi import PageCache
from nextapi.cache import SQLiteStore
from tests.cli.commands import FLASK, MANAGE, NEXTAPI, call
from tests.support.redis import redis_server
from tests.support.servers import serve
from tests.support.trees import write_files

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_WSGI = {
    "shop.py": """\
        from pathlib import Path

        from nextapi.adapters.wsgi import PageCache


        def respond(environ, start_response):
            if environ["PATH_INFO"] == "/bad" and Path("is_bad").exists():
                raise KeyError("price")
            start_response("200 OK", [("Cache-Control", "s-maxage=600"), ("Cache-Tag", "posts")])
            return [Path("text").read_bytes()]


        app = PageCache(respond, hosts=["example.com"])
        """,
}
_FLASK = {
    "app.py": """\
        from pathlib import Path

        from flask import Flask
        from nextapi import static_page
        from nextapi.adapters.wsgi import PageCache

        app = Flask(__name__)
        app.config.update(SERVER_NAME="example.com", TRUSTED_HOSTS=["example.com"])
        app.wsgi_app = PageCache(app.wsgi_app)


        @app.get("/<name>")
        @static_page(revalidate=600, tags=["posts"])
        def page(name):
            if name == "bad" and Path("is_bad").exists():
                raise KeyError("price")
            return Path("text").read_text()
        """,
}
_DJANGO = {
    "mysite/urls.py": """\
        from pathlib import Path

        from django.http import HttpResponse
        from django.urls import path
        from nextapi import static_page


        @static_page(revalidate=600, tags=["posts"])
        def page(request, name):
            if name == "bad" and Path("is_bad").exists():
                raise KeyError("price")
            return HttpResponse(Path("text").read_text())


        urlpatterns = [path("<name>", page)]
        """,
    "mysite/wsgi.py": """\
        import os

        from django.core.wsgi import get_wsgi_application
        from nextapi.adapters.wsgi import PageCache

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
        application = PageCache(get_wsgi_application())
        """,
}


class _Site(NamedTuple):
    """A server, the folder that it runs in, its app by name, and how the host's own command line is called."""

    folder: Path
    port: int
    app: str
    own: list[str]

    def write(self, text: str) -> None:
        (self.folder / "text").write_text(text)

    def get(self, path: str) -> tuple[str | None, str]:
        """Return x-nextjs-cache and the text that the server answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers={"Host": "example.com"})
        answer = connection.getresponse()
        said = answer.read().decode()
        connection.close()
        return answer.headers["x-nextjs-cache"], said

    def keep(self, path: str) -> None:
        """Have the server keep a page, which is out of date from then on."""
        self.write("old")
        assert [self.get(path), self.get(path)] == [("MISS", "old"), ("HIT", "old")]
        self.write("new")
        assert self.get(path) == ("HIT", "old")

    def call(self, *arguments: str) -> tuple[int, str]:
        return call(self.folder, *arguments)


@pytest.fixture(scope="module", params=["wsgi", "flask", "django"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Site]:
    """An app with a page cache, served by a process of its own."""
    folder = tmp_path_factory.mktemp("site")
    files, app, own = {
        "wsgi": (_WSGI, "shop:app", []),
        "flask": (_FLASK, "app:app", [*FLASK, "nextapi"]),
        "django": (_DJANGO, "mysite.wsgi:application", [*MANAGE, "nextapi"]),
    }[request.param]
    if request.param == "django":
        call(folder, *NEXTAPI, "init", "django")
        with (folder / "mysite/settings.py").open("a") as settings:
            settings.write("\nDEBUG = False\nALLOWED_HOSTS = ['example.com']\n")
    write_files(folder, files)
    with serve(app, folder, "gunicorn-sync") as port:
        yield _Site(folder, port, app, own)


def test_with_the_app_a_page_is_made_anew(site: _Site) -> None:
    """What the command has made is what the server answers from then on, without a miss."""
    site.keep("/app")
    done = site.call(*NEXTAPI, "revalidate", "http://example.com/app", "--app", site.app)
    assert done == (0, f"REVALIDATED http://example.com/app in {site.folder}/.nextapi/pages.sqlite3\n")
    assert site.get("/app") == ("HIT", "new")


@pytest.mark.parametrize("site", ["flask", "django"], indirect=True)
def test_what_is_no_page_is_told(site: _Site) -> None:
    """A path may be mistyped: its 404 is no failure, and no page either."""
    done = site.call(*NEXTAPI, "revalidate", "http://example.com/no/such/page", "--app", site.app)
    assert done == (0, "NO PAGE http://example.com/no/such/page: the app's answer is not kept\n")


@pytest.mark.parametrize("site", ["flask", "django"], indirect=True)
def test_the_hosts_command_line_knows_the_app(site: _Site) -> None:
    """`flask nextapi` and `manage.py nextapi` are told the path alone: app and host are in their settings. They say for
    which URL the page was made, as the one that is asked for may be another.
    """
    site.keep("/own")
    done = site.call(*site.own, "revalidate", "/own")
    assert done == (0, f"REVALIDATED http://example.com/own in {site.folder}/.nextapi/pages.sqlite3\n")
    assert site.get("/own") == ("HIT", "new")


def test_without_an_app_pages_are_expired(site: _Site) -> None:
    """Paths and tags are void in the store, and the next request has the page made."""
    file = str(site.folder / ".nextapi/pages.sqlite3")
    for path, arguments, said in (
        ("/path", ["/path"], f"EXPIRED /path in {file}\n"),
        ("/tag", ["--tag", "posts"], f"EXPIRED tag posts in {file}\n"),
        ("/store", ["/store", "--store", file], f"EXPIRED /store in {file}\n"),
    ):
        site.keep(path)
        assert site.call(*NEXTAPI, "revalidate", *arguments) == (0, said)
        assert site.get(path) == ("MISS", "new")


def test_a_tag_beside_a_path(site: _Site) -> None:
    """Pages with the tag are expired first, so that the one that is made now is not, though it has the tag."""
    site.keep("/tagged")
    code, said = site.call(
        *NEXTAPI, "revalidate", "http://example.com/tagged", "--tag", "posts", "--tag", "more", "--app", site.app
    )
    assert (code, [line.split(" in ")[0] for line in said.splitlines()]) == (
        0,
        ["EXPIRED tag posts", "EXPIRED tag more", "REVALIDATED http://example.com/tagged"],
    )
    assert site.get("/tagged") == ("HIT", "new")


def test_a_page_that_fails(site: _Site) -> None:
    """It is said and the exit code is 1; the others are made, and the server answers on from the old page."""
    site.keep("/bad")
    site.keep("/good")
    (site.folder / "is_bad").touch()
    urls = ["http://example.com/bad", "http://example.com/good"]
    code, said = site.call(*NEXTAPI, "revalidate", *urls, "--app", site.app)
    (site.folder / "is_bad").unlink()
    assert code == 1
    assert "error: Failed to revalidate /bad: Invalid response 500" in said
    assert f"REVALIDATED http://example.com/good in {site.folder}/.nextapi/pages.sqlite3\n" in said
    assert (site.get("/bad"), site.get("/good")) == (("HIT", "old"), ("HIT", "new"))


def test_a_host_that_is_none_of_the_apps(site: _Site) -> None:
    """Nothing is made for a host whose pages nobody would be answered."""
    code, said = site.call(*NEXTAPI, "revalidate", "http://example.org/a", "--app", site.app)
    assert (code, said) == (
        1,
        "error: /a: no pages are kept for example.org, which is none of the app's hosts\n",
    )


@pytest.mark.usefixtures("here")
def test_a_host_is_the_same_however_the_settings_write_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The page of a host that the settings write with its scheme's port is the one that is served."""
    assert main(["revalidate", "/a", "--app", "revalidated:create_app('example.com:443')"]) == 0
    assert capsys.readouterr().err == ""
    client = Client(import_module("revalidated").create_app("example.com").app)
    assert client.get("/a", base_url="https://example.com").headers["x-nextjs-cache"] == "HIT"


# Other stores


def test_a_redis_with_a_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page in Redis is expired by the URL of the server, whose password is not shown; nor is it when that is gone."""
    with redis_server(tmp_path, "--requirepass", "sesame") as server:
        url = f"redis://:sesame@127.0.0.1:{server.port}/0"

        def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", [("Cache-Control", "s-maxage=60")])
            return [b""]

        client = Client(PageCache(app, store=url))
        assert [client.get("/a").headers["x-nextjs-cache"] for _ in range(2)] == ["MISS", "HIT"]
        assert main(["revalidate", "/a", "--store", url]) == 0
        said = capsys.readouterr()
        assert said.out.startswith("EXPIRED /a in redis://")
        assert "sesame" not in said.out
        assert client.get("/a").headers["x-nextjs-cache"] == "MISS"
    assert main(["revalidate", "/a", "--store", url]) == 1
    said = capsys.readouterr()
    assert (said.out, f"127.0.0.1:{server.port}" in said.err, "sesame" in said.err) == ("", True, False)


def test_a_url_of_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    """It is wrong use, and its password is not shown, either."""
    assert main(["revalidate", "/a", "--store", "postgres://:sesame@127.0.0.1/"]) == 2
    assert "sesame" not in capsys.readouterr().err


def test_without_the_library_of_redis(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said how to install it."""
    monkeypatch.setitem(sys.modules, "redis", None)
    assert main(["revalidate", "/a", "--store", "redis://127.0.0.1:1/0"]) == 2
    assert "pip install 'nextapi-wsgi[redis]'" in capsys.readouterr().err


def test_djangos_cache(tmp_path: Path) -> None:
    """`manage.py nextapi` reaches the pages in a cache of the project's, and says so of one that is each process's."""
    call(tmp_path, *NEXTAPI, "init", "django")
    write_files(tmp_path, _DJANGO)
    (tmp_path / "text").write_text("text")
    wsgi, settings = tmp_path / "mysite/wsgi.py", tmp_path / "mysite/settings.py"
    text = wsgi.read_text().replace(
        "PageCache(get_wsgi_application())", "PageCache(get_wsgi_application(), DjangoStore())"
    )
    wsgi.write_text(f"from nextapi.adapters.django import DjangoStore\n{text}")
    code, said = call(tmp_path, *MANAGE, "nextapi", "revalidate", "http://localhost/a")
    assert (code, "Django's cache 'default', which is each process's own" in said) == (2, True), said
    cache = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "cache")}
    settings.write_text(f"{settings.read_text()}\nCACHES = {{'default': {cache!r}}}\n")
    done = call(tmp_path, *MANAGE, "nextapi", "revalidate", "http://localhost/a")
    assert done == (0, "REVALIDATED http://localhost/a in Django's cache 'default'\n")
    assert any((tmp_path / "cache").iterdir())


# Wrong use


@pytest.mark.parametrize(("kind", "file"), [("flask", "app.py"), ("django", "mysite/wsgi.py")], ids=["flask", "django"])
def test_an_app_without_a_page_cache(kind: str, file: str, tmp_path: Path) -> None:
    """It is said where to put one."""
    call(tmp_path, *NEXTAPI, "init", kind)
    command = {"flask": FLASK, "django": MANAGE}[kind]
    code, said = call(tmp_path, *command, "nextapi", "revalidate", "/a")
    assert code == 2
    where = {"flask": "app.wsgi_app = PageCache(app.wsgi_app)", "django": "PageCache(get_wsgi_application())"}[kind]
    assert where in said
    (tmp_path / file).unlink()
    code, said = call(tmp_path, *command, "nextapi", "revalidate", "/a")
    assert (code, "could not be" in said.lower() or "Could not locate" in said) == (2, True), said


def test_a_django_project_without_a_host(tmp_path: Path) -> None:
    """Where the settings name no host, the error says to give the whole URL."""
    call(tmp_path, *NEXTAPI, "init", "django")
    write_files(tmp_path, _DJANGO)
    code, said = call(tmp_path, *MANAGE, "nextapi", "revalidate", "/a")
    assert (code, "give the whole URL, https://example.com/a" in said) == (1, True)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with modules that --app names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield write_files(
        tmp_path,
        {
            "revalidated.py": """\
                from nextapi.adapters.wsgi import PageCache
                from nextapi.cache import MemoryStore


                def bare(environ, start_response):
                    start_response("200 OK", [("Cache-Control", "s-maxage=60")])
                    return [environ["PATH_INFO"].encode()]


                class Wrapper:
                    def __init__(self, app):
                        self.app = app


                def create_app(host, *, scheme="http"):
                    return Wrapper(PageCache(bare, hosts=[host]))


                def fail():
                    raise ValueError("no settings")


                lone = PageCache(bare, store=MemoryStore(), hosts=["example.com"])
                idle = PageCache(bare, hosts=["example.com"], debug=True)
                number = 1
                """,
            "revalidated_broken.py": "import os\n\nos.environ['NOWHERE_TO_BE_FOUND']\n",
            "revalidated_text.py": "app = (\n",
        },
    )
    for name in [name for name in sys.modules if name.startswith("revalidated")]:
        del sys.modules[name]


@pytest.mark.usefixtures("here")
def test_an_app_is_named_as_gunicorn_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A factory is called with plain values; the page cache is found in what is around it."""
    assert main(["revalidate", "/a", "--app", "revalidated:create_app('example.com', scheme='https')"]) == 0
    assert capsys.readouterr() == (f"REVALIDATED https://example.com/a in {Path.cwd()}/.nextapi/pages.sqlite3\n", "")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("nowhere_to_be_found:app", "'nowhere_to_be_found' cannot be imported: ModuleNotFoundError: No module named"),
        ("revalidated_broken:app", "KeyError: 'NOWHERE_TO_BE_FOUND' ("),
        ("revalidated_text:app", "SyntaxError: '(' was never closed (revalidated_text.py, line 1)"),
        ("revalidated", "has no 'application': name the app, as revalidated:app or revalidated:create_app()"),
        ("revalidated:app()", "revalidated has no 'app'"),
        ("revalidated:app.wsgi", "write it as module:app, or module:create_app()"),
        ("revalidated:create_app(bare)", "write it as module:app, or module:create_app()"),
        ("revalidated:number()", "number cannot be called: write revalidated:number"),
        ("revalidated:create_app()", "create_app raises TypeError: create_app() missing 1 required"),
        ("revalidated:fail()", "fail raises ValueError: no settings (revalidated.py, line 20)"),
        ("revalidated:bare", "no PageCache can be seen in it: application = PageCache(application)"),
        ("revalidated:idle", "the app keeps no pages: its PageCache has debug=True"),
        (
            "revalidated:lone",
            "own, so that no command reaches the server's: give its PageCache a SQLiteStore, a RedisS",
        ),
    ],
)
def test_an_app_that_cannot_be_used(app: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with --app is said, with the place where its code raises; the exit code is 2."""
    assert main(["revalidate", "/a", "--app", app]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("nextapi: error: ")
    assert message in written.err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing is to be made anew: name a path, or a tag by --tag"),
        (["http://example.com/a"], "without --app the pages of all hosts are expired: write the path alone, /a"),
        (["/a"], "no pages are kept in .nextapi/pages.sqlite3, which is not there: give the app's store by --store"),
        (["/a", "--store", "some/file.sqlite3"], "no pages are kept in some/file.sqlite3, which is not there"),
    ],
)
def test_what_cannot_be_expired(
    arguments: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and no store is made."""
    before = sorted(here.rglob("*"))
    assert main(["revalidate", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


@pytest.mark.usefixtures("here")
def test_a_store_that_no_server_has_used(capsys: pytest.CaptureFixture[str]) -> None:
    """It may be the wrong one, such as another database of the same Redis: that is said, and the exit code is 0."""
    store = SQLiteStore("other.sqlite3")
    for is_used in (False, True):
        if is_used:
            Client(PageCache(Response("page", headers={"Cache-Control": "s-maxage=60"}), store)).get("/a")
        else:
            store.set({"something": b"else"}, 60)
        capsys.readouterr()
        assert main(["revalidate", "/a", "--store", "other.sqlite3"]) == 0
        said = capsys.readouterr()
        assert said.out == f"EXPIRED /a in {Path.cwd()}/other.sqlite3\n"
        warning = f"warning: no server keeps pages in {Path.cwd()}/other.sqlite3 yet: it has to be the store that"
        assert (said.err == "") if is_used else said.err.startswith(warning)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["blog"], "argument PATH: 'blog' is no path: write it from its first slash on, as /blog/post-1"),
        (["/a", "--tag", "a,b"], "argument --tag: 'a,b' is no tag: write one --tag for each"),
        (["/a", "--tag", " "], "argument --tag: ' ' is no tag"),
        (["/a", "--store", "x", "--app", "y"], "argument --app: not allowed with argument --store"),
    ],
)
def test_arguments_that_are_none(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They end the command as all wrong arguments do."""
    with pytest.raises(SystemExit) as ended:
        main(["revalidate", *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_file_that_is_no_store(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is left as it is, and the exit code is 1."""
    before = (here / "revalidated.py").stat()
    assert main(["revalidate", "/a", "--store", "revalidated.py"]) == 1
    assert "file is not a database" in capsys.readouterr().err
    after = (here / "revalidated.py").stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_size) == (before.st_mode, before.st_mtime_ns, before.st_size)
