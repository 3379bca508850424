"""What the syntax tree of a route file tells of its answers; and that it never tells what is not so."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextapi.checks import Finding, check_functions, check_module, config_lines, is_edge, name_lines, parse
from nextapi.checks.finding import Function


def _found(body: str, *params: str, is_async: bool = False, before: str = "") -> list[tuple[int, str]]:
    """Return (line, id) of the findings of a handler; its first line of body is line 1."""
    head = "async def handler(req, res):\n" if is_async else "def handler(req, res):\n"
    lines = before.count("\n") + 1
    text = f"{before}{head}{indent(dedent(body).strip(), '    ')}\n"
    return [(found.line - lines, found.id) for found in check_module(ast.parse(text), params)]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("pass", 0),
        ("res.status(204)", 0),
        ("return res.status(400)", 1),
        ("res.set_header('a', 'b')\nreturn", 2),
        ("res.set_draft_mode().set_header('a', 'b')", 0),
        ("res.set_preview_data({}, max_age=60)\nres.clear_preview_data()", 0),
        ("res.revalidate('/posts')", 0),
        ("if req.method == 'GET':\n    res.json(1)", 1),
        ("if req.method == 'GET':\n    res.json(1)\nelif req.method in ('PUT', 'POST'):\n    res.end()", 1),
        ("if req.method == 'GET':\n    res.json(1)\nelse:\n    save(req.body)", 4),
        ("if req.method == 'GET':\n    load()\nelse:\n    res.end()", 1),
        ("if not req.body:\n    return\nres.json(1)", 2),
        ("if req.method == 'PUT':\n    return res.end()\nif req.method == 'GET':\n    res.json(1)", 3),
        ("if not user:\n    raise E\nif user.name == 'x':\n    res.json(1)", 3),
        ("for post in posts:\n    if post.id == 1:\n        return res.json(post)", 1),
        ("try:\n    data = load()\nexcept KeyError:\n    return\nres.json(data)", 4),
        ("try:\n    data = load()\nexcept KeyError:\n    log()\nelse:\n    res.json(data)", 3),
        ("match req.method:\n    case 'GET':\n        res.json(1)\n    case 'PUT' | 'POST':\n        res.end()", 1),
        ("match req.method:\n    case 'GET':\n        res.json(1)\n    case _:\n        save()", 4),
        ("with lock:\n    return", 2),
        ("while True:\n    if done():\n        return", 3),
        ("if a == 1:\n    helper(res)", 1),
    ],
)
def test_a_branch_that_never_answers(body: str, line: int) -> None:
    """A path through the handler that ends with nothing answered is found, at the line of its branch."""
    assert _found(body) == [(line, "W001")]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("res.json(1)\nres.json(2)", 2),
        ("if not req.body:\n    res.status(400).json(1)\nres.json(2)", 3),
        ("if a:\n    res.json(1)\nelse:\n    res.end()\nif debug:\n    log()\nreturn res.redirect('/')", 7),
        ("try:\n    res.json(1)\nfinally:\n    res.end()", 4),
        ("res.json(1)\nif a:\n    res.end()", 3),
        ("res.json(1), res.end()", 1),
    ],
)
def test_a_second_answer(body: str, line: int) -> None:
    """An answer on a path that has surely answered is found, at its own line."""
    assert _found(body) == [(line, "W002")]


@pytest.mark.parametrize(
    "body",
    [
        "res.status(200).set_header('a', 'b').json(1)",
        "return res.status(405).set_header('Allow', 'GET').end()",
        "if req.method == 'GET':\n    return res.json(1)\nraise HTTPError(405, 'no')",
        "{'GET': get, 'PUT': put}[req.method](req, res)",
        "answer = res.json\nanswer(1)",
        "ok = res.status(200)\nok.json(1)",
        "res = wrap(res)\nres.json(1)",
        "def fail():\n    res.status(400).end()\nif a:\n    fail()\nelse:\n    fail()",
        "a and res.json(1)",
        "res.json(1) if a else res.end()",
        "[res.write(part) for part in parts]\nres.end()",
        "for part in parts:\n    res.write(part)\nres.end()",
        "res.write('a')",
        # conditions that hang together
        "if a:\n    res.json(1)\nif not a:\n    res.end()",
        "if a:\n    res.json(1)\nelif not a:\n    res.end()",
        "if m not in ('A', 'B'):\n    return res.end()\nif m == 'A':\n    res.json(1)\nelif m == 'B':\n    res.end()",
        "if isinstance(x, int):\n    res.json(1)\nelif isinstance(x, str):\n    res.end()",
        "if kind == Kind.A:\n    res.json(1)\nelif kind == Kind.B:\n    res.end()",
        "if flag is True:\n    res.json(1)\nelif flag is False:\n    res.end()",
        "for x in xs:\n    if x:\n        found = x\nif found:\n    res.json(1)\nif not found:\n    res.end()",
        "if not res.writable_ended:\n    res.end()",
        "assert req.method in METHODS\nif req.method == 'GET':\n    res.json(1)",
        "match kind:\n    case Kind.A:\n        res.json(1)\n    case Kind.B:\n        res.end()",
        "match req.body:\n    case {'a': a}:\n        res.json(a)\n    case []:\n        res.end()",
        # what may not come back
        "if a:\n    res.json(1)\nelse:\n    abort(404)",
        "if a:\n    res.json(1)\nelse:\n    return errors.not_found()",
        "if a:\n    res.json(1)\nelse:\n    sys.exit()",
        # what may be swallowed, or happen between
        "with suppress(KeyError):\n    return res.json(data['a'])\nres.end()",
        "with suppress(KeyError):\n    res.json(data['a'])",
        "try:\n    res.json(load())\nexcept KeyError:\n    log()",
        "try:\n    res.json(load())\nexcept KeyError:\n    res.end()",
        "try:\n    return\nfinally:\n    res.end()",
        "while True:\n    try:\n        break\n    finally:\n        res.end()",
        "done = False\nfor x in xs:\n    if done:\n        return\n    res.json(x)\n    done = True",
        "while True:\n    if ready():\n        return res.json(1)",
        "for x in xs:\n    res.json(x)\n    break\nelse:\n    res.end()",
        "yield 1",
    ],
)
def test_no_false_findings(body: str) -> None:
    """What may well be right is not found."""
    assert _found(body) == []


def test_a_function_that_always_raises_is_no_missing_answer() -> None:
    """A function of the file that ends by `raise` is known for what it is, whatever its name."""
    before = "def stop(req):\n    raise HTTPError(405, 'no')\n"
    assert _found("if req.method == 'GET':\n    res.json(1)\nelse:\n    stop(req)", before=before) == []


@pytest.mark.parametrize(
    "text",
    [
        "@wrapped\ndef handler(req, res): pass",
        "from .other import handler",
        "def handler(req, res): pass\nhandler = wrap(handler)",
        "def handler(*args): pass",
        "class Handler:\n    def handler(self, req, res): pass\nhandler = Handler().handler",
        "config = {'api': {'externalResolver': True}}\ndef handler(req, res): pass",
        "config = dict(api=API)\ndef handler(req, res): pass",
        "config = {**BASE}\ndef handler(req, res): pass",
        "from .base import config\ndef handler(req, res): pass",
    ],
)
def test_what_is_not_looked_into(text: str) -> None:
    """A handler that is wrapped, imported or made is not judged, nor one that may be answered for elsewhere."""
    assert check_module(ast.parse(text), []) == []


@pytest.mark.parametrize(
    "expression",
    ["res.json(1)", "res.status(200).send('a')", "req.body", "req.json()", "req.query", "req.headers", "res.end()"],
)
def test_await_on_a_plain_value(expression: str) -> None:
    """`await` on what is no awaitable is found."""
    assert (1, "W003") in _found(f"x = await {expression}", is_async=True)


@pytest.mark.parametrize("expression", ["load(req)", "req.raw.json()", "req.user()", "res.custom()", "other.json()"])
def test_await_on_what_may_be_an_awaitable(expression: str) -> None:
    """`await` on what nextapi does not know is left alone."""
    assert _found(f"res.json(await {expression})", is_async=True) == []


@pytest.mark.parametrize(
    ("body", "is_used"),
    [
        ("res.json(1)", False),
        ("res.json(req.query['other'])", False),
        ("res.json([req.method, req.body, req.headers.get('a'), req.params.get('other')])", False),
        ("res.json([req.draft_mode, req.preview, req.preview_data])", False),
        ("res.json(req.query['pid'])", True),
        ("res.json(req.params.get('pid'))", True),
        ("name = 'pid'\nres.json(req.query[name])", True),
        ("res.json(req.query[name])", True),
        ("res.json(req.query)", True),
        ("res.json({**req.params})", True),
        ("res.json(req.url)", True),
        ("res.json(load(req))", True),
        ("res.json(req.raw.path)", True),
    ],
)
def test_a_parameter_of_the_path_that_is_never_used(body: str, is_used: bool) -> None:
    """A parameter is unused where neither its name nor anything that may have it in it comes up."""
    assert _found(body, "pid") == ([] if is_used else [(0, "W004")])


def test_a_finding_says_what_to_do() -> None:
    """Each finding has its line, its id, a message and a hint."""
    module = parse(b"def handler(req, res):\n    res.json(1)\n    res.end()\n")
    assert module is not None
    (found,) = check_module(module, [])
    assert found == Finding(3, "W002", "a second answer: line 2 has answered already")
    assert found.hint == "return once an answer is given"


def _web(body: str, *params: str, before: str = "", head: str = "async def GET(request, context):") -> list[Any]:
    """Return (line, id) of the findings of a route handler; its first line of body is line 1."""
    text = f"{before}{head}\n{indent(dedent(body).strip(), '    ')}\n"
    module = ast.parse(text)
    may_pass = head.startswith("def middleware(request)")
    names = ("GET", "handler", "middleware")
    route_params = params if "GET" in head else None
    lines = before.count("\n") + 1
    return [(found.line - lines, found.id) for found in check_functions(module, names, route_params, may_pass=may_pass)]


_OK = "return Response.json(1)"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("pass", 0),
        ("return", 1),
        ("Response.json(1)", 0),
        (f"if request.method == 'GET':\n    {_OK}", 1),
        (f"if not context.params:\n    return None\n{_OK}", 2),
        (f"if a:\n    {_OK}\nelse:\n    save()", 4),
        (f"for x in xs:\n    if x == 1:\n        {_OK}", 1),
        (f"try:\n    x = load()\nexcept KeyError:\n    log()\nelse:\n    {_OK}", 3),
        (f"match request.method:\n    case 'GET':\n        {_OK}", 1),
        ("def respond():\n    return Response.json(1)\nrespond()", 0),
        ("async with lock:\n    return", 2),
    ],
)
def test_a_path_that_returns_nothing(body: str, line: int) -> None:
    """In the web dialect the answer is what is returned: a path without it is found."""
    assert _web(body) == [(line, "W001")]


@pytest.mark.parametrize(
    "body",
    [
        _OK,
        "return respond()",
        "return await respond()",
        "return Response.json(1) if a else None",
        f"if a:\n    {_OK}\nredirect('/')",
        f"if a:\n    {_OK}\nnot_found()",
        f"if a:\n    {_OK}\nraise HTTPError(404, 'no')",
        f"if a:\n    {_OK}\nif not a:\n    {_OK}",
        f"if isinstance(x, int):\n    {_OK}\nelif isinstance(x, str):\n    {_OK}",
        f"with suppress(KeyError):\n    {_OK}\n{_OK}",
        f"with suppress(KeyError):\n    {_OK}",
        f"while True:\n    if ready():\n        {_OK}",
        f"try:\n    {_OK}\nfinally:\n    return Response()",
        f"try:\n    return\nfinally:\n    {_OK}",
        f"try:\n    {_OK}\nexcept KeyError:\n    {_OK}",
        f"lambda: None\nclass A:\n    def f(self):\n        return\ndef g():\n    return {{}}\n{_OK}",
        "yield 1",
    ],
)
def test_no_false_findings_of_what_is_returned(body: str) -> None:
    """What may well return a response is not found, nor what functions inside of a handler return."""
    assert _web(body) == []


@pytest.mark.parametrize(
    "value",
    ["{'a': 1}", "[1]", "'text'", "f'{a}'", "1", "True", "b''", "({}, 201)", "{a for a in b}", "[a for a in b]"],
)
def test_a_value_that_is_no_response(value: str) -> None:
    """A dict, text and the like are no answer, though Flask's views return them."""
    for head in ("def GET():", "async def handler(request):", "def middleware(request):"):
        assert _web(f"if a:\n    return {value}\nreturn b", head=head) == [(2, "W005")]


@pytest.mark.parametrize("call", ["NextResponse.next()", "NextResponse.rewrite('/x')", "Next.next()"])
def test_an_answer_of_middleware(call: str) -> None:
    """`next()` and `rewrite()` are for middleware.py alone: a handler and a folder's middleware cannot return them."""
    before = "from nextapi import NextResponse\nfrom nextapi import NextResponse as Next\n"
    assert _web(f"return {call}", before=before) == [(1, "W006")]
    assert _web(f"return {call}", before=before, head="def middleware(request, call_next):") == [(1, "W006")]
    assert _web(f"return {call}", before=before, head="def middleware(request):") == []
    assert _web(f"return {call}", before="from other import NextResponse\n") == []


def test_root_middleware_may_return_nothing() -> None:
    """`middleware(request)` lets a request pass by returning nothing; a folder's has to answer."""
    assert _web("pass", head="def middleware(request):") == []
    assert _web("pass", head="def middleware(request, call_next):") == [(0, "W001")]


@pytest.mark.parametrize(
    "expression",
    [
        "request.json()",
        "request.form_data()",
        "request.cookies",
        "request.next_url",
        "context.params",
        "cookies()",
        "headers()",
        "draft_mode()",
        "c()",
    ],
)
def test_await_on_a_plain_value_of_the_web_dialect(expression: str) -> None:
    """`await` on what is a promise in Next and a plain value here is found."""
    before = "from nextapi import cookies, draft_mode, headers\nfrom nextapi import cookies as c\n"
    assert _web(f"x = await {expression}\nreturn x", "id", before=before) == [(1, "W003")]
    assert (1, "W003") in _web(f"return (await {expression}).get('a')", before=before)


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("return await request.state.user", ""),
        ("return await request.raw", ""),
        ("return await load(request)", ""),
        ("request = wrap(request)\nreturn await request.json()", ""),
        ("context = await context\nreturn await context.params", ""),
        ("return await cookies()", "from other import cookies\n"),
        ("return await cookies()", "from nextapi import cookies\ndef cookies(): pass\n"),
        ("def f(cookies):\n    return cookies\nreturn await cookies()", "from nextapi import cookies\n"),
        ("async def f(request):\n    return await request.json()\nreturn await f(client)", ""),
    ],
)
def test_await_on_what_may_be_an_awaitable_of_the_web_dialect(body: str, before: str) -> None:
    """`await` on what is not nextapi's, or may be something else, is left alone."""
    assert _web(body, before=before) == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("return r(context.params['ID'])", 1),
        ("params = context.params\nreturn r(params['pid'])", 2),
        ("return r(context.params['id'])", None),
        ("return r(context.params.get('pid'))", None),
        ("return r(context.params[name])", None),
        ("context.params['pid'] = 1\nreturn r(context.params['pid'])", None),
        ("params = load()\nparams = context.params\nreturn r(params['pid'])", None),
        ("params = load()\nreturn r(params['pid'])", None),
        ("context = other\nreturn r(context.params['pid'])", None),
    ],
)
def test_a_parameter_that_the_path_does_not_have(body: str, line: int | None) -> None:
    """A parameter that is looked up has to be in the file's path."""
    assert _web(body, "id") == ([(line, "W007")] if line else [])
    text = "the path has no parameter 'pid', nor any other"
    module = ast.parse("def GET(request, context):\n    return r(context.params['pid'])\n")
    assert [found.message for found in check_functions(module, ("GET",), [])] == [text]


@pytest.mark.parametrize(
    "text",
    [
        "@wrapped\ndef GET(): pass",
        "from .other import GET",
        "def GET(): pass\nGET = wrap(GET)",
        "def helper(): return {}",
        "class A:\n    def GET(self): pass",
    ],
)
def test_what_is_not_looked_into_in_the_web_dialect(text: str) -> None:
    """Only functions that are the route's own, as they stand, are judged."""
    assert check_functions(ast.parse(text), ("GET",), []) == []


@pytest.mark.parametrize(
    ("text", "edge"),
    [
        ("config = {'runtime': 'edge'}", True),
        ("config: PageConfig = {'runtime': 'experimental-edge', 'api': {}}", True),
        ("config = {'regions': ['sfo1']}", True),
        ("runtime = 'edge'", True),
        ("runtime = 'edge'\nconfig = {'runtime': 'nodejs'}", False),
        ("config = {'regions': ['sfo1'], 'runtime': 'nodejs'}", False),
        ("config = {'regions': []}", False),
        ("config = dict(runtime='edge')", False),
        ("config = {'api': {}}", False),
        ("", False),
    ],
)
def test_edge_is_what_is_written_out(text: str, edge: bool) -> None:
    """A file's dialect is known from its `config` where that is written out."""
    assert is_edge(ast.parse(text)) is edge


