"""The command line as people call it: a process of its own, in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

NEXTAPI = ["-m", "nextapi"]
FLASK = ["-m", "flask"]
MANAGE = ["manage.py"]


def environment() -> dict[str, str]:
    """Return the environment of a process that is to find this nextapi."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "error", "COLUMNS": "100"}


def call(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run Python with `arguments` in `folder`, and return the exit code and all that was written."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout
