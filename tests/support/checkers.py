"""mypy, pyright, ruff and pytest as a user of nextapi runs them, in the folder of a project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKERS = ("mypy", "pyright", "pytest", "ruff")


def check(folder: Path, checker: str, *arguments: str) -> str:
    """Return what the checker prints, whether it finds faults or none."""
    # As if the environment was active, and nextapi was installed in it like any package.
    options = ("--pythonpath", sys.executable) if checker == "pyright" else ()
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}"}
    return subprocess.run(
        [sys.executable, "-m", checker, *options, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=100,
    ).stdout