def test_name_lines() -> None:
    """Each name of a module has the line of the statement that binds it last."""
    module = ast.parse("a = 1\nif b:\n    c: int = 2\ndef GET(x):\n    d = 1\na = e = 3\nfrom f import g as h\n")
    assert name_lines(module) == {"c": 2, "GET": 4, "a": 6, "e": 6, "h": 7}


def test_config_lines() -> None:
    """Each key of a `config` that is written out has its line."""
    module = parse(
        b"config: PageConfig = {\n  'api': {\n    'bodyParser': {'sizeLimit': '1mb'},\n    **more,\n  },\n}\n"
    )
    assert module is not None
    assert config_lines(module) == {("api",): 2, ("api", "bodyParser"): 3, ("api", "bodyParser", "sizeLimit"): 3}


@pytest.mark.parametrize("source", [b"def handler(:", b"a = '\0'", b"# coding: nonsense\n", b"(" * 10_000])
def test_a_file_without_a_syntax_tree_has_no_findings(source: bytes) -> None:
    """What Python cannot read is a fault that its import tells."""
    assert parse(source) is None


def _library() -> Iterator[Path]:
    """Yield files of the standard library: not all, which would take a quarter of a minute."""
    yield from sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[::8]
    yield from sorted(Path(sysconfig.get_path("stdlib"), "asyncio").glob("*.py"))[::4]


