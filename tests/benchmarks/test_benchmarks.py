"""The benchmark runs: its figures are nobody's test, its contestants have to give the same answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_it_runs() -> None:
    """Every contestant answers every request rightly, and is measured."""
    command = [sys.executable, "-m", "benchmarks", "--json", "--rounds", "1", "--calls", "20"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "nextapi in Django" in json.dumps(json.loads(done.stdout))
