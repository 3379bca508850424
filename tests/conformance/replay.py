"""Compare nextapi's answers with recorded ones of the real Next.js: `python -m tests.conformance.replay [HOST ...]`.

The port of the recorded app, `web/`, is mounted as a user would, and served by gunicorn. `--only 'mw*'` plays the cases
of these names alone; a case that needs what an earlier one left behind (`after-2`, `wait-2`, flow-*) needs that too.
What Next renders, and what it answers from its cache of rendered pages, is a recording of its own, "pages": it is
played to the apps in `rendered/`, whose pages are views of the host, behind `PageCache`.

Requests name the recorded server, `localhost:4310`, as their Host wherever they were recorded without another, so that
the origin in URLs and redirects is compared as it stands. What is not compared: framing, the order and case of headers,
`Vary` by what Next's client sends, the text of an ETag, reason phrases (but for those that Next's body parser writes),
and the HTML of Next's own error pages, of which only the status counts. Of a page, its text and headers are compared,
but for ETag and Content-Length, which were not recorded. Of what `PageCache` serves, Age and No-Vary-Search are not,
nor is an ETag where Next has none; nor what Next takes its server to be called while it builds; nor, of an answer for
one client alone, x-nextjs-cache: Next says HIT of what it has just made.
"""

from __future__ import annotations

import argparse
import fnmatch
import html
import itertools
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.conformance.rendered.pages import PRIVATE
from tests.conformance.wire import parse, send
from tests.support.hosts import HOSTS, write_app
from tests.support.servers import serve

HERE = Path(__file__).parent
# What next.config.js rewrites, rendered pages, and route handlers that Next answers from its cache of rendered pages.
NOT_API = re.compile(r"(/base)?/(cfg|isr|ssr|plain|api/rh/(isr|isr60|reval|spd?|static))\b")
# The names of these cases, and of those that they need.
PAGES = re.compile(r"(isr|rhisr\d*|reval|rhreval|rhstatic|flow|method-(page|static))(-|$)|rhroute-3[0-5]$")
# What Next makes when the app is built. That is so long ago that a page which is kept for 10 seconds is stale.
BUILT = ("/isr/one", "/isr", "/api/rh/static", "/api/rh/isr", "/api/rh/isr60", "/api/rh/sp/a", "/api/rh/sp/b%20c",
         "/api/rh/spd/a")  # fmt: skip
BUILT_AGO = 5.5  # and as much in the cases
NAME, NAME_WHEN_BUILT = "http://localhost:4310", "http://localhost:3000"

WITH_PAGES = "of pages, and of the page cache"
WITHOUT_PAGES = "not of the API: for whoever replays these cases, too"

Answer = dict[str, Any]

_SERVERS_OWN = {"date", "connection", "keep-alive", "transfer-encoding", "server", "x-powered-by", "refresh"}
_NEXTS_CLIENT_READS = {"x-nextjs-prerender", "x-nextjs-stale-time"}
_FLASK_AND_DJANGO_ADD = {"x-content-type-options", "referrer-policy", "cross-origin-opener-policy", "x-frame-options"}
_CACHE_ADDS = {"age", "no-vary-search"}
_NEXT_VARIES_BY = re.compile(r"accept-encoding|rsc|next-router-.*", re.IGNORECASE)


class Declared(NamedTuple):
    """A line of differences.txt: which cases, on which host ("" is all), under which heading, and why."""

    cases: str
    host: str
    heading: str
    reason: str


class Recording(NamedTuple):
    """Recorded requests and answers, by the names of their files, and the prefix that the app was below."""

    cases_file: str
    golden_file: str
    prefix: str = ""
    has_pages: bool = False

    def cases(self) -> list[dict[str, Any]]:
        """Return the requests, in order: those to pages routes, edge routes, route handlers and middleware, or those
        that have to do with pages.
        """
        cases = json.loads((HERE / "data" / self.cases_file).read_text())
        if self.has_pages:
            return [case for case in cases if PAGES.match(case["id"])]
        return [case for case in cases if not NOT_API.match(case["request"]["target"])]

    def golden(self) -> dict[str, Answer]:
        """Return the answers by case."""
        answers: dict[str, Answer] = json.loads((HERE / "data" / self.golden_file).read_text())
        return answers


RECORDINGS = {
    "plain": Recording("cases.json", "golden.json"),
    "basePath": Recording("variants/cases_basepath.json", "variants/golden_basepath.json", "/base"),
    "pages": Recording("cases.json", "golden.json", has_pages=True),
}