def test_no_code_is_too_odd() -> None:
    """Every function of these files, taken for a handler, can be looked into."""
    looked_into = 0
    for file in _library():
        module = parse(file.read_bytes())
        assert module is not None, file
        web = check_functions(module, [node.name for node in module.body if isinstance(node, Function)], ["pid"])
        looked_into += len(web)
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.name, node.decorator_list = "handler", []
                for found in check_module(ast.Module([node], []), ["pid"]):
                    assert node.lineno <= found.line <= (node.end_lineno or 0)
                    looked_into += 1
        check_module(module, ["pid"])
    assert looked_into > 100


def test_deep_code_is_left_alone() -> None:
    """What is nested deeper than Python's stack has no findings, and is no error."""
    chain = "\n".join(f"    elif a == {number}:\n        res.end()" for number in range(500))
    text = f"def handler(req, res):\n    if a == -1:\n        res.end()\n{chain}\n"
    module = parse(text.encode())
    if module is not None:
        assert {found.id for found in check_module(module, [])} <= {"W001"}


# Findings against what happens


class _Stop(Exception):  # noqa: N818  # it is no error here
    pass


class _Run:
    """A run of a handler: its conditions come out as `outcomes` say, and False from then on."""

    def __init__(self, outcomes: list[bool]) -> None:
        self.outcomes, self.asked, self.answers = outcomes, 0, 0

    def ask(self) -> bool:
        """Return the outcome of the next condition."""
        self.asked += 1
        return self.asked <= len(self.outcomes) and self.outcomes[self.asked - 1]

    def work(self) -> None:
        """Do what may fail."""
        if self.ask():
            raise _Stop

    def json(self, _: object) -> None:
        """Answer, or fail to."""
        self.work()
        self.answers += 1

    def status(self, _: int) -> _Run:
        """Return itself, to be chained."""
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> bool:
        return True


