"""What `routes`, `explain` and `check` say of a tree, and their exit codes."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from nextapi.__main__ import main
from nextapi.adapters.wsgi import WSGIHost
from nextapi.commands.colours import RED, paint
from nextapi.commands.explain import print_explanation
from nextapi.commands.mounts import MountedTree
from nextapi.options import Options, read_options
from tests.support.trees import route, write_files, write_tree

pytestmark = pytest.mark.usefixtures("forget_modules")

HOST = WSGIHost(Options())


class Checking(WSGIHost):
    """A host whose own checks look at paths, as Flask and Django do."""

    checks_paths = True


FILES = {
    "user": "res.json(1)",
    "post/[pid]": "res.json(req.query['pid'])",
    "post/new": "res.json(1)",
    "docs/[...slug]": "res.json(1)",
    "hook": route(
        "res.json(1)", {"api": {"bodyParser": False, "sameOrigin": False, "responseLimit": False}}, "import json"
    ),
    "small": 'config = {\n    "api": {\n        "bodyParser": {\n            "sizeLimit": "1kb"}}}\n\n'
    "def handler(req, res):\n    res.end()\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree named `web` in the working directory."""
    monkeypatch.chdir(tmp_path)
    return write_tree(tmp_path / "web", FILES)


@pytest.mark.usefixtures("root")
def test_routes_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Each route is a line with URL, kind, methods, name and file; "web" is the root unless said."""
    assert main(["routes"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["URL", "KIND", "METHODS", "NAME", "FILE"]
    assert ["/api/post/[pid]", "pages", "any", "post/[pid]", "web/pages/api/post/[pid].py"] in lines
    assert ["/api/docs/[...slug]", "pages", "any", "docs/[*slug]", "web/pages/api/docs/[...slug].py"] in lines
    assert len(lines) == 1 + len(FILES)


def test_routes_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON document has a version, and of each route what can be known before a request."""
    assert main(["routes", "--json", "--root", str(root)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == 1
    found = {entry["name"]: entry for entry in document["routes"]}
    assert found["post/[pid]"] == {
        "root": str(root),
        "prefix": "",
        "pattern": "/api/post/[pid]",
        "kind": "pages",
        "methods": None,
        "name": "post/[pid]",
        "file": "pages/api/post/[pid].py",
        "params": ["pid"],
        "middleware": [],
        "guarded": True,
        "cors": [],
        "body_limit": 1 << 20,
        "response_limit": 4 << 20,
        "runtime": "nodejs",
        "regions": [],
        "max_duration": None,
        "dynamic": None,
        "revalidate": None,
    }
    off: dict[str, Any] = {"guarded": False, "body_limit": None, "response_limit": None}
    assert found["hook"] == {**found["hook"], **off}
    assert found["small"]["body_limit"] == 1024
    assert document["middleware"] == []
    assert "ignored" not in document


WEB = {
    "web/middleware.py": """\
        from nextapi import NextResponse

        def middleware(request):
            return NextResponse.next()

        config = {
            "matcher": [
                "/feed",
                {
                    "source": "/api/products/:id",
                    "has": [{"type": "header", "key": "x-a", "value": "1|2"}, {"type": "host", "value": "a.example"}],
                    "missing": [{"type": "cookie", "key": "token"}],
                },
            ]
        }
        """,
    "web/app/api/_middleware.py": "def middleware(request, call_next):\n    return call_next()\n",
    "web/app/api/products/_middleware.py": "def middleware(request, call_next):\n    return call_next()\n",
    "web/app/api/products/[id]/route.py": """\
        from nextapi import NextResponse

        runtime = "edge"
        preferred_region = ["sfo1", "iad1"]
        max_duration = 10
        dynamic = "force-static"
        revalidate = 60
        max_body_size = "1kb"
        same_origin = False

        def GET(request, context):
            return NextResponse.json(context.params)

        async def PATCH(request, context):
            return NextResponse.json(context.params)
        """,
    "web/app/(news)/feed/route.py": """\
        from nextapi import Response

        revalidate = False

        def respond():
            return Response("feed")

        GET = POST = respond
        """,
    "web/app/star/route.py": "from .lib import *\n",
    "web/app/star/lib.py": "from nextapi import Response, cors\n\n@cors()\ndef GET():\n    return Response()\n",
    "web/pages/api/edge.py": """\
        from nextapi import Response

        config = {"regions": ["sfo1"], "maxDuration": 5, "api": {"sameOrigin": False}}

        def handler(request):
            return Response("Hello world!")
        """,
    "web/pages/api/named.py": """\
        from nextapi import Response

        runtime = "experimental-edge"

        def handler(request):
            return Response("Hello world!")
        """,
}


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of the web dialect named `web` in the working directory."""
    monkeypatch.chdir(tmp_path)
    return write_files(tmp_path, WEB) / "web"


@pytest.mark.usefixtures("web")
def test_routes_of_the_web_dialect(capsys: pytest.CaptureFixture[str]) -> None:
    """Edge routes and route handlers have their kind and methods, and the middleware before them is told."""
    assert main(["routes"]) == 0
    first, _, *rows = capsys.readouterr().out.splitlines()
    assert first == "web/middleware.py stands before /feed, /api/products/:id"
    lines = [line.split() for line in rows]
    assert lines[0] == ["URL", "KIND", "METHODS", "NAME", "FILE", "MIDDLEWARE"]
    assert ["/api/edge", "edge", "any", "edge", "web/pages/api/edge.py"] in lines
    assert ["/feed", "route", "GET,HEAD,OPTIONS,POST", "feed", "web/app/(news)/feed/route.py"] in lines
    product = "web/app/api/products/[id]/route.py app/api/_middleware.py app/api/products/_middleware.py"
    assert ["/api/products/[id]", "route", "GET,HEAD,OPTIONS,PATCH", "products/[id]", *product.split()] in lines


def test_manifest_of_the_web_dialect(web: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The manifest has the settings of a route that a deployment reads, and the matcher of the root's middleware."""
    assert main(["routes", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    has = [{"type": "header", "key": "x-a", "value": "1|2"}, {"type": "host", "value": "a.example"}]
    rules = [
        {"source": "/feed", "has": [], "missing": []},
        {"source": "/api/products/:id", "has": has, "missing": [{"type": "cookie", "key": "token"}]},
    ]
    assert document["middleware"] == [{"root": str(web), "prefix": "", "file": "middleware.py", "matcher": rules}]
    found = {entry["pattern"]: entry for entry in document["routes"]}
    product: dict[str, Any] = {
        "kind": "route",
        "methods": ["GET", "HEAD", "OPTIONS", "PATCH"],
        "params": ["id"],
        "middleware": ["app/api/_middleware.py", "app/api/products/_middleware.py"],
        "guarded": False,
        "body_limit": 1024,
        "response_limit": None,
        "runtime": "edge",
        "regions": ["sfo1", "iad1"],
        "max_duration": 10,
        "dynamic": "force-static",
        "revalidate": 60,
    }
    assert found["/api/products/[id]"] == {**found["/api/products/[id]"], **product}
    assert (found["/feed"]["revalidate"], found["/feed"]["dynamic"]) == (False, "auto")
    assert found["/feed"]["body_limit"] == found["/api/edge"]["body_limit"] == 10 << 20
    edge: dict[str, Any] = {
        "kind": "edge",
        "methods": None,
        "guarded": False,
        "response_limit": None,
        "runtime": "edge",
        "regions": ["sfo1"],
        "max_duration": 5,
        "dynamic": None,
        "revalidate": None,
    }
    assert found["/api/edge"] == {**found["/api/edge"], **edge}


_CORS = """
import re
from nextapi import Response, cors

policy = cors(origin=["https://b.example", "https://a.example", re.compile("https://.*[.]example")], credentials=True)

@policy
def GET():
    return Response()

@cors(origin=lambda origin: True, max_age=60)
def POST():
    return Response()

def DELETE():
    return Response()
"""
_OPEN = "from nextapi import cors\n\n@cors()\ndef middleware(request, call_next):\n    return call_next(request)\n"


def test_cors_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The manifest and an explanation have the policies of a route, each once, with the methods that keep to it."""
    monkeypatch.chdir(tmp_path)
    pages = {"pages/api/_middleware.py": _OPEN, "pages/api/a.py": "def handler(req, res):\n    res.end()\n"}
    root = write_files(tmp_path / "web", {"app/api/b/route.py": _CORS, **pages})
    assert main(["routes", "--json", "--root", str(root)]) == 0
    found = {entry["pattern"]: entry["cors"] for entry in json.loads(capsys.readouterr().out)["routes"]}
    methods = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"]
    assert found["/api/a"] == [
        {"methods": methods, "origins": ["*"], "patterns": [], "credentials": False, "max_age": None}
    ]
    one = {
        "origins": ["https://a.example", "https://b.example"],
        "patterns": ["https://.*[.]example"],
        "credentials": True,
        "max_age": None,
    }
    two = {"origins": None, "patterns": [], "credentials": False, "max_age": 60}
    assert found["/api/b"] == [{"methods": ["GET", "HEAD"], **one}, {"methods": ["POST"], **two}]
    assert main(["explain", "GET", "/api/b"]) == main(["explain", "GET", "/api/a"]) == 0
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in said if line.startswith("cors ")] == [
        "cors GET, HEAD: https://a.example, https://b.example, what matches 'https://.*[.]example', with credentials",
        "cors POST: the origins that its function allows",
        "cors GET, HEAD, PUT, PATCH, POST, DELETE: *",
    ]


@pytest.mark.parametrize("config", ["", "config = {'runtime': 'edge'}\n"])
def test_middleware_without_a_matcher(web: Path, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Middleware without a matcher is for every path, which is null in the manifest."""
    (web / "middleware.py").write_text(f"{config}def middleware(request):\n    return None\n")
    assert main(["routes"]) == 0
    assert capsys.readouterr().out.startswith("web/middleware.py stands before all paths\n")
    assert main(["routes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["middleware"][0]["matcher"] is None
    assert main(["explain", "GET", "/nowhere"]) == 1
    assert "middleware web/middleware.py, which has no matcher: it is for every path" in capsys.readouterr().out


def test_the_manifest_is_as_documented(web: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/command-line.md has a line for each key of the manifest, and for no other."""
    assert main(["routes", "--json", "--ignored"]) == 0
    document = json.loads(capsys.readouterr().out)
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
    (policy,) = next(entry["cors"] for entry in document["routes"] if entry["pattern"] == "/star")
    for heading, entry in [
        ("The document", document),
        ("Each of `cors`", policy),
        ("Each of `routes`", document["routes"][0]),
        ("Each of `middleware`", document["middleware"][0]),
        ("Each of `matcher`", document["middleware"][0]["matcher"][0]),
        ("Each of `ignored`", document["ignored"][0]),
    ]:
        (table,) = re.findall(rf"^{heading}[^|]*\n\| key .*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
        keys = [key for row in table.splitlines() for key in re.findall(r"`(\w+)`", row.split("|")[1])]
        assert keys == list(entry), heading


def test_what_is_no_route(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --ignored, what lies below pages/ and is no route is named with the reason."""
    pages = root / "pages"
    for name in ("api/_lib/auth.py", "api/.env", "api/test_user.py", "api/data.json", "index.py"):
        (pages / name).parent.mkdir(exist_ok=True)
        (pages / name).touch()
    assert main(["routes", "--ignored"]) == 0
    listed = capsys.readouterr().out.partition("No routes:\n")[2]
    assert [line.split(maxsplit=1) for line in listed.splitlines()] == [
        ["web/pages/api/.env", "starts with '.'"],
        ["web/pages/api/_lib", "starts with '_'"],
        ["web/pages/api/data.json", "does not end in .py"],
        ["web/pages/api/test_user.py", "is a test"],
        ["web/pages/index.py", "is outside of pages/api"],
    ]
    assert main(["routes", "--ignored", "--json"]) == 0
    ignored = json.loads(capsys.readouterr().out)["ignored"]
    assert {"root": str(root), "file": "pages/api/data.json", "reason": "does not end in .py"} in ignored


@pytest.mark.usefixtures("root")
def test_page_extensions(capsys: pytest.CaptureFixture[str]) -> None:
    """Endings other than .py are given as for a mount; one that cannot be is wrong use."""
    assert main(["routes", "--page-extensions", "py,api.py"]) == 0
    assert main(["routes", "--page-extensions", "js"]) == 2
    assert "'js' is no ending of Python files" in capsys.readouterr().err


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("request_line", "code", "said"),
    [
        ("GET /api/user", 0, ["file web/pages/api/user.py", "pattern /api/user"]),
        ("get /api/user?a=1", 0, ["file web/pages/api/user.py"]),
        (
            "GET /api/post/a%20b",
            0,
            [
                "file web/pages/api/post/[pid].py",
                "parameter pid = 'a b'",
                "not web/pages/api/post/new.py: 'new' is not 'a%20b'",
            ],
        ),
        (
            "GET /api/post/new",
            0,
            [
                "file web/pages/api/post/new.py",
                "not web/pages/api/post/[pid].py: comes after 'new': a static segment beats a dynamic one",
            ],
        ),
        ("GET /api/docs/a/b", 0, ["parameter slug = ['a', 'b']"]),
        (
            "GET /api/docs",
            1,
            ["file none: 404", "not web/pages/api/docs/[...slug].py: the path has nothing for '[...slug]'"],
        ),
        ("GET /api/usr", 1, ["file none: 404", "not web/pages/api/user.py: 'user' is not 'usr'"]),
        ("GET /api/post/a/b", 1, ["not web/pages/api/post/[pid].py: the path goes on with 'b'"]),
        ("GET /api/post/%E9", 1, ["answer 400: Bad Request"]),
        (
            "GET //api/user?a",
            0,
            ["path 308 to /api/user?a: the path has doubled or back slashes; what follows is of that path"],
        ),
        ("GET /api/user/", 0, ["path 308 to /api/user: the path has a slash at its end; what follows is of that path"]),
        ("POST /api/user/", 0, ["path taken as /api/user: the path has a slash at its end"]),
        ("GET /api/x/../user", 0, ["path taken as /api/user: the path has dot segments"]),
        (
            "POST /api/user",
            0,
            [
                "guard a POST that a form of another site can send is a 403 (default)",
                "body parsed, up to 1MB (default)",
                "response warned of from 4MB on (default)",
            ],
        ),
        (
            "POST /api/hook",
            0,
            [
                "guard off (config['api']['sameOrigin'] in web/pages/api/hook.py:2)",
                "body not parsed (config['api']['bodyParser'] in web/pages/api/hook.py:2); "  # noqa: ISC004
                "req.raw_body reads up to 10MB (option max_body_size)",
                "response of any size (config['api']['responseLimit'] in web/pages/api/hook.py:2)",
            ],
        ),
        (
            "PUT /api/small",
            0,
            ["body parsed, up to 1KB (config['api']['bodyParser']['sizeLimit'] in web/pages/api/small.py:4)"],
        ),
    ],
)
def test_explain(request_line: str, code: int, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The file that answers is named, with what stands before it, and why the others do not answer."""
    assert main(["explain", *request_line.split()]) == code
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in said if line not in lines] == [], lines


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize(
    ("request_line", "code", "said"),
    [
        (
            "PATCH /api/products/5",
            0,
            [
                "middleware web/middleware.py: the matcher's '/api/products/:id' has this path, if the request has "  # noqa: ISC004
                "header x-a = '1|2' and has host = 'a.example' and does not have cookie token",
                "file web/app/api/products/[id]/route.py",
                "pattern /api/products/[id]",
                "parameter id = '5'",
                "guard off (same_origin in web/app/api/products/[id]/route.py:9)",
                "middleware web/app/api/_middleware.py, around what follows",
                "middleware web/app/api/products/_middleware.py, around what follows",
                "runtime edge (runtime in web/app/api/products/[id]/route.py:3)",
                "regions sfo1, iad1 (preferred_region in web/app/api/products/[id]/route.py:4)",
                "duration 10 s (max_duration in web/app/api/products/[id]/route.py:5)",
                "dynamic force-static (dynamic in web/app/api/products/[id]/route.py:6)",
                "revalidate 60 s (revalidate in web/app/api/products/[id]/route.py:7)",
                "body not parsed; request.json() and its like read up to 1KB "  # noqa: ISC004
                "(max_body_size in web/app/api/products/[id]/route.py:8)",
                "handler PATCH in web/app/api/products/[id]/route.py:14",
            ],
        ),
        (
            "POST /api/products/5",
            1,
            ["answer 405: there is no POST in the file; Allow: GET, HEAD, OPTIONS, PATCH"],
        ),
        ("PURGE /feed", 1, ["answer 400: there is no PURGE in the file; Allow: GET, HEAD, OPTIONS, POST"]),
        (
            "HEAD /api/products/5",
            0,
            ["handler GET in web/app/api/products/[id]/route.py:11, whose body is not sent"],
        ),
        (
            "OPTIONS /feed",
            0,
            ["answer 204 with Allow: GET, HEAD, OPTIONS, POST: there is no OPTIONS in the file"],
        ),
        (
            "POST /feed",
            0,
            [
                "middleware web/middleware.py: the matcher's '/feed' has this path",
                "guard a POST that a form of another site can send is a 403 (default)",
                "revalidate False (revalidate in web/app/(news)/feed/route.py:3)",
                "body not parsed; request.json() and its like read up to 10MB (option max_body_size)",
                "handler POST in web/app/(news)/feed/route.py:8",
            ],
        ),
        (
            "GET /%66eed",
            1,
            ["middleware web/middleware.py: the matcher's '/feed' has this path", "file none: 404"],
        ),
        ("GET /star", 0, ["handler GET in web/app/star/route.py"]),
        ("HEAD /star", 0, ["handler GET in web/app/star/route.py, whose body is not sent"]),
        (
            "GET /api/edge",
            0,
            [
                "middleware web/middleware.py does not run: its matcher has '/feed', '/api/products/:id'",
                "guard off (config['api']['sameOrigin'] in web/pages/api/edge.py:3)",
                "runtime edge (config in web/pages/api/edge.py)",
                "regions sfo1 (config['regions'] in web/pages/api/edge.py:3)",
                "duration 5 s (config['maxDuration'] in web/pages/api/edge.py:3)",
                "body not parsed; request.json() and its like read up to 10MB (option max_body_size)",
            ],
        ),
        ("GET /api/named", 0, ["runtime experimental-edge (runtime in web/pages/api/named.py:3)"]),
    ],
)
def test_explain_the_order(request_line: str, code: int, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What a request passes is told in the order in which it does, each with the place that says so."""
    assert main(["explain", *request_line.split()]) == code
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line in said] == said, lines


def test_explain_a_config_that_is_not_written_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A setting that stands nowhere in the file is said to be of its `config`, not to be the default."""
    write_tree(root, {"made": "config = dict(api=dict(sameOrigin=False))\n\ndef handler(req, res): res.end()\n"})
    assert main(["explain", "POST", "/api/made"]) == 0
    assert "off (config in web/pages/api/made.py)" in capsys.readouterr().out


@pytest.mark.usefixtures("root")
def test_explain_names_a_few_of_many(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of many files that nearly match, the likest are named, and the others are counted."""
    write_tree(root, {f"many/item{number}": "res.end()" for number in range(20)})
    assert main(["explain", "GET", "/api/many/item"]) == 1
    out = capsys.readouterr().out
    assert out.count("  not ") == 5
    assert "and 17 more that nearly match" in out


def test_explain_below_a_prefix(root: Path) -> None:
    """A path of a mounted tree has the prefix; one that is not below it is said to be no path of the tree."""
    options = read_options({"trusted_origins": ["https://a.example", "https://b.example"]})
    trees = [MountedTree(root, options, HOST, "/v2"), MountedTree(root, options, HOST, "/<lang>/x")]
    out = io.StringIO()
    assert print_explanation(trees, "GET", "/v2/api/user/", out) == 0
    assert "308 to /v2/api/user:" in out.getvalue()
    assert "is not below /<lang>/x" in out.getvalue()
    assert "trusted_origins: https://a.example, https://b.example" in out.getvalue()
    assert print_explanation(trees, "GET", "/de/x/api/user", io.StringIO()) == 0
    assert print_explanation(trees, "GET", "/v22/api/user", io.StringIO()) == 1


def test_explain_on_a_host_that_checks_paths(root: Path) -> None:
    """Where the host has seen the path, a POST with dots in it is a 400, and nothing answers."""
    out = io.StringIO()
    tree = MountedTree(root, Options(), Checking(Options()))
    assert print_explanation([tree], "POST", "/api/x/../user", out) == 1
    assert "400: Bad Request" in out.getvalue()


def test_explain_what_the_host_answers(root: Path) -> None:
    """What the host takes before the tree is told instead."""
    tree = MountedTree(root, Options(), HOST, hosts_answer=lambda method, path: f"the rule for {method} {path}")
    out = io.StringIO()
    assert print_explanation([tree], "GET", "/api/user", out) == 0
    assert "the rule for GET /api/user answers, before nextapi" in out.getvalue()
    assert "file" not in out.getvalue()


@pytest.mark.usefixtures("root")
def test_check_finds_nothing_in_a_sound_tree(capsys: pytest.CaptureFixture[str]) -> None:
    """A tree without faults and findings is fine; a catch-all need not look at what it caught."""
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "No faults and no findings.\n"


def test_check_finds_faults_and_findings(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All faults of the tree are told, and the findings of each file, with place and id; the exit code is 1."""
    write_tree(
        root,
        {
            "a[b]": "res.end()",
            "user/index": "res.end()",
            "broken": "def handler(req, res)\n",
            "none": "# def handler\n",
            "wrong": route("res.end()", {"api": {"bodyparser": False}}),
            "half/[id]": "if req.method == 'GET':\n    res.end()",
        },
    )
    assert main(["check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    ids = [line.split(": ")[1].split()[0] for line in lines if line.startswith("web/")]
    assert sorted(ids) == ["E002", "E003", "E004", "E005", "E006", "W001", "W004"]
    assert "web/pages/api/user/index.py: E003 web/pages/api/user/index.py and web/pages/api/user.py answer" in str(
        lines
    )
    assert "web/pages/api/half/[id].py:6: W001 where no test of this `if` holds, nothing answers" in lines
    assert lines[-1] == "5 faults, 2 findings."
    assert main(["routes"]) == 1
    assert "E005" in capsys.readouterr().err


def test_check_tells_of_a_file_that_cannot_be_read(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link that leads nowhere is a fault like any other."""
    (root / "pages/api/gone.py").symlink_to("nowhere")
    assert main(["check"]) == 1
    assert "web/pages/api/gone.py: E004 FileNotFoundError" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "routes", "explain GET /api"])
def test_a_wrong_root_is_wrong_use(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A root that is none is said to be none, and the exit code is 2."""
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "--root", "nowhere"]) == 2
    assert "nowhere: E001 there is no such folder" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "required: COMMAND"),
        (["rotes"], "invalid choice"),
        (["explain", "GET", "api/user"], "'api/user' is no path"),
        (["init", "rails"], "invalid choice"),
    ],
)
def test_wrong_use(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that is none ends with a usage line and the exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    assert said in capsys.readouterr().err


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is coloured for a terminal, not for a pipe, and not where NO_COLOR is set."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert paint(_Terminal(), RED, "text") == "\033[31mtext\033[0m"
    assert paint(io.StringIO(), RED, "text") == "text"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint(_Terminal(), RED, "text") == "text"
