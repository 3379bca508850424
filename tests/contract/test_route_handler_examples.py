"""The examples of a tutorial on Next's route handlers, one tree, as routes that run."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import product
from pathlib import Path

import pytest
from werkzeug.test import Client

Serve = Callable[..., Client]

HELLO = """
from nextapi import NextResponse

def GET():
    return NextResponse.json({"message": "Hello from Next.js API"})

def POST(request):
    body = request.json()
    return NextResponse.json({"received": body}, status=201)
"""

METHODS = """
from nextapi import Response

def answer(request):
    return Response(request.method, headers={"x-method": request.method})

GET = POST = PUT = PATCH = DELETE = HEAD = OPTIONS = answer
"""

USERS = """
from nextapi import URL, NextResponse

def GET(request):
    # Query parameters
    search_params = URL(request.url).search_params
    page = search_params.get("page") or "1"
    limit = search_params.get("limit") or "10"

    # Cookies
    token = request.cookies.get("session-token")

    # Headers
    user_agent = request.headers.get("user-agent")

    # Geolocation
    country = request.geo.get("country")

    return NextResponse.json(
        {
            "page": page,
            "limit": limit,
            "country": country,
            "token": token and [token.name, token.value],
            "agent": user_agent,
        }
    )
"""

USER = """
from nextapi import NextResponse

def GET(request, context):
    return NextResponse.json({"id": context.params["id"]})
"""

LOGIN = """
import os

from nextapi import NextResponse

def POST(request):
    body = request.json()
    if body["password"] != "swordfish":
        return NextResponse.json({"success": False}, status=401)
    token = f"token of {body['name']}"

    response = NextResponse.json({"success": True})

    # Set secure cookie
    response.cookies.set(
        "session-token",
        token,
        http_only=True,
        secure=os.environ.get("NODE_ENV") == "production",
        same_site="lax",
        max_age=60 * 60 * 24 * 7,  # 1 week
    )

    return response
"""

PRODUCTS = '''
"""The table of products: a connection for each call."""

import os
import sqlite3
from contextlib import closing

def connect():
    connection = sqlite3.connect(os.environ["SHOP_DATABASE"])
    connection.row_factory = sqlite3.Row
    return closing(connection)

def find_unique(id):
    with connect() as connection:
        row = connection.execute("SELECT * FROM product WHERE id = ?", (id,)).fetchone()
    return dict(row) if row else None

def update(id, data):
    with connect() as connection, connection:
        connection.execute(
            "UPDATE product SET name = coalesce(?, name), price = coalesce(?, price) WHERE id = ?",
            (data.get("name"), data.get("price"), id),
        )
    return find_unique(id)
'''

PRODUCT = """
from nextapi import NextResponse

from .....lib import products

def GET(request, context):
    id = context.params["id"]
    product = products.find_unique(id)
    if product is None:
        return NextResponse.json({"error": "Product not found"}, status=404)
    return NextResponse.json(product)

def PATCH(request, context):
    id = context.params["id"]
    body = request.json()
    updated = products.update(id, body)
    if updated is None:
        return NextResponse.json({"error": "Product not found"}, status=404)
    return NextResponse.json(updated)
"""

PRODUCT_PATH = """
from nextapi import NextResponse

def GET(request, context):
    return NextResponse.json({"slug": context.params["slug"]})
"""

MIDDLEWARE = """
from nextapi import NextResponse

def middleware(request):
    # Only protect API routes
    if request.next_url.pathname.startswith("/api/admin"):
        token = request.cookies.get("admin-token")
        if not token:
            return NextResponse.json({"error": "Unauthorized"}, status=401)
    return NextResponse.next()

config = {"matcher": "/api/:path*"}
"""

ADMIN = """
from nextapi import NextResponse

def GET():
    return NextResponse.json({"secret": "swordfish"})

POST = DELETE = GET
"""

DATA = """
from nextapi import NextResponse

CORS_HEADERS = {
    "Access-Control-Allow-Origin": "https://your-app.com",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
}

def OPTIONS():
    return NextResponse.json({}, headers=CORS_HEADERS)

def GET():
    return NextResponse.json({"data": "your data"}, headers=CORS_HEADERS)
"""

EDGE = """
from nextapi import Response

runtime = "edge"

def GET():
    return Response("Fast but limited", headers={"x-edge": "true"})
"""

NODE = """
from pathlib import Path

from nextapi import Response

runtime = "nodejs"

def GET():
    data = (Path.cwd() / "data.json").read_text("utf-8")
    return Response(data)
"""

NODE_BESIDE = """
from pathlib import Path

from nextapi import Response

runtime = "nodejs"

# Beside the root: route.py stands four folders below it.
DATA = Path(__file__).parents[4] / "data.json"

def GET():
    return Response(DATA.read_text("utf-8"))