def declarations(has_pages: bool = False) -> list[Declared]:
    """Return the differences that are known, from differences.txt: headings are lines "# == heading".

    The last heading is for apps without pages, the one before it for those that have them.
    """
    found, heading = [], ""
    for line in (HERE / "differences.txt").read_text().splitlines():
        if line.startswith("# == "):
            heading = line.removeprefix("# == ")
        elif line and not line.startswith("#"):
            cases, _, reason = line.partition(":")
            host, slash, rest = cases.partition("/")
            found.append(Declared(rest if slash else cases, host if slash else "", heading, reason.strip()))
    other = WITHOUT_PAGES if has_pages else WITH_PAGES
    return [line for line in found if line.heading != other]


def play(host: str, recording: Recording, cases: list[dict[str, Any]]) -> dict[str, Answer]:
    """Serve `web/` through a host and return its answers by case."""
    with tempfile.TemporaryDirectory() as folder:
        if recording.has_pages:
            app = f"tests.conformance.rendered.{host}_app:app"
        else:
            app = write_app(host, HERE / "web", Path(folder), recording.prefix)
        with serve(app, Path(folder), "gunicorn-unlimited") as port:
            if recording.has_pages:
                _build(port)
            answers = dict(_answers(port, cases, {}))
            # If-None-Match quotes Next's tags: once more, with the tags that this server gave to the same bodies.
            conditional = [case for case in cases if any(name.lower() == "if-none-match" for name, _ in _headers(case))]
            return answers | dict(_answers(port, conditional, _own_tags(recording.golden(), answers)))


def _build(port: int) -> None:
    for path in BUILT:
        answer = parse(send(port, {"method": "GET", "target": path}, 8))
        assert answer["status"] == 200, f"{path}: {answer}"
    time.sleep(BUILT_AGO)


def _answers(port: int, cases: list[dict[str, Any]], tags: dict[str, str]) -> Iterator[tuple[str, Answer]]:
    cookies: dict[str, str] = {}
    for case in cases:
        time.sleep(case.get("sleep", 0))
        headers = []
        for name, value in _headers(case):
            if earlier := re.fullmatch(r"\{\{cookies:(.+)\}\}", value):
                value = cookies.get(earlier[1], "")
            elif name.lower() == "if-none-match":
                value = re.sub(r'"[^"]*"', lambda tag: tags.get(tag[0], tag[0]), value)
            headers.append([name, value])
        raw = send(port, {**case["request"], "headers": headers}, case.get("timeout", 8))
        lines = raw.partition(b"\r\n\r\n")[0].decode("latin-1")
        cookies[case["id"]] = "; ".join(re.findall(r"(?im)^set-cookie: *([^;\r]*)", lines))
        yield case["id"], parse(raw)


def _headers(case: dict[str, Any]) -> list[list[str]]:
    headers: list[list[str]] = case["request"].get("headers", [])
    return headers


def _own_tags(golden: dict[str, Answer], answers: dict[str, Answer]) -> dict[str, str]:
    tags = {}
    for case, recorded in golden.items():
        theirs, own = _etag(recorded), _etag(answers.get(case, {}))
        if theirs and own and recorded["body"] == answers[case]["body"]:
            tags[theirs] = own
    return tags


def _etag(answer: Answer) -> str | None:
    return next((value for name, value in answer.get("headers", []) if name.lower() == "etag"), None)


def differences(recorded: Answer, answer: Answer, has_pages: bool = False) -> list[str]:
    """Return what differs, in words; nothing for a recording of a request that was cut or never answered.

    Of an app that `has_pages` they are compared.
    """
    if not isinstance(recorded["status"], int) or recorded.get("note"):
        return []
    if answer["status"] != recorded["status"]:
        return [f"status {answer['status']}, not {recorded['status']}"]
    if "html" in recorded:
        return _page_differences(recorded, answer) if has_pages else []
    found = []
    if recorded["status"] >= 400 and recorded["body"] == recorded["reason"] != answer["reason"]:
        found.append(f"reason {answer['reason']!r}, not {recorded['reason']!r}")
    found += _header_differences(recorded, answer)
    body = _null_for_empty(recorded["body"])
    if has_pages and isinstance(body, str):
        body = body.replace(NAME_WHEN_BUILT, NAME)
    if body != answer["body"]:
        found.append(f"body {str(answer['body'])[:300]!r}, not {str(body)[:300]!r}")
    return found


