"""`python -m benchmarks.pages` measures the page cache; `python -m benchmarks` does so, too, and shows the times."""

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

from benchmarks.cases import Case
from benchmarks.contestants import Contestant
from benchmarks.contestants.kept_pages import BEHIND, PATHS, RENDERED, VIEW, contestants
from benchmarks.measure import Times, answer_of, measure

__all__ = ["measure_pages"]


def measure_pages(rounds: int, calls: int) -> Times:
    """Return the time per request of each contestant, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.pages", "--rounds", str(rounds), "--calls", str(calls)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    times: Times = json.loads(done.stdout)
    return times


def _verify(contestants: Iterable[Contestant], case: Case) -> None:
    """Raise AssertionError unless all pages are the same, and all but the rendered one are kept."""
    pages = set()
    for contestant in contestants:
        answers = [answer_of(contestant, case) for _ in range(3)]
        said = [(status, headers.get("x-nextjs-cache")) for status, headers, _ in answers]
        if contestant.name in (VIEW, BEHIND):
            right = [(200, None)] * 3
        elif contestant.name == RENDERED:
            right = [said[0]] * 3
        else:
            right = [(200, "MISS"), (200, "HIT"), (200, "HIT")]
        if said != right:
            raise AssertionError(f"{contestant.name} answers {case.target} by {said}, not {right}")
        if contestant.name not in (VIEW, BEHIND):
            pages |= {body for _, _, body in answers}
    if len(pages) != 1:
        raise AssertionError(f"{case.target} is answered by {len(pages)} pages")


def main() -> None:
    """Measure, and write what came out in JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=50)
    arguments = parser.parse_args()
    times: Times = {}
    with (
        TemporaryDirectory(prefix="nextapi-benchmarks-") as folder,
        Path(os.devnull).open("w") as nowhere,
        redirect_stderr(nowhere),  # where each cache says what it keeps its pages in
        contestants(Path(folder)) as all_contestants,
    ):
        for framework, rivals in all_contestants.items():
            case = Case(f"page in {framework}", "GET", PATHS[framework], b"", 200, None)
            _verify(rivals, case)
            times |= measure(rivals, [case], arguments.rounds, arguments.calls)
    print(json.dumps(times))


if __name__ == "__main__":
    main()
