"""`python -m benchmarks`: measure, and say what came out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.cases import CASES, OTHER_CASES
from benchmarks.contestants import contestants
from benchmarks.measure import measure, verify
from benchmarks.pages import measure_pages
from benchmarks.report import (
    as_json,
    as_table,
    over_limit,
    pages_as_json,
    pages_as_table,
    pages_over_limit,
)


def main() -> int:
    """Run the benchmark as the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what nextapi costs.")
    parser.add_argument("--rounds", type=int, default=40, help="turns of each contestant (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=500, help="requests in a turn (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="write JSON instead of a table")
    parser.add_argument("--check", action="store_true", help="fail where nextapi is slower than its README allows")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="nextapi-benchmarks-") as folder:
        rivals = contestants(Path(folder))
        verify(rivals, [*CASES, *OTHER_CASES])
        times = measure(rivals, CASES, arguments.rounds, arguments.calls)
    # A page takes so long that fewer of them tell as much.
    pages = measure_pages(arguments.rounds, max(arguments.calls // 10, 1))
    if arguments.json:
        print(json.dumps({**as_json(times, rivals), "pages": pages_as_json(pages)}, indent=2))
    else:
        print(as_table(times, rivals), pages_as_table(pages), sep="\n")
    faults = over_limit(times) + pages_over_limit(pages) if arguments.check else []
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
