"""The shop's pages in a real browser: their script asks the API routes, and shows what they answer; and what a browser
lets a page of one site read of another's API.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.integrations.conftest import flask_shop
from tests.support.hosts import write_app
from tests.support.servers import serve
from tests.support.trees import write_files
from tests.support.visitors import Visitor

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()) and not os.environ.get("CI"),
    reason="Debian's packages chromium and chromium-driver are not installed",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Start a headless Chromium with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    profile = tmp_path_factory.mktemp("profile")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.add_argument("--window-size=1100,800")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with Chrome(options, ChromeService(str(DRIVER))) as driver:
        yield driver


class Page:
    """The shop as a customer sees it."""

    def __init__(self, browser: Chrome, port: int) -> None:
        self._browser = browser
        self._address = f"http://127.0.0.1:{port}"

    def open(self, path: str) -> None:
        """Go to a page."""
        self._browser.get(self._address + path)

    def path(self) -> str:
        """Return where the browser is."""
        return self._browser.current_url.removeprefix(self._address)

    def texts(self, selector: str) -> list[str]:
        """Return what the elements show."""
        # In one step: the page's script may take elements away between two.
        script = "return [...document.querySelectorAll(arguments[0])].map((element) => element.innerText.trim())"
        found: list[str] = self._browser.execute_script(script, selector)
        return found

    def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        self._browser.find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def click(self, xpath: str) -> None:
        """Click what the XPath finds."""
        self._browser.find_element(By.XPATH, xpath).click()

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        WebDriverWait(self._browser, 60).until(lambda _: condition())

    def log_in(self) -> None:
        """Log in by the form."""
        self.open("/login")
        self.type("[name=name]", "ada")
        self.type("[name=password]", "swordfish")
        self.click("//main//button[.='Log in']")
        self.wait(lambda: self.path() == "/" and self.texts("#cart-count") == ["0"])

    def severe(self) -> list[str]:
        """Return the errors of this server's pages in the browser's console since it was last asked for."""
        errors = [entry["message"] for entry in self._browser.get_log("browser") if entry["level"] == "SEVERE"]
        return [error for error in errors if self._address in error]


@pytest.fixture
def page(browser: Chrome, shop: int) -> Iterator[Page]:
    """Open a shop of this test's own, as nobody."""
    yield Page(browser, shop)
    browser.delete_all_cookies()


def add_button(product: str) -> str:
    """Return the XPath of the button that puts a product into the cart."""
    return f"//li[h2[normalize-space()='{product}']]//button"


def test_the_page_shows_what_the_api_answers(page: Page) -> None:
    """A click puts a product into the cart, typing finds products, and nothing goes wrong on the way."""
    page.log_in()
    page.click(add_button("Notebook"))
    page.wait(lambda: page.texts("#cart-count") == ["1"])
    assert page.texts("#message") == ["In your cart: 1 Notebook"]

    page.type("[type=search]", "ink")
    page.wait(lambda: page.texts("#products h2") == ["Bottle of ink", "Fountain pen"])
    assert page.texts("#products .price") == ["€8.50", "€29.00"]
    page.click(add_button("Bottle of ink"))
    page.wait(lambda: page.texts("#cart-count") == ["2"])
    page.type("[type=search]", "blot")
    page.wait(lambda: page.texts("#products h2") == [])
    page.wait(lambda: page.texts("#message") == ["Nothing found."])
    assert page.path() == "/"
    assert page.severe() == []

    page.open("/cart")
    assert page.texts("tbody td:first-child") == ["Bottle of ink", "Notebook"]
    assert page.severe() == []


def test_a_page_for_everybody_shows_who_has_logged_in(page: Page, shop: int) -> None:
    """Its script asks; and the browser shows what the page cache has, not what it was given before."""
    page.open("/products/5")
    assert (page.texts("nav"), page.texts("article button")) == (["Cart\nLog in"], ["Add to cart"])
    page.log_in()
    buy(shop, 5)
    page.open("/products/5")
    page.wait(lambda: page.texts("nav") == ["ada\nCart 0\nLog out"])
    assert page.texts("article button") == ["Sold out"]
    page.click("//nav//button")
    page.wait(lambda: page.path() == "/" and page.texts("nav") == ["Cart\nLog in"])
    assert page.severe() == []


def test_the_page_shows_what_the_api_refuses(page: Page) -> None:
    """A product that is sold out is said so in the page; the browser notes the refused request and nothing else."""
    page.log_in()
    page.click(add_button("Wax seal"))
    page.wait(lambda: page.texts("#cart-count") == ["1"])
    page.click(add_button("Wax seal"))
    page.wait(lambda: page.texts("#message") == ["Wax seal: only 1 left"])
    assert page.texts("#cart-count") == ["1"]
    assert ["/api/cart" in line and "409" in line for line in page.severe()] == [True]


def test_who_has_not_logged_in_is_sent_to_the_login_page(page: Page) -> None:
    """The API's 401 leads the page there."""
    page.open("/")
    page.click(add_button("Notebook"))
    page.wait(lambda: page.path() == "/login")


# Server-sent events


def buy(port: int, product: int) -> None:
    """Order a product, as another customer."""
    visitor = Visitor(port)
    assert visitor.ask("POST", "/api/login", data={"name": "grace", "password": "hopper"}).status == 200
    assert visitor.ask("POST", "/api/cart", data={"product": product}).status == 201
    assert visitor.ask("POST", "/orders").status == 302


