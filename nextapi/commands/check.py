"""`nextapi check`: the faults of a tree, which keep it from being mounted, and the findings of its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from nextapi.building import MIDDLEWARE_FILES
from nextapi.checks import Finding, check_functions, check_module, is_edge, parse
from nextapi.commands.colours import BOLD, DIM, GREEN, RED, YELLOW, paint
from nextapi.commands.mounts import MountedTree, shown
from nextapi.errors import (
    BuildError,
    ConfigError,
    ConflictError,
    HandlerError,
    LoadError,
    RootError,
    SegmentError,
    TreeError,
)
from nextapi.handlers.route import METHODS
from nextapi.routing.scan import scan_root
from nextapi.routing.segments import Kind

__all__ = ["Issue", "exit_code", "faults_of", "find_issues", "print_issues", "write_issues"]

_FAULTS: dict[type[BuildError], tuple[str, str]] = {
    RootError: ("E001", "name the folder that holds pages/ or app/, and put route files in pages/api or app"),
    SegmentError: ("E002", "rename the file or folder"),
    ConflictError: ("E003", "keep one of the files, or rename one"),
    LoadError: ("E004", "mend what its import raises"),
    HandlerError: ("E005", "define the function that is looked for, with its arguments"),
    ConfigError: ("E006", "write the name and its value as it is said"),
}


class Issue(NamedTuple):
    """A fault ("E...") or a finding ("W..."): the file, its line or 0 for all of it, what is wrong and what to do."""

    id: str
    file: Path
    line: int
    message: str
    hint: str

    @property
    def is_fault(self) -> bool:
        """Whether the tree cannot be mounted for it."""
        return self.id.startswith("E")

    @property
    def place(self) -> str:
        """The file from the working directory, and the line."""
        return f"{shown(self.file)}:{self.line}" if self.line else shown(self.file)


def find_issues(tree: MountedTree) -> list[Issue]:
    """Return all that is wrong with a tree: faults first, then findings by file."""
    issues = []
    try:
        tree.build()
    except TreeError as error:
        issues += faults_of(error)
    scan = scan_root(tree.root, tree.options.page_extensions)
    for segments, file, is_app in scan.routes:
        if (module := _parsed(file)) is None:
            continue
        names = {segment.name: segment.kind for segment in segments if segment.kind is not Kind.STATIC}
        if is_app:
            findings = check_functions(module, METHODS, list(names))
        elif is_edge(module):
            findings = check_functions(module, ("handler",))
        else:
            # A catch-all need not look at what it caught: such a file may be there to answer all alike.
            findings = check_module(module, [name for name, kind in names.items() if kind is Kind.DYNAMIC])
        issues += _issues(file, findings)
    for file in [tree.root / name for name in MIDDLEWARE_FILES]:
        if module := _parsed(file):
            issues += _issues(file, check_functions(module, (file.stem,), may_pass=True))
    for file, _ in scan.ignored:
        if file.name == "_middleware.py" and (module := _parsed(file)):
            issues += _issues(file, check_functions(module, ("middleware",)))
    return issues


def _parsed(file: Path) -> ast.Module | None:
    try:
        return parse(file.read_bytes())
    except OSError:  # there is none, or it is a fault that importing the file has told
        return None


def _issues(file: Path, findings: Iterable[Finding]) -> list[Issue]:
    return [Issue(found.id, file, found.line, found.message, found.hint) for found in findings]


def faults_of(error: TreeError) -> list[Issue]:
    """Return the faults that an error tells."""
    return [
        Issue(_FAULTS[type(fault)][0], fault.files[0], 0, _say(fault), _FAULTS[type(fault)][1])
        for fault in error.exceptions
        if isinstance(fault, BuildError)
    ]


def _say(fault: BuildError) -> str:
    text = str(fault).removeprefix(f"{fault.files[0]}: ")
    for file in fault.files:
        text = text.replace(str(file), shown(file))
    return text


def write_issues(issues: Sequence[Issue], out: TextIO) -> None:
    """Write each issue with its place, and what to do: a fault's message says that itself."""
    for issue in issues:
        colour = RED if issue.is_fault else YELLOW
        out.write(f"{paint(out, BOLD, issue.place)}: {paint(out, colour, issue.id)} {issue.message}\n")
        if not issue.is_fault:
            out.write(paint(out, DIM, f"    {issue.hint}") + "\n")


def exit_code(issues: Sequence[Issue]) -> int:
    """Return 0 for no issues, 2 where a root is not one, else 1."""
    if any(issue.id == _FAULTS[RootError][0] for issue in issues):
        return 2
    return 1 if issues else 0


def print_issues(trees: Sequence[MountedTree], out: TextIO) -> int:
    """Write all that is wrong with `trees`, and how much it is; return the exit code."""
    issues = [issue for tree in trees for issue in find_issues(tree)]
    write_issues(issues, out)
    if not issues:
        out.write(paint(out, GREEN, "No faults and no findings.") + "\n")
    else:
        faults = sum(issue.is_fault for issue in issues)
        out.write(f"{_count(faults, 'fault')}, {_count(len(issues) - faults, 'finding')}.\n")
    return exit_code(issues)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
