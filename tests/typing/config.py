"""`config`: every key of Next's documentation, and the faults that the checkers see before the tree is built."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from nextapi import PageConfig

default: PageConfig = {"api": {"bodyParser": {"sizeLimit": "1mb"}}}
stream: PageConfig = {"api": {"bodyParser": False}}
parsed: PageConfig = {"api": {"bodyParser": True}}
small: PageConfig = {"api": {"bodyParser": {"sizeLimit": "500kb"}}}
bytes_of_body: PageConfig = {"api": {"bodyParser": {"sizeLimit": 1000}}}
external: PageConfig = {"api": {"externalResolver": True}}
unwarned: PageConfig = {"api": {"responseLimit": False}}
large: PageConfig = {"api": {"responseLimit": "8mb"}}
bytes_of_answer: PageConfig = {"api": {"responseLimit": 1000}}
other_sites: PageConfig = {"api": {"sameOrigin": False}}
node: PageConfig = {"runtime": "nodejs", "api": {}}
empty: PageConfig = {}

misspelt: PageConfig = {"api": {"bodyparser": False}}  # type: ignore[typeddict-unknown-key]
misplaced: PageConfig = {"bodyParser": False}  # type: ignore[typeddict-unknown-key]
snake_case: PageConfig = {"api": {"bodyParser": {"size_limit": "1mb"}}}  # type: ignore[typeddict-item]
no_size: PageConfig = {"api": {"bodyParser": {"sizeLimit": None}}}  # type: ignore[typeddict-item]
no_flag: PageConfig = {"api": {"externalResolver": "yes"}}  # type: ignore[typeddict-item]
other_runtime: PageConfig = {"runtime": "browser"}  # type: ignore[typeddict-item]