def test_events_go_on_where_they_ended(browser: Chrome, tmp_path: Path) -> None:
    """A page shows each order once, although its stream ends every second and gives who is new the last orders."""
    with flask_shop(tmp_path, SHOP_SOLD_SECONDS="1") as port:
        page = Page(browser, port)
        page.open("/sold")
        page.wait(lambda: page.texts("#message") == ["Waiting for the next order."])
        buy(port, 3)
        page.wait(lambda: page.texts("#sold li") == ["1 Notebook"])
        streams = "return performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/api/sold')).length"
        page.wait(lambda: browser.execute_script(streams) >= 2)
        buy(port, 2)
        page.wait(lambda: page.texts("#sold li") == ["1 Bottle of ink", "1 Notebook"])
        page.wait(lambda: browser.execute_script(streams) >= 4)
        assert page.texts("#sold li") == ["1 Bottle of ink", "1 Notebook"]
        assert page.severe() == []
        page.open("/login")
        assert "Traceback" not in (tmp_path / "log.txt").read_text()


# Another site's page

_SEED = """
from nextapi import NextResponse

cors_headers = {{
    "Access-Control-Allow-Origin": "{allowed}",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
}}


async def OPTIONS():
    return NextResponse.json({{}}, headers=cors_headers)


async def GET():
    return NextResponse.json({{"data": "your data"}}, headers=cors_headers)


async def PUT(request):
    return NextResponse.json({{"data": request.json()}}, headers=cors_headers)
"""

_DATA = """
from nextapi import HTTPError, NextResponse, cors

policy = cors(origin="{allowed}", credentials=True)


{policy}
def GET(request):
    if request.next_url.search_params.has("fail"):
        raise HTTPError(401, "Log in first")
    return NextResponse.json({{"data": "your data"}})


{policy}
async def PUT(request):
    return NextResponse.json({{"data": request.json()}})


{policy}
def POST(request):
    return NextResponse.json({{"data": request.text()}})
"""

_MIDDLEWARE = """
from nextapi import NextResponse

HEADERS = {{
    "Access-Control-Allow-Origin": "{allowed}",
    "Access-Control-Allow-Methods": "GET, PUT",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Allow-Credentials": "true",
}}


def middleware(request):
    if request.method == "OPTIONS":
        return NextResponse(None, status=204, headers=HEADERS)
    return NextResponse.next(headers=HEADERS)
"""

_POLICY_MIDDLEWARE = """
from nextapi import NextResponse, cors

policy = cors(origin="{allowed}", credentials=True)


def middleware(request):
    return policy.preflight(request) or policy.apply(request, NextResponse.next())
"""

_SITES = {
    "seed": {"app/api/data/route.py": _SEED},
    "headers in middleware": {"app/api/data/route.py": _DATA.replace("{policy}\n", ""), "middleware.py": _MIDDLEWARE},
    "cors": {"app/api/data/route.py": _DATA.replace("{policy}", "@policy")},
    "cors in middleware": {
        "app/api/data/route.py": _DATA.replace("{policy}\n", ""),
        "middleware.py": _POLICY_MIDDLEWARE,
    },
}

_FETCH = """
const [url, options, done] = arguments;
fetch(url, options).then(
  async (response) => done([response.status, await response.text()]),
  (error) => done([0, String(error)]),
);
"""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, dict[str, int]]]:
    """Serve a page's site, and APIs that allow its origin; yield the ports."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("page")
        text = "def handler(req, res):\n    res.set_header('Content-Type', 'text/html').send('<title>page</title>')\n"
        app = write_app("wsgi", write_files(folder / "web", {"pages/api/page.py": text}), folder)
        page = stack.enter_context(serve(app, folder))
        ports = {}
        for name, files in _SITES.items():
            folder = tmp_path_factory.mktemp("api")
            texts = {path: text.format(allowed=f"http://127.0.0.1:{page}") for path, text in files.items()}
            app = write_app("flask", write_files(folder / "web", texts), folder)
            ports[name] = stack.enter_context(serve(app, folder))
        yield page, ports


def fetched(browser: Chrome, page: str, port: int, target: str = "", **options: Any) -> tuple[int, str]:
    """Return status and text of what a page's script reads from an API; 0 where the browser does not let it."""
    browser.get(f"{page}/api/page")
    status, text = browser.execute_async_script(_FETCH, f"http://127.0.0.1:{port}/api/data{target}", options)
    browser.get_log("browser")
    return status, text


@pytest.mark.parametrize("site", _SITES)
def test_a_page_of_another_site(browser: Chrome, sites: tuple[int, dict[str, int]], site: str) -> None:
    """Its script may read what is allowed, after a preflight as well; that of a third site's page reads nothing."""
    page, ports = sites
    put = {"method": "PUT", "headers": {"Content-Type": "application/json"}, "body": json.dumps([1])}
    allowed, refused = f"http://127.0.0.1:{page}", f"http://localhost:{page}"
    assert fetched(browser, allowed, ports[site]) == (200, '{"data":"your data"}')
    assert fetched(browser, allowed, ports[site], **put) == (200, '{"data":[1]}')
    assert fetched(browser, refused, ports[site]) == (0, "TypeError: Failed to fetch")
    assert fetched(browser, refused, ports[site], **put) == (0, "TypeError: Failed to fetch")
    if site != "seed":
        assert fetched(browser, allowed, ports[site], "?fail") == (401, "Log in first")
        assert fetched(browser, allowed, ports[site], credentials="include") == (200, '{"data":"your data"}')


@pytest.mark.parametrize("site", ["cors", "cors in middleware"])
def test_a_post_without_a_preflight(browser: Chrome, sites: tuple[int, dict[str, int]], site: str) -> None:
    """One from an allowed origin passes the same-origin guard; another does not, and its page is told nothing."""
    page, ports = sites
    post = {"method": "POST", "body": "text"}
    assert fetched(browser, f"http://127.0.0.1:{page}", ports[site], **post) == (200, '{"data":"text"}')
    assert fetched(browser, f"http://localhost:{page}", ports[site], **post) == (0, "TypeError: Failed to fetch")
