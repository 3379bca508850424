"""The options of a mount."""

from __future__ import annotations

import math
from typing import Any

import bytesize
import pytest

from nextapi.errors import NextApiError, OptionError
from nextapi.http.sizes import Limit
from nextapi.options import Options, OptionSettings, read_options


def test_without_options_all_have_their_defaults() -> None:
    """What is not given is as documented."""
    assert read_options({}) == Options(("py",), frozenset(), Limit(10 << 20, "10mb"), False, "nextapi", b"")


def test_every_option_has_a_reader() -> None:
    """The options that users write, those that are read, and those that are known are the same."""
    assert OptionSettings.__annotations__.keys() == {*Options.__slots__}
    with pytest.raises(OptionError) as raised:
        read_options({"zzzzzzzz": 1})
    assert str(raised.value) == f"unknown option 'zzzzzzzz'; there is {', '.join(OptionSettings.__annotations__)}"


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("page_extensions", ["py"], ("py",)),
        ("page_extensions", ("api.py", "py"), ("api.py", "py")),
        (
            "trusted_origins",
            ("https://example.com", "http://localhost:3000"),
            {"https://example.com", "http://localhost:3000"},
        ),
        ("trusted_origins", {"https://*.example.com"}, {"https://*.example.com"}),
        ("trusted_origins", ["http://[::1]:8000"], {"http://[::1]:8000"}),
        ("trusted_origins", [], set()),
        ("max_body_size", "1.5mb", Limit(1572864, "1.5mb")),
        ("max_body_size", 1000, Limit(1000, "1000")),
        ("max_body_size", bytesize.Size(3, bytesize.KiB), Limit(3072, "3072")),
        ("debug", True, True),
        ("name", "api_v2", "api_v2"),
        ("secret", "sixteen letters,", b"sixteen letters,"),
        ("secret", b"sixteen letters,", b"sixteen letters,"),
    ],
)
def test_option_is_read(name: str, given: Any, read: object) -> None:
    """An option is kept in one form, whatever sequence or size it is given as; the others keep their defaults."""
    assert getattr(read_options({name: given}), name) == read
    assert read_options({name: given}) == Options(**{name: frozenset(read) if isinstance(read, set) else read})


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("page_extension", "page_extensions"),
        ("pageExtensions", "page_extensions"),
        ("trusted_origin", "trusted_origins"),
        ("max_body", "max_body_size"),
        ("DEBUG", "debug"),
        ("named", "name"),
    ],
)
def test_unknown_option_is_told_the_nearest(given: str, nearest: str) -> None:
    """An option that is unknown is an error with the name that it may have been meant for."""
    with pytest.raises(OptionError) as raised:
        read_options({given: None})
    assert str(raised.value) == f"unknown option '{given}'; did you mean '{nearest}'?"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        *(("page_extensions", given, "sequence of the endings of route files") for given in ("py", None, 1, [1])),
        *(("page_extensions", given, "no ending of Python") for given in (["js"], [".py"], [""], ["xpy"], ["py "])),
        *(("trusted_origins", given, "sequence of origins") for given in ("https://a.test", None, 1, [b"x"], True)),
        *(
            ("trusted_origins", [given], "is no origin: write scheme, host and port alone")
            for given in (
                "example.com",
                "*",
                "null",
                "",
                "https://",
                "https://a.test/",
                "https://a.test/x",
                "HTTPS://a.test",
            )
        ),
        *(("trusted_origins", [given], "is no origin") for given in ("https://A.test", "//a.test", "https://a.test?x")),
        ("trusted_origins", ["https://a.test", "https://[bad"], "https://"),
        *(("max_body_size", given, "it is a size") for given in ("abc", "1k", "", "10 m", None, True, [], math.nan)),
        *(("debug", given, "it is True or False") for given in (1, 0, "yes", "", None)),
        *(("name", given, "it is a name without dots and colons") for given in ("", "a.b", "a:b", None, 1)),
    ],
    ids=ascii,
)
def test_ill_typed_option_is_an_error(name: str, given: Any, message: str) -> None:
    """A value that an option cannot have is an error that names the option, the value and what it could be."""
    with pytest.raises(OptionError) as raised:
        read_options({name: given})
    assert str(raised.value).startswith(f"option {name} is {given!r}: ")
    assert message in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("given", ["", "fifteen letters", b"fifteen letters", None, 1234567890123456, ["x"] * 16])
def test_secret_is_not_shown(given: Any) -> None:
    """A secret that is too short, or none, is an error that does not show it; nor do the options."""
    with pytest.raises(OptionError) as raised:
        read_options({"secret": given})
    assert str(raised.value) == "option secret: it is text or bytes, at least 16 random characters"
    assert "letters" not in repr(read_options({"secret": "sixteen letters,"}))


def test_option_error_is_a_type_error() -> None:
    """An option that cannot be is caught as an error of nextapi, or as the TypeError that a wrong keyword is."""
    assert issubclass(OptionError, NextApiError)
    assert issubclass(OptionError, TypeError)