def _page_differences(recorded: Answer, answer: Answer) -> list[str]:
    """Return what differs of a page, whose text is in the only <p> of the host's HTML."""
    found = _header_differences(recorded, answer)
    text = recorded["html"]["text"]
    given = re.search(r"<p>(.*?)</p>", answer["body"], re.DOTALL)
    # A view is not told that it is asked by `res.revalidate`.
    expected = html.unescape(text or "").replace("why on-demand", "why stale")
    if text is not None and (given is None or html.unescape(given[1]) != expected):
        found.append(f"text {answer['body'][:300]!r}, not {expected!r}")
    return found


def _header_differences(recorded: Answer, answer: Answer) -> list[str]:
    expected, given = _comparable(recorded, recorded), _comparable(answer, recorded)
    if expected == given:
        return []
    return [f"headers {list((given - expected).elements())}, not {list((expected - given).elements())}"]


def _comparable(answer: Answer, recorded: Answer) -> Counter[tuple[str, str]]:
    names = {name.lower() for name, _ in recorded["headers"]}
    ignored = _SERVERS_OWN | _FLASK_AND_DJANGO_ADD | _NEXTS_CLIENT_READS | ({"content-length"} - names)
    if "x-nextjs-cache" in names or "html" in recorded:
        ignored |= _CACHE_ADDS | ({"etag"} - names)
    if any(pair[1] == PRIVATE for pair in recorded["headers"]):
        ignored |= {"x-nextjs-cache"}
    pairs: Counter[tuple[str, str]] = Counter()
    for name, value in answer["headers"]:
        key = name.lower()
        if key in ignored:
            continue
        if key == "vary":
            value = ", ".join(field for field in re.split(r"\s*,\s*", value) if not _NEXT_VARIES_BY.fullmatch(field))
        if key == "etag":
            value = "a strong tag" if value.startswith('"') else "a weak tag"
        if value or key != "vary":
            pairs[key, value] += 1
    return pairs


def _null_for_empty(body: Any) -> Any:
    """Return the body of an echo as Next's documentation has it: `req.body` is null where nothing was sent."""
    return (
        body.replace('"bodyType":"string","body":""', '"bodyType":"null","body":null')
        if isinstance(body, str)
        else body
    )


class Result(NamedTuple):
    """How the cases of one host came out: equal, declared under each heading, different, declared in vain."""

    equal: int
    declared: Counter[str]
    different: dict[str, list[str]]
    stale: list[str]


def compare(host: str, recording: Recording, only: str = "*") -> Result:
    """Play the cases that `only` names through a host, and hold the answers against the recorded and the declared."""
    cases = [case for case in recording.cases() if fnmatch.fnmatchcase(case["id"], only)]
    recorded, known = recording.golden(), declarations(recording.has_pages)
    answers = play(host, recording, cases)
    names = {case["id"] for case in cases}
    stale = {line.cases for line in known if line.host in ("", host) and line.cases in names}
    result = Result(0, Counter(), {}, [])
    equal = 0
    for case in cases:
        name = case["id"]
        found = differences(recorded[name], answers[name], recording.has_pages)
        if not found:
            equal += 1
            continue
        lines = [line for line in known if line.host in ("", host) and fnmatch.fnmatchcase(name, line.cases)]
        if lines:
            result.declared[lines[0].heading] += 1
            stale.discard(name)
        else:
            result.different[f"{name} ({case['about']})"] = found
    return result._replace(equal=equal, stale=sorted(stale))


def main(arguments: list[str]) -> int:
    """Print what differs and the counts of each host; return 0 if nothing differs that is not declared."""
    parser = argparse.ArgumentParser(prog="tests.conformance.replay")
    parser.add_argument("hosts", nargs="*", metavar="HOST", help=", ".join(HOSTS))
    parser.add_argument("--recording", choices=RECORDINGS, help="the one to play; all unless given")
    parser.add_argument("--only", default="*", metavar="GLOB", help="names of the cases to play")
    options = parser.parse_args(arguments)
    failed = False
    names = [options.recording] if options.recording else list(RECORDINGS)
    for host, name in itertools.product(options.hosts or HOSTS, names):
        recording = RECORDINGS[name]
        result = compare(host, recording, options.only)
        for case, found in result.different.items():
            print(case, *found, sep="\n    ")
        total = result.equal + result.declared.total() + len(result.different)
        headings = ", ".join(f"{count} {heading}" for heading, count in result.declared.items())
        print(f"{host}, {name}: equal {result.equal}, declared {result.declared.total()} ({headings}),", end=" ")
        print(f"different {len(result.different)}, of {total}")
        failed = failed or bool(result.different)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
