"""The shop's page in a real browser: its script asks the API routes, and shows what they answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

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
        WebDriverWait(self._browser, 20).until(lambda _: condition())

    def log_in(self) -> None:
        """Log in by the form."""
        self.open("/login")
        self.type("[name=name]", "ada")
        self.type("[name=password]", "swordfish")
        self.click("//main//button[.='Log in']")
        self.wait(lambda: self.path() == "/" and self.texts("#cart-count") == ["0"])

    def severe(self) -> list[str]:
        """Return the errors in the browser's console since it was last asked for."""
        return [entry["message"] for entry in self._browser.get_log("browser") if entry["level"] == "SEVERE"]


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