def _block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, min_size=1, max_size=3).map(lambda lines: indent("\n".join(lines), "    "))


def _statements(answer: str, *leaves: str) -> st.SearchStrategy[str]:
    """Return statements of all kinds around `leaves`; `answer` is one that a `finally` may have."""
    return st.recursive(
        st.sampled_from(leaves),
        lambda inner: st.one_of(
            st.builds("if ask():\n{0}".format, _block(inner)),
            st.builds("if ask():\n{0}\nelse:\n{1}".format, _block(inner), _block(inner)),
            st.builds("for _ in range(ask() + ask()):\n{0}".format, _block(inner)),
            st.builds(
                "for _ in range(ask() + ask()):\n{0}\nelse:\n{1}".format,
                _block(inner | st.just("break")),
                _block(inner),
            ),
            st.builds("while ask():\n{0}".format, _block(inner | st.sampled_from(["break", "continue"]))),
            st.builds("try:\n    work()\n{0}\nexcept _Stop:\n{1}".format, _block(inner), _block(inner)),
            st.builds("try:\n{0}\nfinally:\n{1}".format, _block(inner), _block(st.sampled_from(["pass", answer]))),
            st.builds("with res:\n    work()\n{0}".format, _block(inner)),
            st.builds("match ask():\n  case 1:\n{0}\n  case _:\n{1}".format, _block(inner), _block(inner)),
        ),
        max_leaves=8,
    )


_STATEMENTS = _statements(
    "res.json(1)",
    *("res.json(1)", "res.status(200).json(1)", "return", "return res.json(1)", "raise _Stop", "work()", "give(res)"),
)
_WEB_STATEMENTS = _statements("return 1", "return 1", "return", "return None", "raise _Stop", "work()")


@given(st.lists(_STATEMENTS, min_size=1, max_size=4))
def test_a_finding_is_always_so(statements: list[str]) -> None:
    """Where a missing or a second answer is found, some run of the handler has it, its conditions being independent."""
    text = "def handler(req, res):\n" + indent("\n".join(statements), "    ")
    try:
        found = {finding.id for finding in check_module(ast.parse(text), [])}
    except SyntaxError:  # a `break` outside of a loop
        return
    if found:
        counts = set(_runs(text))
        assert "W001" not in found or 0 in counts, text
        assert "W002" not in found or max(counts, default=0) > 1, text


@given(st.lists(_WEB_STATEMENTS, min_size=1, max_size=4))
def test_a_finding_of_the_web_dialect_is_always_so(statements: list[str]) -> None:
    """Where a function is found to return nothing, some run of it does, its conditions being independent."""
    text = "def handler(req, res):\n" + indent("\n".join(statements), "    ")
    try:
        found = {finding.id for finding in check_functions(ast.parse(text), ["handler"])}
        runs = _runs(text)
    except SyntaxError:  # a `break` outside of a loop
        return
    assert found <= {"W001", "W005"}
    assert "W001" not in found or 0 in set(runs), text


def _runs(text: str) -> Iterator[int]:
    """Yield how often runs of a handler answer, for outcomes of its conditions in turn; 0 not for one that raises."""
    code = compile(text, "handler", "exec")
    pending: list[list[bool]] = [[]]
    for _ in range(400):
        if not pending:
            return
        outcomes = pending.pop(0)
        run = _Run(outcomes)
        names: dict[str, Any] = {"ask": run.ask, "work": run.work, "give": id, "_Stop": _Stop}
        exec(code, names)
        try:
            if names["handler"](None, run) == 1:
                run.answers += 1
        except _Stop:
            if not run.answers:
                run.answers = 1
        yield run.answers
        known = len(outcomes)
        pending += [[*outcomes, *[False] * (count - known), True] for count in range(known, min(run.asked, 12))]
