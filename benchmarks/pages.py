"""`python -m benchmarks.pages`: measure the page cache; `python -m benchmarks` does so, too, and shows what came out."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.cases import Case
from benchmarks.contestants import Contestant
from benchmarks.contestants.kept_pages import PATHS, RENDERED, VIEW, contestants
from benchmarks.measure import Times, answer_of, measure

__all__ = ["measure_pages"]


def measure_pages(rounds: int, calls: int) -> tuple[Times, dict[str, int]]:
    """Return the time per request of each contestant, and how many bytes each page has, from a process of their own."""
    command = [sys.executable, "-m", "benchmarks.pages", "--rounds", str(rounds), "--calls", str(calls)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    times, sizes = json.loads(done.stdout)
    return times, sizes


def _verify(contestants: Iterable[Contestant], case: Case) -> int:
    """Return the size of the page, which everybody answers alike, and from the second time on from the store."""
    bodies = set()
    for contestant in contestants:
        for state in (None, "MISS", "HIT"):
            status, headers, body = answer_of(contestant, case)
            said = headers.get("x-nextjs-cache")
            is_page = contestant.name not in (VIEW, RENDERED) and b"Hello, World!" not in body
            if status != 200 or (is_page and state is not None and said != state and (said, state) != ("HIT", "MISS")):
                raise AssertionError(f"{contestant.name} answers {case.target} by {status} {said}")
            if b"Hello, World!" not in body:
                bodies.add(body)
    if len(bodies) != 1:
        raise AssertionError(f"{case.target} has {len(bodies)} pages")
    return len(bodies.pop())


def main() -> None:
    """Measure, and write what came out in JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=50)
    arguments = parser.parse_args()
    times: Times = {}
    sizes: dict[str, Any] = {}
    with (
        TemporaryDirectory(prefix="nextapi-benchmarks-") as folder,
        Path(os.devnull).open("w") as nowhere,
        redirect_stderr(nowhere),  # where each cache says what it keeps its pages in
        contestants(Path(folder)) as all_contestants,
    ):
        for framework, rivals in all_contestants.items():
            case = Case(f"page in {framework}", "GET", PATHS[framework], b"", 200, None)
            sizes[case.name] = _verify(rivals, case)
            times |= measure(rivals, [case], arguments.rounds, arguments.calls)
    print(json.dumps([times, sizes]))


if __name__ == "__main__":
    main()