"""

TREE = {
    "middleware.py": MIDDLEWARE,
    "lib/products.py": PRODUCTS,
    "app/api/hello/route.py": HELLO,
    "app/api/methods/route.py": METHODS,
    "app/api/users/route.py": USERS,
    "app/api/users/[id]/route.py": USER,
    "app/api/auth/login/route.py": LOGIN,
    "app/api/products/[id]/route.py": PRODUCT,
    "app/api/products/[...slug]/route.py": PRODUCT_PATH,
    "app/api/admin/stats/route.py": ADMIN,
    "app/api/data/route.py": DATA,
    "app/api/edge-example/route.py": EDGE,
    "app/api/node-example/route.py": NODE,
    "app/api/node-beside/route.py": NODE_BESIDE,
}
"""Every example of the tutorial, below the root: Next's src/."""

HEADERS_OF_GEO: list[tuple[object, str]] = [
    ("vercel", "X-Vercel-IP-Country"),
    ("cloudflare", "CF-IPCountry"),
    ({"country": "X-Country"}, "X-Country"),
]


@pytest.fixture(params=["def", "async def"])
def client(request: pytest.FixtureRequest, serve_files: Serve) -> Client:
    """Return a client of the tree, its handlers `def`, or `async def` as Next's are."""
    kind = f"\n{request.param} "
    files = {
        path: text if path.startswith("lib/") else re.sub(r"\ndef (?!answer)", kind, text)
        for path, text in TREE.items()
    }
    return serve_files(files)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the products' database, which has two of them."""
    path = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE product (id TEXT PRIMARY KEY, name TEXT NOT NULL, price INTEGER NOT NULL)")
        connection.executemany("INSERT INTO product VALUES (?, ?, ?)", [("1", "Tea", 250), ("a b", "Café", 300)])
    monkeypatch.setenv("SHOP_DATABASE", str(path))
    return path


def products(database: Path) -> list[tuple[str, str, int]]:
    """Return what stands in the table."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT id, name, price FROM product ORDER BY id").fetchall()


def test_hello(client: Client) -> None:
    """`GET` answers JSON without a charset, neither tagged nor cached."""
    answer = client.get("/api/hello")
    assert (answer.status_code, answer.data) == (200, b'{"message":"Hello from Next.js API"}')
    assert answer.headers.getlist("Content-Type") == ["application/json"]
    assert "ETag" not in answer.headers
    assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize("body", [{"name": "Ada", "tags": ["é", None, 1.5]}, [], "text", None])
def test_hello_gives_back_what_it_received(client: Client, body: object) -> None:
    """`request.json()` is the body's value, `status=` the answer's status."""
    answer = client.post("/api/hello", data=json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json) == (201, {"received": body})


def test_hello_reads_json_of_any_type(client: Client) -> None:
    """`request.json()` asks the body alone, whatever its content type."""
    answer = client.post("/api/hello", data=b'{"a": 1}', content_type="text/x-any")
    assert (answer.status_code, answer.json) == (201, {"received": {"a": 1}})


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"NaN"])
def test_hello_refuses_what_is_no_json(client: Client, body: bytes) -> None:
    """A body that cannot be read is the client's mistake."""
    assert client.post("/api/hello", data=body, content_type="application/json").status_code == 400


def test_methods_that_are_not_written(client: Client) -> None:
    """HEAD is GET without its body, OPTIONS lists the methods, others are a 405 that lists them, too."""
    head = client.head("/api/hello")
    assert (head.status_code, head.data, head.headers["Content-Type"]) == (200, b"", "application/json")
    options = client.options("/api/hello")
    assert (options.status_code, options.data) == (204, b"")
    assert options.headers.getlist("Allow") == ["GET, HEAD, OPTIONS, POST"]
    for method in ("PUT", "PATCH", "DELETE"):
        answer = client.open("/api/hello", method=method)
        assert (answer.status_code, answer.data) == (405, b"")
        assert answer.headers.getlist("Allow") == ["GET, HEAD, OPTIONS, POST"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_each_method(client: Client, method: str) -> None:
    """Each of the seven methods is answered by the function of its name."""
    answer = client.open("/api/methods", method=method)
    assert (answer.status_code, answer.headers["X-Method"]) == (200, method)
    assert answer.data == (b"" if method == "HEAD" else method.encode())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/hello", {"message": "Hello from Next.js API"}),
        ("/api/users/123", {"id": "123"}),
        ("/api/users/a%20b?id=9", {"id": "a b"}),
        ("/api/products/a/b/c", {"slug": ["a", "b", "c"]}),
        ("/api/products/a/b%20c", {"slug": ["a", "b c"]}),
    ],
)
def test_route_mapping(client: Client, path: str, expected: object) -> None:
    """The folder of route.py is the path; brackets name what `context.params` has."""
    assert client.get(path).json == expected


