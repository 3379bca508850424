"""Small trees, built: every fault is told, all at once, naming its files; what has none is served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults

import pytest

from nextapi.adapters.wsgi import WSGIApp, create_app
from nextapi.errors import (
    BuildError,
    ConfigError,
    ConflictError,
    HandlerError,
    LoadError,
    OptionError,
    RootError,
    SegmentError,
    TreeError,
)

pytestmark = pytest.mark.usefixtures("forget_modules")

DATA = Path(__file__).parents[1] / "conformance/data"
CONFLICTS = json.loads((DATA / "build_conflicts.json").read_text("utf-8"))
RESPONSE = "from nextapi import Response\n"
ECHO = 'def handler(req, res):\n    res.json({"file": %r, "query": list(req.query.items())})\n'


def _write(root: Path, *names: str, **sources: str) -> None:
    """Write files below `root`: those with a source, and route files that echo what they are."""
    for name, source in {**{name: ECHO % name for name in names}, **sources}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, "utf-8")


def _faults(root: Path, **options: Any) -> list[BuildError]:
    """Return the faults of the tree `root`; each is a subclass that names its files in fields and in text."""
    with pytest.raises(TreeError) as raised:
        create_app(root, **options)
    faults = list(raised.value.exceptions)
    for fault in faults:
        assert type(fault) is not BuildError
        assert fault.files
        assert all(str(file) in str(fault) for file in fault.files)
    return faults


def _get(app: WSGIApp, target: str) -> tuple[int, bytes]:
    environ: dict[str, Any] = {"RAW_URI": target, "PATH_INFO": unquote_to_bytes(target).decode("latin-1")}
    setup_testing_defaults(environ)
    started: list[str] = []
    body = b"".join(app(environ, lambda status, *_: started.append(status)))  # type: ignore[arg-type]
    return int(started[0].split()[0]), body


# Faults of files


@pytest.mark.parametrize(
    ("names", "kind", "message"),
    [
        (["a.py", "a/index.py"], ConflictError, "answer /api/a"),
        (["[a].py", "[b]/x.py"], ConflictError, "'[a]' and '[b]' name the same segment"),
        (["[...a]/b.py"], SegmentError, "'[...a]' is not the last segment"),
        (["[[...a]]/b.py"], SegmentError, "'[[...a]]' is not the last segment"),
        (["[a]/[a].py"], SegmentError, "'a' comes twice"),
        (["[...a].py", "[[...b]].py"], ConflictError, "stand side by side"),
        (["[a]b.py"], SegmentError, "'[a]b' is not wholly in brackets"),
        (["[].py"], SegmentError, "'[]' has no parameter name"),
        (["[[a]].py"], SegmentError, "'[[a]]' is an optional single parameter"),
        (["[..a].py"], SegmentError, "'[..a]' has the wrong number of dots"),
        (["[…a].py"], SegmentError, "'[…a]' has the one character"),
        (["a.b.py", "a:b.py"], ConflictError, "would both be named 'a:b'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_fault_of_names_is_told(tmp_path: Path, names: list[str], kind: type[BuildError], message: str) -> None:
    """A tree with names that cannot be routes is refused, with all files that are at fault."""
    _write(tmp_path, "pages/api/ok.py", *(f"pages/api/{name}" for name in names))
    fault = _faults(tmp_path)[0]
    assert type(fault) is kind
    assert message in str(fault)
    assert fault.files == tuple(sorted(tmp_path / "pages/api" / name for name in names))


def test_files_that_differ_only_in_case_are_told(tmp_path: Path) -> None:
    """Two files that are one on some systems are refused on all."""
    _write(tmp_path, "pages/api/echo.py", "pages/api/Echo.py")
    if len(list((tmp_path / "pages/api").iterdir())) == 1:  # this file system has one file for both: no fault
        assert len(create_app(tmp_path).application.routes) == 1
        return
    (fault,) = _faults(tmp_path)
    assert isinstance(fault, ConflictError)
    assert "differ only in case" in str(fault)
    assert set(fault.files) == {tmp_path / "pages/api/echo.py", tmp_path / "pages/api/Echo.py"}


@pytest.mark.parametrize(
    ("source", "error"),
    [("import no_such_module_at_all", ModuleNotFoundError), ("def handler(", SyntaxError), ("{}['x']", KeyError)],
)
def test_module_that_cannot_be_imported_is_told_with_its_cause(
    tmp_path: Path, source: str, error: type[Exception]
) -> None:
    """A file that fails to import is a fault, and what it raised is the cause."""
    _write(tmp_path, "pages/api/ok.py", **{"pages/api/a.py": source})
    (fault,) = _faults(tmp_path)
    assert isinstance(fault, LoadError)
    assert isinstance(fault.__cause__, error)
    assert fault.files == (tmp_path / "pages/api/a.py",)


def test_module_that_fails_is_told_once(tmp_path: Path) -> None:
    """A file that fails is one fault, also where it is the package of the files in the folder beside it."""
    _write(tmp_path, "pages/api/a/x.py", "pages/api/a/y.py", **{"pages/api/a.py": "1 / 0"})
    (fault,) = _faults(tmp_path)
    assert fault.files == (tmp_path / "pages/api/a.py",)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "there is no `handler`: define `def handler(req, res)`"),
        ("def default(req, res): ...", "there is no `handler`"),
        ("handler = None", "there is no `handler`"),
        ("handler = 'x'", "`handler` is str, not a function"),
        ("handler = {}", "`handler` is dict, not a function"),
        ("def handler(req): ...", "`handler(req)` cannot be called with (req, res)"),
        ("def handler(): ...", "`handler()` cannot be called with (req, res)"),
        ("def handler(req, res, more): ...", "`handler(req, res, more)` cannot be called with (req, res)"),
        ("def handler(*, req, res): ...", "cannot be called with (req, res)"),
        ("class handler: ...", "cannot be called with (req, res)"),
        ("def handler(req, res): yield", "`handler` is a generator: define"),
        ("async def handler(req, res): yield", "`handler` is a generator: define"),
    ],
)
def test_handler_that_cannot_be_called_is_told(tmp_path: Path, source: str, message: str) -> None:
    """A file without a handler that can be called with (req, res) is a fault that says what to write."""
    _write(tmp_path, **{"pages/api/a.py": source})
    (fault,) = _faults(tmp_path)
    assert isinstance(fault, HandlerError)
    assert message in str(fault)
    assert "def handler(req, res)" in str(fault)


@pytest.mark.parametrize(
    "source",
    [
        "handler = lambda req, res: res.end('ok')",
        "def handler(*args): args[1].end('ok')",
        "def handler(request, response, more=1): response.end('ok')",
        "from functools import partial\nhandler = partial(lambda text, req, res: res.end(text), 'ok')",
        "class C:\n    def __call__(self, req, res): res.end('ok')\nhandler = C()",
        "class C:\n    def do(self, req, res): res.end('ok')\nhandler = C().do",
        "class handler:\n    def __init__(self, req, res): res.end('ok')",
        "from operator import methodcaller\nhandler = lambda *both: methodcaller('end', 'ok')(both[1])",
    ],
)
def test_handler_is_whatever_can_be_called(tmp_path: Path, source: str) -> None:
    """A handler may be any callable that takes (req, res)."""
    _write(tmp_path, **{"pages/api/a.py": source})
    assert _get(create_app(tmp_path), "/api/a") == (200, b"ok")


# Faults of configs


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{'apii': {}}", "config has the unknown key 'apii'; did you mean 'api'?"),
        ("{'run_time': 'nodejs'}", "config has the unknown key 'run_time'; did you mean 'runtime'?"),
        ("{'zzz': 1}", "config has the unknown key 'zzz'; there is api, maxDuration, regions, runtime"),
        ("{1: 2}", "config has the unknown key 1"),
        ("{'api': {'bodyparser': 1}}", "config['api'] has the unknown key 'bodyparser'; did you mean 'bodyParser'?"),
        ("{'api': {'body_parser': False}}", "unknown key 'body_parser'; did you mean 'bodyParser'?"),
        ("{'api': {'same_origin': False}}", "unknown key 'same_origin'; did you mean 'sameOrigin'?"),
        (
            "{'api': {'bodyParser': {'size_limit': 1}}}",
            "config['api']['bodyParser'] has the unknown key 'size_limit'; did you mean 'sizeLimit'?",
        ),
        ("None", "config is None (NoneType), not a dict"),
        ("[]", "config is [] (list), not a dict"),
        ("{'api': None}", "config['api'] is None (NoneType), not a dict"),
        ("{'api': {'bodyParser': 'no'}}", "config['api']['bodyParser'] is 'no' (str), not a bool or a dict"),
        ("{'api': {'bodyParser': 0}}", "config['api']['bodyParser'] is 0 (int), not a bool or a dict"),
        ("{'api': {'externalResolver': 1}}", "config['api']['externalResolver'] is 1 (int), not True or False"),
        ("{'api': {'sameOrigin': 'off'}}", "config['api']['sameOrigin'] is 'off' (str), not True or False"),
        *(
            (f"{{'api': {{'bodyParser': {{'sizeLimit': {size!r}}}}}}}", f"['sizeLimit'] is {size!r}, which is no size")
            for size in ("abc", "", "1k", "1 MB ", [1])
        ),
        *(
            (f"{{'api': {{'responseLimit': {size!r}}}}}", f"['responseLimit'] is {size!r}, which is no size")
            for size in ("abc", "4 megabytes", {})
        ),
        ("{'runtime': 'bogus'}", "config['runtime'] is 'bogus'; there is nodejs, edge, experimental-edge"),
        ("{'runtime': 1}", "config['runtime'] is 1; there is"),
        ("{'runtime': 'nodejs', 'regions': 7}", "config['regions'] is 7, not a name of a region or a list of them"),
        ("{'runtime': 'nodejs', 'regions': ['sfo1', '']}", "config['regions'] is ['sfo1', '']"),
        *(
            (f"{{'maxDuration': {value!r}}}", f"config['maxDuration'] is {value!r}, not a number of seconds")
            for value in (0, -1, "5", True, 1.5)
        ),
    ],
)
def test_fault_of_a_config_is_told(tmp_path: Path, config: str, message: str) -> None:
    """A key that nothing knows, or a value of the wrong kind, is a fault with its place and what there is."""
    _write(tmp_path, **{"pages/api/a.py": f"config = {config}\ndef handler(req, res): ..."})
    (fault,) = _faults(tmp_path)
    assert isinstance(fault, ConfigError)
    assert message in str(fault)
    assert fault.files == (tmp_path / "pages/api/a.py",)


@pytest.mark.parametrize(
    "config",
    [
        "{}",
        "{'api': {}}",
        "{'runtime': 'nodejs'}",
        "{'runtime': 'nodejs', 'regions': ['sfo1', 'iad1'], 'maxDuration': 5}",
        "{'runtime': 'nodejs', 'regions': 'all'}",
        "{'api': {'bodyParser': True, 'responseLimit': True, 'externalResolver': True}}",
        "{'api': {'bodyParser': {}, 'externalResolver': False, 'sameOrigin': False}}",
        *(f"{{'api': {{'bodyParser': {{'sizeLimit': {size!r}}}}}}}" for size in ("1mb", "1 KB", 10, 0, "-1", 1.5)),
        *(f"{{'api': {{'responseLimit': {size!r}}}}}" for size in ("8mb", False, 10, "4 MB")),
        "__import__('types').MappingProxyType({'api': {'bodyParser': False}})",
        "{'api': {'bodyParser': {'sizeLimit': __import__('bytesize').Size('1')}}}",
    ],
)
def test_config_that_next_takes_is_taken(tmp_path: Path, config: str) -> None:
    """A config that says what there is has no fault."""
    _write(tmp_path, **{"pages/api/a.py": f"config = {config}\ndef handler(req, res): res.end('ok')"})
    assert _get(create_app(tmp_path), "/api/a") == (200, b"ok")


# All at once


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("dynamic = 'force-statc'", "`dynamic` is 'force-statc'; did you mean 'force-static'?"),
        ("dynamic = 'bogus'", "`dynamic` is 'bogus'; there is auto, force-dynamic, error, force-static"),
        *(
            (f"revalidate = {value!r}", f"`revalidate` is {value!r}, not a number of seconds or False")
            for value in (-1, 1.5, "60", True)
        ),
        ("runtime = 'bun'", "`runtime` is 'bun'; there is nodejs, edge, experimental-edge"),
        *(
            (f"max_duration = {value!r}", f"`max_duration` is {value!r}, not a number of seconds")
            for value in (0, "5", True, 1.5)
        ),
        ("max_body_size = 'abc'", "`max_body_size` is 'abc', which is no size"),
        ("same_origin = 'no'", "`same_origin` is 'no', not True or False"),
        ("preferred_region = 5", "`preferred_region` is 5, not a name of a region or a list of them"),
        (
            "def generate_static_params(): return []",
            "`generate_static_params`: nothing is made before it is asked for:",
        ),
        ("def generateStaticParams(): return []", "is written `generate_static_params` in Python"),
        ("dynamic_params = False", "check the parameter in the handler, and call not_found()"),
        ("fetch_cache = 'only-cache'", "`fetch_cache`: fetch() keeps nothing: leave it out"),
        ("maxDuration = 5", "`maxDuration` is written `max_duration` in Python"),
        ("config = {}", "`config`: a route handler has names of its own for that: dynamic, revalidate"),
    ],
)
def test_fault_of_a_segment_is_told(tmp_path: Path, setting: str, message: str) -> None:
    """What a `route.py` says of itself is checked: each name's values, and names of Next's that mean nothing here."""
    _write(tmp_path, **{"app/a/route.py": f"{setting}\ndef GET(): ..."})
    (fault,) = _faults(tmp_path)
    assert isinstance(fault, ConfigError)
    assert message in str(fault)
    assert fault.files == (tmp_path / "app/a/route.py",)


@pytest.mark.parametrize(
    "setting",
    [
        "dynamic = 'error'; revalidate = False",
        "revalidate = 0",
        "runtime = 'experimental-edge'; preferred_region = 'home'",
        "preferred_region = ['sfo1', 'iad1']; max_duration = 5",
        "max_body_size = '1.5mb'; same_origin = False",
        "max_body_size = 10",
    ],
)
def test_segment_that_next_takes_is_taken(tmp_path: Path, setting: str) -> None:
    """No value that means something is a fault."""
    _write(tmp_path, **{"app/a/route.py": f"{RESPONSE}{setting}\ndef GET(): return Response('x')"})
    assert _get(create_app(tmp_path), "/a") == (200, b"x")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """One build tells every fault: of names, neighbours, imports, handlers and configs."""
    _write(
        tmp_path,
        *("pages/api/a.py", "pages/api/a/index.py", "pages/api/x/[p].py", "pages/api/x/[q].py"),
        *("pages/api/[...r]/b.py", "pages/api/[bad.py", "pages/api/ok.py"),
        **{
            "pages/api/load.py": "1 / 0",
            "pages/api/none.py": "",
            "pages/api/both.py": "config = {'apii': 1, 'runtime': 'nope', 'api': {'sameOrigin': 1}}\nhandler = 1",
        },
    )
    told = [(type(fault).__name__, *(file.name for file in fault.files)) for fault in _faults(tmp_path)]
    assert sorted(told) == [
        ("ConfigError", "both.py"),
        ("ConfigError", "both.py"),
        ("ConfigError", "both.py"),
        ("ConflictError", "[p].py", "[q].py"),
        ("ConflictError", "index.py", "a.py"),
        ("HandlerError", "both.py"),
        ("HandlerError", "none.py"),
        ("LoadError", "load.py"),
        ("SegmentError", "[bad.py"),
        ("SegmentError", "b.py"),
    ]


@pytest.mark.parametrize(("names", "count"), [(["[a]b.py"], "1 fault in"), (["[a]b.py", "[c]d.py"], "2 faults in")])
def test_faults_are_counted(tmp_path: Path, names: list[str], count: str) -> None:
    """The message says how many faults there are, and in which root."""
    _write(tmp_path, *(f"pages/api/{name}" for name in names))
    with pytest.raises(TreeError, match=count) as raised:
        create_app(tmp_path)
    assert raised.value.message.startswith(f"{count} {tmp_path}, first: {tmp_path}")
    assert raised.value.filename == str(tmp_path / "pages" / "api" / names[0])


# The root


@pytest.mark.parametrize("made", [None, "web", "web/api"], ids=["nothing", "a file", "api/"])
def test_root_that_holds_nothing_to_serve_is_told(tmp_path: Path, made: str | None) -> None:
    """A root that is missing, or no folder, or without pages/, is an error that says what was looked for, and where."""
    root = tmp_path / "web"
    if made == "web":
        root.touch()
    elif made:
        (tmp_path / made).mkdir(parents=True)
    (fault,) = _faults(root)
    assert isinstance(fault, RootError)
    assert fault.files == (root,)
    assert "pages/" in str(fault)


def test_root_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative root is looked for in the working directory, as text or as a path."""
    _write(tmp_path / "web", "pages/api/a.py")
    monkeypatch.chdir(tmp_path)
    for root in ("web", Path("web"), tmp_path / "web"):
        assert _get(create_app(root), "/api/a")[0] == 200


