"""A route file's syntax tree becomes findings: answers that a handler forgets or gives twice, and the like.

Nothing is imported or run. A finding is sure: where a path hangs on what the tree does not tell (`res` handed to
another function, an exception that a `with` may swallow, two conditions that may exclude each other), nothing is said.
"""

from nextapi.checks.finding import Finding
from nextapi.checks.module import check_module, config_lines, is_edge, name_lines, parse
from nextapi.checks.web import check_functions

__all__ = ["Finding", "check_functions", "check_module", "config_lines", "is_edge", "name_lines", "parse"]