@pytest.mark.parametrize("path", ["/api", "/api/auth", "/api/hello/route", "/api/users/1/2", "/api/products", "/lib"])
def test_paths_that_are_no_routes(client: Client, path: str) -> None:
    """A folder without a route.py is no route, and a module elsewhere in the root is none either."""
    assert client.get(path).status_code == 404


def test_users_by_default(client: Client) -> None:
    """What is not there is None: a parameter, a cookie, a country."""
    answer = client.get("/api/users", headers={"User-Agent": "me"})
    assert answer.json == {"page": "1", "limit": "10", "country": None, "token": None, "agent": "me"}


def test_users_with_everything(client: Client) -> None:
    """Query, cookie and header are what the client sent."""
    answer = client.get(
        "/api/users?page=2&limit=5&page=3",
        headers={"Cookie": "a=1; session-token=abc%3D; b=2", "User-Agent": "Mozilla/5.0 (X11)"},
    )
    assert answer.json == {
        "page": "2",
        "limit": "5",
        "country": None,
        "token": ["session-token", "abc="],
        "agent": "Mozilla/5.0 (X11)",
    }


@pytest.mark.parametrize(("geo_headers", "header"), HEADERS_OF_GEO)
def test_country(serve_files: Serve, geo_headers: object, header: str) -> None:
    """With the option `geo_headers` the country is what the proxy in front says, None where it says nothing."""
    client = serve_files({"app/api/users/route.py": USERS}, geo_headers=geo_headers)
    assert client.get("/api/users", headers={header: "NO"}).json["country"] == "NO"  # type: ignore[index]  # JSON
    assert client.get("/api/users").json["country"] is None  # type: ignore[index]  # JSON
    others = {name: "NO" for _, name in HEADERS_OF_GEO if name != header}
    assert client.get("/api/users", headers=others).json["country"] is None  # type: ignore[index]  # JSON


def test_no_country_without_the_option(client: Client) -> None:
    """Without the option no header of a client makes a country."""
    headers = {name: "NO" for _, name in HEADERS_OF_GEO}
    assert client.get("/api/users", headers=headers).json["country"] is None  # type: ignore[index]  # JSON


@pytest.mark.parametrize(("environment", "secure"), [("production", " Secure;"), ("development", ""), (None, "")])
def test_login(client: Client, monkeypatch: pytest.MonkeyPatch, environment: str | None, secure: str) -> None:
    """The cookie has the attributes that it was given, in Next's order, and Expires beside Max-Age."""
    if environment is None:
        monkeypatch.delenv("NODE_ENV", raising=False)
    else:
        monkeypatch.setenv("NODE_ENV", environment)
    answer = client.post("/api/auth/login", json={"name": "ada", "password": "swordfish"})
    assert (answer.status_code, answer.data) == (200, b'{"success":true}')
    (cookie,) = answer.headers.getlist("Set-Cookie")
    parts = re.fullmatch(
        rf"session-token=token%20of%20ada; Path=/; Expires=(.*); Max-Age=604800;{secure} HttpOnly; SameSite=lax", cookie
    )
    assert parts, cookie
    ahead = parsedate_to_datetime(parts[1]) - datetime.now(UTC)
    assert timedelta(days=7, seconds=-30) < ahead <= timedelta(days=7)


def test_a_login_that_fails(client: Client) -> None:
    """No cookie is set by another answer."""
    answer = client.post("/api/auth/login", json={"name": "ada", "password": "?"})
    assert (answer.status_code, answer.json) == (401, {"success": False})
    assert "Set-Cookie" not in answer.headers


def test_a_product(client: Client, database: Path) -> None:
    """The route reads the row whose key the path has."""
    assert client.get("/api/products/1").json == {"id": "1", "name": "Tea", "price": 250}
    assert client.get("/api/products/a%20b").json == {"id": "a b", "name": "Café", "price": 300}


@pytest.mark.parametrize("id", ["2", "1%27%20OR%20%271%27%3D%271", "..."])
def test_a_product_that_is_not_there(client: Client, database: Path, id: str) -> None:
    """A 404 by `NextResponse.json` is JSON."""
    for answer in (client.get(f"/api/products/{id}"), client.patch(f"/api/products/{id}", json={"price": 1})):
        assert (answer.status_code, answer.json) == (404, {"error": "Product not found"})
        assert answer.headers["Content-Type"] == "application/json"
    assert products(database) == [("1", "Tea", 250), ("a b", "Café", 300)]


def test_a_product_is_changed(client: Client, database: Path) -> None:
    """PATCH changes the row, for the requests after it, too."""
    answer = client.patch("/api/products/1", json={"price": 275})
    assert (answer.status_code, answer.json) == (200, {"id": "1", "name": "Tea", "price": 275})
    assert client.patch("/api/products/1", json={"name": "Green tea"}).status_code == 200
    assert client.get("/api/products/1").json == {"id": "1", "name": "Green tea", "price": 275}
    assert products(database) == [("1", "Green tea", 275), ("a b", "Café", 300)]