def test_unknown_option_goes_before_the_tree(tmp_path: Path) -> None:
    """An option that cannot be is told whatever the root is."""
    with pytest.raises(OptionError, match="did you mean 'debug'"):
        create_app(tmp_path / "missing", debugg=True)  # type: ignore[call-arg]


def test_page_extensions_choose_the_files(tmp_path: Path) -> None:
    """With `page_extensions` only files with such an ending are loaded, and others may be anything."""
    _write(tmp_path, "pages/api/a.api.py", **{"pages/api/helper.py": "1 / 0"})
    app = create_app(tmp_path, page_extensions=["api.py"])
    assert [route.pattern for route in app.application.routes] == ["/api/a"]


def test_tree_may_be_mounted_twice(tmp_path: Path) -> None:
    """A second application of a root has the same modules, and options of its own."""
    _write(tmp_path, **{"pages/api/a.py": "token = str(id(object()))\ndef handler(req, res): res.send(token)"})
    one, other = create_app(tmp_path), create_app(tmp_path, debug=True)
    assert one.application is not other.application
    assert _get(one, "/api/a") == _get(other, "/api/a")


# The recorded trees that are about pages/api alone: what nextapi says, and why where Next says otherwise.

SERVED = None
REFUSED_BY_NEXT_TOO = "Next's server does not start, or does not answer"
TREES: dict[str, tuple[list[type[BuildError]] | None, str]] = {
    "dup-file-and-index": ([ConflictError], "Next serves one of the two without a word"),
    "dup-extension": ([ConflictError], "Next serves one of the two without a word"),
    "slug-names-differ": ([ConflictError], REFUSED_BY_NEXT_TOO),
    "optional-and-index": (SERVED, ""),
    "catchall-not-last": ([SegmentError], REFUSED_BY_NEXT_TOO),
    "optional-single": ([SegmentError], REFUSED_BY_NEXT_TOO),
    "param-twice": ([SegmentError], REFUSED_BY_NEXT_TOO),
    "both-catchalls": ([ConflictError], REFUSED_BY_NEXT_TOO),
    "partial-brackets": ([SegmentError] * 3, "Next serves them under their literal names, which nobody means"),
    "empty-brackets": ([SegmentError], "Next serves it under its literal name, which nobody means"),
    "pages-config-dynamic": (SERVED, "a config is a Python value: it need not be a literal"),
    "pages-edge-config-nonstatic": (SERVED, "a config is a Python value: it need not be a literal"),
    "pages-runtime-bogus": ([ConfigError], REFUSED_BY_NEXT_TOO),
    "underscore-pages-api": (SERVED, "what starts with an underscore is no route"),
    "test-file-in-api": (SERVED, ""),
}
CONFIGS = {
    "pages-config-dynamic": "v = not True\nconfig = {'api': {'bodyParser': v}}\n",
    "pages-edge-config-nonstatic": "rt = 'node' + 'js'\nconfig = {'runtime': rt}\n",
    "pages-runtime-bogus": "config = {'runtime': 'bogus'}\n",
}
# What is served otherwise than recorded, or is not in the recording.
ANSWERS = {
    "pages-config-dynamic": {"/api/a": [200, '{"file":"pages/api/a.js","query":[]}']},
    "underscore-pages-api": {"/api/_x": [404, "HTML"], "/api/_d/y": [404, "HTML"]},
}
EXTENSIONS = {".js": ".py", ".jsx": ".jsx.py"}


def _python_name(name: str) -> str:
    path = Path(name)
    return str(path.with_suffix(EXTENSIONS.get(path.suffix, path.suffix)))


def test_table_of_trees_is_complete() -> None:
    """Every recorded tree that has files in pages/api only is in the table."""
    assert set(TREES) == {
        name for name, tree in CONFLICTS.items() if all(file.startswith("pages/api/") for file in tree["files"])
    }


@pytest.mark.parametrize("name", TREES)
def test_recorded_tree(tmp_path: Path, name: str) -> None:
    """A tree that Next was given is refused or served as the table says; what is served is answered as recorded."""
    tree, (expected, reason) = CONFLICTS[name], TREES[name]
    files = {file: _python_name(file) for file in tree["files"]}
    _write(tmp_path, **{python: CONFIGS.get(name, "") + ECHO % python for python in files.values()})
    options = {"page_extensions": ("py", "jsx.py")}
    if expected is not SERVED:
        faults = _faults(tmp_path, **options)
        assert [type(fault) for fault in faults] == expected
        assert {file for fault in faults for file in fault.files} == {tmp_path / python for python in files.values()}
        refused = tree["build"] == "fails" or any(answer[0] is None for answer in tree["responses"].values())
        assert refused is not reason.startswith("Next serves")
        return
    app = create_app(tmp_path, **options)  # type: ignore[arg-type]
    for target, (status, text) in ANSWERS.get(name, tree.get("responses", {})).items():
        answer = _get(app, target)
        assert answer[0] == status
        if status == 200:
            for file, python in files.items():
                text = text.replace(f'"{file}"', f'"{python}"')
            assert answer[1].decode() == text