def test_a_change_that_cannot_be_read(client: Client, database: Path) -> None:
    """A body that is no JSON changes nothing."""
    assert client.patch("/api/products/1", data=b"{", content_type="application/json").status_code == 400
    assert products(database)[0] == ("1", "Tea", 250)


@pytest.mark.parametrize("path", ["/api/admin/stats", "/api/admin/stats?a=1", "/api/admin/nothing", "/api/admin"])
def test_admin_without_the_cookie(client: Client, path: str) -> None:
    """The guard answers before the route, whatever the method, and where there is no route."""
    for method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT"):
        answer = client.open(path, method=method, headers={"Cookie": "admin=1; token=1"})
        assert answer.status_code == 401
        assert answer.headers.getlist("Content-Type") == ["application/json"]
        assert answer.data == (b"" if method == "HEAD" else b'{"error":"Unauthorized"}')


def test_admin_with_the_cookie(client: Client) -> None:
    """With the cookie the route answers, as if there was no guard."""
    headers = {"Cookie": "admin-token=1"}
    answer = client.get("/api/admin/stats", headers=headers)
    assert (answer.status_code, answer.data) == (200, b'{"secret":"swordfish"}')
    assert [name for name, _ in answer.headers if name.lower().startswith("x-middleware")] == []
    assert client.get("/api/admin/nothing", headers=headers).status_code == 404
    assert client.put("/api/admin/stats", headers=headers).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "//api/admin/stats",
        "/api//admin/stats",
        "/api/./admin/stats",
        "/api/x/../admin/stats",
        "/api/%61dmin/stats",
        "/api/admin%2Fstats",
        "/api/Admin/stats",
        "/api/admin/stats/",
    ],
)
def test_no_spelling_gets_past_the_guard(client: Client, path: str) -> None:
    """However the path is written, and whatever headers say, the route does not answer without the cookie."""
    subrequest = {"X-Middleware-Subrequest": "middleware:middleware:middleware", "X-Middleware-Next": "1"}
    for method, headers in product(("GET", "POST"), ({}, subrequest)):
        answer = client.open(path, method=method, headers=headers)
        assert answer.status_code != 200
        assert b"swordfish" not in answer.data


def test_what_is_not_guarded(client: Client) -> None:
    """The matcher names all of /api, the guard only what begins with /api/admin."""
    assert client.get("/api/hello").status_code == 200


def test_cors(client: Client) -> None:
    """CORS headers that a route writes by hand go out once each, on a preflight and on the answer."""
    asked = {"Origin": "https://your-app.com"}
    preflight = {**asked, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    for answer, body in (
        (client.options("/api/data", headers=preflight), b"{}"),
        (client.get("/api/data", headers=asked), b'{"data":"your data"}'),
        (client.get("/api/data"), b'{"data":"your data"}'),
    ):
        assert (answer.status_code, answer.data) == (200, body)
        assert answer.headers.getlist("Content-Type") == ["application/json"]
        assert answer.headers.getlist("Access-Control-Allow-Origin") == ["https://your-app.com"]
        assert answer.headers.getlist("Access-Control-Allow-Methods") == ["GET, POST, PUT, DELETE, OPTIONS"]
        assert answer.headers.getlist("Access-Control-Allow-Headers") == ["Content-Type, Authorization"]


def test_no_cors_by_itself(client: Client) -> None:
    """A route that writes none sends no CORS header."""
    preflight = {"Origin": "https://your-app.com", "Access-Control-Request-Method": "GET"}
    for answer in (client.options("/api/hello", headers=preflight), client.get("/api/hello", headers=preflight)):
        assert [name for name, _ in answer.headers if name.lower().startswith("access-control")] == []


def test_edge_example(client: Client) -> None:
    """`runtime = "edge"` is taken, and the response has its header."""
    answer = client.get("/api/edge-example")
    assert (answer.status_code, answer.data, answer.headers["X-Edge"]) == (200, b"Fast but limited", "true")
    assert answer.headers.getlist("Content-Type") == ["text/plain;charset=UTF-8"]


@pytest.mark.parametrize("name", ["node-example", "node-beside"])
def test_node_example(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """`runtime = "nodejs"` is taken, and a route reads files: from the working directory, or beside the root."""
    (tmp_path / "data.json").write_text('{"name": "Zoë"}', encoding="utf-8")
    if name == "node-example":
        monkeypatch.chdir(tmp_path)
    answer = client.get(f"/api/{name}")
    assert (answer.status_code, answer.data.decode()) == (200, '{"name": "Zoë"}')
    assert answer.headers.getlist("Content-Type") == ["text/plain;charset=UTF-8"]