def test_names_that_need_escaping_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file whose name no client can send as it is builds, as in Next, with a warning that names it."""
    api = tmp_path / "pages" / "api"
    api.mkdir(parents=True)
    (api / "with space.py").write_text("def handler(req, res): ...")
    (api / "plain-name.v2.py").write_text("def handler(req, res): ...")
    create_app(tmp_path)
    assert "with space.py can never be asked for" in caplog.text
    assert "plain-name" not in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("config = {'bodyParser': False}\ndef handler(req, res): ...", "it belongs into config['api']"),
        ("def handle(req, res): ...", "there is no `handler`: define `def handler(req, res)`; there is handle"),
        ("import sys\nsys.exit(3)", "a.py: SystemExit: 3"),
        ("from ....lib import x", "attempted relative import beyond top-level package"),
        ("from ...lib import x", "a relative import has a dot for each folder up to the root"),
    ],
)
def test_typical_mistakes_are_told(tmp_path: Path, text: str, said: str) -> None:
    """What people get wrong first has a message that shows the right thing."""
    _write(tmp_path, "pages/api/a.py")
    (tmp_path / "pages/api/a.py").write_text(text)
    with pytest.raises(TreeError) as raised:
        create_app(tmp_path)
    assert said in str(raised.value.exceptions[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def get(): ...", "of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS; `get` is written `GET`"),
        ("def handler(req, res): ...", "define `def GET(request)`"),
        ("def handler(req, res): ...", "a `handler` is for files below pages/api"),
        ("runtime = 'python'\ndef GET(): ...", "`runtime` is 'python'; there is nodejs, edge, experimental-edge"),
        ("dynamic = 'force-dynamc'\ndef GET(): ...", "`dynamic` is 'force-dynamc'; did you mean 'force-dynamic'?"),
        ("config = {}\ndef GET(): ...", "a route handler has names of its own for that"),
    ],
)
def test_typical_mistakes_of_route_handlers_are_told(tmp_path: Path, text: str, said: str) -> None:
    """A `route.py` that is written like another kind of file has a message that says how it is written."""
    _write(tmp_path, **{"app/api/a/route.py": text})
    (fault,) = _faults(tmp_path)
    assert said in str(fault)


@pytest.mark.parametrize("inside", ["pages", "pages/api"])
def test_a_root_that_is_too_deep_is_told(tmp_path: Path, inside: str) -> None:
    """Who gives the folder pages/, or pages/api, is told which folder to give."""
    _write(tmp_path, "pages/api/a.py")
    with pytest.raises(TreeError) as raised:
        create_app(tmp_path / inside)
    assert f"give the folder above pages/, {tmp_path}" in str(raised.value)


@pytest.mark.parametrize(
    ("inside", "said"), [("app", "above app/, {}/src"), ("app/api", "above app/, {}/src"), ("", "{}/src")]
)
def test_a_root_beside_that_of_route_handlers_is_told(tmp_path: Path, inside: str, said: str) -> None:
    """Who gives the folder app/, one in it, or the one above src/, is told which folder to give."""
    _write(tmp_path, **{"src/app/api/a/route.py": "def GET(): ..."})
    (fault,) = _faults(tmp_path / "src" / inside if inside else tmp_path)
    assert str(fault).endswith(said.format(tmp_path))


# Middleware

ROUTE = "def handler(req, res): ...\n"


def test_faults_of_middleware_are_told_together(tmp_path: Path) -> None:
    """Every middleware file at fault is told, once each, beside the faults of routes, also where it has no routes."""
    files = {
        "middleware.py": "config = {'matcher': 'api'}\ndef middlewear(request): ...\n",
        "pages/api/_middleware.py": "def middleware(request): ...\n",
        "pages/api/a.py": ROUTE,
        "pages/api/b/_middleware.py": "config = {}\nmiddleware = 3\n",
        "pages/api/b/c.py": "handler = 3\n",
        "pages/api/b/d.py": ROUTE,
        "pages/api/empty/_middleware.py": "1 / 0\n",
        "app/_middleware.py": "def handler(req, res): ...\n",
        "app/(group)/_middleware.py": "def middleware(request, call_next):\n    yield\n",
    }
    _write(tmp_path, **files)
    faults = [(fault.files[0].relative_to(tmp_path).as_posix(), type(fault), str(fault)) for fault in _faults(tmp_path)]
    said = {
        "middleware.py": [(ConfigError, "matcher"), (HandlerError, "define `def middleware(request)`")],
        "pages/api/_middleware.py": [(HandlerError, "cannot be called with (request, call_next)")],
        "pages/api/b/_middleware.py": [(HandlerError, "is int, not a function"), (ConfigError, "leave `config` out")],
        "pages/api/b/c.py": [(HandlerError, "not a function")],
        "pages/api/empty/_middleware.py": [(LoadError, "ZeroDivisionError")],
        "app/_middleware.py": [(HandlerError, "define `def middleware(request, call_next)`")],
        "app/(group)/_middleware.py": [(HandlerError, "generator")],
    }
    for file, expected in said.items():
        found = [(kind, text) for name, kind, text in faults if name == file]
        assert sorted(kind.__name__ for kind, _ in found) == sorted(kind.__name__ for kind, _ in expected), file
        for kind, part in expected:
            assert any(part in text for found_kind, text in found if found_kind is kind), (file, found)
    assert {file for file, _, _ in faults} == set(said)


def test_both_names_of_root_middleware(tmp_path: Path) -> None:
    """middleware.py and proxy.py together are a fault, beside those of each."""
    files = {"middleware.py": "def middleware(request): ...\n", "proxy.py": "def middleware(request): ...\n"}
    _write(tmp_path, **files, **{"pages/api/a.py": ROUTE})
    conflict, fault = _faults(tmp_path)
    assert (type(conflict), conflict.files) == (ConflictError, (tmp_path / "middleware.py", tmp_path / "proxy.py"))
    assert "define `def proxy(request)`" in str(fault)


@pytest.mark.parametrize(
    "file",
    [
        "_middleware.py",
        "pages/_middleware.py",
        "pages/blog/_middleware.py",
        "pages/middleware.py",
        "pages/proxy.py",
        "app/middleware.py",
        "app/proxy.py",
    ],
)
def test_middleware_that_nothing_looks_for(tmp_path: Path, file: str) -> None:
    """A file that looks as if it guarded routes, and does not, is a fault that says where it belongs."""
    _write(tmp_path, **{"pages/api/a.py": ROUTE, file: "def middleware(request, call_next=None): ...\n"})
    (fault,) = _faults(tmp_path)
    assert isinstance(fault, ConfigError)
    assert "nothing looks for middleware here" in str(fault)


@pytest.mark.parametrize("name", ["middleware", "proxy"])
def test_middleware_in_pages_api(tmp_path: Path, name: str) -> None:
    """In pages/api such a file is a route, as in Next: without a handler it is a fault."""
    _write(tmp_path, **{f"pages/api/{name}.py": f"def {name}(request): ...\n"})
    (fault,) = _faults(tmp_path)
    assert isinstance(fault, HandlerError)
    assert f"there is no `handler`: define `def handler(req, res)`; there is {name}" in str(fault)


def test_a_route_beside_a_guarded_folder_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """admin.py is not below the middleware of the folder admin/: who looks at the URLs may think so."""
    middleware = "def middleware(request, call_next): ...\n"
    _write(tmp_path, **{"pages/api/admin.py": ROUTE, "pages/api/admin/_middleware.py": middleware})
    _write(tmp_path, **{"pages/api/open/index.py": ROUTE, "pages/api/open/_middleware.py": middleware})
    create_app(tmp_path)
    assert f"to have it below, name it {tmp_path / 'pages/api/admin/index.py'}" in caplog.text
    assert "open" not in caplog.text


def test_the_middleware_of_a_route_is_known(tmp_path: Path) -> None:
    """A route names the files of its folders' middleware, outermost first."""
    middleware = "def middleware(request, call_next): ...\n"
    names = ("pages/api/_middleware.py", "pages/api/a/_middleware.py")
    _write(tmp_path, **dict.fromkeys(names, middleware), **{"pages/api/a/b.py": ROUTE, "pages/api/c.py": ROUTE})
    found = {route.pattern: route.middleware for route in create_app(tmp_path).application.routes}
    files = tuple(tmp_path / name for name in names)
    assert found == {"/api/a/b": files, "/api/c": files[:1]}
